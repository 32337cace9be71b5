"""Pictures that a drawing begins from: a photo of any kind as a square, a mask over it.

Level 2, without torch. Reads files of strangers: PNG, JPEG, WebP, AVIF, BMP, GIF, TIFF in any mode,
turned upright, the central square, transparent parts black as space is. The mask says what is drawn
anew: white is, black is kept. Sizes are checked before pixels are decoded. `Start` gives the
network's view of both, and puts a drawn part back into its picture. Next: `generate.py`.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFilter, ImageOps, UnidentifiedImageError

from rocketman.files import why_no_file
from rocketman.provenance import credentials
from rocketman.provenance.picture import MAX_BYTES, PictureError

FORMATS = ("PNG", "JPEG", "MPO", "WEBP", "AVIF", "BMP", "GIF", "TIFF")
"""That may be decoded here. Not all that Pillow knows: for some it starts other programs."""
LARGEST = 2048
"""Pixels of the shorter side that a JPEG file is decoded to at least, if it has as many."""
WHITE = 128
"""Level of a mask from which it counts as white."""
EDGE = 1 / 64
"""Spread of the soft edge, as a share of the picture's width."""
SAME = 1 / 100
"""Relative difference between proportions that counts as none: sizes are whole pixels."""

Source = Path | str | Image.Image
Array = NDArray[np.float32]


@dataclass(frozen=True)
class Start:
    """A picture to begin from."""

    image: Image.Image
    """RGB, upright, square."""
    sha256: str
    """Of its file, in 64 hexadecimal digits."""
    file: bytes
    """For the credentials of what is made of it: the file, or a copy that they can hold."""
    mask: Image.Image | None = None
    """L, square: 255 where it is drawn anew, 0 where it is kept."""
    mask_sha256: str = ""

    def known(self, size: int) -> Array:
        """(3, size, size) in [-1, 1]."""
        pixels = np.asarray(_resized(self.image, size), dtype=np.float32)
        return np.ascontiguousarray(pixels.transpose(2, 0, 1)) / np.float32(127.5) - 1

    def repainted(self, size: int) -> Array | None:
        """(1, size, size) in [0, 1]: how much of each pixel is drawn anew; None without a mask."""
        if self.mask is None:
            return None
        shares = self.mask.resize((size, size), Image.Resampling.BOX)
        return np.asarray(shares, dtype=np.float32)[None] / np.float32(255)

    def joined(self, drawn: Image.Image) -> Image.Image:
        """What was drawn, inside the picture that it was drawn into; without mask, all of it."""
        if self.mask is None:
            return drawn
        kept = _resized(self.image, drawn.width)
        return Image.composite(drawn, kept, soft(self.mask, drawn.width))


def start(image: Source, mask: Source | None = None) -> Start:
    """A picture to begin from, and its mask: of the same proportions, or square.

    Both are files, or pictures in memory, which count as the PNG files that Pillow makes of them.
    PictureError if one cannot be used.
    """
    name = _name(image, "The picture to begin from")
    file = _file(image, name)
    whole = opened(file, name)
    square = _central(whole)
    held = file if credentials.can_start(file) else _png(square)
    begun = Start(square, hashlib.sha256(file).hexdigest(), held)
    if mask is None:
        return begun
    name = _name(mask, "The mask")
    file = _file(mask, name)
    shape = opened(file, name)
    across, down = shape.width * whole.height, shape.height * whole.width
    if shape.width != shape.height and abs(across - down) > SAME * across:
        raise PictureError(
            f"{name} has {shape.width} x {shape.height} pixels and the picture {whole.width} x "
            f"{whole.height}: it should have the same proportions, or be square."
        )
    white = _central(shape).convert("L").point(lambda level: 255 if level >= WHITE else 0)
    if soft(white, LARGEST // 8).getbbox() is None:
        raise PictureError(
            f"{name} has no white part that could be drawn anew, or only thin lines."
        )
    return Start(square, begun.sha256, held, white, hashlib.sha256(file).hexdigest())


def soft(mask: Image.Image, size: int) -> Image.Image:
    """A mask (0 and 255) at a size, its white part rising softly inside its edge, 0 outside."""
    white = mask.resize((size, size), Image.Resampling.BOX)
    white = white.point(lambda level: 255 if level >= WHITE else 0)
    blurred = white.filter(ImageFilter.GaussianBlur(size * EDGE))
    return ImageChops.darker(white, blurred.point(lambda level: max(0, 2 * level - 255)))


def opened(file: bytes, name: str) -> Image.Image:
    """The bytes of a file as upright RGB. PictureError, with the name, if it cannot be used."""
    Image.init()
    formats = [kind for kind in FORMATS if kind in Image.OPEN]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about odd metadata of sound pictures
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(file), formats=formats) as image:
                image.draft("RGB", (LARGEST, LARGEST))
                with contextlib.suppress(SyntaxError, ValueError, TypeError, KeyError):
                    ImageOps.exif_transpose(image, in_place=True)  # else its EXIF is damaged
                return _rgb(image)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise PictureError(
            f"{name} has more than {Image.MAX_IMAGE_PIXELS or 0:,} pixels: make it smaller."
        ) from error
    except UnidentifiedImageError as error:
        kinds = "PNG, JPEG, WebP, AVIF, BMP, GIF or TIFF"
        raise PictureError(f"{name} is no picture in {kinds}, or damaged.") from error
    except Exception as error:  # decoders raise all kinds of things on what strangers send
        if isinstance(error, MemoryError):
            raise
        raise PictureError(f"{name} is damaged and cannot be read ({error}).") from error


def _name(source: Source, otherwise: str) -> str:
    return otherwise if isinstance(source, Image.Image) else str(source)


def _file(source: Source, name: str) -> bytes:
    """The bytes of a file, or of a picture in memory as PNG."""
    if isinstance(source, Image.Image):
        try:
            return _png(_rgb(ImageOps.exif_transpose(source)))
        except (OSError, ValueError) as error:  # opened from a damaged file; without any pixels
            raise PictureError(f"{name} is damaged and cannot be read ({error}).") from error
    path = Path(source)
    try:
        if not path.is_file():
            raise PictureError(f"{name} cannot be read: {why_no_file(path)}.")
        if path.stat().st_size > MAX_BYTES:
            raise PictureError(f"{name} has more than {MAX_BYTES:,} bytes: make it smaller.")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        if isinstance(error, PictureError):
            raise
        reason = error.strerror if isinstance(error, OSError) else "not a name of a file"
        raise PictureError(f"{name} cannot be read: {reason}.") from error


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _rgb(image: Image.Image) -> Image.Image:
    """8-bit RGB of a picture in any mode; an animation's first frame."""
    if image.mode == "F" or image.mode.startswith("I"):  # convert would cut off what is above 255
        levels = np.nan_to_num(np.asarray(image, dtype=np.float64))
        full = next((most for most in (1, 255, 65535) if levels.max() <= most), levels.max())
        if image.mode.startswith("I;16"):
            full = 65535
        elif image.mode == "I":
            full = max(full, 255)
        grey = Image.fromarray(np.rint(np.clip(levels / full, 0, 1) * 255).astype(np.uint8))
        return grey.convert("RGB")
    if image.has_transparency_data:
        clear = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", clear.size, "black"), clear).convert("RGB")
    return image.convert("RGB")


def _central(image: Image.Image) -> Image.Image:
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))


def _resized(image: Image.Image, size: int) -> Image.Image:
    return image.resize((size, size), Image.Resampling.LANCZOS, reducing_gap=3.0)

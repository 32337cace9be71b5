"""A picture file of any origin -> RGB pixels, or one reason why it cannot be used.

Nothing in a data set is trusted: sizes, names and formats are checked before pixels are decoded.
Level 3. Next: `sources.py` reads whole data sets.
"""

from __future__ import annotations

import io
import warnings
from functools import cache
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

SMALLEST = 16
"""Pixels of the shorter side below which a picture is left out."""
FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".avif": "AVIF",
    ".bmp": "BMP",
    ".gif": "GIF",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
LABELS = (
    "sky",
    "planet",
    "station",
    "suit",
    "helmet",
    "visor",
    "glove",
    "boot",
    "pack",
    "instrument",
)
"""What a pixel of a render shows; the number of a label is its value in `passes/000123.png`."""


class BadPicture(ValueError):  # noqa: N818  (the picture is at fault)
    """A picture that cannot be used; the message goes on from its name: "is missing"."""


def open_file(path: Path) -> Image.Image:
    """A picture file as RGB. BadPicture if it cannot be used."""
    if not path.is_file():
        raise BadPicture("is a folder" if path.is_dir() else "is missing")
    return _decode(path, path.suffix.lower())


def open_bytes(data: bytes, name: str) -> Image.Image:
    """As `open_file`, from memory; `name` tells the format that is expected."""
    return _decode(io.BytesIO(data), PurePosixPath(name).suffix.lower())


@cache
def _formats() -> list[str]:
    """What this Pillow reads of FORMATS. Its other formats include some that run programs."""
    Image.init()
    return [name for name in (*dict.fromkeys(FORMATS.values()), "MPO") if name in Image.OPEN]


def _decode(file: Path | io.BytesIO, suffix: str) -> Image.Image:
    """RGB, upright."""
    if suffix not in FORMATS:
        raise BadPicture(f"is not named like a picture ({', '.join(FORMATS)})")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            warnings.simplefilter("ignore", UserWarning)  # about odd metadata of sound pictures
            with Image.open(file, formats=_formats()) as picture:
                kind = "JPEG" if picture.format == "MPO" else picture.format
                if kind != FORMATS[suffix]:
                    raise BadPicture(f"is a {kind} file under a wrong name")
                if min(picture.size) < SMALLEST:
                    raise BadPicture(f"is tiny ({picture.width} x {picture.height} pixels)")
                return _eight_bits(picture, ImageOps.exif_transpose(picture)).convert("RGB")
    except BadPicture:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise BadPicture(f"is enormous, perhaps a decompression bomb ({error})") from error
    except UnidentifiedImageError as error:
        raise BadPicture("is no picture") from error
    except Exception as error:  # Pillow raises many kinds for broken files
        raise BadPicture(f"cannot be read ({error})") from error


def _eight_bits(file: Image.Image, upright: Image.Image) -> Image.Image:
    """Grey of 16 bits reduced to 8; Pillow's own conversion clips it to white."""
    if upright.mode.startswith("I;16") or (upright.mode == "I" and file.format == "PNG"):
        return Image.fromarray((np.asarray(upright) // 257).astype(np.uint8))
    if upright.mode in ("I", "F"):
        raise BadPicture("has 32 bits a pixel, of unknown range: save it with 8 or 16")
    return upright


def open_mask(path: Path) -> Image.Image:
    """A palette picture of LABELS -> grey, 255 where an instrument is. BadPicture if it is none."""
    labels = np.asarray(open_labels(path))
    return Image.fromarray((labels == LABELS.index("instrument")).astype(np.uint8) * 255)


def open_labels(path: Path) -> Image.Image:
    """A palette picture of LABELS -> grey, the numbers of the labels. BadPicture if it is none."""
    if not path.is_file():
        raise BadPicture(f"has no {path.parent.name}/{path.name} beside it")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=["PNG"]) as picture:
                if picture.mode != "P":
                    raise BadPicture(f"has a {path.name} without labels in {path.parent.name}")
                labels = np.array(picture)
    except BadPicture:
        raise
    except Exception as error:  # Pillow raises many kinds for broken files
        raise BadPicture(f"has a {path.name} that cannot be read in {path.parent.name}") from error
    if labels.max(initial=0) >= len(LABELS):
        raise BadPicture(f"has a {path.name} with unknown labels in {path.parent.name}")
    return Image.fromarray(labels)

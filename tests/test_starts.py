"""Pictures to begin from: any file that is one, upright, square; a sentence for all others."""

from __future__ import annotations

import hashlib
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image, PngImagePlugin

from rocketman import starts
from rocketman.provenance import credentials
from rocketman.provenance.picture import PictureError
from rocketman.starts import start


def quarters(width: int = 48, height: int = 32) -> Image.Image:
    """Red, green, blue, white, clockwise from the upper left."""
    image = Image.new("RGB", (width, height), "red")
    image.paste("lime", (width // 2, 0, width, height // 2))
    image.paste("blue", (width // 2, height // 2, width, height))
    image.paste("white", (0, height // 2, width // 2, height))
    return image


def corners(image: Image.Image) -> list[tuple[int, ...]]:
    """Colours near the corners, clockwise from the upper left, in steps of 64."""
    far = image.width - 3
    found = [image.getpixel(place) for place in ((2, 2), (far, 2), (far, far), (2, far))]
    return [tuple(round(level / 64) for level in colour) for colour in found]  # type: ignore[union-attr]


RED, LIME, BLUE, WHITE = (4, 0, 0), (0, 4, 0), (0, 0, 4), (4, 4, 4)


def test_the_central_square(tmp_path: Path) -> None:
    image = quarters(64, 32)
    image.paste("black", (0, 0, 16, 32))
    image.paste("black", (48, 0, 64, 32))
    image.save(tmp_path / "wide.png")
    begun = start(tmp_path / "wide.png")
    assert begun.image.size == (32, 32)
    assert corners(begun.image) == [RED, LIME, BLUE, WHITE]
    assert begun.sha256 == hashlib.sha256((tmp_path / "wide.png").read_bytes()).hexdigest()
    known = begun.known(8)
    assert known.shape == (3, 8, 8)
    assert known.dtype == np.float32
    np.testing.assert_allclose(known[:, 1, 1], (1, -1, -1), atol=0.05)
    assert begun.repainted(8) is None


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.bmp", "a.gif", "a.tif", "a.avif"])
def test_kinds_of_files(tmp_path: Path, name: str) -> None:
    quarters().save(tmp_path / name)
    begun = start(tmp_path / name)
    assert corners(begun.image) == [RED, LIME, BLUE, WHITE]
    assert credentials.can_start(begun.file), "or the credentials could not hold it"


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".tif", ".webp"])
def test_orientations(tmp_path: Path, turn: int, suffix: str) -> None:
    """However the camera was held: all eight values of EXIF's field."""
    stored = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[turn]
    image = quarters() if stored is None else quarters().transpose(stored)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = turn
    image.save(tmp_path / f"a{suffix}", exif=exif)
    assert corners(start(tmp_path / f"a{suffix}").image) == [RED, LIME, BLUE, WHITE]


def test_damaged_exif_hides_no_picture(tmp_path: Path) -> None:
    for name in ("a.jpg", "a.png", "a.webp"):
        quarters().save(tmp_path / name, exif=b"garbage")
        assert corners(start(tmp_path / name).image) == [RED, LIME, BLUE, WHITE]


@pytest.mark.parametrize(
    ("mode", "suffix"),
    [
        ("1", ".png"), ("L", ".png"), ("LA", ".png"), ("P", ".png"), ("RGB", ".png"),
        ("RGBA", ".png"), ("CMYK", ".jpg"), ("CMYK", ".tif"), ("YCbCr", ".jpg"),
        ("LAB", ".tif"), ("I;16", ".png"), ("I", ".tif"), ("F", ".tif"),
    ],
)  # fmt: skip
def test_modes(tmp_path: Path, mode: str, suffix: str) -> None:
    """Light stays light and dark dark, whatever numbers a file holds."""
    grey = np.zeros((32, 32), np.float64)
    grey[:, 16:] = 1.0
    if mode == "I;16":
        image = Image.fromarray((grey * 65535).astype(np.uint16))
    elif mode == "I":
        image = Image.fromarray((grey * 65535).astype(np.int32))
    elif mode == "F":
        image = Image.fromarray(grey.astype(np.float32))
    else:
        image = Image.fromarray((grey * 255).astype(np.uint8)).convert("RGB").convert(mode)
    image.save(tmp_path / f"a{suffix}")
    square = start(tmp_path / f"a{suffix}").image
    assert square.mode == "RGB"
    dark, light = square.getpixel((4, 16)), square.getpixel((28, 16))
    assert isinstance(dark, tuple)
    assert isinstance(light, tuple)
    assert max(dark) < 20
    assert min(light) > 235


def test_what_is_transparent_is_black(tmp_path: Path) -> None:
    for mode, clear in (("RGBA", (255, 255, 255, 0)), ("LA", (255, 0))):
        Image.new(mode, (20, 20), clear).save(tmp_path / "a.png")
        assert start(tmp_path / "a.png").image.getpixel((9, 9)) == (0, 0, 0)


def test_odd_sizes(tmp_path: Path) -> None:
    for size in ((1, 1), (1, 3000), (3000, 2)):
        quarters(*size).save(tmp_path / "a.png")
        begun = start(tmp_path / "a.png")
        assert begun.image.width == begun.image.height == min(size)
        assert begun.known(16).shape == (3, 16, 16)


def test_a_picture_in_memory_counts_as_its_png(tmp_path: Path) -> None:
    image = quarters()
    image.save(tmp_path / "a.png")
    assert start(image).sha256 == start(tmp_path / "a.png").sha256
    assert start(image.convert("RGBA")).sha256 == start(image).sha256
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    image.save(tmp_path / "turned.png", exif=exif)
    with Image.open(tmp_path / "turned.png") as lying:
        assert start(lying).image.tobytes() == start(tmp_path / "turned.png").image.tobytes()
    Image.effect_noise((99, 99), 50).save(tmp_path / "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:2000])
    with Image.open(tmp_path / "cut.png") as broken:
        for unusable in (broken, Image.new("RGB", (0, 0))):
            with pytest.raises(PictureError, match="is damaged and cannot be read"):
                start(unusable)


def test_a_file_that_credentials_cannot_hold_is_copied(tmp_path: Path) -> None:
    """Pillow forgives what the library of credentials does not."""
    buffer = io.BytesIO()
    quarters().save(buffer, "PNG")
    odd = buffer.getvalue()[:-12] + b"\0\0\xff\xff"  # no end, but a chunk that is cut off
    (tmp_path / "odd.png").write_bytes(odd)
    assert not credentials.can_start(odd)
    begun = start(tmp_path / "odd.png")
    assert begun.sha256 == hashlib.sha256(odd).hexdigest()
    assert begun.file != odd
    assert credentials.can_start(begun.file)


def bomb() -> bytes:
    """A small PNG file that says it is 30,000 pixels wide and high."""
    buffer = io.BytesIO()
    Image.new("1", (64, 64)).save(buffer, "PNG")
    header = b"IHDR" + (30_000).to_bytes(4, "big") * 2 + buffer.getvalue()[24:29]
    check = PngImagePlugin._crc32(header).to_bytes(4, "big")
    return buffer.getvalue()[:12] + header + check + buffer.getvalue()[33:]


def half_a_picture() -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(buffer, "JPEG")
    return buffer.getvalue()[: len(buffer.getvalue()) // 2]


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("empty.png", b"", "empty.png is no picture in PNG, JPEG"),
        ("words.png", b"words", "words.png is no picture"),
        ("half.jpg", half_a_picture(), "half.jpg is damaged"),
        ("bomb.png", bomb(), "bomb.png has more than 89,478,485 pixels"),
        ("drawing.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "is no picture"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, name: str, data: bytes, sentence: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(PictureError, match=re.escape(sentence)) as caught:
        start(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_names_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PictureError, match="there is no such file"):
        start(tmp_path / "missing.png")
    with pytest.raises(PictureError, match="it is a folder"):
        start(tmp_path)
    with pytest.raises(PictureError, match="cannot be read"):
        start("\0")
    quarters().save(tmp_path / "a.png")
    monkeypatch.setattr(starts, "MAX_BYTES", 10)
    with pytest.raises(PictureError, match="more than 10 bytes"):
        start(tmp_path / "a.png")


# --- masks ------------------------------------------------------------------------------------


def disc(size: int = 64) -> Image.Image:
    down, across = np.mgrid[:size, :size] - size / 2 + 0.5
    return Image.fromarray(((down**2 + across**2 < (size / 3) ** 2) * 255).astype(np.uint8))


def test_what_the_mask_keeps_is_kept_to_the_bit() -> None:
    picture = Image.effect_noise((64, 64), 60).convert("RGB")
    begun = start(picture, disc())
    drawn = Image.new("RGB", (64, 64), "red")
    joined = np.asarray(begun.joined(drawn))
    outside = np.asarray(disc()) == 0
    np.testing.assert_array_equal(joined[outside], np.asarray(picture)[outside])
    assert tuple(joined[32, 32]) == (255, 0, 0)
    shares = begun.repainted(16)
    assert shares is not None
    assert shares.shape == (1, 16, 16)
    assert (shares.min(), shares.max()) == (0, 1)
    assert start(picture).joined(drawn) is drawn


def test_the_edge_is_soft_and_lies_inside() -> None:
    across = np.asarray(starts.soft(disc(256), 256))[128].astype(int)
    inside = np.asarray(disc(256))[128] > 0
    assert across[~inside].max() == 0
    rise = across[inside][: across[inside].argmax() + 1]
    assert len(rise) >= 6
    assert (np.diff(rise) >= 0).all()


def test_masks_of_other_sizes_and_kinds() -> None:
    wide = quarters(90, 60)
    half = Image.new("L", (45, 30))
    half.paste(255, (0, 0, 45, 15))
    for mask in (half, half.convert("1"), half.resize((300, 200)), half.resize((50, 50))):
        shares = start(wide, mask).repainted(10)
        assert shares is not None
        np.testing.assert_allclose(shares[0, :5], 1, atol=0.01)
        np.testing.assert_allclose(shares[0, 5:], 0, atol=0.01)


@pytest.mark.parametrize(
    ("mask", "sentence"),
    [
        (Image.new("L", (60, 90), 255), "has 60 x 90 pixels and the picture 90 x 60"),
        (Image.new("L", (90, 60), 0), "no white part"),
        (Image.new("L", (90, 60), 100), "no white part"),
    ],
)
def test_masks_that_do_not_fit(mask: Any, sentence: str) -> None:
    with pytest.raises(PictureError, match=f"The mask .*{sentence}"):
        start(quarters(90, 60), mask)

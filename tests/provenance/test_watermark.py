"""The mark survives what happens to pictures, is not seen, and is not found where there is none."""

from __future__ import annotations

import io
import math
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from rocketman.provenance import correction, watermark
from rocketman.provenance.watermark import WatermarkError

Draw = Callable[[int, int], Image.Image]
Edit = Callable[[Image.Image], Image.Image]
SMOOTH = Image.Resampling.BICUBIC
PHASES = np.array([-0.277149, 1.325946, -1.28735])
IDENTIFIER = 0xA99A3CAB
SIGNS = "+--+-----+----++-+-+-+-+"


def psnr(a: Image.Image, b: Image.Image) -> float:
    difference = np.asarray(a, dtype=float) - np.asarray(b, dtype=float)
    return 10 * math.log10(255**2 / float(np.mean(difference**2)))


def scaled(image: Image.Image, factor: float) -> Image.Image:
    return image.resize((round(image.width * factor), round(image.height * factor)), SMOOTH)


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


EDITS: dict[str, Edit] = {
    "nothing": lambda image: image,
    "JPEG 50": lambda image: jpeg(image, 50),
    "half": lambda image: scaled(image, 0.5),
    "half and back": lambda image: scaled(scaled(image, 0.5), 2),
    "double": lambda image: scaled(image, 2),
    "three quarters": lambda image: image.crop((37, 11, 37 + 443, 11 + 443)),
    "left part": lambda image: image.crop((0, 0, 384, 512)),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.3),
    "darker": lambda image: ImageEnhance.Brightness(image).enhance(0.7),
    "screenshot": lambda image: jpeg(scaled(image, 0.83), 80),
    "mirrored": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "tilted": lambda image: image.rotate(2, SMOOTH),
    "no colour": lambda image: image.convert("L"),
}


@pytest.fixture(scope="module")
def marked(draw: Draw) -> list[tuple[int, Image.Image]]:
    ids = [watermark.identifier(f"recipe {seed}") for seed in range(2)]
    return [(ids[seed], watermark.embed(draw(seed, 512), ids[seed])) for seed in range(2)]


@pytest.mark.parametrize("name", EDITS)
def test_it_survives(marked: list[tuple[int, Image.Image]], name: str) -> None:
    for bits, image in marked:
        mark = watermark.read(EDITS[name](image))
        assert mark.found
        assert mark.identifier == bits
        assert mark.probability < 1e-6
        assert mark.mirrored == (name == "mirrored")


@pytest.mark.parametrize("size", [(256, 256), (512, 512), (1024, 1024), (640, 384), (300, 700)])
def test_it_is_faint(draw: Draw, size: tuple[int, int]) -> None:
    image = draw(3, 512).resize(size, SMOOTH)
    copy = watermark.embed(image, 0xDEADBEEF)
    assert psnr(image, copy) >= 40
    assert watermark.embed(image, 0xDEADBEEF).tobytes() == copy.tobytes()
    assert watermark.read(copy).identifier == 0xDEADBEEF


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_modes(draw: Draw, mode: str) -> None:
    image = draw(4, 256).convert(mode)
    if mode == "RGBA":
        image.putalpha(image.getchannel("R"))
    copy = watermark.embed(image, 7)
    assert copy.mode == mode
    assert watermark.read(copy).identifier == 7
    if mode == "RGBA":
        assert copy.getchannel("A").tobytes() == image.getchannel("A").tobytes()


def test_what_cannot_be_marked(draw: Draw) -> None:
    for image in (draw(1, 255), draw(1, 256).convert("P"), draw(1, 256).convert("CMYK")):
        assert not watermark.can_mark(image)
        with pytest.raises(WatermarkError, match="from 256 pixels"):
            watermark.embed(image, 1)


def test_none_is_found_where_there_is_none(draw: Draw) -> None:
    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 256, (300, 400, 3), dtype=np.uint8))
    flat = Image.new("RGB", (300, 300), "gray")
    for image in (draw(5, 512), draw(6, 256), noise, flat, Image.new("1", (1, 1)), draw(7, 40)):
        mark = watermark.read(image)
        assert not mark.found
        assert mark.identifier is None


def test_chance_is_within_its_bound(draw: Draw) -> None:
    """Every shift at every scale of unmarked pictures: z above t no oftener than exp(-t^2 / 2)."""
    waves = watermark.waves_of_key()
    places = watermark._searches()[0]
    for seed in (8, 9):
        spectrum = watermark._spectrum(watermark._luma(draw(seed, 512)))
        found = watermark._sample(spectrum, places.frequencies(waves.place)) * np.conj(waves.phase)
        tiles = np.zeros((len(found), watermark.TILE, watermark.TILE // 2 + 1), np.complex64)
        watermark._fill(tiles, found)
        match = np.fft.irfft2(tiles) * watermark.TILE**2 / 2
        z = match / np.sqrt((np.abs(found) ** 2).sum(axis=1) / 2)[:, None, None]
        for t in (2.0, 3.0, 4.0, 5.0):
            assert np.mean(z > t) <= math.exp(-t * t / 2), t
    needed = math.sqrt(2 * (math.log(watermark.TRIALS) + 32 * math.log(2) + math.log(1e6)))
    assert watermark._chance(needed + 0.01) < 1e-6 < watermark._chance(needed - 0.01)


def test_trials_are_counted_in_full() -> None:
    searches = watermark._searches()
    places = sum(len(each.scale) for each in searches)
    assert places * watermark.TILE**2 * 15 * 25 <= watermark.TRIALS
    assert len(searches[0].near(np.array([3])).scale) == 15


def test_an_average_shows_no_tile(draw: Draw) -> None:
    """The mean of what was added to many pictures fades as if each were noise."""
    many = 16
    added = []
    for seed in range(many):
        image = draw(seed, 256)
        copy = watermark.embed(image, watermark.identifier(str(seed)))
        added.append(np.asarray(copy, dtype=float) - np.asarray(image, dtype=float))
    alone = np.mean([np.std(each) for each in added])
    assert np.std(np.mean(added, axis=0)) < 1.3 * alone / math.sqrt(many)


def test_the_code_corrects_and_checks() -> None:
    rng = np.random.default_rng(1)
    for bits in (0, 1, 0xFFFFFFFF, 0x12345678):
        word = correction.codeword(bits)
        assert set(word) <= {-1.0, 1.0}
        wrong = word.copy()
        wrong[rng.choice(len(word), 24, replace=False)] *= -1
        assert correction.decode(np.stack([word, wrong])) == [bits, bits]
    noise = rng.normal(size=(400, correction.CODED)).astype(np.float32)
    assert sum(found is not None for found in correction.decode(noise)) <= 1


def test_the_key_is_the_same_everywhere() -> None:
    """Marks of older versions must stay readable: nothing here may change without a new KEY."""
    import hashlib

    waves = watermark.waves_of_key()
    places = waves.place.astype("<i8").tobytes() + waves.data.astype("<i8").tobytes()
    assert hashlib.sha256(places).hexdigest()[:16] == "1728851940d103b6"
    assert abs(waves.phase[:3] - np.exp(1j * PHASES)).max() < 1e-5
    assert watermark.identifier("rocketman") == IDENTIFIER
    assert "".join("-+"[int(sign > 0)] for sign in correction.codeword(1))[:24] == SIGNS

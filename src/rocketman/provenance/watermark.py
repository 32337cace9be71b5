"""An invisible mark in the pixels: 32 bits that a reader finds without the original picture.

Level 1, numpy and Pillow. `embed` adds a faint periodic pattern, `read` looks for it after what
happens to pictures: compression, resizing, cropping, brightness, screenshots, mirrors, a tilt.

    identifier -> 48 bits with checksum -> 192 bits by a convolutional code -> signs of 192 waves
    + 184 fixed waves that say where the pattern lies = one tile, 64 x 64, shifted to where the
    picture helps it most, repeated over the picture at 40 to 43 dB

A wave is one frequency of the tile, so that pattern and reader live in the Fourier plane: a
picture that was scaled, turned or mirrored carries the same waves at other places of it, and a try
at a scale is a look at 376 places, not a new picture. The waves' phases are the key. It is public
(`KEY`): the mark tells honest people what made a picture, and who wants it gone can remove it.
Shift and signs differ from picture to picture, so that an average over many does not show a tile.

How sure a find is: were the key drawn at random, a picture without mark would correlate with any
one pattern at Z or more in at most exp(-Z^2 / 2) of draws, Hoeffding's bound for a sum of waves of
random phase (see `_z`), whatever the picture. `read` looks at no more than TRIALS places and shifts
times 2^32 identifiers, so its answer is wrong with a probability below TRIALS 2^32 exp(-Z^2 / 2).
It says "found" below MAX_FALSE_ALARM, and if the checksum holds.
Next: `picture.py` marks what it saves, `verify.py` reads.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rocketman.provenance.correction import BITS, CODED, codeword, decode

Floats = NDArray[np.float32]
Waves = NDArray[np.complex64]

KEY = b"rocketman watermark 1"
TILE = 64
"""Pixels of a tile's side, in pictures whose shorter side has up to FULL pixels."""
FULL = 512
"""Larger pictures are marked, and read, as if reduced to this shorter side."""
LONGEST = 8 * FULL
"""Pixels of a reduced picture's longer side that are read."""
MIN_SIDE = 256
"""Smaller pictures are not marked: too few tiles fit in."""
LOWEST, HIGHEST = 4.0, 16.0
"""Waves across a tile. Lower ones drown in the picture and show, higher ones die in JPEG."""
NEIGHBOURS = 8
"""Pixels each way in which a picture's busyness is measured."""
SIZES = (0.6, 1.5)
"""Of a wave, beside the usual size."""
CALM_PSNR, BUSY_PSNR = 43.0, 40.2
"""Decibels between a picture and its marked copy. Where everything is texture, the picture drowns
more of the mark and hides more of it."""
BUSY = 30.0
"""Grey levels of spread that count as fully busy; two thirds of a picture so make it busy."""
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
CHANNELS = LUMA / np.sqrt(np.mean(LUMA**2))
"""Red, green and blue of the mark: so it changes brightness, which is read, by 1.3 dB more than a
grey mark of the same PSNR."""
MOST_LIFT = 1.6
MAX_FALSE_ALARM = 1e-6

SCALE_STEP = 0.006
SCALES = (0.42, 2.3)
"""Sizes at which a tile is looked for, as multiples of the size it was made at."""
TILTS = 3.0
"""Degrees each way, looked through near scale 1."""
PEAKS = 8
"""Places of each search that are decoded."""


class WatermarkError(ValueError):
    """A picture that cannot be marked; the message is one sentence."""


@dataclass(frozen=True)
class Mark:
    """What `read` found."""

    found: bool
    probability: float
    """At most so likely does a picture without mark give an answer this strong, in [0, 1]."""
    identifier: int | None = None
    """32 bits; None if not found."""
    scale: float | None = None
    """Size of the tile as a multiple of the size it was made at."""
    mirrored: bool = False
    tilt: float = 0.0
    """Degrees."""


def identifier(text: str) -> int:
    """32 bits of a recipe: the first of its SHA-256. Two of 9,300 pictures share one by 1 %."""
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:4], "big")


def can_mark(image: Image.Image) -> bool:
    """Whether `embed` takes this picture."""
    return min(image.size) >= MIN_SIDE and image.mode in ("L", "RGB", "RGBA")


def embed(image: Image.Image, bits: int) -> Image.Image:
    """A copy of the picture that carries `bits`, in [0, 2^32); the same each time.

    WatermarkError if a side has less than 256 pixels or the mode is not L, RGB or RGBA.
    """
    if not can_mark(image):
        raise WatermarkError(
            f"A picture is marked from {MIN_SIDE} pixels a side and in L, RGB or RGBA, "
            f"not {image.width} x {image.height} in {image.mode}."
        )
    pattern = Image.fromarray(_pattern(_luma(_reduced(image)), bits))
    mark = np.asarray(pattern.resize(image.size, Image.Resampling.BICUBIC))[..., None]
    pixels = np.asarray(image).copy()
    colours = pixels[..., None] if image.mode == "L" else pixels[..., :3]
    mark = mark * (np.ones(1, np.float32) if image.mode == "L" else CHANNELS)
    # In black and white half of the mark is cut off: what is left may be that much stronger.
    left = np.clip(colours + mark, 0, 255) - colours
    share = float(np.mean(left**2) / np.mean(mark**2))
    mark = mark * min(MOST_LIFT, 1 / math.sqrt(max(share, 1e-6)))
    colours[...] = np.clip(np.rint(colours + mark), 0, 255).astype(np.uint8)
    return Image.fromarray(pixels)


def _pattern(luma: Floats, bits: int) -> Floats:
    """What is added to a picture (H, W): the tile repeated, stronger where the picture is busy."""
    waves = waves_of_key()
    mean, spread = _local(luma, NEIGHBOURS)
    strength = np.clip(1.0 + spread / 12.0, 1.0, 2.5)
    busy = min(1.0, 1.5 * float(np.mean(np.minimum(spread / BUSY, 1.0))))
    wanted = 255.0 / 10 ** ((CALM_PSNR + busy * (BUSY_PSNR - CALM_PSNR)) / 20)
    strength *= wanted / np.sqrt(np.mean(strength**2))

    signs = np.ones(len(waves.phase), np.float32)
    signs[waves.data] = codeword(bits)
    phase = signs * waves.phase
    seen = _window(luma.shape) / (spread + 1.0)  # how the reader weighs each pixel
    host = np.fft.rfft2(_fold((luma - mean) * seen))[tuple(waves.place.T)] * np.conj(phase)
    spectrum = np.zeros((TILE, TILE // 2 + 1), np.complex64)
    _fill(spectrum, host.astype(np.complex64))
    down, across = np.unravel_index(np.fft.irfft2(spectrum).argmax(), (TILE, TILE))
    ramp = _ramp(np.array([down, across]))  # the shift at which the picture helps most
    one = float((strength * seen).sum()) / math.sqrt(2 * len(phase))  # what a wave of size 1 adds
    size = _sizes(np.real(host * ramp) / one)

    _fill(spectrum, (size * phase * np.conj(ramp)).astype(np.complex64))
    tile = np.fft.irfft2(spectrum)
    tile = (tile / tile.std()).astype(np.float32)
    high, wide = luma.shape
    repeated = np.tile(tile, (-(-high // TILE), -(-wide // TILE)))[:high, :wide]
    return np.asarray(repeated * strength, dtype=np.float32)


def _sizes(host: NDArray[Any]) -> NDArray[Any]:
    """How large to make each wave, so that all stick out of the picture alike; mean square 1.

    host: what the picture itself adds to each wave, as a multiple of the usual size. Waves that it
    weakens are made larger, those that it happens to hold already smaller.
    """
    low, high = -4.0, 4.0
    for _ in range(20):
        level = (low + high) / 2
        size = np.clip(level - host, *SIZES)
        low, high = (level, high) if np.mean(size**2) < 1 else (low, level)
    return size


def read(image: Image.Image) -> Mark:
    """Look for a mark. At 512 px 0.1 s when there is one that lies upright, 0.3 s when not."""
    if min(image.size) < TILE:
        return Mark(False, 1.0)
    spectrum = _spectrum(_luma(_reduced(image))[:LONGEST, :LONGEST])  # the mark is everywhere
    best = Mark(False, 1.0)
    for places in _searches():
        for mark in _look(spectrum, places):
            if mark.found:
                return mark
            if mark.probability < best.probability:
                best = mark
    return best


# --- the waves --------------------------------------------------------------------------------


@dataclass(frozen=True)
class KeyWaves:
    """The waves of a tile, one of each pair of opposite frequencies."""

    place: NDArray[np.int64]
    """(K, 2): whole waves down and across a tile."""
    phase: Waves
    """(K,), of size 1, from the key."""
    data: NDArray[np.int64]
    """(192,): which of them carry bits, in the order of the code."""
    sync: NDArray[np.int64]
    """The others, of fixed sign."""


@cache
def waves_of_key() -> KeyWaves:
    """From KEY alone, the same on every machine."""
    span = int(HIGHEST)
    place = np.array(
        [
            (down, across)
            for across in range(span + 1)
            for down in range(-span, span + 1)
            if (across > 0 or down > 0) and LOWEST <= math.hypot(down, across) <= HIGHEST
        ]
    )
    count = len(place)
    stream = np.frombuffer(hashlib.shake_256(KEY).digest(8 * count), "<u4")
    phase = np.exp(2j * np.pi * stream[:count] / 2**32).astype(np.complex64)
    order = np.argsort(stream[count:], kind="stable")
    return KeyWaves(place, phase, order[:CODED], order[CODED:])


def _fill(spectrum: Waves, values: Waves) -> None:
    """Put the waves (..., K) at their places in half spectra (..., 64, 33)."""
    down, across = waves_of_key().place.T
    spectrum[..., down, across] = values
    edge = across == 0  # there the opposite frequency lies in the same half
    spectrum[..., -down[edge], across[edge]] = np.conj(values[..., edge])


# --- the reader -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Places:
    """Ways in which a picture may lie: M scales, tilts in degrees, and mirrored or not."""

    scale: NDArray[np.float64]
    tilt: NDArray[np.float64]
    mirrored: bool

    def frequencies(self, place: NDArray[np.int64]) -> NDArray[np.float64]:
        """(M, K, 2) down and across, in waves a pixel, of the tile's waves (K, 2)."""
        down, across = place.T / TILE
        across = -across if self.mirrored else across
        angle = np.radians(self.tilt)[:, None]
        turned = (
            down * np.cos(angle) - across * np.sin(angle),
            down * np.sin(angle) + across * np.cos(angle),
        )
        return np.stack(turned, axis=-1) / self.scale[:, None, None]

    def near(self, chosen: NDArray[np.int64]) -> Places:
        """Each of the chosen ones with its neighbours between the grid's points, 15 for one."""
        scale, tilt = np.meshgrid(
            np.array([-0.4, -0.2, 0.0, 0.2, 0.4]) * SCALE_STEP,
            np.array([-0.4, 0.0, 0.4]) * np.degrees(SCALE_STEP),
        )
        return Places(
            (self.scale[chosen, None] * np.exp(scale.ravel())).ravel(),
            (self.tilt[chosen, None] + tilt.ravel()).ravel(),
            self.mirrored,
        )


TRIALS = 2.0**31
"""More than all places (1,180) with their neighbours (15), shifts (64^2), parts of shifts (25)."""


@cache
def _searches() -> tuple[Places, ...]:
    """Upright at every scale, mirrored, and both tilted near scale 1."""
    low, high = SCALES
    scales = np.exp(np.arange(math.log(low), math.log(high), SCALE_STEP))
    scales *= 1.0 / scales[np.abs(scales - 1).argmin()]  # one of them is 1 exactly
    near = np.exp(np.arange(-8, 9) * SCALE_STEP)
    step = math.degrees(SCALE_STEP)
    most = round(TILTS / step)
    angles = np.array([n * step for n in range(-most, most + 1) if n])
    scale, tilt = (axis.ravel() for axis in np.meshgrid(near, angles))
    return (
        Places(scales, np.zeros_like(scales), False),
        Places(scales, np.zeros_like(scales), True),
        Places(scale, tilt, False),
        Places(scale, tilt, True),
    )


def _look(spectrum: Waves, places: Places) -> list[Mark]:
    """The marks that decode at the most promising of some places, the surest first."""
    waves = waves_of_key()
    fixed = waves.place[waves.sync], waves.phase[waves.sync]
    found = _sample(spectrum, places.frequencies(fixed[0])) * np.conj(fixed[1])
    tiles = np.zeros((len(found), TILE, TILE // 2 + 1), np.complex64)
    every = np.zeros((len(found), len(waves.place)), np.complex64)
    every[:, waves.sync] = found
    _fill(tiles, every)
    match = np.fft.irfft2(tiles).reshape(len(found), -1)  # [place, shift]
    shift = match.argmax(axis=1)
    level = np.sqrt(np.mean(np.abs(found) ** 2, axis=1))
    z = match[np.arange(len(found)), shift] / np.maximum(level, 1e-9)
    top = z.argsort()[-PEAKS:][::-1]

    near = places.near(top)
    found = _sample(spectrum, near.frequencies(waves.place)) * np.conj(waves.phase)
    found = found.reshape(len(top), -1, len(waves.place))
    part = np.stack(np.meshgrid(*[np.arange(-2, 3) / 4] * 2), axis=-1).reshape(-1, 2)
    whole = np.stack(np.divmod(shift[top], TILE), axis=-1)
    ramp = _ramp(whole[:, None] + part)  # [peak, part of a shift, wave]
    sync = np.real(found[:, :, waves.sync] @ ramp[:, :, waves.sync].transpose(0, 2, 1))
    best = sync.reshape(len(top), -1).argmax(axis=1)
    row, column = np.divmod(best, sync.shape[2])
    peaks = np.arange(len(top))
    aligned = found[peaks, row] * ramp[peaks, column]  # [peak, wave], real where a mark is
    marks = []
    for peak, bits in enumerate(decode(np.real(aligned[:, waves.data]))):
        if bits is not None:
            place = peak * len(found[0]) + row[peak]
            chance = _chance(_z(aligned[peak], bits))
            good = chance < MAX_FALSE_ALARM
            marks.append(
                Mark(
                    good,
                    chance,
                    bits if good else None,
                    float(near.scale[place]),
                    places.mirrored,
                    float(near.tilt[place]),
                )
            )
    return sorted(marks, key=lambda mark: mark.probability)


def _z(aligned: Waves, bits: int) -> float:
    """How well the waves fit those of an identifier, in standard deviations of chance.

    With phases drawn at random, the sum of |c| cos(phase) over waves c has E exp(x |c| cos) =
    I0(x |c|) <= exp(x^2 |c|^2 / 4), so that it exceeds z sqrt(sum |c|^2 / 2) with a probability
    of at most exp(-z^2 / 2).
    """
    signs = np.ones(len(aligned), np.float32)
    signs[waves_of_key().data] = codeword(bits)
    spread = math.sqrt(float(np.sum(np.abs(aligned) ** 2)) / 2)
    return float(np.real(aligned) @ signs) / spread if spread > 0 else 0.0


def _chance(z: float) -> float:
    """How likely a picture without mark gives some identifier at z or more, at most."""
    if z <= 0:
        return 1.0
    return min(1.0, math.exp(min(0.0, math.log(TRIALS) + BITS * math.log(2) - z * z / 2)))


def _ramp(shift: NDArray[Any]) -> Waves:
    """(..., K) turns that undo a shift (..., 2) of the tile."""
    turns = shift @ waves_of_key().place.T / TILE
    ramp: Waves = np.exp(2j * np.pi * turns).astype(np.complex64)
    return ramp


def _spectrum(luma: Floats) -> Waves:
    """The whitened Fourier plane of a picture, origin in its middle, twice as fine as its size.

    Whitened twice: in the picture, so that a busy corner does not drown the sky, and in the plane,
    so that each wave is measured against the ones around it. Half plane (N, M // 2 + 1).
    """
    mean, spread = _local(luma, NEIGHBOURS)
    flat = (luma - mean) / (spread + 1.0) * _window(luma.shape)
    high, wide = flat.shape
    canvas = np.zeros((-(-high // 64) * 128, -(-wide // 64) * 128), np.float32)
    canvas[:high, :wide] = flat
    canvas = np.roll(canvas, (-(high // 2), -(wide // 2)), (0, 1))
    spectrum = np.fft.rfft2(canvas).astype(np.complex64)
    power = np.abs(spectrum) ** 2
    level = _box(np.pad(power, 7, mode="wrap"), 7)
    level += 1e-6 * float(power.mean()) + 1e-12
    return (spectrum / np.sqrt(level)).astype(np.complex64)


def _sample(spectrum: Waves, frequency: NDArray[np.float64]) -> Waves:
    """The plane at any frequencies (..., 2), in waves a pixel; bilinear, sizes held below 2."""
    high, width = spectrum.shape
    sides = np.array([high, 2 * width - 2])
    flip = frequency[..., 1] < 0  # the other half holds the same, conjugated
    at = np.where(flip[..., None], -frequency, frequency) * sides
    at[(np.abs(frequency) >= 0.5 - 1 / sides).any(axis=-1)] = 0.0  # too fine for this picture
    start = np.floor(at).astype(np.int64)
    down, across = np.moveaxis((at - start).astype(np.float32), -1, 0)
    row, column = np.moveaxis(start, -1, 0)
    first, second = row % high * width + column, (row + 1) % high * width + column
    plane = spectrum.ravel()
    value = (1 - down) * ((1 - across) * plane[first] + across * plane[first + 1])
    value += down * ((1 - across) * plane[second] + across * plane[second + 1])
    value = np.where(flip, np.conj(value), value)
    held: Waves = (value / np.maximum(1.0, np.abs(value) / 2)).astype(np.complex64)
    return held


def _local(luma: Floats, radius: int) -> tuple[Floats, Floats]:
    """Mean and standard deviation around each pixel, in squares of 2 radius + 1."""
    padded = np.pad(luma, radius, mode="reflect").astype(np.float64)
    mean = _box(padded, radius)
    spread = np.sqrt(np.maximum(_box(padded**2, radius) - mean**2, 0))
    return mean.astype(np.float32), spread.astype(np.float32)


def _box(padded: NDArray[Any], radius: int) -> NDArray[np.float64]:
    """Means over squares of 2 radius + 1; the result is 2 radius smaller a side."""
    side = 2 * radius + 1
    sums = np.pad(padded, ((1, 0), (1, 0))).astype(np.float64).cumsum(0).cumsum(1)
    whole = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    means: NDArray[np.float64] = whole / side**2
    return means


def _fold(values: Floats) -> Floats:
    """The sum of all tiles of a picture (H, W) -> (64, 64)."""
    high, wide = values.shape
    padded = np.pad(values, ((0, -high % TILE), (0, -wide % TILE)))
    tiles = padded.reshape(-(-high // TILE), TILE, -(-wide // TILE), TILE)
    return np.asarray(tiles.sum(axis=(0, 2)), dtype=np.float32)


def _window(shape: tuple[int, ...]) -> Floats:
    return np.asarray(np.outer(_taper(shape[0]), _taper(shape[1])), dtype=np.float32)


def _taper(length: int) -> Floats:
    """1 inside, falling to 0 over the outer twelfth of each side: edges ring in the plane."""
    edge = max(2, length // 12)
    rise = 0.5 - 0.5 * np.cos(np.pi * (np.arange(edge) + 0.5) / edge)
    return np.concatenate([rise, np.ones(length - 2 * edge), rise[::-1]]).astype(np.float32)


def _reduced(image: Image.Image) -> Image.Image:
    """The picture with a shorter side of FULL pixels at most."""
    short = min(image.size)
    if short <= FULL:
        return image
    size = tuple(max(1, round(side * FULL / short)) for side in image.size)
    return image.resize((size[0], size[1]), Image.Resampling.BOX, reducing_gap=2.0)


def _luma(image: Image.Image) -> Floats:
    """Brightness (H, W) in [0, 255]."""
    return np.asarray(image.convert("L"), dtype=np.float32)

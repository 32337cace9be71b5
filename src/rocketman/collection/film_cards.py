"""What hangs in the film's room: a print in mat and frame, a museum label, title card and credits.

Level 5. Drawn once each, larger than they are shown, so that `film_frames.py` can move them by
fractions of a pixel. Positions and sizes are those of a screen of 1920 x 1080; `scale` multiplies
them. Pictures are small, so nothing is blown up: a picture is 512 wide at most, and the room around
it does the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from rocketman.collection.film_type import Face, Type

Plane = NDArray[np.float32]

SCREEN = (1920, 1080)
WINDOW, MAT, FRAME, AROUND = 512, 124, 20, 124
"""The picture's side, its mat's width, its frame's, and the room that its shadow needs."""
PRINT = WINDOW + 2 * (MAT + FRAME + AROUND)
PRINT_CENTRE = (690, 540)
LABEL = (1236, 170, 560, 760)
"""Left, top, width and height."""
PRINT_DETAIL, TYPE_DETAIL = 1.25, 2.0
"""How much larger than shown prints and type are drawn."""

EDGE = 12
"""Empty pixels kept around type, since only whole even pixels of the screen are drawn."""
INK = (236, 232, 223)
MAT_COLOUR, WOOD = (232, 227, 215), (38, 31, 26)
SOFT = 150
"""Of 255: how strongly small type is inked."""


@dataclass(frozen=True)
class Print:
    """A framed picture with its shadow: premultiplied RGB in [0, 255], opacity in [0, 1]."""

    rgb: Plane
    opacity: Plane
    glow: Plane
    """The picture's own light: 6 x 6 x RGB in [0, 255]."""


@dataclass(frozen=True)
class Sheet:
    """Type on nothing: opacity in [0, 1], and where its left top corner is on the screen."""

    opacity: Plane
    left: float
    top: float


@dataclass(frozen=True)
class Line:
    """A line of type on a sheet."""

    text: str
    face: Face
    size: int
    ink: int = 255
    before: int = 0
    """Pixels of space above it."""
    spacing: float = 0


Block = tuple[tuple[int, int, int], list[Line]]
"""Left, top and width of some lines; with a top of 0 they stand in the middle of the height."""


def hang(image: Image.Image, scale: float) -> Print:
    """Put a square RGB picture of any size into mat and frame, under a lamp."""
    unit = scale * PRINT_DETAIL
    side, edge, outer = (round(each * unit) for each in (WINDOW, MAT, FRAME))
    around = round(PRINT * unit) // 2 - side // 2 - edge - outer
    size = side + 2 * (edge + outer + around)
    noise = np.random.default_rng(7).normal(0, 1, (size, size, 1)).astype(np.float32)

    canvas = Image.new("RGB", (size, size))
    pen = ImageDraw.Draw(canvas)
    _frame(pen, around, size - around - 1, outer, unit)
    a, b = around + outer, size - around - outer - 1
    pen.rectangle((a, a, b, b), MAT_COLOUR)
    _window(pen, a + edge, b - edge, unit)
    light = _lamp(size)
    warm = np.array((1.04, 1.0, 0.93), np.float32)  # a lamp's light is warm
    rgb = np.asarray(canvas, np.float32) * warm * (light + 0.012 * noise)
    x = a + edge
    rgb[x : x + side, x : x + side] = _paper(image, side, noise[:side, :side], unit)
    a, b = around + outer, size - around - outer
    depth = max(1, round(9 * unit))  # the frame throws a shadow on the mat
    for k in range(depth):
        dark = 1 - 0.42 * (1 - k / depth) ** 2
        rgb[a + k, a:b] *= dark
        rgb[a + k : b, a + k] *= 1 - 0.2 * (1 - k / depth) ** 2
    opaque = np.zeros((size, size), np.float32)
    opaque[around : size - around, around : size - around] = 1
    small = Image.fromarray(opaque).resize((size // 4, size // 4), Image.Resampling.BOX)
    blurred = Image.fromarray((np.asarray(small) * 255).astype(np.uint8)).filter(
        ImageFilter.GaussianBlur(30 * unit / 4)
    )
    soft = blurred.resize((size, size), Image.Resampling.BICUBIC)
    shadow = np.roll(np.asarray(soft, np.float32) / 255, round(22 * unit), axis=0) * 0.8
    shadow[: round(22 * unit)] = 0
    glow = np.asarray(image.resize((6, 6), Image.Resampling.BOX), np.float32)
    return Print(rgb * opaque[..., None], np.maximum(opaque, shadow), glow)


def _frame(pen: ImageDraw.ImageDraw, a: int, b: int, width: int, unit: float) -> None:
    """Dark wood: lit from above, with a thin line of light along its inner edge."""
    for k in range(width):
        rise = np.sin(np.pi * (k + 0.5) / width)
        top, side, below = (
            tuple(round(c * (0.45 + more * float(rise))) for c in WOOD)
            for more in (1.25, 0.75, 0.35)
        )
        pen.rectangle((a + k, a + k, b - k, b - k), None, side)
        pen.line((a + k, a + k, b - k, a + k), top)
        pen.line((a + k, b - k, b - k, b - k), below)
    k = width - max(1, round(2 * unit))
    pen.rectangle((a + k, a + k, b - k, b - k), None, (92, 76, 58), max(1, round(1.2 * unit)))


def _window(pen: ImageDraw.ImageDraw, a: int, b: int, unit: float) -> None:
    """The mat's cut, slanting down to the picture: light from above falls on its lower side."""
    for k in range(1, max(2, round(5 * unit))):
        box = (a - k, a - k, b + k, b + k)
        pen.rectangle(box, None, (206, 199, 184))
        pen.line((a - k, a - k, b + k, a - k), (150, 143, 130))
        pen.line((a - k, b + k, b + k, b + k), (250, 247, 240))


def _lamp(size: int) -> Plane:
    """Light of a lamp above the frame, (size, size, 1): brightest at the top, in the middle."""
    y, x = np.mgrid[0 : 1 : size * 1j, -0.5 : 0.5 : size * 1j].astype(np.float32)
    light = 0.93 - 0.36 * y - 0.5 * x * x
    return np.asarray(light, np.float32)[..., None]


def _paper(image: Image.Image, side: int, noise: Plane, unit: float) -> Plane:
    """The picture printed on paper with a tooth, a little darker under the mat's edge."""
    enlarged = image.resize((side, side), Image.Resampling.BICUBIC)
    factor = side / image.width
    if factor > 4:  # the small grid of a small picture is no detail
        enlarged = enlarged.filter(ImageFilter.GaussianBlur(0.28 * factor))
    tooth = Image.fromarray((noise[..., 0] * 40 + 128).clip(0, 255).astype(np.uint8))
    tooth = tooth.filter(ImageFilter.GaussianBlur(0.9 * unit))
    grain = (np.asarray(tooth, np.float32) - 128) / 128
    grain /= max(float(grain.std()), 1e-6)
    paper = np.asarray(enlarged, np.float32) * 0.93 + 4
    paper *= (1 + 0.02 * grain)[..., None]
    depth = max(1, round(12 * unit))
    fall = (1 - np.arange(depth, dtype=np.float32) / depth) ** 2
    paper[:depth] *= (1 - 0.45 * fall)[:, None, None]
    paper[:, :depth] *= (1 - 0.22 * fall)[None, :, None]
    return np.asarray(paper, np.float32)


def label(type_: Type, scale: float, lines: Sequence[Line]) -> Sheet:
    """A museum label beside the print, centred on it from top to bottom."""
    left, top, width, height = LABEL
    wrapped = wrap(type_, lines, width)
    used = sum(height_of(line) for line in wrapped)
    return _sheet(type_, scale, wrapped, (left, top, width, height), (height - used) / 2)


def card(type_: Type, scale: float, blocks: Sequence[Block]) -> Sheet:
    """A whole screen of type."""
    placed = []
    for (left, top, width), lines in blocks:
        wrapped = wrap(type_, lines, width)
        y = float(top) or max(90.0, (SCREEN[1] - sum(height_of(line) for line in wrapped)) / 2 - 30)
        for line in wrapped:
            y += height_of(line)
            placed.append((line, float(left), y - 0.28 * line.size))
    return _drawn(type_, scale, placed, (0, 0, *SCREEN))


def wrap(type_: Type, lines: Sequence[Line], width: int) -> list[Line]:
    """Lines broken to a width; the space above a line stays above its first part."""
    found = []
    for line in lines:
        parts = type_.wrap(line.text, line.face, line.size, width)
        for k, part in enumerate(parts):
            before = 0 if k else line.before
            found.append(Line(part, line.face, line.size, line.ink, before, line.spacing))
    return found


def height_of(line: Line) -> float:
    """Pixels that a line takes with the space above it."""
    return line.before + line.size * (1.14 if line.size > 60 else 1.36)


def _sheet(
    type_: Type, scale: float, lines: Sequence[Line], box: tuple[int, int, int, int], y: float
) -> Sheet:
    placed = []
    for line in lines:
        y += height_of(line)
        placed.append((line, 0.0, y - 0.28 * line.size))
    return _drawn(type_, scale, placed, box)


def _drawn(
    type_: Type,
    scale: float,
    lines: Sequence[tuple[Line, float, float]],
    box: tuple[int, int, int, int],
) -> Sheet:
    left, top, width, height = box
    unit = scale * TYPE_DETAIL
    mask = Image.new("L", (round((width + 80) * unit), round(height * unit)))
    for line, x, y in lines:
        size = max(1, round(line.size * unit))
        type_.draw(
            mask, (x * unit, y * unit), line.text, line.face, size, line.ink, line.spacing * unit
        )
    x0, y0, x1, y1 = mask.getbbox() or (0, 0, 2, 2)
    x0, y0 = max(0, x0 - EDGE), max(0, y0 - EDGE)
    opacity = np.asarray(mask.crop((x0, y0, x1 + EDGE, y1 + EDGE)), np.float32)
    return Sheet(opacity / np.float32(255), left + x0 / unit, top + y0 / unit)

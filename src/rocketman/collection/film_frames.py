"""The frames of the film: a dark room in space, one print at a time, a camera that never hurries.

Level 5. Reads the cut list (`film_cuts.py`) and what hangs (`film_cards.py`); gives frame k as the
three planes of BT.709 YUV 4:2:0, any frame at any time, the same each time. Everything is computed
in floating point and rounded once, under film grain, so that dark gradients show no bands:

    space + the picture's own light + stars -> the print, moved by fractions of a pixel -> type
                                             -> fade -> grain -> 8 bits

A camera of its own is worth more than a zoom of the picture: print and label move as one, the light
rests, the stars drift. Between two pictures the camera stands still for a moment and the print
dissolves in its frame. Next: `film_encode.py` writes the planes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from rocketman.collection.film_cards import (
    INK,
    PRINT,
    PRINT_CENTRE,
    PRINT_DETAIL,
    SCREEN,
    TYPE_DETAIL,
    Plane,
    Print,
    Sheet,
)
from rocketman.collection.film_cuts import FPS, Cut, length
from rocketman.collection.film_stars import PLANET, Stars

DISSOLVE = 30
"""Frames of a dissolve between two pictures."""
FADE = 24
"""Frames in which a card or the frame on the wall comes or goes."""
ZOOM = 0.07
SWAY = (11.0, 6.0)
"""How far the camera moves in from one picture to the next, and its slow sway in pixels."""
GRAIN = 1.35
"""Standard deviation in code values of 8 bits."""
SPACE = (7, 8, 13)

CUBIC, LINEAR = Image.Resampling.BICUBIC, Image.Resampling.BILINEAR
"""For what the eye follows; for shadows and colour."""

Frame = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]
"""Y (H, W), U and V (H / 2, W / 2)."""


class Planes(NamedTuple):
    """Y, U, V without their offsets of 16, 128, 128; chroma at half size."""

    y: Plane
    u: Plane
    v: Plane

    def blend(self, other: Planes, share: float) -> Planes:
        """`share` of the other, the rest of this."""
        if share <= 0:
            return self
        return Planes(*(a + np.float32(share) * (b - a) for a, b in zip(self, other, strict=True)))


class _Wall(NamedTuple):
    """A print as the compositor needs it."""

    planes: Planes
    opacity: Plane
    opacity_half: Plane
    glow: Planes


class _Camera(NamedTuple):
    zoom: float
    x: float
    y: float


class Room:
    """Draws the frames of one film. Threads may ask for frames side by side."""

    def __init__(
        self,
        cuts: Sequence[Cut],
        height: int,
        seed: int,
        hang: Callable[[int], Print],
        label: Callable[[int], Sheet],
        title: Sheet,
        closing: Sheet,
    ) -> None:
        """height: 1080, or another even number; the width is 16 / 9 of it.

        hang, label: a picture's print and label by its place; asked for when their cut comes.
        """
        self.cuts = cuts
        self.scale = height / SCREEN[1]
        self.size = (round(SCREEN[0] * self.scale / 2) * 2, height)
        self.title, self.closing = title, closing
        self._seed = seed
        self._wall = lru_cache(maxsize=4)(lambda k: self._hung(hang(k)))
        self._label = lru_cache(maxsize=4)(label)
        self._space, self._planet = self._sky()
        self._stars = Stars(seed, self.size, self.scale)
        self._grain = _grain(seed, self.size, self.scale)
        self._ink = [float(plane[0, 0]) for plane in planes(np.full((2, 2, 3), INK, np.float32))]

    def frame(self, k: int) -> Frame:
        """Frame k of the film, from 0."""
        at = self._at(k)
        cut, camera = self.cuts[at], self._camera(k, at)
        canvas = Planes(*(plane.copy() for plane in self._space))
        cards = _rise(k, self.cuts[0].start - FADE, self.cuts[0].end)
        closing = _rise(k, self.cuts[-1].start, self.cuts[-1].end + FADE)
        self._add(canvas, self._planet, cards + 0.3 * closing)  # much type stands before it
        cards += closing
        hung = _rise(k, self.cuts[1].start, self.cuts[-2].end)
        print_, labels = self._pictures(k, cut) if hung > 0 else (None, [])
        if print_:
            self._add(canvas, print_.glow, hung)
        self._stars.shine(canvas.y, k, (camera.x, camera.y), cards)
        if print_:
            self._place_print(canvas, print_, camera, hung)
        for sheet, weight in labels:
            self._place_sheet(canvas, sheet, camera, weight)
        for sheet, own in ((self.title, self.cuts[0]), (self.closing, self.cuts[-1])):
            weight = _rise(k, own.start + 6, own.end - (FADE // 2 if own is self.cuts[-1] else 0))
            self._place_sheet(canvas, sheet, camera, weight)
        return self._finished(canvas, k)

    def still(self, picture: int, title: Sheet) -> Image.Image:
        """The print of a picture with other type beside it, as an RGB image."""
        print_ = self._wall(picture)
        canvas = Planes(*(plane.copy() for plane in self._space))
        self._add(canvas, print_.glow, 1)
        camera = _Camera(1, 0, 0)
        self._stars.shine(canvas.y, 0, (0, 0), 0)
        self._place_print(canvas, print_, camera, 1)
        self._place_sheet(canvas, title, camera, 1)
        return rgb(self._finished(canvas, FPS * 2, fade=False))

    # --- time ---

    def _at(self, k: int) -> int:
        return next((n for n, cut in enumerate(self.cuts) if k < cut.end), len(self.cuts) - 1)

    def _camera(self, k: int, at: int) -> _Camera:
        """In during one cut, out during the next; it stands still where they meet."""
        cut = self.cuts[at]
        phase = at + (k - cut.start) / cut.frames
        seconds = k / FPS
        return _Camera(
            1 + ZOOM * (1 - math.cos(math.pi * phase)) / 2,
            SWAY[0] * self.scale * math.sin(math.tau * seconds / 41),
            SWAY[1] * self.scale * math.sin(math.tau * seconds / 29),
        )

    def _pictures(self, k: int, cut: Cut) -> tuple[_Wall, list[tuple[Sheet, float]]]:
        """What hangs at frame k, half dissolved into its neighbour if need be; and the labels."""
        last = self.cuts[-2].picture
        here = min(max(cut.picture, 0), last) if cut.kind != "credits" else last
        wall, sheets = self._wall(here), []
        to_end, from_start = cut.end - k, k - cut.start
        half = DISSOLVE // 2
        if cut.kind == "picture":
            if to_end <= half and here < last:
                wall = self._mixed(here, here + 1, (half - to_end) / DISSOLVE)
            elif from_start < half and here > 0:
                wall = self._mixed(here - 1, here, 0.5 + from_start / DISSOLVE)
            sheets.append((self._label(here), _rise(k, cut.start + 8, cut.end - 2)))
        return wall, sheets

    def _mixed(self, before: int, after: int, share: float) -> _Wall:
        a, b = self._wall(before), self._wall(after)
        share = _smooth(share)
        return a._replace(planes=a.planes.blend(b.planes, share), glow=a.glow.blend(b.glow, share))

    # --- layers ---

    def _add(self, canvas: Planes, light: Planes, weight: float) -> None:
        if weight > 0:
            for plane, more in zip(canvas, light, strict=True):
                plane += more if weight == 1 else np.float32(weight) * more

    def _place_print(self, canvas: Planes, wall: _Wall, camera: _Camera, weight: float) -> None:
        left, top = (middle - PRINT / 2 for middle in PRINT_CENTRE)
        place = self._place(left, top, wall.opacity.shape, PRINT_DETAIL, camera)
        if place is None:
            return
        share = np.float32(weight)
        for plane, part, opacity, half in (
            (canvas.y, wall.planes.y, wall.opacity, 1),
            (canvas.u, wall.planes.u, wall.opacity_half, 2),
            (canvas.v, wall.planes.v, wall.opacity_half, 2),
        ):
            x0, y0, x1, y1 = (each // half for each in place[0])
            box = tuple(each / half for each in place[1])
            if half == 1 or plane is canvas.u:
                covered = 1 - share * _resized(opacity, (x1 - x0, y1 - y0), box, LINEAR)
            area = plane[y0:y1, x0:x1]
            area *= covered
            moved = _resized(part, (x1 - x0, y1 - y0), box, CUBIC if half == 1 else LINEAR)
            area += moved if weight == 1 else share * moved

    def _place_sheet(self, canvas: Planes, sheet: Sheet, camera: _Camera, weight: float) -> None:
        if weight <= 0:
            return
        place = self._place(sheet.left, sheet.top, sheet.opacity.shape, TYPE_DETAIL, camera)
        if place is None:
            return
        (x0, y0, x1, y1), box = place
        opacity = np.float32(weight) * _resized(sheet.opacity, (x1 - x0, y1 - y0), box)
        half = _halved(opacity)
        for plane, ink, cover, step in zip(
            canvas, self._ink, (opacity, half, half), (1, 2, 2), strict=True
        ):
            area = plane[y0 // step : y1 // step, x0 // step : x1 // step]
            area += cover * (np.float32(ink) - area)

    def _place(
        self, left: float, top: float, shape: tuple[int, ...], detail: float, camera: _Camera
    ) -> tuple[tuple[int, int, int, int], tuple[float, float, float, float]] | None:
        """Even pixels of the screen that something covers, and the part of it that lies there."""
        high, wide = shape
        per = camera.zoom / detail  # screen pixels a pixel of it
        ends = []
        for start, count, middle, shift, limit in (
            (left, wide, SCREEN[0] / 2, camera.x, self.size[0]),
            (top, high, SCREEN[1] / 2, camera.y, self.size[1]),
        ):
            first = (middle + (start - middle) * camera.zoom) * self.scale + shift
            a = max(0, math.ceil(first / 2) * 2)
            b = min(limit, math.floor((first + count * per) / 2) * 2)
            if b <= a:
                return None
            ends.append((a, b, (a - first) / per, (b - first) / per))
        (x0, x1, u0, u1), (y0, y1, v0, v1) = ends
        return (x0, y0, x1, y1), (u0, v0, min(u1, wide), min(v1, high))

    def _finished(self, canvas: Planes, k: int, fade: bool = True) -> Frame:
        """Fade from and to black, grain, and 8 bits."""
        end = length(self.cuts)
        light = min(1.0, (k + 1) / FADE, (end - 1 - k) / (1.5 * FADE)) if fade else 1.0
        made = []
        offsets = np.random.default_rng((self._seed, k)).integers(0, 64, (3, 2))
        for plane, base, (dx, dy), more in zip(
            canvas, (16, 128, 128), offsets, (GRAIN, 0.4, 0.4), strict=True
        ):
            if light < 1:
                plane *= np.float32(_smooth(light))
            high, wide = plane.shape
            plane += self._grain[dy : dy + high, dx : dx + wide] * np.float32(more)
            plane += base + 0.5
            np.clip(plane, 1, 254, out=plane)
            made.append(plane.astype(np.uint8))
        return made[0], made[1], made[2]

    # --- what is made once ---

    def _hung(self, print_: Print) -> _Wall:
        opacity = print_.opacity
        size = opacity.shape[0] // 2 * 2
        wall = planes(print_.rgb[:size, :size])
        return _Wall(
            wall, opacity[:size, :size], _halved(opacity[:size, :size]), self._glow(print_)
        )

    def _glow(self, print_: Print) -> Planes:
        """The picture's colours as light behind it, over the whole screen."""
        wide, high = 192, 108
        canvas = np.zeros((high, wide, 3), np.float32)
        side = 92
        light = Image.fromarray(print_.glow.astype(np.uint8)).resize((side, side))
        x, y = (round(c / 10) - side // 2 for c in PRINT_CENTRE)
        canvas[y : y + side, x : x + side] = np.asarray(light, np.float32)
        spread = []
        for channel in range(3):
            plane = Image.fromarray(canvas[..., channel].astype(np.uint8))
            near, far = (plane.filter(ImageFilter.GaussianBlur(r)) for r in (12, 34))
            mixed = 0.16 * np.asarray(near, np.float32) + 0.5 * np.asarray(far, np.float32)
            spread.append(_resized(mixed, self.size, (0, 0, wide, high)))
        return planes(np.stack(spread, axis=-1))

    def _sky(self) -> tuple[Planes, Planes]:
        """Empty space, and the edge of a planet far below, as light to add to it."""
        wide, high = self.size
        y, x = np.mgrid[0:high, 0:wide].astype(np.float32) / np.float32(self.scale)
        away = np.hypot((x - 960) / 1250, (y - 520) / 800)
        space = np.asarray(SPACE, np.float32) * (1.12 - 0.5 * away**2).clip(0.45, 1.1)[..., None]
        px, py, radius = PLANET
        rise = np.hypot(x - px, y - py) / radius - 1
        air = np.exp(-np.abs(rise) / np.where(rise < 0, 0.0075, 0.0035)) * 0.85
        haze = np.exp(-np.maximum(rise, 0) / 0.03) * np.exp(np.minimum(rise, 0) / 0.05) * 0.22
        day = ((x - 420) / 1150).clip(0, 1) ** 1.6
        body = np.exp(np.minimum(rise, 0) / 0.12) * (rise < 0)
        light = air[..., None] * np.array((168, 205, 255), np.float32)
        light += haze[..., None] * np.array((70, 118, 205), np.float32)
        light += body[..., None] * np.array((4, 9, 20), np.float32)
        return planes(space), planes((light * day[..., None]).astype(np.float32))


def planes(colours: Plane) -> Planes:
    """(H, W, 3) RGB in [0, 255], even sides -> BT.709, limited range (ITU-R BT.709, 3.2 to 3.4)."""
    r, g, b = (colours[..., k] for k in range(3))
    luma = 0.2126 * r + 0.7152 * g + 0.0722 * b
    u, v = (b - luma) / 1.8556, (r - luma) / 1.5748
    f = np.float32
    return Planes(luma * f(219 / 255), _halved(u) * f(224 / 255), _halved(v) * f(224 / 255))


def rgb(frame: Frame) -> Image.Image:
    """The planes of a frame as an RGB image."""
    y, u, v = (np.asarray(plane, np.float32) for plane in frame)
    luma = (y - 16) * (255 / 219)
    u, v = ((plane.repeat(2, 0).repeat(2, 1) - 128) * (255 / 224) for plane in (u, v))
    r, b = luma + 1.5748 * v, luma + 1.8556 * u
    g = (luma - 0.2126 * r - 0.0722 * b) / 0.7152
    return Image.fromarray(np.rint(np.stack((r, g, b), -1)).clip(0, 255).astype(np.uint8))


def _halved(plane: Plane) -> Plane:
    halved = plane[::2, ::2] + plane[::2, 1::2]
    halved += plane[1::2, ::2]
    halved += plane[1::2, 1::2]
    halved *= np.float32(0.25)
    return halved


def _resized(
    plane: Plane,
    size: tuple[int, int],
    box: tuple[float, ...],
    kind: Image.Resampling = Image.Resampling.BICUBIC,
) -> Plane:
    """A part of a plane, its edges anywhere between pixels, at another size."""
    left, top, right, bottom = box
    image = Image.fromarray(plane).resize(size, kind, (left, top, right, bottom))
    return np.asarray(image)


def _grain(seed: int, size: tuple[int, int], scale: float) -> Plane:
    """Film grain with a standard deviation of 1, some pixels larger than the screen."""
    noise = np.random.default_rng((seed, 2)).normal(0, 1, (size[1] + 64, size[0] + 64))
    image = Image.fromarray((noise * 30 + 128).clip(0, 255).astype(np.uint8))
    soft = np.asarray(image.filter(ImageFilter.GaussianBlur(0.55 * scale)), np.float32) - 128
    return soft / np.float32(soft.std())


def _rise(k: int, start: int, end: int) -> float:
    """0 before `start`, 1 from FADE frames later, 0 again at `end`."""
    return _smooth(max(0.0, min(1.0, (k - start) / FADE, (end - k) / FADE)))


def _smooth(share: float) -> float:
    return share * share * (3 - 2 * share)

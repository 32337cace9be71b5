"""The registry: which function builds which instrument.

An instrument stands at its own origin as in a catalogue: it faces -y, z is up. Proportions are a
little generous (thick tubes, wide bells, few fat strings): they must read at 64 pixels. Metals are
not fully metallic, since black space has nothing for them to mirror.
Reads `shapes.py`; `spec.py` chooses and places.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import cos, pi, radians, sin

import numpy as np
from mathutils import Matrix, Vector

from rocketman.scenes import bowed, keys, strings
from rocketman.scenes.shapes import (
    Point,
    frame,
    lathe,
    material,
    smooth_path,
    torus,
    tube,
)
from rocketman.scenes.surfaces import (
    ABOUT_FACE,
    FACING,
    TILT,
    along,
    bell,
    metal,
    place,
    rods,
    wood,
)

Builder = Callable[[Matrix, random.Random], None]


@dataclass(frozen=True, kw_only=True)
class Instrument:
    """How an instrument is played: where it is held, by which grips, and seen from where."""

    held: Matrix
    """Instrument frame to torso frame."""
    hands: tuple[Vector, Vector]
    """Wrists of the astronaut's right and left hand (gloves reach 0.17 m on), instrument frame."""
    yaw: tuple[float, float]
    """Body yaw in degrees from which it reads best; + turns to the viewer's right."""


def trumpet(at: Matrix, rng: random.Random) -> None:
    """A trumpet along x, 0.66 m, bell at +x."""
    tint = (0.80, 0.82, 0.86) if rng.random() < 0.12 else (1.0, 0.60, 0.10)
    brass = metal("trumpet brass", tint, 0.22)
    throat = metal("trumpet throat", tuple(0.35 * c for c in tint), 0.4)  # type: ignore[arg-type]
    silver = metal("trumpet silver", (0.85, 0.86, 0.9), 0.2)
    pearl = material("pearl", (0.9, 0.88, 0.84), roughness=0.25, coat=0.5)
    flare = [(0.019, -0.2), (0.025, -0.12), (0.036, -0.06), (0.055, -0.01), (0.09, 0.03)]
    bell(at @ along((0.31, 0.02, 0.055), (1, 0, 0)), [*flare, (0.138, 0.048)], brass, throat)

    def turn(x: float, reach: float, y0: float, y1: float) -> list[tuple[float, float, float]]:
        """A half circle from the upper to the lower pipe, bulging by `reach`."""
        angles = np.linspace(pi / 2, -pi / 2, 11)
        sides = np.linspace(y0, y1, 11)
        return [(x + reach * cos(a), y, 0.055 * sin(a)) for a, y in zip(angles, sides, strict=True)]

    lead = [(-0.26, -0.02, 0.055), (0.0, -0.02, 0.055), *turn(0.17, 0.06, -0.02, -0.02)]
    tube([*lead, (-0.06, -0.02, -0.055)], 0.0175, brass, at=at)
    back = [(0.12, 0.02, 0.055), *turn(-0.17, -0.06, 0.02, 0.02), (-0.06, 0.02, -0.055)]
    tube(back, 0.0185, brass, at=at)
    tube([(0.07, -0.02, 0.055), (0.14, -0.02, 0.055)], 0.02, silver, at=at)
    tube([(0.09, -0.02, -0.055), (0.14, -0.02, -0.055)], 0.02, silver, at=at)
    valves = (-0.09, -0.035, 0.02)
    casing = [(0.012, -0.115), (0.025, -0.105), (0.025, 0.075), (0.018, 0.088)]
    for x in valves:
        lathe(casing, brass, at=at @ place(x, 0, 0), segments=24)
    rods([((x, 0, 0.08), (x, 0, 0.125)) for x in valves], 0.007, silver, at=at)
    rods([((x, 0, 0.125), (x, 0, 0.137)) for x in valves], 0.02, pearl, at=at, segments=16)
    caps = [((x, 0, z), (x, 0, z + 0.02)) for x in valves for z in (-0.11, 0.06)]
    rods(caps, 0.028, silver, at=at, segments=20)
    slide = [(0.02, -0.03, 0.0), (0.08, -0.045, 0.0), (0.1, -0.045, -0.018), (0.08, -0.045, -0.036)]
    tube(smooth_path([*slide, (0.02, -0.03, -0.036)], 5).tolist(), 0.011, brass, at=at)
    torus(0.022, 0.006, silver, at=at @ place(0.13, -0.02, 0.09) @ FACING, segments=20)
    cup = [(0.012, 0.0), (0.011, 0.05), (0.016, 0.066), (0.026, 0.084), (0.027, 0.092)]
    lathe(
        [*cup, (0.012, 0.092), (0.004, 0.08)],
        silver,
        at=at @ along((-0.25, -0.02, 0.055), (-1, 0, 0)),
    )


def drum(at: Matrix, rng: random.Random) -> None:
    """A rope-tuned djembe, 0.54 m, skin at z = 0.26."""
    at = at @ Matrix.Scale(1.12, 4)
    color = rng.choice([(0.62, 0.035, 0.02), (0.62, 0.26, 0.06), (0.015, 0.30, 0.30)])
    shell = wood("drum shell", color, grain=(24.0, 24.0, 5.0))
    skin = material("drum skin", (0.92, 0.84, 0.66), roughness=0.7, bump=0.15, bump_scale=12)
    chrome = metal("drum ring", (0.82, 0.83, 0.86))
    rope = material("rope", (0.88, 0.80, 0.60), roughness=0.8)
    band = metal("drum band", (0.95, 0.58, 0.14))
    bowl = [(0.06, -0.245), (0.135, -0.245), (0.14, -0.235), (0.128, -0.18), (0.105, -0.12)]
    bowl += [(0.1, -0.09), (0.115, -0.05), (0.155, 0.01), (0.187, 0.08), (0.2, 0.15), (0.2, 0.2)]
    lathe(bowl, shell, at=at, segments=40)
    top = [(0.204, 0.165), (0.206, 0.215), (0.196, 0.228), (0.19, 0.23), (0.1, 0.232), (0, 0.232)]
    lathe(top, skin, at=at, segments=40)
    worn = material("worn skin", (0.62, 0.47, 0.28))
    lathe([(0.075, 0.2325), (0.07, 0.2335), (0, 0.2335)], worn, at=at)
    torus(0.212, 0.0125, chrome, at=at @ place(0, 0, 0.178), segments=40)
    torus(0.208, 0.009, rope, at=at @ place(0, 0, 0.15), segments=40)
    torus(0.128, 0.012, chrome, at=at @ place(0, 0, -0.045), segments=32)
    torus(0.139, 0.012, band, at=at @ place(0, 0, -0.232), segments=32)
    torus(0.104, 0.012, rope, at=at @ place(0, 0, -0.1), segments=32)
    n = 10
    stations = [(0.216, 0.17), (0.203, 0.09), (0.168, 0.01), (0.132, -0.045)]
    spans: list[tuple[Point, Point]] = []
    for k in range(2 * n):
        turns = np.array([0.0, 0.28, 0.66, 1.0]) if k % 2 == 0 else np.array([1, 0.72, 0.34, 0])
        angles = (k + turns) * pi / n
        path = [(r * cos(a), r * sin(a), z) for a, (r, z) in zip(angles, stations, strict=True)]
        spans += pairwise(path)
    rods(spans, 0.0065, rope, at=at, segments=6)


def saxophone(at: Matrix, rng: random.Random) -> None:
    """An alto saxophone in the xz plane, 0.8 m, mouthpiece at -x, bell at +x turned to us."""
    tint = rng.choice([(0.98, 0.52, 0.07), (0.95, 0.45, 0.10), (0.95, 0.42, 0.14)])
    brass = metal("saxophone brass", tint)
    throat = metal("saxophone throat", tuple(0.28 * c for c in tint), 0.45)  # type: ignore[arg-type]
    keys = metal("saxophone keys", (1.0, 0.74, 0.34), 0.2)
    pearl = material("pearl", (0.9, 0.88, 0.84), roughness=0.25, coat=0.5)
    ebonite = material("ebonite", (0.012, 0.012, 0.013), roughness=0.25, coat=0.6)
    line = [(-0.11, 0.27), (-0.1, 0.1), (-0.09, -0.1), (-0.08, -0.26), (-0.045, -0.35)]
    line += [(0.025, -0.375), (0.09, -0.335), (0.115, -0.25), (0.125, -0.15)]
    path = smooth_path([(x, 0, z) for x, z in line], 6)
    tube(path.tolist(), np.linspace(0.027, 0.064, len(path)).tolist(), brass, at=at, segments=24)
    flare = [(0.058, -0.03), (0.061, 0.03), (0.066, 0.08), (0.08, 0.125), (0.105, 0.155)]
    bell(at @ along((0.124, 0, -0.16), (0.22, -0.3, 0.93)), [*flare, (0.135, 0.17)], brass, throat)
    neck = [(-0.11, 0.26), (-0.112, 0.33), (-0.135, 0.375), (-0.185, 0.385), (-0.25, 0.365)]
    curve = smooth_path([(x, 0, z) for x, z in neck], 6)
    tube(curve.tolist(), np.linspace(0.021, 0.014, len(curve)).tolist(), brass, at=at)
    beak = [(-0.23, 0, 0.372), (-0.25, 0, 0.365), (-0.3, 0, 0.348), (-0.335, 0, 0.335)]
    tube(beak, [0.018, 0.023, 0.021, 0.008], ebonite, at=at)
    tube([(-0.265, 0, 0.36), (-0.29, 0, 0.352)], 0.0255, keys, at=at)
    tube([(-0.11, 0, 0.245), (-0.11, 0, 0.28)], 0.031, keys, at=at)
    torus(0.056, 0.009, keys, at=at @ along((-0.068, 0, -0.3), (0.35, 0, -0.93)))
    torus(0.062, 0.009, keys, at=at @ along((0.11, 0, -0.27), (0.2, 0, 1)))
    pads = [(0.2, 0.02), (0.15, 0.021), (0.1, 0.023), (0.03, 0.027), (-0.03, 0.029), (-0.09, 0.031)]
    for z, r in [*pads, (-0.165, 0.036), (-0.235, 0.038)]:
        x = float(np.interp(z, [-0.26, -0.1, 0.1, 0.27], [-0.08, -0.09, -0.1, -0.11]))
        reach = float(np.interp(z, [-0.26, 0.27], [0.05, 0.028]))
        rods([((x, -reach, z), (x, -reach - 0.014, z))], r, keys, at=at, segments=20)
    touches = [((-0.1, -0.045, z), (-0.1, -0.06, z)) for z in (0.175, 0.125, 0.065, 0.0, -0.06)]
    rods(touches, 0.013, pearl, at=at, segments=14)
    rails = [((-0.055, -0.03, -0.27), (-0.075, -0.03, 0.2))]
    rails += [((-0.14, -0.02, -0.2), (-0.14, -0.02, 0.2))]
    rods(rails, 0.007, keys, at=at)
    cups = [((0.06, -0.03, z), (0.04, -0.04, z)) for z in (-0.25, -0.17)]
    rods(cups, 0.04, keys, at=at, segments=20)


def _hung(point: Point, grip: Point, x: Point, z: Point) -> Matrix:
    """The pose with axes along `x` and `z` that brings the instrument's `grip` to `point`."""
    pose = frame((0, 0, 0), x, z)
    pose.translation = Vector(point) - pose @ Vector(grip)
    return pose


def _sloped(y: float, z: float, degrees: float) -> Matrix:
    return place(0, y, z) @ Matrix.Rotation(radians(degrees), 4, "X")


def _played(held: Matrix, *, right: Point, left: Point, yaw: tuple[float, float]) -> Instrument:
    """An instrument whose wrists are given where the arms are, in the torso frame."""
    to_instrument = held.inverted()
    hands = (to_instrument @ Vector(right), to_instrument @ Vector(left))
    return Instrument(held=held, hands=hands, yaw=yaw)


BUILDERS: dict[str, Builder] = {
    "guitar": strings.guitar,
    "electric guitar": strings.electric_guitar,
    "bass": strings.bass,
    "violin": bowed.violin,
    "cello": bowed.cello,
    "harp": bowed.harp,
    "banjo": strings.banjo,
    "ukulele": strings.ukulele,
    "trumpet": trumpet,
    "saxophone": saxophone,
    "accordion": keys.accordion,
    "keyboard": keys.keyboard,
    "grand piano": keys.grand_piano,
    "drum": drum,
}

INSTRUMENTS: dict[str, Instrument] = {
    "guitar": _played(
        _hung((-0.14, -0.385, -0.25), (0, 0, -0.28), (0.5, 0, -0.86), (0.86, -0.06, 0.5)),
        right=(-0.31, -0.46, -0.2),
        left=(0.34, -0.34, -0.08),
        yaw=(-20, 20),
    ),
    "harp": _played(
        _hung((0.29, -0.41, -0.10), (0, 0, 0), (0.96, -0.26, 0), (0, 0, 1)),
        right=(0.03, -0.51, 0.06),
        left=(0.43, -0.27, 0.0),
        yaw=(-5, 25),
    ),
    "trumpet": _played(
        _hung((0, -0.30, 0.355), (-0.34, -0.02, 0.055), (0.56, -0.8, -0.12), (0.1, 0, 1)),
        right=(0.04, -0.45, 0.24),
        left=(0.24, -0.41, 0.2),
        yaw=(30, 48),
    ),
    "drum": _played(
        _hung((0, -0.55, -0.10), (0, 0, 0.26), (1, 0, 0), (0, -0.42, 0.9)),
        right=(-0.2, -0.44, 0.03),
        left=(0.2, -0.45, 0.0),
        yaw=(-30, 30),
    ),
    "keyboard": _played(
        # The white fronts are at the astronaut: half a turn in the plane of the keys.
        _sloped(-0.47, -0.25, 60) @ ABOUT_FACE @ TILT.inverted(),
        right=(-0.23, -0.43, -0.14),
        left=(0.23, -0.43, -0.14),
        yaw=(-20, 20),
    ),
    "saxophone": _played(
        _hung((0, -0.29, 0.29), (-0.33, 0, 0.336), (0.62, -0.78, -0.05), (0.15, 0, 1)),
        right=(-0.07, -0.39, -0.17),
        left=(0.21, -0.36, 0.04),
        yaw=(28, 50),
    ),
}

"""The grand piano: keys, a propped lid, gilded plate and strings, three legs, a bench.

It stands at its own origin, long side along x, open side towards the viewer. `key_holds.py` says
where the player sits.
"""

from __future__ import annotations

import random
from itertools import pairwise
from math import cos, pi, radians, sin

import numpy as np
from mathutils import Matrix

from rocketman.scenes.forms import (
    Array,
    Form,
    boxes,
    curve,
    inset,
    loft,
    plate,
    put,
    rods,
    turned,
)
from rocketman.scenes.keys import IVORY, key_row
from rocketman.scenes.shapes import material
from rocketman.scenes.surfaces import metal, paint, place, wood


def _case_outline() -> Array:
    """A grand piano from above, (x, y): keyboard end at -x, bass side straight at +y."""
    bend = curve(
        [
            (0.0, -0.575),
            (0.10, -0.56),
            (0.19, -0.49),
            (0.26, -0.36),
            (0.35, -0.22),
            (0.46, -0.10),
            (0.56, 0.04),
            (0.635, 0.20),
            (0.655, 0.36),
            (0.60, 0.50),
            (0.50, 0.565),
            (0.40, 0.58),
        ],
        5,
    )
    return np.concatenate([[(-0.50, -0.58), (-0.20, -0.58)], bend, [(-0.50, 0.58)]])


def _flat(outline: Array, low: float, high: float, rounding: float = 0.0) -> Form:
    """A level plate from an outline seen from above."""
    turned_up = np.stack([outline[:, 0], outline[:, 1]], axis=1)
    return plate(turned_up, -high, -low, rounding=rounding).moved(Matrix.Rotation(-pi / 2, 4, "X"))


def _band(low: tuple[Array, float], high: tuple[Array, float], *, smooth: bool) -> Form:
    """A strip between two outlines seen from above, each at its own height."""
    rings = [
        np.stack([line[:, 0], line[:, 1], np.full(len(line), z)], axis=1) for line, z in (low, high)
    ]
    return loft(rings, wrap=False, smooth=smooth)


def grand_piano(at: Matrix, rng: random.Random) -> None:
    """A baby grand, 1.3 m: keys at -x, the propped lid open towards the viewer, a bench."""
    finish = rng.choice(["black", "white", "walnut", "red"])
    if finish == "walnut":
        body = wood(
            "piano wood", (0.20, 0.065, 0.022), grain=(4.0, 30.0, 4.0), figure=0.2, roughness=0.2
        )
    else:
        tint = {
            "black": (0.013, 0.013, 0.015),
            "white": (0.74, 0.72, 0.67),
            "red": (0.30, 0.006, 0.01),
        }
        body = paint("piano lacquer", tint[finish], (0.10, 0.05, 0.03), wear=0.0)
    gold = metal("piano plate", (0.80, 0.52, 0.17), 0.38)
    brass = metal("piano brass", (0.95, 0.66, 0.26), 0.25)
    spruce = wood("piano soundboard", (0.68, 0.40, 0.15), grain=(3.0, 30.0, 30.0))
    ivory = material("ivory", IVORY, roughness=0.22, coat=0.5)
    ebony = material("ebony", (0.012, 0.012, 0.013), roughness=0.35, coat=0.3)
    felt = material("felt", (0.28, 0.01, 0.015), roughness=0.95)
    outline = _case_outline()
    inner = inset(outline, 0.028)
    inner[0], inner[-1] = (-0.32, -0.552), (-0.32, 0.552)
    inner[1] = (-0.2, -0.552)
    rim_low, rim_high = -0.085, 0.135
    # The rim: an outer and an inner wall, open towards the keys above the key bed.
    wall = outline[1:-1]
    wall = np.concatenate([[(-0.34, -0.58)], wall, [(-0.34, 0.58)]])
    core = inset(wall, 0.028)
    core[0], core[-1] = (-0.34, -0.552), (-0.34, 0.552)
    lines = [(wall, rim_low), (wall, rim_high), (core, rim_high), (core, rim_low)]
    walls = [_band(a, b, smooth=k != 1) for k, (a, b) in enumerate(pairwise(lines))]
    arms = boxes([((-0.415, s * 0.558, -0.04), (0.19, 0.044, 0.10)) for s in (-1, 1)], cut=0.015)
    bed = boxes(
        [
            ((-0.415, 0, -0.06), (0.19, 1.14, 0.05)),
            ((-0.325, 0, 0.075), (0.03, 1.10, 0.12)),
            ((-0.502, 0, -0.045), (0.02, 1.16, 0.045)),
        ],
        cut=0.006,
    )
    bottom = _flat(inset(outline, 0.01)[1:-1], rim_low + 0.005, rim_low + 0.03)
    # The lid: its back part turns about the straight side, its front part is folded back on it.
    hinge = place(0, 0.58, rim_high + 0.004)
    raised = hinge @ Matrix.Rotation(-radians(38), 4, "X") @ hinge.inverted()
    lid_line = inset(outline, -0.012)
    back_part = lid_line[lid_line[:, 0] > -0.18]
    back_part = np.concatenate([[(-0.17, -0.592)], back_part, [(-0.17, 0.592)]])
    lid = _flat(back_part, rim_high + 0.004, rim_high + 0.022, 0.004).moved(raised)
    fold = [(-0.165, -0.585), (0.02, -0.585), (0.02, 0.585), (-0.165, 0.585)]
    leaf = _flat(np.array(fold), rim_high + 0.024, rim_high + 0.038, 0.003).moved(raised)
    foot = np.array((0.16, -0.50, rim_high))
    reach = 0.86
    top = np.array((0.16, 0.58 - reach * cos(radians(38)), rim_high + reach * sin(radians(38))))
    stick = rods([(foot.tolist(), top.tolist())], 0.011, segments=10)
    desk = boxes([((0, 0, 0.0), (0.012, 0.62, 0.20))], cut=0.004).moved(
        place(-0.25, 0, 0.24) @ Matrix.Rotation(0.30, 4, "Y")
    )
    legs, casters = [], []
    for x, y in ((-0.40, -0.47), (-0.40, 0.47), (0.47, 0.30)):
        leg = [
            (0.03, -0.66),
            (0.036, -0.64),
            (0.028, -0.60),
            (0.042, -0.30),
            (0.056, -0.20),
            (0.05, -0.18),
            (0.06, -0.16),
            (0.06, -0.08),
        ]
        legs.append(turned(leg, segments=16).moved(place(x, y, 0)))
        casters.append(
            turned(
                [(0.02, -0.70), (0.028, -0.69), (0.028, -0.67), (0.02, -0.66)], segments=14
            ).moved(place(x, y, 0))
        )
    lyre = boxes(
        [((-0.26, y, -0.36), (0.028, 0.024, 0.50)) for y in (-0.07, 0.07)]
        + [((-0.26, 0, -0.60), (0.06, 0.24, 0.05))],
        cut=0.006,
    )
    pedals = boxes([((-0.33, y, -0.605), (0.13, 0.03, 0.012)) for y in (-0.07, 0, 0.07)], cut=0.004)
    bench_legs = boxes(
        [
            ((-0.865 + x, y, -0.575), (0.04, 0.04, 0.25))
            for x in (-0.10, 0.10)
            for y in (-0.24, 0.24)
        ],
        cut=0.004,
    )
    bench_top = boxes([((-0.865, 0, -0.435), (0.27, 0.58, 0.05))], cut=0.008)
    put(
        body,
        *walls,
        arms,
        bed,
        bottom,
        lid,
        leaf,
        desk,
        *legs,
        lyre,
        bench_legs,
        bench_top,
        stick,
        at=at,
    )
    # Inside: soundboard, gilded plate with its bars, strings, dampers.
    core_floor = np.concatenate([[(-0.31, -0.55)], core[1:-1], [(-0.31, 0.55)]])
    put(spruce, _flat(core_floor, 0.03, 0.036), at=at)
    frame_line = inset(core_floor, 0.0)
    hollow = inset(core_floor, 0.05)
    ring = [
        np.stack([line[:, 0], line[:, 1], np.full(len(line), z)], axis=1)
        for line, z in ((frame_line, 0.062), (frame_line, 0.07), (hollow, 0.07), (hollow, 0.062))
    ]
    lanes = np.linspace(-0.50, 0.50, 34)
    right_end = np.array([_far_edge(core_floor, y) for y in lanes])
    bars = [
        ((-0.19, y, 0.078), (float(_far_edge(core_floor, y)) - 0.02, y + 0.02, 0.078))
        for y in (-0.36, -0.12, 0.14, 0.36)
    ]
    pins = boxes([((-0.235, 0, 0.066), (0.10, 1.09, 0.012))])
    put(
        gold,
        loft([*ring, ring[0]], wrap=False, smooth=False),
        rods(bars, 0.0125, segments=8),
        pins,
        at=at,
    )
    strings = [
        ((-0.20, y, 0.082), (x - 0.05, y * 0.97, 0.079))
        for y, x in zip(lanes, right_end, strict=True)
        if x > -0.05
    ]
    wires = rods(strings, 0.0022, segments=5)
    studs = rods(
        [
            ((-0.24 + 0.02 * (k % 3), y, 0.07), (-0.24 + 0.02 * (k % 3), y, 0.09))
            for k, y in enumerate(np.linspace(-0.5, 0.5, 48))
        ],
        0.0042,
        segments=6,
    )
    put(brass, wires, studs, pedals, *casters, at=at)
    dampers = boxes(
        [((-0.10, y, 0.092), (0.07, 0.013, 0.012)) for y in np.linspace(-0.46, 0.42, 26)]
    )
    put(ebony, dampers, at=at)
    # Five octaves are enough in this size; the keys run from bass at +y to treble at -y.
    whites, blacks = key_row(36, 0.0285, 0.145, 0.022)
    turn = place(-0.495, 0, 0.022) @ Matrix.Rotation(-pi / 2, 4, "Z")
    put(ivory, whites.moved(turn), at=at)
    put(
        ebony,
        blacks.moved(turn),
        boxes([((-0.865, 0, -0.395), (0.26, 0.57, 0.05))], cut=0.018),
        at=at,
    )
    strip = boxes([((-0.348, 0, 0.026), (0.006, 1.03, 0.006))])
    put(felt, strip, at=at)


def _far_edge(outline: Array, y: float) -> float:
    """The largest x of an outline at height y."""
    a, b = outline, np.roll(outline, -1, axis=0)
    crossing = (a[:, 1] - y) * (b[:, 1] - y) <= 0
    step = np.where(np.abs(b[:, 1] - a[:, 1]) < 1e-9, 1e-9, b[:, 1] - a[:, 1])
    x = a[:, 0] + (y - a[:, 1]) / step * (b[:, 0] - a[:, 0])
    return float(x[crossing].max())

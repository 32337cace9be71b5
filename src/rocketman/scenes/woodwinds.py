"""Woodwinds: saxophone, flute, clarinet.

An instrument stands at its own origin as in a catalogue: it faces -y, z is up. Tubes are thicker
than in life: a thin line is lost at 64 pixels.
Reads `brass.py`, `pieces.py`, `surfaces.py`; `wind_holds.py` says how each is held.
"""

from __future__ import annotations

import random

import numpy as np
from mathutils import Matrix, Vector

from rocketman.scenes.brass import (
    ANTIQUE,
    LACQUER,
    ROSE,
    SILVER,
    bell,
    darker,
    finish,
    flare,
    worn_metal,
)
from rocketman.scenes.pieces import Pieces
from rocketman.scenes.shapes import material, smooth_path
from rocketman.scenes.surfaces import FACING, along, metal, place
from rocketman.scenes.wind_holds import WIND_HOLDS

STRAPS = ((0.015, 0.015, 0.018), (0.25, 0.02, 0.02), (0.03, 0.06, 0.20))


def _key_cup(radius: float) -> list[tuple[float, float]]:
    """A padded key: dark leather edge below, domed metal cup above."""
    return [
        (0.9 * radius, -0.006),
        (radius, 0.0),
        (radius, 0.007),
        (0.72 * radius, 0.0115),
        (0.0, 0.012),
    ]


def saxophone(at: Matrix, rng: random.Random) -> None:
    """An alto saxophone in the xz plane, 0.8 m, mouthpiece at -x, bell at +x turned to us."""
    color, wear = finish(rng, [(LACQUER, 5), ((0.95, 0.44, 0.12), 2), (ROSE, 1), (ANTIQUE, 1)])
    brass = Pieces(worn_metal("saxophone brass", color, wear), at)
    throat = Pieces(metal("saxophone throat", darker(color, 0.28), 0.45), at)
    keys = Pieces(metal("saxophone keys", rng.choice(((1.0, 0.74, 0.34), SILVER)), 0.18), at)
    pearl = Pieces(material("pearl", (0.9, 0.88, 0.84), roughness=0.25, coat=0.5), at)
    ebonite = Pieces(material("ebonite", (0.012, 0.012, 0.013), roughness=0.25, coat=0.6), at)
    strap = Pieces(material("strap", rng.choice(STRAPS), roughness=0.8), at)
    line = [(-0.11, 0.27), (-0.1, 0.1), (-0.09, -0.1), (-0.08, -0.26), (-0.045, -0.35)]
    line += [(0.025, -0.378), (0.09, -0.335), (0.115, -0.25), (0.125, -0.15)]
    path = smooth_path([(x, 0, z) for x, z in line], 6)
    brass.tube(path, np.linspace(0.026, 0.062, len(path)), segments=28)
    bell_at = along((0.124, 0, -0.17), (0.2, -0.3, 0.93))
    bell(brass, throat, bell_at, [(0.058, -0.03), *flare(0.061, 0.138, 0.19, 0.16)], 0.0085)
    neck = smooth_path(
        [
            (-0.11, 0, 0.26),
            (-0.112, 0, 0.33),
            (-0.135, 0, 0.375),
            (-0.185, 0, 0.385),
            (-0.25, 0, 0.365),
        ],
        6,
    )
    brass.tube(neck, np.linspace(0.021, 0.0135, len(neck)))
    ebonite.tube(
        [(-0.225, 0, 0.374), (-0.25, 0, 0.365), (-0.3, 0, 0.348), (-0.335, 0, 0.333)],
        [0.017, 0.0225, 0.0215, 0.008],
    )
    keys.tube([(-0.262, 0, 0.361), (-0.292, 0, 0.351)], 0.025)
    keys.rods(
        [((-0.268 - 0.016 * k, -0.005, 0.335), (-0.268 - 0.016 * k, -0.03, 0.33)) for k in (0, 1)],
        0.006,
    )
    keys.tube([(-0.11, 0, 0.245), (-0.11, 0, 0.282)], 0.0305, segments=20)
    keys.ball(0.0125, (-0.14, -0.012, 0.263))
    keys.lathe(_key_cup(0.014), at=along((-0.16, 0, 0.404), (-0.15, 0, 1)))
    keys.tube(
        smooth_path([(-0.16, 0, 0.415), (-0.11, -0.022, 0.385), (-0.088, -0.03, 0.3)], 4),
        0.005,
        segments=8,
    )
    for z, x, reach in ((-0.3, -0.068, 0.056), (-0.27, 0.11, 0.063)):
        keys.ring(reach, 0.0085, at=along((x, 0, z), (0.35 if x < 0 else 0.2, 0, -1)), segments=28)
    # The two stacks of pads on our side, the low ones on bell and bow in their guards.
    for z, r in (
        (0.2, 0.02),
        (0.157, 0.021),
        (0.112, 0.0225),
        (0.035, 0.0265),
        (-0.025, 0.0285),
        (-0.088, 0.031),
        (-0.163, 0.035),
        (-0.24, 0.037),
    ):
        x = float(np.interp(z, [-0.26, -0.1, 0.1, 0.27], [-0.08, -0.09, -0.1, -0.11]))
        reach = float(np.interp(z, [-0.26, 0.27], [0.047, 0.026]))
        ebonite.lathe(
            [(0.93 * r, -reach + 0.036), (0.93 * r, -reach + 0.05)],
            at=place(x, -2 * reach + 0.036, z) @ FACING,
        )
        keys.lathe(_key_cup(r), at=place(x, -reach - 0.012, z) @ FACING)
        keys.rods([((x, -reach - 0.014, z), (x + 0.042, -reach + 0.006, z + 0.01))], 0.005)
    for z, x in ((-0.27, 0.117), (-0.185, 0.128)):
        keys.lathe(_key_cup(0.041), at=along((x - 0.038, -0.048, z), (-0.55, -0.83, 0)))
        keys.ring(0.045, 0.0035, at=along((x - 0.05, -0.066, z), (-0.55, -0.83, 0)), segments=24)
    touches = [(-0.102, z) for z in (0.182, 0.134, 0.075, 0.004, -0.056)]
    for x, z in touches:
        keys.lathe(
            [(0.0135, 0.0), (0.0155, 0.012)], at=place(x - 0.012, -0.052, z) @ FACING, segments=16
        )
        pearl.lathe(
            [(0.013, 0.012), (0.011, 0.016)], at=place(x - 0.012, -0.052, z) @ FACING, segments=16
        )
    keys.rods(
        [
            ((-0.048, -0.035, -0.27), (-0.068, -0.032, 0.21)),
            ((-0.042, -0.02, -0.24), (-0.06, -0.02, 0.1)),
            ((-0.14, -0.02, -0.2), (-0.143, -0.018, 0.22)),
        ],
        0.0062,
    )
    keys.rods(
        [
            ((x, 0, z), (x - 0.002, -0.035, z))
            for x, z in ((-0.05, -0.2), (-0.056, -0.06), (-0.062, 0.06), (-0.07, 0.19))
        ],
        0.007,
    )
    for k in range(3):  # side keys, and the spatulas of the left little finger
        keys.bar((0.012, 0.012, 0.05), (-0.14, -0.034, 0.13 - 0.06 * k), bevel=0.003)
        keys.bar((0.03, 0.01, 0.016), (-0.035, -0.05, 0.02 - 0.02 * k), bevel=0.003)
    keys.rods([((-0.04, 0.0, -0.02), (0.105, 0.0, -0.12))], 0.0075)
    keys.ring(0.022, 0.0055, at=place(0.03, 0.0, -0.065) @ FACING, segments=20)
    hook = (-0.142, 0.0, 0.06)
    keys.ring(0.013, 0.004, at=place(*hook) @ FACING, segments=16)
    # The strap goes under the helmet's ring; alone, it floats as the loop that it is.
    to_instrument = Matrix(WIND_HOLDS["saxophone"].held.tolist()).inverted()
    collar = [
        (-0.15, -0.20, 0.20),
        (-0.08, -0.16, 0.225),
        (0.08, -0.16, 0.225),
        (0.15, -0.20, 0.20),
    ]
    loop = [hook, *(to_instrument @ Vector(p) for p in collar), hook]
    strap.tube(smooth_path(loop, 6), 0.0145, segments=8, flatten=0.35)
    for pieces in (brass, throat, keys, pearl, ebonite, strap):
        pieces.done()


def flute(at: Matrix, rng: random.Random) -> None:
    """A concert flute along x, 0.74 m, lip plate near +x, its keys turned to us."""
    color, wear = finish(rng, [(SILVER, 6), ((1.0, 0.62, 0.2), 2), ((0.98, 0.52, 0.36), 1)])
    silver = Pieces(worn_metal("flute", color, 0.6 * wear, 0.2), at)
    wooden = rng.random() < 0.2
    dark = material("grenadilla", (0.05, 0.022, 0.014), roughness=0.28, coat=0.7)
    body = Pieces(dark, at) if wooden else silver
    keys = Pieces(metal("flute keys", SILVER if wooden else darker(color, 0.85), 0.2), at)
    pad = Pieces(material("flute pad", (0.05, 0.04, 0.035), roughness=0.6), at)
    body.tube([(-0.42, 0, 0), (0.31, 0, 0)], 0.0175, segments=20)
    for x, length, r in (
        (0.305, 0.02, 0.0205),
        (0.095, 0.05, 0.0208),
        (-0.275, 0.04, 0.0208),
        (-0.42, 0.012, 0.021),
    ):
        keys.tube([(x, 0, 0), (x + length, 0, 0)], r, segments=20)
    for x in (0.115, 0.13, -0.255):
        keys.ring(0.0215, 0.0025, at=along((x, 0, 0), (1, 0, 0)), segments=20)
    keys.lathe([(0.019, 0.0), (0.0165, 0.008), (0.0, 0.011)], at=along((0.325, 0, 0), (1, 0, 0)))
    lip = along((0.2, 0.004, 0.017), (0, 0.15, 1)) @ Matrix.Diagonal((1.0, 0.78, 1.0, 1.0))
    silver.lathe(
        [(0.034, -0.014), (0.04, -0.004), (0.034, 0.004), (0.018, 0.008), (0.0, 0.008)],
        at=lip,
        segments=32,
    )
    pad.lathe([(0.0095, 0.0), (0.0095, 0.0095), (0.0, 0.0095)], at=lip)
    up = Vector((0.0, -0.62, 0.78))
    side = Vector((0.0, 0.78, 0.62))
    cups = [0.06, 0.03, -0.002, -0.036, -0.07, -0.104, -0.14, -0.176, -0.212, -0.305, -0.342, -0.38]
    for k, x in enumerate(cups):
        r = (0.0115, 0.014, 0.0165)[min(k, 2)] + (0.0015 if k > 8 else 0.0)
        seat = Vector((x, 0, 0)) + 0.0215 * up
        pad.lathe([(0.9 * r, -0.006), (0.95 * r, 0.0)], at=along(seat, up), segments=20)
        keys.lathe(
            [(r, 0.0), (r, 0.005), (0.82 * r, 0.009), (0.4 * r, 0.008), (0.0, 0.007)],
            at=along(seat, up),
            segments=20,
        )
        keys.rods([(seat + 0.006 * up, seat + 0.004 * up + 0.024 * side)], 0.0042)
    rail = 0.0225 * up + 0.021 * side
    runs = [(0.075, -0.085), (-0.09, -0.23), (-0.29, -0.395)]
    keys.rods(
        [(rail + Vector((a, 0, 0)), rail + Vector((b, 0, 0))) for a, b in runs], 0.0052, segments=10
    )
    keys.rods(
        [
            (0.012 * side + Vector((x, 0, 0)), 1.1 * rail + Vector((x, 0, 0)))
            for a, b in runs
            for x in (a, (a + b) / 2, b)
        ],
        0.005,
    )
    for x in (-0.10, -0.158, -0.194):  # trill touches, and the levers of the foot
        keys.bar(
            (0.02, 0.012, 0.006),
            at=along(Vector((x, 0, 0)) + 0.028 * up - 0.02 * side, up),
            bevel=0.002,
        )
    for x in (-0.285, -0.3):
        keys.bar(
            (0.012, 0.034, 0.006),
            at=along(Vector((x, 0, 0)) + 0.024 * up - 0.018 * side, up),
            bevel=0.002,
        )
    for pieces in dict.fromkeys((silver, body, keys, pad)):
        pieces.done()


def clarinet(at: Matrix, rng: random.Random) -> None:
    """A clarinet along z, 0.81 m, mouthpiece up, its holes and keys facing us."""
    at = at @ Matrix.Scale(1.12, 4)
    grain = rng.choice(
        ((0.040, 0.029, 0.025), (0.040, 0.029, 0.025), (0.085, 0.03, 0.017), (0.2, 0.062, 0.025))
    )
    wood = Pieces(
        material("grenadilla", grain, roughness=0.3, coat=0.8, bump=0.04, bump_scale=60), at
    )
    color, wear = finish(rng, [(SILVER, 4), ((1.0, 0.64, 0.22), 1)])
    keys = Pieces(worn_metal("clarinet keys", color, 0.5 * wear, 0.2), at)
    ebonite = Pieces(material("ebonite", (0.012, 0.012, 0.013), roughness=0.22, coat=0.6), at)
    cane = Pieces(material("reed", (0.80, 0.62, 0.30), roughness=0.5), at)
    bell = [
        (0.0, -0.352),
        (0.049, -0.352),
        (0.054, -0.356),
        (0.058, -0.352),
        (0.054, -0.335),
        (0.043, -0.305),
        (0.034, -0.27),
        (0.0285, -0.235),
    ]
    wood.lathe(
        [*bell, (0.026, -0.225), (0.0235, -0.22), (0.022, 0.19), (0.0225, 0.195)], segments=32
    )
    wood.lathe([(0.022, 0.198), (0.027, 0.212), (0.027, 0.245), (0.022, 0.258)], segments=28)
    for z, r in (
        (-0.226, 0.0285),
        (-0.004, 0.0255),
        (0.008, 0.0255),
        (0.195, 0.0255),
        (0.209, 0.027),
        (0.257, 0.025),
    ):
        keys.lathe([(r, z - 0.0055), (r + 0.001, z), (r, z + 0.0055)], segments=28)
    keys.ring(0.0565, 0.0038, at=place(0, 0, -0.351), segments=32)
    ebonite.tube(
        [(0, 0, 0.255), (0, 0, 0.3), (0, 0.004, 0.335), (0, 0.01, 0.365)],
        [0.0205, 0.019, 0.0155, 0.006],
    )
    cane.bar((0.021, 0.005, 0.075), (0, 0.0175, 0.315), bevel=0.002)
    keys.lathe([(0.0225, 0.27), (0.0225, 0.305)], segments=24)
    keys.rods([((-0.014, -0.026, z), (0.014, -0.026, z)) for z in (0.278, 0.296)], 0.0045)
    # Six finger holes in rings, with the rods that join them; pads between.
    for z in (0.15, 0.11, 0.07, -0.045, -0.085, -0.125):
        ebonite.lathe([(0.0085, 0.0), (0.0085, 0.025)], at=place(0, 0, z) @ FACING, segments=16)
        keys.ring(0.0115, 0.0032, at=place(0, -0.025, z) @ FACING, segments=20)
    pads = [
        (0.012, 0.175, 0.011),
        (-0.013, 0.13, 0.0105),
        (0.014, 0.09, 0.0105),
        (-0.013, 0.045, 0.012),
        (0.013, 0.028, 0.011),
    ]
    pads += [
        (0.012, -0.065, 0.012),
        (-0.012, -0.105, 0.012),
        (0.004, -0.158, 0.0165),
        (-0.006, -0.196, 0.0175),
        (0.012, -0.024, 0.011),
    ]
    for x, z, r in pads:
        keys.lathe(_key_cup(r), at=along((x, -0.024, z), (0.55 * x / 0.013, -1, 0)), segments=20)
    for x, low, high in (
        (0.024, -0.17, -0.02),
        (0.025, 0.02, 0.185),
        (-0.025, -0.21, -0.03),
        (-0.024, 0.03, 0.165),
    ):
        keys.rods([((x, -0.014, low), (x, -0.014, high))], 0.0042)
        keys.rods(
            [((0.8 * x, -0.005, z), (x, -0.018, z)) for z in (low, (low + high) / 2, high)], 0.0052
        )
    for k in range(4):  # side keys at the right hand, little-finger levers on both sides
        keys.bar((0.008, 0.013, 0.03), (-0.031, -0.004 - 0.002 * k, 0.06 - 0.034 * k), bevel=0.002)
        keys.bar(
            (0.017, 0.009, 0.022),
            (0.036 if k % 2 else -0.036, -0.014, -0.15 - 0.03 * (k // 2)),
            bevel=0.003,
        )
    keys.tube(
        smooth_path([(0.033, -0.012, -0.17), (0.037, -0.014, -0.08), (0.028, -0.016, 0.0)], 4),
        0.0045,
        segments=8,
    )
    keys.tube(
        smooth_path([(-0.033, -0.012, -0.17), (-0.036, -0.014, -0.1), (-0.027, -0.016, -0.04)], 4),
        0.0045,
        segments=8,
    )
    keys.tube(
        smooth_path([(0.0, 0.02, -0.06), (0.0, 0.045, -0.05), (0.0, 0.05, -0.03)], 4),
        0.006,
        segments=8,
    )
    for pieces in (wood, keys, ebonite, cane):
        pieces.done()

"""Percussion: xylophone and tambourine.

An instrument stands at its own origin as in a catalogue: it faces -y, z is up. The xylophone is
seen by its audience: the player is behind it, at +y.
Reads `drums.py`, `pieces.py`, `surfaces.py` and `percussion_holds.py`, which knows where mallets
are held.
"""

from __future__ import annotations

import random
from math import cos, pi, sin

import numpy as np
from mathutils import Matrix

from rocketman.scenes.drums import BRONZE, CHROME
from rocketman.scenes.percussion_holds import PERCUSSION_HOLDS
from rocketman.scenes.pieces import Pieces
from rocketman.scenes.shapes import material
from rocketman.scenes.surfaces import FACING, TILT, metal, place, wood


def xylophone(at: Matrix, rng: random.Random) -> None:
    """Thirteen wooden bars on rails over resonators, 0.96 m, sloping towards the camera."""
    color = rng.choice(
        ((0.52, 0.15, 0.045), (0.66, 0.27, 0.07), (0.38, 0.075, 0.03), (0.76, 0.48, 0.20))
    )
    flat = at @ TILT
    bars = Pieces(wood("bars", color, grain=(55.0, 6.0, 55.0)), flat)
    case = Pieces(
        wood(
            "frame wood",
            rng.choice(((0.10, 0.035, 0.016), (0.30, 0.13, 0.05), (0.02, 0.02, 0.022))),
            grain=(5.0, 30.0, 30.0),
        ),
        flat,
    )
    pipes = Pieces(metal("resonators", rng.choice((BRONZE, CHROME))), flat)
    cord = Pieces(material("cord", (0.85, 0.82, 0.75), roughness=0.8), flat)
    felt = material(
        "mallet heads",
        rng.choice(((0.75, 0.03, 0.02), (0.02, 0.12, 0.62), (0.85, 0.55, 0.03), (0.9, 0.88, 0.82))),
        roughness=0.75,
    )
    count, pitch = 13, 0.073
    low, high = (0.44, 0.0), (0.20, 0.0)  # lengths of the lowest and the highest bar
    for k in range(count):
        x = (count - 1) / 2 * pitch - k * pitch
        length = low[0] + (high[0] - low[0]) * k / (count - 1)
        bars.bar((0.0585, length, 0.024), (x, 0, 0.014), bevel=0.005)
        node = 0.28 * length
        cord.rods(
            [((x, s * node, 0.024), (x, s * node, 0.0285)) for s in (-1, 1)], 0.0075, segments=10
        )
        depth = 0.26 - 0.013 * k
        pipes.lathe(
            [(0.018, -0.03 - depth), (0.0225, -0.027 - depth), (0.0225, -0.012)],
            at=place(x, 0, 0),
            segments=16,
        )
    ends = (count / 2 * pitch + 0.012, -count / 2 * pitch - 0.012)
    for s in (-1, 1):
        outer = [(ends[0], s * 0.28 * low[0], -0.012), (ends[1], s * 0.28 * high[0], -0.012)]
        case.tube(outer, 0.0155, segments=8)
        cord.tube([(x, y, 0.012) for x, y, _ in outer], 0.0035, segments=6)
    case.bar((0.035, 0.40, 0.075), (ends[0] + 0.012, 0, -0.015), bevel=0.008)
    case.bar((0.035, 0.20, 0.075), (ends[1] - 0.012, 0, -0.015), bevel=0.008)
    case.tube([(ends[0], 0, -0.2), (ends[1], 0, -0.1)], 0.009, segments=8)
    for pieces in (bars, case, pipes, cord):
        pieces.done()
    handles, heads = (
        Pieces(material("mallets", (0.80, 0.58, 0.30), roughness=0.5), at),
        Pieces(felt, at),
    )
    for grip in (PERCUSSION_HOLDS["xylophone"].right, PERCUSSION_HOLDS["xylophone"].left):
        handles.tube([grip.tool_from, grip.tool_to], 0.0068, segments=8)
        heads.ball(0.026, grip.tool_to, segments=18)
    handles.done()
    heads.done()


def tambourine(at: Matrix, rng: random.Random) -> None:
    """A headed tambourine, 0.41 m, its skin facing us, eight pairs of jingles around."""
    at = at @ Matrix.Scale(1.12, 4)
    color = rng.choice(
        ((0.62, 0.29, 0.08), (0.50, 0.03, 0.025), (0.035, 0.032, 0.032), (0.02, 0.14, 0.36))
    )
    front = at @ FACING
    frame = Pieces(wood("tambourine frame", color, grain=(20.0, 20.0, 20.0)), front)
    skin = Pieces(
        material(
            "tambourine skin",
            rng.choice(((0.80, 0.68, 0.46), (0.84, 0.77, 0.60), (0.86, 0.84, 0.78))),
            roughness=0.5,
            bump=0.08,
            bump_scale=14,
        ),
        front,
    )
    worn = Pieces(material("worn skin", (0.70, 0.56, 0.36), roughness=0.6), front)
    metal_color = rng.choices((BRONZE, CHROME), weights=(3, 1))[0]
    jingles = Pieces(metal("jingles", metal_color, 0.2), front)
    nails = Pieces(metal("tacks", (0.95, 0.7, 0.3), 0.25), front)
    outer, inner, half, slots = 0.158, 0.146, 0.033, 8
    for z in (-half, half - 0.016):
        wall = [(inner, z), (outer, z), (outer, z + 0.016), (inner, z + 0.016), (inner, z)]
        frame.lathe(wall, segments=64)
    turn = 2 * pi / slots
    for k in range(slots):
        # A block of the frame, then a slot with two jingles on their pin.
        angles = np.linspace((k + 0.21) * turn, (k + 0.79) * turn, 7)
        section = (
            (inner, -half + 0.015),
            (outer, -half + 0.015),
            (outer, half - 0.015),
            (inner, half - 0.015),
        )
        block = [[(r * cos(a), r * sin(a), z) for r, z in section] for a in angles]
        frame.grid(np.array(block)[:, ::-1])
        walls = np.array([block[0], block[-1][::-1]])
        frame.facets(walls)
        c, s = cos(k * turn), sin(k * turn)
        pin = place(0.1575 * c, 0.1575 * s, 0)
        nails.lathe([(0.0032, -half), (0.0032, half)], at=pin, segments=8)
        for z, flip in ((0.0065, 1), (-0.0065, -1)):
            dish = [
                (0.0335, 0.0),
                (0.0345, 0.001),
                (0.026, 0.003),
                (0.017, 0.0025),
                (0.011, 0.008),
                (0.0035, 0.0095),
            ]
            lean = Matrix.Rotation(rng.uniform(-0.16, 0.16), 4, "X") @ Matrix.Rotation(
                rng.uniform(-0.16, 0.16), 4, "Y"
            )
            jingles.lathe(
                dish,
                at=pin @ place(0, 0, z) @ lean @ Matrix.Diagonal((1, flip, flip, 1)),
                segments=22,
            )
        middle = (k + 0.5) * turn
        nails.ball(
            0.005,
            ((outer + 0.001) * cos(middle), (outer + 0.001) * sin(middle), half - 0.01),
            segments=8,
        )
    skin.lathe(
        [
            (inner + 0.003, half - 0.01),
            (inner + 0.003, half + 0.002),
            (inner, half + 0.004),
            (0.0, half + 0.002),
        ],
        segments=64,
    )
    worn.lathe([(0.062, half + 0.0034), (0.058, half + 0.0045), (0.0, half + 0.0045)], segments=40)
    frame.ring(0.118, 0.0022, at=place(0, 0, half + 0.003), segments=56)
    for pieces in (frame, skin, worn, jingles, nails):
        pieces.done()

"""Instruments with keys: accordion and keyboard.

Each stands at its own origin as in a catalogue; `key_holds.py` says how they are played.
Reads `forms.py` and `surfaces.py`. Next: `piano.py`.
"""

from __future__ import annotations

import random
from math import cos, pi, radians, sin

import numpy as np
from mathutils import Matrix

from rocketman.scenes.forms import (
    Form,
    boxes,
    curve,
    loft,
    plate,
    put,
    rods,
    turned,
)
from rocketman.scenes.shapes import material
from rocketman.scenes.surfaces import TILT, metal, paint, place, wood

IVORY = (0.86, 0.84, 0.77)
CHROME = (0.82, 0.83, 0.86)
SHARPS = (0, 1, 3, 4, 5)
"""The white keys of an octave, C = 0, that have a black key behind them on the right."""


def key_row(count: int, pitch: float, length: float, height: float) -> tuple[Form, Form]:
    """(white, black) keys along x around the origin, fronts at y = 0, tops at z = 0.

    Keys go back along +y; the black ones stand on the back half.
    """
    start = -count * pitch / 2
    gap = min(0.0022, 0.1 * pitch)
    whites = [
        ((start + (k + 0.5) * pitch, length / 2, -height / 2), (pitch - gap, length, height))
        for k in range(count)
    ]
    sharps = [start + (k + 1) * pitch for k in range(count - 1) if k % 7 in SHARPS]
    blacks = [
        ((x, length * 0.68, height * 0.2), (0.56 * pitch, length * 0.62, height)) for x in sharps
    ]
    return boxes(whites, cut=0.12 * pitch), boxes(blacks, cut=0.12 * pitch)


def _rounded(left: float, right: float, half: float, deep: float) -> Form:
    """A case with round edges between two x, `half` its height and `deep` its depth around 0."""
    corner = 0.03
    arcs = [
        (x + corner * cos(a), z + corner * sin(a))
        for x, z, start in (
            (right - corner, -half + corner, -pi / 2),
            (right - corner, half - corner, 0.0),
            (left + corner, half - corner, pi / 2),
            (left + corner, -half + corner, pi),
        )
        for a in np.linspace(start, start + pi / 2, 6)
    ]
    return plate(np.array(arcs), -deep, deep, rounding=0.02)


def accordion(at: Matrix, rng: random.Random) -> None:
    """A piano accordion, 0.54 m tall, bellows fanned: keys at the viewer's left, buttons right."""
    color = rng.choice(
        [
            (0.42, 0.006, 0.012),
            (0.012, 0.012, 0.014),
            (0.02, 0.07, 0.30),
            (0.62, 0.58, 0.50),
            (0.03, 0.16, 0.10),
        ]
    )
    shell = paint("accordion shell", color, (0.12, 0.08, 0.05), wear=rng.uniform(0, 0.3))
    gold = rng.random() < 0.4
    chrome = metal("accordion metal", (0.95, 0.68, 0.26) if gold else CHROME, 0.2)
    ivory = material("ivory", IVORY, roughness=0.28, coat=0.4)
    ebony = material("ebony", (0.012, 0.012, 0.013), roughness=0.3, coat=0.4)
    folds_color = rng.choice([(0.30, 0.02, 0.02), (0.03, 0.03, 0.035), (0.55, 0.42, 0.22)])
    if color[0] > 0.4 and folds_color[0] == 0.30:
        folds_color = (0.03, 0.03, 0.035)
    cloth = material("bellows", folds_color, roughness=0.75, bump=0.1, bump_scale=80)
    leather = material("straps", (0.03, 0.018, 0.012), roughness=0.6, bump=0.1, bump_scale=60)
    half, deep = 0.215, 0.095
    # The treble box: a rounded case whose front is a grille.
    case = _rounded(-0.2025, -0.0675, half + 0.015, deep)
    hinge = place(-0.07, 0.0, -half)
    opening = radians(16.0)
    fan = hinge @ Matrix.Rotation(opening, 4, "Y") @ hinge.inverted()
    spread = 0.10
    bass = _rounded(0.025 + spread, 0.125 + spread, half + 0.01, deep).moved(fan)
    # Bellows: a square tube, in and out from fold to fold.
    folds = 13
    rings, edges = [], []
    for k in range(2 * folds + 1):
        share = k / (2 * folds)
        inner = 0.80 if k % 2 else 1.0
        y, z = (deep - 0.006) - (1 - inner) * 0.075, (half - 0.004) - (1 - inner) * 0.075
        turn = hinge @ Matrix.Rotation(opening * share, 4, "Y") @ hinge.inverted()
        m = np.array(turn)
        bevel = 0.018
        corner = [
            (-y + bevel, -z),
            (y - bevel, -z),
            (y, -z + bevel),
            (y, z - bevel),
            (y - bevel, z),
            (-y + bevel, z),
            (-y, z - bevel),
            (-y, -z + bevel),
        ]
        points = np.array([(-0.07 + (0.095 + spread) * share, a, b) for a, b in corner])
        points = points @ m[:3, :3].T + m[:3, 3]
        rings.append(points)
        if k % 2 == 0:
            edges.append(np.concatenate([points, points[:1]]))
    bellows = loft(rings, smooth=False, caps=False)
    corners = rods([(edge[k], edge[k + 1]) for edge in edges for k in (1, 3, 5, 7)], 0.0042)
    put(cloth, bellows, at=at)
    put(shell, case, bass, at=at)
    # Keys stand on their side along the outer edge and face the viewer.
    whites, blacks = key_row(17, 0.0245, 0.085, 0.016)
    stand = (
        place(-0.285, -0.055, 0.0)
        @ Matrix.Rotation(-0.30, 4, "Z")
        @ Matrix(((0, 1, 0, 0), (0, 0, -1, 0), (-1, 0, 0, 0), (0, 0, 0, 1)))
    )
    bed = boxes([((-0.24, -0.02, 0.0), (0.11, 0.05, 2 * half + 0.01))], cut=0.012).toned(0.3)
    put(ivory, whites.moved(stand), at=at)
    put(shell, bed, at=at)
    # Grille, switches, badge; buttons on the bass side.
    slots = [
        ((-0.125, -deep - 0.002, z), (0.085, 0.006, 0.009))
        for z in np.linspace(-0.17, 0.17, 15)
        if abs(z) > 0.03
    ]
    frame_bars = [((-0.125, -deep - 0.001, z), (0.105, 0.006, 0.008)) for z in (-0.195, 0.195)]
    frame_bars += [((x, -deep - 0.001, 0.0), (0.008, 0.006, 0.39)) for x in (-0.178, -0.072)]
    badge = [((-0.125, -deep - 0.003, 0.0), (0.098, 0.006, 0.036))]
    switches = [
        ((-0.187, -deep - 0.004, z), (0.012, 0.012, 0.026)) for z in np.linspace(-0.14, 0.14, 7)
    ]
    side = 0.125 + spread
    buttons = [
        ((side - 0.002, y, z + 0.008 * (y / 0.02)), (side + 0.009, y, z + 0.008 * (y / 0.02)))
        for y in (-0.07, -0.05, -0.03, -0.01)
        for z in np.linspace(-0.15, 0.15, 13)
    ]
    feet = rods(
        [
            ((0.075 + spread, y, -half - 0.008), (0.075 + spread, y, -half - 0.022))
            for y in (-0.06, 0.06)
        ],
        0.012,
    )
    grille = [
        ((0.075 + spread, -deep - 0.001, z), (0.06, 0.006, 0.008))
        for z in np.linspace(-0.12, 0.12, 7)
    ]
    put(
        chrome,
        boxes(frame_bars, cut=0.002),
        boxes(badge, cut=0.004),
        boxes(slots, cut=0.002),
        corners,
        boxes(grille, cut=0.002).moved(fan),
        feet.moved(fan),
        at=at,
    )
    put(ivory, rods(buttons, 0.0058, segments=8).moved(fan), boxes(switches, cut=0.003), at=at)
    put(ebony, blacks.moved(stand), at=at)
    hand = curve([(0.0, 0.19), (0.045, 0.14), (0.052, 0.0), (0.045, -0.14), (0.0, -0.19)], 5)
    strap = [
        np.array(
            [
                (side + x, 0.02 - w, z),
                (side + x + 0.004, 0.02 - w, z),
                (side + x + 0.004, 0.02 + w, z),
                (side + x, 0.02 + w, z),
            ]
        )
        for (x, z), w in ((p, 0.024) for p in hand)
    ]
    put(leather, loft(strap, smooth=False).moved(fan), at=at)


def keyboard(at: Matrix, rng: random.Random) -> None:
    """A stage keyboard along x, 0.98 m: three octaves, knobs, sliders, a lit screen."""
    color = rng.choice(
        [(0.45, 0.012, 0.012), (0.018, 0.019, 0.022), (0.55, 0.56, 0.58), (0.02, 0.05, 0.16)]
    )
    flat = at @ TILT
    case = paint("keyboard case", color, (0.3, 0.3, 0.31), wear=rng.uniform(0, 0.5))
    cheek = wood(
        "keyboard cheek", rng.choice([(0.36, 0.12, 0.035), (0.55, 0.27, 0.09)]), grain=(20, 4, 20)
    )
    black = material("black keys", (0.01, 0.01, 0.011), roughness=0.25, coat=0.5)
    white = material("white keys", IVORY, roughness=0.25, coat=0.4)
    chrome = metal("knobs", CHROME, 0.22)
    glow = rng.choice([(0.05, 0.55, 0.85), (0.9, 0.35, 0.04), (0.15, 0.8, 0.25)])
    screen = material("screen", glow, roughness=0.3, emission=1.6)
    body = [
        (-0.145, -0.045),
        (0.13, -0.045),
        (0.15, -0.025),
        (0.15, 0.035),
        (0.135, 0.046),
        (0.045, 0.03),
        (0.035, 0.004),
        (-0.145, -0.012),
    ]
    rings = [[(x, y, z) for y, z in body] for x in (-0.462, 0.462)]
    put(case, loft(rings, smooth=False).toned(0.45), at=flat)
    ends = [
        (-0.158, -0.05),
        (0.15, -0.05),
        (0.16, -0.03),
        (0.16, 0.045),
        (0.14, 0.06),
        (0.04, 0.046),
        (0.02, 0.028),
        (-0.14, 0.02),
        (-0.158, 0.005),
    ]
    sides = [
        loft([[(s * x, y, z) for y, z in ends] for x in (0.460, 0.492)], smooth=False)
        for s in (-1, 1)
    ]
    put(cheek, *sides, at=flat)
    whites, blacks = key_row(22, 0.0382, 0.168, 0.022)
    put(white, whites.shifted(0.035, -0.142, 0.014), at=flat)
    dials = [(x, 0.105) for x in (-0.40, -0.355, -0.31, -0.265, 0.21, 0.255, 0.30, 0.345, 0.39)]
    dials += [(x, 0.067) for x in (0.255, 0.30, 0.345, 0.39)]
    slope = Matrix.Rotation(0.176, 4, "X")
    knob = [(0.0155, 0), (0.014, 0.004), (0.0125, 0.018), (0.011, 0.02), (0.0, 0.02)]
    knobs = [
        turned(knob, segments=16).moved(place(x, y, 0.024 + 0.178 * (y - 0.045) + 0.006) @ slope)
        for x, y in dials
    ]
    levers = [
        ((x, y, 0.032 + 0.178 * (y - 0.045) + 0.006), (0.016, 0.011, 0.014))
        for x, y in (
            (-0.40, 0.064),
            (-0.375, 0.072),
            (-0.35, 0.06),
            (-0.325, 0.068),
            (-0.30, 0.058),
            (-0.275, 0.07),
        )
    ]
    wheels = [
        turned(
            [(0.026, -0.007), (0.028, -0.004), (0.028, 0.004), (0.026, 0.007)], segments=20
        ).moved(place(x, -0.055, 0.004) @ Matrix.Rotation(pi / 2, 4, "Y"))
        for x in (-0.436, -0.412)
    ]
    put(chrome, *knobs, boxes(levers, cut=0.003), at=flat)
    slots = [((x, 0.067, 0.0345), (0.003, 0.04, 0.006)) for x in np.linspace(-0.40, -0.275, 6)]
    bezel = [((0.0, 0.09, 0.0385), (0.22, 0.062, 0.010))]
    put(
        black,
        blacks.shifted(0.035, -0.142, 0.014),
        *wheels,
        boxes([(c, s) for c, s in slots]).moved(Matrix.Identity(4)),
        boxes(bezel, cut=0.003).moved(place(0, 0.09, 0.0385) @ slope @ place(0, -0.09, -0.0385)),
        at=flat,
    )
    face = boxes([((0.0, 0.09, 0.0442), (0.195, 0.046, 0.003))])
    lamps = boxes([((x, 0.12, 0.044), (0.012, 0.008, 0.006)) for x in np.linspace(-0.2, -0.14, 3)])
    put(
        screen,
        face.moved(place(0, 0.09, 0.0385) @ slope @ place(0, -0.09, -0.0385)),
        lamps,
        at=flat,
    )

"""Instruments with keys: accordion, keyboard, grand piano.

Each stands at its own origin as in a catalogue; `key_holds.py` says how they are played.
Reads `forms.py` and `surfaces.py`.
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
from rocketman.scenes.shapes import material
from rocketman.scenes.surfaces import TILT, metal, paint, place, wood

IVORY = (0.86, 0.84, 0.77)
CHROME = (0.82, 0.83, 0.86)
SHARPS = (0, 1, 3, 4, 5)
"""The white keys of an octave, C = 0, that have a black key behind them on the right."""


def _row(count: int, pitch: float, length: float, height: float) -> tuple[Form, Form]:
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
    whites, blacks = _row(17, 0.0245, 0.085, 0.016)
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
    whites, blacks = _row(22, 0.0382, 0.168, 0.022)
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
    whites, blacks = _row(36, 0.0285, 0.145, 0.022)
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

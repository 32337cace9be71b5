"""Violin, cello and harp.

Violin and cello are one family in two sizes: an arched body over ribs, f-holes, a scroll, a bow
across the strings. They stand upright at their own origin, strings towards -y. `string_holds.py`
says how they are played and where the bow runs.
Next: `keys.py`.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from math import pi

import numpy as np
from mathutils import Matrix

from rocketman.scenes.forms import (
    Array,
    Form,
    arch_height,
    arched,
    ball,
    boxes,
    curve,
    inset,
    joined,
    loft,
    mirrored,
    plate,
    put,
    rods,
    tube,
    turned,
)
from rocketman.scenes.shapes import frame, material
from rocketman.scenes.string_holds import (
    CELLO_RIBS,
    CELLO_SIZE,
    STRING_HOLDS,
    VIOLIN_RIBS,
    VIOLIN_SIZE,
)
from rocketman.scenes.surfaces import FACING, metal, place, wood

EBONY = (0.018, 0.013, 0.011)


def _outline(steps: int = 5) -> Array:
    """The right half of a violin, bottom to top: lower bout, waist between two corners, upper."""
    lower = [(0, -0.34), (0.05, -0.337), (0.096, -0.31), (0.119, -0.262), (0.115, -0.215),
             (0.105, -0.187), (0.109, -0.176)]  # fmt: skip
    waist = [(0.109, -0.175), (0.080, -0.163), (0.066, -0.133), (0.064, -0.10), (0.073, -0.07),
             (0.093, -0.052)]  # fmt: skip
    upper = [(0.093, -0.051), (0.090, -0.038), (0.096, -0.01), (0.0955, 0.018), (0.083, 0.046),
             (0.052, 0.064), (0.02, 0.069), (0, 0.07)]  # fmt: skip
    half = np.concatenate([curve(part, steps) for part in (lower, waist, upper)])
    # Rows of the arched top need rising heights.
    half[:, 1] = np.maximum.accumulate(half[:, 1] + 1e-6 * np.arange(len(half)))
    return half


def _half_round(rows: Sequence[tuple[float, float, float, float]]) -> Form:
    """A bar along z of half-round sections: (z, half width, y of the flat side, depth along y)."""
    angle = np.linspace(0, pi, 11)
    return loft(
        [
            np.stack([w * np.cos(angle), y + deep * np.sin(angle), np.full(11, z)], axis=1)
            for z, w, y, deep in rows
        ]
    )


def _scroll(y: float, ribs: float) -> Form:
    """Peg box and volute above the nut."""
    box = [
        (0.0135, 0.228, 0.0),
        (0.0125, 0.25, 0.003),
        (0.011, 0.275, 0.006),
        (0.009, 0.297, 0.006),
    ]
    rings = []
    for half, z, back in box:
        deep = 0.013 - 0.12 * (z - 0.228)
        rings.append([(half, y - deep + back, z), (-half, y - deep + back, z),
                      (-half, y + deep + back, z), (half, y + deep + back, z)])  # fmt: skip
    turns = np.linspace(0.0, 4.4 * pi, 40)
    radius = np.interp(turns, [0, 4.4 * pi], [0.021, 0.004])
    start = 1.06 * pi
    center_y, center_z = y + 0.0005, 0.306
    spiral = np.stack(
        [
            np.zeros_like(turns),
            center_y - radius * np.cos(start - turns),
            center_z + radius * np.sin(start - turns),
        ],
        axis=1,
    )
    thick = np.interp(turns, [0, 4.4 * pi], [0.0065, 0.004])
    volute = tube(spiral, thick, segments=10)
    wide = volute.vertices * (1.0, 1.0, 1.0)
    wide[:, 0] *= np.repeat(np.interp(turns, [0, 4.4 * pi], [1.4, 4.2]), 10)
    made = joined([loft(rings, smooth=False), volute])
    vertices = made.vertices.copy()
    vertices[16:] = wide
    return Form(
        vertices=vertices,
        corners=made.corners,
        sizes=made.sizes,
        smooth=made.smooth,
        tone=made.tone,
    )


def _bow(frog: Sequence[float], tip: Sequence[float], hair: Sequence[float]) -> dict[str, Form]:
    """A bow whose hair runs from `frog` to `tip`; `hair` points from the stick to the strings."""
    start, end = np.asarray(frog, float), np.asarray(tip, float)
    length = float(np.linalg.norm(end - start))
    pose = frame(tuple(start), tuple(end - start), tuple(-np.asarray(hair, float)))
    t = np.linspace(0, 1, 16)
    stick = np.stack(
        [-0.05 + t * (length + 0.05), 0 * t, 0.023 - 0.016 * np.sin(pi * t) ** 0.8], axis=1
    )
    lines = [((0.0, y, 0), (length - 0.004, y, 0.001)) for y in (-0.0045, -0.0015, 0.0015, 0.0045)]
    head = plate([(length - 0.014, -0.001), (length + 0.003, -0.002), (length + 0.008, 0.026),
                  (length - 0.012, 0.024)], -0.005, 0.005, rounding=0.002)  # fmt: skip
    eye = rods([((0.0, -0.0095, 0.008), (0.0, 0.0095, 0.008))], 0.0045, segments=12)
    parts = {
        "stick": joined([tube(stick, np.linspace(0.0058, 0.0042, 16), segments=8), head]),
        "ebony": boxes([((-0.002, 0, 0.009), (0.05, 0.017, 0.022))], cut=0.004),
        "hair": joined([rods(lines, 0.0017, segments=6), eye]),
        "silver": joined(
            [
                rods([((-0.062, 0, 0.023), (-0.048, 0, 0.023))], 0.0075, segments=10),
                rods([((0.032, 0, 0.0195), (0.09, 0, 0.0165))], 0.0068, segments=8),
                boxes([((0.021, 0, 0.003), (0.008, 0.018, 0.01))], cut=0.002),
            ]
        ),
    }
    return {name: part.moved(pose) for name, part in parts.items()}


def _fiddle(name: str, size: float, ribs: float, at: Matrix, rng: random.Random) -> None:
    """A violin of body length 0.41 m times `size`, ribs `ribs` deep before the size."""
    tints = {
        "violin": [(0.58, 0.17, 0.025), (0.46, 0.10, 0.02), (0.68, 0.28, 0.05)],
        "cello": [(0.34, 0.060, 0.015), (0.24, 0.045, 0.015), (0.42, 0.105, 0.02)],
    }
    tint = rng.choice(tints[name])
    dark = (0.35 * tint[0], 0.25 * tint[1], 0.2 * tint[2])
    scale = Matrix.Scale(size, 4)
    front, back = -ribs / 2, ribs / 2
    half = _outline()
    rise = 0.017
    outline = mirrored(half)
    spruce = wood(f"{name} top", tint, grain=(80.0 / size, 80.0 / size, 3.0), burst=dark)
    maple = wood(f"{name} maple", (0.85 * tint[0], 0.8 * tint[1], 0.8 * tint[2]), figure=0.45)
    ebony = material("ebony", EBONY, roughness=0.4, coat=0.2)
    pale = material("bridge", (0.74, 0.50, 0.24), roughness=0.5)
    steel = metal("strings", (0.85, 0.85, 0.88), 0.2)
    hair = material("hair", (0.88, 0.86, 0.78), roughness=0.5)

    def edge(low: float, high: float, depth: float = -0.003) -> Form:
        """A wall around the body: the rim of a plate, standing out over the ribs, or the ribs."""
        wide = inset(outline, depth)
        levels = [(outline, low), (wide, low), (wide, high), (outline, high)]
        rings = [np.stack([o[:, 0], np.full(len(o), y), o[:, 1]], axis=1) for o, y in levels]
        return loft(rings, caps=False)

    put(spruce, arched(half, front, -rise, shoulder=2.4).moved(scale),
        edge(front, front + 0.0045).toned(0.8).moved(scale), at=at)  # fmt: skip
    shaft = [(0.045, 0.019, 0.03), (0.075, 0.017, 0.02), (0.1, 0.0155, 0.014),
             (0.16, 0.0145, 0.013), (0.215, 0.0135, 0.013), (0.23, 0.0135, 0.018)]  # fmt: skip
    # The fingerboard rises from the nut towards the bridge.
    neck = _half_round([(z, w, front - 0.0244 + 0.055 * z, deep) for z, w, deep in shaft])
    put(
        maple,
        edge(front + 0.004, back - 0.004, 0.001).moved(scale),
        arched(half, back, rise * 0.9, shoulder=2.4).moved(scale),
        edge(back - 0.0045, back).moved(scale),
        neck.moved(scale),
        _scroll(front - 0.004, ribs).moved(scale),
        at=at,
    )
    board = _half_round(
        [(z, w, front - 0.0244 + 0.055 * z, -0.45 * w)
         for z, w in ((-0.09, 0.0235), (0.06, 0.0185), (0.225, 0.0135))]
    )  # fmt: skip
    tail = _half_round(
        [(-0.335, 0.010, front - 0.006, -0.008), (-0.30, 0.0135, front - 0.021, -0.010),
         (-0.237, 0.0205, front - 0.027, -0.012)]
    )  # fmt: skip
    peg_z = (0.237, 0.252, 0.267, 0.282)
    pegs = []
    for k, z in enumerate(peg_z):
        side = 1 if k % 2 else -1
        y = front - 0.004
        pegs.append(rods([((-0.016 * side, y, z), (0.03 * side, y, z))], 0.0034, segments=8))
        pegs.append(ball((0.011, 0.0045, 0.0085), (0.04 * side, y, z)))
    holes = []
    for side in (-1, 1):
        line = curve([(0.0365, -0.104), (0.0385, -0.093), (0.046, -0.0905), (0.0515, -0.105),
                      (0.0535, -0.135), (0.058, -0.165), (0.0655, -0.18), (0.0735, -0.176),
                      (0.0745, -0.165)], 4)  # fmt: skip
        over = front - arch_height(half, rise, line[:, 0], line[:, 1]) - 0.0002
        path = np.stack([side * line[:, 0], over, line[:, 1]], axis=1)
        thick = np.interp(
            np.linspace(0, 1, len(path)), [0, 0.2, 0.5, 0.8, 1], [1, 0.9, 1.7, 0.9, 1]
        )
        holes.append(tube(path, 0.0023 * thick, segments=6))
        for x, z, r in ((0.0385, -0.104, 0.0045), (0.071, -0.166, 0.0055)):
            depth = front - float(arch_height(half, rise, x, z))
            holes.append(ball((r, 0.0022, r), (side * x, depth, z)))
    inlay = inset(outline, 0.0075)
    level = front - arch_height(half, rise, np.abs(inlay[:, 0]), inlay[:, 1]) - 0.0003
    purfling = np.stack([inlay[:, 0], level, inlay[:, 1]], axis=1)
    black = [board, tail, *pegs, *holes]
    black.append(tube(np.concatenate([purfling, purfling[:1]]), 0.0009, segments=4, caps=False))
    if name == "violin":
        black.append(ball((0.035, 0.012, 0.026), (-0.062, front - 0.012, -0.312)))
        black.append(boxes([((-0.055, front - 0.004, -0.335), (0.05, 0.02, 0.008))], cut=0.003))
    bridge = mirrored([
        (0, 0.008), (0.009, 0.006), (0.011, -0.002), (0.0235, -0.002), (0.0225, 0.006),
        (0.0165, 0.011), (0.019, 0.019), (0.0225, 0.023), (0.019, 0.031), (0.010, 0.0345),
        (0, 0.0355),
    ])  # fmt: skip
    foot = front - float(arch_height(half, rise, 0.015, -0.155))
    standing = place(0, foot + 0.002, -0.155) @ FACING
    top = foot + 0.002 - 0.0355
    strings = []
    radii = []
    for k, u in enumerate((-1.0, -0.33, 0.33, 1.0)):
        drop = 0.0028 * u * u
        high = (0.0175 * u, top + drop - 0.001, -0.155)
        nut = (0.0085 * u, front - 0.0195 + drop, 0.2255)
        low = (0.0155 * u, front - 0.036 + drop, -0.24)
        peg = (0.006 * u, front - 0.006, peg_z[(0, 2, 3, 1)[k]])
        strings += [(low, high), (high, nut), (nut, peg)]
        radii += [(1.55 - 0.2 * k) * 0.001] * 3
    bow = _bow(
        STRING_HOLDS[name].right.tool_from, STRING_HOLDS[name].right.tool_to, (0.0, 1.0, 0.0)
    )
    put(ebony, *(part.moved(scale) for part in black), bow["ebony"], at=at)
    nut_bar = boxes([((0, front - 0.0155, 0.2265), (0.027, 0.009, 0.004))])
    put(pale, plate(bridge, -0.0028, 0.0028, rounding=0.001).moved(scale @ standing), at=at)
    silver = [rods(strings, np.array(radii), segments=6).moved(scale), bow["silver"]]
    silver.append(rods([((0.0155 * u, front - 0.034, -0.246), (0.0155 * u, front - 0.046, -0.25))
                        for u in (-1.0, -0.33, 0.33, 1.0)], 0.003).moved(scale))  # fmt: skip
    if name == "cello":
        silver.append(turned([(0.010, -0.35), (0.010, -0.335)], segments=16).moved(scale))
        silver.append(
            turned([(0.0005, -0.46), (0.0035, -0.45), (0.0035, -0.34)], segments=12).moved(scale)
        )
    put(steel, *silver, at=at)
    put(hair, bow["hair"], nut_bar.moved(scale), at=at)
    put(wood("bow stick", (0.20, 0.05, 0.015)), bow["stick"], at=at)


def violin(at: Matrix, rng: random.Random) -> None:
    """A violin with its bow across the strings, 0.66 m."""
    _fiddle("violin", VIOLIN_SIZE, VIOLIN_RIBS, at, rng)


def cello(at: Matrix, rng: random.Random) -> None:
    """A cello on its end pin, with its bow across the strings, 1.35 m."""
    _fiddle("cello", CELLO_SIZE, CELLO_RIBS, at, rng)


def harp(at: Matrix, rng: random.Random) -> None:
    """A harp, 1.05 m, its triangle in the xz plane, pillar at the viewer's right."""
    color, trim = rng.choice(
        [
            ((0.66, 0.27, 0.06), (0.95, 0.62, 0.16)),
            ((0.40, 0.075, 0.025), (0.95, 0.62, 0.16)),
            ((0.86, 0.52, 0.12), (0.95, 0.66, 0.24)),
            ((0.035, 0.022, 0.018), (0.95, 0.62, 0.16)),
        ]
    )
    gilded = color[0] > 0.8
    timber = (
        metal("harp gilding", color, 0.35)
        if gilded
        else wood("harp wood", color, grain=(26, 26, 4))
    )
    board = wood("harp soundboard", (0.86, 0.58, 0.26), grain=(4.0, 60.0, 4.0))
    gold = metal("harp gold", trim, 0.25)
    foot, crown = np.array((0.20, -0.45)), np.array((-0.30, 0.27))
    t = np.linspace(0, 1, 12)[:, None]
    line = foot + t * (crown - foot)
    slope = (crown - foot) / np.linalg.norm(crown - foot)
    normal = np.array((-slope[1], slope[0])) * -1.0  # towards the strings
    # The sound box: a half-round shell behind a flat board, narrowing to the crown.
    angle = np.linspace(0, pi, 15)
    width = np.interp(t[:, 0], [0, 1], [0.125, 0.048])
    deep = np.interp(t[:, 0], [0, 1], [0.135, 0.060])
    shell = []
    for p, w, d in zip(line, width, deep, strict=True):
        y, out = w * np.cos(angle), -d * np.sin(angle) ** 0.8
        shell.append(np.stack([p[0] + out * normal[0], y, p[1] + out * normal[1]], axis=1))
    flat = []
    for p, w in zip(line, width, strict=True):
        section = np.array([(w * 1.04, 0.0), (w * 1.04, 0.008), (0.012, 0.012), (-0.012, 0.012),
                            (-w * 1.04, 0.008), (-w * 1.04, 0.0)])  # fmt: skip
        flat.append(
            np.stack(
                [p[0] + section[:, 1] * normal[0], section[:, 0], p[1] + section[:, 1] * normal[1]],
                axis=1,
            )
        )
    # The harmonic curve of the neck.
    arch = curve([(-0.335, 0.235), (-0.30, 0.315), (-0.225, 0.345), (-0.12, 0.30), (-0.02, 0.275),
                  (0.09, 0.33), (0.18, 0.43), (0.25, 0.455), (0.285, 0.44)], 5)  # fmt: skip
    along = np.gradient(arch, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    tall = np.interp(
        np.linspace(0, 1, len(arch)), [0, 0.15, 0.5, 0.9, 1], [0.04, 0.055, 0.04, 0.05, 0.04]
    )
    section = np.array([(-0.022, -1), (0.022, -1), (0.03, -0.55), (0.03, 0.55), (0.02, 1),
                        (-0.02, 1), (-0.03, 0.55), (-0.03, -0.55)])  # fmt: skip
    neck = [
        np.stack(
            [p[0] + section[:, 1] * h * a[0], section[:, 0], p[1] + section[:, 1] * h * a[1]],
            axis=1,
        )
        for p, h, a in zip(arch, tall, across, strict=True)
    ]
    # A fluted pillar.
    turns = np.arange(40) * 2 * pi / 40
    flute = 1 - 0.07 * np.abs(np.cos(5 * turns))
    column = [
        np.stack([r * f * np.cos(turns), r * f * np.sin(turns), np.full(40, z)], axis=1)
        for z, r, f in (
            (-0.40, 0.042, flute), (-0.36, 0.040, flute), (0.0, 0.034, flute),
            (0.30, 0.036, flute), (0.36, 0.038, flute),
        )
    ]  # fmt: skip
    base = [
        (0.062, -0.475),
        (0.062, -0.46),
        (0.05, -0.45),
        (0.056, -0.43),
        (0.044, -0.41),
        (0.042, -0.39),
    ]
    capital = [(0.038, 0.34), (0.048, 0.352), (0.04, 0.366), (0.042, 0.40), (0.058, 0.435),
               (0.062, 0.47), (0.054, 0.478), (0.05, 0.50), (0.03, 0.522),
               (0.0, 0.528)]  # fmt: skip
    pillar = place(0.265, 0, 0)
    stand = boxes([((0.18, 0, -0.50), (0.30, 0.22, 0.05))], cut=0.014)
    put(
        timber,
        loft(shell),
        loft(neck, smooth=False),
        loft(column, caps=False).moved(pillar),
        stand,
        at=at,
    )
    put(board, loft(flat, smooth=False), at=at)
    ends, pins, levers = [], [], []
    for x in np.linspace(-0.245, 0.20, 19):
        share = (x - foot[0]) / (crown - foot)[0]
        low = foot[1] + share * (crown - foot)[1] + 0.014
        high = float(np.interp(x, arch[:, 0], arch[:, 1]))
        ends.append(((x, -0.0, low), (x, -0.034, high - 0.005)))
        pins.append(((x, -0.045, high), (x, 0.04, high)))
        levers.append(((x, -0.034, high - 0.034), (0.008, 0.012, 0.016)))
    collars = [
        turned(base, segments=28).moved(pillar),
        turned(capital, segments=28).moved(pillar),
        rods(pins, 0.005),
        boxes(levers, cut=0.002),
        boxes([((0.18, 0, -0.473), (0.31, 0.23, 0.012))], cut=0.004),
        *(ball(0.02, (0.18 + x, y, -0.53)) for x in (-0.12, 0.12) for y in (-0.08, 0.08)),
    ]
    thick = np.linspace(0.0022, 0.0034, 19)
    groups: dict[str, list[int]] = {"gut": [], "red": [], "black": []}
    for k in range(19):
        groups[{0: "red", 3: "black"}.get(k % 7, "gut")].append(k)
    put(gold, *collars, at=at)
    tints = {"gut": (0.95, 0.92, 0.82), "red": (0.85, 0.05, 0.03), "black": (0.02, 0.03, 0.15)}
    for name, chosen in groups.items():
        gut = material(f"{name} string", tints[name], roughness=0.4, emission=0.12)
        put(gut, rods([ends[k] for k in chosen], thick[chosen], segments=6), at=at)

"""Fretted strings with a hollow body: guitar, banjo, ukulele.

Each stands upright at its own origin, strings towards -y, head up, low string at the viewer's left
as on a right-handed instrument. Strings and frets are a little thicker than life: they must
survive in a small picture. `string_holds.py` says how they are played.
Next: `electrics.py`, `bowed.py`.
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
    arched,
    ball,
    boxes,
    curve,
    inset,
    joined,
    loft,
    loop,
    mirrored,
    plate,
    put,
    ring,
    rods,
    turned,
)
from rocketman.scenes.shapes import Color, material
from rocketman.scenes.surfaces import FACING, metal, place, wood

CHROME = (0.82, 0.83, 0.86)
EBONY = (0.022, 0.014, 0.011)
IVORY = (0.86, 0.80, 0.64)


class Neck:
    """Neck, fingerboard and frets between the nut and the end of the board.

    `widths` are full widths at nut and end, `y` the front of the board, `scale` the free length of
    the strings, `back` how deep the neck is behind its board.
    """

    def __init__(
        self,
        *,
        nut: float,
        joint: float,
        end: float,
        widths: tuple[float, float],
        y: float,
        scale: float,
        frets: int,
        back: float = 0.028,
    ) -> None:
        self.nut, self.y = nut, y

        def half(z: Array) -> Array:
            result: Array = np.interp(z, [end, nut], [widths[1] / 2, widths[0] / 2])
            return result

        board = [(half(np.array(end)), end), (half(np.array(nut)), nut)]
        self.board = plate(mirrored_band(board), y, y + 0.009, rounding=0.002)
        z = np.linspace(joint - 0.03, nut + 0.012, 8)
        deep = back * np.array([1.5, 1.2, 1.0, 0.95, 0.92, 0.9, 0.9, 0.8])
        angle = np.linspace(0, pi, 9)
        x = (half(z) * 0.97)[:, None] * np.cos(angle)
        depth = y + 0.008 + deep[:, None] * np.sin(angle)
        self.timber = loft(np.stack([x, depth, np.repeat(z[:, None], 9, axis=1)], axis=-1))
        self.fret_z = nut - scale * (1 - 2.0 ** (-np.arange(1, frets + 1) / 12))
        widest = 2 * half(self.fret_z) - 0.003
        self.frets = boxes(
            [
                ((0, y - 0.001, f), (w, 0.0036, 0.0028))
                for f, w in zip(self.fret_z, widest, strict=True)
            ]
        )
        middle = (np.concatenate([[nut], self.fret_z[:-1]]) + self.fret_z) / 2
        dots: list[tuple[float, float]] = []
        for number in (3, 5, 7, 9, 12, 15, 17, 19, 21):
            if number <= frets:
                dots += [
                    (x, middle[number - 1]) for x in ((-0.011, 0.011) if number == 12 else (0.0,))
                ]
        self.dots = rods(
            [((x, y + 0.002, z), (x, y - 0.001, z)) for x, z in dots], 0.0056, segments=12
        )
        self.saddle = boxes([((0, y - 0.002, nut + 0.004), (widths[0], 0.014, 0.008))], cut=0.002)


def mirrored_band(half: Sequence[tuple[Array, float]]) -> Array:
    """A closed outline from the right-hand points of a band, bottom to top."""
    right = np.array([(float(x), z) for x, z in half])
    return np.concatenate([right, right[::-1] * (-1, 1)])


def string_set(
    low: tuple[float, float, float],
    nut: tuple[float, float, float],
    posts: Sequence[tuple[float, float, float]],
    radius: tuple[float, float],
) -> Form:
    """Strings from the bridge (half width, y, z) over the nut to their posts, low string first."""
    lanes = np.linspace(-1, 1, len(posts))
    radii = np.linspace(radius[0], radius[1], len(posts))
    spans = []
    for u, post in zip(lanes, posts, strict=True):
        over = (nut[0] * u, nut[1], nut[2])
        spans += [((low[0] * u, low[1], low[2]), over), (over, post)]
    return rods(spans, np.repeat(radii, 2), segments=6)


def tuners(
    posts: Sequence[tuple[float, float, float]], *, reach: float, button: float
) -> tuple[Form, Form]:
    """(metal, knobs) of tuning machines; a post's knob sticks out on its own side of x = 0."""
    metals, knobs = [], []
    for x, y, z in posts:
        side = 1.0 if x > 0 else -1.0
        out = side * reach
        metals.append(rods([((x, y + 0.03, z), (x, y - 0.006, z))], 0.0055))
        metals.append(rods([((x, y + 0.014, z), (out, y + 0.014, z))], 0.0035, segments=6))
        metals.append(boxes([((x, y + 0.028, z), (0.022, 0.012, 0.02))], cut=0.003))
        knobs.append(ball((button, 0.6 * button, 0.8 * button), (out, y + 0.014, z)))
    return joined(metals), joined(knobs)


def _hollow_body(
    half: Array, front: float, back: float, *, overhang: float = 0.0
) -> tuple[Form, Form, Form]:
    """(sides with back, top, binding) of a flat-topped hollow body over a right half outline."""
    outline = mirrored(half)
    sides = plate(outline, front + 0.002, back, rounding=0.006)
    top = arched(half, front, -0.004, shoulder=4.0)
    edges = [inset(outline, -overhang), inset(outline, -overhang), inset(outline, 0.004)]
    levels = [front + 0.007, front - 0.001, front - 0.0015]
    rims = [
        np.stack([e[:, 0], np.full(len(e), y), e[:, 1]], axis=1)
        for e, y in zip(edges, levels, strict=True)
    ]
    return sides, top, loft(rims, caps=False)


def disc(x: float, y: float, z: float, radius: float, depth: float = 0.001) -> Form:
    """A flat disc that faces -y."""
    return turned([(radius, -depth), (radius, depth)], segments=32).moved(place(x, y, z) @ FACING)


def _hoop(x: float, y: float, z: float, radius: float, thickness: float) -> Form:
    """A flat inlaid ring that faces -y."""
    flat = ring(radius, thickness, segments=36, sections=6).moved(Matrix.Diagonal((1, 1, 0.25, 1)))
    return flat.moved(place(x, y, z) @ FACING)


def guitar(at: Matrix, rng: random.Random) -> None:
    """An acoustic steel-string guitar, 1.06 m."""
    spruce: tuple[Color, Color | None, Color] = ((0.80, 0.42, 0.13), None, (0.30, 0.09, 0.025))
    cedar: tuple[Color, Color | None, Color] = ((0.56, 0.17, 0.045), None, (0.20, 0.05, 0.02))
    burst: tuple[Color, Color | None, Color] = (
        (0.88, 0.40, 0.06), (0.07, 0.012, 0.006), (0.10, 0.025, 0.012)
    )  # fmt: skip
    blond: tuple[Color, Color | None, Color] = ((0.86, 0.58, 0.26), None, (0.42, 0.17, 0.06))
    top, dark, side = rng.choice([spruce, cedar, burst, blond])
    face = wood("guitar top", top, grain=(90.0, 90.0, 2.0), burst=dark)
    flank = wood("guitar side", side)
    ebony = material("ebony", EBONY, roughness=0.45, coat=0.15)
    cream = material("binding", IVORY, roughness=0.4, coat=0.3)
    chrome = metal("chrome", CHROME)
    half = curve([
        (0, -0.53), (0.09, -0.525), (0.17, -0.485), (0.207, -0.405), (0.195, -0.325),
        (0.142, -0.245), (0.127, -0.19), (0.15, -0.13), (0.15, -0.08), (0.105, -0.042),
        (0.05, -0.031), (0, -0.03),
    ], 4)  # fmt: skip
    sides, soundboard, binding = _hollow_body(half, -0.06, 0.052, overhang=0.002)
    neck = Neck(
        nut=0.35, joint=-0.03, end=-0.125, widths=(0.05, 0.062), y=-0.072, scale=0.70, frets=20
    )  # fmt: skip
    hole = (0.0, -0.0645, -0.185)
    head = mirrored([
        (0, 0.352), (0.026, 0.352), (0.03, 0.365), (0.043, 0.39), (0.04, 0.53), (0.018, 0.522),
        (0, 0.532),
    ])  # fmt: skip
    posts = [(s * 0.03, -0.06, z) for s in (-1, 1) for z in (0.40, 0.45, 0.50)]
    machines, knobs = tuners(posts, reach=0.066, button=0.013)
    bridge = plate(
        loop([(0.085, -0.42), (0.085, -0.395), (0.05, -0.385), (-0.05, -0.385), (-0.085, -0.395),
              (-0.085, -0.42), (0, -0.432)], 3),
        -0.074, -0.063, rounding=0.003,
    )  # fmt: skip
    guard = loop([(0.058, -0.235), (0.10, -0.225), (0.118, -0.27), (0.10, -0.33), (0.06, -0.345),
                  (0.042, -0.29)], 5)  # fmt: skip
    lanes = np.linspace(-0.026, 0.026, 6)
    pins = [((x, -0.073, -0.417), (x, -0.08, -0.417)) for x in lanes]
    put(face, soundboard, at=at)
    put(flank, sides, neck.timber, plate(head, -0.056, -0.03, rounding=0.003), at=at)
    put(
        ebony,
        neck.board,
        bridge,
        plate(inset(head, 0.002), -0.058, -0.055),
        disc(*hole, 0.052),
        _hoop(0, -0.0646, -0.185, 0.066, 0.0025),
        at=at,
    )
    put(
        cream,
        binding,
        neck.dots,
        neck.saddle,
        knobs,
        _hoop(0, -0.0645, -0.185, 0.0585, 0.005),
        boxes([((0, -0.078, -0.398), (0.075, 0.012, 0.005))]),
        rods(pins, 0.0042, segments=8),
        at=at,
    )
    shell = rng.choice([(0.05, 0.012, 0.006), (0.02, 0.012, 0.01), (0.35, 0.08, 0.03)])
    put(
        material("pickguard", shell, roughness=0.2, coat=0.7), plate(guard, -0.0655, -0.0625), at=at
    )
    ordered = [posts[0], posts[1], posts[2], posts[5], posts[4], posts[3]]
    strings = string_set((0.027, -0.085, -0.40), (0.02, -0.077, 0.354), ordered, (0.0021, 0.0013))
    put(chrome, neck.frets, machines, strings, at=at)


def banjo(at: Matrix, rng: random.Random) -> None:
    """A five-string banjo: a skin in a round metal pot, 0.98 m."""
    timber = rng.choice([(0.40, 0.13, 0.04), (0.62, 0.32, 0.11), (0.13, 0.045, 0.02)])
    shell = wood("banjo wood", timber, grain=(30.0, 30.0, 3.0), figure=0.35)
    skin = material("banjo skin", (0.88, 0.86, 0.78), roughness=0.6, bump=0.05, bump_scale=60)
    plated = rng.choice([CHROME, CHROME, (0.95, 0.66, 0.24)])
    chrome = metal("banjo metal", plated, 0.2)
    ebony = material("ebony", EBONY, roughness=0.45, coat=0.15)
    pearl = material("pearl", (0.88, 0.86, 0.80), roughness=0.25, coat=0.6)
    pot = place(0, 0, -0.30) @ FACING
    radius = 0.158
    resonator = [(0.0, -0.055), (0.14, -0.053), (0.178, -0.042), (0.19, -0.028), (0.19, 0.022),
                 (0.184, 0.024), (0.182, 0.0), (0.15, 0.0)]  # fmt: skip
    rim = [(radius, -0.04), (radius, 0.045)]
    put(
        shell,
        turned(resonator, segments=48).moved(pot),
        turned(rim, segments=48, caps=False).moved(pot),
        at=at,
    )
    head = [
        (radius + 0.004, 0.035),
        (radius + 0.003, 0.046),
        (radius - 0.006, 0.0505),
        (0.0, 0.0505),
    ]
    put(skin, turned(head, segments=48).moved(pot), at=at)
    neck = Neck(
        nut=0.33, joint=-0.13, end=-0.118, widths=(0.042, 0.056), y=-0.066, scale=0.68, frets=20,
        back=0.026,
    )  # fmt: skip
    peghead = mirrored(curve([
        (0, 0.332), (0.024, 0.332), (0.022, 0.355), (0.036, 0.385), (0.036, 0.43), (0.028, 0.455),
        (0.044, 0.485), (0.03, 0.515), (0.012, 0.505), (0, 0.515),
    ], 3))  # fmt: skip
    put(shell, neck.timber, plate(peghead, -0.058, -0.036, rounding=0.003), at=at)
    put(ebony, neck.board, plate(inset(peghead, 0.002), -0.06, -0.057), at=at)
    posts = [
        (-0.024, -0.062, 0.39),
        (-0.024, -0.062, 0.44),
        (0.024, -0.062, 0.44),
        (0.024, -0.062, 0.39),
    ]
    machines, knobs = tuners(posts, reach=0.062, button=0.013)
    fifth = (-0.034, -0.058, 0.135)
    side_peg = ball((0.016, 0.009, 0.012), (-0.062, -0.056, 0.135))
    diamonds = [
        plate([(0.009, z), (0, z + 0.013), (-0.009, z), (0, z - 0.013)], -0.0668, -0.0655)
        for z in (neck.fret_z[[2, 4, 6, 9, 11, 14]] + neck.fret_z[[1, 3, 5, 8, 10, 13]]) / 2
    ]
    star = plate([(0.009, 0.47), (0, 0.49), (-0.009, 0.47), (0, 0.45)], -0.0615, -0.0595)
    put(pearl, neck.saddle, *diamonds, star, knobs, side_peg, at=at)
    angles = np.arange(22) * 2 * pi / 22 + 0.14
    across, up = (radius + 0.015) * np.cos(angles), (radius + 0.015) * np.sin(angles)
    hooks = [((x, -0.05, z - 0.30), (x, -0.008, z - 0.30)) for x, z in zip(across, up, strict=True)]
    nuts = [((x, -0.014, z - 0.30), (x, -0.001, z - 0.30)) for x, z in zip(across, up, strict=True)]
    hoop = [
        (radius + 0.002, 0.028),
        (radius + 0.013, 0.03),
        (radius + 0.013, 0.05),
        (radius, 0.052),
    ]
    flange = [(radius, 0.0), (0.186, 0.002), (0.186, 0.006), (radius, 0.008)]
    tail = plate([(0.02, -0.46), (0.016, -0.40), (-0.016, -0.40), (-0.02, -0.46)], -0.062, -0.055,
                 rounding=0.003)  # fmt: skip
    rest = plate(loop([(-0.165, -0.36), (-0.115, -0.375), (-0.10, -0.395), (-0.15, -0.39)], 4),
                 -0.06, -0.055)  # fmt: skip
    strings = string_set((0.02, -0.071, -0.355), (0.016, -0.071, 0.334), posts, (0.0019, 0.0014))
    more = [((-0.026, -0.071, -0.355), (fifth[0] + 0.004, -0.068, 0.135))]
    more += [
        ((x, -0.071, -0.355), (0.5 * x, -0.062, -0.405))
        for x in (-0.026, -0.02, -0.007, 0.007, 0.02)
    ]
    put(
        chrome,
        turned(hoop, segments=48, caps=False).moved(pot),
        turned(flange, segments=48, caps=False).moved(pot),
        rods(hooks, 0.0038, segments=6),
        rods(nuts, 0.0065, segments=6),
        tail,
        rest,
        neck.frets,
        machines,
        strings,
        rods(more, 0.0014, segments=6),
        rods([((-0.02, -0.056, 0.135), (-0.05, -0.056, 0.135))], 0.004),
        at=at,
    )
    feet = [((x, -0.059, -0.355), (0.01, 0.018, 0.008)) for x in (-0.03, 0, 0.03)]
    bridge = boxes([((0, -0.0685, -0.355), (0.075, 0.004, 0.009)), *feet])
    put(ebony, bridge, at=at)


def ukulele(at: Matrix, rng: random.Random) -> None:
    """A ukulele: a small waisted body and four nylon strings, 0.60 m."""
    koa: tuple[Color, Color] = ((0.50, 0.17, 0.04), (0.36, 0.11, 0.03))
    mango: tuple[Color, Color] = ((0.80, 0.42, 0.13), (0.62, 0.28, 0.08))
    dark: tuple[Color, Color] = ((0.24, 0.07, 0.025), (0.17, 0.05, 0.02))
    top, side = rng.choice([koa, mango, dark])
    face = wood("ukulele top", top, grain=(45.0, 45.0, 5.0), figure=0.4)
    flank = wood("ukulele side", side, figure=0.3)
    black = material("ukulele board", (0.035, 0.018, 0.012), roughness=0.5)
    cream = material("binding", IVORY, roughness=0.4, coat=0.3)
    nylon = material("nylon", (0.88, 0.87, 0.82), roughness=0.3)
    chrome = metal("chrome", CHROME)
    half = curve([
        (0, -0.30), (0.05, -0.297), (0.09, -0.27), (0.108, -0.22), (0.10, -0.17), (0.072, -0.13),
        (0.067, -0.10), (0.083, -0.065), (0.078, -0.035), (0.05, -0.016), (0.02, -0.011),
        (0, -0.01),
    ], 4)  # fmt: skip
    sides, soundboard, binding = _hollow_body(half, -0.036, 0.034, overhang=0.0015)
    neck = Neck(
        nut=0.185, joint=-0.01, end=-0.055, widths=(0.04, 0.046), y=-0.046, scale=0.40, frets=14,
        back=0.02,
    )  # fmt: skip
    head = mirrored([
        (0, 0.187), (0.021, 0.187), (0.026, 0.2), (0.036, 0.222), (0.033, 0.298), (0.016, 0.292),
        (0, 0.30),
    ])  # fmt: skip
    posts = [(s * 0.022, -0.036, z) for s, z in ((-1, 0.225), (-1, 0.268), (1, 0.268), (1, 0.225))]
    machines, knobs = tuners(posts, reach=0.052, button=0.012)
    bridge = boxes([((0, -0.043, -0.222), (0.075, 0.012, 0.022))], cut=0.003)
    put(face, soundboard, at=at)
    put(flank, sides, neck.timber, plate(head, -0.036, -0.016, rounding=0.003), at=at)
    put(
        black,
        neck.board,
        bridge,
        disc(0, -0.0405, -0.115, 0.031),
        _hoop(0, -0.0406, -0.115, 0.043, 0.002),
        at=at,
    )
    ringed = _hoop(0, -0.0405, -0.115, 0.0365, 0.0035)
    edge = boxes([((0, -0.049, -0.217), (0.055, 0.006, 0.004))])
    put(cream, binding, ringed, neck.dots, neck.saddle, knobs, edge, at=at)
    strings = string_set((0.021, -0.052, -0.218), (0.0145, -0.0495, 0.187), posts, (0.0017, 0.0017))
    put(nylon, strings, at=at)
    put(chrome, neck.frets, machines, at=at)

"""Brass: trumpet, trombone, French horn; and the finishes and bells that the saxophone shares.

An instrument stands at its own origin as in a catalogue: it faces -y, z is up. Pipes are a little
thicker than in life and bells wider: they must read at 64 pixels.
Reads `pieces.py`, `surfaces.py`; `wind_holds.py` says how each is held. Next: `woodwinds.py`.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise
from math import cos, log, sin

import bpy
import numpy as np
from mathutils import Matrix, Vector

from rocketman.scenes.pieces import Outline, Pieces
from rocketman.scenes.shapes import Color, Point, material, smooth_path
from rocketman.scenes.surfaces import FACING, along, metal, place

LACQUER = (1.0, 0.56, 0.10)
ROSE = (0.98, 0.36, 0.13)
SILVER = (0.86, 0.87, 0.90)
ANTIQUE = (0.62, 0.36, 0.11)


def worn_metal(name: str, color: Color, wear: float, roughness: float = 0.16) -> bpy.types.Material:
    """Polished metal; where hands have been (`wear`, 0 to 1) it is darker, browner and dull."""
    made = metal(name, color, roughness)
    nodes, links = made.node_tree.nodes, made.node_tree.links
    surface = nodes["Principled BSDF"]
    noise = nodes.new("ShaderNodeTexNoise")
    noise.inputs["Scale"].default_value = 11.0
    noise.inputs["Detail"].default_value = 4.0
    links.new(nodes.new("ShaderNodeTexCoord").outputs["Object"], noise.inputs["Vector"])
    worn = nodes.new("ShaderNodeMapRange")
    worn.inputs["From Min"].default_value, worn.inputs["From Max"].default_value = 0.48, 0.72
    worn.inputs["To Max"].default_value = wear
    links.new(noise.outputs["Fac"], worn.inputs["Value"])
    mix = nodes.new("ShaderNodeMix")
    mix.data_type = "RGBA"
    links.new(worn.outputs["Result"], mix.inputs[0])
    mix.inputs[6].default_value = (*color, 1.0)
    mix.inputs[7].default_value = (0.42 * color[0], 0.36 * color[1], 0.30 * color[2], 1.0)
    links.new(mix.outputs[2], surface.inputs["Base Color"])
    dull = nodes.new("ShaderNodeMapRange")
    dull.inputs["To Min"].default_value, dull.inputs["To Max"].default_value = roughness, 0.5
    links.new(worn.outputs["Result"], dull.inputs["Value"])
    links.new(dull.outputs["Result"], surface.inputs["Roughness"])
    return made


def finish(rng: random.Random, finishes: Sequence[tuple[Color, float]]) -> tuple[Color, float]:
    """A finish by weight, and how worn it is."""
    color = rng.choices([c for c, _ in finishes], weights=[w for _, w in finishes])[0]
    return color, rng.choice((0.0, 0.25, 0.55, 0.9))


def darker(color: Color, share: float = 0.34) -> Color:
    return share * color[0], share * color[1], share * color[2]


def flare(r0: float, r1: float, length: float, lip: float = 0.07) -> list[tuple[float, float]]:
    """Profile of a bell along z from radius r0 to r1: a Bessel horn, r ~ (distance to lip)^-g."""
    gain = log(r1 / r0) / log((1 + lip) / lip)
    steps = 1 - (1 - np.linspace(0, 1, 16)) ** 1.7
    return [(r0 * ((1 + lip - t) / (1 + lip)) ** -gain, length * t) for t in steps.tolist()]


def bell(brass: Pieces, throat: Pieces, at: Matrix, outside: Outline, roll: float) -> None:
    """A bell along z: its outside, its darker inside, and the rolled rim of radius `roll`."""
    rim, end = outside[-1]
    brass.lathe(outside, at=at, segments=48, capped=False)
    inside = [(max(r - 0.006, 0.004), z + 0.002) for r, z in outside]
    bottom = (0.0, inside[0][1])
    throat.lathe([bottom, *inside[:-1], (rim - 0.003, end)], at=at, segments=48, capped=False)
    brass.ring(rim, roll, at=at @ place(0, 0, end), segments=48)


def _arc(
    center: Point, radius: float, start: float, stop: float, n: int = 12, y: Point = (0, 0)
) -> list[tuple[float, float, float]]:
    """Points on a circle in the xz plane, degrees from +x; y runs from y[0] to y[1]."""
    angles = np.radians(np.linspace(start, stop, n))
    depths = np.linspace(center[1] + y[0], center[1] + y[1], n)
    return [
        (center[0] + radius * cos(a), float(d), center[2] + radius * sin(a))
        for a, d in zip(angles, depths, strict=True)
    ]


def _mouthpiece(silver: Pieces, end: Point, direction: Point, size: float = 1.0) -> None:
    """A cup mouthpiece whose rim ends near `end`; `direction` points to the player."""
    cup = [(0.0105, 0.0), (0.010, 0.045), (0.013, 0.058), (0.020, 0.07), (0.026, 0.083)]
    cup += [(0.0285, 0.09), (0.027, 0.096), (0.021, 0.094), (0.012, 0.082), (0.0, 0.076)]
    silver.lathe([(size * r, size * z) for r, z in cup], at=along(end, direction), segments=24)


def trumpet(at: Matrix, rng: random.Random) -> None:
    """A trumpet along x, 0.66 m, bell at +x."""
    color, wear = finish(rng, [(LACQUER, 6), (SILVER, 2), (ROSE, 2), (ANTIQUE, 1)])
    brass = Pieces(worn_metal("trumpet brass", color, wear), at)
    throat = Pieces(metal("trumpet throat", darker(color), 0.4), at)
    silver = Pieces(metal("trumpet silver", (0.85, 0.86, 0.9), 0.2), at)
    pearl = Pieces(material("pearl", (0.9, 0.88, 0.84), roughness=0.25, coat=0.5), at)
    # Mouth pipe, tuning slide and valve pipe lie in front, bell bow behind: real ones straddle too.
    near, far, high = -0.024, 0.024, 0.055
    mouth_pipe = [(-0.27, near, high), (0.0, near, high), (0.17, near, high)]
    mouth_pipe += _arc((0.17, near, 0), high, 90, -90)[1:]
    brass.tube([*mouth_pipe, (0.0, near, -high)], 0.0165)
    bow = [(-0.06, far, -high), *_arc((-0.17, far, 0), high, 270, 90), (0.0, far, high)]
    brass.tube([*bow, (0.06, far, high)], np.linspace(0.0165, 0.021, 15))
    bell(brass, throat, along((0.05, far, high), (1, 0, 0)), flare(0.021, 0.122, 0.29), 0.0065)
    silver.rods(
        [
            ((x, near, s * high), (x + 0.045, near, s * high))
            for x in (0.06, 0.115)
            for s in (-1, 1)
        ],
        0.0195,
        segments=16,
    )
    silver.rods([((-0.2, near, high), (-0.235, near, high))], 0.0195, segments=16)
    silver.rods(
        [((-0.15, far, s * high), (-0.12, far, s * high)) for s in (-1, 1)], 0.0205, segments=16
    )
    valves = (-0.092, -0.035, 0.022)
    casing = [(0.012, -0.122), (0.0255, -0.112), (0.0255, 0.078), (0.02, 0.09)]
    for x in valves:
        brass.lathe(casing, at=place(x, 0, 0))
        for z in (-0.105, -0.08, 0.056):
            silver.lathe([(0.0285, z), (0.0285, z + 0.016)], at=place(x, 0, 0))
        silver.lathe([(0.011, -0.128), (0.011, -0.118)], at=place(x, 0, 0))
        press = rng.choice((0.0, 0.0, 0.016))
        silver.rods([((x, 0, 0.08), (x, 0, 0.126 - press))], 0.0065)
        silver.lathe([(0.014, 0.124 - press), (0.021, 0.13 - press)], at=place(x, 0, 0))
        pearl.lathe([(0.019, 0.13 - press), (0.018, 0.137 - press)], at=place(x, 0, 0))
    brass.rods(
        [
            ((a, y, z), (b, y, z))
            for a, b in pairwise(valves)
            for y, z in ((0.01, 0.03), (-0.01, -0.03))
        ],
        0.012,
    )
    # Valve slides: the third reaches forward with its ring, the first back to the player.
    third = [
        (0.03, -0.04, 0.004),
        (0.1, -0.04, 0.004),
        *_arc((0.1, -0.04, -0.018), 0.022, 90, -90, 8),
    ]
    brass.tube([*third, (0.03, -0.04, -0.04)], 0.0105)
    silver.rods(
        [((0.062, -0.04, z), (0.078, -0.04, z)) for z in (0.004, -0.04)], 0.0135, segments=14
    )
    first = [(-0.1, -0.036, 0.004), *_arc((-0.15, -0.036, -0.018), 0.022, 90, 270, 8)]
    brass.tube([*first, (-0.1, -0.036, -0.04)], 0.0105)
    silver.ring(0.02, 0.005, at=place(0.088, -0.04, 0.03) @ FACING, segments=20)
    hook = [(0.05, near, 0.072), (0.055, near, 0.098), (0.09, near, 0.104), (0.112, near, 0.09)]
    silver.tube(smooth_path(hook, 4), 0.0055, segments=8)
    silver.tube(
        smooth_path([(0.2, near, -0.07), (0.17, -0.03, -0.085), (0.11, -0.03, -0.08)], 4),
        0.005,
        segments=8,
    )
    silver.rods([((0.207, near, -0.062), (0.195, near, -0.08))], 0.011)
    silver.rods([((x, near, high), (x, far, high)) for x in (-0.16, 0.1)], 0.006)
    silver.rods([((0.15, near, -high), (0.15, near, high))], 0.0065)
    _mouthpiece(silver, (-0.262, near, high), (-1, 0, 0))
    for pieces in (brass, throat, silver, pearl):
        pieces.done()


def trombone(at: Matrix, rng: random.Random) -> None:
    """A slide trombone along x, 1.05 m: mouthpiece at -x below, bell above, slide towards +x."""
    color, wear = finish(rng, [(LACQUER, 6), (ROSE, 3), (SILVER, 1), (ANTIQUE, 1)])
    brass = Pieces(worn_metal("trombone brass", color, wear), at)
    throat = Pieces(metal("trombone throat", darker(color), 0.4), at)
    silver = Pieces(metal("trombone silver", SILVER, 0.18), at)
    mouth, back, top = -0.125, -0.03, 0.125
    # Bell section: from the joint backwards, round the tuning slide, forwards to the bell.
    radius = (top - back) / 2
    bow = [
        (-0.22, 0.0, back),
        (-0.33, 0.0, back),
        *_arc((-0.42, 0.01, top - radius), radius, 270, 90, 14),
    ]
    brass.tube([*bow, (-0.3, 0.02, top), (-0.2, 0.02, top)], np.linspace(0.0165, 0.0225, 18))
    bell(brass, throat, along((-0.2, 0.02, top), (1, 0, 0)), flare(0.0225, 0.142, 0.37), 0.0075)
    silver.rods([((-0.4, 0.005, z), (-0.345, 0.005, z)) for z in (back, top)], 0.0235, segments=16)
    silver.rods([((x, 0.005, back), (x, 0.015, top)) for x in (-0.44, -0.27)], 0.0075)
    silver.tube(
        smooth_path([(-0.5, 0.01, 0.06), (-0.52, -0.02, 0.07), (-0.5, -0.02, 0.11)], 4), 0.005
    )
    # Inner slide pipes with the grip braces, then the outer slide with its crook.
    silver.rods(
        [((-0.3, 0, mouth), (0.2, 0, mouth)), ((-0.22, 0, back), (0.2, 0, back))],
        0.0105,
        segments=14,
    )
    reach = rng.uniform(-0.02, 0.03)
    start, crook = -0.085, 0.41 + reach
    half = (back - mouth) / 2
    outer = [
        (start, 0.0, back),
        (crook, 0.0, back),
        *_arc((crook, 0, mouth + half), half, 90, -90)[1:],
    ]
    brass.tube([*outer, (start, 0.0, mouth)], 0.015)
    for z in (mouth, back):
        silver.rods(
            [
                ((start - 0.01, 0, z), (start + 0.045, 0, z)),
                ((crook - 0.06, 0, z), (crook - 0.005, 0, z)),
            ],
            0.0185,
            segments=16,
        )
        brass.rods([((-0.25, 0, z), (-0.19, 0, z))], 0.02, segments=16)
    silver.rods(
        [((start + 0.02, 0, mouth), (start + 0.02, 0, back)), ((-0.2, 0, mouth), (-0.2, 0, back))],
        0.01,
        segments=12,
    )
    silver.rods([((-0.245, 0, mouth), (-0.245, 0, back))], 0.0085, segments=12)
    silver.tube(
        smooth_path(
            [
                (crook + 0.05, 0, mouth + 0.03),
                (crook + 0.06, -0.02, mouth + 0.01),
                (crook, -0.02, mouth - 0.02),
            ],
            4,
        ),
        0.005,
    )
    silver.ball(0.012, (crook + 0.05, 0, mouth + 0.045))
    _mouthpiece(silver, (-0.3, 0, mouth), (-1, 0, 0), 1.15)
    for pieces in (brass, throat, silver):
        pieces.done()


def french_horn(at: Matrix, rng: random.Random) -> None:
    """A horn, its coil in the xz plane, mouthpiece up and back, bell at the lower left."""
    color, wear = finish(rng, [(LACQUER, 6), (ROSE, 3), (SILVER, 2), (ANTIQUE, 1)])
    brass = Pieces(worn_metal("horn brass", color, wear), at)
    throat = Pieces(metal("horn throat", darker(color), 0.4), at)
    silver = Pieces(metal("horn silver", SILVER, 0.2), at)
    # The bell's tail: once around the coil clockwise, widening, then off to the lower left.
    tail = _arc((0.0, 0.0, 0.0), 0.165, 205, -65, 40, y=(0.03, -0.005))
    axis = Vector((-0.80, -0.40, -0.45)).normalized()
    neck = Vector((-0.05, -0.012, -0.172))
    line = smooth_path([*tail, (0.0, -0.005, -0.168), neck], 3)
    brass.tube(
        line,
        np.interp(np.linspace(0, 1, len(line)), [0, 0.6, 1], [0.013, 0.021, 0.033]),
        segments=18,
    )
    throat_end = smooth_path([line[-4], neck, neck + 0.05 * axis, neck + 0.1 * axis], 4)[4:]
    brass.tube(throat_end, np.linspace(0.033, 0.043, len(throat_end)), segments=18)
    bell(brass, throat, along(neck + 0.075 * axis, axis), flare(0.041, 0.168, 0.2, 0.1), 0.008)
    # Mouth pipe from the lips behind the coil, down into it; two inner rounds.
    pipe = [(0.12, 0.15, 0.27), (0.105, 0.1, 0.25), (0.06, 0.04, 0.225), (-0.02, 0.015, 0.19)]
    pipe += _arc((0.0, 0.0, 0.0), 0.187, 112, -40, 14, y=(0.015, -0.03))
    brass.tube(smooth_path(pipe, 4), np.linspace(0.0105, 0.0135, 4 * len(pipe) - 3), segments=12)
    for radius, start, stop, depth in ((0.135, 150, -160, -0.025), (0.108, 60, -235, 0.012)):
        brass.tube(_arc((0.0, depth, 0.0), radius, start, stop, 34), 0.0125, segments=12)
    # Three rotors and the thumb valve on a slant, each with a slide loop into the coil.
    rotor = [
        (0.027, -0.03),
        (0.031, -0.026),
        (0.031, 0.022),
        (0.025, 0.028),
        (0.014, 0.03),
        (0.012, 0.038),
    ]
    for k in range(4):
        x, z = 0.078 - 0.004 * k, 0.085 - 0.057 * k
        silver.lathe(rotor, at=place(x, -0.03, z) @ FACING)
        brass.ring(0.0295, 0.004, at=place(x, -0.052, z) @ FACING, segments=24)
        silver.rods([((x, -0.06, z), (x + 0.03, -0.06, z + 0.014))], 0.005)
        loop = [(x - 0.02, -0.035, z + 0.012), (-0.02 - 0.02 * (k % 2), -0.04, z + 0.014)]
        loop += _arc((loop[-1][0], -0.04, z - 0.002), 0.016, 90, 270, 8)
        brass.tube([*loop, (x - 0.02, -0.035, z - 0.018)], 0.0095, segments=12)
        silver.rods(
            [((0.012, -0.038, z + s), (0.03, -0.037, z + s)) for s in (0.013, -0.018)],
            0.0125,
            segments=12,
        )
        if k < 3:
            lever = [
                (x + 0.03, -0.06, z + 0.01),
                (0.14, -0.062, z - 0.005),
                (0.2, -0.06, 0.06 - 0.034 * k),
            ]
            silver.tube(smooth_path(lever, 4), 0.0055, segments=8)
            silver.bar((0.06, 0.008, 0.024), (0.222, -0.061, 0.06 - 0.034 * k), bevel=0.003)
    silver.rods([((0.14, -0.055, 0.08), (0.14, -0.055, -0.06))], 0.008)
    braces = [
        ((-0.165, 0.0, 0.02), (-0.108, 0.0, 0.02)),
        ((0.02, 0.0, -0.165), (0.02, 0.0, -0.108)),
    ]
    silver.rods([*braces, ((-0.06, 0.0, 0.175), (-0.045, 0.0, 0.11))], 0.007)
    silver.ring(0.036, 0.007, at=along((-0.02, -0.006, -0.17), (-1, -0.05, -0.06)), segments=24)
    _mouthpiece(silver, (0.11, 0.115, 0.256), (0.25, 0.86, 0.45), 1.05)
    for pieces in (brass, throat, silver):
        pieces.done()

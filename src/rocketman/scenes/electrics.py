"""Solid-body strings: electric guitar and bass.

They stand like the hollow ones of `strings.py` and share neck, tuners and strings with them.
Next: `bowed.py`.
"""

from __future__ import annotations

import random

import numpy as np
from mathutils import Matrix

from rocketman.scenes.forms import (
    boxes,
    loop,
    plate,
    put,
    rods,
    turned,
)
from rocketman.scenes.shapes import material
from rocketman.scenes.strings import CHROME, Neck, disc, string_set, tuners
from rocketman.scenes.surfaces import FACING, metal, paint, place, wood


def electric_guitar(at: Matrix, rng: random.Random) -> None:
    """A solid-body electric guitar with two horns, three pickups and a tremolo, 1.07 m."""
    colors = [(0.55, 0.012, 0.012), (0.10, 0.42, 0.34), (0.80, 0.74, 0.58), (0.12, 0.36, 0.62)]
    colors += [(0.75, 0.17, 0.08), (0.30, 0.04, 0.28)]
    body = paint("guitar paint", rng.choice(colors), (0.55, 0.30, 0.12), wear=rng.uniform(0, 0.7))
    maple = wood("maple", (0.80, 0.50, 0.20), grain=(60.0, 60.0, 3.0))
    rosewood = rng.random() < 0.6
    white = material("pickguard", (0.84, 0.83, 0.78), roughness=0.3, coat=0.5)
    black = material("rosewood", (0.05, 0.022, 0.014), roughness=0.5)
    chrome = metal("chrome", CHROME, 0.2)
    outline = loop([
        (0.0, -0.475), (0.09, -0.47), (0.15, -0.43), (0.17, -0.36), (0.148, -0.29), (0.113, -0.24),
        (0.113, -0.19), (0.145, -0.135), (0.152, -0.095), (0.135, -0.068), (0.105, -0.08),
        (0.07, -0.125), (0.045, -0.15), (0.03, -0.13), (-0.03, -0.13), (-0.045, -0.138),
        (-0.07, -0.10), (-0.095, -0.045), (-0.125, -0.012), (-0.155, -0.028), (-0.163, -0.10),
        (-0.132, -0.18), (-0.126, -0.24), (-0.158, -0.31), (-0.178, -0.38), (-0.15, -0.445),
        (-0.08, -0.475),
    ], 4)  # fmt: skip
    guard = loop([
        (0.034, -0.155), (0.07, -0.135), (0.105, -0.10), (0.128, -0.11), (0.112, -0.19),
        (0.112, -0.245), (0.135, -0.30), (0.135, -0.37), (0.10, -0.41), (0.062, -0.38),
        (0.055, -0.315), (0.0, -0.288), (-0.06, -0.285), (-0.092, -0.25), (-0.10, -0.17),
        (-0.125, -0.09), (-0.10, -0.075), (-0.06, -0.14), (-0.034, -0.155),
    ], 4)  # fmt: skip
    slab = plate(outline, -0.045, 0.0, rounding=0.009)
    put(body, slab, at=at)
    neck = Neck(
        nut=0.38, joint=-0.10, end=-0.10, widths=(0.046, 0.058), y=-0.06, scale=0.68, frets=21,
        back=0.02,
    )  # fmt: skip
    head = loop([
        (0.024, 0.378), (0.03, 0.398), (0.022, 0.425), (0.018, 0.50), (0.03, 0.525), (0.037, 0.555),
        (0.026, 0.583), (0.0, 0.595), (-0.03, 0.588), (-0.053, 0.57), (-0.05, 0.50), (-0.046, 0.43),
        (-0.036, 0.40), (-0.024, 0.378),
    ], 3)  # fmt: skip
    posts = [(-0.034 - 0.0018 * k, -0.052, 0.415 + 0.03 * k) for k in range(6)]
    machines, knobs = tuners(posts, reach=0.068, button=0.011)
    put(maple, neck.timber, plate(head, -0.05, -0.034, rounding=0.003), at=at)
    put(black if rosewood else maple, neck.board, at=at)
    coils = [((0, -0.051, z), (0.082, 0.014, 0.019)) for z in (-0.162, -0.208)]
    slanted = boxes([((0, 0, 0), (0.082, 0.014, 0.019))], cut=0.005).moved(
        place(0, -0.051, -0.256) @ Matrix.Rotation(0.17, 4, "Y")
    )
    dials = [(0.085, -0.29), (0.104, -0.33), (0.112, -0.372)]
    dial = [(0.016, 0), (0.0135, 0.006), (0.0125, 0.016), (0.0, 0.0165)]
    dial_forms = [turned(dial, segments=20).moved(place(x, -0.047, z) @ FACING) for x, z in dials]
    put(
        white,
        plate(guard, -0.0475, -0.044),
        neck.saddle,
        boxes(coils, cut=0.005),
        slanted,
        *dial_forms,
        at=at,
    )
    poles = [(x, z) for z in (-0.162, -0.208) for x in np.linspace(-0.028, 0.028, 6)]
    inlays = neck.dots
    put(white if rosewood else black, inlays, at=at)
    steel = [
        boxes([((0, -0.05, -0.305), (0.088, 0.01, 0.045))], cut=0.003),
        boxes([((x, -0.056, -0.303), (0.011, 0.012, 0.03)) for x in np.linspace(-0.03, 0.03, 6)]),
        rods([((0.036, -0.055, -0.31), (0.055, -0.085, -0.32)),
              ((0.055, -0.085, -0.32), (0.075, -0.09, -0.20))], 0.0033),
        rods([((x, -0.055, z), (x, -0.0595, z)) for x, z in poles], 0.003),
        turned([(0.03, 0), (0.028, 0.004), (0.012, 0.0), (0, 0)], segments=20).moved(
            place(0.125, -0.046, -0.425) @ FACING
        ),
    ]  # fmt: skip
    strings = string_set((0.029, -0.066, -0.30), (0.018, -0.064, 0.384), posts, (0.0021, 0.0013))
    put(chrome, *steel, neck.frets, machines, knobs, strings, at=at)


def bass(at: Matrix, rng: random.Random) -> None:
    """An electric bass: a long neck, four thick strings, four big tuners, 1.27 m."""
    honey, walnut = (0.62, 0.30, 0.09), (0.16, 0.06, 0.025)
    pick = rng.choice(["honey", "walnut", "black", "green"])
    if pick in ("honey", "walnut"):
        tint = honey if pick == "honey" else walnut
        body = wood("bass body", tint, grain=(26.0, 26.0, 3.0), figure=0.3)
    else:
        tint = (0.012, 0.012, 0.014) if pick == "black" else (0.02, 0.09, 0.05)
        body = paint("bass paint", tint, (0.45, 0.25, 0.1), wear=rng.uniform(0, 0.7))
    maple = wood("maple", (0.72, 0.40, 0.15), grain=(60.0, 60.0, 3.0))
    black = material("black", (0.012, 0.012, 0.013), roughness=0.35, coat=0.4)
    light = material("inlay", (0.84, 0.80, 0.70), roughness=0.3, coat=0.4)
    chrome = metal("chrome", CHROME, 0.2)
    outline = loop([
        (0.02, -0.505), (0.10, -0.49), (0.158, -0.435), (0.172, -0.36), (0.152, -0.285),
        (0.128, -0.23), (0.135, -0.18), (0.152, -0.13), (0.145, -0.09), (0.112, -0.085),
        (0.078, -0.13), (0.048, -0.165), (0.032, -0.15), (-0.032, -0.12), (-0.05, -0.115),
        (-0.075, -0.06), (-0.095, 0.015), (-0.125, 0.055), (-0.155, 0.035), (-0.158, -0.06),
        (-0.136, -0.14), (-0.137, -0.20), (-0.168, -0.27), (-0.188, -0.35), (-0.172, -0.435),
        (-0.11, -0.49), (-0.04, -0.505),
    ], 4)  # fmt: skip
    slab = plate(outline, -0.048, 0.0, rounding=0.011)
    put(body, slab, at=at)
    neck = Neck(
        nut=0.54, joint=-0.08, end=-0.10, widths=(0.044, 0.066), y=-0.064, scale=0.85, frets=20,
        back=0.023,
    )  # fmt: skip
    head = loop([
        (0.024, 0.538), (0.032, 0.56), (0.025, 0.59), (0.022, 0.68), (0.036, 0.71), (0.044, 0.745),
        (0.03, 0.78), (0.0, 0.79), (-0.035, 0.78), (-0.058, 0.755), (-0.056, 0.68), (-0.052, 0.60),
        (-0.04, 0.56), (-0.024, 0.538),
    ], 3)  # fmt: skip
    posts = [(-0.036 - 0.002 * k, -0.056, 0.59 + 0.052 * k) for k in range(4)]
    metals, knobs = [], []
    for x, y, z in posts:
        metals.append(rods([((x, y + 0.03, z), (x, y - 0.014, z))], 0.0085, segments=12))
        metals.append(disc(x, y - 0.001, z, 0.016, 0.002))
        metals.append(rods([((x, y + 0.012, z), (-0.088, y + 0.012, z))], 0.005))
        knobs.append(boxes([((-0.1, y + 0.012, z), (0.034, 0.009, 0.032))], cut=0.008))
    put(maple, neck.timber, plate(head, -0.052, -0.034, rounding=0.003), at=at)
    guard = loop([
        (0.03, -0.16), (0.07, -0.14), (0.118, -0.10), (0.132, -0.13), (0.115, -0.20),
        (0.118, -0.25), (0.14, -0.31), (0.14, -0.40), (0.10, -0.44), (0.065, -0.40),
        (0.05, -0.30), (-0.02, -0.27), (-0.085, -0.26), (-0.105, -0.20), (-0.105, -0.10),
        (-0.085, -0.06), (-0.05, -0.125),
    ], 4)  # fmt: skip
    pickups = [((-0.022, -0.056, -0.212), (0.058, 0.018, 0.03))]
    pickups += [
        ((0.024, -0.056, -0.242), (0.058, 0.018, 0.03)),
        ((0, -0.056, -0.335), (0.1, 0.016, 0.02)),
    ]
    dark_guard = pick in ("honey", "green")
    put(
        black if dark_guard else light,
        plate(guard, -0.0505, -0.047),
        at=at,
    )
    put(black, boxes(pickups, cut=0.004), neck.board, at=at)
    put(light, neck.dots, neck.saddle, at=at)
    dials = [(0.098, -0.325), (0.112, -0.37), (0.105, -0.412)]
    dial = [(0.015, 0), (0.014, 0.014), (0.012, 0.018), (0.0, 0.018)]
    dial_forms = [turned(dial, segments=20).moved(place(x, -0.05, z) @ FACING) for x, z in dials]
    bridge = boxes([((0, -0.052, -0.40), (0.088, 0.01, 0.07))], cut=0.003)
    saddles = rods(
        [((x, -0.062, -0.425), (x, -0.062, -0.375)) for x in np.linspace(-0.029, 0.029, 4)], 0.0085
    )
    strings = string_set((0.029, -0.071, -0.36), (0.016, -0.069, 0.545), posts, (0.0036, 0.0024))
    tails = rods(
        [((x, -0.071, -0.36), (x, -0.06, -0.432)) for x in np.linspace(-0.029, 0.029, 4)], 0.003
    )
    put(chrome, bridge, saddles, tails, *dial_forms, neck.frets, *metals, *knobs, strings, at=at)

"""Drums: a djembe and a drum kit.

An instrument stands at its own origin as in a catalogue: it faces -y, z is up. The kit is seen by
its audience: the drummer sits behind it, at +y.
Reads `pieces.py`, `surfaces.py` and `percussion_holds.py`, which knows where sticks are held.
"""

from __future__ import annotations

import random
from math import cos, pi, radians, sin

import bpy
import numpy as np
from mathutils import Matrix, Vector

from rocketman.scenes.brass import darker
from rocketman.scenes.holds import Grip
from rocketman.scenes.percussion_holds import PERCUSSION_HOLDS
from rocketman.scenes.pieces import Outline, Pieces
from rocketman.scenes.shapes import Color, Point, material
from rocketman.scenes.surfaces import FACING, along, metal, place, wood

CHROME = (0.82, 0.83, 0.86)
BRONZE = (1.0, 0.66, 0.24)
WRAPS = (
    (0.55, 0.012, 0.018),
    (0.015, 0.07, 0.48),
    (0.02, 0.022, 0.026),
    (0.02, 0.26, 0.10),
    (0.78, 0.42, 0.05),
    (0.62, 0.63, 0.66),
)


def sparkle(name: str, color: Color) -> bpy.types.Material:
    """Drum wrap: glitter of many facets under clear lacquer."""
    made = material(name, color, roughness=0.28, metallic=0.45, coat=0.8)
    nodes, links = made.node_tree.nodes, made.node_tree.links
    cells = nodes.new("ShaderNodeTexVoronoi")
    cells.inputs["Scale"].default_value = 140.0
    links.new(nodes.new("ShaderNodeTexCoord").outputs["Object"], cells.inputs["Vector"])
    ramp = nodes.new("ShaderNodeValToRGB")
    ramp.color_ramp.elements[0].color = (*(0.55 * c for c in color), 1.0)
    ramp.color_ramp.elements[1].color = (*(min(1.6 * c + 0.06, 1.0) for c in color), 1.0)
    links.new(cells.outputs["Color"], ramp.inputs["Fac"])
    links.new(ramp.outputs["Color"], nodes["Principled BSDF"].inputs["Base Color"])
    return made


def _circle(n: int, start: float = 0.0) -> list[tuple[float, float]]:
    """(cos, sin) of n directions evenly around."""
    return [(cos(start + 2 * pi * k / n), sin(start + 2 * pi * k / n)) for k in range(n)]


def drum(at: Matrix, rng: random.Random) -> None:
    """A rope-tuned djembe, 0.56 m, skin at z = 0.265."""
    color = rng.choice(
        ((0.50, 0.16, 0.04), (0.36, 0.09, 0.03), (0.62, 0.035, 0.02), (0.015, 0.25, 0.27))
    )
    cord = rng.choice(
        ((0.88, 0.80, 0.60), (0.03, 0.03, 0.035), (0.70, 0.06, 0.03), (0.06, 0.16, 0.55))
    )
    at = at @ Matrix.Scale(1.14, 4)
    shell = Pieces(wood("drum shell", color, grain=(24.0, 24.0, 5.0)), at)
    skin = Pieces(
        material("drum skin", (0.90, 0.80, 0.60), roughness=0.65, bump=0.15, bump_scale=12), at
    )
    worn = Pieces(material("worn skin", rng.choice(((0.62, 0.47, 0.28), (0.80, 0.68, 0.46)))), at)
    steel = Pieces(metal("drum ring", CHROME), at)
    rope = Pieces(material("rope", cord, roughness=0.8), at)
    band = Pieces(metal("drum band", (0.95, 0.58, 0.14)), at)
    bowl = [(0.105, -0.245), (0.13, -0.248), (0.138, -0.243), (0.139, -0.23), (0.128, -0.18)]
    bowl += [(0.112, -0.13), (0.1, -0.095), (0.103, -0.075), (0.12, -0.045), (0.15, 0.0)]
    shell.lathe([*bowl, (0.175, 0.045), (0.19, 0.09), (0.199, 0.15), (0.2, 0.2)], segments=48)
    # The skin is folded over a ring; its untrimmed edge stands up around the rope.
    skin.lathe(
        [
            (0.207, 0.15),
            (0.212, 0.162),
            (0.207, 0.18),
            (0.2055, 0.215),
            (0.2, 0.226),
            (0.19, 0.231),
            (0.1, 0.2325),
            (0.0, 0.2325),
        ],
        segments=48,
    )
    worn.lathe([(0.085, 0.2326), (0.08, 0.2334), (0.0, 0.2334)], segments=32)
    for radius, z, thickness in ((0.213, 0.178, 0.0105), (0.211, 0.196, 0.008)):
        steel.ring(radius, thickness, at=place(0, 0, z), segments=48)
    for z in (0.045, -0.045):
        steel.ring(
            float(np.interp(z, [-0.045, 0.045], [0.127, 0.18])),
            0.0085,
            at=place(0, 0, z),
            segments=40,
        )
    for radius, z in ((0.210, 0.145), (0.106, -0.082), (0.105, -0.098), (0.11, -0.114)):
        rope.ring(radius, 0.0085, at=place(0, 0, z), segments=40)
    for z in (-0.236, -0.222, -0.165):
        band.ring(
            float(np.interp(z, [-0.236, -0.165], [0.138, 0.125])),
            0.0075,
            at=place(0, 0, z),
            segments=40,
        )
    # Carved diamonds around the foot.
    for c, s in _circle(12):
        carved = along((0.1315 * c, 0.1315 * s, -0.193), (c, s, 0.25)) @ Matrix.Rotation(
            pi / 4, 4, "Z"
        )
        band.bar((0.021, 0.021, 0.006), bevel=0.002, at=carved)
    n = 14
    stations = ((0.215, 0.172), (0.207, 0.12), (0.190, 0.06), (0.166, 0.01), (0.134, -0.044))
    for k in range(2 * n):
        turns = (
            np.array([0.0, 0.16, 0.42, 0.70, 1.0])
            if k % 2 == 0
            else np.array([1.0, 0.84, 0.58, 0.3, 0.0])
        )
        path = [
            (r * cos(a), r * sin(a), z)
            for a, (r, z) in zip((k + turns) * pi / n, stations, strict=True)
        ]
        rope.tube(path, 0.0058, segments=7)
    for pieces in (shell, skin, worn, steel, rope, band):
        pieces.done()


def _hung_drum(
    shell: Pieces,
    chrome: Pieces,
    skin: Pieces,
    at: Matrix,
    radius: float,
    depth: float,
    lugs: int,
    hoops: Pieces | None = None,
) -> None:
    """A drum of the kit along its own z: wrap, hoops, skins, lugs and tension rods."""
    half = depth / 2
    hoops = hoops or chrome
    shell.lathe([(radius, -half), (radius, half)], at=at, segments=48)
    for s in (-1, 1):
        rim = [
            (radius + 0.004, -0.014),
            (radius + 0.011, -0.012),
            (radius + 0.011, 0.012),
            (radius + 0.004, 0.014),
            (radius - 0.004, 0.012),
        ]
        hoops.lathe([*rim, rim[0]], at=at @ place(0, 0, s * half), segments=48)
        turn = at if s > 0 else at @ Matrix.Rotation(pi, 4, "X")
        skin.lathe(
            [(radius - 0.002, half - 0.006), (radius - 0.006, half + 0.002), (0.0, half + 0.003)],
            at=turn,
            segments=40,
        )
    for cx, sx in _circle(lugs, 0.35):
        for end in (-1, 1):
            chrome.bar(
                (0.02, 0.024, 0.045),
                ((radius + 0.008), 0, end * half * 0.5),
                bevel=0.006,
                at=at @ Matrix.Rotation(float(np.arctan2(sx, cx)), 4, "Z"),
            )
        out = radius + 0.016
        chrome.tube(
            _placed(at, [(out * cx, out * sx, -half - 0.012), (out * cx, out * sx, half + 0.012)]),
            0.0042,
            segments=7,
        )


def _placed(at: Matrix, points: list[Point]) -> list[Point]:
    return [tuple(at @ Vector(p)) for p in points]


def _cymbal(bronze: Pieces, chrome: Pieces, at: Matrix, radius: float) -> None:
    """Bell, bow and edge along z, with lathe grooves and a wing nut."""
    t = np.linspace(1, 0.22, 26)
    groove = 0.0012 * (np.arange(26) % 2)
    bow: Outline = [
        (radius * float(u), 0.036 * (1 - float(u) ** 1.5) + float(g))
        for u, g in zip(t, groove, strict=True)
    ]
    top = bow[-1][1]
    dome = [
        (0.19 * radius, top + 0.012),
        (0.13 * radius, top + 0.02),
        (0.05 * radius, top + 0.024),
        (0.0, top + 0.024),
    ]
    bronze.lathe([(0.99 * radius, -0.003), *bow, *dome], at=at, segments=48)
    chrome.lathe(
        [(0.011, top + 0.02), (0.011, top + 0.034), (0.006, top + 0.036), (0.006, top + 0.06)],
        at=at,
        segments=12,
    )


def _stand(chrome: Pieces, foot: Point, top: Point, spread: float = 0.11) -> None:
    """A tube from the floor to `top`, on a tripod."""
    x, y, z = foot
    chrome.rods([((x, y, z + 0.02), top)], 0.0095, segments=10)
    chrome.rods(
        [((x, y, z + 0.13), (x + spread * c, y + spread * s, z)) for c, s in _circle(3, 0.5)],
        0.0065,
    )
    middle = 0.5 * (Vector(foot) + Vector(top))
    sleeve = Vector((0, 0, 0.015))
    chrome.rods([(middle - sleeve, middle + sleeve)], 0.0135, segments=12)


def _stick(wooden: Pieces, grip: Grip) -> None:
    """A drum stick through the fist of `grip`, with its shoulder and tip."""
    start, stop = np.asarray(grip.tool_from), np.asarray(grip.tool_to)
    length = float(np.linalg.norm(stop - start))
    taper = [
        (0.007, 0.0),
        (0.0095, 0.004),
        (0.0095, 0.72 * length),
        (0.0055, length - 0.018),
        (0.0055, length - 0.016),
        (0.0085, length - 0.008),
        (0.006, length),
        (0.0, length + 0.001),
    ]
    wooden.lathe(taper, at=along(start.tolist(), (stop - start).tolist()), segments=10)


def drum_kit(at: Matrix, rng: random.Random) -> None:
    """Bass drum, snare, two toms, floor tom, hi-hat, crash and ride; 1.3 m wide, 0.96 m high."""
    color = rng.choice(WRAPS)
    shell = Pieces(
        sparkle("wrap", color)
        if rng.random() < 0.7
        else wood(
            "kit shell",
            rng.choice(((0.55, 0.22, 0.06), (0.30, 0.06, 0.03))),
            grain=(4.0, 24.0, 24.0),
        ),
        at,
    )
    chrome = Pieces(metal("kit chrome", CHROME, 0.16), at)
    skin = Pieces(material("drum heads", (0.88, 0.87, 0.82), roughness=0.55), at)
    bronze = Pieces(metal("cymbals", BRONZE, 0.22), at)
    hoops = Pieces(
        material(
            "bass hoops",
            rng.choice((darker(color, 0.5), (0.02, 0.02, 0.022))),
            roughness=0.3,
            coat=0.6,
        ),
        at,
    )
    wooden = Pieces(material("sticks", (0.80, 0.56, 0.28), roughness=0.5), at)
    black = Pieces(material("port", (0.012, 0.012, 0.014), roughness=0.5), at)
    floor = -0.52
    bass = place(0, -0.03, -0.24) @ FACING
    _hung_drum(shell, chrome, skin, bass, 0.25, 0.32, 8, hoops)
    hoops.lathe(
        [(0.244, 0.164), (0.262, 0.164), (0.262, 0.186), (0.244, 0.186), (0.244, 0.164)],
        at=bass,
        segments=48,
    )
    # On the front head: a ring, a star for the band, a port to the lower right.
    hoops.ring(0.205, 0.0035, at=bass @ place(0, 0, 0.166), segments=48)
    black.lathe(
        [(0.05, 0.1655), (0.05, 0.167), (0.0, 0.167)], at=bass @ place(0.12, -0.12, 0), segments=28
    )
    chrome.ring(0.051, 0.005, at=bass @ place(0.12, -0.12, 0.167), segments=28)
    points = [
        (r * s, r * c)
        for k in range(10)
        for r in ((0.095, 0.04)[k % 2],)
        for c, s in ((cos(pi * k / 5), sin(pi * k / 5)),)
    ]
    star = np.array(
        [
            [
                (0, 0, 0.168),
                (*points[k - 1], 0.168),
                (*points[k], 0.168),
                (*points[(k + 1) % 10], 0.168),
            ]
            for k in range(0, 10, 2)
        ]
    )
    hoops.facets(star[:, ::-1], at=bass @ place(-0.02, 0.04, 0))
    for s in (-1, 1):
        chrome.rods([((s * 0.235, -0.1, -0.3), (s * 0.33, -0.17, floor))], 0.008)
        tom = (
            place(s * 0.137, -0.05, 0.155)
            @ Matrix.Rotation(radians(9), 4, "X")
            @ Matrix.Rotation(radians(-s * 7), 4, "Y")
        )
        _hung_drum(shell, chrome, skin, tom, 0.117 - 0.006 * s, 0.155, 6)
        chrome.rods(
            [
                ((s * 0.03, -0.02, 0.0), (s * 0.04, -0.02, 0.13)),
                ((s * 0.04, -0.02, 0.13), (s * 0.06, -0.04, 0.14)),
            ],
            0.009,
        )
    _hung_drum(shell, chrome, skin, place(-0.455, 0.12, -0.17), 0.155, 0.28, 6)
    chrome.rods(
        [
            (
                (-0.455 + 0.172 * c, 0.12 + 0.172 * s, -0.2),
                (-0.455 + 0.178 * c, 0.12 + 0.178 * s, floor),
            )
            for c, s in _circle(3, 0.9)
        ],
        0.0075,
    )
    _hung_drum(
        chrome,
        chrome,
        skin,
        place(0.36, 0.16, 0.02) @ Matrix.Rotation(radians(5), 4, "X"),
        0.135,
        0.09,
        8,
    )
    _stand(chrome, (0.36, 0.16, floor), (0.36, 0.16, -0.03), 0.13)
    for x, y, z, r, tilt, lean in (
        (0.44, -0.02, 0.40, 0.175, 20, -14),
        (-0.43, -0.02, 0.36, 0.205, 22, 12),
    ):
        _stand(chrome, (x + 0.02, y + 0.03, floor), (x, y, z), 0.14)
        _cymbal(
            bronze,
            chrome,
            place(x, y, z)
            @ Matrix.Rotation(radians(tilt), 4, "X")
            @ Matrix.Rotation(radians(lean), 4, "Y"),
            r,
        )
    hat = place(0.57, 0.08, 0.15) @ Matrix.Rotation(radians(9), 4, "X")
    _cymbal(bronze, chrome, hat @ place(0, 0, 0.012), 0.13)
    _cymbal(bronze, chrome, hat @ Matrix.Rotation(pi, 4, "X") @ place(0, 0, 0.004), 0.13)
    _stand(chrome, (0.57, 0.08, floor), (0.57, 0.07, 0.25))
    for grip in (PERCUSSION_HOLDS["drum kit"].right, PERCUSSION_HOLDS["drum kit"].left):
        _stick(wooden, grip)
    for pieces in (shell, chrome, skin, bronze, hoops, wooden, black):
        pieces.done()

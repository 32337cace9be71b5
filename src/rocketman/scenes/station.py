"""A space station behind the subject: a truss, golden solar wings, a white module.

Built in the camera's frame at a size of its own picture height, so that every shot shows it.
"""

from __future__ import annotations

import random
from itertools import pairwise
from math import cos, pi, radians, sin

import bpy
import numpy as np
from mathutils import Matrix, Vector

from rocketman.scenes import shapes
from rocketman.scenes.nodes import Nodes
from rocketman.scenes.shapes import box, lathe, material, torus
from rocketman.scenes.spec import Scene
from rocketman.scenes.surfaces import boxes, rods

AWAY = 16.0
"""Metres from the camera."""


def build(scene: Scene, camera: Matrix, half: float) -> None:
    """Module on one side, wings on the other, the truss between them across the picture."""
    rng = random.Random(f"station {scene.variant}")
    side = scene.side
    unit = AWAY * half
    lean = radians(side * rng.uniform(8, 20))
    base = camera @ Matrix.Translation((0, unit * rng.uniform(0.30, 0.46), -AWAY))
    at = base @ Matrix.Rotation(lean, 4, "Z") @ Matrix.Scale(unit, 4)
    with shapes.label("station"):
        steel = material("truss", (0.60, 0.60, 0.58), roughness=0.45, metallic=0.3)
        dark = material("truss dark", (0.10, 0.10, 0.11), roughness=0.6)
        _truss(at, steel, dark)
        for k, x in enumerate((0.62, 1.12)):
            _wing(at @ Matrix.Translation((side * x, 0, 0.02 * k)), steel, rng)
        _module(at @ Matrix.Translation((-side * 0.66, -0.06, 0.10)), rng, dark, steel)


def _truss(at: Matrix, steel: bpy.types.Material, dark: bpy.types.Material) -> None:
    """A beam of triangles along x."""
    r, step = 0.055, 0.11
    xs = np.arange(-1.9, 1.91, step)
    corners = [(r, r), (-r, r), (-r, -r), (r, -r)]
    spans = [((xs[0], y, z), (xs[-1], y, z)) for y, z in corners]
    thin = []
    for k, (a, b) in enumerate(pairwise(xs)):
        for (y, z), (v, w) in zip(corners, corners[1:] + corners[:1], strict=True):
            thin.append(((a, y, z), (a, v, w)))
            thin.append(((a, y, z), (b, v, w)) if k % 2 else ((a, v, w), (b, y, z)))
    rods(spans, 0.011, steel, at=at, segments=6)
    rods(thin, 0.006, steel, at=at, segments=4)
    rng = random.Random(3)
    parts = [
        ((x, rng.uniform(-0.02, 0.02), 0.02), (rng.uniform(0.05, 0.09), 0.075, 0.08))
        for x in xs[1:-1:2]
    ]
    boxes(parts[::2], dark, at=at)
    boxes(parts[1::2], material("box white", (0.75, 0.74, 0.71), roughness=0.6), at=at)


def _panel(rng: random.Random) -> bpy.types.Material:
    """Solar cells: gold and violet-blue squares in a fine grid, glossy."""
    made = bpy.data.materials.new("cells")
    made.use_nodes = True
    surface_kept = made.node_tree
    n = Nodes(surface_kept)
    where = n.coordinates("Object")
    bricks = n.new("TexBrick")
    n.set(bricks.inputs["Vector"], where)
    bricks.offset = 0.0
    gold, blue = (0.62, 0.27, 0.045), (0.42, 0.15, 0.05)
    for name, value in (
        ("Color1", gold), ("Color2", blue), ("Mortar", (0.035, 0.022, 0.02)), ("Scale", 1.0),
        ("Mortar Size", 0.0045), ("Brick Width", 0.052), ("Row Height", 0.052), ("Bias", -0.1),
    ):  # fmt: skip
        n.set(bricks.inputs[name], value)
    surface = n.new("BsdfPrincipled")
    n.set(surface.inputs["Base Color"], bricks.outputs["Color"])
    surface.inputs["Roughness"].default_value = 0.28
    surface.inputs["Metallic"].default_value = 0.35
    surface.inputs["Coat Weight"].default_value = 0.5
    n.set(surface.inputs["Emission Color"], bricks.outputs["Color"])
    surface.inputs["Emission Strength"].default_value = 0.30
    made.cycles.emission_sampling = "NONE"
    n.output(surface.outputs[0])
    return made


def _wing(at: Matrix, steel: bpy.types.Material, rng: random.Random) -> None:
    """Two blankets above and two below the truss, a mast between them, turned to the sun."""
    cells = _panel(rng)
    tip = at @ Matrix.Rotation(radians(rng.uniform(-32, 32)), 4, "Y")
    for way in (-1, 1):
        for x in (-0.105, 0.105):
            box((0.18, 1.45, 0.006), cells, center=(x, way * 0.86, 0.0), at=tip)
        rods([((0, way * 0.05, 0), (0, way * 1.6, 0))], 0.011, steel, at=tip, segments=6)
        bars = [((0, way * y, 0.0), (0.41, 0.022, 0.012)) for y in (0.13, 1.59)]
        boxes(bars, steel, at=tip)


def _module(
    at: Matrix, rng: random.Random, dark: bpy.types.Material, steel: bpy.types.Material
) -> None:
    """A white cylinder with ribs, a porthole row, handrails and a docking port with its light."""
    white = material("module", (0.78, 0.77, 0.73), roughness=0.55, bump=0.25, bump_scale=16)
    gold = material("foil", (0.85, 0.50, 0.12), roughness=0.25, metallic=0.7)
    glass = material("porthole", (1.0, 0.78, 0.42), roughness=0.2, emission=2.2)
    turn = Matrix.Rotation(radians(rng.uniform(-24, 24)), 4, "Y")
    turn = (
        at
        @ turn
        @ Matrix.Rotation(radians(rng.uniform(-8, 8)), 4, "X")
        @ Matrix.Rotation(pi / 2, 4, "X")
    )
    r = 0.30
    body = [(0.0, -0.95), (0.13, -0.95), (0.13, -0.86), (r, -0.74), (r, 0.74), (0.17, 0.88)]
    lathe([*body, (0.17, 0.98), (0.0, 0.98)], white, at=turn, segments=40)
    for z in (-0.74, -0.36, 0.0, 0.38, 0.74):
        torus(r, 0.016, steel, at=turn @ Matrix.Translation((0, 0, z)), segments=40)
    lathe([(r * 1.012, 0.44), (r * 1.012, 0.68)], gold, at=turn, segments=40)
    lathe([(0.18, 0.93), (0.18, 0.98), (0.10, 0.985)], dark, at=turn, segments=32)
    for angle in (0.9, 1.57, 2.25):
        spot = Vector((r * cos(angle), r * sin(angle), -0.18))
        out = Vector((cos(angle), sin(angle), 0)).to_track_quat("Z", "Y").to_matrix().to_4x4()
        port = turn @ Matrix.Translation(spot) @ out
        torus(0.052, 0.014, steel, at=port, segments=20)
        lathe([(0.05, 0.004), (0.0, 0.006)], glass, at=port, segments=20)
    rails = []
    for angle in (1.15, 2.0):
        x, y = 1.06 * r * cos(angle), 1.06 * r * sin(angle)
        rails.append(((x, y, -0.62), (x, y, 0.30)))
    rods(rails, 0.008, material("rail", (0.85, 0.62, 0.10), roughness=0.4), at=turn)

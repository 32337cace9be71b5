"""Inside a cupola: a round window in the middle, six around it, the dark room they are set in.

Built in the camera's frame at a size of its own picture height, so that every shot shows it.
"""

from __future__ import annotations

import random
from math import cos, pi, radians, sin

import bpy
import numpy as np
from mathutils import Matrix, Vector

from rocketman.scenes import shapes
from rocketman.scenes.shapes import box, material, mesh, torus, tube
from rocketman.scenes.spec import Scene
from rocketman.scenes.surfaces import boxes

AWAY = 9.0
"""Metres from the camera to the round window."""
INNER, OUTER = 0.60, 1.04
"""Radius of the frames around the round window and around the six, over half the picture."""


def build(scene: Scene, camera: Matrix, half: float) -> None:
    """Frames, panels, lamps; the planet outside is `orbit.py`'s."""
    rng = random.Random(f"cupola {scene.variant}")
    unit = AWAY * half
    at = camera @ Matrix.Translation((0, unit * rng.uniform(-0.04, 0.12), -AWAY))
    at = at @ Matrix.Rotation(radians(rng.uniform(-13, 13)), 4, "Y")
    at = at @ Matrix.Rotation(radians(30 + rng.uniform(-8, 8)), 4, "Z") @ Matrix.Scale(unit, 4)
    with shapes.label("station"):
        frame = material("cupola frame", (0.33, 0.34, 0.36), roughness=0.42, metallic=0.35)
        shell = material("cupola shell", (0.24, 0.24, 0.24), roughness=0.6, bump=0.2, bump_scale=9)
        seal = material("cupola seal", (0.025, 0.026, 0.03), roughness=0.5)
        made = _windows(at, frame, seal)
        made += _room(at, rng, shell, frame, seal)
    for part in made:
        part.visible_shadow = False


def _corner(k: int, radius: float, z: float) -> Vector:
    return Vector((radius * cos(k * pi / 3), radius * sin(k * pi / 3), z))


DEPTH = 0.42
"""How far the outer ring of the windows stands in front of the round one."""


def _windows(
    at: Matrix, frame: bpy.types.Material, seal: bpy.types.Material
) -> list[bpy.types.Object]:
    """The bars: a ring in the middle, six spokes that come towards us, a hexagon around them."""
    made = []
    inner = [_corner(k, INNER * 0.84, 0.0) for k in range(7)]
    outer = [_corner(k, OUTER, DEPTH) for k in range(7)]
    # The plate between the round window and the hexagon around it.
    count = 72
    angle = np.arange(count) * 2 * pi / count
    rim = 0.62
    fold = np.cos(pi / 6) / np.cos((angle + pi / 6) % (pi / 3) - pi / 6)
    hexagon = (
        np.stack([np.cos(angle), np.sin(angle), 0 * angle], 1) * (INNER * 0.86 * fold)[:, None]
    )
    round_ = np.stack([np.cos(angle), np.sin(angle), 0 * angle], 1) * (INNER * 0.84 * rim * 1.22)
    faces = [(k, (k + 1) % count, count + (k + 1) % count, count + k) for k in range(count)]
    made.append(mesh(np.concatenate([round_, hexagon]), faces, frame, at=at, smooth=False))
    ring = INNER * 0.84 * rim * 1.22
    made.append(torus(ring, 0.030, frame, at=at, segments=64))
    made.append(
        torus(ring - 0.028, 0.012, seal, at=at @ Matrix.Translation((0, 0, 0.012)), segments=64)
    )
    bolts = [
        ((1.12 * ring * cos(a), 1.12 * ring * sin(a), 0.004), (0.022, 0.022, 0.02))
        for a in np.arange(24) * 2 * pi / 24
    ]
    boxes(bolts, seal, at=at)
    for k in range(6):
        for a, b, r in (
            (inner[k], outer[k], 0.052), (outer[k], outer[k + 1], 0.06),
            (inner[k], inner[k + 1], 0.042),
        ):  # fmt: skip
            made.append(tube([a, (a + b) / 2, b], r, frame, at=at, segments=10, flatten=1.0))
            made.append(
                tube([a * 0.985 + Vector((0, 0, r)), b * 0.985 + Vector((0, 0, r))], r * 0.34, seal,
                     at=at, segments=6)
            )  # fmt: skip
    return made


def _room(
    at: Matrix,
    rng: random.Random,
    shell: bpy.types.Material,
    frame: bpy.types.Material,
    seal: bpy.types.Material,
) -> list[bpy.types.Object]:
    """What is around the windows: a wall of panels that comes towards us, rails, small lamps."""
    made = []
    rings = [
        (OUTER * 1.0, DEPTH),
        (OUTER * 1.10, DEPTH + 0.02),
        (OUTER * 1.24, DEPTH + 0.5),
        (OUTER * 1.3, DEPTH + 2.2),
    ]
    vertices = np.array([_corner(k, r, z) for r, z in rings for k in range(6)])
    faces = shapes._grid_faces(len(rings), 6, wrap=True)
    made.append(mesh(vertices, faces, shell, at=at, smooth=False))
    amber = material("lamp amber", (1.0, 0.55, 0.15), emission=5.0)
    green = material("lamp green", (0.2, 1.0, 0.4), emission=4.0)
    white = material("lamp white", (1.0, 0.93, 0.80), emission=7.0)
    rail = material("handrail", (0.08, 0.22, 0.62), roughness=0.4)
    for k in range(6):
        a, b = _corner(k, OUTER * 1.17, DEPTH + 0.30), _corner(k + 1, OUTER * 1.17, DEPTH + 0.30)
        along = (b - a).normalized()
        middle = (a + b) / 2
        made.append(
            tube([middle - along * 0.34, middle + along * 0.34], 0.026, rail, at=at, segments=10)
        )
        face = at @ shapes.frame(middle * 1.02, along, -middle)
        for x in (-0.52, 0.52):
            made.append(box((0.22, 0.16, 0.05), seal, center=(x, 0, 0), at=face, bevel=0.01))
            lamps = [((x + dx, 0.03, 0.03), (0.022, 0.022, 0.012)) for dx in (-0.06, 0.0, 0.06)]
            boxes(lamps[: rng.randint(1, 3)], rng.choice((amber, green)), at=face)
        if k % 2 == 0:
            made.append(
                box((0.30, 0.035, 0.02), white, center=(0, 0.14, 0.03), at=face, bevel=0.005)
            )
    return made

"""The astronaut: a suit built of tubes and balls around a skeleton, hands brought to their grips.

Torso frame: origin at the sternum, metres; the astronaut faces -y, x points to the viewer's right
(the astronaut's left hand is at +x), z up. `build` takes the matrix torso -> world.
"""

from __future__ import annotations

import random
from math import pi, sqrt
from typing import NamedTuple

import bpy
import numpy as np
from mathutils import Matrix, Vector

from rocketman.scenes.poses import Pose
from rocketman.scenes.shapes import (
    Color,
    box,
    frame,
    lathe,
    material,
    smooth_path,
    sphere,
    torus,
    tube,
)

HEAD = Vector((0, -0.02, 0.43))
SHOULDER = Vector((0.27, 0.0, 0.16))
HIP = Vector((0.13, 0.0, -0.5))
UPPER_ARM, FOREARM = 0.34, 0.32
THIGH, SHIN = 0.46, 0.46


class Cloth(NamedTuple):
    """Colours of a suit, linear RGB."""

    fabric: Color
    accent: Color
    glove: Color


CLOTHS = {
    "white": Cloth((0.78, 0.77, 0.74), (0.55, 0.02, 0.02), (0.62, 0.62, 0.62)),
    "orange": Cloth((0.95, 0.20, 0.01), (0.03, 0.04, 0.09), (0.05, 0.05, 0.07)),
    "blue": Cloth((0.015, 0.11, 0.62), (0.85, 0.62, 0.08), (0.05, 0.06, 0.10)),
    "red": Cloth((0.58, 0.008, 0.012), (0.80, 0.80, 0.78), (0.70, 0.70, 0.70)),
    "grey": Cloth((0.22, 0.22, 0.23), (0.02, 0.08, 0.4), (0.30, 0.30, 0.31)),
}


class _Surfaces(NamedTuple):
    fabric: bpy.types.Material
    accent: bpy.types.Material
    glove: bpy.types.Material
    shell: bpy.types.Material
    visor: bpy.types.Material
    steel: bpy.types.Material
    dark: bpy.types.Material


def build(suit: str, pose: Pose, at: Matrix, rng: random.Random) -> None:
    """An astronaut in one of the suits and in a pose from `poses.py`; `at`: torso -> world."""
    cloth = CLOTHS[suit]
    surfaces = _Surfaces(
        fabric=material("fabric", cloth.fabric, roughness=0.85, bump=0.35, bump_scale=14),
        accent=material("accent", cloth.accent, roughness=0.7),
        glove=material("glove", cloth.glove, roughness=0.75, bump=0.2, bump_scale=40),
        shell=material("shell", (0.80, 0.80, 0.80), roughness=0.25, coat=0.5),
        visor=material("visor", (1.0, 0.60, 0.16), roughness=0.06, metallic=1.0),
        steel=material("steel", (0.55, 0.56, 0.58), roughness=0.3, metallic=1.0),
        dark=material("dark", (0.03, 0.03, 0.035), roughness=0.5),
    )
    _torso(surfaces, at)
    _helmet(surfaces, at)
    _pack(surfaces, at)
    for arm in pose.arms:
        _arm(arm.side, arm.wrist, surfaces, at)
        _leg(arm.side, rng, surfaces, at)


def _mirror(point: Vector, side: int) -> Vector:
    return Vector((side * point.x, point.y, point.z))


def _folds(base: np.ndarray, count: int, depth: float) -> np.ndarray:
    """Radii of a sleeve: `count` soft folds over its length."""
    along = np.linspace(0, 1, len(base))
    wave = np.abs(np.sin(along * count * pi)) ** 0.7
    result: np.ndarray = base * (1 - depth + depth * wave)
    return result


def _joint(root: Vector, end: Vector, a: float, b: float, hint: Vector) -> tuple[Vector, Vector]:
    """Middle joint and end of a two-bone limb; `end` is pulled in where it is out of reach.

    The joint bends towards `hint`: law of cosines in the plane of root, end and hint.
    """
    reach = end - root
    distance = min(max(reach.length, abs(a - b) + 0.02), a + b - 0.005)
    axis = reach.normalized()
    along = (a * a - b * b + distance * distance) / (2 * distance)
    out = (hint - axis * hint.dot(axis)).normalized()
    joint = root + axis * along + out * sqrt(max(a * a - along * along, 0.0))
    return joint, root + axis * distance


def _torso(s: _Surfaces, at: Matrix) -> None:
    oval = at @ Matrix.Diagonal((1.0, 0.78, 1.0, 1.0))
    outline = [
        (0.0, -0.62),
        (0.17, -0.60),
        (0.255, -0.52),
        (0.265, -0.42),
        (0.245, -0.34),
        (0.262, -0.28),
        (0.252, -0.22),
        (0.275, -0.14),
        (0.305, -0.02),
        (0.315, 0.08),
        (0.295, 0.17),
        (0.22, 0.235),
        (0.17, 0.25),
        (0.0, 0.25),
    ]
    lathe(outline, s.fabric, at=oval, segments=40)
    torus(0.262, 0.022, s.accent, at=oval @ Matrix.Translation((0, 0, -0.37)))
    # Chest control unit with its dials, and the two straps that hold it.
    box((0.25, 0.08, 0.15), s.shell, center=(0, -0.255, -0.03), at=at, bevel=0.012)
    for x, surface in ((-0.07, s.accent), (0.0, s.dark), (0.07, s.steel)):
        dial = frame((x, -0.297, -0.045), (1, 0, 0), (0, -1, 0))
        lathe([(0.021, 0.0), (0.021, 0.014), (0.0, 0.014)], surface, at=at @ dial, segments=16)
    box((0.19, 0.012, 0.028), s.dark, center=(0, -0.297, 0.015), at=at)
    for side in (-1, 1):
        strap = [(0.13, -0.245, 0.05), (0.155, -0.20, 0.16), (0.17, -0.08, 0.235)]
        tube(
            smooth_path([(side * x, y, z) for x, y, z in strap]),
            0.024, s.accent, at=at, segments=8, flatten=0.6,
        )  # fmt: skip
        hose = [
            (0.10, -0.26, -0.08),
            (0.19, -0.30, -0.16),
            (0.26, -0.20, -0.20),
            (0.27, 0.0, -0.14),
        ]
        tube(
            smooth_path([(side * x, y, z) for x, y, z in hose]),
            0.017, s.steel if side < 0 else s.dark, at=at, segments=10,
        )  # fmt: skip


def _helmet(s: _Surfaces, at: Matrix) -> None:
    torus(0.185, 0.030, s.steel, at=at @ Matrix.Translation((0, -0.01, 0.245)))
    sphere((0.245, 0.255, 0.255), s.shell, center=HEAD, at=at, segments=40)
    # The visor bulges out of the shell; a rim follows the curve where they meet.
    sphere(
        (0.205, 0.20, 0.165), s.visor, center=HEAD + Vector((0, -0.088, 0.0)), at=at, segments=48
    )
    angle = np.linspace(0, 2 * pi, 49)
    rim = np.stack(
        [0.208 * np.cos(angle), -0.098 - 0.045 * np.abs(np.sin(angle)), 0.172 * np.sin(angle)],
        axis=1,
    )
    tube(rim + np.array(HEAD), 0.021, s.shell, at=at, segments=10)
    for side in (-1, 1):
        lamp = frame(HEAD + Vector((side * 0.235, -0.06, 0.09)), (0, 0, 1), (0, -1, 0))
        lathe([(0.034, -0.05), (0.038, 0.03), (0.03, 0.035), (0.0, 0.035)], s.steel, at=at @ lamp)


def _pack(s: _Surfaces, at: Matrix) -> None:
    box((0.52, 0.22, 0.74), s.shell, center=(0, 0.31, -0.03), at=at, bevel=0.05)
    box((0.36, 0.18, 0.10), s.shell, center=(0, 0.30, 0.40), at=at, bevel=0.03)
    box((0.54, 0.10, 0.05), s.accent, center=(0, 0.31, 0.20), at=at, bevel=0.01)


def _arm(side: int, at_wrist: np.ndarray, s: _Surfaces, at: Matrix) -> None:
    shoulder, hand = _mirror(SHOULDER, side), Vector(at_wrist.tolist())
    elbow, wrist = _joint(shoulder, hand, UPPER_ARM, FOREARM, Vector((side * 0.9, 0.35, -0.75)))
    inside = shoulder - Vector((side * 0.06, 0, -0.01))
    path = smooth_path([inside, shoulder, shoulder.lerp(elbow, 0.55), elbow,
                        elbow.lerp(wrist, 0.45), wrist], 8)  # fmt: skip
    radii = np.interp(np.linspace(0, 1, len(path)), [0, 0.2, 0.5, 1], [0.135, 0.125, 0.105, 0.082])
    tube(path, _folds(radii, 11, 0.10), s.fabric, at=at, segments=20)
    forearm = (wrist - elbow).normalized()
    across = Vector((0, 0, 1)) if abs(forearm.z) < 0.9 else Vector((1, 0, 0))
    cuff = frame(wrist, forearm.cross(across), forearm)
    torus(0.078, 0.020, s.steel, at=at @ cuff, segments=24)
    band = frame(shoulder.lerp(elbow, 0.55), forearm.cross(across), elbow - shoulder)
    torus(0.104, 0.020, s.accent, at=at @ band, segments=24)
    _glove(side, wrist, cuff, s, at)


def _glove(side: int, wrist: Vector, cuff: Matrix, s: _Surfaces, at: Matrix) -> None:
    """Palm, four curled fingers and a thumb, in the frame of the cuff (z along the forearm)."""
    hand = at @ cuff
    sphere((0.060, 0.052, 0.078), s.glove, center=(0, 0, 0.062), at=hand, segments=20)
    for k in range(4):
        x = -0.045 + 0.030 * k
        finger = [(x, -0.012, 0.10), (x, -0.030, 0.150), (x * 0.95, 0.012, 0.175)]
        tube(smooth_path(finger, 4), 0.020, s.glove, at=hand, segments=8)
    thumb = [(-side * 0.045, 0.01, 0.05), (-side * 0.078, 0.02, 0.09), (-side * 0.066, 0.03, 0.13)]
    tube(smooth_path(thumb, 4), 0.021, s.glove, at=hand, segments=8)


def _leg(side: int, rng: random.Random, s: _Surfaces, at: Matrix) -> None:
    hip = _mirror(HIP, side)
    foot = hip + Vector((side * rng.uniform(0.02, 0.16), rng.uniform(-0.05, 0.3), -0.84))
    foot.z += rng.uniform(0.0, 0.14)
    knee, ankle = _joint(hip, foot, THIGH, SHIN, Vector((side * 0.25, -1, 0)))
    path = smooth_path([hip + Vector((0, 0, 0.06)), hip.lerp(knee, 0.5), knee,
                        knee.lerp(ankle, 0.5), ankle], 9)  # fmt: skip
    radii = np.interp(np.linspace(0, 1, len(path)), [0, 0.45, 1], [0.158, 0.128, 0.108])
    tube(path, _folds(radii, 12, 0.09), s.fabric, at=at, segments=20)
    shin = (ankle - knee).normalized()
    band = frame(hip.lerp(knee, 0.62), Vector((1, 0, 0)), knee - hip)
    torus(0.128, 0.022, s.accent, at=at @ band, segments=24)
    boot = at @ frame(ankle, Vector((1, 0, 0)), -shin)
    torus(0.105, 0.022, s.steel, at=boot, segments=24)
    sphere((0.105, 0.165, 0.11), s.shell, center=(0, -0.05, -0.07), at=boot, segments=24)
    sphere((0.112, 0.175, 0.05), s.dark, center=(0, -0.05, -0.14), at=boot, segments=24)

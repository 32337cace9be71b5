"""Where everything stands in a scene: astronaut, instrument, camera. Plain numbers, without bpy.

Reads a `Scene` and the hold tables; gives matrices that `render.py` builds from. The astronaut's
sternum is the world's origin, unless an instrument floats beside it or is alone.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from math import cos, radians, sin

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rocketman.scenes import poses
from rocketman.scenes.all_holds import HOLDS
from rocketman.scenes.camera import Camera, Points, aim
from rocketman.scenes.holds import Hold, Matrix4
from rocketman.scenes.spec import Scene

HELMET = 0.31
"""Radius of the helmet with what stands out from it (a camera, lamps, a crest), metres."""
HAND = 0.10
"""Radius of a ball around the palm that holds the whole hand."""
BESIDE = (0.95, 1.40)
"""An instrument beside an astronaut is scaled so that its longest side lies in this range."""


def shifted(by: ArrayLike) -> Matrix4:
    """A shift."""
    made = np.eye(4)
    made[:3, 3] = by
    return made


def turned(yaw: float, pitch: float, roll: float) -> Matrix4:
    """A turn by pitch about x, then roll about y, then yaw about z, degrees."""
    p, r, y = radians(pitch), radians(roll), radians(yaw)
    about_x = np.array([[1, 0, 0], [0, cos(p), -sin(p)], [0, sin(p), cos(p)]])
    about_y = np.array([[cos(r), 0, sin(r)], [0, 1, 0], [-sin(r), 0, cos(r)]])
    about_z = np.array([[cos(y), -sin(y), 0], [sin(y), cos(y), 0], [0, 0, 1]])
    made = np.eye(4)
    made[:3, :3] = about_z @ about_y @ about_x
    return made


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A scene with everything in its place, world frame, metres."""

    camera: Camera
    body: Matrix4 | None
    """Torso frame to world."""
    pose: poses.Pose | None
    instrument: Matrix4 | None
    """Instrument frame to world."""
    must: Points
    """(N, 3) what may not be cut off: the helmet, the instrument, the hands that hold it."""


def stage(scene: Scene) -> Stage:
    """Place everything that `scene` asks for."""
    rng = random.Random(f"pose {scene.variant}")
    name = scene.factors.instrument
    hold = HOLDS[name] if name else None
    body = pose = instrument = None
    free_yaw = -28 + 56 * scene.yaw
    match scene.factors.relation:
        case "instrument alone":
            assert hold
            turn = turned(free_yaw, scene.pitch, scene.tilt * 1.3)
            instrument = turn @ shifted(-middle(hold))
        case "astronaut alone":
            pose = poses.floating(rng)
            body = turned(free_yaw, scene.pitch, scene.roll * 1.5)
        case "beside":
            assert hold
            pose = poses.floating(rng)
            body = turned(free_yaw + scene.side * 12, scene.pitch, scene.roll)
            instrument = _beside(scene, hold, body, pose)
        case _:
            assert hold
            pose = poses.playing(hold, rng)
            low, high = hold.yaw
            body = turned(low + (high - low) * scene.yaw, scene.pitch, scene.roll)
            instrument = body @ hold.held
    must = np.concatenate(_must(scene, hold, body, pose, instrument))
    focus = must if body is None else _ball(at(body, poses.HEAD), 0.0)
    return Stage(
        camera=aim(scene, must, focus), body=body, pose=pose, instrument=instrument, must=must
    )


def _beside(scene: Scene, hold: Hold, body: Matrix4, pose: poses.Pose) -> Matrix4:
    """The instrument floats clear of the astronaut's arms and legs, a little in front."""
    size = float(np.max(np.abs(np.subtract(hold.high, hold.low))))
    scale = min(max(1.0, BESIDE[0] / size), BESIDE[1] / size)
    turn = turned((-28 + 56 * scene.yaw) * 0.8, scene.pitch, scene.tilt)
    turn = turn @ np.diag([scale, scale, scale, 1.0]) @ shifted(-middle(hold))
    limbs = [pose.arms[0].palm, pose.arms[1].palm, pose.arms[0].elbow, pose.arms[1].elbow]
    limbs += [pose.legs[0].knee, pose.legs[1].knee, pose.legs[0].ankle, pose.legs[1].ankle]
    reach = max(scene.side * float(at(body, limb)[0]) for limb in limbs) + 0.12
    corners = box(hold, turn)
    near = float((scene.side * corners[:, 0]).min())
    return shifted((scene.side * (reach - near), -0.10, -0.06)) @ turn


def _must(
    scene: Scene,
    hold: Hold | None,
    body: Matrix4 | None,
    pose: poses.Pose | None,
    instrument: Matrix4 | None,
) -> list[Points]:
    """What the picture may not cut off, in groups; wider shots ask for more of the body."""
    groups = []
    if hold is not None and instrument is not None:
        groups.append(box(hold, instrument))
    if body is None or pose is None:
        return groups
    groups.append(_ball(at(body, pose.head[:3, 3]), HELMET))
    if scene.factors.relation == "playing":
        groups += [_ball(at(body, arm.palm), HAND) for arm in pose.arms]
    low = -0.22 if scene.shot == "close" else -0.62
    groups += [_ball(at(body, (x, 0.0, low)), 0.0) for x in (-0.36, 0.36)]
    if scene.shot == "wide":
        groups += [_ball(at(body, leg.ankle), 0.20) for leg in pose.legs]
        groups += [_ball(at(body, leg.knee), 0.13) for leg in pose.legs]
    if scene.shot != "close":
        groups += [_ball(at(body, arm.palm), 0.16) for arm in pose.arms]
    return groups


def middle(hold: Hold) -> NDArray[np.float64]:
    """(3,) centre of the instrument's box, in its own frame."""
    result: NDArray[np.float64] = (np.array(hold.low) + np.array(hold.high)) / 2
    return result


def box(hold: Hold, placed: Matrix4) -> Points:
    """(8, 3) corners of the instrument's box in the world."""
    ends = np.array([hold.low, hold.high])
    corners = np.stack(np.meshgrid(*ends.T, indexing="ij"), axis=-1).reshape(-1, 3)
    result: Points = corners @ placed[:3, :3].T + placed[:3, 3]
    return result


def at(matrix: Matrix4, point: ArrayLike) -> NDArray[np.float64]:
    """(3,) a point carried into the world."""
    result: NDArray[np.float64] = matrix[:3, :3] @ np.asarray(point, float) + matrix[:3, 3]
    return result


def _ball(center: NDArray[np.float64], radius: float) -> Points:
    """(8, 3) corners of the cube around a ball: a little more than its outline."""
    signs = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
    return center + radius * 0.8 * signs

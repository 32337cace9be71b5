"""Poses: where every joint of the astronaut is, so that hands meet what they hold. Without bpy.

Reads a `Hold` (grips in the instrument's frame) or nothing; gives a `Pose` of plain points and
frames in the torso frame (see `holds.py`). `astronaut.py` draws it, the tests measure it.
Arms and legs are two bones of fixed length (law of cosines); what is left free, the swing of an
elbow or knee around the line from root to end, is searched for the most natural place that
touches neither the body nor the instrument.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from math import cos, radians, sin, sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rocketman.scenes.holds import Capsule, Fingers, Grip, Hold

Vec = NDArray[np.float64]
"""(3,) a point or a direction, metres, torso frame."""
Frame = NDArray[np.float64]
"""(4, 4) affine: columns are the axes and the origin."""
Curl = Fingers | Literal["relaxed", "open", "point", "fist"]

HEAD = (0.0, -0.02, 0.43)
SHOULDER = (0.265, 0.0, 0.155)
HIP = (0.125, 0.0, -0.50)
UPPER_ARM, FOREARM = 0.345, 0.335
THIGH, SHIN = 0.47, 0.47
PALM_ALONG, PALM_DEEP = 0.095, 0.036
"""From wrist to the palm's surface: along the fingers, and out of the palm."""
SHRUG = 0.05
"""How far a shoulder comes along when the hand is far away, metres."""


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One arm; `side` is -1 for the astronaut's right (at -x), 1 for the left."""

    side: int
    shoulder: Vec
    elbow: Vec
    wrist: Vec
    hand: Frame
    """At the wrist: z along the fingers, y out of the back of the hand, x to the thumb's side of a
    right hand (away from the thumb on a left one)."""
    curl: Curl

    @property
    def palm(self) -> Vec:
        """Centre of the palm's surface: what touches the instrument."""
        return self.wrist + self.hand[:3, 2] * PALM_ALONG - self.hand[:3, 1] * PALM_DEEP


@dataclass(frozen=True, kw_only=True)
class Leg:
    side: int
    hip: Vec
    knee: Vec
    ankle: Vec
    foot: Frame
    """At the ankle: z up the shin's end, -y towards the toes."""


@dataclass(frozen=True, kw_only=True)
class Pose:
    """All joints, metres, torso frame."""

    right: Arm
    left: Arm
    right_leg: Leg
    left_leg: Leg
    head: Frame
    """At the helmet's centre: -y is where the visor looks."""

    @property
    def arms(self) -> tuple[Arm, Arm]:
        return self.right, self.left

    @property
    def legs(self) -> tuple[Leg, Leg]:
        return self.right_leg, self.left_leg


BODY = (
    Capsule(start=(0.0, 0.0, -0.40), end=(0.0, 0.0, 0.02), radius=0.19),
    Capsule(start=(-0.06, 0.0, 0.06), end=(0.06, 0.0, 0.06), radius=0.19),
    Capsule(start=HEAD, end=HEAD, radius=0.24),
    Capsule(start=(-0.14, 0.31, -0.30), end=(-0.14, 0.31, 0.24), radius=0.10),
    Capsule(start=(0.14, 0.31, -0.30), end=(0.14, 0.31, 0.24), radius=0.10),
)
"""Torso, helmet and pack, a little inside their surfaces: no limb passes through them."""


def vec(x: object) -> Vec:
    return np.asarray(x, dtype=np.float64)


def unit(v: Vec) -> Vec:
    result: Vec = v / (np.linalg.norm(v) + 1e-12)
    return result


def gap(a: Vec, b: Vec, c: Vec, d: Vec) -> float:
    """Shortest distance between the segments a-b and c-d (Ericson, Real-Time Collision, 5.1.9)."""
    u, v, w = b - a, d - c, a - c
    uu, vv, uv = float(u @ u), float(v @ v), float(u @ v)
    uw, vw = float(u @ w), float(v @ w)
    if uu < 1e-12 and vv < 1e-12:
        return float(np.linalg.norm(w))
    if uu < 1e-12:
        s, t = 0.0, min(max(vw / vv, 0.0), 1.0)
    elif vv < 1e-12:
        s, t = min(max(-uw / uu, 0.0), 1.0), 0.0
    else:
        below = uu * vv - uv * uv
        s = min(max((uv * vw - uw * vv) / below, 0.0), 1.0) if below > 1e-12 else 0.0
        t = (uv * s + vw) / vv
        if t < 0.0:
            s, t = min(max(-uw / uu, 0.0), 1.0), 0.0
        elif t > 1.0:
            s, t = min(max((uv - uw) / uu, 0.0), 1.0), 1.0
    return float(np.linalg.norm(w + u * s - v * t))


def depth(start: Vec, end: Vec, radius: float, solids: tuple[Capsule, ...]) -> float:
    """How deep a limb (a thick line) is inside the solids, summed, metres."""
    return sum(
        max(0.0, radius + c.radius - gap(start, end, vec(c.start), vec(c.end))) for c in solids
    )


def moved(solids: tuple[Capsule, ...], by: Frame) -> tuple[Capsule, ...]:
    """The capsules in another frame; their radii grow with the frame's scale."""
    scale = float(abs(np.linalg.det(by[:3, :3])) ** (1 / 3))

    def point(p: tuple[float, float, float]) -> tuple[float, float, float]:
        x, y, z = (by[:3, :3] @ vec(p) + by[:3, 3]).tolist()
        return x, y, z

    return tuple(
        Capsule(start=point(c.start), end=point(c.end), radius=c.radius * scale) for c in solids
    )


def bend(root: Vec, end: Vec, a: float, b: float, towards: Vec) -> Vec:
    """The joint between two bones of lengths a and b, bent towards a direction; end in reach."""
    axis = end - root
    distance = float(np.linalg.norm(axis))
    axis = axis / distance
    along = (a * a - b * b + distance * distance) / (2 * distance)
    out = unit(towards - axis * float(axis @ towards))
    result: Vec = root + axis * along + out * sqrt(max(a * a - along * along, 0.0))
    return result


def _frame(origin: Vec, fingers: Vec, palm: Vec) -> Frame:
    """The hand's frame at its wrist."""
    z = unit(fingers - unit(palm) * float(fingers @ unit(palm)))
    made = np.eye(4)
    made[:3, 2], made[:3, 1] = z, -unit(palm)
    made[:3, 0] = np.cross(made[:3, 1], z)
    made[:3, 3] = origin
    return made


def _arm(
    side: int, palm_at: Vec, palm: Vec, fingers: Vec, curl: Curl, solids: tuple[Capsule, ...] = ()
) -> Arm:
    """The arm that brings a palm to a point. Fingers turn a little where the wrist asks for it."""
    hand = _frame(palm_at, fingers, palm)
    wrist = palm_at - hand[:3, 2] * PALM_ALONG + hand[:3, 1] * PALM_DEEP
    shoulder = vec((side * SHOULDER[0], SHOULDER[1], SHOULDER[2]))
    reach = wrist - shoulder
    distance = float(np.linalg.norm(reach))
    longest = UPPER_ARM + FOREARM - 0.012
    # The shoulder comes along with a far hand; what is still out of reach stays out of reach.
    shrug = min(max(distance - 0.50, 0.0) * 0.5, SHRUG)
    shoulder = shoulder + reach / distance * shrug
    reach = wrist - shoulder
    distance = float(np.linalg.norm(reach))
    if distance > longest:
        wrist = shoulder + reach * (longest / distance)
    elif distance < 0.16:
        wrist = shoulder + reach * (0.16 / distance)
    hand[:3, 3] = wrist
    natural = vec((side * 0.85, 0.30, -0.80))
    axis = unit(wrist - shoulder)
    flat = unit(natural - axis * float(axis @ natural))
    other = np.cross(axis, flat)
    best, best_cost = None, 1e9
    for k in range(24):
        # 0, 15, -15, 30, -30, ... degrees from where the elbow falls by itself.
        angle = radians(15.0 * ((k + 1) // 2) * (1 if k % 2 else -1))
        elbow = bend(shoulder, wrist, UPPER_ARM, FOREARM, flat * cos(angle) + other * sin(angle))
        cost = 0.10 * abs(angle)
        # A wrist bends: fingers that fold back against the forearm cost more than a raised elbow.
        straight = float(unit(wrist - elbow) @ hand[:3, 2])
        cost += 0.30 * max(0.0, 0.45 - straight)
        middle = shoulder + (elbow - shoulder) * 0.45
        walls = BODY + solids
        cost += 6.0 * depth(middle, elbow, 0.085, walls)
        cost += 6.0 * depth(elbow, elbow + (wrist - elbow) * 0.92, 0.07, walls)
        if cost < best_cost:
            best, best_cost = elbow, cost
    assert best is not None
    return Arm(side=side, shoulder=shoulder, elbow=best, wrist=wrist, hand=hand, curl=curl)


def _grip(side: int, grip: Grip, held: Frame, solids: tuple[Capsule, ...]) -> Arm:
    turn = held[:3, :3]
    at = turn @ vec(grip.at) + held[:3, 3]
    return _arm(side, at, turn @ vec(grip.palm), turn @ vec(grip.fingers), grip.curl, solids)


def _look(direction: Vec) -> Frame:
    """The head that looks along a direction, as far as a neck ring lets it."""
    x, y, z = unit(direction)
    yaw = min(max(float(np.arctan2(x, -y)), -radians(38)), radians(38))
    pitch = min(max(float(np.arctan2(z, sqrt(x * x + y * y))), -radians(24)), radians(24))
    about_z = np.array([[cos(yaw), -sin(yaw), 0], [sin(yaw), cos(yaw), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, cos(pitch), sin(pitch)], [0, -sin(pitch), cos(pitch)]])
    made = np.eye(4)
    made[:3, :3] = about_z @ about_x
    # The helmet turns about the neck ring, below its centre.
    neck = vec((0.0, 0.0, 0.25))
    made[:3, 3] = neck + made[:3, :3] @ (vec(HEAD) - neck)
    return made


def _leg(side: int, knee_way: Vec, shin_way: Vec, toe_way: Vec) -> Leg:
    """A leg by the directions of its thigh, its shin and its toes."""
    hip = vec((side * HIP[0], HIP[1], HIP[2]))
    knee = hip + unit(knee_way) * THIGH
    ankle = knee + unit(shin_way) * SHIN
    foot = np.eye(4)
    up = -unit(shin_way)
    toes = unit(toe_way)
    # An ankle bends, but the foot stays within what a boot allows.
    z = unit(up - toes * float(up @ toes) * 0.999)
    y = -unit(toes - z * float(toes @ z))
    foot[:3, 0], foot[:3, 1], foot[:3, 2], foot[:3, 3] = np.cross(y, z), y, z, ankle
    return Leg(side=side, hip=hip, knee=knee, ankle=ankle, foot=foot)


def _swing(side: int, forward: float, out: float) -> Vec:
    """A direction from straight down: degrees forward (-y) and outwards."""
    f, o = radians(forward), radians(out)
    return vec((side * sin(o), -sin(f) * cos(o), -cos(f) * cos(o)))


def _legs(rng: random.Random) -> tuple[Leg, Leg]:
    """Legs as they float: knees a little bent, one more than the other."""
    legs = []
    lead = rng.choice((-1, 1))
    for side in (-1, 1):
        thigh = rng.uniform(22, 52) if side == lead else rng.uniform(2, 24)
        knee = rng.uniform(28, 75) if side == lead else rng.uniform(14, 50)
        out = rng.uniform(4, 17)
        shin = _swing(side, thigh - knee, out * rng.uniform(0.2, 0.9))
        toes = _swing(side, thigh - knee + rng.uniform(48, 78), rng.uniform(4, 16))
        legs.append(_leg(side, _swing(side, thigh, out), shin, toes))
    return legs[0], legs[1]


def _seat(spread: float, rng: random.Random) -> tuple[Leg, Leg]:
    """Legs as on a stool: thighs forward, shins down, knees apart by `spread` more."""
    legs = []
    for side in (-1, 1):
        out = 12 + 90 * spread / THIGH * 0.55 + rng.uniform(-2, 2)
        thigh = rng.uniform(74, 82)
        shin = _swing(side, rng.uniform(-12, 6), rng.uniform(0, 5))
        toes = _swing(side, rng.uniform(80, 90), rng.uniform(8, 18))
        legs.append(_leg(side, _swing(side, thigh, out), shin, toes))
    return legs[0], legs[1]


def playing(hold: Hold, rng: random.Random) -> Pose:
    """The pose in which an instrument is held as `hold` says; `rng` draws what is left free."""
    held = vec(hold.held)
    solids = moved(hold.solid, held)
    right_leg, left_leg = _seat(hold.spread, rng) if hold.seated else _legs(rng)
    gaze = unit(vec(hold.gaze)) + vec((rng.gauss(0, 0.05), 0.0, rng.gauss(0, 0.04)))
    return Pose(
        right=_grip(-1, hold.right, held, solids),
        left=_grip(1, hold.left, held, solids),
        right_leg=right_leg,
        left_leg=left_leg,
        head=_look(gaze),
    )


def reaching(right: Vec, left: Vec, rng: random.Random) -> Pose:
    """Both palms at given points, palms inwards: for what has no grips yet."""
    arms = []
    for side, at in ((-1, right), (1, left)):
        shoulder = vec((side * SHOULDER[0], SHOULDER[1], SHOULDER[2]))
        fingers = unit(at - shoulder) + vec((-side * 0.3, 0, 0.2))
        arms.append(_arm(side, at, vec((-side * 0.7, 0.1, -0.6)), fingers, "wrap"))
    legs = _legs(rng)
    return Pose(
        right=arms[0], left=arms[1], right_leg=legs[0], left_leg=legs[1],
        head=_look(vec((0, -1, -0.1))),
    )  # fmt: skip


def floating(rng: random.Random) -> Pose:
    """An astronaut with free hands."""
    arms = []
    for side in (-1, 1):
        at = vec((side * rng.uniform(0.48, 0.72), -rng.uniform(0.2, 0.4), rng.uniform(-0.3, 0.35)))
        arms.append(
            _arm(side, at, vec((-side * 0.6, -0.1, -0.7)), vec((side * 0.3, -1, 0.1)), "relaxed")
        )
    legs = _legs(rng)
    gaze = vec((rng.gauss(0, 0.3), -1, rng.gauss(0, 0.15)))
    return Pose(
        right=arms[0], left=arms[1], right_leg=legs[0], left_leg=legs[1], head=_look(gaze)
    )  # fmt: skip

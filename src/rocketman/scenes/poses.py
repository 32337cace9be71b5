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
ROOT = 0.55
"""Share of the upper arm that belongs to the shoulder, where it leaves the trunk."""
SWINGS = tuple(15.0 * ((k + 1) // 2) * (1 if k % 2 else -1) for k in range(24))
"""Degrees from where an elbow falls by itself: 0, 15, -15, 30, ..."""
TURNS = (0.0, 12.0, -12.0, 25.0, -25.0)
"""Degrees that fingers may turn about the palm's axis."""


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
    Capsule(start=(0.0, 0.0, -0.40), end=(0.0, 0.0, 0.02), radius=0.175),
    Capsule(start=(-0.07, 0.0, 0.06), end=(0.07, 0.0, 0.06), radius=0.175),
    Capsule(start=HEAD, end=HEAD, radius=0.24),
    Capsule(start=(-0.14, 0.31, -0.30), end=(-0.14, 0.31, 0.24), radius=0.10),
    Capsule(start=(0.14, 0.31, -0.30), end=(0.14, 0.31, 0.24), radius=0.10),
)
"""Torso, helmet and pack, inside their surfaces by what cloth gives: no limb passes through."""


def vec(x: object) -> Vec:
    return np.asarray(x, dtype=np.float64)


def unit(v: Vec) -> Vec:
    result: Vec = v / (np.linalg.norm(v, axis=-1, keepdims=True) + 1e-12)
    return result


def gaps(a: Vec, b: Vec, c: Vec, d: Vec) -> Vec:
    """Shortest distances between segments a-b and c-d, any shapes (..., 3) that go together.

    Ericson, Real-Time Collision Detection, 5.1.9: the clamped nearest points of two lines.
    """
    u, v, w = b - a, d - c, a - c
    uu, vv, uv = (u * u).sum(-1) + 1e-12, (v * v).sum(-1) + 1e-12, (u * v).sum(-1)
    uw, vw = (u * w).sum(-1), (v * w).sum(-1)
    s = np.clip((uv * vw - uw * vv) / np.maximum(uu * vv - uv * uv, 1e-12), 0, 1)
    t = np.clip((uv * s + vw) / vv, 0, 1)
    s = np.clip((uv * t - uw) / uu, 0, 1)
    result: Vec = np.linalg.norm(w + u * s[..., None] - v * t[..., None], axis=-1)
    return result


def depth(start: Vec, end: Vec, radius: float, solids: tuple[Capsule, ...]) -> Vec:
    """How deep limbs (thick lines, (..., 3) to (..., 3)) are inside the solids, summed, metres."""
    if not solids:
        return np.zeros(np.shape(start)[:-1])
    ends = np.array([(c.start, c.end) for c in solids])
    walls = np.array([c.radius for c in solids])
    apart = gaps(start[..., None, :], end[..., None, :], ends[:, 0], ends[:, 1])
    result: Vec = np.maximum(0.0, radius + walls - apart).sum(-1)
    return result


def moved(solids: tuple[Capsule, ...], by: Frame) -> tuple[Capsule, ...]:
    """The capsules in another frame; their radii grow with the frame's scale."""
    scale = float(abs(np.linalg.det(by[:3, :3])) ** (1 / 3))

    def point(p: tuple[float, float, float]) -> tuple[float, float, float]:
        x, y, z = (by[:3, :3] @ vec(p) + by[:3, 3]).tolist()
        return x, y, z

    return tuple(
        Capsule(start=point(c.start), end=point(c.end), radius=c.radius * scale) for c in solids
    )


def _arm(
    side: int, palm_at: Vec, palm: Vec, fingers: Vec, curl: Curl, solids: tuple[Capsule, ...] = ()
) -> Arm:
    """The arm that brings a palm exactly to a point.

    Two things are searched: the swing of the elbow about the line from shoulder to wrist, and a
    turn of the fingers about the palm's own axis where a wrist would otherwise break.
    """
    back = -unit(palm)
    straight = unit(fingers - back * float(fingers @ back))
    across = np.cross(back, straight)
    turn = np.radians(TURNS)[:, None]
    z = straight * np.cos(turn) + across * np.sin(turn)
    wrist = palm_at - z * PALM_ALONG + back * PALM_DEEP
    shoulder = vec((side * SHOULDER[0], SHOULDER[1], SHOULDER[2]))
    reach = wrist - shoulder
    distance = np.linalg.norm(reach, axis=-1, keepdims=True)
    # The shoulder comes along with a far hand.
    shoulder = shoulder + reach / distance * np.clip((distance - 0.48) * 0.5, 0, SHRUG)
    reach = wrist - shoulder
    distance = np.linalg.norm(reach, axis=-1, keepdims=True)
    axis = reach / distance
    # Out of reach stays out of reach: bones keep their length, and the tests tell.
    reached = np.clip(distance, 0.20, UPPER_ARM + FOREARM - 0.004)
    missed = np.abs(distance - reached)
    wrist = shoulder + axis * reached
    natural = vec((side * 0.85, 0.30, -0.80))
    flat = unit(natural - axis * (axis @ natural)[:, None])
    other = np.cross(axis, flat)
    along = (UPPER_ARM**2 - FOREARM**2 + reached**2) / (2 * reached)
    off = np.sqrt(np.maximum(UPPER_ARM**2 - along**2, 0.0))
    swing = np.radians(SWINGS)[None, :, None]
    way = flat[:, None] * np.cos(swing) + other[:, None] * np.sin(swing)
    elbow = (shoulder + axis * along)[:, None] + way * off[:, None]
    root, end = np.broadcast_arrays(shoulder[:, None], elbow)[0], wrist[:, None]
    forearm = unit(end - elbow)
    bent = np.arccos(np.clip((forearm * z[:, None]).sum(-1), -1, 1))
    walls = BODY + solids
    cost = 0.12 * np.abs(swing[..., 0]) + 0.35 * np.abs(turn) + 40 * missed
    cost = cost + 1.2 * np.maximum(0.0, bent - radians(45)) ** 2
    cost += 14.0 * depth(root + (elbow - root) * ROOT, elbow, 0.085, walls)
    cost += 14.0 * depth(elbow, elbow + (end - elbow) * 0.92, 0.07, walls)
    cost += 4.0 * depth(end + 0 * elbow, end + z[:, None] * 0.15 + 0 * elbow, 0.03, BODY)
    i, j = np.unravel_index(int(np.argmin(cost)), cost.shape)
    hand = np.eye(4)
    hand[:3, 0], hand[:3, 1], hand[:3, 2] = np.cross(back, z[i]), back, z[i]
    hand[:3, 3] = wrist[i]
    return Arm(
        side=side, shoulder=shoulder[i], elbow=elbow[i, j], wrist=wrist[i], hand=hand, curl=curl
    )  # fmt: skip


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


def _float_legs(rng: random.Random) -> tuple[Leg, Leg]:
    """Legs as they float: knees a little bent, one more than the other."""
    legs = []
    lead = rng.choice((-1, 1))
    # Some hang long, some are drawn up, some trail behind as in a slow dive.
    low, high, knees = rng.choice(((4, 26, 34), (18, 50, 62), (-16, 8, 40), (30, 62, 84)))
    for side in (-1, 1):
        thigh = rng.uniform((low + high) / 2, high) if side == lead else rng.uniform(low, high)
        knee = rng.uniform(0.6, 1.15) * knees * (1.0 if side == lead else 0.75)
        out = rng.uniform(4, 16)
        shin = _swing(side, thigh - knee, out * rng.uniform(0.3, 1.0))
        toes = _swing(side, thigh - knee + rng.uniform(48, 78), rng.uniform(4, 16))
        legs.append(_leg(side, _swing(side, thigh, out), shin, toes))
    return legs[0], legs[1]


def _seat_legs(spread: float, rng: random.Random) -> tuple[Leg, Leg]:
    """Legs as on a stool: thighs forward, shins down, each knee `spread` further out."""
    legs = []
    for side in (-1, 1):
        out = float(np.degrees(np.arcsin(min(0.16 + spread / THIGH, 0.85)))) + rng.uniform(-3, 4)
        thigh = rng.uniform(68, 82)
        shin = _swing(side, rng.uniform(-14, 6), rng.uniform(0, 6))
        toes = _swing(side, rng.uniform(78, 90), rng.uniform(8, 22))
        legs.append(_leg(side, _swing(side, thigh, out), shin, toes))
    return legs[0], legs[1]


def _legs(
    rng: random.Random, solids: tuple[Capsule, ...], seated: bool, spread: float
) -> tuple[Leg, Leg]:
    """The first of some drawn pairs of legs that touches nothing, or the one that touches least."""
    best, best_cost = None, 1e9
    for k in range(24):
        more = spread + 0.012 * k
        pair = _seat_legs(more, rng) if seated else _float_legs(rng)
        cost = sum(leg_depth(leg, solids) for leg in pair)
        right, left = pair
        cost += max(0.0, 0.19 - float(gaps(right.knee, right.ankle, left.knee, left.ankle)))
        if cost < best_cost:
            best, best_cost = pair, cost
        if cost < 1e-3:
            break
    assert best is not None
    return best


def leg_depth(leg: Leg, solids: tuple[Capsule, ...]) -> float:
    """How deep a leg is inside solids, metres."""
    start = np.array([leg.hip + (leg.knee - leg.hip) * 0.35, leg.knee])
    return float(depth(start, np.array([leg.knee, leg.ankle]), 0.10, solids).sum())


def arm_depth(arm: Arm, solids: tuple[Capsule, ...]) -> float:
    """How deep an arm is inside solids, metres. Where it leaves the trunk is no part of it."""
    start = np.array([arm.shoulder + (arm.elbow - arm.shoulder) * ROOT, arm.elbow])
    end = np.array([arm.elbow, arm.elbow + (arm.wrist - arm.elbow) * 0.92])
    return float(depth(start, end, 0.075, solids).sum())


def _as_solids(arms: tuple[Arm, ...]) -> tuple[Capsule, ...]:
    """Forearms and hands, as what legs keep away from."""

    def point(p: Vec) -> tuple[float, float, float]:
        return float(p[0]), float(p[1]), float(p[2])

    return tuple(
        Capsule(start=point(a.elbow), end=point(a.wrist + a.hand[:3, 2] * 0.12), radius=0.06)
        for a in arms
    )


def playing(hold: Hold, rng: random.Random) -> Pose:
    """The pose in which an instrument is held as `hold` says; `rng` draws what is left free."""
    held = vec(hold.held)
    solids = moved(hold.solid, held)
    right = _grip(-1, hold.right, held, solids)
    left = _grip(1, hold.left, held, solids)
    legs = _legs(rng, (*solids, *_as_solids((right, left))), hold.seated, hold.spread)
    gaze = unit(vec(hold.gaze)) + vec((rng.gauss(0, 0.06), 0.0, rng.gauss(0, 0.04)))
    return Pose(right=right, left=left, right_leg=legs[0], left_leg=legs[1], head=_look(gaze))


@dataclass(frozen=True, kw_only=True)
class Gesture:
    """A free arm. Directions and places have x outwards, so that one entry serves both sides."""

    at: tuple[float, float, float]
    """The palm, from the shoulder."""
    palm: tuple[float, float, float]
    fingers: tuple[float, float, float]
    curl: Curl = "relaxed"
    loose: float = 0.035
    """How far it is scattered, metres."""


GESTURES = {
    "drift": Gesture(at=(0.14, -0.44, -0.20), palm=(-0.55, 0.1, -0.85), fingers=(-0.25, -1.0, 0.1),
                     loose=0.06),
    "low": Gesture(at=(0.26, -0.26, -0.42), palm=(-0.9, 0.15, -0.3), fingers=(0.05, -0.75, -0.6),
                   loose=0.06),
    "wide": Gesture(at=(0.60, -0.22, 0.02), palm=(0.0, -0.8, -0.5), fingers=(1.0, -0.35, 0.15),
                    curl="open", loose=0.07),
    "wing": Gesture(at=(0.52, -0.20, 0.30), palm=(0.1, -1.0, -0.1), fingers=(0.75, -0.2, 0.8),
                    curl="open", loose=0.06),
    "wave": Gesture(at=(0.30, -0.26, 0.42), palm=(0.0, -1.0, 0.05), fingers=(0.15, -0.1, 1.0),
                    curl="open", loose=0.04),
    "high": Gesture(at=(0.16, -0.18, 0.62), palm=(-0.2, -1.0, 0.1), fingers=(0.1, -0.1, 1.0),
                    curl="open", loose=0.03),
    "fist": Gesture(at=(0.24, -0.22, 0.46), palm=(-0.6, -0.7, 0.0), fingers=(0.05, -0.15, 1.0),
                    curl="fist", loose=0.04),
    "reach": Gesture(at=(0.06, -0.64, 0.08), palm=(-0.2, 0.0, -1.0), fingers=(0.0, -1.0, 0.15),
                     curl="open", loose=0.05),
    "offer": Gesture(at=(0.16, -0.52, -0.04), palm=(-0.15, 0.1, 1.0), fingers=(-0.1, -1.0, 0.1),
                     loose=0.05),
    "point": Gesture(at=(0.30, -0.52, 0.20), palm=(-0.7, 0.0, -0.6), fingers=(0.35, -1.0, 0.35),
                     curl="point", loose=0.05),
    "aside": Gesture(at=(0.60, -0.20, 0.22), palm=(-0.1, -0.7, -0.7), fingers=(1.0, -0.25, 0.4),
                     curl="point", loose=0.04),
    "salute": Gesture(at=(0.025, -0.25, 0.335), palm=(-0.3, -0.35, -0.9),
                      fingers=(-0.75, -0.25, 0.5), curl="flat", loose=0.0),
    "belt": Gesture(at=(0.05, -0.17, -0.50), palm=(-0.9, 0.3, -0.1), fingers=(0.1, -0.5, -0.8),
                    curl="fist", loose=0.015),
    "chest": Gesture(at=(-0.12, -0.44, -0.24), palm=(-0.35, 0.9, 0.0), fingers=(-0.9, -0.35, 0.25),
                     curl="relaxed", loose=0.02),
}  # fmt: skip

PAIRS: tuple[tuple[str, str], ...] = (
    ("drift", "drift"), ("low", "drift"), ("low", "low"), ("wide", "wide"), ("wing", "wing"),
    ("wide", "wing"), ("wave", "drift"), ("wave", "low"), ("wave", "wide"), ("high", "low"),
    ("high", "high"), ("high", "wide"), ("fist", "drift"), ("fist", "fist"), ("reach", "drift"),
    ("reach", "reach"), ("reach", "wide"), ("offer", "offer"), ("offer", "low"),
    ("point", "low"), ("point", "drift"), ("aside", "low"), ("aside", "belt"),
    ("salute", "low"), ("salute", "belt"), ("chest", "low"), ("chest", "wide"), ("belt", "belt"),
)  # fmt: skip
"""What the two arms do together; the first may be either arm."""


def _gesture(name: str, side: int, rng: random.Random) -> Arm:
    gesture = GESTURES[name]
    mirror = vec((side, 1.0, 1.0))

    def scatter(size: float) -> Vec:
        return vec((rng.gauss(0, size), rng.gauss(0, size), rng.gauss(0, size)))

    at = vec(SHOULDER) + vec(gesture.at) + scatter(gesture.loose)
    palm, fingers = vec(gesture.palm), vec(gesture.fingers)
    if gesture.loose:
        palm, fingers = palm + scatter(0.12), fingers + scatter(0.12)
    # Too far is brought into reach: a gesture has no place that it must meet.
    shoulder = vec(SHOULDER)
    way = at - shoulder
    far = float(np.linalg.norm(way))
    at = shoulder + way * min(1.0, 0.70 / far)
    return _arm(side, at * mirror, palm * mirror, fingers * mirror, gesture.curl)


def floating(rng: random.Random) -> Pose:
    """An astronaut with free hands: a gesture for each arm, legs that float, a look."""
    pair = rng.choice(PAIRS)
    lead = -1 if pair[0] == "salute" else rng.choice((-1, 1))
    names = pair if lead < 0 else pair[::-1]
    best, best_cost = None, 1e9
    for _ in range(8):
        arms = tuple(_gesture(name, side, rng) for name, side in zip(names, (-1, 1), strict=True))
        cost = sum(arm_depth(arm, BODY) for arm in arms)
        cost += sum(float(np.linalg.norm(arm.elbow)) < 0.2 for arm in arms)
        if cost < best_cost:
            best, best_cost = arms, cost
        if cost < 1e-3:
            break
    assert best is not None
    right, left = best
    legs = _legs(rng, _as_solids(best), False, 0.0)
    gaze = vec((rng.gauss(0, 0.30), -1.0, rng.gauss(0.02, 0.14)))
    if pair[0] in ("point", "aside", "reach") and rng.random() < 0.6:
        # Eyes follow the hand that points.
        gaze = unit((right if lead < 0 else left).palm - vec(HEAD))
    return Pose(right=right, left=left, right_leg=legs[0], left_leg=legs[1], head=_look(gaze))

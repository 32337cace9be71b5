"""Sleeves and trouser legs with folds that gather where a joint bends; gloves; boots.

Limbs follow the pose and are sewn anew for every picture. Gloves (one for each way to curl the
fingers) and boots are built once and kept.
Reads `poses.py` and `kit.py`. Next: `suits.py`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from math import pi, radians

import numpy as np

from rocketman.scenes.kit import EYE, Array, Kit, aimed, curve, scale, shift, swept, unit
from rocketman.scenes.poses import Arm, Curl, Leg


@dataclass(frozen=True, kw_only=True)
class Cloth:
    """How a suit's soft parts are cut. Lengths in metres."""

    arm: tuple[float, float, float]
    """Radius at shoulder, elbow and wrist."""
    leg: tuple[float, float, float]
    """Radius at hip, knee and ankle."""
    puff: float
    """Depth of the rolls that pressure blows up between the seams."""
    roll: float
    """Length of such a roll."""
    drape: float
    """Depth of the loose folds that run across and around."""
    crush: float
    """Depth of the folds on the inside of a bent joint."""
    bellows: float = 0.0
    """Depth of the convolutions of a joint that is built as a bellows."""
    seams: bool = False
    """Stitched seams along and around the limb."""
    arm_bands: tuple[tuple[float, float, str], ...] = ()
    """Stripes around an arm: from and to (share of its length), material."""
    leg_bands: tuple[tuple[float, float, str], ...] = ()


def _valley(x: Array, sharp: float = 0.55) -> Array:
    """Rolls of height 1 with narrow valleys at 0, one each unit of x."""
    result: Array = np.abs(np.sin(pi * x)) ** sharp
    return result


def folds(
    s: Array, theta: Array, joints: tuple[tuple[float, float], ...], cloth: Cloth, seed: int
) -> Array:
    """(rows, columns) how far cloth stands off its limb, metres.

    `s` (rows,) is the way along the limb, `theta` (columns,) the angle from the inside of the
    bend; `joints` are (place, how much it is bent: 0 straight, 1 a right angle and more).
    """
    rng = random.Random(seed)
    along, around = s[:, None], theta[None, :]
    height = np.zeros((len(s), len(theta)))
    # Rolls between seams; they lean and wander a little.
    wander = 0.16 * np.sin(around + rng.uniform(0, 6)) + 0.08 * np.sin(2 * around + 9 * along)
    height += cloth.puff * (_valley(along / cloth.roll + wander, 0.5) - 1)
    # Loose folds: ridges on slanted lines, strong here, faint there.
    for _ in range(5):
        length = rng.uniform(0.06, 0.15)
        turns = rng.choice((-2, -1, 1, 2))
        phase, middle = rng.uniform(0, 6.3), rng.uniform(0, 6.3)
        line = 2 * pi * along / length + turns * around + 1.2 * np.sin(around + phase)
        here = 0.5 + 0.5 * np.sin(around + middle + 7 * along * rng.uniform(0.6, 1.5))
        ridge = np.exp(-2.3 * (1 + np.cos(line)))
        height += cloth.drape * (ridge - 0.25) * here
    for place, bent in joints:
        near = np.exp(-(((along - place) / 0.075) ** 2))
        wide = np.exp(-(((along - place) / 0.11) ** 2))
        inside = 0.5 + 0.5 * np.cos(around)
        # Cloth gathers inside a bent joint in a few deep folds that fan out from the crook.
        fan = (along - place) / 0.050 * (1 + 0.25 * np.cos(around)) + 0.12 * np.sin(3 * around)
        height += cloth.crush * bent * near * inside**0.8 * (_valley(fan, 0.6) * 1.5 - 0.9)
        # On the outside it is drawn smooth over the joint, a little fuller.
        height += 0.4 * cloth.crush * bent * near * (1 - inside)
        if cloth.bellows:
            rib = _valley((along - place) / 0.034, 0.8) - 0.45
            flat = np.clip(1.5 - np.abs(along - place) / 0.085, 0, 1)
            height = height * (1 - 0.9 * flat) + cloth.bellows * flat * rib
        height *= 1 - 0.15 * wide
    return height


def _centres(points: list[Array], spacing: float) -> tuple[Array, Array, Array]:
    """A line with rounded corners, evenly sampled: (N, 3), way along (N,), way at each corner."""
    pieces = [points[0][None]]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        a, b = unit(before - corner), unit(after - corner)
        cut = min(0.09, 0.45 * float(np.linalg.norm(before - corner)),
                  0.45 * float(np.linalg.norm(after - corner)))  # fmt: skip
        t = np.linspace(0, 1, 12)[:, None]
        start, end = corner + a * cut, corner + b * cut
        pieces.append((1 - t) ** 2 * start + 2 * t * (1 - t) * corner + t**2 * end)
    pieces.append(points[-1][None])
    rough = np.concatenate(pieces)
    way = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(rough, axis=0), axis=1))])
    even = np.linspace(0, way[-1], max(int(way[-1] / spacing), 8))
    line = np.stack([np.interp(even, way, rough[:, k]) for k in range(3)], 1)
    corners = np.array(
        [even[np.argmin(np.linalg.norm(line - corner, axis=1))] for corner in points[1:-1]]
    )
    return line, even, corners


def _bent(root: Array, joint: Array, end: Array) -> float:
    """0 for a straight joint, 1 from a right angle on."""
    cosine = float(unit(joint - root) @ unit(end - joint))
    return min(max(1 - cosine, 0.0), 1.0)


def _sewn(
    kit: Kit, points: list[Array], radii: list[float], marks: list[float], inner: Array,
    joints: tuple[tuple[int, float], ...], cloth: Cloth, columns: int, spacing: float, seed: int,
    bands: tuple[tuple[float, float, str], ...], slot: str = "fabric",
) -> tuple[Array, Array]:  # fmt: skip
    """One limb's cloth; returns its surface (rows, columns, 3) and the way along it (rows,)."""
    line, s, corners = _centres(points, spacing)
    theta = np.arange(columns) * 2 * pi / columns
    base = np.interp(s / s[-1], marks, radii)
    placed = tuple((float(corners[k]), bent) for k, bent in joints)
    height = folds(s, theta, placed, cloth, seed)
    ends = np.clip(np.minimum(s, s[-1] - s) / 0.05, 0, 1)[:, None]
    height *= ends
    tone = np.clip(height / 0.016, -1, 0.3) * 0.55
    if cloth.seams:
        seam = np.exp(-((np.mod(theta + 0.4, pi) - pi / 2) ** 2) / 0.006)[None]
        height = height - 0.003 * seam
        tone = tone - 0.45 * seam
    rows = [(round(a * len(s)), round(b * len(s)), name) for a, b, name in bands]
    for a, b, _ in rows:
        # A stripe is a strip of cloth sewn on top: a hair thicker, drawn in at its seams.
        height[a:b] = height[a:b] * 0.6 + 0.003
    surface = swept(line, base[:, None] + height, columns, inner)
    kit.grid(surface, slot, tone=tone, bands=rows)
    return surface, s


def arm(kit: Kit, arm: Arm, cloth: Cloth, seed: int) -> tuple[Array, Array]:
    """A sleeve; returns its surface and the frame of its wrist ring (z along the forearm)."""
    side = np.array([arm.side, 0, 0], float)
    inside = arm.shoulder - side * 0.115 + np.array([0, 0.0, 0.02])
    way = unit(arm.wrist - arm.elbow)
    end = arm.wrist - way * 0.035
    inner = arm.shoulder + arm.wrist - 2 * arm.elbow
    bent = _bent(arm.shoulder, arm.elbow, arm.wrist)
    raised = _bent(inside, arm.shoulder, arm.elbow)
    shoulder, elbow, wrist = cloth.arm
    surface, _ = _sewn(
        kit, [inside, arm.shoulder, arm.elbow, end],
        [shoulder * 0.94, shoulder, shoulder * 0.93, elbow * 1.02, elbow, elbow * 0.92, wrist],
        [0, 0.12, 0.3, 0.5, 0.62, 0.8, 1.0], inner,
        ((0, 0.5 * raised), (1, bent)), cloth, 34, 0.0105, seed, cloth.arm_bands,
    )  # fmt: skip
    ring = aimed(end, way, arm.hand[:3, 0])
    kit.lathe([(wrist * 0.98, -0.014), (wrist + 0.011, -0.012), (wrist + 0.014, -0.004),
               (wrist + 0.008, 0.0), (wrist + 0.013, 0.004), (wrist + 0.012, 0.014),
               (wrist * 0.9, 0.016)], "ring", at=ring, columns=32)  # fmt: skip
    return surface, ring


def gauntlet(kit: Kit, arm: Arm, ring: Array, wrist: float, seed: int) -> None:
    """The glove's cuff: from the wrist ring round the bent wrist to the palm."""
    hand = arm.hand[:3, 2]
    way = ring[:3, 2]
    line = curve([ring[:3, 3], arm.wrist - way * 0.008, arm.wrist + hand * 0.03,
                  arm.wrist + hand * 0.065], 8)  # fmt: skip
    s = np.linspace(0, 1, len(line))
    theta = np.arange(24) * 2 * pi / 24
    cuff = np.interp(s, [0, 0.15, 0.5, 0.8, 1], [wrist, wrist, wrist * 0.86, 0.047, 0.034])
    rolls = 0.0035 * (_valley(s * 4.0 + 0.2, 0.7) - 0.6)
    lean = 0.002 * np.sin(3 * theta + seed)[None] * np.sin(pi * s)[:, None]
    radii = cuff[:, None] + rolls[:, None] + lean
    kit.grid(swept(line, radii, 24, arm.hand[:3, 0]), "glove", tone=(rolls * 90 - 0.1)[:, None])


def leg(kit: Kit, leg: Leg, cloth: Cloth, seed: int) -> tuple[Array, Array]:
    """A trouser leg; returns its surface and the frame of its ankle (z up the shin)."""
    inside = leg.hip + np.array([-leg.side * 0.02, 0.0, 0.12])
    way = unit(leg.ankle - leg.knee)
    end = leg.ankle - way * 0.05
    # The back of the knee is its inside.
    inner = leg.hip + leg.ankle - 2 * leg.knee
    if np.linalg.norm(inner) < 0.08:
        inner = inner + np.array([0, 0.3, 0])
    bent = _bent(leg.hip, leg.knee, leg.ankle)
    hip_bent = _bent(inside, leg.hip, leg.knee)
    hip, knee, ankle = cloth.leg
    surface, _ = _sewn(
        kit, [inside, leg.hip, leg.knee, end],
        [hip * 0.86, hip, hip * 0.97, knee * 1.06, knee, knee * 0.97, ankle],
        [0, 0.12, 0.3, 0.52, 0.6, 0.8, 1.0], inner,
        ((0, 0.8 * hip_bent), (1, bent)), cloth, 44, 0.0105, seed, cloth.leg_bands,
    )  # fmt: skip
    return surface, aimed(end, -way, leg.foot[:3, 0])


CURLS: dict[Curl, tuple[tuple[float, float, float], ...]] = {
    # Degrees at knuckle, middle and last joint: index, middle, ring and little finger.
    "wrap": ((58, 66, 40), (62, 70, 42), (64, 72, 44), (66, 72, 44)),
    "press": ((22, 42, 34), (28, 44, 34), (30, 44, 34), (26, 42, 34)),
    "pluck": ((30, 46, 30), (36, 54, 36), (44, 60, 40), (50, 62, 40)),
    "flat": ((2, 8, 6), (0, 8, 6), (2, 8, 6), (4, 10, 6)),
    "pinch": ((48, 50, 26), (52, 58, 34), (56, 66, 40), (58, 68, 40)),
    "relaxed": ((14, 26, 18), (20, 32, 22), (26, 36, 24), (30, 38, 26)),
    "open": ((-6, 6, 4), (-4, 5, 4), (-4, 6, 4), (-6, 8, 4)),
    "point": ((0, 6, 4), (66, 80, 50), (70, 84, 50), (72, 84, 50)),
    "fist": ((72, 84, 50), (74, 86, 52), (76, 86, 52), (76, 86, 52)),
}
SPREAD: dict[Curl, float] = {"open": 9.0, "relaxed": 3.5, "flat": 4.0, "press": 4.0}
THUMBS: dict[Curl, tuple[tuple[float, float, float], ...]] = {
    # Directions of the thumb's three bones in a right hand's frame.
    "wrap": ((0.75, -0.55, 0.45), (0.25, -0.85, 0.55), (-0.35, -0.75, 0.5)),
    "fist": ((0.65, -0.55, 0.6), (0.05, -0.8, 0.65), (-0.6, -0.5, 0.55)),
    "point": ((0.65, -0.55, 0.6), (0.05, -0.8, 0.65), (-0.6, -0.5, 0.55)),
    "pinch": ((0.55, -0.65, 0.6), (0.2, -0.7, 0.75), (-0.05, -0.45, 0.9)),
    "open": ((0.85, -0.15, 0.5), (0.7, -0.1, 0.7), (0.6, -0.05, 0.8)),
}
KNUCKLE = 0.128
"""From wrist to knuckles."""


def glove(curl: Curl, side: int) -> Kit:
    """A hand in the frame of the wrist (see `Arm.hand`); `side` -1 right, 1 left."""
    kit = Kit()
    flip = scale(-side, 1, 1) if side > 0 else EYE
    # The palm: rows along z, wider at the knuckles, hollow below.
    z = np.array([0.03, 0.045, 0.06, 0.08, 0.10, 0.118, 0.130, 0.138])
    wide = np.array([0.030, 0.040, 0.046, 0.050, 0.053, 0.054, 0.051, 0.040])
    thick = np.array([0.028, 0.033, 0.035, 0.034, 0.031, 0.029, 0.026, 0.018])
    angle = np.arange(28) * 2 * pi / 28
    c, s = np.cos(angle), np.sin(angle)
    x = wide[:, None] * np.sign(c) * np.abs(c) ** 0.75
    y = thick[:, None] * np.sign(s) * np.abs(s) ** 0.8
    # Knuckles stand out on the back.
    knuckles = 0.005 * np.exp(-(((z - 0.122) / 0.014) ** 2))[:, None] * np.clip(s, 0, 1)
    y = y + knuckles * (0.6 + 0.4 * np.cos(2 * pi * x / 0.027 + pi))
    palm = np.stack([x, y, np.broadcast_to(z[:, None], x.shape)], -1)
    kit.grid(palm, "glove", at=flip)
    # A leather palm, and a bar across it that keeps the glove in shape.
    kit.tube(curve([(-0.046, -0.012, 0.092), (-0.02, -0.033, 0.096), (0.02, -0.033, 0.096),
                    (0.046, -0.012, 0.092)], 5), 0.006, "grip", at=flip, columns=8)  # fmt: skip
    spread = SPREAD.get(curl, 1.5)
    for k, bends in enumerate(CURLS[curl]):
        place = 1.5 - k
        at = np.array([0.0275 * place, -0.002, KNUCKLE - (0.0, -0.003, 0.0, 0.008)[k]])
        length = (0.98, 1.06, 1.0, 0.84)[k]
        out = radians(spread) * place
        points, bend = [at - np.array([0, 0, 0.02]), at], 0.0
        for angle_deg, bone in zip(bends, (0.050, 0.034, 0.027), strict=True):
            bend += radians(angle_deg)
            way = np.array([np.sin(out) * np.cos(bend), -np.sin(bend), np.cos(out) * np.cos(bend)])
            points.append(points[-1] + way * bone * length)
        _finger(kit, points, 0.0172 * (1, 1, 0.98, 0.9)[k], flip)
    first = np.array([0.036, -0.008, 0.052])
    points = [first - np.array([0.012, 0, 0.014]), first]
    ways = THUMBS.get(curl, ((0.72, -0.42, 0.55), (0.45, -0.5, 0.75), (0.25, -0.4, 0.9)))
    for thumb, bone in zip(ways, (0.042, 0.034, 0.028), strict=True):
        points.append(points[-1] + unit(np.array(thumb)) * bone)
    _finger(kit, points, 0.0195, flip)
    return kit


def _finger(kit: Kit, joints: list[Array], radius: float, at: Array) -> None:
    """A finger with a round tip: thicker pads between joints, a cap of rubber at its end."""
    line = curve(joints, 7)
    way = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    rest = way[-1] - way
    radii = radius * np.interp(way / way[-1], [0, 0.3, 1], [1.05, 1.0, 0.86])
    creases = [way[np.argmin(np.linalg.norm(line - joint, axis=1))] for joint in joints[1:-1]]
    dip = sum(np.exp(-(((way - c) / 0.006) ** 2)) for c in creases)
    radii = radii * (1 - 0.09 * np.asarray(dip)) * np.sqrt(np.clip(rest / 0.012, 0.02, 1))
    tip = line[-1] + unit(line[-1] - line[-2]) * 0.004
    line, radii = np.concatenate([line, tip[None]]), np.append(radii, 0.0008)
    tone = np.append(-0.5 * np.asarray(dip), 0.0)
    rows = len(line)
    kit.grid(
        swept(line, radii, 12), "glove", at=at, tone=tone[:, None],
        bands=((rows - 7, rows, "fingertip"),),
    )  # fmt: skip


def boot(kind: str) -> Kit:
    """A boot in the frame of the ankle: z up the shin, -y to the toes."""
    kit = Kit()
    thick = {"moon": 1.16, "eva": 1.08}.get(kind, 1.0)
    # Rows from heel to toe; sections are flat below and round above.
    y = np.array([0.118, 0.112, 0.09, 0.05, 0.0, -0.05, -0.10, -0.15, -0.19, -0.215, -0.224])
    wide = np.array([0.02, 0.052, 0.072, 0.08, 0.078, 0.078, 0.084, 0.088, 0.078, 0.05, 0.016])
    top = np.array([-0.10, -0.06, -0.02, 0.03, 0.045, 0.015, -0.028, -0.05, -0.066, -0.088, -0.115])
    sole = -0.138
    angle = np.arange(32) * 2 * pi / 32
    c, s = np.cos(angle), np.sin(angle)
    rise = (top - sole)[:, None] / 2
    x = wide[:, None] * np.sign(c) * np.abs(c) ** 0.7 * thick
    z = sole + rise + rise * np.sign(s) * np.abs(s) ** np.where(s < 0, 0.35, 0.85)
    # Creases over the instep, where the foot bends.
    crease = 0.005 * np.sin(y * 2 * pi / 0.032)[:, None] * np.clip(s, 0, 1)
    crease *= np.exp(-(((y + 0.05) / 0.06) ** 2))[:, None]
    grid = np.stack([x, np.broadcast_to(y[:, None], x.shape), z + crease], -1)
    kit.grid(grid, "boot", tone=crease * 60)
    shaft = np.linspace(0.085, -0.07, 16)
    radius = np.interp(shaft, [-0.07, -0.02, 0.04, 0.085], [0.072, 0.086, 0.088, 0.094]) * thick
    roll = 0.004 * (_valley(shaft / 0.036, 0.6) - 0.6)
    line = np.stack([0 * shaft, 0.02 + 0 * shaft, shaft], 1)
    kit.grid(swept(line, (radius + roll)[:, None] * np.ones(30), 30), "boot",
             tone=(roll * 110)[:, None])  # fmt: skip
    kit.ring(0.094 * thick, 0.011, "boot trim", at=shift(0, 0.02, 0.082))
    # The sole: the outline of the foot as a slab, with a treaded edge.
    t = np.linspace(0, 1, 56, endpoint=False) * 2 * pi
    sy = -0.053 - 0.181 * np.cos(t)
    sx = np.interp(-sy, -y, wide) * np.sign(np.sin(t)) * np.abs(np.sin(t)) ** 0.06 * thick
    tread = 1.05 + 0.02 * (np.arange(56) % 2)
    rows = []
    for height, grow in ((-0.118, 0.98), (-0.122, 1.05), (-0.150, 1.06), (-0.164, 1.0)):
        edge = tread if height < -0.13 else np.full(56, grow)
        rows.append(np.stack([sx * edge, -0.053 + (sy + 0.053) * edge * 0.99,
                              np.full(56, height)], -1))  # fmt: skip
    kit.grid(np.array(rows)[::-1], "sole", smooth=False)
    if kind == "moon":
        strap = [(-0.088, -0.03, -0.10), (-0.07, -0.045, 0.0), (0, -0.06, 0.032),
                 (0.07, -0.045, 0.0), (0.088, -0.03, -0.10)]  # fmt: skip
        kit.tube(curve(np.array(strap) * (thick, 1, 1.05), 6), 0.012, "boot trim", columns=8)
    if kind == "lace":
        for k in range(5):
            high = 0.012 - 0.017 * k
            cord = [(-0.045, -0.07 - 0.02 * k, high - 0.015), (0, -0.078 - 0.02 * k, high + 0.006),
                    (0.045, -0.07 - 0.02 * k, high - 0.015)]  # fmt: skip
            kit.tube(curve(cord, 5), 0.004, "boot trim", columns=6)
    return kit

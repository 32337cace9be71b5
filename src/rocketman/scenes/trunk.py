"""The trunk of a suit, what a `Suit` is made of, and what is strapped to a chest.

Frame: sternum, see `holds.py`.
Reads `kit.py`, `limbs.py`. Next: `gear.py` (chests and packs), `suits.py` (the five suits).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import pi

import numpy as np

from rocketman.scenes.kit import Array, Kit, aimed, curve
from rocketman.scenes.limbs import Cloth, folds

Color = tuple[float, float, float]
"""Linear RGB."""


@dataclass(frozen=True, kw_only=True)
class Suit:
    """Everything that makes one suit differ from another."""

    fabric: Color
    accent: Color
    glove: Color
    fingertip: Color
    boot: Color
    shell: Color
    """The helmet and hard parts."""
    pack: Color
    ring: Color
    """Metal rings at neck and wrists."""
    dirt: float
    wrinkle: float
    sheen: float
    cloth: Cloth
    helmet: str
    boots: str
    chest: Callable[[Kit, Suit], None]
    back: Callable[[Kit], None]
    girth: tuple[float, float, float]
    """Half width at hips, waist and chest."""
    deep: tuple[float, float, float]
    """Half depth there."""
    pockets: bool = False
    """Pockets on the thighs."""
    breast: float = 0.058
    """How far emblem and name plate stand from the middle."""
    checklist: bool = False
    """A booklet on the left cuff."""
    hard: bool = False
    """A hard upper torso: smooth above the waist."""


COLUMNS = 72


MARKS = (-0.665, -0.645, -0.60, -0.50, -0.42, -0.27, -0.12, 0.06, 0.15, 0.205, 0.24, 0.255)
POWER = ((-0.6, 0.0, 0.2, 0.25), (0.85, 0.78, 0.85, 1.0))
"""How square the trunk's section is at some heights: 1 is an ellipse, less is squarer."""


def girth(suit: Suit, z: Array) -> tuple[Array, Array]:
    """Half width and half depth of the trunk at heights z."""
    hip, waist, chest = suit.girth
    wide = np.interp(z, MARKS, [0.02, 0.10, 0.185, hip, hip * 0.97, waist, chest * 0.97, chest,
                                chest * 0.93, 0.235, 0.188, 0.175])  # fmt: skip
    hip, waist, chest = suit.deep
    deep = np.interp(z, MARKS, [0.02, 0.085, 0.14, hip, hip * 0.97, waist, chest, chest,
                                chest * 0.95, 0.195, 0.178, 0.17])  # fmt: skip
    return wide, deep


def torso(kit: Kit, suit: Suit) -> Array:
    """The trunk from crotch to neck ring; returns its surface (rows, COLUMNS, 3)."""
    z = np.concatenate([np.linspace(-0.665, -0.6, 8)[:-1], np.linspace(-0.6, 0.255, 84)])
    soft = np.array([1, 4, 7, 4, 1]) / 17
    wide, deep = (
        np.convolve(np.pad(half, 2, mode="edge"), soft, "valid") for half in girth(suit, z)
    )
    theta = np.arange(COLUMNS) * 2 * pi / COLUMNS
    c, s = np.cos(theta), np.sin(theta)
    power = np.interp(z, *POWER)[:, None]
    x = wide[:, None] * np.sign(c) * np.abs(c) ** power
    y = deep[:, None] * np.sign(s) * np.abs(s) ** power
    height = 0.95 * folds(z + 0.7, theta * 2, ((0.43, 0.35), (0.22, 0.4)), suit.cloth, 11)
    stiff = np.interp(z, [-0.28, -0.20, 0.1, 0.2], [1, 0.25, 0.25, 0.15] if suit.hard else
                      [1, 0.9, 0.7, 0.2])  # fmt: skip
    height *= (stiff * np.clip((0.255 - z) / 0.06, 0, 1) * np.clip((z + 0.66) / 0.1, 0, 1))[:, None]
    tone = np.clip(height / 0.016, -1, 0.3) * 0.6
    # Seams: down the front, down the sides, across the breast and the hips.
    for line, width in ((np.abs(x) + 9 * (y > 0), 0.007), (np.abs(np.abs(x) - 0.16), 0.007),
                        (np.abs(z[:, None] - 0.135), 0.007), (np.abs(z[:, None] + 0.215), 0.008),
                        (np.abs(z[:, None] + 0.46), 0.008)):  # fmt: skip
        seam = np.exp(-((line / width) ** 2))
        height = height - 0.004 * seam
        tone = tone - 0.28 * seam
    grow = 1 + height / np.hypot(x, y).clip(0.08)
    points = np.stack([x * grow, y * grow, np.broadcast_to(z[:, None], x.shape)], -1)
    kit.grid(points, "fabric", tone=tone)
    return points


def belt(kit: Kit, suit: Suit, z: float, slot: str, thick: float, tall: float) -> None:
    """A band around the waist, on the ellipse of the trunk there."""
    wide, deep = (float(half[0]) for half in girth(suit, np.array([z])))
    outline = [(1 - 0.1, -tall), (1 + thick, -tall), (1 + thick * 1.5, -tall * 0.4),
               (1 + thick * 1.5, tall * 0.4), (1 + thick, tall), (1 - 0.1, tall)]  # fmt: skip
    angle = np.arange(56) * 2 * pi / 56
    c, s = np.cos(angle), np.sin(angle)
    x, y = np.sign(c) * np.abs(c) ** 0.82, np.sign(s) * np.abs(s) ** 0.82
    points = np.stack([np.stack([r * wide * x, r * deep * y, np.full(56, z + dz)], -1)
                       for r, dz in outline])  # fmt: skip
    kit.grid(points, slot)


def plate(x: tuple[float, float], y: float, z: tuple[float, float]) -> Array:
    """(2, 2, 3) a flat piece that looks forward, for a screen or a placard."""
    return np.array([[(a, y, b) for a in x] for b in z])


def dial(kit: Kit, at: Array, radius: float, slot: str = "dark") -> None:
    """A round instrument or connector: metal rim, coloured face."""
    kit.lathe([(radius * 1.2, -0.004), (radius * 1.22, 0.010), (radius, 0.012), (radius, 0.008)],
              "ring", at=at, columns=22)  # fmt: skip
    kit.lathe([(radius, 0.0085), (0.0001, 0.009)], slot, at=at, columns=22)


def connector(kit: Kit, at: Array, radius: float, slot: str) -> None:
    """An anodised hose connector with a knurled collar."""
    kit.lathe([(radius * 1.35, -0.01), (radius * 1.35, 0.008), (radius * 1.1, 0.012)], "ring",
              at=at, columns=24)  # fmt: skip
    kit.lathe([(radius * 1.12, 0.010), (radius * 1.15, 0.034), (radius * 0.9, 0.042),
               (0.0001, 0.043)], slot, at=at, columns=24, smooth=False)  # fmt: skip


def knobs(kit: Kit, y: float, z: float, places: tuple[float, ...], slot: str) -> None:
    for x in places:
        at = aimed((x, y, z), (0, -1, 0))
        kit.lathe([(0.015, 0), (0.013, 0.016), (0.0001, 0.018)], slot, at=at, columns=14)


def mirrored(
    points: list[tuple[float, float, float]], side: int
) -> list[tuple[float, float, float]]:
    return [(side * x, y, z) for x, y, z in points]


def webbing(
    kit: Kit, suit: Suit, points: list[tuple[float, float, float]], half: float, slot: str
) -> None:
    """A flat strap along a line; in front and below the shoulders it lies on the trunk."""
    line = curve(points, 10)
    wide, deep = girth(suit, line[:, 2])
    power = np.interp(line[:, 2], *POWER)
    share = np.clip(np.abs(line[:, 0]) / wide, 0, 0.97) ** (2 / power)
    lying = -deep * (1 - share) ** (power / 2) - 0.004
    here = np.clip((0.19 - line[:, 2]) / 0.07, 0, 1) * (line[:, 1] < 0.0)
    line[:, 1] += (lying - line[:, 1]) * here
    tangent = np.gradient(line, axis=0)
    out = line * np.array([0.5, 1, 0.0])
    out[:, 2] = np.clip((line[:, 2] - 0.16) * 4, 0, 1) * 0.2
    out /= np.linalg.norm(out, axis=1, keepdims=True) + 1e-9
    across = np.cross(tangent, out)
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    out = np.cross(across, tangent)
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    section = [(-1, -0.012), (-1, 0.004), (-0.8, 0.007), (0.8, 0.007), (1, 0.004), (1, -0.012)]
    points3 = np.stack([line + across * half * a + out * b for a, b in section], 1)
    kit.grid(
        points3, slot, tone=np.array([-0.4, -0.2, 0, 0, -0.2, -0.4])[None, :] + 0 * line[:, :1]
    )

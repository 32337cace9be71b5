"""Five suits, different in cut as well as colour: torso, chest, pack, hoses, and what they wear.

Frame: sternum, see `holds.py`. What is here does not depend on the pose; `astronaut.py` builds it
once a process and places it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import pi

import bpy
import numpy as np

from rocketman.scenes.fabrics import GOLD, surface, visor
from rocketman.scenes.kit import PLATE, Array, Kit, aimed, curve, shift
from rocketman.scenes.limbs import Cloth, folds
from rocketman.scenes.shapes import Color


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
    checklist: bool = False
    """A booklet on the left cuff."""
    hard: bool = False
    """A hard upper torso: smooth above the waist."""


COLUMNS = 72


MARKS = (-0.665, -0.645, -0.60, -0.50, -0.42, -0.27, -0.12, 0.06, 0.15, 0.205, 0.24, 0.255)
POWER = ((-0.6, 0.0, 0.2, 0.25), (0.85, 0.78, 0.85, 1.0))
"""How square the trunk's section is at some heights: 1 is an ellipse, less is squarer."""


def _girth(suit: Suit, z: Array) -> tuple[Array, Array]:
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
        np.convolve(np.pad(half, 2, mode="edge"), soft, "valid") for half in _girth(suit, z)
    )
    theta = np.arange(COLUMNS) * 2 * pi / COLUMNS
    c, s = np.cos(theta), np.sin(theta)
    power = np.interp(z, *POWER)[:, None]
    x = wide[:, None] * np.sign(c) * np.abs(c) ** power
    y = deep[:, None] * np.sign(s) * np.abs(s) ** power
    height = 1.15 * folds(z + 0.7, theta * 2, ((0.43, 0.35), (0.22, 0.4)), suit.cloth, 11)
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


def _belt(kit: Kit, suit: Suit, z: float, slot: str, thick: float, tall: float) -> None:
    """A band around the waist, on the ellipse of the trunk there."""
    wide, deep = (float(half[0]) for half in _girth(suit, np.array([z])))
    outline = [(1 - 0.1, -tall), (1 + thick, -tall), (1 + thick * 1.5, -tall * 0.4),
               (1 + thick * 1.5, tall * 0.4), (1 + thick, tall), (1 - 0.1, tall)]  # fmt: skip
    angle = np.arange(56) * 2 * pi / 56
    c, s = np.cos(angle), np.sin(angle)
    x, y = np.sign(c) * np.abs(c) ** 0.82, np.sign(s) * np.abs(s) ** 0.82
    points = np.stack([np.stack([r * wide * x, r * deep * y, np.full(56, z + dz)], -1)
                       for r, dz in outline])  # fmt: skip
    kit.grid(points, slot)


def _dial(kit: Kit, at: Array, radius: float, slot: str = "dark") -> None:
    """A round instrument or connector: metal rim, coloured face."""
    kit.lathe([(radius * 1.2, -0.004), (radius * 1.22, 0.010), (radius, 0.012), (radius, 0.008)],
              "ring", at=at, columns=22)  # fmt: skip
    kit.lathe([(radius, 0.0085), (0.0001, 0.009)], slot, at=at, columns=22)


def _connector(kit: Kit, at: Array, radius: float, slot: str) -> None:
    """An anodised hose connector with a knurled collar."""
    kit.lathe([(radius * 1.35, -0.01), (radius * 1.35, 0.008), (radius * 1.1, 0.012)], "ring",
              at=at, columns=24)  # fmt: skip
    kit.lathe([(radius * 1.12, 0.010), (radius * 1.15, 0.034), (radius * 0.9, 0.042),
               (0.0001, 0.043)], slot, at=at, columns=24, smooth=False)  # fmt: skip


def _knobs(kit: Kit, y: float, z: float, places: tuple[float, ...], slot: str) -> None:
    for x in places:
        at = aimed((x, y, z), (0, -1, 0))
        kit.lathe([(0.015, 0), (0.013, 0.016), (0.0001, 0.018)], slot, at=at, columns=14)


def _front(points: list[tuple[float, float, float]], side: int) -> list[tuple[float, float, float]]:
    return [(side * x, y, z) for x, y, z in points]


def _eva_chest(kit: Kit, suit: Suit) -> None:
    """A display and control module: a stepped box with a screen, switches, a placard, valves."""
    kit.box((0.285, 0.10, 0.155), "shell", at=shift(0, -0.262, -0.025), bevel=0.016)
    kit.box((0.245, 0.085, 0.07), "shell", at=shift(0, -0.25, -0.125), bevel=0.014)
    kit.box((0.20, 0.02, 0.05), "dark", at=shift(-0.03, -0.31, 0.02), bevel=0.006)
    x, z = np.meshgrid(np.linspace(-0.12, 0.05, 5), np.linspace(0.0, 0.04, 3))
    kit.badge(np.stack([x, np.full_like(x, -0.3205), z], -1), "screen", PLATE, lift=0.002)
    x, z = np.meshgrid(np.linspace(-0.12, -0.03, 4), np.linspace(-0.085, -0.03, 3))
    kit.badge(np.stack([x, np.full_like(x, -0.313), z], -1), "label", PLATE, lift=0.002)
    _knobs(kit, -0.312, -0.045, (0.015, 0.055, 0.095), "dark")
    _knobs(kit, -0.312, -0.08, (0.035, 0.075), "accent")
    _dial(kit, aimed((0.105, -0.308, 0.02), (0, -1, 0.1)), 0.019, "white face")
    for x in (-0.08, -0.04, 0.0, 0.04, 0.08):
        kit.box((0.012, 0.02, 0.03), "ring", at=shift(x, -0.297, -0.125), bevel=0.004)
    for side in (-1, 1):
        kit.box((0.035, 0.06, 0.05), "accent" if side < 0 else "blue part",
                at=shift(side * 0.155, -0.255, -0.04), bevel=0.01)  # fmt: skip
        kit.hose(_front([(0.13, -0.255, -0.14), (0.20, -0.27, -0.23), (0.27, -0.14, -0.24),
                         (0.26, 0.10, -0.18), (0.20, 0.24, -0.12)], side),
                 0.019, "hose white")  # fmt: skip
        _webbing(kit, suit, _front([(0.10, -0.235, 0.03), (0.125, -0.225, 0.12),
                                    (0.155, -0.16, 0.21), (0.165, -0.02, 0.262),
                                    (0.165, 0.18, 0.235)], side), 0.02, "strap")  # fmt: skip
    # Tether hooks at the waist.
    for side in (-1, 1):
        kit.ring(0.022, 0.005, "ring", at=aimed((side * 0.17, -0.235, -0.30), (0.2, -1, 0)))


def _eva_back(kit: Kit) -> None:
    """A big life-support pack with its panels, a thruster frame below, arms at the sides."""
    kit.box((0.56, 0.20, 0.66), "pack", at=shift(0, 0.305, 0.005), bevel=0.045)
    kit.box((0.44, 0.16, 0.16), "pack", at=shift(0, 0.285, 0.36), bevel=0.05)
    kit.box((0.50, 0.17, 0.20), "pack", at=shift(0, 0.30, -0.40), bevel=0.03)
    kit.box((0.565, 0.205, 0.016), "seam", at=shift(0, 0.305, -0.305), bevel=0.004)
    kit.box((0.565, 0.205, 0.012), "seam", at=shift(0, 0.305, 0.235), bevel=0.004)
    kit.box((0.40, 0.012, 0.40), "pack", at=shift(0, 0.408, 0.01), bevel=0.006)
    kit.box((0.30, 0.01, 0.05), "accent", at=shift(0, 0.412, 0.27), bevel=0.004)
    for side in (-1, 1):
        kit.box((0.055, 0.16, 0.50), "pack", at=shift(side * 0.302, 0.27, -0.10), bevel=0.022)
        kit.box((0.06, 0.04, 0.05), "accent", at=shift(side * 0.302, 0.20, 0.10), bevel=0.01)
        for z in (-0.43, 0.30):
            kit.lathe([(0.012, 0), (0.02, 0.022), (0.014, 0.02)], "ring",
                      at=aimed((side * 0.285, 0.31, z), (side, 0, 0)), columns=14)  # fmt: skip
        kit.tube(curve([(side * 0.12, 0.41, 0.16), (side * 0.12, 0.435, 0.15),
                        (side * 0.12, 0.435, 0.05), (side * 0.12, 0.41, 0.04)], 4), 0.007, "ring",
                 columns=8)  # fmt: skip


def _launch_chest(kit: Kit, suit: Suit) -> None:
    """A harness: webbing over shoulders and between the legs, buckles, a life-vest collar."""
    for side in (-1, 1):
        strap = _front(
            [
                (0.10, 0.20, 0.20),
                (0.15, 0.06, 0.265),
                (0.155, -0.10, 0.235),
                (0.145, -0.20, 0.14),
                (0.12, -0.232, 0.0),
                (0.09, -0.228, -0.14),
                (0.10, -0.20, -0.28),
                (0.14, -0.18, -0.42),
                (0.16, -0.12, -0.54),
            ],
            side,
        )
        _webbing(kit, suit, strap, 0.024, "strap")
        kit.box((0.062, 0.03, 0.045), "ring", at=shift(side * 0.135, -0.236, 0.06), bevel=0.008)
        kit.box((0.055, 0.026, 0.03), "ring", at=shift(side * 0.1, -0.226, -0.19), bevel=0.006)
        # Lobes of the life vest under the arms, and the pockets on the chest.
        kit.box((0.07, 0.13, 0.15), "strap", at=shift(side * 0.232, -0.105, -0.05), bevel=0.033)
    _webbing(kit, suit, [(-0.13, -0.236, -0.02), (0, -0.25, -0.035), (0.13, -0.236, -0.02)], 0.02, "strap"
    )
    kit.box((0.07, 0.035, 0.05), "ring", at=shift(0, -0.252, -0.035), bevel=0.01)
    _connector(kit, aimed((-0.055, -0.222, -0.125), (-0.15, -1, -0.1)), 0.022, "blue part")
    _dial(kit, aimed((0.05, -0.228, -0.11), (0.1, -1, 0.1)), 0.022, "white face")
    kit.hose([(-0.055, -0.262, -0.13), (-0.09, -0.32, -0.22), (-0.21, -0.24, -0.32),
              (-0.27, -0.05, -0.30), (-0.2, 0.15, -0.2)], 0.019, "dark")  # fmt: skip


def _webbing(
    kit: Kit, suit: Suit, points: list[tuple[float, float, float]], half: float, slot: str
) -> None:
    """A flat strap along a line; in front and below the shoulders it lies on the trunk."""
    line = curve(points, 10)
    wide, deep = _girth(suit, line[:, 2])
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
    kit.grid(points3, slot, tone=np.array([-0.4, -0.2, 0, 0, -0.2, -0.4])[None, :] + 0 * line[:, :1])


def _launch_back(kit: Kit) -> None:
    """A parachute pack: small, soft, with flaps and a handle."""
    kit.box((0.40, 0.15, 0.40), "pack", at=shift(0, 0.265, -0.02), bevel=0.05)
    kit.box((0.36, 0.13, 0.15), "pack", at=shift(0, 0.26, -0.30), bevel=0.045)
    kit.box((0.30, 0.02, 0.30), "strap", at=shift(0, 0.338, -0.02), bevel=0.008)
    kit.box((0.05, 0.03, 0.22), "seam", at=shift(0, 0.345, -0.02), bevel=0.008)
    kit.ring(0.03, 0.006, "ring", at=aimed((0.2, 0.26, 0.12), (1, 0, 0)))


def _sleek_chest(kit: Kit, suit: Suit) -> None:
    """Seams in a slim suit: yoke lines in the accent colour, a port at the hip, a small badge."""
    for side in (-1, 1):
        line = _front(
            [
                (0.175, 0.0, 0.245),
                (0.20, -0.12, 0.19),
                (0.17, -0.198, 0.08),
                (0.075, -0.222, -0.06),
                (0.05, -0.205, -0.22),
                (0.075, -0.195, -0.40),
            ],
            side,
        )
        _webbing(kit, suit, line, 0.011, "accent")
        side_line = _front(
            [(0.262, -0.03, -0.02), (0.225, -0.045, -0.25), (0.235, -0.05, -0.44)], side
        )
        _webbing(kit, suit, side_line, 0.012, "seam")
    _webbing(kit, suit, [(0, -0.21, 0.17), (0, -0.227, 0.0), (0, -0.20, -0.22), (0, -0.19, -0.42)], 0.007,
             "dark")  # fmt: skip
    kit.box((0.088, 0.022, 0.042), "dark", at=shift(0.1, -0.228, 0.045), bevel=0.009)
    x, z = np.meshgrid(np.linspace(0.064, 0.136, 4), np.linspace(0.03, 0.06, 3))
    kit.badge(np.stack([x, np.full_like(x, -0.2395), z], -1), "screen", PLATE, lift=0.002)
    _connector(kit, aimed((0.165, -0.16, -0.33), (0.6, -1, 0)), 0.026, "ring")
    kit.hose([(0.19, -0.20, -0.335), (0.27, -0.26, -0.30), (0.33, -0.13, -0.20), (0.27, 0.06, -0.12),
              (0.17, 0.2, -0.08)], 0.016, "dark")  # fmt: skip


def _sleek_back(kit: Kit) -> None:
    """A flat shell pack with two fins and a light strip."""
    kit.box((0.42, 0.13, 0.52), "pack", at=shift(0, 0.262, -0.01), bevel=0.055, steps=5)
    kit.box((0.30, 0.06, 0.40), "dark", at=shift(0, 0.315, -0.01), bevel=0.028, steps=4)
    for side in (-1, 1):
        kit.box((0.05, 0.10, 0.46), "accent", at=shift(side * 0.205, 0.275, -0.01), bevel=0.022)
    kit.box((0.16, 0.01, 0.018), "lamp", at=shift(0, 0.347, 0.13), bevel=0.004)


def _dome_chest(kit: Kit, suit: Suit) -> None:
    """An explorer's harness: a round gauge, a brass valve block, crossed belts, hoses to the helmet."""
    for side in (-1, 1):
        _webbing(kit, suit, _front([(0.17, 0.02, 0.255), (0.165, -0.13, 0.22), (0.10, -0.232, 0.07),
                              (0.0, -0.262, -0.06), (-0.12, -0.225, -0.20), (-0.21, -0.09, -0.29)],
                             side), 0.021, "strap")  # fmt: skip
        kit.hose(_front([(0.075, -0.265, -0.085), (0.135, -0.345, -0.05), (0.19, -0.30, 0.08),
                         (0.165, -0.185, 0.19)], side), 0.021, "hose white")  # fmt: skip
        _connector(kit, aimed((side * 0.065, -0.262, -0.10), (side * 0.2, -1, -0.1)), 0.022, "ring")
        kit.box((0.075, 0.05, 0.085), "strap", at=shift(side * 0.19, -0.185, -0.33), bevel=0.015)
    plate = aimed((0, -0.252, -0.03), (0, -1, 0.06))
    kit.lathe([(0.086, -0.02), (0.088, 0.012), (0.08, 0.02), (0.06, 0.022)], "ring", at=plate,
              columns=36)  # fmt: skip
    kit.lathe([(0.062, 0.0205), (0.0001, 0.021)], "white face", at=plate, columns=30)
    kit.box((0.006, 0.045, 0.004), "accent", at=plate @ shift(0.008, 0.012, 0.024) @
            aimed((0, 0, 0), (0, 0, 1), (1, 0.8, 0)), bevel=0.001)  # fmt: skip
    for k in range(12):
        a = k * pi / 6
        kit.box((0.004, 0.010, 0.003), "dark",
                at=plate @ aimed((0.05 * np.sin(a), 0.05 * np.cos(a), 0.0225), (0, 0, 1),
                                 (np.cos(a), -np.sin(a), 0)), bevel=0.001)  # fmt: skip


def _dome_back(kit: Kit) -> None:
    """Two tanks under a cowl, with straps and valves."""
    for side in (-1, 1):
        tank = [
            (0.001, -0.40),
            (0.06, -0.385),
            (0.098, -0.33),
            (0.104, -0.25),
            (0.104, 0.18),
            (0.096, 0.25),
            (0.06, 0.30),
            (0.022, 0.315),
            (0.022, 0.35),
            (0.0001, 0.352),
        ]
        kit.lathe(tank, "pack", at=shift(side * 0.125, 0.30, 0.0), columns=32)
        for z in (-0.22, 0.0, 0.17):
            kit.ring(0.104, 0.009, "ring", at=shift(side * 0.125, 0.30, z), columns=28)
    kit.box((0.30, 0.10, 0.46), "strap", at=shift(0, 0.245, -0.02), bevel=0.03)
    kit.tube([(-0.125, 0.30, 0.34), (0.125, 0.30, 0.34)], 0.014, "ring")
    kit.lathe([(0.035, -0.012), (0.035, 0.012), (0.0001, 0.013)], "accent",
              at=aimed((0, 0.30, 0.34), (0, 0, 1)), columns=12)  # fmt: skip


def _lunar_chest(kit: Kit, suit: Suit) -> None:
    """A remote control box, and two rows of connectors in red and blue with hoses to the pack."""
    kit.box((0.23, 0.095, 0.13), "shell", at=shift(0, -0.268, -0.015), bevel=0.014)
    x, z = np.meshgrid(np.linspace(-0.1, -0.01, 4), np.linspace(-0.055, -0.005, 3))
    kit.badge(np.stack([x, np.full_like(x, -0.3165), z], -1), "label", PLATE, lift=0.002)
    _dial(kit, aimed((0.055, -0.314, -0.03), (0, -1, 0)), 0.026, "white face")
    kit.box((0.20, 0.06, 0.03), "dark", at=shift(0, -0.268, 0.06), bevel=0.008)
    kit.box((0.02, 0.03, 0.05), "ring", at=shift(0.0, -0.318, 0.028), bevel=0.005)
    rows = ((-0.13, "blue part"), (-0.215, "red part"))
    for z, slot in rows:
        for side in (-1, 1):
            at = aimed((side * 0.085, -0.222, z), (side * 0.35, -1, -0.15))
            _connector(kit, at, 0.027, slot if side < 0 else ("red part", "blue part")[z < -0.2])
            start = at @ np.array([0, 0, 0.04, 1])
            hose = [
                tuple(start[:3]),
                (side * 0.135, -0.32, z - 0.05),
                (side * 0.25, -0.27, z - 0.06),
                (side * 0.315, -0.06, z - 0.01),
                (side * 0.25, 0.2, z + 0.03),
            ]
            kit.hose(hose, 0.021, "hose dark")
    for side in (-1, 1):
        _webbing(kit, suit, _front([(0.10, -0.24, 0.045), (0.15, -0.205, 0.14), (0.168, -0.08, 0.235),
                              (0.17, 0.12, 0.235)], side), 0.02, "strap")  # fmt: skip


def _lunar_back(kit: Kit) -> None:
    """A tall pack under a cloth cover, the oxygen purge box on top, an antenna."""
    kit.box((0.50, 0.22, 0.62), "cover", at=shift(0, 0.31, -0.06), bevel=0.05)
    kit.box((0.50, 0.20, 0.17), "cover", at=shift(0, 0.305, 0.355), bevel=0.04)
    kit.box((0.42, 0.014, 0.44), "cover", at=shift(0, 0.423, -0.06), bevel=0.006)
    kit.box((0.51, 0.21, 0.012), "seam", at=shift(0, 0.31, 0.262), bevel=0.004)
    kit.tube([(0.19, 0.30, 0.42), (0.19, 0.30, 0.62)], 0.005, "ring", columns=8)
    for side in (-1, 1):
        kit.box((0.03, 0.12, 0.30), "seam", at=shift(side * 0.252, 0.30, -0.06), bevel=0.01)


SUITS = {
    "white": Suit(
        fabric=(0.72, 0.71, 0.68), accent=(0.60, 0.015, 0.015), glove=(0.60, 0.60, 0.59),
        fingertip=(0.17, 0.19, 0.22), boot=(0.74, 0.73, 0.70), shell=(0.82, 0.82, 0.81),
        pack=(0.76, 0.755, 0.735), ring=(0.60, 0.61, 0.63), dirt=0.26, wrinkle=0.62, sheen=0.1,
        cloth=Cloth(arm=(0.128, 0.106, 0.082), leg=(0.152, 0.132, 0.108), puff=0.011, roll=0.082,
                    drape=0.012, crush=0.022, seams=True,
                    arm_bands=((0.31, 0.37, "accent"),), leg_bands=((0.40, 0.455, "accent"),)),
        helmet="eva", boots="eva", chest=_eva_chest, back=_eva_back,
        girth=(0.245, 0.245, 0.285), deep=(0.19, 0.195, 0.222), hard=True, checklist=True,
    ),
    "orange": Suit(
        fabric=(0.88, 0.155, 0.008), accent=(0.03, 0.045, 0.10), glove=(0.018, 0.018, 0.02),
        fingertip=(0.05, 0.05, 0.055), boot=(0.02, 0.02, 0.022), shell=(0.80, 0.80, 0.79),
        pack=(0.06, 0.075, 0.05), ring=(0.50, 0.51, 0.53), dirt=0.10, wrinkle=0.50, sheen=0.25,
        cloth=Cloth(arm=(0.106, 0.086, 0.070), leg=(0.134, 0.108, 0.088), puff=0.002, roll=0.12,
                    drape=0.015, crush=0.022, seams=True),
        helmet="launch", boots="lace", chest=_launch_chest, back=_launch_back,
        girth=(0.222, 0.210, 0.255), deep=(0.17, 0.175, 0.202), pockets=True,
    ),
    "blue": Suit(
        fabric=(0.012, 0.095, 0.56), accent=(0.80, 0.80, 0.80), glove=(0.025, 0.03, 0.045),
        fingertip=(0.42, 0.44, 0.47), boot=(0.025, 0.03, 0.045), shell=(0.74, 0.76, 0.78),
        pack=(0.70, 0.72, 0.74), ring=(0.30, 0.31, 0.33), dirt=0.08, wrinkle=0.25, sheen=0.15,
        cloth=Cloth(arm=(0.100, 0.080, 0.064), leg=(0.126, 0.100, 0.080), puff=0.003, roll=0.16,
                    drape=0.008, crush=0.017, seams=True,
                    arm_bands=((0.62, 0.635, "accent"), (0.34, 0.36, "accent")),
                    leg_bands=((0.50, 0.51, "dark"), (0.66, 0.67, "dark"))),
        helmet="sleek", boots="slim", chest=_sleek_chest, back=_sleek_back,
        girth=(0.212, 0.198, 0.252), deep=(0.162, 0.168, 0.200),
    ),
    "red": Suit(
        fabric=(0.50, 0.012, 0.012), accent=(0.82, 0.62, 0.24), glove=(0.12, 0.045, 0.022),
        fingertip=(0.05, 0.022, 0.014), boot=(0.10, 0.04, 0.02), shell=(0.52, 0.014, 0.014),
        pack=(0.62, 0.60, 0.54), ring=(0.80, 0.52, 0.18), dirt=0.22, wrinkle=0.28, sheen=0.1,
        cloth=Cloth(arm=(0.116, 0.098, 0.076), leg=(0.142, 0.120, 0.096), puff=0.004, roll=0.11,
                    drape=0.006, crush=0.010, bellows=0.017,
                    arm_bands=((0.40, 0.415, "ring"), (0.70, 0.715, "ring")),
                    leg_bands=((0.40, 0.412, "ring"), (0.66, 0.672, "ring"))),
        helmet="dome", boots="lace", chest=_dome_chest, back=_dome_back,
        girth=(0.232, 0.222, 0.268), deep=(0.18, 0.185, 0.212),
    ),
    "grey": Suit(
        fabric=(0.215, 0.215, 0.215), accent=(0.40, 0.40, 0.40), glove=(0.12, 0.12, 0.125),
        fingertip=(0.03, 0.10, 0.34), boot=(0.15, 0.15, 0.15), shell=(0.30, 0.30, 0.30),
        pack=(0.24, 0.24, 0.24), ring=(0.45, 0.46, 0.48), dirt=0.5, wrinkle=0.65, sheen=0.1,
        cloth=Cloth(arm=(0.122, 0.102, 0.078), leg=(0.150, 0.126, 0.106), puff=0.006, roll=0.10,
                    drape=0.017, crush=0.024),
        helmet="lunar", boots="moon", chest=_lunar_chest, back=_lunar_back,
        girth=(0.240, 0.235, 0.272), deep=(0.186, 0.19, 0.214), pockets=True, checklist=True,
    ),
}  # fmt: skip


def finish(name: str, slot: str) -> bpy.types.Material:
    """The material of a slot in a suit."""
    suit = SUITS[name]
    key = f"{name} {slot}"
    if slot == "fabric":
        return surface(key, suit.fabric, roughness=0.82, sheen=suit.sheen, wrinkle=suit.wrinkle,
                       weave=0.55, dirt=suit.dirt)  # fmt: skip
    if slot == "cover":
        return surface(key, suit.pack, roughness=0.85, wrinkle=suit.wrinkle, weave=0.55,
                       dirt=suit.dirt)  # fmt: skip
    if slot == "glove":
        return surface(key, suit.glove, roughness=0.72, wrinkle=0.25, wrinkle_scale=26.0, weave=0.2,
                       dirt=suit.dirt)  # fmt: skip
    if slot == "boot":
        return surface(key, suit.boot, roughness=0.6, wrinkle=0.25, dirt=suit.dirt)
    if slot == "visor":
        return visor(key, GOLD)
    if slot == "shell":
        return surface(key, suit.shell, roughness=0.32, coat=0.35, dirt=suit.dirt * 0.5)
    if slot == "pack":
        return surface(key, suit.pack, roughness=0.6, wrinkle=0.12, dirt=suit.dirt)
    if slot == "ring":
        return surface(key, suit.ring, roughness=0.28, metallic=0.9)
    if slot == "accent":
        return surface(key, suit.accent, roughness=0.7, weave=0.2, dirt=suit.dirt * 0.6)
    if slot in ("screen", "label", "patch", "emblem", "flag"):
        image = slot if slot in ("screen", "label", "flag") else f"{slot} {name}"
        return surface(key, (0.5, 0.5, 0.5), roughness=0.8 if slot != "screen" else 0.2,
                       emission=0.8 if slot == "screen" else 0.0, image=image)  # fmt: skip
    color, rough, glow = {
        "fingertip": (suit.fingertip, 0.55, 0.0),
        "grip": (suit.fingertip, 0.6, 0.0),
        "boot trim": (suit.accent, 0.6, 0.0),
        "sole": ((0.025, 0.025, 0.027), 0.75, 0.0),
        "dark": ((0.015, 0.015, 0.017), 0.4, 0.0),
        "seam": ((0.06, 0.06, 0.065), 0.8, 0.0),
        "strap": (STRAPS[name], 0.75, 0.0),
        "lamp": ((1.0, 0.97, 0.9), 0.2, 1.2),
        "white face": ((0.75, 0.74, 0.70), 0.35, 0.0),
        "blue part": ((0.02, 0.10, 0.55), 0.35, 0.0),
        "red part": ((0.58, 0.02, 0.02), 0.35, 0.0),
        "hose white": ((0.66, 0.65, 0.62), 0.6, 0.0),
        "hose dark": ((0.07, 0.07, 0.075), 0.6, 0.0),
    }[slot]
    return surface(key, color, roughness=rough, emission=glow)


STRAPS: dict[str, Color] = {
    "white": (0.62, 0.61, 0.58),
    "orange": (0.05, 0.06, 0.045),
    "blue": (0.02, 0.02, 0.025),
    "red": (0.10, 0.04, 0.018),
    "grey": (0.34, 0.33, 0.31),
}

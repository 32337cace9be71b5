"""Helmets: five shells around one way to cut the face out of a ball, each with its own visor.

A point of a shell is (angle around the line of sight, angle away from it), so that the rim of the
opening is exactly a row of the mesh. Frame: centre of the helmet, -y looks out, z up.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import numpy as np

from rocketman.scenes.kit import Array, Kit, aimed, curve, shift, swept, unit

COLUMNS = 64


@dataclass(frozen=True, kw_only=True)
class Face:
    """The opening of a helmet: half angles as seen from its centre, degrees."""

    wide: float
    up: float
    down: float
    square: float = 2.6
    """2 is an oval, more is squarer."""

    def rim(self) -> Array:
        """(COLUMNS,) angle away from the line of sight, radians."""
        phi = np.arange(COLUMNS) * 2 * pi / COLUMNS
        c, s = np.abs(np.cos(phi)), np.sin(phi)
        high = np.where(s > 0, self.up, self.down)
        n = self.square
        angle = ((c / self.wide) ** n + (np.abs(s) / high) ** n) ** (-1 / n)
        result: Array = np.radians(angle)
        return result


def _skin(away: Array, radius: Array | float, size: tuple[float, float, float]) -> Array:
    """(rows, COLUMNS, 3) points at `away` (rows, COLUMNS) from the line of sight."""
    phi = np.arange(COLUMNS) * 2 * pi / COLUMNS
    x = np.sin(away) * np.cos(phi)
    z = np.sin(away) * np.sin(phi)
    y = -np.cos(away)
    made: Array = np.stack([x, y, z], -1) * np.asarray(radius)[..., None] * np.array(size)
    return made


def _shell(
    kit: Kit, face: Face, size: tuple[float, float, float], slot: str, lip: float = 0.03
) -> Array:
    """The shell behind the face, with a rounded lip; returns the rim's line."""
    rim = face.rim()
    share = np.concatenate([[0.0, 0.0, 0.012], np.linspace(0.05, 1, 20)])[:, None]
    away = rim + share * (pi - 0.001 - rim)
    radius = np.ones_like(away)
    radius[0], radius[1] = 1 - lip * 2.2, 1 - lip * 0.3
    kit.grid(_skin(away, radius, size), slot, caps=False)
    line: Array = _skin(rim[None], np.ones((1, COLUMNS)), size)[0]
    return line


def _visor(
    kit: Kit, face: Face, size: tuple[float, float, float], bulge: float = 1.0, spill: float = 1.05
) -> None:
    """The glass over the face, from its middle to a little behind the rim."""
    share = np.linspace(0.002, spill, 22)[:, None]
    away = face.rim() * share
    # Fuller in the middle than the ball that it is cut from.
    swell = 1 + (bulge - 1) * np.cos(np.clip(share, 0, 1) * pi / 2)
    kit.grid(_skin(away, np.broadcast_to(swell * 0.985, away.shape), size), "visor", caps=False)


def _trim(kit: Kit, line: Array, thick: float, slot: str, grow: float = 1.0) -> None:
    """A bead along the rim."""
    closed = np.concatenate([line, line[:2]]) * grow
    kit.grid(swept(closed, thick, 10), slot, caps=False)


def helmet(kind: str) -> tuple[Kit, Kit]:
    """Shell with all its parts, and the visor alone."""
    kit, glass = Kit(), Kit()
    globals()[f"_{kind}"](kit, glass)
    return kit, glass


def _lamps(kit: Kit, x: float, z: float) -> None:
    """A pod of lamps on each side."""
    for side in (-1, 1):
        kit.box((0.05, 0.13, 0.085), "shell", at=shift(side * x, -0.055, z), bevel=0.02)
        for dz in (-0.021, 0.021):
            at = aimed((side * x, -0.118, z + dz), (side * 0.1, -1, -0.08))
            kit.lathe([(0.0185, -0.01), (0.021, 0.008), (0.0165, 0.009)], "dark", at=at, columns=18)
            kit.lathe([(0.017, 0.004), (0.012, 0.0075), (0.0001, 0.009)], "lamp", at=at, columns=18)


def _eva(kit: Kit, glass: Kit) -> None:
    """A big white visor assembly: gold sun visor, blinders at the sides, lamps, a camera."""
    size, face = (0.248, 0.252, 0.252), Face(wide=64, up=44, down=45, square=3.0)
    line = _shell(kit, face, size, "shell", 0.045)
    _visor(glass, face, (0.236, 0.262, 0.240), 1.0)
    _trim(kit, line, 0.0115, "shell", 1.004)
    _trim(kit, line, 0.006, "dark", 0.965)
    for side in (-1, 1):
        # Blinders that slide over the visor, on their hinges.
        hinge = aimed((side * 0.243, 0.0, -0.005), (side, 0, 0))
        kit.lathe([(0.052, -0.012), (0.054, 0.004), (0.046, 0.014), (0.018, 0.018),
                   (0.0001, 0.018)], "shell", at=hinge, columns=28)  # fmt: skip
        kit.lathe([(0.014, 0.014), (0.012, 0.025), (0.0001, 0.026)], "ring", at=hinge, columns=16)
    _lamps(kit, 0.232, 0.125)
    # The crown piece over the visor, and the camera on it.
    brow = [(-0.19, -0.135, 0.115), (-0.11, -0.16, 0.168), (0, -0.168, 0.19),
            (0.11, -0.16, 0.168), (0.19, -0.135, 0.115)]  # fmt: skip
    kit.tube(curve(brow, 6), 0.02, "shell", columns=10)
    kit.box((0.075, 0.10, 0.05), "shell", at=shift(0.0, -0.02, 0.262), bevel=0.014)
    kit.lathe([(0.017, 0), (0.017, 0.012), (0.012, 0.013), (0.0001, 0.006)], "dark",
              at=aimed((0.0, -0.066, 0.262), (0, -1, 0)), columns=18)  # fmt: skip


def _launch(kit: Kit, glass: Kit) -> None:
    """A launch helmet: white shell, a wide clear opening behind gold film, a bar that locks it."""
    size, face = (0.222, 0.245, 0.242), Face(wide=67, up=40, down=46, square=2.4)
    line = _shell(kit, face, size, "shell", 0.03)
    _visor(glass, face, (0.222, 0.252, 0.240), 1.0)
    _trim(kit, line, 0.0095, "dark", 1.0)
    for side in (-1, 1):
        hinge = aimed((side * 0.215, 0.02, 0.015), (side, 0, 0))
        kit.lathe([(0.042, -0.012), (0.044, 0.006), (0.034, 0.014), (0.0001, 0.016)],
                  "ring", at=hinge, columns=24)  # fmt: skip
    # The dark sunshade is pushed up over the crown.
    phi = np.arange(COLUMNS) * 2 * pi / COLUMNS
    top = np.clip(np.sin(phi), 0, 1) ** 0.5
    away = np.radians(np.linspace(44, 57, 7))[:, None] * np.ones(COLUMNS)
    shade = _skin(away, np.full(away.shape, 1.022), size)
    keep = np.where(top > 0.5)[0]
    kit.grid(shade[:, keep], "dark", wrap=False)
    bar = [(-0.20, -0.10, -0.105), (-0.13, -0.20, -0.135), (0, -0.245, -0.15),
           (0.13, -0.20, -0.135), (0.20, -0.10, -0.105)]  # fmt: skip
    kit.tube(curve(bar, 6), 0.012, "ring", columns=10)


def _sleek(kit: Kit, glass: Kit) -> None:
    """A smooth printed helmet: one wide visor from temple to temple, flush with the shell."""
    size, face = (0.218, 0.246, 0.240), Face(wide=86, up=34, down=40, square=3.4)
    line = _shell(kit, face, size, "shell", 0.012)
    _visor(glass, face, (0.2165, 0.2465, 0.2395), 1.0)
    _trim(kit, line, 0.005, "dark", 1.0)
    # A keel over the crown, a vent at the chin, pods over the ears.
    keel = [(0, -0.13, 0.208), (0, 0.0, 0.246), (0, 0.13, 0.208), (0, 0.21, 0.12)]
    kit.tube(curve(keel, 8), np.interp(np.linspace(0, 1, 25), [0, 0.5, 1], [0.008, 0.02, 0.012]),
             "accent", columns=10)  # fmt: skip
    for side in (-1, 1):
        pod = aimed((side * 0.208, 0.05, -0.02), (side, 0.15, 0))
        kit.lathe([(0.062, -0.02), (0.06, 0.004), (0.044, 0.014), (0.0001, 0.018)], "accent",
                  at=pod, columns=32)  # fmt: skip
    kit.box((0.11, 0.03, 0.02), "dark", at=shift(0, -0.172, -0.172), bevel=0.008)


def _dome(kit: Kit, glass: Kit) -> None:
    """A ball helmet of the first walks: red shell, tall gold face plate, bolts round its frame."""
    size, face = (0.240, 0.250, 0.250), Face(wide=50, up=47, down=46, square=2.2)
    line = _shell(kit, face, size, "shell", 0.05)
    _visor(glass, face, (0.235, 0.268, 0.245), 1.02)
    _trim(kit, line, 0.017, "ring", 1.0)
    for k in range(0, COLUMNS, 4):
        at = aimed(line[k] * 1.05, unit(line[k]))
        kit.lathe([(0.0065, 0), (0.0065, 0.009), (0.0001, 0.011)], "ring", at=at, columns=8)
    for side in (-1, 1):
        ear = aimed((side * 0.232, 0.03, -0.03), (side, 0, 0))
        kit.lathe([(0.06, -0.02), (0.058, 0.012), (0.046, 0.02), (0.042, 0.012), (0.0001, 0.012)],
                  "shell", at=ear, columns=28)  # fmt: skip
        kit.tube(curve([(side * 0.245, 0.03, 0.02), (side * 0.25, 0.0, 0.10), (side * 0.2, -0.03,
                 0.19)], 6), 0.008, "ring", columns=8)  # fmt: skip
    # A crest with a lamp.
    crest = [(0, -0.15, 0.205), (0, -0.03, 0.255), (0, 0.12, 0.225), (0, 0.22, 0.11)]
    kit.tube(curve(crest, 6), 0.022, "accent", columns=10)
    kit.lathe([(0.026, -0.05), (0.03, 0.012), (0.024, 0.014)], "ring",
              at=aimed((0, -0.15, 0.215), (0, -1, 0.1)), columns=20)  # fmt: skip
    kit.lathe([(0.024, 0.006), (0.016, 0.012), (0.0001, 0.014)], "lamp",
              at=aimed((0, -0.15, 0.215), (0, -1, 0.1)), columns=20)  # fmt: skip


def _lunar(kit: Kit, glass: Kit) -> None:
    """A lunar visor assembly: cloth over the shell, a very large gold bubble, a shade above it."""
    size, face = (0.246, 0.250, 0.250), Face(wide=70, up=54, down=52, square=2.3)
    line = _shell(kit, face, size, "cover", 0.05)
    _visor(glass, face, (0.238, 0.278, 0.246), 1.0)
    _trim(kit, line, 0.013, "cover", 1.0)
    _trim(kit, line, 0.006, "ring", 0.965)
    # Side shades half drawn, and the peak.
    for side in (-1, 1):
        hub = aimed((side * 0.245, 0.01, 0.0), (side, 0, 0))
        kit.lathe([(0.045, -0.01), (0.046, 0.008), (0.036, 0.014), (0.0001, 0.015)], "cover",
                  at=hub, columns=24)  # fmt: skip
        kit.lathe([(0.013, 0.012), (0.012, 0.024), (0.0001, 0.025)], "ring", at=hub, columns=14)
    peak = [(-0.215, -0.10, 0.085), (-0.14, -0.185, 0.165), (0, -0.225, 0.20),
            (0.14, -0.185, 0.165), (0.215, -0.10, 0.085)]  # fmt: skip
    kit.tube(curve(peak, 6), 0.017, "cover", columns=10)

"""How accordion, keyboard and grand piano are held. Plain numbers, without bpy.

The measures are those of `keys.py`; frames as in `holds.py`.
"""

from __future__ import annotations

import numpy as np

from rocketman.scenes.holds import Capsule, Grip, Hold, Matrix4, Point, hung

_ABOUT_FACE = np.diag((-1.0, -1.0, 1.0, 1.0))


def _about_x(degrees: float) -> Matrix4:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    made = np.eye(4)
    made[1:3, 1:3] = ((c, -s), (s, c))
    return made


def _shift(x: float, y: float, z: float) -> Matrix4:
    made = np.eye(4)
    made[:3, 3] = (x, y, z)
    return made


def _press(x: float) -> Grip:
    """A hand on the keyboard's keys; on show its case is tilted by 50 degrees to the viewer."""

    def tilted(y: float, z: float) -> Point:
        point = _about_x(50) @ (0.0, y, z, 1.0)
        return (0.0, float(point[1]), float(point[2]))

    at = tilted(-0.115, 0.058)
    return Grip(
        at=(x, at[1], at[2]), palm=tilted(0.25, -1.0), fingers=tilted(1.0, 0.15), curl="press"
    )


KEY_HOLDS: dict[str, Hold] = {
    "accordion": Hold(
        held=hung((0.0, -0.415, -0.08), (0, 0, 0), (1, 0.04, 0), (0, 0.05, 1)),
        right=Grip(
            at=(-0.255, -0.10, 0.02), palm=(0.62, 0.78, 0.0), fingers=(0.6, -0.45, -0.25),
            curl="press",
        ),
        left=Grip(
            at=(0.305, -0.01, -0.04), palm=(-1.0, 0.0, 0.12), fingers=(0.05, -1.0, 0.1), curl="flat"
        ),
        low=(-0.295, -0.105, -0.31),
        high=(0.36, 0.095, 0.23),
        solid=(
            Capsule(start=(-0.14, 0, -0.15), end=(-0.14, 0, 0.15), radius=0.08),
            Capsule(start=(0.14, 0, -0.15), end=(0.14, 0, 0.15), radius=0.08),
        ),
        yaw=(-18, 18),
        gaze=(0.0, -1.0, -0.1),
    ),
    "keyboard": Hold(
        # The key fronts are at the astronaut, the keys slope down towards the viewer.
        held=_shift(0.0, -0.48, -0.26) @ _about_x(46) @ _ABOUT_FACE @ _about_x(-50),
        right=_press(0.20),
        left=_press(-0.20),
        low=(-0.495, -0.11, -0.155),
        high=(0.495, 0.135, 0.155),
        solid=(Capsule(start=(-0.42, 0, -0.02), end=(0.42, 0, -0.02), radius=0.05),),
        yaw=(-20, 20),
        gaze=(0.0, -1.0, -0.3),
    ),
    "grand piano": Hold(
        # The tail points forward, the open lid to the astronaut's right.
        held=hung((0.0, -0.40, -0.25), (-0.50, 0, 0), (0, -1, 0), (0, 0, 1)),
        right=Grip(
            at=(-0.475, -0.20, 0.055), palm=(0.25, 0.0, -1.0), fingers=(1.0, 0.08, 0.1),
            curl="press",
        ),
        left=Grip(
            at=(-0.475, 0.17, 0.055), palm=(0.25, 0.0, -1.0), fingers=(1.0, -0.08, 0.1),
            curl="press",
        ),
        low=(-1.0, -0.585, -0.705),
        high=(0.67, 0.605, 0.885),
        solid=(
            Capsule(start=(-0.2, -0.4, 0.0), end=(-0.2, 0.4, 0.0), radius=0.08),
            Capsule(start=(0.1, 0.2, 0.0), end=(0.5, 0.35, 0.0), radius=0.08),
        ),
        yaw=(66, 86),
        gaze=(-0.45, -1.0, -0.30),
        seated=True,
    ),
}  # fmt: skip

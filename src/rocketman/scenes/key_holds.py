"""How accordion, keyboard and grand piano are held. Plain numbers, without bpy.

The measures are those of `keys.py`; frames as in `holds.py`.
"""

from __future__ import annotations

from rocketman.scenes.holds import Capsule, Grip, Hold
from rocketman.scenes.string_holds import hung

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
        low=(-0.29, -0.12, -0.27),
        high=(0.36, 0.12, 0.27),
        solid=(
            Capsule(start=(-0.14, 0, -0.15), end=(-0.14, 0, 0.15), radius=0.08),
            Capsule(start=(0.14, 0, -0.15), end=(0.14, 0, 0.15), radius=0.08),
        ),
        yaw=(-18, 18),
        gaze=(0.0, -1.0, -0.1),
    ),
    "keyboard": Hold(
        # The key fronts are at the astronaut, the keys slope up towards the viewer.
        held=hung((0.0, -0.50, -0.27), (0, 0, 0), (-1, 0, 0), (0, -0.10, 1)),
        right=Grip(
            at=(0.22, -0.105, 0.035), palm=(0.0, 0.45, -1.0), fingers=(-0.12, 1.0, 0.35),
            curl="press",
        ),
        left=Grip(
            at=(-0.22, -0.105, 0.035), palm=(0.0, 0.45, -1.0), fingers=(0.12, 1.0, 0.35),
            curl="press",
        ),
        low=(-0.5, -0.13, -0.15),
        high=(0.5, 0.13, 0.15),
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
        low=(-0.66, -0.62, -0.72),
        high=(0.72, 0.62, 0.75),
        solid=(
            Capsule(start=(-0.2, -0.4, 0.0), end=(-0.2, 0.4, 0.0), radius=0.08),
            Capsule(start=(0.1, 0.2, 0.0), end=(0.5, 0.35, 0.0), radius=0.08),
        ),
        yaw=(48, 66),
        gaze=(-0.15, -1.0, -0.35),
        seated=True,
    ),
}  # fmt: skip
"""The keyboard's own frame has its case level; `keys.py` tilts it towards the viewer."""

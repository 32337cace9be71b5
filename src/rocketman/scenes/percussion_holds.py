"""How the percussion is played: hands on skins, sticks and mallets over drums and bars.

See `holds.py` for the frames. The builders in `drums.py` and `percussion.py` draw sticks and
mallets where the grips say.
"""

from __future__ import annotations

from rocketman.scenes.holds import Capsule, Grip, Hold, hung

PERCUSSION_HOLDS: dict[str, Hold] = {
    "drum": Hold(
        held=hung((0, -0.55, -0.10), (0, 0, 0.265), (1, 0, 0), (0, -0.42, 0.9)),
        right=Grip(at=(-0.11, 0.03, 0.268), palm=(0, 0, -1), fingers=(0.35, -1, 0), curl="flat"),
        left=Grip(
            at=(0.115, 0.04, 0.33), palm=(0, -0.15, -1), fingers=(-0.35, -1, 0.25), curl="flat"
        ),
        low=(-0.255, -0.255, -0.285),
        high=(0.255, 0.255, 0.27),
        solid=(
            Capsule(start=(0, 0, 0.06), end=(0, 0, 0.10), radius=0.18),
            Capsule(start=(0, 0, -0.18), end=(0, 0, 0.0), radius=0.105),
        ),
        yaw=(-28, 28),
        gaze=(0, -0.8, -0.5),
        spread=0.08,
    ),
    "drum kit": Hold(
        held=hung((0, -0.74, -0.31), (0, 0, 0), (1, 0, 0), (0, 0, 1)),
        right=Grip(
            at=(-0.21, 0.27, 0.28),
            palm=(0.15, -0.2, -1),
            fingers=(0.6, -0.75, 0),
            curl="wrap",
            tool="stick",
            tool_from=(-0.235, 0.345, 0.305),
            tool_to=(-0.14, -0.03, 0.245),
        ),
        left=Grip(
            at=(0.24, 0.29, 0.30),
            palm=(-0.25, -0.4, -0.9),
            fingers=(-0.6, -0.75, 0.1),
            curl="wrap",
            tool="stick",
            tool_from=(0.265, 0.345, 0.25),
            tool_to=(0.13, 0.07, 0.53),
        ),
        low=(-0.65, -0.22, -0.53),
        high=(0.70, 0.35, 0.54),
        solid=(
            Capsule(start=(0, -0.1, -0.24), end=(0, 0.03, -0.24), radius=0.23),
            Capsule(start=(-0.455, 0.12, -0.22), end=(-0.455, 0.12, -0.12), radius=0.14),
            Capsule(start=(-0.137, -0.05, 0.13), end=(-0.137, -0.05, 0.17), radius=0.1),
            Capsule(start=(0.137, -0.05, 0.13), end=(0.137, -0.05, 0.17), radius=0.1),
        ),
        yaw=(-14, 14),
        gaze=(0, -1, -0.25),
        seated=True,
        spread=0.06,
    ),
    "xylophone": Hold(
        held=hung((0, -0.54, -0.24), (0, 0, 0), (1, 0, 0), (0, 0.1, 1)),
        right=Grip(
            at=(-0.23, 0.13, 0.25),
            palm=(0.2, -0.3, -0.9),
            fingers=(0.6, -0.75, -0.3),
            curl="wrap",
            tool="mallet",
            tool_from=(-0.255, 0.18, 0.31),
            tool_to=(-0.13, -0.06, 0.025),
        ),
        left=Grip(
            at=(0.23, 0.13, 0.27),
            palm=(-0.2, -0.3, -0.9),
            fingers=(-0.6, -0.75, -0.3),
            curl="wrap",
            tool="mallet",
            tool_from=(0.26, 0.185, 0.315),
            tool_to=(0.11, -0.11, 0.07),
        ),
        low=(-0.52, -0.16, -0.21),
        high=(0.52, 0.24, 0.32),
        solid=(Capsule(start=(-0.42, 0, 0), end=(0.42, 0, 0), radius=0.04),),
        yaw=(-18, 18),
        gaze=(0, -0.8, -0.5),
    ),
    "tambourine": Hold(
        held=hung((0.36, -0.47, 0.25), (0, 0, 0), (0.72, -0.69, 0), (0, 0.1, 1)),
        right=Grip(
            at=(-0.14, -0.17, -0.09), palm=(0.35, 1, 0.1), fingers=(0.8, -0.2, 0.55), curl="flat"
        ),
        left=Grip(at=(0.094, 0.0, -0.146), palm=(-0.5, 0.1, 0.85), fingers=(0.2, -1, 0.2)),
        low=(-0.21, -0.05, -0.21),
        high=(0.21, 0.05, 0.21),
        solid=(Capsule(start=(0, -0.02, 0), end=(0, -0.01, 0), radius=0.03),),
        yaw=(15, 42),
        gaze=(0.35, -1, -0.1),
    ),
}

"""How the wind instruments are played: mouthpiece at the visor, hands on valves, slides and keys.

See `holds.py` for the frames. The builders are in `brass.py` and `woodwinds.py`.
"""

from __future__ import annotations

from rocketman.scenes.holds import Capsule, Grip, Hold, hung

WIND_HOLDS: dict[str, Hold] = {
    "trumpet": Hold(
        held=hung((0, -0.31, 0.36), (-0.355, -0.024, 0.055), (0.48, -0.87, -0.08), (0.1, 0, 1)),
        right=Grip(
            at=(-0.05, -0.042, 0.045), palm=(0.1, 1, 0), fingers=(0.55, 0, 0.9), curl="press"
        ),
        left=Grip(at=(-0.035, 0.036, -0.03), palm=(0, -1, 0), fingers=(0.8, 0, 0.6)),
        low=(-0.36, -0.105, -0.13),
        high=(0.345, 0.15, 0.18),
        solid=(
            Capsule(start=(-0.25, 0, 0.055), end=(0.25, 0.01, 0.055), radius=0.02),
            Capsule(start=(-0.2, 0, -0.055), end=(0.2, 0, -0.055), radius=0.018),
        ),
        yaw=(24, 46),
        gaze=(0.3, -1, -0.05),
    ),
    "trombone": Hold(
        held=hung((0, -0.315, 0.36), (-0.41, 0, -0.125), (0.50, -0.86, -0.14), (-0.1, -0.12, 1)),
        right=Grip(at=(-0.065, -0.022, -0.09), palm=(0, 1, 0), fingers=(0.45, 0, 0.9)),
        left=Grip(at=(-0.22, 0.03, -0.07), palm=(0, -1, 0), fingers=(0.5, 0, 0.85)),
        low=(-0.53, -0.13, -0.16),
        high=(0.50, 0.17, 0.28),
        solid=(
            Capsule(start=(-0.4, 0, -0.125), end=(0.45, 0, -0.125), radius=0.015),
            Capsule(start=(-0.45, 0, -0.03), end=(0.45, 0, -0.03), radius=0.015),
            Capsule(start=(-0.45, 0.01, 0.125), end=(0.12, 0.02, 0.125), radius=0.03),
        ),
        yaw=(28, 48),
        gaze=(0.3, -1, -0.05),
    ),
    "french horn": Hold(
        held=hung((0, -0.315, 0.35), (0.136, 0.2, 0.3), (0.93, -0.36, 0.0), (0, 0.1, 1)),
        right=Grip(
            at=(-0.27, -0.10, -0.25), palm=(0.35, 0.55, 0.5), fingers=(0.65, -0.3, 0.6), curl="flat"
        ),
        left=Grip(at=(0.195, -0.02, 0.02), palm=(-1, 0, 0.1), fingers=(0, -1, 0.25)),
        low=(-0.38, -0.29, -0.46),
        high=(0.26, 0.22, 0.33),
        solid=(
            Capsule(start=(-0.08, 0, 0), end=(0.08, 0, 0), radius=0.1),
            Capsule(start=(-0.05, 0, -0.17), end=(-0.16, -0.06, -0.23), radius=0.035),
        ),
        yaw=(8, 34),
        gaze=(0.2, -1, -0.1),
    ),
    "saxophone": Hold(
        held=hung((0, -0.305, 0.33), (-0.335, 0, 0.333), (0.52, -0.85, -0.03), (0.12, 0, 1)),
        right=Grip(at=(-0.125, -0.052, -0.1), palm=(0.35, 1, 0), fingers=(1, -0.3, 0.1)),
        left=Grip(at=(-0.134, 0.004, 0.14), palm=(1, -0.15, 0), fingers=(0.1, -0.8, 0.55)),
        low=(-0.53, -0.2, -0.43),
        high=(0.31, 0.2, 0.42),
        solid=(
            Capsule(start=(-0.11, 0, 0.25), end=(-0.08, 0, -0.28), radius=0.03),
            Capsule(start=(-0.04, 0, -0.35), end=(0.1, 0, -0.3), radius=0.045),
            Capsule(start=(0.115, 0, -0.25), end=(0.15, -0.03, -0.05), radius=0.055),
        ),
        yaw=(26, 46),
        gaze=(0.2, -1, -0.1),
    ),
    "flute": Hold(
        held=hung((0, -0.325, 0.345), (0.2, 0.02, 0.02), (0.93, 0.32, 0.14), (0, -0.1, 1)),
        right=Grip(at=(-0.2, 0.02, 0.012), palm=(0, -0.75, -0.6), fingers=(0.1, -0.6, 0.75)),
        left=Grip(at=(0.03, -0.024, -0.008), palm=(0, 1, 0.35), fingers=(-0.6, 0, 0.9)),
        low=(-0.43, -0.05, -0.05),
        high=(0.34, 0.05, 0.05),
        solid=(Capsule(start=(-0.41, 0, 0), end=(0.32, 0, 0), radius=0.016),),
        yaw=(-22, 12),
        gaze=(-0.15, -1, -0.1),
    ),
    "clarinet": Hold(
        held=hung((0, -0.315, 0.35), (0, 0.011, 0.409), (0.9, 0.44, 0.0), (0.0, 0.66, 0.75)),
        right=Grip(at=(-0.027, 0.005, -0.05), palm=(1, 0.1, 0), fingers=(0.1, -1, 0.35)),
        left=Grip(at=(0.027, 0.005, 0.145), palm=(-1, 0.1, 0), fingers=(-0.1, -1, 0.35)),
        low=(-0.066, -0.067, -0.41),
        high=(0.068, 0.066, 0.41),
        solid=(Capsule(start=(0, 0, -0.37), end=(0, 0, 0.38), radius=0.02),),
        yaw=(24, 48),
        gaze=(0.15, -1, -0.25),
    ),
}

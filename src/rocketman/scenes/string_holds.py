"""How string instruments are held. Plain numbers, without bpy; frames as in `holds.py`.

The measures are those of `strings.py` and `bowed.py`: who moves a bridge there moves a grip here.
"""

from __future__ import annotations

import numpy as np

from rocketman.scenes.holds import Capsule, Grip, Hold, Point, hung


def _fretted(
    *, body: float, y: float, depth: float, strum: float, fret: float, neck: float,
    width: float, low: Point, high: Point, belly: Point, slope: float, size: float,
) -> Hold:  # fmt: skip
    """A guitar-like instrument across the belly, its neck up to the astronaut's left.

    `body`, `strum` and `fret` are heights along the neck: middle of the body, strumming hand,
    fretting hand; `y` the strings' front, `depth` the neck's back there.
    """
    up = np.array((np.cos(slope), -0.07, np.sin(slope)))
    across = np.array((np.sin(slope), 0.0, -np.cos(slope)))
    return Hold(
        held=hung(belly, (0, 0, body), tuple(across.tolist()), tuple(up.tolist()), size),
        right=Grip(
            at=(-0.01, y - 0.042, strum),
            palm=(0.12, 1.0, 0.0),
            fingers=(0.9, 0.0, -0.35),
            curl="pluck",
        ),
        left=Grip(
            # From below: the neck lies in the hand, fingers come up in front over the strings.
            at=(0.027, depth + 0.004, fret),
            palm=(-1.0, -0.25, 0.0),
            fingers=(-0.25, -1.0, 0.1),
        ),
        low=low,
        high=high,
        solid=(
            Capsule(start=(0, 0, body - width), end=(0, 0, body + width), radius=0.05),
            Capsule(start=(0, y + 0.02, body), end=(0, y + 0.02, neck), radius=0.015),
        ),
        yaw=(-22, 16),
        gaze=(0.25, -1.0, -0.3),
    )


VIOLIN_SIZE, CELLO_SIZE = 1.03, 1.70
"""Over the violin of `bowed.py`, whose body is 0.41 m."""


def bow_line(
    size: float, ribs: float, tilt: float, reach: tuple[float, float]
) -> tuple[Point, Point]:
    """Where the hair of the bow runs: from frog to tip, across the strings near the bridge."""
    middle = np.array((0.0, size * (-0.0425 - ribs / 2), -0.118 * size))
    along = np.array((np.cos(tilt), 0.0, np.sin(tilt)))
    frog, tip = middle + reach[0] * along, middle + reach[1] * along
    return (frog[0], frog[1], frog[2]), (tip[0], tip[1], tip[2])


VIOLIN_RIBS, CELLO_RIBS = 0.036, 0.062
"""Depth of the ribs, before the size."""
_VIOLIN_BOW = bow_line(VIOLIN_SIZE, VIOLIN_RIBS, -0.10, (0.19, -0.44))
_CELLO_BOW = bow_line(CELLO_SIZE, CELLO_RIBS, 0.16, (-0.30, 0.42))


def _s(size: float, *point: float) -> Point:
    return (size * point[0], size * point[1], size * point[2])


STRING_HOLDS: dict[str, Hold] = {
    "guitar": _fretted(
        body=-0.28, y=-0.082, depth=-0.036, strum=-0.22, fret=0.25, neck=0.5, width=0.17,
        low=(-0.21, -0.09, -0.535), high=(0.21, 0.055, 0.535),
        belly=(-0.10, -0.375, -0.27), slope=0.46, size=1.08,
    ),
    "electric guitar": _fretted(
        body=-0.28, y=-0.066, depth=-0.032, strum=-0.23, fret=0.26, neck=0.55, width=0.12,
        low=(-0.18, -0.09, -0.48), high=(0.175, 0.005, 0.6),
        belly=(-0.10, -0.335, -0.27), slope=0.46, size=1.10,
    ),
    "bass": _fretted(
        body=-0.28, y=-0.071, depth=-0.032, strum=-0.26, fret=0.30, neck=0.7, width=0.13,
        low=(-0.19, -0.08, -0.51), high=(0.175, 0.005, 0.8),
        belly=(-0.12, -0.335, -0.30), slope=0.40, size=1.04,
    ),
    "banjo": _fretted(
        body=-0.30, y=-0.071, depth=-0.032, strum=-0.25, fret=0.24, neck=0.5, width=0.09,
        low=(-0.19, -0.08, -0.49), high=(0.19, 0.06, 0.52),
        belly=(-0.10, -0.365, -0.25), slope=0.50, size=1.06,
    ),
    "ukulele": _fretted(
        body=-0.17, y=-0.051, depth=-0.02, strum=-0.11, fret=0.15, neck=0.28, width=0.07,
        low=(-0.11, -0.055, -0.3), high=(0.11, 0.035, 0.305),
        belly=(-0.09, -0.39, -0.17), slope=0.42, size=1.12,
    ),
    "violin": Hold(
        held=hung((0.14, -0.27, 0.215), (0, 0, -0.34), (-0.50, -0.46, -0.73), (0.80, -0.58, 0.14)),
        right=Grip(
            at=_VIOLIN_BOW[0], palm=(-0.25, 0.9, -0.35), fingers=(-0.35, 0.1, 0.94), curl="pinch",
            tool="bow", tool_from=_VIOLIN_BOW[0], tool_to=_VIOLIN_BOW[1],
        ),
        left=Grip(
            at=_s(VIOLIN_SIZE, 0.022, 0.0, 0.18), palm=(-1.0, -0.2, 0.0), fingers=(-0.2, -1.0, 0.0)
        ),
        low=(-0.45, -0.095, -0.355),
        high=(0.255, 0.035, 0.345),
        solid=(Capsule(start=(0, 0, -0.26), end=(0, 0, 0.0), radius=0.04),),
        yaw=(-12, 18),
        gaze=(0.6, -1.0, -0.2),
    ),
    "cello": Hold(
        held=hung((0.03, -0.43, -0.50), (0, 0, -0.28), (0.96, -0.1, -0.22), (0.22, 0.18, 0.96)),
        right=Grip(
            at=_CELLO_BOW[0], palm=(0.3, 0.9, -0.3), fingers=(0.6, -0.1, -0.8), curl="pinch",
            tool="bow", tool_from=_CELLO_BOW[0], tool_to=_CELLO_BOW[1],
        ),
        left=Grip(
            at=_s(CELLO_SIZE, 0.018, -0.004, 0.14), palm=(-1.0, -0.25, 0.0),
            fingers=(-0.25, -1.0, 0.1),
        ),
        low=(-0.36, -0.16, -0.785),
        high=(0.425, 0.08, 0.565),
        solid=(Capsule(start=(0, 0, -0.45), end=(0, 0, 0.0), radius=0.06),),
        yaw=(-22, 12),
        gaze=(0.1, -1.0, -0.3),
        seated=True,
        spread=0.10,
    ),
    "harp": Hold(
        held=hung((-0.07, -0.66, -0.08), (0, 0, 0), (0.22, -0.97, 0.0), (0.0, 0.10, 1.0)),
        right=Grip(
            at=(-0.07, -0.05, 0.13), palm=(0.1, 1.0, 0.0), fingers=(0.95, 0.2, -0.1), curl="pluck"
        ),
        left=Grip(
            at=(-0.02, 0.05, 0.08), palm=(0.1, -1.0, 0.0), fingers=(0.95, -0.2, -0.1), curl="pluck"
        ),
        low=(-0.375, -0.13, -0.55),
        high=(0.335, 0.13, 0.53),
        solid=(
            Capsule(start=(-0.33, 0, 0.2), end=(0.15, 0, -0.47), radius=0.05),
            Capsule(start=(0.26, 0, -0.4), end=(0.26, 0, 0.45), radius=0.03),
        ),
        yaw=(38, 60),
        gaze=(-0.2, -1.0, -0.1),
    ),
}  # fmt: skip

"""How each instrument is held: grips, body turn, size. Plain numbers, without bpy.

An instrument stands at its own origin as in a catalogue: it faces -y, z is up, metres, a little
larger than life where that helps it read in a small picture. The torso frame has its origin at the
sternum; the astronaut faces -y, x points to the viewer's right (the astronaut's left hand is at
+x), z up. The helmet's centre is at (0, -0.02, 0.43), a mouthpiece ends near (0, -0.29, 0.36).
Read by `poses.py` (arms and hands that meet the grips) and by the builders, which draw the
instrument in exactly these measures.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float, float]
Matrix4 = NDArray[np.float64]
"""(4, 4) affine: columns are the axes and the origin."""

Fingers = Literal["wrap", "press", "pluck", "flat", "pinch"]
"""wrap: around a neck, tube or handle; press: curved, tips down on keys, strings or valves;
pluck: half curled, tips at the strings; flat: on a drum skin; pinch: around a bow or stick."""
Tool = Literal["", "bow", "stick", "mallet"]


@dataclass(frozen=True, kw_only=True)
class Grip:
    """Where one hand is: palm, in the instrument's frame."""

    at: Point
    """Centre of the palm's surface: the point that touches or faces the instrument."""
    palm: Point
    """Direction out of the palm, towards what it holds."""
    fingers: Point
    """Direction from wrist to knuckles; made square to `palm` by whoever reads it."""
    curl: Fingers = "wrap"
    tool: Tool = ""
    """What the hand holds besides: a violin bow, a stick, a mallet. Drawn by the instrument's
    builder at `tool_from` to `tool_to`."""
    tool_from: Point = (0.0, 0.0, 0.0)
    tool_to: Point = (0.0, 0.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class Capsule:
    """A thick line: what stands for a part of an instrument where limbs must not pass through."""

    start: Point
    end: Point
    radius: float


@dataclass(frozen=True, kw_only=True)
class Hold:
    """How an instrument is played, and how large it is."""

    held: Matrix4
    """Instrument frame -> torso frame."""
    right: Grip
    """The astronaut's right hand, at -x, the viewer's left."""
    left: Grip
    low: Point
    high: Point
    """Opposite corners of the box around the instrument, in its own frame."""
    solid: tuple[Capsule, ...] = ()
    """The instrument's body, coarse and a little inside its surface."""
    yaw: tuple[float, float] = (-20.0, 20.0)
    """Body yaw in degrees from which it reads best; + turns to the viewer's right."""
    gaze: Point = (0.0, -1.0, 0.0)
    """Direction in which the helmet looks, torso frame: at the hands, or out to the viewer."""
    seated: bool = False
    """Legs as on a stool (cello, piano, drum kit); else floating free."""
    spread: float = field(default=0.0)
    """How far the knees are apart beyond normal, metres (a cello between them)."""


def hung(point: Point, grip: Point, x: Point, z: Point, size: float = 1.0) -> Matrix4:
    """Axes along `x` and, as near as it can be, `z`; the instrument's `grip` comes to `point`.

    `size` enlarges the instrument over its builder's measures.
    """
    ex = np.asarray(x, float) / np.linalg.norm(x)
    ez = np.asarray(z, float) - ex * float(np.dot(z, ex))
    ez /= np.linalg.norm(ez)
    made = np.eye(4)
    made[:3, :3] = size * np.stack([ex, np.cross(ez, ex), ez], axis=1)
    made[:3, 3] = np.asarray(point, float) - made[:3, :3] @ np.asarray(grip, float)
    return made

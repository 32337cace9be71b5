"""Where the camera stands so that nothing that matters is cut off. Plain numbers, without bpy.

Reads a `Scene` and the points that must be seen; gives the nearest camera that shows them all,
moved to the side inside the room that is left. Exact, so it is tested without rendering.
Next: `staging.py` collects the points, `render.py` sets Blender's camera.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians, sin

import numpy as np
from numpy.typing import NDArray

from rocketman.scenes.spec import Scene

SENSOR = 36.0
"""Width of the sensor in millimetres: lenses are named as on a full-frame camera."""
EDGE = 0.96
"""No point that matters comes nearer to the picture's edge than this share of half its size."""
NEAREST = 0.9
"""Metres between the camera and the nearest point."""

Points = NDArray[np.float64]
"""(N, 3) world, metres."""


@dataclass(frozen=True, kw_only=True)
class Camera:
    """A camera in the world."""

    matrix: NDArray[np.float64]
    """(4, 4): columns are right, up, backwards, position."""
    lens: float
    focus: float
    """Metres to what is sharp."""

    @property
    def half(self) -> float:
        """Half the picture over the distance: the tangent of half the angle of view."""
        return SENSOR / 2 / self.lens

    def project(self, points: Points) -> NDArray[np.float64]:
        """(N, 2): where points fall, -1 to 1 from left to right and from bottom to top."""
        seen = (points - self.matrix[:3, 3]) @ self.matrix[:3, :3]
        result: NDArray[np.float64] = seen[:, :2] / (-seen[:, 2:] * self.half)
        return result


def turned(azimuth: float, elevation: float, roll: float) -> NDArray[np.float64]:
    """(3, 3) axes of a camera that looks along +y, then moved around its subject, degrees.

    Positive azimuth looks from the viewer's right, positive elevation from above.
    """
    a, e, r = radians(azimuth), radians(elevation), radians(roll)
    right = np.array([cos(a), sin(a), 0.0])
    back = np.array([sin(a) * cos(e), -cos(a) * cos(e), sin(e)])
    up = np.cross(back, right)
    made = np.stack([right * cos(r) + up * sin(r), up * cos(r) - right * sin(r), back], axis=1)
    return made


def aim(scene: Scene, must: Points, focus: Points) -> Camera:
    """The nearest camera that shows all of `must` inside `scene.fill` of the picture.

    `focus` are the points of which the middle is sharp.
    """
    axes = turned(scene.camera_azimuth, scene.camera_elevation, scene.camera_roll)
    half = SENSOR / 2 / scene.lens
    seen = must @ axes
    z = seen[:, 2]
    back = float(z.max()) + NEAREST
    for axis in (0, 1):
        # |x_i - cx| <= f (cz - z_i) for all i has a solution cx just where cz is at least this.
        f = scene.fill * half
        x = seen[:, axis]
        back = max(back, float((x + f * z).max() + (f * z - x).max()) / (2 * f))
    place = [0.0, 0.0, back]
    for axis in (0, 1):
        room = EDGE * half * (back - z)
        low, high = float((seen[:, axis] - room).max()), float((seen[:, axis] + room).min())
        # A subject moved to the right means a camera moved to the left.
        place[axis] = (low + high) / 2 - scene.offset[axis] * (high - low) / 2
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = axes, axes @ np.array(place)
    sharp = back - float((focus @ axes)[:, 2].mean())
    return Camera(matrix=matrix, lens=scene.lens, focus=sharp)

"""Many small parts as one mesh: pipes, turned parts, rods, rings and bars that share a material.

An instrument has hundreds of parts; an object for each would cost more than tracing them. `Pieces`
gathers their vertices as arrays and makes one object a material. Every part is grids of quads;
hard edges are grids that share no vertices, so that one smooth shading serves all.
Reads `shapes.py`. Next: `brass.py`, `drums.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import pi

import bpy
import numpy as np
from mathutils import Matrix, Vector
from numpy.typing import NDArray

from rocketman.scenes.shapes import IDENTITY, Point, put

Array = NDArray[np.float64]
Outline = Sequence[tuple[float, float]]
HARD = 0.8
"""Cosine of the corner from which a profile's edge is hard: 37 degrees."""


class Pieces:
    """Parts of one material, gathered; `done` makes them one object."""

    def __init__(self, surface: bpy.types.Material, at: Matrix = IDENTITY) -> None:
        self._surface, self._at = surface, at
        self._vertices: list[Array] = []
        self._quads: list[NDArray[np.int64]] = []
        self._count = 0

    def done(self) -> bpy.types.Object:
        quads = np.concatenate(self._quads).astype(np.int32)
        data = bpy.data.meshes.new("pieces")
        data.vertices.add(self._count)
        data.vertices.foreach_set("co", np.concatenate(self._vertices).astype(np.float32).ravel())
        data.loops.add(quads.size)
        data.loops.foreach_set("vertex_index", quads.ravel())
        data.polygons.add(len(quads))
        data.polygons.foreach_set("loop_start", np.arange(0, quads.size, 4, dtype=np.int32))
        data.update(calc_edges=True)
        data.materials.append(self._surface)
        return put(data, self._at)

    def grid(self, points: Array, *, wrap: bool = True, at: Matrix = IDENTITY) -> None:
        """Quads between the rows of `points` (rows, columns, 3); `wrap` closes each row."""
        rows, columns = points.shape[:2]
        flat = points.reshape(-1, 3)
        if at is not IDENTITY:
            matrix = np.array(at)
            flat = flat @ matrix[:3, :3].T + matrix[:3, 3]
        last = columns if wrap else columns - 1
        row = np.arange(rows - 1)[:, None] * columns
        here, there = np.arange(last), (np.arange(last) + 1) % columns
        quads = np.stack([row + here, row + there, row + columns + there, row + columns + here], -1)
        self._quads.append(quads.reshape(-1, 4) + self._count)
        self._vertices.append(flat)
        self._count += len(flat)

    def facets(self, corners: Array, *, at: Matrix = IDENTITY) -> None:
        """Flat quads of `corners` (n, 4, 3), counter-clockwise from outside."""
        flat = corners.reshape(-1, 3)
        if at is not IDENTITY:
            matrix = np.array(at)
            flat = flat @ matrix[:3, :3].T + matrix[:3, 3]
        self._quads.append(np.arange(len(flat)).reshape(-1, 4) + self._count)
        self._vertices.append(flat)
        self._count += len(flat)

    def lathe(
        self, profile: Outline, *, at: Matrix = IDENTITY, segments: int = 24, capped: bool = True
    ) -> None:
        """`profile` of (radius, z), from bottom to top, turned around z; ends off it are capped.

        A hoop, whose profile ends where it starts, is not, nor a bell (`capped` is False).
        """
        line = [*profile]
        if capped and profile[0] != profile[-1]:
            line = [(0.0, profile[0][1])] * (profile[0][0] > 1e-6) + line
            line += [(0.0, profile[-1][1])] * (profile[-1][0] > 1e-6)
        angle = np.arange(segments) * 2 * pi / segments
        circle = np.stack([np.cos(angle), np.sin(angle), np.zeros(segments)], axis=-1)
        points = np.asarray(line, dtype=float)
        for part in _smooth_runs(points):
            rings = points[part, 0][:, None, None] * circle
            rings[..., 2] += points[part, 1][:, None]
            self.grid(rings, at=at)

    def tube(
        self,
        path: Sequence[Point] | Array,
        radius: float | Sequence[float] | Array,
        *,
        at: Matrix = IDENTITY,
        segments: int = 14,
        flatten: float = 1.0,
    ) -> None:
        """A round pipe along a polyline; one radius, or one a point. Ends are capped."""
        points = np.asarray(path, dtype=float)
        radii = np.broadcast_to(np.asarray(radius, dtype=float), (len(points),))
        tangents = np.gradient(points, axis=0)
        tangents /= np.linalg.norm(tangents, axis=1, keepdims=True) + 1e-12
        side = np.cross(tangents[0], (0, 0, 1) if abs(tangents[0][2]) < 0.9 else (0, 1, 0))
        sides = np.empty_like(points)
        for k, tangent in enumerate(tangents):
            # Carried along the path (parallel transport), so that the pipe never twists.
            side = side - tangent * (side @ tangent)
            side = side / (np.sqrt(side @ side) + 1e-12)
            sides[k] = side
        others = np.cross(tangents, sides) * flatten
        angle = np.arange(segments) * 2 * pi / segments
        ring = (
            np.cos(angle)[:, None] * sides[:, None] + np.sin(angle)[:, None] * others[:, None]
        ) * radii[:, None, None]
        rings = points[:, None] + ring
        self.grid(rings, at=at)
        for end, order in ((0, slice(None, None, -1)), (-1, slice(None))):
            middle = np.broadcast_to(points[end], (segments, 3))
            self.grid(np.stack([rings[end], middle])[:, order], at=at)

    def rods(
        self, ends: Iterable[tuple[Point, Point]], radius: float, *, segments: int = 8
    ) -> None:
        """Straight round rods, capped: all at once, for there are many."""
        line = np.array([[np.asarray(a, float), np.asarray(b, float)] for a, b in ends])
        axis = line[:, 1] - line[:, 0]
        axis /= np.linalg.norm(axis, axis=1, keepdims=True) + 1e-12
        upright = np.abs(axis[:, 2:]) >= 0.9
        side = np.cross(axis, np.where(upright, (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)))
        side /= np.linalg.norm(side, axis=1, keepdims=True)
        other = np.cross(axis, side)
        angle = np.arange(segments)[:, None] * 2 * pi / segments
        circle = radius * (np.cos(angle) * side[:, None] + np.sin(angle) * other[:, None])
        low, high = line[:, :1] + circle, line[:, 1:] + circle
        middle = np.broadcast_to(line[:, :, None], (len(line), 2, segments, 3))
        # Six rows a rod: middle, ring; ring, ring; ring, middle.
        rows = np.stack([middle[:, 0], low, low, high, high, middle[:, 1]], axis=1)
        here, there = np.arange(segments), (np.arange(segments) + 1) % segments
        first = np.array([0, 2, 4])[:, None] * segments
        quads = np.stack(
            [first + here, first + there, first + segments + there, first + segments + here], -1
        ).reshape(-1, 4)
        starts = np.arange(len(line))[:, None, None] * 6 * segments + self._count
        self._quads.append((quads + starts).reshape(-1, 4))
        self._vertices.append(rows.reshape(-1, 3))
        self._count += rows.size // 3

    def ring(
        self,
        radius: float,
        thickness: float,
        *,
        at: Matrix = IDENTITY,
        segments: int = 32,
        sections: int = 8,
    ) -> None:
        """A torus in the xy plane; `thickness` is the radius of its section."""
        u = np.append(np.arange(segments), 0)[:, None] * 2 * pi / segments
        v = np.arange(sections)[None] * 2 * pi / sections
        reach = radius + thickness * np.cos(v)
        height = np.broadcast_to(thickness * np.sin(v), (segments + 1, sections))
        self.grid(np.stack([reach * np.cos(u), reach * np.sin(u), height], -1)[::-1], at=at)

    def ball(self, radius: float | Point, center: Point, *, segments: int = 16) -> None:
        """A ball, or an ellipsoid where `radius` has three numbers."""
        scale = Vector((radius,) * 3) if isinstance(radius, (int, float)) else Vector(radius)
        polar = np.linspace(0, pi, segments // 2 + 1)
        profile = [(float(np.sin(a)), float(-np.cos(a))) for a in polar]
        profile[0], profile[-1] = (0.0, -1.0), (0.0, 1.0)
        place = Matrix.Translation(Vector(center)) @ Matrix.Diagonal((*scale, 1.0))
        self.lathe(profile, at=place, segments=segments)

    def bar(
        self, size: Point, center: Point = (0, 0, 0), *, bevel: float = 0.002, at: Matrix = IDENTITY
    ) -> None:
        """A box of full extents `size` with cut edges."""
        half = np.asarray(size, dtype=float) / 2
        cut = min(bevel, 0.49 * float(half.min()))
        levels = [(half[2], cut), (half[2] - cut, 0.0), (cut - half[2], 0.0), (-half[2], cut)]
        rings = np.array(
            [
                [
                    (half[0] - inset, cut - half[1], z),
                    (half[0] - inset, half[1] - cut, z),
                    (half[0] - cut, half[1] - inset, z),
                    (cut - half[0], half[1] - inset, z),
                    (inset - half[0], half[1] - cut, z),
                    (inset - half[0], cut - half[1], z),
                    (cut - half[0], inset - half[1], z),
                    (half[0] - cut, inset - half[1], z),
                ]
                for z, inset in levels[::-1]
            ]
        ) + np.asarray(center, dtype=float)
        after = np.roll(rings, -1, axis=1)
        walls = np.stack([rings[:-1], after[:-1], after[1:], rings[1:]], axis=2).reshape(-1, 4, 3)
        caps = [
            ring[order]
            for ring, flip in ((rings[0], True), (rings[-1], False))
            for order in ([0, 1, 2, 3], [0, 3, 4, 7], [7, 4, 5, 6])
            for order in [order[::-1] if flip else order]
        ]
        self.facets(np.concatenate([walls, np.array(caps)]), at=at)


def _smooth_runs(points: Array) -> list[slice]:
    """Stretches of a profile between its hard corners; neighbours share the corner."""
    steps = np.diff(points, axis=0)
    steps /= np.linalg.norm(steps, axis=1, keepdims=True) + 1e-12
    hard = np.flatnonzero((steps[:-1] * steps[1:]).sum(axis=1) < HARD) + 1
    bounds = [0, *hard.tolist(), len(points) - 1]
    return [slice(a, b + 1) for a, b in pairwise(bounds)]

"""Parts of a suit as arrays, to be sewn into one mesh with several materials. Without bpy.

A `Kit` collects surfaces, each with the name of its material; `astronaut.py` makes one Blender
object of it: few objects keep scene building cheap.
Next: `limbs.py`, `helmets.py`, `trunk.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import pi

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
EYE = np.eye(4)


def unit(v: ArrayLike) -> Array:
    """Vectors (..., 3) of length one."""
    a = np.asarray(v, float)
    result: Array = a / (np.linalg.norm(a, axis=-1, keepdims=True) + 1e-12)
    return result


def shift(x: float, y: float, z: float) -> Array:
    """(4, 4) a translation."""
    made = np.eye(4)
    made[:3, 3] = x, y, z
    return made


def scale(x: float, y: float, z: float) -> Array:
    """(4, 4) a scaling about the origin."""
    return np.diag([x, y, z, 1.0])


def aimed(origin: ArrayLike, z: ArrayLike, x: ArrayLike = (1, 0, 0)) -> Array:
    """(4, 4) a frame whose z axis is exactly `z`, its x axis as near to `x` as it can be."""
    ez = unit(z)
    ex = np.asarray(x, float)
    if abs(float(unit(ex) @ ez)) > 0.98:
        ex = np.array([0.0, 1.0, 0.0])
    ex = unit(ex - ez * float(ex @ ez))
    made = np.eye(4)
    made[:3, 0], made[:3, 1], made[:3, 2] = ex, np.cross(ez, ex), ez
    made[:3, 3] = origin
    return made


def curve(points: ArrayLike, steps: int = 8) -> Array:
    """(N, 3) a Catmull-Rom line through points, `steps` samples between neighbours."""
    p = np.asarray(points, float)
    p = np.concatenate([[2 * p[0] - p[1]], p, [2 * p[-1] - p[-2]]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None, None]
    a, b, c, d = p[:-3], p[1:-2], p[2:-1], p[3:]
    line = 2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - 3 * c + d - a) * t**3
    return np.concatenate([(line / 2).swapaxes(0, 1).reshape(-1, 3), p[-2:-1]])


def rings(path: ArrayLike, inner: ArrayLike | None = None) -> tuple[Array, Array, Array]:
    """Frames along a line (N, 3): centres, and two axes across; the first looks to `inner`."""
    points = np.asarray(path, float)
    tangents = unit(np.gradient(points, axis=0))
    if inner is not None:
        way = np.asarray(inner, float)
        first = unit(way - tangents * (tangents @ way)[:, None])
        return points, first, np.cross(tangents, first)
    # Carry one vector along (parallel transport), so that the tube never twists.
    side = np.cross(tangents[0], (0, 0, 1) if abs(tangents[0][2]) < 0.9 else (0, 1, 0))
    sides = []
    for tangent in tangents:
        side = unit(side - tangent * float(side @ tangent))
        sides.append(side)
    first = np.array(sides)
    return points, first, np.cross(tangents, first)


def swept(path: ArrayLike, radii: ArrayLike, columns: int, inner: ArrayLike | None = None) -> Array:
    """(rows, columns, 3) a tube; `radii` is a number, (rows,) or (rows, columns)."""
    points, first, second = rings(path, inner)
    angle = np.arange(columns) * 2 * pi / columns
    r = np.asarray(radii, float)
    r = r[:, None] if r.ndim == 1 else r
    r = np.broadcast_to(r, (len(points), columns))
    across = (
        np.cos(angle)[None, :, None] * first[:, None]
        + np.sin(angle)[None, :, None] * (second[:, None])
    )
    result: Array = points[:, None] + r[:, :, None] * across
    return result


ROUND = np.stack([0.5 + 0.48 * np.cos(np.arange(40) * pi / 20),
                  0.5 + 0.48 * np.sin(np.arange(40) * pi / 20)], 1)  # fmt: skip
"""Outline of a round patch."""


def _plate(round_: float) -> Array:
    angle = np.arange(40) * pi / 20 + pi / 40
    c, s = np.cos(angle), np.sin(angle)
    half = np.stack([np.sign(c) * np.abs(c) ** round_, np.sign(s) * np.abs(s) ** round_], 1)
    result: Array = 0.5 + 0.5 * half
    return result


PLATE = _plate(0.12)
"""Outline of a flag or a placard."""
POCKET = _plate(0.25)
"""Outline of a pocket."""


class Kit:
    """Surfaces that become one mesh. `slot` everywhere is the name of a material."""

    def __init__(self) -> None:
        self.points: list[Array] = []
        self.tone: list[Array] = []
        self.uv: list[Array] = []
        self.corners: list[NDArray[np.int64]] = []
        self.sizes: list[NDArray[np.int64]] = []
        self.slots: list[NDArray[np.int64]] = []
        self.smooth: list[NDArray[np.bool_]] = []
        self.names: list[str] = []
        self._count = 0

    def _add(self, points: Array, tone: Array, uv: Array, at: Array) -> int:
        first = self._count
        self.points.append(points @ at[:3, :3].T + at[:3, 3])
        self.tone.append(tone)
        self.uv.append(uv)
        self._count += len(points)
        return first

    def _faces(self, faces: NDArray[np.int64], slot: NDArray[np.int64], smooth: bool) -> None:
        self.corners.append(faces.reshape(-1))
        self.sizes.append(np.full(len(faces), faces.shape[1]))
        self.slots.append(slot)
        self.smooth.append(np.full(len(faces), smooth))

    def number(self, name: str) -> int:
        """Number of a material in this kit."""
        if name not in self.names:
            self.names.append(name)
        return self.names.index(name)

    def grid(
        self,
        points: Array,
        slot: str,
        *,
        at: Array = EYE,
        wrap: bool = True,
        caps: bool = True,
        smooth: bool = True,
        tone: ArrayLike = 0.0,
        bands: Sequence[tuple[int, int, str]] = (),
    ) -> None:
        """A surface from (rows, columns, 3); `wrap` closes each row to a ring, `caps` the ends.

        `tone` (a number, one a row, or one a point) darkens below 0; `bands` are runs of rows,
        first and last, in other materials.
        """
        rows, columns = points.shape[:2]
        v, u = np.meshgrid(np.linspace(0, 1, rows), np.linspace(0, 1, columns), indexing="ij")
        each = np.asarray(tone, float)
        each = each[:, None] if each.ndim == 1 else each
        shade = np.broadcast_to(each, (rows, columns)).reshape(-1)
        uv = np.stack([u, v], -1).reshape(-1, 2)
        first = self._add(points.reshape(-1, 3), shade, uv, at)
        last = columns if wrap else columns - 1
        k = np.arange(last)
        row = np.arange(rows - 1)[:, None] * columns
        a, b = row + k, row + (k + 1) % columns
        quads = np.stack([a, b, b + columns, a + columns], -1).reshape(-1, 4) + first
        which = np.full((rows - 1, last), self.number(slot))
        for start, stop, name in bands:
            which[start:stop] = self.number(name)
        self._faces(quads, which.reshape(-1), smooth)
        if wrap and caps:
            for base, turn in ((0, -1), ((rows - 1) * columns, 1)):
                face = (np.arange(columns)[::turn] + base + first)[None]
                self._faces(face, np.array([self.number(slot)]), False)

    def tube(
        self,
        path: ArrayLike,
        radii: ArrayLike,
        slot: str,
        *,
        at: Array = EYE,
        columns: int = 14,
        tone: ArrayLike = 0.0,
    ) -> None:
        """A round tube along a line; one radius, or one a point."""
        self.grid(swept(path, radii, columns), slot, at=at, tone=tone)

    def hose(
        self, points: ArrayLike, radius: float, slot: str, *, at: Array = EYE, pitch: float = 0.013
    ) -> None:
        """A hose with ribs through a few points."""
        line = curve(points, 12)
        length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
        count = max(int(length[-1] / pitch) * 4, 8)
        even = np.linspace(0, length[-1], count)
        path = np.stack([np.interp(even, length, line[:, k]) for k in range(3)], 1)
        rib = np.tile([0.0, 0.8, 1.0, 0.2], count // 4 + 1)[:count]
        self.tube(path, radius * (0.88 + 0.12 * rib), slot, at=at, columns=12, tone=rib - 0.8)

    def lathe(
        self,
        profile: Sequence[tuple[float, float]],
        slot: str,
        *,
        at: Array = EYE,
        columns: int = 28,
        smooth: bool = True,
        tone: ArrayLike = 0.0,
    ) -> None:
        """`profile` of (radius, z) turned about z."""
        angle = np.arange(columns) * 2 * pi / columns
        r, z = np.array(profile).T
        points = np.stack(
            [np.outer(r, np.cos(angle)), np.outer(r, np.sin(angle)), np.outer(z, np.ones(columns))],
            -1,
        )
        self.grid(points, slot, at=at, smooth=smooth, tone=tone)

    def ring(
        self, radius: float, thickness: float, slot: str, *, at: Array = EYE, columns: int = 36
    ) -> None:
        """A torus in the xy plane of `at`."""
        angle = np.arange(columns + 1) * 2 * pi / columns
        path = np.stack([np.cos(angle), np.sin(angle), 0 * angle], 1) * radius
        section = np.arange(10) * 2 * pi / 10
        out = path / radius
        points = (
            path[:, None]
            + out[:, None] * (thickness * np.cos(section))[None, :, None]
            + np.array([0, 0, 1.0]) * (thickness * np.sin(section))[None, :, None]
        )
        self.grid(points, slot, at=at, caps=False)

    def ball(
        self, radius: ArrayLike, slot: str, *, at: Array = EYE, columns: int = 24, tone: float = 0.0
    ) -> None:
        """An ellipsoid."""
        polar = np.linspace(0, pi, columns // 2 + 1)
        profile = [(float(np.sin(p)) + 1e-5, float(-np.cos(p))) for p in polar]
        size = np.broadcast_to(np.asarray(radius, float), (3,))
        self.lathe(profile, slot, at=at @ scale(*size), columns=columns, tone=tone)

    def box(
        self,
        size: Sequence[float],
        slot: str,
        *,
        at: Array = EYE,
        bevel: float = 0.01,
        steps: int = 3,
        tone: float = 0.0,
    ) -> None:
        """A box of full extents `size` with round edges."""
        half = np.asarray(size, float) / 2
        b = min(bevel, float(half.min()) * 0.98)
        quarter = np.linspace(0, pi / 2, steps + 1)
        turn = np.concatenate([quarter + k * pi / 2 for k in range(4)])
        sx = np.repeat([1.0, -1.0, -1.0, 1.0], steps + 1)
        sy = np.repeat([1.0, 1.0, -1.0, -1.0], steps + 1)
        rise = np.concatenate([quarter - pi / 2, quarter])
        sz = np.repeat([-1.0, 1.0], steps + 1)
        c, s = np.cos(rise)[:, None], np.sin(rise)[:, None]
        x = sx * (half[0] - b) + b * c * np.cos(turn)
        y = sy * (half[1] - b) + b * c * np.sin(turn)
        z = (sz * (half[2] - b))[:, None] + b * s + 0 * x
        points = np.stack([x, y, z], -1)
        # Worn edges: the rounding is a little lighter than the faces.
        self.grid(points, slot, at=at, tone=tone)

    def badge(
        self,
        piece: Array,
        slot: str,
        outline: ArrayLike,
        *,
        lift: float = 0.003,
        at: Array = EYE,
        tone: float = 0.0,
    ) -> None:
        """Something sewn on: a patch, a flag, a pocket.

        `piece` is a part (rows, columns, 3) of another surface, rows from bottom to top, columns
        from the viewer's left to right; `outline` (N, 2) is the patch in it, 0 to 1 across and up.
        Its picture fills the piece; it stands off by `lift` with a rounded edge.
        """
        edge = np.asarray(outline, float)
        middle = edge.mean(axis=0)
        shares = np.array([0.002, 0.35, 0.7, 0.93, 0.985, 1.0])
        uv = middle + shares[:, None, None] * (edge - middle)
        high = lift * np.array([1, 1, 1, 1, 0.75, -0.6])[:, None, None]
        rows, columns = piece.shape[:2]
        normal = unit(np.cross(np.gradient(piece, axis=1), np.gradient(piece, axis=0)))
        v = np.clip(uv[..., 1], 0, 1) * (rows - 1)
        u = np.clip(uv[..., 0], 0, 1) * (columns - 1)
        i = np.minimum(v.astype(int), rows - 2)
        j = np.minimum(u.astype(int), columns - 2)
        fv, fu = (v - i)[..., None], (u - j)[..., None]

        def sampled(field: Array) -> Array:
            low = field[i, j] * (1 - fu) + field[i, j + 1] * fu
            top = field[i + 1, j] * (1 - fu) + field[i + 1, j + 1] * fu
            result: Array = low * (1 - fv) + top * fv
            return result

        points = sampled(piece) + unit(sampled(normal)) * high
        shade = tone + np.array([0, 0, 0, 0, -0.25, -0.5])
        self.grid(points, slot, at=at, caps=False, tone=shade)
        self.uv[-1] = uv.reshape(-1, 2)

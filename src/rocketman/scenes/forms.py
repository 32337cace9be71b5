"""Geometry of instruments as arrays: outlines, plates, arched tops, tubes, rods, boxes.

A `Form` is a mesh before it has a material. Builders join all forms of one finish and `put` them
as one object: few objects and few materials keep scene building cheap. Metres; outlines are closed
lists of (x, z), counter-clockwise seen from -y.
Next: `surfaces.py` (finishes), `strings.py`, `keys.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import pi

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import ArrayLike, NDArray

from rocketman.scenes import shapes
from rocketman.scenes.shapes import IDENTITY, smooth_path

Array = NDArray[np.float64]
Span = tuple[Sequence[float], Sequence[float]]


@dataclass(frozen=True, kw_only=True)
class Form:
    """A mesh without material."""

    vertices: Array
    """(N, 3) metres."""
    corners: NDArray[np.int32]
    """(L,) vertex numbers, face after face."""
    sizes: NDArray[np.int32]
    """(F,) corners of each face."""
    smooth: NDArray[np.bool_]
    """(F,) whether a face is shaded round."""
    tone: Array
    """(N,) 0 to 1: how much a finish darkens here (sunburst, worn edge); `wood` reads it."""

    def moved(self, matrix: Matrix) -> Form:
        """The same form elsewhere."""
        m = np.array(matrix)
        return replace(self, vertices=self.vertices @ m[:3, :3].T + m[:3, 3])

    def shifted(self, x: float, y: float, z: float) -> Form:
        """The same form, moved."""
        return replace(self, vertices=self.vertices + np.array((x, y, z)))

    def toned(self, tone: ArrayLike) -> Form:
        """The same form with another tone (one number, or (N,))."""
        return replace(self, tone=np.broadcast_to(np.asarray(tone, float), (len(self.vertices),)))


def form(vertices: Array, faces: Iterable[NDArray[np.int_]], *, smooth: Sequence[bool]) -> Form:
    """A form from vertices and blocks of faces, each block (F, corners) with its own shading."""
    blocks = [np.atleast_2d(block) for block in faces]
    return Form(
        vertices=np.asarray(vertices, float),
        corners=np.concatenate([block.ravel() for block in blocks]).astype(np.int32),
        sizes=np.concatenate([np.full(len(b), b.shape[1]) for b in blocks]).astype(np.int32),
        smooth=np.concatenate([np.full(len(b), s) for b, s in zip(blocks, smooth, strict=True)]),
        tone=np.zeros(len(vertices)),
    )


def joined(forms: Iterable[Form]) -> Form:
    """Many forms as one."""
    parts = list(forms)
    starts = np.cumsum([0] + [len(part.vertices) for part in parts[:-1]])
    return Form(
        vertices=np.concatenate([part.vertices for part in parts]),
        corners=np.concatenate(
            [part.corners + start for part, start in zip(parts, starts, strict=True)]
        ).astype(np.int32),
        sizes=np.concatenate([part.sizes for part in parts]),
        smooth=np.concatenate([part.smooth for part in parts]),
        tone=np.concatenate([part.tone for part in parts]),
    )


def put(surface: bpy.types.Material, *forms: Form, at: Matrix = IDENTITY) -> bpy.types.Object:
    """One object of all the forms, linked to the scene."""
    whole = joined(forms)
    data = bpy.data.meshes.new("mesh")
    data.vertices.add(len(whole.vertices))
    data.vertices.foreach_set("co", whole.vertices.astype(np.float32).ravel())
    data.loops.add(len(whole.corners))
    data.loops.foreach_set("vertex_index", whole.corners)
    data.polygons.add(len(whole.sizes))
    starts = np.concatenate([[0], np.cumsum(whole.sizes)[:-1]]).astype(np.int32)
    data.polygons.foreach_set("loop_start", starts)
    data.polygons.foreach_set("use_smooth", whole.smooth)
    if whole.tone.any():
        tone = data.attributes.new("tone", "FLOAT", "POINT")
        tone.data.foreach_set("value", whole.tone.astype(np.float32))
    data.update(calc_edges=True)
    data.materials.append(surface)
    return shapes.put(data, at)


def loft(
    rings: ArrayLike,
    *,
    wrap: bool = True,
    caps: bool = True,
    smooth: bool = True,
    round_caps: bool = False,
) -> Form:
    """Skin over rings (R, K, 3); `wrap` closes each ring, `caps` closes the two ends."""
    r = np.asarray(rings, float)
    rows, columns = r.shape[:2]
    k = np.arange(columns if wrap else columns - 1)
    base = np.arange(rows - 1)[:, None] * columns
    n = (k + 1) % columns
    quads = np.stack([base + k, base + n, base + columns + n, base + columns + k], axis=-1)
    faces = [quads.reshape(-1, 4)]
    shading = [smooth]
    if caps and wrap:
        ends = np.arange(columns)
        faces += [ends[::-1][None], ((rows - 1) * columns + ends)[None]]
        shading += [round_caps, round_caps]
    return form(r.reshape(-1, 3), faces, smooth=shading)


def tube(
    path: ArrayLike, radius: ArrayLike, *, segments: int = 10, flat: float = 1.0, caps: bool = True
) -> Form:
    """A round tube along points (P, 3); one radius, or one a point; `flat` squeezes one way."""
    points = np.asarray(path, float)
    radii = np.broadcast_to(np.asarray(radius, float), (len(points),))
    tangents = np.gradient(points, axis=0)
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True) + 1e-12
    side = np.cross(tangents[0], (0, 0, 1) if abs(tangents[0][2]) < 0.9 else (0, 1, 0))
    sides = np.empty_like(points)
    # Carry one side vector along the path (parallel transport), so that the tube never twists.
    for k, tangent in enumerate(tangents):
        side = side - tangent * np.dot(side, tangent)
        side = side / (np.linalg.norm(side) + 1e-12)
        sides[k] = side
    others = np.cross(tangents, sides) * flat
    angle = np.arange(segments) * 2 * pi / segments
    c, s = np.cos(angle)[None, :, None], np.sin(angle)[None, :, None]
    rings = points[:, None] + radii[:, None, None] * (c * sides[:, None] + s * others[:, None])
    return loft(rings, caps=caps)


def turned(
    profile: ArrayLike, *, segments: int = 24, smooth: bool = True, caps: bool = True
) -> Form:
    """A lathe form: (radius, z) from bottom to top around the z axis."""
    p = np.asarray(profile, float)
    angle = np.arange(segments) * 2 * pi / segments
    rings = np.stack(
        [
            p[:, :1] * np.cos(angle),
            p[:, :1] * np.sin(angle),
            np.repeat(p[:, 1:], segments, axis=1),
        ],
        axis=-1,
    )
    return loft(rings, smooth=smooth, caps=caps)


def ball(radius: float | Sequence[float], center: Sequence[float] = (0, 0, 0)) -> Form:
    """A ball, or an ellipsoid where `radius` has three numbers."""
    angle = np.linspace(-pi / 2, pi / 2, 9)
    unit = turned(np.stack([np.cos(angle), np.sin(angle)], axis=1), segments=16)
    vertices = unit.vertices * np.broadcast_to(np.asarray(radius, float), (3,))
    return replace(unit, vertices=vertices + np.asarray(center, float))


def ring(radius: float, thickness: float, *, segments: int = 40, sections: int = 8) -> Form:
    """A torus in the xy plane; `thickness` is the radius of its section."""
    angle = np.linspace(0, 2 * pi, segments + 1)
    across = np.arange(sections) * 2 * pi / sections
    reach = radius + thickness * np.cos(across)
    rings = np.stack(
        [
            np.cos(angle)[:, None] * reach,
            np.sin(angle)[:, None] * reach,
            np.broadcast_to(thickness * np.sin(across), (segments + 1, sections)),
        ],
        axis=-1,
    )
    return loft(rings[:, ::-1], caps=False)


def rods(
    spans: Sequence[Span] | Array, radius: ArrayLike, *, segments: int = 8, taper: float = 1.0
) -> Form:
    """Many straight round rods from (start, end); one radius, or one a rod; ends are closed."""
    ends = np.asarray(spans, float)
    start, end = ends[:, 0], ends[:, 1]
    axis = end - start
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    hint = np.where(np.abs(axis[:, 2:]) < 0.9, (0.0, 0.0, 1.0), (1.0, 0.0, 0.0))
    u = np.cross(axis, hint)
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    v = np.cross(axis, u)
    angle = np.arange(segments) * 2 * pi / segments
    r = np.broadcast_to(np.asarray(radius, float), (len(ends),))[:, None, None]
    offset = r * (np.cos(angle)[:, None] * u[:, None] + np.sin(angle)[:, None] * v[:, None])
    vertices = np.stack([start[:, None] + offset, end[:, None] + taper * offset], axis=1)
    k = np.arange(segments)
    n = (k + 1) % segments
    first = np.arange(len(ends))[:, None, None] * 2 * segments
    sides = np.stack([k, n, segments + n, segments + k], axis=-1)[None] + first
    low, high = k[::-1][None] + first[:, 0], segments + k[None] + first[:, 0]
    return form(
        vertices.reshape(-1, 3), [sides.reshape(-1, 4), low, high], smooth=[True, False, False]
    )


_SIDES = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
_CORNERS = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)


def _chamfered() -> tuple[Array, Array, list[NDArray[np.int_]]]:
    """A box with cut edges: signs (24, 3), which coordinates give way (24, 3), faces."""
    signs = np.repeat(_CORNERS, 3, axis=0)
    cut = 1.0 - np.tile(np.eye(3), (8, 1))
    axes = [0, 0, 1, 1, 2, 2]
    faces = [np.array([[3 * v + a for v in side] for side, a in zip(_SIDES, axes, strict=True)])]
    edges = []
    for a in range(8):
        for axis in range(3):
            b = a ^ (4 >> axis)
            if a < b:
                p, q = (x for x in range(3) if x != axis)
                quad = [3 * a + p, 3 * b + p, 3 * b + q, 3 * a + q]
                edges.append(_outward(quad, signs, cut))
    corners = [_outward([3 * a, 3 * a + 1, 3 * a + 2], signs, cut) for a in range(8)]
    return signs, cut, [*faces, np.array(edges), np.array(corners)]


def _outward(face: list[int], signs: Array, cut: Array) -> list[int]:
    points = (signs - 0.2 * signs * cut)[face]
    normal = np.cross(points[1] - points[0], points[2] - points[0])
    return face if float(normal @ points.mean(axis=0)) > 0 else face[::-1]


_CUT_BOX = _chamfered()


def boxes(parts: Sequence[Span] | Array, *, cut: float = 0.0) -> Form:
    """Many boxes of (centre, extents); `cut` takes that much off their edges."""
    data = np.asarray(parts, float)
    center, half = data[:, None, 0], data[:, None, 1] / 2
    if cut:
        signs, gives, faces = _CUT_BOX
        vertices = center + signs * half - signs * gives * np.minimum(cut, 0.45 * half)
    else:
        faces = [np.array(_SIDES)]
        vertices = center + _CORNERS * half
    count = vertices.shape[1]
    first = np.arange(len(data))[:, None, None] * count
    blocks = [(block[None] + first).reshape(-1, block.shape[1]) for block in faces]
    return form(vertices.reshape(-1, 3), blocks, smooth=[False] * len(blocks))


def curve(points: ArrayLike, steps: int = 6) -> Array:
    """A smooth line through points in the plane, (P, 2) to (Q, 2)."""
    flat = np.asarray(points, float)
    made = smooth_path(np.concatenate([flat, np.zeros((len(flat), 1))], axis=1).tolist(), steps)
    result: Array = made[:, :2]
    return result


def loop(points: ArrayLike, steps: int = 6) -> Array:
    """A smooth closed line through points in the plane."""
    flat = np.asarray(points, float)
    around = np.concatenate([flat[-1:], flat, flat[:2]])
    return curve(around, steps)[steps : -steps - 1]


def mirrored(half: ArrayLike) -> Array:
    """A closed outline from its right half, bottom to top, both ends on the axis."""
    right = np.asarray(half, float)
    left = right[-2:0:-1] * (-1, 1)
    return np.concatenate([right, left])


def inset(outline: ArrayLike, depth: float) -> Array:
    """The outline moved inwards by `depth` (outwards where it is negative)."""
    o = np.asarray(outline, float)
    along = np.roll(o, -1, axis=0) - np.roll(o, 1, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-12
    return o + depth * np.stack([-along[:, 1], along[:, 0]], axis=1)


def plate(outline: ArrayLike, front: float, back: float, *, rounding: float = 0.0) -> Form:
    """A plate between y = front and y = back, its edges rounded over; `tone` is high there."""
    o = np.asarray(outline, float)
    turns = np.linspace(0, pi / 2, 4) if rounding else np.array([pi / 2])
    layers = [(front + rounding * (1 - np.cos(t)), rounding * (1 - np.sin(t))) for t in turns]
    layers += [(front + back - y, depth) for y, depth in reversed(layers)]
    rings = []
    for y, depth in layers:
        flat = inset(o, depth) if depth else o
        rings.append(np.stack([flat[:, 0], np.full(len(o), y), flat[:, 1]], axis=1))
    made = loft(rings, smooth=bool(rounding))
    if not rounding:
        return made
    return made.toned(np.repeat([0.0, 0.6, 1.0, 0.8, 0.8, 1.0, 0.6, 0.0], len(o)))


def arched(
    half: ArrayLike, y: float, rise: float, *, columns: int = 17, shoulder: float = 2.0
) -> Form:
    """A carved top: over the right half outline and its mirror, bulging from `y` by `rise`.

    `rise` is along y (negative: towards the viewer). `tone` goes from 0 inside to 1 at the edge.
    """
    h = np.asarray(half, float)
    u = np.sin(np.linspace(-pi / 2, pi / 2, columns))
    low, high = h[0, 1], h[-1, 1]
    v = 2 * (h[:, 1] - low) / (high - low) - 1
    edge = np.maximum(np.abs(u)[None, :] ** 1.5, np.abs(v)[:, None] ** 3)
    height = (1 - np.abs(u)[None, :] ** shoulder) ** 1.5 * (1 - v[:, None] ** 4)
    width = h[:, :1] / max(h[:, 0].max(), 1e-9)
    x, z = h[:, :1] * u, np.repeat(h[:, 1:], columns, axis=1)
    rings = np.stack([x, y + rise * height * np.sqrt(np.clip(width, 0, 1)), z], axis=-1)
    rings = rings if rise > 0 else rings[:, ::-1]
    made = loft(rings[:, ::-1], wrap=False)
    return made.toned(np.clip(edge, 0, 1).ravel())


def arch_height(half: ArrayLike, rise: float, x: ArrayLike, z: ArrayLike) -> Array:
    """How far an `arched` top bulges at points (x, z)."""
    h = np.asarray(half, float)
    reach = np.interp(np.asarray(z, float), h[:, 1], h[:, 0])
    v = 2 * (np.asarray(z, float) - h[0, 1]) / (h[-1, 1] - h[0, 1]) - 1
    u = np.clip(np.asarray(x, float) / np.maximum(reach, 1e-9), -1, 1)
    height: Array = rise * (1 - u**2) ** 1.5 * (1 - v**4) * np.sqrt(reach / h[:, 0].max())
    return height

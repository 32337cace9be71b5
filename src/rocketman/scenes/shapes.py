"""Meshes and materials: the small vocabulary that astronaut, instruments and orbit are built from.

Every function makes one Blender object and links it to the scene; `at` is the matrix that places
it. Lengths are metres. Meshes are written as arrays (`bpy.ops` is slow in a growing scene).
Next: `astronaut.py`, `instruments.py`, `orbit.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from math import cos, pi, sin
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix, Vector

from rocketman.data.pictures import LABELS

Color = tuple[float, float, float]
Point = Sequence[float]
IDENTITY = Matrix.Identity(4)

_label = "instrument"


@contextmanager
def label(name: str) -> Iterator[None]:
    """Every mesh made inside the block shows `name`, one of LABELS."""
    global _label
    outer, _label = _label, name
    assert name in LABELS, name
    try:
        yield
    finally:
        _label = outer


def material(
    name: str,
    color: Color,
    *,
    roughness: float = 0.6,
    metallic: float = 0.0,
    bump: float = 0.0,
    bump_scale: float = 30.0,
    emission: float = 0.0,
    coat: float = 0.0,
) -> bpy.types.Material:
    """A principled surface; `color` is linear RGB, `bump` the depth of its relief (0 to 1)."""
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    nodes, links = made.node_tree.nodes, made.node_tree.links
    surface = nodes["Principled BSDF"]
    surface.inputs["Base Color"].default_value = (*color, 1.0)
    surface.inputs["Roughness"].default_value = roughness
    surface.inputs["Metallic"].default_value = metallic
    surface.inputs["Coat Weight"].default_value = coat
    if emission:
        surface.inputs["Emission Color"].default_value = (*color, 1.0)
        surface.inputs["Emission Strength"].default_value = emission
    # A mesh that counts as a lamp is sampled in every shading point: dear, and never seen.
    made.cycles.emission_sampling = "NONE"
    if bump:
        noise = nodes.new("ShaderNodeTexNoise")
        noise.inputs["Scale"].default_value = bump_scale
        noise.inputs["Detail"].default_value = 3.0
        relief = nodes.new("ShaderNodeBump")
        relief.inputs["Strength"].default_value = bump
        relief.inputs["Distance"].default_value = 0.02
        coordinates = nodes.new("ShaderNodeTexCoord")
        links.new(coordinates.outputs["Object"], noise.inputs["Vector"])
        links.new(noise.outputs["Fac"], relief.inputs["Height"])
        links.new(relief.outputs["Normal"], surface.inputs["Normal"])
    return made


def mesh(
    vertices: np.ndarray,
    faces: Sequence[Sequence[int]],
    surface: bpy.types.Material,
    *,
    at: Matrix = IDENTITY,
    smooth: bool = True,
) -> bpy.types.Object:
    """An object from vertices (N, 3) and faces (lists of vertex numbers).

    Arrays go to Blender as they are: `from_pydata` takes several times as long.
    """
    sizes = np.fromiter(map(len, faces), np.int32, len(faces))
    corners = np.fromiter(chain.from_iterable(faces), np.int32, int(sizes.sum()))
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int32)
    data = bpy.data.meshes.new("mesh")
    data.vertices.add(len(vertices))
    data.vertices.foreach_set("co", np.ascontiguousarray(vertices, np.float32).ravel())
    data.loops.add(len(corners))
    data.loops.foreach_set("vertex_index", corners)
    data.polygons.add(len(sizes))
    data.polygons.foreach_set("loop_start", starts)
    if not smooth:
        data.shade_flat()
    data.update(calc_edges=True)
    data.materials.append(surface)
    return put(data, at)


def put(data: bpy.types.Mesh, at: Matrix = IDENTITY) -> bpy.types.Object:
    """An object that shows a mesh, under the label of the block it is made in."""
    made = bpy.data.objects.new("object", data)
    made.matrix_world = at
    made.pass_index = LABELS.index(_label)
    bpy.context.scene.collection.objects.link(made)
    return made


def keep(data: Any) -> Any:
    """Let a mesh (with its materials) or a material outlive its picture; `put` shows it again.

    For what is the same in every picture: the caller finds it again by its name in `bpy.data`.
    Give it at most a few dozen names, and never change it once kept.
    """
    data["kept"] = True
    if isinstance(data, bpy.types.Mesh):
        for used in data.materials:
            used["kept"] = True
    return data


def clear() -> None:
    """Throw away all that the last picture built; what is kept and the maps stay loaded."""
    for kind in (bpy.data.objects, bpy.data.lights, bpy.data.cameras):
        bpy.data.batch_remove(list(kind))
    for kind in (bpy.data.meshes, bpy.data.materials):
        bpy.data.batch_remove([data for data in kind if not data.get("kept")])


def _grid_faces(rows: int, columns: int, *, wrap: bool) -> list[tuple[int, int, int, int]]:
    """Quads between `rows` rings of `columns` vertices; `wrap` closes each ring."""
    last = columns if wrap else columns - 1
    return [
        (
            row * columns + k,
            row * columns + (k + 1) % columns,
            (row + 1) * columns + (k + 1) % columns,
            (row + 1) * columns + k,
        )
        for row in range(rows - 1)
        for k in range(last)
    ]


def lathe(
    profile: Sequence[tuple[float, float]],
    surface: bpy.types.Material,
    *,
    at: Matrix = IDENTITY,
    segments: int = 32,
    smooth: bool = True,
) -> bpy.types.Object:
    """`profile` of (radius, z), from bottom to top, turned around the z axis; ends are capped."""
    angle = np.arange(segments) * 2 * pi / segments
    rings = [
        np.stack([r * np.cos(angle), r * np.sin(angle), np.full(segments, z)], axis=1)
        for r, z in profile
    ]
    faces: list[Sequence[int]] = [*_grid_faces(len(profile), segments, wrap=True)]
    if profile[0][0] > 1e-6:
        faces.append(tuple(reversed(range(segments))))
    if profile[-1][0] > 1e-6:
        faces.append(tuple(range((len(profile) - 1) * segments, len(profile) * segments)))
    return mesh(np.concatenate(rings), faces, surface, at=at, smooth=smooth)


def sphere(
    radius: float | Point,
    surface: bpy.types.Material,
    *,
    center: Point = (0, 0, 0),
    at: Matrix = IDENTITY,
    segments: int = 32,
) -> bpy.types.Object:
    """A ball, or an ellipsoid where `radius` has three numbers."""
    scale = Vector((radius,) * 3) if isinstance(radius, (int, float)) else Vector(radius)
    rings = segments // 2
    profile = [(sin(pi * k / rings), -cos(pi * k / rings)) for k in range(rings + 1)]
    profile[0], profile[-1] = (0.0, -1.0), (0.0, 1.0)
    place = at @ Matrix.Translation(Vector(center)) @ Matrix.Diagonal((*scale, 1.0))
    return lathe(profile, surface, at=place, segments=segments)


def tube(
    path: Sequence[Point] | np.ndarray,
    radius: float | Sequence[float] | np.ndarray,
    surface: bpy.types.Material,
    *,
    at: Matrix = IDENTITY,
    segments: int = 16,
    flatten: float = 1.0,
) -> bpy.types.Object:
    """A round tube along a polyline; one radius, or one a point. Ends are capped.

    `flatten` below 1 squeezes the section along its second axis.
    """
    points = np.asarray(path, dtype=float)
    radii = np.broadcast_to(np.asarray(radius, dtype=float), (len(points),))
    tangents = np.gradient(points, axis=0)
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True) + 1e-12
    # Carry one side vector along the path (parallel transport), so that the tube never twists.
    side = np.cross(tangents[0], (0, 0, 1) if abs(tangents[0][2]) < 0.9 else (0, 1, 0))
    angle = np.arange(segments) * 2 * pi / segments
    rings = []
    for point, tangent, r in zip(points, tangents, radii, strict=True):
        side = side - tangent * np.dot(side, tangent)
        side /= np.linalg.norm(side) + 1e-12
        other = np.cross(tangent, side) * flatten
        rings.append(point + r * (np.outer(np.cos(angle), side) + np.outer(np.sin(angle), other)))
    faces: list[Sequence[int]] = [*_grid_faces(len(points), segments, wrap=True)]
    faces.append(tuple(reversed(range(segments))))
    faces.append(tuple(range((len(points) - 1) * segments, len(points) * segments)))
    return mesh(np.concatenate(rings), faces, surface, at=at)


def torus(
    radius: float,
    thickness: float,
    surface: bpy.types.Material,
    *,
    at: Matrix = IDENTITY,
    segments: int = 32,
) -> bpy.types.Object:
    """A ring in the xy plane; `thickness` is the radius of its section."""
    sections = 10
    around = np.arange(segments) * 2 * pi / segments
    across = np.arange(sections) * 2 * pi / sections
    u, v = np.meshgrid(around, across, indexing="ij")
    reach = radius + thickness * np.cos(v)
    vertices = np.stack([reach * np.cos(u), reach * np.sin(u), thickness * np.sin(v)], axis=-1)
    faces = _grid_faces(segments, sections, wrap=True)
    closing = (segments - 1) * sections
    faces += [
        (closing + k, closing + (k + 1) % sections, (k + 1) % sections, k) for k in range(sections)
    ]
    return mesh(vertices.reshape(-1, 3), faces, surface, at=at)


def box(
    size: Point,
    surface: bpy.types.Material,
    *,
    center: Point = (0, 0, 0),
    at: Matrix = IDENTITY,
    bevel: float = 0.0,
) -> bpy.types.Object:
    """A box of full extents `size`; `bevel` rounds its edges by that many metres."""
    half = np.asarray(size, dtype=float) / 2
    corners = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * half
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    made = mesh(corners + np.asarray(center), faces, surface, at=at, smooth=False)
    if bevel:
        rounding = made.modifiers.new("bevel", "BEVEL")
        rounding.width = bevel
        rounding.segments = 3
    return made


def prism(
    outline: Sequence[tuple[float, float]],
    depth: float,
    surface: bpy.types.Material,
    *,
    at: Matrix = IDENTITY,
    bevel: float = 0.0,
) -> bpy.types.Object:
    """A plate: the closed outline in (x, z), counter-clockwise seen from -y, `depth` along y."""
    n = len(outline)
    front = [(x, -depth / 2, z) for x, z in outline]
    back = [(x, depth / 2, z) for x, z in outline]
    faces: list[Sequence[int]] = [tuple(range(n)), tuple(reversed(range(n, 2 * n)))]
    faces += [(k, n + k, n + (k + 1) % n, (k + 1) % n) for k in range(n)]
    made = mesh(np.array(front + back), faces, surface, at=at, smooth=False)
    if bevel:
        rounding = made.modifiers.new("bevel", "BEVEL")
        rounding.width = bevel
        rounding.segments = 3
        rounding.limit_method = "ANGLE"
    return made


def smooth_path(points: Sequence[Point], steps: int = 8) -> np.ndarray:
    """A Catmull-Rom curve through the points, `steps` samples between neighbours."""
    p = np.asarray(points, dtype=float)
    p = np.concatenate([[2 * p[0] - p[1]], p, [2 * p[-1] - p[-2]]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    pieces = []
    for a, b, c, d in zip(p, p[1:], p[2:], p[3:], strict=False):
        pieces.append(
            0.5
            * (
                2 * b
                + (c - a) * t
                + (2 * a - 5 * b + 4 * c - d) * t**2
                + (3 * b - 3 * c + d - a) * t**3
            )
        )
    return np.concatenate([*pieces, p[-2:-1]])


def frame(origin: Point, x: Point, z: Point) -> Matrix:
    """The matrix of a right-handed frame: x axis along `x`, z axis as near to `z` as it can be."""
    ex = Vector(x).normalized()
    ez = Vector(z)
    ez = (ez - ex * ez.dot(ex)).normalized()
    ey = ez.cross(ex)
    made = Matrix((ex, ey, ez)).transposed().to_4x4()
    made.translation = Vector(origin)
    return made

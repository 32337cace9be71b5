"""Finishes and small parts that many instruments share: lacquered wood, metals, strings, bells.

An instrument stands at its own origin as in a catalogue: it faces -y, z is up. Metals are not
fully metallic, since black space has nothing for them to mirror.
Reads `shapes.py`. Next: `strings.py`, `keys.py`, `winds.py`, `percussion.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import pi, radians

import bpy
import numpy as np
from mathutils import Matrix, Vector

from rocketman.scenes.shapes import IDENTITY, Color, Point, lathe, material, mesh, torus

Outline = list[tuple[float, float]]

FACING = Matrix.Rotation(pi / 2, 4, "X")
"""Turns z to -y: lathes and rings that look at the camera."""
TILT = Matrix.Rotation(radians(50), 4, "X")
"""The slope of a keyboard on show: keys up becomes keys towards the camera."""
ABOUT_FACE = Matrix.Rotation(pi, 4, "Z")


def place(x: float, y: float, z: float) -> Matrix:
    """A shift."""
    return Matrix.Translation((x, y, z))


def along(origin: Point, direction: Point) -> Matrix:
    """A frame at `origin` whose z axis is `direction`."""
    turn = Vector(direction).to_track_quat("Z", "Y")
    return Matrix.Translation(Vector(origin)) @ turn.to_matrix().to_4x4()


def metal(name: str, color: Color, roughness: float = 0.27) -> bpy.types.Material:
    """Polished metal, lacquered: brass, silver, chrome."""
    return material(name, color, roughness=roughness, metallic=0.72, coat=0.4)


def wood(
    name: str,
    color: Color,
    *,
    grain: Point = (30.0, 30.0, 3.0),
    edge: Color | None = None,
    reach: Point = (0.24, 1.0, 0.27),
) -> bpy.types.Material:
    """Lacquered wood with grain along z; `edge` is what it darkens to `reach` away (sunburst)."""
    made = material(name, color, roughness=0.3, coat=0.7)
    nodes, links = made.node_tree.nodes, made.node_tree.links
    coordinates = nodes.new("ShaderNodeTexCoord")

    def scaled(scale: Point) -> bpy.types.NodeSocket:
        mapping = nodes.new("ShaderNodeMapping")
        mapping.inputs["Scale"].default_value = tuple(scale)
        links.new(coordinates.outputs["Object"], mapping.inputs["Vector"])
        return mapping.outputs["Vector"]

    noise = nodes.new("ShaderNodeTexNoise")
    noise.inputs["Scale"].default_value = 1.0
    links.new(scaled(grain), noise.inputs["Vector"])
    ramp = nodes.new("ShaderNodeValToRGB")
    ramp.color_ramp.elements[0].position, ramp.color_ramp.elements[1].position = 0.3, 0.7
    ramp.color_ramp.elements[0].color = (*(0.62 * c for c in color), 1.0)
    ramp.color_ramp.elements[1].color = (*(min(1.15 * c, 1.0) for c in color), 1.0)
    links.new(noise.outputs["Fac"], ramp.inputs["Fac"])
    result = ramp.outputs["Color"]
    if edge:
        length = nodes.new("ShaderNodeVectorMath")
        length.operation = "LENGTH"
        links.new(scaled([1 / r for r in reach]), length.inputs[0])
        fade = nodes.new("ShaderNodeMapRange")
        fade.inputs["From Min"].default_value, fade.inputs["From Max"].default_value = 0.5, 0.95
        links.new(length.outputs["Value"], fade.inputs["Value"])
        mix = nodes.new("ShaderNodeMix")
        mix.data_type = "RGBA"
        links.new(fade.outputs["Result"], mix.inputs[0])
        links.new(result, mix.inputs[6])
        mix.inputs[7].default_value = (*edge, 1.0)
        result = mix.outputs[2]
    links.new(result, nodes["Principled BSDF"].inputs["Base Color"])
    return made


def rods(
    ends: Sequence[tuple[Point, Point]],
    radius: float,
    surface: bpy.types.Material,
    *,
    at: Matrix = IDENTITY,
    segments: int = 8,
) -> None:
    """Many straight round rods (strings, ropes, buttons) as one object."""
    angle = np.arange(segments) * 2 * pi / segments
    ring = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1) * radius
    vertices: list[np.ndarray] = []
    faces: list[Sequence[int]] = []
    for k, (a, b) in enumerate(ends):
        turn = np.array(along(a, Vector(b) - Vector(a)).to_3x3())
        vertices += [ring @ turn.T + np.asarray(a), ring @ turn.T + np.asarray(b)]
        low = 2 * k * segments
        high = low + segments
        faces += [tuple(reversed(range(low, high))), tuple(range(high, high + segments))]
        for j in range(segments):
            n = (j + 1) % segments
            faces.append((low + j, low + n, high + n, high + j))
    mesh(np.concatenate(vertices), faces, surface, at=at, smooth=False)


def boxes(
    parts: Sequence[tuple[Point, Point]],
    surface: bpy.types.Material,
    *,
    at: Matrix = IDENTITY,
    bevel: float = 0.0,
) -> None:
    """Many boxes of (centre, extents) (frets, keys) as one object."""
    corners = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) / 2
    sides = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    vertices = [corners * np.asarray(size) + np.asarray(center) for center, size in parts]
    faces = [tuple(8 * k + v for v in side) for k in range(len(parts)) for side in sides]
    made = mesh(np.concatenate(vertices), faces, surface, at=at, smooth=False)
    if bevel:
        rounding = made.modifiers.new("bevel", "BEVEL")
        rounding.width, rounding.segments = bevel, 2


def bell(
    at: Matrix, outside: Outline, surface: bpy.types.Material, inside: bpy.types.Material
) -> None:
    """A flared bell along z: its outer (radius, z) profile, a rolled rim, a darker throat."""
    rim, end = outside[-1]
    lathe([*outside, (rim - 0.004, end - 0.002)], surface, at=at, segments=40)
    inner = [(max(r - 0.005, 0.004), z + 0.003) for r, z in outside]
    lathe([*inner[:-1], (rim - 0.004, end)], inside, at=at, segments=40)
    torus(rim, 0.007, surface, at=at @ place(0, 0, end), segments=40)


def mirrored(half: Sequence[Point]) -> Outline:
    """A closed outline from its right half, bottom to top."""
    right = [(float(x), float(z)) for x, z in half]
    return right + [(-x, z) for x, z in right[-2:0:-1]]

"""Finishes and small parts that many instruments share: lacquered wood, metals, paint.

An instrument stands at its own origin as in a catalogue: it faces -y, z is up. Metals are not
fully metallic, since black space has nothing for them to mirror.
Reads `shapes.py`. Next: `strings.py`, `keys.py`, `brass.py`, `drums.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import pi, radians

import bpy
import numpy as np
from mathutils import Matrix, Vector

from rocketman.scenes.shapes import IDENTITY, Color, Point, material, mesh

FACING = Matrix.Rotation(pi / 2, 4, "X")
"""Turns z to -y: lathes and rings that look at the camera."""
TILT = Matrix.Rotation(radians(50), 4, "X")
"""The slope of a keyboard on show: keys up becomes keys towards the camera."""


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
    burst: Color | None = None,
    figure: float = 0.0,
    roughness: float = 0.28,
) -> bpy.types.Material:
    """Lacquered wood with grain along z.

    `burst` is what it darkens to where a form's tone rises (see `forms.py`); `figure` (0 to 1)
    lays flamed stripes across the grain.
    """
    made = material(name, color, roughness=roughness, coat=0.5)
    nodes, links = made.node_tree.nodes, made.node_tree.links
    surface = nodes["Principled BSDF"]
    surface.inputs["Coat Roughness"].default_value = 0.14
    coordinates = nodes.new("ShaderNodeTexCoord")

    def scaled(scale: Point) -> bpy.types.NodeSocket:
        mapping = nodes.new("ShaderNodeMapping")
        mapping.inputs["Scale"].default_value = tuple(scale)
        links.new(coordinates.outputs["Object"], mapping.inputs["Vector"])
        return mapping.outputs["Vector"]

    def noise(scale: Point, detail: float) -> bpy.types.NodeSocket:
        texture = nodes.new("ShaderNodeTexNoise")
        texture.inputs["Scale"].default_value = 1.0
        texture.inputs["Detail"].default_value = detail
        links.new(scaled(scale), texture.inputs["Vector"])
        return texture.outputs["Fac"]

    def mixed(
        share: bpy.types.NodeSocket, one: bpy.types.NodeSocket, other: Color, span: Point = (0, 1)
    ) -> bpy.types.NodeSocket:
        """`one`, going over to `other` where `share` rises through `span`."""
        fade = nodes.new("ShaderNodeMapRange")
        fade.inputs["From Min"].default_value, fade.inputs["From Max"].default_value = span
        links.new(share, fade.inputs["Value"])
        mix = nodes.new("ShaderNodeMix")
        mix.data_type = "RGBA"
        links.new(fade.outputs["Result"], mix.inputs[0])
        links.new(one, mix.inputs[6])
        mix.inputs[7].default_value = (*other, 1.0)
        return mix.outputs[2]

    fibre = noise(grain, 3.0)
    ramp = nodes.new("ShaderNodeValToRGB")
    ramp.color_ramp.elements[0].position, ramp.color_ramp.elements[1].position = 0.3, 0.7
    ramp.color_ramp.elements[0].color = (*(0.58 * c for c in color), 1.0)
    ramp.color_ramp.elements[1].color = (*(min(1.15 * c, 1.0) for c in color), 1.0)
    links.new(fibre, ramp.inputs["Fac"])
    result = ramp.outputs["Color"]
    if figure:
        stripes = noise((4.0, 4.0, 42.0), 1.0)
        dark = tuple(c * (1 - 0.75 * figure) for c in color)
        result = mixed(stripes, result, (dark[0], dark[1], dark[2]), (0.45, 0.7))
    if burst:
        tone = nodes.new("ShaderNodeAttribute")
        tone.attribute_name = "tone"
        result = mixed(tone.outputs["Fac"], result, burst, (0.25, 0.9))
    links.new(result, surface.inputs["Base Color"])
    # Handled lacquer is never evenly glossy.
    worn = nodes.new("ShaderNodeMapRange")
    worn.inputs["From Min"].default_value, worn.inputs["From Max"].default_value = 0.35, 0.7
    worn.inputs["To Min"].default_value = roughness - 0.06
    worn.inputs["To Max"].default_value = roughness + 0.2
    links.new(noise((9.0, 9.0, 9.0), 4.0), worn.inputs["Value"])
    links.new(worn.outputs["Result"], surface.inputs["Roughness"])
    return made


def paint(name: str, color: Color, under: Color, *, wear: float = 0.4) -> bpy.types.Material:
    """Opaque lacquer that is chipped to `under` where a form's tone is high; `wear` is 0 to 1."""
    made = material(name, color, roughness=0.26, coat=0.8)
    nodes, links = made.node_tree.nodes, made.node_tree.links
    surface = nodes["Principled BSDF"]
    coordinates = nodes.new("ShaderNodeTexCoord")
    noise = nodes.new("ShaderNodeTexNoise")
    noise.inputs["Scale"].default_value, noise.inputs["Detail"].default_value = 16.0, 5.0
    links.new(coordinates.outputs["Object"], noise.inputs["Vector"])
    tone = nodes.new("ShaderNodeAttribute")
    tone.attribute_name = "tone"
    both = nodes.new("ShaderNodeMath")
    both.operation = "MULTIPLY"
    links.new(noise.outputs["Fac"], both.inputs[0])
    links.new(tone.outputs["Fac"], both.inputs[1])
    chips = nodes.new("ShaderNodeMapRange")
    edge = 0.68 - 0.3 * wear
    chips.inputs["From Min"].default_value, chips.inputs["From Max"].default_value = (
        edge,
        edge + 0.03,
    )
    links.new(both.outputs["Value"], chips.inputs["Value"])
    mix = nodes.new("ShaderNodeMix")
    mix.data_type = "RGBA"
    links.new(chips.outputs["Result"], mix.inputs[0])
    mix.inputs[6].default_value, mix.inputs[7].default_value = (*color, 1.0), (*under, 1.0)
    links.new(mix.outputs[2], surface.inputs["Base Color"])
    worn = nodes.new("ShaderNodeMapRange")
    worn.inputs["To Min"].default_value, worn.inputs["To Max"].default_value = 0.1, 0.5
    links.new(noise.outputs["Fac"], worn.inputs["Value"])
    links.new(worn.outputs["Result"], surface.inputs["Roughness"])
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

"""A small vocabulary for shader trees: one call a node, sockets and numbers alike as inputs.

Next: `orbit.py` and `places.py` write planets, air and skies in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from typing import Any

import bpy

Socket = Any
"""An output socket, a number, or a tuple of three numbers (colour or vector)."""
Stops = Sequence[tuple[float, Sequence[float] | float]]


class Nodes:
    """Adds nodes to one tree; every method returns its main output socket."""

    def __init__(self, tree: bpy.types.NodeTree) -> None:
        self.tree = tree
        tree.nodes.clear()

    def new(self, kind: str) -> bpy.types.Node:
        return self.tree.nodes.new(f"ShaderNode{kind}")

    def set(self, target: bpy.types.NodeSocket, value: Socket) -> None:
        """Link a socket or write a constant."""
        if isinstance(value, bpy.types.NodeSocket):
            self.tree.links.new(value, target)
        elif isinstance(value, (int, float)):
            flat = target.type == "VALUE"
            target.default_value = value if flat else (value,) * len(target.default_value)
        else:
            full = tuple(value)
            target.default_value = (*full, 1.0) if target.type == "RGBA" else full

    def math(self, operation: str, *inputs: Socket, clamp: bool = False) -> Socket:
        node = self.new("Math")
        node.operation, node.use_clamp = operation, clamp
        for socket, value in zip(node.inputs, inputs, strict=False):
            self.set(socket, value)
        return node.outputs[0]

    def add(self, a: Socket, b: Socket) -> Socket:
        return self.math("ADD", a, b)

    def times(self, *factors: Socket) -> Socket:
        made = factors[0]
        for factor in factors[1:]:
            made = self.math("MULTIPLY", made, factor)
        return made

    def vector(self, operation: str, *inputs: Socket) -> Socket:
        """Vector math; DOT_PRODUCT, LENGTH and DISTANCE give a number."""
        node = self.new("VectorMath")
        node.operation = operation
        numbers = {"DOT_PRODUCT", "LENGTH", "DISTANCE"}
        # SCALE takes its factor in the last input.
        sockets = [node.inputs[0], node.inputs[3]] if operation == "SCALE" else list(node.inputs)
        for socket, value in zip(sockets, inputs, strict=False):
            self.set(socket, value)
        return node.outputs["Value" if operation in numbers else "Vector"]

    def span(self, value: Socket, low: float, high: float, a: float = 0, b: float = 1) -> Socket:
        """Smooth step from `a` at `low` to `b` at `high`."""
        node = self.new("MapRange")
        node.interpolation_type = "SMOOTHSTEP"
        for name, given in (
            ("Value", value), ("From Min", low), ("From Max", high), ("To Min", a), ("To Max", b),
        ):  # fmt: skip
            self.set(node.inputs[name], given)
        return node.outputs["Result"]

    def ramp(self, value: Socket, stops: Stops, *, smooth: bool = False) -> Socket:
        """Colour by position, 0 to 1; a stop is (position, grey or (r, g, b))."""
        node = self.new("ValToRGB")
        node.color_ramp.interpolation = "EASE" if smooth else "LINEAR"
        points = node.color_ramp.elements
        for _ in stops[2:]:
            points.new(0.5)
        for point, (position, color) in zip(points, stops, strict=True):
            point.position = position
            rgb = (color,) * 3 if isinstance(color, (int, float)) else tuple(color)
            point.color = (*rgb, 1.0)
        self.set(node.inputs["Fac"], value)
        return node.outputs["Color"]

    def noise(
        self, where: Socket, scale: float, detail: float = 4, roughness: float = 0.55,
        *, distortion: float = 0.0, color: bool = False,
    ) -> Socket:  # fmt: skip
        node = self.new("TexNoise")
        for name, value in (
            ("Vector", where), ("Scale", scale), ("Detail", detail), ("Roughness", roughness),
            ("Distortion", distortion),
        ):  # fmt: skip
            self.set(node.inputs[name], value)
        return node.outputs["Color" if color else "Fac"]

    def mix(self, share: Socket, a: Socket, b: Socket, blend: str = "MIX") -> Socket:
        """Colours: `a` where share is 0, `b` where it is 1."""
        node = self.new("Mix")
        node.data_type, node.blend_type = "RGBA", blend
        for socket, value in zip((node.inputs[0], node.inputs[6], node.inputs[7]), (share, a, b),
                                 strict=True):  # fmt: skip
            self.set(socket, value)
        return node.outputs[2]

    def scaled(self, color: Socket, by: Socket) -> Socket:
        """A colour times a number."""
        return self.vector("SCALE", color, by)

    def map(self, name: str, where: Socket) -> Socket:
        """The colour of an equirectangular map in a direction of its globe.

        Blender reads such maps as seen from inside; y is turned round, else east were west.
        """
        node = self.new("TexEnvironment")
        node.image = picture(name)
        self.set(node.inputs["Vector"], self.vector("MULTIPLY", where, (1.0, -1.0, 1.0)))
        return node.outputs["Color"]

    def output(self, surface: Socket, *, world: bool = False) -> None:
        node = self.new("OutputWorld" if world else "OutputMaterial")
        self.tree.links.new(surface, node.inputs["Surface"])

    def emission(self, color: Socket, strength: Socket = 1.0) -> Socket:
        node = self.new("Emission")
        self.set(node.inputs["Color"], color)
        self.set(node.inputs["Strength"], strength)
        return node.outputs[0]

    def background(self, color: Socket, strength: Socket = 1.0) -> Socket:
        node = self.new("Background")
        self.set(node.inputs["Color"], color)
        self.set(node.inputs["Strength"], strength)
        return node.outputs[0]

    def shader_sum(self, a: Socket, b: Socket) -> Socket:
        node = self.new("AddShader")
        self.set(node.inputs[0], a)
        self.set(node.inputs[1], b)
        return node.outputs[0]

    def clear_plus(self, color: Socket) -> Socket:
        """Nothing but added light: air, glow, a flare."""
        return self.shader_sum(self.new("BsdfTransparent").outputs[0], self.emission(color))

    def geometry(self, name: str) -> Socket:
        return self.new("NewGeometry").outputs[name]

    def coordinates(self, name: str) -> Socket:
        return self.new("TexCoord").outputs[name]


def glowing(name: str) -> tuple[bpy.types.Material, Nodes]:
    """A material that shines by itself without lighting anything: noise-free."""
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    made.cycles.emission_sampling = "NONE"
    return made, Nodes(made.node_tree)


def picture(name: str) -> bpy.types.Image:
    """The map of this name as Blender's image, loaded once a process."""
    if name in bpy.data.images:
        return bpy.data.images[name]
    path = resources.files("rocketman.scenes").joinpath("maps", name)
    return bpy.data.images.load(str(path))

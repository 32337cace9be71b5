"""What lies behind the astronaut: earth by day and by night, moon, mars, their air and the stars.

Reads the maps beside this file (credits in NOTICE). The planet is a globe far behind the subject,
placed by angles as the camera sees them.
"""

from __future__ import annotations

from importlib import resources
from math import cos, radians, sin

import bpy
from mathutils import Euler, Matrix, Vector

from rocketman.scenes.shapes import Color, sphere
from rocketman.scenes.spec import Scene

PLANET_DISTANCE = 60.0
AIR_THICKNESS = 1.035
"""Radius of the glowing shell over the radius of the globe: thicker than life, as films do it."""

MAPS = {
    "above the blue earth": "earth-day.jpg",
    "above the earth at night": "earth-night.jpg",
    "above the moon": "moon.jpg",
    "above mars": "mars.jpg",
}

FILL_LIGHT: dict[str, Color] = {
    "above the blue earth": (0.10, 0.26, 0.62),
    "above the earth at night": (0.045, 0.075, 0.20),
    "above the moon": (0.30, 0.30, 0.31),
    "above mars": (0.52, 0.22, 0.10),
}
"""Light that the planet throws back on the subject from below, linear RGB."""


def build(scene: Scene, camera: Matrix, sun: Vector) -> None:
    """The planet as `camera` (its world matrix) sees it; `sun` points from us to the sun."""
    lean = radians(scene.planet_lean)
    below = radians(scene.planet_radius - scene.planet_rise)
    # From straight ahead, turn by `below` in the direction that leans from straight down.
    aim = Vector((sin(below) * sin(lean), -sin(below) * cos(lean), -cos(below)))
    center = camera @ (aim * PLANET_DISTANCE)
    radius = PLANET_DISTANCE * sin(radians(scene.planet_radius))
    globe = sphere(radius, _ground(scene, sun), segments=96)
    turn = Euler([radians(angle) for angle in scene.planet_spin]).to_matrix().to_4x4()
    globe.matrix_world = Matrix.Translation(center) @ turn @ Matrix.Scale(radius, 4)
    if "earth" in scene.factors.place or "mars" in scene.factors.place:
        air = sphere(radius * AIR_THICKNESS, _air(scene, sun), center=center, segments=96)
        air.visible_shadow = air.visible_diffuse = air.visible_glossy = False


def _picture(name: str) -> bpy.types.Image:
    """The map as Blender's image, loaded once a process."""
    if name in bpy.data.images:
        return bpy.data.images[name]
    path = resources.files("rocketman.scenes").joinpath("maps", name)
    return bpy.data.images.load(str(path))


def _blank(name: str) -> tuple[bpy.types.Material, bpy.types.NodeTree, bpy.types.Node]:
    """A material whose tree holds nothing but its output."""
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    made.node_tree.nodes.clear()
    made.cycles.emission_sampling = "NONE"
    return made, made.node_tree, made.node_tree.nodes.new("ShaderNodeOutputMaterial")


def _math(tree: bpy.types.NodeTree, operation: str, *inputs: object, clamp: bool = False) -> object:
    """A math node over sockets and numbers; returns its output socket."""
    node = tree.nodes.new("ShaderNodeMath")
    node.operation = operation
    node.use_clamp = clamp
    for socket, value in zip(node.inputs, inputs, strict=False):
        if isinstance(value, (int, float)):
            socket.default_value = value
        else:
            tree.links.new(value, socket)
    return node.outputs[0]


def _sunlight(tree: bpy.types.NodeTree, sun: Vector) -> object:
    """Cosine between surface normal and sun, -1 to 1, as a socket."""
    geometry = tree.nodes.new("ShaderNodeNewGeometry")
    product = tree.nodes.new("ShaderNodeVectorMath")
    product.operation = "DOT_PRODUCT"
    tree.links.new(geometry.outputs["Normal"], product.inputs[0])
    product.inputs[1].default_value = sun
    return product.outputs["Value"]


def _ground(scene: Scene, sun: Vector) -> bpy.types.Material:
    """The globe shines by itself, lit by its own formula: no noise, and light that we choose."""
    place = scene.factors.place
    made, tree, output = _blank("ground")
    links = tree.links
    emission = tree.nodes.new("ShaderNodeEmission")
    links.new(emission.outputs[0], output.inputs["Surface"])
    coordinates = tree.nodes.new("ShaderNodeTexCoord")
    texture = tree.nodes.new("ShaderNodeTexEnvironment")
    texture.image = _picture(MAPS[place])
    links.new(coordinates.outputs["Object"], texture.inputs["Vector"])
    color = texture.outputs["Color"]
    grade = tree.nodes.new("ShaderNodeHueSaturation")
    links.new(color, grade.inputs["Color"])
    grade.inputs["Saturation"].default_value = {"above the moon": 0.6, "above mars": 1.05}.get(
        place, 1.25
    )
    color = grade.outputs["Color"]
    if place == "above the blue earth":
        color = _with_clouds(tree, color, coordinates.outputs["Object"], scene.variant % 997)
    links.new(color, emission.inputs["Color"])
    if place == "above the earth at night":
        emission.inputs["Strength"].default_value = 3.0
    else:
        strength = {"above the blue earth": 1.9, "above the moon": 1.5, "above mars": 1.7}[place]
        lit = _math(tree, "MULTIPLY", _sunlight(tree, sun), strength)
        links.new(_math(tree, "MAXIMUM", lit, 0.012), emission.inputs["Strength"])
    return made


def _with_clouds(tree: bpy.types.NodeTree, color: object, where: object, seed: int) -> object:
    """White over the map where a warped noise is high."""
    noise = tree.nodes.new("ShaderNodeTexNoise")
    noise.noise_dimensions = "4D"
    noise.inputs["W"].default_value = float(seed)
    noise.inputs["Scale"].default_value = 3.6
    noise.inputs["Detail"].default_value = 7.0
    noise.inputs["Roughness"].default_value = 0.62
    noise.inputs["Distortion"].default_value = 0.9
    tree.links.new(where, noise.inputs["Vector"])
    cover = tree.nodes.new("ShaderNodeMapRange")
    cover.interpolation_type = "SMOOTHSTEP"
    cover.inputs["From Min"].default_value = 0.50
    cover.inputs["From Max"].default_value = 0.66
    tree.links.new(noise.outputs["Fac"], cover.inputs["Value"])
    mix = tree.nodes.new("ShaderNodeMixRGB")
    tree.links.new(cover.outputs["Result"], mix.inputs["Fac"])
    tree.links.new(color, mix.inputs["Color1"])
    mix.inputs["Color2"].default_value = (0.86, 0.88, 0.90, 1)
    return mix.outputs["Color"]


def _air(scene: Scene, sun: Vector) -> bpy.types.Material:
    """A clear shell whose edge glows: brightest at the globe's limb, nothing at its own rim."""
    place = scene.factors.place
    made, tree, output = _blank("air")
    links = tree.links
    both = tree.nodes.new("ShaderNodeAddShader")
    clear = tree.nodes.new("ShaderNodeBsdfTransparent")
    glow = tree.nodes.new("ShaderNodeEmission")
    links.new(clear.outputs[0], both.inputs[0])
    links.new(glow.outputs[0], both.inputs[1])
    links.new(both.outputs[0], output.inputs["Surface"])
    weight = tree.nodes.new("ShaderNodeLayerWeight")
    weight.inputs["Blend"].default_value = 0.5
    # Facing is 1 at the rim of the shell; the limb of the globe lies at the cosine below.
    limb = (1 - AIR_THICKNESS**-2) ** 0.5
    ramp = tree.nodes.new("ShaderNodeValToRGB")
    stops = ramp.color_ramp.elements
    stops[0].position, stops[0].color = 0.0, (0.015, 0.015, 0.015, 1)
    stops[1].position, stops[1].color = 1.0, (0, 0, 0, 1)
    for position, value in (
        (0.40, 0.05),
        (0.64, 0.28),
        (1 - limb - 0.01, 1.0),
        (1 - limb * 0.45, 0.22),
    ):
        stops.new(position).color = (value, value, value, 1)
    links.new(weight.outputs["Facing"], ramp.inputs["Fac"])
    color, strength, dark_side = {
        "above the blue earth": ((0.22, 0.50, 1.0), 2.4, 0.02),
        "above the earth at night": ((0.10, 0.35, 1.0), 0.8, 0.6),
        "above mars": ((1.0, 0.50, 0.28), 0.40, 0.02),
    }[place]
    glow.inputs["Color"].default_value = (*color, 1)
    day = _math(tree, "MAXIMUM", _math(tree, "ADD", _sunlight(tree, sun), 0.12), dark_side)
    level = _math(tree, "MULTIPLY", ramp.outputs["Color"], day)
    facing_us = tree.nodes.new("ShaderNodeNewGeometry")
    front = _math(tree, "SUBTRACT", 1.0, facing_us.outputs["Backfacing"])
    lit = _math(tree, "MULTIPLY", _math(tree, "MULTIPLY", level, strength), front)
    links.new(lit, glow.inputs["Strength"])
    return made


def sky(scene: Scene) -> None:
    """Stars for the camera; for light and mirrors, black above and the planet's glow below."""
    world = bpy.context.scene.world
    tree = world.node_tree
    tree.nodes.clear()
    links = tree.links
    output = tree.nodes.new("ShaderNodeOutputWorld")
    mix = tree.nodes.new("ShaderNodeMixShader")
    links.new(mix.outputs[0], output.inputs["Surface"])
    ray = tree.nodes.new("ShaderNodeLightPath")
    links.new(ray.outputs["Is Camera Ray"], mix.inputs["Fac"])
    # Mirrors and fill light: a band of the planet's colour that begins at the horizon.
    coordinates = tree.nodes.new("ShaderNodeTexCoord")
    parts = tree.nodes.new("ShaderNodeSeparateXYZ")
    links.new(coordinates.outputs["Generated"], parts.inputs[0])
    ramp = tree.nodes.new("ShaderNodeValToRGB")
    r, g, b = FILL_LIGHT[scene.factors.place]
    stops = ramp.color_ramp.elements
    stops[0].position, stops[0].color = 0.30, (r * 0.8, g * 0.8, b * 0.8, 1)
    stops[1].position, stops[1].color = 0.56, (0.006, 0.007, 0.011, 1)
    stops.new(0.47).color = (r * 1.5, g * 1.5, b * 1.5, 1)
    links.new(_math(tree, "MULTIPLY_ADD", parts.outputs["Z"], 0.5, 0.5), ramp.inputs["Fac"])
    glow = tree.nodes.new("ShaderNodeBackground")
    glow.inputs["Strength"].default_value = 1.0
    links.new(ramp.outputs["Color"], glow.inputs["Color"])
    links.new(glow.outputs[0], mix.inputs[1])
    stars = tree.nodes.new("ShaderNodeBackground")
    cells = tree.nodes.new("ShaderNodeTexVoronoi")
    cells.inputs["Scale"].default_value = 110.0
    links.new(coordinates.outputs["Generated"], cells.inputs["Vector"])
    point = _math(tree, "LESS_THAN", cells.outputs["Distance"], 0.10)
    chosen = _math(tree, "GREATER_THAN", cells.outputs["Color"], 0.72)
    links.new(_math(tree, "MULTIPLY", point, chosen), stars.inputs["Strength"])
    stars.inputs["Color"].default_value = (0.75, 0.82, 1.0, 1)
    links.new(stars.outputs[0], mix.inputs[2])

"""What suits are made of: woven cloth, shells, gold, rubber, screens, and the emblems sewn on.

Every material is made once a process and kept. Cloth reads the attribute `tone` of its mesh: below
0 lies the dirt of a fold, above 0 wear. Pictures (patches, a flag, a display) are drawn with numpy.
Next: `limbs.py`, `suits.py`.
"""

from __future__ import annotations

from math import pi

import bpy
import numpy as np

from rocketman.scenes.kit import Array
from rocketman.scenes.shapes import Color, keep

GOLD = (1.0, 0.47, 0.075)


def surface(
    name: str,
    color: Color,
    *,
    roughness: float = 0.5,
    metallic: float = 0.0,
    coat: float = 0.0,
    sheen: float = 0.0,
    wrinkle: float = 0.0,
    wrinkle_scale: float = 9.0,
    weave: float = 0.0,
    dirt: float = 0.0,
    dirt_color: Color = (0.10, 0.085, 0.07),
    emission: float = 0.0,
    image: str = "",
) -> bpy.types.Material:
    """A principled surface, kept under its name.

    `wrinkle` and `weave` are depths of relief (0 to 1), `dirt` how much of `dirt_color` lies in
    folds and in blotches; `image` is a picture laid over the piece, see `picture`.
    """
    found = bpy.data.materials.get(name)
    if found is not None:
        return found
    made = bpy.data.materials.new(name)
    keep(made)
    made.use_nodes = True
    nodes, links = made.node_tree.nodes, made.node_tree.links
    shader = nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (*color, 1)
    shader.inputs["Roughness"].default_value = roughness
    shader.inputs["Metallic"].default_value = metallic
    shader.inputs["Coat Weight"].default_value = coat
    shader.inputs["Sheen Weight"].default_value = sheen
    if emission:
        shader.inputs["Emission Color"].default_value = (*color, 1)
        shader.inputs["Emission Strength"].default_value = emission
    if image:
        place = nodes.new("ShaderNodeAttribute")
        place.attribute_name = "place"
        texture = nodes.new("ShaderNodeTexImage")
        texture.image = picture(image)
        texture.extension = "EXTEND"
        links.new(place.outputs["Vector"], texture.inputs["Vector"])
        links.new(texture.outputs["Color"], shader.inputs["Base Color"])
        if emission:
            links.new(texture.outputs["Color"], shader.inputs["Emission Color"])
        return made
    if not (wrinkle or weave or dirt):
        return made
    coordinates = nodes.new("ShaderNodeTexCoord")

    def noise(scale: float, detail: float, kind: str, distortion: float = 0.0) -> object:
        node = nodes.new("ShaderNodeTexNoise")
        node.noise_type = kind
        node.inputs["Scale"].default_value = scale
        node.inputs["Detail"].default_value = detail
        node.inputs["Distortion"].default_value = distortion
        links.new(coordinates.outputs["Object"], node.inputs["Vector"])
        return node.outputs["Fac"]

    normal = None
    if weave:
        threads = nodes.new("ShaderNodeBump")
        threads.inputs["Strength"].default_value = weave
        threads.inputs["Distance"].default_value = 0.003
        links.new(noise(260.0, 1.0, "FBM"), threads.inputs["Height"])
        normal = threads.outputs["Normal"]
    if wrinkle:
        creases = nodes.new("ShaderNodeBump")
        creases.inputs["Strength"].default_value = wrinkle
        creases.inputs["Distance"].default_value = 0.02
        links.new(noise(wrinkle_scale, 2.5, "FBM", 1.1), creases.inputs["Height"])
        if normal is not None:
            links.new(normal, creases.inputs["Normal"])
        normal = creases.outputs["Normal"]
    if normal is not None:
        links.new(normal, shader.inputs["Normal"])
    if dirt:
        tone = nodes.new("ShaderNodeAttribute")
        tone.attribute_name = "tone"
        # Blotches of wear in the open, more of it where a fold lies deep.
        blotch = nodes.new("ShaderNodeMapRange")
        blotch.inputs["From Min"].default_value = 0.48
        blotch.inputs["From Max"].default_value = 0.80
        blotch.inputs["To Max"].default_value = dirt
        links.new(noise(5.5, 5.0, "FBM", 0.4), blotch.inputs["Value"])
        deep = nodes.new("ShaderNodeMath")
        deep.operation = "MULTIPLY_ADD"
        deep.use_clamp = True
        deep.inputs[1].default_value = -1.0
        links.new(tone.outputs["Fac"], deep.inputs[0])
        links.new(blotch.outputs["Result"], deep.inputs[2])
        mix = nodes.new("ShaderNodeMixRGB")
        mix.inputs["Color1"].default_value = (*color, 1)
        mix.inputs["Color2"].default_value = (*dirt_color, 1)
        links.new(deep.outputs[0], mix.inputs["Fac"])
        links.new(mix.outputs["Color"], shader.inputs["Base Color"])
    return made


def visor(name: str, tint: Color = GOLD, roughness: float = 0.045) -> bpy.types.Material:
    """A mirror of gold (or dark glass), with the faint smears of gloves that wiped it."""
    found = bpy.data.materials.get(name)
    if found is not None:
        return found
    made = surface(name, tint, roughness=roughness, metallic=1.0, coat=0.2)
    nodes, links = made.node_tree.nodes, made.node_tree.links
    shader = nodes["Principled BSDF"]
    coordinates = nodes.new("ShaderNodeTexCoord")
    smear = nodes.new("ShaderNodeTexNoise")
    smear.inputs["Scale"].default_value = 9.0
    smear.inputs["Detail"].default_value = 4.0
    smear.inputs["Distortion"].default_value = 1.5
    links.new(coordinates.outputs["Object"], smear.inputs["Vector"])
    level = nodes.new("ShaderNodeMapRange")
    level.inputs["From Min"].default_value = 0.5
    level.inputs["From Max"].default_value = 0.78
    level.inputs["To Min"].default_value = roughness
    level.inputs["To Max"].default_value = roughness + 0.16
    links.new(smear.outputs["Fac"], level.inputs["Value"])
    links.new(level.outputs["Result"], shader.inputs["Roughness"])
    # Gold film takes blue earthshine for green: a little warm light of its own keeps it gold.
    rim = nodes.new("ShaderNodeLayerWeight")
    rim.inputs["Blend"].default_value = 0.35
    warm = nodes.new("ShaderNodeMapRange")
    warm.inputs["To Min"].default_value = 0.015
    warm.inputs["To Max"].default_value = 0.14
    links.new(rim.outputs["Facing"], warm.inputs["Value"])
    links.new(warm.outputs["Result"], shader.inputs["Emission Strength"])
    shader.inputs["Emission Color"].default_value = (1.0, 0.42, 0.05, 1)
    return made


def picture(name: str) -> bpy.types.Image:
    """A drawn picture as Blender's image, made on its first use."""
    found = bpy.data.images.get(name)
    if found is not None:
        return found
    kind, _, rest = name.partition(" ")
    colors = {"white": (0.93, 0.92, 0.89), "orange": (0.98, 0.40, 0.07), "blue": (0.10, 0.27, 0.72),
              "red": (0.70, 0.06, 0.07), "grey": (0.42, 0.42, 0.42)}  # fmt: skip
    ground = colors.get(rest, (0.05, 0.05, 0.06))
    drawn = {"patch": _patch, "emblem": _emblem, "flag": _flag, "screen": _screen, "label": _label}[
        kind
    ](ground)
    made = bpy.data.images.new(name, drawn.shape[1], drawn.shape[0])
    made.use_fake_user = True
    alpha = np.ones((*drawn.shape[:2], 1))
    made.pixels.foreach_set(np.concatenate([drawn, alpha], 2).astype(np.float32).reshape(-1))
    made.pack()
    return made


def _plane(size: int, wide: float = 1.0) -> tuple[Array, Array]:
    """x and y over a picture, -1 to 1 from bottom to top."""
    y, x = np.mgrid[0:size, 0 : round(size * wide)]
    return (x + 0.5) / size * 2 - wide, (y + 0.5) / size * 2 - 1


def _patch(ground: Color) -> Array:
    """A round mission patch: night sky, a blue limb with its orbit, a star."""
    x, y = _plane(128)
    r = np.hypot(x, y)
    made = np.broadcast_to(np.array(ground), (128, 128, 3)).copy()
    made[r < 0.96] = (0.85, 0.62, 0.16)
    made[r < 0.86] = (0.02, 0.03, 0.13)
    limb = np.hypot(x + 0.1, y + 1.15)
    made[(r < 0.86) & (limb < 0.95)] = (0.75, 0.88, 0.98)
    made[(r < 0.86) & (limb < 0.88)] = (0.06, 0.30, 0.72)
    orbit = np.abs(np.hypot(x * 0.8 - y * 0.6, (x * 0.6 + y * 0.8) * 2.4) - 0.66)
    made[(r < 0.86) & (orbit < 0.05)] = (0.92, 0.12, 0.10)
    star = np.abs(x - 0.28) * np.abs(y - 0.36) < 0.004
    made[star & (np.hypot(x - 0.28, y - 0.36) < 0.3)] = (1, 1, 1)
    # Threads run across an embroidered patch.
    made[r < 0.96] *= (0.9 + 0.1 * np.sin(np.arange(128) * pi / 2))[:, None, None].repeat(
        128, 1
    )[r < 0.96]  # fmt: skip
    return made


def _emblem(ground: Color) -> Array:
    """A shield with a rising note and a chevron."""
    x, y = _plane(128)
    made = np.broadcast_to(np.array(ground), (128, 128, 3)).copy()
    edge = 0.78 - 0.55 * np.clip(-y - 0.1, 0, 1) ** 1.5
    inside = (np.abs(x) < edge) & (np.abs(y) < 0.92)
    made[inside] = (0.92, 0.90, 0.84)
    made[(np.abs(x) < edge - 0.09) & (np.abs(y) < 0.83)] = (0.55, 0.04, 0.06)
    bar = np.abs(y + 0.2 + np.abs(x) * 0.7) < 0.09
    made[bar & (np.abs(x) < edge - 0.12)] = (0.92, 0.74, 0.2)
    note = (np.hypot((x + 0.14) / 1.25, y - 0.12) < 0.15) | (
        (np.abs(x - 0.03) < 0.035) & (y > 0.1) & (y < 0.66)
    )
    made[note] = (0.95, 0.95, 0.92)
    made[(np.abs(x - 0.14) < 0.12) & (np.abs(y - 0.58 + (x - 0.02) * 0.7) < 0.08)] = (
        0.95, 0.95, 0.92,
    )  # fmt: skip
    return made


def _flag(ground: Color) -> Array:
    """An invented flag: three stripes and a disc at the hoist."""
    x, y = _plane(96, 1.5)
    made = np.broadcast_to(np.array((0.93, 0.93, 0.92)), (*x.shape, 3)).copy()
    made[y > 0.36] = (0.06, 0.16, 0.52)
    made[y < -0.36] = (0.76, 0.07, 0.10)
    made[np.hypot(x + 0.75, y) < 0.26] = (0.93, 0.68, 0.12)
    made[(np.abs(x) > 1.43) | (np.abs(y) > 0.93)] = (0.85, 0.84, 0.8)
    return made


def _screen(ground: Color) -> Array:
    """A lit display: figures in two rows, a bar, a curve."""
    x, y = _plane(96, 1.6)
    made = np.tile([0.01, 0.03, 0.04], (*x.shape, 1))
    curve = np.abs(y - 0.15 - 0.22 * np.sin(5 * x) * np.exp(-((x - 0.2) ** 2)))
    made[(curve < 0.07) & (np.abs(x) < 1.4)] = (0.10, 0.95, 0.55)
    column = np.floor((x + 1.6) / 0.16).astype(int)
    digits = (column % 4 != 3) & (np.mod(x + 1.6, 0.16) < 0.11)
    made[digits & (np.abs(y - 0.72) < 0.12)] = (0.95, 0.75, 0.2)
    made[digits & (np.abs(y + 0.40) < 0.10) & (x < 0.4)] = (0.2, 0.8, 0.95)
    made[(np.abs(y + 0.75) < 0.1) & (x < 0.75)] = (0.95, 0.25, 0.12)
    return made


def _label(ground: Color) -> Array:
    """A placard: lines of print that are too small to read, a red frame above them."""
    x, y = _plane(96, 1.6)
    made = np.tile([0.82, 0.81, 0.77], (*x.shape, 1))
    word = np.sin(37.0 * x + 3.0 * np.floor(y * 4)) + np.sin(91.0 * x) > -0.4
    line = np.mod(y * 4, 1.0) < 0.45
    made[word & line & (np.abs(x) < 1.3) & (y < 0.35) & (y > -0.85)] = (0.08, 0.08, 0.09)
    made[(np.abs(y - 0.66) < 0.2) & (np.abs(x) < 1.35)] = (0.62, 0.05, 0.05)
    return made

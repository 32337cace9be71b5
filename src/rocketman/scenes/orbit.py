"""Planets, their air and the stars: earth by day and night and at sunrise, moon, mars, milky way.

Reads the maps beside this file (credits in NOTICE). A planet is a globe far behind the subject,
placed by angles as the camera sees them; it shines by its own formula, so it costs no noise.
Next: `places.py` puts it together with light, station and cupola.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import asin, atan, cos, radians, sin, sqrt

import bpy
import numpy as np
from mathutils import Matrix, Vector

from rocketman.scenes import shapes
from rocketman.scenes.nodes import Nodes, Socket, Stops, glowing
from rocketman.scenes.spec import Scene

DISTANCE = 60.0
SQUARE = np.array([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)], float)

AIR: dict[str, tuple[float, Stops]] = {
    # planet: (radius of the air over that of the globe, colours from the horizon to its top)
    "earth": (1.045, [
        (0.0, (1.5, 2.0, 2.5)), (0.07, (0.75, 1.4, 2.3)), (0.2, (0.20, 0.62, 1.9)),
        (0.42, (0.035, 0.17, 0.75)), (0.7, (0.006, 0.03, 0.17)), (1.0, 0.0),
    ]),
    "night": (1.05, [
        (0.0, (0.010, 0.05, 0.12)), (0.22, (0.012, 0.06, 0.15)), (0.36, (0.03, 0.15, 0.13)),
        (0.42, (0.13, 0.46, 0.17)), (0.48, (0.10, 0.22, 0.08)), (0.75, (0.03, 0.02, 0.04)),
        (1.0, 0.0),
    ]),
    "sunrise": (1.075, [
        (0.0, (1.6, 0.20, 0.02)), (0.08, (2.6, 0.62, 0.06)), (0.17, (2.8, 1.5, 0.55)),
        (0.27, (1.5, 1.7, 1.6)), (0.40, (0.35, 0.85, 1.9)), (0.60, (0.05, 0.22, 1.0)),
        (0.82, (0.008, 0.03, 0.24)), (1.0, 0.0),
    ]),
    "mars": (1.028, [
        (0.0, (1.0, 0.62, 0.42)), (0.2, (0.62, 0.34, 0.22)), (0.5, (0.20, 0.13, 0.12)),
        (1.0, 0.0),
    ]),
}  # fmt: skip
"""Thicker than life, as films do it. Linear RGB."""


@dataclass(frozen=True)
class Globe:
    """A planet in the camera's view: unit directions in the world, angles in radians."""

    center: Vector
    """From the camera to the planet's centre."""
    rise: Vector
    """At right angles to `center`, towards the middle of the picture."""
    radius: float
    half: float
    """Half the angle of view."""

    def direction(self, distance: float, around: float) -> Vector:
        """`distance` from the planet's centre, turned `around` it from the picture's middle."""
        side = self.center.cross(self.rise)
        return self.center * cos(distance) + (self.rise * cos(around) + side * sin(around)) * sin(
            distance
        )


def globe(scene: Scene, camera: Matrix, half: float) -> Globe:
    """Where the planet of the scene stands; `half` is the tangent of half the angle of view."""
    angle = atan(half)
    radius = min(scene.planet_radius * angle, radians(62))
    below = radius - scene.planet_rise * angle
    lean = radians(scene.planet_lean)
    down = Vector((sin(lean), -cos(lean), 0))
    turn = camera.to_3x3()
    center = turn @ (down * sin(below) + Vector((0, 0, -1)) * cos(below))
    rise = turn @ (Vector((0, 0, -1)) * sin(below) - down * cos(below))
    return Globe(center, rise, radius, angle)


def planet(scene: Scene, camera: Matrix, seen: Globe, kind: str, sun: Vector) -> None:
    """The globe and its air; `kind` is earth, night, sunrise, moon or mars."""
    center = camera.translation + seen.center * DISTANCE
    radius = DISTANCE * sin(seen.radius)
    ground = {
        "earth": _earth, "night": _night, "sunrise": _dark, "moon": _moon, "mars": _mars,
    }[kind](scene, seen, sun)  # fmt: skip
    with shapes.label("planet"):
        body = shapes.put(_ball(ground))
        body.matrix_world = (
            Matrix.Translation(center) @ _turn(scene, seen) @ Matrix.Scale(radius, 4)
        )
        parts = [body]
        if kind in AIR:
            thick, stops = AIR[kind]
            air = shapes.put(_ball(_air(kind, stops, thick, seen, sun)))
            air.matrix_world = Matrix.Translation(center) @ Matrix.Scale(radius * thick, 4)
            air.visible_diffuse = air.visible_glossy = False
            air.pass_index = 0
            parts.append(air)
    for part in parts:
        part.visible_shadow = False


def _ball(surface: bpy.types.Material) -> bpy.types.Mesh:
    """The unit globe, kept: only its material changes."""
    name = f"{surface.name.split('.')[0]} globe"
    data = bpy.data.meshes.get(name)
    if data is None:
        made = shapes.sphere(1.0, surface, segments=128)
        data = made.data
        data.name = name
        data["kept"] = True
        bpy.data.objects.remove(made)
    data.materials.clear()
    data.materials.append(surface)
    return data


def _turn(scene: Scene, seen: Globe) -> Matrix:
    """The globe's turn that brings `planet_spot` into view, north by `planet_turn`."""
    # The ray that meets the ground a little below the horizon, and the ground's normal there.
    at = seen.radius - 0.42 * seen.half
    tilt = asin(min(0.98, sin(at) / sin(seen.radius))) - at
    normal = -seen.center * cos(tilt) + seen.rise * sin(tilt)
    lon, lat = map(radians, scene.planet_spot)
    spot = Vector((cos(lat) * cos(lon), cos(lat) * sin(lon), sin(lat)))
    north = Vector((-sin(lat) * cos(lon), -sin(lat) * sin(lon), cos(lat)))
    side = normal.cross(seen.rise + Vector((1e-3, 0, 0))).normalized()
    other = normal.cross(side)
    turn = radians(scene.planet_turn)
    up = side * sin(turn) + other * cos(turn)
    target = Matrix((normal, up, normal.cross(up))).transposed()
    source = Matrix((spot, north, spot.cross(north))).transposed()
    return (target @ source.inverted()).to_4x4()


def _ground(name: str) -> tuple[bpy.types.Material, Nodes, Socket, Socket]:
    """A glowing material; direction on the map, cosine between normal and view."""
    made, n = glowing(name)
    where = n.coordinates("Object")
    facing = n.vector("DOT_PRODUCT", n.geometry("Normal"), n.geometry("Incoming"))
    return made, n, where, facing


def _daylight(n: Nodes, light: Socket) -> Socket:
    """Colour of sunlight by its cosine: warm where the sun stands low, black on the night side."""
    return n.ramp(n.math("MULTIPLY_ADD", light, 0.5, 0.5), [
        (0.46, 0.0), (0.50, (0.05, 0.016, 0.008)), (0.535, (0.26, 0.12, 0.07)),
        (0.60, (0.55, 0.44, 0.38)), (0.78, (0.92, 0.90, 0.88)), (1.0, 1.0),
    ])  # fmt: skip


def _clouds(scene: Scene, n: Nodes, where: Socket) -> Socket:
    """Direction in which the cloud map is read: another weather in every picture."""
    turn = n.new("VectorRotate")
    turn.rotation_type = "EULER_XYZ"
    n.set(turn.inputs["Vector"], where)
    v = scene.variant
    turn.inputs["Rotation"].default_value = (0.2 * sin(v), 0.2 * cos(v), (v % 6283) / 1000)
    return turn.outputs[0]


def _earth(scene: Scene, seen: Globe, sun: Vector) -> bpy.types.Material:
    made, n, where, facing = _ground("earth")
    light = n.vector("DOT_PRODUCT", n.geometry("Normal"), tuple(sun))
    color = n.map("earth-day.jpg", where)
    parts = n.new("SeparateColor")
    n.set(parts.inputs[0], color)
    sea = n.span(n.math("SUBTRACT", parts.outputs["Blue"], parts.outputs["Red"]), 0.005, 0.05)
    deep = n.mix(0.55, color, (0.006, 0.035, 0.13))
    land = n.mix(1.0, n.scaled(color, 1.5), (1.06, 1.0, 0.92), "MULTIPLY")
    color = n.mix(sea, land, deep)
    weather = _clouds(scene, n, where)
    rough = n.noise(where, 34.0, 3, 0.65)
    detail = n.math("MULTIPLY_ADD", rough, 0.5, 0.75)
    cloud = n.math("MULTIPLY", n.map("clouds.jpg", weather), detail, clamp=True)
    # Shadows: the clouds once more, seen a little towards the sun.
    inverse = _turn(scene, seen).to_3x3().inverted() @ sun
    shade = n.map("clouds.jpg", _clouds(scene, n, n.vector("ADD", where, tuple(inverse * 0.012))))
    color = n.scaled(color, n.span(shade, 0.1, 0.9, 1.0, 0.45))
    # Sun on the sea.
    half = n.vector("NORMALIZE", n.vector("ADD", n.geometry("Incoming"), tuple(sun)))
    shine = n.math("MAXIMUM", n.vector("DOT_PRODUCT", n.geometry("Normal"), half), 0.0)
    glint = n.times(n.math("POWER", shine, 26.0), sea, 0.75)
    color = n.vector("ADD", color, n.scaled((1.0, 0.86, 0.62), glint))
    color = n.mix(cloud, color, (0.95, 0.96, 0.98))
    color = n.mix(1.0, color, _daylight(n, light), "MULTIPLY")
    haze = n.math("POWER", n.math("SUBTRACT", 1.0, facing), 3.0)
    day = n.span(light, -0.08, 0.3)
    color = n.vector(
        "ADD", n.scaled(color, 1.5), n.scaled((0.16, 0.42, 1.0), n.times(haze, day, 0.9))
    )
    n.output(n.emission(color))
    return made


def _night(scene: Scene, seen: Globe, sun: Vector) -> bpy.types.Material:
    made, n, where, facing = _ground("night")
    color = n.map("earth-night.jpg", where)
    parts = n.new("SeparateColor")
    n.set(parts.inputs[0], color)
    towns = n.span(n.math("SUBTRACT", parts.outputs["Red"], parts.outputs["Blue"]), 0.0, 0.16)
    # What the map shows as flat patches is broken into streets and dots, and small towns are
    # strewn over the land between.
    land = n.span(parts.outputs["Blue"], 0.012, 0.04)
    streets = n.noise(where, 42.0, 4, 0.68)
    lamps = n.times(towns, n.span(streets, 0.38, 0.64, 0.5, 3.2))
    cells = n.new("TexVoronoi")
    n.set(cells.inputs["Vector"], where)
    cells.inputs["Scale"].default_value = 130.0
    chance = n.new("SeparateColor")
    n.set(chance.inputs[0], cells.outputs["Color"])
    size = n.math("POWER", chance.outputs["Red"], 3.0)
    near = n.math("DIVIDE", cells.outputs["Distance"], n.math("MULTIPLY_ADD", size, 0.30, 0.09))
    dots = n.span(near, 0.2, 1.0, 1.0, 0.0)
    lamps = n.add(lamps, n.times(dots, land, n.span(streets, 0.46, 0.60), 2.4))
    weather = n.map("clouds.jpg", _clouds(scene, n, where))
    # Moonlight on sea, land and clouds; clouds over a town glow.
    moonlit = n.mix(0.35, n.scaled(color, 0.16), (0.006, 0.016, 0.045))
    moonlit = n.mix(n.times(weather, 0.8), moonlit, (0.045, 0.07, 0.125))
    hot = n.ramp(
        lamps, [(0.0, (1.0, 0.34, 0.05)), (0.5, (1.0, 0.52, 0.15)), (1.0, (1.0, 0.8, 0.5))]
    )
    veil = n.math("SUBTRACT", 1.0, n.times(weather, 0.5))
    color = n.vector("ADD", moonlit, n.scaled(hot, n.times(lamps, veil, 2.6)))
    haze = n.math("POWER", n.math("SUBTRACT", 1.0, facing), 4.0)
    color = n.vector("ADD", color, n.scaled((0.02, 0.09, 0.16), haze))
    n.output(n.emission(color))
    return made


def _dark(scene: Scene, seen: Globe, sun: Vector) -> bpy.types.Material:
    """The earth under a rising sun: blue dusk, clouds that catch the first light."""
    made, n, where, facing = _ground("dusk")
    weather = n.map("clouds.jpg", _clouds(scene, n, where))
    towards = n.vector("DOT_PRODUCT", n.vector("SCALE", n.geometry("Incoming"), -1.0), tuple(sun))
    near = n.span(towards, cos(seen.half * 1.5), 1.0)
    low = n.math("POWER", n.math("SUBTRACT", 1.0, facing), 3.0)
    base = n.mix(n.times(weather, 0.9), (0.008, 0.022, 0.07), (0.075, 0.11, 0.24))
    warm = n.times(near, low, n.math("MULTIPLY_ADD", weather, 1.5, 0.25))
    color = n.vector("ADD", base, n.scaled((1.0, 0.36, 0.10), n.times(warm, 1.6)))
    n.output(n.emission(color))
    return made


def _relief(n: Nodes, height: Socket, depth: float, sun: Vector) -> Socket:
    """Cosine to the sun on a ground with hills; `depth` is in world units."""
    bump = n.new("Bump")
    bump.inputs["Distance"].default_value = depth
    n.set(bump.inputs["Height"], height)
    return n.vector("DOT_PRODUCT", bump.outputs[0], tuple(sun))


def _craters(n: Nodes, where: Socket, scale: float) -> Socket:
    """Height of bowls with raised rims, of many sizes."""
    cells = n.new("TexVoronoi")
    cells.feature = "F1"
    n.set(cells.inputs["Vector"], where)
    cells.inputs["Scale"].default_value = scale
    size = n.new("SeparateColor")
    n.set(size.inputs[0], cells.outputs["Color"])
    reach = n.math("MULTIPLY_ADD", size.outputs["Red"], 0.34, 0.08)
    inside = n.math("DIVIDE", cells.outputs["Distance"], reach)
    bowl = n.ramp(inside, [(0.0, 0.05), (0.3, 0.12), (0.66, 0.85), (1.0, 0.55)], smooth=True)
    return n.times(n.math("SUBTRACT", bowl, 0.55), reach)


def _moon(scene: Scene, seen: Globe, sun: Vector) -> bpy.types.Material:
    made, n, where, _ = _ground("moon")
    color = n.map("moon.jpg", where)
    # Dust bends the circles a little: no crater is perfectly round.
    bent = n.vector("ADD", where, n.scaled(n.noise(where, 9.0, 3, color=True), 0.035))
    bowls = n.add(_craters(n, bent, 16.0), n.times(_craters(n, bent, 47.0), 0.5))
    soil = n.noise(where, 40.0, 5, 0.68)
    height = n.add(n.times(bowls, 2.4), n.times(soil, 0.5))
    light = _relief(n, height, 0.38, sun)
    bright = n.math("POWER", n.math("MAXIMUM", light, 0.0), 0.75)
    grey = n.mix(
        0.72, color, n.scaled((1.0, 0.985, 0.96), n.vector("DOT_PRODUCT", color, (0.3, 0.5, 0.2)))
    )
    grain = n.math("MULTIPLY_ADD", soil, 0.5, 0.75)
    n.output(n.emission(n.scaled(grey, n.times(bright, grain, 1.2))))
    return made


def _mars(scene: Scene, seen: Globe, sun: Vector) -> bpy.types.Material:
    made, n, where, facing = _ground("mars")
    swirl = n.vector("ADD", where, n.scaled(n.noise(where, 5.0, 6, 0.6, color=True), 0.06))
    color = n.map("mars.jpg", swirl)
    fine = n.noise(swirl, 11.0, 9, 0.66)
    dunes = n.noise(where, 70.0, 4, 0.6)
    height = n.add(n.times(fine, 1.1), n.times(_craters(n, swirl, 17.0), 0.55))
    light = _relief(n, n.add(height, n.times(dunes, 0.10)), 1.0, sun)
    # The map is coarse: sand and rock by noise, in Mars' own colours.
    tint = n.ramp(
        fine, [(0.30, (0.42, 0.30, 0.28)), (0.47, (0.92, 0.86, 0.84)), (0.70, (1.5, 1.2, 1.0))]
    )
    color = n.mix(1.0, color, tint, "MULTIPLY")
    color = n.mix(1.0, color, (1.28, 0.92, 0.72), "MULTIPLY")
    lit = n.math("MAXIMUM", light, 0.0)
    color = n.scaled(color, n.times(lit, 1.75))
    dust = n.times(n.math("POWER", n.math("SUBTRACT", 1.0, facing), 3.0), n.span(light, -0.1, 0.4))
    n.output(n.emission(n.vector("ADD", color, n.scaled((0.85, 0.46, 0.27), n.times(dust, 0.55)))))
    return made


def _air(kind: str, stops: Stops, thick: float, seen: Globe, sun: Vector) -> bpy.types.Material:
    """A clear shell that glows by how far above the horizon a line of sight passes."""
    made, n = glowing(f"{kind} air")
    facing = n.vector("DOT_PRODUCT", n.geometry("Normal"), n.geometry("Incoming"))
    # Nearest distance of the line of sight to the globe's centre, in radii of the globe.
    across = n.math("SQRT", n.math("SUBTRACT", 1.0, n.times(facing, facing)))
    past = n.times(across, thick)
    height = n.math("DIVIDE", n.math("SUBTRACT", past, 1.0), thick - 1.0, clamp=True)
    color = n.ramp(height, stops)
    before = n.span(past, 0.90, 1.0, 0.0, 0.34)
    over = n.math("GREATER_THAN", past, 1.0)
    weight = n.math("MAXIMUM", n.times(before, before, 2.0), over)
    if kind == "sunrise":
        view = n.vector("SCALE", n.geometry("Incoming"), -1.0)
        towards = n.vector("DOT_PRODUCT", view, tuple(sun))
        # Along the horizon the colours fade away from the sun.
        light = n.span(towards, cos(seen.half * 2.4), cos(seen.half * 0.1), 0.03, 1.0)
    elif kind == "night":
        light = 1.0
    else:
        light = n.span(n.vector("DOT_PRODUCT", n.geometry("Normal"), tuple(sun)), -0.15, 0.35)
    front = n.math("SUBTRACT", 1.0, n.geometry("Backfacing"))
    n.output(n.clear_plus(n.scaled(color, n.times(weight, light, front))))
    return made


def flare(camera: Matrix, direction: Vector, half: float) -> None:
    """The sun itself: disc, glow and a star of rays, as a lens shows it."""
    made, n = glowing("flare")
    where = n.coordinates("Object")
    apart = n.new("SeparateXYZ")
    n.set(apart.inputs[0], where)
    r = n.math("MAXIMUM", n.vector("LENGTH", where), 0.002)
    rim = n.span(r, 0.35, 1.0, 1.0, 0.0)
    disc = n.span(r, 0.026, 0.036, 40.0, 0.0)
    glow = n.times(n.math("POWER", n.math("DIVIDE", 0.030, n.add(r, 0.012)), 1.8), 1.6)
    angle = n.math("ARCTAN2", apart.outputs[1], apart.outputs[0])
    rays: Socket = 0.0
    for count, turn, sharp, reach in ((3.0, 0.35, 260.0, 9.0), (4.0, 0.9, 500.0, 15.0)):
        wave = n.math("ABSOLUTE", n.math("COSINE", n.math("MULTIPLY_ADD", angle, count, turn)))
        fall = n.math("EXPONENT", n.times(r, -reach))
        rays = n.add(rays, n.times(n.math("POWER", wave, sharp), fall, 1.1))
    strength = n.times(n.add(n.add(disc, glow), rays), rim)
    color = n.mix(n.span(r, 0.0, 0.25), (1.0, 0.93, 0.80), (1.0, 0.55, 0.22))
    n.output(n.clear_plus(n.scaled(color, strength)))
    away = 14.0
    plane = shapes.mesh(SQUARE, [(0, 1, 2, 3)], made, smooth=False)
    turn = camera.to_3x3().to_4x4()
    scale = Matrix.Scale(away * half * 1.5, 4)
    plane.matrix_world = Matrix.Translation(camera.translation + direction * away) @ turn @ scale
    plane.pass_index = 0
    plane.visible_shadow = plane.visible_diffuse = plane.visible_glossy = False


def sky(
    scene: Scene, camera: Matrix, glow: Sequence[tuple[float, shapes.Color]], galaxy: bool
) -> None:
    """Stars for the camera; for light and mirrors, `glow` by height, 0 is straight down."""
    n = Nodes(bpy.context.scene.world.node_tree)
    where = n.coordinates("Generated")
    parts = n.new("SeparateXYZ")
    n.set(parts.inputs[0], where)
    height = n.math("MULTIPLY_ADD", parts.outputs["Z"], 0.5, 0.5)
    fill = n.background(n.ramp(height, glow))
    stars = _stars(n, where, 210.0, 0.13, 0.55 if galaxy else 0.28, 0.8)
    stars = n.vector("ADD", stars, _stars(n, where, 62.0, 0.062, 0.5 if galaxy else 0.30, 4.0))
    if galaxy:
        stars = n.vector("ADD", stars, _galaxy(scene, camera, n, where))
    mix = n.new("MixShader")
    path = n.new("LightPath")
    n.set(mix.inputs[0], path.outputs["Is Camera Ray"])
    n.set(mix.inputs[1], fill)
    n.set(mix.inputs[2], n.background(stars))
    n.output(mix.outputs[0], world=True)


def _stars(
    n: Nodes, where: Socket, scale: float, size: float, share: float, bright: float
) -> Socket:
    """Points of light in random cells: some blue, some warm, most faint."""
    cells = n.new("TexVoronoi")
    n.set(cells.inputs["Vector"], where)
    cells.inputs["Scale"].default_value = scale
    chance = n.new("SeparateColor")
    n.set(chance.inputs[0], cells.outputs["Color"])
    chosen = n.math("LESS_THAN", chance.outputs["Red"], share)
    power = n.math("MULTIPLY_ADD", n.math("POWER", chance.outputs["Green"], 4.0), bright, 0.12)
    spot = n.span(cells.outputs["Distance"], size * 0.35, size, 1.0, 0.0)
    tint = n.ramp(chance.outputs["Blue"], [
        (0.0, (0.62, 0.76, 1.0)), (0.55, (0.95, 0.97, 1.0)), (1.0, (1.0, 0.78, 0.52)),
    ])  # fmt: skip
    return n.scaled(tint, n.times(spot, chosen, power))


def _galaxy(scene: Scene, camera: Matrix, n: Nodes, where: Socket) -> Socket:
    """The milky way across the picture: star clouds, dark lanes of dust, nebulas."""
    lean = radians(scene.planet_lean * 1.2 + 38 * scene.side)
    across = camera.to_3x3() @ Vector((sin(lean), cos(lean), 0.18 * scene.planet_rise))
    seed = tuple(Vector((scene.variant % 83, scene.variant % 71, scene.variant % 53)))
    place = n.vector("ADD", where, seed)
    bend = n.math("SUBTRACT", n.noise(place, 3.2, 5, 0.6), 0.5)
    aside = n.add(n.vector("DOT_PRODUCT", where, tuple(across)), n.times(bend, 0.16))
    wide = sqrt(1 / 2)
    band = n.math(
        "EXPONENT",
        n.times(
            n.math("POWER", n.math("ABSOLUTE", n.math("DIVIDE", aside, 0.12 * wide)), 2.0), -0.5
        ),
    )
    core = n.math("POWER", band, 3.0)
    clouds = n.noise(place, 9.0, 8, 0.66)
    dust = n.noise(place, 13.0, 7, 0.62, distortion=0.7)
    lanes = n.span(n.add(dust, n.times(core, 0.14)), 0.50, 0.64, 1.0, 0.16)
    light = n.times(band, n.span(clouds, 0.32, 0.70), lanes)
    color = n.mix(core, (0.16, 0.27, 0.75), (1.0, 0.72, 0.50))
    made = n.scaled(color, n.times(light, 0.85))
    fog = n.span(n.noise(place, 4.2, 5, 0.6), 0.52, 0.74)
    made = n.vector("ADD", made, n.scaled((0.62, 0.10, 0.42), n.times(fog, band, lanes, 0.85)))
    blue = n.span(n.noise(n.vector("ADD", place, (9.0, 4.0, 2.0)), 3.0, 5, 0.6), 0.50, 0.78)
    made = n.vector("ADD", made, n.scaled((0.05, 0.28, 0.60), n.times(blue, lanes, 0.42)))
    return n.vector("ADD", made, (0.004, 0.005, 0.013))

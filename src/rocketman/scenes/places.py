"""The eight places: what is behind the subject, and the light that falls on it.

Reads `orbit.py` (planets, stars), `station.py` and `cupola.py`. Every place has its own structure
and colour, so that it is known at 64 pixels.
Next: `render.py` puts the subject in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import asin, cos, radians, sin

import bpy
from mathutils import Matrix, Vector

from rocketman.scenes import cupola, orbit, station
from rocketman.scenes.shapes import Color
from rocketman.scenes.spec import Scene


@dataclass(frozen=True, kw_only=True)
class Place:
    """What makes a place, in the order in which the eye reads it."""

    planet: str
    """A kind that `orbit.planet` knows, or nothing."""
    glow: Sequence[tuple[float, Color]]
    """Light from all around by height: straight down is 0, up is 1; also what visors mirror."""
    key: float = 4.6
    key_color: Color = (1.0, 0.96, 0.90)
    rim: float = 1.6
    rim_color: Color = (0.75, 0.85, 1.0)
    soft: float = 0.0
    """A wide light from the camera's side, so that the subject is never lost in shadow."""
    soft_color: Color = (1.0, 1.0, 1.0)


def _shine(color: Color, dark: Color = (0.006, 0.007, 0.011)) -> list[tuple[float, Color]]:
    """A planet below: its colour, brighter to the horizon, then black space."""
    r, g, b = color
    return [
        (0.0, (0.7 * r, 0.7 * g, 0.7 * b)), (0.30, (r, g, b)), (0.465, (1.6 * r, 1.6 * g, 1.6 * b)),
        (0.49, (1.1 * r, 1.3 * g, 1.6 * b)), (0.53, dark), (1.0, dark),
    ]  # fmt: skip


PLACES = {
    "above the blue earth": Place(planet="earth", glow=_shine((0.11, 0.27, 0.62))),
    "above the earth at night": Place(
        planet="night", glow=_shine((0.035, 0.065, 0.17), (0.008, 0.010, 0.018)),
        key=2.8, key_color=(0.88, 0.93, 1.0), rim=2.6, rim_color=(0.35, 0.72, 0.62), soft=0.16,
        soft_color=(1.0, 0.72, 0.45),
    ),
    "above the moon": Place(planet="moon", glow=_shine((0.30, 0.30, 0.31)), rim=0.9),
    "above mars": Place(
        planet="mars", glow=_shine((0.52, 0.22, 0.10)), key_color=(1.0, 0.93, 0.84),
        rim=1.5, rim_color=(1.0, 0.66, 0.45),
    ),
    "at sunrise": Place(
        planet="sunrise",
        glow=[
            (0.0, (0.03, 0.06, 0.16)), (0.42, (0.06, 0.13, 0.34)), (0.47, (1.2, 0.5, 0.16)),
            (0.50, (0.5, 0.5, 0.6)), (0.56, (0.05, 0.10, 0.30)), (1.0, (0.012, 0.018, 0.05)),
        ],
        key=1.8, key_color=(1.0, 0.78, 0.58), rim=8.0, rim_color=(1.0, 0.60, 0.30), soft=0.7,
        soft_color=(0.55, 0.70, 1.0),
    ),
    "among the stars": Place(
        planet="",
        glow=[
            (0.0, (0.05, 0.07, 0.20)), (0.35, (0.07, 0.06, 0.16)), (0.5, (0.30, 0.17, 0.26)),
            (0.62, (0.06, 0.07, 0.20)), (1.0, (0.02, 0.04, 0.11)),
        ],
        key=3.6, key_color=(0.95, 0.96, 1.0), rim=2.6, rim_color=(0.85, 0.42, 0.95), soft=0.15,
    ),
    "inside a cupola": Place(
        planet="earth",
        glow=[
            (0.0, (0.10, 0.11, 0.13)), (0.5, (0.16, 0.17, 0.19)), (0.8, (0.42, 0.40, 0.36)),
            (1.0, (0.55, 0.52, 0.46)),
        ],
        key=1.9, key_color=(1.0, 0.90, 0.76), rim=3.0, rim_color=(0.55, 0.78, 1.0), soft=0.35,
        soft_color=(1.0, 0.93, 0.84),
    ),
    "beside a space station": Place(
        planet="earth", glow=_shine((0.07, 0.13, 0.27)), key=4.8, rim=1.8,
        rim_color=(1.0, 0.82, 0.55),
    ),
}  # fmt: skip


def build(scene: Scene, camera: Matrix, half: float) -> None:
    """Everything but the subject, as `camera` (its world matrix) sees it.

    `half` is the tangent of half the angle of view.
    """
    place = PLACES[scene.factors.place]
    turn = camera.to_3x3()
    azimuth, elevation = radians(scene.sun_azimuth), radians(scene.sun_elevation)
    # Straight behind the camera is azimuth 0: the sun stands behind our shoulder, left or right.
    sun = turn @ Vector(
        (sin(azimuth) * cos(elevation), sin(elevation), cos(azimuth) * cos(elevation))
    )
    aside = 1.0 if scene.sun_azimuth > 0 else -1.0
    rim = turn @ Vector((-aside * 0.85, 0.45, -0.75))
    seen = _globe(scene, camera, half)
    if scene.factors.place == "at sunrise":
        around = aside * asin(min(0.9, 0.66 * seen.half / sin(seen.radius)))
        rising = seen.direction(seen.radius + 0.055 * seen.half, around)
        orbit.planet(scene, camera, seen, "sunrise", rising)
        orbit.flare(camera, rising, half)
        # The rim stands higher and nearer than the sun we see, else it would only graze.
        rim = turn @ Vector((aside * 0.9, 0.35, -0.5))
    elif place.planet:
        orbit.planet(scene, camera, seen, place.planet, sun)
    orbit.sky(scene, camera, place.glow, galaxy=scene.factors.place == "among the stars")
    if scene.factors.place == "beside a space station":
        station.build(scene, camera, half)
    if scene.factors.place == "inside a cupola":
        cupola.build(scene, camera, half)
    lamp(sun, place.key, place.key_color, 0.6 if scene.factors.place != "inside a cupola" else 40)
    lamp(rim, place.rim, place.rim_color, 4.0)
    if place.soft:
        lamp(turn @ Vector((-aside * 0.5, 0.3, 1.0)), place.soft, place.soft_color, 90.0)


def _globe(scene: Scene, camera: Matrix, half: float) -> orbit.Globe:
    """The planet's place, changed where the scene's structure asks for another."""
    from dataclasses import replace

    if scene.factors.place == "beside a space station":
        scene = replace(scene, planet_rise=-0.62 + 0.25 * scene.planet_rise, planet_radius=2.6)
    elif scene.factors.place == "inside a cupola":
        scene = replace(scene, planet_rise=0.30 + 0.5 * scene.planet_rise)
    elif scene.factors.place == "at sunrise":
        scene = replace(scene, planet_rise=-0.30 + 0.8 * scene.planet_rise)
    return orbit.globe(scene, camera, half)


def lamp(towards: Vector, strength: float, color: Color, soft: float) -> None:
    """A sun that stands in direction `towards`; `soft` is its angular size in degrees."""
    data = bpy.data.lights.new("sun", "SUN")
    data.energy, data.color, data.angle = strength, color, radians(soft)
    made = bpy.data.objects.new("sun", data)
    made.matrix_world = towards.to_track_quat("Z", "Y").to_matrix().to_4x4()
    bpy.context.scene.collection.objects.link(made)

"""A `Scene` becomes a picture: subject, planet, sun, camera and Cycles.

Runs inside Blender's Python module (extra `scenes`). `dataset.py` starts it as worker processes:
`python -m rocketman.scenes.render OUT SIZE SEED COUNT FIRST STEP`.
"""

from __future__ import annotations

import io
import os
import random
import sys
from math import radians
from pathlib import Path

import bpy
import numpy as np
from mathutils import Euler, Matrix, Vector
from PIL import Image

from rocketman.files import write_whole
from rocketman.scenes import astronaut, instruments, orbit, poses
from rocketman.scenes.dataset import picture_path
from rocketman.scenes.shapes import clear
from rocketman.scenes.spec import Scene, draw

LENS, SENSOR = 70.0, 36.0
SAMPLES = 8
FRAMING = {
    # relation: (share of the drawn height, height of the aim over the sternum)
    "playing": (1.0, -0.11),
    "beside": (1.18, -0.15),
    "astronaut alone": (1.08, -0.20),
    "instrument alone": (1.0, 0.0),
}
ALONE = {
    "trumpet": 0.56,
    "drum": 0.56,
    "saxophone": 0.68,
    "guitar": 0.76,
    "harp": 0.72,
    "keyboard": 0.66,
}
"""Share of the drawn height that fills the picture with an instrument alone."""
BESIDE = 0.8
"""Over ALONE: how much larger than life an instrument floats beside an astronaut."""
REACH = {"trumpet": 0.20, "saxophone": 0.08, "harp": 0.12}
"""How far a played instrument reaches out to the viewer's right: the picture is centred on both."""


def prepare(size: int, threads: int = 1) -> None:
    """An empty Blender with the settings that all pictures share."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.render.resolution_x = scene.render.resolution_y = size
    scene.render.threads_mode = "FIXED"
    scene.render.threads = threads
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.compression = 60
    cycles = scene.cycles
    cycles.device = "CPU"
    cycles.samples = SAMPLES
    cycles.use_denoising = True
    cycles.denoising_prefilter = "FAST"
    cycles.denoising_quality = "BALANCED"
    cycles.max_bounces = 3
    cycles.use_light_tree = False
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.use_auto_tile = False
    cycles.use_adaptive_sampling = False
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = "AgX - Medium High Contrast"
    scene.world = bpy.data.worlds.new("world")
    scene.world.use_nodes = True
    # A procedural world would otherwise cost seconds a picture for an importance map.
    scene.world.cycles.sampling_method = "NONE"


def build(scene: Scene) -> None:
    """Everything that the camera sees, in an empty Blender."""
    rng = random.Random(scene.variant)
    camera = _camera(scene)
    azimuth, elevation = radians(scene.sun_azimuth), radians(scene.sun_elevation)
    # Straight at the camera is azimuth 0: the sun stands behind our shoulder, left or right.
    sun = Euler((-elevation, 0, azimuth)).to_matrix() @ Vector((0, -1, 0))
    _lamp(sun, 4.6, (1.0, 0.96, 0.90), 0.6)
    _lamp(Vector((-sun.x * 1.2, 0.8, 0.15)), 1.6, (0.75, 0.85, 1.0), 4.0)
    orbit.build(scene, camera, sun)
    orbit.sky(scene)
    _subject(scene, rng)


def _camera(scene: Scene) -> Matrix:
    """Place the camera so that the framing's height fills the picture; returns its matrix."""
    share, aim_height = FRAMING[scene.factors.relation]
    height = scene.height * share
    instrument = scene.factors.instrument
    if instrument and scene.factors.relation == "instrument alone":
        height *= ALONE[instrument]
    distance = height / 2 / (SENSOR / 2 / LENS)
    turn = Euler((radians(90 - scene.camera_elevation), 0, radians(scene.camera_azimuth)))
    aim = Vector((0, 0, aim_height))
    if instrument and scene.factors.relation == "playing":
        aim.x = REACH.get(instrument, 0.0)
    matrix = turn.to_matrix().to_4x4()
    shift = Vector((-scene.offset[0] * height, -scene.offset[1] * height, distance))
    matrix.translation = aim + turn.to_matrix() @ shift
    data = bpy.data.cameras.new("camera")
    data.lens, data.sensor_width = LENS, SENSOR
    data.clip_end = 500
    camera = bpy.data.objects.new("camera", data)
    camera.matrix_world = matrix
    bpy.context.scene.collection.objects.link(camera)
    bpy.context.scene.camera = camera
    return matrix


def _lamp(towards: Vector, strength: float, color: tuple[float, float, float], soft: float) -> None:
    """A sun that stands in direction `towards`; `soft` is its angular size in degrees."""
    data = bpy.data.lights.new("sun", "SUN")
    data.energy, data.color, data.angle = strength, color, radians(soft)
    lamp = bpy.data.objects.new("sun", data)
    lamp.matrix_world = towards.to_track_quat("Z", "Y").to_matrix().to_4x4()
    bpy.context.scene.collection.objects.link(lamp)


def _turn(yaw: float, pitch: float, roll: float) -> Matrix:
    return Euler((radians(pitch), radians(roll), radians(yaw))).to_matrix().to_4x4()


def _subject(scene: Scene, rng: random.Random) -> None:
    relation = scene.factors.relation
    # The relation says which of the two there are; the other is never looked up.
    suit, instrument = scene.factors.suit or "", scene.factors.instrument or ""
    free_yaw = -28 + 56 * scene.yaw
    if relation == "instrument alone":
        turn = _turn(free_yaw, scene.pitch, scene.tilt * 1.5)
        instruments.BUILDERS[instrument](turn, rng)
    elif relation == "astronaut alone":
        astronaut.build(
            suit, poses.floating(rng), _turn(free_yaw, scene.pitch, scene.roll * 1.6), rng
        )
    elif relation == "beside":
        apart = 0.40 * scene.height / 1.85
        body = Matrix.Translation((-scene.side * apart, 0, 0))
        turn = body @ _turn(free_yaw + scene.side * 15, scene.pitch, scene.roll)
        astronaut.build(suit, poses.floating(rng), turn, rng)
        beside = Matrix.Translation((scene.side * (apart + 0.12), -0.15, -0.10))
        turn = beside @ _turn(free_yaw * 0.8, scene.pitch, scene.tilt)
        turn = turn @ Matrix.Scale(BESIDE / ALONE[instrument], 4)
        instruments.BUILDERS[instrument](turn, rng)
    else:
        played = instruments.INSTRUMENTS[instrument]
        low, high = played.yaw
        body = _turn(low + (high - low) * scene.yaw, scene.pitch, scene.roll)
        instruments.BUILDERS[instrument](body @ played.held, rng)
        hands = (played.held @ played.hands[0], played.held @ played.hands[1])
        pose = poses.reaching(np.array(hands[0]), np.array(hands[1]), rng)
        astronaut.build(suit, pose, body, rng)


def render(scene: Scene, path: Path) -> None:
    """Render to `path`, which appears whole or not at all. Call `prepare` once before."""
    clear()
    build(scene)
    # A name of our own process: two runs into one folder never write to the same file.
    part = path.with_name(f".{path.stem}.{os.getpid()}.png")
    bpy.context.scene.render.filepath = str(part)
    bpy.ops.render.render(write_still=True)
    # Blender notes date and times in the file: without them the same scene gives the same bytes.
    bare = io.BytesIO()
    with Image.open(part) as picture:
        Image.frombytes("RGB", picture.size, picture.convert("RGB").tobytes()).save(bare, "PNG")
    write_whole(path, bare.getvalue())
    part.unlink()


def main(arguments: list[str]) -> None:
    """Worker: render every STEP-th scene from FIRST below COUNT that is not there yet."""
    out = Path(arguments[0])
    size, seed, count, first, step = map(int, arguments[1:6])
    ready = False
    for index in range(first, count, step):
        scene = draw(seed, index)
        path = picture_path(out, scene)
        if path.exists():
            continue
        if not ready:
            prepare(size)
            ready = True
        render(scene, path)


if __name__ == "__main__":
    main(sys.argv[1:])

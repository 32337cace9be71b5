"""A `Scene` becomes a picture: subject, planet, sun, camera and Cycles.

Runs inside Blender's Python module (extra `scenes`). `dataset.py` starts it as worker processes:
`python -m rocketman.scenes.render OUT SIZE SEED COUNT FIRST STEP PASSES`.
"""

from __future__ import annotations

import io
import os
import random
import sys
from contextlib import nullcontext
from pathlib import Path

import bpy
from mathutils import Matrix
from PIL import Image

from rocketman.files import write_whole
from rocketman.scenes import astronaut, instruments, passes, places
from rocketman.scenes.camera import SENSOR, Camera
from rocketman.scenes.dataset import picture_path
from rocketman.scenes.shapes import clear
from rocketman.scenes.spec import Scene, draw, from_json
from rocketman.scenes.staging import stage

SAMPLES, POSTER_SAMPLES = 4, 96


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
    cycles.max_bounces = 2
    cycles.diffuse_bounces = 1
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
    placed = stage(scene)
    camera = _camera(scene, placed.camera)
    places.build(scene, camera, placed.camera.half)
    suit, instrument = scene.factors.suit, scene.factors.instrument
    if instrument and placed.instrument is not None:
        instruments.BUILDERS[instrument](Matrix(placed.instrument.tolist()), rng)
    if suit and placed.body is not None and placed.pose:
        astronaut.build(suit, placed.pose, Matrix(placed.body.tolist()), rng)


def _camera(scene: Scene, aimed: Camera) -> Matrix:
    """Blender's camera; returns its matrix."""
    data = bpy.data.cameras.new("camera")
    data.lens, data.sensor_width = aimed.lens, SENSOR
    data.clip_end = 500
    data.dof.use_dof = True
    data.dof.focus_distance = aimed.focus
    data.dof.aperture_fstop = scene.aperture
    camera = bpy.data.objects.new("camera", data)
    camera.matrix_world = Matrix(aimed.matrix.tolist())
    bpy.context.scene.collection.objects.link(camera)
    bpy.context.scene.camera = camera
    # In the film, not in the view: Blender keeps 4 MB for every view exposure it has ever seen.
    bpy.context.scene.cycles.film_exposure = 2.0**scene.exposure
    return camera.matrix_world.copy()


def render(scene: Scene, path: Path) -> None:
    """Render to `path`, which appears whole or not at all. Call `prepare` once before."""
    write_whole(path, shoot(scene, path.parent))


def shoot(scene: Scene, scratch: Path) -> bytes:
    """The picture as a PNG file; Blender writes it to the folder `scratch` on the way."""
    clear()
    build(scene)
    # A name of our own process: two runs into one folder never write to the same file.
    part = scratch / f".{scene.index:06d}.{os.getpid()}.png"
    bpy.context.scene.render.filepath = str(part)
    bpy.ops.render.render(write_still=True)
    # Blender notes date and times in the file: without them the same scene gives the same bytes.
    bare = io.BytesIO()
    with Image.open(part) as picture:
        Image.frombytes("RGB", picture.size, picture.convert("RGB").tobytes()).save(bare, "PNG")
    part.unlink()
    return bare.getvalue()


def main(arguments: list[str]) -> None:
    """Worker: render every STEP-th scene from FIRST below COUNT that is not there yet.

    Or `--scene FILE SIZE PICTURE`: one scene from its JSON document, with the care of a poster.
    """
    if arguments[0] == "--scene":
        file, edge, poster = arguments[1:4]
        prepare(int(edge), threads=os.cpu_count() or 1)
        bpy.context.scene.cycles.samples = POSTER_SAMPLES
        bpy.context.scene.cycles.denoising_prefilter = "ACCURATE"
        bpy.context.scene.cycles.denoising_quality = "HIGH"
        render(from_json(Path(file).read_text(encoding="utf-8")), Path(poster))
        return
    out = Path(arguments[0])
    size, seed, count, first, step, with_passes = map(int, arguments[1:7])
    ready = False
    parent = os.getppid()
    for index in range(first, count, step):
        if os.getppid() != parent:  # it was killed: nobody waits for the rest
            return
        scene = draw(seed, index)
        path = picture_path(out, scene)
        if path.exists():
            continue
        if not ready:
            prepare(size)
            ready = True
        with passes.collected(out, index) if with_passes else nullcontext():
            picture = shoot(scene, path.parent)
        # Last, so that where a picture is, its side files are.
        write_whole(path, picture)


if __name__ == "__main__":
    main(sys.argv[1:])

"""What a render knows of every pixel, as small side files: object classes, depth, normals.

For `000123.png` of a data set: `passes/000123.png`, a palette PNG of the picture's size whose
values number LABELS (exact, not smoothed), and `passes/000123.webp`, lossless RGB of a quarter
of its size: red and green are the normal's right and up in the camera's frame (0 is -1,
255 is 1; what points at the camera is the rest), blue is depth, 255 / (1 + metres / 4). Sky and
air are 0 in all three.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rocketman.files import write_whole

COLORS = (
    (8, 8, 20), (70, 120, 200), (150, 150, 160), (230, 120, 40), (240, 240, 240),
    (220, 170, 40), (120, 60, 30), (90, 40, 90), (170, 200, 170), (220, 30, 60),
)  # fmt: skip
"""One for each of `data.pictures.LABELS`, for people who open the file."""


def paths(folder: Path, index: int) -> tuple[Path, Path]:
    """Classes, and depth with normals, of picture number `index` of the data set in `folder`."""
    return folder / "passes" / f"{index:06d}.png", folder / "passes" / f"{index:06d}.webp"


@contextmanager
def collected(folder: Path, index: int) -> Iterator[None]:
    """Whatever is rendered inside also leaves its side files in the data set `folder`."""
    scene, layer = bpy.context.scene, bpy.context.view_layer
    layer.use_pass_object_index = layer.use_pass_z = layer.use_pass_normal = True
    with tempfile.TemporaryDirectory() as scratch:
        scene.use_nodes = True
        nodes, links = scene.node_tree.nodes, scene.node_tree.links
        nodes.clear()
        source = nodes.new("CompositorNodeRLayers")
        links.new(source.outputs["Image"], nodes.new("CompositorNodeComposite").inputs["Image"])
        files = nodes.new("CompositorNodeOutputFile")
        files.base_path = scratch
        files.format.file_format = "OPEN_EXR"
        files.format.color_depth = "32"
        files.file_slots.clear()
        for name in ("IndexOB", "Depth", "Normal"):
            files.file_slots.new(name)
            links.new(source.outputs[name], files.inputs[name])
        try:
            yield
        finally:
            scene.use_nodes = False
        index_of, depth, normal = (
            _read(Path(scratch), name) for name in ("IndexOB", "Depth", "Normal")
        )
    turn = np.array(scene.camera.matrix_world.to_3x3())
    classes, shape = paths(folder, index)
    classes.parent.mkdir(exist_ok=True)
    write_whole(classes, _palette(np.rint(index_of[..., 0])))
    write_whole(shape, _shape(index_of[..., 0], depth[..., 0], normal[..., :3] @ turn))


def _read(folder: Path, name: str) -> NDArray[np.float32]:
    """(H, W, 4) of the file that Blender wrote for a slot, top row first."""
    (path,) = folder.glob(f"{name}*")
    loaded = bpy.data.images.load(str(path))
    width, height = loaded.size
    values = np.empty(width * height * 4, np.float32)
    loaded.pixels.foreach_get(values)
    bpy.data.images.remove(loaded)
    return values.reshape(height, width, 4)[::-1]


def _palette(classes: NDArray[np.float32]) -> bytes:
    picture = Image.fromarray(classes.astype(np.uint8), "P")
    picture.putpalette([value for color in COLORS for value in color])
    made = io.BytesIO()
    picture.save(made, "PNG", optimize=True, bits=4)
    return made.getvalue()


def _shape(
    classes: NDArray[np.float32], depth: NDArray[np.float32], normal: NDArray[np.float32]
) -> bytes:
    """A quarter of the size: every fourth pixel, so that no edge is smeared."""
    step = slice(2, None, 4)
    solid = (classes[step, step] > 0)[..., None]
    near = 255 / (1 + depth[step, step, None] / 4)
    # Six bits are enough for a target, and pack far better.
    sideways = np.rint((normal[step, step, :2] * 0.5 + 0.5) * 63) * 255 / 63
    values = np.where(solid, np.concatenate([sideways, near], axis=-1), 0.0)
    picture = Image.fromarray(np.uint8(np.clip(np.rint(values), 0, 255)), "RGB")
    made = io.BytesIO()
    picture.save(made, "WEBP", lossless=True, quality=80, method=4)
    return made.getvalue()

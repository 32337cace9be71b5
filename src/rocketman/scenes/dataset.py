"""Many scenes become a data set: a Hugging Face `imagefolder` with one row of metadata a picture.

Writes `OUT/{train,validation,test}/000123.png` and `metadata.jsonl` beside the pictures. Rendering
runs in worker processes (`render.py`, the only place that holds Blender); a picture exists whole
or not at all, so a killed run is started again with the same command and goes on.
Next: `rocketman.data` reads the folder for training.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rocketman import __version__
from rocketman.captions import SPLITS, captions_of
from rocketman.files import write_whole
from rocketman.scenes.spec import Scene, draw, from_json
from rocketman.weights import sha256

AUTHOR = "The Rocketman authors"
LICENSE = "CC0-1.0"


class SceneError(ValueError):
    """Something asked for that cannot be done; the text says why and what to do."""


class RenderError(RuntimeError):
    """A worker broke off; what is rendered is kept."""


def render(
    count: int,
    size: int,
    out: Path,
    workers: int,
    seed: int,
    on_progress: Callable[[int, int], None] | None = None,
    *,
    passes: bool = False,
) -> int:
    """Render scenes 0 to `count` - 1 of this seed, `size` pixels square; returns pictures made.

    What is there already is kept. `on_progress(done, count)` is called twice a second. `passes`
    adds side files with object classes, depth and normals (`passes.py`) to what is rendered.
    Raises SceneError where Blender is missing or the folder holds other things, RenderError where
    a worker fails.
    """
    _need_blender()
    scenes = [draw(seed, index) for index in range(count)]
    _check_same_data_set(out, seed, size, passes)
    for split in SPLITS:
        (out / split).mkdir(parents=True, exist_ok=True)
    paths = [picture_path(out, scene) for scene in scenes]
    missing = before = sum(not path.exists() for path in paths)
    if missing:
        processes = [_worker(out, size, seed, count, k, workers, passes) for k in range(workers)]
        with _terminated_as_by_exit():
            try:
                while any(process.poll() is None for process in processes):
                    time.sleep(0.5)
                    missing = sum(not path.exists() for path in paths)
                    if on_progress:
                        on_progress(count - missing, count)
            finally:
                for process in processes:
                    process.terminate()
                    process.wait()
                write_metadata(out, scenes)
        failed = [process for process in processes if process.returncode != 0]
        if failed:
            raise RenderError(
                f"A rendering worker stopped with exit code {failed[0].returncode}; its last words "
                f"are in {out / 'render.log'}. The pictures made so far are kept: run it again."
            )
    else:
        write_metadata(out, scenes)
    return before - missing


def render_scene(file: Path, size: int, out: Path) -> None:
    """Render one scene from its JSON document to the PNG file `out`, with the care of a poster.

    Raises SceneError where the document is not a scene, RenderError where Blender fails.
    """
    _need_blender()
    try:
        from_json(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SceneError(f"{file} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise SceneError(f"{file} is no scene: {error}.") from error
    if out.is_dir() or out.suffix.lower() != ".png":
        raise SceneError(f"--out is {out}: one scene is written to a file, give FILE.png.")
    out.parent.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "rocketman.scenes.render",
        "--scene",
        *map(str, (file, size, out)),
    ]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise RenderError(f"Blender stopped with exit code {done.returncode}: {last}")


def picture_path(out: Path, scene: Scene) -> Path:
    """Where the data set keeps this scene's picture."""
    return out / scene.split / f"{scene.index:06d}.png"


def write_metadata(out: Path, scenes: list[Scene]) -> None:
    """One `metadata.jsonl` a split, with a row for every picture that exists, in order."""
    for split in SPLITS:
        rows = [
            json.dumps(_row(scene, picture_path(out, scene)), ensure_ascii=False)
            for scene in scenes
            if scene.split == split and picture_path(out, scene).exists()
        ]
        text = "".join(row + "\n" for row in rows)
        write_whole(out / split / "metadata.jsonl", text.encode())


@contextmanager
def _terminated_as_by_exit() -> Iterator[None]:
    """SIGTERM leaves through every `finally`, so that what is rendered is a data set."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(number: int, frame: Any) -> None:
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _need_blender() -> None:
    if find_spec("bpy") is None:
        raise SceneError(
            "Rendering needs Blender's Python module, which exists for Python 3.11 only: "
            "in a Python 3.11 environment run `pip install 'rocketman-diffusion[scenes]'`."
        )


def _worker(
    out: Path, size: int, seed: int, count: int, first: int, step: int, passes: bool
) -> subprocess.Popen[bytes]:
    log = (out / "render.log").open("ab")
    arguments = [str(out), *map(str, (size, seed, count, first, step, int(passes)))]
    command = [sys.executable, "-m", "rocketman.scenes.render", *arguments]
    with log:
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log)


def _check_same_data_set(out: Path, seed: int, size: int, passes: bool) -> None:
    """A folder holds one seed, one size, and passes of all pictures or none; and nothing else."""
    record = out / "dataset.json"
    wanted = {"seed": seed, "size": size}
    if record.exists():
        found = json.loads(record.read_text(encoding="utf-8"))
        if found != wanted:
            raise SceneError(
                f"{out} was begun with seed {found['seed']} and size {found['size']}: "
                "use these again to go on, or give another --out."
            )
        if (out / "passes").is_dir() != passes:
            begun = "without" if passes else "with"
            raise SceneError(
                f"{out} was begun {begun} --passes: go on {begun} it, or give another --out."
            )
        return
    if out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise SceneError(f"{out} holds other things already: give another --out.")
    (out / "passes" if passes else out).mkdir(parents=True, exist_ok=True)
    write_whole(record, json.dumps(wanted).encode())


def _row(scene: Scene, path: Path) -> dict[str, Any]:
    factors = scene.factors
    return {
        "file_name": path.name,
        "text": scene.caption,
        "captions": list(captions_of(factors, f"{scene.seed} {scene.index}")),
        "suit": factors.suit,
        "instrument": factors.instrument,
        "place": factors.place,
        "relation": factors.relation,
        "view": scene.view,
        "seed": scene.seed,
        "index": scene.index,
        "author": AUTHOR,
        "license": LICENSE,
        "source": f"rocketman {__version__} scenes",
        "sha256": sha256(path),
    }

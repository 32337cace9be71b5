"""A rendering that is stopped leaves a data set; here workers write plain colour, not renders."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rocketman.scenes import dataset

STOPPED = """
import subprocess, sys
from pathlib import Path
from PIL import Image
from rocketman.scenes import dataset
from rocketman.scenes.spec import draw

out = Path(sys.argv[1])
asleep = [sys.executable, "-c", "import time; time.sleep(60)"]

def worker(out, size, seed, count, first, step, passes):
    for index in range(first, count // 2, step):
        Image.new("RGB", (size, size)).save(dataset.picture_path(out, draw(seed, index)))
    return subprocess.Popen(asleep)

def told(done, count):
    print(done, flush=True)

dataset._need_blender, dataset._worker = lambda: None, worker
dataset.render(12, 16, out, 2, 1, told)
"""


def test_a_terminated_rendering_leaves_metadata(tmp_path: Path) -> None:
    command = [sys.executable, "-c", STOPPED, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "6\n"
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM
    rows = (tmp_path / "train" / "metadata.jsonl").read_text().splitlines()
    assert [json.loads(row)["index"] for row in rows] == list(range(6))


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rendering without Blender: workers that write nothing."""
    nothing = [sys.executable, "-c", ""]
    monkeypatch.setattr(dataset, "_need_blender", lambda: None)
    monkeypatch.setattr(dataset, "_worker", lambda *_: subprocess.Popen(nothing))


@pytest.mark.usefixtures("plain")
def test_a_folder_of_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "cat.txt").write_text("my cat")
    with pytest.raises(dataset.SceneError, match="holds other things already: give another --out"):
        dataset.render(2, 16, tmp_path, 1, 0)
    assert [path.name for path in tmp_path.iterdir()] == ["cat.txt"]


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("passes", [False, True])
def test_passes_are_of_all_pictures_or_none(tmp_path: Path, passes: bool) -> None:
    for _ in range(2):
        dataset.render(2, 16, tmp_path, 1, 0, passes=passes)
    with pytest.raises(dataset.SceneError, match=f"begun {'with' if passes else 'without'} --pass"):
        dataset.render(2, 16, tmp_path, 1, 0, passes=not passes)

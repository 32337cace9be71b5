"""A rendering that is stopped leaves a data set; here workers write plain colour, not renders."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

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

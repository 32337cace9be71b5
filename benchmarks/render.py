"""How long a training picture takes, and how much of it is Cycles' own: python benchmarks/render.py

Renders scenes as `rocketman dataset render --size 256` does, one core, and then the same scene
again with everything already in Cycles' memory: that second time is what tracing and denoising
alone take. Seconds are processor seconds of one core, so that a busy machine does not count twice.
`--pictures 1000 --flat` follows the memory instead. Needs the extra `scenes`.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import bpy

from rocketman.scenes import render
from rocketman.scenes.spec import draw


def megabytes() -> float:
    """Memory that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=24)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--flat", action="store_true", help="Only render, and follow the memory.")
    parser.add_argument("--json", action="store_true", help="Print one JSON document.")
    given = parser.parse_args()
    quiet = os.dup(1)
    os.dup2(2, 1)  # Blender itself writes to standard output
    render.prepare(given.size)
    settings = bpy.context.scene.render
    whole, traced, memory = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        render.shoot(draw(0, 0), Path(folder))  # maps and kept parts are loaded once a process
        for index in range(1, given.pictures + 1):
            start = time.process_time()
            render.shoot(draw(0, index), Path(folder))
            whole.append(time.process_time() - start)
            memory.append(megabytes())
            if given.flat:
                continue
            settings.use_persistent_data = True
            bpy.ops.render.render()
            start = time.process_time()
            bpy.ops.render.render()
            traced.append(time.process_time() - start)
            settings.use_persistent_data = False
    os.dup2(quiet, 1)
    mean = sum(whole) / len(whole)
    report = {
        "seconds_per_picture": round(mean, 3),
        "cycles_share": round(sum(traced) / sum(whole), 3) if traced else None,
        "size": given.size,
        "pictures": given.pictures,
        "megabytes_first_tenth": round(max(memory[: max(1, len(memory) // 10)])),
        "megabytes_last": round(memory[-1]),
    }
    if given.json:
        print(json.dumps(report))
        return
    for name, value in report.items():
        print(f"{name:<24}{value}")


if __name__ == "__main__":
    main()

"""How long a picture takes, and how much memory: our engine beside PyTorch running the same network
and sampler.

    python benchmarks/sample.py [--model DIR] [--json]

Cold start is the whole command, from the shell to the first file on disk; memory is the most that
this command holds (Linux only). The peer is the same
network in PyTorch (float32 and bfloat16), called by the same sampler with the same guidance, so the
ratio is engine against engine. Needs the extra `train`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rocketman import load
from rocketman.export import load_network

PROMPT = "an astronaut in a white suit playing a harp above the blue earth"
RUNS = 5
REPORTING = """
import atexit, sys
from rocketman.__main__ import main
atexit.register(lambda: sys.stderr.write(open("/proc/self/status").read()))
main()
"""
"""The command, which at its end says what Linux knows of its process."""


def generate(model: Path, *program: str) -> str:
    """Draw one picture by the command, in a process of its own; what it says on standard error."""
    with tempfile.TemporaryDirectory() as out:
        arguments = ["generate", PROMPT, "--seed", "1", "--model", str(model), "--out", out]
        command = [sys.executable, *program, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stderr


def cold_start(model: Path) -> float:
    """Seconds from the command's start to its first file."""
    started = time.perf_counter()
    generate(model, "-m", "rocketman")
    return time.perf_counter() - started


def peak_memory(model: Path) -> float:
    """Most resident memory of the command, in MB.

    Not by `resource`: its figure for a child begins with what the parent held.
    """
    [line] = [x for x in generate(model, "-c", REPORTING).splitlines() if x.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024 / 1e6


def median(make: Callable[[], object]) -> float:
    """Median seconds of RUNS calls after one that is not counted."""
    make()
    seconds = []
    for _ in range(RUNS):
        started = time.perf_counter()
        make()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


class InTorch:
    """The same network in PyTorch, in the place of the engine's session."""

    def __init__(self, model: Path, precision: torch.dtype) -> None:
        self.network, self.lower = load_network(model), precision != torch.float32

    def run(self, names: None, feed: dict[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
        given = [torch.from_numpy(value) for value in feed.values()]
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=self.lower):
            clean = self.network(*given)
        return [clean.float().numpy()]


def torch_picture(model: Path, precision: torch.dtype) -> Callable[[], object]:
    """One picture by PyTorch, from noise to pixels, on the very same way."""
    pipeline = load(model)
    pipeline._painter.session = InTorch(model, precision)
    return lambda: pipeline(PROMPT, seed=1, size=pipeline.model.image_size)


def main() -> None:
    parser = argparse.ArgumentParser(description="Time sampling.")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    pipeline = load(arguments.model)
    folder = pipeline.model.folder
    ours = median(lambda: pipeline(PROMPT, seed=1, size=pipeline.model.image_size))
    largest = median(lambda: pipeline(PROMPT, seed=1))
    peers = {
        "pytorch_float32": median(torch_picture(folder, torch.float32)),
        "pytorch_bfloat16": median(torch_picture(folder, torch.bfloat16)),
    }
    document = {
        "cold_start_seconds": round(statistics.median(cold_start(folder) for _ in range(3)), 3),
        "peak_memory_mb": round(peak_memory(folder)),
        "seconds_per_picture": round(ours, 4),
        "seconds_per_largest_picture": round(largest, 4),
        "peers": {name: round(seconds, 4) for name, seconds in peers.items()},
        "ratio_to_best_peer": round(min(peers.values()) / ours, 2),
    }
    if arguments.json:
        print(json.dumps(document))
        return
    print(f"{'command to first file':<36}{document['cold_start_seconds']:8.2f} s")
    print(f"{'most memory of the command':<36}{document['peak_memory_mb']:8d} MB")
    print(f"{'a picture, ours':<36}{ours:8.3f} s")
    print(f"{'the same, second stage and saving size':<36}{largest:8.3f} s")
    for name, seconds in peers.items():
        print(f"{'a picture, ' + name:<36}{seconds:8.3f} s   {seconds / ours:.2f} x ours")


if __name__ == "__main__":
    main()

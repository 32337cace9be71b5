"""How long a picture takes: our engine beside PyTorch running the same network and sampler.

    python benchmarks/sample.py [--model DIR] [--json]

Cold start is the whole command, from the shell to the first file on disk. The peer is the same
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

import numpy as np
import torch

from rocketman import load, sampling
from rocketman.captions import PAD, tokens
from rocketman.export import load_network
from rocketman.painter import GUIDANCE_INTERVAL
from rocketman.request import DEFAULT_GUIDANCE_SCALE, DEFAULT_STEPS

PROMPT = "an astronaut in a white suit playing a harp above the blue earth"
RUNS = 5


def cold_start(model: Path) -> float:
    """Seconds from the command's start to its first file."""
    with tempfile.TemporaryDirectory() as out:
        started = time.perf_counter()
        command = [sys.executable, "-m", "rocketman", "generate", PROMPT]
        arguments = ["--seed", "1", "--model", str(model), "--out", out]
        subprocess.run([*command, *arguments], check=True, capture_output=True)
        return time.perf_counter() - started


def median(make: Callable[[], object]) -> float:
    """Median seconds of RUNS calls after one that is not counted."""
    make()
    seconds = []
    for _ in range(RUNS):
        started = time.perf_counter()
        make()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def torch_picture(model: Path, precision: torch.dtype) -> Callable[[], object]:
    """One picture by PyTorch, from noise to pixels."""
    network, known = load_network(model), load(model).model
    prompt = torch.tensor([tokens(PROMPT, known.vocabulary)])
    both = torch.cat([prompt, torch.full_like(prompt, PAD)])
    shape = (1, 3, known.image_size, known.image_size)

    def run(x: sampling.Array, t: float, ids: torch.Tensor) -> sampling.Array:
        lower = precision != torch.float32
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=lower):
            clean = network(torch.from_numpy(x), torch.full((len(x),), t), ids)
        return np.asarray(clean.float().numpy())

    def pair(x: sampling.Array, t: float) -> tuple[sampling.Array, sampling.Array]:
        clean = run(np.concatenate([x, x]), t, both)
        return clean[:1], clean[1:]

    def alone(x: sampling.Array, t: float) -> sampling.Array:
        return run(x, t, prompt)

    denoise = sampling.guided(alone, pair, DEFAULT_GUIDANCE_SCALE, GUIDANCE_INTERVAL)
    start = sampling.noise(1, shape) * np.float32(known.noise_scale)
    times = sampling.timesteps(DEFAULT_STEPS)
    return lambda: sampling.dpm_solver_2m(denoise, start, times)


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
        "seconds_per_picture": round(ours, 4),
        "seconds_per_largest_picture": round(largest, 4),
        "peers": {name: round(seconds, 4) for name, seconds in peers.items()},
        "ratio_to_best_peer": round(min(peers.values()) / ours, 2),
    }
    if arguments.json:
        print(json.dumps(document))
        return
    print(f"{'command to first file':<36}{document['cold_start_seconds']:8.2f} s")
    print(f"{'a picture, ours':<36}{ours:8.3f} s")
    print(f"{'the same, second stage and saving size':<36}{largest:8.3f} s")
    for name, seconds in peers.items():
        print(f"{'a picture, ' + name:<36}{seconds:8.3f} s   {seconds / ours:.2f} x ours")


if __name__ == "__main__":
    main()

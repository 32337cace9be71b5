"""How fast a training step is: beside the machine's matrix multiply, and beside other trainers.

    pip install --group peers          # diffusers, denoising-diffusion-pytorch; for this page only
    python benchmarks/train_step.py [--threads N] [--steps N] [--rounds N] [--json]

Ours is `train_step.py` as `rocketman train` runs it: the network of runs/astronauts.toml (width
256, depth 8, patches of 8 at 64 pixels, no refiner), batches of 64 cut out of memory, captions,
AdamW, averaged weights, compiled. All work in bfloat16 or in float32, whichever this machine is
faster in (`precision.py`). The peers train on random noise with nothing to read:

    diffusers    two transformers of the same depth, heads and patches, and of the width that
                 comes nearest to our parameters, in the loop of diffusers' example
                 train_unconditional.py: DDPM noise, AdamW, clipping, EMAModel.
                 DiTTransformer2DModel reads a class, not words, and a third of its parameters
                 embed the timestep, so it has less arithmetic a picture than ours;
                 PixArtTransformer2DModel reads as many words as ours, whose vectors are given
    denoising-diffusion-pytorch
                 its Unet, of the width that comes nearest to our arithmetic a picture, in the loop
                 of its Trainer: GaussianDiffusion, Adam, clipping, EMA every ten steps

Each peer runs with the fused optimizer and the grouped averaging that its example leaves off, eager
and compiled; the faster counts. All take turns, round after round, and the median round counts. A
step's arithmetic is what torch.utils.flop_counter counts forward and backward, the matrix multiply
the best of 2048 and 4096 squares in the same arithmetic. Memory is the most that a process held
which began anew with one trainer and took two steps: PyTorch and, if need be, compiling included,
though what the timed one compiled is found in a cache. Needs the extra `train`, and Linux.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from rocketman import captions, flow
from rocketman.checkpoints import Run
from rocketman.data.batches import Batches, Pictures
from rocketman.model import ModelConfig
from rocketman.parallel import Workers
from rocketman.precision import DTYPES, autocast, faster
from rocketman.train_config import DataConfig, LoopConfig, TrainConfig
from rocketman.train_step import train_step

SIZE, PATCH, WIDTH, DEPTH, HEADS, BATCH = 64, 8, 256, 8, 4, 64
SQUARES, PRODUCTS = (2048, 4096), 8
HEAD_WIDTHS, UNET_WIDTHS = (48, 56, 60, 64, 68, 72), (8, 12, 16, 24, 32)
OURS, DIT, PIXART = "rocketman", "diffusers DiT", "diffusers PixArt"
UNET = "denoising-diffusion-pytorch"
CPU = torch.device("cpu")
ARITHMETIC = faster("cpu")
Inputs = Callable[[int], dict[str, Any]]
SHAPE: dict[str, Any] = {
    "num_attention_heads": HEADS,
    "in_channels": 3,
    "out_channels": 3,
    "num_layers": DEPTH,
    "sample_size": SIZE,
    "patch_size": PATCH,
}
"""Of both transformers of diffusers."""


@dataclass
class Trainer:
    """One way to train one network, and how fast each round of it was."""

    name: str
    step: Callable[[], object]
    parameters: int
    flops: float
    """Of a picture, forward and backward."""
    compiled: bool
    rates: list[float] = field(default_factory=list)
    """Pictures a second, a round each."""
    peak_mb: float = 0.0
    """Most memory that a process of its own held, in 10**6 bytes."""

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)


def counted(backward: Callable[[Tensor], object]) -> float:
    """Floating-point operations of a picture in a call that goes forward and backward."""
    with FlopCounterMode(display=False) as counter:
        backward(torch.rand(1, 3, SIZE, SIZE))
    return float(counter.get_total_flops())


def size_of(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def ours() -> Trainer:
    """Our step, compiled, on pictures of noise with real captions."""
    factors = captions.Factors(
        relation="playing", place="above mars", suit="white", instrument="harp"
    )
    pixels = np.random.default_rng(0).integers(0, 256, (1024, SIZE, SIZE, 3), dtype=np.uint8)
    wordings = tuple(tuple(captions.captions_of(factors, str(k))) for k in range(len(pixels)))
    pictures = Pictures(
        pixels=pixels,
        captions=tuple(own[0] for own in wordings),
        wordings=wordings,
        rows=({},) * len(pixels),
        problems=(),
        hash="",
    )
    make = ModelConfig(image_size=SIZE, patch_size=PATCH, width=WIDTH, depth=DEPTH, heads=HEADS)
    loop = LoopConfig(steps=10**6, batch_size=BATCH, compile=True, precision=ARITHMETIC)
    run = Run(TrainConfig(data=DataConfig(folder="none"), train=loop, model=make), CPU)
    batches = Batches(pictures, captions.vocabulary(), BATCH, seed=0)

    def backward(x1: Tensor) -> None:
        ids = torch.from_numpy(batches.batch(0)[1][: len(x1)])
        with autocast(ARITHMETIC, "cpu"):
            loss = flow.loss(run.network, x1, ids, run.generator, loop.noise_scale)
        loss.backward()  # type: ignore[no-untyped-call]
        run.network.zero_grad()

    return Trainer(
        OURS,
        lambda: train_step(run, loop, batches, CPU, Workers()),
        size_of(run.network),
        counted(backward),
        compiled=True,
    )


def dit(head_width: int) -> tuple[nn.Module, Inputs]:
    """The transformer that diffusers has for classes, and what it gets beside pictures and times:
    one class for each of `count` pictures."""
    from diffusers import DiTTransformer2DModel

    network = DiTTransformer2DModel(attention_head_dim=head_width, **SHAPE)
    return network, lambda count: {"class_labels": torch.zeros(count, dtype=torch.long)}


def pixart(head_width: int) -> tuple[nn.Module, Inputs]:
    """The same for words: as many as ours, each a vector that somebody's encoder made."""
    from diffusers import PixArtTransformer2DModel

    network = PixArtTransformer2DModel(
        attention_head_dim=head_width,
        cross_attention_dim=HEADS * head_width,
        caption_channels=WIDTH,
        norm_num_groups=1,
        use_additional_conditions=False,
        **SHAPE,
    )
    nothing = {"resolution": None, "aspect_ratio": None}
    return network, lambda count: {
        "encoder_hidden_states": torch.randn(count, captions.CONTEXT_LENGTH, WIDTH),
        "added_cond_kwargs": nothing,
    }


def diffusers(name: str, compiled: bool, parameters_wanted: int) -> Trainer:
    """A transformer of diffusers in the training loop of its example."""
    from diffusers import DDPMScheduler
    from diffusers.training_utils import EMAModel

    torch.manual_seed(0)
    kind = dit if name == DIT else pixart
    network, inputs = min(
        (kind(width) for width in HEAD_WIDTHS),
        key=lambda each: abs(size_of(each[0]) - parameters_wanted),
    )
    forward = torch.compile(network) if compiled else network
    schedule = DDPMScheduler(num_train_timesteps=1000)
    parameters = list(network.parameters())
    optimizer = torch.optim.AdamW(
        parameters, lr=1e-4, betas=(0.95, 0.999), weight_decay=1e-6, fused=True
    )
    average = EMAModel(parameters, decay=0.9999, use_ema_warmup=True, power=0.75, foreach=True)
    clean, condition = torch.randn(BATCH, 3, SIZE, SIZE), inputs(BATCH)

    def backward(model: Callable[..., Any], x1: Tensor, beside: dict[str, Any]) -> Tensor:
        noise = torch.randn(x1.shape)
        t = torch.randint(0, 1000, (len(x1),))
        noisy = schedule.add_noise(x1, noise, t)
        with autocast(ARITHMETIC, "cpu"):
            predicted = model(noisy, timestep=t, return_dict=False, **beside)[0]
        loss = F.mse_loss(predicted.float(), noise)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    def step() -> None:
        loss = backward(forward, clean, condition)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        average.step(parameters)
        loss.item()

    flops = counted(lambda x1: backward(network, x1, inputs(len(x1))))
    return Trainer(name, step, size_of(network), flops, compiled)


def unet(compiled: bool, flops: float) -> Trainer:
    """The U-Net nearest to so many operations a picture, in its own training loop."""
    from denoising_diffusion_pytorch import GaussianDiffusion, Unet
    from ema_pytorch import EMA

    torch.manual_seed(0)
    clean = torch.rand(BATCH, 3, SIZE, SIZE)

    def backward(diffusion: Callable[..., Any], x1: Tensor) -> Tensor:
        with autocast(ARITHMETIC, "cpu"):
            loss: Tensor = diffusion(x1)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    def made(width: int) -> tuple[float, Any]:
        diffusion = GaussianDiffusion(Unet(width, dim_mults=(1, 2, 4, 8)), image_size=SIZE)
        return counted(lambda x1: backward(diffusion, x1)), diffusion

    least, diffusion = min(
        (made(width) for width in UNET_WIDTHS), key=lambda each: abs(each[0] - flops)
    )
    diffusion.zero_grad()
    parameters = list(diffusion.parameters())
    optimizer = torch.optim.Adam(parameters, lr=1e-4, betas=(0.9, 0.99), fused=True)
    average = EMA(diffusion, beta=0.995, update_every=10)
    count = size_of(diffusion)
    if compiled:
        diffusion.model = torch.compile(diffusion.model)

    def step() -> None:
        loss = backward(diffusion, clean)
        loss.item()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        average.update()

    return Trainer(UNET, step, count, least, compiled)


def let_torchvision_load() -> None:
    """Both peers import torchvision, to read and save pictures. The package index has a build for
    CUDA, whose compiled part cannot load beside a PyTorch for processors; its Python then stops at
    operators that are missing, and that neither network calls.
    """
    try:
        import torchvision  # noqa: F401
    except ModuleNotFoundError:
        pass
    except RuntimeError:
        library: Any = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        KEPT.append(library)


KEPT: list[object] = []
"""Definitions last as long as the object that made them."""


def timed(call: Callable[[], object], times: int) -> float:
    """Seconds of one of so many calls."""
    began = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - began) / times


def gemm_tflops() -> float:
    """Best of the squares, in 10**12 operations a second."""
    best = 0.0
    for side in SQUARES:
        a, b = (torch.randn(side, side, dtype=DTYPES[ARITHMETIC]) for _ in range(2))
        torch.mm(a, b)
        best = max(best, 2 * side**3 / timed(lambda a=a, b=b: torch.mm(a, b), PRODUCTS) / 1e12)  # type: ignore[misc]
    return best


def made(name: str, compiled: bool, parameters: int, flops: float) -> Trainer:
    """A trainer by name, warmed up; a peer the one nearest to our parameters or operations."""
    if name == OURS:
        trainer = ours()
    else:
        let_torchvision_load()
        is_unet = name == UNET
        trainer = unet(compiled, flops) if is_unet else diffusers(name, compiled, parameters)
    say(f"warming up {name}, {'compiled; this can take minutes' if compiled else 'eager'}")
    timed(trainer.step, 2)
    return trainer


def peers(own: Trainer) -> list[Trainer]:
    """Every peer that is installed, eager and, if that works, compiled; warmed up."""
    found = []
    for name in (DIT, PIXART, UNET):
        for compiled in (False, True):
            try:
                found.append(made(name, compiled, own.parameters, own.flops))
            except ModuleNotFoundError as error:
                say(f"{error.name} is missing, and with it a peer: pip install --group peers")
                break
            except Exception as error:  # a compiler may fail in any way
                if not compiled:
                    raise
                say(f"{name} cannot be compiled: {type(error).__name__}: {error}")
    return found


def peak_mb(name: str, compiled: bool, parameters: int, flops: float, threads: int) -> float:
    """Most memory that this process held after it made this trainer, in 10**6 bytes."""
    torch.set_num_threads(threads)
    made(name, compiled, parameters, flops)
    # ru_maxrss would be that of the process it was started from, if that is larger
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Time a training step.")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--steps", type=int, default=10, help="in a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    own = made(OURS, True, 0, 0)
    trainers = [own, *peers(own)]
    gemm = 0.0
    for number in range(arguments.rounds):
        say(f"round {number + 1} of {arguments.rounds}")
        gemm = max(gemm, gemm_tflops())
        for trainer in trainers:
            trainer.rates.append(BATCH / timed(trainer.step, arguments.steps))
    for trainer in trainers:
        which = trainer.name, trainer.compiled, own.parameters, own.flops, arguments.threads
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as alone:
            trainer.peak_mb = alone.submit(peak_mb, *which).result()

    best: dict[str, float] = {}
    for trainer in trainers[1:]:
        best[trainer.name] = max(best.get(trainer.name, 0.0), trainer.rate)
    step_tflops = own.rate * own.flops / 1e12
    document = {
        "gemm_tflops": round(gemm, 4),
        "step_tflops": round(step_tflops, 4),
        "gemm_share": round(step_tflops / gemm, 4),
        "peers": {name: round(rate, 2) for name, rate in best.items()},
        "ours_images_per_second": round(own.rate, 2),
        "ratio_to_best_peer": round(own.rate / max(best.values()), 3) if best else None,
        "threads": arguments.threads,
        "precision": ARITHMETIC,
        "torch": torch.__version__,
        "trainers": [
            {
                "name": trainer.name,
                "compiled": trainer.compiled,
                "parameters": trainer.parameters,
                "gflops_per_image": round(trainer.flops / 1e9, 3),
                "images_per_second": round(trainer.rate, 2),
                "peak_mb": round(trainer.peak_mb),
                "rounds": [round(rate, 2) for rate in trainer.rates],
            }
            for trainer in trainers
        ],
    }
    if arguments.json:
        print(json.dumps(document))
        return
    heads = f"{'parameters':>12}{'GFLOP':>8}{'images/s':>10}{'TFLOPS':>8}{'of gemm':>9}{'MB':>7}"
    print(f"{'':<38}{heads}")
    for trainer in trainers:
        name = f"{trainer.name}, {'compiled' if trainer.compiled else 'eager'}"
        tflops = trainer.rate * trainer.flops / 1e12
        print(
            f"{name:<38}{trainer.parameters / 1e6:>10.1f} M{trainer.flops / 1e9:>8.2f}"
            f"{trainer.rate:>10.1f}{tflops:>8.3f}{100 * tflops / gemm:>7.0f} %"
            f"{trainer.peak_mb:>7.0f}"
        )
    print(f"matrix multiply, {ARITHMETIC}: {gemm:.3f} TFLOPS on {arguments.threads} threads")
    if best:
        print(f"ours against the best peer: {document['ratio_to_best_peer']:.2f} times")


if __name__ == "__main__":
    main()

"""The second stage: a small convolutional network that draws a picture twice as large.

Reads a data set's pictures, each at the size the transformer draws (by area) and at twice that;
writes `detail.onnx` into a model folder, where `generate.py` finds it. All layers work at the small
size and the last one lays four pixels where there was one (ESPCN, Shi et al. 2016), so it costs
little beside the transformer. What it is shown in training is slightly blurred and noisy, as the
transformer's own pictures are: it must sharpen them too. Trained with
`python -m rocketman.detail DATA MODEL`.
"""

from __future__ import annotations

import argparse
import io
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  (its name everywhere)
from numpy.typing import NDArray
from torch import Tensor, nn

from rocketman.data.batches import load_split, to_floats
from rocketman.files import write_whole
from rocketman.weights import DETAIL, open_model

FACTOR = 2
CHANNELS, DEPTH = 48, 5
BATCH, CROP = 32, 32
"""Crops a step, and their width in the small picture."""
LEARNING_RATE = 2e-3
STEPS, LOOK_EVERY = 1500, 250
MOST_NOISE, MOST_BLUR = 0.05, 0.6
"""Standard deviation in [-1, 1], and share of a 3 x 3 binomial blur, both drawn up to these."""


class DetailNetwork(nn.Module):
    """(B, 3, H, W) in [-1, 1] -> (B, 3, 2 H, 2 W)."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, CHANNELS, 3, padding=1)
        self.body = nn.ModuleList(nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1) for _ in range(DEPTH))
        self.last = nn.Conv2d(CHANNELS, 3 * FACTOR**2, 3, padding=1)
        nn.init.zeros_(self.last.weight)

    def forward(self, x: Tensor) -> Tensor:
        h = self.first(x)  # (B, CHANNELS, H, W)
        for layer in self.body:
            h = h + layer(F.silu(h))
        # What is learned is the difference from plain enlarged pixels.
        four = x.repeat_interleave(FACTOR**2, dim=1)  # (B, 12, H, W)
        return F.pixel_shuffle(four + self.last(F.silu(h)), FACTOR)


def crops(
    small: NDArray[np.uint8], large: NDArray[np.uint8], rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Matching crops (BATCH, 3, CROP, CROP) and (BATCH, 3, 2 CROP, 2 CROP), mirrored at random."""
    room = small.shape[1] - CROP + 1
    inputs = np.empty((BATCH, CROP, CROP, 3), np.uint8)
    targets = np.empty((BATCH, FACTOR * CROP, FACTOR * CROP, 3), np.uint8)
    for k, (n, y, x) in enumerate(rng.integers((len(small), room, room), size=(BATCH, 3))):
        across = slice(None, None, int(rng.choice((-1, 1))))
        inputs[k] = small[n, y : y + CROP, x : x + CROP][:, across]
        y, x, wide = FACTOR * y, FACTOR * x, FACTOR * CROP
        targets[k] = large[n, y : y + wide, x : x + wide][:, across]
    return torch.from_numpy(to_floats(inputs)), torch.from_numpy(to_floats(targets))


def worsen(x: Tensor, generator: torch.Generator) -> Tensor:
    """Blur and noise of random strength, one draw a picture."""
    strength = torch.rand(2, len(x), 1, 1, 1, generator=generator)
    line = torch.tensor([0.25, 0.5, 0.25])
    kernel = (line[:, None] * line).expand(3, 1, 3, 3)
    blurred = F.conv2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), kernel, groups=3)
    x = x + strength[0] * MOST_BLUR * (blurred - x)
    return x + strength[1] * MOST_NOISE * torch.randn(x.shape, generator=generator)


def psnr(a: Tensor, b: Tensor) -> float:
    """Peak signal-to-noise ratio in dB of pictures in [-1, 1], mean over the pictures."""
    error = (a.clamp(-1, 1) - b).square().mean(dim=(1, 2, 3))
    return float((10 * torch.log10(4 / error)).mean())


def train_detail(
    data: Path,
    image_size: int,
    steps: int,
    report: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True),
) -> DetailNetwork:
    """Train on the train split; reports PSNR on the validation split now and then.

    The learning rate is constant for the first half of the steps, then falls linearly to 0.
    ValueError if the data set cannot be read.
    """
    torch.manual_seed(0)
    rng, generator = np.random.default_rng(0), torch.Generator().manual_seed(0)
    small = np.asarray(load_split(data, "train", image_size).pixels)
    large = np.asarray(load_split(data, "train", image_size * FACTOR).pixels)
    network = DetailNetwork()
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=0.0)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = LEARNING_RATE * min(1.0, 2 * (1 - step / steps))
        x, target = crops(small, large, rng)
        loss = (network(worsen(x, generator)) - target).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        if (step + 1) % LOOK_EVERY == 0 or step + 1 == steps:
            report(f"step {step + 1}, loss {loss.item():.4f}, {compare(network, data, image_size)}")
    network.eval()
    return network


def compare(network: DetailNetwork, data: Path, image_size: int) -> str:
    """PSNR on held-out pictures, beside bicubic enlargement of the same."""
    small = to_floats(load_split(data, "validation", image_size).pixels[:64])
    large = torch.from_numpy(
        to_floats(load_split(data, "validation", image_size * FACTOR).pixels[:64])
    )
    x = torch.from_numpy(small)
    with torch.no_grad():
        ours = psnr(network(x), large)
    bicubic = psnr(F.interpolate(x, scale_factor=FACTOR, mode="bicubic"), large)
    return f"held-out PSNR {ours:.2f} dB (bicubic {bicubic:.2f} dB)"


def write_detail(network: DetailNetwork, folder: Path) -> None:
    """Export into a model folder as detail.onnx: input x (B, 3, H, W), output of twice the size."""
    buffer = io.BytesIO()
    size = open_model(folder).image_size
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own deprecation notices
        torch.onnx.export(
            network.to(memory_format=torch.contiguous_format),  # type: ignore[call-overload]
            (torch.zeros(1, 3, size, size),),
            buffer,  # type: ignore[arg-type]  # the annotation is narrower than what it takes
            input_names=["x"],
            output_names=["x2"],
            dynamic_axes={"x": {0: "B"}, "x2": {0: "B"}},
            opset_version=17,
            dynamo=False,
        )
    write_whole(folder / DETAIL, buffer.getvalue())


def main() -> None:
    """python -m rocketman.detail DATA MODEL"""
    parser = argparse.ArgumentParser(description="Train a model folder's second stage.")
    parser.add_argument("data", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--steps", type=int, default=STEPS)
    arguments = parser.parse_args()
    size = open_model(arguments.model).image_size
    write_detail(train_detail(arguments.data, size, arguments.steps), arguments.model)


if __name__ == "__main__":
    main()

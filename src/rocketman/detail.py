"""The second stage: a small convolutional network that draws a picture four times as large.

Reads a data set's pictures at the size the transformer draws (by area) and at four times that, and
a model folder; writes `detail.onnx` into that folder, where `generate.py` finds it. It is shown two
kinds of small pictures: the renders, slightly blurred and noisy, and the renders as the transformer
redraws them from some way to noise. The second kind looks like what the transformer makes of a
prompt, soft where it is unsure, and yet belongs to a sharp picture: so the network learns to draw
what the first stage meant. First by mean absolute error, which leaves soft what cannot be known,
then against a critic as well (Goodfellow et al. 2014), which asks for edges as sharp as a render's.
Trained with `python -m rocketman.detail DATA MODEL`.

Shapes: B batch, H small height and width, 4 H large ones; pictures in [-1, 1].
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  (its name everywhere)
from numpy.typing import NDArray
from torch import Tensor, nn

from rocketman import sampling
from rocketman.captions import PAD, tokens
from rocketman.card import write_card
from rocketman.data.batches import Pictures, load_split, to_floats, to_pixels
from rocketman.export import exported, halve
from rocketman.files import write_whole
from rocketman.painter import DRAW, Painter
from rocketman.precision import autocast, faster
from rocketman.request import DEFAULT_GUIDANCE_SCALE
from rocketman.sampling import Array
from rocketman.weights import DETAIL, Model, open_model

FACTOR = 4
CHANNELS, DEPTH = 64, 8
"""Features and residual layers at the small size, where nearly all of the work is done."""
HALF_CHANNELS, HALF_DEPTH = 32, 2
"""The same at twice the small size."""
FULL_CHANNELS = 16
"""Features at the full size, before one layer that smooths what was laid out in fours."""

BATCH, CROP = 16, 24
"""Crops a step, and their width in the small picture."""
STEPS, LOOK_EVERY = 9000, 500
LEARNING_RATE, CRITIC_LEARNING_RATE = 1e-3, 1e-4
WARM, DECAY = 0.3, 0.3
"""Shares of the steps: the first without the critic, the last with a falling learning rate."""
CRITIC, FEATURES = 0.015, 0.5
"""Weights of the critic's verdict and of its features beside the mean absolute error."""
KEEP = 0.998
"""Of the averaged weights a step: those that are written."""
MOST_NOISE, MOST_BLUR = 0.05, 0.6
"""Standard deviation in [-1, 1], and share of a 3 x 3 binomial blur, both drawn up to these."""
REDRAWN, MOST_REDRAWN = 0.75, 3600
"""Share of the crops that the transformer has redrawn, and of how many pictures at most: spread
evenly over the set; drawing more would take longer than training by them."""
REDRAWN_FROM, REDRAWN_STEPS = (0.4, 0.8), 12
"""Times from which a render is redrawn, and in how many steps if it were drawn from noise: half as
many as a prompt's picture takes."""

Report = Callable[[str], None]
Pixels = NDArray[np.uint8]


class DetailNetwork(nn.Module):
    """(B, 3, H, W) in [-1, 1] -> (B, 3, 4 H, 4 W). The last layers lay four pixels for one (ESPCN,
    Shi et al. 2016; begun as in Aitken et al. 2017), so it costs little beside the transformer.
    """

    def __init__(self) -> None:
        super().__init__()
        small, half, full = CHANNELS, HALF_CHANNELS, FULL_CHANNELS
        self.first = nn.Conv2d(3, small, 3, padding=1)
        self.body = nn.ModuleList(nn.Conv2d(small, small, 3, padding=1) for _ in range(DEPTH))
        self.up = nn.Conv2d(small, 4 * half, 3, padding=1)
        self.half_body = nn.ModuleList(
            nn.Conv2d(half, half, 3, padding=1) for _ in range(HALF_DEPTH)
        )
        self.up_again = nn.Conv2d(half, 4 * full, 3, padding=1)
        self.last = nn.Conv2d(full, 3, 3, padding=1)
        for layer in (self.first, self.up, self.up_again):  # by default they let little through
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        with torch.no_grad():  # the four pixels laid for one begin alike, or a weave stays
            for layer in (self.up, self.up_again):
                for each in layer.parameters():
                    each.copy_(each[::4].repeat_interleave(4, dim=0))
        nn.init.zeros_(self.last.weight)

    def forward(self, x: Tensor) -> Tensor:
        h = self.first(x)  # (B, CHANNELS, H, W)
        for layer in self.body:
            h = h + layer(F.silu(h))
        h = F.pixel_shuffle(self.up(F.silu(h)), 2)  # (B, HALF_CHANNELS, 2 H, 2 W)
        for layer in self.half_body:
            h = h + layer(F.silu(h))
        h = F.pixel_shuffle(self.up_again(F.silu(h)), 2)  # (B, FULL_CHANNELS, 4 H, 4 W)
        difference: Tensor = self.last(F.silu(h)).float()  # (B, 3, 4 H, 4 W)
        return enlarged(x) + difference


class Critic(nn.Module):
    """Tells renders from drawn pictures, patch by patch, beside the small picture they belong to.

    Spectral norms keep it gentle (Miyato et al. 2018). Gives its verdicts (B, 1, H/2, W/2), above 0
    for a render, and the features it came by, one tensor a layer.
    """

    def __init__(self) -> None:
        super().__init__()
        widths = (6, 48, 96, 128)
        layers = [nn.Conv2d(a, b, 4, 2, 1) for a, b in pairwise(widths)]
        layers += [nn.Conv2d(128, 128, 3, padding=1), nn.Conv2d(128, 1, 3, padding=1)]
        self.layers = nn.ModuleList(nn.utils.spectral_norm(layer) for layer in layers)

    def forward(self, large: Tensor, beside: Tensor) -> tuple[Tensor, list[Tensor]]:
        h = torch.cat([large, beside], dim=1)
        features = []
        for layer in self.layers[:-1]:
            h = F.leaky_relu(layer(h), 0.2)
            features.append(h)
        return self.layers[-1](h), features


def half() -> AbstractContextManager[Any]:
    """bfloat16 arithmetic where it is faster."""
    return autocast(faster("cpu"), "cpu")


def enlarged(x: Tensor) -> Tensor:
    """Four times as large, bicubically: what the network starts from."""
    return F.interpolate(x, scale_factor=FACTOR, mode="bicubic", align_corners=False)


def crops(
    small: Pixels, large: Pixels, rng: np.random.Generator, count: int = BATCH
) -> tuple[Tensor, Tensor]:
    """Matching crops, (count, 3, CROP, CROP) at most and four times as wide, mirrored at random."""
    crop = min(CROP, small.shape[1])
    room, wide = small.shape[1] - crop + 1, FACTOR * crop
    inputs = np.empty((count, crop, crop, 3), np.uint8)
    targets = np.empty((count, wide, wide, 3), np.uint8)
    for k, (n, y, x) in enumerate(rng.integers((len(small), room, room), size=(count, 3))):
        across = slice(None, None, int(rng.choice((-1, 1))))
        inputs[k] = small[n, y : y + crop, x : x + crop][:, across]
        y, x = FACTOR * y, FACTOR * x
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


def redrawn(
    model: Model, pictures: Pictures, which: slice, seed: int = 0, together: int = 16
) -> Pixels:
    """These pictures, noised to a time of REDRAWN_FROM and drawn from there by their captions, as
    strongly guided as a prompt's picture is."""
    painter = Painter(model)
    rng = np.random.default_rng(seed)
    pixels, captions = pictures.pixels[which], pictures.full_captions[which]
    made = np.empty_like(pixels)
    for first in range(0, len(made), together):
        chosen = slice(first, first + together)
        x1 = to_floats(np.asarray(pixels[chosen]))
        ids = np.array([tokens(text, model.vocabulary) for text in captions[chosen]], np.int64)
        guided = painter.guided([ids], np.full_like(ids, PAD), DEFAULT_GUIDANCE_SCALE)
        start = float(rng.uniform(*REDRAWN_FROM))
        times = sampling.timesteps(round(REDRAWN_STEPS * (1 - start)), start=start)

        def noise(draw: int, first: int = first, shape: tuple[int, ...] = x1.shape) -> Array:
            index = first * DRAW + draw
            return np.float32(model.noise_scale) * sampling.noise(seed, shape, index)

        x = np.float32(start) * x1 + np.float32(1 - start) * noise(0)
        drawn = sampling.stochastic(guided, x, times, fresh=lambda step: noise(step + 1))
        made[chosen] = to_pixels(drawn)
    return made


def psnr(a: Tensor, b: Tensor) -> float:
    """Peak signal-to-noise ratio in dB of pictures in [-1, 1], mean over the pictures."""
    error = (a.clamp(-1, 1) - b).square().mean(dim=(1, 2, 3))
    return float((10 * torch.log10(4 / error)).mean())


def train_detail(
    data: Path,
    model: Path,
    steps: int = STEPS,
    report: Report = lambda line: print(line, file=sys.stderr, flush=True),
) -> DetailNetwork:
    """Train on the train split; reports PSNR on the validation split now and then.

    ValueError if the data set cannot be read.
    """
    torch.manual_seed(0)
    rng, generator = np.random.default_rng(0), torch.Generator().manual_seed(0)
    first_stage = open_model(model)
    size = first_stage.image_size
    pictures = load_split(data, "train", size, report)
    large = np.asarray(load_split(data, "train", size * FACTOR, report).pixels)
    which = slice(0, None, math.ceil(len(large) / MOST_REDRAWN))
    report(f"redrawing {len(large[which])} pictures")
    small, again = np.asarray(pictures.pixels), redrawn(first_stage, pictures, which)
    held_out = HeldOut(data, first_stage)

    network, average, critic = DetailNetwork(), DetailNetwork(), Critic()
    average.load_state_dict(network.state_dict())
    average.requires_grad_(False).eval()
    for each in (network, critic):
        each.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.0, betas=(0.9, 0.99))
    against = torch.optim.AdamW(critic.parameters(), weight_decay=0.0, betas=(0.5, 0.99))

    for step in range(steps):
        left = min(1.0, (1 - step / steps) / DECAY)
        judged = step >= WARM * steps
        optimizer.param_groups[0]["lr"] = LEARNING_RATE * left * (0.5 if judged else 1.0)
        against.param_groups[0]["lr"] = CRITIC_LEARNING_RATE * left

        redone, redone_target = crops(again, large[which], rng, round(REDRAWN * BATCH))
        plain, plain_target = crops(small, large, rng, BATCH - len(redone))
        x = torch.cat([worsen(plain, generator), redone])
        target = torch.cat([plain_target, redone_target])
        beside = enlarged(x)

        with half():
            drawn = network(x)
        loss = error = (drawn - target).abs().mean()
        if judged:
            with torch.no_grad(), half():
                real_features = critic(target, beside)[1]
            with half():
                verdict, features = critic(drawn, beside)
            alike = torch.stack(
                [(a - b).abs().mean() for a, b in zip(features, real_features, strict=True)]
            )
            loss = error + FEATURES * alike.mean() - CRITIC * verdict.float().mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        with torch.no_grad():
            ours: list[Tensor] = list(average.parameters())
            theirs: list[Tensor] = list(network.parameters())
            torch._foreach_lerp_(ours, theirs, 1 - min(KEEP, step / (step + 10)))

        margin = torch.zeros(())
        if judged:  # the hinge loss of Lim and Ye 2017
            with half():
                real, false = critic(target, beside)[0], critic(drawn.detach(), beside)[0]
            margin = F.relu(1 - real.float()).mean() + F.relu(1 + false.float()).mean()
            against.zero_grad()
            margin.backward()  # type: ignore[no-untyped-call]
            against.step()
        if (step + 1) % LOOK_EVERY == 0 or step + 1 == steps:
            report(
                f"step {step + 1}, error {error.item():.4f}, critic {margin.item():.3f}, "
                f"{held_out.compare(average)}"
            )
    return average


class HeldOut:
    """Held-out renders, as they are and redrawn, and what a network makes of them."""

    def __init__(self, data: Path, first_stage: Model, count: int = 64) -> None:
        size = first_stage.image_size
        pictures = load_split(data, "validation", size)
        large = load_split(data, "validation", size * FACTOR).pixels
        self.x = torch.from_numpy(to_floats(np.asarray(pictures.pixels[:count])))
        self.again = torch.from_numpy(to_floats(redrawn(first_stage, pictures, slice(count))))
        self.large = torch.from_numpy(to_floats(np.asarray(large[:count])))

    def compare(self, network: DetailNetwork) -> str:
        """PSNR beside bicubic enlargement, and sharpness as a share of the renders'."""
        with torch.no_grad():
            ours, again = network(self.x), network(self.again)
        pictures = (ours, enlarged(self.x), again)
        near, bicubic, redone = (psnr(x, self.large) for x in pictures)
        sharp, soft, resharp = (sharpness(x) / sharpness(self.large) for x in pictures)
        return (
            f"held-out PSNR {near:.2f} dB (bicubic {bicubic:.2f} dB), redrawn {redone:.2f} dB; "
            f"sharpness {sharp:.2f} (bicubic {soft:.2f}), redrawn {resharp:.2f}"
        )


def sharpness(x: Tensor) -> float:
    """Mean absolute Laplacian of a batch."""
    kernel = torch.tensor([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])
    return float(F.conv2d(x, kernel.expand(3, 1, 3, 3), groups=3).abs().mean())


def write_detail(network: DetailNetwork, folder: Path) -> None:
    """Export into a model folder as detail.onnx: x (B, 3, H, W) -> x4 (B, 3, 4 H, 4 W)."""
    size = open_model(folder).image_size
    model = exported(network, {"x": torch.zeros(1, 3, size, size)}, ["x4"])
    halve(model.graph)
    write_whole(folder / DETAIL, model.SerializeToString())
    write_card(folder)  # figures of the model without it are no longer its figures


def main() -> None:
    """python -m rocketman.detail DATA MODEL"""
    parser = argparse.ArgumentParser(description="Train a model folder's second stage.")
    parser.add_argument("data", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--steps", type=int, default=STEPS)
    arguments = parser.parse_args()
    write_detail(train_detail(arguments.data, arguments.model, arguments.steps), arguments.model)


if __name__ == "__main__":
    main()

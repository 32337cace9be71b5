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
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  (its name everywhere)
from numpy.typing import NDArray
from torch import Tensor, nn

from rocketman import sampling
from rocketman.captions import PAD, tokens
from rocketman.critic import doubted
from rocketman.data.batches import Pictures, load_split, to_floats, to_pixels
from rocketman.detail_network import FACTOR, Critic, DetailNetwork, enlarged, write_detail
from rocketman.files import system_words
from rocketman.painter import DRAW, Painter, crisper
from rocketman.precision import autocast, faster
from rocketman.request import DEFAULT_GUIDANCE_SCALE
from rocketman.sampling import Array
from rocketman.weights import Model, open_model

BATCH, CROP = 12, 32
"""Crops a step, and their width in the small picture."""
STEPS, LOOK_EVERY = 5000, 500
LEARNING_RATE, CRITIC_LEARNING_RATE = 1e-3, 2e-4
"""Muon is twice as fast until the critic comes, and then comes apart (docs/log.md, 2026-11-30)."""
WARM, DECAY = 0.25, 0.35
"""Shares of the steps: the first without the critic, the last with a falling learning rate."""
CRITIC, FEATURES = 0.5, 0.5
"""How hard the critic's verdict pulls at the drawn pictures as a share of how hard all else does,
and the weight of the distance in its features beside the mean absolute error."""
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


def half() -> AbstractContextManager[Any]:
    """bfloat16 arithmetic where it is faster."""
    return autocast(faster("cpu"), "cpu")


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


def shifted(rng: np.random.Generator, *pictures: Tensor) -> list[Tensor]:
    """All without the same few rows and columns, so that no place in a cell is known by its place
    in the critic's eye."""
    y, x = rng.integers(FACTOR, size=2).tolist()
    h, w = (side - FACTOR + 1 for side in pictures[0].shape[2:])
    return [each[:, :, y : y + h, x : x + w] for each in pictures]


def judgement(
    critic: Critic, drawn: Tensor, target: Tensor, beside: Tensor, rng: np.random.Generator
) -> tuple[Tensor, Tensor, float]:
    """What a drawn picture should lose: its value means nothing, its gradient is that of the mean
    absolute error and of the critic's features, and the critic's verdict's at a share of theirs.
    Then the critic's own loss, and by how much more it likes renders."""
    leaf = drawn.detach().requires_grad_()
    real, false, near = shifted(rng, target, leaf, beside)
    with half():
        better, wanted = critic(real, near)
        worse, features = critic(false, near)
    pairs = zip(features, wanted, strict=True)
    unlike = torch.stack([(a - b.detach()).float().abs().mean() for a, b in pairs]).mean()
    plain = (leaf - target).abs().mean() + FEATURES * unlike
    [gradient] = torch.autograd.grad(plain, leaf, retain_graph=True)
    doubt = doubted([worse], [better.detach()]).sum()
    [pull] = torch.autograd.grad(doubt, leaf, retain_graph=True)
    # as strong as the other, whatever the critic's scale (Esser et al. 2021, VQGAN, 7)
    gradient = gradient + CRITIC * gradient.norm() / pull.norm().clamp_min(1e-12) * pull
    return (
        (drawn * gradient).sum(),
        doubted([better], [worse]).mean(),
        (better - worse).mean().item(),
    )


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
    held_out = HeldOut(data, first_stage)  # first: if there is none, that is soon told
    pictures = load_split(data, "train", size, report)
    large = np.asarray(load_split(data, "train", size * FACTOR, report).pixels)
    which = slice(0, None, math.ceil(len(large) / MOST_REDRAWN))
    report(f"redrawing {len(large[which])} pictures")
    small, again = np.asarray(pictures.pixels), redrawn(first_stage, pictures, which)

    network, average, critic = DetailNetwork(), DetailNetwork(), Critic()
    average.load_state_dict(network.state_dict())
    average.requires_grad_(False).eval()
    for each in (network, critic):
        each.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.0, betas=(0.9, 0.99))
    against = torch.optim.AdamW(critic.parameters(), weight_decay=0.0, betas=(0.5, 0.99))

    margin = 0.0
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
            loss, critic_loss, margin = judgement(critic, drawn, target, beside, rng)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        with torch.no_grad():
            ours: list[Tensor] = list(average.parameters())
            theirs: list[Tensor] = list(network.parameters())
            torch._foreach_lerp_(ours, theirs, 1 - min(KEEP, step / (step + 10)))

        if judged:
            against.zero_grad()
            critic_loss.backward(inputs=list(critic.parameters()))  # type: ignore[no-untyped-call]
            against.step()
        if (step + 1) % LOOK_EVERY == 0 or step + 1 == steps:
            report(
                f"step {step + 1}, error {error.item():.4f}, critic {margin:.3f}, "
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
        ours, again = as_drawn(network, self.x), as_drawn(network, self.again)
        pictures = (ours, enlarged(self.x), again)
        near, bicubic, redone = (psnr(x, self.large) for x in pictures)
        sharp, soft, resharp = (sharpness(x) / sharpness(self.large) for x in pictures)
        return (
            f"held-out PSNR {near:.2f} dB (bicubic {bicubic:.2f} dB), redrawn {redone:.2f} dB; "
            f"sharpness {sharp:.2f} (bicubic {soft:.2f}), redrawn {resharp:.2f}"
        )


@torch.no_grad()
def as_drawn(network: DetailNetwork, x: Tensor) -> Tensor:
    """What a picture is made of: both sides of the mirror, their mean made crisper."""
    both = 0.5 * (network(x) + network(x.flip(3)).flip(3))
    return torch.stack([torch.from_numpy(crisper(each.numpy())) for each in both])


def sharpness(x: Tensor) -> float:
    """Mean absolute Laplacian of a batch."""
    kernel = torch.tensor([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])
    return float(F.conv2d(x, kernel.expand(3, 1, 3, 3), groups=3).abs().mean())


def main() -> None:
    """python -m rocketman.detail DATA MODEL"""
    parser = argparse.ArgumentParser(description="Train a model folder's second stage.")
    parser.add_argument("data", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--steps", type=int, default=STEPS)
    arguments = parser.parse_args()
    try:
        network = train_detail(arguments.data, arguments.model, arguments.steps)
        write_detail(network, arguments.model)
    except ValueError as error:  # no such data set, no validation split, no model
        parser.error(str(error))
    except OSError as error:  # a full disk, a folder that went away
        parser.exit(1, f"{system_words(error)}; the model is as it was.\n")


if __name__ == "__main__":
    main()

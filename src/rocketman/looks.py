"""A look at a run as it goes on: losses on held-out and seen pictures, and a sheet of drawn ones.

Level 4. Reads the averaged weights, writes nothing: `train.py` calls these now and then, and keeps
what they give. The same draws, prompts and seeds each time, so that looks can be compared.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from io import BytesIO

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from rocketman import flow, sampling
from rocketman.captions import PAD, tokens, with_shot
from rocketman.data.batches import Pictures, to_floats, to_pixels
from rocketman.model import DiffusionTransformer
from rocketman.precision import autocast
from rocketman.train_config import LoopConfig, TrainConfig

VALIDATION_PICTURES = 256
TIME_BINS, PICTURES_A_BIN = 5, 51
SHEET_PROMPTS, SHEET_STEPS, SHEET_GUIDANCE = 16, 24, 3.0


def looked_at(
    network: DiffusionTransformer,
    config: LoopConfig,
    pictures: Pictures,
    validation: Pictures | None,
    vocabulary: tuple[str, ...],
    device: torch.device,
) -> dict[str, float | list[float]]:
    """The losses of a look, by the names that log and record have for them."""
    given = vocabulary, device
    value = validation_loss(network, config, validation or pictures, *given)
    found: dict[str, float | list[float]] = {
        "validation_loss" if validation else "averaged_loss": round(value, 5)
    }
    for name, split in (("train", pictures), ("validation", validation)):
        if split:
            by_time = losses_by_time(network, config, split, *given)
            found[f"{name}_loss_by_time"] = [round(each, 5) for each in by_time]
    return found


def validation_loss(
    network: DiffusionTransformer,
    config: LoopConfig,
    pictures: Pictures,
    vocabulary: tuple[str, ...],
    device: torch.device,
) -> float:
    """Loss of the averaged weights on the first pictures of a split, always with the same draws."""
    generator = torch.Generator().manual_seed(0)
    losses = []
    for start in range(0, min(VALIDATION_PICTURES, len(pictures.pixels)), 64):
        chosen = slice(start, start + 64)
        pixels = torch.from_numpy(to_floats(pictures.pixels[chosen])).to(device)
        ids = torch.tensor([tokens(text, vocabulary) for text in pictures.full_captions[chosen]])
        with torch.no_grad(), autocast(config.precision, device.type):
            losses += [
                flow.loss(network, pixels, ids.to(device), generator, config.noise_scale).item()
            ] * len(pixels)
    return float(np.mean(losses))


def losses_by_time(
    network: Callable[[Tensor, Tensor, Tensor], Tensor],
    config: LoopConfig,
    pictures: Pictures,
    vocabulary: tuple[str, ...],
    device: torch.device,
) -> list[float]:
    """Velocity loss in each of TIME_BINS equal parts of [0, 1], noise first.

    On the same pictures, spread evenly over the split, with the same draws each time. Where it
    falls for training pictures and rises for held-out ones, a network learns pictures by heart.
    """
    count = min(PICTURES_A_BIN, len(pictures.pixels))
    chosen = [k * len(pictures.pixels) // count for k in range(count)]
    x1 = torch.from_numpy(to_floats(pictures.pixels[chosen]))
    captions = pictures.full_captions
    ids = torch.tensor([tokens(captions[k], vocabulary) for k in chosen])
    generator = torch.Generator().manual_seed(0)
    losses = []
    for part in range(TIME_BINS):
        t = (part + torch.rand(count, generator=generator)) / TIME_BINS
        noise = torch.randn(x1.shape, generator=generator)
        x = flow.on_path(x1, noise, t, config.noise_scale)
        with torch.no_grad(), autocast(config.precision, device.type):
            predicted = network(x.to(device), t.to(device), ids.to(device))
        losses.append(flow.velocity_loss(predicted.float().cpu(), x1, t).item())
    return losses


def sheet_prompts(trained: Pictures, validation: Pictures | None) -> list[str]:
    """Captions spread evenly over each split's sorted list; half of each where there are two."""
    splits = [trained] if validation is None else [trained, validation]
    prompts = []
    for split in splits:
        captions = sorted(set(split.captions))
        count = SHEET_PROMPTS // len(splits)
        prompts += [captions[k * len(captions) // count] for k in range(count)]
    return prompts


def draw_sheet(
    network: DiffusionTransformer,
    config: TrainConfig,
    prompts: list[str],
    vocabulary: tuple[str, ...],
    device: torch.device,
) -> bytes:
    """A PNG of one picture a prompt, four a row, twice enlarged, from the averaged weights."""
    shown = [with_shot(prompt, vocabulary, seed) for seed, prompt in enumerate(prompts)]
    ids = torch.tensor([tokens(prompt, vocabulary) for prompt in shown]).to(device)
    both = torch.cat([ids, torch.full_like(ids, PAD)])

    def call(x: sampling.Array, t: float, earlier: sampling.Array, ids: Tensor) -> sampling.Array:
        times = torch.full((len(x),), sampling.told_time(t)).to(device)
        guess = torch.from_numpy(earlier).to(device) if config.model.self_condition else None
        with torch.no_grad(), autocast(config.train.precision, device.type):
            x1 = network(torch.from_numpy(x).to(device), times, ids, guess)
        return x1.float().cpu().numpy()  # type: ignore[no-any-return]

    def pair(
        x: sampling.Array, t: float, earlier: sampling.Array
    ) -> tuple[sampling.Array, sampling.Array]:
        twice, before = (np.concatenate([each, each]) for each in (x, earlier))
        wanted, unwanted = np.split(call(twice, t, before, both), 2)
        return wanted, unwanted

    def guided(x: sampling.Array, t: float, earlier: sampling.Array) -> sampling.Array:
        one, two = partial(call, earlier=earlier, ids=ids), partial(pair, earlier=earlier)
        return sampling.guided(one, two, SHEET_GUIDANCE)(x, t)

    size = config.model.image_size
    shape = (len(prompts), 3, size, size)

    def noise(draw: int) -> sampling.Array:
        scale = np.float32(config.train.noise_scale)
        return scale * sampling.noise(config.train.seed, shape, index=draw)

    denoise = sampling.remembering(guided)
    times = sampling.timesteps(SHEET_STEPS)
    drawn = sampling.stochastic(denoise, noise(0), times, fresh=lambda step: noise(step + 1))
    pixels = to_pixels(drawn)
    columns = 4
    rows = -(-len(pixels) // columns)
    sheet = np.zeros((rows * columns, size, size, 3), dtype=np.uint8)
    sheet[: len(pixels)] = pixels
    sheet = sheet.reshape(rows, columns, size, size, 3).swapaxes(1, 2)
    sheet = sheet.reshape(rows * size, columns * size, 3).repeat(2, axis=0).repeat(2, axis=1)
    file = BytesIO()
    Image.fromarray(sheet).save(file, format="PNG")
    return file.getvalue()

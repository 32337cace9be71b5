"""What probes are shown: pictures changed in ways that must say nothing.

Cut, tilted, bent, recoloured a little, blurred, compressed and noised, because a generated picture
is softer than a render and softness must say nothing. Where instruments are moves with the
pictures. Next: `probe_training.py`.

Shapes: B batch, S size in pixels.
"""

from __future__ import annotations

import io

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  (its name everywhere)
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from rocketman.data.batches import to_floats, to_pixels

SOFT_SIZES = (128, 96, 64, 48)
"""A picture is reduced to one of these and enlarged again."""


def worsen(
    pixels: NDArray[np.uint8], masks: NDArray[np.uint8], rng: np.random.Generator, mirror: bool
) -> tuple[Tensor, Tensor]:
    """uint8 (B, S, S, 3) and (B, S, S) -> (B, 3, S, S) in [-1, 1], each picture changed in its own
    way, and (B, 1, S, S) in [0, 1] moved like it.

    A share of the batch is reduced to each of SOFT_SIZES, changed there and enlarged again.
    """
    both = torch.from_numpy(to_floats(np.concatenate([pixels, masks[..., None]], axis=3)))
    size, parts = pixels.shape[1], []
    for part, smaller in zip(
        both.chunk(len(SOFT_SIZES)), rng.permutation(SOFT_SIZES), strict=False
    ):
        part = F.interpolate(part, size=int(smaller), mode="area") if smaller < size else part
        part = moved(part, rng, mirror)
        x = noised(recoloured(compressed(part[:, :3], rng), rng), rng)
        part = torch.cat([x, part[:, 3:]], dim=1)
        parts.append(F.interpolate(part, size=size, mode="bilinear", align_corners=False))
    found = torch.cat(parts)
    return found[:, :3], (found[:, 3:] + 1) / 2


def draw(rng: np.random.Generator, low: float, high: float, count: int) -> Tensor:
    return torch.from_numpy(rng.uniform(low, high, (count, 1, 1, 1)).astype(np.float32))


def moved(x: Tensor, rng: np.random.Generator, mirror: bool) -> Tensor:
    """Zoomed, shifted, tilted, bent a little: a generated shape is never quite straight."""
    count, size = len(x), x.shape[-1]
    angle, zoom = rng.normal(0, 0.07, count), rng.uniform(0.8, 1.1, count)
    across = zoom * (rng.choice((-1, 1), count) if mirror else 1)
    cos, sin = np.cos(angle), np.sin(angle)
    shift = rng.uniform(-0.1, 0.1, (2, count))
    matrix = np.stack([[across * cos, -zoom * sin, shift[0]], [across * sin, zoom * cos, shift[1]]])
    theta = torch.from_numpy(matrix.transpose(2, 0, 1).astype(np.float32))
    grid = F.affine_grid(theta, [count, 3, size, size], align_corners=False)
    bend = torch.from_numpy(rng.normal(0, 0.02, (count, 2, 6, 6)).astype(np.float32))
    bend = F.interpolate(bend, size=(size, size), mode="bilinear", align_corners=False)
    return F.grid_sample(
        x, grid + bend.permute(0, 2, 3, 1), padding_mode="reflection", align_corners=False
    )


def recoloured(x: Tensor, rng: np.random.Generator) -> Tensor:
    """Brightness, saturation and tint, mildly: the colour of a suit is what a probe must read."""
    count = len(x)
    gain, lift = draw(rng, 0.8, 1.25, count), draw(rng, -0.1, 0.1, count)
    tint = 1 + 0.03 * torch.from_numpy(rng.standard_normal((count, 3, 1, 1), np.float32))
    grey = x.mean(dim=1, keepdim=True)
    x = grey + draw(rng, 0.7, 1.2, count) * (x - grey)
    return ((x + 1) * (gain * tint) - 1 + lift).clamp(-1, 1)


def noised(x: Tensor, rng: np.random.Generator) -> Tensor:
    """A third of the pictures with noise."""
    some = x[: len(x) // 3]
    noise = torch.from_numpy(rng.standard_normal(some.shape, np.float32))
    some += draw(rng, 0, 0.08, len(some)) * noise
    return x


def compressed(x: Tensor, rng: np.random.Generator) -> Tensor:
    """A third of the pictures through JPEG."""
    for k in np.flatnonzero(rng.random(len(x)) < 1 / 3):
        buffer = io.BytesIO()
        [pixels] = to_pixels(x[k : k + 1].numpy())
        Image.fromarray(pixels).save(buffer, "JPEG", quality=int(rng.integers(25, 95)))
        x[k] = torch.from_numpy(to_floats(np.asarray(Image.open(buffer))[None])[0])
    return x

"""Flow matching: the path from noise to picture, how timesteps are drawn, and the loss.

The time convention is in `sampling.py`: t = 0 noise, t = 1 data. Takes clean pictures, returns what
the network is shown and the number it is trained on. Next: `train.py` calls `loss` once a step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

SMALLEST_DENOMINATOR = 0.05
"""1 - t is clamped here in the loss, as in JiT (Li and He 2025): near t = 1 it would explode."""

TIMESTEP_MEAN, TIMESTEP_STD = -0.8, 0.8
"""Logit-normal timesteps (Esser et al. 2024) that favour the noisy side, as in JiT."""
EVEN_TIMESTEPS = 0.15
"""Share of timesteps drawn evenly from [0, 1]: the rest hardly ever comes above 0.7, where a
sampler takes a third of its steps."""
PERCEIVED_FROM = 0.3
"""Time from which a perceptual loss counts: before, the clean picture can only be guessed, and its
mean looks like none (Ma et al. 2026, PixelGen, gate theirs there too)."""


@dataclass(frozen=True)
class Shown:
    """What the network is shown of a batch of pictures."""

    x: Tensor
    """(B, 3, H, W): with noise on them."""
    t: Tensor
    """(B,), on the CPU: the times that they are at,"""
    told: Tensor
    """and the times that the network is told,"""
    known: Tensor
    """and those from which on x says no more of the pictures: by them errors are weighed."""
    guess: Tensor | None = None
    """(B, 3, H, W): earlier guesses of the clean pictures, if the network is to be shown any."""


Roll = Callable[[Tensor, Tensor, Tensor, Tensor, torch.Generator, tuple[int, int]], Shown]
"""(x1, t, noise, tokens, generator, share) -> what of them is shown: see `rollout.py`."""
Look = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
"""(drawn, real, noisy, tokens), the first three (B, 3, H, W), tokens (B, L) -> (B,): what is wrong
with how the drawn one looks."""


def draw_timesteps(batch: int, generator: torch.Generator) -> Tensor:
    """(B,) in [0, 1): sigmoid of a normal with TIMESTEP_MEAN and TIMESTEP_STD, a share evenly."""
    normal = torch.randn(batch, generator=generator)
    even = torch.rand(2, batch, generator=generator)
    t = torch.sigmoid(normal * TIMESTEP_STD + TIMESTEP_MEAN)
    return torch.where(even[0] < EVEN_TIMESTEPS, even[1], t)


def on_path(x1: Tensor, noise: Tensor, t: Tensor, noise_scale: float) -> Tensor:
    """x_t = t * x1 + (1 - t) * noise_scale * noise; pictures (B, 3, H, W), t (B,)."""
    t = t[:, None, None, None]
    return t * x1 + (1 - t) * noise_scale * noise


def velocity_loss(
    predicted: Tensor, x1: Tensor, t: Tensor, weights: Tensor | None = None
) -> Tensor:
    """Mean squared error of the velocity that a predicted clean picture implies; a scalar.

    `weights` (B, 1, H, W) say how much each pixel counts; 1 without them.

    v_predicted - v = (predicted - x_t) / (1-t) - (x1 - x_t) / (1-t) = (predicted - x1) / (1 - t),
    so the velocity loss is the picture loss with weight 1 / (1 - t)^2 (JiT, equation 6).
    """
    denominator = (1 - t).clamp_min(SMALLEST_DENOMINATOR)[:, None, None, None]
    squared = ((predicted - x1) / denominator).square()
    return (squared if weights is None else weights * squared).mean()


def loss(
    network: Callable[[Tensor, Tensor, Tensor, Tensor | None], Tensor],
    x1: Tensor,
    tokens: Tensor,
    generator: torch.Generator,
    noise_scale: float,
    share: tuple[int, int] = (0, 1),
    weights: Tensor | None = None,
    look: Look | None = None,
    roll: Roll | None = None,
) -> Tensor:
    """One draw of timesteps and noise from `generator`, and the velocity loss; a scalar.

    With `look`, what it finds in the clean pictures from PERCEIVED_FROM on is added to it. With
    `roll` it decides what the network is shown; without, pictures on the path.

    x1 (B, 3, H, W) in [-1, 1], tokens (B, L) int64. The generator lives on the CPU, so that equal
    seeds give equal draws on every device. With `share` (k, n) the pictures are every n-th of a
    batch from number k on, and get the draws that they would get in the whole batch.
    """
    k, n = share
    batch = len(x1) * n
    t = draw_timesteps(batch, generator)[k::n]
    noise = torch.randn((batch, *x1.shape[1:]), generator=generator)[k::n].to(x1.device)
    if roll:
        shown = roll(x1, t, noise, tokens, generator, share)
    else:
        at = t.to(x1.device)
        shown = Shown(x=on_path(x1, noise, at, noise_scale), t=t, told=at, known=at)
    late = torch.where(shown.t >= PERCEIVED_FROM)[0].to(x1.device)  # now: no GPU is waited for
    predicted = network(shown.x, shown.told, tokens, shown.guess).float()
    found = velocity_loss(predicted, x1, shown.known, weights)
    if look is None:
        return found
    return found + look(predicted[late], x1[late], shown.x[late], tokens[late]).sum() / len(x1)

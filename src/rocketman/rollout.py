"""Half of a batch as a sampler shows it: pictures that the network itself has drawn on from noise.

Level 3. While it learns, a network sees renders with noise on them; while it draws, its own
pictures with noise on them: pulled to the prompt, of too much contrast, and wrong where it was
wrong before. It never learns to mend that (exposure bias: Ning et al. 2023, "Input perturbation
reduces exposure bias in diffusion models"). So a render's noisy picture is drawn on for a few
steps, guided and with its own guess shown, as `sampling.stochastic` does, and what comes out is
what the network learns from, with the render as the goal; DMD2 trains on what its own sampler
makes for the same reason (Yin et al. 2024, "Improved distribution matching distillation", 4.5).
Next: `flow.loss` weighs what the network makes of it.

Shapes: B pictures (B, 3, H, W) in [-1, 1], times (B,) in [0, 1), tokens (B, L).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

from rocketman.flow import Shown, on_path
from rocketman.request import DEFAULT_STEPS
from rocketman.sampling import RENEWED_FROM, RENEWED_UNTIL, TIME_LAG

STEPS = 2
"""How far it is drawn on: each costs the network two looks without a gradient."""
SHORTEST, LONGEST = 0.5 / DEFAULT_STEPS, 2 / DEFAULT_STEPS
"""Length of a step, drawn evenly between these, one for each picture."""

Guided = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
"""(x, time told, tokens, earlier guess) -> clean picture, pulled to its prompt."""


@torch.no_grad()
def rolled_out(
    guided: Guided,
    noise_scale: float,
    x1: Tensor,
    t: Tensor,
    noise: Tensor,
    tokens: Tensor,
    generator: torch.Generator,
    share: tuple[int, int] = (0, 1),
) -> Shown:
    """What the network is shown of a batch, the first half of it drawn on by itself.

    The arguments are as `flow.loss` has them, t on the CPU. The first half's times are drawn anew,
    evenly: a sampler's steps are even.
    """
    k, n = share
    batch, own = len(x1) * n, slice(k, None, n)
    half = len(range(k, batch // 2, n))
    even, lengths = torch.rand(2, batch, generator=generator)[:, own]
    fresh = torch.randn((STEPS, batch, *x1.shape[1:]), generator=generator)[:, own]
    fresh = fresh[:, :half].to(x1.device)
    t = torch.cat([even[:half], t[half:]])
    step = (SHORTEST + (LONGEST - SHORTEST) * lengths[:half]).to(x1.device)
    goal, rest = t[:half].to(x1.device), t[half:].to(x1.device)
    times = [(goal - left * step).clamp_min(0) for left in range(STEPS, -1, -1)]

    known = torch.cat([times[0], rest])
    x = on_path(x1, noise, known, noise_scale)
    drawn, guess = x[:half], torch.zeros_like(x)
    for (now, then), anew in zip(pairwise(times), fresh, strict=True) if half else ():
        guess[:half] = guided(drawn, told(now), tokens[:half], guess[:half])
        solved = ((now < RENEWED_FROM) | (now >= RENEWED_UNTIL))[:, None, None, None]
        ahead = ((then - now) / (1 - now))[:, None, None, None]
        along = drawn + ahead * (guess[:half] - drawn)  # Euler's step
        drawn = torch.where(solved, along, on_path(guess[:half], anew, then, noise_scale))
    return Shown(
        x=torch.cat([drawn, x[half:]]),
        t=t,
        told=torch.cat([told(goal), rest]),
        known=known,
        guess=guess,
    )


def told(t: Tensor) -> Tensor:
    """`sampling.told_time` of a batch of times."""
    return (t - TIME_LAG).clamp_min(0)

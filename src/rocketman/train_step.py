"""One step of the training: a batch, its loss and gradient, the optimizers, the averaged weights.

Reads a `Run` (`checkpoints.py`) and changes it; writes no file. Next: `train.py` repeats it.

Shapes: B pictures of a process's share.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  (its name everywhere)
from numpy.typing import NDArray
from torch import Tensor

from rocketman import flow
from rocketman.captions import PAD
from rocketman.checkpoints import Run
from rocketman.critic import Judge
from rocketman.data.batches import Batches
from rocketman.labels import CELL
from rocketman.parallel import Workers
from rocketman.precision import autocast
from rocketman.request import DEFAULT_GUIDANCE_SCALE
from rocketman.rollout import rolled_out
from rocketman.train_config import LoopConfig


class DivergenceError(ValueError):
    """The loss is no longer a number; the message is one sentence."""


def progress(run: Run, config: LoopConfig) -> float:
    """Share of the run that is done: of its steps, of its seconds, or the larger of the two."""
    by_steps = run.step / config.steps if config.steps else 0.0
    by_seconds = run.seconds / config.seconds if config.seconds else 0.0
    return max(by_steps, by_seconds)


def learning_rate(run: Run, config: LoopConfig) -> float:
    """Linear warm-up, constant, then linearly to 0 over the last `decay` of the run."""
    warmup = min(1.0, (run.step + 1) / max(1, config.warmup_steps))
    left = max(0.0, 1 - progress(run, config))
    return config.learning_rate * warmup * min(1.0, left / config.decay if config.decay else 1.0)


def part_loss(
    run: Run,
    config: LoopConfig,
    batches: Batches,
    device: torch.device,
    share: tuple[int, int],
    judge: Judge | None,
    labels: NDArray[np.uint8] | None,
) -> Tensor:
    """The loss of every n-th picture of the step's batch from number k on, `share` (k, n), with the
    draws that they get in the whole batch; a scalar."""
    k, n = share
    own = slice(k, None, n)
    pixels, ids, weights = (torch.from_numpy(array) for array in batches.batch(run.step, own))
    dropped = torch.rand(config.batch_size, generator=run.generator)[own] < config.caption_drop
    ids = torch.where(dropped[:, None], PAD, ids)
    pixels, ids, weights = (x.to(device) for x in (pixels, ids, weights))
    logits: list[Tensor] = []

    def network(x: Tensor, t: Tensor, ids: Tensor, guess: Tensor | None = None) -> Tensor:
        """The clean pictures; the first half of the whole batch is shown an earlier guess."""
        if not run.network.config.self_condition:
            guess = None
        elif guess is None:
            guess = torch.zeros_like(x)
            half = slice(len(range(k, config.batch_size // 2, n)))
            if half.stop:
                with torch.no_grad():
                    guess[half] = clean_of(run.forward(x[half], t[half], ids[half]))
        found = run.forward(x, t, ids, guess)
        if labels is not None:
            logits.append(found[1])
        return clean_of(found)

    def clean_of(found: Any) -> Tensor:
        clean: Tensor = found if labels is None else found[0]
        return clean

    def guided(x: Tensor, t: Tensor, ids: Tensor, guess: Tensor) -> Tensor:
        """The clean pictures, pulled to their captions as while drawing."""
        both = torch.cat([ids, torch.full_like(ids, PAD)])
        shown = torch.cat([guess, guess]) if run.network.config.self_condition else None
        found = clean_of(run.forward(torch.cat([x, x]), torch.cat([t, t]), both, shown))
        wanted, without = found.float().chunk(2)
        return without + DEFAULT_GUIDANCE_SCALE * (wanted - without)

    look = partial(judge, step=run.step) if judge else None
    roll = partial(rolled_out, guided, config.noise_scale) if config.rollout else None
    with autocast(config.precision, device.type):
        loss = flow.loss(
            network, pixels, ids, run.generator, config.noise_scale, share, weights, look, roll
        )
    if labels is not None:
        shown = torch.from_numpy(batches.cut_labels(labels, CELL, run.step, own)).to(device)
        loss = loss + config.label_weight * F.cross_entropy(logits[0], shown)
    return loss


def train_step(
    run: Run,
    config: LoopConfig,
    batches: Batches,
    device: torch.device,
    workers: Workers,
    judge: Judge | None = None,
    labels: NDArray[np.uint8] | None = None,
) -> float:
    """One batch: loss, gradient, optimizers, averaged weights. Returns the loss; DivergenceError if
    it is no number, before weights change.

    judge: what its clean pictures look like, if that counts too.
    labels: what each pixel of the data set's pictures shows, if that is learnt too.
    """
    parts = workers.count * config.accumulate
    draws = run.generator.get_state()
    loss = torch.zeros((), device=device)
    for part in range(config.accumulate):
        run.generator.set_state(draws)  # each part takes its own of the whole batch's draws
        share = (workers.rank + part * workers.count, parts)
        found = part_loss(run, config, batches, device, share, judge, labels) / parts
        found.backward()  # type: ignore[no-untyped-call]
        loss += found.detach()
    parameters = list(run.parameters.values())
    workers.sum([*(p.grad for p in parameters if p.grad is not None), loss])
    averages, current = (list[Tensor](each.parameters()) for each in (run.average, run.network))
    norm = torch.nn.utils.clip_grad_norm_(parameters, config.clip)
    value = loss.item()
    if not (math.isfinite(value) and norm.isfinite()):  # before it can reach weights or checkpoint
        raise DivergenceError(
            f"The loss is no longer a number after step {run.step}: lower learning_rate, then "
            "resume the run, or begin anew if it has no checkpoint."
        )
    for optimizer in run.optimizers:
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(run, config)
        optimizer.step()
        optimizer.zero_grad()
    if judge:
        with autocast(config.precision, device.type):
            judge.learn(config.batch_size)
    run.step += 1
    # half-life a fixed share of what was seen, so early weights are soon forgotten (Karras 2024)
    keep = 0.5 ** (1 / (config.ema_halflife * run.step))
    with torch.no_grad():
        torch._foreach_lerp_(averages, current, 1 - keep)
    return value

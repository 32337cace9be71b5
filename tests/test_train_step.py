"""One step of a run: what learns in it, and how."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.utils import parameters_to_vector

from rocketman.captions import CONTEXT_LENGTH
from rocketman.checkpoints import Run
from rocketman.data.batches import Batches, Pictures
from rocketman.model import ModelConfig
from rocketman.optimizer import Muon
from rocketman.parallel import Workers
from rocketman.train_config import DataConfig, LoopConfig, TrainConfig
from rocketman.train_step import train_step

CPU = torch.device("cpu")
WORDS = ("harp", "drum")


def begun(
    network: ModelConfig, precision: Literal["bf16", "fp32"], **how: Any
) -> tuple[Run, LoopConfig]:
    """A run that shows its network what it guessed, with batches of 6."""
    torch.set_num_threads(1)
    make = replace(network, self_condition=True, vocabulary_size=2, context_length=CONTEXT_LENGTH)
    loop = LoopConfig(steps=4, batch_size=6, precision=precision, **how)
    return Run(TrainConfig(data=DataConfig(folder="x"), model=make, train=loop), CPU), loop


def noises(loop: LoopConfig) -> Batches:
    """Of 12 pictures, 16 pixels wide."""
    pixels = np.random.default_rng(0).integers(0, 256, (12, 16, 16, 3), dtype=np.uint8)
    captions = WORDS * 6
    pictures = Pictures(
        pixels=pixels,
        captions=captions,
        wordings=tuple((caption,) for caption in captions),
        rows=({},) * 12,
        problems=(),
        hash="",
    )
    return Batches(pictures, WORDS, loop.batch_size, seed=0)


def test_every_parameter_learns_in_bfloat16_with_a_guess(tiny_network: ModelConfig) -> None:
    """The guess is made without gradients, and by the same weights."""
    run, loop = begun(tiny_network, "bf16")
    learnt: set[str] = set()
    for optimizer in run.optimizers:  # before the step forgets the gradients
        optimizer.register_step_pre_hook(
            lambda *_: learnt.update(n for n, p in run.parameters.items() if p.grad is not None)
        )
    train_step(run, loop, noises(loop), CPU, Workers())
    assert learnt == set(run.parameters)


class Apart(Workers):
    """One of several processes of which the others are not there."""

    def sum(self, tensors: Iterable[Tensor]) -> None:
        pass


@pytest.mark.parametrize("wanted", [[3], [2, 1], [1, 1, 1, 0, 0, 0]])
def test_half_of_a_batch_is_shown_a_guess_however_it_is_shared(
    tiny_network: ModelConfig, wanted: list[int]
) -> None:
    """The first three of six, which the processes have in turn."""
    shown = []
    for rank in range(len(wanted)):
        run, loop = begun(tiny_network, "fp32")

        def forward(x: Tensor, t: Tensor, ids: Tensor, guess: Tensor | None = None) -> Any:
            if guess is not None:
                shown.append(int(guess.any(dim=(1, 2, 3)).sum()))
            return run.network(x, t, ids, guess) + 1e-3  # noqa: B023  (used at once)

        run.forward = forward
        train_step(run, loop, noises(loop), CPU, Apart(rank, len(wanted)))
    assert shown == wanted


@pytest.mark.parametrize("rollout", [False, True])
@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_batch_in_parts_is_the_same_step(
    tiny_network: ModelConfig, optimizer: Literal["adamw", "muon"], rollout: bool
) -> None:
    """The same pictures, draws, labels and earlier guesses: the same weights up to rounding."""
    labels = np.random.default_rng(1).integers(0, 3, (12, 16, 16), dtype=np.uint8)
    moved, losses = [], []
    for accumulate in (1, 3):
        how = {"accumulate": accumulate, "optimizer": optimizer, "label_weight": 0.1}
        run, loop = begun(tiny_network, "fp32", warmup_steps=1, rollout=rollout, **how)
        start = parameters_to_vector(run.parameters.values()).detach()
        network, sizes = run.forward, set[int]()

        def forward(x: Tensor, *rest: Any) -> Any:
            if torch.is_grad_enabled():
                sizes.add(len(x))  # noqa: B023  (used at once)
            return network(x, *rest)  # noqa: B023

        run.forward = forward
        steps = range(3)
        told = [train_step(run, loop, noises(loop), CPU, Workers(), labels=labels) for _ in steps]
        assert sizes == {6 // accumulate}
        losses.append(told)
        moved.append(parameters_to_vector(run.parameters.values()).detach() - start)
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
    assert (moved[1] - moved[0]).norm() < 1e-4 * moved[0].norm()


def test_muon_steps_along_orthogonal_matrices_of_each_part() -> None:
    generator = torch.Generator().manual_seed(0)
    weight = torch.zeros(3 * 16, 16, requires_grad=True)
    weight.grad = torch.randn(3 * 16, 16, generator=generator)
    Muon([{"params": [weight], "parts": 3}], lr=1.0, weight_decay=0.0).step()
    for part in weight.detach().chunk(3):
        values = torch.linalg.svdvals(part / (0.2 * 16**0.5))
        assert values.min() > 0.5
        assert values.max() < 1.35


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_muon_takes_kernels_as_matrices_of_any_layout(layout: torch.memory_format) -> None:
    generator = torch.Generator().manual_seed(0)
    start, slope = torch.randn(2, 8, 4, 3, 3, generator=generator)
    kernels = start.clone(memory_format=layout).requires_grad_()
    kernels.grad = slope.clone(memory_format=layout)
    matrix = start.flatten(1).clone().requires_grad_()
    matrix.grad = slope.flatten(1)
    for each in (kernels, matrix):
        Muon([{"params": [each], "parts": 1}], 1.0, 0.1, dtype=torch.float32).step()
    torch.testing.assert_close(kernels.detach().flatten(1), matrix.detach())

"""Muon for the matrices of the blocks, AdamW for everything else.

Muon (Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks") steps along the
nearest orthogonal matrix to the momentum, found by five Newton-Schulz steps; scaled by
0.2 * sqrt(larger side) its step has the size of AdamW's, so that both share one learning rate
(Liu et al. 2025, "Muon is scalable for LLM training", section 2.2). torch.optim.Muon takes matrices
one by one and a fused one whole: here the parts of a fused matrix (query, key, value) are
orthogonalised apart, and all parts of one shape in one batched product; several processes share
the parts among them. A convolution's kernels are a matrix too: a row an output.
Next: `train.py` steps both; `audits/probe_training.py` and its kernels.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from rocketman.parallel import Workers

FUSED = {"qkv": 3, "text_kv": 2, "gate_and_up": 2}
"""Linear layers that hold several matrices, one above the other, and how many."""
HIDDEN = (*FUSED, "out")
"""Linear layers of a block that Muon trains."""


def orthogonalised(x: Tensor, dtype: torch.dtype = torch.bfloat16) -> Tensor:
    """The nearest (semi-)orthogonal matrix to each of (N, rows, columns), nearly; rows <= columns.

    Newton-Schulz with the quintic of Jordan et al.: most singular values end between 0.7 and 1.2,
    those near 0, which square matrices have, below.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    x = x.to(dtype)
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(5):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return x


class Muon(torch.optim.Optimizer):
    """Parameters are given with their number of fused parts, as groups {"params", "parts"}.

    Matrices, or kernels (outputs, inputs, ...) as (outputs, the rest), orthogonalised in `dtype`.
    """

    def __init__(
        self,
        groups: list[dict[str, Any]],
        lr: float,
        weight_decay: float,
        workers: Workers = Workers(),  # noqa: B008  (frozen)
        dtype: torch.dtype = torch.bfloat16,
    ) -> None:
        super().__init__(groups, {"lr": lr, "weight_decay": weight_decay, "momentum": 0.95})
        self.workers, self.dtype = workers, dtype

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One step from the parameters' gradients, with Nesterov's momentum."""
        shapes: dict[tuple[int, int], list[tuple[Tensor, Tensor, dict[str, Any]]]] = defaultdict(
            list
        )
        for group in self.param_groups:
            for parameter in group["params"]:
                state = self.state[parameter]
                if "momentum" not in state:
                    state["momentum"] = torch.zeros_like(parameter)
                momentum = state["momentum"].mul_(group["momentum"]).add_(parameter.grad)
                ahead = parameter.grad.add(momentum, alpha=group["momentum"])
                for part, direction in zip(
                    parameter.chunk(group["parts"]), ahead.chunk(group["parts"]), strict=True
                ):
                    direction = direction.flatten(1)
                    low, high = sorted(direction.shape)
                    shapes[low, high].append((part, direction, group))
        steps = []
        own = slice(self.workers.rank, None, self.workers.count)
        for (low, high), entries in shapes.items():
            wide = [d if d.shape == (low, high) else d.mT for _, d, _ in entries]
            steps.append(wide[0].new_zeros(len(wide), low, high, dtype=self.dtype))
            if wide[own]:
                steps[-1][own] = orthogonalised(torch.stack(wide[own]), self.dtype)
        self.workers.sum(steps)
        for ((low, high), entries), found in zip(shapes.items(), steps, strict=True):
            for step, (part, direction, group) in zip(found.float(), entries, strict=True):
                part.mul_(1 - group["lr"] * group["weight_decay"])
                turned = step if direction.shape == (low, high) else step.mT
                part.sub_(turned.reshape(part.shape), alpha=group["lr"] * 0.2 * high**0.5)


def optimizers(
    network: nn.Module,
    learning_rate: float,
    weight_decay: float,
    muon: bool,
    workers: Workers = Workers(),  # noqa: B008  (frozen)
    dtype: torch.dtype = torch.bfloat16,
) -> list[torch.optim.Optimizer]:
    """AdamW over all parameters that are trained, or Muon over the blocks' matrices and AdamW over
    the rest.

    dtype: in which Muon orthogonalises; bfloat16 is exact enough for it.
    """
    fused: dict[int, list[Tensor]] = defaultdict(list)
    matrices, others = [], []
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        layer = name.removesuffix(".weight").rpartition(".")[2]
        if muon and "blocks." in name and layer in HIDDEN:
            fused[FUSED.get(layer, 1)].append(parameter)
        elif parameter.ndim == 2 and "word" not in name:
            matrices.append(parameter)
        else:
            others.append(parameter)
    made: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(
            [
                {"params": matrices, "weight_decay": weight_decay},
                {"params": others, "weight_decay": 0.0},
            ],
            lr=learning_rate,
            betas=(0.9, 0.95),
            fused=True,
        )
    ]
    if fused:
        groups = [{"params": params, "parts": parts} for parts, params in fused.items()]
        made.append(Muon(groups, learning_rate, weight_decay, workers, dtype))
    return made

"""What each part of a picture shows, as a second thing to learn: a head that is there in training.

A render knows of every pixel what it is (`data/pictures.py`, LABELS). One linear layer tells it
from the transformer's tokens at mid-depth, of the noisy picture, for cells of two pixels; its
cross-entropy is added to the velocity loss. So the lower half learns early where suit, hands and
instrument are, and the model that is written has no trace of it. In the line of REPA (Yu et al.
2025), whose target is the features of somebody else's network; ours costs nothing and is right.

Level 2. Next: `checkpoints.py` keeps the head beside the network, `train.py` adds its loss.

Shapes as in `model.py`; c = P / CELL cells a side of a token, n = c G cells a side of a picture.
"""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812  (its name everywhere)
from torch import Tensor, nn

from rocketman.model import DiffusionTransformer

CELL = 2
"""Pixels a side of what gets one label."""


class Labelling(nn.Module):
    """A network and the head that labels what its middle tokens see."""

    def __init__(self, network: DiffusionTransformer, count: int) -> None:
        """count: of labels."""
        super().__init__()
        self.network = network
        self.cells, self.count = network.config.patch_size // CELL, count
        self.head = nn.Linear(network.config.width, self.cells**2 * count)

    def forward(
        self, x: Tensor, t: Tensor, tokens: Tensor, guess: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """As the network, and logits (B, count, n, n)."""
        clean, middle = self.network.drawn(x, t, tokens, guess)  # middle (B, T, D)
        logits = self.head(F.layer_norm(middle, middle.shape[-1:])).float()
        B, T, _ = logits.shape
        G, c = round(T**0.5), self.cells
        logits = logits.reshape(B, G, G, c, c, self.count).permute(0, 5, 1, 3, 2, 4)
        return clean, logits.reshape(B, self.count, G * c, G * c)

"""The probes' network: a small convolutional one, with a head a factor and an eye for one of them.

Where data sets say where instruments are, it learns what each cell of 8 x 8 pixels shows, and what
it sees there is added to what it sees in the whole picture. Next: `probe_training.py`.

Shapes: B batch, S = SIZE.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812  (its name everywhere)
from torch import Tensor, nn

SIZE = 128
"""Pixels. At equal cost (the first layer strides to 32 x 32) 128 read more than 64 did."""
WIDTHS = (24, 40, 64, 128)
FEATURES = 128


class ProbeNetwork(nn.Module):
    """(B, 3, S, S) in [-1, 1] -> logits of each factor, features (B, FEATURES)."""

    def __init__(self, levels: Sequence[int], mirror: bool, sought: int | None = None) -> None:
        """sought: which factor it learns the place of; its last level is "none"."""
        super().__init__()
        self.mirror = mirror
        """Whether a mirrored picture shows the same: then, trained, it looks at both."""
        stem, small, middle, large = WIDTHS
        self.near = nn.Sequential(
            convolution(3, stem, 3, 2),  # 64 x 64
            convolution(stem, small, 3, 2),  # 32 x 32
            Residual(small),
            Residual(small),
            convolution(small, middle, 3, 2),  # 16 x 16
            Residual(middle),
            Residual(middle),
        )
        self.far = nn.Sequential(
            convolution(middle, large, 3, 2),  # 8 x 8
            Residual(large),
            Residual(large),
            convolution(large, FEATURES, 1, 1),
        )
        self.where = nn.Conv2d(middle, levels[sought], 1) if sought is not None else None
        self.there = nn.Linear(middle, FEATURES) if sought is not None else None
        self.heads = nn.ModuleList(nn.Linear(FEATURES, count) for count in levels)
        self.temperatures = nn.Parameter(torch.ones(len(levels)), requires_grad=False)

    def forward(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        features = self.features(x)[0]
        if self.mirror and not self.training:
            features = (features + self.features(x.flip(3))[0]) / 2
        return self.said(features), features

    def said(self, features: Tensor) -> list[Tensor]:
        """(B, FEATURES) -> logits of each factor."""
        pairs = zip(self.heads, self.temperatures, strict=True)
        return [head(features) / temperature for head, temperature in pairs]

    def features(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """(B, FEATURES), and logits (B, levels, 16, 16) of what is sought cell by cell."""
        near = self.near(x)  # (B, middle, 16, 16)
        h = self.far(near)  # (B, FEATURES, 8, 8)
        # the mean tells how much of something there is, the maximum whether: an instrument is small
        pooled: Tensor = h.mean(dim=(2, 3)) + h.amax(dim=(2, 3))
        if self.where is None or self.there is None:
            return pooled, None
        cells = self.where(near)
        found = (cells[:, :-1].logsumexp(dim=1) - cells[:, -1]).flatten(1)  # (B, 256)
        seen = (near.flatten(2) * found.softmax(dim=1)[:, None]).sum(dim=2)  # (B, middle)
        return pooled + self.there(seen), cells


class Residual(nn.Module):
    """Two convolutions of 3 x 3 beside the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = convolution(width, width, 3, 1)
        self.second = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.norm(self.second(self.first(x))))


def convolution(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Sequential:
    """Convolution, batch normalisation (folded into it by the export), ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


class Exported(nn.Module):
    """What the file holds: pictures -> probabilities of each factor, features of unit length."""

    def __init__(self, network: ProbeNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: Tensor) -> tuple[Tensor, ...]:
        logits, features = self.network(pictures)
        return *(each.softmax(dim=1) for each in logits), F.normalize(features, dim=1)

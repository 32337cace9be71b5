"""The second stage's network, its critic, and its file in a model folder, `detail.onnx`.

Level 4. A small convolutional network draws a picture four times as large; another, for training
only, tells what it draws from renders. Next: `detail.py` trains both and writes the file.

Shapes: B batch, H small height and width, 4 H large ones; pictures in [-1, 1].
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812  (its name everywhere)
from torch import Tensor, nn

from rocketman.card import write_card
from rocketman.export import exported, halve
from rocketman.files import write_whole
from rocketman.weights import DETAIL, open_model

FACTOR = 4
CHANNELS, DEPTH = 64, (4, 6)
"""Features and residual layers at the small size, before and after the look around."""
AROUND_CHANNELS, AROUND_DEPTH = 96, 6
"""The same at half the small size: cheap there, and what sees how far an edge or a string goes."""
HALF_CHANNELS, HALF_DEPTH = 48, 3
"""The same at twice the small size."""
FULL_CHANNELS, FULL_DEPTH = 24, 1
"""The same at the full size."""

GAIN = 4.0
"""Of the verdicts: under spectral norms they hardly leave 0."""
WIDTHS = (6, 32, 64, 96, 128)
"""Channels of the critic's layers: at the full size and, but for the last, half as wide each."""


class DetailNetwork(nn.Module):
    """(B, 3, H, W) in [-1, 1] -> (B, 3, 4 H, 4 W).

    It grows by repeating pixels: layers that lay four pixels for one leave a weave (docs/log.md,
    2026-11-29, The weave; Odena et al. 2016, "Deconvolution and checkerboard artifacts").
    """

    def __init__(self) -> None:
        super().__init__()
        small, around, half, full = CHANNELS, AROUND_CHANNELS, HALF_CHANNELS, FULL_CHANNELS
        before, after = DEPTH
        self.first = layer(3, small)
        self.before = residual(small, before)
        self.around_in = layer(small, around)
        self.around = residual(around, AROUND_DEPTH)
        self.around_out = nn.Conv2d(around, small, 1)
        self.after = residual(small, after)
        self.half_in, self.half_body = layer(small, half), residual(half, HALF_DEPTH)
        self.full_in, self.full_body = layer(half, full), residual(full, FULL_DEPTH)
        self.last = layer(full, 3)
        for each in (self.first, self.half_in, self.full_in):  # by default they let little through
            nn.init.kaiming_normal_(each.weight, nonlinearity="relu")
        nn.init.zeros_(self.around_out.weight)
        nn.init.zeros_(self.last.weight)

    def forward(self, x: Tensor) -> Tensor:
        h = self._through(self.before, self.first(x))  # (B, CHANNELS, H, W)
        around = self.around_in(F.silu(F.avg_pool2d(h, 2)))  # (B, AROUND_CHANNELS, H/2, W/2)
        around = self.around_out(self._through(self.around, around))
        h = self._through(self.after, h + repeated(around))
        h = self._through(self.half_body, self.half_in(repeated(F.silu(h))))  # (B, ..., 2 H, 2 W)
        h = self._through(self.full_body, self.full_in(repeated(F.silu(h))))  # (B, ..., 4 H, 4 W)
        difference: Tensor = self.last(F.silu(h)).float()  # (B, 3, 4 H, 4 W)
        return enlarged(x) + difference

    @staticmethod
    def _through(layers: nn.ModuleList, h: Tensor) -> Tensor:
        for each in layers:
            h = h + each(F.silu(h))
        return h


def layer(channels: int, out: int) -> nn.Conv2d:
    """A convolution of 3 x 3 that keeps height and width."""
    return nn.Conv2d(channels, out, 3, padding=1)


def residual(channels: int, depth: int) -> nn.ModuleList:
    """Layers whose output is added to their input."""
    return nn.ModuleList(layer(channels, channels) for _ in range(depth))


def repeated(x: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, C, 2 H, 2 W), each pixel four times."""
    return F.interpolate(x, scale_factor=2, mode="nearest")


class Critic(nn.Module):
    """Tells renders from drawn pictures, patch by patch, beside the small picture they belong to.

    Spectral norms keep it gentle (Miyato et al. 2018). It shrinks by a blur of 1 2 1, in which all
    pixels count alike: strides would know some better than others, and what is drawn for
    them shows their grid (Zhang 2019, "Making convolutional networks shift-invariant again").
    """

    def __init__(self) -> None:
        super().__init__()
        layers = [layer(a, b) for a, b in pairwise(WIDTHS)] + [layer(WIDTHS[-1], WIDTHS[-1])]
        self.layers = nn.ModuleList(nn.utils.spectral_norm(each) for each in layers)
        self.verdict = nn.utils.spectral_norm(layer(WIDTHS[-1], 1))

    def forward(self, large: Tensor, beside: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Both (B, 3, H, W) -> verdicts (B, 1, about H/8, W/8), higher for a render, and the
        features it came by, one tensor a layer."""
        h = torch.cat([large, beside], dim=1)
        features: list[Tensor] = []
        for each in self.layers:
            if 0 < len(features) < len(WIDTHS) - 1:
                h = F.avg_pool2d(F.avg_pool2d(h, 2, 1), 2)
            h = F.leaky_relu(each(h), 0.2)
            features.append(h)
        return GAIN * self.verdict(h).float(), features


def enlarged(x: Tensor) -> Tensor:
    """Four times as large, bicubically: what the network starts from."""
    return F.interpolate(x, scale_factor=FACTOR, mode="bicubic", align_corners=False)


def write_detail(network: DetailNetwork, folder: Path) -> None:
    """Export into a model folder as detail.onnx: x (B, 3, H, W) -> x4 (B, 3, 4 H, 4 W)."""
    size = open_model(folder).image_size
    model = exported(network, {"x": torch.zeros(1, 3, size, size)}, ["x4"])
    halve(model.graph)
    write_whole(folder / DETAIL, model.SerializeToString())
    write_card(folder)  # figures of the model without it are no longer its figures

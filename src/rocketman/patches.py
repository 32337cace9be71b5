"""Lapped patches: a picture as overlapping squares, and back without a seam.

Patches of 2P pixels at stride P. Read: every token sees P/2 pixels of each neighbour. Written:
every pixel is a blend of up to four tokens under windows that sum to one, so no seam can show at
a patch's edge. (The lapped transforms of Malvar 1992, with a learned basis.)

Level 0. Next: `model.py` reads and writes pictures so.

Shapes: B batch, C channels, H W height and width, P patch, G = H / P patches a side.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812  (its name everywhere)
from torch import Tensor


def sizes(x: Tensor) -> tuple[int, ...]:
    """All sizes but the batch's, as numbers: what is exported then knows them, and works none of
    them out at every run (docs/log.md, 2026-11-30)."""
    return tuple(int(size) for size in x.shape[1:])


def parts(x: Tensor, count: int) -> tuple[Tensor, ...]:
    """`count` equal parts of the last axis; as `Tensor.chunk`, but of a known size."""
    return torch.split(x, sizes(x)[-1] // count, dim=-1)


def cut_patches(x: Tensor, patch: int) -> Tensor:
    """Picture (B, C, H, W) -> lapped patches (B, G, G, 4 * P * P * C), zeros beyond the edge."""
    x = F.pad(x, (patch // 2,) * 4)  # (B, C, H + P, W + P)
    C, height, width = sizes(x)
    tiles = x.reshape(-1, C, height // patch, patch, width // patch, patch)
    tiles = tiles.permute(0, 2, 4, 3, 5, 1)  # (B, G+1, G+1, P, P, C)
    tiles = tiles.reshape(-1, height // patch, width // patch, patch * patch * C)
    return torch.cat(
        [tiles[:, :-1, :-1], tiles[:, :-1, 1:], tiles[:, 1:, :-1], tiles[:, 1:, 1:]], dim=-1
    )


def join_patches(patches: Tensor, patch: int) -> Tensor:
    """Add up patches (B, G, G, 4 * P * P * C) -> picture (B, C, H, W); adjoint of cut_patches."""
    a, b, c, d = parts(patches, 4)  # quarters: (B, G, G, P * P * C)
    tiles = (
        F.pad(a, (0, 0, 0, 1, 0, 1))
        + F.pad(b, (0, 0, 1, 0, 0, 1))
        + F.pad(c, (0, 0, 0, 1, 1, 0))
        + F.pad(d, (0, 0, 1, 0, 1, 0))
    )  # (B, G+1, G+1, P * P * C)
    grid, _, _ = sizes(tiles)
    x = tiles.reshape(-1, grid, grid, patch, patch, 3).permute(0, 5, 1, 3, 2, 4)
    x = x.reshape(-1, 3, grid * patch, grid * patch)
    edge = patch // 2
    return x[:, :, edge:-edge, edge:-edge]


def lapped_windows(grid: int, patch: int) -> Tensor:
    """(G, G, 4 * P * P * C): sin^2 windows whose overlap-add is one at every pixel of the picture.

    Pixels near the border have fewer patches over them; dividing by their sum mends that.
    """
    ramp = torch.sin(torch.pi * (torch.arange(2 * patch) + 0.5) / (2 * patch)) ** 2
    square = ramp[:, None] * ramp[None, :]  # (2P, 2P)
    quarters = square.reshape(2, patch, 2, patch).permute(0, 2, 1, 3)  # (2, 2, P, P)
    windows = quarters[..., None].expand(2, 2, patch, patch, 3).reshape(1, 1, 1, -1)
    windows = windows.expand(1, grid, grid, -1)
    total = join_patches(windows, patch)  # (1, C, H, W), one inside, less near the border
    sums = cut_patches(total, patch)
    return (windows / torch.where(sums > 0, sums, 1.0) * (sums > 0))[0]

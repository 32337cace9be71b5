"""How a picture pulls at the weights: gradients of a model, small enough to keep for every picture.

A training picture shaped what a model draws as far as learning it moved the weights the way that
learning the drawn one would (TRAK, Park et al. 2023; on diffusion Georgiev et al. 2023 and Zheng et
al. 2024). The loss is taken without prompt, so that the pixels alone are judged: with it, the
gradients followed the prompt, also a wrong one (benchmarks/credits.md). At each of TIMES and for
each of the last layers the gradient is projected at random on both of its sides (Choe et al. 2024),
centred and whitened over the training pictures. Each pair of time and layer is a view, an estimate
of its own; how far the views agree says how sure their mean is.

`write_influence` keeps the training pictures' gradients in a model folder's index:

    training/gradients.npy           (N, views, DIMENSIONS) whitened, in 4 bits, two a byte; mapped
    training/influence.safetensors   their scales, what makes other pictures' comparable, and of
                                     which weights and pictures they are

Needs PyTorch (extra `train`), also to ask about a picture. Next: `credits.py` adds it all up.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from shlex import quote

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from rocketman import flow, sampling
from rocketman.audits.index import FOLDER, TABLE, npy
from rocketman.captions import PAD
from rocketman.data.batches import central_square, load_split, to_floats
from rocketman.export import load_network
from rocketman.files import write_whole
from rocketman.model import DiffusionTransformer, ImageBlock
from rocketman.weights import (
    Model,
    ModelError,
    Tensors,
    open_model,
    pack_tensors,
    read_tensors,
)

GRADIENTS, FRAME = "gradients.npy", "influence.safetensors"
TIMES = (0.2, 0.4, 0.6)
"""Where gradients are taken: a picture takes shape there; before is noise, after is texture."""
SIDE = 6
"""Numbers that each side of a layer's gradient is projected to."""
DIMENSIONS = SIDE * SIDE
DAMPING = 0.1
"""Of the whitening, as a share of the mean eigenvalue."""
BATCH = 32

Floats = NDArray[np.float32]


class Influence:
    """A model with the gradients of what it learnt from."""

    def __init__(self, folder: Path) -> None:
        """ModelError if the folder is no model, or keeps no gradients of these weights and of the
        pictures in its index."""
        self.model = open_model(folder)
        try:
            index = json.loads((folder / FOLDER / TABLE).read_text(encoding="utf-8"))["record"]
            self._codes: NDArray[np.uint8] = np.load(folder / FOLDER / GRADIENTS, mmap_mode="r")
            frame, about = read_tensors(folder / FOLDER / FRAME)
            self.mean, self.whitener = frame["mean"], frame["whitener"]
            self._scale: NDArray[np.float16] = frame["scale"]
            if about["model"] != self.model.hash:
                raise ValueError("they are of other weights")
            if about["data"] != index["data_hash"] or len(self._codes) != index["pictures"]:
                raise ValueError("they are of other pictures")
            if self._codes.shape[1:] != (len(self.mean), DIMENSIONS // 2):
                raise ValueError("they are written in another way")
        except (OSError, KeyError, ValueError) as error:
            raise ModelError(
                f"{folder} keeps no gradients of the training pictures in its index: "
                f"`rocketman audit index {quote(str(folder))} --data DIR` makes them."
            ) from error
        self.network = load_network(self.model.folder).requires_grad_(False)

    @cached_property
    def gradients(self) -> Floats:
        """(N, views, DIMENSIONS), whitened."""
        return uncoded(self._codes, self._scale)

    def scores(self, pictures: Sequence[Image.Image]) -> Floats:
        """(pictures, views, N): how much each training picture counts for each picture, by view.

        The mean square over the training pictures is 1 in each view.
        """
        asked = gradients(self.network, self.model, pictures)
        asked = whitened(asked, self.mean, self.whitener)
        found = np.einsum("qvd,nvd->qvn", asked, self.gradients)
        size = np.sqrt(np.square(found).mean(axis=2, keepdims=True))
        return np.asarray(found / np.maximum(size, 1e-12), np.float32)


def write_influence(
    folder: Path, data: Path, report: Callable[[str], None] = lambda line: None
) -> None:
    """Keep the gradients of a data set's train split in a model folder's index.

    ValueError if the data set cannot be read, ModelError if the folder is no model.
    """
    model = open_model(folder)
    network = load_network(model.folder).requires_grad_(False)
    train = load_split(data, "train", model.image_size, report)
    parts: list[Floats] = []
    for start in range(0, len(train.rows), BATCH):
        chosen = slice(start, start + BATCH)
        parts.append(projected(network, model, to_floats(train.pixels[chosen])))
        if start // BATCH % 10 == 9:
            report(f"index: gradients of {start + len(parts[-1])} of {len(train.rows)} pictures")
    found = np.concatenate(parts)
    mean, whitener = frame_of(found)
    (folder / FOLDER).mkdir(exist_ok=True)
    codes, scale = coded(whitened(found, mean, whitener))
    tensors: Tensors = {"mean": mean, "whitener": whitener, "scale": scale}
    write_whole(folder / FOLDER / GRADIENTS, npy(codes))
    about = {"model": model.hash, "data": train.hash}  # last: it says whose the gradients are
    write_whole(folder / FOLDER / FRAME, pack_tensors(tensors, about))


# --- gradients ----------------------------------------------------------------------------------


def gradients(
    network: DiffusionTransformer, model: Model, pictures: Sequence[Image.Image]
) -> Floats:
    """(pictures, views, DIMENSIONS) of pictures of any size."""
    parts = [np.zeros((0, len(TIMES) * len(layers(network)), DIMENSIONS), np.float32)]
    for start in range(0, len(pictures), BATCH):
        chosen = pictures[start : start + BATCH]
        pixels = [central_square(each.convert("RGB"), model.image_size) for each in chosen]
        parts.append(projected(network, model, to_floats(np.stack(pixels))))
    return np.concatenate(parts)


def layers(network: DiffusionTransformer) -> list[nn.Linear]:
    """The layers whose gradients count: outputs of the last two blocks and of the network."""
    blocks = [block for block in network.blocks if isinstance(block, ImageBlock)][-2:]
    return [*(part for block in blocks for part in (block.out, block.mlp.out)), network.patch_out]


def projected(network: DiffusionTransformer, model: Model, pixels: Floats) -> Floats:
    """(B, views, DIMENSIONS): gradients of the loss of pictures (B, 3, H, W) in [-1, 1].

    Of a linear layer a picture's gradient is the sum over its tokens of d a^T, the gradient of the
    token's output times its input. So each side is projected by itself, and one backward pass down
    to the first of the layers serves the whole batch. Every picture meets the same noise.
    """
    x1 = torch.from_numpy(pixels)
    no_prompt = torch.full((len(x1), network.config.context_length), PAD)
    inputs: list[Tensor] = []
    outputs: list[Tensor] = []

    def keep(layer: nn.Module, given: tuple[Tensor], made: Tensor) -> Tensor:
        made = made if made.requires_grad else made.requires_grad_()
        inputs.append(given[0].detach())
        outputs.append(made)
        return made

    views = []
    hooks = [layer.register_forward_hook(keep) for layer in layers(network)]
    try:
        for number, time in enumerate(TIMES):
            noise = torch.from_numpy(sampling.noise(number, tuple(x1.shape[1:])))
            t = torch.full((len(x1),), time)
            x = flow.on_path(x1, noise.expand_as(x1), t, model.noise_scale)
            loss = (network(x, t, no_prompt) - x1).square().sum()
            slopes = torch.autograd.grad(loss, outputs)
            for k, (given, slope) in enumerate(zip(inputs, slopes, strict=True)):
                left = slope @ projection(2 * k, slope.shape[-1])
                right = given @ projection(2 * k + 1, given.shape[-1])
                views.append(torch.einsum("btl,btr->blr", left, right).flatten(1))
            inputs.clear()
            outputs.clear()
    finally:
        for hook in hooks:
            hook.remove()
    return torch.stack(views, dim=1).numpy()


def projection(number: int, width: int) -> Tensor:
    """(width, SIDE) of random signs, the same on every machine."""
    bits = np.random.Philox(key=np.array([number, 1], np.uint64)).random_raw(width * SIDE)
    signs = (bits.astype(np.uint64) >> np.uint64(63)).astype(np.float32) * 2 - 1
    return torch.from_numpy(signs.reshape(width, SIDE) / np.float32(SIDE**0.5))


# --- making them comparable -----------------------------------------------------------------------


def frame_of(found: Floats) -> tuple[Floats, Floats]:
    """(mean (views, D), whitener (views, D, D)): (K + damping)^(-1/2) of each view's covariance."""
    mean = found.mean(axis=0)
    whitener = []
    for view in (found - mean).transpose(1, 0, 2):
        values, vectors = np.linalg.eigh(view.T.astype(np.float64) @ view / len(view))
        values = np.maximum(values, 0) + max(DAMPING * float(values.mean()), 1e-30)
        whitener.append((vectors / np.sqrt(values)) @ vectors.T)
    return mean, np.stack(whitener).astype(np.float32)


def whitened(found: Floats, mean: Floats, whitener: Floats) -> Floats:
    """(n, views, D) -> the same, centred and whitened view by view."""
    return np.asarray(np.einsum("nvd,vde->nve", found - mean, whitener), np.float32)


def coded(found: Floats) -> tuple[NDArray[np.uint8], NDArray[np.float16]]:
    """(n, views, D) -> the same in 4 bits, two a byte (n, views, D / 2), and the scale of each
    picture's views (n, views). What scores lose is little (docs/log.md, 2026-11-30)."""
    scale = np.maximum(np.abs(found).max(axis=2) / 7, 1e-4).astype(np.float16)
    levels = np.rint(found / scale[:, :, None].astype(np.float32))
    nibbles = (np.clip(levels, -7, 7) + 8).astype(np.uint8)
    return nibbles[..., ::2] << 4 | nibbles[..., 1::2], scale


def uncoded(codes: NDArray[np.uint8], scale: NDArray[np.float16]) -> Floats:
    """What `coded` wrote, (n, views, D)."""
    nibbles = np.stack([codes >> 4, codes & 15], axis=3).reshape(*scale.shape, -1)
    levels = nibbles.astype(np.float32) - 8
    return np.asarray(levels * scale[:, :, None].astype(np.float32), np.float32)

"""Training the probes: a small convolutional network with one head a factor.

Reads a data set's pictures and the factors in its metadata, all splits and, if given, more renders,
so that every pair is covered; writes `probes.onnx` into a model folder. What it is shown is cut,
tilted, recoloured a little, blurred, compressed and noised, because a generated picture is softer
than a render and softness must say nothing. One picture in six is kept from it: on those its heads
are calibrated (Guo et al. 2017) and its ceiling is measured. `rocketman audit index` calls this.
"""

from __future__ import annotations

import io
import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  (its name everywhere)
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from rocketman.audits.index import filled_splits
from rocketman.audits.probes import NONE, PROBES, level_names, parse
from rocketman.captions import FACTORS, words
from rocketman.data.batches import load_split, to_floats, to_pixels
from rocketman.export import exported, halve
from rocketman.files import write_whole
from rocketman.precision import autocast, faster

SIZE = 128
"""Pixels. At equal cost (the first layer strides to 32 x 32) 128 read more than 64 did."""
WIDTHS = (24, 40, 64, 128)
FEATURES = 128
BATCH, EPOCHS = 64, 50
LEARNING_RATE = 3e-3
HELD_OUT_EVERY = 6
MOST_WORDS = 64
SOFT_SIZES = (128, 96, 64, 48)
"""A picture is reduced to one of these and enlarged again."""


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """Pictures and what they show."""

    pixels: NDArray[np.uint8]
    """(N, SIZE, SIZE, 3)."""
    labels: NDArray[np.int64]
    """(N, factors)."""
    captions: tuple[str, ...]


class ProbeNetwork(nn.Module):
    """(B, 3, SIZE, SIZE) in [-1, 1] -> logits of each factor, features (B, FEATURES)."""

    def __init__(self, levels: Sequence[int], mirror: bool) -> None:
        super().__init__()
        self.mirror = mirror
        """Whether a mirrored picture shows the same: then, trained, it looks at both."""
        stem, small, middle, large = WIDTHS
        self.body = nn.Sequential(
            convolution(3, stem, 3, 2),  # 64 x 64
            convolution(stem, small, 3, 2),  # 32 x 32
            Residual(small),
            Residual(small),
            convolution(small, middle, 3, 2),  # 16 x 16
            Residual(middle),
            Residual(middle),
            convolution(middle, large, 3, 2),  # 8 x 8
            Residual(large),
            Residual(large),
            convolution(large, FEATURES, 1, 1),
        )
        self.heads = nn.ModuleList(nn.Linear(FEATURES, count) for count in levels)
        self.temperatures = nn.Parameter(torch.ones(len(levels)), requires_grad=False)

    def forward(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        features = self.features(x)
        if self.mirror and not self.training:
            features = (features + self.features(x.flip(3))) / 2
        logits = [
            head(features) / temperature
            for head, temperature in zip(self.heads, self.temperatures, strict=True)
        ]
        return logits, features

    def features(self, x: Tensor) -> Tensor:
        """(B, FEATURES)."""
        h = self.body(x)  # (B, FEATURES, 8, 8)
        # the mean tells how much of something there is, the maximum whether: an instrument is small
        pooled: Tensor = h.mean(dim=(2, 3)) + h.amax(dim=(2, 3))
        return pooled


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


# --- what there is to learn -------------------------------------------------------------------


def read(folders: Sequence[Path]) -> tuple[Labelled, dict[str, tuple[str, ...]]]:
    """All pictures of data sets, every split, with the levels of each factor that occur in them.

    A data set without columns of factors is labelled by the words of its captions: one factor a
    word, "none" where it is missing. ValueError if a folder is no data set.
    """
    splits = [
        load_split(folder, split, SIZE) for folder in folders for split in filled_splits(folder)
    ]
    rows = [row for split in splits for row in split.rows]
    columns = [name for name in FACTORS if any(row.get(name) for row in rows)]
    if columns:
        seen = [{name: str(row.get(name) or NONE) for name in columns} for row in rows]
    else:
        seen = by_words([row["text"] for row in rows])
    levels = {
        name: tuple(sorted({row[name] for row in seen}, key=lambda level: (level == NONE, level)))
        for name in (seen[0] if seen else ())
    }
    levels = {name: found for name, found in levels.items() if len(found) > 1}
    if not levels:
        raise ValueError(f"{folders[0]} has captions that are all the same: nothing to learn.")
    labels = [[found.index(row[name]) for name, found in levels.items()] for row in seen]
    return (
        Labelled(
            pixels=np.concatenate([split.pixels for split in splits]),
            labels=np.array(labels, dtype=np.int64),
            captions=tuple(row["text"] for row in rows),
        ),
        levels,
    )


def by_words(captions: Sequence[str]) -> list[dict[str, str]]:
    """One factor a word that tells captions apart, the most frequent ones."""
    sets = [set(words(caption)) for caption in captions]
    counts = Counter(word for found in sets for word in found)
    telling = [word for word, n in counts.most_common() if 0.005 < n / len(sets) < 0.9]
    return [
        {word: word if word in found else NONE for word in telling[:MOST_WORDS]} for found in sets
    ]


def implied(data: Labelled, levels: dict[str, tuple[str, ...]]) -> dict[str, dict[str, str]]:
    """Pattern of caption -> the levels that it fixes without naming them.

    Only patterns of ten captions or more, and only what at least 99 % of them agree on.
    """
    names = level_names(levels)
    unnamed: dict[str, list[dict[str, str]]] = defaultdict(list)
    for caption, labels in zip(data.captions, data.labels, strict=True):
        pattern, named = parse(caption, names)
        shown = zip(levels, labels, strict=True)
        unnamed[" ".join(pattern)].append(
            {factor: levels[factor][k] for factor, k in shown if factor not in named}
        )
    rules = {}
    for form, rows in unnamed.items():
        common = Counter(item for row in rows for item in row.items())
        fixed = dict(item for item, n in common.items() if n >= 0.99 * len(rows))
        if len(rows) >= 10 and fixed:
            rules[form] = fixed
    return rules


# --- what it is shown -------------------------------------------------------------------------


def worsen(pixels: NDArray[np.uint8], rng: np.random.Generator, mirror: bool) -> Tensor:
    """uint8 (B, S, S, 3) -> (B, 3, S, S) in [-1, 1], each picture changed in its own way.

    A share of the batch is reduced to each of SOFT_SIZES, changed there and enlarged again.
    """
    x, size = torch.from_numpy(to_floats(pixels)), pixels.shape[1]
    parts = []
    for part, smaller in zip(x.chunk(len(SOFT_SIZES)), rng.permutation(SOFT_SIZES), strict=False):
        part = F.interpolate(part, size=int(smaller), mode="area") if smaller < size else part
        part = noised(recoloured(compressed(moved(part, rng, mirror), rng), rng), rng)
        parts.append(F.interpolate(part, size=size, mode="bilinear", align_corners=False))
    return torch.cat(parts)


def draw(rng: np.random.Generator, low: float, high: float, count: int) -> Tensor:
    return torch.from_numpy(rng.uniform(low, high, (count, 1, 1, 1)).astype(np.float32))


def moved(x: Tensor, rng: np.random.Generator, mirror: bool) -> Tensor:
    """Zoomed, shifted, tilted, bent a little: a generated shape is never quite straight."""
    count, size = len(x), x.shape[-1]
    angle, zoom = rng.normal(0, 0.07, count), rng.uniform(0.8, 1.1, count)
    across = zoom * (rng.choice((-1, 1), count) if mirror else 1)
    cos, sin = np.cos(angle), np.sin(angle)
    shift = rng.uniform(-0.1, 0.1, (2, count))
    matrix = np.stack([[across * cos, -zoom * sin, shift[0]], [across * sin, zoom * cos, shift[1]]])
    theta = torch.from_numpy(matrix.transpose(2, 0, 1).astype(np.float32))
    grid = F.affine_grid(theta, [count, 3, size, size], align_corners=False)
    bend = torch.from_numpy(rng.normal(0, 0.02, (count, 2, 6, 6)).astype(np.float32))
    bend = F.interpolate(bend, size=(size, size), mode="bilinear", align_corners=False)
    return F.grid_sample(
        x, grid + bend.permute(0, 2, 3, 1), padding_mode="reflection", align_corners=False
    )


def recoloured(x: Tensor, rng: np.random.Generator) -> Tensor:
    """Brightness, saturation and tint, mildly: the colour of a suit is what a probe must read."""
    count = len(x)
    gain, lift = draw(rng, 0.8, 1.25, count), draw(rng, -0.1, 0.1, count)
    tint = 1 + 0.03 * torch.from_numpy(rng.standard_normal((count, 3, 1, 1), np.float32))
    grey = x.mean(dim=1, keepdim=True)
    x = grey + draw(rng, 0.7, 1.2, count) * (x - grey)
    return ((x + 1) * (gain * tint) - 1 + lift).clamp(-1, 1)


def noised(x: Tensor, rng: np.random.Generator) -> Tensor:
    """A third of the pictures with noise."""
    some = x[: len(x) // 3]
    noise = torch.from_numpy(rng.standard_normal(some.shape, np.float32))
    some += draw(rng, 0, 0.08, len(some)) * noise
    return x


def compressed(x: Tensor, rng: np.random.Generator) -> Tensor:
    """A third of the pictures through JPEG."""
    for k in np.flatnonzero(rng.random(len(x)) < 1 / 3):
        buffer = io.BytesIO()
        [pixels] = to_pixels(x[k : k + 1].numpy())
        Image.fromarray(pixels).save(buffer, "JPEG", quality=int(rng.integers(25, 95)))
        x[k] = torch.from_numpy(to_floats(np.asarray(Image.open(buffer))[None])[0])
    return x


# --- the loop ---------------------------------------------------------------------------------


def train_probes(
    folders: Sequence[Path],
    epochs: float = EPOCHS,
    report: Callable[[str], None] = lambda line: None,
) -> bytes:
    """Train on data sets and return the file's bytes. ValueError if there is nothing to learn."""
    data, levels = read(folders)
    held = np.random.default_rng(0).permutation(len(data.labels)) % HELD_OUT_EVERY == 0
    mirror = not {"left", "right"} & {word for text in data.captions for word in words(text)}
    network = ProbeNetwork([len(found) for found in levels.values()], mirror)
    fit(network, data.pixels[~held], data.labels[~held], epochs, mirror, report)
    calibrate(network, data.pixels[held], data.labels[held])
    figures = accuracy(network, data.pixels[held], data.labels[held], list(levels))
    report(", ".join(f"{name} {share:.1%}" for name, share in figures.items()))
    record = {
        "size": SIZE,
        "levels": levels,
        "implied": implied(data, levels),
        "ceiling": figures["joint"],
        "accuracy": figures,
        "pictures": int((~held).sum()),
        "held_out": int(held.sum()),
    }
    return pack(network, record, list(levels))


def fit(
    network: ProbeNetwork,
    pixels: NDArray[np.uint8],
    labels: NDArray[np.int64],
    epochs: float,
    mirror: bool,
    report: Callable[[str], None],
) -> None:
    """AdamW; the learning rate rises over a twentieth of the steps and falls on half a cosine."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    network.train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    steps = max(1, round(epochs * len(pixels) / BATCH))
    optimizer = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, LEARNING_RATE, total_steps=steps + 1, pct_start=0.05
    )
    precision = faster("cpu")
    started, batches = time.monotonic(), shuffled(len(pixels), rng)
    for step in range(steps):
        chosen = next(batches)
        x = worsen(pixels[chosen], rng, mirror).contiguous(memory_format=torch.channels_last)
        y = torch.from_numpy(labels[chosen])
        with autocast(precision, "cpu"):
            logits, _ = network(x)
        losses = [F.cross_entropy(each.float(), y[:, k]) for k, each in enumerate(logits)]
        loss = torch.stack(losses).sum()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        if (step + 1) % 200 == 0 or step + 1 == steps:
            seconds = time.monotonic() - started
            report(f"probes: step {step + 1} of {steps}, loss {loss.item():.3f}, {seconds:.0f} s")
    network.eval()


def shuffled(count: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Batches without end, each picture once an epoch; a last half batch is left out."""
    size = min(BATCH, count)
    while True:
        order = rng.permutation(count)
        for start in range(0, count - size + 1, size):
            yield order[start : start + size]


@torch.no_grad()
def logits_of(network: ProbeNetwork, x: Tensor) -> list[Tensor]:
    batches = torch.split(x, 64)
    parts = [network(each.contiguous(memory_format=torch.channels_last))[0] for each in batches]
    return [torch.cat(each) for each in zip(*parts, strict=True)]


def calibrate(network: ProbeNetwork, pixels: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
    """The temperature of each head that makes held-out, worsened pictures most likely."""
    x = worsen(pixels, np.random.default_rng(1), mirror=False)
    for k, logits in enumerate(logits_of(network, x)):
        y = torch.from_numpy(labels[:, k])
        tried = [2 ** (n / 8) for n in range(-8, 25)]
        network.temperatures[k] = min(tried, key=lambda t: float(F.cross_entropy(logits / t, y)))


def accuracy(
    network: ProbeNetwork, pixels: NDArray[np.uint8], labels: NDArray[np.int64], names: list[str]
) -> dict[str, float]:
    """Share of pictures of which each factor, and all of them ("joint"), is read rightly."""
    found = torch.stack(
        [each.argmax(dim=1) for each in logits_of(network, torch.from_numpy(to_floats(pixels)))], 1
    ).numpy()
    right = found == labels
    shares = {name: float(right[:, k].mean()) for k, name in enumerate(names)}
    return {"joint": float(right.all(axis=1).mean()), **shares}


def pack(network: ProbeNetwork, record: dict[str, object], names: list[str]) -> bytes:
    """The network as ONNX with 16-bit weights and our record in its metadata."""
    given = {"pictures": torch.zeros(1, 3, SIZE, SIZE)}
    model = exported(Exported(network).eval(), given, [*names, "features"])
    halve(model.graph)
    entry = model.metadata_props.add()
    entry.key, entry.value = "rocketman", json.dumps(record, ensure_ascii=False)
    return bytes(model.SerializeToString())


def write_probes(
    model: Path, folders: Sequence[Path], report: Callable[[str], None] = lambda line: None
) -> None:
    """Train probes on these data sets and write them into a model folder."""
    write_whole(model / PROBES, train_probes(folders, report=report))

"""Training the probes: a small convolutional network with one head a factor.

Reads a data set's pictures and the factors in its metadata, all splits and, if given, more renders,
so that every pair is covered; writes `probes.onnx` into a model folder. What it is shown is changed
(`probe_views.py`), because a generated picture is softer than a render and softness must say
nothing. A data set that says where instruments are teaches it where to look. One picture in six is
kept from it, of the renders if there are enough, since what is trained on may be thumbnails: on
those its heads are calibrated (Guo et al. 2017) and its ceiling is measured.
`rocketman audit index` calls this.

Shapes: B batch, S = SIZE.
"""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  (its name everywhere)
from numpy.typing import NDArray
from torch import Tensor, nn

from rocketman.audits.index import filled_splits
from rocketman.audits.probe_network import SIZE, Exported, ProbeNetwork
from rocketman.audits.probe_views import worsen
from rocketman.audits.probes import NONE, level_names, parse
from rocketman.captions import FACTORS, Split, words
from rocketman.data.batches import Pictures, load_split, to_floats
from rocketman.data.beside import load_masks
from rocketman.export import exported, halve
from rocketman.files import write_whole
from rocketman.optimizer import Muon
from rocketman.precision import autocast, faster
from rocketman.weights import PROBES

BATCH, EPOCHS, MOST_STEPS = 64, 50, 5000
"""It ends at whichever comes first."""
LEARNING_RATE, KERNELS_RATE = 3e-3, 1.5e-2
"""Of AdamW; of Muon, which trains the kernels: in 250 steps 41 % are read where AdamW alone reads
17 % (docs/log.md, 2026-11-30)."""
DECAY = 0.02
HELD_OUT_EVERY, FEWEST = 6, 100
"""Of pictures that are kept from training; fewer of renders say too little."""
LEAST_STEPS = 20
"""The learning rate needs some to rise and fall."""
MOST_WORDS = 64
SOUGHT = "instrument"
"""The factor that data sets say the place of."""
COMPANY = "relation"
"""The factor by whose levels ceilings differ: what floats beside an astronaut is smaller."""
WHERE, ELSEWHERE = 0.5, 0.05
"""Weights of the loss of where it is beside that of what it is, and in it of a cell without it."""


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """Pictures and what they show."""

    pixels: NDArray[np.uint8]
    """(N, SIZE, SIZE, 3)."""
    labels: NDArray[np.int64]
    """(N, factors)."""
    masks: NDArray[np.uint8]
    """(N, SIZE, SIZE): the instrument's share of each pixel, 255 for all of it; 0 where the data
    set does not say."""
    kept: NDArray[np.bool_]
    """(N,): whether some of them may be kept from training."""
    captions: tuple[str, ...]

    def __getitem__(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> Labelled:
        captions = np.array(self.captions, dtype=object)[which]
        return Labelled(
            pixels=self.pixels[which],
            labels=self.labels[which],
            masks=self.masks[which],
            kept=self.kept[which],
            captions=tuple(captions),
        )


# --- what there is to learn -------------------------------------------------------------------


def read(folders: Sequence[Path]) -> tuple[Labelled, dict[str, tuple[str, ...]]]:
    """All pictures of data sets, every split, with the levels of each factor that occur in them.

    Data sets without columns of factors are labelled by the words of their captions: one factor a
    word, "none" where it is missing. ValueError if a folder is no data set, comes twice, or has no
    such columns where others have.
    """
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise ValueError(
            "A data set was given twice: renders should be others than it was trained on."
        )
    found = [(folder, split) for folder in folders for split in filled_splits(folder)]
    splits = [load_split(folder, split, SIZE) for folder, split in found]
    rows = [row for split in splits for row in split.rows]
    columns = [name for name in FACTORS if any(row.get(name) for row in rows)]
    for (folder, _), split in zip(found, splits, strict=True):
        silent = not any(row.get(name) for row in split.rows for name in columns)
        if columns and split.rows and silent:
            raise ValueError(
                f"{folder} does not say what its pictures show ({', '.join(columns)}) as the other "
                "data set does: probes of its captions are trained without --renders."
            )
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
        raise ValueError(
            f"{folders[0]} has no word that some captions share and others lack: nothing to learn."
        )
    labels = [[found.index(row[name]) for name, found in levels.items()] for row in seen]
    return (
        Labelled(
            pixels=np.concatenate([split.pixels for split in splits]),
            labels=np.array(labels, dtype=np.int64),
            masks=np.concatenate(
                [masks_of(*place, split) for place, split in zip(found, splits, strict=True)]
            ),
            kept=np.repeat(
                [len(folders) == 1 or folder != folders[0] for folder, _ in found],
                [len(split.rows) for split in splits],
            ),
            captions=tuple(row["text"] for row in rows),
        ),
        levels,
    )


def held_out(kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(N,): one picture in HELD_OUT_EVERY of those that may be, of all where these are too few."""
    if kept.sum() < FEWEST * HELD_OUT_EVERY:
        kept = np.ones_like(kept)
    held = np.zeros_like(kept)
    order = np.random.default_rng(0).permutation(np.flatnonzero(kept))
    held[order[::HELD_OUT_EVERY]] = True
    return held


def masks_of(folder: Path, split: Split, pictures: Pictures) -> NDArray[np.uint8]:
    """(N, SIZE, SIZE), see `Labelled`."""
    try:
        return load_masks(folder, split, pictures, SIZE)
    except ValueError:  # many data sets do not say, or not of all
        return np.zeros((len(pictures.rows), SIZE, SIZE), np.uint8)


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


# --- the loop ---------------------------------------------------------------------------------


def train_probes(
    folders: Sequence[Path],
    steps: int | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> bytes:
    """Train on data sets and return the file's bytes. ValueError if there is nothing to learn."""
    data, levels = read(folders)
    held = held_out(data.kept)
    seen, unseen = data[~held], data[held]
    mirror = not {"left", "right"} & {word for text in data.captions for word in words(text)}
    told = data.masks.any() and levels.get(SOUGHT, ("",))[-1] == NONE
    sought = list(levels).index(SOUGHT) if told else None
    network = ProbeNetwork([len(found) for found in levels.values()], mirror, sought)
    epochs = round(EPOCHS * len(seen.labels) / BATCH)
    steps = steps or min(MOST_STEPS, max(LEAST_STEPS, epochs))
    fit(network, seen, steps, sought, report)
    calibrate(network, unseen)
    right = rightly(network, unseen)
    whole = np.asarray(right.all(axis=1))
    figures = {name: float(right[:, k].mean()) for k, name in enumerate(levels)}
    report(f"all right {whole.mean():.1%}: {shares(figures)}")
    ceilings = by_level(whole, unseen, levels, COMPANY)
    if ceilings:
        report(f"of each {COMPANY}: {shares(ceilings)}")
    record = {
        "size": SIZE,
        "levels": levels,
        "implied": implied(data, levels),
        "ceiling": float(whole.mean()),
        "ceilings": ceilings,
        "accuracy": figures,
        "pictures": int((~held).sum()),
        "held_out": int(held.sum()),
    }
    return pack(network, record, list(levels))


def fit(
    network: ProbeNetwork,
    data: Labelled,
    steps: int,
    sought: int | None,
    report: Callable[[str], None],
) -> None:
    """The learning rates rise over a twentieth of the steps and fall on half a cosine."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    network.train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    steppers = optimizers(network)
    schedules = [
        torch.optim.lr_scheduler.OneCycleLR(
            each, each.defaults["lr"], total_steps=steps + 1, pct_start=0.05, cycle_momentum=False
        )
        for each in steppers
    ]
    precision = faster("cpu")
    started, batches = time.monotonic(), shuffled(len(data.labels), rng)
    for step in range(steps):
        chosen = next(batches)
        x, masks = worsen(data.pixels[chosen], data.masks[chosen], rng, network.mirror)
        y = torch.from_numpy(data.labels[chosen])
        with autocast(precision, "cpu"):
            features, cells = network.features(x.contiguous(memory_format=torch.channels_last))
            logits = network.said(features)
        losses = [F.cross_entropy(each.float(), y[:, k]) for k, each in enumerate(logits)]
        loss = torch.stack(losses).sum()
        if cells is not None and sought is not None:
            loss = loss + WHERE * misplaced(cells.float(), y[:, sought], masks)
        network.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        for stepper, schedule in zip(steppers, schedules, strict=True):
            stepper.step()
            schedule.step()
        if (step + 1) % 200 == 0 or step + 1 == steps:
            seconds = time.monotonic() - started
            report(f"probes: step {step + 1} of {steps}, loss {loss.item():.3f}, {seconds:.0f} s")
    network.eval()


def optimizers(network: ProbeNetwork) -> list[torch.optim.Optimizer]:
    """Muon over the kernels but the first layer's, AdamW over the rest."""
    inner = [*network.near[1:].parameters(), *network.far.parameters()]
    kernels = [parameter for parameter in inner if parameter.ndim == 4]
    chosen = set(kernels)
    rest = [each for each in network.parameters() if each.requires_grad and each not in chosen]
    return [
        Muon([{"params": kernels, "parts": 1}], KERNELS_RATE, DECAY, dtype=torch.float32),
        torch.optim.AdamW(rest, LEARNING_RATE, weight_decay=DECAY),
    ]


def misplaced(cells: Tensor, sought: Tensor, masks: Tensor) -> Tensor:
    """Cross-entropy of the cells (B, levels, H, W), which should show what is sought (B,) where it
    covers a quarter of them, and else nothing; masks (B, 1, S, S). Without pictures that show it
    and do not say where."""
    _, levels, high, wide = cells.shape
    none = levels - 1
    cover = F.adaptive_avg_pool2d(masks, (high, wide))[:, 0]  # (B, H, W)
    there = (cover > 0.25) & (sought != none)[:, None, None]
    wanted = torch.where(there, sought[:, None, None], none)
    known = (sought == none) | there.flatten(1).any(dim=1)
    weight = torch.where(there, 1.0, ELSEWHERE) * known[:, None, None]
    loss = F.cross_entropy(cells, wanted, reduction="none")
    return (weight * loss).sum() / weight.sum().clamp_min(1)


def shuffled(count: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Batches without end, each picture once an epoch; a last half batch is left out."""
    size = min(BATCH, count)
    while True:
        order = rng.permutation(count)
        for start in range(0, count - size + 1, size):
            yield order[start : start + size]


def few(data: Labelled, count: int = 64) -> Iterator[Labelled]:
    """Some at a time: as floats they take four times the memory, and more on their way."""
    every = np.arange(len(data.labels))
    for start in range(0, len(every), count):
        yield data[every[start : start + count]]


@torch.no_grad()
def logits_of(network: ProbeNetwork, batches: Iterable[Tensor]) -> list[Tensor]:
    parts = [network(each.contiguous(memory_format=torch.channels_last))[0] for each in batches]
    return [torch.cat(each) for each in zip(*parts, strict=True)]


def calibrate(network: ProbeNetwork, data: Labelled) -> None:
    """The temperature of each head that makes held-out, worsened pictures most likely."""
    rng = np.random.default_rng(1)
    worse = (worsen(some.pixels, some.masks, rng, mirror=False)[0] for some in few(data))
    for k, logits in enumerate(logits_of(network, worse)):
        y = torch.from_numpy(data.labels[:, k])
        tried = [2 ** (n / 8) for n in range(-8, 25)]
        network.temperatures[k] = min(tried, key=lambda t: float(F.cross_entropy(logits / t, y)))


def rightly(network: ProbeNetwork, data: Labelled) -> NDArray[np.bool_]:
    """(N, factors): whether each factor is read rightly."""
    logits = logits_of(network, (torch.from_numpy(to_floats(some.pixels)) for some in few(data)))
    read = torch.stack([each.argmax(dim=1) for each in logits], 1).numpy()
    return np.asarray(read == data.labels)


def by_level(
    whole: NDArray[np.bool_], data: Labelled, levels: dict[str, tuple[str, ...]], factor: str
) -> dict[str, float]:
    """Share of pictures of each level of a factor that are read rightly in everything; of none if
    the data set has no such factor."""
    if factor not in levels:
        return {}
    shown = data.labels[:, list(levels).index(factor)]
    return {
        level: float(whole[shown == k].mean())
        for k, level in enumerate(levels[factor])
        if (shown == k).any()
    }


def shares(found: dict[str, float]) -> str:
    return ", ".join(f"{name} {share:.1%}" for name, share in found.items())


def pack(network: ProbeNetwork, record: dict[str, object], names: list[str]) -> bytes:
    """The network as ONNX with 16-bit weights and our record in its metadata."""
    given = {"pictures": torch.zeros(1, 3, SIZE, SIZE)}
    outputs = [f"factor{k}" for k in range(len(names))]  # a word could be named like the input
    model = exported(Exported(network).eval(), given, [*outputs, "features"])
    halve(model.graph)
    entry = model.metadata_props.add()
    entry.key, entry.value = "rocketman", json.dumps(record, ensure_ascii=False)
    return bytes(model.SerializeToString())


def write_probes(
    model: Path, folders: Sequence[Path], report: Callable[[str], None] = lambda line: None
) -> None:
    """Train probes on these data sets and write them into a model folder."""
    write_whole(model / PROBES, train_probes(folders, report=report))

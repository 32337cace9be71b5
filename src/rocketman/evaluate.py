"""A model -> one table of figures: does it draw what is asked, does it look real, does it copy?

Level 5. Draws pictures of three groups of prompts (pairs of suit and instrument that training saw,
pairs that it kept out, instruments that no astronaut ever played there), reads them with the
model's probes, and compares all with its training pictures and those of held-out pairs with real
renders of the same pairs. Nothing is picked: one try a prompt. `keep` writes figures and a sheet
into the model's folder, and its card anew (`card.py`). Next: `cli_train.py` prints the table.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from rocketman import __version__, sheet
from rocketman.audits.distances import frechet_distance, kernel_distance, told_apart
from rocketman.audits.index import MEASURES, TrainingIndex, images, load_index, spaced
from rocketman.audits.newness import CLOSE, newness, percentiles
from rocketman.audits.probes import Probes, load_probes
from rocketman.captions import (
    FACTORS,
    SHOTS,
    Factors,
    Split,
    heldout_pairs,
    split_of,
    unplayed,
    with_view,
)
from rocketman.card import FIGURES, SAMPLES, write_card, yardstick
from rocketman.data.batches import load_split
from rocketman.files import write_whole
from rocketman.generate import Picture, Pipeline, Step, load
from rocketman.prompts import known_levels
from rocketman.weights import ModelError, embedded

GROUPS = ("seen", "heldout", "unplayed")
RESAMPLES = 2000


@dataclass(frozen=True)
class Group:
    """How often everything that the prompts of a group ask for is in the picture."""

    joint: float
    """Share of pictures in which the probes find suit, instrument, relation and place all right."""
    ceiling: float
    """The probes' own joint accuracy on real renders that they never saw, of the same relations."""
    low: float
    """Ends of the 95 % interval of `joint`: see `measured`."""
    high: float
    n: int


@dataclass(frozen=True)
class Evaluation:
    """The table. What could not be measured is None."""

    model: str
    groups: dict[str, Group]
    kid: float | None
    """Kernel Inception Distance's unbiased estimate, on the probes' features, not Inception's;
    between pictures of held-out pairs, drawn and real: like with like."""
    kid_low: float | None
    """Ends of its 95 % interval: see `kernel_distance`."""
    kid_high: float | None
    kid_p: float | None
    """How often a random split of real and generated pictures is as far apart: permutation test."""
    frechet: float | None
    """Frechet distance of the same features. It shrinks with more pictures, where `kid` stays."""
    c2st: float | None
    """Share of these rightly told apart, real or drawn, by a linear classifier; 0.5 is chance."""
    copy_rate: float
    """Share nearer to a training picture than 99 % of real renders are that it never saw."""
    copy_rate_control: float
    """The same share of the real ones, by which that distance is set: about 1 %."""
    held_out: bool
    """Whether these are pictures kept from training, not training pictures beside the others."""
    indexed: int
    """How many training pictures were compared with,"""
    learnt: int
    """and how many the model learnt from."""
    probes: str
    """SHA-256 of the probes that read the pictures."""
    model_hash: str
    """Of the weights that were measured."""
    split: str
    """Whose held-out pairs were asked for."""
    seed: int
    real: int
    """How many real held-out renders were compared with."""
    real_hash: str | None
    """SHA-256 of their split's metadata: which renders these are."""
    version: str
    """Of this package."""
    date: str

    @property
    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def prompts_of(
    group: str, split: Split, vocabulary: tuple[str, ...], count: int, seed: int
) -> list[str]:
    """`count` captions of a group that the model has words for; none if it has none.

    With the shots that renders have, as often, for a model that knows of shots.
    """
    levels = known_levels(vocabulary)
    pairs = []
    for suit in levels["suit"]:
        for instrument in levels["instrument"]:
            kept_for = split_of(suit, instrument)
            never = instrument in unplayed()
            belongs = {
                "seen": kept_for == "train",
                "heldout": kept_for == split and not never,
                "unplayed": kept_for == split and never,
            }
            if belongs[group]:
                pairs.append((suit, instrument))
    if not pairs or not levels["place"]:
        return []
    rng = random.Random(f"rocketman evaluate {group} {seed}")
    prompts = []
    for k in range(count):
        suit, instrument = pairs[k % len(pairs)]
        beside = rng.random() < 0.2 and group != "unplayed"
        relation = "beside" if beside else "playing"
        place = rng.choice(levels["place"])
        factors = Factors(relation=relation, place=place, suit=suit, instrument=instrument)
        shot = rng.choices(list(SHOTS), weights=list(SHOTS.values()))[0]
        view = shot if shot in vocabulary else ""
        prompts.append(with_view(factors.caption, view))
    return prompts


def evaluate(
    model: Path | str | None,
    data: Path | None,
    *,
    count: int = 256,
    seed: int = 0,
    split: Split = "validation",
    on_step: Callable[[Step], None] | None = None,
) -> tuple[Evaluation, list[Picture]]:
    """Draw `count` pictures a group and measure them; returns the figures and the pictures.

    data: a folder with real renders of the held-out pairs, for kid and c2st; without it both are
    None. `split` says whose held-out pairs are asked for: "test" is for the final report.
    ModelError if the model has no probes or no index, ValueError if it knows no pair at all, if
    `data` has too few renders, or for a `count` below 2.
    """
    if count < 2:
        raise ValueError(f"count should be at least 2, not {count}.")
    pipeline, probes, index = load(model), load_probes(model), load_index(model)
    real, real_hash = _real(data, split, probes.size) if data else ([], None)
    groups: dict[str, Group] = {}
    pictures: list[Picture] = []
    alike: list[Picture] = []
    for group in GROUPS:
        prompts = prompts_of(group, split, pipeline.model.vocabulary, count, seed)
        if not prompts:
            continue
        asked = [_asked(probes, prompt) for prompt in prompts]
        made = _draw(pipeline, prompts, seed, on_step)
        right = _right(probes, [each.image for each in made], asked)
        groups[group] = measured(right, probes.ceiling_of(asked))
        pictures += made
        alike = made if group == "heldout" else alike
    if not pictures:
        raise ValueError(f"The model {pipeline.model.name} knows no suit or no instrument.")
    found = newness([each.image for each in pictures], index)
    kid = low = high = kid_p = frechet = c2st = None
    if real and alike:
        features = probes.features([each.image for each in alike]).astype(np.float64)
        others = probes.features(real).astype(np.float64)
        kid, error, kid_p = kernel_distance(features, others, seed)
        low, high = kid - 1.96 * error, kid + 1.96 * error
        frechet = frechet_distance(features, others)
        c2st = told_apart(features, others, seed)
    return Evaluation(
        model=f"{pipeline.model.name} ({pipeline.model.hash})",
        groups=groups,
        kid=kid,
        kid_low=low,
        kid_high=high,
        kid_p=kid_p,
        frechet=frechet,
        c2st=c2st,
        copy_rate=float(np.mean([each.percentile <= CLOSE for each in found])),
        copy_rate_control=control_rate(index),
        held_out=index.held_out,
        indexed=len(index),
        learnt=index.learnt,
        probes=probes.hash,
        model_hash=pipeline.model.hash,
        split=split,
        seed=seed,
        real=len(real),
        real_hash=real_hash,
        version=__version__,
        date=time.strftime("%Y-%m-%d", time.gmtime()),
    ), pictures


def keep(found: Evaluation, pictures: Sequence[Picture], model: Path | str | None) -> Path:
    """Write figures and a sheet into the model's folder, and its card anew; returns the card.

    PictureError or ModelError if they cannot be written there.
    """
    folder = folder_to_keep_in(model)
    save_sheet(folder / SAMPLES, pictures, most=24)
    write_whole(folder / FIGURES, (json.dumps(found.as_json, indent=2) + "\n").encode())
    return write_card(folder)


def folder_to_keep_in(model: Path | str | None) -> Path:
    """The model's folder, before anything is drawn. ModelError if nobody may write there."""
    folder = embedded() if model is None else Path(model)
    if folder.is_dir() and not os.access(folder, os.W_OK):
        raise ModelError(
            f"{folder} cannot be written to: copy the model elsewhere, or leave --card out."
        )
    return folder


def table(found: Evaluation) -> str:
    """The figures for a person."""
    lines = [found.model]
    for name, group in found.groups.items():
        lines.append(
            f"  {name:<9} {100 * group.joint:5.1f} % all right "
            f"({100 * group.low:.1f} to {100 * group.high:.1f}; {group.n} pictures; "
            f"real renders {100 * group.ceiling:.1f} %)"
        )
    if found.kid is not None and found.c2st is not None:
        lines.append(
            f"  kid       {found.kid:.4f} on the probes' features ({found.kid_low:.4f} to "
            f"{found.kid_high:.4f}; p {found.kid_p:.3f}); Fréchet distance {found.frechet:.4f}"
        )
        lines.append(
            f"  c2st      {100 * found.c2st:.1f} % told apart from {found.real} real renders of "
            "the same pairs, 50 is chance"
        )
    lines.append(
        f"  copies    {100 * found.copy_rate:.1f} % nearer to a training picture than 99 % of "
        f"{yardstick(found.held_out)}; compared with {found.indexed:,} of the {found.learnt:,} "
        "that it learnt from"
    )
    return "\n".join(lines)


def save_sheet(path: Path, pictures: Sequence[Picture], most: int = 48) -> None:
    """Pictures spread evenly over all that were drawn, marked and signed. PictureError."""
    shown = spaced(list(pictures), most)
    sheet.save(path, shown, len(shown), edge=156)


def measured(right: Sequence[bool], ceiling: float) -> Group:
    """Mean and 95 % bootstrap interval; of all right or all wrong, where every resample is the
    same, the exact one (Clopper and Pearson 1934).
    """
    values = np.asarray(right, dtype=float)
    rng = np.random.default_rng(0)
    means = values[rng.integers(0, len(values), (RESAMPLES, len(values)))].mean(axis=1)
    low, high = np.percentile(means, (2.5, 97.5))
    edge = 0.025 ** (1 / len(values))
    if not values.any():
        high = 1 - edge
    if values.all():
        low = edge
    return Group(float(values.mean()), ceiling, float(low), float(high), len(values))


def control_rate(index: TrainingIndex) -> float:
    """Share of the real held-out pictures that are as near as 1 % of them are; more by ties."""
    lowest = np.min([percentiles(index, name, index.control[name]) for name in MEASURES], axis=0)
    return float(np.mean([100 * np.mean(lowest <= each) <= CLOSE for each in lowest]))


def _draw(
    pipeline: Pipeline, prompts: Sequence[str], seed: int, on_step: Callable[[Step], None] | None
) -> list[Picture]:
    """One picture a prompt, each from a seed of its own."""
    return [
        pipeline(prompt, seed=seed + k, callback_on_step_end=on_step)[0]
        for k, prompt in enumerate(prompts)
    ]


def _asked(probes: Probes, prompt: str) -> dict[str, str]:
    """The level of every factor that a prompt asks for; ValueError if probes cannot tell it."""
    asked = probes.asked(prompt)
    unread = [name for name in FACTORS if name not in asked]
    if unread:
        raise ValueError(
            f"The model's probes do not read the {' or the '.join(unread)} of {prompt!r}: they "
            "were trained on pictures that do not say it."
        )
    return asked


def _right(
    probes: Probes, pictures: Sequence[Image.Image], asked: Sequence[dict[str, str]]
) -> list[bool]:
    """Whether the likeliest level of each factor is the one that was asked for."""
    seen = probes.probabilities(pictures)
    return [
        all(
            probes.levels[factor][int(seen[factor][k].argmax())] == level
            for factor, level in levels.items()
        )
        for k, levels in enumerate(asked)
    ]


def _real(data: Path, split: Split, size: int) -> tuple[list[Image.Image], str]:
    """Renders of the pairs that the group "heldout" asks for, and the hash of their split.

    Of these alone: other pairs are told apart by what they show, however real they look
    (docs/log.md, 2026-11-28). ValueError if there are not two.
    """
    pictures = load_split(data, split, size)
    pairs = heldout_pairs()[split]
    kept = [
        image
        for image, row in zip(images(pictures), pictures.rows, strict=True)
        if (row.get("suit"), row.get("instrument")) in pairs
    ]
    if len(kept) < 2:
        few = "too few" if kept else "no"
        raise ValueError(
            f"{data} has {few} {split} pictures of held-out pairs to compare with: it takes two."
        )
    return kept, pictures.hash

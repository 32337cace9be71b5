"""The ranking of candidates: measured one by one, weighed by a table, explained in words.

Level 5. Reads pictures, keeps what it measures in the database (`store.py`), so that nothing is
measured twice. To rank otherwise, change a line of WEIGHTS or a function of SCORES.

    pictures --MEASURES--> numbers and vectors, kept --SCORES--> parts in [0, 1] --WEIGHTS--> score

What cannot be told of a picture (a prompt that names nothing known, a model without probes) is left
out, and the other weights count for more. Next: `curate.py` chooses by these scores and by what a
person said, who always comes first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rocketman.audits.index import FOLDER as TRAINING
from rocketman.audits.index import TABLE, TrainingIndex, load_index
from rocketman.audits.newness import percentiles
from rocketman.audits.probes import Probes, load_probes
from rocketman.collection.alike import fingerprint
from rocketman.collection.plan import Plan
from rocketman.collection.store import Row, Store
from rocketman.weights import ModelError, embedded, sha256

WEIGHTS = {"agreement": 0.6, "sharpness": 0.15, "newness": 0.1, "variety": 0.15}
"""How much each part counts. What was asked for comes first: a sharp picture of something else is
no candidate at all."""

SAID = {
    "agreement": "{:.0%} sure that it shows what was asked for",
    "sharpness": "sharper than {:.0%} of the collection",
    "newness": "farther from all training pictures than {:.0%} of real new ones",
    "variety": "more unlike the other prompts' pictures than {:.0%} of the collection",
}
"""What each part means, said of one picture."""

Floats = NDArray[np.float32]
Value = float | bytes | None
"""A number, a vector as the bytes of its float32, or None where nothing can be told."""

BATCH = 32
"""Pictures in memory at once while they are measured."""


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One thing that is measured of each picture, by itself."""

    made_by: str
    """Another name, and everything is measured again."""
    of: Callable[[Sequence[Image.Image], Sequence[str]], Sequence[Value]]
    """RGB pictures and their prompts -> a value each."""


@dataclass(frozen=True)
class Ranking:
    """What is known of the candidates, by picture id."""

    parts: Mapping[int, Mapping[str, float]]
    """Of each picture, in [0, 1], in the order of WEIGHTS; what cannot be told is not there."""
    fingerprints: Mapping[int, bytes]
    remarks: tuple[str, ...] = ()
    """What could not be measured of any picture, a sentence each."""

    @property
    def scores(self) -> dict[int, float]:
        """The score of each picture, in [0, 1]."""
        return {picture: weighed(parts) for picture, parts in self.parts.items()}

    def why(self, picture: int) -> list[str]:
        """The score of a picture in words, a line for each part."""
        parts = self.parts.get(picture, {})
        return [SAID[name].format(value) for name, value in parts.items()]


def rank(
    plan: Plan,
    store: Store,
    rows: Sequence[Row],
    on_progress: Callable[[int, int], None] | None = None,
) -> Ranking:
    """Measure what is new among the pictures of `rows`, and rank all of them.

    `on_progress(done, total)` counts pictures to measure. A file that is gone or damaged has no
    rank.
    """
    made = [row for row in rows if row.file is not None]
    measures, remarks = measures_of(plan.model)
    known = {name: store.looks(name, each.made_by) for name, each in measures.items()}
    todo = [row for row in made if any(row.id not in values for values in known.values())]
    for start in range(0, len(todo), BATCH):
        batch = todo[start : start + BATCH]
        _measure(plan.folder / "pictures", store, batch, measures, known)
        if on_progress:
            on_progress(min(start + BATCH, len(todo)), len(todo))
    made = [row for row in made if row.id in known["fingerprint"] and row.id in known["vector"]]
    parts = _parts(made, known)
    return Ranking(
        parts={
            row.id: {
                name: float(parts[name][k])
                for name in WEIGHTS
                if name in parts and math.isfinite(parts[name][k])
            }
            for k, row in enumerate(made)
        },
        fingerprints={row.id: bytes(_blob(known["fingerprint"][row.id])) for row in made},
        remarks=remarks,
    )


def weighed(parts: Mapping[str, float]) -> float:
    """The mean of the parts by WEIGHTS, in [0, 1]; 0 where there are none."""
    total = sum(WEIGHTS[name] for name in parts)
    return sum(WEIGHTS[name] * value for name, value in parts.items()) / total if total else 0.0


# --- what is measured of one picture ------------------------------------------------------------


def sharpness(picture: Image.Image) -> float:
    """The variance of the Laplacian of its light (Pech-Pacheco et al. 2000), at half size.

    Light in [0, 1]. At half size, since the last enlargement adds nothing and noise is no detail.
    """
    half = picture.convert("L").reduce(2) if min(picture.size) >= 32 else picture.convert("L")
    light = np.asarray(half, dtype=np.float32) / 255
    middle = light[1:-1, 1:-1]
    around = light[:-2, 1:-1] + light[2:, 1:-1] + light[1:-1, :-2] + light[1:-1, 2:]
    return float((around - 4 * middle).var())


def composition(picture: Image.Image) -> Floats:
    """A vector of length 1 for where which colours are: 8 x 8 fields of RGB, less their mean."""
    fields = np.asarray(picture.resize((8, 8), Image.Resampling.BOX), dtype=np.float32)
    centred = fields - fields.mean(axis=(0, 1))
    flat = centred.reshape(-1)
    return np.asarray(flat / max(float(np.linalg.norm(flat)), 1e-6), dtype=np.float32)


def measures_of(model: Path | None) -> tuple[dict[str, Measure], tuple[str, ...]]:
    """What can be measured of a model's pictures, and a sentence for each thing that cannot."""
    found = {
        "fingerprint": Measure(made_by="1", of=lambda ps, _: [fingerprint(p) for p in ps]),
        "sharpness": Measure(made_by="1", of=lambda ps, _: [sharpness(p) for p in ps]),
    }
    try:
        probes, name = _probes(model)
    except ModelError:
        told = (
            f"{model or 'The model that ships'} has no probes, so candidates are ranked without "
            "prompt agreement: `rocketman audit index MODEL --data DIR` makes them."
        )
        by_eye = Measure(made_by="1", of=lambda ps, _: [composition(p).tobytes() for p in ps])
        return {**found, "vector": by_eye}, (told,)

    def agreement(pictures: Sequence[Image.Image], prompts: Sequence[str]) -> list[Value]:
        told = probes.agreement(pictures, prompts)
        return [float(value) if math.isfinite(value) else None for value in told]

    found["agreement"] = Measure(made_by=name, of=agreement)
    found["vector"] = Measure(
        made_by=name, of=lambda ps, _: [vector.tobytes() for vector in probes.features(ps)]
    )
    try:
        index, name = _index(model)
    except (ModelError, OSError):
        told = "has no index of its training pictures, so candidates are ranked without newness"
        return found, (f"{model or 'The model that ships'} {told}.",)

    # by features alone: an audit's search for copies by pixels takes ten times as long
    def newness(pictures: Sequence[Image.Image], _: Sequence[str]) -> list[Value]:
        nearest = 1 - (probes.features(pictures) @ index.features.T).max(axis=1)
        return [float(value) / 100 for value in percentiles(index, "features", nearest)]

    found["newness"] = Measure(made_by=f"features {name}", of=newness)
    return found, ()


@cache
def _probes(model: Path | None) -> tuple[Probes, str]:
    """The probes of a model, and what tells them from others. ModelError if it has none."""
    probes = load_probes(model)
    return probes, probes.hash[:12]


@cache
def _index(model: Path | None) -> tuple[TrainingIndex, str]:
    """The index of what a model learnt from, and what tells it from others."""
    table = (model or embedded()) / TRAINING / TABLE
    return load_index(model), sha256(table)[:12]


def _measure(
    folder: Path,
    store: Store,
    rows: Sequence[Row],
    measures: Mapping[str, Measure],
    known: dict[str, dict[int, Value]],
) -> None:
    """Measure and keep what is not known of these rows; adds it to `known`."""
    opened = [(row, picture) for row in rows if (picture := _picture(folder / str(row.file)))]
    for name, measure in measures.items():
        lacking = [(row, picture) for row, picture in opened if row.id not in known[name]]
        if not lacking:
            continue
        values = measure.of([p for _, p in lacking], [row.prompt for row, _ in lacking])
        new = {row.id: value for (row, _), value in zip(lacking, values, strict=True)}
        store.keep_looks(name, measure.made_by, new.items())
        known[name] |= new


def _picture(path: Path) -> Image.Image | None:
    try:
        with Image.open(path) as opened:
            return opened.convert("RGB")
    except (OSError, ValueError, SyntaxError):
        return None  # who shows it will say so


# --- from what was measured to parts in [0, 1] --------------------------------------------------


def _parts(rows: Sequence[Row], known: Mapping[str, Mapping[int, Value]]) -> dict[str, Floats]:
    """Every part that can be told, one number in [0, 1] a row; nan where it cannot be."""

    def numbers(name: str) -> Floats:
        values = [known[name].get(row.id) for row in rows]
        return np.array([np.nan if v is None else v for v in values], dtype=np.float32)

    parts = {"sharpness": share_below(numbers("sharpness"))}
    for name in ("agreement", "newness"):
        if name in known:
            parts[name] = numbers(name)
    if rows:
        vectors = [np.frombuffer(_blob(known["vector"][row.id]), np.float32) for row in rows]
        parts["variety"] = share_below(unlike_others(np.stack(vectors), [r.position for r in rows]))
    return parts


def share_below(values: Floats) -> Floats:
    """For each value, the share of the others that lie below it, in [0, 1]; equals count half."""
    if len(values) < 2 or np.isnan(values).any():
        return np.full(len(values), np.nan, dtype=np.float32)
    order = np.sort(values)
    below = np.searchsorted(order, values, "left")
    equal = np.searchsorted(order, values, "right") - below - 1
    return np.asarray((below + equal / 2) / (len(values) - 1), dtype=np.float32)


def unlike_others(vectors: Floats, positions: Sequence[int]) -> Floats:
    """How far each picture lies from the nearest picture of another prompt: 1 - cosine, in [0, 2].

    vectors: (n, d) of length 1; positions: n places of prompts, equal for candidates of one. nan
    where there is no other prompt.
    """
    places = np.asarray(positions)
    nearest = np.empty(len(vectors), dtype=np.float32)
    for start in range(0, len(vectors), 512):  # bounded memory for large collections
        block = slice(start, start + 512)
        alike = vectors[block] @ vectors.T
        alike[places[block, None] == places] = -np.inf
        nearest[block] = alike.max(axis=1)
    return np.where(np.isfinite(nearest), 1 - nearest, np.float32(np.nan))


def _blob(value: Value) -> bytes:
    assert isinstance(value, bytes)
    return value

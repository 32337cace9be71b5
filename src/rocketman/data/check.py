"""Everything that is wrong with a data set, by name; what it shows, counted; near-duplicates.

Reads any data set that `sources.py` knows, every picture of it; writes nothing. Level 3.
Next: `cli_dataset.py` prints the report.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rocketman.captions import FACTORS, Factors, Split, pairs_named, split_of
from rocketman.data.pictures import BadPicture
from rocketman.data.sources import (
    Problem,
    Row,
    Source,
    captioned_strays,
    read_split,
    splits,
    too_long,
)

NEAR_BITS = 6
"""Of the 64 of two hashes, as many may differ in near-duplicates."""
NEAR_LEVELS, NEAR_MOST = 8.0, 60.0
"""Mean and largest difference of two near-duplicates, of 255 levels, at 16 x 16 pixels: on dark
pictures with little to compare the hash alone would see too many."""
SKETCH = 16
"""Pixels of the sketches that are compared."""
BLOCK = 512

Sketches = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Report:
    """What `dataset check` found."""

    pictures: int = 0
    """Usable ones."""
    errors: list[Problem] = field(default_factory=list)
    factors: dict[str, Counter[str]]
    """How often each level of each factor is shown."""
    splits: dict[str, int] = field(default_factory=dict)
    """Usable pictures of each split."""
    near_duplicates: list[tuple[str, str]] = field(default_factory=list)
    """Pictures that look like an earlier one, and that one. Also among the errors."""
    long_captions: int = 0
    """Captions with more words than a model reads; no errors."""

    @property
    def as_json(self) -> dict[str, Any]:
        return {
            "pictures": self.pictures,
            "errors": [{"file": problem.file, "what": problem.what} for problem in self.errors],
            "factors": {name: dict(counts) for name, counts in self.factors.items()},
            "splits": self.splits,
            "near_duplicates": [list(pair) for pair in self.near_duplicates],
            "long_captions": self.long_captions,
        }


def check(
    folder: Path, on_progress: Callable[[int, int], None] = lambda done, total: None
) -> Report:
    """Look at every row and every picture. ValueError if the folder is no data set at all."""
    found = splits(folder)
    if not found:
        read_split(folder, "train")  # says why there is nothing to check
    errors = captioned_strays(folder)
    sources: dict[Split, Source] = {}
    for split in found:
        try:
            sources[split] = read_split(folder, split)
        except ValueError as error:
            errors.append(Problem(split, str(error)))
    total = sum(len(source.rows) for source in sources.values())
    counts = {name: Counter[str]() for name in FACTORS}
    names: list[str] = []
    sketches: list[Sketches] = []
    sizes: dict[str, int] = {}
    done = 0
    for split, source in sources.items():
        place = _place(folder, split, source, alone=len(sources) == 1)
        errors += [Problem(f"{place}{file}", what) for file, what in source.problems]
        before = len(names)
        for k, row in enumerate(source.rows):
            name = f"{place}{row['file_name']}"
            try:
                sketches.append(sketch(source.open(k)))
            except BadPicture as error:
                errors.append(Problem(name, str(error)))
            else:
                names.append(name)
                count_factors(row, counts)
                errors += [Problem(name, what) for what in wrong_with(row, split)]
                if source.read and not same_hash(row, source.read(k)):
                    errors.append(Problem(name, "is not the file that its sha256 tells of"))
            done += 1
            on_progress(done, total)
        sizes[split] = len(names) - before
    pairs = near_duplicates(np.array(sketches)) if sketches else []
    for later, earlier in pairs:
        errors.append(Problem(names[later], f"looks like {names[earlier]}"))
    return Report(
        pictures=len(names),
        errors=errors,
        factors=counts,
        splits=sizes,
        near_duplicates=[(names[later], names[earlier]) for later, earlier in pairs],
        long_captions=sum(too_long(source.rows) for source in sources.values()),
    )


def _place(folder: Path, split: Split, source: Source, alone: bool) -> str:
    """What comes before a file's name in messages: where it lies, of a shard's its split."""
    if source.name != str(folder):
        return f"{Path(source.name).relative_to(folder).as_posix()}/"
    return "" if alone else f"{split}/"


def count_factors(row: Row, counts: dict[str, Counter[str]]) -> None:
    """Add the levels that a row names."""
    for name, counter in counts.items():
        if isinstance(row.get(name), str) and row[name]:
            counter[row[name]] += 1


def wrong_with(row: Row, split: Split) -> list[str]:
    """What a row says that cannot be so: unknown levels, another caption, another split's pair."""
    found, relation = [], "playing"
    pairs = set().union(*(pairs_named(text) for text in row["captions"]))
    if all(name in row for name in FACTORS):
        try:
            factors = Factors(
                relation=row["relation"],
                place=row["place"],
                suit=row["suit"] or None,
                instrument=row["instrument"] or None,
            )
        except (ValueError, TypeError) as error:
            return [f"has factors that make no picture: {error}"]
        if row["text"] != factors.caption:
            found.append(f"has a text that its factors do not say: {factors.caption!r}")
        own, relation = (factors.suit, factors.instrument), factors.relation
        if extra := pairs - {own}:
            found.append(f"has a caption that names {_pair(min(extra))}, which it does not show")
        pairs = {(own[0], own[1])} if own[0] and own[1] else set()
    for pair in sorted(pairs):
        if (home := split_of(*pair, relation)) != split:
            found.append(f"shows {_pair(pair)}, which is kept for {home}")
    return found


def _pair(pair: tuple[str, str]) -> str:
    return f"a {pair[0]} suit with a {pair[1]}"


def same_hash(row: Row, data: bytes) -> bool:
    """Whether a row's sha256, if it has one, is that of its file."""
    wanted = row.get("sha256")
    return not isinstance(wanted, str) or hashlib.sha256(data).hexdigest() == wanted.lower()


# --- near-duplicates ----------------------------------------------------------------------------


def sketch(picture: Image.Image) -> Sketches:
    """A picture reduced to (16, 16, 3), by area."""
    return np.asarray(picture.resize((SKETCH, SKETCH), Image.Resampling.BOX))


def difference_hash(sketches: Sketches) -> NDArray[np.uint64]:
    """64 bits a picture (N, 16, 16, 3): is each of 8 x 8 areas darker than its right neighbour?

    Areas are two pixels high; across, nine of them share sixteen pixels, as `numpy.interp` lays
    them. After Krawetz 2013, "Kind of like that".
    """
    grey = sketches.astype(np.float32) @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    rows = grey.reshape(len(grey), 8, 2, SKETCH).mean(axis=2)
    at = np.linspace(0, SKETCH - 1, 9)
    low = np.minimum(at.astype(int), SKETCH - 2)
    share = (at - low).astype(np.float32)
    columns = rows[:, :, low] * (1 - share) + rows[:, :, low + 1] * share
    bits = (columns[:, :, 1:] > columns[:, :, :-1]).reshape(len(grey), 64)
    packed: NDArray[np.uint64] = np.packbits(bits, axis=1).view(np.uint64)[:, 0]
    return packed


def near_duplicates(sketches: Sketches) -> list[tuple[int, int]]:
    """(later, earlier) for each of (N, 16, 16, 3) that looks like an earlier one or its mirror.

    The first such one. 10,000 pictures take a few seconds.
    """
    mirrored = sketches[:, :, ::-1]
    hashes, mirrored_hashes = difference_hash(sketches), difference_hash(mirrored)
    found = []
    for start in range(0, len(hashes), BLOCK):
        block, end = hashes[start : start + BLOCK, None], start + BLOCK
        near = _bits(block ^ hashes[:end]) <= NEAR_BITS
        near_mirrored = _bits(block ^ mirrored_hashes[:end]) <= NEAR_BITS
        for k in range(start, min(end, len(hashes))):
            earlier = [
                _first_like(sketches[k], others, np.flatnonzero(candidates[k - start, :k]))
                for others, candidates in ((sketches, near), (mirrored, near_mirrored))
            ]
            if min(earlier) < k:
                found.append((k, min(earlier)))
    return found


def _first_like(wanted: Sketches, others: Sketches, candidates: NDArray[np.intp]) -> int:
    """The first candidate that is truly like the wanted sketch, or a number past all."""
    for start in range(0, len(candidates), 64):
        some = candidates[start : start + 64]
        differences = np.abs(others[some].astype(np.int16) - wanted).reshape(len(some), -1)
        alike = (differences.mean(axis=1) <= NEAR_LEVELS) & (differences.max(axis=1) <= NEAR_MOST)
        if alike.any():
            return int(some[np.argmax(alike)])
    return len(others)


def _bits(numbers: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """How many bits of each are set."""
    if hasattr(np, "bitwise_count"):  # numpy 2
        return np.asarray(np.bitwise_count(numbers))
    table = np.array([value.bit_count() for value in range(1 << 16)], dtype=np.uint8)
    counts: NDArray[np.uint8] = table[numbers.view(np.uint16).reshape(*numbers.shape, 4)].sum(
        axis=-1, dtype=np.uint8
    )
    return counts

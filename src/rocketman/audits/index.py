"""The index of a model's training pictures: what newness and credits need, without the data set.

`build` reads the data set that a model was trained on and writes, into the model folder:

    training/thumbnails.avif  all pictures at 64 px on one sheet, row by row
    training/features.npy     (N, D) by the model's probes, in 8 bits; memory-mapped
    training/hashes.npy       (N,) perceptual hashes of 64 bits; memory-mapped
    training/index.json       who made what, and the control: the same distances of real pictures
                              that the model was not trained on

`TrainingIndex` reads it. Made once a model, by `rocketman audit index`. Next: `newness.py`.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from shlex import quote
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageOps
from PIL.AvifImagePlugin import AvifImageFile

from rocketman.audits import alignment
from rocketman.audits.probes import Probes, load_probes
from rocketman.captions import Split
from rocketman.data.batches import Pictures, central_square, load_split
from rocketman.data.sources import read_split, splits
from rocketman.data.thumbnails import encoded
from rocketman.files import write_whole
from rocketman.weights import ModelError, embedded, open_model

FOLDER = "training"
SHEET, FEATURES, HASHES, TABLE = "thumbnails.avif", "features.npy", "hashes.npy", "index.json"
THUMBNAIL = 64
QUALITY = 50
"""Of the sheet's AVIF: about 570 bytes a picture, 28 dB. WebP takes 700 at its quality 40."""
SHEET_LIMIT = 16383 // THUMBNAIL
"""Pictures across and down: a sheet of more pixels would be slow to open."""
COLUMNS = ("caption", "author", "license", "source")
"""Of the metadata, text repeated in many rows."""
CANDIDATES = 8
"""Training pictures that the cheap search hands to the fine comparison. In 160 edited copies of
renders the true one was always the first."""
LEAST_CONTROL, MOST_CONTROL = 100, 1000
EDITED = 100

ONES = np.array([number.bit_count() for number in range(2**16)], np.uint8)
"""Bits of each number of 16."""

Floats = NDArray[np.float32]
Report = Callable[[str], None]
T = TypeVar("T")
MEASURES = ("pixels", "features", "hash")


@dataclass(frozen=True, kw_only=True)
class Nearest:
    """The nearest training pictures of one picture, by each of MEASURES."""

    distance: dict[str, float]
    """pixels: 1 - correlation, 0 to 2; features: 1 - cosine, 0 to 2; hash: bits of 64."""
    row: dict[str, int]
    """Number of the training picture."""


class TrainingIndex:
    """The opened index of a model folder."""

    def __init__(self, folder: Path, probes: Probes) -> None:
        """ModelError if there is no index, or a damaged one."""
        self.folder, self.probes = folder / FOLDER, probes
        try:
            table = json.loads((self.folder / TABLE).read_text(encoding="utf-8"))
            self.codes: NDArray[np.int8] = np.load(self.folder / FEATURES, mmap_mode="r")
            self.hashes: NDArray[np.uint64] = np.load(self.folder / HASHES, mmap_mode="r")
            self.files: list[str] = table["files"]
            self.sha256: list[str] = table["sha256"]
            self.columns: dict[str, list[str]] = {
                name: [column["values"][k] for k in column["rows"]]
                for name, column in table["columns"].items()
            }
            self.control: dict[str, Floats] = {
                name: np.array(distances, np.float32)
                for name, distances in table["control"].items()
            }
            self.copy_at: float = table["copy_at"]
            self.record: dict[str, Any] = table["record"]
            if not len(self.codes) == len(self.hashes) == len(self.files):
                raise ValueError("its files are of different pictures")
            made_by = self.record.get("probes", probes.hash)  # older indexes do not say
            if self.codes.shape[1:] != (probes.dimensions,) or made_by != probes.hash:
                raise ValueError("its features are of other probes")
            if not (self.folder / SHEET).is_file():
                raise ValueError("its thumbnails are gone")
            if not all(len(self.control[name]) for name in MEASURES):
                raise ValueError("it has nothing to compare with")
        except (OSError, EOFError, ValueError, TypeError, KeyError, IndexError) as error:
            raise ModelError(
                f"{folder} has no whole index of its training pictures: "
                f"`rocketman audit index {quote(str(folder))} --data DIR` makes it."
            ) from error

    def __len__(self) -> int:
        return len(self.files)

    @cached_property
    def thumbnails(self) -> NDArray[np.uint8]:
        """(N, 64, 64, 3)."""
        return cut_apart((self.folder / SHEET).read_bytes(), len(self))

    @cached_property
    def features(self) -> Floats:
        """(N, D), of unit length."""
        return uncoded(self.codes)

    @property
    def held_out(self) -> bool:
        """Whether the control is of pictures that are not in here, not of these themselves."""
        more = len(self.control["pixels"]) > LEAST_CONTROL  # told by the number in older records
        return bool(self.record.get("held_out", more))

    @property
    def lacks(self) -> tuple[str, ...]:
        """A sentence about each thing that keeps audits by this index from saying more."""
        return tuple(filter(None, (self._other_pictures, self._no_control)))

    @property
    def _other_pictures(self) -> str:
        """What the model learnt from and is not in here, or what is here instead."""
        learnt = self._of_model.get("data_hash", "")
        hashes = (learnt, *self._of_model.get("also_data_hashes", []))
        if learnt and self.record["data_hash"] not in hashes:
            return (
                f"The index is of a data set ({self.record['data_hash'][:12]}) that is not the one "
                f"the model was trained on ({learnt[:12]}), or not as it was then: newness and "
                "credits are told of the pictures in the index alone."
            )
        if self.learnt <= len(self):
            return ""
        return (
            f"The model learnt from {self.learnt:,} pictures; its index holds {len(self):,} "
            f"of them. Nothing here compares with the other {self.learnt - len(self):,}."
        )

    @cached_property
    def learnt(self) -> int:
        """How many pictures the model learnt from, as far as its record says."""
        own = self._of_model.get("pictures", len(self))
        return int(own + sum(self._of_model.get("also_pictures", [])))

    @cached_property
    def _of_model(self) -> dict[str, Any]:
        """The record of the model's training."""
        return dict(open_model(self.folder.parent).config.get("record", {}))

    @property
    def _no_control(self) -> str:
        if self.held_out:
            return ""
        return (
            "Too few pictures were held out of training to compare with: how near a picture comes "
            "is told beside how near training pictures come to one another."
        )

    @cached_property
    def bank(self) -> Bank:
        return Bank(self.thumbnails, self.features, np.asarray(self.hashes))

    def describe(self, row: int) -> dict[str, str]:
        """file, sha256, caption, author, license, source of a training picture."""
        columns = {name: values[row] for name, values in self.columns.items()}
        return {"file": self.files[row], "sha256": self.sha256[row], **columns}

    def nearest(self, pictures: Sequence[Image.Image]) -> list[Nearest]:
        """The nearest training pictures of each picture."""
        return nearest(pictures, self.bank, self.probes)


def load_index(model: Path | str | None = None) -> TrainingIndex:
    """The index of a model folder, or of the model that ships. ModelError if it has none."""
    folder = embedded() if model is None else Path(model)
    return TrainingIndex(folder, load_probes(folder))


class Bank:
    """Training pictures, ready to be compared with."""

    def __init__(
        self, thumbnails: NDArray[np.uint8], features: Floats, hashes: NDArray[np.uint64]
    ) -> None:
        pictures = [Image.fromarray(each) for each in thumbnails]
        small, large = alignment.COARSE, alignment.FINE
        self.coarse = np.stack([alignment.grey(each, small, small) for each in pictures])
        self.fine = np.stack([alignment.grey(each, large, large) for each in pictures])
        self.features, self.hashes = features, hashes


def nearest(
    pictures: Sequence[Image.Image],
    bank: Bank,
    probes: Probes,
    leave_out: Sequence[int] | None = None,
) -> list[Nearest]:
    """The nearest of the bank to each picture; `leave_out` has one row a picture to pass over."""
    if not pictures:
        return []
    mirrored = [ImageOps.mirror(each) for each in pictures]
    alike = alignment.search(pictures, bank.coarse)  # (Q, N)
    cosine = np.maximum(
        probes.features(pictures) @ bank.features.T, probes.features(mirrored) @ bank.features.T
    )
    bits = np.minimum(
        hamming(hashes(pictures), bank.hashes), hamming(hashes(mirrored), bank.hashes)
    ).astype(np.float32)
    if leave_out is not None:
        every = np.arange(len(pictures))
        cosine[every, leave_out], bits[every, leave_out] = -1, 64
    found = []
    for k, picture in enumerate(pictures):
        order = np.argsort(-alike[k])
        if leave_out is not None:
            order = order[order != leave_out[k]]
        candidates = order[:CANDIDATES]
        fits = [alignment.fit(picture, bank.fine[row]) for row in candidates]
        best, near, same = int(np.argmax(fits)), int(cosine[k].argmax()), int(bits[k].argmin())
        found.append(
            Nearest(
                distance={
                    "pixels": 1 - fits[best],
                    "features": 1 - float(cosine[k, near]),
                    "hash": float(bits[k, same]),
                },
                row={"pixels": int(candidates[best]), "features": near, "hash": same},
            )
        )
    return found


def hashes(pictures: Sequence[Image.Image]) -> NDArray[np.uint64]:
    """Perceptual hashes (N,): signs of the 64 lowest frequencies about their median (pHash)."""
    size, low = 32, 8
    k, x = np.arange(low)[:, None], np.arange(size)[None]
    cosines = np.cos(np.pi * k * (2 * x + 1) / (2 * size))  # rows of a DCT-II
    found = np.zeros(len(pictures), np.uint64)
    for n, picture in enumerate(pictures):
        waves = (cosines @ alignment.grey(picture, size, size) @ cosines.T).ravel()
        bits = waves > np.median(waves[1:])
        found[n] = np.packbits(bits).view(np.uint64)[0]
    return found


def hamming(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """(A, B): bits that differ."""
    found = np.zeros((len(a), len(b)), np.uint8)
    for row, bits in zip(found, a, strict=True):
        row[:] = ONES[(bits ^ b).view(np.uint16)].reshape(-1, 4).sum(axis=1)
    return found


# --- building ---------------------------------------------------------------------------------


def build(
    model: Path, data: Path, renders: Sequence[Path] = (), report: Report = lambda line: None
) -> TrainingIndex:
    """Index the train split of `data` into a model folder that has probes.

    The control is the other splits and all of `renders`: pictures like the training pictures that
    the model never saw. Where there are too few, training pictures compared with the other ones.
    Nothing is written before all is measured. ValueError if a data set cannot be read or holds too
    few or too many pictures, ModelError if the folder is no model or has no probes.
    """
    probes = load_probes(open_model(model).folder)
    train = load_split(data, "train", probes.size, report)
    if not 2 <= len(train.rows) <= SHEET_LIMIT**2:
        raise ValueError(
            f"{data} holds {len(train.rows):,} training pictures; an index takes 2 to "
            f"{SHEET_LIMIT**2:,}."
        )
    pictures = images(train)
    sheet = thumbnail_sheet(pictures)
    report(f"index: features of {len(pictures)} pictures")
    codes = coded(probes.features(pictures))
    found = hashes(pictures)
    # compared with what ships, not with what it was made from
    bank = Bank(cut_apart(sheet, len(pictures)), uncoded(codes), found)
    control, held_out = control_of(bank, data, renders, pictures, probes, report)
    measured = {name: [near.distance[name] for near in control] for name in MEASURES}
    copies = distances_of_copies(bank, pictures, probes)
    table: dict[str, Any] = {
        "files": [row["file_name"] for row in train.rows],
        "sha256": [str(row.get("sha256", "")) for row in train.rows],
        "columns": {name: column(train, name) for name in COLUMNS},
        "control": {name: [round(d, 4) for d in each] for name, each in measured.items()},
        "copy_at": round(copy_threshold(copies, measured["pixels"]), 4),
        "record": {
            "data_hash": train.hash,
            "pictures": len(pictures),
            "control": len(control),
            "held_out": held_out,
            "probes": probes.hash,
            "edited_copies_distance_95": float(np.quantile(copies, 0.95).round(4)),
        },
    }
    folder = model / FOLDER
    folder.mkdir(exist_ok=True)
    (folder / TABLE).unlink(missing_ok=True)  # there again last: what is half written is no index
    write_whole(folder / SHEET, sheet)
    write_whole(folder / FEATURES, npy(codes))
    write_whole(folder / HASHES, npy(found))
    write_whole(folder / TABLE, json.dumps(table, ensure_ascii=False).encode())
    control_words = "held-out ones" if held_out else "of them, each beside the others,"
    report(f"index: {len(pictures)} training pictures, {len(control)} {control_words} as control")
    index = load_index(model)
    for sentence in index.lacks:
        report(sentence)
    return index


def coded(features: Floats) -> NDArray[np.int8]:
    """Features (N, D) in 8 bits: their length is known, so each row has a scale of its own."""
    largest = np.abs(features).max(axis=1, keepdims=True)
    return np.asarray(np.rint(features * (127 / np.maximum(largest, 1e-12))), np.int8)


def uncoded(codes: NDArray[np.int8]) -> Floats:
    """The features (N, D) of unit length again; those of older indexes, in 16 bits, alike."""
    length = np.linalg.norm(codes.astype(np.float32), axis=1, keepdims=True)
    return np.asarray(codes / np.maximum(length, 1e-12), np.float32)


def control_of(
    bank: Bank,
    data: Path,
    renders: Sequence[Path],
    pictures: list[Image.Image],
    probes: Probes,
    report: Report,
) -> tuple[list[Nearest], bool]:
    """The distances of real pictures that are not in the bank, and True; or, where there are too
    few, of its own pictures to its other ones, and False."""
    held: list[tuple[Path, Split]] = [
        (data, split) for split in filled_splits(data) if split != "train"
    ]
    held += [(folder, split) for folder in renders for split in filled_splits(folder)]
    found = [
        picture
        for folder, split in held
        for picture in images(load_split(folder, split, probes.size, report))
    ]
    trained_on = {digest(picture) for picture in pictures}
    heldout = [picture for picture in found if digest(picture) not in trained_on]
    if len(heldout) < len(found):
        report(f"index: {len(found) - len(heldout)} held-out pictures are training pictures too")
    if len(heldout) >= LEAST_CONTROL:
        heldout = spaced(heldout, MOST_CONTROL)
        report(f"index: distances of {len(heldout)} held-out pictures")
        return nearest(heldout, bank, probes), True
    rows = spaced(list(range(len(pictures))), LEAST_CONTROL)
    report(f"index: too few held-out pictures; distances of {len(rows)} among the training ones")
    return nearest([pictures[row] for row in rows], bank, probes, leave_out=rows), False


def digest(picture: Image.Image) -> bytes:
    """What tells a picture's pixels from any others."""
    return hashlib.sha256(picture.tobytes()).digest()


def distances_of_copies(bank: Bank, pictures: list[Image.Image], probes: Probes) -> list[float]:
    """Pixel distances of training pictures that were edited as someone who copies might."""
    rng = np.random.default_rng(0)
    copies = [edited(each, rng) for each in spaced(pictures, EDITED)]
    return [near.distance["pixels"] for near in nearest(copies, bank, probes)]


def edited(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Cut to between 3/4 and all of each side, perhaps mirrored, recoloured, compressed."""
    share = rng.uniform(0.75, 1, 2) * picture.size
    left, top = rng.uniform(0, picture.size - share)
    box = (round(left), round(top), round(left + share[0]), round(top + share[1]))
    picture = picture.crop(box)
    if rng.random() < 0.5:
        picture = ImageOps.mirror(picture)
    hue, saturation, value = picture.convert("HSV").split()
    turn = int(rng.integers(256)) if rng.random() < 0.5 else 0
    picture = Image.merge("HSV", (hue.point(lambda h: (h + turn) % 256), saturation, value))
    picture = ImageEnhance.Color(picture.convert("RGB")).enhance(rng.uniform(0, 2))
    picture = ImageEnhance.Brightness(picture).enhance(rng.uniform(0.6, 1.5))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=int(rng.integers(50, 95)))
    return Image.open(buffer).convert("RGB")


def copy_threshold(copies: Sequence[float], control: Sequence[float]) -> float:
    """The pixel distance below which a picture is a copy: nearer than all of the control.

    Half way between it and the copies (their 95th percentile) where there is a gap.
    """
    least = float(min(control))
    most = float(np.quantile(copies, 0.95))
    return min(least, (least + most) / 2)


def filled_splits(folder: Path) -> list[Split]:
    """The splits of a data set that have pictures, or "train" where there are none to be found."""
    return [split for split in splits(folder) if read_split(folder, split).rows] or ["train"]


def images(split: Pictures) -> list[Image.Image]:
    return [Image.fromarray(pixels) for pixels in split.pixels]


def thumbnail_sheet(pictures: Sequence[Image.Image]) -> bytes:
    """All pictures, small, on one nearly square sheet, as AVIF."""
    across = int(np.ceil(np.sqrt(len(pictures))))
    down = -(-len(pictures) // across)
    sheet = np.zeros((down * THUMBNAIL, across * THUMBNAIL, 3), np.uint8)
    for k, picture in enumerate(pictures):
        y, x = k // across * THUMBNAIL, k % across * THUMBNAIL
        sheet[y : y + THUMBNAIL, x : x + THUMBNAIL] = central_square(picture, THUMBNAIL)
    return encoded(sheet, QUALITY)


def cut_apart(sheet: bytes, count: int) -> NDArray[np.uint8]:
    """The first `count` pictures of such a sheet, (count, 64, 64, 3). ModelError if damaged."""
    try:  # its own class, since Image.open takes a large sheet for a decompression bomb
        with AvifImageFile(io.BytesIO(sheet)) as file:
            pixels = np.asarray(file.convert("RGB"))
    except (RuntimeError, SyntaxError, ValueError) as error:
        raise ModelError(f"The sheet of training pictures cannot be read: {error}.") from error
    across, down = pixels.shape[1] // THUMBNAIL, pixels.shape[0] // THUMBNAIL
    if across * down < count:
        raise ModelError("The sheet of training pictures holds fewer than the index names.")
    tiles = pixels.reshape(down, THUMBNAIL, across, THUMBNAIL, 3).swapaxes(1, 2)
    return np.ascontiguousarray(tiles.reshape(-1, THUMBNAIL, THUMBNAIL, 3)[:count])


def npy(array: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def column(split: Pictures, name: str) -> dict[str, list[Any]]:
    """A column of the metadata: its different values, and which one each row has."""
    values = [str(row.get("text" if name == "caption" else name) or "") for row in split.rows]
    different = list(dict.fromkeys(values))
    place = {value: k for k, value in enumerate(different)}
    return {"values": different, "rows": [place[value] for value in values]}


def spaced(items: list[T], most: int) -> list[T]:
    """At most `most` of them, evenly spaced."""
    return [items[k * len(items) // most] for k in range(most)] if len(items) > most else items

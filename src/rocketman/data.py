"""Any folder of captioned pictures -> batches of arrays.

Reads a split of a Hugging Face `imagefolder`: FOLDER/SPLIT/metadata.jsonl, one JSON object a line
with at least `file_name` and `text`, beside the pictures. Each picture is decoded once, cropped to
its central square, reduced to the training size and kept in one memory-mapped array in the cache
folder; later runs only map it. Pictures are never mirrored: a caption may speak of left and right,
and a mirrored harp is another harp. Numpy only. Next: `train.py` asks for one batch a step.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from rocketman.captions import tokens, words
from rocketman.files import write_whole
from rocketman.weights import sha256

LARGEST_VOCABULARY = 4096
CACHE_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """One split, decoded."""

    pixels: NDArray[np.uint8]
    """(N, H, W, 3), memory-mapped, read-only."""
    captions: tuple[str, ...]
    """N captions."""
    rows: tuple[dict[str, Any], ...]
    """N lines of metadata.jsonl: file_name, text and whatever else the data set says."""
    problems: tuple[str, ...]
    """One sentence for each picture that was left out."""
    hash: str
    """SHA-256 of metadata.jsonl: which data set this is."""


def cache_folder() -> Path:
    """ROCKETMAN_CACHE, else `rocketman` in the platform's cache folder; not created here."""
    if path := os.environ.get("ROCKETMAN_CACHE"):
        return Path(path)
    if path := os.environ.get("XDG_CACHE_HOME"):
        return Path(path) / "rocketman"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "rocketman" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "rocketman"
    return Path.home() / ".cache" / "rocketman"


def load_split(
    folder: Path, split: str, image_size: int, report: Callable[[str], None] = lambda line: None
) -> Pictures:
    """Read one split, from the cache if it is there; `report` gets progress and each problem.

    ValueError, in one sentence, if the folder, its metadata or every picture is missing.
    """
    metadata = folder / split / "metadata.jsonl"
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a data set: there is no such folder.")
    if not metadata.is_file():
        raise ValueError(f"{folder} has no {split}/metadata.jsonl: captions are read from there.")
    rows, problems = read_metadata(metadata)
    key = cache_key(metadata, rows, image_size)
    array, index = cache_folder() / f"{key}.npy", cache_folder() / f"{key}.json"
    if not (array.is_file() and index.is_file()):
        report(f"reading {len(rows)} pictures of {metadata.parent}")
        decode(metadata.parent, rows, problems, image_size, array, index)
    known = json.loads(index.read_text(encoding="utf-8"))
    for problem in known["problems"]:
        report(problem)
    kept = [rows[k] for k in known["kept"]]
    if not kept:
        raise ValueError(f"{metadata.parent} holds no picture that can be read.")
    return Pictures(
        pixels=np.load(array, mmap_mode="r"),
        captions=tuple(row["text"] for row in kept),
        rows=tuple(kept),
        problems=tuple(known["problems"]),
        hash=sha256(metadata),
    )


def read_metadata(path: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """(usable rows, one sentence for each unusable line)."""
    rows, problems = [], []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            problems.append(f"{path.name} line {number} is not JSON; left out.")
            continue
        if not isinstance(row, dict) or not isinstance(row.get("file_name"), str):
            problems.append(f"{path.name} line {number} has no file_name; left out.")
        elif not isinstance(row.get("text"), str) or not row["text"].strip():
            problems.append(f"{row['file_name']} has no caption; left out.")
        else:
            rows.append(row)
    return rows, problems


def cache_key(metadata: Path, rows: list[dict[str, Any]], image_size: int) -> str:
    """Changes with the captions, with any picture's size or time of change, and with image_size."""
    digest = hashlib.sha256(f"{CACHE_VERSION} {image_size} {metadata.resolve()}\n".encode())
    digest.update(metadata.read_bytes())
    for row in rows:
        try:
            status = (metadata.parent / row["file_name"]).stat()
            digest.update(f"{status.st_size} {status.st_mtime_ns}\n".encode())
        except OSError:
            digest.update(b"missing\n")
    return digest.hexdigest()[:24]


def decode(
    folder: Path,
    rows: list[dict[str, Any]],
    problems: list[str],
    image_size: int,
    array: Path,
    index: Path,
) -> None:
    """Write the cache: the array first, then the index that makes it count."""
    pixels = np.empty((len(rows), image_size, image_size, 3), dtype=np.uint8)
    kept: list[int] = []
    for k, row in enumerate(rows):
        try:
            pixels[len(kept)] = load_picture(folder / row["file_name"], image_size)
            kept.append(k)
        except FileNotFoundError:
            problems.append(f"{row['file_name']} is missing; left out.")
        except Exception as error:  # Pillow raises many kinds for broken files
            problems.append(f"{row['file_name']} cannot be read ({error}); left out.")
    array.parent.mkdir(parents=True, exist_ok=True)
    temporary = array.with_suffix(f".{os.getpid()}.part.npy")
    np.save(temporary, pixels[: len(kept)])
    temporary.replace(array)
    write_whole(index, json.dumps({"kept": kept, "problems": problems}).encode())


def load_picture(path: Path, image_size: int) -> NDArray[np.uint8]:
    """The central square of a picture, reduced by area to (image_size, image_size, 3)."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(path) as file:
            picture = ImageOps.exif_transpose(file).convert("RGB")
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    method = Image.Resampling.BOX if side >= image_size else Image.Resampling.BICUBIC
    box = (left, top, left + side, top + side)
    return np.asarray(picture.resize((image_size, image_size), method, box=box))


def vocabulary_of(captions: tuple[str, ...], known: tuple[str, ...] = ()) -> tuple[str, ...]:
    """`known`, then the other words of the captions, sorted; the most frequent if too many."""
    counts = Counter(word for caption in captions for word in words(caption))
    new = [word for word, _ in counts.most_common() if word not in set(known)]
    return known + tuple(sorted(new[: max(0, LARGEST_VOCABULARY - len(known))]))


class Batches:
    """Shuffled batches by number: batch k is the same whenever and however often it is asked for.

    The pictures run past in epochs, each shuffled by (seed, epoch); a batch may span two epochs.
    """

    def __init__(
        self, pictures: Pictures, vocabulary: tuple[str, ...], batch_size: int, seed: int
    ) -> None:
        self.pixels, self.batch_size, self.seed = pictures.pixels, batch_size, seed
        of_caption = {text: tokens(text, vocabulary) for text in set(pictures.captions)}
        self.tokens = np.array([of_caption[text] for text in pictures.captions], dtype=np.int64)
        self._orders: dict[int, NDArray[np.int64]] = {}

    def order(self, epoch: int) -> NDArray[np.int64]:
        """The order of the pictures in an epoch; by Philox's raw stream, which never changes."""
        if epoch not in self._orders:
            key = np.array([self.seed, epoch], dtype=np.uint64)
            draws = np.random.Philox(key=key).random_raw(len(self.pixels))
            recent = {e: o for e, o in self._orders.items() if e == epoch - 1}
            self._orders = {**recent, epoch: np.argsort(draws, kind="stable")}
        return self._orders[epoch]

    def batch(self, number: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Pictures (B, 3, H, W) in [-1, 1] and tokens (B, L) of batch `number`, from 0."""
        count = len(self.pixels)
        places = range(number * self.batch_size, (number + 1) * self.batch_size)
        chosen = [self.order(place // count)[place % count] for place in places]
        return to_floats(self.pixels[chosen]), self.tokens[chosen]


def to_floats(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """uint8 (B, H, W, 3) -> float32 (B, 3, H, W) in [-1, 1]."""
    scaled = pixels.astype(np.float32) / np.float32(127.5) - np.float32(1)
    return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2))


def to_pixels(pictures: NDArray[np.float32]) -> NDArray[np.uint8]:
    """float (B, 3, H, W) in [-1, 1], clipped -> uint8 (B, H, W, 3)."""
    scaled = (np.clip(pictures, -1, 1) + 1) * 127.5
    return np.round(scaled).astype(np.uint8).transpose(0, 2, 3, 1)

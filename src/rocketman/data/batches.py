"""Captioned pictures -> batches of arrays.

Reads a split of any data set that `sources.py` knows. Each picture is decoded once, cropped
to its central square, reduced to the training size and kept in one memory-mapped array in the
cache folder; later runs only map it, and a run that was stopped while decoding goes on from there.
Pictures are mirrored only where a run asks for it, and then their captions say so. Numpy only.
Next: `train.py` asks for one batch a step.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rocketman.captions import MIRRORED, OPPOSITE, Split, tokens, with_view, words
from rocketman.data.pictures import BadPicture, open_file
from rocketman.data.sources import Problem, Row, Source, read_split, tell_too_long, too_long
from rocketman.files import write_whole

LARGEST_VOCABULARY = 4096
CACHE_VERSION = 3
DECODED_AT_ONCE = 256
REPORTED = 20
"""Problems that `load_split` reports one by one."""


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """One split, decoded."""

    pixels: NDArray[np.uint8]
    """(N, H, W, 3), memory-mapped, read-only."""
    captions: tuple[str, ...]
    """N full captions."""
    wordings: tuple[tuple[str, ...], ...]
    """N times all captions of a picture, the full one first."""
    rows: tuple[Row, ...]
    """N rows of metadata: file_name, text, captions and whatever else the data set says."""
    problems: tuple[str, ...]
    """What is wrong with each picture that was left out, after its name."""
    hash: str
    """SHA-256 of the metadata: which data set this is."""

    @property
    def views(self) -> tuple[str, ...]:
        """N times the words for how a picture was taken; empty where the data set says nothing."""
        return tuple(str(row.get("view") or "") for row in self.rows)

    @property
    def full_captions(self) -> tuple[str, ...]:
        """N full captions with the words for how each picture was taken."""
        return tuple(map(with_view, self.captions, self.views))


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
    folder: Path, split: Split, image_size: int, report: Callable[[str], None] = lambda line: None
) -> Pictures:
    """Read one split, from the cache if it is there; `report` gets progress and problems.

    ValueError, in one sentence, if the folder, its captions or every picture is missing.
    """
    source = read_split(folder, split)
    key = cache_key(source, image_size)
    array, index = cache_folder() / f"{key}.npy", cache_folder() / f"{key}.json"
    if not (array.is_file() and index.is_file()):
        report(f"reading {len(source.rows)} pictures of {source.name}")
        _tell_size(source, image_size, report)
        decode(source, image_size, array, index)
    known = json.loads(index.read_text(encoding="utf-8"))
    kept = [source.rows[k] for k in known["kept"]]
    problems = [*map(str, source.problems), *known["problems"]]
    for problem in problems[:REPORTED]:
        report(f"{problem}; left out")
    if len(problems) > REPORTED:
        check = f"`rocketman dataset check {quote(str(folder))}`"
        report(f"{len(problems) - REPORTED} more; {check} names all")
    if long := too_long(kept):
        report(tell_too_long(long))
    if not kept:
        raise ValueError(f"{source.name} holds no picture that can be read.")
    return Pictures(
        pixels=np.load(array, mmap_mode="r")[: len(kept)],
        captions=tuple(row["text"] for row in kept),
        wordings=tuple(tuple(row["captions"]) for row in kept),
        rows=tuple(kept),
        problems=tuple(problems),
        hash=source.hash,
    )


def _tell_size(source: Source, image_size: int, report: Callable[[str], None]) -> None:
    """Pictures that must be enlarged are worth a word; the first stands for all."""
    with contextlib.suppress(BadPicture, IndexError):
        width, height = source.open(0).size
        if min(width, height) < image_size:
            report(f"they are {width} x {height} pixels, enlarged to {image_size}")


def cache_key(source: Source, image_size: int) -> str:
    """Changes with the captions, with any file's size or time of change, and with image_size."""
    digest = hashlib.sha256(f"{CACHE_VERSION} {image_size} {source.name} {source.hash}\n".encode())
    for path in source.files:
        try:
            status = path.stat()
            digest.update(f"{path.resolve()} {status.st_size} {status.st_mtime_ns}\n".encode())
        except OSError:
            digest.update(b"missing\n")
    return digest.hexdigest()[:24]


def decode(source: Source, image_size: int, array: Path, index: Path) -> None:
    """Write the cache: the array, then the index that makes it count.

    Pictures are decoded in parts, each a file that is there whole or not at all, so a run that was
    killed goes on after the last part, and several runs at once do not disturb each other.
    """
    array.parent.mkdir(parents=True, exist_ok=True)
    starts = range(0, len(source.rows), DECODED_AT_ONCE)
    parts = [array.with_suffix(f".{start:08d}.npz") for start in starts]
    for start, part in zip(starts, parts, strict=True):
        if not part.is_file():
            write_whole(part, _decoded(source, image_size, start))
    temporary = array.with_suffix(f".{os.getpid()}.npy")
    kept: list[int] = []
    problems: list[str] = []
    shape = (len(source.rows), image_size, image_size, 3)
    pixels = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.uint8, shape=shape)
    try:
        for part in parts:
            with np.load(part) as held:
                pixels[len(kept) : len(kept) + len(held["kept"])] = held["pixels"]
                kept += held["kept"].tolist()
                problems += held["problems"].tolist()
        pixels.flush()
        del pixels  # Windows lets no file be renamed while it is mapped
        temporary.replace(array)
        write_whole(index, json.dumps({"kept": kept, "problems": problems}).encode())
    except FileNotFoundError:
        if not index.is_file():  # else another run was faster, and tidied up
            raise
    finally:
        temporary.unlink(missing_ok=True)
    for part in parts:
        part.unlink(missing_ok=True)


def _decoded(source: Source, image_size: int, start: int) -> bytes:
    """DECODED_AT_ONCE pictures from `start` as an .npz: pixels, which rows they are, problems."""
    pixels, kept, problems = [], [], []
    for k in range(start, min(start + DECODED_AT_ONCE, len(source.rows))):
        try:
            pixels.append(central_square(source.open(k), image_size))
            kept.append(k)
        except BadPicture as error:
            problems.append(str(Problem(source.rows[k]["file_name"], str(error))))
    buffer = io.BytesIO()
    np.savez(
        buffer,
        pixels=np.array(pixels, dtype=np.uint8).reshape(-1, image_size, image_size, 3),
        kept=np.array(kept, dtype=np.int64),
        problems=np.array(problems, dtype=np.str_),
    )
    return buffer.getvalue()


def load_picture(path: Path, image_size: int) -> NDArray[np.uint8]:
    """The central square of a picture file as (image_size, image_size, 3). BadPicture if broken."""
    return central_square(open_file(path), image_size)


def central_square(picture: Image.Image, image_size: int) -> NDArray[np.uint8]:
    """The central square of a picture reduced by area, (image_size, image_size, 3); 2-D if grey."""
    enough = min(picture.size) >= image_size
    method = Image.Resampling.BOX if enough else Image.Resampling.BICUBIC
    return np.asarray(picture.resize((image_size, image_size), method, square_of(picture)))


def square_of(picture: Image.Image) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the central square."""
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return (left, top, left + side, top + side)


def words_to_learn(pictures: Pictures, mirror: bool) -> Iterator[str]:
    """Everything that `Batches` may write of these pictures, in pieces."""
    yield from (text for own in pictures.wordings for text in own)
    yield from pictures.views
    if mirror:
        yield " ".join([*OPPOSITE, MIRRORED])


def vocabulary_of(captions: Iterable[str], known: tuple[str, ...] = ()) -> tuple[str, ...]:
    """`known`, then the other words of the captions, sorted; the most frequent if too many."""
    counts = Counter(word for caption in captions for word in words(caption))
    new = [word for word, _ in counts.most_common() if word not in set(known)]
    return known + tuple(sorted(new[: max(0, LARGEST_VOCABULARY - len(known))]))


class Batches:
    """Shuffled batches by number: batch k is the same whenever and however often it is asked for.

    The pictures run past in epochs, each shuffled by (seed, epoch); a batch may span two epochs.
    Each visit takes one wording of the picture's caption, the full one half of the time; three of
    four add the row's `view`, words for how the picture was taken. With `masks`, what lies inside
    them weighs `inside` times what lies outside. With `mirror`, half of the visits see the picture
    mirrored, and their captions say so. With `crop` below 1 each visit keeps another square of the
    picture, from `crop` of its width to all of it: a picture never looks quite the same twice.
    """

    def __init__(
        self,
        pictures: Pictures,
        vocabulary: tuple[str, ...],
        batch_size: int,
        seed: int,
        masks: NDArray[np.uint8] | None = None,
        inside: float = 1.0,
        mirror: bool = False,
        crop: float = 1.0,
        image_size: int | None = None,
    ) -> None:
        """image_size: width of what comes out, that of `pictures` if None; masks are as wide as
        `pictures`."""
        self.pixels, self.batch_size, self.seed = pictures.pixels, batch_size, seed
        self.crop, self.image_size = crop, image_size or pictures.pixels.shape[1]
        self.masks, self.inside, self.mirror = masks, inside, mirror
        self.mean_weight = 1 + (inside - 1) * (0 if masks is None else float(masks.mean()) / 255)
        self.wordings, self.vocabulary = pictures.wordings, vocabulary
        self.views = pictures.views
        self._tokens: dict[str, list[int]] = {}
        """Of every caption seen so far."""
        self._draws: dict[int, NDArray[np.uint64]] = {}

    def draws(self, epoch: int) -> NDArray[np.uint64]:
        """(3, N): the pictures in an epoch's order, and for each place a number that chooses the
        wording and one that chooses the crop. By Philox's raw stream, which never changes.
        """
        if epoch not in self._draws:
            key = np.array([self.seed, epoch], dtype=np.uint64)
            stream = np.random.Philox(key=key).random_raw(3 * len(self.pixels)).reshape(3, -1)
            stream[0] = np.argsort(stream[0], kind="stable")
            recent = {e: drawn for e, drawn in self._draws.items() if e == epoch - 1}
            self._draws = {**recent, epoch: stream}
        return self._draws[epoch]

    def batch(
        self, number: int, own: slice = slice(None)
    ) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]]:
        """Batch `number`, from 0: pictures (B, 3, H, W) in [-1, 1], tokens (B, L), and weights of
        the pixels (B, 1, H, W), or (B, 1, 1, 1) without masks, that are 1 on the whole's average.

        own: only these of the batch, for one of several processes.
        """
        chosen, draws, mirrored, boxes = self._visits(number, own)
        ids = []
        for picture, draw, turned in zip(chosen, draws, mirrored, strict=True):
            full, *others = self.wordings[picture]
            heads = draw % 2 == 0 or not others
            text = full if heads else others[draw // 2 % len(others)]
            view = self.views[picture] if draw >> 58 & 3 else ""
            ids.append(self._tokens_of(with_view(text, view, turned)))
        pixels = to_floats(self._cut(self.pixels, chosen, boxes))
        pixels[mirrored] = pixels[mirrored][..., ::-1]
        weights = np.ones((len(chosen), 1, 1, 1), np.float32)
        if self.masks is not None:
            masks = self._cut(self.masks, chosen, boxes)[:, None]
            share = masks.astype(np.float32) / np.float32(255)
            weights = (1 + (self.inside - 1) * share) / np.float32(self.mean_weight)
            weights[mirrored] = weights[mirrored][..., ::-1]
        return pixels, np.array(ids, dtype=np.int64), weights

    def cut_labels(
        self, labels: NDArray[np.uint8], cell: int, number: int, own: slice = slice(None)
    ) -> NDArray[np.int64]:
        """(B, n, n): what batch `number` shows, one label each `cell` pixels; `labels` as wide as
        the pictures."""
        chosen, _, mirrored, boxes = self._visits(number, own)
        size = (self.image_size // cell,) * 2
        cut = np.stack(
            [
                np.asarray(Image.fromarray(labels[k]).resize(size, Image.Resampling.NEAREST, box))
                for k, box in zip(chosen, boxes, strict=True)
            ]
        )
        cut[mirrored] = cut[mirrored][..., ::-1]
        return cut.astype(np.int64)

    def _visits(
        self, number: int, own: slice
    ) -> tuple[list[int], list[int], list[bool], list[tuple[float, float, float, float]]]:
        """Of each visit of a batch the picture, a draw for its caption, whether it is mirrored, and
        the square that is kept."""
        chosen, draws, mirrored, boxes = [], [], [], []
        first = number * self.batch_size
        for visit in range(first, first + self.batch_size)[own]:
            epoch, place = divmod(visit, len(self.pixels))
            picture, draw, where = (int(number) for number in self.draws(epoch)[:, place])
            chosen.append(picture)
            draws.append(draw)
            mirrored.append(self.mirror and bool(draw >> 60 & 1))
            boxes.append(self._box(where))
        return chosen, draws, mirrored, boxes

    def _box(self, draw: int) -> tuple[float, float, float, float]:
        """The square that a visit keeps, in pixels: left, top, right, bottom."""
        size, across, down = ((draw >> shift & 0xFFFFF) / 0xFFFFF for shift in (0, 20, 40))
        width = self.pixels.shape[1]
        side = width * (1 - (1 - self.crop) * size)
        left, top = across * (width - side), down * (width - side)
        return (left, top, left + side, top + side)

    def _cut(
        self,
        pixels: NDArray[np.uint8],
        chosen: list[int],
        boxes: list[tuple[float, float, float, float]],
    ) -> NDArray[np.uint8]:
        """The chosen pictures or masks, cut and reduced to image_size."""
        if self.crop == 1 and pixels.shape[1] == self.image_size:
            return np.asarray(pixels[chosen])
        size = (self.image_size, self.image_size)
        return np.stack(
            [
                np.asarray(
                    Image.fromarray(pixels[k]).resize(size, Image.Resampling.HAMMING, box=box)
                )
                for k, box in zip(chosen, boxes, strict=True)
            ]
        )

    def _tokens_of(self, text: str) -> list[int]:
        if text not in self._tokens:
            self._tokens[text] = tokens(text, self.vocabulary)
        return self._tokens[text]


def to_floats(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """uint8 (B, H, W, 3) -> float32 (B, 3, H, W) in [-1, 1]."""
    scaled = pixels.astype(np.float32) / np.float32(127.5) - np.float32(1)
    return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2))


def to_pixels(pictures: NDArray[np.float32]) -> NDArray[np.uint8]:
    """float (B, 3, H, W) in [-1, 1], clipped -> uint8 (B, H, W, 3)."""
    scaled = (np.clip(pictures, -1, 1) + 1) * 127.5
    return np.round(scaled).astype(np.uint8).transpose(0, 2, 3, 1)

"""Data sets as people have them -> one form: rows of metadata, and a way to each picture.

Reads, for each split, the first of these that is there:

    thumbnails.json                 atlases of small pictures (thumbnails.py)
    metadata.jsonl, metadata.csv    a Hugging Face imagefolder: file_name, text, more columns
    *.tar                           WebDataset shards: 0001.webp beside 0001.json or 0001.txt
    *.parquet, a saved data set     Hugging Face data sets on disk, through their own libraries
    picture.png + picture.txt       side-files, as kohya's trainers read them

A split is a folder of its name, files whose names begin with it, or, for `train`, all of a folder
without splits. What cannot be used is named in `problems` and left out; nothing here stops at a
broken picture. Level 3, as `batches.py` and its siblings. Next: `batches.py` decodes and batches.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from PIL import Image

from rocketman.captions import CONTEXT_LENGTH, SPLITS, Split, words
from rocketman.data.pictures import FORMATS, open_bytes, open_file, open_labels, open_mask

Row = dict[str, Any]
"""A picture's metadata: file_name, text (its full caption), captions (all, the full one first)."""

CAPTION_KEYS = ("text", "caption", "prompt")
SIDE_FILES = (".txt", ".caption")
UNREAD = (".heic", ".heif", ".jxl", ".jfif", ".jp2", ".tga", ".psd", ".svg", ".ppm")
"""Pictures too, but not of FORMATS."""
FOLDER_NAMES: dict[Split, tuple[str, ...]] = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "eval"),
}


class Problem(NamedTuple):
    """What is wrong with one file."""

    file: str
    what: str

    def __str__(self) -> str:
        return f"{self.file} {self.what}"


@dataclass(frozen=True, kw_only=True)
class Source:
    """One split, not decoded yet."""

    name: str
    """What messages call it: a path."""
    rows: list[Row]
    problems: list[Problem]
    """Of rows and files that are no part of `rows`."""
    open: Callable[[int], Image.Image]
    """Decode the picture of row k to RGB. BadPicture if it cannot be used."""
    files: list[Path]
    """Everything that was or will be read: a change of any makes a cache stale."""
    read: Callable[[int], bytes] | None = None
    """The bytes of the file of row k, where pictures have files."""
    mask: Callable[[int], Image.Image] | None = None
    """Where the instrument of row k is, 255 in a grey picture, where the data set says so.
    BadPicture if it cannot be used."""
    labels: Callable[[int], Image.Image] | None = None
    """What each pixel of row k shows, the numbers of LABELS in a grey picture, where the data set
    says so. BadPicture if it cannot be used."""
    hash: str = field(default="")
    """SHA-256 that says which data set this is; of the rows, where the reader gives none."""

    def __post_init__(self) -> None:
        if not self.hash:
            text = json.dumps(self.rows, sort_keys=True, default=str)
            object.__setattr__(self, "hash", hashlib.sha256(text.encode()).hexdigest())


def too_long(rows: Iterable[Row]) -> int:
    """How many captions of these rows have more words than a model reads."""
    return sum(len(words(text)) > CONTEXT_LENGTH for row in rows for text in row["captions"])


def tell_too_long(count: int) -> str:
    """One line about `count` captions that are too long."""
    captions = "caption is" if count == 1 else "captions are"
    return f"{count:,} {captions} longer than {CONTEXT_LENGTH} words; the rest is not read"


# --- finding splits -----------------------------------------------------------------------------


def read_split(folder: Path, split: Split) -> Source:
    """One split of a data set. ValueError, in one sentence, if there is none that can be read."""
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a data set: there is no such folder.")
    for reader in _readers(folder, split):
        return reader()
    raise ValueError(
        f"{folder} holds no captions for {split}: it needs {split}/metadata.jsonl with file_name "
        "and text, pictures with a .txt file each, WebDataset shards or a Hugging Face data set."
    )


def splits(folder: Path) -> list[Split]:
    """The splits that a folder holds, in the order of SPLITS; nothing is read."""
    return [split for split in SPLITS if any(True for _ in _readers(folder, split))]


def _readers(folder: Path, split: Split) -> Iterator[Callable[[], Source]]:
    """Ways to read a split, best first; lazily, since only the first is used."""
    from rocketman.data.thumbnails import INDEX, read_thumbnails

    if not folder.is_dir():
        return
    if (folder / INDEX).is_file():
        if any((folder / split).glob("*.jsonl.gz")):
            yield lambda: read_thumbnails(folder, split)
        return
    if (folder / "dataset_dict.json").is_file() or (folder / "state.json").is_file():
        alone = folder if split == "train" and (folder / "state.json").is_file() else None
        for place in (*(folder / name for name in FOLDER_NAMES[split]), alone):
            if place and (place / "state.json").is_file():
                yield partial(_hub().read_saved, place)
        return
    for name in FOLDER_NAMES[split]:
        if (folder / name).is_dir() and (reader := _reader(folder / name)):
            yield reader
    for suffix, read in ((".tar", read_shards), (".parquet", _read_parquet)):
        files = [*sorted(folder.glob(f"*{suffix}")), *sorted((folder / "data").glob(f"*{suffix}"))]
        prefixes = [path.stem.replace("_", "-").split("-")[0].lower() for path in files]
        own = [path for path, name in zip(files, prefixes, strict=True) if _split(name) == split]
        if own:
            yield partial(read, folder, own)
    if split == "train" and not _split_folders(folder) and (reader := _reader(folder)):
        yield reader


def _split_folders(folder: Path) -> list[Path]:
    names = [name for names in FOLDER_NAMES.values() for name in names]
    return [folder / name for name in names if (folder / name).is_dir()]


def captioned_strays(folder: Path) -> list[Problem]:
    """Files with a caption of their name that no reader takes: in formats that are not read, or
    beside the folders of the splits."""
    inside = _split_folders(folder)
    problems = []
    for path in pictures_in(folder, (*FORMATS, *UNREAD)):
        name = path.relative_to(folder).as_posix()
        if not any(path.with_suffix(side).is_file() for side in SIDE_FILES):
            continue
        if path.suffix.lower() in UNREAD:
            if not any(path.with_suffix(kind).is_file() for kind in FORMATS):
                problems.append(Problem(name, "is in a format that is not read: save it as PNG"))
        elif inside and not any(place in path.parents for place in inside):
            problems.append(Problem(name, f"lies beside {inside[0].name}/ and is not read"))
    return problems


def _reader(folder: Path) -> Callable[[], Source] | None:
    """How to read one folder that is one split, or None if it holds no data set."""
    for name in ("metadata.jsonl", "metadata.csv"):
        if (folder / name).is_file():
            return lambda: read_table(folder / name)
    if shards := sorted(folder.glob("*.tar")):
        return lambda: read_shards(folder, shards)
    if tables := sorted(folder.glob("*.parquet")):
        return lambda: _read_parquet(folder, tables)
    pictures = pictures_in(folder, FORMATS)
    if any(path.with_suffix(side).is_file() for path in pictures for side in SIDE_FILES):
        return lambda: read_side_files(folder)
    return None


def _split(prefix: str) -> Split:
    """The split that a file's name begins with; without one it is training's."""
    for split, names in FOLDER_NAMES.items():
        if prefix in names:
            return split
    return "train"


def _hub() -> Any:
    from rocketman.data import hub

    return hub


def _read_parquet(folder: Path, paths: list[Path]) -> Source:
    source: Source = _hub().read_parquet(folder, paths)
    return source


# --- folders ------------------------------------------------------------------------------------


def read_table(table: Path) -> Source:
    """An imagefolder: the pictures that metadata.jsonl or metadata.csv names."""
    folder = table.parent
    rows, problems = read_metadata(table)
    named = {row["file_name"] for row in rows} | {problem.file for problem in problems}
    for path in pictures_in(folder, FORMATS):
        name = path.relative_to(folder).as_posix()
        if name not in named:
            problems.append(Problem(name, f"has no caption: {table.name} does not name it"))
    return Source(
        name=str(folder),
        rows=rows,
        problems=problems,
        open=lambda k: open_file(folder / rows[k]["file_name"]),
        read=lambda k: (folder / rows[k]["file_name"]).read_bytes(),
        mask=_side_file(open_mask, folder.parent / "passes", rows),
        labels=_side_file(open_labels, folder.parent / "passes", rows),
        files=[table, *(folder / row["file_name"] for row in rows)],
        hash=hashlib.sha256(table.read_bytes()).hexdigest(),
    )


def _side_file(
    opened: Callable[[Path], Image.Image], passes: Path, rows: list[Row]
) -> Callable[[int], Image.Image] | None:
    """What the side files of a rendered data set say of a row, if it has them."""
    if not passes.is_dir():
        return None
    return lambda k: opened(passes / f"{PurePosixPath(rows[k]['file_name']).stem}.png")


def read_side_files(folder: Path) -> Source:
    """Pictures anywhere below `folder`, each captioned by the text file of its name.

    Each line of a text file is a caption, the first the full one. Repeat counts in the names of
    folders ("10_harps") are not read: every picture counts once.
    """
    rows: list[Row] = []
    problems: list[Problem] = []
    for path in pictures_in(folder, FORMATS):
        name = path.relative_to(folder).as_posix()
        side = next((f for f in map(path.with_suffix, SIDE_FILES) if f.is_file()), None)
        try:
            lines = side.read_text(encoding="utf-8-sig").splitlines() if side else []
        except UnicodeDecodeError:
            problems.append(Problem(name, "has a caption that is not UTF-8"))
            continue
        found = row_of({"captions": [line.strip() for line in lines]}, name)
        (rows if isinstance(found, dict) else problems).append(found)  # type: ignore[arg-type]
    return Source(
        name=str(folder),
        rows=rows,
        problems=problems,
        open=lambda k: open_file(folder / rows[k]["file_name"]),
        read=lambda k: (folder / rows[k]["file_name"]).read_bytes(),
        files=[folder / row["file_name"] for row in rows],
    )


def refuse_itself(folder: Path, out: Path) -> None:
    """ValueError if what is made of a data set would be written over it."""
    if out.resolve() == folder.resolve():
        raise ValueError(f"{out} is the data set itself: give another --out.")


def pictures_in(folder: Path, suffixes: Iterable[str]) -> list[Path]:
    """Files below a folder with one of these suffixes, hidden ones left out, sorted."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in suffixes
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def read_metadata(table: Path) -> tuple[list[Row], list[Problem]]:
    """(usable rows, what is wrong with the others) of metadata.jsonl or metadata.csv.

    ValueError, in one sentence, if the table is not UTF-8, or is no such table at all.
    """
    try:
        text = table.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{table} is not UTF-8: save it as UTF-8.") from error
    if table.suffix == ".csv" and "file_name" not in (columns := text.partition("\n")[0].strip()):
        raise ValueError(f"{table} has no column file_name in its first line: {columns[:80]!r}.")
    if table.suffix == ".csv" and ";" in columns and "," not in columns:
        raise ValueError(f"{table} has semicolons between its columns: save it with commas.")
    if table.suffix == ".jsonl" and text.lstrip().startswith("["):
        raise ValueError(f"{table} is one JSON array: write one object a line, without brackets.")
    rows: list[Row] = []
    problems: list[Problem] = []
    seen: set[str] = set()
    for number, raw in _csv(table, text) if table.suffix == ".csv" else _jsonl(text):
        line = f"{table.name} line {number}"
        if not isinstance(raw, dict):
            problems.append(Problem(line, "is not a JSON object"))
        elif not isinstance(raw.get("file_name"), str) or not raw["file_name"].strip():
            problems.append(Problem(line, "has no file_name"))
        else:
            name = raw["file_name"].replace("\\", "/")  # as Windows writes paths
            found = row_of(raw, name)
            if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
                found = Problem(name, "lies outside its data set")
            elif name in seen:
                found = Problem(name, f"is named twice in {table.name}")
            seen.add(name)
            (rows if isinstance(found, dict) else problems).append(found)  # type: ignore[arg-type]
    return rows, problems


def _jsonl(text: str) -> Iterator[tuple[int, Any]]:
    """(line number, value) of every line that is not empty; None for what is not JSON."""
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except (json.JSONDecodeError, RecursionError):
                yield number, None


def _csv(table: Path, text: str) -> Iterator[tuple[int, Any]]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        for raw in reader:
            yield reader.line_num, {key: value for key, value in raw.items() if key}
    except csv.Error as error:  # such as a quotation mark that nothing closes
        raise ValueError(f"{table} is no CSV after line {reader.line_num}: {error}.") from error


def row_of(raw: Row, name: str) -> Row | Problem:
    """A row with `file_name`, `text` and `captions`, or what is wrong with it."""
    found = [raw.get(key) for key in CAPTION_KEYS]
    others = raw.get("captions")
    found += others if isinstance(others, list) else []
    captions = [text.strip() for text in found if isinstance(text, str) and text.strip()]
    if not captions:
        return Problem(name, "has no caption")
    return {
        **raw,
        "file_name": name,
        "text": captions[0],
        "captions": list(dict.fromkeys(captions)),
    }


# --- shards -------------------------------------------------------------------------------------


def read_shards(folder: Path, shards: list[Path]) -> Source:
    """WebDataset shards: files of one key, up to the first dot of the name, make one sample."""
    rows: list[Row] = []
    problems: list[Problem] = []
    places: list[tuple[Path, int, int]] = []
    for shard in shards:
        samples: dict[str, dict[str, tuple[int, int]]] = {}
        try:
            with tarfile.open(shard, "r:") as tar:
                for member in tar:
                    path = PurePosixPath(member.name)
                    stem, _, ending = path.name.partition(".")
                    if member.isfile() and stem:
                        entry = samples.setdefault(str(path.parent / stem), {})
                        entry[f".{ending.lower()}"] = (member.offset_data, member.size)
        except (tarfile.TarError, OSError, EOFError) as error:
            problems.append(Problem(shard.name, f"cannot be read to its end ({error})"))
        for key, entry in samples.items():
            picture = next((suffix for suffix in FORMATS if suffix in entry), None)
            name = f"{key}{picture or ''}"
            if picture is None:
                problems.append(Problem(f"{shard.name}: {name}", "has no picture"))
                continue
            found = _shard_row(shard, entry, name)
            if isinstance(found, Problem):
                problems.append(found)
            else:
                rows.append(found)
                places.append((shard, *entry[picture]))

    def read(k: int) -> bytes:
        shard, offset, size = places[k]
        return _slice(shard, offset, size)

    return Source(
        name=str(folder),
        rows=rows,
        problems=problems,
        open=lambda k: open_bytes(read(k), rows[k]["file_name"]),
        read=read,
        files=shards,
    )


def _shard_row(shard: Path, entry: dict[str, tuple[int, int]], name: str) -> Row | Problem:
    """The row of one sample, from its .json, else from its .txt."""
    raw: Any = {}
    try:
        if ".json" in entry:
            raw = json.loads(_slice(shard, *entry[".json"]))
        for suffix in SIDE_FILES:
            if suffix in entry:
                lines = _slice(shard, *entry[suffix]).decode("utf-8-sig").splitlines()
                raw = {"captions": [line.strip() for line in lines], **raw}
    except (ValueError, TypeError, RecursionError):
        return Problem(name, "has metadata that cannot be read")
    return row_of(raw, name) if isinstance(raw, dict) else Problem(name, "has no caption")


def _slice(path: Path, offset: int, size: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(size)

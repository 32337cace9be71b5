"""A data set in a form that travels: WebP pictures in WebDataset shards or in a plain imagefolder.

Reads any data set that `sources.py` knows; writes one of

    OUT/SPLIT-000000.tar    000123.webp, 000123.json, 000123.txt for each picture
    OUT/SPLIT/              000123.webp and metadata.jsonl

each file whole or not at all. The same data set gives the same bytes. Level 3.
Next: `card.py` describes the folder.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Literal

from PIL import Image

from rocketman.captions import Split
from rocketman.data.batches import central_square
from rocketman.data.pictures import BadPicture
from rocketman.data.sources import Problem, Row, read_split, refuse_itself, splits
from rocketman.files import write_whole

Form = Literal["shards", "folder"]
Sample = tuple[Row, bytes]
MARK = "packed.json"
"""Tells a folder that was packed: packing again may replace what it holds."""
SHARD = 2000
"""Pictures a shard: about 10 MB at 256 pixels."""
QUALITY = 75
"""WebP's, from 0 to 100."""


def pack(
    folder: Path,
    out: Path,
    form: Form = "shards",
    size: int | None = None,
    count: int | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Problem]:
    """Write every usable picture of a data set, or `count` spread over it; returns what was not.

    size: pixels of the central square that is kept; None keeps pictures as they are.
    ValueError, in one sentence, if the folder holds no data set, or if `out` holds other things.
    """
    sources = {split: read_split(folder, split) for split in splits(folder) or ["train"]}
    refuse_itself(folder, out)
    _claim(out, form)
    problems = [problem for source in sources.values() for problem in source.problems]
    every = [(split, k) for split, source in sources.items() for k in range(len(source.rows))]
    count = min(count or len(every), len(every))
    chosen = [every[n * len(every) // count] for n in range(count)]
    written: set[Path] = set()
    done = 0
    for split, source in sources.items():
        samples: list[Sample] = []
        for k in [k for of, k in chosen if of == split]:
            done += 1
            try:
                picture = source.open(k)
            except BadPicture as error:
                problems.append(Problem(source.rows[k]["file_name"], str(error)))
            else:
                if size:
                    picture = Image.fromarray(central_square(picture, size))
                samples.append(_sample(f"{len(samples):06d}", picture, source.rows[k]))
            on_progress(done, count)
        write = _write_shards if form == "shards" else _write_folder
        written |= write(out, split, samples)
    for old in {path for path in out.rglob("*") if path.suffix in (".tar", ".webp")} - written:
        old.unlink()  # of an earlier, larger data set
    return problems


def _write_shards(out: Path, split: Split, samples: list[Sample]) -> set[Path]:
    paths = set()
    for start in range(0, len(samples), SHARD):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for row, data in samples[start : start + SHARD]:
                key = PurePosixPath(row["file_name"]).stem
                text = json.dumps(row, ensure_ascii=False, default=str)
                files = {"webp": data, "json": text.encode(), "txt": row["text"].encode()}
                for suffix, content in files.items():
                    member = tarfile.TarInfo(f"{key}.{suffix}")  # no time, no owner: equal bytes
                    member.size = len(content)
                    tar.addfile(member, io.BytesIO(content))
        path = out / f"{split}-{start // SHARD:06d}.tar"
        write_whole(path, buffer.getvalue())
        paths.add(path)
    return paths


def _write_folder(out: Path, split: Split, samples: list[Sample]) -> set[Path]:
    (out / split).mkdir(exist_ok=True)
    paths = set()
    for row, data in samples:
        paths.add(path := out / split / row["file_name"])
        write_whole(path, data)
    lines = [json.dumps(row, ensure_ascii=False, default=str) + "\n" for row, _ in samples]
    write_whole(out / split / "metadata.jsonl", "".join(lines).encode())
    return paths


def _sample(key: str, picture: Image.Image, row: Row) -> Sample:
    """A row that tells of its new file, and that file."""
    encoded = io.BytesIO()
    picture.save(encoded, "WEBP", quality=QUALITY, method=5, use_sharp_yuv=True)
    data = encoded.getvalue()
    packed = {
        **row,
        "file_name": f"{key}.webp",
        "sha256": hashlib.sha256(data).hexdigest(),
        # Not "file_name": the library `datasets` opens whatever is called so.
        "original": {"name": row["file_name"], "sha256": row.get("sha256")},
    }
    return packed, data


def _claim(out: Path, form: Form) -> None:
    """Take an empty folder, or one that was packed in the same form before; never another."""
    about = {"schema_version": 1, "form": form}
    if out.is_file() or (out.is_dir() and any(out.iterdir())):
        try:
            ours = json.loads((out / MARK).read_text(encoding="utf-8")) == about
        except (OSError, ValueError):
            ours = False
        if not ours:
            raise ValueError(f"{out} holds other things already: give another --out.")
    out.mkdir(parents=True, exist_ok=True)
    write_whole(out / MARK, json.dumps(about).encode())

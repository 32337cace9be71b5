"""A data set in a form that travels: WebDataset shards of WebP pictures with their metadata inside.

Reads any data set that `data_sources.py` knows; writes OUT/SPLIT-000000.tar, each whole or not at
all, with 000123.webp, 000123.json and 000123.txt for each picture. The same data set gives the
same names, rows and tar headers. Level 3. Next: `data_card.py` describes the folder.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from rocketman.data import central_square
from rocketman.data_pictures import BadPicture
from rocketman.data_sources import Problem, Row, read_split, splits
from rocketman.files import write_whole

SHARD = 2000
"""Pictures a shard: about 10 MB at 256 pixels."""
QUALITY = 75
"""WebP's, from 0 to 100."""


def pack(
    folder: Path,
    out: Path,
    size: int | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Problem]:
    """Write every usable picture of a data set into shards; returns what was left out.

    size: pixels of the central square that is kept; None keeps pictures as they are.
    ValueError, in one sentence, if the folder holds no data set, or if `out` holds other things.
    """
    sources = {split: read_split(folder, split) for split in splits(folder) or ["train"]}
    _check_ours(out)
    out.mkdir(parents=True, exist_ok=True)
    problems = [problem for source in sources.values() for problem in source.problems]
    total, done = sum(len(source.rows) for source in sources.values()), 0
    written: set[Path] = set()
    for split, source in sources.items():
        kept = 0
        shard: list[tuple[str, bytes]] = []
        for k, row in enumerate(source.rows):
            done += 1
            try:
                picture = source.open(k)
            except BadPicture as error:
                problems.append(Problem(row["file_name"], str(error)))
            else:
                if size:
                    picture = Image.fromarray(central_square(picture, size))
                shard += _sample(f"{kept:06d}", picture, row)
                kept += 1
            if shard and (kept % SHARD == 0 or k == len(source.rows) - 1):
                path = out / f"{split}-{(kept - 1) // SHARD:06d}.tar"
                write_whole(path, _tar(shard))
                written.add(path)
                shard = []
            on_progress(done, total)
    for old in set(out.glob("*.tar")) - written:  # of an earlier, larger data set
        old.unlink()
    return problems


def _sample(key: str, picture: Image.Image, row: Row) -> list[tuple[str, bytes]]:
    """The files of one sample: KEY.webp, KEY.json, KEY.txt."""
    encoded = io.BytesIO()
    picture.save(encoded, "WEBP", quality=QUALITY, method=5, use_sharp_yuv=True)
    data = encoded.getvalue()
    packed = {
        **row,
        "file_name": f"{key}.webp",
        "sha256": hashlib.sha256(data).hexdigest(),
        "original": {"file_name": row["file_name"], "sha256": row.get("sha256")},
    }
    text = json.dumps(packed, ensure_ascii=False, default=str).encode()
    return [(f"{key}.webp", data), (f"{key}.json", text), (f"{key}.txt", row["text"].encode())]


def _tar(files: list[tuple[str, bytes]]) -> bytes:
    """A tar of these files, without times and owners: the same bytes every time."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in files:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _check_ours(out: Path) -> None:
    """Shards are written into an empty folder or over shards, never among other files."""
    if out.is_dir():
        for path in out.iterdir():
            if path.suffix not in (".tar", ".part") and path.name not in (
                "README.md",
                "sample.jpg",
            ):
                raise ValueError(f"{out} holds {path.name} already: give another --out.")
    elif out.exists():
        raise ValueError(f"{out} is a file: give another --out.")

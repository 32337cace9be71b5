"""A whole data set in a few megabytes: every picture small, in atlases, and a table beside them.

Writes and reads

    thumbnails.json                  size of a tile, tiles across and down an atlas
    SPLIT/metadata.jsonl.gz          the rows of the data set, in the order of the tiles
    SPLIT/atlas-0000.avif            16 tiles across and 16 down, row by row; the last may be lower
    SPLIT/masks-0000.avif            where the instruments of these tiles are, at half their size,
                                     if the data set says so

`rocketman.data` reads such a folder like any other data set, so a fresh clone trains at the tiles'
size, or below, without rendering. Tiles lie on the borders of the coder's blocks, so none shines
into the next, and are areas averaged. AVIF keeps colour at full resolution: at the same bytes
WebP, which halves it, loses 2 dB on saturated suits. Next: `card.py` describes the folder.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, features

from rocketman.captions import Split
from rocketman.data.batches import central_square
from rocketman.data.pictures import BadPicture
from rocketman.data.sources import Problem, Row, Source, read_split, refuse_itself, splits
from rocketman.files import write_whole

INDEX, TABLE = "thumbnails.json", "metadata.jsonl.gz"
SCHEMA_VERSION = 1
TILES = 16
"""Tiles across and down an atlas."""
BLOCK = 16
"""Pixels; a tile is a multiple of it."""
BYTES_A_PIXEL = 0.13
"""About 530 bytes a tile of 64 pixels; the best quality that keeps to it is used."""
MASK_QUALITY = 30
"""Enough for what only weighs the loss: a tenth of the bytes of the pictures."""


def write_thumbnails(
    folder: Path,
    out: Path,
    size: int = 64,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Problem]:
    """Write every usable picture of a data set, `size` pixels square; returns what was left out.

    ValueError, in one sentence, for a size that is no multiple of 16, for a folder without data,
    and where Pillow cannot write AVIF.
    """
    if size < BLOCK or size % BLOCK or size > 16 * BLOCK:
        raise ValueError(f"The size should be a multiple of {BLOCK} up to 256, not {size}.")
    _check_avif()
    sources = {split: read_split(folder, split) for split in splits(folder) or ["train"]}
    refuse_itself(folder, out)
    _check_ours(out)
    problems = [problem for source in sources.values() for problem in source.problems]
    total = sum(len(source.rows) for source in sources.values())
    done, quality = 0, None
    for split, source in sources.items():
        (out / split).mkdir(parents=True, exist_ok=True)
        kept: list[Row] = []
        tiles: list[NDArray[np.uint8]] = []
        masks: list[NDArray[np.uint8]] = []
        for k, row in enumerate(source.rows):
            done += 1
            try:
                tile = central_square(source.open(k), size)
                if source.mask:
                    masks.append(central_square(source.mask(k), size // 2))
                tiles.append(tile)
                kept.append(_row(source, k))
            except BadPicture as error:
                problems.append(Problem(row["file_name"], str(error)))
            if tiles and (len(tiles) == TILES**2 or k == len(source.rows) - 1):
                atlas = _laid_out(tiles, size)
                quality = quality or _quality(atlas, len(tiles), size)
                number = (len(kept) - 1) // TILES**2
                write_whole(out / split / _atlas(number), encoded(atlas, quality))
                if masks:
                    shares = encoded(_laid_out(masks, size // 2), MASK_QUALITY)
                    write_whole(out / split / _atlas(number, "masks"), shares)
                tiles, masks = [], []
            on_progress(done, total)
        written = -(-len(kept) // TILES**2)
        for kind, count in (("atlas", written), ("masks", written if source.mask else 0)):
            for surplus in sorted((out / split).glob(f"{kind}-*.avif"))[count:]:
                surplus.unlink()
        table = "".join(json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in kept)
        write_whole(out / split / TABLE, gzip.compress(table.encode(), mtime=0))
    about = {"schema_version": SCHEMA_VERSION, "size": size, "tiles": TILES}
    write_whole(out / INDEX, json.dumps(about).encode())
    _open_atlas.cache_clear()
    return problems


def read_thumbnails(folder: Path, split: Split) -> Source:
    """One split of such a folder. ValueError, in one sentence, if it is damaged."""
    table = folder / split / TABLE
    try:
        about = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        if about["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"schema version {about['schema_version']} is not known")
        size, tiles = int(about["size"]), int(about["tiles"])
        unpacked = gzip.decompress(table.read_bytes())
        rows: list[Row] = [json.loads(line) for line in unpacked.decode().splitlines()]
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{folder} holds thumbnails that cannot be read: {error}.") from error
    _check_avif()
    count = -(-len(rows) // tiles**2)
    atlases = [folder / split / _atlas(k) for k in range(count)]
    masks = [folder / split / _atlas(k, "masks") for k in range(count)]

    def tile(paths: list[Path], size: int, k: int) -> Image.Image:
        x, y = _place(k % tiles**2, size, tiles)
        atlas = _open_atlas(paths[k // tiles**2])
        if atlas.width != tiles * size or atlas.height < y + size:
            raise BadPicture("lies in an atlas of another size")
        return atlas.crop((x, y, x + size, y + size))

    return Source(
        name=str(folder / split),
        rows=rows,
        problems=[],
        open=partial(tile, atlases, size),
        mask=(lambda k: tile(masks, size // 2, k).convert("L"))
        if masks and masks[0].is_file()
        else None,
        files=[folder / INDEX, table, *atlases],
        hash=hashlib.sha256(unpacked).hexdigest(),  # that of the pictures' own metadata.jsonl
    )


def _check_ours(out: Path) -> None:
    """Atlases are written into an empty folder or over atlases, never among other files."""
    ours = ("atlas-*.avif", "masks-*.avif", TABLE, INDEX, "README.md", "sample.jpg", ".*.part")
    for path in [out] if out.is_file() else out.rglob("*"):
        if path.is_file() and not any(path.match(pattern) for pattern in ours):
            raise ValueError(f"{out} holds {path.name} already: give another --out.")


@lru_cache(maxsize=4)
def _open_atlas(path: Path) -> Image.Image:
    try:
        with Image.open(path, formats=["AVIF"]) as atlas:
            return atlas.convert("RGB")
    except (OSError, ValueError) as error:
        raise BadPicture(f"lies in {path.name}, which cannot be read") from error


def _row(source: Source, k: int) -> Row:
    """A row that names the picture it came from by its hash too."""
    row = source.rows[k]
    if "sha256" not in row and source.read:
        return {**row, "sha256": hashlib.sha256(source.read(k)).hexdigest()}
    return row


def _place(tile: int, size: int, tiles: int) -> tuple[int, int]:
    """Left and top of a tile of an atlas."""
    return tile % tiles * size, tile // tiles * size


def _atlas(number: int, kind: str = "atlas") -> str:
    return f"{kind}-{number:04d}.avif"


def _laid_out(tiles: list[NDArray[np.uint8]], size: int) -> NDArray[np.uint8]:
    """Tiles (size, size, ...) side by side, row by row; black where the last row ends."""
    rows = -(-len(tiles) // TILES)
    atlas = np.zeros((rows * size, TILES * size, *tiles[0].shape[2:]), dtype=np.uint8)
    for k, tile in enumerate(tiles):
        x, y = _place(k, size, TILES)
        atlas[y : y + size, x : x + size] = tile
    return atlas


def encoded(atlas: NDArray[np.uint8], quality: int) -> bytes:
    """(H, W, 3) or (H, W) as an AVIF file, colour at full resolution."""
    buffer = io.BytesIO()
    Image.fromarray(atlas).save(buffer, "AVIF", quality=quality, speed=6, subsampling="4:4:4")
    return buffer.getvalue()


def _quality(atlas: NDArray[np.uint8], tiles: int, size: int) -> int:
    """The highest quality at which the tiles of this atlas keep to their bytes."""
    low, high = 30, 95
    while low < high:
        middle = (low + high + 1) // 2
        if len(encoded(atlas, middle)) <= BYTES_A_PIXEL * size**2 * tiles:
            low = middle
        else:
            high = middle - 1
    return low


def _check_avif() -> None:
    if not features.check("avif"):
        raise ValueError(
            "Thumbnails are AVIF, which this Pillow lacks: pip install 'Pillow>=11.3'."
        )

"""Hugging Face data sets on disk -> `Source`, through their own libraries.

Reads a folder written by `datasets.save_to_disk`, or parquet files with the pictures' bytes in a
column, as the hub keeps them. The libraries are no part of
Rocketman's; `sources.py` imports this only when such files are met.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from rocketman.data.pictures import FORMATS, BadPicture, open_bytes, open_file
from rocketman.data.sources import Problem, Row, Source, row_of

INSTALL = "run `pip install datasets`."
PICTURE_COLUMNS = ("image", "img", "picture", "jpg", "png", "webp")


def read_saved(folder: Path) -> Source:
    """One split written by `datasets.save_to_disk`. ValueError if the library is missing."""
    try:
        import datasets
    except ModuleNotFoundError as error:
        raise ValueError(f"{folder} is a saved Hugging Face data set: {INSTALL}") from error
    try:
        table = datasets.load_from_disk(str(folder))
        column = _column(table.column_names, folder)
        if isinstance(table.features[column], datasets.Image):
            table = table.cast_column(column, datasets.Image(decode=False))
    except (OSError, datasets.exceptions.DatasetsError) as error:
        raise ValueError(f"{folder} cannot be read by datasets: {error}") from error
    others = table.remove_columns([column])
    return _source(folder, sorted(folder.iterdir()), others, lambda k: table[k][column])


def read_parquet(folder: Path, paths: list[Path]) -> Source:
    """Parquet files that hold one split. ValueError if the library is missing or one is broken."""
    try:
        import pyarrow.parquet
    except ModuleNotFoundError as error:
        raise ValueError(f"{folder} holds parquet files: {INSTALL}") from error
    try:
        files = [pyarrow.parquet.ParquetFile(path) for path in paths]
        names = files[0].schema_arrow.names
        column = _column(names, folder)
        others = [name for name in names if name != column]
        raws = [row for file in files for row in file.read(columns=others).to_pylist()]
    except (OSError, pyarrow.ArrowException) as error:
        raise ValueError(f"{folder} holds a parquet file that cannot be read: {error}") from error
    groups = [
        (file, group, file.metadata.row_group(group).num_rows)
        for file in files
        for group in range(file.metadata.num_row_groups)
    ]
    held: dict[int, list[Any]] = {}

    def value(k: int) -> Any:
        """Cell k of the column of pictures; the row group that holds it is kept for the next."""
        start = 0
        for number, (file, group, count) in enumerate(groups):
            if k < start + count:
                if number not in held:
                    held.clear()
                    held[number] = file.read_row_group(group, columns=[column])[column].to_pylist()
                return held[number][k - start]
            start += count
        raise IndexError(k)

    return _source(folder, paths, raws, value)


def _column(names: Iterable[str], folder: Path) -> str:
    for name in PICTURE_COLUMNS:
        if name in names:
            return name
    raise ValueError(f"{folder} has no column of pictures; it is read from {PICTURE_COLUMNS[0]}.")


def _source(
    folder: Path, files: list[Path], raws: Iterable[Row], value: Callable[[int], Any]
) -> Source:
    rows: list[Row] = []
    problems: list[Problem] = []
    places: list[int] = []
    for number, raw in enumerate(raws):
        found = row_of(raw, str(raw.get("file_name") or f"row {number}"))
        if isinstance(found, Problem):
            problems.append(found)
        else:
            rows.append(found)
            places.append(number)

    def picture(k: int) -> Any:
        """RGB of row k, whose cell holds bytes, or a path to them, or both."""
        cell = value(places[k])
        data = cell.get("bytes") if isinstance(cell, dict) else cell
        if isinstance(data, bytes):
            name = (cell.get("path") if isinstance(cell, dict) else None) or rows[k]["file_name"]
            suffix = PurePosixPath(name).suffix.lower()
            return open_bytes(data, name if suffix in FORMATS else f"x{_suffix(data)}")
        if isinstance(cell, dict) and cell.get("path"):
            return open_file(Path(cell["path"]))
        raise BadPicture("has no picture")

    return Source(name=str(folder), rows=rows, problems=problems, open=picture, files=files)


def _suffix(data: bytes) -> str:
    """What the first bytes say that a nameless picture is."""
    if data[4:12] == b"ftypavif":
        return ".avif"
    starts = {b"\x89PNG": ".png", b"\xff\xd8": ".jpg", b"GIF8": ".gif", b"RIFF": ".webp"}
    return next((suffix for start, suffix in starts.items() if data.startswith(start)), "")

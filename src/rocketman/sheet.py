"""A contact sheet: pictures in rows, in their order, marked and signed, with the recipes of all.

Level 4. Reads pictures of `generate.py`; saves through `provenance/picture.py`.
Next: `cli.py` and `evaluate.py` ask for one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PIL import Image

from rocketman.generate import Picture
from rocketman.provenance import picture
from rocketman.request import RequestError

EDGE, GAP = 256, 4
"""Pixels: a picture, as large as an invisible mark needs (`watermark.py`), and between pictures."""
MOST_ACROSS = 8
"""Pictures in a row."""
MOST = 200
"""On a sheet: marking so many takes 0.8 GB of memory."""
NIGHT = "#05060a"


def check(path: Path, count: int, out: Path) -> None:
    """See to it that a sheet of `count` pictures can be saved at `path`, in a folder made for it.

    out: where the pictures themselves go. PictureError if it cannot, RequestError if they are more
    than MOST, or one of them might take its name.
    """
    if path.name[:1].isdigit() and path.parent.resolve() == out.resolve():
        raise RequestError(f"{path} may be a picture's name: let the sheet's begin with a letter.")
    if count > MOST:
        raise RequestError(f"A contact sheet holds at most {MOST} pictures, not {count}.")
    picture.prepare_folder(path.parent)
    picture.check_sheet(path)


def reduced(each: Picture, edge: int = EDGE) -> Picture:
    """A picture in the size that a sheet shows it."""
    return replace(each, image=each.image.resize((edge, edge), Image.Resampling.LANCZOS))


def save(path: Path, pictures: Sequence[Picture], series: int, edge: int = EDGE) -> None:
    """Write pictures in even rows. PictureError as for `provenance.picture.save`.

    series: how many belong together, such as those of one prompt; up to MOST_ACROSS are one row.
    """
    columns = -(-series // -(-series // MOST_ACROSS))
    step = edge + GAP
    sheet = Image.new("RGB", (columns * step, -(-len(pictures) // columns) * step), NIGHT)
    for k, each in enumerate(pictures):
        corner = (k % columns * step + GAP // 2, k // columns * step + GAP // 2)
        sheet.paste(reduced(each, edge).image, corner)
    picture.save_sheet(sheet, path, [each.recipe for each in pictures], pictures[0].start)

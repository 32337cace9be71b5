"""Is a picture new, or does it repeat a picture that the model was trained on?

Reads a model's index of its training pictures (`index.py`). A picture's distance to the nearest of
them is told as a percentile among the distances of real pictures that the model never saw: 50 is
what a fresh render of the same world would get, 0 is nearer than all of those. (Where none were
held out, training pictures beside their nearest stand in, and the words say so.) It proves no more
than that: a picture can be new to this measure and still owe much to what was trained on.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps
from PIL.PngImagePlugin import PngInfo

from rocketman.audits.index import MEASURES, THUMBNAIL, Nearest, TrainingIndex
from rocketman.data.batches import central_square
from rocketman.files import write_whole
from rocketman.provenance.metadata import SHEET
from rocketman.provenance.picture import check_sheet

Verdict = Literal["new", "close", "copy"]
CLOSE = 1.0
"""A picture is close when at most this per cent of real new pictures are closer."""
SAME = 0.3
"""Error at 64 pixels, as a share of a picture's own spread, below which it is the same picture. The
thumbnails' compression costs up to 0.29; of different renders 0.44 is the least."""


@dataclass(frozen=True, kw_only=True)
class Newness:
    """What the nearest training picture says about one picture."""

    verdict: Verdict
    percentile: float
    """Of the yardstick, in per cent, that are at least as near to their nearest; 0 to 100."""
    held_out: bool
    """Whether the yardstick is real new pictures; else training pictures beside the others."""
    distance: dict[str, float]
    """By measure: see `index.Nearest`."""
    percentiles: dict[str, float]
    """By measure alone."""
    row: int
    """The training picture that is the same, or is nearest by pixels, which find edited copies
    best."""
    nearest: dict[str, str]
    """file, sha256, caption, author, license, source of it."""

    @property
    def words(self) -> str:
        """The finding in a sentence."""
        match self.verdict:
            case "copy":
                return f"copy of {self.nearest['file']}, or of a part of it, perhaps edited"
            case "close":
                return (
                    f"close to {self.nearest['file']}: "
                    f"{share(self.percentile)} of {self.yardstick} are as near to one"
                )
        one = "a training one" if self.held_out else "another one"
        return f"new: {share(self.percentile)} of {self.yardstick} are as near to {one}"

    @property
    def yardstick(self) -> str:
        """What it is compared with."""
        return "real new pictures" if self.held_out else "training pictures"

    def as_json(self, file: str) -> dict[str, Any]:
        """One entry of the documents that scripts read."""
        return {
            "file": file,
            "percentile": round(self.percentile, 2),
            "verdict": self.verdict,
            "held_out": self.held_out,
            "nearest": self.nearest["file"],
            "nearest_caption": self.nearest["caption"],
            "nearest_author": self.nearest["author"],
            "distance": {name: round(d, 4) for name, d in self.distance.items()},
            "percentiles": {name: round(p, 2) for name, p in self.percentiles.items()},
        }


def newness(pictures: Sequence[Image.Image], index: TrainingIndex) -> list[Newness]:
    """How new each picture is; pictures of any size.

    The percentile combines the measures: the lowest of theirs, told as a percentile of the lowest
    that real new pictures get, so that three chances to be near do not count against a picture.
    A copy is one that fits a part of a training picture better than any real new picture does, or
    that is the same as one, whatever the control says: training pictures may repeat one another.
    """
    control = np.stack([percentiles(index, name, index.control[name]) for name in MEASURES], axis=1)
    lowest = control.min(axis=1)
    found = zip(pictures, index.nearest(pictures), strict=True)
    return [_newness(index, picture, near, lowest) for picture, near in found]


def _newness(
    index: TrainingIndex, picture: Image.Image, near: Nearest, lowest: NDArray[np.float64]
) -> Newness:
    single = {
        name: float(percentiles(index, name, np.array([near.distance[name]]))[0])
        for name in MEASURES
    }
    percentile = 100 * float((lowest <= min(single.values())).mean())
    verdict: Verdict = "close" if percentile <= CLOSE else "new"
    same = [row for row in near.row.values() if same_picture(picture, index.thumbnails[row])]
    if same or near.distance["pixels"] < index.copy_at:
        verdict = "copy"
    row = [*same, near.row["pixels"]][0]
    return Newness(
        verdict=verdict,
        percentile=percentile,
        held_out=index.held_out,
        distance=near.distance,
        percentiles=single,
        row=row,
        nearest=index.describe(row),
    )


def same_picture(picture: Image.Image, thumbnail: NDArray[np.uint8]) -> bool:
    """Whether a picture is a training picture, as far as its thumbnail (64, 64, 3) shows."""
    pixels = central_square(picture.convert("RGB"), THUMBNAIL).astype(np.float32)
    error = np.sqrt(np.square(pixels - thumbnail).mean())
    spread = np.sqrt(pixels.var(axis=(0, 1)).mean())
    return bool(error < SAME * max(spread, 1))


def percentiles(
    index: TrainingIndex, name: str, distances: NDArray[np.floating[Any]]
) -> NDArray[np.float64]:
    """Per cent of the control that is at most as far from its nearest, for each distance."""
    control = np.sort(index.control[name])
    return 100 * np.searchsorted(control, distances + 1e-6, side="right") / len(control)


def share(percentile: float) -> str:
    return "none" if percentile == 0 else f"{percentile:.3g} %"


def side_by_side(picture: Image.Image, found: Newness, index: TrainingIndex) -> Image.Image:
    """The picture, left, and the training picture nearest to it, with the finding below."""
    edge, text, gap = 384, 56, 12
    sheet = Image.new("RGB", (2 * edge + 3 * gap, edge + text + 2 * gap), "#101014")
    training = Image.fromarray(index.thumbnails[found.row])
    for k, each in enumerate((picture.convert("RGB"), training)):
        each = ImageOps.contain(each, (edge, edge), Image.Resampling.LANCZOS)
        left = gap + k * (edge + gap) + (edge - each.width) // 2
        sheet.paste(each, (left, gap + (edge - each.height) // 2))
    pen, font, small = ImageDraw.Draw(sheet), ImageFont.load_default(15), ImageFont.load_default(12)
    colour = {"new": "#8fd19e", "close": "#f2c14e", "copy": "#ff7b72"}[found.verdict]
    below = edge + 2 * gap
    finding = f"{found.verdict}: nearer than {100 - found.percentile:.3g} % of {found.yardstick}"
    pen.text((gap, below), finding, colour, font)
    left = edge + 2 * gap
    pen.text((left, below), f"nearest training picture: {found.nearest['file']}", "#c8c8d0", font)
    pen.text((left, below + 22), shortened(found.nearest["caption"]), "#8a8a94", small)
    return sheet


def stacked(
    pictures: Sequence[Image.Image], found: Sequence[Newness], index: TrainingIndex, file: Path
) -> None:
    """Save all of them side by side with their nearest, below each other, as PNG.

    Replaces a sheet of ours, no other file. ValueError as of `check_sheet`, and if the folder takes
    no file.
    """
    check_sheet(file)
    rows = [side_by_side(each, one, index) for each, one in zip(pictures, found, strict=True)]
    sheet = Image.new("RGB", (rows[0].width, sum(row.height for row in rows)))
    for k, row in enumerate(rows):
        sheet.paste(row, (0, k * row.height))
    buffer, text = io.BytesIO(), PngInfo()
    text.add_text(SHEET, "[]")  # no recipes, but a sheet of ours
    sheet.save(buffer, "PNG", pnginfo=text)
    try:
        write_whole(file, buffer.getvalue())
    except OSError as error:
        raise ValueError(f"{file} cannot be written: {error.strerror}.") from error


def shortened(text: str, most: int = 66) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"

"""A table of pictures: every level of one factor by every level of another, from one seed.

Level 4. Draws through `generate.py`; pairs of suit and instrument that training never showed get a
frame. Nothing is picked: one try each. Next: `cli.py` saves it through `provenance/picture.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from rocketman.captions import Factors, split_of
from rocketman.generate import Pipeline, Step
from rocketman.prompts import known_levels
from rocketman.provenance.picture import Recipe
from rocketman.request import RequestError

EDGE, GAP, LABEL = 192, 8, 30
NIGHT, GOLD, PALE = "#0b0d13", "#e8b04a", "#c9ccd6"
TABLED = ("suit", "instrument", "place")


@dataclass(frozen=True)
class Grid:
    """The drawn table."""

    image: Image.Image
    recipes: tuple[Recipe, ...]
    """Of its pictures, row by row."""
    framed: int
    """How many show a pair that training never did."""


def draw(
    pipeline: Pipeline,
    rows: str,
    columns: str,
    fixed: Mapping[str, str],
    seed: int,
    on_step: Callable[[Step], None] | None = None,
) -> Grid:
    """Astronauts playing: `rows` by `columns`, two of TABLED; `fixed` sets the level of the third.

    RequestError if a factor is none of these, or the model does not know a level.
    """
    levels = known_levels(pipeline.model.vocabulary)
    for factor in (rows, columns):
        if factor not in TABLED:
            raise RequestError(f"{factor!r} cannot be tabled; choose among {', '.join(TABLED)}.")
    if rows == columns:
        raise RequestError("Rows and columns should be different factors.")
    [third] = set(TABLED) - {rows, columns}
    for factor in TABLED:
        if not levels[factor]:
            raise RequestError(f"The model {pipeline.model.name} knows no {factor}.")
    level = fixed.get(third) or levels[third][0]
    if level not in levels[third]:
        known = ", ".join(levels[third])
        raise RequestError(f"The model does not know the {third} {level!r}; it knows: {known}.")
    cells = [
        Factors(relation="playing", **{rows: row, columns: column, third: level})
        for row in levels[rows]
        for column in levels[columns]
    ]
    made = pipeline([cell.caption for cell in cells], seed=seed, callback_on_step_end=on_step)
    across = len(levels[columns])
    sheet = _empty(levels[rows], levels[columns], f"{level}, seed {seed}")
    pen = ImageDraw.Draw(sheet)
    framed = 0
    for k, (cell, picture) in enumerate(zip(cells, made, strict=True)):
        x = LABEL + GAP + k % across * (EDGE + GAP)
        y = LABEL + GAP + k // across * (EDGE + GAP)
        sheet.paste(picture.image.resize((EDGE, EDGE), Image.Resampling.LANCZOS), (x, y))
        if split_of(cell.suit or "", cell.instrument or "") != "train":
            pen.rectangle((x - 4, y - 4, x + EDGE + 3, y + EDGE + 3), outline=GOLD, width=3)
            framed += 1
    return Grid(sheet, tuple(picture.recipe for picture in made), framed)


def _empty(rows: tuple[str, ...], columns: tuple[str, ...], note: str) -> Image.Image:
    """The table without its pictures: levels above and, turned, at the left; the rest below."""
    wide = LABEL + GAP + len(columns) * (EDGE + GAP)
    high = LABEL + GAP + len(rows) * (EDGE + GAP) + LABEL
    sheet = Image.new("RGB", (wide, high), NIGHT)
    font = ImageFont.load_default(size=15)
    pen = ImageDraw.Draw(sheet)
    for k, name in enumerate(columns):
        middle = LABEL + GAP + k * (EDGE + GAP) + EDGE // 2
        pen.text((middle, LABEL // 2 + 2), name, PALE, font, anchor="mm")
    for k, name in enumerate(rows):
        strip = Image.new("RGB", (EDGE, LABEL), NIGHT)
        ImageDraw.Draw(strip).text((EDGE // 2, LABEL // 2), name, PALE, font, anchor="mm")
        sheet.paste(strip.rotate(90, expand=True), (0, LABEL + GAP + k * (EDGE + GAP)))
    pen.text((LABEL + GAP, high - LABEL // 2 - 2), note, PALE, font, anchor="lm")
    return sheet

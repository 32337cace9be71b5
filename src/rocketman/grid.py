"""A table of pictures: every level of one factor by every level of another, from one seed.

Level 4. Draws through `generate.py`; pairs of suit and instrument that training never showed get a
frame. Nothing is picked: one try each. A table that would be too wide is broken into bands, and
instruments that no astronaut ever played in training have the last band to themselves.
Next: `cli.py` saves it through `provenance/picture.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from PIL import Image, ImageDraw, ImageFont

from rocketman.captions import Factors, split_of, unplayed
from rocketman.generate import Pipeline, Step
from rocketman.prompts import known_levels
from rocketman.provenance.picture import Recipe
from rocketman.reading import canonical
from rocketman.request import RequestError

EDGE, GAP, LABEL = 192, 8, 30
MOST_ACROSS = 9
"""Columns of a band."""
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
    read_as: Mapping[str, str]
    """What was asked for in words that the model does not know, and what they were read as."""


def draw(
    pipeline: Pipeline,
    rows: str,
    columns: str,
    fixed: Mapping[str, str],
    seed: int,
    on_step: Callable[[Step], None] | None = None,
) -> Grid:
    """Astronauts playing: `rows` by `columns`, two of TABLED; `fixed` sets the level of the third.

    RequestError if a factor is none of these, its level is set though it is tabled, or the model
    does not know a level.
    """
    levels = known_levels(pipeline.model.vocabulary)
    for factor in (rows, columns):
        if factor not in TABLED:
            raise RequestError(f"{factor!r} cannot be tabled; choose among {', '.join(TABLED)}.")
    if rows == columns:
        raise RequestError("Rows and columns should be different factors.")
    for factor in (rows, columns):
        if fixed.get(factor):
            raise RequestError(f"Every {factor} is drawn already: leave out which one.")
    [third] = set(TABLED) - {rows, columns}
    for factor in TABLED:
        if not levels[factor]:
            raise RequestError(f"The model {pipeline.model.name} knows no {factor}.")
    asked = fixed.get(third, levels[third][0])
    level, read_as = canonical(asked, pipeline.model.vocabulary)
    if level not in levels[third]:
        near = get_close_matches(level, levels[third], n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"it knows: {', '.join(levels[third])}."
        raise RequestError(f"The model does not know the {third} {asked!r}; {hint}")
    cells = [
        Factors(relation="playing", **{rows: row, columns: column, third: level})
        for row in levels[rows]
        for column in levels[columns]
    ]
    made = pipeline([cell.caption for cell in cells], seed=seed, callback_on_step_end=on_step)
    across = len(levels[columns])
    parts = bands(levels[columns])
    sheet = _empty(levels[rows], parts, f"{level}, seed {seed}")
    pen = ImageDraw.Draw(sheet)
    places = {k: (band, at) for band, part in enumerate(parts) for at, k in enumerate(part)}
    framed = 0
    for k, (cell, picture) in enumerate(zip(cells, made, strict=True)):
        band, column = places[k % across]
        x = LABEL + GAP + column * (EDGE + GAP)
        y = band * _height(levels[rows]) + LABEL + GAP + k // across * (EDGE + GAP)
        sheet.paste(picture.image.resize((EDGE, EDGE), Image.Resampling.LANCZOS), (x, y))
        if split_of(cell.suit or "", cell.instrument or "") != "train":
            pen.rectangle((x - 4, y - 4, x + EDGE + 3, y + EDGE + 3), outline=GOLD, width=3)
            framed += 1
    return Grid(sheet, tuple(picture.recipe for picture in made), framed, dict(read_as))


def bands(names: Sequence[str]) -> list[dict[int, str]]:
    """Columns and their names, at most MOST_ACROSS a band; what no astronaut played comes last."""
    played = {k: name for k, name in enumerate(names) if name not in unplayed()}
    others = {k: name for k, name in enumerate(names) if name in unplayed()}
    parts: list[dict[int, str]] = []
    for group in (played, others):
        count = -(-len(group) // MOST_ACROSS)
        size = -(-len(group) // count) if count else 0
        items = list(group.items())
        parts += [dict(items[k * size : (k + 1) * size]) for k in range(count)]
    return parts


def _height(rows: Sequence[str]) -> int:
    return LABEL + GAP + len(rows) * (EDGE + GAP)


def _empty(rows: Sequence[str], parts: list[dict[int, str]], note: str) -> Image.Image:
    """The table without its pictures: levels above and, turned, at the left; the rest below."""
    wide = LABEL + GAP + max(map(len, parts)) * (EDGE + GAP)
    high = len(parts) * _height(rows) + LABEL
    sheet = Image.new("RGB", (wide, high), NIGHT)
    font = ImageFont.load_default(size=15)
    pen = ImageDraw.Draw(sheet)
    for number, part in enumerate(parts):
        top = number * _height(rows)
        for k, name in enumerate(part.values()):
            middle = LABEL + GAP + k * (EDGE + GAP) + EDGE // 2
            pen.text((middle, top + LABEL // 2 + 2), name, PALE, font, anchor="mm")
        for k, name in enumerate(rows):
            strip = Image.new("RGB", (EDGE, LABEL), NIGHT)
            ImageDraw.Draw(strip).text((EDGE // 2, LABEL // 2), name, PALE, font, anchor="mm")
            sheet.paste(strip.rotate(90, expand=True), (0, top + LABEL + GAP + k * (EDGE + GAP)))
    pen.text((LABEL + GAP, high - LABEL // 2 - 2), note, PALE, font, anchor="lm")
    return sheet

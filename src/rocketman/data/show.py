"""A data set at a glance: a contact sheet of its pictures with their captions, and its counts.

Reads any data set that `sources.py` knows; draws with the type that Pillow carries. Level 3.
Next: `cli_dataset.py` saves the sheet, `card.py` puts one into the card.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from rocketman.captions import FACTORS, Split
from rocketman.data.batches import central_square
from rocketman.data.check import count_factors
from rocketman.data.pictures import BadPicture
from rocketman.data.sources import Source, read_split, splits

EDGE, GAP, MARGIN = 176, 14, 40
"""Pixels: a picture, between pictures, around the sheet."""
TEXT_SIZE, LINE, LINES = 13, 17, 4
HEAD = 84
NIGHT, PAPER, DIM = "#0c0d12", "#e9e7e1", "#a3a4ad"
SPLIT_COLOURS: dict[Split, str] = {"train": DIM, "validation": "#e0b354", "test": "#6fb1d8"}
"""Of a caption: what training never sees is told apart."""
BAR = 40
"""Characters of the longest bar in a table of counts."""


def open_splits(folder: Path) -> dict[Split, Source]:
    """Every split of a data set. ValueError, in one sentence, if there is none."""
    found = splits(folder)
    return {split: read_split(folder, split) for split in found or ["train"]}


def factor_counts(folder: Path) -> dict[str, Counter[str]]:
    """How often each level of each factor occurs in the whole data set."""
    counts = {name: Counter[str]() for name in FACTORS}
    for source in open_splits(folder).values():
        for row in source.rows:
            count_factors(row, counts)
    return counts


def table(counts: dict[str, Counter[str]], sizes: Mapping[Split, int]) -> str:
    """Counts as text: a line a level with a bar, factor by factor, most frequent first."""
    entries = {"split": Counter[str]({str(k): n for k, n in sizes.items()}), **counts}
    lines = []
    for factor, counter in entries.items():
        if counter:
            most = max(counter.values())
            lines += ["", factor]
            for level, count in counter.most_common():
                bar = "█" * max(1, round(BAR * count / most)) if count else ""
                lines.append(f"  {level:<26}{count:>7,}  {bar}")
    return "\n".join(lines[1:])


def contact_sheet(folder: Path, columns: int = 8, rows: int = 8) -> Image.Image:
    """Pictures evenly spaced over the data set, each with its caption below.

    ValueError, in one sentence, if the folder holds no picture that can be read.
    """
    sources = open_splits(folder)
    every = [(split, k) for split, source in sources.items() for k in range(len(source.rows))]
    wanted = columns * rows
    order = [every[n * len(every) // wanted] for n in range(wanted)] if every else []
    chosen: list[tuple[Split, Image.Image, str]] = []
    for split, k in dict.fromkeys(order):
        try:
            picture = Image.fromarray(central_square(sources[split].open(k), EDGE))
        except BadPicture:
            continue
        chosen.append((split, picture, sources[split].rows[k]["text"]))
    if not chosen:
        raise ValueError(f"{folder} holds no picture that can be read.")
    columns = min(columns, len(chosen))
    across, down = EDGE + GAP, EDGE + LINES * LINE + GAP + 8
    sheet = Image.new(
        "RGB",
        (
            max(640, 2 * MARGIN + columns * across - GAP),
            HEAD + MARGIN + -(-len(chosen) // columns) * down,
        ),
        NIGHT,
    )
    pen = ImageDraw.Draw(sheet)
    _head(pen, folder, {split: len(source.rows) for split, source in sources.items()})
    font = ImageFont.load_default(TEXT_SIZE)
    for n, (split, picture, caption) in enumerate(chosen):
        x, y = MARGIN + n % columns * across, HEAD + n // columns * down
        sheet.paste(picture, (x, y))
        lines = folded(caption, EDGE, font)
        for number, line in enumerate(lines[:LINES]):
            text = f"{line} …" if number == LINES - 1 and len(lines) > LINES else line
            pen.text((x, y + EDGE + 8 + number * LINE), text, SPLIT_COLOURS[split], font)
    return sheet


def _head(pen: ImageDraw.ImageDraw, folder: Path, sizes: dict[Split, int]) -> None:
    """The name of the data set, and its splits in the colours of their captions."""
    pen.text((MARGIN, 26), folder.resolve().name, PAPER, ImageFont.load_default(26))
    font = ImageFont.load_default(16)
    x = pen.im.size[0] - MARGIN
    for split, size in reversed(sizes.items()):
        text = f"{split} {size:,}"
        x -= round(font.getlength(text))
        pen.text((x, 34), text, SPLIT_COLOURS[split], font)
        x -= 24


def folded(text: str, width: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> list[str]:
    """`text` broken between words into lines of at most `width` pixels, where words allow it."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines

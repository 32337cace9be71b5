"""docs/pictures/silhouettes.png: every suit and instrument of a rendered data set in black.

    python docs/generate_silhouettes.py RENDERS

RENDERS was made with --passes. Of each level the picture is taken in which it stands alone, whole
and largest: if its name can be told from its outline here, a network has something to learn.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from rocketman.captions import INSTRUMENTS, SUITS
from rocketman.data.pictures import LABELS
from rocketman.data.sources import Row, read_split

OUT = Path(__file__).parent / "pictures" / "silhouettes.png"
EDGE, COLUMNS, MARGIN, LINE = 150, 9, 12, 20
ASTRONAUT = ("suit", "helmet", "visor", "glove", "boot", "pack")


def silhouette(renders: Path, row: Row, labels: tuple[str, ...]) -> NDArray[np.bool_]:
    """(H, W): where a picture shows any of some labels."""
    with Image.open(renders / "passes" / Path(row["file_name"]).with_suffix(".png").name) as file:
        return np.isin(np.asarray(file), [LABELS.index(label) for label in labels])


def best(renders: Path, rows: list[Row], labels: tuple[str, ...]) -> NDArray[np.bool_]:
    """The largest silhouette that touches no edge of its picture, cut to what it covers."""
    found = [silhouette(renders, row, labels) for row in rows]
    whole = [
        each for each in found if each.any() and not (each[[0, -1]].any() or each[:, [0, -1]].any())
    ]
    shape = max(whole, key=lambda each: each.sum())
    down, across = np.nonzero(shape)
    return shape[down.min() : down.max() + 1, across.min() : across.max() + 1]


def main(renders: Path) -> None:
    """Write the sheet."""
    rows = read_split(renders, "train").rows
    astronauts = [r for r in rows if r["relation"] == "astronaut alone" and r["view"] == "wide"]
    instruments = [r for r in rows if r["relation"] == "instrument alone"]
    shapes = {
        suit: best(renders, [r for r in astronauts if r["suit"] == suit], ASTRONAUT)
        for suit in SUITS
    }
    shapes |= {
        name: best(renders, [r for r in instruments if r["instrument"] == name], ("instrument",))
        for name in INSTRUMENTS
    }
    height = EDGE + LINE
    size = (COLUMNS * EDGE, -(-len(shapes) // COLUMNS) * height + MARGIN)
    sheet = Image.new("L", size, 255)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for k, (name, shape) in enumerate(shapes.items()):
        left, top = k % COLUMNS * EDGE, k // COLUMNS * height
        black = Image.fromarray(np.where(shape, 0, 255).astype(np.uint8))
        scale = (EDGE - 2 * MARGIN) / max(black.size)
        fitted = (max(1, round(black.width * scale)), max(1, round(black.height * scale)))
        black = black.resize(fitted, Image.Resampling.BOX)
        sheet.paste(black, (left + (EDGE - black.width) // 2, top + (EDGE - black.height) // 2))
        draw.text((left + EDGE / 2, top + EDGE), name, fill=90, font=font, anchor="mm")
    sheet.quantize(16).save(OUT, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

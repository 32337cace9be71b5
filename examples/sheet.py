"""Draw every prompt of a TOML file with its seed, one try each, on one contact sheet.

    python examples/sheet.py docs/first-light/sheet.toml sheet.png [MODEL]

Each entry is a `[[picture]]` with `prompt`, `seed` and, if the model never saw suit and instrument
together in training, `heldout = true`: those get a frame.
"""

import sys
import tomllib
from pathlib import Path

from PIL import Image, ImageDraw

from rocketman import load

EDGE, GAP, COLUMNS = 256, 8, 4
NIGHT, GOLD = "#0b0d13", "#e8b04a"


def draw_sheet(entries: list[dict[str, object]], model: str | None) -> Image.Image:
    """The pictures of all entries, four a row, held-out pairs framed in gold."""
    pipeline = load(model)
    rows = -(-len(entries) // COLUMNS)
    size = (COLUMNS * (EDGE + GAP) + GAP, rows * (EDGE + GAP) + GAP)
    sheet = Image.new("RGB", size, NIGHT)
    pen = ImageDraw.Draw(sheet)
    for k, entry in enumerate(entries):
        [picture] = pipeline(str(entry["prompt"]), seed=int(str(entry["seed"])))
        x, y = GAP + k % COLUMNS * (EDGE + GAP), GAP + k // COLUMNS * (EDGE + GAP)
        sheet.paste(picture.image.resize((EDGE, EDGE), Image.Resampling.LANCZOS), (x, y))
        if entry.get("heldout"):
            pen.rectangle((x - 4, y - 4, x + EDGE + 3, y + EDGE + 3), outline=GOLD, width=3)
    return sheet


if __name__ == "__main__":
    with Path(sys.argv[1]).open("rb") as file:
        entries = tomllib.load(file)["picture"]
    draw_sheet(entries, sys.argv[3] if len(sys.argv) > 3 else None).save(sys.argv[2])

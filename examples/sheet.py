"""Draw every prompt of a TOML file with its seed, one try each, on one contact sheet.

    python examples/sheet.py docs/astronauts/sheet.toml sheet.png [MODEL]

The file says how many `columns`; each `[[picture]]` has `prompt`, `seed` and, if the model never
saw suit and instrument so in training, `heldout = true`: those get a frame.
"""

import argparse
import tomllib
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from rocketman import load

EDGE, GAP = 192, 8
NIGHT, GOLD = "#0b0d13", "#e8b04a"


def draw_sheet(plan: dict[str, Any], model: str | None = None) -> Image.Image:
    """The plan's pictures, row by row, held-out pairs framed in gold."""
    pipeline = load(model)
    entries, columns = plan["picture"], plan["columns"]
    rows = -(-len(entries) // columns)
    size = (columns * (EDGE + GAP) + GAP, rows * (EDGE + GAP) + GAP)
    sheet = Image.new("RGB", size, NIGHT)
    pen = ImageDraw.Draw(sheet)
    for k, entry in enumerate(entries):
        [picture] = pipeline(entry["prompt"], seed=entry["seed"])
        x, y = GAP + k % columns * (EDGE + GAP), GAP + k // columns * (EDGE + GAP)
        sheet.paste(picture.image.resize((EDGE, EDGE), Image.Resampling.LANCZOS), (x, y))
        if entry.get("heldout"):
            pen.rectangle((x - 4, y - 4, x + EDGE + 3, y + EDGE + 3), outline=GOLD, width=3)
    return sheet


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("plan", type=Path)
    parser.add_argument("sheet", type=Path)
    parser.add_argument("model", nargs="?")
    arguments = parser.parse_args()
    plan = tomllib.loads(arguments.plan.read_text(encoding="utf-8"))
    draw_sheet(plan, arguments.model).save(arguments.sheet)

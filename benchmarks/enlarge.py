"""What enlarging does to pictures: on renders, whose larger original is known, and to the eye.

    python benchmarks/enlarge.py examples/sample-dataset [--sheet FILE.jpg PICTURE...]

Every eighth render is reduced by area, enlarged again, and held against itself; Lanczos, which
makes up nothing, is the yardstick. The sheet shows the middle of each PICTURE four times as large,
by Lanczos on the left and by the network on the right. Results: enlarge.md.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from rocketman.enlarge import enlarged

EVERY = 8
TILE = 112
"""Pixels of a picture that the sheet shows, before they are enlarged."""

Way = Callable[[Image.Image, int], Image.Image]


def lanczos(image: Image.Image, factor: int) -> Image.Image:
    size = (image.width * factor, image.height * factor)
    return image.resize(size, Image.Resampling.LANCZOS)


WAYS: dict[str, Way] = {"Lanczos": lanczos, "the network": enlarged}


def decibels(a: Image.Image, b: Image.Image) -> float:
    difference = np.asarray(a, dtype=float) - np.asarray(b, dtype=float)
    return float(10 * np.log10(255**2 / np.square(difference).mean()))


def sharpness(image: Image.Image) -> float:
    levels = np.asarray(image.convert("L"), dtype=float)
    return float(np.square(np.diff(levels, axis=0)).mean() + np.square(np.diff(levels)).mean())


def measure(renders: list[Image.Image], factor: int) -> None:
    """A row a way: likeness, sharpness, processor time."""
    small = [image.reduce(factor) for image in renders]
    size = f"{small[0].width} to {renders[0].width}"
    for name, way in WAYS.items():
        way(small[0], factor)  # opens the network
        started = time.process_time()
        large = [way(image, factor) for image in small]
        seconds = (time.process_time() - started) / len(large)
        pairs = list(zip(large, renders, strict=True))
        likeness = np.mean([decibels(a, b) for a, b in pairs])
        sharp = np.mean([sharpness(a) / sharpness(b) for a, b in pairs])
        kept = np.mean([decibels(a.reduce(factor), b) for a, b in zip(large, small, strict=True)])
        print(f"| {size} | {name} | {likeness:.1f} | {sharp:.2f} | {kept:.1f} | {seconds:.2f} |")


def sheet(pictures: list[Path], out: Path) -> None:
    side = 4 * TILE
    page = Image.new("RGB", (2 * side + 8, len(pictures) * (side + 8) - 8), "white")
    for row, path in enumerate(pictures):
        with Image.open(path) as opened:
            image = opened.convert("RGB")
        left, top = (image.width - TILE) // 2, (image.height - TILE) // 4
        middle = image.crop((left, top, left + TILE, top + TILE))
        for column, way in enumerate(WAYS.values()):
            page.paste(way(middle, 4), (column * (side + 8), row * (side + 8)))
    page.save(out, quality=80, optimize=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("renders", type=Path)
    parser.add_argument("--sheet", type=Path, nargs="+")
    given = parser.parse_args()
    files = sorted(given.renders.rglob("*.webp"))[::EVERY]
    found = [Image.open(file).convert("RGB") for file in files]
    print(
        f"{len(found)} renders\n\n| pixels | | dB | sharpness | reduced again, dB | processor s |"
    )
    print("|---|---|--:|--:|--:|--:|")
    for factor in (2, 4):
        measure(found, factor)
    if given.sheet:
        sheet(given.sheet[1:], given.sheet[0])

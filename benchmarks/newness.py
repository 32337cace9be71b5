"""Newness: are edited copies of training pictures told from fresh renders of the same world?

Reads the data set that a model was trained on and another one of fresh renders, which neither the
model nor its index has seen; writes tables to standard output:

    python benchmarks/newness.py DATA FRESH [--copies 30] [--model DIR] [--sheet FILE.png]

AUC is the chance that a random copy is nearer to the training pictures, by pixels, than a random
fresh render is.
"""

from __future__ import annotations

import argparse
import io
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from rocketman.audits.index import MEASURES, filled_splits, images, load_index
from rocketman.audits.newness import Newness, newness, stacked
from rocketman.data.batches import load_split

Edit = Callable[[Image.Image], Image.Image]
CHANCE = np.random.default_rng(7)


def jpeg(image: Image.Image, quality: int = 50) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def cut(image: Image.Image, left: float, top: float, right: float, bottom: float) -> Image.Image:
    wide, high = image.size
    box = (left * wide, top * high, right * wide, bottom * high)
    return image.crop(tuple(round(edge) for edge in box))  # type: ignore[arg-type]


def cut_anywhere(image: Image.Image) -> Image.Image:
    side = CHANCE.uniform(0.75, 1)
    left, top = CHANCE.uniform(0, 1 - side, 2)
    return cut(image, left, top, left + side, top + side)


def turned(image: Image.Image, by: int) -> Image.Image:
    """Hue turned; 256 is all the way round."""
    hue, saturation, value = image.convert("HSV").split()
    hue = hue.point(lambda h: (h + by) % 256)
    return Image.merge("HSV", (hue, saturation, value)).convert("RGB")


EDITS: dict[str, Edit] = {
    "none": lambda image: image,
    "JPEG quality 50": jpeg,
    "half the size": lambda image: image.resize((image.width // 2, image.height // 2)),
    "three times the size": lambda image: image.resize((image.width * 3, image.height * 3)),
    "a quarter cut off one side": lambda image: cut(image, 0, 0, 0.75, 1),
    "a quarter cut off the top": lambda image: cut(image, 0, 0.25, 1, 1),
    "a quarter cut off all around": lambda image: cut(image, 0.05, 0.08, 0.916, 0.946),
    "cut to 3/4 of both sides": lambda image: cut(image, 0.2, 0.1, 0.95, 0.85),
    "cut anywhere, 3/4 of the sides or more": cut_anywhere,
    "mirrored": ImageOps.mirror,
    "hue turned by 90 degrees": lambda image: turned(image, 64),
    "hue turned by 180 degrees": lambda image: turned(image, 128),
    "grey": lambda image: image.convert("L"),
    "twice as colourful": lambda image: ImageEnhance.Color(image).enhance(2),
    "brightness x 0.6": lambda image: ImageEnhance.Brightness(image).enhance(0.6),
    "brightness x 1.5": lambda image: ImageEnhance.Brightness(image).enhance(1.5),
    "cut anywhere, mirrored, hue turned, JPEG 50": lambda image: jpeg(
        ImageOps.mirror(turned(cut_anywhere(image), int(CHANCE.integers(256))))
    ),
}


def auc(copies: list[float], fresh: list[float]) -> float:
    """The chance that a copy's distance is below a fresh one's; ties count half."""
    a, b = np.array(copies)[:, None], np.array(fresh)[None]
    return float(((a < b) + 0.5 * (a == b)).mean())


def pixels(found: list[Newness]) -> list[float]:
    return [each.distance["pixels"] for each in found]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("fresh", type=Path)
    parser.add_argument("--copies", type=int, default=30)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--sheet", type=Path)
    arguments = parser.parse_args()
    index = load_index(arguments.model)
    size = index.probes.size
    training = images(load_split(arguments.data, "train", size))
    splits = filled_splits(arguments.fresh)
    fresh = [x for name in splits for x in images(load_split(arguments.fresh, name, size))]

    started = time.process_time()
    found = newness(fresh, index)
    seconds = (time.process_time() - started) / len(fresh)
    print(
        f"{len(index)} training pictures, {len(fresh)} fresh ones, {seconds * 1000:.0f} ms each\n"
    )
    print("| edit | AUC | right picture named | called a copy |\n|---|---|---|---|")
    everything: list[float] = []
    for name, edit in EDITS.items():
        rows = CHANCE.choice(len(training), arguments.copies, replace=False)
        copies = newness([edit(training[row]) for row in rows], index)
        named = np.mean([each.row == row for each, row in zip(copies, rows, strict=True)])
        called = np.mean([each.verdict == "copy" for each in copies])
        area = auc(pixels(copies), pixels(found))
        everything += pixels(copies)
        print(f"| {name} | {area:.4f} | {named:.0%} | {called:.0%} |", flush=True)
    print(f"| **all** | {auc(everything, pixels(found)):.4f} | | |\n")

    print(f"fresh renders: {dict(Counter(each.verdict for each in found))}")
    for name in (*MEASURES, "all three"):
        shares = [
            each.percentile if name == "all three" else each.percentiles[name] for each in found
        ]
        told = ", ".join(
            f"{share:.0f}" for share in np.quantile(shares, (0.1, 0.25, 0.5, 0.75, 0.9))
        )
        print(f"percentiles of fresh renders by {name}, at 10, 25, 50, 75, 90 %: {told}")
    if arguments.sheet:
        nearest = sorted(range(len(found)), key=lambda k: found[k].distance["pixels"])[:3]
        copy = EDITS["cut anywhere, mirrored, hue turned, JPEG 50"](training[0])
        shown = [copy, *(fresh[k] for k in nearest)]
        stacked(shown, newness(shown, index), index, arguments.sheet)


if __name__ == "__main__":
    main()

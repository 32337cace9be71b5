"""Survival of the watermark: how much of it shows, what it lives through, how often it is imagined.

Reads the pictures of one or more folders, writes a table to standard output:

    python benchmarks/watermark.py DIR [DIR ...] [--size 512] [--count 60]

Each picture is cut to a square and resized to `--size`, marked, edited and read again. The same
pictures unmarked give the false alarms.
"""

from __future__ import annotations

import argparse
import io
import math
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from rocketman.provenance import watermark

Edit = Callable[[Image.Image], Image.Image]
CUBIC, LINEAR = Image.Resampling.BICUBIC, Image.Resampling.BILINEAR


def scaled(image: Image.Image, factor: float, kind: Image.Resampling = CUBIC) -> Image.Image:
    return image.resize((round(image.width * factor), round(image.height * factor)), kind)


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def cut(image: Image.Image, left: float, top: float, right: float, bottom: float) -> Image.Image:
    wide, high = image.size
    return image.crop((int(wide * left), int(high * top), int(wide * right), int(high * bottom)))


EDITS: dict[str, Edit] = {
    "none": lambda image: image,
    "JPEG quality 50": lambda image: jpeg(image, 50),
    "half, kept": lambda image: scaled(image, 0.5),
    "half, bilinear, kept": lambda image: scaled(image, 0.5, LINEAR),
    "half and back": lambda image: scaled(scaled(image, 0.5), 2),
    "double, kept": lambda image: scaled(image, 2),
    "double and back": lambda image: scaled(scaled(image, 2), 0.5),
    "a quarter cut off one side": lambda image: cut(image, 0, 0, 0.75, 1),
    "a quarter cut off all around": lambda image: cut(image, 0.05, 0.1, 0.916, 0.966),
    "brightness x 0.7": lambda image: ImageEnhance.Brightness(image).enhance(0.7),
    "brightness x 1.3": lambda image: ImageEnhance.Brightness(image).enhance(1.3),
    "screenshot: x 0.83, JPEG 80": lambda image: jpeg(scaled(image, 0.83, LINEAR), 80),
    "screenshot: x 1.27, JPEG 80": lambda image: jpeg(scaled(image, 1.27, LINEAR), 80),
    "mirrored": ImageOps.mirror,
    "tilted by 2 degrees": lambda image: image.rotate(2, CUBIC),
    "tilted by 5 degrees": lambda image: image.rotate(5, CUBIC),
    "JPEG 50, then cut": lambda image: cut(jpeg(image, 50), 0.05, 0.1, 0.916, 0.966),
    "half, then JPEG 75": lambda image: jpeg(scaled(image, 0.5), 75),
    "half, then JPEG 50": lambda image: jpeg(scaled(image, 0.5), 50),
}


def psnr(first: Image.Image, second: Image.Image) -> float:
    difference = np.asarray(first, dtype=float) - np.asarray(second, dtype=float)
    return 10 * math.log10(255**2 / float(np.mean(difference**2)))


def ssim(first: Image.Image, second: Image.Image) -> float:
    """Structural similarity of the brightness, windows of 7 pixels (Wang et al. 2004)."""
    a, b = (np.asarray(each.convert("L"), dtype=float) for each in (first, second))
    windows = [np.lib.stride_tricks.sliding_window_view(each, (7, 7)) for each in (a, b, a * b)]
    mean_a, mean_b, mean_ab = (each.mean(axis=(2, 3)) for each in windows)
    var_a, var_b = (each.var(axis=(2, 3)) for each in windows[:2])
    light, change = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    above = (2 * mean_a * mean_b + light) * (2 * (mean_ab - mean_a * mean_b) + change)
    return float(np.mean(above / ((mean_a**2 + mean_b**2 + light) * (var_a + var_b + change))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", metavar="DIR", nargs="+", type=Path)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--count", type=int, default=60, help="pictures, spread over all")
    given = parser.parse_args()
    files = sorted(
        file
        for folder in given.folders
        for file in folder.iterdir()
        if file.suffix.lower() in (".png", ".jpg", ".jpeg", ".webp")
    )
    step = max(1, len(files) // given.count)
    files = files[::step][: given.count]
    found = dict.fromkeys(EDITS, 0)
    wrong = alarms = 0
    noises: list[float] = []
    likenesses: list[float] = []
    embeds: list[float] = []
    reads: list[float] = []
    blanks: list[float] = []
    for file in files:
        with Image.open(file) as opened:
            image = ImageOps.fit(
                opened.convert("RGB"), (given.size, given.size), Image.Resampling.LANCZOS
            )
        bits = watermark.identifier(file.name)
        started = time.perf_counter()
        marked = watermark.embed(image, bits)
        embeds.append(time.perf_counter() - started)
        noises.append(psnr(image, marked))
        likenesses.append(ssim(image, marked))
        for name, edit in EDITS.items():
            edited = edit(marked)
            started = time.perf_counter()
            mark = watermark.read(edited)
            if name == "none":
                reads.append(time.perf_counter() - started)
            found[name] += mark.found and mark.identifier == bits
            wrong += mark.found and mark.identifier != bits
        for edit in (EDITS["none"], EDITS["JPEG quality 50"], EDITS["mirrored"]):
            blank = edit(image)
            started = time.perf_counter()
            alarms += watermark.read(blank).found
            blanks.append(time.perf_counter() - started)
    count = len(files)
    print(f"{count} pictures at {given.size} px\n")
    print(f"| {'edit':29} | found |\n|{'-' * 31}|------:|")
    for name, hits in found.items():
        print(f"| {name:29} | {100 * hits / count:3.0f} % |")
    print(f"\nwrong identifiers: {wrong} of {count * len(EDITS)}")
    print(f"false alarms: {alarms} of {len(blanks)} readings of unmarked pictures")
    print(f"PSNR: {min(noises):.2f} dB the least, {statistics.mean(noises):.2f} dB the mean")
    print(f"SSIM: {min(likenesses):.4f} the least, {statistics.mean(likenesses):.4f} the mean")
    for name, times in (("embed", embeds), ("read", reads), ("read, no mark", blanks)):
        print(f"{name}: {1000 * statistics.median(times):.0f} ms the median")


if __name__ == "__main__":
    main()

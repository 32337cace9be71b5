"""What variety costs: Vendi score against prompt agreement, at several strengths of the option.

Draws the same prompts and seeds with each strength, keeps the pictures in a folder so that a
stopped run goes on, and writes a table to standard output:

    python benchmarks/variety.py FOLDER [--pictures 16] [--model DIR] [--sheet FILE.png]

Scores are within a prompt, averaged over the prompts; the interval is that of the mean over prompts
(bootstrap, 95 %). "Random prompts" takes one picture of each of many prompts; "training pictures"
come from the model's index.
"""

from __future__ import annotations

import argparse
from itertools import product
from pathlib import Path

import numpy as np
from PIL import Image

from rocketman import load
from rocketman.audits.index import load_index
from rocketman.audits.variety import (
    Score,
    cosines,
    pixel_vectors,
    repeats,
    sampled,
    training_variety,
    vendi_score,
)

PROMPTS = (
    "an astronaut in a white suit playing a harp above mars",
    "an astronaut in a red suit playing a saxophone above the blue earth",
    "an astronaut in a blue suit playing a guitar above the moon",
    "an astronaut in an orange suit playing a drum above the earth at night",
    "an astronaut in a white suit beside a keyboard above the blue earth",
    "an astronaut in a red suit playing a trumpet above mars",
    "a guitar above the moon",
    "an astronaut in a blue suit above the earth at night",
)
STRENGTHS = (0.0, 0.25, 0.5, 1.0)
SEED = 1000


def draw(folder: Path, model: Path | None, count: int) -> dict[float, list[list[Image.Image]]]:
    """The pictures of each strength, prompt by prompt, at the network's own size."""
    pipeline = None
    drawn: dict[float, list[list[Image.Image]]] = {}
    for strength, k in product(STRENGTHS, range(len(PROMPTS))):
        files = [folder / f"{strength:g}-{k}-{n:02d}.png" for n in range(count)]
        if not all(file.is_file() for file in files):
            pipeline = pipeline or load(model)
            made = pipeline(
                PROMPTS[k],
                num_images_per_prompt=count,
                seed=SEED,
                size=pipeline.model.image_size,
                variety=strength,
            )
            for picture, file in zip(made, files, strict=True):
                picture.image.save(file)
        images = [Image.open(file).convert("RGB") for file in files]
        drawn.setdefault(strength, []).append(images)
    return drawn


def interval(values: list[float]) -> str:
    """Mean and the bootstrap interval of the mean."""
    rng, array = np.random.default_rng(0), np.array(values)
    means = array[rng.integers(0, len(array), (2000, len(array)))].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return f"{array.mean():.2f} ({low:.2f} to {high:.2f})"


def told(score: Score) -> str:
    return f"{score[0]:.2f} ({score[1]:.2f} to {score[2]:.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=int, default=16)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--sheet", type=Path)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    drawn = draw(arguments.folder, arguments.model, arguments.pictures)
    index = load_index(arguments.model)
    print("| variety | Vendi, pixels | Vendi, features | agreement | repeats |")
    print("|---|---|---|---|---|")
    for strength, prompts in drawn.items():
        pixels = [vendi_score(cosines(pixel_vectors(images))) for images in prompts]
        features = [vendi_score(cosines(index.probes.features(images))) for images in prompts]
        agreement = [
            float(index.probes.agreement(images, [prompt] * len(images)).mean())
            for images, prompt in zip(prompts, PROMPTS, strict=True)
        ]
        again = sum(len(repeats(images, index.copy_at)) for images in prompts)
        cells = (interval(pixels), interval(features), interval(agreement), str(again))
        print(f"| {strength:g} | {' | '.join(cells)} |")
    mixed = [images[n] for n in range(arguments.pictures) for images in drawn[0.0]]
    n = arguments.pictures
    every = (
        sampled(cosines(pixel_vectors(mixed)), n),
        sampled(cosines(index.probes.features(mixed)), n),
    )
    print(f"| all prompts, 0 | {told(every[0])} | {told(every[1])} | | |")
    features_score, pixels_score = training_variety(index, n)
    print(f"| training pictures | {told(pixels_score)} | {told(features_score)} | | |")
    if arguments.sheet:
        sheet(drawn).save(arguments.sheet)


def sheet(drawn: dict[float, list[list[Image.Image]]]) -> Image.Image:
    """The first prompt's pictures, a row a strength."""
    rows = [prompts[0][:8] for prompts in drawn.values()]
    edge = 128
    canvas = Image.new("RGB", (8 * edge, len(rows) * edge))
    for y, row in enumerate(rows):
        for x, image in enumerate(row):
            canvas.paste(image.resize((edge, edge), Image.Resampling.LANCZOS), (x * edge, y * edge))
    return canvas


if __name__ == "__main__":
    main()

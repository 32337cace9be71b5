"""What accounting for a picture costs, beside drawing it.

    python benchmarks/accounting.py [--count 8] [--model DIR]

Processor seconds of this process, so that other work on the machine does not count. Saving with
mark, texts and signature joins every picture; the rest is measured when it is asked for
(`rocketman audit picture|collection`).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from rocketman import generate
from rocketman.audits.credits import credits, load_influence
from rocketman.audits.index import load_index
from rocketman.audits.newness import newness
from rocketman.audits.variety import variety
from rocketman.collection.report import survival
from rocketman.provenance import watermark
from rocketman.weights import embedded

T = TypeVar("T")


def timed(work: Callable[[], T]) -> tuple[T, float]:
    started = time.process_time()
    return work(), time.process_time() - started


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=8)
    parser.add_argument("--model", type=Path, default=embedded())
    arguments = parser.parse_args()
    count: int = arguments.count
    pipeline = generate.load(arguments.model)
    prompt = "an astronaut in a white suit playing a harp above the blue earth"
    size = pipeline.sizes[-1]
    pipeline(prompt, seed=0)
    made, drawing = timed(lambda: pipeline(prompt, num_images_per_prompt=count, seed=1))
    with tempfile.TemporaryDirectory() as folder:
        made[0].save(Path(folder) / "first.png")
        _, saving = timed(
            lambda: [each.save(Path(folder) / f"{k}.png") for k, each in enumerate(made)]
        )
        started = time.process_time()
        for k, each in enumerate(made):
            each.image.save(Path(folder) / f"plain-{k}.png")
        plain = time.process_time() - started
    images = [each.image for each in made]
    index = load_index(arguments.model)
    influence, why = load_influence(arguments.model)
    print(why)
    newness(images[:1], index)
    credits(images[:1], index, influence)
    marked = [(1, watermark.embed(image, 1)) for image in images]
    rest = {
        "newness": timed(lambda: newness(images, index))[1],
        "credits, similar": timed(lambda: credits(images, index))[1],
        "credits, both": timed(lambda: credits(images, index, influence))[1],
        "variety": timed(lambda: variety(images, index.probes, index.copy_at))[1],
        "mark after seven edits": timed(lambda: survival(marked))[1],
    }
    print(f"{count} pictures of {size} pixels, milliseconds of processor time a picture")
    print(f"drawing {1000 * drawing / count:.0f}")
    extra = saving - plain
    print(
        f"saving {1000 * saving / count:.0f}, of which a plain PNG {1000 * plain / count:.0f}: "
        f"accounting is {100 * extra / drawing:.1f} % of drawing"
    )
    for name, seconds in rest.items():
        print(f"{name} {1000 * seconds / count:.0f} ({100 * seconds / drawing:.1f} % of drawing)")


if __name__ == "__main__":
    main()

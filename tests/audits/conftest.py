"""A small world of coloured shapes, and a model folder with probes and an index of it."""

from __future__ import annotations

import json
import shutil
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

COLOURS = {"white": "#eeeeee", "red": "#c02020", "blue": "#2040c0"}
SHAPES = ("drum", "harp", None)
PLACES = {"above mars": "#803010", "above the moon": "#707070"}


def picture(suit: str, instrument: str | None, place: str, rng: np.random.Generator) -> Image.Image:
    """A square in the colour of the suit, a disc or a triangle, a ground, clouds of its own."""
    clouds = Image.fromarray(rng.integers(0, 110, (9, 9), np.uint8))
    clouds = clouds.resize((64, 64), Image.Resampling.BICUBIC)
    image = Image.merge("RGB", (clouds, clouds, clouds))
    pen = ImageDraw.Draw(image)
    edge = rng.integers(30, 60, 2).tolist()
    pen.polygon([(0, 64), (0, edge[0]), (64, edge[1]), (64, 64)], PLACES[place])
    left, top = rng.integers((2, 4), (18, 26)).tolist()
    pen.rectangle((left, top, left + 20, top + 26), COLOURS[suit])
    x, y = rng.integers((34, 6), (44, 36)).tolist()
    if instrument == "drum":
        pen.ellipse((x, y, x + 18, y + 18), "#d0a020")
    elif instrument == "harp":
        pen.line([(x, y), (x + 18, y + 4), (x + 4, y + 22), (x, y)], "#d0a020", 3)
    return image


def write_data(folder: Path, splits: dict[str, int], seed: int) -> Path:
    """A data set with its factors as columns; the caption names them."""
    rng = np.random.default_rng(seed)
    combinations = list(product(COLOURS, SHAPES, PLACES))
    for split, count in splits.items():
        (folder / split).mkdir(parents=True)
        rows = []
        for k in range(count):
            suit, instrument, place = combinations[k % len(combinations)]
            picture(suit, instrument, place, rng).save(folder / split / f"{k:04d}.png")
            playing = f" playing a {instrument}" if instrument else ""
            rows.append(
                {
                    "file_name": f"{k:04d}.png",
                    "text": f"an astronaut in a {suit} suit{playing} {place}",
                    "suit": suit,
                    "instrument": instrument,
                    "place": place,
                    "relation": "playing" if instrument else "astronaut alone",
                    "author": "A" if k % 2 else "B",
                    "license": "CC0-1.0",
                    "source": "test",
                    "sha256": f"{k:064x}",
                }
            )
        (folder / split / "metadata.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    return folder


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    splits = {"train": 180, "validation": 54, "test": 54}
    return write_data(tmp_path_factory.mktemp("data") / "shapes", splits, seed=0)


@pytest.fixture(scope="session")
def audited(
    model_folder: Path, data: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A model folder with probes that were really trained, on small pictures, and an index."""
    torch = pytest.importorskip("torch")
    from rocketman.audits import index, probe_training, probe_views

    folder = shutil.copytree(model_folder, tmp_path_factory.mktemp("audited") / "model")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROCKETMAN_CACHE", str(cache))
        patch.setattr(probe_training, "SIZE", 32)
        patch.setattr(probe_views, "SOFT_SIZES", (32, 24))
        patch.setattr(probe_training, "BATCH", 24)
        (folder / "probes.onnx").write_bytes(probe_training.train_probes([data], steps=200))
        index.build(folder, data)
    torch.set_num_threads(threads)
    return folder


@pytest.fixture(scope="session")
def fresh() -> list[Image.Image]:
    """Pictures of the same world that nobody has seen."""
    rng = np.random.default_rng(99)
    return [picture("red", "drum", "above mars", rng) for _ in range(12)]

"""Learning, end to end: sixteen pictures learnt by heart, exported, and drawn from their captions.

Slow, about a minute of one core: `make slow`, or `pytest -m slow tests/test_learning.py`.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from rocketman import load
from rocketman.data.batches import load_picture
from rocketman.model import ModelConfig
from rocketman.train import TrainConfig, train
from rocketman.train_config import DataConfig, LoopConfig

SAMPLES = Path(__file__).parents[1] / "examples" / "sample-dataset" / "train"
SIZE, PICTURES, ENOUGH = 32, 16, 14


@pytest.fixture
def sixteen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The first pictures of the sample data set with captions of their own, as a data set."""
    monkeypatch.setenv("ROCKETMAN_CACHE", str(tmp_path / "cache"))
    lines = (SAMPLES / "metadata.jsonl").read_text(encoding="utf-8").splitlines()
    rows = {json.loads(line)["text"]: line for line in reversed(lines)}  # the first of each caption
    chosen = sorted(rows.values(), key=lines.index)[:PICTURES]
    folder = tmp_path / "sixteen" / "train"
    folder.mkdir(parents=True)
    for line in chosen:
        shutil.copy(SAMPLES / json.loads(line)["file_name"], folder)
    (folder / "metadata.jsonl").write_text("\n".join(chosen) + "\n", encoding="utf-8")
    return folder.parent


def low(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """A picture as 8 x 8 mean colours."""
    small = Image.fromarray(picture).resize((8, 8), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float64).ravel()


@pytest.mark.slow
def test_sixteen_pictures_are_learnt_and_recognised(sixteen: Path, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    config = TrainConfig(
        data=DataConfig(folder=str(sixteen)),
        model=ModelConfig(
            image_size=SIZE,
            patch_size=4,
            width=128,
            depth=4,
            heads=4,
            text_width=64,
            condition_width=64,
            bottleneck=64,
        ),
        train=LoopConfig(
            steps=500, batch_size=16, warmup_steps=20, learning_rate=2e-3, precision="fp32"
        ),
    )
    pipeline = load(train(config, tmp_path / "run"))
    lines = (sixteen / "train" / "metadata.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    known = np.stack(
        [low(load_picture(sixteen / "train" / row["file_name"], SIZE)) for row in rows]
    )
    drawn = pipeline([row["text"] for row in rows], seed=0, size=SIZE)
    distances = np.linalg.norm(
        np.stack([low(np.asarray(each.image)) for each in drawn])[:, None] - known, axis=2
    )
    right = int(np.sum(distances.argmin(axis=1) == np.arange(PICTURES)))
    assert right >= ENOUGH

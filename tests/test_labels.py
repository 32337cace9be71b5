"""A head that tells what each part shows: learnt beside the picture, and gone from the model."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812  (its name everywhere)
from PIL import Image

from rocketman.checkpoints import last_checkpoint
from rocketman.data.pictures import LABELS
from rocketman.labels import CELL, Labelling
from rocketman.model import DiffusionTransformer, ModelConfig
from rocketman.train import TrainConfig, train
from rocketman.train_config import DataConfig, LoopConfig
from rocketman.weights import open_model, read_parameters


@pytest.fixture
def config(
    tiny_network: ModelConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> TrainConfig:
    """Forty bright squares on a dark ground; the squares are instruments."""
    torch.set_num_threads(1)
    monkeypatch.setenv("ROCKETMAN_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "squares"
    (folder / "train").mkdir(parents=True)
    (folder / "passes").mkdir()
    rows = []
    for k in range(40):
        x, y = k % 8, k // 8
        labels = np.zeros((16, 16), np.uint8)
        labels[y : y + 8, x : x + 8] = LABELS.index("instrument")
        Image.fromarray(labels * 20 + 20).convert("RGB").save(folder / f"train/{k}.png")
        passes = Image.fromarray(labels).convert("P")
        passes.putdata(labels.ravel())
        passes.save(folder / f"passes/{k}.png")
        rows.append(json.dumps({"file_name": f"{k}.png", "text": "a harp"}))
    (folder / "train" / "metadata.jsonl").write_text("\n".join(rows) + "\n")
    loop = LoopConfig(
        steps=60, batch_size=16, warmup_steps=5, precision="fp32", label_weight=0.1, mirror=True
    )
    return TrainConfig(data=DataConfig(folder=str(folder)), model=tiny_network, train=loop)


def quiet(line: str) -> None:
    pass


def test_logits_lie_where_their_token_does(tiny_network: ModelConfig) -> None:
    """A token that alone is unlike the others changes the cells of its patch and no others."""
    network = DiffusionTransformer(replace(tiny_network, vocabulary_size=5))
    labelling = Labelling(network, len(LABELS))
    middle = torch.zeros(1, 16, 32)
    middle[0, 6] = torch.randn(32)  # row 1, column 2 of 4 x 4
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network, "drawn", lambda *_: (torch.zeros(1, 3, 16, 16), middle))
        _, logits = labelling(torch.zeros(1, 3, 16, 16), torch.zeros(1), torch.zeros(1, 4))
    assert logits.shape == (1, len(LABELS), 8, 8)
    differs = (logits[0] - logits[0, :, :1, :1]).abs().amax(dim=0)[::2, ::2] > 1e-6
    assert 16 // CELL == 8
    assert differs.nonzero().tolist() == [[1, 2]]


def test_it_learns_where_things_are(config: TrainConfig, tmp_path: Path) -> None:
    longer = replace(config, train=replace(config.train, steps=150, label_weight=0.5))
    train(longer, tmp_path / "run", report=quiet)
    arrays, _ = last_checkpoint(tmp_path / "run" / "checkpoints", quiet)
    network = DiffusionTransformer(
        replace(config.model, vocabulary_size=len(arrays["network.words.weight"]) - 1)
    )
    labelling = Labelling(network, len(LABELS))
    labelling.load_state_dict(
        {
            (name if name.startswith("head.") else f"network.{name}"): torch.from_numpy(array)
            for full, array in arrays.items()
            if full.startswith("network.")
            for name in [full.removeprefix("network.")]
        },
        strict=False,  # tables that are not stored
    )
    labels = torch.zeros(1, 8, 8, dtype=torch.int64)
    labels[0, 1:5, 2:6] = LABELS.index("instrument")
    x = torch.where(labels.repeat_interleave(2, 1).repeat_interleave(2, 2) > 0, 0.57, -0.84)
    x = x[:, None].expand(1, 3, 16, 16)
    with torch.no_grad():
        _, logits = labelling(x, torch.ones(1) * 0.9, torch.zeros(1, 16, dtype=torch.int64))
    share = labels.bool().float().mean()
    blind = -(share * share.log() + (1 - share) * (1 - share).log())
    assert F.cross_entropy(logits, labels) < 0.5 * blind
    assert (logits.argmax(dim=1) == labels).float().mean() > 0.9


def test_the_model_has_no_trace_of_it_and_resumes_to_the_same_bits(
    config: TrainConfig, tmp_path: Path
) -> None:
    short = replace(config, train=replace(config.train, steps=8, decay=0.0))
    half = replace(config, train=replace(short.train, steps=4))
    whole = open_model(train(short, tmp_path / "whole", report=quiet))
    train(half, tmp_path / "cut", report=quiet)
    resumed = open_model(train(short, tmp_path / "cut", resume=True, report=quiet))
    a, b = (read_parameters(each.weights_path) for each in (whole, resumed))
    assert a.keys() == b.keys()
    assert not [name for name in a if "head" in name]
    for name in a:
        np.testing.assert_array_equal(a[name], b[name])
    ends = [last_checkpoint(tmp_path / run / "checkpoints", quiet)[0] for run in ("whole", "cut")]
    assert "network.head.weight" in ends[0]
    for name, array in ends[0].items():
        np.testing.assert_array_equal(array, ends[1][name])
    plain = replace(short, train=replace(short.train, label_weight=0.0))
    other = open_model(train(plain, tmp_path / "plain", report=quiet))
    c = read_parameters(other.weights_path)
    assert any((a[name] != c[name]).any() for name in a), "it must matter"

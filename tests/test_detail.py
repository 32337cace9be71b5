"""The second stage: learns, and runs the same outside torch."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from rocketman import load  # noqa: E402
from rocketman.detail import DetailNetwork, compare, crops, train_detail, write_detail  # noqa: E402

PROMPT = "an astronaut above mars"


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def discs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data set of sharp discs, 64 pixels wide."""
    monkeypatch.setenv("ROCKETMAN_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    for split, count in (("train", 24), ("validation", 8)):
        folder = tmp_path / "discs" / split
        folder.mkdir(parents=True)
        rows = []
        for k in range(count):
            picture = Image.new("RGB", (64, 64), tuple(rng.integers(0, 255, 3).tolist()))
            for x, y in rng.integers(0, 50, (6, 2)).tolist():
                colour = tuple(rng.integers(0, 255, 3).tolist())
                ImageDraw.Draw(picture).ellipse((x, y, x + 14, y + 14), fill=colour)
            picture.save(folder / f"{k}.png")
            rows.append(json.dumps({"file_name": f"{k}.png", "text": "discs"}) + "\n")
        (folder / "metadata.jsonl").write_text("".join(rows))
    return tmp_path / "discs"


def test_crops_match() -> None:
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (3, 40, 40, 3), dtype=np.uint8)
    large = small.repeat(2, axis=1).repeat(2, axis=2)
    x, target = crops(small, large, rng)
    assert torch.equal(x.repeat_interleave(2, -1).repeat_interleave(2, -2), target)


def test_it_learns(discs: Path) -> None:
    lines: list[str] = []
    train_detail(discs, 32, 30, lines.append)
    before, after = (
        held_out_psnr(text) for text in (compare(DetailNetwork(), discs, 32), lines[-1])
    )
    assert after > before + 0.3


def held_out_psnr(line: str) -> float:
    found = re.search(r"held-out PSNR ([\d.]+) dB", line)
    assert found, line
    return float(found[1])


def test_an_untrained_one_is_plain_enlargement(discs: Path) -> None:
    x = torch.rand(2, 3, 8, 8)
    with torch.no_grad():
        larger = DetailNetwork()(x)
    assert larger.shape == (2, 3, 16, 16)
    assert torch.allclose(larger, x.repeat_interleave(2, -1).repeat_interleave(2, -2), atol=0.2)
    assert "bicubic" in compare(DetailNetwork(), discs, 32)


def test_the_engine_draws_what_torch_draws(model_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "two-stages"
    shutil.copytree(model_folder, folder)
    torch.manual_seed(0)
    network = DetailNetwork()
    torch.nn.init.normal_(network.last.weight, std=0.05)
    write_detail(network.eval(), folder)
    plain, staged = load(model_folder), load(folder)
    assert plain.model.hash != staged.model.hash

    [small] = staged(PROMPT, seed=1, num_inference_steps=2, size=16)
    [large] = staged(PROMPT, seed=1, num_inference_steps=2, size=32)
    [other] = plain(PROMPT, seed=1, num_inference_steps=2, size=32)
    assert large.image != other.image
    x = torch.from_numpy(np.asarray(small.image, dtype=np.float32) / 127.5 - 1)
    with torch.no_grad():
        wanted = network(x.permute(2, 0, 1)[None])[0].permute(1, 2, 0).clamp(-1, 1)
    got = np.asarray(large.image, dtype=np.float32) / 127.5 - 1
    assert np.abs(got - wanted.numpy()).max() < 0.03  # the small picture was rounded to 8 bits

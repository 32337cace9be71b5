"""The network that a run sees with: what it learns, what it measures, what a run makes of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from rocketman import flow, perception
from rocketman.data.batches import load_split, to_floats
from rocketman.labels import CELL
from rocketman.model import ModelConfig
from rocketman.train import train
from rocketman.train_config import DataConfig, LoopConfig, TrainConfig

COLOURS = {"white": (240, 240, 240), "orange": (240, 140, 20), "blue": (40, 70, 230)}
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    monkeypatch.setenv("ROCKETMAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(perception, "STEPS", 80)
    monkeypatch.setattr(perception, "BATCH", 16)


@pytest.fixture
def discs(tmp_path: Path) -> Path:
    """48 + 24 discs in three colours, here and there, 16 pixels wide."""
    folder, rng = tmp_path / "discs", np.random.default_rng(0)
    for split, count in (("train", 48), ("validation", 24)):
        (folder / split).mkdir(parents=True)
        lines = []
        for k in range(count):
            colour = list(COLOURS)[k % 3]
            left, top = rng.integers(0, 6, 2).tolist()
            picture = Image.new("RGB", (16, 16), (10, 10, 30))
            ImageDraw.Draw(picture).ellipse((left, top, left + 9, top + 9), COLOURS[colour])
            picture.save(folder / split / f"{k}.png")
            lines.append(json.dumps({"file_name": f"{k}.png", "text": f"a {colour} disc"}))
        (folder / split / "metadata.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def test_learns_the_words_that_tell_pictures_apart(discs: Path, tmp_path: Path) -> None:
    pictures, held_out = (load_split(discs, split, 16) for split in ("train", "validation"))
    names = perception.telling_words(pictures)
    assert names == ["blue", "orange", "white"]

    network = perception.perception(pictures, tmp_path / "p.safetensors", 0, CPU)
    logits = network(torch.from_numpy(to_floats(np.asarray(held_out.pixels))))
    shown = [names.index(caption.split()[1]) for caption in held_out.captions]
    assert logits.argmax(dim=1).tolist() == shown


def test_learns_what_pixels_show_where_the_data_set_says_it(discs: Path, tmp_path: Path) -> None:
    pictures = load_split(discs, "train", 16)
    told: list[str] = []
    path = tmp_path / "words.safetensors"
    by_words = perception.perception(pictures, path, 0, CPU, report=told.append, folder=discs)
    assert told[0] == "learning to see 3 words in pictures"

    (discs / "passes").mkdir()
    for row, pixels in zip(pictures.rows, pictures.pixels, strict=True):
        disc = np.where(pixels.max(axis=-1) > 100, 9, 0).astype(np.uint8)
        labels = Image.fromarray(disc).convert("P")
        labels.putdata(disc.ravel().tolist())
        labels.save(discs / "passes" / str(row["file_name"]))
    path = tmp_path / "labels.safetensors"
    network = perception.perception(pictures, path, 0, CPU, report=told.append, folder=discs)
    assert "learning to see 3 words in pictures, and what each pixel shows" in told
    assert network.state_dict().keys() == by_words.state_dict().keys()
    name = "convolutions.2.weight"
    assert not torch.equal(network.state_dict()[name], by_words.state_dict()[name])

    (discs / "passes" / str(pictures.rows[0]["file_name"])).write_bytes(b"damaged")
    path = tmp_path / "again.safetensors"
    perception.perception(pictures, path, 0, CPU, report=told.append, folder=discs)
    assert any("only captions tell" in line for line in told)


def test_labels_stay_with_the_pixels_that_they_are_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(perception, "NOISE", 0)
    monkeypatch.setattr(perception, "GAIN", 0)
    torch.manual_seed(0)
    corners = torch.tensor([[1, 0], [0, 0]], dtype=torch.uint8)
    labels = corners.repeat_interleave(16, 0).repeat_interleave(16, 1).expand(4, 32, 32)
    x = (2.0 * labels - 1)[:, None].expand(4, 3, 32, 32)
    flips = set()
    for _ in range(12):
        seen, cells = perception.changed(x, labels)
        assert cells is not None
        assert cells.shape == (4, 16, 16)
        light = torch.nn.functional.avg_pool2d(seen[:, 0], CELL) > 0
        assert (light == cells).float().mean() > 0.95
        flips.add(bool(cells[0, 0, 0]))
    assert flips == {True, False}


def test_distance_is_zero_for_equals_and_pulls_at_what_is_drawn(
    discs: Path, tmp_path: Path
) -> None:
    pictures = load_split(discs, "train", 16)
    network = perception.perception(pictures, tmp_path / "p.safetensors", 0, CPU)
    real = torch.from_numpy(to_floats(np.asarray(pictures.pixels[:6])))
    assert network.distance(real, real).abs().max() < 1e-6

    drawn = real.flip(0).requires_grad_()
    found = network.distance(drawn, real)
    assert found.shape == (6,)
    found.sum().backward()  # type: ignore[no-untyped-call]
    assert drawn.grad is not None
    assert drawn.grad.abs().max() > 0
    assert all(p.grad is None for p in network.parameters())
    with torch.no_grad():  # orange for white looks less alike than the same white, fainter
        assert (found > network.distance(0.9 * real, real)).all()


def test_a_run_keeps_what_it_sees_with(
    discs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures, path = load_split(discs, "train", 16), tmp_path / "p.safetensors"
    first = perception.perception(pictures, path, 0, CPU)
    with monkeypatch.context() as patch:
        patch.setattr(perception, "learn", None)
        again = perception.perception(pictures, path, 0, CPU)
    for name, value in first.state_dict().items():
        assert torch.equal(value, again.state_dict()[name])
    two = tuple(caption.replace("orange", "blue") for caption in pictures.captions)
    other = replace(pictures, captions=two, hash="of other data")
    for _ in range(2):
        assert perception.perception(other, path, 0, CPU).head.out_features == 2
        monkeypatch.setattr(perception, "learn", None)


def test_captions_that_tell_nothing_are_refused(discs: Path, tmp_path: Path) -> None:
    pictures = replace(load_split(discs, "train", 16), captions=("a disc",) * 48)
    with pytest.raises(ValueError, match="captions that differ"):
        perception.perception(pictures, tmp_path / "p.safetensors", 0, CPU)


def test_counts_only_where_there_is_little_noise() -> None:
    x1, ids = torch.zeros(400, 3, 4, 4), torch.zeros(400, 4, dtype=torch.int64)

    def network(x: Tensor, t: Tensor, *_: object) -> Tensor:
        return 0 * x

    def two(drawn: Tensor, real: Tensor, noisy: Tensor, tokens: Tensor) -> Tensor:
        return 2 * torch.ones(len(drawn))

    generator = torch.Generator().manual_seed(1)
    late = (flow.draw_timesteps(400, generator) >= flow.PERCEIVED_FROM).float().mean()
    generator.manual_seed(1)
    found = flow.loss(network, x1, ids, generator, 1.0, look=two)
    assert 0.3 < late < 0.7
    assert float(found) == pytest.approx(2 * float(late))


def test_a_run_that_looks_draws_what_looks_more_alike(
    discs: Path, tiny_network: ModelConfig, tmp_path: Path
) -> None:
    """The same run with and without: held-out pictures cleaned from half-way, by the same eye."""
    loop = LoopConfig(steps=80, batch_size=16, warmup_steps=5, precision="fp32")
    held_out = load_split(discs, "validation", 16)
    network = perception.perception(
        load_split(discs, "train", 16), tmp_path / "p.safetensors", 1, CPU
    )
    apart = {}
    for weight in (0.0, 3.0):
        config = TrainConfig(
            data=DataConfig(folder=str(discs)),
            model=tiny_network,
            train=replace(loop, perceptual_weight=weight),
        )
        folder = train(config, tmp_path / str(weight), report=lambda line: None)
        assert (tmp_path / str(weight) / "perception.safetensors").is_file() == (weight > 0)
        apart[weight] = distance_half_way(folder, network, held_out.pixels, held_out.captions)
    assert apart[3.0] < 0.95 * apart[0.0]


def distance_half_way(
    folder: Path,
    network: perception.Perception,
    pixels: np.typing.NDArray[np.uint8],
    captions: tuple[str, ...],
) -> float:
    from rocketman.captions import tokens
    from rocketman.export import load_network
    from rocketman.weights import open_model

    trained, vocabulary = load_network(folder), open_model(folder).vocabulary
    x1 = torch.from_numpy(to_floats(np.asarray(pixels)))
    noise = torch.randn(x1.shape, generator=torch.Generator().manual_seed(0))
    t = torch.full((len(x1),), 0.5)
    ids = torch.tensor([tokens(text, vocabulary) for text in captions])
    with torch.no_grad():
        return float(network.distance(trained(flow.on_path(x1, noise, t, 1.0), t, ids), x1).mean())

"""A critic beside a run: what it tells apart, how hard it pulls, what a run keeps of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from rocketman import critic, perception
from rocketman.captions import PAD
from rocketman.checkpoints import last_checkpoint
from rocketman.critic import Critic, Judge, critic_optimizer
from rocketman.model import ModelConfig
from rocketman.perception import Perception
from rocketman.train import train
from rocketman.train_config import DataConfig, LoopConfig, TrainConfig
from rocketman.weights import open_model, read_parameters

InTwoProcesses = Callable[[TrainConfig, Path], None]
ALONE, RISE = critic.ALONE, critic.RISE
COLOURS = ("white", "orange", "blue")


@pytest.fixture(autouse=True)
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    monkeypatch.setenv("ROCKETMAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(perception, "STEPS", 5)


ONE_WORD = torch.tensor([1, PAD, PAD, PAD]).expand(32, 4)


def judge_of(critic_weight: float = 0.5) -> tuple[Judge, Critic]:
    torch.manual_seed(0)
    seeing = Perception(3).eval().requires_grad_(False)
    network = Critic(vocabulary_size=4)
    generator = torch.Generator().manual_seed(0)
    pair = (network, critic_optimizer(network))
    return Judge(seeing, 1.0, pair, critic_weight, generator), network


def stripes(count: int, generator: torch.Generator, soft: bool) -> torch.Tensor:
    """Upright bars of four pixels, here and there; soft ones have no edge."""
    shift = torch.rand(count, 1, 1, 1, generator=generator) * 8
    wave = torch.sin((torch.arange(16) + shift) * torch.pi / 4)
    return (0.6 * wave if soft else wave.sign()).expand(count, 3, 16, 16).clone()


def test_it_learns_to_tell_soft_from_sharp_and_asks_for_sharp() -> None:
    judge, network = judge_of()
    generator = torch.Generator().manual_seed(1)
    for step in range(40):
        real, drawn = (stripes(8, generator, soft) for soft in (False, True))
        judge(drawn, real, torch.randn(real.shape, generator=generator), ONE_WORD[:8], step)
        judge.learn(8)
    real, drawn = (stripes(32, generator, soft) for soft in (False, True))
    noisy = torch.randn(real.shape, generator=generator)
    with torch.no_grad():
        right, wrong = (network(x, noisy, ONE_WORD, judge.perception) for x in (real, drawn))
        # chance, log 2, is what it says of two that it finds alike
        assert critic.doubted(right, wrong).mean() < 0.5
        assert critic.doubted(wrong, right).mean() > 0.9

    drawn = 0.6 * real  # the same bars, fainter
    leaf = drawn.clone().requires_grad_()
    judge.weight = 1e-6
    judge(leaf, real, noisy, ONE_WORD, 10**6).sum().backward()  # type: ignore[no-untyped-call]
    assert leaf.grad is not None
    nearer = drawn - 0.2 * leaf.grad / leaf.grad.square().sum(dim=(1, 2, 3), keepdim=True).sqrt()
    with torch.no_grad():
        before, after = (network(x, noisy, ONE_WORD, judge.perception) for x in (drawn, nearer))
        assert critic.doubted(after, before).mean() < critic.doubted(before, before).mean()


def test_a_step_without_a_finite_gradient_is_not_taken() -> None:
    judge, network = judge_of()
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    real, noisy = torch.randn(2, 8, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    for drawn in (torch.full_like(real, torch.inf), -real):
        assert all(torch.equal(p, before[name]) for name, p in network.named_parameters())
        judge.shown = (drawn, real, noisy, ONE_WORD[:8])
        judge.learn(8)
    assert all(p.isfinite().all() for p in network.parameters())
    assert not torch.equal(network.words.weight, before["words.weight"])


def test_it_learns_which_caption_a_picture_belongs_to() -> None:
    """Red and blue pictures, drawn in the other colour: real and drawn ones look alike."""
    judge, network = judge_of()
    generator = torch.Generator().manual_seed(1)

    def batch(count: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        kinds = torch.randint(2, (count,), generator=generator)
        real = 0.2 * torch.randn(count, 3, 16, 16, generator=generator)
        real[torch.arange(count), 2 * kinds] += 0.8
        return real, real.flip(1), torch.stack([kinds + 1, torch.zeros_like(kinds)], dim=1)

    for step in range(60):
        real, drawn, tokens = batch(16)
        judge(drawn, real, torch.randn(real.shape, generator=generator), tokens, step)
        judge.learn(16)
    real, drawn, tokens = batch(64)
    noisy = torch.randn(real.shape, generator=generator)
    with torch.no_grad():
        right, wrong = (network(x, noisy, tokens, judge.perception)[-1] for x in (real, drawn))
        unsaid = network(real, noisy, torch.zeros_like(tokens), judge.perception)[-1]
    assert (right > wrong).float().mean() > 0.9
    assert (unsaid == 0).all()


def test_it_pulls_as_hard_as_it_is_told_and_not_before_it_has_learnt() -> None:
    judge, _ = judge_of(critic_weight=0.5)
    generator = torch.Generator().manual_seed(1)
    real, drawn = (stripes(8, generator, soft) for soft in (False, True))
    noisy = torch.randn(real.shape, generator=generator)

    def gradient(step: int) -> tuple[torch.Tensor, torch.Tensor]:
        leaf = drawn.clone().requires_grad_()
        found = judge(leaf, real, noisy, ONE_WORD[:8], step)
        found.sum().backward()  # type: ignore[no-untyped-call]
        assert leaf.grad is not None
        return found.detach(), leaf.grad

    value, alone = gradient(critic.ALONE)
    assert torch.allclose(value, judge.perception.distance(drawn, real))
    for step, share in ((critic.ALONE + critic.RISE // 2, 0.25), (10**6, 0.5)):
        later, both = gradient(step)
        assert torch.allclose(later, value)  # its verdicts are no part of the loss that is logged
        assert float((both - alone).norm()) == pytest.approx(share * float(alone.norm()), rel=1e-3)


@pytest.fixture
def config(
    tiny_network: ModelConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> TrainConfig:
    """Discs in three colours, and a critic that counts from the second step on."""
    monkeypatch.setattr(critic, "ALONE", 1)
    monkeypatch.setattr(critic, "RISE", 2)
    folder = tmp_path / "discs"
    (folder / "train").mkdir(parents=True)
    rows = []
    for k in range(48):
        picture = Image.new("RGB", (16, 16), (10, 10, 30))
        ImageDraw.Draw(picture).ellipse((k % 5, k % 7, k % 5 + 9, k % 7 + 9), COLOURS[k % 3])
        picture.save(folder / "train" / f"{k}.png")
        rows.append(json.dumps({"file_name": f"{k}.png", "text": f"a {COLOURS[k % 3]} disc"}))
    (folder / "train" / "metadata.jsonl").write_text("\n".join(rows) + "\n")
    loop = LoopConfig(
        steps=8,
        batch_size=16,
        warmup_steps=2,
        decay=0.0,
        precision="fp32",
        perceptual_weight=1.0,
        critic_weight=0.5,
    )
    return TrainConfig(data=DataConfig(folder=str(folder)), model=tiny_network, train=loop)


def quiet(line: str) -> None:
    pass


def test_a_run_with_a_critic_resumes_to_the_same_bits(config: TrainConfig, tmp_path: Path) -> None:
    half = replace(config, train=replace(config.train, steps=4))
    whole = open_model(train(config, tmp_path / "whole", report=quiet))
    train(half, tmp_path / "cut", report=quiet)
    train(config, tmp_path / "cut", resume=True, report=quiet)
    ends = [last_checkpoint(tmp_path / run / "checkpoints", quiet)[0] for run in ("whole", "cut")]
    assert ends[0].keys() == ends[1].keys()
    assert [name for name in ends[0] if name.startswith("critic optimizer.exp_avg.")]
    for name, array in ends[0].items():
        np.testing.assert_array_equal(array, ends[1][name], err_msg=name)
    assert not [name for name in read_parameters(whole.weights_path) if "critic" in name]

    plain = replace(config, train=replace(config.train, critic_weight=0.0))
    train(plain, tmp_path / "plain", report=quiet)
    other = last_checkpoint(tmp_path / "plain" / "checkpoints", quiet)[0]
    assert any((other[n] != ends[0][n]).any() for n in other if n.startswith("network."))
    with pytest.raises(ValueError, match="holds a run without critic_weight"):
        train(config, tmp_path / "plain", resume=True, report=quiet)


def test_a_resumed_run_sees_as_its_critic_learnt_to(config: TrainConfig, tmp_path: Path) -> None:
    """Also where it goes on with another data set."""
    half = replace(config, train=replace(config.train, steps=4))
    train(half, tmp_path / "run", report=quiet)
    before = (tmp_path / "run" / "perception.safetensors").read_bytes()
    rows = Path(config.data.folder) / "train" / "metadata.jsonl"
    rows.write_text(rows.read_text().replace("white disc", "orange disc"))
    told: list[str] = []
    train(config, tmp_path / "run", resume=True, report=told.append)
    assert any("going on with the new one" in line for line in told)
    assert (tmp_path / "run" / "perception.safetensors").read_bytes() == before


def test_a_critic_without_eyes_is_refused() -> None:
    with pytest.raises(ValueError, match="needs perceptual_weight"):
        LoopConfig(steps=1, critic_weight=0.5)


def test_a_critic_of_parts_of_a_batch_is_refused() -> None:
    with pytest.raises(ValueError, match="needs accumulate = 1"):
        LoopConfig(steps=1, critic_weight=0.5, perceptual_weight=1.0, accumulate=2)


def test_two_processes_share_a_critic(
    config: TrainConfig,
    in_two_processes: InTwoProcesses,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same global batch by torchrun on two processes: the same critic up to rounding."""
    monkeypatch.setattr(critic, "ALONE", ALONE)  # what the other processes have
    monkeypatch.setattr(critic, "RISE", RISE)
    steps = ALONE + RISE // 2
    config = replace(config, train=replace(config.train, steps=steps, learning_rate=1e-4))
    train(config, tmp_path / "one", report=quiet)
    (tmp_path / "two").mkdir()
    shutil.copy(tmp_path / "one" / "perception.safetensors", tmp_path / "two")
    in_two_processes(config, tmp_path / "two")
    one, two = (last_checkpoint(tmp_path / run / "checkpoints", quiet)[0] for run in ("one", "two"))
    for part in ("critic.pixels", "network.blocks"):
        apart = sum(np.square(one[n] - two[n]).sum() for n in one if n.startswith(part))
        size = sum(np.square(one[n]).sum() for n in one if n.startswith(part))
        assert apart < 1e-11 * size, part

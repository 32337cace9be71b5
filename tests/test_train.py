"""The loop: committed losses, kill and resume, stopping, starting from a model, configurations.

tests/expected/losses.json holds the losses of the tiny run below, one thread, float32. After a
change that is meant to alter training: ROCKETMAN_WRITE_EXPECTED=1 pytest tests/test_train.py
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from rocketman import checkpoints, flow, load, looks
from rocketman import train as training
from rocketman.checkpoints import Run, last_checkpoint
from rocketman.data.batches import load_split, vocabulary_of
from rocketman.files import write_whole
from rocketman.model import READS, ModelConfig
from rocketman.parallel import Workers
from rocketman.train import Stopped, TrainConfig, train
from rocketman.train_config import DataConfig, LoopConfig
from rocketman.train_step import DivergenceError, learning_rate, train_step
from rocketman.weights import Tensors, open_model, pack_tensors, read_parameters, read_tensors

EXPECTED = Path(__file__).parent / "expected" / "losses.json"
WriteConfig = Callable[[TrainConfig, Path], Path]
InTwoProcesses = Callable[[TrainConfig, Path], None]
COLOURS = {"white": (240, 240, 240), "orange": (240, 140, 20), "blue": (40, 70, 230)}


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 + 10 pictures of coloured discs and squares, the same on every machine."""
    folder = tmp_path_factory.mktemp("shapes")
    for split, count in (("train", 60), ("validation", 10)):
        (folder / split).mkdir()
        lines = []
        for k in range(count):
            colour, drum = list(COLOURS)[k % 3], k % 2
            picture = Image.new("RGB", (16, 16), (10, 10, 30))
            draw = ImageDraw.Draw(picture)
            box = (k % 5, k % 4, k % 5 + 9, k % 4 + 9)
            (draw.ellipse if drum else draw.rectangle)(box, fill=COLOURS[colour])
            picture.save(folder / split / f"{k}.png")
            text = f"an astronaut in a {colour} suit beside a {'drum' if drum else 'harp'}"
            lines.append(json.dumps({"file_name": f"{k}.png", "text": text}))
        (folder / split / "metadata.jsonl").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def config(
    shapes: Path, tiny_network: ModelConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> TrainConfig:
    monkeypatch.setenv("ROCKETMAN_CACHE", str(tmp_path / "cache"))
    return TrainConfig(
        data=DataConfig(folder=str(shapes)),
        model=tiny_network,
        train=LoopConfig(steps=60, batch_size=16, warmup_steps=5, precision="fp32"),
    )


def test_thumbnails_train_like_the_folder(
    config: TrainConfig, shapes: Path, tmp_path: Path
) -> None:
    """A run on atlases of the pictures sees the same words, and nearly the same losses."""
    from rocketman.data.thumbnails import write_thumbnails

    write_thumbnails(shapes, tmp_path / "small", 16)
    runs = {}
    for name, folder in (("large", shapes), ("small", tmp_path / "small")):
        run = replace(
            config,
            data=DataConfig(folder=str(folder)),
            train=replace(config.train, steps=20),
        )
        model = open_model(train(run, tmp_path / f"{name}-run", report=lambda line: None))
        record = model.config["record"]
        runs[name] = (model.vocabulary, record["pictures"], record["validation_loss"])
    assert runs["large"][:2] == runs["small"][:2]
    assert runs["small"][2] == pytest.approx(runs["large"][2], rel=0.1)


def log(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def assert_same(first: Tensors, second: Tensors) -> None:
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)


def last_tensors(out: Path) -> Tensors:
    return read_tensors(max((out / "checkpoints").glob("*.safetensors")))[0]


def quiet(line: str) -> None:
    pass


def stopped_at(step: int, config: TrainConfig, out: Path, **how: Any) -> None:
    """Train until SIGTERM comes after so many steps; raises Stopped."""
    plain = train_step

    def signalling(run: Run, *rest: Any) -> float:
        if run.step == step - 1:
            signal.raise_signal(signal.SIGTERM)
        return plain(run, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "train_step", signalling)
        train(config, out, report=quiet, **how)


def test_the_tiny_run_gives_the_committed_losses(config: TrainConfig, tmp_path: Path) -> None:
    out = tmp_path / "run"
    model = open_model(train(config, out, report=quiet))
    got: dict[str, Any] = {
        "loss": [entry["loss"] for entry in log(out) if "loss" in entry],
        "validation_loss": log(out)[-1]["validation_loss"],
    }
    if os.environ.get("ROCKETMAN_WRITE_EXPECTED") == "1":
        EXPECTED.write_text(json.dumps(got, indent=2) + "\n")
    wanted = json.loads(EXPECTED.read_text())
    np.testing.assert_allclose(got["loss"], wanted["loss"], rtol=2e-3)
    assert got["validation_loss"] == pytest.approx(wanted["validation_loss"], rel=2e-3)
    assert got["loss"][-1] < 0.7 * got["loss"][0]

    assert model.image_size == 16
    assert model.vocabulary == tuple(
        sorted(["an", "astronaut", "in", "a", "suit", "beside", "drum", "harp", *COLOURS])
    )
    assert model.config["record"]["images"] == 60 * 16
    with Image.open(out / "sheets" / "step-00000060.png") as sheet:
        assert sheet.size == (4 * 16 * 2, 4 * 16 * 2)


def test_looks_tell_the_loss_by_timestep(config: TrainConfig, tmp_path: Path) -> None:
    """Of both splits, the same again for the same weights, and in the record."""
    short = replace(config, train=replace(config.train, steps=2, look_minutes=0))
    record = open_model(train(short, tmp_path / "run", report=quiet)).config["record"]
    told = [entry for entry in log(tmp_path / "run") if "validation_loss" in entry]
    assert [entry["step"] for entry in told] == [1, 2, 2]
    for name in ("train_loss_by_time", "validation_loss_by_time"):
        assert len(told[0][name]) == looks.TIME_BINS
        assert told[0][name] != told[1][name]
        assert told[1][name] == told[2][name] == record[name]


def test_the_loss_by_timestep_of_known_networks(shapes: Path, config: TrainConfig) -> None:
    pictures = load_split(shapes, "train", 16)
    vocabulary = vocabulary_of(pictures.captions)
    asked: list[Tensor] = []

    def losses(network: Callable[[Tensor, Tensor, Tensor], Tensor], scale: float) -> list[float]:
        loop = replace(config.train, noise_scale=scale)
        return looks.losses_by_time(network, loop, pictures, vocabulary, torch.device("cpu"))

    def without_noise(x: Tensor, t: Tensor, ids: Tensor) -> Tensor:
        asked.append(t)
        return x / t[:, None, None, None]

    np.testing.assert_allclose(losses(without_noise, 1e-9), 0, atol=1e-9)
    for k, t in enumerate(asked):
        assert k / 5 <= t.min() < t.max() <= (k + 1) / 5
        assert len(t) == looks.PICTURES_A_BIN
    # x1 + (1 - t) is wrong by 1 in velocity, less where the loss clamps 1 - t
    wrong = losses(lambda x, t, ids: without_noise(x, t, ids) + (1 - t)[:, None, None, None], 1e-9)
    np.testing.assert_allclose(wrong[:4], 1, rtol=1e-4)
    assert 0.7 < wrong[4] < 1


def test_tensorboard_gets_the_same_figures(config: TrainConfig, tmp_path: Path) -> None:
    event_accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator"
    )
    out = tmp_path / "run"
    loop = replace(config.train, steps=4, checkpoint_minutes=0, tensorboard=True)
    with pytest.raises(Stopped):
        stopped_at(2, replace(config, train=loop), out)
    train(replace(config, train=loop), out, resume=True, report=quiet)
    events = event_accumulator.EventAccumulator(str(out / "tensorboard")).Reload()
    last = log(out)[-1]
    for name, wanted in (
        ("validation_loss", last["validation_loss"]),
        ("train_loss_by_time/4", last["train_loss_by_time"][4]),
    ):
        [event] = events.Scalars(name)
        assert (event.step, event.value) == (4, pytest.approx(wanted, rel=1e-6))
    [sheet] = events.Images("sheet")
    assert (sheet.width, sheet.height) == (4 * 16 * 2, 4 * 16 * 2)


def test_tensorboard_missing_is_said_before_anything_starts(
    config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    config = replace(config, train=replace(config.train, tensorboard=True))
    with pytest.raises(ValueError, match=r"pip install 'rocketman-diffusion\[tensorboard\]'"):
        train(config, tmp_path / "run", report=quiet)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_two_processes_train_like_one(
    config: TrainConfig,
    in_two_processes: InTwoProcesses,
    tmp_path: Path,
    optimizer: Literal["adamw", "muon"],
) -> None:
    """The same global batch by torchrun on two processes: the same losses up to rounding, also if
    each goes through its share in two parts."""
    config = replace(
        config,
        train=replace(config.train, steps=20, optimizer=optimizer),
        model=replace(config.model, self_condition=optimizer == "muon"),
    )
    train(config, tmp_path / "one", report=quiet)
    parts = 2 if optimizer == "muon" else 1
    in_parts = replace(config, train=replace(config.train, accumulate=parts))
    in_two_processes(in_parts, tmp_path / "two")
    one, two = (log(tmp_path / name) for name in ("one", "two"))
    assert [entry["step"] for entry in one] == [entry["step"] for entry in two]
    assert one[0]["loss"] == pytest.approx(two[0]["loss"], rel=2e-3)
    assert one[-1]["validation_loss"] == pytest.approx(two[-1]["validation_loss"], rel=5e-3)


def test_a_batch_that_cannot_be_shared_evenly_is_refused(
    config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "join", lambda: Workers(rank=0, count=2))
    config = replace(config, train=replace(config.train, accumulate=16))
    with pytest.raises(ValueError, match="16 does not divide among 2 processes with accumulate"):
        train(config, tmp_path / "run", report=quiet)


def test_without_a_compiler_a_run_goes_on_uncompiled(
    config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def called(x: Tensor) -> Tensor:
        raise RuntimeError("InvalidCxxCompiler: No working C++ compiler found")

    monkeypatch.setattr(torch, "compile", lambda module: called)
    config = replace(config, train=replace(config.train, steps=1, compile=True))
    told: list[str] = []
    train(config, tmp_path / "run", report=told.append)
    assert len([line for line in told if line.endswith("going on uncompiled")]) == 1


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_checkpoint_holds_the_optimizer(
    config: TrainConfig, tmp_path: Path, optimizer: Literal["adamw", "muon"]
) -> None:
    loop = replace(config.train, steps=6, checkpoint_minutes=0, optimizer=optimizer)
    if optimizer == "muon":  # and what a step in parts, with guesses, leaves of the draws
        config = replace(config, model=replace(config.model, self_condition=True))
        loop = replace(loop, accumulate=2)
    config = replace(config, train=loop)
    train(config, tmp_path / "whole", report=quiet)
    shutil.copytree(tmp_path / "whole" / "checkpoints", tmp_path / "cut" / "checkpoints")
    (tmp_path / "cut" / "checkpoints" / "step-00000006.safetensors").unlink()
    train(config, tmp_path / "cut", resume=True, report=quiet)
    assert_same(last_tensors(tmp_path / "whole"), last_tensors(tmp_path / "cut"))


def test_a_killed_run_resumes_to_the_same_bits(
    config: TrainConfig, write_config: WriteConfig, tmp_path: Path
) -> None:
    """SIGKILL in the middle of a run that checkpoints after every step, then resume."""
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    config = replace(config, train=replace(config.train, checkpoint_minutes=0))
    train(config, whole, report=quiet)

    path = write_config(config, tmp_path / "run.toml")
    command = [sys.executable, "-m", "rocketman.train", str(path), "--out", str(killed)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list((killed / "checkpoints").glob("step-*1[0-9].safetensors")):
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.kill()
    process.wait()
    assert not (killed / "model").exists()
    with (killed / "log.jsonl").open("a") as file:
        file.write('{"step": 12, "ima')  # as a full disk leaves it

    told: list[str] = []
    train(config, killed, resume=True, report=told.append)
    assert any("going on from step" in line for line in told)
    assert_same(last_tensors(whole), last_tensors(killed))
    assert open_model(whole / "model").hash == open_model(killed / "model").hash
    losses = [[entry.get("loss") for entry in log(out)] for out in (whole, killed)]
    assert losses[0][-2:] == losses[1][-2:]


def test_a_full_disk_leaves_the_last_checkpoint(
    config: TrainConfig,
    write_config: WriteConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Of the command that torchrun starts: a sentence, and a run that can be resumed."""
    config = replace(config, train=replace(config.train, steps=4, checkpoint_minutes=0))
    path, out = write_config(config, tmp_path / "run.toml"), tmp_path / "run"
    monkeypatch.setattr(sys, "argv", ["train", str(path), "--out", str(out)])

    def full(path: Path, data: bytes) -> None:
        if path.stem == "step-00000003":
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        write_whole(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "write_whole", full)
        with pytest.raises(SystemExit, match="1"):
            training.main()
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith("No space left on device (")
    assert told.endswith("step-00000003.safetensors); checkpoints so far are whole.")
    assert last_checkpoint(out / "checkpoints", quiet)[1]["step"] == 2
    (out / "checkpoints" / "step-00000099.safetensors").write_bytes(b"damaged")
    train(config, out, resume=True, report=quiet)
    kept = sorted(path.name for path in (out / "checkpoints").iterdir())
    assert kept == ["step-00000003.safetensors", "step-00000004.safetensors"]


def test_a_signal_leaves_a_checkpoint(config: TrainConfig, tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Stopped, match=r"step 7.*resume"):
        stopped_at(7, config, tmp_path / "run")
    assert signal.getsignal(signal.SIGTERM) == before
    assert [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()] == [
        "step-00000007.safetensors"
    ]
    with pytest.raises(ValueError, match="holds a run already"):
        train(config, tmp_path / "run", report=quiet)
    other = replace(config, model=replace(config.model, depth=1))
    with pytest.raises(ValueError, match=r"another \[model\]"):
        train(other, tmp_path / "run", resume=True, report=quiet)
    other = replace(config, train=replace(config.train, optimizer="muon"))
    with pytest.raises(ValueError, match="optimizer = 'adamw': keep it"):
        train(other, tmp_path / "run", resume=True, report=quiet)
    other = replace(config, train=replace(config.train, batch_size=8))
    with pytest.raises(ValueError, match="batch_size = 16: keep it"):
        train(other, tmp_path / "run", resume=True, report=quiet)
    with pytest.raises(ValueError, match="holds the data set"):
        train(config, Path(config.data.folder), report=quiet)
    with pytest.raises(ValueError, match="has its weights already"):
        train(config, tmp_path / "run", resume=True, start=tmp_path, report=quiet)


def test_processes_that_are_all_told_to_stop_leave_a_checkpoint(
    config: TrainConfig, write_config: WriteConfig, tmp_path: Path
) -> None:
    """Torchrun and its processes at once, as a scheduler tells them; torchrun tells them again."""
    config = replace(config, train=replace(config.train, steps=10**6))
    path, out = write_config(config, tmp_path / "run.toml"), tmp_path / "run"
    torchrun = ["torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    process = subprocess.Popen(
        [sys.executable, "-m", *torchrun, "-m", "rocketman.train", str(path), "--out", str(out)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 120
        while not (out / "log.jsonl").exists() or not log(out):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGTERM)
        assert process.wait(60) != 0
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert last_checkpoint(out / "checkpoints", quiet)[1]["step"] > 0


def test_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path: Path) -> None:
    for step in (1, 2):
        data = pack_tensors({"x": np.full(3, step, np.float32)}, {"state": f'{{"step": {step}}}'})
        (tmp_path / f"step-0000000{step}.safetensors").write_bytes(data)
    whole = (tmp_path / "step-00000002.safetensors").read_bytes()
    for damaged in (whole[:-1], whole[:5], b"", b"\xff" * 100):
        (tmp_path / "step-00000002.safetensors").write_bytes(damaged)
        told: list[str] = []
        tensors, state = last_checkpoint(tmp_path, told.append)
        assert state == {"step": 1}
        assert tensors["x"].tolist() == [1, 1, 1]
        assert "step-00000002" in told[0]
    with pytest.raises(ValueError, match="no checkpoint"):
        last_checkpoint(tmp_path / "nowhere", quiet)


def test_a_loss_that_is_no_number_stops_the_run_before_it_spreads(
    config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "velocity_loss", lambda p, x1, t, weights: (p - x1).mean() / 0)
    with pytest.raises(DivergenceError, match="no longer a number after step 0"):
        train(config, tmp_path / "run", report=quiet)


def test_a_run_can_start_from_a_model(
    config: TrainConfig, model_folder: Path, tmp_path: Path
) -> None:
    """The model's words keep their rows; another make is refused."""
    with pytest.raises(ValueError, match="has no place"):
        train(config, tmp_path / "wrong", start=model_folder, report=quiet)
    short = replace(config, train=replace(config.train, steps=1, learning_rate=1e-9))
    first = train(short, tmp_path / "first", report=quiet)
    second = train(short, tmp_path / "second", start=first, report=quiet)
    assert open_model(second).vocabulary == open_model(first).vocabulary
    before, after = (read_tensors(folder / "model.safetensors")[0] for folder in (first, second))
    for name in before:
        np.testing.assert_allclose(after[name], before[name], atol=1e-3, err_msg=name)
    record = open_model(second).config["record"]
    assert (record["start"], record["start_name"]) == (open_model(first).hash, "first")
    assert "start" not in open_model(first).config["record"]

    deeper = short.model.depth + 1
    grown = replace(short.model, refine_width=16, self_condition=True, depth=deeper)
    third = train(replace(short, model=grown), tmp_path / "third", start=first, report=quiet)
    after = read_tensors(third / "model.safetensors")[0]
    new = {name.partition(".")[0] for name in set(after) - set(before)}
    assert new == {"refiner", "guess_in", "guess_embed", "blocks"}
    for name in before:
        np.testing.assert_allclose(after[name], before[name], atol=1e-3, err_msg=name)
    tensors, metadata = read_tensors(first / "model.safetensors")
    about = (first / "config.toml").read_text()  # of weights written anew it records nothing
    (first / "config.toml").write_text(about.replace("\nweights_hash", "\nwas"))
    lacking = {name: x for name, x in tensors.items() if not name.startswith("blocks.1.out.")}
    (first / "model.safetensors").write_bytes(pack_tensors(lacking, metadata))
    with pytest.raises(ValueError, match=r"its blocks\.1\.out\.weight has another shape"):
        train(short, tmp_path / "lacking", start=first, report=quiet)
    (first / "model.safetensors").write_bytes(pack_tensors(tensors, metadata))
    wider = replace(short, model=replace(short.model, bottleneck=2 * short.model.bottleneck))
    with pytest.raises(ValueError, match="another shape"):
        train(wider, tmp_path / "wider", start=first, report=quiet)


def test_a_run_can_go_on_at_twice_the_size(config: TrainConfig, tmp_path: Path) -> None:
    """With patches as large, four times as many: nothing that is learnt depends on the size."""
    short = replace(config, train=replace(config.train, steps=2))
    first = train(short, tmp_path / "first", report=quiet)
    larger = replace(short, model=replace(short.model, image_size=2 * short.model.image_size))
    second = train(larger, tmp_path / "second", start=first, report=quiet)
    assert open_model(second).image_size == 32
    assert np.isfinite(open_model(second).config["record"]["loss"])
    [drawn] = load(second)("a harp", num_inference_steps=2, seed=0, size=32)
    assert drawn.image.size == (32, 32)


def test_what_reads_the_prompt_can_be_held_still(
    config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By both optimizers, also resumed; and only where a model knows all the words."""
    first = train(config, tmp_path / "first", report=quiet)
    held = replace(config.train, hold_words=True, optimizer="muon")
    config = replace(config, train=held)
    with pytest.raises(ValueError, match="needs a model to start from"):
        train(config, tmp_path / "second", report=quiet)
    with pytest.raises(Stopped):
        stopped_at(2, config, tmp_path / "second", start=first)
    train(config, tmp_path / "second", resume=True, report=quiet)
    before = read_parameters(open_model(first).weights_path)
    after, _ = last_checkpoint(tmp_path / "second" / "checkpoints", quiet)
    same = {name for name in before if np.array_equal(before[name], after[f"network.{name}"])}
    reading = {name for name in before if name.startswith(READS) or ".text_kv." in name}
    assert same == reading
    known = open_model(first).vocabulary
    monkeypatch.setattr("rocketman.train.vocabulary_of", lambda *_: (*known, "kazoo"))
    with pytest.raises(ValueError, match=r"does not know \(1\), which hold_words"):
        train(config, tmp_path / "third", start=first, report=quiet)


def test_a_resumed_run_remembers_what_it_began_with(config: TrainConfig, tmp_path: Path) -> None:
    """Its card too; a checkpoint written before that was remembered can still be resumed."""
    short = replace(config, train=replace(config.train, steps=3))
    first = train(short, tmp_path / "first", report=quiet)
    out = tmp_path / "second"
    with pytest.raises(Stopped):
        stopped_at(2, short, out, start=first)
    shutil.copytree(out, tmp_path / "older")
    model = train(short, out, resume=True, report=quiet)
    assert open_model(model).config["record"]["start"] == open_model(first).hash
    assert f"first `{open_model(first).hash}`" in (model / "README.md").read_text()

    [path] = (tmp_path / "older" / "checkpoints").iterdir()
    tensors, metadata = read_tensors(path)
    state = json.loads(metadata["state"])
    del state["start"]
    path.write_bytes(pack_tensors(tensors, {"state": json.dumps(state)}))
    model = train(short, tmp_path / "older", resume=True, report=quiet)
    assert "start" not in open_model(model).config["record"]


def test_a_run_keeps_the_arithmetic_that_was_faster_when_it_began(
    config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also resumed where another one is faster: a run is one run, bit for bit."""
    loop = replace(config.train, precision="auto", steps=4)
    monkeypatch.setattr("rocketman.parallel.faster", lambda device: "bf16")
    train(replace(config, train=loop), tmp_path / "run", report=quiet)
    monkeypatch.setattr("rocketman.parallel.faster", lambda device: "fp32")
    told: list[str] = []
    longer = replace(config, train=replace(loop, steps=6))
    model = train(longer, tmp_path / "run", resume=True, report=told.append)
    assert any(line.endswith("in bf16") for line in told)
    assert open_model(model).config["train"]["precision"] == "bf16"


@pytest.mark.parametrize(("done", "factor"), [(0, 0.2), (4, 1), (75, 1), (90, 0.4), (100, 0)])
def test_the_learning_rate_warms_up_and_decays(
    config: TrainConfig, done: int, factor: float
) -> None:
    run = Run(config, torch.device("cpu"))
    by_steps = LoopConfig(steps=100, warmup_steps=5)
    run.step = done
    got = learning_rate(run, by_steps)
    assert got == pytest.approx(factor * by_steps.learning_rate, abs=1e-12)
    run.step, run.seconds = max(done, 5), done
    by_time = LoopConfig(seconds=100, warmup_steps=5)
    if done:
        got = learning_rate(run, by_time)
        assert got == pytest.approx(factor * by_time.learning_rate, abs=1e-12)


def test_the_seconds_are_kept(config: TrainConfig, tmp_path: Path) -> None:
    config = replace(config, train=replace(config.train, steps=0, seconds=1.0))
    began = time.monotonic()
    train(config, tmp_path / "run", report=quiet)
    entry = [entry for entry in log(tmp_path / "run") if "loss" in entry][-1]
    assert 1 <= entry["seconds"] <= time.monotonic() - began
    assert entry["learning_rate"] == 0

"""The training loop: captioned pictures in, a model folder out.

Reads a `TrainConfig` (`train_config.py`) and a data set; writes into the run's folder

    log.jsonl        one line each now and then: step, images, loss, images_per_second; at looks
                     the losses of the averaged weights, by timestep too (`run_log.py`)
    sheets/*.png     the same prompts and seeds drawn from the averaged weights as the run goes on
    checkpoints/     the last two, each one file, whole or not at all
    model/           the finished model (see weights.py)
    perception.safetensors   what the pictures look like to, where perceptual_weight asks for it

A run driven by steps and resumed from a checkpoint gives the same weights, bit for bit, as one that
was never stopped (on a CPU with the same number of threads). Next: `export.py` writes model/.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from contextlib import closing, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch

from rocketman.captions import CONTEXT_LENGTH
from rocketman.card import code, data_card
from rocketman.checkpoints import Run, last_checkpoint, save_checkpoint, start_from
from rocketman.critic import Critic, Judge, critic_optimizer
from rocketman.data.batches import vocabulary_of, words_to_learn
from rocketman.export import write_model
from rocketman.files import system_words, write_whole
from rocketman.looks import draw_sheet, looked_at, sheet_prompts
from rocketman.material import Material, load_material
from rocketman.parallel import Workers, faster_everywhere, join, leave, stop_signals
from rocketman.perception import perception
from rocketman.run_log import RunLog, tensorboard_writer
from rocketman.train_config import LoopConfig, TrainConfig, load_config
from rocketman.train_step import learning_rate, progress, train_step
from rocketman.weights import Tensors, open_model

__all__ = ["Stopped", "TrainConfig", "load_config", "train"]

Report = Callable[[str], None]
LOG_EVERY = 20


def silent(line: str) -> None:
    """What a process that does not lead reports."""


class Stopped(RuntimeError):  # noqa: N818  (it is not an error)
    """The run was asked to stop and left a checkpoint; the message says how to go on."""


def train(
    config: TrainConfig,
    out: Path,
    *,
    resume: bool = False,
    start: Path | None = None,
    report: Report = lambda line: print(line, file=sys.stderr, flush=True),
) -> Path:
    """Run to the end and return the model folder, OUT/model.

    `resume` goes on from OUT's last whole checkpoint; `start` begins with a model folder's weights.
    ValueError for what cannot be used or resumed, DivergenceError, or ModelError for a network that
    the engine draws otherwise; Stopped after SIGTERM or Ctrl-C.
    """
    checkpoints = out / "checkpoints"
    if resume and start:
        raise ValueError(
            "A run that goes on has its weights already: leave out --resume or --from."
        )
    if not resume and any(checkpoints.glob("step-*.safetensors")):
        raise ValueError(f"{out} holds a run already; resume it, or choose another folder.")
    if out.resolve() == Path(config.data.folder).expanduser().resolve():
        raise ValueError(f"{out} holds the data set: choose another folder for the run.")
    if config.train.hold_words and not (resume or start):
        raise ValueError("hold_words needs a model to start from (--from MODEL).")
    writer = tensorboard_writer() if config.train.tensorboard else None
    workers = join()
    if config.train.batch_size % (workers.count * config.train.accumulate):
        raise ValueError(
            f"batch_size {config.train.batch_size} does not divide among {workers.count} processes"
            f" with accumulate = {config.train.accumulate}."
        )
    report = report if workers.leads else silent
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    material = load_material(config, report)
    run, config, about = take_up(config, material, out, start, resume, device, workers, report)
    for path in (checkpoints, out / "sheets"):
        path.mkdir(parents=True, exist_ok=True)
    judge = None
    if config.train.perceptual_weight:
        path, seed = out / "perception.safetensors", config.train.seed
        seeing = perception(
            material.pictures, path, seed, device, workers, report, material.folder, resume
        )
        judge = Judge(
            seeing,
            config.train.perceptual_weight,
            run.beside.get("critic"),
            config.train.critic_weight,
            run.generator,
            workers,
        )
    parameters = sum(p.numel() for p in run.network.parameters())
    report(
        f"{len(material.pictures.pixels)} pictures, {parameters / 1e6:.1f} M parameters, "
        f"on {device} in {config.train.precision}"
    )
    log = None
    if workers.leads:
        log = RunLog(out, report, writer, going_on_from=run.step if resume else None)
    with closing(log) if log else nullcontext():
        last = go(run, config, material, about, out, judge, device, workers, log)
    if log is None:
        return out / "model"
    record = {
        "steps": run.step,
        "images": run.step * config.train.batch_size,
        "seconds": round(run.seconds, 1),
        "parameters": parameters,
        "data_hash": material.pictures.hash,
        "pictures": len(material.pictures.pixels),
        **data_card(material.folder),
        **code(),
        "torch": torch.__version__,
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        **about["start"],
        **last,
    }
    model = write_model(run.average, out / "model", config, about["vocabulary"], record)
    report(f"{model} is ready")
    return model


def compiles(device: torch.device) -> bool:
    """Whether torch.compile works here: tried now, not after minutes of learning to see."""
    try:
        torch.compile(torch.nn.SiLU())(torch.ones(2, device=device))
    except RuntimeError:
        return False
    return True


def take_up(
    config: TrainConfig,
    material: Material,
    out: Path,
    start: Path | None,
    resume: bool,
    device: torch.device,
    workers: Workers,
    report: Report,
) -> tuple[Run, TrainConfig, dict[str, Any]]:
    """The run where it begins or goes on, its configuration with what data and machine decide,
    and what every checkpoint of it says beside its tensors.
    """
    loop = config.train
    arrays: Tensors = {}
    state: dict[str, Any] = {}
    if resume:
        arrays, state = last_checkpoint(out / "checkpoints", report)
        vocabulary, begun = tuple(state["vocabulary"]), state.get("start", {})
        if state["data_hash"] != material.pictures.hash:
            report("the data set is not the one this run began with; going on with the new one")
    else:
        parent = open_model(start) if start else None
        learnt = words_to_learn(material.pictures, loop.mirror)
        vocabulary = vocabulary_of(learnt, parent.vocabulary if parent else ())
        begun = {"start": parent.hash, "start_name": parent.name} if parent else {}
    if loop.precision == "auto":
        kept = state["config"]["train"]["precision"] if resume else None
        loop = replace(loop, precision=kept or faster_everywhere(device, workers))
    if loop.compile and not compiles(device):
        report("compile = true needs a C++ compiler, on a GPU also Triton; going on uncompiled")
        loop = replace(loop, compile=False)
    make = replace(config.model, vocabulary_size=len(vocabulary), context_length=CONTEXT_LENGTH)
    config = replace(config, model=make, train=loop)
    about: dict[str, Any] = {
        "config": config.as_dict(),
        "vocabulary": vocabulary,
        "data_hash": material.pictures.hash,
        "start": begun,
    }
    run = Run(config, device, workers)
    if loop.critic_weight:
        critic = Critic(len(vocabulary)).to(device)
        run.beside["critic"] = critic, critic_optimizer(critic)
    if resume:
        if state["config"]["model"] != about["config"]["model"]:
            raise ValueError(f"{out} holds a run with another [model] section.")
        for name in ("optimizer", "batch_size"):  # its state, and the count of pictures seen
            began = state["config"]["train"].get(name, getattr(LoopConfig, name))
            if getattr(loop, name) != began:
                raise ValueError(f"{out} holds a run with {name} = {began!r}: keep it to resume.")
        for name in ("label_weight", "critic_weight"):  # what learns beside it is not in the file
            if getattr(loop, name) and not state["config"]["train"].get(name):
                raise ValueError(
                    f"{out} holds a run without {name}: leave it out to resume that, or begin a "
                    "run of its own from a model with --from."
                )
        run.load(arrays, state)
        report(f"going on from step {run.step}")
    elif start:
        start_from(run, start)
    return run, config, about


def go(
    run: Run,
    config: TrainConfig,
    material: Material,
    about: dict[str, Any],
    out: Path,
    judge: Judge | None,
    device: torch.device,
    workers: Workers,
    log: RunLog | None,
) -> dict[str, Any]:
    """Step to the end, with log lines, looks and checkpoints on the way; the last figures.

    log: the leader's, None elsewhere. Stopped after SIGTERM or Ctrl-C.
    """
    loop, vocabulary, checkpoints = config.train, about["vocabulary"], out / "checkpoints"
    batches = material.batches(vocabulary, loop)
    prompts = sheet_prompts(material.pictures, material.validation)
    last: dict[str, Any] = {}
    losses: list[float] = []

    def say(log: RunLog, seconds: float) -> None:
        last["loss"] = round(float(np.mean(losses)), 5)
        log.write(
            run.step,
            run.step * loop.batch_size,
            loss=last["loss"],
            images_per_second=round(len(losses) * loop.batch_size / seconds, 1),
            learning_rate=round(learning_rate(run, loop), 8),
            seconds=round(run.seconds, 1),
        )
        losses.clear()

    def look(log: RunLog) -> None:
        splits = material.pictures, material.validation
        figures = looked_at(run.average, loop, *splits, vocabulary, device)
        last.update(figures)
        log.write(run.step, run.step * loop.batch_size, **figures)
        sheet = draw_sheet(run.average, config, prompts, vocabulary, device)
        write_whole(out / "sheets" / f"step-{run.step:08d}.png", sheet)
        log.sheet(run.step, sheet)

    saved = looked = said = clock = time.monotonic()
    with stop_signals(workers) as caught:
        while progress(run, loop) < 1:
            losses.append(train_step(run, loop, batches, device, workers, judge, material.labels))
            now = time.monotonic()
            took, stop = workers.agree(now - clock, bool(caught))
            run.seconds += took
            clock = now
            if log and (run.step % LOG_EVERY == 0 or progress(run, loop) >= 1):
                say(log, now - said)
                said = now
            if stop:
                told = f"Stopped at step {run.step}"
                if log:
                    path = save_checkpoint(run, checkpoints, **about)
                    told += f"; {path} is whole: resume to go on"
                workers.agree(0.0, True)  # torchrun ends them all as soon as one has left
                raise Stopped(f"{told}.")
            if log and now - saved >= 60 * loop.checkpoint_minutes:
                save_checkpoint(run, checkpoints, **about)
                saved = time.monotonic()
            if log and now - looked >= 60 * loop.look_minutes:
                look(log)
                looked = time.monotonic()
        if log:
            save_checkpoint(run, checkpoints, **about)
            look(log)
    return last


def main() -> NoReturn:
    """python -m rocketman.train CONFIG.toml --out DIR: for torchrun, else `rocketman train`."""
    parser = argparse.ArgumentParser(description="Train a model.")
    parser.add_argument("config", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--from", dest="start", type=Path)
    parser.add_argument("--data", type=Path)
    arguments = parser.parse_args()
    try:
        config = load_config(arguments.config, arguments.data)
        train(config, arguments.out, resume=arguments.resume, start=arguments.start)
    except (ValueError, Stopped) as error:
        print(error, file=sys.stderr)
        leave(130 if isinstance(error, Stopped) else 2)
    except OSError as error:  # a full disk, a folder that went away
        print(f"{system_words(error)}; checkpoints so far are whole.", file=sys.stderr)
        leave(1)
    except KeyboardInterrupt:  # before its first step, or after its last
        leave(130)
    leave(0)


if __name__ == "__main__":
    main()

"""What a run says as it goes on: a line of JSON always, TensorBoard's files where it asks for them.

Level 4. Writes into the run's folder

    log.jsonl        one line each now and then: step, images and whatever was measured
    tensorboard/     the same figures and the sheets, for `tensorboard --logdir`; needs the extra
                     `tensorboard` and `tensorboard = true` in [train]

A run that goes on from a checkpoint drops what was said after it, and a line that was cut short.
Next: `train.py` writes here.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from rocketman.files import write_whole

Figure = float | Sequence[float]


def tensorboard_writer() -> Any:
    """The class that writes TensorBoard's files. ValueError says how to get it if it is missing."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ValueError(
            "train.tensorboard needs a package that is not installed: "
            "run pip install 'rocketman-diffusion[tensorboard]', or leave the key out."
        ) from error
    return SummaryWriter


class RunLog:
    """Where figures and sheets of one run go. Close it when the run ends."""

    def __init__(
        self,
        out: Path,
        report: Callable[[str], None],
        writer: Any = None,
        going_on_from: int | None = None,
    ) -> None:
        """`writer` is what `tensorboard_writer` gave, or None; `going_on_from` a step, or None."""
        self.path, self.report = out / "log.jsonl", report
        lines: list[str] = []
        if going_on_from is not None and self.path.exists():
            lines = self.path.read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if step_of(line) <= (going_on_from or 0)]
        write_whole(self.path, "".join(f"{line}\n" for line in kept).encode())
        self.writer = None
        if writer:
            purge = None if going_on_from is None else going_on_from + 1
            self.writer = writer(str(out / "tensorboard"), purge_step=purge)

    def write(self, step: int, images: int, **figures: Figure) -> None:
        """Figures of a step: numbers or lists of numbers."""
        entry = {"step": step, "images": images, **figures}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
        self.report(", ".join(f"{key} {told(value)}" for key, value in entry.items()))
        if self.writer:
            for key, value in figures.items():
                for name, number in flat(key, value):
                    self.writer.add_scalar(name, number, step)
            self.writer.flush()

    def sheet(self, step: int, png: bytes) -> None:
        """A sheet of pictures; only TensorBoard keeps it here."""
        if self.writer:
            with Image.open(io.BytesIO(png)) as picture:
                pixels = np.array(picture.convert("RGB"))
            self.writer.add_image("sheet", pixels, step, dataformats="HWC")
            self.writer.flush()

    def close(self) -> None:
        if self.writer:
            self.writer.close()


def step_of(line: str) -> float:
    """The step of a line; infinity for one that a full disk or a crash cut short."""
    try:
        step: int = json.loads(line)["step"]
    except json.JSONDecodeError:
        return math.inf
    return step


def flat(name: str, value: Figure) -> list[tuple[str, float]]:
    """Every number of a figure under a name of its own: train_loss_by_time/0."""
    if isinstance(value, Sequence):
        return [(f"{name}/{k}", number) for k, number in enumerate(value)]
    return [(name, value)]


def told(value: Figure) -> str:
    """A figure for a person."""
    return " ".join(map(str, value)) if isinstance(value, Sequence) else str(value)

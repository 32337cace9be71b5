"""The configuration of a training run: what a TOML file may say, checked before anything starts.

A file has the sections [data], [model] and [train]; every key has a default except data.folder and
one of train.steps and train.seconds. An unknown key or a wrong type is refused in a sentence that
names the key. No state here. Next: `train.py` runs it; a model folder's config.toml keeps it.
"""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from rocketman.model import ModelConfig


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """[data]"""

    folder: str
    """Data set in imagefolder form; a relative path starts at the working folder, ~ is home."""

    def __post_init__(self) -> None:
        if not self.folder:
            raise ValueError("folder is empty")


@dataclass(frozen=True, kw_only=True)
class LoopConfig:
    """[train]"""

    steps: int = 0
    """Optimizer steps of the whole run; 0: by `seconds` alone."""
    seconds: float = 0.0
    """Wall-clock training time of the whole run, pauses not counted; 0: by `steps` alone."""
    batch_size: int = 64
    """Pictures a step."""
    accumulate: int = 1
    """Parts that a batch is learnt in, one after the other, their gradients added up: the same step
    up to rounding, in less memory. Divides batch_size."""
    optimizer: Literal["adamw", "muon"] = "adamw"
    """muon: Muon on the matrices of the blocks, AdamW on the rest."""
    learning_rate: float = 1.2e-3
    """Peak of the learning rate."""
    weight_decay: float = 0.01
    """On matrices only."""
    warmup_steps: int = 200
    """The learning rate rises linearly over these steps."""
    decay: float = 0.25
    """The learning rate falls linearly to 0 over this last share of the run."""
    clip: float = 1.0
    """Largest norm of the gradient."""
    noise_scale: float = 1.0
    """Standard deviation of the noise at t = 0, in units of the pictures' [-1, 1]."""
    instrument_weight: float = 1.0
    """How much a pixel of an instrument counts beside one of anything else in the loss. Needs to be
    told where they are: renders with `--passes`, or the thumbnails of such."""
    perceptual_weight: float = 0.0
    """How much it counts that a drawn picture looks unlike the real one to a small network, beside
    the velocity loss; 0: none. That network learns from the same pictures and captions first, and
    from labels of pixels where there are, 17 minutes on two cores with AVX2, and stays in the run's
    folder."""
    critic_weight: float = 0.0
    """How hard a critic, which learns beside the network to tell its pictures from real ones, pulls
    at them, as a share of how hard the perceptual loss does; 0: none. It sees what they look like
    and whether that goes with the caption. Needs perceptual_weight. To finish weights with that
    draw what is asked for already."""
    rollout: bool = False
    """Half of a batch is first drawn on by the network itself, guided, for two steps, so that it
    learns to mend its own pictures: a quarter more time a step. For weights that draw already."""
    label_weight: float = 0.0
    """How much it counts, beside the velocity loss, that the blocks' middle tells what each part of
    a picture shows: sky, suit, glove, instrument, ...; 0: none. Needs renders with `--passes`."""
    hold_words: bool = False
    """Leave what reads the prompt as it is in the model that the run starts from: a step is a
    little faster, and no word loses its meaning; what the blocks draw for it can still change."""
    mirror: bool = False
    """Show half of the pictures mirrored, with captions that say so and call left right. Only where
    what is mirrored is still what it is called; it makes learning by heart harder."""
    crop: float = 1.0
    """The smallest share of a picture's width that is shown, drawn between it and 1 each time; 1:
    always all of it. Makes learning by heart harder too."""
    caption_drop: float = 0.1
    """Share of captions left out, so that guidance has an unconditional prediction."""
    ema_halflife: float = 0.05
    """Half-life of the averaged weights, as a share of the pictures seen so far."""
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    """Arithmetic of forward and backward; the weights themselves are kept in float32. auto: the one
    in which this machine multiplies matrices faster, found out when the run begins."""
    compile: bool = False
    """Let torch.compile fuse the step: about a quarter faster, after minutes of compiling; where it
    finds no compiler the run goes on without."""
    seed: int = 0
    """Weights at the start, order of the pictures, timesteps, noise."""
    checkpoint_minutes: float = 10.0
    """A checkpoint this often."""
    look_minutes: float = 15.0
    """A sheet of samples and losses on held-out and on seen pictures this often."""
    tensorboard: bool = False
    """Write TensorBoard's files too; needs the extra `tensorboard`."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():  # TOML knows nan and inf
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(f"{name} must be a finite number, got {value}")
        if self.steps < 0 or self.seconds < 0 or not (self.steps or self.seconds):
            raise ValueError("give steps or seconds, as a positive number")
        if self.batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {self.batch_size}")
        if self.accumulate < 1 or self.batch_size % self.accumulate:
            raise ValueError(
                f"accumulate must divide batch_size {self.batch_size}, got {self.accumulate}"
            )
        for name in ("learning_rate", "noise_scale", "instrument_weight", "clip", "ema_halflife"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")
        for name in (
            *("weight_decay", "warmup_steps", "perceptual_weight", "critic_weight"),
            *("label_weight", "checkpoint_minutes", "look_minutes"),
        ):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative, got {getattr(self, name)}")
        if self.critic_weight and not self.perceptual_weight:
            raise ValueError("critic_weight needs perceptual_weight: the critic sees by the same")
        if self.critic_weight and self.accumulate > 1:
            raise ValueError("critic_weight needs accumulate = 1: the critic judges whole batches")
        if not 0 < self.crop <= 1:
            raise ValueError(f"crop must be above 0 and at most 1, got {self.crop}")
        for name in ("decay", "caption_drop"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie in [0, 1], got {getattr(self, name)}")
        if not 0 <= self.seed < 2**63:
            raise ValueError(f"seed must lie in [0, 2**63), got {self.seed}")


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """A whole run."""

    data: DataConfig
    train: LoopConfig
    model: ModelConfig = field(default_factory=ModelConfig)

    def as_dict(self) -> dict[str, dict[str, Any]]:
        """The sections of the TOML file."""
        return asdict(self)


Section = TypeVar("Section", DataConfig, ModelConfig, LoopConfig)
SECTIONS = {"data": DataConfig, "model": ModelConfig, "train": LoopConfig}
FROM_DATA = ("vocabulary_size", "context_length")
"""Keys of [model] that the data set decides; a file may not set them."""


def load_config(path: Path | str, data: Path | None = None) -> TrainConfig:
    """Read a run's TOML file. ValueError, in one sentence naming file and key, if it is wrong.

    data: the folder to learn from, instead of the file's.
    """
    path = Path(path)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not TOML: {error}.") from error
    for name in table:
        if name not in SECTIONS:
            raise ValueError(f"{path}: unknown section [{name}]{nearest(name, SECTIONS)}")
    own = {"folder": str(data)} if data else table.get("data", {})
    try:
        return TrainConfig(
            data=parse(DataConfig, "data", own),
            model=parse(ModelConfig, "model", table.get("model", {}), hidden=FROM_DATA),
            train=parse(LoopConfig, "train", table.get("train", {})),
        )
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def parse(section: type[Section], name: str, table: Any, hidden: tuple[str, ...] = ()) -> Section:
    """One section, checked key by key. ValueError names the key."""
    if not isinstance(table, Mapping):
        raise ValueError(f"{name} should be a section, [{name}].")
    known = {entry.name: entry for entry in fields(section) if entry.name not in hidden}
    types = get_type_hints(section)
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in known:
            raise ValueError(f"unknown key {name}.{key}{nearest(key, known)}")
        values[key] = checked(f"{name}.{key}", value, types[key])
    for key, entry in known.items():
        if key not in values and entry.default is MISSING and entry.default_factory is MISSING:
            raise ValueError(f"{name}.{key} is missing.")
    try:
        return section(**values)
    except ValueError as error:
        raise ValueError(f"in [{name}], {error}.") from error


def checked(name: str, value: Any, kind: Any) -> Any:
    """The value in its field's type; a whole number passes as a float. ValueError otherwise."""
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            choices = ", ".join(repr(choice) for choice in get_args(kind))
            raise ValueError(f"{name} should be one of {choices}, not {value!r}.")
        return value
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"{name} should be of type {kind.__name__}, not {value!r}.")
    return value


def nearest(name: str, known: Mapping[str, Any]) -> str:
    """'; did you mean ...?' if something is close, else the list of what is known."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; known: {', '.join(known)}."

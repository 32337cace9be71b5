"""Everything of a run that changes while it goes on, and its way to disk and back.

Level 4. Reads and writes RUN/checkpoints/step-XXXXXXXX.safetensors: weights, averaged weights,
state of the optimizers and of the random generator, and beside them, as JSON, step, seconds and
what the run was told. Each file is there whole or not at all. Next: `train.py` steps a `Run`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rocketman.data.pictures import LABELS
from rocketman.files import write_whole
from rocketman.labels import Labelling
from rocketman.model import DiffusionTransformer, reads_prompt
from rocketman.optimizer import optimizers
from rocketman.parallel import Workers
from rocketman.train_config import TrainConfig
from rocketman.weights import (
    ModelError,
    Tensors,
    open_model,
    pack_tensors,
    read_parameters,
    read_tensors,
)

Report = Callable[[str], None]
KEPT_CHECKPOINTS = 2


class Run:
    """Everything that changes while a run goes on: this is what is checkpointed."""

    def __init__(
        self,
        config: TrainConfig,
        device: torch.device,
        workers: Workers = Workers(),  # noqa: B008  (frozen)
    ) -> None:
        torch.manual_seed(config.train.seed)
        self.network = DiffusionTransformer(config.model).to(device)
        self.trained: nn.Module = self.network
        if config.train.label_weight:
            self.trained = Labelling(self.network, len(LABELS)).to(device)
        if config.train.hold_words:
            for name, parameter in self.network.named_parameters():
                parameter.requires_grad_(not reads_prompt(name))
        self.forward = (
            torch.compile(self.trained, dynamic=False) if config.train.compile else self.trained
        )
        self.average = DiffusionTransformer(config.model).to(device).requires_grad_(False).eval()
        self.average.load_state_dict(self.network.state_dict())
        self.generator = torch.Generator().manual_seed(config.train.seed)
        self.optimizers = optimizers(
            self.trained,
            config.train.learning_rate,
            config.train.weight_decay,
            muon=config.train.optimizer == "muon",
            workers=workers,
            dtype=torch.bfloat16 if config.train.precision == "bf16" else torch.float32,
        )
        self.beside: dict[str, tuple[nn.Module, torch.optim.Optimizer]] = {}
        """What else is trained with the network, and by what."""
        self.step = 0
        self.seconds = 0.0

    @property
    def parameters(self) -> dict[str, Tensor]:
        """All that is trained by name: the network's own names, and `head.` before a head's."""
        named = self.trained.named_parameters()
        return {name.removeprefix("network."): parameter for name, parameter in named}

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor of the run by name, the optimizer's included."""
        found = {"generator": self.generator.get_state()}
        for name, parameter in self.parameters.items():
            found[f"network.{name}"] = parameter.detach()
            for optimizer in self.optimizers:
                for key, value in optimizer.state.get(parameter, {}).items():
                    found[f"optimizer.{key}.{name}"] = value
        for name, parameter in self.average.named_parameters():
            found[f"average.{name}"] = parameter
        for part, (module, optimizer) in self.beside.items():
            for name, value in module.state_dict().items():
                found[f"{part}.{name}"] = value
            for name, parameter in module.named_parameters():
                for key, value in optimizer.state.get(parameter, {}).items():
                    found[f"{part} optimizer.{key}.{name}"] = value
        return found

    def load(self, arrays: Tensors, state: dict[str, Any]) -> None:
        """Take up a checkpoint of a run with the same network."""
        self.step, self.seconds = state["step"], state["seconds"]
        loaded = {name: torch.from_numpy(array) for name, array in arrays.items()}
        self.generator.set_state(loaded["generator"])
        with torch.no_grad():
            parameters = self.parameters
            for name, parameter in parameters.items():
                parameter.copy_(loaded[f"network.{name}"])
            for optimizer in self.optimizers:
                owned = {p for group in optimizer.param_groups for p in group["params"]}
                its = {name: p for name, p in parameters.items() if p in owned}
                take_up_optimizer(optimizer, its, loaded, "optimizer")
            for name, parameter in self.average.named_parameters():
                parameter.copy_(loaded[f"average.{name}"])
            for part, (module, optimizer) in self.beside.items():
                for name, value in module.state_dict().items():
                    value.copy_(loaded[f"{part}.{name}"])
                its = dict(module.named_parameters())
                take_up_optimizer(optimizer, its, loaded, f"{part} optimizer")


def take_up_optimizer(
    optimizer: torch.optim.Optimizer,
    parameters: dict[str, Any],
    loaded: dict[str, Tensor],
    prefix: str,
) -> None:
    """The optimizer's state of these parameters, from the tensors PREFIX.KEY.NAME."""
    for path, tensor in loaded.items():
        kind, _, rest = path.partition(".")
        key, _, name = rest.partition(".")
        if kind == prefix and name in parameters:
            optimizer.state[parameters[name]][key] = tensor.to(parameters[name].device)


def start_from(run: Run, folder: Path) -> None:
    """Begin with a model folder's weights; words that it did not know keep their fresh rows.

    A self-condition or further blocks that it lacks are begun and change nothing at first; a
    refiner weighs the guess against the noisy picture at once, and learns to correct it.

    ValueError if its network has another make, or lacks words that the run holds still.
    """
    start = open_model(folder)
    arrays = read_parameters(start.weights_path)
    new = run.network.config.vocabulary_size - len(start.vocabulary)
    if new > 0 and not run.network.words.weight.requires_grad:
        raise ValueError(
            f"The captions have words that {folder} does not know ({new}), which hold_words would "
            "leave unlearnt: leave hold_words out."
        )
    own = dict(run.network.named_parameters())
    depth = len({name.split(".")[1] for name in arrays if name.startswith("blocks.")})
    further = [f"blocks.{k}." for k in range(depth, run.network.config.depth)]
    for name in arrays:
        if name not in own:
            raise ValueError(
                f"{folder} cannot be the start: its {name} has no place in this [model]; "
                "the one in its config.toml fits."
            )
    for name, parameter in own.items():
        if name.startswith(("refiner.", "guess_", *further)) and name not in arrays:
            continue
        array = torch.from_numpy(arrays.get(name, np.zeros(0, np.float32)))
        rows = slice(len(array)) if name == "words.weight" else slice(None)
        if array.shape[1:] != parameter.shape[1:] or array.shape[:1] != parameter[rows].shape[:1]:
            raise ValueError(f"{folder} cannot be the start: its {name} has another shape.")
        with torch.no_grad():
            parameter[rows].copy_(array)
    run.average.load_state_dict(run.network.state_dict())


def save_checkpoint(run: Run, folder: Path, **about: Any) -> Path:
    """Write FOLDER/step-XXXXXXXX.safetensors, the run and what `about` says; drop the oldest, and
    later ones, which the run could not go on from."""
    state = {"step": run.step, "seconds": run.seconds, **about}
    arrays = {name: tensor.cpu().numpy() for name, tensor in run.tensors().items()}
    path = folder / f"step-{run.step:08d}.safetensors"
    write_whole(path, pack_tensors(arrays, {"state": json.dumps(state)}))
    found = sorted(folder.glob("step-*.safetensors"))
    here = found.index(path) + 1
    for other in [*found[: max(0, here - KEPT_CHECKPOINTS)], *found[here:]]:
        other.unlink()
    return path


def last_checkpoint(folder: Path, report: Report) -> tuple[Tensors, dict[str, Any]]:
    """Tensors and state of the last checkpoint that is whole. ValueError if there is none."""
    for path in sorted(folder.glob("step-*.safetensors"), reverse=True):
        try:
            arrays, metadata = read_tensors(path)
            return arrays, json.loads(metadata["state"])
        except (ModelError, KeyError, json.JSONDecodeError) as error:
            report(f"{path.name} is damaged ({error}); trying the one before.")
    raise ValueError(f"{folder} holds no checkpoint to resume from.")

"""What the tests share: a tiny model folder, a signing identity, a check run that skips nothing."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

if TYPE_CHECKING:
    from rocketman.model import ModelConfig
    from rocketman.train_config import TrainConfig

# A shell's background job is started with Ctrl-C ignored, and its children inherit that; some of
# these tests press Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

NO_SKIP = os.environ.get("ROCKETMAN_NO_SKIP") == "1"
"""Set by the check: a test skipped because an extra is missing is a failure there."""


@pytest.fixture(scope="session", autouse=True)
def config_folder(tmp_path_factory: pytest.TempPathFactory) -> Generator[Path, None, None]:
    """One signing identity for all tests, also in processes they start, and never the user's."""
    folder = tmp_path_factory.mktemp("config")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROCKETMAN_CONFIG", str(folder))
        patch.setenv("ROCKETMAN_MANIFESTS", str(folder / "manifests.sqlite3"))
        patch.delenv("ROCKETMAN_CERTIFICATE", raising=False)
        patch.delenv("ROCKETMAN_PRIVATE_KEY", raising=False)
        yield folder


@pytest.fixture(scope="session")
def tiny_network() -> ModelConfig:
    """What the tests of training train: 16 pixels, two blocks, seconds on one core."""
    pytest.importorskip("torch")
    from rocketman.model import ModelConfig

    return ModelConfig(
        image_size=16,
        patch_size=4,
        width=32,
        depth=2,
        heads=2,
        text_width=64,
        text_depth=1,
        condition_width=32,
        bottleneck=32,
    )


WriteConfig = Callable[["TrainConfig", Path], Path]
InTwoProcesses = Callable[["TrainConfig", Path], None]


@pytest.fixture(scope="session")
def write_config() -> WriteConfig:
    """Writes a run's configuration to a file, as a person would."""

    def write(config: TrainConfig, path: Path) -> Path:
        lines = []
        for section, table in config.as_dict().items():
            lines.append(f"[{section}]")
            for key, value in table.items():
                if key not in ("vocabulary_size", "context_length"):
                    lines.append(f"{key} = {json.dumps(value)}")
        path.write_text("\n".join(lines))
        return path

    return write


@pytest.fixture
def in_two_processes(write_config: WriteConfig, tmp_path: Path) -> InTwoProcesses:
    """Trains into a folder by torchrun on two processes of one thread."""

    def run(config: TrainConfig, out: Path) -> None:
        path = write_config(config, tmp_path / "two.toml")
        torchrun = ["torch.distributed.run", "--standalone", "--nproc-per-node=2"]
        command = [sys.executable, "-m", *torchrun, "-m", "rocketman.train", str(path)]
        done = subprocess.run(
            [*command, "--out", str(out)],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr

    return run


MakeModel = Callable[[int], Path]


@pytest.fixture(scope="session")
def make_model(tmp_path_factory: pytest.TempPathFactory) -> MakeModel:
    """Makes a model folder by the real exporter: a tiny network with random weights.

    Takes its width and height in pixels, a multiple of 16.
    """
    torch = pytest.importorskip("torch")
    from rocketman import captions
    from rocketman.export import write_model
    from rocketman.model import DiffusionTransformer, ModelConfig
    from rocketman.train_config import DataConfig, LoopConfig, TrainConfig

    def make(image_size: int) -> Path:
        config = ModelConfig(
            image_size=image_size,
            patch_size=image_size // 4,
            width=16,
            depth=1,
            heads=2,
            text_width=64,
            text_depth=1,
            condition_width=16,
            bottleneck=8,
            refine_width=8,
            self_condition=True,
        )
        network = DiffusionTransformer(config)
        generator = torch.Generator().manual_seed(0)
        with torch.no_grad():  # training starts from many zeros, which would hide the prompt
            for parameter in network.parameters():
                parameter.copy_(0.2 * torch.randn(parameter.shape, generator=generator))
        return write_model(
            network,
            tmp_path_factory.mktemp("models") / "tiny",
            TrainConfig(
                data=DataConfig(folder="none"), train=LoopConfig(steps=1, mirror=True), model=config
            ),
            captions.vocabulary(),
            {},
        )

    return make


@pytest.fixture(scope="session")
def model_folder(make_model: MakeModel) -> Path:
    """The tiny model of 16 pixels."""
    return make_model(16)


AddPicture = Callable[..., None]


@pytest.fixture(scope="session")
def add_picture() -> AddPicture:
    """Adds a picture of coarse noise to a data set, with its row as the renderer writes it."""
    from rocketman.captions import Factors, captions_of

    pairs = {
        "train": ("white", "harp"),
        "validation": ("orange", "guitar"),
        "test": ("red", "harp"),
    }

    def add(
        folder: Path, split: str, name: str, picture: Image.Image | int, **changes: Any
    ) -> None:
        suit, instrument = pairs[split]
        factors = Factors(relation="playing", place="above mars", suit=suit, instrument=instrument)
        (folder / split).mkdir(parents=True, exist_ok=True)
        if isinstance(picture, int):
            coarse = np.random.default_rng(picture).integers(0, 256, (8, 8, 3), dtype=np.uint8)
            picture = Image.fromarray(coarse).resize((64, 64), Image.Resampling.BICUBIC)
        picture.save(folder / split / name)
        row = {
            "file_name": name,
            "text": factors.caption,
            "captions": list(captions_of(factors, name)),
            "suit": suit,
            "instrument": instrument,
            "place": factors.place,
            "relation": factors.relation,
            "sha256": hashlib.sha256((folder / split / name).read_bytes()).hexdigest(),
            **changes,
        }
        with (folder / split / "metadata.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    return add


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if NO_SKIP and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if NO_SKIP and report.skipped:
        report.outcome = "failed"
    return report

"""What the tests share: a tiny model folder, a signing identity, a check run that skips nothing."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from pathlib import Path

import pytest

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
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder made by the real exporter from a tiny network with random weights, 16 px."""
    torch = pytest.importorskip("torch")
    from rocketman import captions
    from rocketman.export import write_model
    from rocketman.model import DiffusionTransformer, ModelConfig
    from rocketman.train_config import DataConfig, LoopConfig, TrainConfig

    make = ModelConfig(
        image_size=16,
        patch_size=4,
        width=16,
        depth=1,
        heads=2,
        text_width=64,
        text_depth=1,
        condition_width=16,
        bottleneck=8,
    )
    network = DiffusionTransformer(make)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():  # training starts from many zeros, which would hide the prompt
        for parameter in network.parameters():
            parameter.copy_(0.2 * torch.randn(parameter.shape, generator=generator))
    return write_model(
        network,
        tmp_path_factory.mktemp("models") / "tiny",
        TrainConfig(data=DataConfig(folder="none"), train=LoopConfig(steps=1), model=make),
        captions.vocabulary(),
        {},
    )


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

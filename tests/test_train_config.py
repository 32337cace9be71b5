"""Configurations: there and back through a file, and a sentence for every mistake."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rocketman.model import ModelConfig
from rocketman.train_config import DataConfig, LoopConfig, TrainConfig, load_config

WriteConfig = Callable[[TrainConfig, Path], Path]


def test_a_configuration_survives_its_file(
    tiny_network: ModelConfig, write_config: WriteConfig, tmp_path: Path
) -> None:
    loop = LoopConfig(steps=60, learning_rate=1e-3, optimizer="muon", hold_words=True)
    config = TrainConfig(data=DataConfig(folder="here"), model=tiny_network, train=loop)
    assert load_config(write_config(config, tmp_path / "run.toml")) == config


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[data]\nfolder = 'x'\n[train]\nsteps = 1\nbatchsize = 4", "did you mean batch_size"),
        ("[data]\nfolder = 'x'\n[trian]\nsteps = 1", r"\[trian\]; did you mean train"),
        ("[data]\nfolder = 'x'\n[train]\nsteps = 'many'", "train.steps should be of type int"),
        ("[data]\nfolder = 'x'\n[train]\nsteps = true", "train.steps should be of type int"),
        ("[data]\nfolder = 'x'\n[train]\nsteps = 1\nprecision = 'fp8'", "'auto', 'bf16', 'fp32'"),
        ("[data]\nfolder = 'x'\n[train]\nsteps = 1\nclip = -1", "clip must be positive"),
        (
            "[data]\nfolder = 'x'\n[train]\nsteps = 1\naccumulate = 0",
            "must divide batch_size 64, got 0",
        ),
        (
            "[data]\nfolder = 'x'\n[train]\nsteps = 1\naccumulate = 7",
            "must divide batch_size 64, got 7",
        ),
        ("[data]\nfolder = 'x'\n[train]\nsteps = 1\nclip = nan", "clip must be a finite number"),
        ("[data]\nfolder = 'x'\n[train]\nseconds = inf", "seconds must be a finite number"),
        ("[data]\nfolder = 'x'\n[train]", "steps or seconds"),
        ("[data]\nfolder = 'x'\n[model]\nvocabulary_size = 3", "unknown key model.vocabulary"),
        ("[data]\nfolder = 'x'\n[model]\nimage_size = 60", "image_size 60"),
        ("[train]\nsteps = 1", "data.folder is missing"),
        ("data = 3", "data should be a section"),
        ("no toml", "is not TOML"),
    ],
)
def test_a_wrong_configuration_is_refused_by_name(text: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text(text)
    with pytest.raises(ValueError, match=sentence):
        load_config(tmp_path / "run.toml")


def test_the_shipped_configurations_can_be_read() -> None:
    for path in (Path(__file__).parents[1] / "runs").glob("*.toml"):
        load_config(path)


def test_another_folder_can_stand_in_for_the_file_s(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text('[data]\nfolder = "here"\n[train]\nsteps = 1\n')
    assert load_config(path).data.folder == "here"
    assert load_config(path, Path("there")).data.folder == "there"

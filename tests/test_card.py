"""The model card: what the folder says, nothing that the folder does not say."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from rocketman import __version__, weights
from rocketman.card import FIGURES, SAMPLES, card, code, data_card, write_card
from rocketman.cli import app
from rocketman.weights import CARD, open_model

RECORD: dict[str, Any] = {
    "steps": 50,
    "images": 3200,
    "seconds": 61.4,
    "parameters": 1234567,
    "data_hash": "d" * 64,
    "pictures": 1600,
    "data_title": "Astronauts",
    "data_card_hash": "c" * 64,
    "version": "0.1.0",
    "commit": "abcdef123456",
    "torch": "2.13.0",
    "start": "0123456789ab",
    "start_name": "first-light",
    "weights_hash": "e" * 64,
    "engine_difference": 2e-06,
    "validation_loss": 0.09758,
    "train_loss_by_time": [0.1, 0.2, 0.3, 0.4, 0.51234],
    "also_pictures": [2351, 900],
    "also_data_hashes": ["f" * 64, "9" * 64],
    "something_new": 7,
}


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    """A copy of the model that ships, to write into."""
    return Path(shutil.copytree(weights.embedded(), tmp_path / "astronauts"))


def test_every_figure_of_the_record_is_in_the_card(shipped: Path) -> None:
    """Each under a name of its own; what a record lacks is not made up."""
    config = open_model(shipped).config
    text = card(shipped, {**config, "record": RECORD})
    for shown in (
        *("1,600 pictures", "d" * 64, "Astronauts", "c" * 64, "e" * 64, "1,234,567", "61 seconds"),
        *("Rocketman 0.1.0, commit `abcdef123456`, PyTorch 2.13.0", "first-light `0123456789ab`"),
        *("3,200 pictures in 50 steps", "2e-06", "0.09758", "0.4000, 0.5123", "something_new | 7"),
        *(f"seed | {config['train']['seed']}", "depth = 8"),
        f"its index lacks | 2,351 pictures, `{'f' * 64}`; 900 pictures, `{'9' * 64}` |",
        f"batch_size = {config['train']['batch_size']}",
    ):
        assert shown in text, shown
    assert "from nothing" not in text
    bare = card(shipped, {**config, "record": {"weights_hash": "e" * 64}})
    assert "from nothing" in bare
    assert "commit" not in bare
    assert "Velocity losses" not in bare


def test_figures_are_kept_with_their_sheet_until_the_weights_change(shipped: Path) -> None:
    arguments = ["evaluate", str(shipped), "--count", "3", "--card", "--json"]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert json.loads((shipped / FIGURES).read_text()) == found
    assert found["model_hash"] == open_model(shipped).hash
    text = (shipped / CARD).read_text()
    seen = found["groups"]["seen"]
    assert f"{100 * seen['joint']:.1f} % ({100 * seen['low']:.1f} % to" in text
    told = f"({found['indexed']:,} of the {found['learnt']:,} that it learnt from)"
    assert found["indexed"] < found["learnt"]
    assert f"nearer to a training picture {told} than 99 % of real renders" in text
    assert "kernel distance" not in text, "there was nothing real to compare with"
    assert f"]({SAMPLES})" in text
    with Image.open(shipped / SAMPLES) as sheet:
        assert len(json.loads(sheet.info["rocketman-sheet"])) == 9

    measured = {**found, "kid": 0.0123, "kid_p": 0.002, "c2st": 0.743, "real": 360}
    (shipped / FIGURES).write_text(json.dumps(measured))
    text = write_card(shipped).read_text()
    assert "360 real renders of the same pairs" in text
    assert "0.0123 (p 0.002)" in text
    assert "74.3 %" in text
    more = {"kid_low": 0.0101, "kid_high": 0.0145, "frechet": 0.0456}
    (shipped / FIGURES).write_text(json.dumps({**measured, **more}))
    text = write_card(shipped).read_text()
    assert "0.0123 (0.0101 to 0.0145; Fréchet distance 0.0456; p 0.002)" in text

    beside = {**measured, "held_out": False, "indexed": 10, "learnt": 10}
    (shipped / FIGURES).write_text(json.dumps(beside))
    text = write_card(shipped).read_text()
    assert "nearer to a training picture than 99 % of training pictures are" in text
    (shipped / FIGURES).write_text(json.dumps({**measured, "probes": "0" * 64}))
    assert "Not measured yet" in write_card(shipped).read_text(), "by other probes"
    (shipped / FIGURES).write_text(json.dumps(measured))

    (shipped / weights.DETAIL).unlink(missing_ok=True)
    changed = (shipped / weights.WEIGHTS).read_bytes()
    (shipped / weights.WEIGHTS).write_bytes(changed[:-1] + bytes([changed[-1] ^ 1]))
    text = write_card(shipped).read_text()
    assert "Not measured yet" in text
    assert SAMPLES not in text


def test_what_cannot_be_measured_is_said(shipped: Path) -> None:
    config = open_model(shipped).config
    assert "asks for suits and instruments" in card(shipped, {**config, "vocabulary": ["cat"]})


def test_damaged_figures_are_no_figures(shipped: Path) -> None:
    for text in ("", "[]", "{}", "{", json.dumps({"model_hash": "0" * 12})):
        (shipped / FIGURES).write_text(text)
        assert "Not measured yet" in write_card(shipped).read_text(), text


def test_where_the_code_and_the_data_come_from(tmp_path: Path) -> None:
    found = code()
    assert found["version"] == __version__
    assert set(found) <= {"version", "commit"}
    assert data_card(tmp_path) == {}
    (tmp_path / "README.md").write_text("---\nlicense: x\n---\n\n# Harps\n\nMany.\n")
    assert data_card(tmp_path) == {
        "data_title": "Harps",
        "data_card_hash": weights.sha256(tmp_path / "README.md"),
    }

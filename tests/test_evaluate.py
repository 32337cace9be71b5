"""Figures: on numbers whose answer is known, and once over the model that ships."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from rocketman import captions
from rocketman.cli import app
from rocketman.data.sources import read_split
from rocketman.evaluate import (
    control_rate,
    evaluate,
    measured,
    prompts_of,
    save_sheet,
)
from rocketman.generate import Pipeline


def test_interval() -> None:
    group = measured([True] * 90 + [False] * 10, 0.98)
    assert (group.joint, group.ceiling, group.n) == (0.9, 0.98, 100)
    assert 0.82 < group.low < 0.9 < group.high < 0.97
    none, every = measured([False] * 256, 0.98), measured([True] * 256, 0.98)
    assert (none.low, every.high) == (0, 1)
    assert none.high == pytest.approx(1 - every.low) == pytest.approx(0.0143, abs=1e-4)


def test_groups_hold_what_their_names_say() -> None:
    words = captions.vocabulary()
    for split in ("validation", "test"):
        kept = captions.heldout_pairs()[split]
        for prompt in prompts_of("heldout", split, words, 64, seed=3):
            assert any(f"{s} suit" in prompt and f" {i} " in prompt for s, i in kept), prompt
        never = [name for name, home in captions.unplayed().items() if home == split]
        for prompt in prompts_of("unplayed", split, words, 16, seed=3):
            assert any(f"suit playing a {name} " in prompt for name in never), prompt
    first = tuple(captions.words("an astronaut in a white red suit playing a harp drum above mars"))
    assert prompts_of("unplayed", "validation", first, 4, seed=0) == [], "it knows no ukulele"
    assert prompts_of("seen", "validation", first, 4, 0) == prompts_of("seen", "test", first, 4, 0)
    assert prompts_of("seen", "validation", (), 4, seed=0) == []


def test_the_model_that_ships(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    result = CliRunner().invoke(
        app, ["evaluate", "--count", "3", "--sheet", str(sheet), "--json"], catch_exceptions=False
    )
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert set(found) >= {
        "groups",
        "kid",
        "kid_p",
        "frechet",
        "c2st",
        "copy_rate",
        "copy_rate_control",
    }
    assert found["held_out"]
    assert (found["indexed"], found["learnt"]) == (7200, 31598)
    assert set(found["groups"]) == {"seen", "heldout", "unplayed"}
    assert set(found["groups"]["seen"]) == {"joint", "ceiling", "low", "high", "n"}
    assert found["groups"]["unplayed"]["ceiling"] > 0.95, "all of them played"
    assert found["kid"] is None, "there was nothing real to compare with"
    with Image.open(sheet) as image:
        assert len(json.loads(image.info["rocketman-sheet"])) == 9


def test_drawn_pictures_are_held_against_real_ones_of_the_same_pairs(tmp_path: Path) -> None:
    """The thumbnails that travel with the repository serve as renders."""
    data = Path(__file__).parents[1] / "data" / "astronauts-64"
    found, pictures = evaluate(None, data, count=4)
    pairs = captions.heldout_pairs()["validation"]
    rows = read_split(data, "validation").rows
    assert found.real == sum((row["suit"], row["instrument"]) in pairs for row in rows) > 200
    assert found.kid is not None
    assert found.c2st is not None
    assert 0 <= found.c2st <= 1
    save_sheet(tmp_path / "sheet.png", pictures, most=8)
    with Image.open(tmp_path / "sheet.png") as sheet:
        prompts = [each["prompt"] for each in json.loads(sheet.info["rocketman-sheet"])]
    assert prompts[0] == pictures[0].recipe.prompt
    assert prompts[-1] in [each.recipe.prompt for each in pictures[8:]], "of the last group"


def test_a_folder_without_held_out_pairs_is_refused(tmp_path: Path) -> None:
    (tmp_path / "validation").mkdir()
    Image.new("RGB", (64, 64)).save(tmp_path / "validation" / "0.png")
    line = json.dumps({"file_name": "0.png", "text": "a harp"})
    (tmp_path / "validation" / "metadata.jsonl").write_text(line + "\n")
    result = CliRunner().invoke(app, ["evaluate", "--count", "2", "--data", str(tmp_path)])
    assert result.exit_code == 2
    assert "no validation pictures of held-out pairs" in " ".join(result.stderr.split())
    suit, instrument = min(captions.heldout_pairs()["validation"])
    row = {"file_name": "0.png", "text": "a harp", "suit": suit, "instrument": instrument}
    (tmp_path / "validation" / "metadata.jsonl").write_text(json.dumps(row) + "\n")
    with pytest.raises(ValueError, match="too few validation pictures"):
        evaluate(None, tmp_path, count=2)
    with pytest.raises(ValueError, match="count should be at least 2, not 1"):
        evaluate(None, None, count=1)


def test_the_control_of_copies() -> None:
    from rocketman.audits.index import load_index

    assert 0 < control_rate(load_index()) < 0.05


def test_a_sheet_that_cannot_be_saved_is_refused_before_anything_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(Pipeline, "__call__")
    for name, sentence in (("a.jpg", "should end in .png"), ("b/a.png", "there is no folder")):
        sheet = str(tmp_path / name)
        result = CliRunner().invoke(app, ["evaluate", "--count", "2", "--sheet", sheet])
        assert result.exit_code == 2
        assert sentence in " ".join(result.stderr.split())


def test_wrong_use(tmp_path: Path) -> None:
    for arguments in (["--data", str(tmp_path)], [str(tmp_path)], ["--count", "1"]):
        result = CliRunner().invoke(app, ["evaluate", "--count", "2", *arguments])
        assert result.exit_code == 2, (arguments, result.output)

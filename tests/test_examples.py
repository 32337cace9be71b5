"""The programs in examples/ run as their first lines say."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from PIL import Image

from rocketman import captions, weights
from rocketman.provenance import picture

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
PLANS = sorted(ROOT.glob("docs/astronauts/sheet.toml"))


@pytest.fixture(autouse=True)
def tiny_model_inside(model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The examples draw with the model inside the package: here that is the tiny one."""
    monkeypatch.setattr(weights, "embedded", lambda: model_folder)


def run(monkeypatch: pytest.MonkeyPatch, name: str, *arguments: Path) -> None:
    monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")


def test_generate(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "generate.py", tmp_path / "new")
    recipes = [picture.read(path) for path in sorted((tmp_path / "new").iterdir())]
    assert [recipe.seed for recipe in recipes if recipe] == [1, 2, 3, 4]
    assert len(capsys.readouterr().out.splitlines()) == 4


def test_every_example_has_a_test() -> None:
    tested = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    assert {path.stem for path in EXAMPLES.glob("*.py")} <= tested


def test_sheet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model_folder: Path) -> None:
    entries = tmp_path / "sheet.toml"
    entries.write_text(
        'columns = 2\n[[picture]]\nprompt = "a harp above mars"\nseed = 1\n'
        '[[picture]]\nprompt = "a drum above mars"\nseed = 2\nheldout = true\n'
    )
    run(monkeypatch, "sheet.py", entries, tmp_path / "sheet.png", model_folder)
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (2 * 200 + 8, 200 + 8)
        assert sheet.getpixel((4, 100)) != sheet.getpixel((204, 100)), "held-out pairs are framed"


def test_lonely() -> None:
    """24 prompts, of words that the model inside the package knows; the file is the template."""
    from rocketman.collection import plan as plans

    plan = plans.read(EXAMPLES / "lonely")
    assert (plan.title, len(plan.prompts)) == ("It's lonely out in space", 24)
    shipped = weights.open_model(Path(weights.__file__).parent / "models" / "astronauts")
    for prompt in plan.prompts:
        assert captions.unknown_words(prompt.text, shipped.vocabulary) == []
    template = Path(plans.__file__).parent / "templates" / "example.toml"
    assert (EXAMPLES / "lonely" / "collection.toml").read_text() == template.read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script")
def test_lonely_is_built_by_one_command(tmp_path: Path) -> None:
    """What build.sh runs, and on what: its commands stand in as files that say they were called."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "rocketman").write_text(f'#!/bin/sh\necho "$@" >> "{tmp_path}/called"\n')
    (tools / "rocketman").chmod(0o755)
    out = tmp_path / "out"
    subprocess.run(
        ["sh", EXAMPLES / "lonely" / "build.sh", out],
        check=True,
        env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"},
    )
    called = (tmp_path / "called").read_text().splitlines()
    assert called == [f"collection run {out}", f"collection publish {out}"]
    table = tomllib.loads((out / "collection.toml").read_text(encoding="utf-8"))
    assert table["artist"] == "The Rocketman authors"


@pytest.mark.parametrize("plan", PLANS, ids=lambda path: path.stem)
def test_published_prompts_mark_their_heldout_pairs(plan: Path) -> None:
    """Each prompt is a caption of the grammar; `heldout` says what the split file says."""
    for entry in tomllib.loads(plan.read_text(encoding="utf-8"))["picture"]:
        assert captions.unknown_words(entry["prompt"], captions.vocabulary()) == []
        pair = re.search(r"in an? (\w+) suit \w+ an? (\w+)", entry["prompt"])
        heldout = pair is not None and captions.split_of(pair[1], pair[2]) != "train"
        assert entry.get("heldout", False) == heldout, entry

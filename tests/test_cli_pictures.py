"""`generate --init`, `redo`, `vary` and `walk` as people and scripts meet them."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from rocketman import cli, cli_pictures, request
from rocketman.provenance import picture

PROMPT = "an astronaut in a white suit playing a harp above mars"


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    model_folder: Path,
) -> Run:
    """Run `rocketman ARGUMENTS... --model TINY --json` in a folder with a photo and a mask."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    Image.effect_noise((90, 60), 90).convert("RGB").save("photo.jpg")
    Image.linear_gradient("L").save("mask.png")
    Path("broken.jpg").write_bytes(Path("photo.jpg").read_bytes()[:200])

    def call(*arguments: str | Path) -> Result:
        options = ("--model", model_folder, "--json")
        monkeypatch.setattr(sys, "argv", ["rocketman", *map(str, (*arguments, *options))])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        code = stopped.value.code
        return Result(
            code if isinstance(code, int) else int(code is not None), *capsys.readouterr()
        )

    return call


def made(result: Result) -> list[dict[str, Any]]:
    assert result.code == 0, result.err
    found: list[dict[str, Any]] = json.loads(result.out)
    return found


def pixels(file: str) -> bytes:
    with Image.open(file) as image:
        return image.convert("RGB").tobytes()


def test_defaults_are_the_pipelines() -> None:
    """Written out, so that --help loads no heavy library."""
    vary = inspect.signature(cli_pictures.vary).parameters
    walk = inspect.signature(cli_pictures.walk).parameters
    assert vary["strength"].default == request.DEFAULT_VARIATION
    assert walk["frames"].default == request.DEFAULT_FRAMES
    assert walk["steps"].default == request.DEFAULT_STEPS
    assert walk["guidance_scale"].default == request.DEFAULT_GUIDANCE_SCALE
    assert f"else {request.DEFAULT_STRENGTH:g}, masked 1" in inspect.getsource(cli.generate)


def test_generate_from_a_picture_and_redo(run: Run) -> None:
    common = ("--seed", "5", "--steps", "2", "--init", "photo.jpg")
    [first] = made(run("generate", PROMPT, *common, "--strength", "0.5"))
    [masked] = made(run("generate", PROMPT, *common, "--mask", "mask.png"))
    assert pixels(first["file"]) != pixels(masked["file"])
    recipe = picture.read(first["file"])
    assert recipe is not None
    result = run("redo", first["file"])
    assert (result.code, result.out) == (2, "")
    assert f"give that file with --init; its SHA-256 is {recipe.init}." in result.err
    [again] = made(run("redo", first["file"], "--init", "photo.jpg"))
    assert pixels(again["file"]) == pixels(first["file"])
    assert "--init is not the file" in run("redo", first["file"], "--init", "mask.png").err
    files = ("--init", "photo.jpg", "--mask", "mask.png")
    [again] = made(run("redo", masked["file"], *files))
    assert pixels(again["file"]) == pixels(masked["file"])


def test_vary_and_redo(run: Run) -> None:
    [base] = made(run("generate", PROMPT, "--seed", "5", "--steps", "2", "--size", "32"))
    result = run("vary", base["file"], "--seed", "7", "--out", "siblings")
    assert result.err.startswith("Drawing 9 variations of ")
    siblings = made(result)
    assert len({pixels(each["file"]) for each in [base, *siblings]}) == 10
    names = [Path(each["file"]).name for each in siblings]
    assert names[0].endswith("-seed5-7.png")
    assert names[8].endswith("-seed5-15.png")
    [again] = made(run("redo", siblings[4]["file"]))
    assert pixels(again["file"]) == pixels(siblings[4]["file"])
    [second] = made(run("vary", siblings[4]["file"], "-n", "1", "--strength", "0"))
    assert pixels(second["file"]) == pixels(siblings[4]["file"])


@pytest.mark.parametrize("name", ["walk.gif", "a/walk.webp"])
def test_walk(run: Run, name: str) -> None:
    options = ("--frames", "5", "--seed", "1", "--to-seed", "2", "--steps", "1", "--out", name)
    [walk] = made(run("walk", PROMPT, "a drum, a cat", *options))
    assert walk == {
        "file": name, "frames": 5, "prompt": PROMPT, "to_prompt": "a drum, a cat", "seed": 1,
        "to_seed": 2, "seconds": walk["seconds"], "unknown_words": ["cat"],
    }  # fmt: skip
    with Image.open(name) as image:
        assert getattr(image, "n_frames", 1) == 5
        assert image.size == (64, 64)
    assert len(made(run("walk", PROMPT, "a drum", *options))) == 1, "ours is replaced"


def test_walk_into_a_folder(run: Run) -> None:
    options = (
        "--frames", "4", "--seed", "1", "--to-seed", "2", "--steps", "2", "--out", "way.v1"
    )  # fmt: skip
    Path("way.v1").mkdir()
    frames = made(run("walk", PROMPT, *options))
    assert [Path(each["file"]).name[:4] for each in frames] == ["0001", "0002", "0003", "0004"]
    assert len({pixels(each["file"]) for each in frames}) == 4
    [again] = made(run("redo", frames[1]["file"]))
    assert pixels(again["file"]) == pixels(frames[1]["file"])


def test_wrong_use(run: Run) -> None:
    """A sentence before anything is drawn."""
    [base] = made(run("generate", "a harp", "--seed", "5", "--steps", "1"))
    before = sorted(Path().rglob("*"))
    for arguments, sentence in (
        (("generate", "a harp", "--init", "missing.jpg"), "missing.jpg cannot be read"),
        (("generate", "a harp", "--init", "broken.jpg"), "broken.jpg is damaged"),
        (("generate", "a harp", "--init", "photo.jpg", "--strength", "0"), "above 0"),
        (("generate", "a harp", "--mask", "mask.png"), "needs a picture to begin from"),
        (("generate", "a harp", "--strength", "0.5"), "needs a picture to begin from"),
        (("redo", base["file"], "--init", "photo.jpg"), "made without --init"),
        (("vary", "photo.jpg"), "photo.jpg holds no recipe"),
        (("vary", "missing.png"), "no such file"),
        (("vary", base["file"], "--strength", "1.5"), "from 0 to 1"),
        (("vary", base["file"], "-n", "0"), "at least 1"),
        (("walk", "a harp"), "another prompt or another seed"),
        (("walk", "a {harp|drum}", "a guitar"), "without braces"),
        (("walk", "a harp", "a drum", "a guitar"), "unexpected extra argument"),
        (("walk", "a harp", "a drum", "--frames", "1"), "from 2 to 1000"),
        (("walk", "a harp", "a drum", "--out", "walk.mp4"), "should end in .gif or .webp"),
        (("walk", "a harp", "a drum", "--out", "mask.gif"), "no animation of ours"),
    ):
        if "mask.gif" in arguments:
            Image.new("L", (9, 9)).save("mask.gif")
            before.append(Path("mask.gif"))
        result = run(*arguments)
        assert (result.code, result.out) == (2, ""), arguments
        *_, last = result.err.strip().splitlines()
        assert last.startswith("Error: ")
        assert sentence in last
        assert sorted(Path().rglob("*")) == sorted(before), arguments

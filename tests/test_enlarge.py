"""Pictures enlarged by the network of others: what it draws, and that everything says so."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import c2pa
import numpy as np
import pytest
from PIL import Image

from rocketman import RequestError, cli
from rocketman.enlarge import NAME, enlarged
from rocketman.generate import Picture, Pipeline, load
from rocketman.provenance import picture

ROOT = Path(__file__).parents[1]
RENDER = ROOT / "examples" / "sample-dataset" / "train" / "000000.webp"


def decibels(a: Image.Image, b: Image.Image) -> float:
    """Peak signal to noise."""
    difference = np.asarray(a, dtype=float) - np.asarray(b, dtype=float)
    return float(10 * np.log10(255**2 / np.square(difference).mean()))


def sharpness(image: Image.Image) -> float:
    """Mean square of the differences between neighbours."""
    levels = np.asarray(image.convert("L"), dtype=float)
    return float(np.square(np.diff(levels, axis=0)).mean() + np.square(np.diff(levels)).mean())


@pytest.fixture(scope="module")
def render() -> Image.Image:
    with Image.open(RENDER) as image:
        return image.convert("RGB")


@pytest.mark.parametrize("factor", [2, 4])
def test_the_same_picture_only_larger(render: Image.Image, factor: int) -> None:
    """Reduced again it is the picture that it was made of, and it is as sharp as a real one."""
    small = render.reduce(factor)
    large = enlarged(small, factor)
    assert (large.mode, large.size) == ("RGB", render.size)
    assert decibels(large.reduce(factor), small) > 28
    smooth = small.resize(render.size, Image.Resampling.LANCZOS)
    assert sharpness(large) > 1.1 * sharpness(smooth)


def test_once_is_the_picture_itself(render: Image.Image) -> None:
    assert enlarged(render, 1) is render


def test_any_width_and_height() -> None:
    assert enlarged(Image.new("RGB", (17, 33), "#804020"), 2).size == (34, 66)


@pytest.fixture(scope="module")
def pipeline(model_folder: Path) -> Pipeline:
    return load(model_folder)


@pytest.fixture(scope="module")
def large(pipeline: Pipeline) -> Picture:
    [made] = pipeline("a harp", seed=1, num_inference_steps=1, upscale=4)
    return made


def test_recipe_and_credentials_name_it(large: Picture, tmp_path: Path) -> None:
    recipe = large.recipe
    assert (recipe.width, recipe.upscale, recipe.upscaler) == (64, 4, NAME)
    assert recipe.size == large.image.size == (256, 256)
    text = recipe.parameters
    assert "Size: 64x64, Model hash" in text
    assert f"Postprocess upscale by: 4, Postprocess upscaler: {NAME}" in text
    path = large.save(tmp_path / "large.png")
    manifest = json.loads(c2pa.Reader("image/png", io.BytesIO(path.read_bytes())).json())
    actions = next(
        assertion["data"]["actions"]
        for assertion in manifest["manifests"][manifest["active_manifest"]]["assertions"]
        if assertion["label"].startswith("c2pa.actions")
    )
    [told] = [each["description"] for each in actions if each["action"] == "c2pa.resized"]
    assert told == f"Enlarged 4 times by the network {NAME}, of others."


def test_a_recipe_without_it_is_as_it_was(pipeline: Pipeline) -> None:
    """The mark in the pixels is a number made of the recipe's text."""
    [made] = pipeline("a harp", seed=1, num_inference_steps=1)
    assert "upscale" not in made.recipe.as_json
    assert "upscale" not in made.recipe.parameters


def test_redo_enlarges_again(large: Picture, pipeline: Pipeline, tmp_path: Path) -> None:
    recipe = picture.read(large.save(tmp_path / "large.png"))
    assert recipe == large.recipe
    assert pipeline.redo(recipe).image.tobytes() == large.image.tobytes()


def test_signed_again_it_keeps_its_mark(large: Picture, tmp_path: Path) -> None:
    """64 pixels were drawn, which is too small for one; 256 are there."""
    path = large.save(tmp_path / "large.png")
    picture.sign_again(path, tmp_path / "again.png", {"chose": ""})
    again = io.BytesIO((tmp_path / "again.png").read_bytes())
    assert "rocketman.watermark.1" in c2pa.Reader("image/png", again).json()


def test_other_numbers_are_refused(pipeline: Pipeline) -> None:
    for upscale in (0, 3, 8, -2):
        with pytest.raises(RequestError, match=f"enlarged 2 or 4 times, not {upscale}"):
            pipeline("a harp", upscale=upscale)


def test_by_command(
    model_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """generate --upscale, and redo --upscale of a picture that is there."""

    def run(*arguments: object) -> dict[str, object]:
        words = [*arguments, "--model", model_folder, "--out", tmp_path, "--json"]
        monkeypatch.setattr(sys, "argv", ["rocketman", *map(str, words)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        told = capsys.readouterr()
        assert stopped.value.code == 0, told.err
        [made] = json.loads(told.out)
        return dict(made)

    def size(made: dict[str, object]) -> tuple[int, int]:
        with Image.open(str(made["file"])) as image:
            return image.size

    first = run("generate", "a harp", "--seed", 1, "--steps", 1)
    assert size(first) == (64, 64)
    larger = run("redo", first["file"], "--upscale", 2)
    assert size(larger) == (128, 128)
    assert size(run("redo", larger["file"])) == (128, 128)
    assert size(run("redo", larger["file"], "--upscale", 1)) == (64, 64)
    made = run("generate", "a harp", "--seed", 1, "--steps", 1, "--upscale", 2)
    with Image.open(str(made["file"])) as a, Image.open(str(larger["file"])) as b:
        assert a.tobytes() == b.tobytes()

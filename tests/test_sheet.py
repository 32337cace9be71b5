"""The contact sheet of `generate`: all pictures in their order, marked, signed, out of the way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from rocketman import sheet
from rocketman.cli import app
from rocketman.generate import Picture
from rocketman.provenance.recipe import Recipe
from rocketman.provenance.verify import verify

RECIPE = Recipe(
    prompt="a harp", seed=1, sampler="euler", num_inference_steps=1, guidance_scale=1.0, width=16,
    height=16, model="tiny", model_hash="ffffffffffff", version="0.0.1",
)  # fmt: skip


def test_all_pictures_are_on_it_in_their_order(
    model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = (
        "generate", "a harp", "a {drum|guitar}", "-n", "2", "--seed", "5", "--steps", "1",
        "--model", str(model_folder), "--contact-sheet", "sheets/all.png", "--json",
    )  # fmt: skip
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    made = json.loads(result.stdout)
    assert len(made) == 6
    assert "sheets/all.png shows them all" in result.stderr
    step = sheet.EDGE + sheet.GAP
    with Image.open("sheets/all.png") as shown:
        recipes = json.loads(shown.info["rocketman-sheet"])
        assert shown.size == (2 * step, 3 * step), "a row a prompt"
        for k, each in enumerate(made):
            assert (recipes[k]["prompt"], recipes[k]["seed"]) == (each["prompt"], each["seed"])
            x, y = k % 2 * step + sheet.GAP // 2, k // 2 * step + sheet.GAP // 2
            with Image.open(each["file"]) as one:
                part = shown.crop((x, y, x + sheet.EDGE, y + sheet.EDGE)).resize((1, 1))
                assert distance(part, one.resize((1, 1))) < 8
    verdict = verify(Path("sheets/all.png"))
    assert verdict.good
    assert verdict.watermark.found
    again = CliRunner().invoke(app, arguments)
    assert again.exit_code == 0, "a sheet of ours is replaced"


def distance(a: Image.Image, b: Image.Image) -> int:
    pairs = zip(a.convert("RGB").tobytes(), b.convert("RGB").tobytes(), strict=True)
    return max(abs(x - y) for x, y in pairs)


def test_rows_are_even(tmp_path: Path) -> None:
    for count, series, size in ((9, 9, (5, 2)), (8, 8, (8, 1)), (6, 3, (3, 2)), (48, 48, (8, 6))):
        pictures = [Picture(Image.new("RGB", (16, 16)), RECIPE)] * count
        sheet.save(tmp_path / "sheet.png", pictures, series, edge=12)
        with Image.open(tmp_path / "sheet.png") as shown:
            assert shown.size == (size[0] * 16, size[1] * 16)


def test_a_sheet_says_that_its_pictures_were_begun_from_another(
    model_folder: Path, tmp_path: Path
) -> None:
    for name in ("photo.png", "mask.png"):
        Image.new("RGB", (16, 16), "white").save(tmp_path / name)
    result = CliRunner().invoke(
        app,
        [
            "generate", "a harp", "--steps", "1", "--model", str(model_folder),
            "--init", str(tmp_path / "photo.png"), "--mask", str(tmp_path / "mask.png"),
            "--out", str(tmp_path), "--contact-sheet", str(tmp_path / "sheet.png"),
        ],
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    source_type = "compositeWithTrainedAlgorithmicMedia"
    assert verify(tmp_path / "sheet.png").credentials.source_type == source_type
    with Image.open(tmp_path / "sheet.png") as shown:
        assert source_type in shown.info["XML:com.adobe.xmp"]


@pytest.mark.parametrize(
    ("name", "more", "sentence"),
    [
        ("sheet.jpg", (), "should end in .png"),
        ("mine.png", (), "no sheet of ours"),
        ("out/0001-a-harp.png", (), "may be a picture's name"),
        ("mine.png/sheet.png", (), "cannot be written to"),
        ("sheet.png", ("-n", "201"), "at most 200 pictures, not 201"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is_drawn(
    model_folder: Path, tmp_path: Path, name: str, more: tuple[str, ...], sentence: str
) -> None:
    (tmp_path / "mine.png").write_bytes(b"mine")
    options = ("--contact-sheet", str(tmp_path / name), "--out", str(tmp_path / "out"))
    result = CliRunner().invoke(
        app, ["generate", "a harp", "--model", str(model_folder), *options, *more]
    )
    assert result.exit_code == 2
    assert sentence in " ".join(result.stderr.split())
    assert [path.name for path in tmp_path.iterdir()] == ["mine.png"]

"""Recipes of other tools: A1111's text as several programs write it, in all three formats."""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path

import pytest
from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo

from rocketman import cli, foreign
from rocketman.generate import Pipeline, load
from rocketman.provenance import metadata, picture
from rocketman.provenance.picture import PictureError
from rocketman.request import DEFAULT_STEPS, MAX_SEED

WEB_UI = (
    "a (red:1.2) spaceman playing a [harp], above mars, masterpiece <lora:castleLora:0.8>\n"
    "Negative prompt: blurry, (drum:1.4)\n"
    "Steps: 20, Sampler: Euler a, Schedule type: Karras, CFG scale: 7, Seed: 12345, "
    "Size: 512x768, Model hash: abc123def, Model: dreamshaper_8, Denoising strength: 0.4, "
    'Clip skip: 2, Hires upscale: 2, Lora hashes: "castleLora: deadbeef, other: 01234567", '
    "Version: v1.10.1"
)
OLDER = (
    "a harp,\nabove the moon\nSteps: 30, Sampler: DPM++ 2M Karras, CFG scale: 7.5, "
    "Seed: 2129882277, Size: 512x512, Model hash: 70e66e96d7, Model: chilled_remix, Clip skip: 2"
)
COMFY_SAVER = (
    "a guitar above the blue earth\nNegative prompt: \nSteps: 8, Sampler: heun_karras, "
    "CFG scale: 1.5, Seed: 18446744073709551615, Size: 64x64, Model: x.safetensors, "
    'Version: ComfyUI, Hashes: {"model": "0123456789", "lora:a": "b,c"}'
)
IMAGE = Image.new("RGB", (32, 32), (40, 60, 80))


@pytest.fixture(scope="module")
def pipeline(model_folder: Path) -> Pipeline:
    return load(model_folder)


def as_png(folder: Path, text: str) -> Path:
    """As the web UI saves: a text chunk, iTXt where latin-1 falls short."""
    chunks = PngInfo()
    chunks.add_text("parameters", text)
    IMAGE.save(folder / "other.png", pnginfo=chunks)
    return folder / "other.png"


def as_exif(folder: Path, comment: bytes, suffix: str = ".jpg") -> Path:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = comment
    IMAGE.save(folder / f"other{suffix}", exif=exif)
    return folder / f"other{suffix}"


def test_what_applies_and_what_is_left_out(tmp_path: Path, pipeline: Pipeline) -> None:
    recipe, [whose, near, out] = foreign.recipe(as_png(tmp_path, WEB_UI), pipeline)
    assert recipe.prompt == "a red spaceman playing a harp, above mars, masterpiece"
    assert recipe.negative_prompt == "blurry, drum"
    assert (recipe.num_inference_steps, recipe.guidance_scale, recipe.seed) == (20, 7.0, 12345)
    assert (recipe.sampler, recipe.width, recipe.height) == ("stochastic", 64, 64)
    assert recipe.model_hash == pipeline.model.hash, "it says who drew it, not who drew the other"
    assert "with the model dreamshaper_8: tiny draws its words" in whose
    assert near == (
        "Taken as the nearest that fits: sampler Euler a as stochastic, size 512x768 as 64x64."
    )
    assert out == (
        "Left out: lora castleLora, Schedule type, Denoising strength, Clip skip, Hires upscale, "
        "Lora hashes."
    )


def test_the_same_sampler_is_no_approximation(tmp_path: Path, pipeline: Pipeline) -> None:
    text = "a harp\nSteps: 4, Sampler: DPM++ 2M, CFG scale: 3, Seed: 1, Size: 32x32, Version: x"
    recipe, said = foreign.recipe(as_png(tmp_path, text), pipeline)
    assert (recipe.sampler, recipe.width) == ("dpm_solver_2m", 32)
    assert len(said) == 1, said


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("Euler", "euler"), ("Euler a", "stochastic"), ("DDIM", "euler"), ("LCM", "stochastic"),
        ("Heun", "heun"), ("DPM2 a Karras", "heun"), ("heun_karras", "heun"),
        ("DPM++ 2M Karras", "dpm_solver_2m"), ("DPM++ SDE", "stochastic"),
        ("DEIS", "dpm_solver_2m"), ("dpm_solver_2m", "dpm_solver_2m"),
    ],
)  # fmt: skip
def test_samplers(name: str, ours: str, pipeline: Pipeline) -> None:
    found = foreign.parse(f"a harp\nSteps: 2, Sampler: {name}, CFG scale: 3, Seed: 1")
    assert found is not None
    recipe, _ = foreign.translated(found, pipeline)
    assert recipe.sampler == ours


def test_prompts_of_several_lines_and_the_largest_seed(pipeline: Pipeline) -> None:
    older, comfy = foreign.parse(OLDER), foreign.parse(COMFY_SAVER)
    assert older is not None
    assert comfy is not None
    assert (older.prompt, older.negative_prompt) == ("a harp, above the moon", "")
    recipe, said = foreign.translated(comfy, pipeline)
    assert (recipe.seed, recipe.sampler, recipe.width) == (MAX_SEED, "heun", 64)
    assert "sampler heun_karras as heun" in said[1]


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
@pytest.mark.parametrize(
    "comment",
    [
        b"UNICODE\0" + WEB_UI.encode("utf-16-be"),  # A1111, by piexif
        b"UNICODE\0" + WEB_UI.encode("utf-16-le"),
        b"ASCII\0\0\0" + WEB_UI.encode(),
        bytes(8) + WEB_UI.encode(),
    ],
    ids=["big endian", "little endian", "ascii", "unnamed"],
)
def test_user_comments(tmp_path: Path, comment: bytes, suffix: str) -> None:
    with Image.open(as_exif(tmp_path, comment, suffix)) as image:
        assert metadata.parameters_in(image) == WEB_UI


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_our_own_text_is_read_when_the_json_is_gone(
    tmp_path: Path, suffix: str, pipeline: Pipeline
) -> None:
    """As after a tool that keeps A1111's text alone; "宇航员" leaves latin-1."""
    [made] = pipeline("a harp above mars 宇航员", seed=7, num_inference_steps=2)
    path = made.save(tmp_path / f"ours{suffix}")
    with Image.open(path) as image:
        text = metadata.parameters_in(image)
    assert text == made.recipe.parameters
    found = foreign.parse(text)
    assert found is not None
    recipe, said = foreign.translated(found, pipeline)
    assert said == []
    assert pipeline.redo(recipe).image.tobytes() == made.image.tobytes()


def test_numbers_out_of_range_become_the_nearest(pipeline: Pipeline) -> None:
    found = foreign.parse("a harp\nSteps: 5000, Sampler: Euler, CFG scale: 99, Seed: -1, Size: 0x9")
    assert found is not None
    recipe, said = foreign.translated(found, pipeline)
    assert (recipe.num_inference_steps, recipe.guidance_scale) == (1000, 30.0)
    assert recipe.width == pipeline.sizes[-1]
    assert "steps 5000 as 1000, CFG scale 99 as 30, size 0x9 as 64x64, seed -1 as" in said[1]
    found = foreign.parse("a harp\nSteps: nan, CFG scale: inf, Seed: 99999999999999999999")
    assert found is not None
    recipe, _ = foreign.translated(found, pipeline)
    assert (recipe.num_inference_steps, recipe.guidance_scale) == (DEFAULT_STEPS, 3.0)
    assert 0 <= recipe.seed < 2**32


def test_a_file_without_one_says_so(tmp_path: Path, pipeline: Pipeline) -> None:
    IMAGE.save(tmp_path / "plain.png")
    for path in (
        tmp_path / "plain.png",
        as_png(tmp_path, "a harp"),
        as_exif(tmp_path, b"UNICODE\0"),
    ):
        with pytest.raises(PictureError, match="nor one as A1111's web UI writes it"):
            foreign.recipe(path, pipeline)


HOSTILE = {
    "no colon": "Steps: " + "a" * 19_000,
    "open quotes": "Steps: " + 'b: "' * 4_000,
    "backslashes": 'Steps: 1, a: "' + "\\" * 19_000,
    "brackets": "<lora:" * 15_000 + "\nSteps: 1, Seed: 2, Size: 3x3",
    "parentheses": "(a:" * 30_000 + "\nSteps: 1, Seed: 2, Size: 3x3",
    "weights": "(a:1." * 15_000 + "1" * 20_000 + "\nSteps: 1, Seed: 2, Size: 3x3",
    "many lines": "Steps: " + "\nSteps: ," * 10_000,
    "negatives": "Negative prompt:\n" * 5_000 + "Steps: 1",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_texts_are_read_in_bounded_time(text: str, pipeline: Pipeline) -> None:
    """A regular expression that backtracks would take hours; and little of it is said."""
    found = foreign.parse(text)
    said = foreign.translated(found, pipeline)[1] if found else []
    assert len(said) <= 3
    assert all(len(sentence) < 1000 for sentence in said)


def test_a_text_without_end_is_not_read(tmp_path: Path, pipeline: Pipeline) -> None:
    long = "a harp " * 20_000 + "\nSteps: 1, Sampler: Euler, CFG scale: 3, Seed: 1"
    with pytest.raises(PictureError, match="holds no recipe"):
        foreign.recipe(as_png(tmp_path, long), pipeline)


def block(order: str, entries: list[tuple[int, int, int, int]], more: bytes = b"") -> bytes:
    """An EXIF block of one directory at 8: (tag, kind, count, value) each."""
    start = {"<": b"II*\0", ">": b"MM\0*"}[order]
    head = start + struct.pack(f"{order}IH", 8, len(entries))
    return head + b"".join(struct.pack(f"{order}HHII", *entry) for entry in entries) + more


@pytest.mark.parametrize(
    "exif",
    [
        b"",
        b"Exif\0\0",
        b"II*\0",
        b"II*\0\xff\xff\xff\xff",
        block("<", [(ExifTags.IFD.Exif, 4, 1, 0xFFFFFFF0)]),
        block(">", [(ExifTags.IFD.Exif, 4, 1, 8)]),  # a directory that is its own child
        block("<", [(ExifTags.IFD.Exif, 4, 1, 8), (ExifTags.Base.UserComment, 7, 2**32 - 1, 0)]),
        block("<", [(ExifTags.IFD.Exif, 4, 1, 8), (ExifTags.Base.UserComment, 7, 999, 2**32 - 1)]),
        block("<", [(ExifTags.IFD.Exif, 4, 1, 8)] * 20_000),
    ],
)
def test_hostile_exif_is_empty(exif: bytes) -> None:
    image = Image.new("RGB", (8, 8))
    image.info["exif"] = exif
    assert metadata.parameters_in(image) is None


def test_redo_says_what_it_did(
    tmp_path: Path,
    model_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """By the command; what a stranger wrote reaches no terminal as it is."""
    text = WEB_UI.replace("dreamshaper_8", "dream\x1b[31mshaper")
    path = as_exif(tmp_path, b"UNICODE\0" + text.encode("utf-16-be"))
    out = tmp_path / "out"
    arguments = ["redo", path, "--model", model_folder, "--out", out, "--json"]
    monkeypatch.setattr(sys, "argv", ["rocketman", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    told = capsys.readouterr()
    assert stopped.value.code == 0, told.err
    assert "\x1b" not in told.err
    assert "the model dream?[31mshaper" in told.err
    assert "Left out: lora castleLora" in told.err
    assert "ignored: masterpiece" in told.err
    [made] = json.loads(told.out)
    recipe = picture.read(made["file"])
    assert recipe is not None
    assert (recipe.seed, recipe.sampler) == (12345, "stochastic")

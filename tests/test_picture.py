"""Saving a picture: its recipe inside it, whole or not at all, never over a stranger's file."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from rocketman.provenance import picture, watermark
from rocketman.provenance.picture import PictureError, Recipe
from rocketman.provenance.verify import verify

RECIPE = Recipe(
    prompt="an astronaut in a white suit playing a harp above mars",
    negative_prompt="a drum",
    seed=7,
    sampler="dpm_solver_2m",
    num_inference_steps=20,
    guidance_scale=3.0,
    width=64,
    height=64,
    model="astronauts",
    model_hash="0123456789ab",
    version="0.1.0",
    unknown_words=("cat",),
    seconds=1.5,
)
IMAGE = Image.linear_gradient("L").resize((64, 64)).convert("RGB")

PROMPTS = [
    "a harp above mars",
    "an astronaut: one, two, three",
    "宇航员 playing a 🎸",
    "émigré",
    "two\nlines\tand a tab",
    'a "quoted" harp \\ slash',
    "Negative prompt: Steps: 1, Sampler: x, Seed: 2",
    "nul\x00 byte and half a pair \udc80",
    "word " * 5000,
]


@pytest.mark.parametrize("prompt", PROMPTS)
def test_recipe_comes_back(tmp_path: Path, prompt: str) -> None:
    recipe = replace(RECIPE, prompt=prompt)
    path = picture.save(IMAGE, tmp_path / "a.png", recipe)
    assert picture.read(path) == recipe
    with Image.open(path) as image:
        assert image.size == (64, 64)
        assert image.tobytes() == IMAGE.tobytes()
        assert not {"prompt", "workflow"} & set(image.info)


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
def test_recipe_comes_back_from_other_formats(tmp_path: Path, prompt: str, suffix: str) -> None:
    recipe = replace(RECIPE, prompt=prompt)
    path = picture.save(IMAGE, tmp_path / f"a{suffix}", recipe)
    assert picture.read(path) == recipe
    with Image.open(path) as image:
        assert image.format == {".jpg": "JPEG", ".webp": "WEBP"}[suffix]
        difference = np.asarray(image, dtype=int) - np.asarray(IMAGE, dtype=int)
        assert np.abs(difference).mean() < 1.5


@pytest.mark.parametrize("prompt", ["a harp " * 6000, "竖琴" * 4000])
def test_what_jpeg_cannot_hold_is_saved_as_png(tmp_path: Path, prompt: str) -> None:
    recipe = replace(RECIPE, prompt=prompt)
    path = picture.save(IMAGE, tmp_path / "a.jpg", recipe)
    assert path == tmp_path / "a.png"
    assert picture.read(path) == recipe
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_what_iptc_and_china_ask_for(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = replace(RECIPE, prompt='a "harp" <above> mars & more 宇航员')
    with Image.open(picture.save(IMAGE, tmp_path / f"a{suffix}", recipe)) as image:
        plain = image.info["xmp"].decode()
    assert "trainedAlgorithmicMedia" in plain
    assert "AIGC" not in plain
    monkeypatch.setenv("ROCKETMAN_AIGC_PRODUCER", "001191110000000000000000000001")
    with Image.open(picture.save(IMAGE, tmp_path / f"a{suffix}", recipe)) as image:
        fields = ElementTree.fromstring(image.info["xmp"].decode())
    [about] = fields.iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description")
    iptc = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"
    assert about.get(f"{iptc}AISystemUsed") == "Rocketman"
    assert about.get(f"{iptc}AIPromptInformation") == recipe.prompt
    label = about.findtext("{http://www.tc260.org.cn/ns/AIGC/1.0/}AIGC")
    assert label is not None
    assert json.loads(label)["Label"] == "1"
    assert json.loads(label)["ContentProducer"].startswith("0011")


def test_parameters_are_a1111s(tmp_path: Path) -> None:
    path = picture.save(IMAGE, tmp_path / "a.png", RECIPE)
    with Image.open(path) as image:
        assert image.info["parameters"] == (
            "an astronaut in a white suit playing a harp above mars\n"
            "Negative prompt: a drum\n"
            "Steps: 20, Sampler: dpm_solver_2m, CFG scale: 3, Seed: 7, Size: 64x64, "
            "Model hash: 0123456789ab, Model: astronauts, RNG: CPU, Version: rocketman 0.1.0"
        )


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_the_ecosystem_reads_it(tmp_path: Path, suffix: str) -> None:
    from sd_parsers import ParserManager

    path = picture.save(IMAGE, tmp_path / f"a{suffix}", RECIPE)
    found = ParserManager().parse(path)
    assert found is not None
    assert found.generator.name == "AUTOMATIC1111"
    assert found.full_prompt == RECIPE.prompt
    assert found.full_negative_prompt == RECIPE.negative_prompt
    [sampler] = found.samplers
    assert sampler.name == "dpm_solver_2m"
    assert sampler.parameters["seed"] == "7"
    assert sampler.parameters["steps"] == "20"
    assert sampler.model is not None
    assert (sampler.model.name, sampler.model.hash) == ("astronauts", "0123456789ab")


def test_same_recipe_same_pixels_and_texts(tmp_path: Path) -> None:
    """All but the signature, which is drawn anew each time."""
    big = IMAGE.resize((256, 256))
    first = picture.save(big, tmp_path / "a.png", RECIPE)
    second = picture.save(big, tmp_path / "b.png", replace(RECIPE, seconds=99.0))
    with Image.open(first) as a, Image.open(second) as b:
        assert a.tobytes() == b.tobytes() != big.tobytes()
        assert a.info == b.info


def test_prompt_can_stay_out_of_the_file(tmp_path: Path) -> None:
    path = picture.save(IMAGE, tmp_path / "a.png", RECIPE, with_prompt=False)
    assert b"harp" not in path.read_bytes()
    recipe = picture.read(path)
    assert recipe == replace(RECIPE, prompt="", negative_prompt="", unknown_words=())


def test_signed_again_with_what_a_person_did(tmp_path: Path) -> None:
    import c2pa

    large = IMAGE.resize((256, 256))
    recipe = replace(RECIPE, width=256, height=256)
    path = picture.save(large, tmp_path / "a.png", recipe)
    again = tmp_path / "b.png"
    picture.sign_again(path, again, {"chose": "A person chose this one of 4."})
    assert picture.read(again) == recipe
    with Image.open(path) as first, Image.open(again) as second:
        assert first.tobytes() == second.tobytes()
    with c2pa.Reader(str(again)) as reader:
        report = reader.json()
    assert "A person chose this one of 4." in report
    assert "rocketman.chosen" in report
    IMAGE.save(tmp_path / "strange.png")
    with pytest.raises(PictureError, match="no recipe"):
        picture.sign_again(tmp_path / "strange.png", again, {})


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_animations(tmp_path: Path, suffix: str) -> None:
    """Every frame is marked, the recipes are inside, and the whole is signed."""
    recipes = [replace(RECIPE, share=share, to_prompt="a drum") for share in (0.0, 0.5, 1.0)]
    frames = [IMAGE.resize((256, 256)).rotate(30 * k) for k in range(3)]
    path = picture.save_animation(frames, tmp_path / f"walk{suffix}", recipes, [600, 50, 600])
    shown = json.dumps([json.loads(recipe.as_json) for recipe in recipes])
    number = f"{watermark.identifier(shown):08x}"
    with Image.open(path) as image:
        assert getattr(image, "n_frames", 1) == 3
        assert image.info["loop"] == 0
        for k in range(3):
            image.seek(k)
            assert f"{watermark.read(image.convert('RGB')).identifier:08x}" == number
    data = path.read_bytes()
    assert data.count(b"trainedAlgorithmicMedia") >= 2, "in XMP and in the manifest"
    verdict = verify(path)
    assert verdict.credentials.state == "valid"
    assert verdict.watermark.fits_recipe
    assert verdict.recipe == {
        "prompts": [RECIPE.prompt] * 2, "seed": 7, "to_seed": 7, "frames": 3
    }  # fmt: skip
    with Image.open(path) as image:
        if suffix == ".gif":
            assert json.loads(image.info["comment"]) == json.loads(shown)
        else:
            fields = ElementTree.fromstring(image.info["xmp"].decode())
            [about] = fields.iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description")
            held = about.get("{urn:rocketman:recipe:1}Recipes")
            assert json.loads(str(held)) == json.loads(shown)


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_animations_replace_ours_only(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"walk{suffix}"
    IMAGE.save(path)
    before = path.read_bytes()
    with pytest.raises(PictureError, match="no animation of ours"):
        picture.save_animation([IMAGE] * 2, path, [RECIPE] * 2, [50, 50])
    assert path.read_bytes() == before
    path.unlink()
    for _ in range(2):
        picture.save_animation([IMAGE, IMAGE.rotate(9)], path, [RECIPE] * 2, [50, 50])
    with pytest.raises(PictureError, match=r"should end in \.gif or \.webp"):
        picture.check_animation(tmp_path / "walk.mp4")
    with pytest.raises(PictureError, match="no folder"):
        picture.check_animation(tmp_path / "missing" / "walk.gif")


def test_what_cannot_be_signed_is_not_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").touch()
    monkeypatch.setenv("ROCKETMAN_CONFIG", str(tmp_path / "config"))
    with pytest.raises(PictureError, match="set ROCKETMAN_CONFIG"):
        picture.save(IMAGE, tmp_path / "a.png", RECIPE)
    with pytest.raises(PictureError, match="set ROCKETMAN_CONFIG"):
        picture.prepare_folder(tmp_path / "out")
    assert [file.name for file in tmp_path.iterdir()] == ["config"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    path = picture.save(IMAGE, tmp_path / "a.png", RECIPE)
    before = path.read_bytes()

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(*{"fsync": (os, "fsync"), "replace": (Path, "replace")}[step], stop)
    with pytest.raises(KeyboardInterrupt):
        picture.save(IMAGE.rotate(90), path, replace(RECIPE, seed=8))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_long_name_in_letters_of_three_bytes(tmp_path: Path) -> None:
    """82 letters, 250 bytes: as much as a name may have."""
    path = tmp_path / f"{'琴' * 82}.png"
    assert picture.read(picture.save(IMAGE, path, RECIPE)) == RECIPE


def test_the_first_error_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    def gone(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", full)
    monkeypatch.setattr(Path, "unlink", gone)
    with pytest.raises(OSError, match="No space"):
        picture.save(IMAGE, tmp_path / "a.png", RECIPE)


def test_killed_while_writing(tmp_path: Path) -> None:
    """A process killed without warning leaves the old picture and no half of the new one."""
    path = picture.save(IMAGE, tmp_path / "a.png", RECIPE)
    before = path.read_bytes()
    program = f"""
import os
from PIL import Image
from rocketman.provenance import picture
os.fsync = lambda _: os.kill(os.getpid(), 9)
picture.save(Image.new("RGB", (64, 64)), {str(path)!r}, picture.read({str(path)!r}))
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -9
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.glob("*.png")] == ["a.png"]


def test_ours_is_replaced_and_a_strangers_is_not(tmp_path: Path) -> None:
    ours = picture.save(IMAGE, tmp_path / "ours.png", RECIPE)
    picture.save(IMAGE, ours, replace(RECIPE, seed=8))
    recipe = picture.read(ours)
    assert recipe is not None
    assert recipe.seed == 8
    theirs = tmp_path / "theirs.png"
    IMAGE.save(theirs)
    before = theirs.read_bytes()
    with pytest.raises(PictureError, match="not ours"):
        picture.save(IMAGE, theirs, RECIPE)
    assert theirs.read_bytes() == before


def test_names_that_cannot_be_saved(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"should end in \.png"):
        picture.save(IMAGE, tmp_path / "a.gif", RECIPE)
    with pytest.raises(PictureError, match="no folder"):
        picture.save(IMAGE, tmp_path / "missing" / "a.png", RECIPE)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="no such file"):
        picture.read(tmp_path / "missing.png")
    junk = tmp_path / "junk.png"
    junk.write_bytes(b"\x89PNG\r\n\x1a\nnot much more")
    with pytest.raises(PictureError, match="not a picture"):
        picture.read(junk)
    plain = tmp_path / "plain.png"
    IMAGE.save(plain)
    assert picture.read(plain) is None


def test_strangers_files_that_decoders_stumble_over(tmp_path: Path) -> None:
    """Pillow raises NotImplementedError and more, or takes in all of a file."""
    surface = struct.pack("<31I", 124, 0x1007, 8, 8, *[0] * 14, 32, 4, 1, *[0] * 10)
    (tmp_path / "a.dds").write_bytes(b"DDS " + surface)
    with pytest.raises(PictureError, match="not a picture"):
        picture.read(tmp_path / "a.dds")
    large = tmp_path / "a.webp"
    with large.open("wb") as file:
        file.write(b"RIFF\xff\xff\xff\xbfWEBPVP8 ")
        file.truncate(3_000_000_000)  # without a byte on the disk
    with pytest.raises(PictureError, match="more than 200,000,000 bytes"):
        picture.read(large)


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "{}", "[" * 100_000, "null"],
)
def test_damaged_recipes(tmp_path: Path, text: str) -> None:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("rocketman", text)
    IMAGE.save(tmp_path / "a.png", pnginfo=info)
    with pytest.raises(PictureError, match="damaged"):
        picture.read(tmp_path / "a.png")


def test_names_count_on_and_say_what_they_are(tmp_path: Path) -> None:
    first = picture.next_path(tmp_path, RECIPE)
    assert first.name == "0001-an-astronaut-in-a-white-suit-playing-a-harp-above-mars-seed7.png"
    picture.save(IMAGE, first, RECIPE)
    IMAGE.save(tmp_path / "0041-mine.png")
    assert picture.next_path(tmp_path, replace(RECIPE, prompt="竖琴")).name == (
        "0042-picture-seed7.png"
    )
    name = picture.next_path(tmp_path, replace(RECIPE, prompt="word " * 99)).name
    assert name.startswith("0042-word-word-")
    assert len(name) < 110


def test_two_runs_into_one_folder_get_two_names(tmp_path: Path) -> None:
    """Also where the other process saved its picture while this one counted."""
    program = f"""
from pathlib import Path
from PIL import Image
from rocketman.provenance import picture
recipe = picture.read({str(picture.save(IMAGE, tmp_path / "first.png", RECIPE))!r})
(folder := Path({str(tmp_path)!r}) / "out").mkdir(exist_ok=True)
for _ in range(8):
    print(picture.save(Image.new("RGB", (64, 64)), picture.next_path(folder, recipe), recipe).name)
"""
    runs = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    names = [name for run in runs for name in run.communicate()[0].split()]
    assert len(set(names)) == 16
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == sorted(names)


def test_a_name_is_given_out_once(tmp_path: Path) -> None:
    first, second = (picture.next_path(tmp_path, RECIPE) for _ in range(2))
    assert (first.name[:5], second.name[:5]) == ("0001-", "0002-")
    for path in (second, first):
        picture.save(IMAGE, path, RECIPE)
    assert sorted(tmp_path.iterdir()) == [first, second]


def test_prepare_folder(tmp_path: Path) -> None:
    folder = picture.prepare_folder(tmp_path / "a" / "b")
    assert list(folder.iterdir()) == []
    (tmp_path / "file").touch()
    for bad in (tmp_path / "file", tmp_path / "file" / "under", Path("/proc/none"), Path("\0")):
        with pytest.raises(PictureError, match="choose another folder"):
            picture.prepare_folder(bad)

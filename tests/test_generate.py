"""Prompt and seed to pictures: the same ones each time, whatever is drawn beside them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import rocketman
from rocketman import ModelError, PictureError, Pipeline, RequestError, captions, sampling
from rocketman.generate import Step
from rocketman.painter import DRAW, to_image

PROMPT = "an astronaut in a white suit playing a harp above mars"
OTHER = "a drum above the moon"


@pytest.fixture(scope="session")
def pipeline(model_folder: Path) -> Pipeline:
    return rocketman.load(model_folder)


def pixels(image: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    return np.asarray(image).astype(np.int16)


def test_same_seed_same_picture(pipeline: Pipeline) -> None:
    [first] = pipeline(PROMPT, seed=3, num_inference_steps=3)
    [second] = pipeline(PROMPT, seed=3, num_inference_steps=3)
    assert first.image.tobytes() == second.image.tobytes()
    assert first.recipe == second.recipe
    assert first.image.size == (64, 64), "the largest size is the default"
    assert first.image.mode == "RGB"


def test_every_word_seed_and_number_matters(pipeline: Pipeline) -> None:
    """Otherwise the tests of sameness here would prove nothing."""
    [base] = pipeline(PROMPT, seed=3, num_inference_steps=3)
    changes: list[dict[str, object]] = [
        {"prompt": OTHER},
        {"seed": 4},
        {"num_inference_steps": 4},
        {"guidance_scale": 1.0},
        {"negative_prompt": "a drum"},
        {"sampler": "heun"},
    ]
    for change in changes:
        arguments = {"prompt": PROMPT, "seed": 3, "num_inference_steps": 3, **change}
        [other] = pipeline(**arguments)  # type: ignore[arg-type]
        assert other.image.tobytes() != base.image.tobytes(), change


def test_a_picture_does_not_depend_on_what_is_drawn_beside_it(pipeline: Pipeline) -> None:
    together = pipeline([PROMPT, OTHER], num_images_per_prompt=5, seed=3, num_inference_steps=3)
    assert [(picture.recipe.prompt, picture.recipe.seed) for picture in together] == [
        (prompt, seed) for prompt in (PROMPT, OTHER) for seed in range(3, 8)
    ]
    for picture in together:
        [alone] = pipeline(picture.recipe.prompt, seed=picture.recipe.seed, num_inference_steps=3)
        assert alone.recipe == picture.recipe
        # the same up to rounding: matrix products of another batch size add in another order
        assert np.abs(pixels(alone.image) - pixels(picture.image)).max() <= 1


def test_it_is_the_sampler_over_the_network(pipeline: Pipeline) -> None:
    """The whole path again by hand, one picture, no batching."""
    vocabulary, scale = pipeline.model.vocabulary, np.float32(pipeline.model.noise_scale)
    shown = captions.with_shot(PROMPT, vocabulary, 3)
    assert shown.endswith("wide")

    guess = np.zeros((1, 3, 16, 16), np.float32)

    def run(x: sampling.Array, t: float, text: str) -> sampling.Array:
        ids = np.array([captions.tokens(text, vocabulary)], dtype=np.int64)
        times = np.array([sampling.told_time(t)], dtype=np.float32)
        given = {"x": x, "t": times, "tokens": ids, "guess": guess}
        [clean] = pipeline._painter.session.run(None, given)
        return np.asarray(clean)

    def denoise(x: sampling.Array, t: float) -> sampling.Array:
        unwanted = run(x, t, "")
        found = unwanted + 3 * (run(x, t, shown) - unwanted)
        guess[:] = found
        return np.asarray(found)

    start, *later = (scale * sampling.noise(3, (1, 3, 16, 16), index=k * DRAW) for k in range(5))
    [clean] = sampling.stochastic(
        denoise, start, sampling.timesteps(5), fresh=lambda step: later[step]
    )
    [picture] = pipeline(PROMPT, seed=3, num_inference_steps=5, guidance_scale=3.0, size=16)
    assert np.abs(pixels(picture.image) - pixels(to_image(clean))).max() <= 1


def test_what_is_drawn_anew_is_mixed_like_what_it_began_with(pipeline: Pipeline) -> None:
    """Else a variation of strength 1, or the end of a walk, would not be quite another picture."""
    painter = pipeline._painter
    [one] = pipeline(PROMPT, seed=3, num_inference_steps=1)
    other = replace(one.recipe, variations=((5, 1.0),))
    for draw in range(3):
        [alone] = painter._noises([one.recipe], draw)
        [mixed] = painter._noises([other], draw)
        assert abs(np.corrcoef(alone.ravel(), mixed.ravel())[0, 1]) < 0.15
    again, later = (painter._noises([one.recipe], draw) for draw in (0, 1))
    assert abs(np.corrcoef(again.ravel(), later.ravel())[0, 1]) < 0.15


def test_sizes(pipeline: Pipeline) -> None:
    assert pipeline.sizes == (16, 32, 64)
    [small] = pipeline(PROMPT, seed=3, num_inference_steps=2, size=16)
    for size in pipeline.sizes:
        [picture] = pipeline(PROMPT, seed=3, num_inference_steps=2, size=size)
        assert picture.image.size == (size, size) == (picture.recipe.width, picture.recipe.height)
        wanted = small.image.resize((size, size), Image.Resampling.LANCZOS)
        assert picture.image.tobytes() == wanted.tobytes()


def test_second_stage(pipeline: Pipeline, model_folder: Path, tmp_path: Path) -> None:
    """detail.onnx in the folder draws four times the network's size; twice is resampled."""
    torch = pytest.importorskip("torch")
    from rocketman.detail_network import DetailNetwork, write_detail

    network = DetailNetwork()
    with torch.no_grad():  # the last layer starts from zeros, which would be plain enlargement
        torch.manual_seed(0)
        network.last.weight.normal_(std=0.1)
    folder = shutil.copytree(model_folder, tmp_path / "tiny")
    write_detail(network, folder)
    staged = rocketman.load(folder)
    assert staged.sizes == pipeline.sizes
    assert staged.model.hash != pipeline.model.hash, "another picture, so another model"

    def draw(pipe: Pipeline, size: int) -> Image.Image:
        return pipe(PROMPT, seed=3, num_inference_steps=2, size=size)[0].image

    assert draw(staged, 16).tobytes() == draw(pipeline, 16).tobytes()
    large = draw(staged, 64)
    assert large.size == (64, 64)
    assert large.tobytes() != draw(pipeline, 64).tobytes()
    wanted = large.resize((32, 32), Image.Resampling.LANCZOS)
    assert draw(staged, 32).tobytes() == wanted.tobytes()
    clean = 0.5 * sampling.noise(1, (3, 16, 16))
    left, right = (staged._painter._finish(x, 64) for x in (clean, clean[:, :, ::-1]))
    both = np.asarray(left, np.int16), np.asarray(right, np.int16)[:, ::-1]
    assert np.abs(both[0] - both[1]).max() <= 1, "seen from both sides of the mirror"
    (folder / "detail.onnx").write_bytes(b"not a network")
    with pytest.raises(ModelError, match="cannot load"):
        rocketman.load(folder)


def test_a_seed_is_drawn_and_recorded(pipeline: Pipeline) -> None:
    first, second = pipeline(PROMPT, num_images_per_prompt=2, num_inference_steps=2)
    assert second.recipe.seed == first.recipe.seed + 1
    [again] = pipeline(PROMPT, seed=first.recipe.seed, num_inference_steps=2)
    assert np.abs(pixels(again.image) - pixels(first.image)).max() <= 1
    [other] = pipeline(PROMPT, num_inference_steps=2)
    assert other.recipe.seed != first.recipe.seed


def test_recipe(pipeline: Pipeline) -> None:
    [picture] = pipeline(
        f"{PROMPT} with a cat",
        negative_prompt="a blurry drum",
        seed=2**64 - 1,
        num_inference_steps=2,
        guidance_scale=2,
    )
    recipe = picture.recipe
    assert recipe.prompt == f"{PROMPT} with a cat"
    assert recipe.negative_prompt == "a blurry drum"
    assert recipe.unknown_words == ("with", "cat", "blurry")
    assert (recipe.seed, recipe.num_inference_steps, recipe.guidance_scale) == (2**64 - 1, 2, 2.0)
    assert recipe.model == "tiny"
    assert recipe.model_hash == pipeline.model.hash
    assert recipe.version == rocketman.__version__
    assert recipe.seconds is not None
    assert recipe.seconds > 0


def test_synonyms_give_the_same_picture(pipeline: Pipeline) -> None:
    [plain] = pipeline(PROMPT, seed=3, num_inference_steps=2, negative_prompt="a violin")
    [other] = pipeline(
        "an astronuat in a snow white suit performing on a lyre over the red planet",
        seed=3,
        num_inference_steps=2,
        negative_prompt="a fiddle",
    )
    assert other.image.tobytes() == plain.image.tobytes()
    assert plain.read_as == {}
    assert plain.recipe.unknown_words == other.recipe.unknown_words == ()
    assert other.read_as == {
        "astronuat": "astronaut",
        "snow white": "white",
        "performing on": "playing",
        "lyre": "harp",
        "over the red planet": "above mars",
        "fiddle": "violin",
    }


def test_redo_from_a_file(pipeline: Pipeline, tmp_path: Path) -> None:
    from rocketman.provenance import picture

    [first] = pipeline(
        PROMPT, seed=9, num_inference_steps=3, size=32, sampler="heun", negative_prompt="a drum"
    )
    recipe = picture.read(first.save(tmp_path / "first.png"))
    assert recipe is not None
    second = pipeline.redo(recipe).save(tmp_path / "second.png")
    with Image.open(second) as a, Image.open(tmp_path / "first.png") as b:
        assert (a.tobytes(), a.info) == (b.tobytes(), b.info)
    with pytest.raises(RequestError, match="no sampler 'magic'"):
        pipeline.redo(replace(recipe, sampler="magic"))


def test_variety_draws_a_prompt_together_and_can_be_redone(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    from rocketman.provenance import picture

    def draw(variety: float, prompts: list[str]) -> list[rocketman.Picture]:
        arguments = {"num_images_per_prompt": 3, "seed": 5, "num_inference_steps": 4}
        return pipeline(prompts, variety=variety, **arguments)  # type: ignore[arg-type]

    plain, apart = draw(0, [PROMPT]), draw(1, [PROMPT, PROMPT])
    for k in range(3):
        assert apart[k].image.tobytes() == apart[k + 3].image.tobytes(), "each prompt by itself"
        assert apart[k].image.tobytes() != plain[k].image.tobytes()
        recipe = apart[k].recipe
        assert (recipe.variety, recipe.first_seed, recipe.together) == (1.0, 5, 3)
    assert (plain[0].recipe.variety, plain[0].recipe.together) == (0.0, 1)
    read = picture.read(apart[2].save(tmp_path / "third.png"))
    assert read is not None
    assert pipeline.redo(read).image.tobytes() == apart[2].image.tobytes()
    with pytest.raises(RequestError, match="recipe is damaged"):
        pipeline.redo(replace(read, together=10**9))


def test_variety_draws_sixteen_together_at_most(pipeline: Pipeline) -> None:
    made = pipeline(
        PROMPT, num_images_per_prompt=18, seed=0, num_inference_steps=1, size=16, variety=0.5
    )
    together = [(each.recipe.first_seed, each.recipe.together) for each in made]
    assert together == [(0, 16)] * 16 + [(16, 2)] * 2


def test_callback_after_each_step(pipeline: Pipeline) -> None:
    seen: list[Step] = []
    pictures = pipeline(
        PROMPT,
        num_images_per_prompt=5,
        num_inference_steps=3,
        size=16,
        callback_on_step_end=seen.append,
    )
    assert [(step.done, step.total) for step in seen] == [(k, 6) for k in range(1, 7)]
    assert [step.preview.shape for step in seen] == [(4, 3, 16, 16)] * 3 + [(1, 3, 16, 16)] * 3
    assert to_image(seen[-1].preview[0]).tobytes() == pictures[-1].image.tobytes()


def test_pictures_come_as_they_are_made(pipeline: Pipeline) -> None:
    seen: list[Step] = []
    stream = pipeline.stream(
        PROMPT, num_images_per_prompt=5, num_inference_steps=3, callback_on_step_end=seen.append
    )
    assert seen == []
    next(stream)
    assert len(seen) == 3


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"prompt": ""}, "prompt is empty"),
        ({"prompt": " \n"}, "prompt is empty"),
        ({"prompt": []}, "no prompt"),
        ({"prompt": [PROMPT, ""]}, "prompt is empty"),
        ({"prompt": "cats on bikes"}, "knows no word of 'cats on bikes'"),
        ({"prompt": "🎸🚀"}, "knows no word"),
        ({"prompt": "宇航员 " * 1000}, r"knows no word of .{60,80}\.\.\."),
        ({"num_images_per_prompt": 0}, "at least 1, not 0"),
        ({"seed": -1}, f"seeds should lie from 0 to {2**64 - 1}, not be -1."),
        ({"seed": 2**64}, "seeds should lie from 0"),
        ({"seed": 2**64 - 1, "num_images_per_prompt": 2}, "seeds should lie from 0"),
        ({"num_inference_steps": 0}, "from 1 to 1000, not 0"),
        ({"num_inference_steps": 10**12}, "from 1 to 1000"),
        ({"guidance_scale": -0.1}, "from 0 to 30, not -0.1"),
        ({"guidance_scale": float("nan")}, "from 0 to 30, not nan"),
        ({"guidance_scale": 31}, "from 0 to 30"),
        ({"guidance_scale": "3"}, "guidance_scale should be a number, not '3'"),
        ({"guidance_scale": None}, "guidance_scale should be a number, not None"),
        ({"guidance_scale": 10**400}, "guidance_scale should be a number"),
        ({"variety": "much"}, "variety should be a number, not 'much'"),
        ({"size": 20}, "it draws 16, 32 or 64 pixels"),
        ({"size": 0}, "it draws 16, 32 or 64 pixels"),
        ({"size": 64.0}, "size should be a whole number, not 64.0"),
        ({"seed": 1.5}, "seed should be a whole number, not 1.5"),
        ({"seed": True}, "seed should be a whole number, not True"),
        ({"num_images_per_prompt": 10**8}, "100,000,000 pictures are more than 100,000"),
        ({"prompt": [PROMPT] * 101, "num_images_per_prompt": 1000}, "ask for them in parts"),
        ({"seed": 0.0}, "seed should be a whole number, not 0.0"),
        ({"num_inference_steps": 1.0}, "num_inference_steps should be a whole number, not 1.0"),
        ({"upscale": 1.0}, "upscale should be a whole number, not 1.0"),
        ({"num_images_per_prompt": "2"}, "should be a whole number, not '2'"),
        ({"prompt": [PROMPT, 3]}, "should be text, not 3"),
        ({"negative_prompt": ["a harp"]}, "should be text"),
        ({"sampler": "ddim"}, "no sampler 'ddim'"),
        ({"variety": 1.5}, "from 0 to 1, not 1.5"),
        ({"variety": float("nan")}, "from 0 to 1"),
        ({"strength": 0.5}, "needs a picture to begin from"),
        ({"mask_image": "mask.png"}, "needs a picture to begin from"),
        ({"image": Image.new("RGB", (9, 9)), "strength": 0}, "above 0 and at most 1, not 0"),
        ({"image": Image.new("RGB", (9, 9)), "strength": 1e-17}, "above 0 and at most 1, not 1e"),
        ({"image": Image.new("RGB", (9, 9)), "strength": "half"}, "strength should be a number"),
        ({"image": Image.new("RGB", (9, 9)), "strength": 2}, "above 0 and at most 1, not 2"),
    ],
)
def test_requests_that_cannot_be_drawn(
    pipeline: Pipeline, arguments: dict[str, object], sentence: str
) -> None:
    """One sentence, and before anything is drawn."""
    with pytest.raises(RequestError, match=sentence) as caught:
        pipeline.stream(**{"prompt": PROMPT, **arguments})  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_pictures_to_begin_from_that_cannot_be_used(pipeline: Pipeline, tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="no such file"):
        pipeline.stream(PROMPT, image=tmp_path / "missing.png")
    (tmp_path / "mask.png").write_text("white")
    with pytest.raises(PictureError, match="no picture"):
        pipeline.stream(PROMPT, image=Image.new("RGB", (9, 9)), mask_image=tmp_path / "mask.png")


def test_numbers_of_numpy_and_no_negative_prompt(pipeline: Pipeline) -> None:
    [first] = pipeline(PROMPT, seed=3, num_inference_steps=1, size=16)
    [again] = pipeline(
        PROMPT,
        None,
        num_images_per_prompt=np.int64(1),  # type: ignore[arg-type]
        seed=np.int64(3),  # type: ignore[arg-type]
        num_inference_steps=np.int32(1),  # type: ignore[arg-type]
        size=np.int64(16),  # type: ignore[arg-type]
    )
    assert again.image == first.image
    assert again.recipe.as_json == first.recipe.as_json


def test_a_picture_too_long_for_a_jpeg_replaces_no_other(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    [short] = pipeline(PROMPT, seed=3, num_inference_steps=1, size=16)
    [long] = pipeline(PROMPT + " 宇宙" * 9000, seed=3, num_inference_steps=1, size=16)
    kept = short.save(tmp_path / "k.png").read_bytes()
    with pytest.raises(PictureError, match=r"k\.png is there already"):
        long.save(tmp_path / "k.jpg")
    assert [path.name for path in tmp_path.iterdir()] == ["k.png"]
    assert (tmp_path / "k.png").read_bytes() == kept
    assert long.save(tmp_path / "l.jpg") == tmp_path / "l.png"


def test_an_endless_prompt_is_a_picture(pipeline: Pipeline) -> None:
    [picture] = pipeline("harp " * 100_000, num_inference_steps=1)
    assert picture.image.size == (64, 64)


def test_folders_that_are_no_models(model_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such folder"):
        rocketman.load(tmp_path / "missing")
    with pytest.raises(ModelError, match="lacks"):
        rocketman.load(tmp_path)
    copy = shutil.copytree(model_folder, tmp_path / "copy")
    (copy / "network.onnx").write_bytes(b"not a network")
    with pytest.raises(ModelError, match="a network that onnxruntime cannot load"):
        rocketman.load(copy)
    shutil.copy(model_folder / "network.onnx", copy)
    whole = (copy / "model.safetensors").read_bytes()
    (copy / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match="damaged or another model's"):
        rocketman.load(copy)
    (copy / "model.safetensors").write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ModelError, match="damaged or another model's"):
        rocketman.load(copy)
    (copy / "model.safetensors").write_bytes(whole)
    config = (copy / "config.toml").read_text()
    (copy / "config.toml").write_text(re.sub("image_size = [0-9]+", "image_size = 24", config))
    with pytest.raises(ModelError, match="image_size = 24, but its network draws"):
        rocketman.load(copy)
    (copy / "config.toml").write_text(config.replace("condition = true", "condition = false"))
    with pytest.raises(ModelError, match="takes guess, t, tokens, x, not t, tokens, x"):
        rocketman.load(copy)
    (copy / "config.toml").write_text(config.replace("vocabulary = [", 'vocabulary = ["zither", '))
    with pytest.raises(ModelError, match="more than its network reads"):
        rocketman.load(copy)
    (copy / "config.toml").write_text(config)
    shutil.copy(model_folder / "network.onnx", copy / "detail.onnx")
    with pytest.raises(ModelError, match=r"detail\.onnx is another network"):
        rocketman.load(copy)


def test_generating_imports_no_torch(model_folder: Path) -> None:
    program = f"""
import sys
from rocketman import load
load({str(model_folder)!r})("a harp", num_inference_steps=1)
assert "torch" not in sys.modules
assert "onnx" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)

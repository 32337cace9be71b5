"""Pictures begun from others, variations, walks: what the network is given, what comes of it."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import rocketman
from rocketman import Pipeline, RequestError, sampling
from rocketman.generate import Picture, Step
from rocketman.painter import crisper, to_image
from rocketman.provenance import picture

PROMPT = "an astronaut in a white suit playing a harp above mars"
OTHER = "a drum above the moon"


@pytest.fixture(scope="module")
def pipeline(model_folder: Path) -> Pipeline:
    return rocketman.load(model_folder)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A landscape of 90 x 60 pixels."""
    Image.effect_noise((9, 6), 90).convert("RGB").resize((90, 60)).save(tmp_path / "photo.jpg")
    return tmp_path / "photo.jpg"


@pytest.fixture
def mask(tmp_path: Path) -> Path:
    """White on its left half."""
    image = Image.new("L", (60, 60))
    image.paste(255, (0, 0, 30, 60))
    image.save(tmp_path / "mask.png")
    return tmp_path / "mask.png"


def distance(a: Picture, b: Picture) -> float:
    difference = np.asarray(a.image, np.float64) - np.asarray(b.image, np.float64)
    return float(np.sqrt(np.square(difference).mean()))


def again(pipeline: Pipeline, made: Picture, folder: Path, **files: Any) -> Picture:
    """The picture drawn once more from what its file says."""
    recipe = picture.read(made.save(folder / "made.png"))
    assert recipe == made.recipe
    return pipeline.redo(recipe, **files)


# --- begun from a picture ---------------------------------------------------------------------


def test_begun_from_a_picture(pipeline: Pipeline, photo: Path, tmp_path: Path) -> None:
    seen: list[Step] = []
    [made] = pipeline(
        PROMPT, seed=3, num_inference_steps=5, image=photo, strength=0.6,
        callback_on_step_end=seen.append,
    )  # fmt: skip
    assert [(step.done, step.total) for step in seen] == [(1, 3), (2, 3), (3, 3)]
    recipe = made.recipe
    assert (len(recipe.init), recipe.mask, recipe.strength) == (64, "", 0.6)
    assert recipe.num_inference_steps == 5
    assert again(pipeline, made, tmp_path, image=photo).image.tobytes() == made.image.tobytes()
    with pytest.raises(RequestError, match=f"--init; its SHA-256 is {recipe.init}"):
        pipeline.redo(recipe)
    with pytest.raises(RequestError, match="--init is not the file"):
        pipeline.redo(recipe, image=Image.new("RGB", (9, 9)))
    [default] = pipeline(PROMPT, seed=3, num_inference_steps=5, image=photo)
    assert default.recipe.strength == 0.7


def test_it_starts_on_the_path(pipeline: Pipeline, photo: Path) -> None:
    """The whole way by hand: what the network is first given, and at which times."""
    asked: list[tuple[sampling.Array, float]] = []
    session = pipeline._painter.session

    class Spy:
        def run(self, names: None, feed: dict[str, Any]) -> Any:
            asked.append((feed["x"][0], float(feed["t"][0])))
            return session.run(names, feed)

    spied = Pipeline(pipeline.model)
    spied._painter.session = Spy()
    spied(PROMPT, seed=3, num_inference_steps=4, image=photo, strength=0.5, guidance_scale=1)
    with Image.open(photo) as image:
        square = image.crop((15, 0, 75, 60)).resize((16, 16), Image.Resampling.LANCZOS)
    clean = np.asarray(square, np.float32).transpose(2, 0, 1) / 127.5 - 1
    noise = sampling.noise(3, (3, 16, 16)) * np.float32(pipeline.model.noise_scale)
    np.testing.assert_allclose(asked[0][0], 0.5 * clean + 0.5 * noise, atol=0.02)
    assert [t for _, t in asked] == pytest.approx([sampling.told_time(t) for t in (0.5, 0.75)])


def test_at_strength_one_nothing_is_left_of_it(pipeline: Pipeline, photo: Path) -> None:
    [begun] = pipeline(PROMPT, seed=3, num_inference_steps=3, image=photo, strength=1)
    [plain] = pipeline(PROMPT, seed=3, num_inference_steps=3)
    assert begun.image.tobytes() == plain.image.tobytes()


def test_repainted(pipeline: Pipeline, photo: Path, mask: Path, tmp_path: Path) -> None:
    """Black keeps the picture's own pixels at full size, white is drawn anew."""
    [made] = pipeline(PROMPT, seed=3, num_inference_steps=3, image=photo, mask_image=mask)
    assert (made.recipe.strength, len(made.recipe.mask)) == (1.0, 64)
    with Image.open(photo) as image:
        square = np.asarray(
            image.crop((15, 0, 75, 60)).resize((64, 64), Image.Resampling.LANCZOS, reducing_gap=3)
        )
    drawn = np.asarray(made.image)
    np.testing.assert_array_equal(drawn[:, 32:], square[:, 32:])
    assert np.abs(drawn[:, :28].astype(int) - square[:, :28]).mean() > 5
    files = {"image": photo, "mask_image": mask}
    assert again(pipeline, made, tmp_path, **files).image.tobytes() == made.image.tobytes()
    with pytest.raises(RequestError, match="give that file with --mask"):
        pipeline.redo(made.recipe, image=photo)


def test_credentials_name_what_it_was_begun_from(
    pipeline: Pipeline, photo: Path, mask: Path, tmp_path: Path
) -> None:
    import c2pa

    wanted = {
        None: ("trainedAlgorithmicMedia", "begun from another picture"),
        mask: ("compositeWithTrainedAlgorithmicMedia", "Part of a picture"),
    }
    for over, (source_type, sentence) in wanted.items():
        [made] = pipeline(PROMPT, seed=3, num_inference_steps=2, image=photo, mask_image=over)
        path = made.save(tmp_path / "made.png")
        with c2pa.Reader(str(path)) as reader:
            report = json.loads(reader.json())
        manifest = report["manifests"][report["active_manifest"]]
        [ingredient] = manifest["ingredients"]
        assert ingredient["relationship"] == "inputTo"
        assert ingredient["format"] == "image/jpeg"
        text = json.dumps(manifest)
        assert f"/{source_type}" in text
        assert sentence in text
        assert made.recipe.init in text
        assert "photo.jpg" not in text, "a file's name is nobody's business"
        with Image.open(path) as image:
            assert f"/{source_type}".encode() in image.info["xmp"]


# --- variations -------------------------------------------------------------------------------


def test_variations_are_siblings(pipeline: Pipeline, tmp_path: Path) -> None:
    [base] = pipeline(PROMPT, seed=3, num_inference_steps=3)

    def mean(strength: float) -> float:
        made = list(pipeline.vary(base.recipe, 3, strength, seed=8))
        assert [each.recipe.variations for each in made] == [
            ((seed, strength),) for seed in (8, 9, 10)
        ]
        return float(np.mean([distance(base, each) for each in made]))

    assert mean(0.0) == 0
    assert 0 < mean(0.2) < mean(0.5) < mean(1.0)
    [made] = pipeline.vary(base.recipe, seed=9)
    assert again(pipeline, made, tmp_path).image.tobytes() == made.image.tobytes()
    [second] = pipeline.vary(made.recipe, seed=9)
    assert second.recipe.variations == ((9, 0.5), (9, 0.5))
    assert second.image.tobytes() != made.image.tobytes()
    assert again(pipeline, second, tmp_path).image.tobytes() == second.image.tobytes()
    seeds = {each.recipe.variations[0][0] for _ in range(3) for each in pipeline.vary(base.recipe)}
    assert len(seeds) == 3, "without a seed one is drawn, and recorded"


def test_variations_of_pictures_drawn_apart(pipeline: Pipeline, tmp_path: Path) -> None:
    made = pipeline(PROMPT, num_images_per_prompt=3, seed=5, num_inference_steps=4, variety=1.0)
    [same] = pipeline.vary(made[1].recipe, strength=0.0, seed=8)
    assert same.image.tobytes() == made[1].image.tobytes()
    [other] = pipeline.vary(made[1].recipe, seed=8)
    assert other.image.tobytes() != made[1].image.tobytes()
    assert again(pipeline, other, tmp_path).image.tobytes() == other.image.tobytes()


def test_variations_of_a_picture_begun_from_another(pipeline: Pipeline, photo: Path) -> None:
    [base] = pipeline(PROMPT, seed=3, num_inference_steps=3, image=photo)
    [other] = pipeline.vary(base.recipe, seed=8, image=photo)
    assert other.image.tobytes() != base.image.tobytes()
    assert other.recipe.init == base.recipe.init
    with pytest.raises(RequestError, match="--init"):
        pipeline.vary(base.recipe, seed=8)


# --- walks ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("to_prompt", "to_seed"), [(OTHER, None), (None, 8), (OTHER, 8)], ids=["prompt", "seed", "both"]
)
def test_a_walk_is_smooth(
    pipeline: Pipeline, tmp_path: Path, to_prompt: str | None, to_seed: int | None
) -> None:
    made = list(pipeline.walk(PROMPT, to_prompt, 9, seed=3, to_seed=to_seed, num_inference_steps=3))
    [first] = pipeline(PROMPT, seed=3, num_inference_steps=3)
    [last] = pipeline(to_prompt or PROMPT, seed=to_seed or 3, num_inference_steps=3)
    assert made[0].image.tobytes() == first.image.tobytes()
    assert made[-1].image.tobytes() == last.image.tobytes()
    assert made[0].recipe == first.recipe
    way = distance(first, last)
    parts = [distance(a, b) for a, b in itertools.pairwise(made)]
    assert min(parts) > 0
    assert max(parts) < way / 2
    assert again(pipeline, made[4], tmp_path).image.tobytes() == made[4].image.tobytes()


def test_half_way_the_clean_pictures_are_mixed(pipeline: Pipeline) -> None:
    """One step is the network's guided clean picture itself, so it can be mixed by hand."""
    walk = {"num_inference_steps": 1, "size": 16, "seed": 3}
    a, half, b = pipeline.walk(PROMPT, OTHER, 3, **walk)  # type: ignore[arg-type]
    seen: list[sampling.Array] = []
    for recipe in (a.recipe, half.recipe, b.recipe):
        pipeline.redo(recipe, lambda step: seen.append(step.preview[0]))
    np.testing.assert_allclose(seen[1], (seen[0] + seen[2]) / 2, atol=1e-4)
    assert half.image.tobytes() == to_image(seen[1]).tobytes()


def test_walks_name_words_of_both_prompts(pipeline: Pipeline) -> None:
    _, half, _ = pipeline.walk("a harp, a cat", "a drum, a dog", 3, seed=3, num_inference_steps=1)
    assert half.recipe.unknown_words == ("cat", "dog")
    [again] = pipeline.draw([replace(half.recipe, unknown_words=())])
    assert again.recipe == half.recipe


def test_walks_that_lead_nowhere(pipeline: Pipeline) -> None:
    with pytest.raises(RequestError, match="another prompt or another seed"):
        pipeline.walk(PROMPT, seed=3)
    with pytest.raises(RequestError, match="knows no word of 'cats'"):
        pipeline.walk(PROMPT, "cats", seed=3)
    with pytest.raises(RequestError, match="seeds should lie"):
        pipeline.walk(PROMPT, seed=3, to_seed=-1)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"seed": 1.5}, "seed should be a whole number, not 1.5"),
        ({"to_seed": 8.0}, "seed should be a whole number, not 8.0"),
        ({"num_inference_steps": 1.0}, "num_inference_steps should be a whole number, not 1.0"),
        ({"size": 16.0}, "size should be a whole number, not 16.0"),
        ({"num_frames": 3.5}, "num_frames should be a whole number, not 3.5"),
        ({"negative_prompt": 3}, "should be text, not 3"),
        ({"to_prompt": 3}, "should be text, not 3"),
    ],
)
def test_walks_of_wrong_types(
    pipeline: Pipeline, arguments: dict[str, object], sentence: str
) -> None:
    """They would be drawn, and saved in files that could not be read again."""
    with pytest.raises(RequestError, match=sentence):
        pipeline.walk(**{"prompt": PROMPT, "to_prompt": OTHER, **arguments})  # type: ignore[arg-type]


def test_edges_grow_steeper_and_no_rims_grow_beside_them() -> None:
    step = (0.5 * np.tanh(np.arange(16) - 7.5)).astype(np.float32)  # an edge, somewhat soft
    edge = np.broadcast_to(step, (3, 16, 16))
    for soft in (edge, edge.transpose(0, 2, 1)):
        crisp = crisper(soft)
        slope = np.abs(np.diff(crisp, axis=2)).max() + np.abs(np.diff(crisp, axis=1)).max()
        assert slope > 1.1 * np.diff(step).max()
        assert np.abs(crisp).max() <= 0.5
    flat = np.full((3, 8, 8), 0.3, np.float32)
    np.testing.assert_allclose(crisper(flat), flat, atol=1e-6)
    noise = sampling.noise(1, (3, 16, 16))
    mirrored = crisper(noise[:, :, ::-1])[:, :, ::-1]
    np.testing.assert_allclose(mirrored, crisper(noise), atol=1e-6)

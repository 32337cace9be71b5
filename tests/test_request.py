"""What is asked for, as recipes: counted, checked, named so that each can be drawn again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rocketman import request
from rocketman.provenance.recipe import Recipe
from rocketman.request import RequestError

BASE = Recipe(
    prompt="a harp",
    seed=5,
    sampler="euler",
    num_inference_steps=4,
    guidance_scale=2.0,
    width=64,
    height=64,
    model="tiny",
    model_hash="0123456789ab",
    version="0.1.0",
)
BEGUN = replace(BASE, init="ab" * 32, strength=0.5)


def test_recipes_count_seeds_on_from_prompt_to_prompt() -> None:
    made = request.recipes(BASE, [("a harp", ()), ("a cat", ("cat",))], 2)
    assert [(each.prompt, each.seed, each.unknown_words) for each in made] == [
        ("a harp", 5, ()), ("a harp", 6, ()), ("a cat", 5, ("cat",)), ("a cat", 6, ("cat",)),
    ]  # fmt: skip
    assert {(each.first_seed, each.together) for each in made} == {(0, 1)}


def test_variations_are_mixed_in_one_after_another() -> None:
    first, second = request.variations(BASE, 2, 0.25, 8)
    assert first == replace(BASE, variations=((8, 0.25),))
    assert second == replace(BASE, variations=((9, 0.25),))
    [again] = request.variations(second, 1, 1, 3)
    assert again.variations == ((9, 0.25), (3, 1.0))


def test_a_walk_begins_and_ends_with_plain_pictures() -> None:
    last = replace(BASE, prompt="a drum", seed=9)
    made = request.walk(BASE, last, 5)
    assert (made[0], made[-1]) == (BASE, last)
    assert [each.share for each in made[1:-1]] == [0.25, 0.5, 0.75]
    assert {(each.prompt, each.to_prompt, each.seed, each.to_seed) for each in made[1:-1]} == {
        ("a harp", "a drum", 5, 9)
    }
    assert request.walk(BASE, last, 2) == [BASE, last]


def test_batches() -> None:
    plain = request.recipes(BASE, [("a harp", ())], 6)
    assert [len(batch.recipes) for batch in request.batches(plain)] == [4, 2]
    assert request.alone(plain[3]) == request.Batch((plain[3],), (0,))
    apart = request.recipes(replace(BASE, variety=1.0, first_seed=5), [("a harp", ())], 18)
    assert [len(batch.recipes) for batch in request.batches(apart)] == [16, 2]
    assert request.alone(apart[17]) == request.Batch((apart[16], apart[17]), (1,))


def test_a_variation_is_drawn_beside_the_same_others() -> None:
    """With variety a picture depends on its neighbours: they stay what they were."""
    apart = request.recipes(replace(BASE, variety=1.0, first_seed=5), [("a harp", ())], 3)
    [variation] = request.variations(apart[1], 1, 0.3, 8)
    batch = request.alone(variation)
    assert batch.recipes == (apart[0], variation, apart[2])
    assert batch.wanted == (1,)


@pytest.mark.parametrize(
    ("recipe", "sentence"),
    [
        (replace(BASE, strength=0.5), "needs a picture to begin from"),
        (replace(BEGUN, strength=0.0), "above 0 and at most 1, not 0: at 0 nothing"),
        (replace(BEGUN, strength=1.1), "at most 1, not 1.1"),
        (replace(BEGUN, strength=float("nan")), "at most 1, not nan"),
        (replace(BASE, variations=((5, 1.1),)), "strength of a variation should be from 0 to 1"),
        (replace(BASE, variations=((-1, 0.1),)), "seeds should lie from 0"),
        (replace(BASE, variations=((1, 0.1),) * 101), "After 100 variations"),
        (replace(BASE, share=-0.1), "from 0 to 1"),
        (replace(BASE, share=0.5, to_seed=2**64), "seeds should lie from 0"),
        (replace(BASE, variety=0.5, first_seed=6), "recipe is damaged"),
        (replace(BASE, variety=0.5, first_seed=5, together=17), "recipe is damaged"),
        (replace(BASE, seed=0, variety=0.5, first_seed=-1, together=2), "seeds should lie from 0"),
    ],
)
def test_recipes_that_cannot_be_drawn(recipe: Recipe, sentence: str) -> None:
    request.check(BASE)
    request.check(BEGUN)
    with pytest.raises(RequestError, match=sentence):
        request.check(recipe)


def test_requests_that_lead_nowhere() -> None:
    with pytest.raises(RequestError, match="another prompt or another seed"):
        request.walk(BASE, BASE, 5)
    for frames in (1, 1001):
        with pytest.raises(RequestError, match=f"from 2 to 1000, not {frames}"):
            request.walk(BASE, replace(BASE, seed=6), frames)
    with pytest.raises(RequestError, match="at least 1, not 0"):
        request.variations(BASE, 0, 0.5, 1)
    with pytest.raises(RequestError, match="should be from 0 to 1"):
        request.variations(BASE, 1, 1.5, 1)
    with pytest.raises(RequestError, match="seeds should lie"):
        request.variations(BASE, 2, 0.5, 2**64 - 1)
    with pytest.raises(RequestError, match=r"num_images should be a whole number, not 1\.5"):
        request.variations(BASE, 1.5, 0.5, 1)  # type: ignore[arg-type]
    with pytest.raises(RequestError, match=r"seed should be a whole number, not 1\.5"):
        request.variations(BASE, 1, 0.5, 1.5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("init", "mask", "sentence"),
    [
        ("", "", "begun from another picture.*give that file with --init; its SHA-256 is aa"),
        ("bb", "", "--init is not the file.*: its SHA-256 is bb, not aa"),
        ("aa", "", "drawn within a mask.*--mask; its SHA-256 is cc"),
        ("aa", "dd", "--mask is not the file.*: its SHA-256 is dd, not cc"),
    ],
)
def test_files_that_a_recipe_needs(init: str, mask: str, sentence: str) -> None:
    recipe = replace(BASE, init="aa", mask="cc")
    request.check_start(recipe, "aa", "cc")
    request.check_start(BASE, "", "")
    with pytest.raises(RequestError, match=sentence):
        request.check_start(recipe, init, mask)
    with pytest.raises(RequestError, match="without --init: leave that out"):
        request.check_start(BASE, "aa", "")

"""A recipe as JSON, which never changes for a picture once made, and as A1111 writes it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from rocketman.provenance.recipe import LATER, Recipe, from_json

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
FULL = replace(
    RECIPE,
    variations=((2**64 - 1, 0.25), (5, 1.0)),
    to_prompt="a drum, above the moon",
    to_seed=2**63,
    share=0.5,
    init="ab" * 32,
    mask="cd" * 32,
    strength=0.6,
    upscale=2,
    upscaler="someone's",
)


def test_json_comes_back() -> None:
    for recipe in (RECIPE, FULL):
        assert from_json(json.loads(recipe.as_json)) == recipe


def test_parts_that_came_later_change_no_older_recipe() -> None:
    """The mark in the pixels is made of this text: it must be what it was, to the letter."""
    assert RECIPE.as_json == (
        '{"prompt": "an astronaut in a white suit playing a harp above mars", '
        '"negative_prompt": "a drum", "seed": 7, "sampler": "dpm_solver_2m", '
        '"num_inference_steps": 20, "guidance_scale": 3.0, "width": 64, "height": 64, '
        '"model": "astronauts", "model_hash": "0123456789ab", "version": "0.1.0", '
        '"data_hash": "", "unknown_words": ["cat"], "variety": 0.0, "first_seed": 0, '
        '"together": 1}'
    )
    assert set(LATER) <= set(json.loads(FULL.as_json))


def test_recipe_of_a_later_version() -> None:
    table = {**json.loads(RECIPE.as_json), "second_stage": "x2"}
    assert from_json(table) == RECIPE


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seed", "one"),
        ("seed", True),
        ("share", "half"),
        ("variations", 5),
        ("variations", [5]),
        ("variations", [[5]]),
        ("variations", [[5, "half"]]),
        ("variations", [[True, 0.5]]),
        ("variations", [[5, True]]),
        ("variations", [[5, 10**400]]),
        ("init", None),
        pytest.param("seed", 2**64, id="seed-2**64"),
        pytest.param("share", 10**400, id="share-400 digits"),
        ("share", float("nan")),
    ],
)
def test_damaged(key: str, value: object) -> None:
    with pytest.raises(ValueError, match=r"seed|share|variations|init"):
        from_json({**json.loads(RECIPE.as_json), key: value})


def test_separators_in_values_are_quoted() -> None:
    last = replace(RECIPE, model='mine: "second", try').parameters.splitlines()[-1]
    assert r'Model: "mine: \"second\", try", RNG: CPU' in last


def test_what_came_later_in_a1111s_words() -> None:
    last = FULL.parameters.splitlines()[-1]
    assert 'Variations: "18446744073709551615:0.25,5:1"' in last
    assert 'To prompt: "a drum, above the moon", To seed: 9223372036854775808, Share: 0.5' in last
    assert f"Denoising strength: 0.6, Init image hash: {'ab' * 32}, Mask hash: {'cd' * 32}" in last

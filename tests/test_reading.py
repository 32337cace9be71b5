"""Prompts of any words, in words that a model knows."""

from __future__ import annotations

import pytest

from rocketman import captions, reading

SIX = tuple(
    captions.words(
        "a above an astronaut at beside blue drum earth guitar harp in keyboard mars moon night "
        "orange playing red saxophone suit the trumpet white"
    )
)
"""The vocabulary of the first model."""


@pytest.mark.parametrize(
    ("prompt", "full", "six"),
    [
        (
            "a spaceman playing a uke",
            "a spaceman playing a ukulele",
            "an astronaut playing a guitar",
        ),
        ("brass band, above mars", "trumpet above mars", "trumpet above mars"),
        ("a harp over the red planet", "a harp above mars", "a harp above mars"),
        ("a harp on the red planet", "a harp above mars", "a harp above mars"),
        ("a harp at daybreak", "a harp at sunrise", "a harp at daybreak"),
        ("in a scarlet space suit", "in a red suit", "in a red suit"),
        ("in a gray suit", "in a grey suit", "in a white suit"),
        ("next to the ISS", "beside a space station", "beside the iss"),
        ("the lunar surface", "above the moon", "above the moon"),
        ("night lights", "the earth at night", "the earth at night"),
        ("a piano keyboard", "a keyboard", "a keyboard"),
        ("a grand piano", "a grand piano", "a keyboard"),
        ("an electric guitar", "an electric guitar", "a guitar"),
        ("a saxaphone", "a saxophone", "a saxophone"),
        ("an accordian", "an accordion", "an accordian"),
        ("two harps", "two harp", "two harp"),
        ("a harpist", "an astronaut playing a harp", "an astronaut playing a harp"),
        ("a harp in space", "a harp among the stars", "a harp"),
        ("a harp in space above mars", "a harp above mars", "a harp above mars"),
        ("a harp, while cats range", "a harp while cats range", "a harp while cats range"),
        (
            "a man with a sax",
            "an astronaut playing a saxophone",
            "an astronaut playing a saxophone",
        ),
        ("an astronaut with a cat", "an astronaut with a cat", "an astronaut with a cat"),
        ("a cosmonaut with a harp", "a cosmonaut playing a harp", "an astronaut playing a harp"),
        ("a harp with a drum", "a harp with a drum", "a harp with a drum"),
        ("", "", ""),
    ],
)
def test_a_prompt_in_the_words_of_a_model(prompt: str, full: str, six: str) -> None:
    assert reading.canonical(prompt, captions.vocabulary())[0] == full
    assert reading.canonical(prompt, SIX)[0] == six


def test_a_picture_has_room_for_one_of_each() -> None:
    known = captions.vocabulary()
    text = "a red spaceman with a uke and an electric guitar, mars and the moon, above mars"
    assert reading.rivals(text, known) == [("ukulele", "electric guitar")]
    text = "a blue astronaut in a red suit playing a drum kit above the moon over mars"
    assert reading.rivals(text, known) == [("blue", "red"), ("above the moon", "above mars")]
    assert reading.rivals("a drum kit and a guitar", SIX) == [("drum", "guitar")]


def test_what_was_read_as_what() -> None:
    text, read = reading.canonical("Spaceman, spaceman with an UKE in space over mars!", SIX)
    assert text == "astronaut astronaut playing a guitar above mars"
    assert read == (
        ("spaceman", "astronaut"),
        ("uke", "guitar"),
        ("in space", ""),
        ("over mars", "above mars"),
        ("with", "playing"),
    )


@pytest.mark.parametrize("vocabulary", [captions.vocabulary(), SIX, ("harp",), ()])
def test_synonyms_lead_to_known_words_only(vocabulary: tuple[str, ...]) -> None:
    for phrase, target in reading.synonyms(vocabulary).items():
        assert captions.unknown_words(target, vocabulary) == []
        assert captions.words(phrase) == phrase.split(), phrase
        assert phrase != target


def test_every_synonym_leads_to_words_of_the_grammar() -> None:
    table = captions.package_toml("synonyms.toml")
    assert set(table) == {"same", "near", "backdrop"}
    for entries in table.values():
        for target, phrases in entries.items():
            assert captions.unknown_words(target, captions.vocabulary()) == [], target
            assert len(phrases) == len(set(phrases)), target


def test_nearest_known_words() -> None:
    assert reading.nearest(["gitarre", "cat", "trompete"], SIX) == ["guitar", "trumpet"]


def test_an_endless_prompt_is_read_in_time() -> None:
    endless = " ".join(f"word{number}" for number in range(20_000))
    assert reading.canonical(endless, captions.vocabulary())[0] == endless

"""Lines that stand for many prompts."""

from __future__ import annotations

import pytest

from rocketman import captions
from rocketman.prompts import MOST, PromptError, expand, known_levels, wildcards

CARDS = {"suits": ("red", "orange"), "instruments": ("harp", "drum kit")}


@pytest.mark.parametrize(
    ("line", "prompts"),
    [
        ("a harp above mars", ["a harp above mars"]),
        ("a {harp|drum} above mars", ["a harp above mars", "a drum above mars"]),
        ("{a|b}{c|d}", ["ac", "ad", "bc", "bd"]),
        ("a {big {harp|drum}|guitar}", ["a big harp", "a big drum", "a guitar"]),
        ("a harp{| above mars}", ["a harp", "a harp above mars"]),
        ("a {__suits__} suit", ["a red suit", "an orange suit"]),
        ("a __Instruments__", ["a harp", "a drum kit"]),
        ("a {accordion|ukulele}", ["an accordion", "a ukulele"]),
    ],
)
def test_every_combination_in_order(line: str, prompts: list[str]) -> None:
    assert expand(line, CARDS) == prompts


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("a {harp", "without its }"),
        ("a harp}", "without its {"),
        ("a } and {", "without its {"),
        ("a __instrumets__", "did you mean __instruments__"),
        ("a __xyz__", "known: suits"),
        ("{a|b|c|d}" * 6, str(MOST)),
        ("{a}" * 1200, "may hold 100"),
        ("{" * 1200 + "}" * 1200, "may hold 100"),
    ],
)
def test_lines_that_cannot_be_read(line: str, sentence: str) -> None:
    with pytest.raises(PromptError, match=sentence):
        expand(line, CARDS)


def test_wildcards_are_what_a_model_knows() -> None:
    words = tuple(captions.words("a red suit harp drum above mars"))
    assert wildcards(words) == {
        "suits": ("red",),
        "instruments": ("harp", "drum"),
        "places": ("above mars",),
        "shots": (),
    }
    assert wildcards(captions.vocabulary())["shots"] == ("medium", "close", "wide")
    with pytest.raises(PromptError, match="known: suits, instruments, places\\."):
        expand("__cats__", wildcards(words))
    assert known_levels(captions.vocabulary())["suit"] == captions.SUITS

"""The grammar, the split and the tokens: names that data sets and models are held to."""

from __future__ import annotations

from collections import Counter
from itertools import product

import pytest

from rocketman import captions
from rocketman.captions import FACTORS, INSTRUMENTS, PLACES, RELATIONS, SUITS, Factors
from rocketman.reading import canonical

# The levels of the first day. Later issues add some; this test keeps these as they were written.
FIRST = {
    "suit": {"white", "orange", "blue", "red"},
    "instrument": {"guitar", "harp", "trumpet", "drum", "keyboard", "saxophone"},
    "place": {"above the blue earth", "above the earth at night", "above the moon", "above mars"},
    "relation": {"playing", "beside", "instrument alone", "astronaut alone"},
}
PAIRS = list(product(SUITS, INSTRUMENTS))
PLAYED = [pair for pair in PAIRS if pair[1] not in captions.unplayed()]


def every_picture() -> list[Factors]:
    pictures = []
    for place in PLACES:
        pictures += [
            Factors(relation=relation, place=place, suit=suit, instrument=instrument)
            for relation in ("playing", "beside")
            for suit, instrument in PAIRS
        ]
        pictures += [
            Factors(relation="instrument alone", place=place, instrument=instrument)
            for instrument in INSTRUMENTS
        ]
        pictures += [Factors(relation="astronaut alone", place=place, suit=suit) for suit in SUITS]
    return pictures


def test_no_level_was_renamed() -> None:
    for factor, levels in FIRST.items():
        assert levels <= set(FACTORS[factor])


@pytest.mark.parametrize(
    ("factors", "caption"),
    [
        (
            Factors(
                relation="playing", place="above the blue earth", suit="white", instrument="harp"
            ),
            "an astronaut in a white suit playing a harp above the blue earth",
        ),
        (
            Factors(relation="beside", place="above mars", suit="orange", instrument="drum"),
            "an astronaut in an orange suit beside a drum above mars",
        ),
        (
            Factors(relation="instrument alone", place="above the moon", instrument="guitar"),
            "a guitar above the moon",
        ),
        (
            Factors(relation="astronaut alone", place="above the earth at night", suit="red"),
            "an astronaut in a red suit above the earth at night",
        ),
    ],
)
def test_grammar(factors: Factors, caption: str) -> None:
    assert factors.caption == caption


def test_each_picture_has_a_caption_of_its_own_that_fits() -> None:
    pictures = every_picture()
    assert {picture.relation for picture in pictures} == set(RELATIONS)
    assert len({picture.caption for picture in pictures}) == len(pictures)
    for picture in pictures:
        found = captions.words(picture.caption)
        assert len(found) <= captions.CONTEXT_LENGTH
        assert captions.unknown_words(picture.caption, captions.vocabulary()) == []


def test_other_words_for_the_same_picture() -> None:
    """Full, short and paraphrases: known words, short enough, and nothing that is not there."""
    for number, picture in enumerate(every_picture()):
        texts = captions.captions_of(picture, f"{number}")
        assert texts[0] == picture.caption
        families = len(captions.IN_FAMILY) if picture.instrument else 0
        assert len(texts) == len(set(texts)) == 2 + captions.OTHER_WORDS + families
        assert len(texts[1]) < len(texts[0])
        assert texts == captions.captions_of(picture, f"{number}")
        own = {(picture.suit, picture.instrument)}
        for text in texts:
            assert len(captions.words(text)) <= captions.CONTEXT_LENGTH, text
            assert captions.unknown_words(text, captions.vocabulary()) == [], text
            assert captions.pairs_named(text) <= own, text
            for instrument in INSTRUMENTS:  # no part of a longer name either: drum, drum kit
                named = f" {instrument} " in f" {' '.join(captions.words(text))} "
                assert not named or instrument in str(picture.instrument), text
        if picture.suit and picture.instrument:
            pairs = [captions.pairs_named(text) for text in texts]
            assert pairs[0] == own
            assert all(pair == own for pair in pairs[2 : 2 + captions.OTHER_WORDS]), texts


def test_instruments_of_a_family_share_its_word() -> None:
    assert set(captions.FAMILY) == set(INSTRUMENTS)
    for instrument, family in captions.FAMILY.items():
        picture = Factors(relation="playing", place="above mars", suit="red", instrument=instrument)
        *_, named, alone = captions.captions_of(picture, "1")
        assert f"{family} {instrument}" in named
        assert f"{family} instrument" in alone
        assert instrument not in alone


def test_another_key_draws_other_paraphrases() -> None:
    picture = Factors(relation="playing", place="above mars", suit="red", instrument="cello")
    drawn = {captions.captions_of(picture, f"{key}") for key in range(20)}
    assert len(drawn) > 15
    paraphrases = [text for texts in drawn for text in texts[2 : 2 + captions.OTHER_WORDS]]
    orders = {text.index("cello") < text.index("red") for text in paraphrases}
    assert orders == {True, False}


@pytest.mark.parametrize(
    ("caption", "pairs"),
    [
        ("an astronaut in a red suit playing a harp above the blue earth", {("red", "harp")}),
        ("above mars, a spaceman in red plays the french horn", {("red", "french horn")}),
        ("an astronaut, blue suit, beside the drum kit", {("blue", "drum kit")}),
        ("a drum above the blue earth", set()),
        ("an astronaut in a white suit at dawn", set()),
    ],
)
def test_pairs_that_a_caption_names(caption: str, pairs: set[tuple[str, str]]) -> None:
    assert captions.pairs_named(caption) == pairs


@pytest.mark.parametrize(
    "wrong",
    [
        {"relation": "playing", "place": "above mars", "suit": "green", "instrument": "harp"},
        {"relation": "playing", "place": "under water", "suit": "red", "instrument": "harp"},
        {"relation": "playing", "place": "above mars", "suit": "red"},
        {"relation": "playing", "place": "above mars", "instrument": "harp"},
        {"relation": "instrument alone", "place": "above mars", "suit": "red"},
        {"relation": "astronaut alone", "place": "above mars", "suit": "red", "instrument": "harp"},
    ],
)
def test_factors_that_make_no_picture(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"level of|relation"):
        Factors(**wrong)


def test_about_a_quarter_of_the_pairs_is_held_out() -> None:
    held_out = [pair for pair in PLAYED if captions.split_of(*pair) != "train"]
    assert 0.2 <= len(held_out) / len(PLAYED) <= 0.3
    assert {captions.split_of(*pair) for pair in PAIRS} == set(captions.SPLITS)


def test_the_split_file_names_levels_and_no_pair_twice() -> None:
    named = [pair for pairs in captions.heldout_pairs().values() for pair in pairs]
    assert len(named) == len(set(named))
    assert set(named) <= set(PLAYED)


def test_three_instruments_are_never_played_in_training() -> None:
    assert len(captions.unplayed()) == 3
    for suit, instrument in product(SUITS, captions.unplayed()):
        assert captions.split_of(suit, instrument) != "train"
        assert captions.split_of(suit, instrument, "beside") == "train"


def test_training_sees_every_level_in_three_pairs() -> None:
    train = [pair for pair in PAIRS if captions.split_of(*pair) == "train"]
    for level in (*SUITS, *INSTRUMENTS):
        if level not in captions.unplayed():
            assert sum(level in pair for pair in train) >= 3, level


def test_no_caption_of_training_leaks_a_heldout_pair() -> None:
    """A held-out suit and instrument never meet in one training caption, in any relation."""
    held_out = [pair for pairs in captions.heldout_pairs().values() for pair in pairs]
    assert held_out
    for picture in every_picture():
        if picture.suit and picture.instrument:
            split = captions.split_of(picture.suit, picture.instrument, picture.relation)
            if split != "train":
                continue
        # "the blue earth" is a place, so a colour counts only as the suit that it names
        found = picture.caption
        for suit, instrument in held_out:
            assert not (f"{suit} suit" in found and f" {instrument} " in found), found


def test_tokens() -> None:
    vocabulary = captions.vocabulary()
    ids = captions.tokens("A HARP, above: Mars!", vocabulary)
    assert [vocabulary[token - 1] for token in ids if token != captions.PAD] == [
        "a",
        "harp",
        "above",
        "mars",
    ]
    assert len(ids) == captions.CONTEXT_LENGTH
    assert captions.tokens("", vocabulary) == [captions.PAD] * captions.CONTEXT_LENGTH
    assert len(captions.tokens("harp " * 100, vocabulary)) == captions.CONTEXT_LENGTH


def test_unknown_words_are_named_once_and_left_out() -> None:
    vocabulary = captions.vocabulary()
    prompt = "a cat on a bike beside a cat 🎸 宇航员"
    assert captions.unknown_words(prompt, vocabulary) == ["cat", "on", "bike", "宇航员"]
    assert captions.tokens(prompt, vocabulary) == captions.tokens("a a beside a", vocabulary)


def test_a_view_is_added_as_far_as_there_is_room() -> None:
    full = "an astronaut in a white suit playing an electric guitar above the earth at night"
    assert captions.with_view("a harp, above mars", "close left") == "a harp above mars close left"
    assert (
        captions.with_view("a harp", "close left", mirrored=True) == "a harp close right mirrored"
    )
    assert captions.with_view(full, "wide").split()[-2:] == ["night", "wide"]
    assert captions.with_view(full, "wide", mirrored=True).split()[-2:] == ["night", "mirrored"]
    endless = captions.with_view("harp " * 100, "wide", mirrored=True).split()
    assert (len(endless), endless[-1]) == (captions.CONTEXT_LENGTH, "mirrored")


def test_a_prompt_without_a_shot_gets_one_by_its_seed_where_the_model_knows_them() -> None:
    known, shown = captions.vocabulary(), "a harp above mars"
    drawn = Counter(captions.with_shot(shown, known, seed) for seed in range(1000))
    assert set(drawn) == {f"{shown} {shot}" for shot in captions.SHOTS}
    for shot, share in captions.SHOTS.items():
        assert abs(drawn[f"{shown} {shot}"] / 1000 - share) < 0.05
    assert captions.with_shot(shown, known, 3) == f"{shown} wide"  # the same on every machine
    assert captions.with_shot("bicycles", known, 3) == "bicycles"
    many = " ".join(["please"] * 20) + f" {shown}"
    assert captions.with_shot(many, known, 3) == f"{shown} wide"
    assert captions.unread(many, known) == []
    assert captions.with_shot("", known, 3) == ""
    assert captions.with_shot("a harp", ("a", "harp"), 3) == "a harp"
    assert captions.with_shot("a harp", ("a", "harp", "wide"), 3) == "a harp"


def test_a_shot_that_a_prompt_names_is_the_one_it_gets() -> None:
    known = captions.vocabulary()
    for seed in range(10):
        assert captions.with_shot("a harp, wide, above mars", known, seed).endswith("mars wide")
    assert captions.unread("a harp " * 8 + "close above mars", known) == ["above", "mars", "close"]
    assert captions.unread("close wide a harp", known) == ["wide"]
    text, _ = canonical("a close-up of a harp", known)
    assert captions.with_shot(text, known, 3) == "a a harp close"


def test_what_floats_beside_an_astronaut_gets_a_side_by_the_seed() -> None:
    known = captions.vocabulary()
    prompt = "an astronaut beside a french horn above mars close"
    ends = [captions.with_shot(prompt, known, seed).split()[-2:] for seed in range(20)]
    assert {" ".join(end) for end in ends} == {"close left", "close right"}
    for said in ("an astronaut beside a harp, left, close", "a harp beside a space station close"):
        found = {captions.with_shot(said, known, seed) for seed in range(20)}
        assert found == {" ".join(captions.words(said))}


def test_captions_are_read_as_they_are() -> None:
    """No synonym touches what training reads in full captions."""
    for picture in every_picture():
        assert canonical(picture.caption, captions.vocabulary()) == (
            picture.caption,
            (),
        ), picture

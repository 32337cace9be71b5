"""What a picture can show, in words: factors, levels, caption grammar, splits, tokens.

Level 0 of the house: standard library only, imported by everything, imports nothing of ours.
Reads `splits.toml` beside this file. Next: `scenes/spec.py` turns a seed into factors and a scene,
`model.py` reads the tokens.

A level, once named here, is never renamed: captions, data sets and trained models hold the names.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

SUITS = ("white", "orange", "blue", "red", "grey")
STRINGS = ("guitar", "electric guitar", "bass", "violin", "cello", "harp", "banjo", "ukulele")
WINDS = ("trumpet", "trombone", "french horn", "saxophone", "flute", "clarinet")
KEYS = ("accordion", "keyboard", "grand piano")
PERCUSSION = ("drum", "drum kit", "xylophone", "tambourine")
INSTRUMENTS = (*STRINGS, *WINDS, *KEYS, *PERCUSSION)
PLACES = (
    "above the blue earth",
    "above the earth at night",
    "above the moon",
    "above mars",
    "at sunrise",
    "among the stars",
    "inside a cupola",
    "beside a space station",
)
RELATIONS = ("playing", "beside", "instrument alone", "astronaut alone")

FACTORS: dict[str, tuple[str, ...]] = {
    "suit": SUITS,
    "instrument": INSTRUMENTS,
    "place": PLACES,
    "relation": RELATIONS,
}

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")

CONTEXT_LENGTH = 16
"""Tokens in a prompt, padding included; the longest caption of the grammar has 15 words."""

PAD = 0
"""The token that is no word. An empty prompt (all PAD) is the unconditional input of guidance."""


@dataclass(frozen=True, kw_only=True)
class Factors:
    """What one picture shows. `suit` or `instrument` is None where the relation has none."""

    relation: str
    place: str
    suit: str | None = None
    instrument: str | None = None

    def __post_init__(self) -> None:
        for name, levels in FACTORS.items():
            level = getattr(self, name)
            if level is not None and level not in levels:
                raise ValueError(f"{level!r} is not a level of {name}; known: {', '.join(levels)}")
        if (self.suit is None) != (self.relation == "instrument alone"):
            raise ValueError(f"relation {self.relation!r} with suit {self.suit!r}")
        if (self.instrument is None) != (self.relation == "astronaut alone"):
            raise ValueError(f"relation {self.relation!r} with instrument {self.instrument!r}")

    @property
    def caption(self) -> str:
        """The full caption: "an astronaut in a white suit playing a harp above the blue earth"."""
        astronaut = f"an astronaut in {with_article(self.suit)} suit" if self.suit else ""
        instrument = with_article(self.instrument) if self.instrument else ""
        match self.relation:
            case "astronaut alone":
                return f"{astronaut} {self.place}"
            case "instrument alone":
                return f"{instrument} {self.place}"
            case relation:
                return f"{astronaut} {relation} {instrument} {self.place}"


def with_article(noun: str) -> str:
    """'a harp', 'an orange'; by first letter, enough for our levels."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


@cache
def _split_table() -> dict[str, dict[str, Any]]:
    text = resources.files("rocketman").joinpath("splits.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def heldout_pairs() -> dict[Split, frozenset[tuple[str, str]]]:
    """(suit, instrument) pairs of each split that is kept out of training, in every relation."""
    table = _split_table()["heldout"]
    return {
        split: frozenset((suit, instrument) for suit, instrument in table[split])
        for split in SPLITS
        if split != "train"
    }


@cache
def unplayed() -> dict[str, Split]:
    """Instruments that training shows alone only, and the split in which astronauts have them."""
    table = _split_table()["unplayed"]
    return {name: split for split in SPLITS if split != "train" for name in table[split]}


def split_of(suit: str, instrument: str) -> Split:
    """The only split in which this suit and this instrument may meet."""
    if instrument in unplayed():
        return unplayed()[instrument]
    for split, pairs in heldout_pairs().items():
        if (suit, instrument) in pairs:
            return split
    return "train"


def words(text: str) -> list[str]:
    """Lower-case words of a prompt, in order; everything that is no letter or digit separates."""
    return re.findall(r"[^\W_]+", text.lower())


@cache
def vocabulary() -> tuple[str, ...]:
    """Every word that the grammar can write, sorted. The token of word k is k + 1."""
    grammar = ["a an astronaut in suit playing beside", *SUITS, *INSTRUMENTS, *PLACES]
    return tuple(sorted({word for line in grammar for word in words(line)}))


def tokens(prompt: str, vocabulary: tuple[str, ...]) -> list[int]:
    """Token ids of a prompt, padded with PAD to CONTEXT_LENGTH.

    Unknown words are left out: a token that training never saw would only add noise.
    `unknown_words` names them. Words past CONTEXT_LENGTH are dropped.
    """
    ids = {word: k for k, word in enumerate(vocabulary, start=PAD + 1)}
    known = [ids[word] for word in words(prompt) if word in ids][:CONTEXT_LENGTH]
    return known + [PAD] * (CONTEXT_LENGTH - len(known))


def unknown_words(prompt: str, vocabulary: tuple[str, ...]) -> list[str]:
    """The words of a prompt that the vocabulary lacks, in order, each once."""
    known = set(vocabulary)
    return list(dict.fromkeys(word for word in words(prompt) if word not in known))

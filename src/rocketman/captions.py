"""What a picture can show, in words: factors, levels, caption grammar, splits, tokens.

Level 0 of the house: standard library only, imported by everything, imports nothing of ours.
Reads `splits.toml` beside this file. Next: `scenes/spec.py` turns a seed into factors and a scene,
`model.py` reads the tokens; `reading.py` puts other prompts in words that a model knows.

    Factors --.caption, captions_of--> what training reads
    a prompt --tokens--> what the network reads

A level, once named here, is never renamed: captions, data sets and trained models hold the names.
"""

from __future__ import annotations

import random
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
FAMILIES = {
    "strummed": ("guitar", "electric guitar", "bass", "banjo", "ukulele"),
    "plucked": ("harp",),
    "bowed": ("violin", "cello"),
    "brass": ("trumpet", "trombone", "french horn"),
    "woodwind": ("saxophone", "flute", "clarinet"),
    "keyed": KEYS,
    "struck": PERCUSSION,
}
"""Instruments that are played alike, and the word for them: how a guitar is held, a network may
then know of a ukulele."""
FAMILY = {name: family for family, names in FAMILIES.items() for name in names}
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

SHOTS = {"medium": 0.60, "close": 0.25, "wide": 0.15}
"""How near the camera is, and how often: medium shows an astronaut down to the hips, close helmet,
hands and instrument, wide all down to the boots."""
OPPOSITE = {"left": "right", "right": "left"}
BESIDE = re.compile(rf"\b(?:beside|next to) (?:(?:a|an|the) )?(?:{'|'.join(INSTRUMENTS)})\b")
"""Of an instrument that floats beside an astronaut captions say on which side."""
MIRRORED = "mirrored"
"""Said of a picture that training sees the other way round, so that a network need not wonder
which hand the bow is in (the augmentation labels of Karras et al. 2022, as a word)."""

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")

CONTEXT_LENGTH = 16
"""Tokens in a prompt, padding included; no caption of the grammar is longer."""

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
    """'a harp', 'an orange', 'a ukulele'; by first letters, enough for our levels."""
    return f"{'an' if noun[0] in 'aeio' else 'a'} {noun}"


# --- the same picture in other words -----------------------------------------------------------

WHO = ("an astronaut", "an astronaut", "a spaceman", "a cosmonaut")
WHERE = {
    "above the blue earth": ("over the blue earth", "high above the blue earth"),
    "above the earth at night": ("over the earth at night", "high above the earth at night"),
    "above the moon": ("over the moon", "above the lunar surface"),
    "above mars": ("over mars", "high above mars"),
    "at sunrise": ("at dawn", "at daybreak", "as the sun rises"),
    "among the stars": ("under the stars", "between the stars", "under the milky way"),
    "inside a cupola": ("in a cupola", "inside the cupola"),
    "beside a space station": ("near a space station", "outside the space station"),
}
SHORT = {
    "playing": (
        "{who} playing {an_instrument}",
        "{who} playing {an_instrument} {place}",
        "{who} in {a_colour} suit playing {an_instrument}",
    ),
    "beside": (
        "{who} beside {an_instrument}",
        "{who} beside {an_instrument} {place}",
        "{who} in {a_colour} suit beside {an_instrument}",
    ),
    "instrument alone": ("{an_instrument}",),
    "astronaut alone": ("{who} {place}", "{who} in {a_colour} suit"),
}
PARAPHRASES = {
    "playing": (
        "{place}, {who} in {a_colour} suit plays the {instrument}",
        "{place}, {who} in {colour} plays {an_instrument}",
        "{who} in {a_colour} spacesuit plays {an_instrument} {place}",
        "{who} dressed in {colour} playing {an_instrument} {place}",
        "{an_instrument} played by {who} in {a_colour} suit {place}",
        "{who}, {colour} suit, playing the {instrument}, {place}",
    ),
    "beside": (
        "{place}, {who} in {a_colour} suit next to {an_instrument}",
        "{place}, {an_instrument} and {who} in {colour}",
        "{an_instrument} floating beside {who} in {a_colour} suit {place}",
        "{who} dressed in {colour} next to {an_instrument} {place}",
        "{who}, {colour} suit, beside the {instrument}, {place}",
    ),
    "instrument alone": (
        "{place}, {an_instrument}",
        "a lone {instrument} {place}",
        "{an_instrument} floating {place}",
        "{place}, a lone {instrument} floating",
    ),
    "astronaut alone": (
        "{place}, {who} in {a_colour} suit",
        "{who} dressed in {colour} {place}",
        "{who} in {a_colour} spacesuit floating {place}",
        "{who}, {colour} suit, {place}",
    ),
}
OTHER_WORDS = 3
"""Paraphrases of each picture."""
IN_FAMILY = ("{family} {instrument}", "{family} instrument")
"""What else an instrument is called, each once a picture."""


def captions_of(factors: Factors, key: str) -> tuple[str, ...]:
    """The full caption, a short one that leaves something out, OTHER_WORDS paraphrases, and if
    there is an instrument one with its family's word and one with that alone.

    key: seeds the choice; the same factors and key give the same captions on every machine.
    None names a suit or an instrument that the picture does not show, and all fit a prompt.
    """
    rng = random.Random(f"rocketman captions {key}")

    def write(template: str, instrument: str | None = factors.instrument) -> str:
        return template.format(
            who=rng.choice(WHO),
            place=rng.choice((factors.place, *WHERE[factors.place])),
            colour=factors.suit,
            a_colour=with_article(factors.suit or "?"),
            instrument=instrument,
            an_instrument=with_article(instrument or "?"),
        )

    found = [factors.caption, write(rng.choice(SHORT[factors.relation]))]
    templates = PARAPHRASES[factors.relation]
    for template in rng.sample(templates, len(templates)):
        text = write(template)
        if len(words(text)) <= CONTEXT_LENGTH and text not in found:
            found.append(text)
    found = found[: 2 + OTHER_WORDS]
    if factors.instrument:
        family = FAMILY[factors.instrument]
        for called in IN_FAMILY:
            noun = called.format(family=family, instrument=factors.instrument)
            texts = [write(template, noun) for template in (*SHORT[factors.relation], *templates)]
            found.append(rng.choice([t for t in texts if len(words(t)) <= CONTEXT_LENGTH]))
    return tuple(found)


def with_view(caption: str, view: str, mirrored: bool = False) -> str:
    """A caption and the words for how its picture was taken, as far as a prompt has room for them.

    In a mirrored picture left is right, and the last word says that it is mirrored.
    """
    said, added = words(caption), words(view)
    if mirrored:
        said, added = ([OPPOSITE.get(word, word) for word in each] for each in (said, added))
    room = CONTEXT_LENGTH - mirrored
    fits = added if len(said) + len(added) <= room else []
    return " ".join([*said[:room], *fits, *([MIRRORED] if mirrored else [])])


def with_shot(prompt: str, vocabulary: tuple[str, ...], seed: int) -> str:
    """A prompt with its view last, as captions have it: the shot that it names, or one drawn by
    the seed as often as renders have it; so too the side on which an instrument floats.

    Unknown words go: they must not take the room of others. Nothing changes for a model that does
    not know of shots, nor for a prompt without known words.
    """
    known = set(vocabulary)
    said = [word for word in words(prompt) if word in known]
    if not known.issuperset(SHOTS) or not said:
        return prompt
    rng = random.Random(f"rocketman view {seed}")
    [shot] = rng.choices(list(SHOTS), weights=list(SHOTS.values()))
    side = rng.choice(list(OPPOSITE))
    shots = [word for word in said if word in SHOTS]
    rest = " ".join(word for word in said if word not in SHOTS)
    view = shots[0] if shots else shot
    if BESIDE.search(rest) and side in known and not OPPOSITE.keys() & set(said):
        view += f" {side}"
    return with_view(rest, view)


def pairs_named(caption: str) -> set[tuple[str, str]]:
    """Every (suit, instrument) that a caption names together, however it is worded.

    A colour counts as a suit before "suit" or after "in": "the blue earth" wears none.
    """
    suits, text = "|".join(SUITS), " ".join(words(caption))
    worn = re.findall(rf"\bin (?:an? )?({suits})\b|\b({suits}) (?:space)?suit\b", text)
    longest_first = "|".join(sorted(INSTRUMENTS, key=len, reverse=True))
    heard = re.findall(rf"\b({longest_first})\b", text)
    return {(suit, instrument) for pair in worn for suit in pair if suit for instrument in heard}


# --- what training may see ----------------------------------------------------------------------


@cache
def package_toml(name: str) -> dict[str, dict[str, Any]]:
    """A table of words that stands beside this file."""
    text = resources.files("rocketman").joinpath(name).read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def heldout_pairs() -> dict[Split, frozenset[tuple[str, str]]]:
    """(suit, instrument) pairs of each split that is kept out of training, in every relation."""
    table = package_toml("splits.toml")["heldout"]
    return {
        split: frozenset((suit, instrument) for suit, instrument in table[split])
        for split in SPLITS
        if split != "train"
    }


@cache
def unplayed() -> dict[str, Split]:
    """Instruments that no astronaut plays in training, and the split in which astronauts do."""
    table = package_toml("splits.toml")["unplayed"]
    return {name: split for split in SPLITS if split != "train" for name in table[split]}


def split_of(suit: str, instrument: str, relation: str = "playing") -> Split:
    """The only split in which this suit and this instrument may meet so.

    An instrument that training never shows played may float beside an astronaut there.
    """
    if instrument in unplayed():
        return "train" if relation == "beside" else unplayed()[instrument]
    for split, pairs in heldout_pairs().items():
        if (suit, instrument) in pairs:
            return split
    return "train"


# --- words and tokens ---------------------------------------------------------------------------


def words(text: str) -> list[str]:
    """Lower-case words of a prompt, in order; everything that is no letter or digit separates."""
    return re.findall(r"[^\W_]+", text.lower())


@cache
def vocabulary() -> tuple[str, ...]:
    """Every word that the grammar can write, sorted. The token of word k is k + 1."""
    grammar = ["a an astronaut in suit playing beside", *SUITS, *INSTRUMENTS, *PLACES, *WHO]
    grammar += [*SHOTS, *OPPOSITE, MIRRORED, *FAMILIES, *IN_FAMILY]
    for book in (WHERE, SHORT, PARAPHRASES):
        grammar += [line for lines in book.values() for line in lines]
    blanks = re.compile(r"{\w+}")
    return tuple(sorted({word for line in grammar for word in words(blanks.sub(" ", line))}))


def tokens(prompt: str, vocabulary: tuple[str, ...]) -> list[int]:
    """Token ids of a prompt, padded with PAD to CONTEXT_LENGTH.

    Unknown words are left out: a token that training never saw would only add noise.
    `unknown_words` names them. Words past CONTEXT_LENGTH are dropped.
    """
    ids = {word: k for k, word in enumerate(vocabulary, start=PAD + 1)}
    known = [ids[word] for word in words(prompt) if word in ids][:CONTEXT_LENGTH]
    return known + [PAD] * (CONTEXT_LENGTH - len(known))


def unread(prompt: str, vocabulary: tuple[str, ...]) -> list[str]:
    """The words that a prompt has no room for, though the vocabulary has them: those past the end,
    then shots, of which a picture has one, if the rest leaves room."""
    known = set(vocabulary)
    said = [word for word in words(prompt) if word in known]
    shots = [word for word in said if word in SHOTS]
    rest = [word for word in said if word not in SHOTS]
    fits = len(rest) < CONTEXT_LENGTH
    return [*rest[CONTEXT_LENGTH:], *(shots[1:] if fits else shots)]


def unknown_words(prompt: str, vocabulary: tuple[str, ...]) -> list[str]:
    """The words of a prompt that the vocabulary lacks, in order, each once."""
    known = set(vocabulary)
    return list(dict.fromkeys(word for word in words(prompt) if word not in known))

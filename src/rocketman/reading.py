"""A prompt of any words -> the same in words that a model knows, and what was read as what.

Level 1. Reads `synonyms.toml` beside this file. Synonyms, plurals, misspellings and backdrops; what
stays unknown, `captions.unknown_words` names. Next: `painter.py` draws what is read here.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from functools import cache, lru_cache

from rocketman.captions import FACTORS, INSTRUMENTS, PLACES, WHO, package_toml, with_article, words

SPELLING = 0.81
"""Likeness (difflib's ratio) from which an unknown word counts as a known one misspelt."""
SPELLING_LENGTH = 5
"""Shorter words are never taken for misspellings: too many real words lie one letter apart."""
WITH = re.compile(rf"\bwith (?=(?:(?:a|an|the) )?(?:{'|'.join(INSTRUMENTS)})\b)")
"""An astronaut with an instrument is taken to play it."""
PEOPLE = frozenset(words(who)[-1] for who in WHO)
SPELLING_TRIES = 32
"""Unknown words of a prompt that are looked at: a prompt can be endless."""


@cache
def synonyms(vocabulary: tuple[str, ...]) -> dict[str, str]:
    """Phrases that `canonical` replaces for a model with this vocabulary, and by what.

    Only readings whose every word the model knows; "" in the values never occurs.
    """
    known = set(vocabulary)
    found: dict[str, str] = {}
    for kind in ("same", "near"):
        for target, phrases in package_toml("synonyms.toml")[kind].items():
            if known.issuperset(words(target)):
                for phrase in phrases:
                    unknown = not known.issuperset(words(phrase))
                    if unknown or (kind == "same" and " " in phrase):
                        found.setdefault(phrase, target)
    return found


@lru_cache(maxsize=1024)
def canonical(prompt: str, vocabulary: tuple[str, ...]) -> tuple[str, tuple[tuple[str, str], ...]]:
    """A prompt in words that a model knows, and what was read as what: (found, read as).

    Synonyms are replaced, the longest phrase first; plurals and close misspellings are read as the
    word they are nearest to. Words that stay unknown stay: `unknown_words` names them. A backdrop
    ("in space") is read as "" where the prompt names a place anyway.
    """
    known, table = set(vocabulary), synonyms(vocabulary)
    backdrops = _backdrops(vocabulary)
    starts = {phrase.split()[0] for phrase in (*table, *backdrops)}
    longest = max((len(phrase.split()) for phrase in (*table, *backdrops)), default=1)
    found, out, read, tries = words(prompt), list[str](), dict[str, str](), 0
    placed = bool({words(place)[-1] for place in PLACES} & set(found))
    at = 0
    while at < len(found):
        lengths = range(min(longest, len(found) - at), 0, -1) if found[at] in starts else ()
        phrases = (" ".join(found[at : at + length]) for length in lengths)
        phrase = next((each for each in phrases if each in table or each in backdrops), found[at])
        at += len(phrase.split())
        reading = table.get(phrase)
        if phrase in backdrops:
            reading = "" if placed else backdrops[phrase]
        elif reading is None and phrase not in known and (phrase in read or tries < SPELLING_TRIES):
            tries += phrase not in read
            reading = read.get(phrase) or _respelt(phrase, known, table)
        if reading is None:
            out.append(phrase)
            continue
        read.setdefault(phrase, reading)
        placed = placed or any(place in reading for place in PLACES)
        _append(out, reading)
    text = " ".join(out)
    if "playing" in known and "with" not in known and PEOPLE.intersection(out):
        text, count = WITH.subn("playing ", text)
        read |= {"with": "playing"} if count else {}
    return text, tuple(read.items())


def _backdrops(vocabulary: tuple[str, ...]) -> dict[str, str]:
    entries = package_toml("synonyms.toml")["backdrop"].items()
    known = set(vocabulary)
    return {
        phrase: target if known.issuperset(words(target)) else ""
        for target, phrases in entries
        for phrase in phrases
    }


def _append(out: list[str], reading: str) -> None:
    """Add a reading to the words before it; an article before it is made to fit."""
    added = reading.split()
    if out and added and out[-1] in ("a", "an", "the"):
        if added[0] in ("a", "an", "the"):
            out.pop()
        elif out[-1] != "the":
            out[-1] = with_article(added[0]).split()[0]
    out += added


def _respelt(word: str, known: set[str], table: dict[str, str]) -> str | None:
    """The reading of a plural or of a close misspelling, or None."""
    singles = {
        *known,
        *(phrase for phrase, reading in table.items() if " " not in phrase + reading),
    }
    for ending in ("s", "es"):
        stem = word.removesuffix(ending)
        if stem != word and len(stem) > 2 and stem in singles:
            return table.get(stem, stem)
    if len(word) < SPELLING_LENGTH:
        return None
    near = sorted(
        single for single in singles if single[0] == word[0] and abs(len(single) - len(word)) < 2
    )
    match = difflib.get_close_matches(word, near, n=1, cutoff=SPELLING)
    return table.get(match[0], match[0]) if match else None


def rivals(prompt: str, vocabulary: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Suits, instruments or places that a prompt names together; a picture has one of each."""
    known, found = set(vocabulary), list[tuple[str, ...]]()
    text = f" {' '.join(words(canonical(prompt, vocabulary)[0]))} "
    for factor in ("suit", "instrument", "place"):
        rest, named = text, list[str]()
        for level in sorted(FACTORS[factor], key=len, reverse=True):  # "drum kit" is no "drum"
            if known.issuperset(words(level)) and f" {level} " in rest:
                named.append(level)
                rest = rest.replace(f" {level} ", " . ")
        if len(named) > 1:
            found.append(tuple(sorted(named, key=text.find)))
    return found


def nearest(unknown: Iterable[str], vocabulary: tuple[str, ...]) -> list[str]:
    """Known words spelt somewhat like unknown ones, each once; often there is none."""
    levels = {word for levels in FACTORS.values() for level in levels for word in words(level)}
    known = sorted(word for word in levels & set(vocabulary) if len(word) > 3)
    matches = [
        difflib.get_close_matches(word, known, n=1, cutoff=0.7)
        for word in list(unknown)[:SPELLING_TRIES]
    ]
    return list(dict.fromkeys(match for found in matches for match in found))

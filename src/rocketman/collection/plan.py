"""The collection file: prompts as templates with lists, settings, and the words around them.

Level 5. Reads DIR/collection.toml into a `Plan`; writes the commented example. A mistake in the
file is one sentence that names its line, and nothing is expanded before it is counted.

    [[prompts]] template + [lists] -> combinations -> without keep_out -> in order -> Plan.prompts

The same file gives the same prompts with the same seeds on every machine, and a small change to it
changes few of them: samples and seeds hang on each prompt's own words, not on its place.
Next: `run.py` draws the plan.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from rocketman.captions import with_article, words
from rocketman.collection.tables import PlanError, Table, hint, open_table
from rocketman.collection.wording import command, counted
from rocketman.files import write_whole
from rocketman.request import (
    DEFAULT_GUIDANCE_SCALE,
    DEFAULT_STEPS,
    MAX_GUIDANCE_SCALE,
    MAX_STEPS,
)

FILE = "collection.toml"
LARGEST = 100_000
"""Combinations of a file, and pictures of a collection."""
MAX_CANDIDATES = 100

_TOP = (
    "title", "statement", "artist", "licence", "url", "model", "renders", "order", "keep_out",
    "pictures", "lists", "prompts",
)  # fmt: skip
_PICTURES = ("steps", "guidance_scale", "size", "seed", "candidates")
_PROMPTS = ("template", "title", "combine", "count")
_COMBINE = ("every", "zip", "sample")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """One subject of the collection, drawn `Plan.candidates` times."""

    text: str
    title: str
    """For the gallery; it changes no picture."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All of a collection file."""

    folder: Path
    title: str
    statement: str
    """Paragraphs, with an empty line between them."""
    artist: str
    licence: str
    url: str
    """Where the gallery will be published, with a slash at its end; empty if that is not known."""
    model: Path | None
    """A model folder; None is the model that ships."""
    renders: Path | None
    """A data set of renders for "Real or generated?"; None is the one the model learnt from."""
    steps: int
    guidance_scale: float
    size: int | None
    """Pixels; None is the largest that the model offers."""
    seed: int
    """In [0, 2**32)."""
    candidates: int
    """Pictures of each prompt, to choose from."""
    prompts: tuple[Prompt, ...]
    """In the order of the gallery, each text once."""

    def seed_of(self, prompt: str) -> int:
        """The seed of a prompt's first candidate, in [0, 2**32); the next ones add one each.

        It depends on the collection's seed and the prompt's words alone, so that prompts can be
        added, removed and reordered around it.
        """
        return int.from_bytes(_digest("seed", self.seed, prompt)[:4], "big")


def write_example(folder: Path) -> Path:
    """Write a commented example collection into a folder, made if need be. Returns the file.

    PlanError if there is a collection already, or no folder can be made there.
    """
    path = folder / FILE
    if path.exists():
        raise PlanError(f"{path} is there already: choose another folder.")
    example = resources.files("rocketman.collection").joinpath("templates", "example.toml")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, example.read_bytes())
    except OSError as error:
        raise PlanError(f"{path} cannot be written: {error.strerror}.") from error
    return path


def read(folder: Path) -> Plan:
    """The plan in a folder. PlanError, naming the line, if its file is missing or mistaken."""
    path = folder / FILE
    if not path.is_file():
        raise PlanError(
            f"{folder} holds no {FILE}: {command('collection new', folder)} writes an example."
        )
    return _plan(folder, open_table(path, _TOP))


def _plan(folder: Path, top: Table) -> Plan:
    pictures = top.table("pictures", _PICTURES)
    seed = pictures.whole("seed", 1, 0, 2**32 - 1)
    candidates = pictures.whole("candidates", 4, 1, MAX_CANDIDATES)
    model, renders = top.text("model", ""), top.text("renders", "")
    url = top.text("url", "")
    if url and not re.match(r"https?://[^\s/]+", url):
        top.fail("url", f"url should begin with https:// and name a site, not be {url!r}")
    return Plan(
        folder=folder,
        title=" ".join(top.text("title").split()),
        statement=top.text("statement", "").strip(),
        artist=top.text("artist", ""),
        licence=top.text("licence", ""),
        url=url.rstrip("/") + "/" if url else "",
        model=folder / Path(model).expanduser() if model else None,
        renders=folder / Path(renders).expanduser() if renders else None,
        steps=pictures.whole("steps", DEFAULT_STEPS, 1, MAX_STEPS),
        guidance_scale=pictures.number(
            "guidance_scale", DEFAULT_GUIDANCE_SCALE, 0, MAX_GUIDANCE_SCALE
        ),
        size=pictures.whole("size", 0, 1, 2**16) or None,
        seed=seed,
        candidates=candidates,
        prompts=_prompts(top, seed, candidates),
    )


# --- prompts ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Subject:
    prompt: Prompt
    levels: dict[str, int]
    """The place of each value in its list, for the order."""


def _prompts(top: Table, seed: int, candidates: int) -> tuple[Prompt, ...]:
    """Every prompt of the file, in order. Counted before anything is expanded."""
    lists = top.lists("lists")
    blocks = top.tables("prompts", _PROMPTS)
    if not blocks:
        top.fail("prompts", "there are no [[prompts]]: say what to draw")
    combined = 0
    for block in blocks:
        combined += _count(block, lists)
        if combined > LARGEST:
            block.fail(
                "template",
                f"the lists combine to {combined:,} prompts, and {LARGEST:,} is the most: "
                "shorten a list, or zip them",
            )
    keep_out = [set(words(line)) for line in top.strings("keep_out")]
    if not all(keep_out):
        top.fail("keep_out", "a line of keep_out has no words, which would keep out everything")
    subjects: dict[str, _Subject] = {}
    for block in blocks:
        for subject in _sampled(block, _combinations(block, lists, keep_out), seed):
            subjects.setdefault(subject.prompt.text, subject)
    if not subjects:
        top.fail("keep_out", "keep_out leaves no prompt at all")
    if len(subjects) * candidates > LARGEST:
        top.table("pictures", _PICTURES).fail(
            "candidates",
            f"{len(subjects):,} prompts with {candidates} candidates each are "
            f"{len(subjects) * candidates:,} pictures, and {LARGEST:,} is the most",
        )
    return tuple(subject.prompt for subject in _ordered(top, list(subjects.values()), seed, lists))


def _count(block: Table, lists: dict[str, list[str]]) -> int:
    """How many combinations a block of prompts makes, after checking all that it says."""
    combine = block.choice("combine", "every", _COMBINE)
    if combine == "sample":
        block.whole("count", None, 1, LARGEST)
    elif "count" in block.values:
        block.fail("count", 'count goes with combine = "sample" only')
    names = _names(block, "template", lists)
    allowed = {name: lists[name] for name in names}
    if "title" in block.values:
        _names(block, "title", allowed)
    lengths = {name: len(values) for name, values in allowed.items()}
    if combine == "zip":
        if len(set(lengths.values())) > 1:
            told = " and ".join(f"{name} has {count}" for name, count in lengths.items())
            block.fail("template", f"zipped lists should be of one length, but {told}")
        return max(lengths.values(), default=1)
    return math.prod(lengths.values())


def _names(block: Table, key: str, lists: Mapping[str, object]) -> list[str]:
    """The lists that a template uses, in order, each once."""
    template = block.text(key)
    names = list(dict.fromkeys(_PLACEHOLDER.findall(template)))
    for name in names:
        if name not in lists:
            home = "[lists]" if key == "template" else "the template"
            close = hint(name, lists)
            block.fail(key, f"{{{name}}} is used here, but {home} has no {name}{close}")
    if re.search(r"[{}]", _PLACEHOLDER.sub("", template)):
        block.fail(key, "a brace stands alone here: lists are used as {name}")
    return names


def _combinations(
    block: Table, lists: dict[str, list[str]], keep_out: list[set[str]]
) -> Iterator[_Subject]:
    """Every combination of a block, but those with all words of a line of `keep_out`."""
    template = block.text("template")
    title = block.text("title", template)
    names = _names(block, "template", lists)
    ranges = [range(len(lists[name])) for name in names]
    zipped = block.choice("combine", "every", _COMBINE) == "zip"
    for indices in zip(*ranges, strict=True) if zipped and ranges else itertools.product(*ranges):
        levels = dict(zip(names, indices, strict=True))
        values = {name: lists[name][index] for name, index in levels.items()}
        text = _filled(template, values)
        if not text:
            block.fail("template", "a prompt of this template is empty")
        found = set(words(text))
        if not any(line <= found for line in keep_out):
            name = _filled(title, values) or text
            yield _Subject(Prompt(text=text, title=name[0].upper() + name[1:]), levels)


def _sampled(block: Table, subjects: Iterator[_Subject], seed: int) -> list[_Subject]:
    """All of a block, or the `count` of them that come first when shuffled."""
    every = list(subjects)
    if block.choice("combine", "every", _COMBINE) != "sample":
        return every
    count = block.whole("count", None, 1, LARGEST)
    if count > len(every):
        there = f"there {'is' if len(every) == 1 else 'are'} {counted(len(every), 'prompt')}"
        block.fail("count", f"count is {count}, but {there} to choose from")
    return _shuffled(every, seed)[:count]


def _shuffled(subjects: list[_Subject], seed: int) -> list[_Subject]:
    return sorted(subjects, key=lambda subject: _digest("order", seed, subject.prompt.text))


def _ordered(
    top: Table, subjects: list[_Subject], seed: int, lists: dict[str, list[str]]
) -> list[_Subject]:
    """As written, shuffled, or sorted by some of the lists; what lacks a list comes last."""
    if not isinstance(top.values.get("order"), list):
        order = top.choice("order", "written", ("written", "shuffled"))
        return _shuffled(subjects, seed) if order == "shuffled" else subjects
    by = top.strings("order")
    for name in by:
        if name not in lists:
            top.fail("order", f"[lists] has no {name} to order by{hint(name, lists)}")
    return sorted(subjects, key=lambda s: [s.levels.get(name, LARGEST) for name in by])


def _filled(template: str, values: dict[str, str]) -> str:
    """A template with its values; "a" and "an" before a value follow that value."""

    def value(found: re.Match[str]) -> str:
        article, word = found[1], values[found[2]]
        return with_article(word) if article and word else word

    return " ".join(re.sub(r"(?:\b(an?) )?\{(\w+)\}", value, template).split())


def _digest(purpose: str, seed: int, prompt: str) -> bytes:
    return hashlib.sha256(f"{purpose} {seed} {prompt}".encode()).digest()

"""Recipes that other tools wrote, in the text of A1111's web UI, as far as they apply here.

Level 4. Reads the text `parameters` of PNG, the UserComment of JPEG and WebP (`metadata.py`):

    a castle on a hill <lora:castles:0.8>
    Negative prompt: blurry, ugly
    Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 12345, Size: 512x768, Model: dreams, ...

Prompts, steps, guidance, seed, size and sampler become a recipe of ours, the nearest where none is
the same; all else is named and left out. The file is a stranger's: what is read is bounded, and
what is shown of it is made plain. Next: `cli.py` redraws it.
"""

from __future__ import annotations

import json
import math
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rocketman import __version__, sampling
from rocketman.generate import Pipeline
from rocketman.provenance import metadata, picture
from rocketman.provenance.picture import PictureError, Recipe
from rocketman.provenance.verify import plain
from rocketman.request import (
    DEFAULT_GUIDANCE_SCALE,
    DEFAULT_SAMPLER,
    DEFAULT_STEPS,
    MAX_GUIDANCE_SCALE,
    MAX_SEED,
    MAX_STEPS,
)

MAX_LINE = 20_000
"""Characters of the line of settings; real ones have some hundreds."""
NAMED = 12
"""Settings left out that are named before the rest is counted."""

PAIR = re.compile(r'(\w[\w \-/]{0,60}):\s*("(?:\\.|[^\\"])*"|[^,]*)(?:,|$)')
"""One `Key: value` of the line; a value with commas stands in quotes."""
ADDED = re.compile(r"<(\w{1,20}):([^<>]{0,200})>")
"""A network asked for in the prompt: <lora:name:0.8>."""
WEIGHT = re.compile(r":\s*[0-9.]{1,10}\s*(?=[)\]])")
"""The 1.2 of (word:1.2)."""

SAME = {"euler": "euler", "heun": "heun", "dpm++ 2m": "dpm_solver_2m"}
"""Samplers by other tools' names that compute the same here."""
STOCHASTIC = ("lcm", "tcd", "turbo", "sde", "euler a", "ancestral", "ddpm")
"""These draw noise as they go."""
SECOND_ORDER = ("heun", "dpm2")
FIRST_ORDER = ("euler", "ddim")
USED = {"Steps", "Sampler", "CFG scale", "Seed", "Size"}
HARMLESS = {"Version", "RNG", "Model", "Model hash", "Hashes"}
"""Said in other words, or without a meaning for the picture."""


@dataclass(frozen=True)
class Foreign:
    """What an A1111-style text says."""

    prompt: str
    negative_prompt: str
    settings: Mapping[str, str]
    added: tuple[str, ...] = ()
    """Networks that the prompts asked for: "lora castles"."""


def recipe(path: Path | str, pipeline: Pipeline) -> tuple[Recipe, list[str]]:
    """The nearest recipe that `pipeline` can draw, and sentences that say what it is and is not.

    PictureError if the file is no picture or holds no such text.
    """
    picture.refuse_sheet(path)
    with picture.opened(path) as image:
        text = metadata.parameters_in(image)
    found = parse(text) if text else None
    if found is None:
        raise PictureError(
            f"{path} holds no recipe of Rocketman's, nor one as A1111's web UI writes it."
        )
    return translated(found, pipeline)


def parse(text: str) -> Foreign | None:
    """An A1111-style text taken apart; None if it has no line of settings."""
    lines = text.strip().split("\n")
    for at in reversed(range(len(lines))):
        if lines[at].startswith("Steps: ") and len(lines[at]) <= MAX_LINE:
            break
    else:
        return None
    settings = {key.strip(): _unquoted(value.strip()) for key, value in PAIR.findall(lines[at])}
    prompts: dict[bool, list[str]] = {False: [], True: []}
    negative = False
    for line in lines[:at]:
        negative = negative or line.startswith("Negative prompt:")
        prompts[negative].append(line.removeprefix("Negative prompt:"))
    wanted, unwanted = (" ".join(prompts[each]) for each in (False, True))
    added = [f"{kind} {name.split(':')[0]}" for kind, name in ADDED.findall(wanted + unwanted)]
    return Foreign(_bare(wanted), _bare(unwanted), settings, tuple(dict.fromkeys(added)))


def translated(found: Foreign, pipeline: Pipeline) -> tuple[Recipe, list[str]]:
    """A recipe for `pipeline`, and sentences: whose it was, what came near, what is left out."""
    settings, near = found.settings, list[str]()

    def nearest(name: str, asked: object, given: object) -> None:
        near.append(f"{name} {plain(asked, 40)} as {given}")

    asked_steps = _number(settings.get("Steps"), DEFAULT_STEPS)
    steps = min(max(round(asked_steps), 1), MAX_STEPS)
    if steps != asked_steps:
        nearest("steps", settings["Steps"], steps)
    asked_guidance = _number(settings.get("CFG scale"), DEFAULT_GUIDANCE_SCALE)
    guidance = min(max(asked_guidance, 0.0), MAX_GUIDANCE_SCALE)
    if guidance != asked_guidance:
        nearest("CFG scale", settings["CFG scale"], f"{guidance:g}")
    name = settings.get("Sampler", DEFAULT_SAMPLER)
    sampler = _sampler(name)
    if name != sampler and SAME.get(name.lower()) != sampler:
        nearest("sampler", name, sampler)
    size = _size(settings.get("Size", ""), pipeline.sizes)
    if settings.get("Size") not in (None, f"{size}x{size}"):
        nearest("size", settings["Size"], f"{size}x{size}")
    seed = _seed(settings.get("Seed"))
    if seed is None:
        seed = secrets.randbelow(2**32)
        nearest("seed", settings.get("Seed", "none"), seed)

    made = Recipe(
        prompt=found.prompt,
        negative_prompt=found.negative_prompt,
        seed=seed,
        sampler=sampler,
        num_inference_steps=steps,
        guidance_scale=guidance,
        width=size,
        height=size,
        model=pipeline.model.name,
        model_hash=pipeline.model.hash,
        version=__version__,
    )
    said = []
    if not settings.get("Version", "").startswith("rocketman "):
        model = plain(settings.get("Model") or settings.get("Model hash") or "unknown", 60)
        said.append(
            f"Made by another tool with the model {model}: {pipeline.model.name} draws its words "
            "in its own way."
        )
    if near:
        said.append(f"Taken as the nearest that fits: {', '.join(near)}.")
    out = [*found.added, *(key for key in settings if key not in USED | HARMLESS)]
    if out:
        more = f" and {len(out) - NAMED} more" if len(out) > NAMED else ""
        said.append(f"Left out: {', '.join(plain(each, 60) for each in out[:NAMED])}{more}.")
    return made, said


def _bare(prompt: str) -> str:
    """A prompt in one line, without networks, weights and the brackets of emphasis."""
    text = WEIGHT.sub(" ", ADDED.sub(" ", prompt))
    return " ".join(re.sub(r"[()\[\]{}\\|]", " ", text).split()).replace(" ,", ",").strip(", ")


def _unquoted(value: str) -> str:
    if value.startswith('"'):
        try:
            return str(json.loads(value))
        except ValueError:
            return value
    return value


def _number(text: str | None, default: float) -> float:
    try:
        value = float(text or "")
    except ValueError:
        return default
    return value if math.isfinite(value) else default


def _seed(text: str | None) -> int | None:
    """A seed in our range; None for -1 ("random") and what is none."""
    found = re.fullmatch(r"[0-9]{1,20}", text or "")
    return int(found[0]) if found and int(found[0]) <= MAX_SEED else None


def _size(text: str, sizes: tuple[int, ...]) -> int:
    """Of the sizes on offer the one nearest in area, by ratio; the largest if none is stated."""
    found = re.fullmatch(r"([0-9]{1,6})x([0-9]{1,6})", text)
    pixels = int(found[1]) * int(found[2]) if found else 0
    if not pixels:
        return sizes[-1]
    return min(sizes, key=lambda size: abs(math.log(size**2 / pixels)))


def _sampler(name: str) -> str:
    """Ours of the same name or method, else the nearest by kind and order."""
    lower = name.lower()
    if lower in SAME or lower in sampling.SAMPLERS:
        return SAME.get(lower, lower)
    if any(each in lower for each in STOCHASTIC):
        return "stochastic"
    if any(each in lower for each in SECOND_ORDER):
        return "heun"
    if any(each in lower for each in FIRST_ORDER):
        return "euler"
    return "dpm_solver_2m"

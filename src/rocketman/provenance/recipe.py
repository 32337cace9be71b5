"""The recipe of a picture: all that is needed to make it again, as JSON and as A1111 writes it.

Level 1. `picture.py` writes both into the file and reads the JSON back; the mark in the pixels is a
number made of the JSON, so a recipe's JSON never changes: parts that came later (LATER) are left
out where a picture makes no use of them. Next: `generate.py` draws from a recipe.
"""

from __future__ import annotations

import json
import re
from dataclasses import MISSING, asdict, dataclass, field, fields
from typing import Any

LARGEST = 2**64
"""Above all numbers of a recipe. In JSON an integer may be too large for a float."""
LATER = (
    "variations",
    "to_prompt",
    "to_seed",
    "share",
    "init",
    "mask",
    "strength",
    "upscale",
    "upscaler",
)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """All that is needed to make a picture again, and how long it took."""

    prompt: str
    negative_prompt: str = ""
    seed: int
    """In [0, 2**64)."""
    sampler: str
    num_inference_steps: int
    guidance_scale: float
    width: int
    """Pixels."""
    height: int
    model: str
    """The model's name; `model_hash` says which one it really was."""
    model_hash: str
    version: str
    """Of Rocketman."""
    data_hash: str = ""
    """Of the data set that the model was trained on; "" if that is not known."""
    unknown_words: tuple[str, ...] = ()
    """Words of the prompts that the model does not know and that it left out."""
    variety: float = 0.0
    """How strongly it was drawn away from the pictures beside it, 0 to 1."""
    first_seed: int = 0
    """With variety: the seed of the first picture drawn beside it."""
    together: int = 1
    """With variety: how many were drawn together, their seeds counting on from `first_seed`."""
    variations: tuple[tuple[int, float], ...] = ()
    """What was mixed into the seed's noise, in this order: seeds and how much of each, 0 to 1."""
    to_prompt: str = ""
    """On a walk: the prompt at its end."""
    to_seed: int = 0
    """On a walk: the seed at its end."""
    share: float = 0.0
    """How far along the walk it stands, 0 to 1; 0 where there is none."""
    init: str = ""
    """SHA-256 of the file of the picture that it was begun from; "" if it began from noise."""
    mask: str = ""
    """SHA-256 of the mask's file: only the part that was white there was drawn; "" without."""
    strength: float = 1.0
    """How much of the way from noise to picture was drawn, above 0; below 1 the picture that it was
    begun from stands for the rest."""
    upscale: int = 1
    """How many times the finished picture was enlarged; `width` and `height` are those before."""
    upscaler: str = ""
    """The network that enlarged it; "" if none did."""
    seconds: float | None = field(default=None, compare=False)
    """How long this picture took; None when read from a file."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture in its file, in pixels."""
        return self.width * self.upscale, self.height * self.upscale

    @property
    def parameters(self) -> str:
        """The recipe as A1111 writes it: prompt, negative prompt, one line of `Key: value` pairs.

        Control characters become spaces and line breaks in the prompts too: here a line has a
        meaning. The exact prompt is in our JSON.
        """
        last: dict[str, object] = {
            "Steps": self.num_inference_steps,
            "Sampler": self.sampler,
            "CFG scale": f"{self.guidance_scale:g}",
            "Seed": self.seed,
            "Size": f"{self.width}x{self.height}",
            "Model hash": self.model_hash,
            "Model": self.model,
            "RNG": "CPU",
            "Version": f"rocketman {self.version}",
        }
        if self.variety:
            last |= {
                "Variety": f"{self.variety:g}",
                "First seed": self.first_seed,
                "Drawn together": self.together,
            }
        if self.variations:  # as InvokeAI writes them
            last["Variations"] = ",".join(f"{seed}:{part:g}" for seed, part in self.variations)
        if self.share:
            last |= {
                "To prompt": self.to_prompt,
                "To seed": self.to_seed,
                "Share": f"{self.share:g}",
            }
        if self.init:
            last |= {"Denoising strength": f"{self.strength:g}", "Init image hash": self.init}
        if self.mask:
            last["Mask hash"] = self.mask
        if self.upscale > 1:
            last |= {"Postprocess upscale by": self.upscale, "Postprocess upscaler": self.upscaler}
        lines = [_one_line(self.prompt)]
        if self.negative_prompt:
            lines.append(f"Negative prompt: {_one_line(self.negative_prompt)}")
        lines.append(", ".join(f"{key}: {_quoted(value)}" for key, value in last.items()))
        return "\n".join(lines)

    @property
    def as_json(self) -> str:
        """The recipe as JSON, pure ASCII, without the time it took."""
        table = asdict(self)
        del table["seconds"]
        for entry in fields(self):
            if entry.name in LATER and table[entry.name] == entry.default:
                del table[entry.name]
        return json.dumps(table)


def from_json(table: object) -> Recipe:
    """A recipe from its JSON; keys that a later version added are left out. ValueError if bad."""
    if not isinstance(table, dict):
        raise ValueError("it is not a JSON object")
    kinds: dict[str, type | tuple[type, ...]] = {
        "str": str,
        "int": int,
        "float": (int, float),
        "tuple[str, ...]": list,
        "tuple[tuple[int, float], ...]": list,
    }
    known: dict[str, Any] = {}
    for entry in fields(Recipe):
        if entry.name == "seconds":
            continue
        if entry.name not in table and entry.default is not MISSING:
            continue
        if entry.name not in table:
            raise ValueError(f"{entry.name} is missing")
        value = table[entry.name]
        if isinstance(value, bool) or not isinstance(value, kinds[str(entry.type)]):
            raise ValueError(f"{entry.name} is {value!r}")
        if isinstance(value, int | float) and not abs(value) < LARGEST:
            raise ValueError(f"{entry.name} is out of range")
        known[entry.name] = value
    if "unknown_words" in known:
        known["unknown_words"] = tuple(str(word) for word in known["unknown_words"])
    if "variations" in known:
        known["variations"] = tuple(_variation(each) for each in known["variations"])
    return Recipe(**known)


def _variation(value: object) -> tuple[int, float]:
    match value:
        case [bool(), _] | [_, bool()]:  # which are numbers too
            pass
        case [int(seed), float(share) | int(share)] if abs(seed) < LARGEST and 0 <= share <= 1:
            return seed, float(share)
    raise ValueError("one of its variations is no seed with a share from 0 to 1")


def _one_line(text: str) -> str:
    """Spaces for control characters, question marks for halves of surrogate pairs."""
    plain = "".join(" " if ord(c) < 32 or ord(c) == 127 else c for c in text)
    return plain.encode("utf-8", "replace").decode()


def _quoted(value: object) -> str:
    """A value of the last line; what could be taken for a separator is written as JSON."""
    text = _one_line(str(value))
    return json.dumps(text, ensure_ascii=False) if re.search(r"[,:\"]", text) else text

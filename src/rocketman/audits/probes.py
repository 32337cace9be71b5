"""Probes: a small network that reads off a picture which level of each factor it shows.

Reads `probes.onnx` of a model folder (made by `probe_training.py`) with onnxruntime, without torch.
The probes never touch the generator: they learn from renders alone, pairs kept out of its training
included, so what they say of its pictures is an outside opinion. The file carries its own levels;
nothing here depends on what the current grammar knows. `newness.py`, `variety.py` and
`evaluate.py` build on this.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from shlex import quote

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

from rocketman.captions import SHOTS, words
from rocketman.data.batches import central_square, to_floats
from rocketman.reading import canonical
from rocketman.weights import PROBES, ModelError, embedded, sha256

NONE = "none"
"""The level of a factor that the picture does not have: no suit, no instrument."""
BATCH = 32

Floats = NDArray[np.float32]
Pattern = tuple[str, ...]
"""The words of a caption without articles, levels replaced by their factor in braces."""


class Probes:
    """The probes of one model folder."""

    def __init__(self, path: Path) -> None:
        """ModelError if the file is damaged."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # they run beside a generation that uses the cores
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
            record = json.loads(self._session.get_modelmeta().custom_metadata_map["rocketman"])
        except Exception as error:  # onnxruntime's exceptions have no base class of their own
            raise ModelError(
                f"{path} is damaged: `rocketman audit index` makes it anew."
            ) from error
        self.size: int = record["size"]
        """Width and height in pixels that a picture is reduced to."""
        self.levels: dict[str, tuple[str, ...]] = {
            factor: tuple(levels) for factor, levels in record["levels"].items()
        }
        self.ceiling: float = record["ceiling"]
        """Joint accuracy on renders that the probes never saw, 0 to 1,"""
        self.ceilings: dict[str, float] = record.get("ceilings", {})
        """and on those of each relation; older files do not say."""
        self.record: dict[str, object] = record
        self.hash = sha256(path)
        """SHA-256 of the file: an index and figures say by it which probes they are of."""
        self._implied: dict[Pattern, dict[str, str]] = {
            tuple(pattern.split()): implied for pattern, implied in record["implied"].items()
        }

    @property
    def dimensions(self) -> int:
        """Of the features."""
        return int(self._session.get_outputs()[-1].shape[1])

    def probabilities(self, pictures: Sequence[Image.Image]) -> dict[str, Floats]:
        """For each factor (N, levels), summing to 1; of pictures of any size."""
        return self.look(pictures)[0]

    def features(self, pictures: Sequence[Image.Image]) -> Floats:
        """(N, D) of unit length: what the picture looks like to the last layer but one."""
        return self.look(pictures)[1]

    def look(self, pictures: Sequence[Image.Image]) -> tuple[dict[str, Floats], Floats]:
        """Probabilities and features in one go."""
        outputs = [
            self._session.run(None, {"pictures": batch}) for batch in self._batches(pictures)
        ]
        if not outputs:
            none = {
                factor: np.zeros((0, len(names)), np.float32)
                for factor, names in self.levels.items()
            }
            return none, np.zeros((0, self.dimensions), np.float32)
        *heads, features = (np.concatenate(parts) for parts in zip(*outputs, strict=True))
        return dict(zip(self.levels, heads, strict=True)), features

    def agreement(self, pictures: Sequence[Image.Image], prompts: Sequence[str]) -> Floats:
        """(N,) in [0, 1]: how probably picture n shows all that prompt n asks for.

        The product, over the factors that the prompt fixes, of the probability of that level; nan
        where it fixes none.
        """
        found = self.probabilities(pictures)
        scores = np.full(len(pictures), np.nan, np.float32)
        for n, prompt in enumerate(prompts):
            asked = self.asked(prompt)
            if asked:
                scores[n] = np.prod(
                    [
                        found[factor][n, self._place(factor, level)]
                        for factor, level in asked.items()
                    ]
                )
        return scores

    def asked(self, prompt: str) -> dict[str, str]:
        """The level of each factor that a prompt fixes.

        What it names, in these words or in synonyms, longest names first ("above the blue earth"
        is no blue suit). A prompt built
        like a caption of the data set also fixes what such captions leave unsaid: "a harp above
        mars" shows no astronaut, whatever the shot.
        """
        text = canonical(prompt, self._vocabulary)[0]
        plain = " ".join(word for word in words(text) if word not in SHOTS)
        pattern, named = parse(plain, self._names)
        return {**self._implied.get(pattern, {}), **named}

    def ceiling_of(self, asked: Sequence[Mapping[str, str]]) -> float:
        """Joint accuracy on renders of which as many are played, or beside, as are asked for."""
        found = [self.ceilings.get(each.get("relation", ""), self.ceiling) for each in asked]
        return float(np.mean(found))

    @cached_property
    def _names(self) -> list[tuple[list[str], str, str]]:
        return level_names(self.levels)

    @cached_property
    def _vocabulary(self) -> tuple[str, ...]:
        named = {word for phrase, _, _ in self._names for word in phrase}
        return tuple(sorted(named | {word for pattern in self._implied for word in pattern}))

    def _place(self, factor: str, level: str) -> int:
        return self.levels[factor].index(level)

    def _batches(self, pictures: Sequence[Image.Image]) -> Iterator[Floats]:
        for start in range(0, len(pictures), BATCH):
            batch = [
                central_square(picture.convert("RGB"), self.size)
                for picture in pictures[start : start + BATCH]
            ]
            yield to_floats(np.stack(batch))


def load_probes(model: Path | str | None = None) -> Probes:
    """The probes of a model folder, or of the model that ships. ModelError if it has none."""
    folder = embedded() if model is None else Path(model)
    if not (folder / PROBES).is_file():
        raise ModelError(
            f"{folder} has no probes: `rocketman audit index {quote(str(folder))} --data DIR` "
            "makes them, from the data set that the model was trained on."
        )
    return Probes(folder / PROBES)


def level_names(levels: Mapping[str, Sequence[str]]) -> list[tuple[list[str], str, str]]:
    """(words of the level, factor, level) of all levels that words can name, longest first."""
    names = [
        (words(level), factor, level)
        for factor, names in levels.items()
        for level in names
        if level != NONE
    ]
    return sorted(names, key=lambda name: -len(name[0]))


def parse(
    prompt: str, names: Sequence[tuple[list[str], str, str]]
) -> tuple[Pattern, dict[str, str]]:
    """(pattern of a prompt, the level of each factor that it names); the first mention counts."""
    rest: list[str] = words(prompt)
    named: dict[str, str] = {}
    for phrase, factor, level in names:
        length = len(phrase)
        for start in range(len(rest) - length + 1):
            if rest[start : start + length] == phrase and factor not in named:
                rest[start : start + length] = [f"{{{factor}}}"]
                named[factor] = level
    return tuple(word for word in rest if word not in ("a", "an", "the")), named

"""Prompt and seed -> pictures: the ONE path that the command line and every other part use.

Level 3, without torch. Reads a model folder (`weights.py`), runs its network with onnxruntime
through a sampler (`sampling.py`), and gives each picture its recipe, so that whoever saves it
saves how it was made (`provenance/picture.py`).

    prompts -> one job a picture -> batches of BATCH -> noise -> sampler -> `_finish` -> Picture

Picture k of a prompt starts from noise of seed + k alone, so it is the same picture whichever
others are made beside it. Next: `cli.py` names, saves and reports them.
"""

from __future__ import annotations

import itertools
import os
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

from rocketman import __version__, sampling, weights
from rocketman.captions import canonical, nearest, tokens, unknown_words
from rocketman.provenance import picture
from rocketman.provenance.picture import Recipe
from rocketman.sampling import Array, SamplerName

DEFAULT_STEPS = 20
DEFAULT_GUIDANCE_SCALE = 3.0
DEFAULT_SAMPLER: SamplerName = "dpm_solver_2m"

GUIDANCE_INTERVAL = (0.0, 0.4)
"""Times at which the prompt pulls: early, while the picture takes shape. Later, guidance would
only roughen textures, at twice the cost (Kynkäänniemi et al. 2024; docs/log.md, 2026-11-23)."""

MAX_STEPS = 1000
MAX_GUIDANCE_SCALE = 30.0
MAX_SEED = 2**64 - 1
ENLARGEMENTS = (1, 2, 4)
"""Sizes on offer, as multiples of the network's own."""
BATCH = 4
"""Pictures that go through the network together."""
MOST_TOGETHER = 16
"""The same with variety: pictures of one prompt that are drawn away from each other."""
PUSH = 1.0
"""Strength of `sampling.apart` at variety 1; benchmarks/variety.md has what it costs."""

Tokens = NDArray[np.int64]


class RequestError(ValueError):
    """Something asked for that cannot be drawn; the message is one sentence."""


@dataclass(frozen=True)
class Step:
    """What a callback is told after each step of the sampler."""

    done: int
    """Steps finished, over all batches of the call."""
    total: int
    preview: Array
    """The pictures of this batch as the network sees them now, (B, 3, H, W) in [-1, 1]."""


@dataclass(frozen=True)
class Picture:
    """A picture and how it was made."""

    image: Image.Image
    recipe: Recipe
    read_as: Mapping[str, str] = field(default_factory=dict)
    """Phrases of the prompts that the model knows by other words only, and these; "" where a
    phrase says nothing that the rest does not say."""
    nearest_known: tuple[str, ...] = ()
    """Known words spelt somewhat like unknown ones."""

    def save(self, path: Path | str) -> Path:
        """Save as PNG with the recipe inside, whole or not at all. PictureError if it cannot."""
        return picture.save(self.image, path, self.recipe)


def load(model: Path | str | None = None) -> Pipeline:
    """The model that ships with Rocketman, or the one in a folder. ModelError if it is not one."""
    return Pipeline(weights.open_model(weights.embedded() if model is None else model))


class Pipeline:
    """A loaded model. Call it with a prompt, or several, to get pictures."""

    def __init__(self, model: weights.Model) -> None:
        """Load the network into onnxruntime. ModelError if its file is damaged."""
        self.model = model
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = _available_cores()
        options.log_severity_level = 3  # errors only
        try:
            self._session = onnxruntime.InferenceSession(
                str(model.network_path), options, providers=["CPUExecutionProvider"]
            )
            self._detail = (
                onnxruntime.InferenceSession(
                    str(model.detail_path), options, providers=["CPUExecutionProvider"]
                )
                if model.detail_path.is_file()
                else None
            )
        except Exception as error:  # onnxruntime's exceptions have no base class of their own
            raise weights.ModelError(
                f"{model.folder} holds a network that onnxruntime cannot load."
            ) from error

    @property
    def sizes(self) -> tuple[int, ...]:
        """Widths, and so heights, in pixels that a picture can have."""
        return tuple(self.model.image_size * factor for factor in ENLARGEMENTS)

    def __call__(
        self,
        prompt: str | Sequence[str],
        negative_prompt: str = "",
        num_images_per_prompt: int = 1,
        seed: int | None = None,
        num_inference_steps: int = DEFAULT_STEPS,
        guidance_scale: float = DEFAULT_GUIDANCE_SCALE,
        size: int | None = None,
        sampler: str = DEFAULT_SAMPLER,
        variety: float = 0.0,
        callback_on_step_end: Callable[[Step], None] | None = None,
    ) -> list[Picture]:
        """Draw `num_images_per_prompt` pictures of each prompt, in the order of the prompts.

        prompt: what to draw; synonyms and misspellings are read as words that the model knows
            (`Picture.read_as`), other words that it does not know are left out and listed in the
            recipe (`Pipeline.model.vocabulary` has all that it knows).
        negative_prompt: what to draw away from; by default from a picture of nothing in particular.
        seed: in [0, 2**64); picture k of a prompt uses seed + k. None draws one and records it.
        num_inference_steps: in [1, 1000]; each costs one run of the network (two with "heun").
        guidance_scale: in [0, 30]; how strongly the prompt pulls. 1 is none, and half the cost.
        size: width and height in pixels, one of `Pipeline.sizes`; None is the largest.
        sampler: a key of `sampling.SAMPLERS`.
        variety: in [0, 1]; how strongly the pictures of a prompt, up to 16 at a time, are drawn
            away from each other. Above 0 a picture depends on those beside it; the recipe names
            them, so that `redo` draws them all and gives back the one.
        callback_on_step_end: called with a `Step` after each step of each batch.

        RequestError, in one sentence and before anything is drawn, if an argument does not fit.
        """
        return list(
            self.stream(
                prompt,
                negative_prompt=negative_prompt,
                num_images_per_prompt=num_images_per_prompt,
                seed=seed,
                num_inference_steps=num_inference_steps,
                guidance_scale=guidance_scale,
                size=size,
                sampler=sampler,
                variety=variety,
                callback_on_step_end=callback_on_step_end,
            )
        )

    def stream(
        self,
        prompt: str | Sequence[str],
        *,
        negative_prompt: str = "",
        num_images_per_prompt: int = 1,
        seed: int | None = None,
        num_inference_steps: int = DEFAULT_STEPS,
        guidance_scale: float = DEFAULT_GUIDANCE_SCALE,
        size: int | None = None,
        sampler: str = DEFAULT_SAMPLER,
        variety: float = 0.0,
        callback_on_step_end: Callable[[Step], None] | None = None,
    ) -> Iterator[Picture]:
        """As calling the pipeline, but each picture comes as soon as it is made."""
        prompts = [prompt] if isinstance(prompt, str) else list(prompt)
        seed = secrets.randbelow(2**32) if seed is None else seed
        size = self.sizes[-1] if size is None else size
        self._check(prompts, num_images_per_prompt, seed, size)
        _check_sampling(num_inference_steps, guidance_scale, sampler, variety)
        recipe = Recipe(
            prompt="",
            negative_prompt=negative_prompt,
            seed=seed,
            sampler=sampler,
            num_inference_steps=num_inference_steps,
            guidance_scale=float(guidance_scale),
            width=size,
            height=size,
            model=self.model.name,
            model_hash=self.model.hash,
            version=__version__,
            data_hash=str(self.model.config.get("record", {}).get("data_hash", "")),
        )
        jobs = [
            replace(recipe, prompt=text, seed=seed + k, unknown_words=unknown)
            for text in prompts
            for unknown in [self.unknown_words(text, negative_prompt)]
            for k in range(num_images_per_prompt)
        ]
        if variety:
            jobs = [
                replace(
                    job, variety=float(variety), first_seed=first, together=min(left, MOST_TOGETHER)
                )
                for job in jobs
                for before in [(job.seed - seed) // MOST_TOGETHER * MOST_TOGETHER]
                for first, left in [(seed + before, num_images_per_prompt - before)]
            ]
        return self._draw(jobs, callback_on_step_end)

    def redo(
        self, recipe: Recipe, callback_on_step_end: Callable[[Step], None] | None = None
    ) -> Picture:
        """The picture of a recipe again: the same one, if this is the model that made it.

        RequestError if the recipe does not fit this model.
        """
        first, count, place = recipe.seed, 1, 0
        if recipe.variety:
            first, count, place = (
                recipe.first_seed,
                recipe.together,
                recipe.seed - recipe.first_seed,
            )
            if not 0 <= place < count <= MOST_TOGETHER:
                raise RequestError("The recipe is damaged: its seed is none of those beside it.")
        made = self.stream(
            recipe.prompt,
            negative_prompt=recipe.negative_prompt,
            num_images_per_prompt=count,
            seed=first,
            num_inference_steps=recipe.num_inference_steps,
            guidance_scale=recipe.guidance_scale,
            size=recipe.width,
            sampler=recipe.sampler,
            variety=recipe.variety,
            callback_on_step_end=callback_on_step_end,
        )
        return list(made)[place]

    def _read(self, text: str) -> str:
        """A prompt in the model's words, as far as something stands for it."""
        return canonical(text, self.model.vocabulary)[0]

    def _read_as(self, recipe: Recipe) -> dict[str, str]:
        prompts = (recipe.prompt, recipe.negative_prompt)
        return {
            found: reading
            for text in prompts
            for found, reading in canonical(text, self.model.vocabulary)[1]
        }

    def unknown_words(self, *prompts: str) -> tuple[str, ...]:
        """The words of prompts that the model does not know, and so leaves out."""
        text = " ".join(self._read(prompt) for prompt in prompts)
        return tuple(unknown_words(text, self.model.vocabulary))

    def _check(self, prompts: list[str], count: int, seed: int, size: int) -> None:
        """RequestError for what cannot be drawn."""
        if not prompts:
            raise RequestError("There is no prompt: say what to draw.")
        for text in prompts:
            if not text.strip():
                raise RequestError("A prompt is empty: say what to draw.")
            if not any(tokens(self._read(text), self.model.vocabulary)):
                shown = text if len(text) <= 60 else f"{text[:60]}..."
                raise RequestError(
                    f"The model knows no word of {shown!r}: `rocketman words` lists those it knows."
                )
        if count < 1:
            raise RequestError(f"The number of pictures should be at least 1, not {count}.")
        if not 0 <= seed <= MAX_SEED - (count - 1):
            found = f"{seed} to {seed + count - 1}" if count > 1 else str(seed)
            raise RequestError(f"The seeds should lie from 0 to {MAX_SEED}, not be {found}.")
        if size not in self.sizes:
            *but_last, last = (str(fit) for fit in self.sizes)
            fits = f"{', '.join(but_last)} or {last}" if but_last else last
            raise RequestError(f"A size of {size} does not fit this model: it draws {fits} pixels.")

    def _draw(
        self, jobs: list[Recipe], callback: Callable[[Step], None] | None
    ) -> Iterator[Picture]:
        """Batch after batch; every job of a call shares all but its prompt and seed."""
        batches = _batches(jobs)
        steps = jobs[0].num_inference_steps
        sample = sampling.SAMPLERS[cast(SamplerName, jobs[0].sampler)]
        total = len(batches) * steps
        for index, batch in enumerate(batches):
            started = time.perf_counter()

            def tell(step: int, _t: float, preview: Array, before: int = index * steps) -> None:
                if callback:
                    callback(Step(before + step + 1, total, preview))

            start, times = self._start(batch), sampling.timesteps(steps)
            clean = sample(self._denoiser(batch), start, times, tell)
            images = [self._finish(x1, recipe) for x1, recipe in zip(clean, batch, strict=True)]
            seconds = (time.perf_counter() - started) / len(batch)
            for image, recipe in zip(images, batch, strict=True):
                done = replace(recipe, seconds=round(seconds, 3))
                hints = tuple(nearest(recipe.unknown_words, self.model.vocabulary))
                yield Picture(image, done, self._read_as(recipe), hints)

    def _start(self, batch: list[Recipe]) -> Array:
        """Noise (B, 3, H, W) at t = 0, of each picture's own seed."""
        shape = (3, self.model.image_size, self.model.image_size)
        noise = np.stack([sampling.noise(recipe.seed, shape) for recipe in batch])
        return noise * np.float32(self.model.noise_scale)

    def _denoiser(self, batch: list[Recipe]) -> sampling.Denoise:
        """The network with these prompts and their guidance, as a function of (x, t)."""
        wanted = self._tokens([recipe.prompt for recipe in batch])
        unwanted = self._tokens([recipe.negative_prompt for recipe in batch])
        both = np.concatenate([wanted, unwanted])

        def denoise(x: Array, t: float) -> Array:
            return self._network(x, t, wanted)

        def denoise_pair(x: Array, t: float) -> tuple[Array, Array]:
            clean = self._network(np.concatenate([x, x]), t, both)
            return clean[: len(x)], clean[len(x) :]

        scale = batch[0].guidance_scale
        guided = sampling.guided(denoise, denoise_pair, scale, GUIDANCE_INTERVAL)
        return sampling.apart(guided, PUSH * batch[0].variety)

    def _tokens(self, prompts: list[str]) -> Tokens:
        """Token ids (B, L); an empty prompt is all padding: the unconditional input."""
        ids = [tokens(self._read(text), self.model.vocabulary) for text in prompts]
        return np.array(ids, dtype=np.int64)

    def _network(self, x: Array, t: float, ids: Tokens) -> Array:
        """One run: x (B, 3, H, W) at time t with token ids (B, L) -> clean pictures."""
        times = np.full(len(x), t, dtype=np.float32)
        [clean] = self._session.run(None, {"x": x, "t": times, "tokens": ids})
        return np.asarray(clean, dtype=np.float32)

    def _finish(self, x1: Array, recipe: Recipe) -> Image.Image:
        """A clean picture (3, H, W) in [-1, 1] as an image of the size asked for.

        The second stage draws it twice as large, if there is one; the rest is resampling.
        """
        if self._detail and recipe.width > self.model.image_size:
            [larger] = self._detail.run(None, {"x": np.clip(x1, -1, 1)[None]})
            x1 = np.asarray(larger[0], dtype=np.float32)
        image = to_image(x1)
        if image.width != recipe.width:
            image = image.resize((recipe.width, recipe.height), Image.Resampling.LANCZOS)
        return image


def to_image(x1: Array) -> Image.Image:
    """(3, H, W) in [-1, 1], cut off outside -> 8-bit RGB."""
    levels = np.rint((np.clip(x1, -1, 1) + 1) * 127.5).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(levels.transpose(1, 2, 0)))


def _batches(jobs: list[Recipe]) -> list[list[Recipe]]:
    """BATCH at a time; with variety those that are drawn together."""
    if jobs[0].variety:
        firsts = [k for k, job in enumerate(jobs) if job.seed == job.first_seed]
        return [jobs[a:b] for a, b in itertools.pairwise([*firsts, len(jobs)])]
    return [jobs[start : start + BATCH] for start in range(0, len(jobs), BATCH)]


def _check_sampling(steps: int, guidance_scale: float, sampler: str, variety: float) -> None:
    """RequestError for numbers out of range and samplers that do not exist."""
    if not 1 <= steps <= MAX_STEPS:
        raise RequestError(f"The number of steps should be from 1 to {MAX_STEPS}, not {steps}.")
    if not 0 <= guidance_scale <= MAX_GUIDANCE_SCALE:
        raise RequestError(
            f"The guidance scale should be from 0 to {MAX_GUIDANCE_SCALE:g}, "
            f"not {guidance_scale:g}."
        )
    if not 0 <= variety <= 1:
        raise RequestError(f"Variety should be from 0 to 1, not {variety:g}.")
    if sampler not in sampling.SAMPLERS:
        raise RequestError(
            f"There is no sampler {sampler!r}; there are {', '.join(sampling.SAMPLERS)}."
        )


def _available_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

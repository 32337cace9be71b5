"""Prompt and seed -> pictures: the ONE path that the command line and every other part use.

Level 3, without torch. Opens a model folder (`weights.py`), makes recipes of what is asked for
(`request.py`), has them drawn (`painter.py`), and gives each picture its recipe, so that whoever
saves it saves how it was made (`provenance/picture.py`).

    prompts, seed, ... -> one recipe a picture -> batches -> Painter -> enlarge -> Picture

Picture k of a prompt starts from noise of seed + k alone, so it is the same picture whichever
others are made beside it. Next: `cli.py` names, saves and reports them.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from PIL import Image

from rocketman import __version__, enlarge, painter, request, starts, weights
from rocketman.captions import tokens, unknown_words, unread
from rocketman.painter import Painter
from rocketman.provenance import picture
from rocketman.provenance.recipe import Recipe
from rocketman.reading import canonical, nearest, rivals
from rocketman.request import (
    DEFAULT_FRAMES,
    DEFAULT_GUIDANCE_SCALE,
    DEFAULT_SAMPLER,
    DEFAULT_STEPS,
    DEFAULT_STRENGTH,
    DEFAULT_VARIATION,
    Batch,
    RequestError,
)
from rocketman.sampling import Array
from rocketman.starts import Source, Start

ENLARGEMENTS = (1, 2, 4)
"""Sizes on offer, as multiples of the network's own."""


@dataclass(frozen=True)
class Step:
    """What a callback is told after each step of the sampler."""

    done: int
    """Steps finished, over all batches of the call."""
    total: int
    preview: Array
    """The pictures of this batch as the network sees them now, (B, 3, H, W) in [-1, 1]."""


OnStep = Callable[[Step], None]


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
    rivals: tuple[tuple[str, ...], ...] = ()
    """Suits, instruments or places of the prompt of which a picture has room for one only."""
    unread: tuple[str, ...] = ()
    """Known words past those that a prompt has room for."""
    start: bytes | None = field(default=None, repr=False)
    """The file of the picture that it was begun from, an ingredient of its credentials."""

    def save(self, path: Path | str) -> Path:
        """Save as what the name ends in (.png, .jpg, .webp), the recipe inside; returns where. See
        `provenance.picture.save`, also for what it replaces and when it raises PictureError."""
        return picture.save(self.image, path, self.recipe, start=self.start)


def load(model: Path | str | None = None) -> Pipeline:
    """The model that ships with Rocketman, or the one in a folder. ModelError if it is not one."""
    return Pipeline(weights.open_model(weights.embedded() if model is None else model))


class Pipeline:
    """A loaded model. Call it with a prompt, or several, to get pictures."""

    def __init__(self, model: weights.Model) -> None:
        """Load the network. ModelError if a file is damaged, or another model's."""
        self.model = model
        weights_hash = model.hash  # first: it knows damaged weights
        self._painter = Painter(model)
        self._origin: dict[str, Any] = {
            "model": model.name,
            "model_hash": weights_hash,
            "version": __version__,
            "data_hash": str(model.config.get("record", {}).get("data_hash", "")),
        }

    @property
    def sizes(self) -> tuple[int, ...]:
        """Widths, and so heights, in pixels that a picture can have."""
        return tuple(self.model.image_size * factor for factor in ENLARGEMENTS)

    @property
    def provider(self) -> str:
        """What the network runs on, as onnxruntime names it: "CPUExecutionProvider" or CUDA's."""
        return str(self._painter.session.get_providers()[0])

    def __call__(
        self,
        prompt: str | Sequence[str],
        negative_prompt: str | None = "",
        num_images_per_prompt: int = 1,
        seed: int | None = None,
        num_inference_steps: int = DEFAULT_STEPS,
        guidance_scale: float = DEFAULT_GUIDANCE_SCALE,
        size: int | None = None,
        sampler: str = DEFAULT_SAMPLER,
        variety: float = 0.0,
        image: Source | None = None,
        strength: float | None = None,
        mask_image: Source | None = None,
        upscale: int = 1,
        callback_on_step_end: OnStep | None = None,
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
        image: a picture to begin from, a file or PIL's, of any size and mode; its central square.
        strength: above 0, at most 1; how much of the way from noise to picture is drawn, and so of
            the steps. 1 leaves nothing of `image`. None is 0.7, or 1 with a mask.
        mask_image: white where `image` is drawn anew, black where it stays as it is.
        upscale: 2 or 4 has the finished picture enlarged so many times by a network of others
            (`enlarge.py`); the recipe says so.
        callback_on_step_end: called with a `Step` after each step of each batch.

        RequestError, in one sentence and before anything is drawn, if an argument does not fit;
        PictureError if `image` or `mask_image` cannot be used.
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
                image=image,
                strength=strength,
                mask_image=mask_image,
                upscale=upscale,
                callback_on_step_end=callback_on_step_end,
            )
        )

    def stream(
        self,
        prompt: str | Sequence[str],
        *,
        negative_prompt: str | None = "",
        num_images_per_prompt: int = 1,
        seed: int | None = None,
        num_inference_steps: int = DEFAULT_STEPS,
        guidance_scale: float = DEFAULT_GUIDANCE_SCALE,
        size: int | None = None,
        sampler: str = DEFAULT_SAMPLER,
        variety: float = 0.0,
        image: Source | None = None,
        strength: float | None = None,
        mask_image: Source | None = None,
        upscale: int = 1,
        callback_on_step_end: OnStep | None = None,
    ) -> Iterator[Picture]:
        """As calling the pipeline, but each picture comes as soon as it is made."""
        prompts = [prompt] if isinstance(prompt, str) else list(prompt)
        request.check_types(prompts)
        num_images_per_prompt = request.whole("num_images_per_prompt", num_images_per_prompt)
        seed = secrets.randbelow(2**32) if seed is None else request.whole("seed", seed)
        size = self.sizes[-1] if size is None else request.whole("size", size)
        self._check_prompts(prompts)
        request.check_count(num_images_per_prompt, len(prompts))
        request.check_seeds(seed, num_images_per_prompt)
        self._check_size(size)
        upscale = request.whole("upscale", upscale)
        if image is None and (mask_image is not None or strength is not None):
            raise RequestError(request.NO_START)
        if strength is None:
            strength = DEFAULT_STRENGTH if image is not None and mask_image is None else 1.0
        begun = None if image is None else starts.start(image, mask_image)
        base = self._recipe(
            seed=seed,
            size=size,
            negative_prompt=negative_prompt or "",
            num_inference_steps=request.whole("num_inference_steps", num_inference_steps),
            guidance_scale=guidance_scale,
            sampler=sampler,
            variety=request.number("variety", variety),
            first_seed=seed if variety else 0,
            init=begun.sha256 if begun else "",
            mask=begun.mask_sha256 if begun else "",
            strength=request.number("strength", strength),
            upscale=upscale,
            upscaler=enlarge.NAME if upscale != 1 else "",
        )
        request.check(base)
        unknown = ((text, self.unknown_words(text, base.negative_prompt)) for text in prompts)
        made = request.recipes(base, unknown, num_images_per_prompt)
        return self._draw(request.batches(made), begun, callback_on_step_end)

    def draw(
        self,
        recipes: Sequence[Recipe],
        callback_on_step_end: OnStep | None = None,
        *,
        image: Source | None = None,
        mask_image: Source | None = None,
    ) -> Iterator[Picture]:
        """The pictures of recipes, each drawn by itself: the same ones to the bit, if this model
        made them on this machine, whatever else is drawn.

        image, mask_image: those that the recipes were begun from, if they were; all from the same.
        RequestError, before anything is drawn, if a recipe does not fit them or this model.
        """
        begun = None if image is None else starts.start(image, mask_image)
        batches = [request.alone(self._fitted(recipe, begun)) for recipe in recipes]
        return self._draw(batches, begun, callback_on_step_end)

    def redo(
        self,
        recipe: Recipe,
        callback_on_step_end: OnStep | None = None,
        *,
        image: Source | None = None,
        mask_image: Source | None = None,
    ) -> Picture:
        """The picture of one recipe again; see `draw`."""
        [again] = self.draw([recipe], callback_on_step_end, image=image, mask_image=mask_image)
        return again

    def vary(
        self,
        recipe: Recipe,
        num_images: int = 1,
        strength: float = DEFAULT_VARIATION,
        seed: int | None = None,
        *,
        image: Source | None = None,
        mask_image: Source | None = None,
        callback_on_step_end: OnStep | None = None,
    ) -> Iterator[Picture]:
        """Variations around the picture of a recipe: its noise with some of another's mixed in.

        strength: in [0, 1], how much; at 0 the same picture, at 1 quite another of its prompt.
        seed: of the other noise; variation k uses seed + k. None draws one. The rest as in `draw`.
        """
        seed = secrets.randbelow(2**32) if seed is None else seed
        made = request.variations(recipe, num_images, strength, seed)
        return self.draw(made, callback_on_step_end, image=image, mask_image=mask_image)

    def walk(
        self,
        prompt: str,
        to_prompt: str | None = None,
        num_frames: int = DEFAULT_FRAMES,
        *,
        seed: int | None = None,
        to_seed: int | None = None,
        negative_prompt: str | None = "",
        num_inference_steps: int = DEFAULT_STEPS,
        guidance_scale: float = DEFAULT_GUIDANCE_SCALE,
        size: int | None = None,
        sampler: str = DEFAULT_SAMPLER,
        callback_on_step_end: OnStep | None = None,
    ) -> Iterator[Picture]:
        """A smooth walk in even steps, from the picture of a prompt and seed to another's.

        to_prompt, to_seed: None stays where it is. Between prompts the guided clean pictures are
        mixed, between seeds the noise (`sampling.mixed`). RequestError as when calling.
        """
        seed = secrets.randbelow(2**32) if seed is None else request.whole("seed", seed)
        first = self._recipe(
            prompt=prompt,
            seed=seed,
            size=self.sizes[-1] if size is None else request.whole("size", size),
            negative_prompt=negative_prompt or "",
            num_inference_steps=request.whole("num_inference_steps", num_inference_steps),
            guidance_scale=guidance_scale,
            sampler=sampler,
        )
        last = replace(
            first,
            prompt=prompt if to_prompt is None else to_prompt,
            seed=seed if to_seed is None else request.whole("to_seed", to_seed),
        )
        return self.draw(request.walk(first, last, num_frames), callback_on_step_end)

    def unknown_words(self, *prompts: str) -> tuple[str, ...]:
        """The words of prompts that the model does not know, and so leaves out."""
        text = " ".join(self._painter.read(prompt) for prompt in prompts)
        return tuple(unknown_words(text, self.model.vocabulary))

    # --- recipes that fit ---------------------------------------------------------------------

    def _recipe(self, *, seed: int, size: int, guidance_scale: float, **more: Any) -> Recipe:
        """A recipe of this model."""
        return Recipe(
            **{"prompt": "", **self._origin, **more},
            seed=seed,
            guidance_scale=request.number("guidance_scale", guidance_scale),
            width=size,
            height=size,
        )

    def _fitted(self, recipe: Recipe, begun: Start | None) -> Recipe:
        """A recipe, from wherever, as this model draws it. RequestError if it cannot."""
        request.check(recipe)
        prompts = [recipe.prompt, recipe.to_prompt] if recipe.share else [recipe.prompt]
        self._check_prompts(prompts)
        self._check_size(recipe.width)
        request.check_start(
            recipe, begun.sha256 if begun else "", begun.mask_sha256 if begun else ""
        )
        unknown = self.unknown_words(*prompts, recipe.negative_prompt)
        return replace(
            recipe,
            height=recipe.width,
            unknown_words=unknown,
            upscaler=enlarge.NAME if recipe.upscale > 1 else "",
            seconds=None,
            **self._origin,
        )

    def _check_prompts(self, prompts: list[str]) -> None:
        """RequestError for prompts that say nothing to this model."""
        if not prompts:
            raise RequestError("There is no prompt: say what to draw.")
        for text in prompts:
            if not text.strip():
                raise RequestError("A prompt is empty: say what to draw.")
            if not any(tokens(self._painter.read(text), self.model.vocabulary)):
                shown = text if len(text) <= 60 else f"{text[:60]}..."
                raise RequestError(
                    f"The model knows no word of {shown!r}: `rocketman words` lists those it knows."
                )

    def _check_size(self, size: int) -> None:
        """RequestError for a size that the model does not draw."""
        if size not in self.sizes:
            *but_last, last = (str(fit) for fit in self.sizes)
            fits = f"{', '.join(but_last)} or {last}" if but_last else last
            raise RequestError(f"A size of {size} does not fit this model: it draws {fits} pixels.")

    # --- drawing ------------------------------------------------------------------------------

    def _draw(
        self, batches: list[Batch], begun: Start | None, callback: OnStep | None
    ) -> Iterator[Picture]:
        """Batch after batch."""
        steps = [painter.steps(batch.recipes[0]) for batch in batches]
        total = sum(steps)
        known = begun.known(self.model.image_size) if begun else None
        repainted = begun.repainted(self.model.image_size) if begun else None
        for index, batch in enumerate(batches):
            started = time.perf_counter()

            def tell(done: int, preview: Array, before: int = sum(steps[:index])) -> None:
                if callback:
                    callback(Step(before + done, total, preview))

            images = self._painter.paint(batch.recipes, known, repainted, tell)
            seconds = (time.perf_counter() - started) / len(images)
            for place in batch.wanted:
                started = time.perf_counter()
                image = enlarge.enlarged(images[place], batch.recipes[place].upscale)
                took = round(seconds + time.perf_counter() - started, 3)
                recipe = replace(batch.recipes[place], seconds=took)
                yield Picture(
                    begun.joined(image) if begun else image,
                    recipe,
                    self._read_as(recipe),
                    tuple(nearest(recipe.unknown_words, self.model.vocabulary)),
                    tuple(rivals(recipe.prompt, self.model.vocabulary)),
                    self._unread(recipe),
                    begun.file if begun else None,
                )

    def _unread(self, recipe: Recipe) -> tuple[str, ...]:
        texts = (self._painter.read(text) for text in (recipe.prompt, recipe.negative_prompt))
        return tuple(word for text in texts for word in unread(text, self.model.vocabulary))

    def _read_as(self, recipe: Recipe) -> dict[str, str]:
        return {
            found: reading
            for text in (recipe.prompt, recipe.to_prompt, recipe.negative_prompt)
            for found, reading in canonical(text, self.model.vocabulary)[1]
        }

"""The exported network at work: recipes that go together -> images, by onnxruntime, without torch.

Level 2. Reads the network of a model folder (`weights.py`) and what each recipe says of noise and
prompts; runs a sampler (`sampling.py`) over them:

    recipe -> noise, perhaps over a picture to begin from -> sampler over the guided network
           -> clean picture (3, H, W) -> second stage, size -> image

Next: `generate.py` decides which recipes are drawn together, and gives the images out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rocketman import sampling, weights
from rocketman.captions import tokens, with_shot
from rocketman.provenance.recipe import Recipe
from rocketman.reading import canonical
from rocketman.runtime import open_network
from rocketman.sampling import Array, SamplerName

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

PUSH = 1.0
"""Strength of `sampling.apart` at variety 1; benchmarks/variety.md has what it costs."""

CRISPNESS = 0.5
"""How far pixels go away from the mean around them: with two views edges are softer than a render's
by a tenth, with this they are not (docs/log.md, 2026-11-30)."""
BINOMIAL = (1, 2, 1, 2, 4, 2, 1, 2, 1)
"""Weights of that mean, in sixteenths, row by row."""

DRAW = 2**32
"""Indices of noise between two draws: room for the variations of a picture."""

Tokens = NDArray[np.int64]
Tell = Callable[[int, Array], None]
"""(steps done, the pictures as the network sees them now (B, 3, H, W) in [-1, 1])."""


def opened(path: Path, remedy: str) -> InferenceSession:
    """A network of a model folder. ModelError if its file is damaged."""
    try:
        return open_network(path)
    except Exception as error:  # onnxruntime's exceptions have no base class of their own
        raise weights.ModelError(
            f"{path} holds a network that onnxruntime cannot load: {remedy}."
        ) from error


def _check_inputs(session: InferenceSession, wanted: set[str], path: Path) -> None:
    """ModelError if a network does not take these inputs: it is another one's file."""
    found = {each.name for each in session.get_inputs()}
    if found != wanted:
        raise weights.ModelError(
            f"{path} is another network: it takes {', '.join(sorted(found))}, not "
            f"{', '.join(sorted(wanted))}; copy the whole model folder again."
        )


class Painter:
    """A model's network, ready to draw."""

    def __init__(self, model: weights.Model) -> None:
        """Load the network into onnxruntime. ModelError if its file is damaged."""
        self.model = model
        self.session = opened(model.network_path, "`rocketman export` writes it anew")
        self.detail = None
        if model.detail_path.is_file():
            self.detail = opened(
                model.detail_path, "remove it; `python -m rocketman.detail` makes another"
            )
        wanted = {"x", "t", "tokens"} | ({"guess"} if model.self_condition else set())
        _check_inputs(self.session, wanted, model.network_path)
        if self.detail:
            _check_inputs(self.detail, {"x"}, model.detail_path)
        if len(model.vocabulary) > model.config["model"].get("vocabulary_size", 0):
            raise weights.ModelError(
                f"{model.folder} has a vocabulary of {len(model.vocabulary)} words, more than its "
                "network reads."
            )
        drawn = next(given.shape[-1] for given in self.session.get_inputs() if given.name == "x")
        if drawn != model.image_size:
            raise weights.ModelError(
                f"{model.folder} says image_size = {model.image_size}, but its network draws "
                f"{drawn} pixels."
            )

    def paint(
        self, recipes: Sequence[Recipe], known: Array | None, repainted: Array | None, tell: Tell
    ) -> list[Image.Image]:
        """The pictures of recipes that share sampler, steps, guidance, size and strength.

        known: the clean picture (3, H, W) that they begin from. repainted: (1, H, W) in [0, 1],
        where it is drawn anew; None is everywhere.
        """
        first = recipes[0]
        t0 = 1 - first.strength
        x = self._noises(recipes)
        denoise = self._denoiser(recipes)
        if known is not None:
            x = np.float32(t0) * known + np.float32(1 - t0) * x
            if repainted is not None:
                denoise = sampling.keeping(denoise, known, repainted)
        sample = sampling.SAMPLERS[cast(SamplerName, first.sampler)]
        if sample is sampling.stochastic:
            sample = partial(sample, fresh=lambda step: self._noises(recipes, step + 1))
        times = sampling.timesteps(steps(first), start=t0)
        clean = sample(denoise, x, times, lambda step, _t, preview: tell(step + 1, preview))
        return [self._finish(x1, first.width) for x1 in clean]

    def read(self, text: str) -> str:
        """A prompt in the model's words, as far as something stands for it."""
        return canonical(text, self.model.vocabulary)[0]

    def _shown(self, recipe: Recipe, prompt: str, seed: int) -> str:
        """What a prompt asks to be seen: read, and with a shot, unless what is left of a picture to
        begin from has one."""
        text, something_left = self.read(prompt), recipe.strength < 1 or recipe.mask
        return text if something_left else with_shot(text, self.model.vocabulary, seed)

    def _noises(self, recipes: Sequence[Recipe], draw: int = 0) -> Array:
        """Noise (B, 3, H, W) on the network's scale: draw 0 to begin with, then the sampler's."""
        return np.float32(self.model.noise_scale) * np.stack(
            [self._noise(recipe, draw) for recipe in recipes]
        )

    def _noise(self, recipe: Recipe, draw: int) -> Array:
        """Standard normal noise (3, H, W) of a recipe's seeds."""
        shape = (3, self.model.image_size, self.model.image_size)
        first = draw * DRAW
        noise = sampling.noise(recipe.seed, shape, index=first)
        if recipe.share and recipe.to_seed != recipe.seed:
            other = sampling.noise(recipe.to_seed, shape, index=first)
            noise = sampling.mixed(noise, other, recipe.share)
        for k, (seed, share) in enumerate(recipe.variations, start=1):
            # an index of its own: the same seed given twice must not be mixed with itself
            noise = sampling.mixed(noise, sampling.noise(seed, shape, index=first + k), share)
        return noise

    def _denoiser(self, recipes: Sequence[Recipe]) -> sampling.Denoise:
        """The network with these prompts and their guidance, as a function of (x, t)."""
        texts = [self._shown(recipe, recipe.prompt, recipe.seed) for recipe in recipes]
        goals = [
            self._shown(recipe, recipe.to_prompt or recipe.prompt, recipe.to_seed)
            if recipe.share
            else text
            for recipe, text in zip(recipes, texts, strict=True)
        ]
        ends = [self._tokens(each) for each in ([texts] if goals == texts else [texts, goals])]
        share = np.array([recipe.share for recipe in recipes], np.float32)[:, None, None, None]
        unwanted = self._tokens([self.read(recipe.negative_prompt) for recipe in recipes])
        guided = self.guided(ends, unwanted, recipes[0].guidance_scale, share)
        return sampling.apart(guided, PUSH * recipes[0].variety)

    def guided(
        self,
        ends: list[Tokens],
        unwanted: Tokens,
        guidance_scale: float,
        share: Array | float = 0.0,
    ) -> sampling.Denoise:
        """The network as a function of (x, t), pulled to prompts and away from unwanted ones.

        ends: (B, L) token ids, of the prompts or of a walk's two ends, the second by `share`.
        It is for one way from noise to pictures: it remembers what it drew.
        """

        def wanted(found: list[Array]) -> Array:
            return found[0] + share * (found[1] - found[0]) if len(found) > 1 else found[0]

        def denoise(x: Array, t: float, earlier: Array) -> Array:
            return wanted(self._clean(x, t, ends, earlier))

        def denoise_pair(x: Array, t: float, earlier: Array) -> tuple[Array, Array]:
            *found, without = self._clean(x, t, [*ends, unwanted], earlier)
            return wanted(found), without

        def drawn(x: Array, t: float, earlier: Array) -> Array:
            one, pair = partial(denoise, earlier=earlier), partial(denoise_pair, earlier=earlier)
            return sampling.guided(one, pair, guidance_scale)(x, t)

        return sampling.remembering(drawn)

    def _tokens(self, prompts: list[str]) -> Tokens:
        """Token ids (B, L); an empty prompt is all padding, the unconditional input."""
        return np.array([tokens(text, self.model.vocabulary) for text in prompts], dtype=np.int64)

    def _clean(self, x: Array, t: float, prompts: list[Tokens], earlier: Array) -> list[Array]:
        """One run: x (B, 3, H, W) at time t, its clean pictures by each of some prompts."""
        together, ids = np.concatenate([x] * len(prompts)), np.concatenate(prompts)
        times = np.full(len(together), sampling.told_time(t), dtype=np.float32)
        given = {"x": together, "t": times, "tokens": ids}
        if self.model.self_condition:
            given["guess"] = np.concatenate([earlier] * len(prompts))
        [clean] = self.session.run(None, given)
        return list(np.asarray(clean, dtype=np.float32).reshape(len(prompts), *x.shape))

    def _finish(self, x1: Array, size: int) -> Image.Image:
        """A clean picture (3, H, W) in [-1, 1] as an image of the size asked for.

        The second stage draws it larger, if there is one; the rest is resampling. It looks from
        both sides of the mirror, and the mean keeps what both saw: outlines lose their frays (two
        of the eight views of Timofte et al. 2016, "Seven ways to improve example-based single
        image super resolution"), and what it softens is made `crisper`.
        """
        if self.detail and size > self.model.image_size:
            x1 = np.clip(x1, -1, 1)
            [seen] = self.detail.run(None, {"x": np.stack([x1, x1[:, :, ::-1]])})
            plain, mirrored = np.asarray(seen, dtype=np.float32)
            x1 = crisper(np.float32(0.5) * (plain + mirrored[:, :, ::-1]))
        image = to_image(x1)
        if image.width != size:
            image = image.resize((size, size), Image.Resampling.LANCZOS)
        return image


def steps(recipe: Recipe) -> int:
    """Steps of the sampler that a recipe takes: of those it names, the part that is drawn."""
    return max(1, round(recipe.num_inference_steps * recipe.strength))


def crisper(x1: Array) -> Array:
    """(3, H, W) with edges as steep as a render's: each pixel goes away from the mean around it,
    but not beyond its neighbours, which would draw a rim beside every outline.
    """
    _, high, wide = x1.shape
    padded = np.pad(x1, ((0, 0), (1, 1), (1, 1)), mode="edge")
    near = [padded[:, y : y + high, x : x + wide] for y in range(3) for x in range(3)]
    mean = np.zeros_like(x1)
    for weight, pixels in zip(BINOMIAL, near, strict=True):
        mean += np.float32(weight / 16) * pixels
    crisp = x1 + np.float32(CRISPNESS) * (x1 - mean)
    return np.clip(crisp, np.minimum.reduce(near), np.maximum.reduce(near))


def to_image(x1: Array) -> Image.Image:
    """(3, H, W) in [-1, 1], cut off outside -> 8-bit RGB."""
    levels = np.rint((np.clip(x1, -1, 1) + 1) * 127.5).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(levels.transpose(1, 2, 0)))

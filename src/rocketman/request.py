"""What can be asked of a model: limits, their checks, and the recipes that a request becomes.

Level 2, without torch. A recipe (`provenance/recipe.py`) says all that shapes one picture, so what
is asked for is written as recipes, and drawing is the same for all of it:

    prompts, a number, a seed       -> `recipes`
    a recipe, and pictures near it  -> `variations`
    from one prompt to another      -> `walk`

`Batch` says which of them go through the network together. Next: `generate.py` draws them.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rocketman import enlarge, sampling
from rocketman.provenance.recipe import Recipe
from rocketman.provenance.verify import plain
from rocketman.sampling import SamplerName

DEFAULT_STEPS = 24
DEFAULT_GUIDANCE_SCALE = 3.0
DEFAULT_SAMPLER: SamplerName = "stochastic"
DEFAULT_STRENGTH = 0.7
"""Of pictures begun from another: its layout stays, the prompt decides the rest. With a mask it is
1: what is white is drawn from noise."""
DEFAULT_VARIATION = 0.5
"""Share of other noise in a variation."""
DEFAULT_FRAMES = 60

MAX_STEPS = 1000
MAX_GUIDANCE_SCALE = 30.0
MAX_SEED = 2**64 - 1
MAX_FRAMES = 1000
MAX_PICTURES = 100_000
MAX_VARIATIONS = 100
"""Of a picture that is a variation of a variation of ..."""
BATCH = 4
"""Pictures that go through the network together."""
MOST_TOGETHER = 16
"""The same with variety: pictures of one prompt that are drawn away from each other."""


NO_START = (
    "A strength or a mask needs a picture to begin from: give one (--init, image= in Python)."
)


class RequestError(ValueError):
    """Something asked for that cannot be drawn; the message is one sentence."""


# --- checks -----------------------------------------------------------------------------------


def check_types(texts: Sequence[object], **numbers: object) -> None:
    """RequestError for a prompt that is no text, or a number that should be whole: from Python
    anything may come, and goes into a file that could not be read again.
    """
    for text in texts:
        if not isinstance(text, str):
            raise RequestError(f"A prompt should be text, not {text!r}.")
    for name, value in numbers.items():
        if type(value) is not int:
            raise _not_whole(name, value)


def whole(name: str, value: object) -> int:
    """The value, perhaps numpy's, as an int. RequestError if it is none."""
    try:
        if isinstance(value, bool):
            raise TypeError
        return int(operator.index(value))  # type: ignore[arg-type]
    except TypeError as error:
        raise _not_whole(name, value) from error


def _not_whole(name: str, value: object) -> RequestError:
    return RequestError(f"{name} should be a whole number, not {value!r}.")


def number(name: str, value: object) -> float:
    """The value as a float. RequestError if it is none."""
    try:
        if isinstance(value, (str, bytes)):  # float() would read "3"
            raise TypeError
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError) as error:
        raise RequestError(f"{name} should be a number, not {value!r}.") from error


def check_count(count: int, prompts: int = 1) -> None:
    """RequestError if it is no number of pictures of each prompt, or so many that nobody means it:
    a recipe of each is made before the first is drawn."""
    if count < 1:
        raise RequestError(f"The number of pictures should be at least 1, not {count}.")
    if count * prompts > MAX_PICTURES:
        raise RequestError(
            f"{count * prompts:,} pictures are more than {MAX_PICTURES:,}: ask for them in parts."
        )


def check_seeds(seed: int, count: int = 1) -> None:
    """RequestError if `count` seeds from this one on are not all seeds."""
    check_types([], seed=seed)
    if not 0 <= seed <= MAX_SEED - (count - 1):
        found = f"{seed} to {seed + count - 1}" if count > 1 else str(seed)
        raise RequestError(f"The seeds should lie from 0 to {MAX_SEED}, not be {found}.")


def check(recipe: Recipe) -> None:
    """RequestError for wrong types, numbers out of range and samplers that do not exist."""
    check_types(
        [recipe.prompt, recipe.negative_prompt, recipe.to_prompt],
        num_inference_steps=recipe.num_inference_steps,
        size=recipe.width,
        upscale=recipe.upscale,
    )
    steps, scale = recipe.num_inference_steps, recipe.guidance_scale
    if not 1 <= steps <= MAX_STEPS:
        raise RequestError(f"The number of steps should be from 1 to {MAX_STEPS}, not {steps}.")
    if not 0 <= scale <= MAX_GUIDANCE_SCALE:
        raise RequestError(
            f"The guidance scale should be from 0 to {MAX_GUIDANCE_SCALE:g}, not {scale:g}."
        )
    if not 0 <= recipe.variety <= 1:
        raise RequestError(f"Variety should be from 0 to 1, not {recipe.variety:g}.")
    if recipe.sampler not in sampling.SAMPLERS:
        raise RequestError(
            f"There is no sampler {recipe.sampler!r}; there are {', '.join(sampling.SAMPLERS)}."
        )
    if not 0 <= 1 - recipe.strength < 1:  # the time to begin at; 1e-17 is lost in it
        raise RequestError(
            f"Strength should be above 0 and at most 1, not {recipe.strength:g}: at 0 nothing "
            "would be drawn."
        )
    if recipe.strength < 1 and not recipe.init:
        raise RequestError(NO_START)
    if recipe.upscale not in enlarge.FACTORS:
        raise RequestError(f"Pictures are enlarged 2 or 4 times, not {recipe.upscale}.")
    for seed in (recipe.seed, recipe.to_seed, *(seed for seed, _ in recipe.variations)):
        check_seeds(seed)
    place = recipe.seed - recipe.first_seed
    if recipe.variety and not 0 <= place < recipe.together <= MOST_TOGETHER:
        raise RequestError("The recipe is damaged: its seed is none of those beside it.")
    if recipe.variety:
        check_seeds(recipe.first_seed, recipe.together)
    if len(recipe.variations) > MAX_VARIATIONS:
        raise RequestError(
            f"After {MAX_VARIATIONS} variations of one another there are no more: begin anew."
        )
    if not all(0 <= share <= 1 for share in (recipe.share, *(s for _, s in recipe.variations))):
        raise RequestError("The strength of a variation should be from 0 to 1.")


def check_start(recipe: Recipe, init: str, mask: str) -> None:
    """RequestError if a recipe was not made with the picture and mask of these SHA-256."""
    pairs = (
        ("--init", "begun from another picture", recipe.init, init),
        ("--mask", "drawn within a mask", recipe.mask, mask),
    )
    for option, made, wanted, given in pairs:
        if wanted and not given:
            raise RequestError(
                f"It was {made}, which its recipe only names: give that file with {option}; its "
                f"SHA-256 is {plain(wanted)}."
            )
        if given and not wanted:
            raise RequestError(f"It was made without {option}: leave that out.")
        if given != wanted:
            raise RequestError(
                f"{option} is not the file that it was made with: its SHA-256 is {given}, not "
                f"{plain(wanted)}."
            )


# --- recipes ----------------------------------------------------------------------------------


def recipes(
    base: Recipe, prompts: Iterable[tuple[str, tuple[str, ...]]], count: int
) -> list[Recipe]:
    """`count` recipes of each prompt, seeds counting on from that of `base`.

    prompts: each with the words in it that the model does not know. With variety, up to
    MOST_TOGETHER pictures of a prompt are drawn together, and each recipe names the others.
    """
    made = [
        replace(base, prompt=text, seed=base.seed + k, unknown_words=unknown)
        for text, unknown in prompts
        for k in range(count)
    ]
    if not base.variety:
        return made
    return [
        replace(each, first_seed=base.seed + before, together=min(count - before, MOST_TOGETHER))
        for each in made
        for before in [(each.seed - base.seed) // MOST_TOGETHER * MOST_TOGETHER]
    ]


def variations(recipe: Recipe, count: int, strength: float, seed: int) -> list[Recipe]:
    """`count` recipes around one: noise of other seeds, from `seed` on, mixed into its own.

    strength: in [0, 1], how much of it. RequestError if a number is out of range.
    """
    count, seed = whole("num_images", count), whole("seed", seed)
    check_count(count)
    check_seeds(seed, count)
    made = [
        replace(recipe, variations=(*recipe.variations, (seed + k, number("strength", strength))))
        for k in range(count)
    ]
    check(made[0])
    return made


def walk(first: Recipe, last: Recipe, frames: int) -> list[Recipe]:
    """`frames` recipes from one to another, in even parts; they differ in prompt or seed alone.

    RequestError if there is no way to go, or a number of frames out of range.
    """
    frames = whole("num_frames", frames)
    if not 2 <= frames <= MAX_FRAMES:
        raise RequestError(f"The number of frames should be from 2 to {MAX_FRAMES}, not {frames}.")
    if (first.prompt, first.seed) == (last.prompt, last.seed):
        raise RequestError("A walk goes to another prompt or another seed: say which.")
    between = [
        replace(first, to_prompt=last.prompt, to_seed=last.seed, share=k / (frames - 1))
        for k in range(1, frames - 1)
    ]
    return [first, *between, last]


# --- batches ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Batch:
    """Recipes that go through the network together."""

    recipes: tuple[Recipe, ...]
    wanted: tuple[int, ...]
    """Places of those whose pictures are given out; the others are there for their sake."""


def batches(made: Sequence[Recipe]) -> list[Batch]:
    """Of recipes in the order of `recipes`: BATCH at a time; with variety all that it names."""
    if made[0].variety:
        starts = [k for k, recipe in enumerate(made) if recipe.seed == recipe.first_seed]
    else:
        starts = list(range(0, len(made), BATCH))
    parts = [tuple(made[a:b]) for a, b in itertools.pairwise([*starts, len(made)])]
    return [Batch(part, tuple(range(len(part)))) for part in parts]


def alone(recipe: Recipe) -> Batch:
    """One recipe by itself, so that its picture is the same to the bit whatever else is drawn.

    With variety, among those that it was drawn beside.
    """
    if not recipe.variety:
        return Batch((recipe,), (0,))
    place = recipe.seed - recipe.first_seed
    beside = [
        replace(recipe, seed=recipe.first_seed + k, variations=()) for k in range(recipe.together)
    ]
    beside[place] = recipe
    return Batch(tuple(beside), (place,))

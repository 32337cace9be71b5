"""The commands `redo`, `vary` and `walk`, which draw from pictures that are there, without logic.

Level 6, mounted by `cli.py`; the options that all drawing commands share are written here once.
Next: nothing imports this but `cli.py`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from rocketman import Pipeline, Recipe

PICTURES = Path("rocketman-pictures")

Out = Annotated[Path, typer.Option(metavar="DIR", help="Folder for the pictures.")]
Model = Annotated[
    Path | None, typer.Option(metavar="DIR", help="A model folder, instead of the model inside.")
]
FileFormat = Literal["png", "jpg", "webp"]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Init = Annotated[Path | None, typer.Option(metavar="FILE", help="A picture to begin from.")]
Mask = Annotated[
    Path | None, typer.Option(metavar="FILE", help="White where --init is drawn anew, else black.")
]
InitAgain = Annotated[
    Path | None, typer.Option("--init", metavar="FILE", help="The picture that it was begun from.")
]
MaskAgain = Annotated[
    Path | None,
    typer.Option("--mask", metavar="FILE", help="The mask, if there was one."),
]
UPSCALE = "Have it drawn 2 or 4 times as large by a network of others (NOTICE)."

FRAME, END = 50, 600
"""Milliseconds that a frame of a walk is shown, and its first and last."""


def redo(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A picture by Rocketman, or with A1111's text.")
    ],
    init: InitAgain = None,
    mask: MaskAgain = None,
    upscale: Annotated[
        int | None, typer.Option(help=f"{UPSCALE} 1: as drawn; else as the recipe says.")
    ] = None,
    model: Model = None,
    out: Out = PICTURES,
    as_json: AsJson = False,
) -> None:
    """Draw a picture again, from the recipe in its file; another tool's as far as it applies."""
    from rocketman.cli import report, save, say, step_bar, wrong_use

    say(f"Drawing {file} again into {out}")
    from rocketman import ModelError, PictureError, RequestError, foreign, load
    from rocketman.provenance import picture

    kinds = (ModelError, PictureError, RequestError)
    with report(as_json) as made, wrong_use(*kinds), step_bar(not as_json) as screen:
        recipe = picture.read(file)
        pipeline = load(model)
        if recipe is None:
            recipe, sentences = foreign.recipe(file, pipeline)
            for sentence in sentences:
                say(sentence)
        else:
            tell_of_other_model(recipe, pipeline)
        if upscale is not None:
            recipe = replace(recipe, upscale=upscale)
        folder = picture.prepare_folder(out)
        [again] = pipeline.draw([recipe], screen, image=init, mask_image=mask)
        screen.phase("saving")
        save(again, folder, made)


def vary(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A picture by Rocketman.")],
    n: Annotated[int, typer.Option("-n", help="Variations.")] = 9,
    strength: Annotated[
        float, typer.Option(help="How far from the picture, 0 to 1; at 1 only the prompt is left.")
    ] = 0.5,
    seed: Annotated[
        int | None, typer.Option(help="Seed of the first variation; the next add one. Else random.")
    ] = None,
    init: InitAgain = None,
    mask: MaskAgain = None,
    model: Model = None,
    out: Out = PICTURES,
    as_json: AsJson = False,
) -> None:
    """Draw variations around a picture, also around variations."""
    from rocketman.cli import report, save, say, step_bar, wrong, wrong_use

    say(f"Drawing {n} variation{'' if n == 1 else 's'} of {file} into {out}")
    from rocketman import ModelError, PictureError, RequestError, load
    from rocketman.provenance import picture

    kinds = (ModelError, PictureError, RequestError)
    with report(as_json) as made, wrong_use(*kinds), step_bar(not as_json) as screen:
        recipe = picture.read(file)
        if recipe is None:
            picture.refuse_sheet(file)
            wrong(f"{file} holds no recipe of Rocketman's.")
        pipeline = load(model)
        tell_of_other_model(recipe, pipeline)
        pictures = pipeline.vary(
            recipe, n, strength, seed, image=init, mask_image=mask, callback_on_step_end=screen
        )
        folder = picture.prepare_folder(out)
        for each in pictures:
            screen.phase("saving")
            save(each, folder, made)


def walk(
    prompt: Annotated[str, typer.Argument(metavar="PROMPT", show_default=False)],
    to_prompt: Annotated[
        str | None, typer.Argument(metavar="TO_PROMPT", show_default=False)
    ] = None,
    frames: Annotated[int, typer.Option(help="Pictures on the way, both ends included.")] = 60,
    seed: Annotated[int | None, typer.Option(help="Of the first picture. Else random.")] = None,
    to_seed: Annotated[
        int | None, typer.Option(help="Of the last picture. Else the first's.")
    ] = None,
    steps: Annotated[int, typer.Option(help="Steps of the sampler, 1 to 1000.")] = 24,
    guidance_scale: Annotated[
        float, typer.Option(help="How strongly the prompts pull, 0 to 30.")
    ] = 3.0,
    size: Annotated[int | None, typer.Option(help="Width and height in pixels.")] = None,
    model: Model = None,
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="A .gif or .webp file, or a folder for PNG files.")
    ] = Path("walk.gif"),
    as_json: AsJson = False,
) -> None:
    """Draw a smooth walk from one prompt or seed to another.

    A folder keeps every picture as it is made; an animation is written when all are there.
    """
    from rocketman.cli import how_read, is_template, report, save, say, step_bar, wrong, wrong_use

    if is_template(f"{prompt} {to_prompt}"):
        wrong("A walk goes from one prompt to one other: without braces and __wildcards__.")
    say(f"Drawing a walk of {frames} pictures into {out}")
    from rocketman import ModelError, PictureError, RequestError, load
    from rocketman.provenance import picture

    kinds = (ModelError, PictureError, RequestError)
    with report(as_json) as made, wrong_use(*kinds), step_bar(not as_json) as screen:
        pictures = load(model).walk(
            prompt,
            to_prompt,
            frames,
            seed=seed,
            to_seed=to_seed,
            num_inference_steps=steps,
            guidance_scale=guidance_scale,
            size=size,
            callback_on_step_end=screen,
        )
        if not out.suffix or out.is_dir():
            folder = picture.prepare_folder(out)
            for each in pictures:
                screen.phase("saving")
                save(each, folder, made)
            return
        picture.prepare_folder(out.parent)
        picture.check_animation(out)
        drawn = list(pictures)
        screen.phase("saving")
        times = [END, *[FRAME] * (len(drawn) - 2), END]
        recipes = [each.recipe for each in drawn]
        picture.save_animation([each.image for each in drawn], out, recipes, times)
        first, last = recipes[0], recipes[-1]
        made.append(
            {
                "file": str(out),
                "frames": len(drawn),
                "prompt": first.prompt,
                "to_prompt": last.prompt,
                "seed": first.seed,
                "to_seed": last.seed,
                "seconds": round(sum(recipe.seconds or 0.0 for recipe in recipes), 3),
                "unknown_words": list(dict.fromkeys((*first.unknown_words, *last.unknown_words))),
            }
        )
        say(str(out))
        how_read(drawn[0])
        if last.prompt != first.prompt:
            how_read(drawn[-1])


def tell_of_other_model(recipe: Recipe, pipeline: Pipeline) -> None:
    """Say so if a picture was made by another model than the one that draws it now."""
    from rocketman.cli import say
    from rocketman.provenance.verify import plain

    if recipe.model_hash != pipeline.model.hash:
        say(
            f"It was made by the model {plain(recipe.model)} ({plain(recipe.model_hash)}), "
            f"not by {pipeline.model.name} ({pipeline.model.hash}): it will look different."
        )

"""The durable run: draws what a collection asks for and lacks, and can die at any moment.

Level 5. Reads collection.toml (`plan.py`) and a model; writes DIR/pictures/*.png and the rows of
the database (`store.py`). A picture's file name holds the key of its recipe, and is written whole
before its row says "made": a worker killed in between leaves a file that the next one takes over.

    plan -> recipes -> rows -> claim -> draw -> save -> made -> claim ...

Several runs of one collection share the work. Next: `curate.py` chooses, `gallery.py` shows.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rocketman import __version__, generate, request
from rocketman.collection import plan as plans
from rocketman.collection.plan import Plan
from rocketman.collection.store import LEASE, Row, Store, StoreError, Wanted, worker_name
from rocketman.collection.wording import command, counted, reason
from rocketman.generate import Picture, Pipeline
from rocketman.provenance import picture
from rocketman.provenance.picture import PictureError, Recipe

PICTURES = "pictures"
DAMAGED = ".damaged"
"""End of the name that a damaged picture gets: whose it is now nobody can tell, so it is kept."""
POLL = 1.0
"""Seconds between two looks at what other workers still do."""


class RunError(RuntimeError):
    """A run broke off; the message says why, and what is kept."""


class Paused(Exception):  # noqa: N818  (it is not an error)
    """Ctrl-C; the message says how to go on."""


def run(
    folder: Path,
    on_progress: Callable[[int, int], None] | None = None,
    report: Callable[[str], None] | None = None,
) -> tuple[int, int]:
    """Draw every picture of a collection that is not there yet. Returns (drawn here, in all).

    `on_progress(made, wanted)` counts all workers; `report` hears which words are ignored, and how
    many pictures were damaged. Before anything is drawn: PlanError, ModelError, RequestError,
    PictureError or StoreError. Later: RunError, or Paused on Ctrl-C; what is made is kept, and the
    same call goes on.
    """
    plan = plans.read(folder)
    pictures = picture.prepare_folder(folder / PICTURES)
    pipeline = generate.load(plan.model)
    _check(plan, pipeline)
    unknown = pipeline.unknown_words(*dict.fromkeys(prompt.text for prompt in plan.prompts))
    if unknown and report:
        report(f"Ignored in prompts: {', '.join(unknown)}; `rocketman words` lists what it knows")
    with Store(folder, create=True) as store:
        drawn = 0

        def kept() -> str:
            with contextlib.suppress(sqlite3.Error):
                made, wanted = store.count()
                are = "is" if made == 1 else "are"
                return f"{made} of {counted(wanted, 'picture')} {are} made and kept"
            return "The pictures made so far are kept"

        go_on = f"{command('collection run', folder)} goes on."
        worker = worker_name()
        try:
            store.want(_wanted(plan, pipeline))
            if (aside := _set_aside(store.rows(), pictures)) and report:
                kept_as = f"kept as {pictures / '*'}{DAMAGED}"
                report(f"To be drawn again: {counted(aside, 'damaged picture')}, {kept_as}")
            store.forget_files(pictures)
            with _heartbeat(folder, worker):
                for each in _work(store, worker, plan, pipeline, pictures):
                    drawn += each
                    if on_progress:
                        on_progress(*store.count())
            for part in pictures.glob(".*.part"):  # of killed workers; nobody is writing now
                part.unlink(missing_ok=True)
        except KeyboardInterrupt as stop:
            raise Paused(f"Paused: {kept()}. {go_on}") from stop
        except (OSError, PictureError, sqlite3.Error) as error:
            raise RunError(f"Stopped: {reason(error)}. {kept()}. {go_on}") from error
        except RunError as error:
            raise RunError(f"{error} {kept()}. {go_on}") from error
        finally:
            with contextlib.suppress(sqlite3.Error):  # else its lease runs out
                store.release(worker)
        return drawn, store.count()[1]


def key_of(recipe: Recipe) -> str:
    """What names a picture: 24 hexadecimal digits of all in its recipe that shapes its pixels.

    Not the version of Rocketman, the model's name, its data set or the words it does not know: an
    update or a renamed folder makes nothing again. Nor a part of the recipe that a later version
    added, while it is not used.
    """
    table = json.loads(recipe.as_json)
    unused = () if recipe.variety else ("variety", "first_seed", "together")
    for name in ("version", "model", "data_hash", "unknown_words", *unused):
        del table[name]
    return hashlib.sha256(json.dumps(table, sort_keys=True).encode()).hexdigest()[:24]


def recipe_of(row: Row) -> Recipe:
    """The recipe of a row."""
    table = json.loads(row.recipe)
    return Recipe(**{**table, "unknown_words": tuple(table["unknown_words"])})


def _check(plan: Plan, pipeline: Pipeline) -> None:
    """RequestError if a prompt or a setting does not fit the model, before anything is drawn."""
    pipeline.stream(  # checks all it is given, and draws only when it is read
        [prompt.text for prompt in plan.prompts],
        num_images_per_prompt=plan.candidates,
        seed=plan.seed,
        num_inference_steps=plan.steps,
        guidance_scale=plan.guidance_scale,
        size=plan.size,
    )


def _wanted(plan: Plan, pipeline: Pipeline) -> Iterator[Wanted]:
    """Every picture of the plan, as this model would draw it."""
    model = pipeline.model
    size = plan.size or pipeline.sizes[-1]
    for position, prompt in enumerate(plan.prompts):
        for candidate in range(plan.candidates):
            recipe = Recipe(
                prompt=prompt.text,
                seed=plan.seed_of(prompt.text) + candidate,
                sampler=request.DEFAULT_SAMPLER,
                num_inference_steps=plan.steps,
                guidance_scale=plan.guidance_scale,
                width=size,
                height=size,
                model=model.name,
                model_hash=model.hash,
                version=__version__,
            )
            yield Wanted(
                key=key_of(recipe),
                recipe=recipe.as_json,
                prompt=prompt.text,
                seed=recipe.seed,
                model_hash=model.hash,
                position=position,
                candidate=candidate,
            )


def _work(
    store: Store, worker: str, plan: Plan, pipeline: Pipeline, pictures: Path
) -> Iterator[int]:
    """Claim, draw, save, until nothing is left; yields 1 for a picture drawn, 0 while waiting."""
    yield 0
    while True:
        rows = store.claim(worker, pipeline.model.hash, request.BATCH)
        if not rows:
            if not store.busy(pipeline.model.hash):
                return
            time.sleep(POLL)  # others are at work; should one die, its pictures come free
            yield 0
            continue
        if _take_over(store, worker, rows, pictures):
            yield 0
            continue
        for row, made in zip(rows, _drawn(pipeline, rows), strict=True):
            path = made.save(pictures / _name(row))
            store.finish(row, worker, made.recipe.as_json, path.name, made.recipe.seconds)
            yield 1


def _drawn(pipeline: Pipeline, rows: list[Row]) -> Iterator[Picture]:
    """The pictures of one claim. RunError if the model fails."""
    recipe = recipe_of(rows[0])
    try:
        yield from pipeline.stream(
            recipe.prompt,
            negative_prompt=recipe.negative_prompt,
            num_images_per_prompt=len(rows),
            seed=recipe.seed,
            num_inference_steps=recipe.num_inference_steps,
            guidance_scale=recipe.guidance_scale,
            size=recipe.width,
            sampler=recipe.sampler,
        )
    except Exception as error:  # onnxruntime's exceptions have no base class of their own
        raise RunError(f"The model failed: {reason(error)}.") from error


def _take_over(store: Store, worker: str, rows: list[Row], pictures: Path) -> bool:
    """Record what a killed worker saved but could not record. Whether there was any.

    The rest of the claim is given back: its seeds may no longer follow one another.
    """
    found = False
    for row in rows:
        path = pictures / _name(row)
        if recipe := _recipe_in(path, row):  # else saving says whether something is in the way
            store.finish(row, worker, recipe.as_json, path.name, None)
            found = True
    if found:
        store.release(worker)
    return found


def _set_aside(rows: list[Row], pictures: Path) -> int:
    """Rename the files of made pictures that do not hold them any more. How many."""
    found = 0
    for row in rows:
        if row.file and (path := pictures / row.file).exists() and not _recipe_in(path, row):
            with contextlib.suppress(FileNotFoundError):  # another run was faster
                path.rename(f"{path}.{secrets.token_hex(2)}{DAMAGED}")
                found += 1
    return found


def _recipe_in(path: Path, row: Row) -> Recipe | None:
    """The recipe in a file that holds a row's picture, whole by its check sums; else None."""
    try:
        recipe = picture.read(path)
        with picture.opened(path) as image:
            image.verify()  # pixels stay undecoded: under 1 ms a picture
    except PictureError:
        return None
    return recipe if recipe and key_of(recipe) == row.key else None


def _name(row: Row) -> str:
    """an-astronaut-in-a-white-suit-playing-a-harp-above-mars-<key>.png"""
    return f"{picture.slug(row.prompt)}-{row.key}{picture.SUFFIX}"


@contextmanager
def _heartbeat(folder: Path, worker: str) -> Iterator[None]:
    """Extend the worker's leases from a thread of its own, also while a slow network runs."""
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(LEASE / 4):
            # a beat may be missed: the next one comes before the lease ends
            with contextlib.suppress(StoreError, sqlite3.Error), Store(folder) as store:
                store.beat(worker)

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()

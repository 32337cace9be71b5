"""The report of a collection: who deserves credit, is it new, is it varied, and what says it is AI.

Level 5. Reads the chosen pictures (`works.py`), the database and the model's index
(`audits/index.py`); measures everything anew, nothing is taken on trust; writes DIR/report:

    report.json   what scripts read (docs/formats.md)
    index.html    the same for people (report_page.py)

Next: `report_words.py` turns the figures into answers; the gallery shows each picture its credit.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageEnhance, ImageOps

from rocketman.audits.credits import (
    Credits,
    author_rows,
    credit_line,
    credits,
    load_influence,
    parties,
    together,
)
from rocketman.audits.index import TrainingIndex, load_index
from rocketman.audits.newness import Newness, newness
from rocketman.audits.variety import training_variety, variety
from rocketman.collection import plan as plans
from rocketman.collection.plan import Plan
from rocketman.collection.run import PICTURES
from rocketman.collection.store import Store
from rocketman.collection.wording import command, counted
from rocketman.collection.works import Work, load_works
from rocketman.provenance import credentials, picture, watermark
from rocketman.weights import Model, embedded, open_model

if TYPE_CHECKING:
    from rocketman.audits.influence import Influence

FOLDER, TABLE = "report", "report.json"
MARKED = 12
"""Pictures whose mark is put to the test, spread over the collection."""
BATCH = 16

Progress = Callable[[int, int], None]
Edit = Callable[[Image.Image], Image.Image]


class ReportError(RuntimeError):
    """A collection that cannot be reported on; the message is one sentence."""


@dataclass(frozen=True, kw_only=True)
class Audited:
    """A chosen picture and what was found out about it."""

    work: Work
    image: Image.Image
    credits: Credits
    newness: Newness
    credential: str
    """State of its credentials, as `credentials.State` names them."""
    says_ai: bool
    """Whether they say that a generative model made it."""
    mark: int | None
    """The number that its pixels carry, if it is that of its own recipe."""


@dataclass(frozen=True, kw_only=True)
class Audit:
    """All that is known of a collection; `document` is what scripts read of it."""

    plan: Plan
    model: Model
    index: TrainingIndex
    pictures: tuple[Audited, ...]
    document: dict[str, Any]


def audit(folder: Path, on_progress: Progress | None = None) -> Audit:
    """Audit the chosen pictures of a collection. `on_progress(done, total)` counts pictures.

    Before anything is measured: PlanError, StoreError, ModelError where the model has no index,
    ReportError where no picture can be read.
    """
    plan = plans.read(folder)
    index = load_index(plan.model)
    model = open_model(plan.model or embedded())
    works, remarks = load_works(plan)
    influence, told = load_influence(model.folder)
    remarks = (*remarks, *filter(None, (*index.lacks, told)))
    pictures: list[Audited] = []
    for start in range(0, len(works), BATCH):
        pictures += _audited(works[start : start + BATCH], folder, index, influence)
        if on_progress:
            on_progress(len(pictures), len(works))
    others = sum(each.work.recipe.model_hash != model.hash for each in pictures)
    if others:
        remarks = (*remarks, f"Drawn by another model than this one: {counted(others, 'picture')}.")
    document = _document(plan, model, index, pictures, remarks)
    return Audit(plan=plan, model=model, index=index, pictures=tuple(pictures), document=document)


def _audited(
    works: Sequence[Work], folder: Path, index: TrainingIndex, influence: Influence | None
) -> list[Audited]:
    """Open and audit some pictures. ReportError if one is gone or damaged."""
    paths = [folder / PICTURES / str(work.row.file) for work in works]
    images = [_open(path, folder) for path in paths]
    owed = credits(images, index, influence)
    found = newness(images, index)
    audited = []
    for work, path, image, credit, new in zip(works, paths, images, owed, found, strict=True):
        state = credentials.read(path)
        audited.append(
            Audited(
                work=work,
                image=image,
                credits=credit,
                newness=new,
                credential=state.state,
                says_ai=credentials.AI_MADE.endswith(f"/{state.source_type}"),
                mark=_mark(image, path),
            )
        )
    return audited


def _open(path: Path, folder: Path) -> Image.Image:
    try:
        with Image.open(path) as opened:
            return opened.convert("RGB")
    except (OSError, ValueError, SyntaxError) as error:
        raise ReportError(
            f"{path} is gone or damaged: delete it, and {command('collection run', folder)} draws "
            "it again."
        ) from error


def _mark(image: Image.Image, path: Path) -> int | None:
    """The number in a picture's pixels, if it belongs to the recipe in its file."""
    recipe = picture.read(path)
    if recipe is None or min(image.size) < watermark.TILE:
        return None
    number, found = watermark.identifier(recipe.as_json), watermark.read(image)
    return number if found.found and found.identifier == number else None


# --- what scripts read ----------------------------------------------------------------------------


def _document(
    plan: Plan,
    model: Model,
    index: TrainingIndex,
    pictures: Sequence[Audited],
    remarks: Sequence[str],
) -> dict[str, Any]:
    files = [str(each.work.row.file) for each in pictures]
    similar = together([each.credits.similar.shares for each in pictures])
    pulls = [half.shares for each in pictures if (half := each.credits.influential)]
    influential = together(pulls) if len(pulls) == len(pictures) else None
    groups = pictures[0].credits.groups
    artist = plan.artist or "not named in collection.toml"
    picked = sum(each.work.mark.state == "picked" for each in pictures)
    found = variety([each.image for each in pictures], index.probes, index.copy_at)
    at_home, at_home_pixels = training_variety(index, found.n)
    return {
        "collection": {"title": plan.title, "artist": plan.artist, "pictures": len(pictures)},
        "audited_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "model": {"name": model.name, "hash": model.hash, "training_pictures": len(index)},
        "credits": author_rows(similar, influential),
        "credit_line": credit_line(groups, len(index), influential or similar),
        "parties": parties(
            index,
            model,
            (artist, counted(len(plan.prompts), "prompt")),
            (artist, f"{picked} of {len(pictures)} by hand, the others by the ranking"),
        ),
        "newness": [each.newness.as_json(file) for each, file in zip(pictures, files, strict=True)],
        "newness_control": {
            "pictures": len(next(iter(index.control.values()))),
            "held_out": index.held_out,
        },
        "variety": {
            **found.as_json(files),
            "training": round(at_home[0], 3),
            "training_interval": [round(bound, 3) for bound in at_home[1:]],
            "training_pixels": round(at_home_pixels[0], 3),
        },
        "human": human(plan, len(pictures)),
        "credentials": {
            **Counter(each.credential for each in pictures),
            "say_ai": sum(each.says_ai for each in pictures),
        },
        "watermark": survival([(each.mark, each.image) for each in pictures]),
        "pictures": [
            {
                "title": each.work.title,
                "prompt": each.work.recipe.prompt,
                **each.credits.as_json(file),
                "credentials": each.credential,
                "mark": None if each.mark is None else f"{each.mark:08x}",
            }
            for each, file in zip(pictures, files, strict=True)
        ],
        "remarks": list(remarks),
    }


def human(plan: Plan, shown: int) -> dict[str, Any]:
    """What a person did, counted in the collection's database; acts that were undone not."""
    with Store(plan.folder) as store:
        acts, rows = store.acts(), store.rows()
    kinds = Counter(act.kind for act in acts)
    return {
        "prompts_written": len(plan.prompts),
        "candidates_drawn": sum(row.file is not None for row in rows),
        "candidates_judged": len({act.picture for act in acts}),
        "rated": kinds["rate"],
        "picked": kinds["pick"],
        "rejected": kinds["reject"],
        "taken_back": kinds["unset"],
        "shown": shown,
        "first_act": acts[0].at if acts else None,
        "last_act": acts[-1].at if acts else None,
    }


# --- what the mark lives through --------------------------------------------------------------


def _jpeg(image: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def _scaled(image: Image.Image, factor: float) -> Image.Image:
    size = (round(image.width * factor), round(image.height * factor))
    return image.resize(size, Image.Resampling.BICUBIC)


EDITS: dict[str, Edit] = {
    "none": lambda image: image,
    "saved as JPEG of quality 50": lambda image: _jpeg(image, 50),
    "reduced to half": lambda image: _scaled(image, 0.5),
    "a quarter cut off": lambda image: image.crop((0, 0, image.width * 3 // 4, image.height)),
    "a screenshot, 0.83 of the size": lambda image: _jpeg(_scaled(image, 0.83), 80),
    "darkened by 30 %": lambda image: ImageEnhance.Brightness(image).enhance(0.7),
    "mirrored": ImageOps.mirror,
}


def survival(pictures: Sequence[tuple[int | None, Image.Image]]) -> dict[str, Any]:
    """Of how many pictures the right number is read after each edit; of MARKED at most.

    pictures: the number that each carries, None for none, and its pixels.
    """
    carrying = [(number, image) for number, image in pictures if number is not None]
    tried = carrying[:: max(1, -(-len(carrying) // MARKED))]
    edits = []
    for name, edit in EDITS.items():
        marks = [(watermark.read(edit(image)), number) for number, image in tried]
        read = sum(mark.found and mark.identifier == number for mark, number in marks)
        edits.append({"edit": name, "read": read, "of": len(tried)})
    return {
        "marked": len(carrying),
        "of": len(pictures),
        "edits": edits,
        "false_alarm": watermark.MAX_FALSE_ALARM,
    }


def credit_lines(folder: Path) -> dict[str, str]:
    """The credit line of each picture file that a collection's report knows; {} without report."""
    try:
        table = json.loads((folder / FOLDER / TABLE).read_text(encoding="utf-8"))
        return {each["file"]: each["credit_line"] for each in table["pictures"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {}

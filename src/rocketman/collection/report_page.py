"""A collection's report as one page, and as JSON.

Level 5. Reads an `Audit` (`report.py`) and its answers (`report_words.py`); writes DIR/report whole
or not at all. The page has the gallery's clothes and works from `file://`, without JavaScript.
Needs Jinja2 (extra `gallery`). Next: a person reads it, and publishes it or not.
"""

from __future__ import annotations

import io
import json
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image

from rocketman.audits.credits import Training
from rocketman.collection import report_words
from rocketman.collection.gallery import swap
from rocketman.collection.report import FOLDER, TABLE, Audit, Audited, ReportError
from rocketman.collection.wording import reason

MARKER = ".rocketman-report"
"""The file by which we know a report as ours, and may replace it."""
EDGE = 320
"""Pixels of the pictures on the page."""
CLOSEST, EXPLAINED = 4, 3
"""Pictures shown beside their nearest training picture, and beside those that count for them."""
STATIC = ("gallery.css", "gallery.js", "report.css", "stars.svg")


@dataclass(frozen=True, kw_only=True)
class Explained:
    """A picture with the training pictures that count for it."""

    audited: Audited
    image: str
    lists: tuple[tuple[str, tuple[tuple[Training, str], ...]], ...]
    """(heading, ((training picture, its image), ...))."""


def write(done: Audit) -> Path:
    """Write DIR/report; what was there before stays until then. Returns the page.

    ReportError if something else is in the way, or the disk refuses.
    """
    place = done.plan.folder / FOLDER
    if place.exists() and not (place / MARKER).is_file():
        raise ReportError(f"{place} is there and was not made by Rocketman: move it away.")
    part = place.with_name(f".{FOLDER}.{secrets.token_hex(4)}.part")
    try:
        (part / "images").mkdir(parents=True)
        (part / MARKER).write_text("Made by `rocketman audit collection`, and replaced by it.\n")
        text = json.dumps(done.document, ensure_ascii=False, indent=1) + "\n"
        (part / TABLE).write_text(text, encoding="utf-8", newline="\n")
        (part / "index.html").write_text(_page(done, part), encoding="utf-8", newline="\n")
        swap(part, place)
    except OSError as error:
        raise ReportError(f"The report cannot be written: {reason(error)}.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return place / "index.html"


def _page(done: Audit, place: Path) -> str:
    environment = Environment(
        loader=PackageLoader("rocketman.collection"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    assert environment.loader
    for name in STATIC:
        source = environment.loader.get_source(environment, name)[0]
        (place / name).write_text(source, encoding="utf-8", newline="\n")
    document = done.document
    closest = sorted(done.pictures, key=lambda each: each.newness.percentile)[:CLOSEST]
    return environment.get_template("report.html").render(
        document=document,
        answers=report_words.answers(document),
        duties=report_words.duties(document),
        disclosure=report_words.disclosure(document),
        percent=report_words.percent,
        shown=report_words.shown,
        moment=report_words.moment,
        closest=[
            (each, _own(each, place), _training(done, each.newness.row, place)) for each in closest
        ],
        explained=[_explained(done, each, place) for each in _spread(done.pictures, EXPLAINED)],
        opening=[(each, _own(each, place)) for each in _spread(done.pictures, 5)],
    )


def _explained(done: Audit, each: Audited, place: Path) -> Explained:
    owed = each.credits
    lists = [("Most similar", owed.similar)]
    if owed.influential:
        lists.append(("Most influential, by estimate", owed.influential))
    return Explained(
        audited=each,
        image=_own(each, place),
        lists=tuple(
            (name, tuple((one, _training(done, one.row, place)) for one in half.pictures))
            for name, half in lists
        ),
    )


def _own(each: Audited, place: Path) -> str:
    """A picture of the collection, small; returns its name below the report."""
    name = f"images/{each.work.stem}.webp"
    if not (place / name).exists():
        (place / name).write_bytes(_webp(each.image))
    return name


def _training(done: Audit, row: int, place: Path) -> str:
    """A training picture, as small as the index keeps it."""
    name = f"images/training-{row}.webp"
    if not (place / name).exists():
        (place / name).write_bytes(_webp(Image.fromarray(done.index.thumbnails[row])))
    return name


def _webp(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    smaller = image.copy()
    smaller.thumbnail((EDGE, EDGE), Image.Resampling.LANCZOS)
    smaller.save(buffer, format="WEBP", quality=84, method=4)
    return buffer.getvalue()


def _spread(items: Sequence[Any], most: int) -> list[Any]:
    """At most `most` of them, evenly spread."""
    count = min(most, len(items))
    return [items[k * len(items) // count] for k in range(count)]

"""The gallery: a static website of the chosen pictures, for any server or none.

Level 5. Reads collection.toml (`plan.py`), the database (`store.py`, `curate.py`) and the pictures;
writes DIR/gallery: index.html, a page a picture, images, feed.xml; with `url`, sitemap.xml;
where renders are at hand, "Real or generated?" (`quiz.py`); where there is a report (`report.py`),
that and each picture's credit. It is built beside the old one and takes its place whole; images
that did not change are taken over. Everything works from `file://`
and without JavaScript. The same collection gives the same files. Next: upload the folder.

Needs Jinja2 (extra `gallery`). Titles and prompts are escaped by it, in HTML and in XML.
"""

from __future__ import annotations

import io
import re
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image, ImageDraw, ImageFilter, features

from rocketman.collection import plan as plans
from rocketman.collection.plan import Plan
from rocketman.collection.quiz import Pair, find_renders, pairs
from rocketman.collection.report import FOLDER as REPORT
from rocketman.collection.report import credit_lines
from rocketman.collection.run import PICTURES
from rocketman.collection.wording import command, counted, reason
from rocketman.collection.works import Work, licence_url, load_works
from rocketman.provenance import picture

FOLDER = "gallery"
MARKER = ".rocketman-gallery"
"""The file by which we know a gallery as ours, and may replace it."""
EAGER = 6
"""Pictures of the index that load at once; the others when they are scrolled to."""
CARD = (1200, 630)
"""Pixels of the picture that a link shows in a chat or a feed."""

_STATIC = ("gallery.css", "gallery.js", "stars.svg")
_QUIZ = ("quiz.css", "quiz.js")


class GalleryError(RuntimeError):
    """The gallery cannot be built; the message is one sentence."""


@dataclass(frozen=True)
class Built:
    """What was built."""

    index: Path
    pictures: int
    size: int
    """Bytes of the whole folder."""
    remarks: tuple[str, ...]
    """What the curator may want to know, a sentence each."""


def build(folder: Path) -> Built:
    """Build DIR/gallery from what is chosen now. PlanError, StoreError, GalleryError if it cannot.

    What was DIR/gallery before stays until the new one is whole.
    """
    plan = plans.read(folder)
    works, remarks = load_works(plan)
    place = folder / FOLDER
    if place.exists() and not (place / MARKER).is_file():
        raise GalleryError(f"{place} is there and was not built by Rocketman: move it away.")
    part = folder / f".{FOLDER}.{secrets.token_hex(4)}.part"
    try:
        (part / "images").mkdir(parents=True)
        (part / "pictures").mkdir()
        (part / MARKER).write_text("Built by `rocketman collection gallery`, and replaced by it.\n")
        kinds = ("avif", "webp") if features.check("avif") else ("webp",)
        credits = credit_lines(folder)
        for work in works:
            credit = credits.get(str(work.row.file), "")
            _images(work, credit, kinds, folder / PICTURES, place, part)
        if credits:
            shutil.copytree(folder / REPORT, part / REPORT, ignore=shutil.ignore_patterns(".*"))
        guesses = _quiz(plan, works, folder / PICTURES, part)
        _pages(plan, works, credits, guesses, kinds, part)
        swap(part, place)
    except OSError as error:
        raise GalleryError(f"The gallery cannot be written: {reason(error)}.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    size = sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
    return Built(
        place / "index.html", len(works), size, (*remarks, *_remarks(plan, works, credits, folder))
    )


def _remarks(
    plan: Plan, works: list[Work], credits: Mapping[str, str], folder: Path
) -> tuple[str, ...]:
    remarks = []
    unknown = sum(str(work.row.file) not in credits for work in works) if credits else 0
    if unknown:
        remarks.append(
            f"The report was written before {unknown} of {counted(len(works), 'picture')} came in: "
            f"{command('audit collection', folder)} writes it anew."
        )
    without = len(plan.prompts) - len({work.row.prompt for work in works})
    if without:
        remarks.append(
            f"No picture to show for {without} of {counted(len(plan.prompts), 'prompt')}: "
            f"not drawn yet ({command('collection run', folder)}), or all rejected."
        )
    if not plan.url:
        remarks.append(
            "Without url in collection.toml there is no sitemap, and links show no picture."
        )
    return tuple(remarks)


# --- images -----------------------------------------------------------------------------------


def _images(
    work: Work, credit: str, kinds: Sequence[str], pictures: Path, old: Path, new: Path
) -> None:
    """The original, each width in each kind, and the card; from the old gallery where it has them.

    GalleryError if the picture is gone or damaged.
    """
    path = pictures / str(work.row.file)
    again = f"{command('collection run', pictures.parent)} draws it again."
    if not path.is_file():
        raise GalleryError(f"{path} is gone: {again}")
    damaged = f"{path} is damaged: delete it, and {again}"
    try:
        whole = picture.read(path) is not None
    except picture.PictureError as error:
        raise GalleryError(damaged) from error
    if not whole:
        raise GalleryError(damaged)
    try:
        picture.sign_again(path, new / work.original, work.human, credit)
    except picture.PictureError as error:
        raise GalleryError(str(error)) from error
    wanted = {work.image(width, kind): (width, kind) for width in work.widths for kind in kinds}
    wanted[work.card] = (0, "jpg")
    missing = {name: what for name, what in wanted.items() if not _taken_over(name, path, old, new)}
    if not missing:
        return
    try:
        with Image.open(path) as opened:
            image = opened.convert("RGB")
    except (OSError, ValueError, SyntaxError) as error:
        raise GalleryError(damaged) from error
    sized = {
        width: image
        if width == image.width
        else image.resize((width, width), Image.Resampling.LANCZOS)
        for width in work.widths
    }
    for name, (width, kind) in missing.items():
        (new / name).write_bytes(_card(image) if kind == "jpg" else _encoded(sized[width], kind))


def _taken_over(name: str, source: Path, old: Path, new: Path) -> bool:
    """Take an image from the old gallery, if it is younger than its picture."""
    before = old / name
    if not before.is_file() or before.stat().st_mtime_ns < source.stat().st_mtime_ns:
        return False
    shutil.copy2(before, new / name)
    return True


def _encoded(image: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    if kind == "avif":
        image.save(buffer, format="AVIF", quality=72, speed=8, max_threads=1)
    else:
        image.save(buffer, format="WEBP", quality=86, method=4)
    return buffer.getvalue()


def _card(image: Image.Image) -> bytes:
    """A picture of 1200 x 630 around the picture: it hangs in a mat, in its own light."""
    width, height = CARD
    glow = image.resize((16, 16), Image.Resampling.BOX).resize((width // 4, height // 4))
    wall = Image.blend(glow.filter(ImageFilter.GaussianBlur(18)), Image.new("RGB", glow.size), 0.78)
    card = wall.resize(CARD, Image.Resampling.BICUBIC)
    side, mat = 470, 30
    x, y = (width - side) // 2, (height - side) // 2
    pen = ImageDraw.Draw(card)
    pen.rectangle(
        (x - mat, y - mat, x + side + mat - 1, y + side + mat - 1), "#f3f0e8", "#d9d4c6", 1
    )
    card.paste(image.resize((side, side), Image.Resampling.LANCZOS), (x, y))
    buffer = io.BytesIO()
    card.save(buffer, format="JPEG", quality=86)
    return buffer.getvalue()


def _quiz(plan: Plan, works: list[Work], pictures: Path, place: Path) -> list[Pair]:
    """The pairs of "Real or generated?" with their images; none where no renders are at hand."""
    renders = find_renders(plan)
    if renders is None:
        return []
    guesses = pairs(works, renders)
    if guesses:
        (place / "quiz").mkdir()
    for pair in guesses:
        with Image.open(pictures / str(pair.work.row.file)) as opened:
            for name, content in pair.images(opened.convert("RGB")):
                (place / name).write_bytes(content)
    return guesses


# --- pages ------------------------------------------------------------------------------------


def _pages(
    plan: Plan,
    works: list[Work],
    credits: Mapping[str, str],
    guesses: list[Pair],
    kinds: Sequence[str],
    place: Path,
) -> None:
    environment = Environment(
        loader=PackageLoader("rocketman.collection"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    shared: dict[str, Any] = {
        "plan": plan,
        "works": works,
        "pairs": guesses,
        "kinds": kinds,
        "eager": EAGER,
        "card_size": CARD,
        "licence_url": licence_url(plan.licence),
        "paragraphs": [" ".join(text.split()) for text in re.split(r"\n\s*\n", plan.statement)],
        "models": sorted({work.recipe.model for work in works}),
        "updated": max(work.made for work in works),
        "credits": credits,
        "chosen_by_hand": sum(work.mark.state == "picked" for work in works),
        "drawn": sum({work.row.prompt: work.candidates for work in works}.values()),
    }

    def write(name: str, template: str, **more: object) -> None:
        text = environment.get_template(template).render({**shared, **more})
        (place / name).write_text(text, encoding="utf-8", newline="\n")

    write("index.html", "index.html", base="", path="")
    for k, work in enumerate(works):
        write(
            work.page,
            "picture.html",
            base="../",
            path=work.page,
            work=work,
            before=works[k - 1] if k else None,
            after=works[k + 1] if k + 1 < len(works) else None,
        )
    if guesses:
        seen = any(pair.seen for pair in guesses)
        write("quiz.html", "quiz.html", base="", path="quiz.html", seen=seen)
    write("feed.xml", "feed.xml")
    if plan.url:
        write("sitemap.xml", "sitemap.xml")
    for name in (*_STATIC, *(_QUIZ if guesses else ())):
        source = environment.loader.get_source(environment, name)[0] if environment.loader else ""
        (place / name).write_text(source, encoding="utf-8", newline="\n")


def swap(part: Path, place: Path) -> None:
    """Put a finished folder in the place of the old one."""
    old = place.with_name(f".{place.name}.{secrets.token_hex(4)}.old")
    if place.exists():
        place.rename(old)
    try:
        part.rename(place)
    except OSError:
        if old.exists():
            old.rename(place)
        raise
    shutil.rmtree(old, ignore_errors=True)

"""The gallery: a static website of the chosen pictures, for any server or none.

Level 5. Reads collection.toml (`plan.py`), the database (`store.py`, `curate.py`) and the pictures;
writes DIR/gallery: index.html, a page a picture, images, feed.xml and, where `url` is known,
sitemap.xml. It is built beside the old one and takes its place whole; images that did not change
are taken over. Everything works from `file://` and without JavaScript. The same collection gives
the same files. Next: upload the folder.

Needs Jinja2 (extra `gallery`). Titles and prompts are escaped by it, in HTML and in XML.
"""

from __future__ import annotations

import io
import re
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image, ImageDraw, ImageFilter, features

from rocketman.collection import curate
from rocketman.collection import plan as plans
from rocketman.collection.curate import Mark
from rocketman.collection.plan import Plan
from rocketman.collection.run import PICTURES, recipe_of
from rocketman.collection.store import Row, Store
from rocketman.provenance.picture import Recipe

FOLDER = "gallery"
MARKER = ".rocketman-gallery"
"""The file by which we know a gallery as ours, and may replace it."""
WIDTHS = (256, 512, 1024)
"""Pixels of the images offered, as far as the picture goes, besides its own width."""
EAGER = 6
"""Pictures of the index that load at once; the others when they are scrolled to."""
CARD = (1200, 630)
"""Pixels of the picture that a link shows in a chat or a feed."""
CARD_VERSION = 1
"""Goes into the names of cards: a new look, a new name."""

_STATIC = ("gallery.css", "gallery.js", "stars.svg")
_LICENCES = {
    r"CC0-1\.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    r"CC-(BY(?:-(?:NC|SA|ND|NC-SA|NC-ND))?)-([34]\.0)": "https://creativecommons.org/licenses/{}/{}/",
}


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


@dataclass(frozen=True, kw_only=True)
class Work:
    """A picture as the templates see it."""

    number: int
    """From 1, in the order of the gallery."""
    title: str
    recipe: Recipe
    row: Row
    candidates: int
    """How many were drawn of its prompt."""
    mark: Mark
    widths: tuple[int, ...]

    @property
    def stem(self) -> str:
        """Names its page and its images, and stays when the order changes."""
        return str(self.row.file).removesuffix(".png")

    @property
    def page(self) -> str:
        return f"pictures/{self.stem}.html"

    @property
    def original(self) -> str:
        return f"images/{self.row.file}"

    @property
    def card(self) -> str:
        return f"images/{self.stem}-card{CARD_VERSION}.jpg"

    @property
    def alt(self) -> str:
        """What the network was asked for, said as such; words that it does not know are named."""
        text = f"Generated picture of {self.recipe.prompt}"
        if self.recipe.unknown_words:
            text += f" (words the network does not know: {', '.join(self.recipe.unknown_words)})"
        return text

    @property
    def command(self) -> str:
        """What draws the picture again."""
        quoted = self.recipe.prompt.replace("\\", "\\\\").replace('"', '\\"')
        return (
            f'rocketman generate "{quoted}" --seed {self.recipe.seed} '
            f"--steps {self.recipe.num_inference_steps} "
            f"--guidance-scale {self.recipe.guidance_scale:g} --size {self.recipe.width}"
        )

    @cached_property
    def made(self) -> datetime:
        return datetime.fromisoformat(str(self.row.made_at))

    def image(self, width: int, kind: str) -> str:
        return f"images/{self.stem}-{width}.{kind}"

    def srcset(self, kind: str, base: str) -> str:
        return ", ".join(f"{base}{self.image(width, kind)} {width}w" for width in self.widths)


def build(folder: Path) -> Built:
    """Build DIR/gallery from what is chosen now. PlanError, StoreError, GalleryError if it cannot.

    What was DIR/gallery before stays until the new one is whole.
    """
    plan = plans.read(folder)
    with Store(folder) as store:
        rows, marks = store.rows(), curate.marks(store.acts())
    works = _works(plan, rows, marks)
    if not works:
        raise GalleryError(
            f"There is no picture to show: `rocketman collection run {folder}` draws them."
        )
    place = folder / FOLDER
    if place.exists() and not (place / MARKER).is_file():
        raise GalleryError(f"{place} is there and was not built by Rocketman: move it away.")
    part = folder / f".{FOLDER}.{secrets.token_hex(4)}.part"
    try:
        (part / "images").mkdir(parents=True)
        (part / "pictures").mkdir()
        (part / MARKER).write_text("Built by `rocketman collection gallery`, and replaced by it.\n")
        kinds = ("avif", "webp") if features.check("avif") else ("webp",)
        for work in works:
            _images(work, kinds, folder / PICTURES, place, part)
        _pages(plan, works, kinds, part)
        _swap(part, place)
    except OSError as error:
        told = error.strerror or str(error)
        raise GalleryError(f"The gallery cannot be written: {told} ({error.filename}).") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    size = sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
    return Built(place / "index.html", len(works), size, _remarks(plan, works, folder))


def _works(plan: Plan, rows: Sequence[Row], marks: dict[int, Mark]) -> list[Work]:
    """The chosen pictures of the prompts that the file has now, in its order."""
    order = {prompt.text: k for k, prompt in enumerate(plan.prompts)}
    drawn: dict[str, int] = {}
    for row in rows:
        drawn[row.prompt] = drawn.get(row.prompt, 0) + (row.file is not None)
    shown = [row for row in curate.chosen(rows, marks) if row.prompt in order]
    shown.sort(key=lambda row: order[row.prompt])
    works = []
    for number, row in enumerate(shown, start=1):
        recipe = recipe_of(row)
        smaller = tuple(width for width in WIDTHS if width < recipe.width)
        works.append(
            Work(
                number=number,
                title=plan.prompts[order[row.prompt]].title,
                recipe=recipe,
                row=row,
                candidates=drawn[row.prompt],
                mark=marks.get(row.id, Mark()),
                widths=(*smaller, recipe.width),
            )
        )
    return works


def _remarks(plan: Plan, works: list[Work], folder: Path) -> tuple[str, ...]:
    remarks = []
    without = len(plan.prompts) - len({work.row.prompt for work in works})
    if without:
        remarks.append(
            f"{without} of {len(plan.prompts)} prompts have no picture to show: not drawn yet "
            f"(`rocketman collection run {folder}`), or all rejected."
        )
    if not plan.url:
        remarks.append(
            "Without url in collection.toml there is no sitemap, and links show no picture."
        )
    return tuple(remarks)


# --- images -----------------------------------------------------------------------------------


def _images(work: Work, kinds: Sequence[str], pictures: Path, old: Path, new: Path) -> None:
    """The original, each width in each kind, and the card; from the old gallery where it has them.

    GalleryError if the picture is gone or damaged.
    """
    path = pictures / str(work.row.file)
    if not path.is_file():
        raise GalleryError(
            f"{path} is gone: `rocketman collection run {pictures.parent}` draws it again."
        )
    shutil.copyfile(path, new / work.original)
    wanted = {work.image(width, kind): (width, kind) for width in work.widths for kind in kinds}
    wanted[work.card] = (0, "jpg")
    missing = {name: what for name, what in wanted.items() if not _taken_over(name, path, old, new)}
    if not missing:
        return
    try:
        with Image.open(path) as opened:
            image = opened.convert("RGB")
    except (OSError, ValueError, SyntaxError) as error:
        raise GalleryError(
            f"{path} is damaged: delete it, and `rocketman collection run {pictures.parent}` "
            "draws it again."
        ) from error
    sized = {
        width: image
        if width == image.width
        else image.resize((width, width), Image.Resampling.LANCZOS)
        for width in work.widths
    }
    for name, (width, kind) in missing.items():
        (new / name).write_bytes(_card(image) if kind == "jpg" else _encoded(sized[width], kind))


def _taken_over(name: str, picture: Path, old: Path, new: Path) -> bool:
    """Take an image from the old gallery, if it is younger than its picture."""
    before = old / name
    if not before.is_file() or before.stat().st_mtime_ns < picture.stat().st_mtime_ns:
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


# --- pages ------------------------------------------------------------------------------------


def _pages(plan: Plan, works: list[Work], kinds: Sequence[str], place: Path) -> None:
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
        "kinds": kinds,
        "eager": EAGER,
        "card_size": CARD,
        "licence_url": _licence_url(plan.licence),
        "paragraphs": [" ".join(text.split()) for text in re.split(r"\n\s*\n", plan.statement)],
        "models": sorted({work.recipe.model for work in works}),
        "updated": max(work.made for work in works),
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
    write("feed.xml", "feed.xml")
    if plan.url:
        write("sitemap.xml", "sitemap.xml")
    for name in _STATIC:
        source = environment.loader.get_source(environment, name)[0] if environment.loader else ""
        (place / name).write_text(source, encoding="utf-8", newline="\n")


def _licence_url(licence: str) -> str:
    """The page of a Creative Commons licence, named as SPDX does; else empty."""
    for pattern, url in _LICENCES.items():
        if found := re.fullmatch(pattern, licence.strip(), re.IGNORECASE):
            return url.format(*(part.lower() for part in found.groups()))
    return ""


def _swap(part: Path, place: Path) -> None:
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

"""The page "Real or generated?": pairs of a render and a generated picture, for visitors to guess.

Level 5. Reads the collection's pictures and a data set of renders (`renders` of collection.toml, or
the folder that the model was trained on, where that is at hand); `gallery.py` writes the page.
Renders that training never saw come first. Both pictures of a pair go through the same hands: the
same size, the same encoder, no metadata, and names that tell left from right only.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image

from rocketman.captions import Split, vocabulary, words
from rocketman.collection.plan import Plan
from rocketman.collection.tables import PlanError
from rocketman.collection.works import Work
from rocketman.data.sources import Source, read_split, splits
from rocketman.weights import ModelError, embedded, open_model

PAIRS = 20
SPLIT_ORDER: tuple[Split, ...] = ("test", "validation", "train")
MOST_RENDERS = 2000
"""Of a split; enough to find one like any prompt."""
ALIKE = 0.5
"""Share of words that two captions of a pair have in common at least."""

UNSEEN = 0.25
"""So much likeness is given up for a render that training never saw."""

Side = Literal["left", "right"]


@dataclass(frozen=True)
class _Render:
    split: Split
    source: Source
    row: int

    @property
    def caption(self) -> str:
        return str(self.source.rows[self.row]["text"])


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A render and a generated picture of about the same subject."""

    number: int
    """From 1."""
    work: Work
    """The generated one."""
    generated: Side
    caption: str
    """Of the render."""
    credit: str
    """Author and licence of the render, as its data set states them."""
    seen: bool
    """Whether training saw the render."""
    render: Image.Image

    @property
    def sides(self) -> tuple[Side, Side]:
        return ("left", "right")

    def image(self, side: Side) -> str:
        """The image's name below the gallery's folder."""
        return f"quiz/{self.number:02d}-{side}.webp"

    def alt(self, side: Side) -> str:
        """What the picture shows, in words that do not give it away."""
        known = set(vocabulary())
        caption = self.work.recipe.prompt if side == self.generated else self.caption
        return " ".join(word for word in words(caption) if word in known)

    def images(self, generated: Image.Image) -> Iterator[tuple[str, bytes]]:
        """(name, content) of both images, `generated` being the work's picture."""
        width = min(generated.width, self.render.width)
        for side in self.sides:
            image = generated if side == self.generated else self.render
            buffer = io.BytesIO()
            small = image.convert("RGB").resize((width, width), Image.Resampling.LANCZOS)
            small.save(buffer, format="WEBP", quality=90, method=4)
            yield self.image(side), buffer.getvalue()


def find_renders(plan: Plan) -> Path | None:
    """The data set of renders that the plan names, or else the one its model was trained on.

    None if that is not at hand; PlanError if the one that is named is no data set.
    """
    if plan.renders:
        if not plan.renders.is_dir() or not splits(plan.renders):
            raise PlanError(
                f"{plan.renders}, which collection.toml names as renders, is no data set with "
                "captions."
            )
        return plan.renders
    try:
        data = open_model(plan.model or embedded()).config.get("data", {})
    except ModelError:
        return None
    folder = Path(str(data.get("folder", ""))).expanduser()
    return folder if folder.is_absolute() and folder.is_dir() and splits(folder) else None


def pairs(works: Sequence[Work], folder: Path, most: int = PAIRS) -> list[Pair]:
    """Up to `most` pairs of pictures with captions as near to each other as can be found.

    No picture is used twice. The same works and the same data set give the same pairs.
    """
    renders = list(_renders(folder))
    likeness = [
        (_likeness(work.recipe.prompt, render.caption), render.split == "train", w, r)
        for w, work in enumerate(works)
        for r, render in enumerate(renders)
    ]
    chosen: list[tuple[Work, _Render, Image.Image]] = []
    used: set[tuple[str, int]] = set()
    for like, _, w, r in sorted(likeness, key=_nearest_first):
        if len(chosen) == most:
            break
        if like < ALIKE or ("work", w) in used or ("render", r) in used:
            continue
        try:
            image = renders[r].source.open(renders[r].row)
        except (ValueError, OSError):
            used.add(("render", r))
            continue
        used |= {("work", w), ("render", r)}
        chosen.append((works[w], renders[r], _square(image)))
    chosen.sort(key=lambda each: _digest("order", each[0]))
    return [_pair(k, *each) for k, each in enumerate(chosen, start=1)]


def _pair(number: int, work: Work, render: _Render, image: Image.Image) -> Pair:
    row = render.source.rows[render.row]
    credit = [str(row[key]) for key in ("author", "license") if row.get(key)]
    return Pair(
        number=number,
        work=work,
        generated="left" if _digest("side", work)[0] % 2 else "right",
        caption=render.caption,
        credit=", ".join(credit),
        seen=render.split == "train",
        render=image,
    )


def _renders(folder: Path) -> Iterator[_Render]:
    for split in SPLIT_ORDER:
        if split in splits(folder):
            source = read_split(folder, split)
            yield from (_Render(split, source, k) for k in range(len(source.rows[:MOST_RENDERS])))


def _likeness(one: str, other: str) -> float:
    """The share of words that two captions have in common, 0 to 1 (Jaccard)."""
    a, b = set(words(one)), set(words(other))
    return len(a & b) / len(a | b)


def _nearest_first(each: tuple[float, bool, int, int]) -> tuple[float, int, int]:
    like, seen, work, render = each
    return (UNSEEN * seen - like, work, render)


def _square(image: Image.Image) -> Image.Image:
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))


def _digest(purpose: str, work: Work) -> bytes:
    """Chance that stays: it hangs on the picture alone."""
    return hashlib.sha256(f"quiz {purpose} {work.row.key}".encode()).digest()

"""The chosen pictures as gallery and film show them: in order, with title, recipe and mark.

Level 5. Made from the plan (`plan.py`), the database's rows (`store.py`), the curator's marks
(`curate.py`) and the ranking (`rank.py`). Next: `gallery.py` and `film.py` show them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from rocketman.collection import curate, rank
from rocketman.collection.curate import Mark
from rocketman.collection.plan import Plan
from rocketman.collection.run import recipe_of
from rocketman.collection.store import Row, Store, StoreError
from rocketman.collection.wording import command
from rocketman.provenance.credentials import HumanPart
from rocketman.provenance.picture import Recipe

WIDTHS = (256, 512, 1024)
"""Pixels of the images offered, as far as the picture goes, besides its own width."""
CARD_VERSION = 1
"""Goes into the names of cards: a new look, a new name."""
_LICENCES = {
    r"CC0-1\.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    r"CC-(BY(?:-(?:NC|SA|ND|NC-SA|NC-ND))?)-([34]\.0)": "https://creativecommons.org/licenses/{}/{}/",
}


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

    @property
    def human(self) -> dict[HumanPart, str]:
        """What a person did for this picture, as its credentials say it."""
        parts: dict[HumanPart, str] = {
            "wrote_prompt": "A person wrote the prompt, for a collection.",
            "reordered": "",
        }
        if self.mark.state == "picked":
            among = f", one of {self.candidates} candidates" if self.candidates > 1 else ""
            parts["chose"] = f"A person chose this picture{among}."
        return parts

    @cached_property
    def made(self) -> datetime:
        return datetime.fromisoformat(str(self.row.made_at))

    def image(self, width: int, kind: str) -> str:
        return f"images/{self.stem}-{width}.{kind}"

    def srcset(self, kind: str, base: str) -> str:
        return ", ".join(f"{base}{self.image(width, kind)} {width}w" for width in self.widths)


def load_works(
    plan: Plan, on_progress: Callable[[int, int], None] | None = None
) -> tuple[list[Work], tuple[str, ...]]:
    """What is chosen now, and a sentence for each thing that the ranking could not look at.

    Candidates are ranked, and measured where they were not, only if a choice is left to the
    ranking; `on_progress(done, total)` counts pictures measured. StoreError, also where there is
    no picture to show.
    """
    with Store(plan.folder) as store:
        rows, marks = store.rows(), curate.marks(store.acts())
        left = curate.undecided(rows, marks)
        ranking = rank.rank(plan, store, rows, on_progress) if left else rank.Ranking({}, {})
    works = works_of(plan, rows, marks, ranking.scores)
    if not works:
        known = {prompt.text for prompt in plan.prompts}
        drawn = sum(row.file is not None and row.prompt in known for row in rows)
        mended = f"{command('collection run', plan.folder)} draws them"
        if drawn:
            mended = (
                f"all that are drawn ({drawn}) are rejected, and "
                f"{command('collection pick', plan.folder)} chooses anew"
            )
        raise StoreError(f"There is no picture to show: {mended}.")
    return works, ranking.remarks


def works_of(
    plan: Plan, rows: Sequence[Row], marks: Mapping[int, Mark], scores: Mapping[int, float]
) -> list[Work]:
    """The chosen pictures of the prompts that the file has now, in its order."""
    order = {prompt.text: k for k, prompt in enumerate(plan.prompts)}
    drawn: dict[str, int] = {}
    for row in rows:
        drawn[row.prompt] = drawn.get(row.prompt, 0) + (row.file is not None)
    shown = [row for row in curate.chosen(rows, marks, scores) if row.prompt in order]
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


def licence_url(licence: str) -> str:
    """The page of a Creative Commons licence, named as SPDX does; else empty."""
    for pattern, url in _LICENCES.items():
        if found := re.fullmatch(pattern, licence.strip(), re.IGNORECASE):
            return url.format(*(part.lower() for part in found.groups()))
    return ""

"""The curator's choice: marks and ratings of pictures, and which picture each prompt is shown by.

Level 5. Reads and writes the acts in the collection's database (`store.py`): nothing is ever
overwritten there, each act keeps its time, and undoing is an act too. What a picture is marked as
follows from the acts. Next: `gallery.py` shows the chosen pictures.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from rocketman.collection.store import Act, Row

UNRATED = 2.5
"""Where a picture that nobody rated stands: below a 3, above a 2."""


@dataclass(frozen=True)
class Mark:
    """What the curator has said about a picture, all acts taken together."""

    state: Literal["", "picked", "rejected"] = ""
    rating: int | None = None
    """0 to 5."""
    at: str | None = None
    """Of the last act, UTC."""


def marks(acts: Sequence[Act]) -> dict[int, Mark]:
    """The mark of each picture that has any, by its id."""
    found: dict[int, Mark] = {}
    for act in acts:
        before = found.get(act.picture, Mark())
        match act.kind:
            case "rate":
                after = replace(before, rating=act.rating)
            case "pick":
                after = replace(before, state="picked")
            case "reject":
                after = replace(before, state="rejected")
            case "unset":
                after = Mark()
        found[act.picture] = replace(after, at=act.at)
    return found


def chosen(rows: Sequence[Row], marks: dict[int, Mark]) -> list[Row]:
    """The pictures to show, in the plan's order: all that are picked of each prompt.

    Where nothing is picked, the best of those made and not rejected; a prompt with none of these is
    left out. `rows` come in the order of prompt and candidate.
    """
    shown: list[Row] = []
    for _, group in itertools.groupby(rows, key=lambda row: row.position):
        made = [row for row in group if row.file is not None]
        picked = [row for row in made if marks.get(row.id, Mark()).state == "picked"]
        left = [row for row in made if marks.get(row.id, Mark()).state != "rejected"]
        shown += picked or ranked(left, marks)[:1]
    return shown


def ranked(rows: Sequence[Row], marks: dict[int, Mark]) -> list[Row]:
    """Best first: by the curator's rating (none counts as 2.5), then by candidate."""

    def rank(row: Row) -> tuple[float, int]:
        rating = marks.get(row.id, Mark()).rating
        return (-(UNRATED if rating is None else rating), row.candidate)

    return sorted(rows, key=rank)

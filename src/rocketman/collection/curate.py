"""The curator's choice: marks and ratings of pictures, and which picture each prompt is shown by.

Level 5. Reads and writes the acts in the collection's database (`store.py`): nothing is ever
overwritten there, each act keeps its time, and undoing is an act too. What a picture is marked as
follows from the acts; between equals the ranking (`rank.py`) decides. Next: `works.py` is what
gallery and film show of it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from rocketman.collection.store import Act, Kind, Row

NO_SCORES: Mapping[int, float] = MappingProxyType({})
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


def contradiction(
    acts: Iterable[tuple[Kind, int, int | None]],
) -> tuple[int, tuple[Kind, ...]] | None:
    """A picture (id) of which some acts undo others, and their kinds, if there is one.

    Only a rating goes with a mark: what is picked, rejected and unset at once depends on the order.
    """
    kinds: dict[int, dict[Kind, None]] = {}
    for kind, picture, _ in acts:
        kinds.setdefault(picture, {})[kind] = None
    for picture, found in kinds.items():
        if len(found) > 1 and ("unset" in found or {"pick", "reject"} <= found.keys()):
            return picture, tuple(found)
    return None


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


def chosen(
    rows: Sequence[Row], marks: Mapping[int, Mark], scores: Mapping[int, float] = NO_SCORES
) -> list[Row]:
    """The pictures to show, in the plan's order: all that are picked of each prompt.

    Where nothing is picked, the best of those made and not rejected; a prompt with none of these is
    left out. `rows` come in the order of prompt and candidate; `scores` by `rank.py`.
    """
    shown: list[Row] = []
    for _, group in itertools.groupby(rows, key=lambda row: row.position):
        made = [row for row in group if row.file is not None]
        picked = [row for row in made if marks.get(row.id, Mark()).state == "picked"]
        left = [row for row in made if marks.get(row.id, Mark()).state != "rejected"]
        shown += picked or ranked(left, marks, scores)[:1]
    return shown


def undecided(rows: Sequence[Row], marks: Mapping[int, Mark]) -> bool:
    """Whether a prompt has several candidates left and none picked, so that a ranking matters."""
    for _, group in itertools.groupby(rows, key=lambda row: row.position):
        states = [marks.get(row.id, Mark()).state for row in group if row.file is not None]
        if "picked" not in states and states.count("") > 1:
            return True
    return False


def ranked(
    rows: Sequence[Row], marks: Mapping[int, Mark], scores: Mapping[int, float] = NO_SCORES
) -> list[Row]:
    """Best first: by the curator's rating (none counts as 2.5), then by score, then by candidate.

    A picture without a score comes after those that have one.
    """

    def rank(row: Row) -> tuple[float, float, int]:
        rating = marks.get(row.id, Mark()).rating
        return (-(UNRATED if rating is None else rating), -scores.get(row.id, -1), row.candidate)

    return sorted(rows, key=rank)

"""The table of pictures: how wide ones are broken up."""

from __future__ import annotations

from rocketman import grid
from rocketman.captions import INSTRUMENTS, PLACES, unplayed


def test_columns_are_broken_into_even_bands() -> None:
    assert grid.bands(PLACES) == [dict(enumerate(PLACES))]
    parts = grid.bands([f"level {k}" for k in range(20)])
    assert [len(part) for part in parts] == [7, 7, 6]
    assert [name for part in parts for name in part.values()] == [f"level {k}" for k in range(20)]


def test_instruments_that_no_astronaut_ever_played_come_last() -> None:
    *played, last = grid.bands(INSTRUMENTS)
    assert set(last.values()) == set(unplayed())
    assert all(INSTRUMENTS[k] == name for part in (*played, last) for k, name in part.items())
    assert sum(map(len, played)) + len(last) == len(INSTRUMENTS)

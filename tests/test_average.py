"""runs/average.py: what the record of an average says of its data."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the extra `train`")

SCRIPT = Path(__file__).parents[1] / "runs" / "average.py"
SPEC = importlib.util.spec_from_file_location("average", SCRIPT)
assert SPEC is not None
assert SPEC.loader is not None
average = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(average)

FIRST = {"data_hash": "f", "pictures": 7200, "data_title": "all", "steps": 9}
LATER = {"data_hash": "l", "pictures": 2551, "data_title": "others", "steps": 5}


def test_later_pictures_stand_beside_the_first() -> None:
    once = average.both_data(FIRST, LATER)
    assert once == {
        "data_hash": "f",
        "pictures": 7200,
        "data_title": "all",
        "also_pictures": [2551],
        "also_data_hashes": ["l"],
    }
    twice = average.both_data(FIRST | once, {"data_hash": "m", "pictures": 9000})
    assert twice["data_hash"] == "f"
    assert twice["also_pictures"] == [2551, 9000]
    assert twice["also_data_hashes"] == ["l", "m"]
    assert average.both_data(FIRST | twice, LATER) == twice, "none counts twice"


@pytest.mark.parametrize("start", [{}, FIRST])
def test_otherwise_the_record_is_the_model_s_own(start: dict[str, object]) -> None:
    assert average.both_data(start, FIRST) == {}

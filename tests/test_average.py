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

WHOLE = {"data_hash": "w", "pictures": 7200, "data_title": "all", "steps": 9}
PART = {"data_hash": "p", "pictures": 2551, "data_title": "some", "steps": 5}


def test_a_part_is_the_last_data_of_the_whole() -> None:
    assert average.whole_data(WHOLE, PART) == {
        "data_hash": "w",
        "pictures": 7200,
        "data_title": "all",
        "last_data_hash": "p",
        "last_pictures": 2551,
    }


@pytest.mark.parametrize("start", [{}, PART, WHOLE])
def test_otherwise_the_record_is_the_model_s_own(start: dict[str, object]) -> None:
    assert average.whole_data(start, WHOLE) == {}

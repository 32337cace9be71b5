"""Real or generated: fair pairs, answers that no file name tells, and nothing without renders."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("jinja2")

from rocketman.collection import plan as plans
from rocketman.collection.gallery import build
from rocketman.collection.quiz import find_renders, pairs
from rocketman.collection.run import run
from rocketman.collection.tables import PlanError
from rocketman.collection.works import load_works

Make = Callable[..., Path]


@pytest.fixture
def renders(tmp_path: Path) -> Path:
    """A data set of renders of 32 px: harps and drums above Mars, seen and unseen by training."""
    folder = tmp_path / "renders"
    for split in ("train", "test"):
        (folder / split).mkdir(parents=True)
        rows = []
        for k, (suit, instrument) in enumerate(
            [("white", "harp"), ("white", "drum"), ("red", "guitar"), ("red", "drum")]
        ):
            pixels = np.full((32, 40, 3), 30 * k + 20, dtype=np.uint8)
            Image.fromarray(pixels).save(folder / split / f"{k}.png")
            text = f"an astronaut in a {suit} suit playing a {instrument} above mars"
            rows.append(
                {"file_name": f"{k}.png", "text": text, "author": "B", "license": "CC0-1.0"}
            )
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / split / "metadata.jsonl").write_text(lines)
    return folder


@pytest.fixture
def drawn(collection: Make, renders: Path) -> Path:
    folder = collection(
        candidates=1, edit=('licence = "', f'renders = "../{renders.name}"\nlicence = "')
    )
    run(folder)
    return folder


def test_pairs_are_alike_unseen_first_and_use_nothing_twice(drawn: Path, renders: Path) -> None:
    plan = plans.read(drawn)
    assert find_renders(plan) == drawn / ".." / "renders"
    works, _ = load_works(plan)
    found = pairs(works, renders)
    assert len(found) == 6
    assert len({pair.work.row.key for pair in found}) == 6
    exact = [pair for pair in found if pair.caption == pair.work.recipe.prompt.lower()]
    assert len(exact) == 4
    assert not any(pair.seen for pair in exact)
    assert [pair.number for pair in found] == [1, 2, 3, 4, 5, 6]
    assert found[0].credit == "B, CC0-1.0"
    assert pairs(works, renders, most=2)[0].number == 1
    (renders / "test" / "0.png").write_bytes(b"broken")
    assert len(pairs(works, renders)) == 6


def test_no_name_size_or_word_tells_the_answer(drawn: Path) -> None:
    build(drawn)
    images = sorted((drawn / "gallery" / "quiz").iterdir())
    assert [path.name for path in images[:3]] == ["01-left.webp", "01-right.webp", "02-left.webp"]
    for path in images:
        with Image.open(path) as image:
            assert (image.size, image.info.keys() & {"exif", "xmp"}) == ((16, 16), set())
    works, _ = load_works(plans.read(drawn))
    found = pairs(works, drawn / ".." / "renders")
    assert {pair.generated for pair in found} == {"left", "right"}
    for pair in found:
        for side in pair.sides:
            assert pair.alt(side) == pair.alt(side).lower()
    flat = [pair for pair in found for side in pair.sides if side != pair.generated]
    for pair in flat:
        side = "left" if pair.generated == "right" else "right"
        with Image.open(drawn / "gallery" / pair.image(side)) as image:
            assert np.ptp(np.asarray(image)) <= 4  # the render is where the page says it is


def test_the_page_is_there_with_renders_only(drawn: Path) -> None:
    build(drawn)
    page = (drawn / "gallery" / "quiz.html").read_text(encoding="utf-8")
    assert page.count("<details") == 6
    assert 'href="quiz.html"' in (drawn / "gallery" / "index.html").read_text(encoding="utf-8")
    text = (drawn / "collection.toml").read_text(encoding="utf-8")
    (drawn / "collection.toml").write_text(text.replace('renders = "../renders"', ""))
    build(drawn)
    assert not (drawn / "gallery" / "quiz.html").exists()
    assert "quiz" not in (drawn / "gallery" / "index.html").read_text(encoding="utf-8")


def test_a_named_folder_that_is_no_data_set(drawn: Path) -> None:
    text = (drawn / "collection.toml").read_text(encoding="utf-8")
    (drawn / "collection.toml").write_text(text.replace("../renders", "pictures"))
    with pytest.raises(PlanError, match="no data set with captions"):
        build(drawn)

"""What `dataset check` finds: leaks between splits, lies in the rows, near-duplicates."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rocketman.captions import Factors, split_of
from rocketman.data.check import NEAR_BITS, check, difference_hash, near_duplicates, wrong_with

SPLITS = ("train", "validation", "test")
AddPicture = Callable[..., None]


@pytest.fixture
def folder(tmp_path: Path, add_picture: AddPicture) -> Path:
    """Two good pictures a split."""
    for number, split in enumerate(SPLITS):
        for k in range(2):
            add_picture(tmp_path, split, f"{k}.png", 10 * number + k)
    return tmp_path


def test_nothing_is_wrong_with_a_good_set(folder: Path) -> None:
    told: list[tuple[int, int]] = []
    report = check(folder, lambda done, total: told.append((done, total)))
    assert report.as_json == {
        "pictures": 6,
        "errors": [],
        "factors": {
            "suit": {"white": 2, "orange": 2, "red": 2},
            "instrument": {"harp": 4, "guitar": 2},
            "place": {"above mars": 6},
            "relation": {"playing": 6},
        },
        "splits": {"train": 2, "validation": 2, "test": 2},
        "near_duplicates": [],
        "long_captions": 0,
    }
    assert told[-1] == (6, 6)


def pair(suit: str, instrument: str, relation: str = "playing") -> dict[str, Any]:
    factors = Factors(relation=relation, place="above mars", suit=suit, instrument=instrument)
    return {
        "suit": suit,
        "instrument": instrument,
        "relation": relation,
        "text": factors.caption,
        "captions": [factors.caption],
    }


@pytest.mark.parametrize(
    ("split", "changes", "what"),
    [
        ("train", pair("orange", "guitar"), "orange suit with a guitar, which is kept for valid"),
        ("train", pair("red", "harp"), "which is kept for test"),
        ("train", pair("red", "harp", "beside"), "which is kept for test"),
        ("train", pair("white", "trombone"), "which is kept for test"),
        ("train", pair("white", "ukulele"), "which is kept for validation"),
        ("validation", pair("white", "ukulele", "beside"), "which is kept for train"),
        ("validation", pair("white", "harp"), "which is kept for train"),
        ("test", pair("orange", "guitar"), "which is kept for validation"),
        ("train", {"captions": ["a spaceman in red plays the harp"]}, "which it does not show"),
        ("train", {"text": "a drum above mars"}, "a text that its factors do not say"),
        ("train", {"suit": "green"}, "'green' is not a level of suit"),
        ("train", {"instrument": None}, "factors that make no picture"),
        ("train", {"place": ["above mars"]}, "factors that make no picture"),
        ("train", {"sha256": "0" * 64}, "not the file that its sha256 tells of"),
    ],
)
def test_rows_that_cannot_be_so(
    folder: Path, add_picture: AddPicture, split: str, changes: dict[str, Any], what: str
) -> None:
    add_picture(folder, split, "odd.png", 99, **changes)
    [error] = check(folder).errors
    assert error.file == f"{split}/odd.png"
    assert what in error.what


def test_what_is_never_played_may_float_beside(folder: Path, add_picture: AddPicture) -> None:
    add_picture(folder, "train", "odd.png", 99, **pair("white", "ukulele", "beside"))
    assert check(folder).errors == []


def test_captions_alone_can_leak() -> None:
    """A stranger's data set without factors: its words are looked at."""
    row = {"text": "a cosmonaut in a red suit with a harp", "captions": ["the same"]}
    assert wrong_with({**row, "captions": [row["text"]]}, "train") == [
        "shows a red suit with a harp, which is kept for test"
    ]
    assert wrong_with({"text": "my cat", "captions": ["my cat"]}, "train") == []
    assert split_of("red", "harp") == "test"


def test_broken_pictures_and_strays_are_named_with_their_split(folder: Path) -> None:
    (folder / "train" / "stray.png").write_bytes(b"")
    (folder / "test" / "1.png").write_bytes(b"broken")
    (folder / "validation" / "metadata.jsonl").write_bytes(b"\xff\xff")
    report = check(folder)
    assert report.pictures == 3
    assert [error.file for error in report.errors] == [
        "validation",
        "train/stray.png",
        "test/1.png",
    ]


def test_captioned_pictures_that_no_reader_takes_are_named(folder: Path) -> None:
    for name in ("cat.png", "train/dog.heic", "10_cats/tom.jpg"):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
        path.with_suffix(".txt").write_text("my cat")
    assert list(map(str, check(folder).errors)) == [
        "10_cats/tom.jpg lies beside train/ and is not read",
        "cat.png lies beside train/ and is not read",
        "train/dog.heic is in a format that is not read: save it as PNG",
    ]


def test_problems_are_named_by_paths_that_exist(folder: Path) -> None:
    (folder / "validation").rename(folder / "val")
    (folder / "val" / "1.png").write_bytes(b"")
    (folder / "train" / "1.png").write_bytes(b"")
    assert [error.file for error in check(folder).errors] == ["train/1.png", "val/1.png"]
    assert [error.file for error in check(folder / "train").errors] == ["1.png"]


def changed(picture: Image.Image, kind: str) -> Image.Image:
    match kind:
        case "same":
            return picture
        case "mirrored":
            return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        case "smaller":
            return picture.resize((40, 40), Image.Resampling.LANCZOS)
        case "brighter":
            return picture.point(lambda level: min(255, round(level * 1.02)))
    raise ValueError(kind)


@pytest.mark.parametrize("kind", ["same", "mirrored", "smaller", "brighter"])
def test_near_duplicates_are_found_across_splits(
    folder: Path, add_picture: AddPicture, kind: str
) -> None:
    with Image.open(folder / "train" / "1.png") as original:
        add_picture(folder, "test", "copy.png", changed(original, kind))
    report = check(folder)
    assert report.near_duplicates == [("test/copy.png", "train/1.png")]
    [error] = report.errors
    assert str(error) == "test/copy.png looks like train/1.png"


def test_dark_pictures_are_no_duplicates(folder: Path, add_picture: AddPicture) -> None:
    """A few stars on black: the hash alone would see most of them as one."""
    rng = np.random.default_rng(0)
    for k in range(20):
        sky = np.zeros((64, 64, 3), dtype=np.uint8)
        x, y = rng.integers(0, 44, 2)
        sky[y : y + 20, x : x + 20] = rng.integers(100, 256, 3)
        add_picture(folder, "train", f"sky{k}.png", Image.fromarray(sky))
    assert check(folder).near_duplicates == []


def test_the_hash_is_what_it_says() -> None:
    """Bit by bit against a plain reckoning, on a picture whose areas are flat."""
    steps = np.array([0, 10, 5, 5, 80, 20, 30, 40], dtype=np.uint8)
    grey = np.repeat(np.repeat(steps[None, :], 16, axis=0), 2, axis=1)
    picture = np.stack([grey] * 3, axis=-1)[None]
    bits = np.unpackbits(difference_hash(picture).view(np.uint8)).reshape(8, 8)
    at = np.interp(np.linspace(0, 15, 9), np.arange(16), grey[0])
    np.testing.assert_array_equal(bits, np.tile(np.diff(at) > 0, (8, 1)))
    assert NEAR_BITS < 16, "two random hashes differ in 32 bits, give or take 4"


def test_ten_thousand_pictures_take_seconds() -> None:
    sketches = np.random.default_rng(1).integers(0, 256, (10_000, 16, 16, 3), dtype=np.uint8)
    sketches[9_999] = sketches[3, :, ::-1]
    start = time.perf_counter()
    assert near_duplicates(sketches) == [(9_999, 3)]
    assert time.perf_counter() - start < 20, "one second on an idle core"


def test_as_many_copies_of_one_picture_take_no_longer() -> None:
    same = np.tile(np.arange(16, dtype=np.uint8)[None, None, :, None], (2_000, 16, 1, 3))
    assert near_duplicates(same) == [(k, 0) for k in range(1, 2_000)]

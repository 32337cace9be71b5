"""Captioned pictures with every kind of damage, the cache, batches that can be had twice."""

from __future__ import annotations

import json
import weakref
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rocketman.data import batches as data


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Five good pictures of one colour each, and one of each kind of trouble."""
    monkeypatch.setenv("ROCKETMAN_CACHE", str(tmp_path / "cache"))
    split = tmp_path / "set" / "train"
    split.mkdir(parents=True)
    rows = []
    for k in range(5):
        Image.new("RGB", (40, 20 + 10 * k), (50 * k, 0, 0)).save(split / f"{k}.png")
        rows.append({"file_name": f"{k}.png", "text": f"a suit {k}", "suit": "red"})
    (split / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno picture")
    whole = (split / "4.png").read_bytes()
    (split / "short.png").write_bytes(whole[: len(whole) // 2])
    (split / "mute.png").write_bytes(whole)
    rows += [{"file_name": f"{name}.png", "text": "a harp"} for name in ("broken", "short", "gone")]
    rows += [{"file_name": "mute.png"}, {"text": "a harp"}]
    lines = [json.dumps(row) for row in rows]
    (split / "metadata.jsonl").write_text("\n".join([*lines, "{no json", ""]))
    return tmp_path / "set"


def test_troubles_are_named_and_left_out(folder: Path) -> None:
    told: list[str] = []
    pictures = data.load_split(folder, "train", 8, told.append)
    assert pictures.captions == tuple(f"a suit {k}" for k in range(5))
    assert [int(picture[0, 0, 0]) for picture in pictures.pixels] == [0, 50, 100, 150, 200]
    assert pictures.pixels.shape == (5, 8, 8, 3)
    assert pictures.rows[0]["suit"] == "red"
    for name in ("broken.png", "short.png", "gone.png", "mute.png", "line 10", "line 11"):
        assert sum(name in problem for problem in pictures.problems) == 1, name
        assert any(name in line for line in told)


def test_the_cache_is_used_and_noticed_when_stale(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = data.load_split(folder, "train", 8)
    with monkeypatch.context() as patch:
        patch.setattr(data, "decode", None)  # would fail if anything were decoded
        again = data.load_split(folder, "train", 8)
    np.testing.assert_array_equal(first.pixels, again.pixels)
    assert again.problems == first.problems
    Image.new("RGB", (33, 33), (0, 0, 255)).save(folder / "train" / "0.png")
    assert data.load_split(folder, "train", 8).pixels[0, 0, 0, 2] == 255
    assert data.load_split(folder, "train", 4).pixels.shape == (5, 4, 4, 3)


def test_decoding_goes_on_where_it_was_killed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pictures decoded before the end are not decoded again; troubles before it are not lost."""
    monkeypatch.setattr(data, "DECODED_AT_ONCE", 2)
    cut = data.central_square
    opened: list[Image.Image | None] = []

    def failing(
        picture: Image.Image, image_size: int
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        if len(opened) == 5:
            raise KeyboardInterrupt
        opened.append(picture)
        return cut(picture, image_size)

    whole = data.load_split(folder, "train", 4)
    with monkeypatch.context() as patch:
        patch.setattr(data, "central_square", failing)
        opened += [None, None]  # two pictures more than are there may be opened
        with pytest.raises(KeyboardInterrupt):
            data.load_split(folder, "train", 8)
        assert len(opened) == 5
        opened.clear()
        pictures = data.load_split(folder, "train", 8)
        assert len(opened) == 3, "two of five were safe"
    assert pictures.problems == whole.problems
    assert [int(picture[0, 0, 0]) for picture in pictures.pixels] == [0, 50, 100, 150, 200]
    assert {path.suffix for path in data.cache_folder().iterdir()} == {".npy", ".json"}


def test_the_cache_is_not_mapped_when_it_takes_its_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows renames no file that is."""
    plain, rename, mapped = np.lib.format.open_memmap, Path.replace, []

    def watched(*given: Any, **how: Any) -> Any:
        pixels = plain(*given, **how)
        mapped.append(weakref.ref(pixels))
        return pixels

    def replace(self: Path, target: Path) -> Path:
        if self.suffix == ".npy" and target.suffix == ".npy":
            assert [each() for each in mapped] == [None]
        return rename(self, target)

    monkeypatch.setattr(np.lib.format, "open_memmap", watched)
    monkeypatch.setattr(Path, "replace", replace)
    assert len(data.load_split(folder, "train", 8).pixels) == 5
    assert mapped


def test_a_decompression_bomb_is_left_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 40 * 55)  # a warning up to twice that
    problems = data.load_split(folder, "train", 8).problems
    assert any(problem.startswith("4.png") and "bomb" in problem for problem in problems)


def test_missing_things_get_one_sentence(folder: Path) -> None:
    with pytest.raises(ValueError, match="no such folder"):
        data.load_split(folder / "nowhere", "train", 8)
    with pytest.raises(ValueError, match="no captions for test"):
        data.load_split(folder, "test", 8)
    (folder / "test").mkdir()
    (folder / "test" / "metadata.jsonl").write_text("")
    with pytest.raises(ValueError, match="no picture"):
        data.load_split(folder, "test", 8)


def test_the_centre_is_cut_out_and_areas_are_averaged(tmp_path: Path) -> None:
    pixels = np.zeros((16, 32, 3), dtype=np.uint8)
    pixels[:, :8] = 255  # beyond the central square
    pixels[:4, 8:16] = 100  # half of an 8 x 8 area that becomes one pixel
    pixels[4:8, 8:16] = 200
    Image.fromarray(pixels).save(tmp_path / "x.png")
    got = data.load_picture(tmp_path / "x.png", 2)
    assert got[..., 0].tolist() == [[150, 0], [0, 0]]


def test_pictures_that_must_be_enlarged_are_spoken_of(folder: Path) -> None:
    told: list[str] = []
    data.load_split(folder, "train", 16, told.append)
    assert not any("enlarged" in line for line in told)
    data.load_split(folder, "train", 64, told.append)
    assert "they are 40 x 20 pixels, enlarged to 64" in told


def test_every_epoch_shows_every_picture_once_in_its_own_order(folder: Path) -> None:
    pictures = data.load_split(folder, "train", 8)
    words = data.vocabulary_of(pictures.captions)
    batches = data.Batches(pictures, words, batch_size=2, seed=3)
    seen = np.concatenate([batches.batch(k)[0][:, 0, 0, 0] for k in range(5)])
    first, second = seen[:5].round(3).tolist(), seen[5:].round(3).tolist()
    assert sorted(first) == sorted(second)
    assert len(set(first)) == 5
    assert first != second
    again = data.Batches(pictures, words, batch_size=2, seed=3).batch(4)
    np.testing.assert_array_equal(again[0], batches.batch(4)[0])
    np.testing.assert_array_equal(again[1], batches.batch(4)[1])


def test_a_batch_pairs_each_picture_with_its_caption(folder: Path) -> None:
    pictures = data.load_split(folder, "train", 8)
    words = data.vocabulary_of(pictures.captions)
    assert words == ("0", "1", "2", "3", "4", "a", "suit")
    pixels, ids, _ = data.Batches(pictures, words, batch_size=12, seed=0).batch(0)
    assert pixels.dtype == np.float32
    assert ids.shape == (12, 16)
    level = np.round((pixels[:, 0, 0, 0] + 1) * 127.5 / 50)
    np.testing.assert_array_equal(level, ids[:, 2] - 1)
    assert -1 <= pixels.min() <= pixels.max() <= 1


def test_half_of_the_visits_read_the_full_caption(tmp_path: Path) -> None:
    """The other half takes the other wordings in turn, the same ones whenever it is asked for."""
    pixels = np.zeros((3, 8, 8, 3), dtype=np.uint8)
    wordings = (("a harp", "harp", "the harp"), ("a drum",), ("a bass", "bass"))
    pictures = data.Pictures(
        pixels=pixels + np.arange(3, dtype=np.uint8)[:, None, None, None],
        captions=tuple(own[0] for own in wordings),
        wordings=wordings,
        rows=({}, {}, {}),
        problems=(),
        hash="",
    )
    words = data.vocabulary_of(text for own in wordings for text in own)
    batches = data.Batches(pictures, words, batch_size=300, seed=1)
    seen: dict[int, Counter[str]] = {k: Counter() for k in range(3)}
    for number in range(10):
        images, ids, _ = batches.batch(number)
        levels = np.round((images[:, 0, 0, 0] + 1) * 127.5).astype(int)
        for level, row in zip(levels, ids, strict=True):
            seen[level][" ".join(words[k - 1] for k in row if k)] += 1
    assert [sum(counts.values()) for counts in seen.values()] == [1000] * 3
    assert seen[1] == {"a drum": 1000}
    assert 450 < seen[0]["a harp"] < 550
    assert 200 < seen[0]["the harp"] < 300
    assert 450 < seen[2]["bass"] < 550
    again = data.Batches(pictures, words, batch_size=300, seed=1).batch(7)
    np.testing.assert_array_equal(again[1], batches.batch(7)[1])


def test_captions_say_how_a_picture_was_taken_and_that_it_is_mirrored() -> None:
    """Left and right change places; the words before them stay; one visit in four says no view."""
    pictures = data.Pictures(
        pixels=np.arange(2 * 8 * 8 * 3, dtype=np.uint8).reshape(2, 8, 8, 3),
        captions=("a harp", "a drum"),
        wordings=(("a harp",), ("a drum",)),
        rows=({"view": "close left"}, {"view": "wide"}),
        problems=(),
        hash="",
    )
    words = data.vocabulary_of(data.words_to_learn(pictures, mirror=True))
    assert {"close", "wide", "left", "right", "mirrored"} <= set(words)
    batches = data.Batches(pictures, words, batch_size=400, seed=1, mirror=True)
    said: Counter[str] = Counter()
    images, ids, _ = batches.batch(0)
    for image, row in zip(images, ids, strict=True):
        text = " ".join(words[k - 1] for k in row if k)
        said[text] += 1
        pixels = pictures.pixels[0 if "harp" in text else 1]
        shown = pixels[:, ::-1] if "mirrored" in text else pixels
        np.testing.assert_array_equal(data.to_pixels(image[None])[0], shown)
    assert set(said) == {
        "a harp close left", "a harp", "a harp close right mirrored", "a harp mirrored",
        "a drum wide", "a drum", "a drum wide mirrored", "a drum mirrored",
    }  # fmt: skip
    with_view = sum(count for text, count in said.items() if "close" in text or "wide" in text)
    assert 270 < with_view < 330
    assert pictures.full_captions == ("a harp close left", "a drum wide")


def test_crops_are_other_parts_of_the_same_picture(tmp_path: Path) -> None:
    """A picture of two slopes says by its colours where it was cut; the mask goes along."""
    slope = np.arange(64, dtype=np.uint8)
    pixels = np.stack(np.broadcast_arrays(slope[None, :], slope[:, None], 0 * slope[None, :]), -1)
    pictures = data.Pictures(
        pixels=pixels[None], captions=("a",), wordings=(("a",),), rows=({},), problems=(), hash=""
    )
    words, mask = ("a",), np.broadcast_to(slope, (1, 64, 64))
    batches = data.Batches(pictures, words, 200, 0, mask, inside=2.0, crop=0.5, image_size=16)
    images, _, weights = batches.batch(0)
    assert images.shape == (200, 3, 16, 16)
    columns = (images[:, 0] + 1) * 127.5
    sides = (columns[:, 5, 15] - columns[:, 5, 0]) * 16 / 15
    assert 31 < sides.min() < 34
    assert 62 < sides.max() < 65
    left = columns[:, 5, 0]
    assert left.min() < 3
    assert left.max() > 25
    share = weights[:, 0] / weights[:, 0].min() - 1  # of the mask, which rises as the reds do
    for image, part in zip(columns, share, strict=True):
        assert np.corrcoef(image.ravel(), part.ravel())[0, 1] > 0.99
    whole = data.Batches(pictures, words, 200, seed=0, image_size=16).batch(0)[0]
    np.testing.assert_array_equal(whole, np.broadcast_to(whole[:1], whole.shape))


def test_processes_share_a_batch(folder: Path) -> None:
    pictures = data.load_split(folder, "train", 8)
    batches = data.Batches(pictures, data.vocabulary_of(pictures.captions), 6, seed=0, crop=0.8)
    whole = batches.batch(3)
    for rank in (0, 1):
        own = slice(rank, None, 2)
        pixels, ids, _ = batches.batch(3, own)
        np.testing.assert_array_equal(pixels, whole[0][own])
        np.testing.assert_array_equal(ids, whole[1][own])


def test_pixels_survive_the_round_trip() -> None:
    pixels = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 16, 16, 3)
    np.testing.assert_array_equal(data.to_pixels(data.to_floats(pixels)), pixels)


def test_a_vocabulary_keeps_the_words_it_had_in_their_places() -> None:
    assert data.vocabulary_of(("a harp", "a drum"), ("suit", "a")) == ("suit", "a", "drum", "harp")


@pytest.mark.parametrize(
    ("variables", "end"),
    [
        ({"ROCKETMAN_CACHE": "/here"}, "/here"),
        ({"XDG_CACHE_HOME": "/there"}, "/there/rocketman"),
    ],
)
def test_the_cache_folder_can_be_set(
    variables: dict[str, str], end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ROCKETMAN_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert data.cache_folder() == Path(end)

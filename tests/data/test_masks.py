"""Where instruments are: read from passes and from atlases, and what a batch makes of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rocketman.data.batches import Batches, load_split, vocabulary_of
from rocketman.data.beside import load_labels, load_masks
from rocketman.data.pictures import LABELS
from rocketman.data.thumbnails import write_thumbnails

SIZE = 32


@pytest.fixture
def renders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six pictures of 64 pixels; the instrument of number k fills a square of 8 k."""
    monkeypatch.setenv("ROCKETMAN_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "renders"
    (folder / "train").mkdir(parents=True)
    (folder / "passes").mkdir()
    rows = []
    for k in range(6):
        Image.new("RGB", (64, 64), (40 * k, 0, 0)).save(folder / "train" / f"00000{k}.png")
        labels = np.full((64, 64), LABELS.index("suit"), np.uint8)
        labels[: 8 * k, : 8 * k] = LABELS.index("instrument")
        passes = Image.fromarray(labels).convert("P")
        passes.putdata(labels.ravel())
        passes.save(folder / "passes" / f"00000{k}.png")
        rows.append(json.dumps({"file_name": f"00000{k}.png", "text": "a harp"}))
    (folder / "train" / "metadata.jsonl").write_text("\n".join(rows) + "\n")
    return folder


def masks_of(folder: Path) -> np.ndarray:
    return load_masks(folder, "train", load_split(folder, "train", SIZE), SIZE)


def test_passes_become_shares_of_a_pixel(renders: Path) -> None:
    masks = masks_of(renders)
    assert masks.shape == (6, SIZE, SIZE)
    for k, mask in enumerate(masks):
        assert mask[: 4 * k, : 4 * k].min(initial=255) == 255
        assert mask.sum() == 255 * (4 * k) ** 2


def test_atlases_keep_them(renders: Path, tmp_path: Path) -> None:
    write_thumbnails(renders, tmp_path / "small", SIZE)
    assert np.abs(masks_of(tmp_path / "small").astype(int) - masks_of(renders)).mean() < 5


def test_weights_are_one_on_average(renders: Path) -> None:
    pictures = load_split(renders, "train", SIZE)
    words = vocabulary_of(pictures.captions)
    batches = Batches(pictures, words, 6, seed=0, masks=masks_of(renders), inside=3.0)
    pixels, _, weights = batches.batch(0)
    assert weights.shape == (6, 1, SIZE, SIZE)
    assert weights.mean() == pytest.approx(1, rel=1e-5)
    for picture, weight in zip(pixels, weights, strict=True):
        k = round((picture[0, 0, 0] + 1) * 127.5 / 40)
        heavy = weight[0] > weight.min() * 1.5
        assert heavy.sum() == (4 * k) ** 2
        if k:
            assert weight.max() == pytest.approx(3 * weights.min())


def test_a_data_set_that_does_not_say_is_refused(renders: Path) -> None:
    (renders / "passes" / "000003.png").unlink()
    with pytest.raises(ValueError, match=r"000003.png has no passes/000003.png beside it"):
        masks_of(renders)
    (renders / "passes" / "000003.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"cannot be read"):
        masks_of(renders)
    (renders / "passes").rename(renders / "elsewhere")
    with pytest.raises(ValueError, match=r"instrument_weight"):
        masks_of(renders)


def test_mirrored_visits_mirror_their_weights(renders: Path) -> None:
    pictures = load_split(renders, "train", SIZE)
    words = vocabulary_of(pictures.captions)
    marked = np.array(pictures.pixels)
    marked[:, :, 0] = 255  # a white stripe on the left, where the instruments are too
    pictures = replace(pictures, pixels=marked)
    masks = masks_of(renders)
    plain, mirrored = (
        Batches(pictures, words, 60, seed=0, masks=masks, inside=3.0, mirror=mirror).batch(0)
        for mirror in (False, True)
    )
    turned = mirrored[0][:, 0, 0, -1] == 1
    assert 15 < turned.sum() < 45
    for k, is_turned in enumerate(turned):
        across = slice(None, None, -1 if is_turned else 1)
        np.testing.assert_array_equal(mirrored[0][k], plain[0][k][..., across])
        np.testing.assert_array_equal(mirrored[2][k], plain[2][k][..., across])
    np.testing.assert_array_equal(mirrored[1], plain[1])


def test_labels_are_read_as_they_are(renders: Path) -> None:
    labels = load_labels(renders, "train", load_split(renders, "train", SIZE), SIZE)
    assert labels.shape == (6, SIZE, SIZE)
    for k, found in enumerate(labels):
        wanted = np.full((SIZE, SIZE), LABELS.index("suit"))
        wanted[: 4 * k, : 4 * k] = LABELS.index("instrument")
        np.testing.assert_array_equal(found, wanted)
    (renders / "passes").rename(renders / "elsewhere")
    with pytest.raises(ValueError, match=r"what its pictures show where: .*label_weight at 0"):
        load_labels(renders, "train", load_split(renders, "train", SIZE), SIZE)


def test_a_pixel_of_no_label_is_refused(renders: Path) -> None:
    wrong = Image.new("P", (64, 64), len(LABELS))
    wrong.putpalette([0] * 768)
    wrong.save(renders / "passes" / "000002.png")
    with pytest.raises(ValueError, match=r"000002.png has a 000002.png with unknown labels"):
        load_labels(renders, "train", load_split(renders, "train", SIZE), SIZE)


def test_labels_are_cut_and_mirrored_with_their_pictures(renders: Path) -> None:
    """Pictures that are their own labels stay so, whatever square of them a visit keeps."""
    pictures = load_split(renders, "train", SIZE)
    labels = np.zeros((6, SIZE, SIZE), np.uint8)
    labels[:, :, : SIZE // 4] = 9
    labels[:, : SIZE // 2, SIZE // 4 :] = 4
    pictures = replace(pictures, pixels=np.repeat(labels[..., None] * np.uint8(20), 3, axis=3))
    words = vocabulary_of(pictures.captions)
    batches = Batches(pictures, words, 60, seed=0, mirror=True, crop=0.5, image_size=16)
    pixels = batches.batch(3)[0][:, 0]
    cut = batches.cut_labels(labels, 2, 3)
    assert cut.shape == (60, 8, 8)
    shown = np.rint((pixels + 1) * 127.5 / 20)[:, 1::2, 1::2]
    assert (np.abs(shown - cut) > 1).mean() < 0.1, "only where the reduced picture has an edge"
    assert len({tuple(each.ravel()) for each in cut}) > 5
    own = slice(1, None, 2)
    np.testing.assert_array_equal(batches.cut_labels(labels, 2, 3, own), cut[own])

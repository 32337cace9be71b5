"""Data sets that travel: by `datasets`, as shards, as atlases, with a card that counts."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rocketman.captions import FACTORS, SPLITS
from rocketman.data import batches as data
from rocketman.data import card, pack, show, thumbnails
from rocketman.data.check import check
from rocketman.data.sources import read_split, splits

AddPicture = Callable[..., None]
RIGHTS = {"author": "The Rocketman authors", "license": "CC0-1.0", "source": "rocketman 0 scenes"}


@pytest.fixture(autouse=True)
def offline(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("ROCKETMAN_CACHE", str(cache))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, add_picture: AddPicture) -> Path:
    """Six pictures of training, the third of them broken, and one of each other split."""
    folder = tmp_path_factory.mktemp("data") / "set"
    for k in range(6):
        add_picture(folder, "train", f"{k:06d}.png", k, seed=1, index=k, **RIGHTS)
    for k, split in ((9, "validation"), (19, "test")):
        add_picture(folder, split, f"{k:06d}.png", k, seed=1, index=k, **RIGHTS)
    (folder / "train" / "000002.png").write_bytes(b"broken")
    return folder


def rows_of(folder: Path) -> list[dict[str, Any]]:
    return [row for split in splits(folder) for row in read_split(folder, split).rows]


def same(first: Image.Image, second: Image.Image) -> float:
    """Mean difference of two pictures, of 255 levels."""
    return float(np.abs(np.asarray(first, dtype=float) - np.asarray(second)).mean())


# --- Hugging Face -------------------------------------------------------------------------------


def load(folder: Path, cache: Path, kind: str | None = None, **more: Any) -> Any:
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    return datasets.load_dataset(kind or str(folder), cache_dir=str(cache), **more)


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("with_card", [False, True])
def test_datasets_reads_the_folder_as_it_is(folder: Path, tmp_path: Path, with_card: bool) -> None:
    """Every column and every picture, and back again through `save_to_disk`."""
    whole = shutil.copytree(folder, tmp_path / "set")
    rows = [r for r in rows_of(whole) if r["file_name"] != "000002.png"]
    lines = [
        json.dumps(row) for row in rows if row["instrument"] == "harp" and row["suit"] == "white"
    ]
    (whole / "train" / "metadata.jsonl").write_text("\n".join(lines))
    (whole / "train" / "000002.png").unlink()
    (whole / "dataset.json").write_text("{}")  # as the renderer leaves it
    (whole / "render.log").write_text("")
    if with_card:
        card.write_card(whole)
    read = load(whole, tmp_path / "cache")
    assert {split: len(table) for split, table in read.items()} == {
        "train": 5,
        "validation": 1,
        "test": 1,
    }
    for split in SPLITS:
        source = read_split(whole, split)
        for k, row in enumerate(source.rows):
            theirs = read[split][k]
            assert same(theirs.pop("image"), source.open(k)) == 0
            assert theirs == {key: value for key, value in row.items() if key != "file_name"}
    read.save_to_disk(str(tmp_path / "saved"))
    back = read_split(tmp_path / "saved", "train")
    assert [row["captions"] for row in back.rows] == [
        row["captions"] for row in read_split(whole, "train").rows
    ]
    assert same(back.open(4), read_split(whole, "train").open(4)) == 0


# --- shards -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def packed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("packed") / "shards"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pack, "SHARD", 2)
        [problem] = pack.pack(folder, out)
    assert problem.file == "000002.png"
    return out


def test_shards_come_back_with_all_they_had(folder: Path, packed: Path) -> None:
    assert sorted(path.name for path in packed.iterdir()) == [
        "packed.json",
        "test-000000.tar",
        "train-000000.tar",
        "train-000001.tar",
        "train-000002.tar",
        "validation-000000.tar",
    ]
    assert check(packed).errors == []
    before = [row for row in rows_of(folder) if row["file_name"] != "000002.png"]
    after = rows_of(packed)
    for old, new in zip(before, after, strict=True):
        assert new.pop("original") == {"name": old["file_name"], "sha256": old["sha256"]}
        for name in ("file_name", "sha256"):
            assert new.pop(name) != old.pop(name) or name == "file_name"
        assert new == old
    assert same(read_split(packed, "test").open(0), read_split(folder, "test").open(0)) < 8


def test_packing_again_gives_the_same_bytes_and_no_more(folder: Path, packed: Path) -> None:
    before = {path.name: path.read_bytes() for path in packed.iterdir()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pack, "SHARD", 2)
        pack.pack(folder, packed)
        assert {path.name: path.read_bytes() for path in packed.iterdir()} == before
    again = shutil.copytree(packed, packed.with_name("again"))
    pack.pack(folder, again)
    assert sorted(path.name for path in again.glob("train*")) == ["train-000000.tar"]


@pytest.mark.filterwarnings("default")  # webdataset leaves files to the garbage collector
def test_webdataset_reads_the_shards(packed: Path) -> None:
    webdataset = pytest.importorskip("webdataset")
    url = str(packed / "train-{000000..000002}.tar")
    reader = webdataset.WebDataset(url, shardshuffle=False, empty_check=False).decode("pil")
    samples = list(reader.to_tuple("webp", "json", "txt"))
    assert len(samples) == 5
    picture, row, text = samples[0]
    assert picture.size == (64, 64)
    assert row["text"] == text == "an astronaut in a white suit playing a harp above mars"


@pytest.mark.filterwarnings("default")
def test_datasets_reads_the_shards_by_their_card(packed: Path, tmp_path: Path) -> None:
    whole = shutil.copytree(packed, tmp_path / "shards")
    card.write_card(whole)
    read = load(whole, tmp_path / "cache")
    assert {split: len(table) for split, table in read.items()} == {
        "train": 5,
        "validation": 1,
        "test": 1,
    }
    assert read["test"][0]["json"]["suit"] == "red"
    assert read["test"][0]["webp"].size == (64, 64)


def test_packing_smaller(folder: Path, tmp_path: Path) -> None:
    pack.pack(folder, tmp_path / "out", size=32)
    assert read_split(tmp_path / "out", "train").open(0).size == (32, 32)


def test_a_sample_as_a_folder(folder: Path, tmp_path: Path) -> None:
    """Five pictures spread over the splits, as files that anyone can look at."""
    out = tmp_path / "out"
    pack.pack(folder, out, form="folder", count=8)
    [problem] = pack.pack(folder, out, form="folder", count=4)
    assert problem.file == "000002.png"
    names = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.webp"))
    assert names == ["train/000000.webp", "train/000001.webp", "validation/000000.webp"]
    rows = read_split(out, "train").rows
    assert [row["original"]["name"] for row in rows] == ["000000.png", "000004.png"]
    assert check(out).errors == []


def test_a_data_set_is_never_written_over_itself(folder: Path, small: Path, tmp_path: Path) -> None:
    pack.pack(folder, tmp_path / "again", "folder")
    again = tmp_path / "again"
    before = contents(again), contents(small)
    with pytest.raises(ValueError, match="is the data set itself"):
        pack.pack(again, again, "folder", size=16, count=1)
    with pytest.raises(ValueError, match="is the data set itself"):
        thumbnails.write_thumbnails(small, small / ".." / small.name, 16)
    assert before == (contents(again), contents(small))


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_shards_are_not_written_among_other_files(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("mine")
    webp = tmp_path / "webp"
    pack.pack(folder, webp, form="folder")
    (webp / pack.MARK).unlink()  # as if they were somebody's
    for out in (tmp_path, tmp_path / "thesis.doc", folder, webp):
        with pytest.raises(ValueError, match="give another --out"):
            pack.pack(folder, out)
    assert len(list(webp.rglob("*.webp"))) == 7
    with pytest.raises(ValueError, match="no such folder"):
        pack.pack(tmp_path / "nowhere", tmp_path / "out")


# --- atlases ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("small") / "thumbnails"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(thumbnails, "TILES", 2)  # two atlases for training
        [problem] = thumbnails.write_thumbnails(folder, out, 32)
    assert problem.file == "000002.png"
    return out


def test_training_reads_thumbnails_like_the_folder_itself(folder: Path, small: Path) -> None:
    """The same rows; the pictures as area-averaged ones, but for the coder's losses."""
    assert splits(small) == list(SPLITS)
    for split in SPLITS:
        big, little = (data.load_split(where, split, 32) for where in (folder, small))
        assert little.rows == big.rows
        assert little.wordings == big.wordings
        assert np.abs(big.pixels.astype(int) - little.pixels).mean() < 16
        for mine, theirs in zip(big.pixels, little.pixels, strict=True):
            wrong = [np.abs(mine.astype(int) - other).mean() for other in little.pixels]
            assert min(wrong) == np.abs(mine.astype(int) - theirs).mean(), "each in its place"
    unpacked = gzip.decompress((small / "train" / thumbnails.TABLE).read_bytes())
    assert data.load_split(small, "train", 32).hash == hashlib.sha256(unpacked).hexdigest()
    assert data.load_split(small, "train", 16).pixels.shape == (5, 16, 16, 3)
    assert check(small).errors == []


def test_no_tile_shines_into_the_next(tmp_path: Path, add_picture: AddPicture) -> None:
    """Black beside white, at the quality that the budget allows: edges stay black."""
    for k in range(32):
        level = 255 * ((k % 16 + k // 16) % 2)
        picture = Image.new("RGB", (64, 64), (level, level, level))
        add_picture(tmp_path / "set", "train", f"{k:06d}.png", picture)
    thumbnails.write_thumbnails(tmp_path / "set", tmp_path / "small", 64)
    source = read_split(tmp_path / "small", "train")
    for k in range(32):
        level = 255 * ((k % 16 + k // 16) % 2)
        assert np.abs(np.asarray(source.open(k), dtype=int) - level).max() <= 8


def test_black_pictures_have_an_atlas_too(tmp_path: Path, add_picture: AddPicture) -> None:
    add_picture(tmp_path / "set", "train", "0.png", Image.new("RGB", (64, 64)))
    thumbnails.write_thumbnails(tmp_path / "set", tmp_path / "small", 64)
    assert read_split(tmp_path / "small", "train").open(0).getextrema() == ((0, 0),) * 3


def test_thumbnails_keep_to_their_bytes(tmp_path: Path, add_picture: AddPicture) -> None:
    for k in range(16):
        add_picture(tmp_path / "set", "train", f"{k:06d}.png", k)
    thumbnails.write_thumbnails(tmp_path / "set", tmp_path / "small", 64)
    [atlas] = (tmp_path / "small" / "train").glob("*.avif")
    assert atlas.stat().st_size <= 16 * 64**2 * thumbnails.BYTES_A_PIXEL


def test_a_smaller_set_leaves_no_old_atlas(folder: Path, small: Path, tmp_path: Path) -> None:
    out = shutil.copytree(small, tmp_path / "out")
    thumbnails.write_thumbnails(folder, out, 32)
    assert len(list((out / "train").glob("*.avif"))) == 1
    assert len(data.load_split(out, "train", 32).pixels) == 5


def test_damaged_thumbnails(small: Path, tmp_path: Path) -> None:
    broken = shutil.copytree(small, tmp_path / "atlas")
    (broken / "train" / "atlas-0001.avif").write_bytes(b"no picture")
    pictures = data.load_split(broken, "train", 32)
    assert len(pictures.pixels) == 4
    assert pictures.problems == ("000005.png lies in atlas-0001.avif, which cannot be read",)
    (broken / "train" / "metadata.jsonl.gz").write_bytes(b"no gzip")
    with pytest.raises(ValueError, match="thumbnails that cannot be read"):
        read_split(broken, "train")
    (broken / "thumbnails.json").write_text('{"schema_version": 99}')
    with pytest.raises(ValueError, match="schema version 99"):
        read_split(broken, "validation")


@pytest.mark.parametrize("size", [0, 8, 40, 512])
def test_sizes_that_are_no_multiple_of_a_block(size: int, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="multiple of 16"):
        thumbnails.write_thumbnails(folder, tmp_path / "out", size)
    assert not (tmp_path / "out").exists()


# --- the card and the sheet ---------------------------------------------------------------------


def test_the_card_counts(packed: Path, tmp_path: Path) -> None:
    whole = shutil.copytree(packed, tmp_path / "shards")
    text = card.write_card(whole).read_text(encoding="utf-8")
    assert "license: cc0-1.0\n" in text
    assert '  - split: train\n    path: "train-*.tar"\n' in text
    assert "7 pictures (5 for train, 1 for validation, 1 for test), 49 captions" in text
    assert "| | white | orange | red |" in text
    assert "| harp | 5 |  | 1 t |" in text
    assert "| guitar |  | 1 v |  |" in text
    assert "| license: CC0-1.0 | 7 |" in text
    with Image.open(whole / "sample.jpg") as sample:
        assert sample.width >= 640


def test_the_card_of_a_strangers_data_set(tmp_path: Path) -> None:
    for k, rights in enumerate(("CC-BY-4.0", "MIT", None)):
        Image.new("RGB", (32, 24), (k, 0, 0)).save(tmp_path / f"{k}.png")
        row = {"file_name": f"{k}.png", "text": f"cat {k}", "license": rights, "author": "Ann"}
        with (tmp_path / "metadata.jsonl").open("a") as file:
            file.write(json.dumps(row) + "\n")
    (tmp_path / "0.png").write_bytes(b"broken")
    text = card.write_card(tmp_path).read_text(encoding="utf-8")
    assert "32 x 24 pixels" in text
    assert "license: other\n" in text
    assert "| license: not stated | 1 |" in text
    assert "| author: Ann | 3 |" in text
    assert "Blender" not in text
    assert "## Splits" not in text


def test_the_sheet_and_the_table(folder: Path) -> None:
    sheet = show.contact_sheet(folder, columns=4, rows=2)
    assert sheet.width == 2 * show.MARGIN + 4 * show.EDGE + 3 * show.GAP
    assert len(sheet.getcolors(2**24) or []) > 500
    counts = show.factor_counts(folder)
    assert {name: sum(counter.values()) for name, counter in counts.items()} == dict.fromkeys(
        FACTORS, 8
    )
    lines = show.table(counts, {"train": 6, "validation": 1, "test": 1}).splitlines()
    assert lines[1].split() == ["train", "6", "█" * show.BAR]
    assert next(line for line in lines if "above mars" in line).split()[2] == "8"


def test_a_sheet_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "metadata.jsonl").write_text("")
    with pytest.raises(ValueError, match="holds no picture that can be read"):
        show.contact_sheet(tmp_path)

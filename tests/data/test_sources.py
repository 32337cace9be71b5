"""One data set in every form that people have it in, and everything that can be wrong with one."""

from __future__ import annotations

import io
import json
import stat
import struct
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rocketman.data import batches as data
from rocketman.data import pictures
from rocketman.data.sources import Source, read_split, splits

COLOURS = {"red": (200, 0, 0), "green": (0, 200, 0), "blue": (0, 0, 200)}
CAPTIONS = {name: f"a {name} harp" for name in COLOURS}


def picture(colour: tuple[int, int, int], kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (32, 24), colour).save(buffer, kind)
    return buffer.getvalue()


def write(path: Path, content: bytes | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def jsonl(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def metadata_jsonl(folder: Path) -> None:
    for name, colour in COLOURS.items():
        write(folder / "train" / f"{name}.png", picture(colour))
    rows = [{"file_name": f"{name}.png", "text": text} for name, text in CAPTIONS.items()]
    write(folder / "train" / "metadata.jsonl", jsonl(rows))


def metadata_csv(folder: Path) -> None:
    """Without splits, in a subfolder, with the byte order mark that Excel writes."""
    lines = [f'sub/{name}.jpg,"{text}",Ann\n' for name, text in CAPTIONS.items()]
    write(folder / "metadata.csv", "\ufefffile_name,caption,author\n" + "".join(lines))
    for name, colour in COLOURS.items():
        write(folder / "sub" / f"{name}.jpg", picture(colour, "JPEG"))


def side_files(folder: Path) -> None:
    """As kohya's trainers have it: a folder with its repeats, a second line for another caption."""
    for name, colour in COLOURS.items():
        write(folder / "10_harps" / f"{name}.webp", picture(colour, "WEBP"))
        write(folder / "10_harps" / f"{name}.txt", f"{CAPTIONS[name]}\nharp\n")


def shards(folder: Path) -> None:
    """Two WebDataset shards, one with captions in JSON, one with text."""
    files: dict[str, list[tuple[str, bytes]]] = {"000000": [], "000001": []}
    for k, (name, colour) in enumerate(COLOURS.items()):
        shard, key = f"{min(k, 1):06d}", f"{k:04d}"
        files[shard].append((f"{key}.png", picture(colour)))
        if k:
            files[shard].append((f"{key}.txt", CAPTIONS[name].encode()))
        else:
            files[shard].append((f"{key}.json", json.dumps({"caption": CAPTIONS[name]}).encode()))
    folder.mkdir(parents=True, exist_ok=True)
    for shard, members in files.items():
        with tarfile.open(folder / f"train-{shard}.tar", "w") as tar:
            for name, content in members:
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))


def hub_rows() -> dict[str, list[Any]]:
    return {
        "image": [{"bytes": picture(colour), "path": None} for colour in COLOURS.values()],
        "text": list(CAPTIONS.values()),
        "author": ["Ann"] * 3,
    }


def saved(folder: Path) -> None:
    datasets = pytest.importorskip("datasets")
    features = datasets.Features({"image": datasets.Image(), "text": datasets.Value("string")})
    rows = {key: value for key, value in hub_rows().items() if key != "author"}
    table = datasets.Dataset.from_dict(rows, features=features)
    datasets.DatasetDict({"train": table, "val": table.select([1])}).save_to_disk(str(folder))


def parquet(folder: Path) -> None:
    """Two row groups, as the hub keeps a data set."""
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet as writer

    write(folder / "data" / "nothing.txt", "")
    table = pyarrow.table(hub_rows())
    writer.write_table(table, folder / "data" / "train-00000-of-00001.parquet", row_group_size=2)


KINDS = [metadata_jsonl, metadata_csv, side_files, shards, saved, parquet]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROCKETMAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_the_same_pictures_in_every_form(make: Callable[[Path], None], tmp_path: Path) -> None:
    folder = tmp_path / "set"
    make(folder)
    assert "train" in splits(folder)
    assert splits(folder) == (["train", "validation"] if make is saved else ["train"])
    pictures = data.load_split(folder, "train", 8)
    assert pictures.problems == ()
    found = {
        caption: pixels[4, 4].astype(int)
        for caption, pixels in zip(pictures.captions, pictures.pixels, strict=True)
    }
    assert set(found) == set(CAPTIONS.values())
    for name, colour in COLOURS.items():  # JPEG and WebP come near
        assert np.abs(found[CAPTIONS[name]] - colour).max() <= 3
    again = data.load_split(folder, "train", 8)
    assert (again.hash, again.captions) == (pictures.hash, pictures.captions)


def test_more_captions_and_columns_are_kept(tmp_path: Path) -> None:
    side_files(tmp_path / "kohya")
    rows = read_split(tmp_path / "kohya", "train").rows
    assert all(row["captions"][1:] == ["harp"] for row in rows)
    assert rows[0]["file_name"] == "10_harps/blue.webp"
    metadata_csv(tmp_path / "csv")
    assert [row["author"] for row in read_split(tmp_path / "csv", "train").rows] == ["Ann"] * 3
    row = {"file_name": "red.png", "captions": ["one", "two"], "text": "full", "seed": 3}
    write(tmp_path / "json" / "metadata.jsonl", jsonl([row]))
    [read] = read_split(tmp_path / "json", "train").rows
    assert read == {**row, "captions": ["full", "one", "two"]}


@pytest.mark.parametrize(
    ("folder", "split"), [("valid", "validation"), ("val", "validation"), ("eval", "test")]
)
def test_other_names_of_splits(folder: str, split: str, tmp_path: Path) -> None:
    metadata_jsonl(tmp_path)
    (tmp_path / "train").rename(tmp_path / folder)
    assert splits(tmp_path) == [split]


def png(width: int, height: int) -> bytes:
    """A PNG that claims a size, with no pixels to speak of."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + data


def one(name: str, content: bytes | None, text: str = "a harp") -> Callable[[Path], str]:
    """A data set whose picture `name` has this content, or is missing."""

    def make(folder: Path) -> str:
        if content is not None:
            write(folder / "train" / name, content)
        add(folder, json.dumps({"file_name": name, "text": text}))
        return name

    return make


def add(folder: Path, line: str | bytes) -> None:
    table = folder / "train" / "metadata.jsonl"
    table.write_bytes(table.read_bytes() + (line.encode() if isinstance(line, str) else line))


def line(text: str) -> Callable[[Path], str]:
    """A line of metadata that cannot be used."""

    def make(folder: Path) -> str:
        add(folder, text)
        return "metadata.jsonl line 4"

    return make


def stray(folder: Path) -> str:
    write(folder / "train" / "stray.png", picture((1, 2, 3)))
    return "stray.png"


def twice(folder: Path) -> str:
    add(folder, json.dumps({"file_name": "red.png", "text": "a drum"}))
    return "red.png"


def a_folder(folder: Path) -> str:
    (folder / "train" / "sub.png").mkdir()
    return one("sub.png", None)(folder)


def escape(folder: Path) -> str:
    write(folder / "secret.png", picture((9, 9, 9)))
    return one("../secret.png", None)(folder)


GOOD = picture((50, 60, 70))
BAD = {
    "text instead of a picture": (one("a.png", b"hello"), "is no picture"),
    "an empty file": (one("a.png", b""), "is no picture"),
    "half a picture": (one("a.jpg", picture((9, 9, 9), "JPEG")[:-200]), "cannot be read"),
    "damaged pixels": (one("a.png", GOOD.replace(b"IDATx", b"IDAT\0")), "cannot be read"),
    "no pixels": (one("a.png", png(32, 32)), "cannot be read"),
    "a missing picture": (one("a.png", None), "is missing"),
    "a folder": (a_folder, "is a folder"),
    "a tiny picture": (one("a.png", png(4, 400)), "is tiny"),
    "an enormous picture": (one("a.png", png(12_000, 12_000)), "is enormous"),
    "a decompression bomb": (one("a.png", png(200_000, 200_000)), "is enormous"),
    "JPEG called PNG": (one("a.png", picture((9, 9, 9), "JPEG")), "under a wrong name"),
    "an unknown ending": (one("a.dat", GOOD), "is not named like a picture"),
    "a program for PostScript": (one("a.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n"), "is not named"),
    "PostScript called PNG": (one("a.png", b"%!PS-Adobe-3.0 EPSF-3.0\n"), "is no picture"),
    "outside the folder": (escape, "lies outside"),
    "an absolute path": (one("/etc/hostname.png", None), "lies outside"),
    "an empty caption": (one("a.png", GOOD, "  "), "has no caption"),
    "no caption at all": (stray, "has no caption"),
    "a caption that is no text": (line('{"file_name": "red2.png", "text": 7}'), "has no caption"),
    "named twice": (twice, "is named twice"),
    "no JSON": (line("{oh"), "is not a JSON object"),
    "a list": (line('["red.png"]'), "is not a JSON object"),
    "JSON without end": (line("[" * 100_000), "is not a JSON object"),
    "no file name": (line('{"text": "a harp"}'), "has no file_name"),
    "a number for a file name": (line('{"file_name": 3, "text": "a harp"}'), "has no file_name"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named_and_left_out(name: str, tmp_path: Path) -> None:
    """Whatever is wrong with one file, the three good ones are read."""
    make, what = BAD[name]
    metadata_jsonl(tmp_path)
    file = make(tmp_path)
    pictures = data.load_split(tmp_path, "train", 8)
    assert len(pictures.pixels) == 3
    [problem] = [problem for problem in pictures.problems if what in problem]
    assert problem.startswith((file, "red2.png"))
    assert "\n" not in problem


def test_grey_of_sixteen_bits_is_reduced_and_of_unknown_range_refused(tmp_path: Path) -> None:
    steps = np.tile(np.linspace(0, 65535, 32).astype(np.uint16), (32, 1))
    for name in ("a.png", "b.tif"):
        Image.fromarray(steps).save(tmp_path / name)
        opened = np.asarray(pictures.open_file(tmp_path / name)).astype(int)
        assert np.abs(opened - steps[..., None] / 257).max() <= 1
    for name, kind in (("c.tif", np.float32), ("d.tif", np.int32)):
        Image.fromarray(steps.astype(kind)).save(tmp_path / name)
        with pytest.raises(pictures.BadPicture, match="of unknown range"):
            pictures.open_file(tmp_path / name)


def test_names_that_differ_in_case_and_odd_letters_are_fine(tmp_path: Path) -> None:
    metadata_jsonl(tmp_path)
    for name in ("Ä Ö, ü 🎸.PNG", "with spaces.png"):
        one(name, GOOD)(tmp_path)
        add(tmp_path, "\n")
    assert len(data.load_split(tmp_path, "train", 8).pixels) == 5


def test_a_picture_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    metadata_jsonl(tmp_path)
    locked = tmp_path / "train" / "red.png"
    locked.chmod(0)
    try:
        if locked.stat().st_mode & stat.S_IRUSR or _is_root():

            def refuse(*_: Any, **__: Any) -> None:
                raise PermissionError(13, "Permission denied", str(locked))

            monkeypatch.setattr(Image, "open", refuse)
            assert _problems(read_split(tmp_path, "train"))[0].startswith("cannot be read")
        else:
            assert data.load_split(tmp_path, "train", 8).problems[0].startswith("red.png")
    finally:
        locked.chmod(0o644)


def _is_root() -> bool:
    import os

    return hasattr(os, "geteuid") and os.geteuid() == 0


def _problems(source: Source) -> list[str]:
    found = []
    for k in range(len(source.rows)):
        try:
            source.open(k)
        except pictures.BadPicture as error:
            found.append(str(error))
    return found


def test_damaged_shards(tmp_path: Path) -> None:
    """A shard cut short gives what it holds; samples without picture or caption are named."""
    shards(tmp_path)
    whole = tmp_path / "train-000001.tar"
    whole.write_bytes(whole.read_bytes()[:1700])
    with tarfile.open(tmp_path / "train-000002.tar", "w") as tar:
        for name, content in (
            ("mute.png", GOOD),
            ("blind.txt", b"a harp"),
            ("odd.png", GOOD),
            ("odd.json", b"{no"),
        ):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    write(tmp_path / "train-000003.tar", b"no tar at all")
    source = read_split(tmp_path, "train")
    assert next(row["text"] for row in source.rows) == CAPTIONS["red"]
    told = " ".join(map(str, source.problems))
    for name in ("mute.png", "train-000002.tar: blind", "odd.png", "train-000003.tar"):
        assert name in told, told


def test_a_broken_parquet_file_is_one_sentence(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    write(tmp_path / "train.parquet", b"PAR1 not really PAR1")
    with pytest.raises(ValueError, match="cannot be read") as caught:
        read_split(tmp_path, "train")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("make", "module"), [(saved, "datasets"), (parquet, "pyarrow")])
def test_a_missing_library_is_named(
    make: Callable[[Path], None], module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path / "set")
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(ValueError, match="pip install datasets"):
        read_split(tmp_path / "set", "train")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\xff\xfe\x00", "is not UTF-8"),
        (b"", "holds no picture that can be read"),
        (b'{"file_name": "gone.png", "text": "a harp"}', "holds no picture that can be read"),
    ],
)
def test_data_sets_that_hold_nothing(content: bytes, sentence: str, tmp_path: Path) -> None:
    write(tmp_path / "train" / "metadata.jsonl", content)
    with pytest.raises(ValueError, match=sentence) as caught:
        data.load_split(tmp_path, "train", 8)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("metadata.csv", "file_name;text\na.png;a harp\n", "semicolons between its columns"),
        ("metadata.csv", "image,text\na.png,a harp\n", "no column file_name .*'image,text'"),
        ("metadata.csv", 'file_name,text\na.png,"a harp\n' + "b\n" * 70_000, "no CSV after line"),
        ("metadata.jsonl", '[\n{"file_name": "a.png", "text": "a harp"}\n]', "one JSON array"),
    ],
)
def test_tables_of_another_kind_are_one_sentence(
    name: str, content: str, sentence: str, tmp_path: Path
) -> None:
    write(tmp_path / name, content)
    with pytest.raises(ValueError, match=sentence):
        read_split(tmp_path, "train")


def test_paths_of_windows(tmp_path: Path) -> None:
    write(tmp_path / "images" / "a.png", GOOD)
    write(tmp_path / "metadata.jsonl", jsonl([{"file_name": r"images\a.png", "text": "a harp"}]))
    assert data.load_split(tmp_path, "train", 8).problems == ()


def test_folders_that_are_no_data_sets(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such folder"):
        read_split(tmp_path / "nowhere", "train")
    write(tmp_path / "README.txt", "hello")
    write(tmp_path / "picture.png", GOOD)
    with pytest.raises(ValueError, match="no captions for train"):
        read_split(tmp_path, "train")
    assert splits(tmp_path) == splits(tmp_path / "nowhere") == []


def test_many_problems_are_counted_rather_than_told(tmp_path: Path) -> None:
    metadata_jsonl(tmp_path)
    for k in range(30):
        write(tmp_path / "train" / f"stray{k}.png", GOOD)
    told: list[str] = []
    assert len(data.load_split(tmp_path, "train", 8, told.append).problems) == 30
    assert len(told) == 1 + data.REPORTED + 1
    assert told[-1].startswith("10 more; `rocketman dataset check")

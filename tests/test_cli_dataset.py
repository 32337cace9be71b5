"""`rocketman dataset check|show|pack|thumbnails|card` as people and scripts meet them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from rocketman import cli
from rocketman.data import batches as data

AddPicture = Callable[..., None]


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run `rocketman dataset ARGUMENTS...` in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ROCKETMAN_CACHE", str(tmp_path / "cache"))

    def call(*arguments: str | Path) -> Result:
        monkeypatch.setattr(sys, "argv", ["rocketman", "dataset", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        code = stopped.value.code
        return Result(
            code if isinstance(code, int) else int(code is not None), *capsys.readouterr()
        )

    return call


@pytest.fixture
def folder(tmp_path: Path, add_picture: AddPicture) -> Path:
    for k in range(4):
        add_picture(tmp_path / "set", "train", f"{k}.png", k)
    add_picture(tmp_path / "set", "test", "9.png", 9)
    return tmp_path / "set"


def test_check(run: Run, folder: Path) -> None:
    result = run("check", folder)
    assert (result.code, result.out) == (0, "")
    assert "5 pictures (4 train, 1 test), 0 wrong" in result.err
    (folder / "train" / "2.png").write_bytes(b"broken")
    result = run("check", folder)
    assert result.code == 1
    assert result.out == "train/2.png is no picture\n"
    assert "4 pictures (3 train, 1 test), 1 wrong" in result.err


def test_check_counts_captions_that_are_too_long(run: Run, tmp_path: Path) -> None:
    for k, text in enumerate(("a harp " * 8, "a harp " * 9, "1girl, " + "blue sky, " * 20)):
        Image.new("RGB", (32, 32), (80 * k, 99, 0)).save(tmp_path / f"{k}.png")
        (tmp_path / f"{k}.txt").write_text(text)
    result = run("check", ".")
    assert "2 captions are longer than 16 words; the rest is not read" in result.err
    told: list[str] = []
    data.load_split(tmp_path, "train", 8, told.append)
    assert told[-1] == "2 captions are longer than 16 words; the rest is not read"


def test_check_json(run: Run, folder: Path) -> None:
    (folder / "train" / "2.png").unlink()
    result = run("check", folder, "--json")
    assert result.code == 1
    report = json.loads(result.out)
    assert report["pictures"] == 4
    assert report["errors"] == [{"file": "train/2.png", "what": "is missing"}]
    assert report["splits"] == {"train": 3, "test": 1}
    assert report["factors"]["suit"] == {"white": 3, "red": 1}
    assert set(report["factors"]) == {"suit", "instrument", "place", "relation"}
    assert report["near_duplicates"] == []


def test_show(run: Run, folder: Path) -> None:
    result = run("show", folder)
    assert result.code == 0
    assert "  train                           4  █" in result.out
    assert "  harp                            5  █" in result.out
    with Image.open("contact-sheet.png") as sheet:
        assert sheet.format == "PNG"
    assert run("show", folder, "--out", "sheet.jpg").code == 0
    assert Path("sheet.jpg").read_bytes().startswith(b"\xff\xd8")


def test_pack_and_thumbnails(run: Run, folder: Path) -> None:
    (folder / "train" / "2.png").write_bytes(b"broken")
    for command, options in (("pack", ["--size", "32"]), ("thumbnails", [])):
        result = run(command, folder, "--out", command, *options)
        assert result.code == 0, result.err
        assert "2.png is no picture; left out" in result.err
        assert f"{command} holds {folder} in 0." in result.err
        assert "4 pictures (3 for train, 1 for test)" in (Path(command) / "README.md").read_text()
        assert len(data.load_split(Path(command), "train", 32).pixels) == 3
        assert run("check", command).code == 0


def test_card(run: Run, folder: Path) -> None:
    result = run("card", folder)
    assert result.code == 0
    assert (folder / "README.md").read_text().startswith("---\npretty_name: set\n")
    assert run("check", folder).code == 0, "the card is no part of what is checked"


def test_card_of_a_folder_that_is_all_pictures(run: Run, folder: Path) -> None:
    before = sorted(path.name for path in (folder / "train").iterdir())
    for _ in range(2):
        assert run("card", folder / "train").code == 0
        after = sorted(path.name for path in (folder / "train").iterdir())
        assert after == sorted([*before, "README.md"])
    assert "sample.jpg" not in (folder / "train" / "README.md").read_text()
    assert run("check", folder / "train").code == 0


@pytest.mark.parametrize("name", ["README.md", "sample.jpg"])
def test_card_leaves_files_of_others_alone(run: Run, folder: Path, name: str) -> None:
    (folder / name).write_text("my cats")
    result = run("card", folder)
    assert (result.code, (folder / name).read_text()) == (2, "my cats")
    assert f"{name} is not of a card of ours: move it away first" in result.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["check", "nowhere"], "nowhere is not a data set: there is no such folder"),
        (["check", "."], "holds no captions for train"),
        (["show", "nowhere"], "there is no such folder"),
        (["show", "SET", "--out", "sheet.doc"], "should end in .png"),
        (["show", "SET", "--out", "no/sheet.png"], "there is no folder no"),
        (["pack", "nowhere", "--out", "out"], "there is no such folder"),
        (["pack", "SET", "--out", "SET"], "give another --out"),
        (["pack", "SET"], "--out"),
        (["pack", "SET", "--out", "out", "--size", "2"], "--size"),
        (["thumbnails", "SET", "--out", "out", "--size", "50"], "a multiple of 16"),
        (["thumbnails", "SET", "--out", "SET"], "give another --out"),
        (["card", "nowhere"], "there is no such folder"),
        (["chek", "SET"], "Did you mean: rocketman dataset check"),
    ],
)
def test_wrong_use(run: Run, folder: Path, arguments: list[str], sentence: str) -> None:
    before = sorted(folder.rglob("*"))
    result = run(*(str(folder) if argument == "SET" else argument for argument in arguments))
    assert result.code == 2
    assert sentence in result.err
    assert "Traceback" not in result.err
    assert sorted(folder.rglob("*")) == before

"""Publishing: all in one folder, and every check finds what it is there for."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("jinja2")

from rocketman.collection import plan as plans
from rocketman.collection import publish as publishing
from rocketman.collection.publish import PublishError, publish
from rocketman.collection.publish_checks import Check, checks, contrast, contrast_ratio
from rocketman.collection.run import run
from rocketman.collection.store import Store
from rocketman.collection.works import load_works

Make = Callable[..., Path]


@pytest.fixture
def folder(collection: Make, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A collection, drawn, where the extra `film` is missing."""
    monkeypatch.setattr(publishing, "find_spec", lambda name: None)
    made = collection(candidates=1)
    run(made)
    return made


def found(place: Path) -> dict[str, Check]:
    return {check.name: check for check in checks(place)}


def test_everything_is_gathered_and_holds(folder: Path) -> None:
    done = publish(folder)
    assert [(check.name, check.wrong) for check in done.checks] == [
        ("alt texts", ()),
        ("links", ()),
        ("pages", ()),
        ("contrast", ()),
        ("weight", ()),
        ("credentials", ()),
    ]
    assert "pip install 'rocketman-diffusion[film]'" in done.remarks[-1]
    texts = {path.name: path.read_text() for path in (done.folder / "texts").iterdir()}
    assert set(texts) == {"announcement.txt", "disclosure.txt", "credits.txt", "alt-texts.txt"}
    assert "They play." in texts["announcement.txt"]
    assert "synthetic" in texts["disclosure.txt"]
    assert "6 of 6 candidates" in texts["credits.txt"]
    assert len(texts["alt-texts.txt"].splitlines()) == 6
    assert done.size > 10_000
    first = sorted((done.folder / "gallery" / "images").glob("*.png"))
    assert len(first) == 6
    publish(folder)  # again, in its place
    assert not list(folder.glob(".publish*"))


def test_each_check_finds_what_it_is_there_for(folder: Path) -> None:
    place = publish(folder).folder
    index = place / "gallery" / "index.html"
    text = index.read_text(encoding="utf-8")

    def damaged(old: str, new: str) -> dict[str, Check]:
        assert old in text
        index.unlink()  # it may be linked to the gallery
        index.write_text(text.replace(old, new, 1), encoding="utf-8")
        return found(place)

    assert "no words" in damaged('alt="Generated', 'alt="" title="')["alt texts"].wrong[0]
    assert "from elsewhere" in damaged('src="images', 'src="//evil/')["links"].wrong[0]
    assert "is not there" in damaged('href="pictures/', 'href="pixels/')["links"].wrong[0]
    assert "no such place" in damaged('href="feed.xml"', 'href="#feed"')["links"].wrong[0]
    assert "no language" in damaged(' lang="en"', "")["pages"].wrong[0]
    assert "an id twice" in damaged("<h1", '<p id="light"></p><h1')["pages"].wrong[0]
    assert "1000 kB" in damaged("<h1", "<!--" + "x" * 10**6 + "--><h1")["weight"].wrong[0]
    assert all(check.good for check in damaged("<h1", "<h1").values())
    picture = sorted((place / "gallery" / "images").glob("*.png"))[0]
    content = bytearray(picture.read_bytes())
    at = content.index(b"IDAT") + 30
    content[at] ^= 1
    picture.unlink()
    picture.write_bytes(content)
    [sentence] = found(place)["credentials"].wrong
    assert "broken credentials" in sentence


def test_contrast() -> None:
    assert contrast_ratio("#000000", "#ffffff") == pytest.approx(21)
    assert contrast_ratio("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    css = ":root { --wall: #ffffff; --ink: #777777; --soft: #000000; --mat: #ffffff; }"
    light = ":root:has(#light:checked) { --wall: #ffffff; --ink: #000000; --soft: #000000; }"
    assert "names no colours" in contrast(css).wrong[0]
    both = contrast(css + light.replace("}", "--mat: #ffffff; }"))
    assert [sentence.split(" has")[0] for sentence in both.wrong] == [
        "ink on wall (night)",
        "ink on mat (night)",
    ]


def test_what_is_in_the_way_stays(folder: Path) -> None:
    (folder / "publish").mkdir()
    (folder / "publish" / "mine.txt").write_text("mine")
    with pytest.raises(PublishError, match="was not made by Rocketman"):
        publish(folder)
    assert (folder / "publish" / "mine.txt").read_text() == "mine"


def test_the_command_ends_with_1_if_a_check_fails(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from rocketman import cli

    monkeypatch.setattr(sys, "argv", ["rocketman", "collection", "publish", str(folder)])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    told = capsys.readouterr()
    assert stopped.value.code == 0, told.err
    assert [line.split()[0] for line in told.out.splitlines()] == ["ok"] * 6
    bad = (Check("links", "1 address", ("index.html leads to x, which is not there.",)),)
    monkeypatch.setattr(publishing, "checks", lambda place: bad)
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 1
    assert "which is not there" in capsys.readouterr().out


@pytest.mark.slow
def test_the_film_comes_along_and_is_made_again_only_for_other_pictures(
    collection: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("av")
    from rocketman.collection import film

    monkeypatch.setattr(film, "make", functools.partial(film.make, size=720))  # the quickest
    folder = collection(candidates=2, edit=('"a harp", "a drum", "a guitar"', '"a harp"'))
    run(folder)
    done = publish(folder)
    assert all(check.good for check in done.checks)
    assert done.checks[-1].looked_at == "4 files"  # two pictures, film, thumbnail
    names = {path.name for path in (done.folder / "film").iterdir()}
    assert {"film.mp4", "title.txt", "description.txt", "subtitles.srt"} <= names
    made = (folder / "film" / "film.mp4").stat().st_mtime_ns
    publish(folder)
    assert (folder / "film" / "film.mp4").stat().st_mtime_ns == made
    with Store(folder) as store:
        shown = load_works(plans.read(folder))[0][0].row.id
        store.record([("reject", shown, None)])
    works, _ = load_works(plans.read(folder))
    assert not publishing.shows(folder / "film" / "film.mp4", works)

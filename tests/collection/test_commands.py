"""`rocketman collection ...` as people and scripts meet it."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

Make = Callable[..., Path]
ONE_PROMPT = (
    'playing {instrument} above Mars"\ntitle = "{instrument}, {suit}"',
    'above Mars"\ntitle = "{suit}"\ncombine = "sample"\ncount = 1',
)


def rocketman(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "rocketman", "collection", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_from_new_to_gallery(tmp_path: Path, model_folder: Path) -> None:
    folder = tmp_path / "mine"
    assert rocketman("new", folder).returncode == 0
    path = folder / "collection.toml"
    text = path.read_text(encoding="utf-8").replace("candidates = 4", "candidates = 1")
    text = text.replace('# model = "../my-model"', f'model = "{model_folder}"  #')
    path.write_text(text.replace("steps = 24", "steps = 1"), encoding="utf-8")
    done = rocketman("run", folder)
    assert done.returncode == 0, done.stderr
    assert "24 drawn now, 24 pictures in all" in done.stderr
    assert done.stdout == ""
    done = rocketman("gallery", folder)
    assert done.returncode == 0, done.stderr
    assert "24 pictures" in done.stderr
    assert (folder / "gallery" / "index.html").is_file()


def test_one_picture_in_a_folder_with_a_space(collection: Make) -> None:
    folder = collection(candidates=1, edit=ONE_PROMPT)
    folder = folder.rename(folder.with_name("my night"))
    assert "1 drawn now, 1 picture in all" in rocketman("run", folder).stderr
    assert "index.html: 1 picture, " in rocketman("gallery", folder).stderr
    assert rocketman("pick", folder, "--reject", 1).returncode == 0
    done = rocketman("gallery", folder)
    assert done.returncode == 2
    assert f"rejected, and `rocketman collection pick '{folder}'` chooses anew" in done.stderr


def test_the_file_stands_for_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "mine" / "collection.toml"
    assert rocketman("new", path).returncode == 0
    assert path.is_file()
    assert f"{path.parent} has no pictures yet" in rocketman("pick", path, "--list").stderr


def test_picking_from_a_script(collection: Make) -> None:
    folder = collection()
    assert rocketman("run", folder).returncode == 0
    done = rocketman("pick", folder, "--rate", "2=4", "--pick", 3, "--reject", 5, "--list")
    assert done.returncode == 0, done.stderr
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert len(lines) == 12
    assert [line[:4] for line in lines[:6]] == [
        ["1", "", "", ""],
        ["2", "shown", "", "4"],
        ["3", "shown", "picked", ""],
        ["4", "", "", ""],
        ["5", "", "rejected", ""],
        ["6", "shown", "", ""],
    ]
    assert rocketman("pick", folder, "--undo").returncode == 0
    listed = json.loads(rocketman("pick", folder, "--json").stdout)  # and serves no page
    assert listed[4]["state"] == ""
    assert listed[2]["state"] == "picked"
    assert listed[2]["at"].endswith("+00:00")
    assert (folder / "pictures" / listed[0]["file"]).is_file()
    assert 0 <= listed[0]["score"] <= 1
    assert "of the collection" in listed[0]["why"][0]


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--rate", "1=6"], "--rate takes a picture and 0 to 5"),
        (["--rate", "x"], "--rate takes a picture and 0 to 5"),
        (["--pick", "99"], "There is no picture 99"),
        (["--undo"], "nothing to undo"),
        (["--reject", "1", "--pick", "1"], "Picture 1 is named by --pick and --reject"),
        (["--unset", "2", "--rate", "2=5"], "Picture 2 is named by --rate and --unset"),
        (["--undo", "--pick", "1"], "--undo stands by itself"),
    ],
)
def test_picking_wrongly_is_one_sentence(collection: Make, arguments: list[str], what: str) -> None:
    folder = collection(candidates=1)
    assert rocketman("run", folder).returncode == 0
    done = rocketman("pick", folder, *arguments)
    assert done.returncode == 2
    assert what in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_page_ends_with_what_was_done_and_what_comes_next(collection: Make) -> None:
    folder = collection()
    done = rocketman("pick", folder)
    assert (done.returncode, "no pictures yet" in done.stderr) == (2, True)
    assert rocketman("run", folder).returncode == 0
    command = [sys.executable, "-m", "rocketman", "collection", "pick", str(folder)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        address = process.stderr.readline().split()[-1]
        request = urllib.request.Request(
            f"{address}acts",
            data=b'{"do": "pick", "id": 2}',
            headers={
                "Content-Type": "application/json",
                "Origin": address.rsplit("/", 2)[0],
            },
        )
        with urllib.request.urlopen(request) as reply:
            assert 2 in json.load(reply)["wall"]
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert f"Recorded in {folder}: 1 x pick." in err
    assert f"`rocketman collection gallery {folder}`" in err
    assert "Traceback" not in err


def test_mistakes_are_one_sentence_with_the_line(collection: Make, tmp_path: Path) -> None:
    folder = collection(edit=("steps = 1", "stepps = 1"))
    for command in ("run", "gallery"):
        done = rocketman(command, folder)
        assert done.returncode == 2
        assert "collection.toml, line 8: there is no key stepps" in done.stderr
        assert "Traceback" not in done.stderr
    assert rocketman("run", tmp_path / "nowhere").returncode == 2
    assert not (tmp_path / "nowhere").exists()
    collection(edit=('model = "', 'model = "no'))
    done = rocketman("run", folder)
    assert (done.returncode, "is not a model folder" in done.stderr) == (2, True)


def test_a_broken_model_is_one_sentence(collection: Make, model_folder: Path) -> None:
    folder = collection()
    assert rocketman("run", folder).returncode == 0
    shutil.copytree(model_folder, folder / "broken")
    (folder / "broken" / "network.onnx").write_bytes(b"no network")
    text = (folder / "collection.toml").read_text(encoding="utf-8")
    text = text.replace(str(model_folder), "broken")
    (folder / "collection.toml").write_text(text, encoding="utf-8")
    done = rocketman("run", folder)
    assert done.returncode == 2
    assert "onnxruntime cannot load" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(list((folder / "pictures").iterdir())) == 12


def test_ignored_words_are_told(collection: Make) -> None:
    folder = collection(edit=("an astronaut in", "an elephant beside an astronaut in"))
    done = rocketman("run", folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("elephant") == 1
    assert "Ignored in prompts: elephant; `rocketman words`" in done.stderr


def test_ctrl_c_in_a_run(collection: Make) -> None:
    folder = collection(candidates=50, edit=("steps = 1", "steps = 40"))
    command = [sys.executable, "-m", "rocketman", "collection", "run", str(folder)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        while not list((folder / "pictures").glob("*.png")) and process.poll() is None:
            pass
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Paused: " in err
    assert f"`rocketman collection run {folder}` goes on." in err
    assert "Traceback" not in err


def test_the_bar_fits_a_narrow_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from rocketman.cli_collection import _drawing_bar

    monkeypatch.setenv("FORCE_COLOR", "1")
    for columns, rate in ((40, False), (80, True)):
        monkeypatch.setenv("COLUMNS", str(columns))
        with _drawing_bar() as advance:
            for made in range(5):
                advance(made, 2400)
        told = re.sub(r"\x1b\[[0-9;?]*\w", "", capsys.readouterr().err)
        lines = [line.strip() for line in re.split(r"[\r\n]", told) if line.strip()]
        assert all(line.startswith("drawing") and line.endswith("left") for line in lines), lines
        assert ("a minute" in lines[-1]) == rate


def test_a_folder_that_takes_no_pictures(collection: Make) -> None:
    """A read-only folder is met the same way, but not by root, whom nothing stops."""
    folder = collection()
    (folder / "pictures").write_text("in the way")
    done = rocketman("run", folder)
    assert done.returncode == 2
    assert "Pictures cannot be written to" in done.stderr
    assert not (folder / "collection.sqlite").exists()


def test_without_jinja_it_says_what_to_install(
    collection: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from rocketman import cli

    monkeypatch.setitem(sys.modules, "jinja2", None)
    monkeypatch.delitem(sys.modules, "rocketman.collection.gallery", raising=False)
    monkeypatch.setattr(sys, "argv", ["rocketman", "collection", "gallery", str(collection())])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 2
    assert "pip install 'rocketman-diffusion[gallery]'" in capsys.readouterr().err

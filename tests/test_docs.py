"""README.md and docs/ do not lie: their commands and programs are run, or at least parsed.

`ONLY_PARSED` lists every command that is not run, with the reason; whatever else stands in a block
of `sh` is run, in the order of its page, in a folder of its own. A mistyped option fails either
way, since the real parser reads each line. docs/tour.md is run on the model that ships, the other
pages on a tiny one with random weights, of the same sizes.
"""

from __future__ import annotations

import itertools
import re
import runpy
import shlex
import shutil
import sys
import tomllib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import typer

from rocketman import cli, weights

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [
        *ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/*/README.md"),
    ]
    if path.name != "cli.md"  # written from the commands, see the last test
)  # fmt: skip
RUN = {"README.md": "tiny", "docs/tour.md": "shipped", "docs/developer.md": "tiny"}
"""Pages whose commands are run, and on which model."""

RENDERS = "renders with Blender, minutes to days; tests/scenes renders"
BROWSER = "serves a page until Ctrl-C; tests/collection/test_pick_browser.py opens it"
FILM = "encodes a film, minutes; tests/collection/test_film.py makes small ones"
INDEX = "trains probes, minutes; tests/audits trains small ones"
SERIES = "draws 96 pictures; the same is run on docs/tour.md's nine, and in tests/collection"
HOURS = "trains for hours; docs/developer.md's small training is run"
ONLY_PARSED = {
    "rocketman dataset render --count 200 --size 256 --seed 1 --out renders --workers 2": RENDERS,
    "rocketman dataset render --count 200 --size 256 --seed 1 --out renders --passes": RENDERS,
    "rocketman dataset render --scene scene.json --size 640 --out poster.png": RENDERS,
    "rocketman dataset render --scene scene.json --size 512 --out look.png": RENDERS,
    "rocketman collection run lonely": SERIES,
    "rocketman collection gallery lonely": SERIES,
    "rocketman audit collection lonely": SERIES,
    "rocketman collection pick lonely": BROWSER,
    "rocketman collection pick night": BROWSER,
    "rocketman collection film lonely": FILM,
    "rocketman collection film night --draft": FILM,
    "rocketman collection film night": FILM,
    "rocketman collection publish lonely": FILM,
    "rocketman collection publish night": FILM,
    "rocketman train runs/astronauts.toml --out my-run": HOURS,
    "rocketman train my.toml --out my-run --resume": "the run above it came to its end",
    'rocketman generate "..." --model my-run/model': "the dots are the reader's",
    "rocketman audit index my-run/model --data renders": INDEX,
    "rocketman audit index my-run/model --data data/astronauts-64": INDEX,
    "rocketman evaluate my-run/model --data renders --count 256 --sheet tries.png --json": INDEX,
    "rocketman audit picture PICTURE.png": "docs/tour.md's is run, on the model that ships",
}
STANDS_FOR = dict.fromkeys(
    ("pictures/FILE.png", "ANY-FILE", "photo.jpg", "mask.png"), "pictures/*.png"
)
"""Words of the pages that stand for a file of the reader's, and one that is there when they run."""
OTHERS = {"apt-get", "git"}
"""Programs whose lines are not looked at."""


# --- what stands in the pages -------------------------------------------------------------------


def blocks(page: str) -> list[tuple[str, str, str]]:
    """Fenced blocks: (language, name after it, text)."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(r"^```(\w*) ?([\w./-]*)\n(.*?)^```$", text, re.M | re.S)


def lines_of(script: str) -> Iterator[list[str]]:
    """The commands of a block of `sh` as words, without comments and settings before them."""
    for line in script.splitlines():
        for part in line.split(" && "):
            words = shlex.split(part, comments=True)
            while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
                words.pop(0)
            if words:
                yield words


def ours(words: list[str]) -> bool:
    return Path(words[0]).name == "rocketman"


COMMANDS = [
    (page, shlex.join(["rocketman", *words[1:]]))
    for page in PAGES
    for language, _, script in blocks(page)
    if language == "sh"
    for words in lines_of(script)
    if ours(words)
]
NOT_RUN = {shlex.join(shlex.split(line)) for line in ONLY_PARSED}


def test_pages_are_found() -> None:
    assert {"README.md", "docs/tour.md", "docs/developer.md", "docs/formats.md"} <= set(PAGES)
    assert len(COMMANDS) > 40


def node_of(words: list[str]) -> tuple[Any, list[str]]:
    """The command that words name, and the words after its name."""
    node: Any = typer.main.get_command(cli.app)
    words = words[1:]
    while hasattr(node, "commands"):
        assert words, "a command group alone"
        assert words[0] in node.commands, f"there is no command {words[0]}"
        node, words = node.commands[words[0]], words[1:]
    return node, words


@pytest.mark.parametrize(("page", "line"), COMMANDS, ids=lambda text: text[:70])
def test_every_command_is_parsed(page: str, line: str) -> None:
    words = shlex.split(line)
    node, words = node_of(words[: words.index(">")] if ">" in words else words)
    node.make_context(node.name, words)


def test_a_mistyped_option_would_fail() -> None:
    node, words = node_of(["rocketman", "generate", "x", "--sede", "1"])
    with pytest.raises(Exception, match="--sede"):
        node.make_context(node.name, words)


@pytest.mark.parametrize("page", PAGES)
def test_commands_named_in_sentences_exist(page: str) -> None:
    """`rocketman dataset check|show --json`: commands and options; arguments may be missing."""
    text = (ROOT / page).read_text(encoding="utf-8")
    text = " ".join(re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S).split())
    for line in re.findall(r"`(rocketman [^`]+)`", text):
        for words in itertools.product(*(word.split("|") for word in shlex.split(line))):
            if "COMMAND" in words or line == "rocketman watermark 1":  # a key, see watermark.py
                continue
            node, rest = node_of(list(words))
            known = {"--help", *(name for param in node.params for name in param.opts)}
            options = {word.partition("=")[0] for word in rest if word.startswith("-")}
            assert options <= known, f"{line} in {page}: {sorted(options - known)}"


@pytest.mark.parametrize("page", PAGES)
def test_other_commands_name_what_is_there(page: str) -> None:
    """Scripts, modules, extras and targets of make that a page names."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    for language, _, script in blocks(page):
        for words in lines_of(script) if language == "sh" else ():
            program, rest = Path(words[0]).name or words[0], words[1:]
            if ours(words) or program in OTHERS:
                continue
            elif program == "pip":
                for name in re.findall(r"\[([\w,]+)\]", " ".join(rest)):
                    assert set(name.split(",")) <= set(extras), f"{page}: {words}"
            elif program == "make":
                assert set(rest) <= set(targets), f"{page}: {words}"
            elif program in ("python", "python3") and rest[0] == "-m":
                assert find_spec(rest[1]), f"{page}: {words}"
            elif program in ("python", "sh", "bash", "."):
                assert rest[0].startswith(".venv/") or (ROOT / rest[0]).is_file(), (
                    f"{page}: {words}"
                )
            else:
                raise AssertionError(f"{page}: is {words} checked by something?")


def test_what_is_not_run_still_stands_there() -> None:
    stand = {line for _, line in COMMANDS}
    assert stand >= NOT_RUN, sorted(NOT_RUN - stand)


def test_pages_that_are_not_run_have_nothing_else_to_run() -> None:
    for page, line in COMMANDS:
        assert page in RUN or line in NOT_RUN, f"{page}: {line} is neither run nor listed"


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for link in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text):
        assert (ROOT / page).parent.joinpath(link).exists(), f"{page} links to {link}"


# --- run ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tiny(make_model: Any) -> Path:
    """Random weights, but 64 pixels of its own like the model that ships: the same sizes."""
    folder: Path = make_model(64)
    return folder


@pytest.mark.parametrize("page", RUN)
def test_page_runs(
    page: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """Every block in its order: commands, programs, and files that a block is named after."""
    pytest.importorskip("torch")
    pytest.importorskip("jinja2")
    if RUN[page] == "tiny":
        folder = request.getfixturevalue("tiny")
        monkeypatch.setattr(weights, "embedded", lambda: folder)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ROCKETMAN_CACHE", str(tmp_path / "cache"))
    for name in ("runs", "examples"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "examples" / "sample-dataset", tmp_path / "renders")  # not rendered here
    for language, name, text in blocks(page):
        if name:
            Path(name).write_text(text, encoding="utf-8")
        elif language == "python":
            program = tmp_path / "program.py"
            program.write_text(text, encoding="utf-8")
            runpy.run_path(str(program), run_name="__main__")
        elif language == "sh":
            for words in lines_of(text):
                if ours(words) and shlex.join(["rocketman", *words[1:]]) not in NOT_RUN:
                    call(words, monkeypatch, capsys)


def call(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Run one command as typed; `> FILE` takes what it prints."""
    target = words[words.index(">") + 1] if ">" in words else None
    words = words[: words.index(">")] if target else words
    typed = [
        str(next(iter(sorted(Path().glob(STANDS_FOR[word]))))) if word in STANDS_FOR else word
        for word in words[1:]
    ]
    monkeypatch.setattr(sys, "argv", ["rocketman", *typed])
    capsys.readouterr()
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    told = capsys.readouterr()
    assert stopped.value.code == 0, f"{words}: {told.err}"
    if target:
        Path(target).write_text(told.out, encoding="utf-8")


# --- the reference ------------------------------------------------------------------------------


def test_the_reference_of_commands_is_up_to_date() -> None:
    """If this fails: python docs/generate_cli.py"""
    page = runpy.run_path(str(ROOT / "docs" / "generate_cli.py"))["reference"]()
    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == page

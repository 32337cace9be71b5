"""What a terminal shows: phases and the growing picture; nothing of it where nobody looks."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rocketman.cli_screen import COLUMNS, HalfBlocks

START = "from rocketman.cli import main; main()"
BLOCK = "\N{UPPER HALF BLOCK}"
TERMINAL = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "COLUMNS": "90", "LINES": "40"}


def test_half_blocks_hold_two_pixels() -> None:
    """The upper pixel in the letter's colour, the lower one behind it."""
    from rich.console import Console

    picture = -np.ones((3, 4, 4), np.float32)
    picture[0, 0] = 1  # the uppermost row is red, the lowest blue
    picture[2, 3] = 1
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, color_system="truecolor", width=40)
    console.print(HalfBlocks(picture, 4), end="")
    upper, lower = out.getvalue().splitlines()
    assert f"38;2;255;0;0;48;2;0;0;0m{BLOCK}" in upper
    assert f"38;2;0;0;0;48;2;0;0;255m{BLOCK}" in lower
    assert out.getvalue().count(BLOCK) == 8


def shown(model: Path, folder: Path, environment: dict[str, str], *more: str) -> str:
    """What `generate` writes to a terminal that is its standard error."""
    import pty

    ours, theirs = pty.openpty()
    keep = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR", "CI")}
    command = [
        sys.executable, "-c", START, "generate", "a harp", "--steps", "2", "--seed", "1",
        "--model", str(model), "--out", str(folder), *more,
    ]  # fmt: skip
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=theirs, env={**keep, **TERMINAL, **environment}
    )
    os.close(theirs)
    told = b""
    while True:
        try:
            part = os.read(ours, 1 << 16)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        told += part
    os.close(ours)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, told
    assert BLOCK.encode() not in out
    if "--json" in more:
        assert len(json.loads(out)) == 1
    return told.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX's")
def test_the_picture_grows_in_a_terminal(model_folder: Path, tmp_path: Path) -> None:
    told = shown(model_folder, tmp_path, {})
    assert BLOCK in told
    rows = [row for row in re.sub(r"\x1b\[[0-9;?]*\w", "", told).splitlines() if BLOCK in row]
    assert max(row.count(BLOCK) for row in rows) <= COLUMNS
    phases = re.findall(r"loading|drawing|saving", told)
    order = ["loading", "drawing", "saving"]  # a fast machine may pass one between two refreshes
    assert phases == sorted(phases, key=order.index)
    assert phases[-1] == "saving"
    assert "a-harp-seed1.png" in told


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX's")
@pytest.mark.parametrize(
    ("environment", "more"),
    [
        ({"NO_COLOR": "1"}, ()),
        ({"TERM": "dumb"}, ()),
        ({"TERM": "xterm", "COLORTERM": ""}, ()),
        ({"PYTHONIOENCODING": "latin-1"}, ()),
        ({}, ("--json",)),
    ],
    ids=["NO_COLOR", "dumb", "few colours", "no blocks", "json"],
)
def test_no_picture_where_it_would_not_look_right(
    model_folder: Path, tmp_path: Path, environment: dict[str, str], more: tuple[str, ...]
) -> None:
    told = shown(model_folder, tmp_path, environment, *more)
    assert BLOCK not in told
    assert "a-harp-seed1.png" in told


def test_nothing_of_it_in_a_pipe(model_folder: Path, tmp_path: Path) -> None:
    options = ("--steps", "2", "--seed", "1", "--model", str(model_folder), "--out", str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", START, "generate", "a harp", *options],
        capture_output=True,
        env={**os.environ, **TERMINAL, "FORCE_COLOR": "1"},
        check=True,
    )
    assert BLOCK.encode() not in done.stdout + done.stderr

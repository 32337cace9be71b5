"""A TOML file as typed tables whose complaints name the line.

`tomllib` forgets where a value stood, so the lines are found again in the text. Reads a file;
asking a `Table` for a value checks it. Next: `plan.py` reads a collection through these.
"""

from __future__ import annotations

import difflib
import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn


class PlanError(ValueError):
    """A collection file that cannot be used; the message is one sentence."""


def open_table(path: Path, known: Sequence[str]) -> Table:
    """The top table of a file, with the keys that may stand in it. PlanError if unreadable."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise PlanError(f"{path}, line {line}: this is not UTF-8 text.") from error
    except OSError as error:
        raise PlanError(f"{path} cannot be read: {error.strerror}.") from error
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PlanError(_sentence(path, text, str(error))) from error
    except RecursionError as error:
        raise PlanError(f"{path} is nested too deeply.") from error
    return Table(path, _lines(text), (), values, known)


KeyPath = tuple[str | int, ...]


@dataclass(frozen=True)
class Table:
    """One table of the file; asking for a value checks it, and complaints name its line."""

    file: Path
    lines: dict[KeyPath, int]
    path: KeyPath
    values: Mapping[str, Any]
    known: Sequence[str]

    def __post_init__(self) -> None:
        for key in self.values:
            if self.known and key not in self.known:
                self.fail(key, f"there is no key {key}{hint(key, self.known)}")

    def fail(self, key: str, what: str) -> NoReturn:
        """PlanError at the line of a key, or else of its table, or else of no line."""
        line = self.lines.get((*self.path, key)) or self.lines.get(self.path)
        where = f"{self.file}, line {line}" if line else str(self.file)
        raise PlanError(f"{where}: {what}.")

    def text(self, key: str, default: str | None = None) -> str:
        value = self._value(key, default)
        if not isinstance(value, str):
            self.fail(key, f"{key} should be text in quotes, not {_shown(value)}")
        self._check_text(key, value)
        if default is None and not value.strip():
            self.fail(key, f"{key} is empty")
        return value

    def whole(self, key: str, default: int | None, low: int, high: int) -> int:
        value = self._value(key, default)
        if key in self.values and (type(value) is not int or not low <= value <= high):
            self.fail(
                key, f"{key} should be a whole number from {low} to {high}, not {_shown(value)}"
            )
        return int(value)

    def number(self, key: str, default: float, low: float, high: float) -> float:
        value = self._value(key, default)
        if type(value) not in (int, float) or not low <= value <= high:
            self.fail(key, f"{key} should be a number from {low:g} to {high:g}, not {value!r}")
        return float(value)

    def choice(self, key: str, default: str, choices: Sequence[str]) -> str:
        value = self._value(key, default)
        if value not in choices:
            told = ", ".join(f'"{choice}"' for choice in choices)
            self.fail(key, f"{key} should be one of {told}, not {_shown(value)}")
        return str(value)

    def strings(self, key: str) -> list[str]:
        value = self._value(key, [])
        if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
            self.fail(key, f"{key} should be a list of texts in quotes, not {_shown(value)}")
        for entry in value:
            self._check_text(key, entry)
        return value

    def table(self, key: str, known: Sequence[str]) -> Table:
        value = self._value(key, {})
        if not isinstance(value, dict):
            self.fail(key, f"{key} should be a table: write [{key}] on a line of its own")
        return Table(self.file, self.lines, (*self.path, key), value, known)

    def tables(self, key: str, known: Sequence[str]) -> list[Table]:
        value = self._value(key, [])
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            self.fail(key, f"each part of {key} should begin with a line [[{key}]]")
        paths = [(*self.path, key, index) for index in range(len(value))]
        return [
            Table(self.file, self.lines, path, entry, known)
            for path, entry in zip(paths, value, strict=True)
        ]

    def lists(self, key: str) -> dict[str, list[str]]:
        """A table in which every value is a list of texts, not empty."""
        table = self.table(key, ())
        lists = {name: table.strings(name) for name in table.values}
        for name, values in lists.items():
            if not values:
                table.fail(name, f"the list {name} is empty")
        return lists

    def _value(self, key: str, default: object) -> Any:
        if key not in self.values and default is None:
            self.fail("", f"{key} is missing")
        return self.values.get(key, default)

    def _check_text(self, key: str, value: str) -> None:
        bad = [c for c in value if unicodedata.category(c) == "Cc" and c not in "\n\r\t"]
        if bad:
            self.fail(key, f"{key} holds the control character U+{ord(bad[0]):04X}")


def _lines(text: str) -> dict[KeyPath, int]:
    """The line, from 1, on which each table and key of a TOML text begins."""
    lines: dict[KeyPath, int] = {}
    table: KeyPath = ()
    counts: dict[str, int] = {}
    fence = ""  # of the many-line string that we are in
    for number, line in enumerate(text.splitlines(), start=1):
        if fence:
            fence = "" if fence in line else fence
            continue
        if found := re.match(r"\s*\[\[\s*(.+?)\s*\]\]", line):
            name = found[1].strip("\"'")
            table = (name, counts.setdefault(name, 0))
            counts[name] += 1
            lines.setdefault((name,), number)
            lines[table] = number
        elif found := re.match(r"\s*\[\s*([^\[\]]+?)\s*\]\s*(#.*)?$", line):
            table = _keys(found[1])
            lines[table] = number
        elif found := re.match(r"\s*([\w\-.\"' ]+?)\s*=", line):
            keys = _keys(found[1])
            for depth in range(1, len(keys) + 1):
                lines.setdefault((*table, *keys[:depth]), number)
            fence = next((q for q in ('"""', "'''") if line.count(q) == 1), "")
    return lines


def _keys(text: str) -> KeyPath:
    return tuple(part.strip().strip("\"'") for part in text.split("."))


def _sentence(path: Path, text: str, error: str) -> str:
    """tomllib's complaint, with the line in front as in all of ours."""
    found = re.fullmatch(r"(.*) \(at (?:line (\d+), column \d+|end of document)\)", error, re.S)
    what, line = (found[1], found[2]) if found else (error, None)
    line = line or str(len(text.splitlines()) or 1)
    return f"{path}, line {line}: this is not TOML: {what[:1].lower()}{what[1:]}."


def hint(word: str, known: Mapping[str, object] | Sequence[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:56]} ..."

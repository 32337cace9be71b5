"""Write docs/cli.md, the reference of all commands, from the commands themselves.

    python docs/generate_cli.py

Reads each command's function: its docstring, its arguments, their help and defaults.
tests/test_docs.py fails while docs/cli.md says something else.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import typer
from typer.models import ArgumentInfo, OptionInfo

from rocketman import cli

OUT = Path(__file__).parent / "cli.md"
HEAD = """\
# Commands

Written by `python docs/generate_cli.py`; change the commands, not this page.

Standard output holds answers (`--json`: one JSON document); how work goes on, and the names of
files that it wrote, are said on standard error. Exit code 0: done; 1: failed part-way, or checked
and found wanting; 2: wrong use; 130: Ctrl-C. `rocketman COMMAND --help` says the same as this page.
"""


def reference() -> str:
    """The whole page."""
    found = list(commands(cli.app))
    rows = [
        f"| [`{path}`](#{path.replace(' ', '-')}) | {first_sentence(call)} |"
        for path, call in found
    ]
    table = "\n".join(["| command | what it does |", "|---|---|", *rows])
    sections = (section(path, call) for path, call in found)
    return "\n".join([HEAD, table, "", *sections]).rstrip() + "\n"


def commands(
    app: typer.Typer, before: str = "rocketman"
) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every command's full name and its function, in the order of --help."""
    for command in app.registered_commands:
        assert command.callback
        name = command.name or command.callback.__name__.replace("_", "-")
        yield f"{before} {name}", command.callback
    for group in app.registered_groups:
        assert group.typer_instance
        yield from commands(group.typer_instance, f"{before} {group.name}")


def first_sentence(call: Callable[..., Any]) -> str:
    text = " ".join((inspect.getdoc(call) or "").split())
    return re.split(r"(?<=[.?]) ", text)[0]


def section(path: str, call: Callable[..., Any]) -> str:
    """One command: how it is called, what it does, a table of what it takes."""
    hints = get_type_hints(call, include_extras=True)
    usage, arguments, options = [path], [], []
    for name, parameter in inspect.signature(call).parameters.items():
        kind, info = get_args(hints[name])[:2]
        needed = parameter.default is inspect.Parameter.empty
        text = info.help or ""
        if isinstance(info, ArgumentInfo):
            many = "list" in str(kind)
            shown = (info.metavar or name.upper()).strip("[]") + ("..." if many else "")
            usage.append(shown if needed else f"[{shown}]")
            if text:
                arguments.append(f"| `{shown}` | | {text} |")
            continue
        assert isinstance(info, OptionInfo)
        # In Annotated, Typer finds the first name where other calls have the default.
        named = [info.default] if isinstance(info.default, str) else []
        named += info.param_decls or ()
        spelt = ", ".join(named or [f"--{name.replace('_', '-')}"])
        value = takes(kind, info)
        if needed:
            usage.append(f"{spelt} {value}")
        default = "needed" if needed else shown_default(parameter.default)
        options.append(f"| `{f'{spelt} {value}'.strip()}` | {default} | {text} |")
    about = "\n\n".join(
        re.sub(r"__\w+__", r"`\g<0>`", " ".join(paragraph.split()))  # no bold face
        for paragraph in (inspect.getdoc(call) or "").split("\n\n")
    )
    rows = [*arguments, *options]
    table = "\n".join(["| | default | |", "|---|---|---|", *rows, ""]) if rows else ""
    more = " [OPTIONS]" if options else ""
    return f"## {path}\n\n    {' '.join(usage)}{more}\n\n{about}\n\n{table}"


def takes(kind: Any, info: OptionInfo) -> str:
    """What stands after an option: its metavar, its choices, or the kind of value."""
    if kind is bool:
        return ""
    if info.metavar:
        return info.metavar
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) is Literal:
        return "\\|".join(get_args(kind))
    for each, word in ((int, "NUMBER"), (float, "NUMBER"), (Path, "PATH"), (str, "TEXT")):
        if kind is each or each in get_args(kind):
            return word
    raise TypeError(f"a value of {kind} has no name here yet")


def shown_default(value: Any) -> str:
    return "" if value is None or value is False or value == "" else f"`{value}`"


if __name__ == "__main__":
    OUT.write_text(reference(), encoding="utf-8")
    print(OUT, file=sys.stderr)

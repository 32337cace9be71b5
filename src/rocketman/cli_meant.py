"""The command that somebody probably meant: mistyped names put right, the whole line to copy.

Level 6. Reads the words typed and the tree of commands; looks no further than names: commands,
options, and values of options that take one of a few. Next: `cli.py` asks when Typer refuses.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

CUTOFF = 0.6
"""Likeness (difflib's ratio) from which a name counts as mistyped."""


def meant(words: Sequence[str], root: Any) -> str | None:
    """The line that was meant, quoted for a shell; None if no name in `words` can be put right.

    root: the tree of commands, as `typer.main.get_command` gives it.
    """
    found = _commands(list(words), root)
    return shlex.join(["rocketman", *found]) if found != list(words) else None


def _commands(words: list[str], node: Any) -> list[str]:
    """The words from a node of the tree on, put right."""
    commands = getattr(node, "commands", None)
    if commands is None:
        return _options(words, node.params)
    if not words:
        return words
    first, *rest = words
    if first not in commands:
        path = _path(first, commands)
        if not path:
            return _options(words, node.params)
        return _commands([*path, *rest], node)
    return [first, *_commands(rest, commands[first])]


def _path(name: str, commands: Mapping[str, Any]) -> list[str]:
    """The command that a wrong name stands for, by its place in the tree; [] if none is near."""
    if " " in name and "generate" in commands:  # a prompt
        return ["generate", name]
    if name.startswith("-"):  # --version
        return [name.lstrip("-")] if name.lstrip("-") in commands else []
    for group, node in commands.items():
        if name in getattr(node, "commands", ()):
            return [group, name]
    return get_close_matches(name, commands, n=1, cutoff=CUTOFF)


def _options(words: list[str], params: Iterable[Any]) -> list[str]:
    """The words of one command, its options and their values put right; other words as they are."""
    options: dict[str, Any] = {"--help": None}
    options |= {name: param for param in params for name in param.opts if name.startswith("-")}
    out: list[str] = []
    left = list(words)
    while left:
        word = left.pop(0)
        if word == "--":
            return [*out, word, *left]
        if not word.startswith("-") or len(word) < 2 or word[1].isdigit():
            out.append(word)
            continue
        name, equals, value = word.partition("=")
        if name not in options:
            if word[1] != "-" and word[:2] in options:  # -n4
                out.append(word)
                continue
            name = _option(name, options)
        param = options.get(name)
        if equals:
            out.append(f"{name}={_value(value, param)}")
            continue
        out.append(name)
        if param is not None and not getattr(param, "is_flag", False) and left:
            out.append(_value(left.pop(0), param))
    return out


def _option(name: str, options: Mapping[str, Any]) -> str:
    """The option nearest to a wrong one, or the wrong one."""
    if f"-{name}" in options:  # -seed
        return f"-{name}"
    begun = [option for option in options if len(name) > 3 and option.startswith(name)]
    return next(iter(begun or get_close_matches(name, options, n=1, cutoff=CUTOFF)), name)


def _value(value: str, param: Any) -> str:
    """The choice nearest to a value that is none of the choices of its option."""
    kind = getattr(param, "type_descriptor", None) or getattr(param, "type", None)
    choices = [str(choice) for choice in getattr(kind, "choices", None) or ()]
    if value in choices:
        return value
    near = get_close_matches(value.lower(), choices, n=1, cutoff=CUTOFF)
    return near[0] if near else value

"""What the sentences of several commands share: a command to type, a count, why a disk refused.

Level 5. Next: every module here that complains or reports.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from rocketman.files import system_words


def command(words: str, folder: Path) -> str:
    """A command on a folder, ready to be typed: `rocketman collection run 'my night'`"""
    return f"`rocketman {words} {shlex.quote(str(folder))}`"


def counted(count: int, noun: str) -> str:
    """1 picture, 2 pictures"""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def reason(error: BaseException) -> str:
    """An error's words as the inside of a sentence, with its file where the system names one."""
    told = system_words(error) if isinstance(error, OSError) else str(error)
    return " ".join(told.split()).rstrip(".")

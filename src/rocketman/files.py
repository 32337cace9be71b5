"""Writing a file whole or not at all, and words for what keeps one from being read or written.

Level 0 of the house: standard library only. Everything that Rocketman keeps (pictures, models,
checkpoints) goes to disk through `write_whole`. Next: `provenance/picture.py`, `weights.py`.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """Write `data` to `path` so that, whatever happens, the old file or the whole new one is found.

    The bytes go to a hidden file beside it (`.XXXXXXXXXXXXXXXX.part`), are forced to disk, and take
    the name in one step; the folder is forced to disk after it. A process killed in between leaves
    the hidden file and nothing else. OSError as the system gives it; the folder must exist.
    """
    part = path.with_name(f".{secrets.token_hex(8)}.part")  # no name is too long for it
    try:
        with part.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):  # of a disk that went away: the first error is told
            part.unlink(missing_ok=True)
        raise
    if os.name == "posix":  # a new name is only durable once its folder is
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def system_words(error: OSError) -> str:
    """What the system says, and of which file."""
    where = f" ({error.filename})" if error.filename else ""
    return f"{error.strerror or error}{where}"


def why_no_file(path: Path) -> str:
    """Of a path that is no file."""
    return "it is a folder" if path.is_dir() else "there is no such file"

"""The manifests of what was signed here, by watermark: a stripped picture is matched again.

Level 1. A small SQLite database in the user's data folder (`path()`); every picture that is saved
leaves its signed manifest, about 4 kB. Web sites drop credentials, the mark in the pixels stays:
`verify.py` looks its number up here and finds what the credentials said.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

MANIFESTS = "manifests.sqlite3"
SCHEMA = """
CREATE TABLE IF NOT EXISTS manifest (
    watermark TEXT NOT NULL,
    saved REAL NOT NULL,
    manifest BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS by_watermark ON manifest (watermark, saved);
"""


@dataclass(frozen=True)
class Stored:
    """One manifest of the store."""

    manifest: bytes
    """The C2PA manifest store as it stands in the file."""
    saved: float
    """Seconds since 1970."""


def path() -> Path:
    """ROCKETMAN_MANIFESTS, or where the system keeps a user's data."""
    if chosen := os.environ.get("ROCKETMAN_MANIFESTS"):
        return Path(chosen)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return base / "rocketman" / MANIFESTS


def remember(watermark: str, manifest: bytes) -> bool:
    """Keep a manifest; returns whether that worked.

    A picture whose manifest cannot be kept (a read-only home, a full disk) is no worse for it: the
    manifest is in its file. So nothing is raised.
    """
    try:
        path().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with closing(sqlite3.connect(path(), timeout=5)) as database:
            database.executescript("PRAGMA synchronous=OFF;" + SCHEMA)
            with database:
                database.execute(
                    "INSERT INTO manifest VALUES (?, ?, ?)", (watermark, time.time(), manifest)
                )
    except (OSError, sqlite3.Error):
        return False
    return True


def recall(watermark: str) -> Stored | None:
    """The last manifest kept for a watermark; None if there is none or the store is unreadable."""
    if not path().is_file():
        return None
    try:
        with closing(sqlite3.connect(path(), timeout=5)) as database:
            row = database.execute(
                "SELECT manifest, saved FROM manifest WHERE watermark = ? "
                "ORDER BY saved DESC LIMIT 1",
                (watermark,),
            ).fetchone()
    except sqlite3.Error:
        return None
    return Stored(*row) if row else None

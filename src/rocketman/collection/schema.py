"""The database's tables as numbered migrations, each applied and recorded in one transaction.

Level 5. Standard library only. A published migration is never changed: what is new is a new one.
Next: `store.py` opens a database and brings it up to date.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (  # 1: pictures
        """
        CREATE TABLE pictures (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            key TEXT NOT NULL UNIQUE,
            recipe TEXT NOT NULL,
            prompt TEXT NOT NULL,
            seed INTEGER NOT NULL,
            model_hash TEXT NOT NULL,
            position INTEGER NOT NULL,
            candidate INTEGER NOT NULL,
            wanted INTEGER NOT NULL DEFAULT 1,
            state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'leased', 'made')),
            worker TEXT,
            lease_until REAL,
            file TEXT,
            made_at TEXT,
            seconds REAL,
            CHECK ((state = 'leased') = (worker IS NOT NULL)),
            CHECK ((state = 'made') = (file IS NOT NULL))
        )
        """,
        "CREATE INDEX pictures_in_order ON pictures (wanted, state, position, candidate)",
    ),
    (  # 2: what the curator did, in order; nothing here is ever changed or deleted
        """
        CREATE TABLE acts (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            at TEXT NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('rate', 'pick', 'reject', 'unset', 'undo')),
            picture INTEGER REFERENCES pictures (id),
            rating INTEGER CHECK (rating BETWEEN 0 AND 5),
            undoes INTEGER UNIQUE REFERENCES acts (id),
            CHECK ((kind = 'undo') = (undoes IS NOT NULL)),
            CHECK ((kind = 'undo') = (picture IS NULL)),
            CHECK ((kind = 'rate') = (rating IS NOT NULL))
        )
        """,
    ),
    (  # 3: what was measured of a picture, so that nothing is measured twice
        """
        CREATE TABLE looks (
            picture INTEGER NOT NULL REFERENCES pictures (id),
            name TEXT NOT NULL,
            made_by TEXT NOT NULL,
            value BLOB,
            PRIMARY KEY (picture, name)
        ) WITHOUT ROWID
        """,
    ),
)


def migrate(db: sqlite3.Connection) -> bool:
    """Apply what a database lacks. Whether this version can use it: not if a later one made it."""
    db.execute(
        "CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, at TEXT NOT NULL)"
    )
    for number, statements in enumerate(MIGRATIONS, start=1):
        with transaction(db):  # two processes may come here at once: look inside the lock
            if db.execute("SELECT 1 FROM migrations WHERE number = ?", (number,)).fetchone():
                continue
            for statement in statements:
                db.execute(statement)
            db.execute("INSERT INTO migrations VALUES (?, ?)", (number, now()))
    [row] = db.execute("SELECT max(number) FROM migrations")
    return bool(row[0] <= len(MIGRATIONS))


def now() -> str:
    """UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All or nothing, alone in the database."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if db.in_transaction:  # a full disk rolls back by itself
            db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")

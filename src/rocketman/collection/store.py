"""The collection's database: every picture a row, every act of the curator a row.

Level 5. Reads and writes DIR/collection.sqlite (SQLite in WAL mode); standard library only. Rows
are keyed by recipe, so that the same picture is never asked for twice. A worker claims rows on a
lease that its heartbeat extends; a dead worker's rows are free again at once on its own machine,
after the lease elsewhere.

    waiting -> leased (worker, until) -> made (file)        rows no longer in the plan: wanted = 0

Migrations are numbered, and each is applied and recorded in one transaction. Next: `run.py` claims
and makes pictures, `curate.py` reads the acts.
"""

from __future__ import annotations

import os
import secrets
import socket
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

FILE = "collection.sqlite"
LEASE = 60.0
"""Seconds that a claim lasts without a heartbeat."""

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
)

Kind = Literal["rate", "pick", "reject", "unset"]


class StoreError(RuntimeError):
    """The database cannot be used; the message is one sentence."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A picture that the plan asks for."""

    key: str
    recipe: str
    """JSON of a `provenance.picture.Recipe`."""
    prompt: str
    seed: int
    model_hash: str
    position: int
    """Of its prompt in the plan, from 0."""
    candidate: int
    """From 0."""


@dataclass(frozen=True, kw_only=True)
class Row(Wanted):
    """A picture in the database."""

    id: int
    """Small, never used again: what people name a picture by."""
    file: str | None
    """Name in DIR/pictures, once it is made."""
    made_at: str | None
    """UTC, ISO 8601."""


@dataclass(frozen=True, kw_only=True)
class Act:
    """Something that the curator did to a picture; acts that were undone are not listed."""

    at: str
    """UTC, ISO 8601."""
    kind: Kind
    picture: int
    rating: int | None = None


_ROW = "id, key, recipe, prompt, seed, model_hash, position, candidate, file, made_at"


def worker_name() -> str:
    """A name for this process as a worker, from which others can tell whether it is alive."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


class Store:
    """An open database. Use it in a `with` block, from one thread.

    What SQLite refuses inside (a full disk) leaves the block as a StoreError.
    """

    def __init__(self, folder: Path, create: bool = False) -> None:
        """Open the database in a folder and bring it up to date.

        StoreError if it is missing (unless `create`), damaged or of a later version.
        """
        self.path = folder / FILE
        if not create and not self.path.exists():
            raise StoreError(
                f"{folder} has no pictures yet: `rocketman collection run {folder}` draws them."
            )
        try:
            self._db = sqlite3.connect(self.path, timeout=30, isolation_level=None)
            try:
                self._db.row_factory = sqlite3.Row
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute("PRAGMA synchronous = FULL")  # a curator's act survives a blackout
                self._db.execute("PRAGMA foreign_keys = ON")
                migrate(self._db, self.path)
            except BaseException:
                self._db.close()
                raise
        except sqlite3.Error as error:
            raise StoreError(f"{self.path} cannot be used: {error}.") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._db.close()
        if isinstance(error, sqlite3.Error):
            raise StoreError(f"{self.path} cannot be used: {error}.") from error

    # --- the plan ---

    def want(self, wanted: Iterable[Wanted]) -> None:
        """Make these the pictures of the collection. Others stay in the database, unwanted."""
        with _transaction(self._db):
            self._db.execute("UPDATE pictures SET wanted = 0 WHERE wanted = 1")
            self._db.executemany(
                "INSERT INTO pictures "
                "(key, recipe, prompt, seed, model_hash, position, candidate) "
                "VALUES (:key, :recipe, :prompt, :seed, :model_hash, :position, :candidate) "
                "ON CONFLICT (key) DO UPDATE SET wanted = 1, "
                "position = excluded.position, candidate = excluded.candidate",
                (vars(each) for each in wanted),
            )

    def rows(self) -> list[Row]:
        """Every wanted picture, made or not, in order of prompt and candidate."""
        found = self._db.execute(
            f"SELECT {_ROW} FROM pictures WHERE wanted = 1 ORDER BY position, candidate"
        )
        return [_row(row) for row in found]

    def count(self) -> tuple[int, int]:
        """(made, wanted)."""
        [row] = self._db.execute(
            "SELECT coalesce(sum(state = 'made'), 0), count(*) FROM pictures WHERE wanted = 1"
        )
        return row[0], row[1]

    def forget_files(self, folder: Path) -> int:
        """Pictures whose files in `folder` went away wait again. How many."""
        # a file is there before its row says so: looking at the rows first forgets none too many
        gone = [row for row in self.rows() if row.file and not (folder / row.file).exists()]
        with _transaction(self._db):
            self._db.executemany(
                "UPDATE pictures SET state = 'waiting', file = NULL, made_at = NULL, "
                "seconds = NULL WHERE id = ? AND file = ?",
                ((row.id, row.file) for row in gone),
            )
        return len(gone)

    # --- workers ---

    def claim(self, worker: str, model_hash: str, most: int) -> list[Row]:
        """Lease up to `most` pictures: candidates of one prompt, with seeds one after another.

        Empty when nothing is free; `busy` then tells whether others are still at work.
        """
        with _transaction(self._db):
            self._free_dead()
            free = self._db.execute(
                f"SELECT {_ROW} FROM pictures WHERE wanted = 1 AND state = 'waiting' "
                "AND model_hash = ? ORDER BY position, candidate LIMIT ?",
                (model_hash, most),
            )
            rows = [_row(row) for row in free]
            rows = [
                row
                for k, row in enumerate(rows)
                if row.position == rows[0].position and row.seed == rows[0].seed + k
            ]
            self._db.executemany(
                "UPDATE pictures SET state = 'leased', worker = ?, lease_until = ? WHERE id = ?",
                ((worker, time.time() + LEASE, row.id) for row in rows),
            )
        return rows

    def busy(self, model_hash: str) -> bool:
        """Whether any wanted picture of this model is leased."""
        found = self._db.execute(
            "SELECT 1 FROM pictures WHERE wanted = 1 AND state = 'leased' AND model_hash = ?",
            (model_hash,),
        )
        return found.fetchone() is not None

    def beat(self, worker: str) -> None:
        """Extend all leases of a worker."""
        self._db.execute(
            "UPDATE pictures SET lease_until = ? WHERE worker = ?", (time.time() + LEASE, worker)
        )

    def release(self, worker: str) -> None:
        """Give back what a worker claimed and did not make."""
        self._db.execute(
            "UPDATE pictures SET state = 'waiting', worker = NULL, lease_until = NULL "
            "WHERE worker = ?",
            (worker,),
        )

    def finish(self, row: Row, worker: str, recipe: str, file: str, seconds: float | None) -> None:
        """Record a picture as made, if it is still this worker's."""
        self._db.execute(
            "UPDATE pictures SET state = 'made', recipe = ?, file = ?, seconds = ?, made_at = ?, "
            "worker = NULL, lease_until = NULL WHERE id = ? AND worker = ?",
            (recipe, file, seconds, now(), row.id, worker),
        )

    def _free_dead(self) -> None:
        """Free the rows of workers that died here, or whose leases ran out."""
        leases = self._db.execute(
            "SELECT worker, min(lease_until) AS until FROM pictures "
            "WHERE state = 'leased' GROUP BY worker"
        ).fetchall()
        for lease in leases:
            if lease["until"] < time.time() or _is_dead(lease["worker"]):
                self.release(lease["worker"])

    # --- the curator ---

    def record(self, acts: Iterable[tuple[Kind, int, int | None]]) -> None:
        """Record (kind, picture id, rating) acts, all or none. StoreError for an unknown id."""
        with _transaction(self._db):
            for kind, picture, rating in acts:
                if not self._db.execute(
                    "SELECT 1 FROM pictures WHERE id = ?", (picture,)
                ).fetchone():
                    raise StoreError(
                        f"There is no picture {picture}: --list shows those there are."
                    )
                self._db.execute(
                    "INSERT INTO acts (at, kind, picture, rating) VALUES (?, ?, ?, ?)",
                    (now(), kind, picture, rating),
                )

    def undo(self) -> Act:
        """Undo the last act that is not undone yet; the undoing is recorded too."""
        with _transaction(self._db):
            last = self._db.execute(f"{_ACTS} ORDER BY id DESC LIMIT 1").fetchone()
            if last is None:
                raise StoreError("There is nothing to undo.")
            self._db.execute(
                "INSERT INTO acts (at, kind, undoes) VALUES (?, 'undo', ?)", (now(), last["id"])
            )
        return _act(last)

    def acts(self) -> list[Act]:
        """What the curator did and did not undo, oldest first."""
        return [_act(row) for row in self._db.execute(f"{_ACTS} ORDER BY id")]


_ACTS = (
    "SELECT id, at, kind, picture, rating FROM acts WHERE kind != 'undo' "
    "AND id NOT IN (SELECT undoes FROM acts WHERE undoes IS NOT NULL)"
)


def _row(row: sqlite3.Row) -> Row:
    return Row(**dict(row))


def _act(row: sqlite3.Row) -> Act:
    return Act(at=row["at"], kind=row["kind"], picture=row["picture"], rating=row["rating"])


def migrate(db: sqlite3.Connection, path: Path) -> None:
    """Apply the migrations that a database lacks, each in one transaction with its record.

    StoreError if it was made by a later version.
    """
    db.execute(
        "CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, at TEXT NOT NULL)"
    )
    for number, statements in enumerate(MIGRATIONS, start=1):
        with _transaction(db):  # two processes may come here at once: look inside the lock
            if db.execute("SELECT 1 FROM migrations WHERE number = ?", (number,)).fetchone():
                continue
            for statement in statements:
                db.execute(statement)
            db.execute("INSERT INTO migrations VALUES (?, ?)", (number, now()))
    [row] = db.execute("SELECT max(number) FROM migrations")
    if row[0] > len(MIGRATIONS):
        raise StoreError(f"{path} was made by a later version of Rocketman: update this one.")


def now() -> str:
    """UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All or nothing, alone in the database."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if db.in_transaction:  # a full disk rolls back by itself
            db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _is_dead(worker: str) -> bool:
    """Whether a worker of this machine is gone for sure; of another machine nobody can tell."""
    host, pid, _ = worker.rsplit(":", 2)
    if host != socket.gethostname() or os.name != "posix":
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return False

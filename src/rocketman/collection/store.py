"""The collection's database: every picture a row, every act of the curator a row.

Level 5. Reads and writes DIR/collection.sqlite (SQLite in WAL mode); standard library only. Rows
are keyed by recipe, so that the same picture is never asked for twice. A worker claims rows on a
lease that its heartbeat extends; a dead worker's rows are free again at once on its own machine,
after the lease elsewhere.

    waiting -> leased (worker, until) -> made (file)        rows no longer in the plan: wanted = 0

The tables are in `schema.py`. Next: `run.py` claims and makes pictures, `curate.py` reads the acts,
`rank.py` keeps what it measured.
"""

from __future__ import annotations

import os
import secrets
import socket
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from rocketman.collection.schema import migrate, now, transaction
from rocketman.collection.wording import command

FILE = "collection.sqlite"
LEASE = 60.0
"""Seconds that a claim lasts without a heartbeat."""

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


_Stack = list[tuple[int, Act]]
_ROW = "id, key, recipe, prompt, seed, model_hash, position, candidate, file, made_at"


PATIENCE = 30.0
"""Seconds that a worker waits for another's transaction."""


def write_ahead(db: sqlite3.Connection) -> None:
    """Put a database in WAL mode, with which readers and a writer don't wait for each other.

    SQLite does not wait by itself here: of two workers that begin a collection at the same moment,
    one would be told that the database is locked.
    """
    until = time.monotonic() + PATIENCE
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
        time.sleep(0.05)


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
                f"{folder} has no pictures yet: {command('collection run', folder)} draws them."
            )
        try:
            self._db = sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None)
            try:
                self._db.row_factory = sqlite3.Row
                write_ahead(self._db)
                self._db.execute("PRAGMA synchronous = FULL")  # a curator's act survives a blackout
                self._db.execute("PRAGMA foreign_keys = ON")
                if not migrate(self._db):
                    raise StoreError(
                        f"{self.path} was made by a later version of Rocketman: update this one."
                    )
            except BaseException:
                self._db.close()
                raise
        except sqlite3.Error as error:
            raise self._unusable(error) from error

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
            raise self._unusable(error) from error

    def _unusable(self, error: sqlite3.Error) -> StoreError:
        told = f"{self.path} cannot be used: {error}"
        if getattr(error, "sqlite_errorcode", 0) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            told += (
                "; put an earlier copy in its place, or move it away: "
                f"{command('collection run', self.path.parent)} then keeps the pictures, without "
                "what was chosen"
            )
        return StoreError(f"{told}.")

    # --- the plan ---

    def want(self, wanted: Iterable[Wanted]) -> None:
        """Make these the pictures of the collection. Others stay in the database, unwanted."""
        with transaction(self._db):
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
        """Pictures whose files in `folder` went away, or are empty, wait again. How many."""
        # a file is there before its row says so: looking at the rows first forgets none too many
        gone = [row for row in self.rows() if row.file and not _holds(folder / row.file)]
        with transaction(self._db):
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
        with transaction(self._db):
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
        with transaction(self._db):
            known = {row["id"] for row in self._db.execute("SELECT id FROM pictures")}
            for kind, picture, rating in acts:
                if picture not in known:
                    raise StoreError(
                        f"There is no picture {picture}: --list shows those there are."
                    )
                self._db.execute(
                    "INSERT INTO acts (at, kind, picture, rating) VALUES (?, ?, ?, ?)",
                    (now(), kind, picture, rating),
                )

    def undo(self) -> Act:
        """Undo the last act that is not undone; the undoing is recorded too."""
        return self._turn("undo")

    def redo(self) -> Act:
        """Take back the last undoing, unless something was done since; that is recorded too."""
        return self._turn("redo")

    def acts(self) -> list[Act]:
        """What the curator did and did not undo, oldest first."""
        return self.history()[0]

    def history(self) -> tuple[list[Act], list[Act]]:
        """(acts that hold, acts that `redo` would bring back), the next one to turn at the end."""
        done, undone = self._replay()
        return [act for _, act in done], [act for _, act in undone]

    def _turn(self, direction: Literal["undo", "redo"]) -> Act:
        with transaction(self._db):
            stack = self._replay()[direction == "redo"]
            if not stack:
                raise StoreError(f"There is nothing to {direction}.")
            last, act = stack[-1]
            self._db.execute(
                "INSERT INTO acts (at, kind, undoes) VALUES (?, 'undo', ?)", (now(), last)
            )
        return act

    def _replay(self) -> tuple[_Stack, _Stack]:
        """Both stacks; each act with the last row of its chain: act, undo, redo, undo"""
        done: _Stack = []
        undone: _Stack = []
        for row in self._db.execute("SELECT * FROM acts ORDER BY id"):
            if row["kind"] != "undo":
                done.append((row["id"], _act(row)))
                undone.clear()
            elif done and done[-1][0] == row["undoes"]:
                undone.append((row["id"], done.pop()[1]))
            elif undone and undone[-1][0] == row["undoes"]:
                done.append((row["id"], undone.pop()[1]))
        return done, undone

    # --- what was measured ---

    def looks(self, name: str, made_by: str) -> dict[int, float | bytes | None]:
        """What `made_by` measured under a name, by picture. None: it cannot be told."""
        found = self._db.execute(
            "SELECT picture, value FROM looks WHERE name = ? AND made_by = ?", (name, made_by)
        )
        return {row["picture"]: row["value"] for row in found}

    def keep_looks(
        self, name: str, made_by: str, values: Iterable[tuple[int, float | bytes | None]]
    ) -> None:
        """Keep (picture id, value) for the next time, in the place of what others measured."""
        with transaction(self._db):
            self._db.executemany(
                "INSERT OR REPLACE INTO looks (name, made_by, picture, value) VALUES (?, ?, ?, ?)",
                ((name, made_by, picture, value) for picture, value in values),
            )


def _row(row: sqlite3.Row) -> Row:
    return Row(**dict(row))


def _act(row: sqlite3.Row) -> Act:
    return Act(at=row["at"], kind=row["kind"], picture=row["picture"], rating=row["rating"])


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


def _holds(path: Path) -> bool:
    """Whether a file is there with something in it."""
    return path.exists() and path.stat().st_size > 0

"""The database: migrations from the oldest schema, leases, the curator's acts."""

from __future__ import annotations

import os
import socket
import sqlite3
import threading
from pathlib import Path

import pytest

from rocketman.collection import curate, schema, store
from rocketman.collection.store import Store, StoreError, Wanted


def wanted(position: int, candidate: int, model: str = "m") -> Wanted:
    return Wanted(
        key=f"{model}-{position}-{candidate}",
        recipe="{}",
        prompt=f"prompt {position}",
        seed=100 * position + candidate,
        model_hash=model,
        position=position,
        candidate=candidate,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two prompts with three candidates each."""
    with Store(tmp_path, create=True) as db:
        db.want(wanted(position, candidate) for position in range(2) for candidate in range(3))
    return tmp_path


def me() -> str:
    return store.worker_name()


def test_the_oldest_schema_is_brought_up_to_date_with_its_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
        with Store(tmp_path, create=True) as old:
            old.want([wanted(0, 0)])
    with Store(tmp_path) as new:
        assert [row.key for row in new.rows()] == ["m-0-0"]
        new.record([("pick", 1, None)])
        assert len(new.acts()) == 1


def test_a_migration_that_fails_leaves_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store(tmp_path, create=True):
        pass
    broken = (*schema.MIGRATIONS, ("CREATE TABLE half (x)", "CREATE NONSENSE"))
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", broken)
        with pytest.raises(StoreError, match="cannot be used"):
            Store(tmp_path)
    with Store(tmp_path) as db:
        tables = {row[0] for row in db._db.execute("SELECT name FROM sqlite_master")}
        numbers = [row[0] for row in db._db.execute("SELECT number FROM migrations")]
    assert "half" not in tables
    assert numbers == [1, 2, 3]


def test_databases_that_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StoreError, match="collection run"):
        Store(tmp_path)
    with Store(tmp_path, create=True):
        pass
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
        with pytest.raises(StoreError, match="later version"):
            Store(tmp_path)
    (tmp_path / store.FILE).write_bytes(b"no database at all" * 100)
    for extra in ("-wal", "-shm"):
        (tmp_path / (store.FILE + extra)).unlink(missing_ok=True)
    with pytest.raises(StoreError, match=r"not a database; .* move it away: `rocketman collection"):
        Store(tmp_path)


def test_two_may_begin_at_the_same_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one waits while the other makes the database."""
    path = tmp_path / "collection.sqlite"
    busy = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    busy.execute("BEGIN EXCLUSIVE")
    later = threading.Timer(0.4, busy.close)
    later.start()
    mode = sqlite3.connect(path, timeout=0, isolation_level=None)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        mode.execute("PRAGMA journal_mode = WAL")
    store.write_ahead(mode)
    later.join()
    assert mode.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    mode.close()

    busy = sqlite3.connect(path, isolation_level=None)
    busy.execute("PRAGMA journal_mode = DELETE")
    busy.execute("BEGIN EXCLUSIVE")
    monkeypatch.setattr(store, "PATIENCE", 0.1)
    with pytest.raises(StoreError, match="locked"):
        Store(tmp_path)
    busy.close()


def test_a_claim_is_neighbours_of_one_prompt(folder: Path) -> None:
    with Store(folder) as db:
        first = db.claim(me(), "m", 2)
        second = db.claim(me(), "m", 4)
        third = db.claim(me(), "m", 4)
        assert [row.key for row in first] == ["m-0-0", "m-0-1"]
        assert [row.key for row in second] == ["m-0-2"]
        assert [row.key for row in third] == ["m-1-0", "m-1-1", "m-1-2"]
        assert db.claim(me(), "m", 4) == []
        assert db.busy("m")
        assert db.claim(me(), "another", 4) == []
        assert not db.busy("another")


def test_only_the_holder_of_a_lease_finishes(folder: Path) -> None:
    with Store(folder) as db:
        worker, other = me(), me()
        [row] = db.claim(worker, "m", 1)
        db.finish(row, other, "{}", "x.png", 1.0)
        assert db.count() == (0, 6)
        db.finish(row, worker, "{}", "x.png", 1.0)
        assert db.count() == (1, 6)
        db.release(worker)
        assert db.count() == (1, 6)


def test_rows_of_the_dead_are_free(folder: Path) -> None:
    """A dead process of this machine at once, another machine's when its lease ends."""
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    with Store(folder) as db:
        dead = f"{socket.gethostname()}:{pid}:0000"
        elsewhere = f"elsewhere:{pid}:0000"
        assert len(db.claim(dead, "m", 3)) == 3
        assert len(db.claim(elsewhere, "m", 1)) == 1
        assert [row.position for row in db.claim(elsewhere, "m", 1)] == [0]
        db._db.execute("UPDATE pictures SET lease_until = 0 WHERE worker = ?", (elsewhere,))
        assert len(db.claim(me(), "m", 3)) == 3


def test_a_heartbeat_keeps_a_lease(folder: Path) -> None:
    with Store(folder) as db:
        elsewhere = "elsewhere:1:0000"
        db.claim(elsewhere, "m", 3)
        db._db.execute("UPDATE pictures SET lease_until = 0 WHERE worker = ?", (elsewhere,))
        db.beat(elsewhere)
        assert [row.position for row in db.claim(me(), "m", 3)] == [1, 1, 1]


def test_what_is_not_wanted_any_more_stays(folder: Path) -> None:
    with Store(folder) as db:
        worker = me()
        [row] = db.claim(worker, "m", 1)
        db.finish(row, worker, "{}", "x.png", 1.0)
        db.want([wanted(1, 0)])
        assert db.count() == (0, 1)
        db.want([wanted(1, 0), wanted(0, 0)])
        assert db.count() == (1, 2)  # and is there again, made, when it is wanted again


def test_marks_follow_from_acts_and_undo_goes_all_the_way(folder: Path) -> None:
    with Store(folder) as db:
        db.record([("rate", 1, 4), ("pick", 1, None), ("reject", 2, None)])
        db.record([("pick", 2, None)])
        assert db.acts()[0].at.endswith("+00:00")
        now = curate.marks(db.acts())
        assert (now[1].state, now[1].rating, now[2].state) == ("picked", 4, "picked")
        assert db.undo().kind == "pick"
        assert curate.marks(db.acts())[2].state == "rejected"
        for _ in range(3):
            db.undo()
        assert curate.marks(db.acts()) == {}
        with pytest.raises(StoreError, match="nothing to undo"):
            db.undo()
        [count] = db._db.execute("SELECT count(*) FROM acts")
        assert count[0] == 8  # four acts and four undoings: nothing is ever deleted


def test_an_unknown_picture_records_nothing(folder: Path) -> None:
    with Store(folder) as db:
        with pytest.raises(StoreError, match="no picture 99"):
            db.record([("pick", 1, None), ("pick", 99, None)])
        with pytest.raises(StoreError, match="no picture 9"):
            db.record([("pick", 10**20 - 1, None)])  # more than SQLite can count
        assert db.acts() == []
        with pytest.raises(sqlite3.IntegrityError):
            db.record([("rate", 1, 6)])


def test_what_is_shown(folder: Path) -> None:
    with Store(folder) as db:
        worker = me()
        while rows := db.claim(worker, "m", 3):
            for row in rows:
                db.finish(row, worker, "{}", f"{row.key}.png", 1.0)

        def shown() -> list[int]:
            return [row.id for row in curate.chosen(db.rows(), curate.marks(db.acts()))]

        assert shown() == [1, 4]  # nothing said: the first candidates
        db.record([("rate", 3, 4), ("rate", 4, 1)])
        assert shown() == [3, 5]  # a low rating is less than none
        db.record([("pick", 2, None), ("pick", 1, None)])
        assert shown() == [1, 2, 5]  # all that are picked, in order
        db.record([("reject", each, None) for each in (4, 5, 6)])
        assert shown() == [1, 2]
        db.record([("unset", 4, None)])
        assert shown() == [1, 2, 4]


def test_redo_is_as_long_as_undo_and_a_new_act_ends_it(folder: Path) -> None:
    with Store(folder) as db:
        db.record([("pick", 1, None), ("rate", 1, 5), ("reject", 2, None)])
        whole = db.acts()
        for _ in range(3):  # there and back, as often as one likes
            assert [db.undo().kind for _ in range(3)] == ["reject", "rate", "pick"]
            assert db.acts() == []
            assert [db.redo().kind for _ in range(3)] == ["pick", "rate", "reject"]
            assert db.acts() == whole
        db.undo()
        assert [act.kind for act in db.history()[1]] == ["reject"]
        db.record([("pick", 3, None)])
        with pytest.raises(StoreError, match="nothing to redo"):
            db.redo()
        assert [act.kind for act in db.acts()] == ["pick", "rate", "pick"]


def test_what_was_measured_is_kept_for_who_measured_it(folder: Path) -> None:
    with Store(folder) as db:
        db.keep_looks("sharpness", "1", [(1, 0.5), (2, None)])
        db.keep_looks("fingerprint", "1", [(1, b"12345678")])
        db.keep_looks("sharpness", "2", [(1, 0.75)])
        assert db.looks("sharpness", "2") == {1: 0.75}
        assert db.looks("sharpness", "1") == {2: None}
        assert db.looks("fingerprint", "1") == {1: b"12345678"}

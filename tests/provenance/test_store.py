"""Manifests kept by watermark."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from rocketman.provenance import store


def test_the_last_one_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROCKETMAN_MANIFESTS", str(tmp_path / "deep" / "m.sqlite3"))
    assert store.recall("0badcafe") is None
    assert store.remember("0badcafe", b"first")
    assert store.remember("0badcafe", b"second")
    assert store.remember("deadbeef", b"other")
    kept = store.recall("0badcafe")
    assert kept is not None
    assert kept.manifest == b"second"
    assert store.recall("00000000") is None


def test_a_store_that_cannot_be_written_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("ROCKETMAN_MANIFESTS", str(tmp_path / "file" / "m.sqlite3"))
    assert not store.remember("0badcafe", b"x")
    (tmp_path / "broken.sqlite3").write_bytes(b"no database" * 100)
    monkeypatch.setenv("ROCKETMAN_MANIFESTS", str(tmp_path / "broken.sqlite3"))
    assert not store.remember("0badcafe", b"x")
    assert store.recall("0badcafe") is None


def test_the_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROCKETMAN_MANIFESTS")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    assert store.path() == tmp_path / "rocketman" / store.MANIFESTS
    assert store.remember("0badcafe", b"x")
    assert sqlite3.connect(store.path()).execute("SELECT count(*) FROM manifest").fetchone() == (1,)

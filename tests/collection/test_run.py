"""The durable run: what a stop, a full disk, a broken model or a changed file do to it."""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

import rocketman
from rocketman import Pipeline, RequestError
from rocketman.collection import run as runs
from rocketman.collection.run import Paused, RunError, key_of, recipe_of, run
from rocketman.collection.store import FILE, Store, StoreError
from rocketman.files import write_whole
from rocketman.provenance import picture
from rocketman.provenance.picture import Recipe

Make = Callable[..., Path]


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "pictures").glob("*.png")}


def times(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (folder / "pictures").glob("*.png")}


def check_whole(folder: Path, count: int) -> None:
    """Every picture there once, readable, with the recipe that its row and its name have."""
    with Store(folder) as db:
        assert db.count() == (count, count)
        rows = db.rows()
        [[state]] = db._db.execute("PRAGMA integrity_check")
    assert state == "ok"
    assert len({row.file for row in rows}) == count
    for row in rows:
        assert row.file is not None
        path = folder / "pictures" / row.file
        recipe = picture.read(path)
        assert recipe is not None
        assert key_of(recipe) == row.key
        assert row.key in row.file
        with Image.open(path) as image:
            image.load()
    assert len(list((folder / "pictures").iterdir())) == count


def test_it_draws_each_picture_as_the_pipeline_does(collection: Make, model_folder: Path) -> None:
    folder = collection(candidates=5)  # more than fit one batch
    seen: list[tuple[int, int]] = []
    assert run(folder, lambda made, wanted: seen.append((made, wanted))) == (30, 30)
    check_whole(folder, 30)
    assert seen[0] == (0, 30)
    assert seen[-1] == (30, 30)
    path = next((folder / "pictures").iterdir())
    recipe = picture.read(path)
    assert recipe is not None
    again = rocketman.load(model_folder).redo(recipe)
    with Image.open(path) as image:
        low, high = zip(*(band for band in image.getextrema()), strict=True)
        assert max(high) > min(low)
        difference = [
            abs(a - b) for a, b in zip(image.tobytes(), again.image.tobytes(), strict=True)
        ]
    assert max(difference) <= 1


def test_a_second_run_draws_nothing(collection: Make) -> None:
    folder = collection()
    run(folder)
    before = times(folder)
    assert run(folder) == (0, 12)
    assert times(folder) == before


def test_a_changed_file_draws_only_what_changed(collection: Make) -> None:
    folder = collection()
    run(folder)
    before = times(folder)
    assert run(collection(edit=('"red"]', '"red", "blue"]'))) == (6, 18)
    assert run(collection(candidates=3)) == (6, 18)
    assert run(collection(edit=('title = "Night"', 'title = "Day"'))) == (0, 12)
    assert run(collection(edit=("steps = 1", "steps = 2"))) == (12, 12)
    assert run(collection()) == (0, 12)  # as at first: all of it is still there
    assert before.items() <= times(folder).items()


def test_a_picture_removed_by_hand_comes_back_the_same(collection: Make) -> None:
    folder = collection()
    run(folder)
    before = files(folder)
    gone = sorted((folder / "pictures").iterdir())[3]
    gone.unlink()
    assert run(folder) == (1, 12)
    with Image.open(gone) as image:
        image.load()
    assert files(folder).keys() == before.keys()


def test_without_its_database_a_collection_keeps_its_pictures(collection: Make) -> None:
    folder = collection()
    run(folder)
    before = times(folder)
    for path in folder.glob(f"{FILE}*"):
        path.unlink()
    assert run(folder) == (0, 12)
    assert times(folder) == before


@pytest.mark.parametrize("content", [b"", b"somebody's own file", "half"])
def test_a_damaged_picture_is_drawn_again_and_nothing_is_deleted(
    collection: Make, content: bytes | str
) -> None:
    folder = collection()
    run(folder)
    before = files(folder)
    damaged = sorted((folder / "pictures").iterdir())[3]
    whole = damaged.read_bytes()
    new = content if isinstance(content, bytes) else whole[: len(whole) - 200]
    damaged.write_bytes(new)
    told: list[str] = []
    assert run(folder, report=told.append) == (1, 12)
    assert "again: 1 damaged picture, kept as" in told[0]
    [aside] = (folder / "pictures").glob(f"{damaged.name}.*.damaged")
    assert aside.read_bytes() == new
    assert files(folder).keys() == before.keys()
    aside.unlink()
    check_whole(folder, 12)


def test_ctrl_c_pauses_and_says_how_to_go_on(collection: Make) -> None:
    folder = collection()

    def stop(made: int, _wanted: int) -> None:
        if made == 5:
            raise KeyboardInterrupt

    with pytest.raises(Paused, match=r"Paused: 5 of 12 .* `rocketman collection run .*night`"):
        run(folder, stop)
    before = times(folder)
    assert run(folder) == (7, 12)
    assert before.items() <= times(folder).items()
    check_whole(folder, 12)


def test_a_full_disk_loses_nothing(collection: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = collection()
    calls = iter(range(100))

    def full(path: Path, data: bytes) -> None:
        if next(calls) == 6:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        write_whole(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(picture, "write_whole", full)
        with pytest.raises(RunError, match=r"No space left on device .* 5 of 12 pictures are made"):
            run(folder)
    assert run(folder) == (7, 12)
    check_whole(folder, 12)


def test_a_disk_without_room_for_a_row(collection: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = collection()
    run(folder)

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "want", full)
        with pytest.raises(RunError, match=r"disk is full\. 12 of 12 pictures are made and kept"):
            run(folder)
    with pytest.raises(StoreError, match=r"disk is full"), Store(folder):
        full()
    check_whole(folder, 12)


def test_a_model_that_breaks_half_way_loses_nothing(
    collection: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = collection()
    stream, calls = Pipeline.stream, iter(range(100))

    def broken(self: Pipeline, *args: object, **settings: object) -> Iterator[object]:
        if next(calls) == 3:  # the check, two prompts, and then
            raise Exception("Non-zero status code\nreturned while running MatMul")
        return stream(self, *args, **settings)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Pipeline, "stream", broken)
        with pytest.raises(
            RunError, match=r"The model failed: Non-zero status code returned .*4 of"
        ):
            run(folder)
    assert run(folder) == (8, 12)
    check_whole(folder, 12)


def test_a_killed_workers_file_is_taken_over(
    collection: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after the picture was saved and before its row said so."""
    folder = collection()
    with monkeypatch.context() as patch:
        patch.setattr(Store, "finish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(Paused):
            run(folder)
    before = times(folder)
    assert len(before) == 1
    assert run(folder) == (11, 12)
    assert before.items() <= times(folder).items()
    check_whole(folder, 12)


def test_what_does_not_fit_the_model_is_said_before_anything_is_drawn(collection: Make) -> None:
    with pytest.raises(RequestError, match="A size of 17 does not fit"):
        run(collection(edit=("size = 16", "size = 17")))
    template = '"an astronaut in a {suit} suit playing {instrument} above Mars"\ntitle = '
    with pytest.raises(RequestError, match="knows no word"):
        run(collection(edit=(template, '"xyzzy"\ntitle = "y"\n#')))
    assert files(collection()) == {}


def test_something_else_under_a_pictures_name_is_left_alone(collection: Make) -> None:
    folder = collection()
    run(folder)
    path = sorted((folder / "pictures").iterdir())[0]
    with Store(folder) as db:
        db._db.execute(
            "UPDATE pictures SET state = 'waiting', file = NULL WHERE file = ?", (path.name,)
        )
    path.write_bytes(b"somebody's own file")
    with pytest.raises(RunError, match="is not ours"):
        run(folder)
    assert path.read_bytes() == b"somebody's own file"


def start(folder: Path) -> subprocess.Popen[str]:
    """A run as a process of its own; it prints a line when its model is loaded."""
    code = (
        "import sys; from pathlib import Path; from rocketman.collection.run import run\n"
        "run(Path(sys.argv[1]), lambda made, wanted: print(made, flush=True))"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True
    )


def test_two_workers_share_the_work(collection: Make) -> None:
    folder = collection(candidates=8)
    workers = [start(folder) for _ in range(2)]
    assert [worker.communicate() and worker.returncode for worker in workers] == [0, 0]
    check_whole(folder, 48)


def test_a_killed_run_goes_on_at_once(collection: Make) -> None:
    folder = collection(candidates=8)
    with start(folder) as worker:
        assert worker.stdout is not None
        for line in worker.stdout:
            if int(line) >= 3:
                break
        worker.kill()
    before = times(folder)
    started = time.perf_counter()
    drawn, wanted = run(folder)
    assert time.perf_counter() - started < 30  # not after the dead worker's lease
    assert wanted == 48
    assert drawn <= 48 - 3
    assert before.items() <= times(folder).items()
    check_whole(folder, 48)


@pytest.mark.slow
def test_200_pictures_and_20_kills(collection: Make) -> None:
    """Kill -9 at random moments, loading, drawing, saving: nothing lost, nothing made twice."""
    folder = collection(candidates=50, edit=('["white", "red"]', '["white"]'))
    text = (folder / "collection.toml").read_text(encoding="utf-8")
    text = text.replace('"a guitar"]', '"a guitar", "a trumpet"]')
    (folder / "collection.toml").write_text(text, encoding="utf-8")
    dice = random.Random(0)
    first_seen: dict[str, int] = {}
    kills = 0
    while kills < 20:
        worker = start(folder)
        assert worker.stdout is not None
        lines = dice.randrange(10)
        for _ in range(lines):
            worker.stdout.readline()
        time.sleep(dice.uniform(0, 0.01 if lines else 1))  # no line: while it loads
        if worker.poll() is not None:
            break
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
        worker.stdout.close()
        kills += 1
        for name, at in times(folder).items():
            assert first_seen.setdefault(name, at) == at, f"{name} was made twice"
    assert kills == 20
    assert 0 < len(first_seen) < 200
    drawn, wanted = run(folder)
    assert wanted == 200
    assert drawn >= 1
    assert first_seen.items() <= times(folder).items()
    check_whole(folder, 200)
    made = sqlite3.connect(folder / FILE)
    assert made.execute("SELECT count(*), count(DISTINCT key) FROM pictures").fetchone() == (
        200,
        200,
    )
    made.close()


def test_recipes_in_rows_can_be_read_back(collection: Make) -> None:
    folder = collection()
    run(folder)
    with Store(folder) as db:
        for row in db.rows():
            recipe = runs.recipe_of(row)
            assert key_of(recipe) == row.key
            assert json.loads(row.recipe)["prompt"] == row.prompt


def test_without_a_size_pictures_are_as_large_as_the_model_makes_them(collection: Make) -> None:
    """As `rocketman generate` draws them; from 256 pixels on they carry the invisible mark."""
    folder = collection(candidates=1, edit=("size = 16\n", ""))
    run(folder)
    with Store(folder) as store:
        assert {recipe_of(row).width for row in store.rows()} == {64}
    for path in (folder / "pictures").iterdir():
        with Image.open(path) as image:
            assert image.size == (64, 64)


def test_a_picture_is_named_by_what_shapes_it_alone() -> None:
    """A file's recipe, which knows the data set, has the name that was asked for without it."""
    recipe = Recipe(
        prompt="a harp above mars",
        seed=1,
        sampler="euler",
        num_inference_steps=20,
        guidance_scale=3.0,
        width=256,
        height=256,
        model="astronauts",
        model_hash="0123456789ab",
        version="0.1.0",
    )
    assert key_of(recipe) == "f7bdf8697393790d5724662c", "a new name draws all again"
    assert key_of(replace(recipe, data_hash="x", version="9", model="y")) == key_of(recipe)
    assert key_of(replace(recipe, seed=2)) != key_of(recipe)
    assert key_of(replace(recipe, variety=0.5)) != key_of(recipe)

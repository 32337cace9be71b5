"""Rendering for real, at 24 pixels: whole files, resume after a kill, a data set that holds."""

import hashlib
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from rocketman.captions import IN_FAMILY, OTHER_WORDS, SPLITS
from rocketman.data.check import check
from rocketman.data.sources import read_split, splits
from rocketman.scenes import dataset
from rocketman.scenes.spec import draw

pytest.importorskip("bpy", reason="needs the extra `scenes`")

COUNT, SIZE = 12, 24


def hashes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*.png"))
    }


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rendered")
    assert dataset.render(COUNT, SIZE, folder, workers=1, seed=5) == COUNT
    return folder


def test_every_picture_is_there_whole_with_its_row(rendered: Path) -> None:
    sources = {split: read_split(rendered, split) for split in splits(rendered)}
    rows = [
        (rendered / split / row["file_name"], row)
        for split, source in sources.items()
        for row in source.rows
    ]
    assert len(rows) == COUNT
    assert not any(source.problems for source in sources.values())
    for path, row in rows:
        with Image.open(path) as picture:
            picture.load()
            assert picture.size == (SIZE, SIZE)
        assert hashlib.sha256(path.read_bytes()).hexdigest() == row["sha256"]
        assert row["license"] == "CC0-1.0"
        assert row["captions"][0] == row["text"]
        assert len(row["captions"]) == 2 + OTHER_WORDS + bool(row["instrument"]) * len(IN_FAMILY)
    assert {path.parent.name for path, _ in rows} <= set(SPLITS)


def test_killed_run_goes_on_to_the_same_pictures(rendered: Path, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from rocketman.scenes import dataset;"
        f"dataset.render({COUNT}, {SIZE}, Path(sys.argv[1]), 1, 5)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], start_new_session=True
    )
    deadline = time.monotonic() + 120
    while len(hashes(tmp_path)) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    subprocess.run(["pkill", "-KILL", "-g", str(process.pid)], check=True)
    assert process.wait() == -signal.SIGKILL
    finished = [name for name in hashes(tmp_path) if not Path(name).name.startswith(".")]
    assert 2 <= len(finished) < COUNT
    assert dataset.render(COUNT, SIZE, tmp_path, workers=1, seed=5) == COUNT - len(finished)
    again = {n: h for n, h in hashes(tmp_path).items() if not Path(n).name.startswith(".")}
    assert again == hashes(rendered)


def test_finished_folder_is_left_alone(rendered: Path) -> None:
    assert dataset.render(COUNT, SIZE, rendered, workers=1, seed=5) == 0


def test_other_seed_into_the_same_folder_is_refused(rendered: Path) -> None:
    with pytest.raises(dataset.SceneError, match="begun with seed 5"):
        dataset.render(COUNT, SIZE, rendered, workers=1, seed=6)


def test_nothing_is_wrong_with_it(rendered: Path) -> None:
    report = check(rendered)
    assert report.errors == []
    assert report.pictures == sum(report.factors["relation"].values()) == COUNT


def test_metadata_is_json_lines(rendered: Path) -> None:
    lines = (rendered / "train" / "metadata.jsonl").read_text().splitlines()
    assert all(json.loads(line)["text"].startswith("a") for line in lines)


def test_side_files_say_what_every_pixel_is(rendered: Path, tmp_path: Path) -> None:
    """Classes as large as the picture, depth and normals a quarter; the picture is the same."""
    assert dataset.render(3, SIZE, tmp_path, workers=1, seed=5, passes=True) == 3
    same = hashes(rendered)
    made = {name: digest for name, digest in hashes(tmp_path).items() if "passes" not in name}
    assert made == {name: same[name] for name in made}
    for index in range(3):
        with Image.open(tmp_path / "passes" / f"{index:06d}.png") as classes:
            assert classes.size == (SIZE, SIZE)
            values = {value for _, value in classes.getcolors() or []}
        assert values <= set(range(10))
        assert len(values) >= 2
        with Image.open(tmp_path / "passes" / f"{index:06d}.webp") as shape:
            assert shape.size == (SIZE // 4, SIZE // 4)


def test_one_scene_becomes_a_poster(tmp_path: Path) -> None:
    document = tmp_path / "scene.json"
    document.write_text(draw(5, 1).to_json())
    dataset.render_scene(document, 32, tmp_path / "poster.png")
    with Image.open(tmp_path / "poster.png") as poster:
        assert poster.size == (32, 32)
    with pytest.raises(dataset.SceneError, match=r"give FILE\.png"):
        dataset.render_scene(document, 32, tmp_path)
    document.write_text("{}")
    with pytest.raises(dataset.SceneError, match="is no scene"):
        dataset.render_scene(document, 32, tmp_path / "other.png")
    with pytest.raises(dataset.SceneError, match="cannot be read"):
        dataset.render_scene(tmp_path / "none.json", 32, tmp_path / "other.png")

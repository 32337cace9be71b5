"""Newness: copies are found however they were edited, fresh pictures pass."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps
from typer.testing import CliRunner

from rocketman import ModelError
from rocketman.audits import alignment
from rocketman.audits import index as indexing
from rocketman.audits.index import (
    Bank,
    TrainingIndex,
    copy_threshold,
    hamming,
    hashes,
    load_index,
    nearest,
)
from rocketman.audits.newness import newness, side_by_side
from rocketman.cli import app
from rocketman.weights import embedded, open_model

run = CliRunner().invoke


@pytest.fixture(scope="session")
def index(audited: Path) -> TrainingIndex:
    return load_index(audited)


@pytest.fixture(scope="session")
def training(data: Path) -> list[tuple[str, Image.Image]]:
    files = sorted((data / "train").glob("*.png"))[:60:6]
    return [(file.name, Image.open(file).convert("RGB")) for file in files]


def jpeg(image: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=50)
    return Image.open(buffer).convert("RGB")


EDITS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "none": lambda image: image,
    "JPEG 50": jpeg,
    "a quarter off one side": lambda image: image.crop((0, 0, 48, 64)),
    "a quarter off all around": lambda image: image.crop((4, 4, 59, 59)),
    "mirrored": ImageOps.mirror,
    "grey": lambda image: image.convert("L"),
    "saturated": lambda image: ImageEnhance.Color(image).enhance(2),
    "dark": lambda image: ImageEnhance.Brightness(image).enhance(0.6),
    "enlarged": lambda image: image.resize((500, 500)),
    "mirrored, cut, JPEG": lambda image: jpeg(ImageOps.mirror(image.crop((0, 10, 54, 64)))),
}


@pytest.mark.parametrize("edit", EDITS)
def test_copies_are_found(
    edit: str, index: TrainingIndex, training: list[tuple[str, Image.Image]]
) -> None:
    found = newness([EDITS[edit](image) for _, image in training], index)
    for each, (name, _) in zip(found, training, strict=True):
        assert each.nearest["file"] == name
    assert sum(each.verdict == "copy" for each in found) >= 8
    assert max(each.percentile for each in found) < 10


def test_fresh_pictures_are_new(index: TrainingIndex, fresh: list[Image.Image]) -> None:
    found = newness(fresh, index)
    assert all(each.verdict != "copy" for each in found)
    assert sum(each.verdict == "new" for each in found) >= 10
    assert np.median([each.percentile for each in found]) > 15
    for each in found:
        assert set(each.percentiles) == set(each.distance) == {"pixels", "features", "hash"}
        assert all(0 <= p <= 100 for p in each.percentiles.values())


def test_the_index_is_the_training_split(index: TrainingIndex, data: Path) -> None:
    lines = (data / "train" / "metadata.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert len(index) == len(rows) == 180
    assert index.features.shape[0] == index.hashes.shape[0] == 180
    assert isinstance(index.codes, np.memmap)
    for k in (0, 17, 179):
        assert index.describe(k) == {
            "file": rows[k]["file_name"],
            "sha256": rows[k]["sha256"],
            "caption": rows[k]["text"],
            **{name: rows[k][name] for name in ("author", "license", "source")},
        }
        original = np.asarray(Image.open(data / "train" / rows[k]["file_name"])).astype(int)
        assert np.abs(index.thumbnails[k].astype(int) - original).mean() < 20
    assert len(index.control["pixels"]) == 108, "validation and test"
    assert 0 < index.copy_at <= index.control["pixels"].min()


def test_side_by_side(
    index: TrainingIndex, training: list[tuple[str, Image.Image]], tmp_path: Path
) -> None:
    [found] = newness([training[2][1]], index)
    sheet = side_by_side(training[2][1], found, index)
    left, right = sheet.crop((12, 12, 396, 396)), sheet.crop((408, 12, 792, 396))
    assert np.abs(np.asarray(left).astype(int) - np.asarray(right)).mean() < 20


def test_the_command(audited: Path, data: Path, tmp_path: Path, fresh: list[Image.Image]) -> None:
    copy, new = data / "train" / "0006.png", tmp_path / "new.png"
    fresh[0].save(new)
    sheet = tmp_path / "sheet.png"
    arguments = ["audit", "picture", str(copy), str(new), "--model", str(audited)]
    result = run(app, [*arguments, "--json", "--sheet", str(sheet)])
    assert result.exit_code == 1, "a copy was found"
    first, second = json.loads(result.stdout)
    assert (first["verdict"], first["nearest"], first["file"]) == ("copy", "0006.png", str(copy))
    assert first["percentile"] == 0
    assert second["verdict"] == "new"
    with Image.open(sheet) as shown:
        assert shown.height == 2 * (384 + 56 + 24)
    assert run(app, [*arguments, "--sheet", str(sheet)]).exit_code == 1, "ours, so replaced"
    result = run(app, [*arguments, "--sheet", str(new)])
    assert result.exit_code == 2
    assert "is no sheet of ours" in result.stderr
    with Image.open(new) as kept:
        assert kept.size == fresh[0].size
    result = run(app, arguments)
    assert "copy of 0006.png" in result.stdout
    assert run(app, ["audit", "picture", str(new), "--model", str(audited)]).exit_code == 0


def test_pictures_that_the_index_lacks_are_told(
    audited: Path, tmp_path: Path, fresh: list[Image.Image]
) -> None:
    fresh[0].save(tmp_path / "new.png")
    model = shutil.copytree(audited, tmp_path / "model")
    arguments = ["audit", "picture", str(tmp_path / "new.png"), "--model", str(model)]
    assert "its index holds" not in run(app, arguments).stderr
    count = len(load_index(model))
    text = (model / "config.toml").read_text()
    assert text.count("[record]\n") == 1
    changed = text.replace("[record]\n", "[record]\nalso_pictures = [2000, 3000]\n")
    (model / "config.toml").write_text(changed)
    told = run(app, arguments).stderr.replace("\n", " ")
    assert f"The model learnt from {count + 5000:,} pictures; its index holds {count} of" in told
    assert "the other 5,000" in told
    named = changed.replace("[record]\n", f'[record]\ndata_hash = "{"0" * 64}"\n')
    (model / "config.toml").write_text(named)
    told = run(app, arguments).stderr.replace("\n", " ")
    assert "is not the one the model was trained on (000000000000)" in told
    ours = load_index(audited).record["data_hash"]
    (model / "config.toml").write_text(named + f'also_data_hashes = ["{ours}"]\n')
    [sentence] = load_index(model).lacks
    assert "its index holds" in sentence, "one of several that it was trained on"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["missing.png"], "missing.png is missing"),
        (["{new}", "--sheet", "sheet.jpg"], "should end in .png"),
        (["{new}", "--sheet", "/proc/sheet.png"], "/proc/sheet.png cannot be written"),
        (["{new}", "--model", "nowhere"], "nowhere has no probes"),
    ],
)
def test_wrong_use(
    arguments: list[str], sentence: str, audited: Path, tmp_path: Path, fresh: list[Image.Image]
) -> None:
    fresh[0].save(tmp_path / "new.png")
    given = [each.format(new=tmp_path / "new.png") for each in arguments]
    model = [] if "--model" in given else ["--model", str(audited)]
    result = run(app, ["audit", "picture", *given, *model])
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_a_damaged_index(audited: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(audited, tmp_path / "model")
    (folder / "training" / "index.json").write_text("{")
    with pytest.raises(ModelError, match="audit index"):
        load_index(folder)


@pytest.mark.parametrize(
    "damage",
    [
        "nothing to compare with",
        "other features",
        "other probes",
        "probes alike",
        "other names",
        "no features",
        "no thumbnails",
    ],
)
def test_an_index_whose_files_do_not_go_together(
    damage: str, audited: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(audited, tmp_path / "model")
    table = json.loads((folder / "training" / "index.json").read_text())
    if damage == "nothing to compare with":
        table["control"] = {}
    elif damage == "other probes":
        np.save(folder / "training" / "features.npy", np.zeros((180, 8), np.float16))
    elif damage == "probes alike":  # as long, and trained anew since
        table["record"]["probes"] = "0" * 64
    elif damage == "no features":
        (folder / "training" / "features.npy").write_bytes(b"")
    elif damage == "no thumbnails":
        (folder / "training" / "thumbnails.avif").unlink()
    elif damage == "other features":
        np.save(folder / "training" / "features.npy", np.zeros((179, 8), np.float16))
    else:
        table["files"] = table["files"][:-1]
    (folder / "training" / "index.json").write_text(json.dumps(table))
    with pytest.raises(ModelError, match=r"no whole index.*audit index"):
        load_index(folder)


def test_an_index_stays_whole_until_the_new_one_is_measured(
    audited: Path, data: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    folder = shutil.copytree(audited, tmp_path / "model")
    monkeypatch.setenv("ROCKETMAN_CACHE", str(cache))
    monkeypatch.setattr(indexing, "distances_of_copies", interrupted)
    with pytest.raises(KeyboardInterrupt):
        indexing.build(folder, data)
    assert load_index(folder).copy_at == load_index(audited).copy_at > 0
    monkeypatch.setattr(indexing, "SHEET_LIMIT", 1)
    with pytest.raises(ValueError, match="180 training pictures; an index takes 2 to 1"):
        indexing.build(folder, data)


def test_training_pictures_as_yardstick_are_called_so(
    audited: Path, data: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two of them are the same, so that none can be nearer than the nearest of the control."""
    monkeypatch.setenv("ROCKETMAN_CACHE", str(cache))
    train = tmp_path / "data" / "train"
    train.mkdir(parents=True)
    lines = (data / "train" / "metadata.jsonl").read_text().splitlines()[:12]
    (train / "metadata.jsonl").write_text("\n".join(lines) + "\n")
    for k in range(12):
        shutil.copy(data / "train" / f"{max(1, k):04d}.png", train / f"{k:04d}.png")
    folder, said = shutil.copytree(audited, tmp_path / "model"), list[str]()
    index = indexing.build(folder, train.parent, report=said.append)
    assert not index.held_out
    assert not any("real ones" in line for line in said)
    assert "Too few pictures were held out" in said[-1]
    picture = Image.open(train / "0007.png")
    found, recoloured = newness([picture, ImageOps.invert(picture.convert("RGB"))], index)
    assert found.distance["pixels"] > index.copy_at
    assert (found.verdict, found.nearest["file"]) == ("copy", "0007.png")
    assert "of training pictures are as near to" in recoloured.words


def test_a_sheet_of_many_pictures_is_no_bomb(
    audited: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    assert load_index(audited).thumbnails.shape == (180, 64, 64, 3)
    with pytest.raises(ModelError, match="cannot be read"):
        indexing.cut_apart(b"no sheet", 1)
    with pytest.raises(ModelError, match="holds fewer"):
        indexing.cut_apart((audited / "training" / "thumbnails.avif").read_bytes(), 1000)


def test_eight_bits_keep_features() -> None:
    found = np.random.default_rng(0).standard_normal((50, 128)).astype(np.float32)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    found[0] = 0
    again = indexing.uncoded(indexing.coded(found))
    np.testing.assert_allclose(np.linalg.norm(again[1:], axis=1), 1, atol=1e-6)
    assert np.sum(found[1:] * again[1:], axis=1).min() > 0.9998
    assert not again[0].any()


def test_a_picture_left_out_is_not_its_own_neighbour(index: TrainingIndex) -> None:
    few = [Image.fromarray(pixels) for pixels in index.thumbnails[:4]]
    bank = Bank(index.thumbnails[:4], index.features[:4], index.hashes[:4])
    for k, near in enumerate(nearest(few, bank, index.probes, leave_out=range(4))):
        assert k not in near.row.values()
        assert near.distance["pixels"] > 0.01


def test_a_window_is_found_where_it_was_cut() -> None:
    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 255, (16, 16), np.uint8)).resize((256, 256))
    other = alignment.grey(noise, alignment.FINE, alignment.FINE)
    assert alignment.fit(noise, other) > 0.99
    assert alignment.fit(ImageOps.mirror(noise), other) > 0.99
    assert alignment.fit(noise.crop((40, 60, 240, 250)), other) > 0.9
    different = Image.fromarray(rng.integers(0, 255, (16, 16), np.uint8)).resize((256, 256))
    assert alignment.fit(different, other) < 0.5


def test_hashes() -> None:
    rng = np.random.default_rng(1)
    pictures = [
        Image.fromarray(rng.integers(0, 255, (8, 8, 3), np.uint8)).resize((96, 96))
        for _ in range(6)
    ]
    found = hashes(pictures)
    apart = hamming(found, found)
    assert (np.diag(apart) == 0).all()
    assert apart[~np.eye(6, dtype=bool)].min() > 12
    smaller = hashes([each.resize((64, 64)) for each in pictures])
    assert np.diag(hamming(found, smaller)).max() <= 4


def test_a_training_picture_is_no_control(
    audited: Path, data: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same renders given again would otherwise set the distance of copies to nothing."""
    monkeypatch.setenv("ROCKETMAN_CACHE", str(cache))
    folder, again = tmp_path / "model", tmp_path / "again"
    shutil.copytree(audited, folder)
    shutil.copytree(data, again)
    told: list[str] = []
    index = indexing.build(folder, data, [again], told.append)
    assert "index: 180 held-out pictures are training pictures too" in told
    assert index.copy_at > 0.01
    assert index.record["control"] == 216, "the other splits, twice"


def test_the_threshold_of_copies() -> None:
    assert copy_threshold([0.0, 0.1], [0.3, 0.5]) == pytest.approx(0.1975)
    assert copy_threshold([0.0, 0.6], [0.3, 0.5]) == 0.3, "never above the nearest real one"


def test_what_ships() -> None:
    """The embedded model's probes read most renders, and its index is of the data it learnt from.

    Their goal is 0.97 (reached with six instruments); twenty-one of them are harder.
    """
    index = load_index()
    model = open_model(embedded())
    assert index.record["data_hash"] == model.config["record"]["data_hash"]
    [lacking] = index.lacks
    assert "its index holds 7,200 of them" in lacking
    assert index.held_out
    assert index.probes.ceiling >= 0.9
    assert len(index) == len(index.features) == len(index.hashes) == len(index.thumbnails)
    [found] = newness([Image.fromarray(index.thumbnails[7])], index)
    assert (found.verdict, found.row) == ("copy", 7)

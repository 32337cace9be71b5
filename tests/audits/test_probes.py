"""Probes: what they read off pictures, what they take a prompt to ask for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from rocketman import ModelError
from rocketman.audits.probes import Probes, load_probes
from rocketman.data.batches import to_floats


@pytest.fixture(scope="session")
def probes(audited: Path) -> Probes:
    return load_probes(audited)


@pytest.fixture(scope="session")
def validation(data: Path) -> tuple[list[Image.Image], list[dict[str, str]]]:
    lines = (data / "validation" / "metadata.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    files = [data / "validation" / row["file_name"] for row in rows]
    return [Image.open(file).convert("RGB") for file in files], rows


def test_levels_come_from_the_data_set(probes: Probes) -> None:
    assert probes.levels == {
        "suit": ("blue", "red", "white"),
        "instrument": ("drum", "harp", "none"),
        "place": ("above mars", "above the moon"),
        "relation": ("astronaut alone", "playing"),
    }


def test_it_reads_the_factors(
    probes: Probes, validation: tuple[list[Image.Image], list[dict[str, str]]]
) -> None:
    """Also off pictures that are softer and larger than what it was trained on."""
    pictures, rows = validation
    soft = [each.resize((256, 256)).filter(ImageFilter.GaussianBlur(4)) for each in pictures]
    for shown in (pictures, soft):
        found = probes.probabilities(shown)
        for factor, levels in probes.levels.items():
            assert found[factor].shape == (len(rows), len(levels))
            np.testing.assert_allclose(found[factor].sum(axis=1), 1, atol=1e-5)
            wanted = [levels.index(row[factor] or "none") for row in rows]
            assert (found[factor].argmax(axis=1) == wanted).mean() > 0.7, factor
    assert 0.7 < probes.ceiling <= 1


def test_a_ceiling_is_of_what_is_asked_for(probes: Probes) -> None:
    """Of each relation the share of renders that are read rightly; all of them make the whole."""
    assert set(probes.ceilings) == {"astronaut alone", "playing"}
    assert min(probes.ceilings.values()) <= probes.ceiling <= max(probes.ceilings.values())
    alone, playing = probes.ceilings.values()
    asked = [{"relation": "playing"}] * 3 + [{"relation": "astronaut alone"}]
    assert probes.ceiling_of(asked) == pytest.approx(0.75 * playing + 0.25 * alone)
    assert probes.ceiling_of([{"suit": "red"}]) == probes.ceiling


def test_agreement_tells_right_prompts_from_wrong_ones(
    probes: Probes, validation: tuple[list[Image.Image], list[dict[str, str]]]
) -> None:
    pictures, rows = validation
    right = probes.agreement(pictures, [row["text"] for row in rows])
    wrong = probes.agreement(pictures, [rows[k - 1]["text"] for k in range(len(rows))])
    assert right.mean() > 0.6
    assert wrong.mean() < 0.15
    assert np.isnan(probes.agreement(pictures[:1], ["cats and dogs"])[0])
    assert probes.agreement([], []).shape == (0,)


@pytest.mark.parametrize(
    ("prompt", "asked"),
    [
        ("a drum", {"instrument": "drum"}),
        ("A HARP, above the moon!", {"instrument": "harp", "place": "above the moon"}),
        ("a red drum and a harp", {"suit": "red", "instrument": "drum"}),
        (
            "an astronaut in a red suit playing a harp above mars",
            {"suit": "red", "relation": "playing", "instrument": "harp", "place": "above mars"},
        ),
        (  # captions of this form show no instrument: the data set says so
            "an astronaut in a blue suit above mars",
            {"suit": "blue", "place": "above mars", "instrument": "none",
             "relation": "astronaut alone"},
        ),
        (
            "an astronaut in a blue suit above mars, wide",
            {"suit": "blue", "place": "above mars", "instrument": "none",
             "relation": "astronaut alone"},
        ),
        ("cats on bikes", {}),
        ("", {}),
    ],
)  # fmt: skip
def test_what_a_prompt_asks_for(probes: Probes, prompt: str, asked: dict[str, str]) -> None:
    assert probes.asked(prompt) == asked


def test_features(
    probes: Probes, validation: tuple[list[Image.Image], list[dict[str, str]]]
) -> None:
    pictures, _ = validation
    features = probes.features(pictures)
    assert features.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1, atol=1e-5)
    alone = probes.features(pictures[3:4])
    np.testing.assert_allclose(alone[0], features[3], atol=1e-5)
    assert probes.features([]).shape == (0, features.shape[1])


def test_folders_without_probes(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no probes: `rocketman audit index"):
        load_probes(tmp_path)
    (tmp_path / "probes.onnx").write_bytes(b"not a network")
    with pytest.raises(ModelError, match="damaged"):
        load_probes(tmp_path)


def test_captions_alone_are_enough() -> None:
    """A data set without columns of factors is labelled by the words of its captions."""
    pytest.importorskip("torch")
    from rocketman.audits.probe_training import by_words

    found = by_words(["a cat on a mat", "a dog on a mat", "a cat", "a dog"])
    assert found[0] == {"cat": "cat", "dog": "none", "on": "on", "mat": "mat"}
    assert found[3] == {"cat": "none", "dog": "dog", "on": "none", "mat": "none"}


def test_a_data_set_with_nothing_to_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    from rocketman.audits.probe_training import read

    monkeypatch.setenv("ROCKETMAN_CACHE", str(tmp_path / "cache"))
    (tmp_path / "train").mkdir()
    Image.new("RGB", (64, 64)).save(tmp_path / "train" / "a.png")
    row = json.dumps({"file_name": "a.png", "text": "a thing"})
    (tmp_path / "train" / "metadata.jsonl").write_text(row)
    with pytest.raises(ValueError, match="nothing to learn"):
        read([tmp_path])
    with pytest.raises(ValueError, match="no such folder"):
        read([tmp_path / "missing"])


def test_places_of_instruments_teach_where_to_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures that say where their disc or square is; every fourth does not say."""
    torch = pytest.importorskip("torch")
    from rocketman.audits import probe_training, probe_views
    from rocketman.audits.probe_network import ProbeNetwork

    monkeypatch.setattr(probe_training, "SIZE", 32)
    monkeypatch.setattr(probe_training, "BATCH", 24)
    monkeypatch.setattr(probe_views, "SOFT_SIZES", (32, 24))
    rng = np.random.default_rng(0)
    count = 240
    pixels = np.full((count, 32, 32, 3), 40, np.uint8)
    masks, labels = np.zeros((count, 32, 32), np.uint8), np.arange(count)[:, None] % 3
    for k, [shape] in enumerate(labels):
        y, x = rng.integers(0, 20, 2)
        if shape < 2:
            pixels[k, y : y + 12, x : x + 12] = ((220, 40, 40), (40, 60, 220))[shape]
            masks[k, y : y + 12, x : x + 12] = 255 if k % 4 else 0
    data = probe_training.Labelled(
        pixels=pixels,
        labels=labels.astype(np.int64),
        masks=masks,
        kept=np.ones(count, dtype=bool),
        captions=("",) * count,
    )
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    network = ProbeNetwork([3], mirror=True, sought=0)
    probe_training.fit(network, data, 120, 0, lambda line: None)
    with torch.no_grad():
        _, cells = network.features(torch.from_numpy(to_floats(pixels)))
    assert cells is not None
    torch.set_num_threads(threads)
    found = cells.argmax(dim=1).numpy()  # (N, 4, 4)
    cover = masks.reshape(count, 4, 8, 4, 8).mean(axis=(2, 4)) / 255
    inside = cover > 0.6
    assert inside.sum() > 100
    right = (found == labels[:, :, None])[inside].mean()
    nowhere = (found == 2)[labels[:, 0] == 2].mean()
    assert right > 0.8
    assert nowhere > 0.9


def test_held_out_pictures_are_renders_where_there_are_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    from tests.audits.conftest import write_data

    from rocketman.audits import probe_training

    monkeypatch.setenv("ROCKETMAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(probe_training, "SIZE", 32)
    own = write_data(tmp_path / "own", {"train": 18}, seed=1)
    renders = write_data(tmp_path / "renders", {"train": 6, "test": 6}, seed=2)
    data, _ = probe_training.read([own, renders])
    assert data.kept.tolist() == [False] * 18 + [True] * 12
    assert not data.masks.any()
    assert probe_training.read([own])[0].kept.all()
    assert probe_training.held_out(data.kept).sum() == 5, "too few renders: of all"
    many = np.arange(1000) >= 400
    held = probe_training.held_out(many)
    assert held.sum() == 100
    assert not held[:400].any()
    with pytest.raises(ValueError, match="given twice"):
        probe_training.read([own, own])
    plain = tmp_path / "plain" / "train"
    plain.mkdir(parents=True)
    Image.new("RGB", (32, 32)).save(plain / "a.png")
    (plain / "metadata.jsonl").write_text('{"file_name": "a.png", "text": "a red suit"}')
    with pytest.raises(ValueError, match="does not say what its pictures show"):
        probe_training.read([plain.parent, renders])


def test_a_word_named_like_the_input_of_the_network(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from rocketman.audits import probe_training
    from rocketman.audits.probe_network import SIZE, ProbeNetwork

    levels = {"cat": ("cat", "none"), "pictures": ("pictures", "none")}
    network = ProbeNetwork([2, 2], mirror=True)
    record = {"size": SIZE, "levels": levels, "implied": {}, "ceiling": 1.0}
    (tmp_path / "probes.onnx").write_bytes(probe_training.pack(network, record, list(levels)))
    [cat, other] = load_probes(tmp_path).probabilities([Image.new("RGB", (8, 8))]).values()
    assert cat.shape == other.shape == (1, 2)


def test_audits_import_no_torch(audited: Path) -> None:
    program = f"""
import sys
from PIL import Image
from rocketman.audits import index, newness, probes, variety
newness.newness([Image.new("RGB", (64, 64))], index.load_index({str(audited)!r}))
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)

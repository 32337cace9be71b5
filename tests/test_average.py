"""runs/average.py: what is averaged, and what the record of an average says."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from rocketman.model import DiffusionTransformer, ModelConfig  # noqa: E402
from rocketman.train_config import LoopConfig  # noqa: E402
from rocketman.weights import CONFIG, open_model  # noqa: E402

SCRIPT = Path(__file__).parents[1] / "runs" / "average.py"
SPEC = importlib.util.spec_from_file_location("average", SCRIPT)
assert SPEC is not None
assert SPEC.loader is not None
average = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(average)

FIRST = {"data_hash": "f", "pictures": 7200, "data_title": "all", "steps": 9}
LATER = {"data_hash": "l", "pictures": 2551, "data_title": "others", "steps": 5}


def test_later_pictures_stand_beside_the_first() -> None:
    once = average.both_data(FIRST, LATER)
    assert once == {
        "data_hash": "f",
        "pictures": 7200,
        "data_title": "all",
        "also_pictures": [2551],
        "also_data_hashes": ["l"],
    }
    twice = average.both_data(FIRST | once, {"data_hash": "m", "pictures": 9000})
    assert twice["data_hash"] == "f"
    assert twice["also_pictures"] == [2551, 9000]
    assert twice["also_data_hashes"] == ["l", "m"]
    assert average.both_data(FIRST | twice, LATER) == twice, "none counts twice"


@pytest.mark.parametrize("start", [{}, FIRST])
def test_otherwise_the_record_is_the_model_s_own(start: dict[str, object]) -> None:
    assert average.both_data(start, FIRST) == {}


def test_nothing_is_written_over(model_folder: Path) -> None:
    before = (model_folder / CONFIG).read_bytes()
    with pytest.raises(ValueError, match="is there already"):
        average.average(model_folder, model_folder, 0.5, 0.5, model_folder, model_folder)
    with pytest.raises(ValueError, match="from 0 to 1"):
        average.average(model_folder, model_folder, 1.5, 0, model_folder / "x", model_folder)
    assert (model_folder / CONFIG).read_bytes() == before


def test_what_reads_the_prompt_has_a_share_of_its_own(tiny_network: ModelConfig) -> None:
    network = DiffusionTransformer(tiny_network)
    before = {name: np.zeros(p.shape, np.float32) for name, p in network.named_parameters()}
    del before["patch_out.bias"]  # what only the network has stays its own
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(1)
    average.blend(network, before, 0.75, 0.0)
    kept = {name: p.flatten()[0].item() for name, p in network.named_parameters()}
    assert kept["patch_out.bias"] == 1
    assert kept["blocks.0.qkv.weight"] == kept["time_in.weight"] == 0.75
    reading = {name for name, value in kept.items() if value == 0}
    assert {"words.weight", "always", "blocks.1.text_kv.weight"} <= reading
    with_words = {n for n in kept if "text" in n or "word" in n or n == "always"}
    assert reading == with_words


def test_only_what_training_began_with_is_averaged(model_folder: Path, tmp_path: Path) -> None:
    for name, old, new in (
        ("other", '["a", ', '["zither", '),
        ("more", '["a", ', '["a", "zither", '),
    ):
        start = Path(shutil.copytree(model_folder, tmp_path / name))
        text = (start / CONFIG).read_text()
        assert old in text
        (start / CONFIG).write_text(text.replace(old, new))
        with pytest.raises(ValueError, match="give the model that training began with"):
            average.average(start, model_folder, 0.5, 0.5, tmp_path / "out", tmp_path)


def test_models_of_other_shapes_are_not_averaged(tiny_network: ModelConfig) -> None:
    network = DiffusionTransformer(tiny_network)
    wider = {"patch_out.bias": np.zeros(network.patch_out.bias.shape[0] + 1, np.float32)}
    with pytest.raises(ValueError, match=r"shape of patch_out.bias: give the model that training"):
        average.blend(network, wider, 0.5, 0.5)


def test_the_look_runs_in_what_is_faster_here(
    model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Path(shutil.copytree(model_folder, tmp_path / "model"))
    text = (model / CONFIG).read_text().replace("[record]", '[record]\ndata_hash = "f"')
    (model / CONFIG).write_text(text.replace('precision = "auto"', 'precision = "bf16"'))
    looks = []

    def look(_: object, config: LoopConfig, *rest: object) -> dict[str, object]:
        looks.append(config.precision)
        return {"validation_loss": 0.1, "validation_loss_by_time": [0.1]}

    monkeypatch.setattr(average, "load_split", lambda *_: None)
    monkeypatch.setattr(average, "looked_at", look)
    monkeypatch.setattr(average, "faster", lambda _: "fp32")
    average.average(model, model, 0.5, 0.5, tmp_path / "out", tmp_path)
    assert looks == ["fp32"]
    assert open_model(tmp_path / "out").config["train"]["precision"] == "bf16", "as it was trained"

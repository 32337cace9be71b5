"""Model folders: the engine against torch, one copy of the weights, reading, refusing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from safetensors.numpy import load_file
from typer.testing import CliRunner

from rocketman import export, weights
from rocketman.cli import app
from rocketman.train_config import DataConfig, LoopConfig, TrainConfig
from rocketman.weights import ModelError, open_model


@pytest.fixture
def folder(model_folder: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model that a test may damage."""
    torch.set_num_threads(1)
    return Path(shutil.copytree(model_folder, tmp_path / "model"))


@pytest.mark.parametrize("batch", [1, 5])
def test_the_engine_agrees_with_torch(folder: Path, batch: int) -> None:
    network = export.load_network(folder)
    given = export.example(network.config, batch)
    session = onnxruntime.InferenceSession(str(open_model(folder).network_path))
    (got,) = session.run(None, {name: value.numpy() for name, value in given.items()})
    with torch.no_grad():
        wanted = network(*given.values()).numpy()
    assert np.abs(wanted).max() > 0.1
    np.testing.assert_allclose(got, wanted, atol=1e-4)


def test_the_weights_are_stored_once_and_small(folder: Path) -> None:
    graph = onnx.load(str(folder / weights.NETWORK), load_external_data=False)
    stored = {tensor.name: tensor for tensor in graph.graph.initializer}
    reference = load_file(folder / weights.WEIGHTS)  # the format's own library reads our file
    ours, metadata = weights.read_tensors(folder / weights.WEIGHTS)
    assert reference.keys() == ours.keys()
    assert {str(array.dtype) for array in reference.values()} == {"int8", "float16"}
    for name, array in reference.items():
        np.testing.assert_array_equal(array, ours[name])
        assert stored[f"{name}:stored"].data_location == onnx.TensorProto.EXTERNAL
        assert not stored[f"{name}:stored"].raw_data
        assert (array.dtype == np.int8) == (f"{name}{weights.SCALE}" in reference)
    assert metadata["modelspec.sai_model_spec"]
    constants = [node for node in graph.graph.node if node.op_type == "Constant"]
    assert len({str(node.attribute) for node in constants}) == len(constants) > 10


def test_a_matrix_in_8_bits_comes_back_within_half_a_step_of_its_rows() -> None:
    rng = np.random.default_rng(0)
    rows = np.array([[1e-3], [1.0], [50.0], [0.0]], np.float32)
    matrix = (rng.standard_normal((4, 2000)) * rows).astype(np.float32)
    bias = rng.standard_normal(9).astype(np.float32)
    stored = weights.small({"matrix": matrix, "bias": bias})
    assert stored["matrix"].dtype == np.int8
    assert np.abs(stored["matrix"][:3]).max(axis=1).tolist() == [127] * 3
    back = weights.restored(stored)
    assert back.keys() == {"matrix", "bias"}
    half_a_step = np.abs(matrix).max(axis=1, keepdims=True) / 127 * 0.51
    assert (np.abs(back["matrix"] - matrix) <= half_a_step + 1e-7).all()
    np.testing.assert_allclose(back["bias"], bias, rtol=1e-3)


def test_the_network_file_says_nothing_of_the_machine(folder: Path) -> None:
    data = (folder / weights.NETWORK).read_bytes()
    for word in (b"/home", b"/root", b"/tmp", b"site-packages", b".py", str(Path.cwd()).encode()):
        assert word not in data
    graph = onnx.load(str(folder / weights.NETWORK), load_external_data=False)
    assert not any(node.doc_string for node in graph.graph.node)


def test_exporting_again_gives_the_same_bytes(folder: Path) -> None:
    before = (folder / weights.NETWORK).read_bytes()
    packed = (folder / weights.WEIGHTS).read_bytes()
    (folder / weights.NETWORK).write_bytes(b"")
    export.write_network(export.load_network(folder), packed, folder)
    assert (folder / weights.NETWORK).read_bytes() == before


def test_a_folder_gets_its_network_file_anew(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    network = folder / weights.NETWORK
    for spoil in (network.unlink, lambda: network.write_bytes(b"old")):
        spoil()
        result = CliRunner().invoke(app, ["export", str(folder)], catch_exceptions=False)
        assert result.exit_code == 0, result.stderr
        assert "network.onnx is written" in result.stderr
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_weights_in_32_bits_are_exported(folder: Path) -> None:
    """As older versions wrote them."""
    whole = weights.read_parameters(folder / weights.WEIGHTS)
    packed = weights.pack_tensors(whole, {})
    assert export.write_network(export.load_network(folder), packed, folder) < 1e-4
    graph = onnx.load(str(folder / weights.NETWORK), load_external_data=False)
    assert onnx.TensorProto.FLOAT16 not in {each.data_type for each in graph.graph.initializer}


def test_only_weights_that_the_folder_describes_are_exported(folder: Path) -> None:
    data = bytearray((folder / weights.WEIGHTS).read_bytes())
    data[-1] ^= 1
    (folder / weights.WEIGHTS).write_bytes(data)
    (folder / weights.NETWORK).unlink()
    result = CliRunner().invoke(app, ["export", str(folder)])
    assert result.exit_code == 2
    assert "is damaged or another model's" in " ".join(result.stderr.split())
    assert not (folder / weights.NETWORK).exists()


def test_only_the_size_of_the_batch_is_worked_out_at_every_run(
    folder: Path, tmp_path: Path
) -> None:
    """All other sizes are known: half of the nodes were there for them once."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    onnxruntime.InferenceSession(
        str(folder / weights.NETWORK), options, providers=["CPUExecutionProvider"]
    )
    nodes = onnx.load(tmp_path / "optimized.onnx").graph.node
    assert [node.op_type for node in nodes].count("Shape") == 1


def test_an_export_that_differs_is_not_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    network = export.load_network(folder)
    with torch.no_grad():
        network.patch_out.bias.add_(0.1)  # no longer the stored weights
    with pytest.raises(ModelError, match="differs"):
        export.write_network(network, before[weights.WEIGHTS], folder)

    model = open_model(folder)
    config = TrainConfig(
        data=DataConfig(folder="none"), train=LoopConfig(steps=1), model=network.config
    )
    monkeypatch.setattr(export, "LARGEST_DIFFERENCE", -1.0)
    with pytest.raises(ModelError, match="it was not written"):
        export.write_model(network, folder, config, model.vocabulary, {})
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert before.keys() == {weights.CARD, weights.CONFIG, weights.NETWORK, weights.WEIGHTS}


def test_a_model_folder_says_what_it_is(folder: Path) -> None:
    model = open_model(folder)
    assert model.name == "tiny"
    assert model.image_size == 16
    assert model.noise_scale == 1.0
    assert "astronaut" in model.vocabulary
    assert model.hash == weights.sha256(folder / weights.WEIGHTS)[:12]
    assert model.config["record"]["weights_hash"].startswith(model.hash)
    assert (folder / weights.CARD).read_text().startswith("---\nlicense:")


def test_what_is_no_model_is_refused_in_a_sentence(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such folder"):
        open_model(tmp_path / "nowhere")
    (folder / weights.NETWORK).unlink()
    with pytest.raises(ModelError, match=r"lacks network\.onnx: `rocketman export`"):
        open_model(folder)
    (folder / weights.NETWORK).touch()
    text = (folder / weights.CONFIG).read_text()
    for old, new, word in (
        ("schema_version = 1", "schema_version = 99", "version 99"),
        ("image_size = 16", 'image_size = "big"', "image_size should be"),
        ("noise_scale = 1.0", "", "noise_scale is missing"),
        ("name =", "name", "cannot be read"),
    ):
        (folder / weights.CONFIG).write_text(text.replace(old, new, 1))
        with pytest.raises(ModelError, match=word):
            open_model(folder)
    (folder / weights.CONFIG).write_text("record = 5\n" + text.replace("[record]", "[other]"))
    with pytest.raises(ModelError, match="record should be"):
        open_model(folder)


def test_weights_that_do_not_fit_are_refused(folder: Path) -> None:
    text = (folder / weights.CONFIG).read_text()
    (folder / weights.CONFIG).write_text(text.replace("depth = 1", "depth = 2", 1))
    with pytest.raises(ModelError, match="does not hold the network"):
        export.load_network(folder)


def test_packing_is_reproducible_and_aligned() -> None:
    tensors: weights.Tensors = {
        "b": np.arange(3, dtype=np.uint8),
        "a": np.ones((2, 2), dtype=np.float32),
        "c": np.array(3, dtype=np.float32),
    }
    data = weights.pack_tensors(tensors, {"z": "1", "a": "é"})
    again = weights.pack_tensors(dict(reversed(tensors.items())), {"a": "é", "z": "1"})
    assert data == again
    entries, metadata, start = weights.read_header(data)
    assert start % 8 == 0
    assert metadata == {"a": "é", "z": "1"}
    assert entries["a"]["data_offsets"][0] % 4 == 0


def test_toml_comes_back() -> None:
    import tomllib

    table = {
        "text": 'a "b" \\ ü\n',
        "number": 1e-05,
        "whole": 3,
        "flag": True,
        "list": ["x", "y"],
        "section": {"key": 0.5, "words": []},
    }
    assert tomllib.loads(weights.toml(table)) == json.loads(json.dumps(table))


@pytest.mark.parametrize(
    "entry", ['{"data_offsets": []}', '{"data_offsets": [0, 0], "shape": [0], "dtype": ["F32"]}']
)
def test_damaged_headers_are_refused_in_a_sentence(tmp_path: Path, entry: str) -> None:
    header = f'{{"a": {entry}}}'.encode()
    (tmp_path / "w.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(ModelError):
        weights.read_tensors(tmp_path / "w.safetensors")

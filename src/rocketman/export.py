"""A trained network -> a model folder whose ONNX file runs without torch, checked against it.

Writes the four files of a model folder (`weights.py` describes them). The weights are stored once:
model.safetensors holds them, matrices in 8 bits with a scale a row, and network.onnx the graph,
whose initializers are external data at their offsets in model.safetensors, made float32 by nodes
that the engine runs once, while loading. Inputs x (B, 3, H, W) float32, t (B,) float32, tokens
(B, L) int64, with self_condition also guess, as x; output x1 (B, 3, H, W) float32; any B.
Next: `generate.py` runs it.
"""

from __future__ import annotations

import copy
import io
import math
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.numpy_helper
import onnxruntime
import torch
from torch import nn

from rocketman.card import card
from rocketman.files import write_whole
from rocketman.model import DiffusionTransformer, ModelConfig
from rocketman.train_config import TrainConfig
from rocketman.weights import (
    CARD,
    CONFIG,
    NETWORK,
    SCALE,
    SCHEMA_VERSION,
    WEIGHTS,
    ModelError,
    model_hash,
    open_model,
    pack_tensors,
    read_header,
    read_parameters,
    restored,
    sha256,
    small,
    toml,
)

OPSET = 17
STORED = {
    "F16": onnx.TensorProto.FLOAT16,
    "I8": onnx.TensorProto.INT8,
    "F32": onnx.TensorProto.FLOAT,  # of older files
}
LARGEST_DIFFERENCE = 2e-3
"""Between engine and torch in a predicted picture of [-1, 1]; half a step of 8 bits is 4e-3."""


def write_model(
    network: DiffusionTransformer,
    folder: Path,
    config: TrainConfig,
    vocabulary: tuple[str, ...],
    record: dict[str, Any],
) -> Path:
    """Write a whole model folder; config.toml, which makes it one, comes last. Returns `folder`.

    The record gets the weights' SHA-256 and the measured difference between engine and torch.
    ModelError if that difference is too large.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = folder.resolve().name if folder.name != "model" else folder.resolve().parent.name
    stored = small(
        {key: value.detach().cpu().float().numpy() for key, value in network.named_parameters()}
    )
    size = config.model.image_size
    metadata = {
        "modelspec.sai_model_spec": "1.0.0",
        "modelspec.architecture": "rocketman-diffusion-transformer",
        "modelspec.implementation": "rocketman",
        "modelspec.title": f"Rocketman {size} px",  # no name, no date: equal weights, equal hash
        "modelspec.resolution": f"{size}x{size}",
        "modelspec.prediction_type": "sample",
    }
    rounded = copy.deepcopy(network).cpu().float().eval()
    values = {key: torch.from_numpy(array) for key, array in restored(stored).items()}
    rounded.load_state_dict(values)
    difference = write_network(rounded, pack_tensors(stored, metadata), folder)

    record = {
        **record,
        "weights_hash": sha256(folder / WEIGHTS),
        "engine_difference": float(f"{difference:.2g}"),
    }
    table = {
        "schema_version": SCHEMA_VERSION,
        "name": name,
        "image_size": size,
        "noise_scale": config.train.noise_scale,
        "vocabulary": list(vocabulary),
        **config.as_dict(),
        "record": record,
    }
    write_whole(folder / CARD, card(folder, table).encode())
    write_whole(folder / CONFIG, toml(table).encode())
    return folder


def load_network(folder: Path) -> DiffusionTransformer:
    """The network of a model folder, in torch. ModelError if weights and configuration disagree."""
    model = open_model(folder, needed=(CONFIG, WEIGHTS))
    try:
        network = DiffusionTransformer(ModelConfig(**model.config["model"]))
        parameters = read_parameters(model.weights_path)
        state = {key: torch.from_numpy(array) for key, array in parameters.items()}
        network.load_state_dict(state)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ModelError(f"{folder} does not hold the network it describes: {error}.") from error
    return network.eval()


def rewrite_network(folder: Path) -> float:
    """Write network.onnx of a model folder anew, from its weights; returns as `write_network`.

    ModelError, with nothing written, also if the weights are not those of config.toml.
    """
    model = open_model(folder, needed=(CONFIG, WEIGHTS))
    model_hash(folder, model.config.get("record", {}).get("weights_hash"))
    return write_network(load_network(folder), model.weights_path.read_bytes(), folder)


def write_network(network: DiffusionTransformer, packed: bytes, folder: Path) -> float:
    """Write model.safetensors and network.onnx; returns the latter's largest difference from torch.

    `packed` is model.safetensors, and `network` holds those (rounded) weights. ModelError, with
    nothing written, if the difference is too large.
    """
    entries, _, start = read_header(packed)
    graph = trace(network)
    point_into(graph, entries, start)
    data = graph.SerializeToString(deterministic=True)
    with tempfile.TemporaryDirectory(dir=folder) as trial:
        (Path(trial) / NETWORK).write_bytes(data)
        (Path(trial) / WEIGHTS).write_bytes(packed)
        onnx.checker.check_model(Path(trial) / NETWORK)
        difference = largest_difference(network, Path(trial) / NETWORK)
    if not difference <= LARGEST_DIFFERENCE:
        raise ModelError(
            f"The exported network differs from the trained one by {difference:.2g}, "
            f"more than {LARGEST_DIFFERENCE:.2g}; it was not written."
        )
    write_whole(folder / WEIGHTS, packed)
    write_whole(folder / NETWORK, data)
    return difference


def example(config: ModelConfig, batch: int) -> dict[str, torch.Tensor]:
    """Inputs by name to trace and to compare with; the first prompt is empty."""
    generator = torch.Generator().manual_seed(0)
    shape = (batch, 3, config.image_size, config.image_size)
    ids = torch.randint(
        0, config.vocabulary_size + 1, (batch, config.context_length), generator=generator
    )
    ids[0] = 0
    given = {
        "x": torch.randn(shape, generator=generator),
        "t": torch.rand(batch, generator=generator),
        "tokens": ids,
    }
    if config.self_condition:
        given["guess"] = torch.randn(shape, generator=generator)
    return given


def exported(
    network: nn.Module, given: dict[str, torch.Tensor], outputs: Sequence[str], folded: bool = True
) -> onnx.ModelProto:
    """A network's graph as PyTorch writes it: inputs by name, the first axis of all is a batch's.

    folded: what depends on no input is worked out now.
    """
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracing exporter is deprecated; it needs no more code
        torch.onnx.export(
            network.to(memory_format=torch.contiguous_format),  # type: ignore[call-overload]
            tuple(given.values()),
            file,  # type: ignore[arg-type]  # the annotation is narrower than what it takes
            dynamo=False,
            opset_version=OPSET,
            input_names=list(given),
            output_names=list(outputs),
            dynamic_axes={name: {0: "batch"} for name in [*given, *outputs]},
            do_constant_folding=folded,
        )
    graph: onnx.ModelProto = onnx.load_from_string(file.getvalue())
    return graph


def trace(network: DiffusionTransformer) -> onnx.ModelProto:
    """The graph, with the parameters as initializers under their own names (values not kept).

    The exporter merges initializers that are equal, such as two norms that are still all ones; so
    it gets a copy in which no two are.
    """
    stand_in = copy.deepcopy(network)
    with torch.no_grad():
        for k, parameter in enumerate(stand_in.parameters()):
            parameter.fill_(k)
    graph = exported(stand_in, example(network.config, 2), ["x1"], folded=False)
    for node in graph.graph.node:  # no word of the machine that exported it
        node.doc_string = ""
        del node.metadata_props[:]
    graph.graph.name, graph.doc_string, graph.graph.doc_string = "network", "", ""
    merge_equal(graph)
    shorten_names(graph)
    return graph


def merge_equal(graph: onnx.ModelProto) -> None:
    """Keep one of nodes that compute the same: each block brings its own rotations and shapes."""
    kept: dict[bytes, onnx.NodeProto] = {}
    instead: dict[str, str] = {}
    for node in graph.graph.node:
        node.input[:] = [instead.get(name, name) for name in node.input]
        same = onnx.NodeProto(op_type=node.op_type, input=node.input, attribute=node.attribute)
        first = kept.setdefault(same.SerializeToString(deterministic=True), node)
        instead.update(zip(node.output, first.output, strict=True))
    del graph.graph.node[:]
    graph.graph.node.extend(kept.values())


def shorten_names(graph: onnx.ModelProto) -> None:
    """Number what nodes compute: the exporter's paths are a third of the file, and told nobody."""
    kept = {output.name for output in graph.graph.output}
    short: dict[str, str] = {}
    for node in graph.graph.node:
        node.name = ""
        node.input[:] = [short.get(name, name) for name in node.input]
        for name in node.output:
            short[name] = name if name in kept else f"v{len(short)}"
        node.output[:] = [short[name] for name in node.output]


def point_into(graph: onnx.ModelProto, entries: dict[str, Any], start: int) -> None:
    """Turn parameters into external data inside model.safetensors, made float32 by added nodes."""
    nodes: list[onnx.NodeProto] = []
    seen: set[str] = set()
    node, initializers = onnx.helper.make_node, graph.graph.initializer
    for tensor in list(initializers):
        name = tensor.name
        if name not in entries:
            continue  # a constant of the code, such as the windows
        initializers.remove(tensor)
        parts = [part for part in (name, name + SCALE) if part in entries]
        seen.update(parts)
        for part in parts:
            made = part if len(parts) == 1 else f"{part}:float"
            initializers.append(_external(part, entries[part], start))
            nodes.append(node("Cast", [f"{part}:stored"], [made], to=onnx.TensorProto.FLOAT))
        if len(parts) == 2:
            nodes.append(node("Mul", [f"{part}:float" for part in parts], [name]))
    if missing := entries.keys() - seen:
        raise RuntimeError(f"The exported graph lost the parameters {', '.join(sorted(missing))}.")
    nodes += graph.graph.node
    del graph.graph.node[:]
    graph.graph.node.extend(nodes)


def _external(name: str, entry: dict[str, Any], start: int) -> onnx.TensorProto:
    """NAME:stored, a tensor whose bytes lie in model.safetensors."""
    low, high = entry["data_offsets"]
    tensor = onnx.TensorProto(
        name=f"{name}:stored",
        data_type=STORED[entry["dtype"]],
        dims=entry["shape"],
        data_location=onnx.TensorProto.EXTERNAL,
    )
    for key, value in (("location", WEIGHTS), ("offset", start + low), ("length", high - low)):
        tensor.external_data.add(key=key, value=str(value))
    return tensor


def halve(graph: onnx.GraphProto) -> None:
    """Keep weights of a small graph in 16 bits, with a cast that the engine runs once, at load."""
    for tensor in graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT and math.prod(tensor.dims) > 256:
            name, values = tensor.name, onnx.numpy_helper.to_array(tensor)
            tensor.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
            cast = onnx.helper.make_node(
                "Cast", [f"{name}.half"], [name], to=onnx.TensorProto.FLOAT
            )
            graph.node.insert(0, cast)


def largest_difference(network: DiffusionTransformer, path: Path) -> float:
    """max |engine - torch| over a batch of three random inputs, one with an empty prompt."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    given = example(network.config, 3)
    (got,) = session.run(None, {name: value.numpy() for name, value in given.items()})
    with torch.no_grad():
        wanted = network(*given.values()).numpy()
    return float(np.abs(got - wanted).max())

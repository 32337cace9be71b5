"""In which arithmetic this machine multiplies matrices faster: bfloat16 or float32. Found out once.

Level 1. Processors with instructions for bfloat16 are two to four times as fast in it; without them
PyTorch works it out number by number, a hundred times slower. They are measured, GPUs are asked.
Next: `train.py`, `detail.py` and `audits/probe_training.py` ask before they begin.
"""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from functools import cache
from typing import Any, Literal

import torch

Precision = Literal["bf16", "fp32"]
DTYPES: dict[Precision, torch.dtype] = {"bf16": torch.bfloat16, "fp32": torch.float32}
SIDE = 384
"""Of the square matrices: as wide as a small network's, a tenth of a second where bf16 is slow."""
CLEARLY = 1.2
"""bfloat16 is taken if it is this many times as fast; otherwise float32, which is more exact."""


@cache
def faster(device: str) -> Precision:
    """The arithmetic to train in on a device ("cpu", "cuda"): on a GPU bfloat16 if it has that,
    else by the best of three products.
    """
    if device == "cuda":  # so small a product takes as long as its start, in either
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    seconds = {}
    for name, dtype in DTYPES.items():
        square = torch.ones(SIDE, SIDE, dtype=dtype, device=device)
        tries = []
        for _ in range(4):
            started = time.perf_counter()
            (square @ square)[0, 0].item()
            tries.append(time.perf_counter() - started)
        seconds[name] = min(tries[1:])
    return "bf16" if seconds["bf16"] * CLEARLY < seconds["fp32"] else "fp32"


def autocast(precision: str, device: str) -> AbstractContextManager[Any]:
    """Forward and backward in bfloat16 where `precision` is "bf16", in float32 otherwise."""
    # PyTorch up to 2.10 kept the weights cast under no_grad, which gave them no gradient thereafter
    on = precision == "bf16"
    return torch.autocast(device, torch.bfloat16, enabled=on, cache_enabled=False)

"""How an exported network is opened: by onnxruntime, on all cores that this process may use.

Level 0. Next: `painter.py`, `enlarge.py` and `detail.py` run what is opened here.
"""

from __future__ import annotations

import os
from pathlib import Path

import onnxruntime


def open_network(path: Path) -> onnxruntime.InferenceSession:
    """A network, ready to run. onnxruntime's own exceptions, which have no base class, if it is
    damaged."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = available_cores()
    options.log_severity_level = 3  # errors only
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def available_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

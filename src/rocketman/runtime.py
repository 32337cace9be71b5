"""How an exported network is opened: by onnxruntime, on a GPU that it offers, or on the cores that
this process may use.

Level 0. Next: `painter.py`, `enlarge.py` and `detail.py` run what is opened here.
"""

from __future__ import annotations

import os
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnxruntime

MOST_THREADS = 8
"""For networks as small as these more of them wait for each other."""
PROVIDERS: tuple[tuple[str, dict[str, str]], ...] = (
    ("CUDAExecutionProvider", {"use_tf32": "0"}),
    ("CPUExecutionProvider", {}),
)
"""What a network may run on, best first. Matrix products in float32 on a GPU too, not in its TF32:
a seed's picture is the same on every machine up to rounding."""
CGROUP = Path("/sys/fs/cgroup")
QUOTAS = (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"))
"""Where Linux says how much time of its processors a container gets, in versions 2 and 1."""


def open_network(path: Path) -> onnxruntime.InferenceSession:
    """A network, ready to run. onnxruntime's own exceptions, which have no base class, if it is
    damaged."""
    import onnxruntime  # late: the doctor, who counts cores here, tells whether it can be imported

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = min(available_cores(), MOST_THREADS)
    options.log_severity_level = 4  # what is wrong is told by the exception
    gpu, cpu = PROVIDERS
    if gpu[0] in onnxruntime.get_available_providers():
        try:
            onnxruntime.preload_dlls()  # those of CUDA and cuDNN that pip installed
            return onnxruntime.InferenceSession(
                str(path), options, providers=[gpu, cpu], enable_fallback=0
            )
        except Exception:  # no such GPU, or a busy one; onnxruntime's own fallback prints
            pass
    return onnxruntime.InferenceSession(str(path), options, providers=[cpu])


def available_cores() -> int:
    """Cores that this process may use. Threads beyond a container's quota would spin it away."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    for files in QUOTAS:
        try:
            text = " ".join((CGROUP / each).read_text() for each in files)
            quota, period = map(int, text.split())
        except (OSError, ValueError):  # no quota there, or "max"
            continue
        if quota > 0:
            cores = min(cores, ceil(quota / period))
    return cores

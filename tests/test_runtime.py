"""What a network runs on: a GPU where there is one; no more threads than cores for it, and time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnxruntime
import pytest

from rocketman import runtime


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({}, 16),
        ({"cpu.max": "max 100000\n"}, 16),
        ({"cpu.max": "200000 100000\n"}, 2),
        ({"cpu.max": "150000 100000\n"}, 2),
        ({"cpu.max": "1000 100000\n"}, 1),
        ({"cpu.max": "6400000 100000\n"}, 16),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 16),
        ({"cpu/cpu.cfs_quota_us": "300000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 3),
    ],
)
def test_a_container_s_quota_counts(
    files: dict[str, str], cores: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(16)), raising=False)
    monkeypatch.setattr(runtime, "CGROUP", tmp_path)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert runtime.available_cores() == cores


def test_a_small_network_gets_eight_threads_at_most(
    model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "available_cores", lambda: 64)
    session = runtime.open_network(model_folder / "network.onnx")
    assert session.get_session_options().intra_op_num_threads == 8


@pytest.mark.parametrize(
    ("offered", "broken", "taken"),
    [
        (["AzureExecutionProvider", "CPUExecutionProvider"], False, ["CPU"]),
        (["TensorrtExecutionProvider", "CUDAExecutionProvider"], False, ["CUDA"]),
        (["CUDAExecutionProvider", "CPUExecutionProvider"], True, ["CUDA", "CPU"]),
    ],
)
def test_a_gpu_comes_before_the_cpu_if_it_works(
    offered: list[str],
    broken: bool,
    taken: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    tried: list[str] = []

    def session(path: str, options: object, providers: list[tuple[str, Any]], **more: Any) -> str:
        tried.append(providers[0][0].removesuffix("ExecutionProvider"))
        if broken and tried == ["CUDA"]:
            raise Exception("CUDA failure 100: no CUDA-capable device is detected")
        return tried[-1]

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: offered)
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: None)
    monkeypatch.setattr(onnxruntime, "InferenceSession", session)
    assert str(runtime.open_network(Path("network.onnx"))) == taken[-1]
    assert tried == taken
    assert capfd.readouterr().out == ""

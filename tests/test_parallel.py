"""How the processes of a run find each other: how long they wait, and one GPU for each."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import torch
import torch.distributed as dist

from rocketman.parallel import Workers, join


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What PyTorch is asked for by the second of two processes, of which none are there."""
    found: dict[str, Any] = {}
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setattr(
        dist, "init_process_group", lambda backend, **how: found.update(how, backend=backend)
    )
    monkeypatch.setattr(dist, "get_rank", lambda: 1)
    monkeypatch.setattr(dist, "get_world_size", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", lambda number: found.update(gpu=number))
    return found


def test_processes_wait_while_the_leader_learns_to_see(
    asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert join() == Workers(rank=1, count=2)
    assert asked["backend"] == "gloo"
    assert asked["timeout"] > timedelta(hours=8)


def test_each_process_needs_a_gpu_of_its_own(
    asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(ValueError, match="there are 1: --nproc-per-node 1 fits"):
        join()
    assert not asked
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    join()
    assert (asked["backend"], asked["gpu"]) == ("nccl", 1)

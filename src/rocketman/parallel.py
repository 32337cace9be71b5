"""The processes of a training, how they agree and how they end.

Several share one run: `torchrun --nproc-per-node 2 -m rocketman.train ...`.

Every process holds the whole network, takes its share of each batch, and averages gradients with
the others once a step (PyTorch's own distributed package: gloo on processors, NCCL on GPUs).
Processes of one thread wait for each other once a step, threads of one process at every operation:
on two busy cores 66 to 73 pictures a second, where two threads fell to between 8 and 35
(docs/log.md, 2026-11-25, Two processes on two cores). Next: `train.py`.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NoReturn

import torch
import torch.distributed as dist
from torch import Tensor

from rocketman.precision import Precision, faster

LONGEST_WAIT = timedelta(days=1)
"""For other processes. The leader learns to see alone, three quarters of an hour on a slow core: by
then PyTorch's own half hour of patience, or ten minutes on GPUs, would have ended the run."""


@dataclass(frozen=True)
class Workers:
    """This process among those of the run."""

    rank: int = 0
    count: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes logs, checkpoints and the model."""
        return self.rank == 0

    def sum(self, tensors: Iterable[Tensor]) -> None:
        """Replace each tensor by its sum over all processes."""
        if self.count == 1:
            return
        found = list(tensors)
        flat = torch.cat([tensor.reshape(-1) for tensor in found])
        dist.all_reduce(flat)
        parts = torch.split(flat, [tensor.numel() for tensor in found])
        for tensor, total in zip(found, parts, strict=True):
            tensor.copy_(total.view_as(tensor))

    def agree(self, seconds: float, stop: bool) -> tuple[float, bool]:
        """(the leader's seconds, whether any process was asked to stop): the same everywhere."""
        told = torch.tensor([seconds if self.leads else 0.0, float(stop)], dtype=torch.float64)
        if self.count > 1:
            told = told.cuda() if torch.cuda.is_available() else told
            dist.all_reduce(told)
        return float(told[0]), bool(told[1])


def join() -> Workers:
    """Join the processes that torchrun started; alone without torchrun.

    ValueError if there are GPUs, but not one for each process.
    """
    if "WORLD_SIZE" not in os.environ or int(os.environ["WORLD_SIZE"]) == 1:
        return Workers()
    if torch.cuda.is_available():
        local, gpus = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
        if local >= gpus:
            raise ValueError(
                f"Each process needs a GPU of its own, and there are {gpus}: "
                f"--nproc-per-node {gpus} fits."
            )
        torch.cuda.set_device(local)
    if not dist.is_initialized():
        backend = "nccl" if torch.cuda.is_available() else "gloo"
        dist.init_process_group(backend, timeout=LONGEST_WAIT)
    return Workers(rank=dist.get_rank(), count=dist.get_world_size())


def faster_everywhere(device: torch.device, workers: Workers) -> Precision:
    """bf16 if it is faster for every process of the run: all must train in the same arithmetic."""
    votes = torch.tensor([float(faster(device.type) == "bf16")], device=device)
    workers.sum([votes])
    return "bf16" if votes.item() == workers.count else "fp32"


@contextmanager
def stop_signals(workers: Workers) -> Iterator[list[int]]:
    """Collects SIGINT and SIGTERM in a list instead of dying of them; a second one kills a process
    that is alone. One of several may be told twice, by torchrun and by who stopped that."""
    caught: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield caught
        return

    def catch(number: int, frame: Any) -> None:
        caught.append(number)
        if workers.count == 1:
            signal.signal(number, before[signal.Signals(number)])

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, catch)
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def leave(code: int) -> NoReturn:
    """End this process with an exit code; one of several without Python's own tidying up.

    Threads of gloo may then still hold tensors, and one exit in twenty aborted, whereupon torchrun
    ended the others too, perhaps before the model was written (PyTorch, pull request 179291).
    """
    sys.stdout.flush()
    sys.stderr.flush()
    if dist.is_initialized():
        os._exit(code)
    sys.exit(code)

"""The arithmetic that a machine trains in: what is chosen, and that it is what then runs."""

from __future__ import annotations

import time

import pytest
import torch

from rocketman import precision


@pytest.mark.parametrize(("name", "dtype"), precision.DTYPES.items())
def test_products_are_made_in_the_arithmetic_named(name: str, dtype: torch.dtype) -> None:
    x = torch.ones(4, 4)
    with precision.autocast(name, "cpu"):
        assert (x @ x).dtype == dtype


def test_what_was_cast_without_a_gradient_is_not_used_with_one() -> None:
    """As older PyTorch would: the weights of a guess under no_grad learnt nothing afterwards."""
    layer = torch.nn.Linear(4, 4)
    with precision.autocast("bf16", "cpu"):
        assert not torch.is_autocast_cache_enabled()
        with torch.no_grad():
            guess = layer(torch.ones(2, 4))
        layer(guess).sum().backward()
    assert all(parameter.grad is not None for parameter in layer.parameters())


@pytest.mark.parametrize(("has", "wanted"), [(True, "bf16"), (False, "fp32")])
def test_a_gpu_is_asked_and_not_measured(
    has: bool, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: has)
    assert precision.faster.__wrapped__("cuda") == wanted


@pytest.mark.parametrize(("bf16", "wanted"), [(0.001, "bf16"), (0.002, "fp32"), (0.2, "fp32")])
def test_bfloat16_must_be_clearly_faster(
    bf16: float, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a clock that passes as on a machine where float32 takes 2 ms a product."""
    passed = [0.0]
    took = {torch.bfloat16: bf16, torch.float32: 0.002}

    def multiply(self: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        passed[0] += took[self.dtype]
        return self

    monkeypatch.setattr(torch.Tensor, "__matmul__", multiply)
    monkeypatch.setattr(time, "perf_counter", lambda: passed[0])
    assert precision.faster.__wrapped__("cpu") == wanted

"""The path's ends, the drawn timesteps, and the loss against its definition."""

from __future__ import annotations

import pytest
import torch

from rocketman import flow


def test_path_goes_from_noise_to_data() -> None:
    x1, noise = torch.randn(2, 2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    at = flow.on_path(x1, noise, torch.tensor([0.0, 1.0]), 2.0)
    torch.testing.assert_close(at[0], 2 * noise[0])
    torch.testing.assert_close(at[1], x1[1])


def test_timesteps_are_logit_normal_and_a_share_even() -> None:
    t = flow.draw_timesteps(200_000, torch.Generator().manual_seed(0))
    assert 0 <= t.min() < t.max() < 1
    assert t.min() < 1e-3
    even = flow.EVEN_TIMESTEPS
    for at in (0.1, 0.3, 0.5, 0.8):
        z = (torch.logit(torch.tensor(at)) - flow.TIMESTEP_MEAN) / flow.TIMESTEP_STD
        below = even * at + (1 - even) * float(torch.special.ndtr(z))
        assert float((t < at).float().mean()) == pytest.approx(below, abs=0.005)


def test_loss_is_the_squared_error_of_the_velocity() -> None:
    generator = torch.Generator().manual_seed(0)
    x1, noise, predicted = torch.randn(3, 4, 3, 8, 8, generator=generator)
    t = torch.tensor([0.0, 0.3, 0.6, 0.9])
    x_t = flow.on_path(x1, noise, t, 1.0)
    left = (1 - t)[:, None, None, None]
    wanted = ((predicted - x_t) / left - (x1 - noise)).square().mean()
    torch.testing.assert_close(flow.velocity_loss(predicted, x1, t), wanted)


def test_loss_stays_finite_at_the_end_of_the_path() -> None:
    x1 = torch.zeros(1, 3, 4, 4)
    loss = flow.velocity_loss(x1 + 0.1, x1, torch.ones(1))
    assert float(loss) == pytest.approx((0.1 / flow.SMALLEST_DENOMINATOR) ** 2)


def test_equal_generators_give_equal_losses() -> None:
    x1, ids = torch.zeros(2, 3, 4, 4), torch.zeros(2, 16, dtype=torch.int64)

    def network(x: torch.Tensor, t: torch.Tensor, *_: object) -> torch.Tensor:
        return x * t[:, None, None, None]

    first, second = (
        flow.loss(network, x1, ids, torch.Generator().manual_seed(5), 1.0) for _ in range(2)
    )
    assert first == second


def test_weights_say_how_much_a_pixel_counts() -> None:
    x1, t = torch.zeros(2, 3, 4, 4), torch.tensor([0.0, 0.5])
    predicted = x1.clone()
    predicted[:, :, 0] = 1.0
    weights = torch.ones(2, 1, 4, 4)
    plain = flow.velocity_loss(predicted, x1, t)
    assert flow.velocity_loss(predicted, x1, t, weights) == plain
    weights[:, :, 0] = 3.0
    assert flow.velocity_loss(predicted, x1, t, weights) == pytest.approx(3 * float(plain))

"""Pictures that a network draws on by itself before it learns from them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from rocketman import flow, rollout, sampling
from rocketman.rollout import rolled_out

SCALE = 0.7
IDS = torch.zeros(8, 16, dtype=torch.int64)


def drawn(batch: int = 8) -> tuple[Tensor, Tensor, Tensor]:
    """Pictures, times and noise as `flow.loss` draws them."""
    generator = torch.Generator().manual_seed(0)
    x1 = torch.rand(batch, 3, 8, 8, generator=generator) * 2 - 1
    return x1, flow.draw_timesteps(batch, generator), torch.randn(x1.shape, generator=generator)


def test_who_draws_a_render_as_it_is_sees_it_with_noise_on_it() -> None:
    x1, t, noise = drawn(256)

    def guided(x: Tensor, t: Tensor, ids: Tensor, guess: Tensor) -> Tensor:
        return x1[: len(x)]

    ids = IDS[:1].expand(256, -1)
    shown = rolled_out(guided, SCALE, x1, t, noise, ids, torch.Generator().manual_seed(1))
    rest = (shown.x - flow.on_path(x1, noise, shown.t, 0.0)) / (1 - shown.t)[:, None, None, None]
    assert rest[:128].std() == pytest.approx(SCALE, rel=0.02)
    torch.testing.assert_close(rest[128:], SCALE * noise[128:], rtol=1e-4, atol=1e-4)
    assert shown.guess is not None
    assert (shown.guess[:128] == x1[:128]).all()
    assert not shown.guess[128:].any()


def test_times_of_the_first_half_are_even_and_known_from_where_it_began() -> None:
    x1, t, noise = drawn(512)
    ids = IDS[:1].expand(512, -1)
    shown = rolled_out(lambda x, *_: x, SCALE, x1, t, noise, ids, torch.Generator().manual_seed(1))
    first, other = shown.t[:256], shown.t[256:]
    assert first.mean() == pytest.approx(0.5, abs=0.06)
    assert (other == t[256:]).all()
    way = first - shown.known[:256]
    assert way.max() <= rollout.STEPS * rollout.LONGEST + 1e-6
    assert (way[first > 0.2] >= rollout.STEPS * rollout.SHORTEST - 1e-6).all()
    assert (shown.known[256:] == other).all()
    assert (shown.told[256:] == other).all()
    assert (shown.told[:256] <= first).all()


def test_it_goes_on_as_the_sampler_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same steps, times told, guesses shown and fresh noise as `sampling.stochastic`."""
    x1, t, noise = drawn()
    steps: list[tuple[Tensor, Tensor, Tensor]] = []

    def network(x: Tensor, told: Tensor, guess: Tensor) -> Tensor:
        return 0.5 * x + told[:, None, None, None] + 0.1 * guess

    def guided(x: Tensor, told: Tensor, ids: Tensor, guess: Tensor) -> Tensor:
        steps.append((x, told, guess))
        return network(x, told, guess)

    monkeypatch.setattr(rollout, "SHORTEST", 0.1)
    monkeypatch.setattr(rollout, "LONGEST", 0.1)
    generator = torch.Generator().manual_seed(1)
    state = generator.get_state()
    shown = rolled_out(guided, SCALE, x1, t, noise, IDS, generator)
    generator.set_state(state)
    torch.rand(2, 8, generator=generator)
    fresh = SCALE * torch.randn((rollout.STEPS, *x1.shape), generator=generator)

    compared = 0
    for row in range(4):
        goal, begun = float(shown.t[row]), float(shown.known[row])
        if begun == 0 or goal - 0.1 >= sampling.RENEWED_UNTIL:  # cut short; another solver's
            continue
        seen: list[np.ndarray] = []

        def denoise(x: sampling.Array, t: float, earlier: sampling.Array) -> sampling.Array:
            seen.append(x)  # noqa: B023  (used at once)
            told = torch.tensor([sampling.told_time(t)])
            made: sampling.Array = network(*map(torch.as_tensor, (x, told, earlier))).numpy()
            return made

        sampling.stochastic(
            sampling.remembering(denoise),
            steps[0][0][row : row + 1].numpy(),
            [begun, goal - 0.1, goal, 1.0],
            fresh=lambda step: fresh[step, row : row + 1].numpy(),  # noqa: B023
        )
        np.testing.assert_allclose(seen[2][0], shown.x[row].numpy(), rtol=1e-4, atol=1e-5)
        compared += 1
    assert compared


@pytest.mark.parametrize("count", [2, 8])
def test_a_process_draws_on_its_share(count: int) -> None:
    x1, t, noise = drawn()

    def guided(x: Tensor, told: Tensor, ids: Tensor, guess: Tensor) -> Tensor:
        assert len(x)  # not every network takes none
        return 0.5 * x + told[:, None, None, None]

    generator = torch.Generator()
    whole = rolled_out(guided, SCALE, x1, t, noise, IDS, generator.manual_seed(1))
    for rank in range(count):
        own = slice(rank, None, count)
        part = rolled_out(
            guided,
            SCALE,
            *(x1[own], t[own], noise[own], IDS[own]),
            generator.manual_seed(1),
            (rank, count),
        )
        for mine, all_of_it in ((part.x, whole.x), (part.t, whole.t), (part.guess, whole.guess)):
            assert mine is not None
            assert all_of_it is not None
            torch.testing.assert_close(mine, all_of_it[own])


def test_the_goal_is_the_render_and_the_error_counts_by_what_is_known() -> None:
    """A network that leaves every picture as far from the render as its own guess was."""
    x1, ids = torch.zeros(2, 3, 8, 8), IDS[:2]
    asked: list[Tensor] = []

    def network(x: Tensor, told: Tensor, ids: Tensor, guess: Tensor | None = None) -> Tensor:
        return x1 + 0.3

    def roll(*given: object) -> flow.Shown:
        times = torch.tensor([0.9, 0.5])
        known = torch.tensor([0.8, 0.5])
        return flow.Shown(x=x1, t=times, told=times, known=known)

    def look(drawn: Tensor, real: Tensor, noisy: Tensor, ids: Tensor) -> Tensor:
        asked.append(real)
        return torch.zeros(len(drawn))

    generator = torch.Generator().manual_seed(0)
    loss = flow.loss(network, x1, ids, generator, SCALE, look=look, roll=roll)
    assert float(loss) == pytest.approx((0.3 / 0.2) ** 2 / 2 + (0.3 / 0.5) ** 2 / 2, rel=1e-5)
    assert len(asked[0]) == 2

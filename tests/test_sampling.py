"""Samplers on a field with a known solution, at their order; noise that never changes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rocketman import sampling
from rocketman.sampling import Array

MEAN, STD = 0.3, 0.5


def gaussian(x: Array, t: float) -> Array:
    """The ideal denoiser E[x1 | x_t] where the data are normal with MEAN and STD.

    In float64 although typed float32: the order shows below float32's rounding.
    """
    gain = t * STD**2 / (t**2 * STD**2 + (1 - t) ** 2)
    return MEAN + gain * (x - t * MEAN)


def error(sampler: sampling.SamplerName, steps: int, end: float = 1.0) -> float:
    """Largest distance from the exact path at t = end: end * MEAN + its spread * noise."""
    x = sampling.noise(1, (500,)).astype(np.float64)
    times = [end * t for t in sampling.timesteps(steps)]
    got = sampling.SAMPLERS[sampler](gaussian, x, times, None)  # type: ignore[arg-type]
    return float(np.abs(got - (end * MEAN + math.hypot(end * STD, 1 - end) * x)).max())


@pytest.mark.parametrize(("sampler", "order"), [("euler", 1), ("heun", 2)])
def test_order_of_convergence(sampler: sampling.SamplerName, order: int) -> None:
    assert math.log(error(sampler, 256) / error(sampler, 1024), 4) == pytest.approx(order, abs=0.02)


def test_order_of_the_multistep_solver() -> None:
    """Two up to a logarithm: error * steps**2 / log(steps) settles."""
    scaled = [error("dpm_solver_2m", n) * n**2 / math.log(n) for n in (256, 1024, 4096)]
    assert max(scaled) / min(scaled) < 1.3


def test_order_of_the_predictor_and_corrector() -> None:
    """Three on the way, where the predictor alone has two; its last step is of second order."""
    orders = {
        name: math.log(error(name, 256, end=0.9) / error(name, 1024, end=0.9), 4)
        for name in ("dpm_solver_2m", "unipc")
    }
    assert orders == pytest.approx({"dpm_solver_2m": 2, "unipc": 3}, abs=0.05)
    assert math.log(error("unipc", 1024) / error("unipc", 4096), 4) > 1.95


@pytest.mark.parametrize("steps", [5, 10, 20, 40])
def test_the_corrector_pays(steps: int) -> None:
    assert error("unipc", steps) < error("dpm_solver_2m", steps)


def drawn_anew(steps: int) -> tuple[float, float]:
    """Mean and standard deviation of all that `stochastic` draws, exactly.

    On this field it is affine in its noises, so that one unit at a time shows each one's weight;
    the last place gets none and shows the mean.
    """
    unit = np.eye(steps + 1)
    times = sampling.timesteps(steps)
    start, fresh = unit[0], lambda step: unit[step + 1]
    end = sampling.stochastic(gaussian, start, times, fresh=fresh)
    return float(end[-1]), float(np.linalg.norm(end - end[-1]))


def test_order_of_what_is_drawn_anew() -> None:
    """One, to a spread narrower than the data's: the network's picture is a mean of many."""
    a, b = (sampling.RENEWED_UNTIL * STD) ** 2, (1 - sampling.RENEWED_UNTIL) ** 2
    limit = STD * math.sqrt((a + b) / (2 * a + b))
    errors = []
    for steps in (500, 2000):
        mean, std = drawn_anew(steps)
        assert mean == pytest.approx(MEAN, abs=1e-12)
        errors.append(limit - std)
    assert math.log(errors[0] / errors[1], 4) == pytest.approx(1, abs=0.02)
    assert 0 < errors[1] < 1e-3


def test_many_pictures_drawn_anew_have_that_mean_and_spread() -> None:
    """With its own noise, where a tenth more of it would widen them by a tenth."""
    mean, std = drawn_anew(25)
    x = sampling.stochastic(gaussian, sampling.noise(1, (200_000,)), sampling.timesteps(25))
    assert float(x.mean(dtype=np.float64)) == pytest.approx(mean, abs=4 * std / len(x) ** 0.5)
    assert float(x.std(dtype=np.float64)) == pytest.approx(std, abs=4 * std / (2 * len(x)) ** 0.5)


def test_noise_is_drawn_anew_half_way_alone() -> None:
    seen: list[tuple[float, Array, Array]] = []
    told: list[tuple[int, float]] = []

    def denoise(x: Array, t: float) -> Array:
        seen.append((t, x, gaussian(x, t)))
        return seen[-1][2]

    def fresh(step: int) -> Array:
        return sampling.noise(9, (1, 3, 4, 4), index=step)

    times = sampling.timesteps(10)
    start = sampling.noise(3, (1, 3, 4, 4))
    end = sampling.stochastic(denoise, start, times, lambda k, t, _: told.append((k, t)), fresh)
    assert told == list(enumerate(times[:-1]))
    first = sum(t < sampling.RENEWED_FROM for t in times)
    last = sum(t < sampling.RENEWED_UNTIL for t in times)
    assert 0 < first < last < 10
    np.testing.assert_array_equal(
        seen[first][1], sampling.euler(gaussian, start, times[: first + 1])
    )
    for step, (_, _, x1) in enumerate(seen[first:last], start=first):
        t, x, _ = seen[step + 1]
        np.testing.assert_allclose(x, t * x1 + (1 - t) * fresh(step), rtol=1e-6)
    _, x, _ = seen[last]
    np.testing.assert_array_equal(end, sampling.dpm_solver_2m(gaussian, x, times[last:]))


def test_what_a_network_got_wrong_is_not_carried_on() -> None:
    """One that sees pictures in noise: on the path what it saw first stays."""

    def denoise(x: Array, t: float) -> Array:
        return np.float32(0.4) * np.sign(x) if t == 0 else np.clip(x / max(t, 0.1), -0.4, 0.4) / 2

    start = sampling.noise(5, (1, 3, 64, 64))
    times = sampling.timesteps(24)
    ends = [
        sampling.SAMPLERS[name](denoise, start, times, None)
        for name in ("dpm_solver_2m", "stochastic")
    ]
    kept, drawn_anew = (abs(np.corrcoef(start.ravel(), end.ravel())[0, 1]) for end in ends)
    assert kept > 0.5
    assert drawn_anew < 0.1


@pytest.mark.parametrize("evaluations", [9, 19, 39, 79])
def test_the_multistep_solver_beats_heun_at_equal_cost(evaluations: int) -> None:
    """Heun evaluates twice a step, once in the last."""
    assert error("dpm_solver_2m", evaluations) < error("heun", (evaluations + 1) // 2)


@pytest.mark.parametrize("sampler", sampling.SAMPLERS)
def test_samplers_end_on_the_predicted_picture(sampler: sampling.SamplerName) -> None:
    target = np.full((1, 3, 2, 2), 0.25, dtype=np.float32)
    seen = []
    x = sampling.SAMPLERS[sampler](
        lambda x, t: target,
        sampling.noise(3, target.shape),
        sampling.timesteps(5, shift=2),
        lambda step, t, x1: seen.append((step, t)),
    )
    np.testing.assert_array_equal(x, target)
    assert [step for step, _ in seen] == [0, 1, 2, 3, 4]
    assert [t for _, t in seen] == sampling.timesteps(5, shift=2)[:-1]


def test_timesteps() -> None:
    assert sampling.timesteps(4) == [0, 0.25, 0.5, 0.75, 1]
    shifted = sampling.timesteps(4, shift=3)
    assert (shifted[0], shifted[-1]) == (0, 1)
    assert all(a < b for a, b in zip([0.0, *shifted[1:-1]], [0.25, 0.5, 0.75], strict=False))
    for wrong in ({"steps": 0}, {"steps": 3, "shift": 0}):
        with pytest.raises(ValueError, match="must be"):
            sampling.timesteps(**wrong)


def test_a_network_told_an_earlier_time_leaves_less_grain() -> None:
    """One that takes a tenth of grain for detail draws as much, and eight tenths if told so."""

    def denoise(x: Array, t: float) -> Array:  # of data that are grain and nothing else
        return x * np.float32(t * 0.01 / (t * t * 0.01 + (1 - t) ** 2))

    start = sampling.noise(5, (1, 3, 64, 64))
    times = sampling.timesteps(40)
    grain = sampling.dpm_solver_2m(denoise, start, times).std()
    less = sampling.dpm_solver_2m(
        lambda x, t: denoise(x, sampling.told_time(t)), start, times
    ).std()
    assert 0.09 < grain < 0.11
    assert less < 0.85 * grain
    assert sampling.told_time(0.01) == 0
    assert sampling.told_time(0.5) == pytest.approx(0.5 - sampling.TIME_LAG)


def test_guidance() -> None:
    calls = []

    def one(x: Array, t: float) -> Array:
        calls.append("one")
        return x

    def pair(x: Array, t: float) -> tuple[Array, Array]:
        calls.append("pair")
        return x + 1, x

    x = np.zeros((1, 3, 2, 2), dtype=np.float32)
    denoise = sampling.guided(one, pair, 3.0, interval=(0.2, 0.8))
    assert denoise(x, 0.5).max() == 3.0
    assert denoise(x, 0.1).max() == denoise(x, 0.9).max() == 0.0
    sampling.guided(one, pair, 1.0)(x, 0.5)
    assert calls == ["pair", "one", "one", "one"]
    with pytest.raises(ValueError, match="interval"):
        sampling.guided(one, pair, 3.0, interval=(0.8, 0.2))


def test_a_network_is_shown_what_it_drew_before() -> None:
    shown = []

    def network(x: sampling.Array, t: float, earlier: sampling.Array) -> sampling.Array:
        shown.append(earlier)
        return np.float32(t) + x

    for _ in range(2):  # each way from noise begins anew
        shown.clear()
        x = np.ones((2, 3, 4, 4), np.float32)
        denoise = sampling.remembering(network)
        drawn = [denoise(x, t) for t in (0.0, 0.5, 0.75)]
        np.testing.assert_array_equal(shown[0], 0 * x)
        np.testing.assert_array_equal(shown[1], drawn[0])
        np.testing.assert_array_equal(shown[2], drawn[1])


def test_noise_is_normal_and_each_key_its_own() -> None:
    x = sampling.noise(7, (3, 100, 101))
    assert x.dtype == np.float32
    assert x.shape == (3, 100, 101)
    assert abs(float(x.mean())) < 0.02
    assert float(x.std()) == pytest.approx(1, abs=0.02)
    np.testing.assert_array_equal(x, sampling.noise(7, (3, 100, 101)))
    for other in (sampling.noise(8, x.shape), sampling.noise(7, x.shape, index=1)):
        assert abs(float(np.mean(x * other))) < 0.02
    for seed in (-1, 2**64):
        with pytest.raises(ValueError, match="seed"):
            sampling.noise(seed, (2,))


def test_noise_never_changes() -> None:
    """A seed written on a picture years ago must still give that picture."""
    got = sampling.noise(2**64 - 1, (5,), index=2)
    np.testing.assert_allclose(got, NOISE, rtol=0, atol=1e-7)


NOISE = [-0.77730834, 0.85296273, -0.25190988, 0.95825994, -0.37175414]


def test_pictures_are_drawn_apart() -> None:
    """Away from the others' mean, smoothly, early only; one picture alone stays as it is."""
    x = sampling.noise(3, (3, 3, 16, 16))

    def denoise(x: Array, t: float) -> Array:
        return np.asarray(0.1 * x, np.float32)

    apart = sampling.apart(denoise, 1.0, interval=(0.0, 0.3), cells=4)

    def small(x: Array) -> Array:
        cells = x.reshape(-1, 3, 4, 4, 4, 4).mean(axis=(3, 5))
        return np.asarray(cells.reshape(len(x), -1), np.float32)

    def distances(x: Array) -> list[float]:
        flat = small(x)
        return [float(np.linalg.norm(flat[a] - flat[b])) for a, b in ((0, 1), (0, 2), (1, 2))]

    plain, pushed = denoise(x, 0.1), apart(x, 0.1)
    for before, after in zip(distances(plain), distances(pushed), strict=True):
        assert 1.3 * before < after < 3 * before
    np.testing.assert_array_equal(apart(x, 0.4), plain)
    np.testing.assert_array_equal(apart(x[:1], 0.1), plain[:1])
    np.testing.assert_array_equal(sampling.apart(denoise, 0.0, cells=4)(x, 0.1), plain)
    same = np.repeat(x[:1], 3, axis=0)
    np.testing.assert_allclose(apart(same, 0.1), denoise(same, 0.1), atol=1e-6)
    np.testing.assert_allclose(pushed.mean(axis=0), plain.mean(axis=0), atol=0.02)
    odd = x[:, :, :15, :15]
    np.testing.assert_array_equal(
        sampling.apart(denoise, 1.0, cells=4)(odd, 0.1),
        sampling.apart(denoise, 1.0, cells=3)(odd, 0.1),
    )


def test_enlarging_keeps_constants_and_ramps() -> None:
    matrix = sampling.enlarging(4, 12)
    np.testing.assert_allclose(matrix.sum(axis=1), 1)
    ramp = matrix @ np.arange(4)
    np.testing.assert_allclose(np.diff(ramp)[1:-1], 1 / 3, atol=1e-9)


def test_mixed_noise_is_noise() -> None:
    """Standard normal at every share, and evenly less like the first."""
    a, b = sampling.noise(1, (3, 100, 100)), sampling.noise(2, (3, 100, 100))
    np.testing.assert_array_equal(sampling.mixed(a, b, 0.0), a)
    np.testing.assert_allclose(sampling.mixed(a, b, 1.0), b, atol=1e-6)
    for share in (0.1, 0.5, 0.9):
        x = sampling.mixed(a, b, share)
        assert x.dtype == np.float32
        assert float(x.std()) == pytest.approx(1, abs=0.02)
        likeness = float(np.corrcoef(a.ravel(), x.ravel())[0, 1])
        assert math.degrees(math.acos(likeness)) == pytest.approx(90 * share, abs=1)


def test_timesteps_from_a_later_start() -> None:
    assert sampling.timesteps(2, start=0.5) == [0.5, 0.75, 1]
    assert sampling.timesteps(5, start=0.3)[-1] == 1
    assert sampling.timesteps(1, start=0.3) == [pytest.approx(0.3), 1]
    for start in (-0.1, 1.0):
        with pytest.raises(ValueError, match="start must be"):
            sampling.timesteps(2, start=start)


@pytest.mark.parametrize("sampler", sorted({*sampling.SAMPLERS} - {"stochastic"}))
def test_what_is_known_stays_on_the_path_with_the_same_noise(
    sampler: sampling.SamplerName,
) -> None:
    """As if it were put back, noised, before each step: RePaint's known part."""
    noise = sampling.noise(4, (1, 3, 8, 8))
    known = np.tanh(sampling.noise(5, noise.shape))
    repainted = np.zeros((1, 1, 8, 8), np.float32)
    repainted[..., 4:] = 1
    times = sampling.timesteps(6, start=0.2)
    seen: list[float] = []

    def denoise(x: Array, t: float) -> Array:
        on_path = t * known + (1 - t) * noise
        seen.append(float(np.abs(x - on_path)[..., :4].max()))
        return np.asarray(gaussian(x, t), np.float32)

    start = np.float32(0.2) * known + np.float32(0.8) * noise
    keeping = sampling.keeping(denoise, known, repainted)
    x = sampling.SAMPLERS[sampler](keeping, start, times, None)
    assert max(seen) < 1e-5
    np.testing.assert_array_equal(x[..., :4], known[..., :4])
    alone = sampling.SAMPLERS[sampler](gaussian, start, times, None)
    np.testing.assert_allclose(x[..., 4:], alone[..., 4:], atol=1e-5)

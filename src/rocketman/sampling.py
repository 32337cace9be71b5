"""From noise to a picture: seeded noise, timesteps, guidance, samplers; all pure functions.

The time convention of the whole project, stated once, here:

    t = 0 is noise, t = 1 is data;  x_t = t * x1 + (1 - t) * noise_scale * noise
    the network predicts the clean picture x1 from (x_t, t)
    velocity v = dx/dt = (x1 - x_t) / (1 - t)

`flow.py` trains with the same path, 1 - t clamped at 0.05 in the loss. Samplers need no clamp: none
of them evaluates at t = 1, and each takes its last step onto the network's clean picture.
Pictures are float32 (B, 3, H, W) in [-1, 1]. Numpy only; the network is any callable
`denoise(x, t) -> clean picture`. Next: `generate.py` runs these over the exported network.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import cos, log, pi, prod, sin
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Denoise = Callable[[Array, float], Array]
"""(x (B, 3, H, W), t in [0, 1)) -> clean picture (B, 3, H, W)."""
DenoisePair = Callable[[Array, float], tuple[Array, Array]]
"""The same, for the prompt and for the unconditional (or negative) prompt: (wanted, unwanted)."""
Callback = Callable[[int, float, Array], None]
"""(step from 0, its t, the clean picture predicted there), called once a step."""
Fresh = Callable[[int], Array]
"""(step from 0) -> noise like x at t = 0, another each step: what `stochastic` draws."""
SamplerName = Literal["stochastic", "dpm_solver_2m", "unipc", "heun", "euler"]


def noise(seed: int, shape: tuple[int, ...], index: int = 0) -> Array:
    """Standard normal noise that depends on (seed, index) and shape alone, on every machine.

    `seed` and `index` are in [0, 2**64); ValueError otherwise. Philox's raw 64-bit stream is the
    part of numpy that is guaranteed never to change (`standard_normal` is not); Box-Muller turns it
    into normals in float64, rounded to float32 at the end. (Philox4x64-10: Salmon et al. 2011,
    "Parallel random numbers: as easy as 1, 2, 3"; Box and Muller 1958, "A note on the generation of
    random normal deviates".)
    """
    for name, value in (("seed", seed), ("index", index)):
        if not 0 <= value < 2**64:
            raise ValueError(f"{name} must lie in [0, 2**64), got {value}")
    count = prod(shape)
    pairs = (count + 1) // 2
    bits = np.random.Philox(key=np.array([seed, index], dtype=np.uint64)).random_raw(2 * pairs)
    uniform = ((bits >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53  # inside (0, 1)
    radius = np.sqrt(-2.0 * np.log(uniform[:pairs]))
    angle = 2.0 * np.pi * uniform[pairs:]
    normals = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])
    return normals[:count].astype(np.float32).reshape(shape)


def mixed(a: Array, b: Array, share: float) -> Array:
    """Two independent standard normal noises mixed into one: cos(angle) a + sin(angle) b.

    `share` in [0, 1] is the angle as a share of the right angle that such noises form in many
    dimensions (slerp, Shoemake 1985). The result is standard normal again, which a straight mixture
    is not: its variance would fall to a half in the middle.
    """
    angle = share * pi / 2
    return np.float32(cos(angle)) * a + np.float32(sin(angle)) * b


def timesteps(steps: int, shift: float = 1.0, start: float = 0.0) -> list[float]:
    """`steps` + 1 times from `start` to 1. `shift` > 1 spends more of the steps near the noise.

    With sigma = 1 - t: sigma' = shift * sigma / (1 + (shift - 1) * sigma), as in Esser et al. 2024
    (Stable Diffusion 3), equation 23; `start` then squeezes the way from 0 into what is left of it.
    ValueError if `steps` < 1, `shift` <= 0 or `start` is not in [0, 1).
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    if shift <= 0:
        raise ValueError(f"shift must be positive, got {shift}")
    if not 0 <= start < 1:
        raise ValueError(f"start must be in [0, 1), got {start}")
    sigmas = [1 - k / steps for k in range(steps + 1)]
    return [1 - (1 - start) * shift * sigma / (1 + (shift - 1) * sigma) for sigma in sigmas]


RENEWED_FROM, RENEWED_UNTIL = 0.2, 0.8
"""Before, noise decides which of the possible pictures it becomes. By variety, and by what is drawn
right and how lifelike it is, of 0 to 1 (docs/log.md, 2026-11-30 and 29)."""
TIME_LAG = 0.015
"""Chosen by eye and by likeness to renders from 0 to 0.06 (docs/log.md, 2026-11-25 and 28)."""


def told_time(t: float) -> float:
    """The time that a trained network is told when a sampler is at `t`: a little earlier.

    What it cannot tell from detail it leaves in its clean picture, so x soon holds more noise than
    its time says; told so, it takes that out. (The time shift of Li et al. 2024, "Alleviating
    exposure bias in diffusion models through sampling with shifted time steps".)
    """
    return max(0.0, t - TIME_LAG)


def velocity(x1: Array, x: Array, t: float) -> Array:
    """v = (x1 - x) / (1 - t), for t < 1."""
    return (x1 - x) / (1 - t)


def guided(
    denoise: Denoise,
    denoise_pair: DenoisePair,
    guidance_scale: float,
    interval: tuple[float, float] = (0.0, 1.0),
) -> Denoise:
    """Classifier-free guidance (Ho and Salimans 2022): unwanted + scale * (wanted - unwanted).

    On clean pictures this equals guidance on velocities. Outside `interval` of t, ends included
    (Kynkäänniemi et al. 2024), and for scale 1 only `denoise` is called: half the cost.
    """
    low, high = interval
    if not 0 <= low <= high <= 1:
        raise ValueError(f"guidance interval must satisfy 0 <= low <= high <= 1, got {interval}")

    def guided_denoise(x: Array, t: float) -> Array:
        if guidance_scale == 1 or not low <= t <= high:
            return denoise(x, t)
        wanted, unwanted = denoise_pair(x, t)
        return unwanted + guidance_scale * (wanted - unwanted)

    return guided_denoise


def remembering(denoise: Callable[[Array, float, Array], Array]) -> Denoise:
    """A network that is shown, beside x, the clean picture that came out the time before.

    Self-conditioning (Chen et al. 2023, "Analog bits", algorithm 2); zeros the first time. What it
    returns is for one way from noise to picture, and remembers.
    """
    earlier: Array | None = None

    def remembered(x: Array, t: float) -> Array:
        nonlocal earlier
        earlier = denoise(x, t, np.zeros_like(x) if earlier is None else earlier)
        return earlier

    return remembered


def apart(
    denoise: Denoise,
    strength: float,
    interval: tuple[float, float] = (0.0, 0.3),
    cells: int = 8,
) -> Denoise:
    """Pictures of a batch drawn away from each other: particle guidance (Corso et al. 2024).

    Their potential is a sum of RBF kernels between the pictures; here between the clean pictures
    predicted, reduced to `cells` x `cells` colours D, with the median squared distance as
    bandwidth. Its gradient needs no backward pass: with the kernel k, it moves D_i along

        sum_j k_ij (D_i - D_j) / sum_j k_ij,   away from the weighted mean of the others

    `strength` 1 doubles that distance. Only while t lies inside `interval`, when a picture's
    composition is decided. It makes every picture depend on all others of its batch. Where H = W is
    no multiple of `cells`, the next smaller number that it is a multiple of.
    """
    low, high = interval

    def apart_denoise(x: Array, t: float) -> Array:
        x1 = denoise(x, t)
        if strength == 0 or len(x) < 2 or not low <= t <= high:
            return x1
        B, C, H, W = x1.shape
        n = next(n for n in range(cells, 0, -1) if H % n == 0)
        small = x1.reshape(B, C, n, H // n, n, W // n).mean(axis=(3, 5))
        D = small.reshape(B, -1)
        squared = np.square(D[:, None] - D[None]).sum(axis=2)  # (B, B)
        others = ~np.eye(B, dtype=bool)
        kernel = np.exp(-squared / max(float(np.median(squared[others])), 1e-12)) * others
        push = D - (kernel / kernel.sum(axis=1, keepdims=True)) @ D
        smooth = enlarging(n, H) @ push.reshape(small.shape) @ enlarging(n, W).T
        pushed: Array = x1 + np.float32(strength) * smooth.astype(np.float32)
        return pushed

    return apart_denoise


def keeping(denoise: Denoise, known: Array, repainted: Array) -> Denoise:
    """A part of the picture is known, the rest is drawn to fit: RePaint (Lugmayr et al. 2022).

    known: clean pictures (B, 3, H, W); repainted: (B or 1, 1, H, W) in [0, 1], 1 where it is drawn.
    RePaint puts the known part, noised, back into x at each step. With a solver of the path and
    noise drawn once that is the same as saying that its clean picture is known: then x keeps to
    t * known + (1 - t) * noise_scale * noise by itself. Without RePaint's resampling.
    """

    def keeping_denoise(x: Array, t: float) -> Array:
        return known + repainted * (denoise(x, t) - known)

    return keeping_denoise


def enlarging(cells: int, size: int) -> NDArray[np.float64]:
    """(size, cells): rows of linear interpolation between the centres of `cells` equal parts."""
    places = (np.arange(size) + 0.5) * cells / size - 0.5
    return np.stack([np.interp(places, np.arange(cells), row) for row in np.eye(cells)], axis=1)


def euler(
    denoise: Denoise, x: Array, times: list[float], callback: Callback | None = None
) -> Array:
    """First order, one evaluation a step: Euler's x' = x + (t'-t) v along the flow (Lipman et al.
    2023, "Flow matching for generative modeling"; Liu et al. 2023, "Flow straight and fast").

    `x` is the start, noise_scale * noise; times ascend.
    """
    for step, (t, t_next) in enumerate(pairwise(times)):
        x1 = denoise(x, t)
        if callback:
            callback(step, t, x1)
        x = x1 if t_next >= 1 else x + (t_next - t) * velocity(x1, x, t)
    return x


def heun(denoise: Denoise, x: Array, times: list[float], callback: Callback | None = None) -> Array:
    """Second order, two evaluations a step except the last (Karras et al. 2022, algorithm 1)."""
    for step, (t, t_next) in enumerate(pairwise(times)):
        x1 = denoise(x, t)
        if callback:
            callback(step, t, x1)
        if t_next >= 1:
            return x1
        v = velocity(x1, x, t)
        ahead = x + (t_next - t) * v
        v_ahead = velocity(denoise(ahead, t_next), ahead, t_next)
        x = x + (t_next - t) / 2 * (v + v_ahead)
    return x


def dpm_solver_2m(
    denoise: Denoise, x: Array, times: list[float], callback: Callback | None = None
) -> Array:
    """Second order with one evaluation a step: DPM-Solver++(2M) (Lu et al. 2022b, algorithm 2).

    The multistep data-prediction solver, with the clean picture extrapolated linearly in t instead
    of in log-SNR, which is infinite at t = 0. With D(s) = D_i + (s - t_i) * slope the integral
    of d(x / (1 - s)) = D(s) / (1 - s)**2 ds from t to t' is

        x' = (1-t')/(1-t) x + (t'-t)/(1-t) D_i + slope * ((t'-t) + (1-t') log((1-t')/(1-t)))

    The first step has no earlier D and the last does not extrapolate: both are Euler's. On evenly
    spaced times the error falls as log(steps) / steps**2; on normal data it stays below Heun's at
    equal cost up to about 100 evaluations.
    """
    previous: tuple[float, Array] | None = None
    for step, (t, t_next) in enumerate(pairwise(times)):
        x1 = denoise(x, t)
        if callback:
            callback(step, t, x1)
        if t_next >= 1:
            return x1
        keep = (1 - t_next) / (1 - t)
        x = keep * x + (1 - keep) * x1
        if previous:
            t_before, x1_before = previous
            weight = ((t_next - t) + (1 - t_next) * log(keep)) / (t - t_before)
            x = x + weight * (x1 - x1_before)
        previous = (t, x1)
    return x


def unipc(
    denoise: Denoise, x: Array, times: list[float], callback: Callback | None = None
) -> Array:
    """Predictor and corrector at one evaluation a step: UniPC-2 (Zhao et al. 2023, algorithm 1).

    The predictor is `dpm_solver_2m`. The network's answer D at the place predicted then serves
    twice: it is the next step's first D, and it corrects the place, by the parabola through the
    three last D instead of the line through two. As there, D is a polynomial in t, not in log-SNR,
    and integrated exactly, so that the paper's B(h) cancels. With the step from t to t', the D
    before at t - gap, and curve the second divided difference of the three, the correction is

        curve * (square + gap * linear),   where the integrals from t to t' are
        linear = (1-t') S (s-t) / (1-s)**2 ds    = (t'-t) + (1-t') log((1-t')/(1-t))
        square = (1-t') S (s-t)**2 / (1-s)**2 ds = (t'-t) (2-t-t')
                                                   + 2 (1-t) (1-t') log((1-t')/(1-t))

    The first step is corrected by a line alone. Third order up to any t < 1, second order at t = 1,
    where the last step takes the network's picture as it is.
    """
    slope: Array = np.zeros_like(x)
    previous: tuple[float, Array, float] | None = None
    for step, (t, t_next) in enumerate(pairwise(times)):
        x1 = denoise(x, t)
        if callback:
            callback(step, t, x1)
        if t_next >= 1:
            return x1
        keep = (1 - t_next) / (1 - t)
        linear = (t_next - t) + (1 - t_next) * log(keep)
        square = (t_next - t) * (2 - t - t_next) + 2 * (1 - t) * (1 - t_next) * log(keep)
        weight = linear
        if previous:
            t_before, x1_before, weight_before = previous
            gap = t - t_before
            slope_before, slope = slope, (x1 - x1_before) / gap
            x = x + weight_before * (slope - slope_before)  # the corrector of the step before
            weight = (square + gap * linear) / (t_next - t_before)
        x = keep * x + (1 - keep) * x1 + linear * slope
        previous = (t, x1, weight)
    return x


def stochastic(
    denoise: Denoise,
    x: Array,
    times: list[float],
    callback: Callback | None = None,
    fresh: Fresh | None = None,
) -> Array:
    """All noise drawn anew after each step from t = RENEWED_FROM to RENEWED_UNTIL.

        x' = t' D + (1-t') fresh noise,   `euler` before, `dpm_solver_2m` after

    As consistency models are sampled in several steps (Song et al. 2023, algorithm 1). A solver of
    the path carries on whatever the network got wrong; noise drawn anew lets it look again at its
    own picture, as one of any other noise. What it is unsure of comes out plainer each time, so the
    last steps are the solver's, which keep detail. `fresh` None draws it by seed 0.

    A consistency model's answer is one picture, D is the mean of all that are possible: however
    many the steps, the spread stays narrower than the data's. On normal data of standard deviation
    s and noise of c that goes, at first order in 1 / steps, with the mean kept, to

        s sqrt((a + b) / (2 a + b)),   a = (s T)**2, b = (c (1 - T))**2, T = RENEWED_UNTIL
    """
    fresh = fresh or (lambda step: noise(0, x.shape, index=step + 1))
    for step, (t, t_next) in enumerate(pairwise(times)):
        if t >= RENEWED_UNTIL:

            def told(k: int, t: float, x1: Array, before: int = step) -> None:
                if callback:
                    callback(before + k, t, x1)

            return dpm_solver_2m(denoise, x, times[step:], told)
        x1 = denoise(x, t)
        if callback:
            callback(step, t, x1)
        if t_next >= 1:
            return x1
        if t < RENEWED_FROM:
            x = x + (t_next - t) * velocity(x1, x, t)
        else:
            x = t_next * x1 + (1 - t_next) * fresh(step)
    return x


SAMPLERS: dict[SamplerName, Callable[[Denoise, Array, list[float], Callback | None], Array]] = {
    "stochastic": stochastic,
    "dpm_solver_2m": dpm_solver_2m,
    "unipc": unipc,
    "heun": heun,
    "euler": euler,
}

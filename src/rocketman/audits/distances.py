"""How far two sets of pictures lie apart, by their features: three measures, each with its source.

Reads and writes nothing. `evaluate.py` compares what a model draws with renders by them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
HALVINGS = 20


def kernel_distance(
    a: Floats, b: Floats, seed: int, trials: int = 500
) -> tuple[float, float, float]:
    """Unbiased squared MMD with the kernel (x y / d + 1)^3 (Binkowski et al. 2018, KID), its
    standard error, and the share of random re-labelings that reach it. a (m, d), b (n, d), at least
    two each; of fewer than sixteen the error means little.

    The error comes of how far parts of the pictures, drawn without replacement, stray from all
    (Politis and Romano 1994, subsampling). Its square has one term that goes with 1 / m, L, and one
    with 1 / m**2, D, which is most of it where the two hardly differ: halves stray by L + 3 D,
    quarters by 3 L + 15 D.
    """
    both = np.concatenate([a, b])
    kernel = (both @ both.T + 1) ** 3  # unit features: x y / d of features of length sqrt(d)
    np.fill_diagonal(kernel, 0.0)
    m, n = len(a), len(b)
    rng = np.random.default_rng(seed)

    def distance(first: NDArray[np.intp], second: NDArray[np.intp]) -> float:
        i, j = len(first), len(second)
        within_first = kernel[np.ix_(first, first)].sum() / (i * (i - 1))
        within_second = kernel[np.ix_(second, second)].sum() / (j * (j - 1))
        return float(within_first + within_second - 2 * kernel[np.ix_(first, second)].mean())

    def strays(part: int) -> float:
        some, others = max(2, m // part), max(2, n // part)
        found = [
            distance(rng.permutation(m)[:some], m + rng.permutation(n)[:others])
            for _ in range(trials)
        ]
        return float(np.mean(np.square(np.array(found) - observed)))

    observed = distance(np.arange(m), np.arange(m, m + n))
    relabeled = [rng.permutation(m + n) for _ in range(trials)]
    reached = sum(distance(each[:m], each[m:]) >= observed for each in relabeled)
    halves, quarters = strays(2), strays(4)
    squared = max(2 * halves - quarters / 3, halves / 3)  # L + D; D alone at least
    return observed, float(np.sqrt(squared)), (reached + 1) / (trials + 1)


def frechet_distance(a: Floats, b: Floats) -> float:
    """|mean a - mean b|^2 + tr(A + B - 2 (A B)^(1/2)), A and B the covariances (Heusel et al. 2017,
    FID); a (m, d), b (n, d), at least two each."""
    covariances = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    # of a product of two such matrices no eigenvalue is negative, but for rounding
    roots = np.sqrt(np.linalg.eigvals(covariances[0] @ covariances[1]).real.clip(min=0))
    apart = np.square(a.mean(axis=0) - b.mean(axis=0)).sum()
    return float(apart + sum(np.trace(each) for each in covariances) - 2 * roots.sum())


def told_apart(a: Floats, b: Floats, seed: int) -> float:
    """Accuracy, on the other half, of a ridge classifier trained on half of both (Lopez-Paz and
    Oquab 2017, classifier two-sample test); balanced, so that 0.5 is chance. Mean over HALVINGS:
    with a few hundred pictures a single one strays by three points.
    """
    rng = np.random.default_rng(seed)
    size = min(len(a), len(b)) // 2 * 2  # as many of both in each half
    label = np.repeat([1.0, -1.0], size)
    half = np.arange(2 * size) % 2 == 0
    right = []
    for _ in range(HALVINGS):
        chosen = a[rng.permutation(len(a))[:size]], b[rng.permutation(len(b))[:size]]
        both = np.concatenate(chosen)
        mean, spread = both[half].mean(axis=0), both[half].std(axis=0) + 1e-6
        x = np.concatenate([(both - mean) / spread, np.ones((2 * size, 1))], axis=1)
        train = x[half]
        weights = np.linalg.solve(
            train.T @ train + 10.0 * np.eye(train.shape[1]), train.T @ label[half]
        )
        right.append(np.mean(np.sign(x[~half] @ weights) == label[~half]))
    return float(np.mean(right))

"""Distances between two sets of features, on sets whose distance is known."""

from __future__ import annotations

import numpy as np
import pytest

from rocketman.audits.distances import frechet_distance, kernel_distance, told_apart


def unit(rng: np.random.Generator, count: int, shift: float) -> np.ndarray:
    values = rng.normal(size=(count, 8))
    values[:, 0] += shift
    return np.asarray(values / np.linalg.norm(values, axis=1, keepdims=True))


def test_distance_and_classifier_know_same_from_different() -> None:
    rng = np.random.default_rng(1)
    one, same, other = unit(rng, 120, 0), unit(rng, 100, 0), unit(rng, 100, 1.5)
    kid, error, p = kernel_distance(one, same, seed=0, trials=200)
    assert abs(kid) < min(0.05, 2 * error)
    assert p > 0.05
    kid, error, p = kernel_distance(one, other, seed=0, trials=200)
    assert kid > max(0.1, 4 * error)
    assert p < 0.01
    assert 0.35 < told_apart(one, same, seed=0) < 0.65
    assert told_apart(one, other, seed=0) > 0.75


@pytest.mark.parametrize("shift", [0, 0.3, 1])
def test_the_error_of_a_distance_is_how_much_it_varies(shift: float) -> None:
    rng = np.random.default_rng(2)
    found = [
        kernel_distance(unit(rng, 60, 0), unit(rng, 50, shift), seed=0, trials=150)
        for _ in range(60)
    ]
    varies = np.std([kid for kid, _, _ in found])
    assert np.mean([error for _, error, _ in found]) == pytest.approx(varies, rel=0.25)


def test_frechet_distance_of_gaussians() -> None:
    """Of N(0, I) and N(m, 4 I) in d dimensions it is |m|^2 + d."""
    rng = np.random.default_rng(3)
    one, other = rng.normal(size=(2, 40_000, 3))
    assert frechet_distance(one, 2 * other + [0.5, 0, 0]) == pytest.approx(3.25, rel=0.03)
    assert frechet_distance(one, other) < 0.01

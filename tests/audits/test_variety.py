"""Variety: the Vendi score has its known values, repeats are found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from rocketman.audits.index import load_index
from rocketman.audits.variety import repeats, sampled, training_variety, variety, vendi_score


def test_vendi_score() -> None:
    """n identical pictures count as 1, n unrelated ones as n, k equal groups as k."""
    assert vendi_score(np.ones((5, 5))) == pytest.approx(1)
    assert vendi_score(np.eye(5)) == pytest.approx(5)
    assert vendi_score(np.kron(np.eye(3), np.ones((4, 4)))) == pytest.approx(3)
    half = np.array([[1, 0.5], [0.5, 1]])  # eigenvalues 3/4 and 1/4
    entropy = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    assert vendi_score(half) == pytest.approx(np.exp(entropy))
    assert vendi_score(np.zeros((0, 0))) == 0


def test_scores_at_a_fixed_number() -> None:
    mean, low, high = sampled(np.eye(40), 10)
    assert (mean, low, high) == pytest.approx((10, 10, 10))
    mixed = np.kron(np.eye(4), np.ones((10, 10)))
    mean, low, high = sampled(mixed, 10)
    assert 2.5 < low < mean < high <= 4
    assert sampled(mixed, 10) == (mean, low, high), "the same subsets each time"


def test_variety_of_a_set(audited: Path, fresh: list[Image.Image]) -> None:
    index = load_index(audited)
    same = variety([fresh[0]] * 12, index.probes, index.copy_at, n=8)
    different = variety(fresh, index.probes, index.copy_at, n=8)
    assert same.vendi[0] == pytest.approx(1, abs=1e-3)
    assert same.vendi_pixels[0] == pytest.approx(1, abs=1e-3)
    assert different.vendi_pixels[0] > 1.2
    assert different.n == 8
    assert same.repeats == (tuple(range(12)),)
    document = same.as_json([f"{k}.png" for k in range(12)])
    assert document["n"] == 8
    assert document["repeats"] == [[f"{k}.png" for k in range(12)]]
    by_features, by_pixels = training_variety(index, 8)
    assert 1 < by_features[0] <= 8
    assert by_pixels[0] > different.vendi_pixels[0], "the whole world varies more than one prompt"


def test_repeats(audited: Path, fresh: list[Image.Image]) -> None:
    at = load_index(audited).copy_at
    again = [ImageOps.mirror(fresh[1]), fresh[3].crop((2, 3, 60, 61))]
    assert repeats([*fresh, *again], at) == ((1, 12), (3, 13))
    assert repeats(fresh, at) == ()
    assert repeats(fresh[:1], at) == ()
    assert repeats([], at) == ()

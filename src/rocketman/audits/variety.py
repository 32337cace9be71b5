"""How different the pictures of a set are, and which of them repeat each other.

The Vendi score (Friedman and Dieng 2023, equation 1) is the number of different pictures in effect:
1 if all are the same, n if each has nothing in common with any other. It grows with n, so it is
told at a fixed n, as the mean over random subsets with the interval that 95 % of them fall into.
Twice: by the probes' features (what is shown) and by pixels (where and how).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rocketman.audits import alignment
from rocketman.audits.index import CANDIDATES, TrainingIndex
from rocketman.audits.probes import Probes
from rocketman.data.batches import central_square

SAMPLE, SUBSETS = 16, 200
"""Pictures at which scores are told, and random subsets of that size."""
PIXELS = 32

Floats = NDArray[np.float32]
Score = tuple[float, float, float]
"""(mean, low, high) over the subsets."""


@dataclass(frozen=True, kw_only=True)
class Variety:
    """How different the pictures of a set are."""

    n: int
    """Pictures at which the scores are told."""
    vendi: Score
    """By features; 1 to n."""
    vendi_pixels: Score
    """By pixels; 1 to n."""
    repeats: tuple[tuple[int, ...], ...]
    """Groups of pictures, by number, that repeat each other; each picture in one group at most."""

    def as_json(self, files: Sequence[str]) -> dict[str, Any]:
        """An entry of the documents that scripts read."""
        return {
            "vendi": round(self.vendi[0], 3),
            "vendi_interval": [round(bound, 3) for bound in self.vendi[1:]],
            "vendi_pixels": round(self.vendi_pixels[0], 3),
            "vendi_pixels_interval": [round(bound, 3) for bound in self.vendi_pixels[1:]],
            "n": self.n,
            "repeats": [[files[k] for k in group] for group in self.repeats],
        }


def variety(
    pictures: Sequence[Image.Image], probes: Probes, repeat_at: float, n: int = SAMPLE
) -> Variety:
    """The scores at n pictures (all, if there are fewer) and the repeats among all of them.

    repeat_at: pixel distance, as in `index.Nearest`, below which two pictures repeat each other.
    """
    by_features = cosines(probes.features(pictures))
    by_pixels = cosines(pixel_vectors(pictures))
    n = min(n, len(pictures))
    return Variety(
        n=n,
        vendi=sampled(by_features, n),
        vendi_pixels=sampled(by_pixels, n),
        repeats=repeats(pictures, repeat_at),
    )


def vendi_score(similarity: NDArray[np.floating[Any]]) -> float:
    """exp of the entropy of the eigenvalues of K / n; K (n, n) has ones on its diagonal."""
    count = len(similarity)
    if count == 0:
        return 0.0
    eigenvalues = np.linalg.eigvalsh(similarity.astype(np.float64) / count)
    positive = eigenvalues[eigenvalues > 1e-12]
    return float(np.exp(-(positive * np.log(positive)).sum()))


def sampled(similarity: NDArray[np.floating[Any]], n: int, seed: int = 0) -> Score:
    """The Vendi score of subsets of n: mean, and the interval of 95 % of them."""
    rng = np.random.default_rng(seed)
    if n >= len(similarity):
        score = vendi_score(similarity)
        return score, score, score
    scores = []
    for _ in range(SUBSETS):
        chosen = rng.choice(len(similarity), n, replace=False)
        scores.append(vendi_score(similarity[np.ix_(chosen, chosen)]))
    low, high = np.quantile(scores, (0.025, 0.975))
    return float(np.mean(scores)), float(low), float(high)


def cosines(vectors: Floats) -> Floats:
    """(n, n) similarities of n vectors, in [-1, 1], ones on the diagonal."""
    rows = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return np.asarray(rows @ rows.T, np.float32)


def pixel_vectors(pictures: Sequence[Image.Image]) -> Floats:
    """Colours at 32 px in [-1, 1], flattened: (N, 3072)."""
    small = [central_square(each.convert("RGB"), PIXELS).ravel() for each in pictures]
    return np.array(small, np.float32).reshape(len(small), -1) / np.float32(127.5) - 1


def training_variety(index: TrainingIndex, n: int = SAMPLE) -> tuple[Score, Score]:
    """Scores of the training pictures at the same n: by features, by pixels."""
    chosen = np.random.default_rng(0).permutation(len(index))[:512]
    pictures = [Image.fromarray(index.thumbnails[k]) for k in chosen]
    by_features = cosines(index.features[chosen])
    return sampled(by_features, n), sampled(cosines(pixel_vectors(pictures)), n)


def repeats(pictures: Sequence[Image.Image], repeat_at: float) -> tuple[tuple[int, ...], ...]:
    """Groups of pictures that are the same or copies of parts of each other, mirrored or not."""
    small, large = alignment.COARSE, alignment.FINE
    coarse = np.array([alignment.grey(each, small, small) for each in pictures])
    fine = [alignment.grey(each, large, large) for each in pictures]
    if len(pictures) < 2:
        return ()
    alike = alignment.search(pictures, coarse)
    np.fill_diagonal(alike, -1)
    group = list(range(len(pictures)))
    for a, found in enumerate(alike):
        for b in np.argsort(-found)[:CANDIDATES]:
            if group[a] != group[b] and 1 - alignment.fit(pictures[a], fine[b]) < repeat_at:
                joined, kept = max(group[a], group[b]), min(group[a], group[b])
                group = [kept if each == joined else each for each in group]
    sets = {k: tuple(n for n, of in enumerate(group) if of == k) for k in dict.fromkeys(group)}
    return tuple(members for members in sets.values() if len(members) > 1)

"""How well a picture fits onto another, or onto a part of it: for finding copies that were edited.

Numpy only. Similarity is the normalised correlation of brightness, so brightness and contrast do
not count, and colour hardly; the mirror image and windows down to 3/4 of the sides are tried too.
A cheap search over all pictures gives candidates (`search`), a finer one compares the picture with
each of them tile by tile (`fit`). Next: `newness.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float32]

COARSE, FINE = 32, 64
"""Sides in pixels at which pictures are searched and compared."""
LEAST_WINDOW = 0.74
"""The smallest window tried, as a share of the other picture's sides."""
TILES = 4
"""Tiles across and down; each is compared by itself."""
NOISE = 0.003
"""Variance, as a share of the picture's, below which the pattern of a tile counts for little."""
CHUNK = 64


def grey(picture: Image.Image, width: int, height: int) -> Floats:
    """Brightness (height, width), 0 to 255, reduced by area."""
    method = Image.Resampling.BOX if picture.width >= width else Image.Resampling.BILINEAR
    return np.asarray(picture.convert("L").resize((width, height), method), np.float32)


def spans(side: int, step: int) -> range:
    """Longer sides of the windows tried in a square of `side`, large first."""
    return range(side, round(LEAST_WINDOW * side) - 1, -step)


def shape(picture: Image.Image, span: int) -> tuple[int, int]:
    """(width, height) of a window of the picture's shape whose longer side is `span`."""
    longest = max(picture.size)
    width, height = (round(span * side / longest) for side in picture.size)
    return max(4, width), max(4, height)


def search(pictures: Sequence[Image.Image], others: Floats) -> Floats:
    """(Q, N): best similarity, -1 to 1, of each picture to some window of each of the others.

    others: brightness (N, COARSE, COARSE).
    """
    best = np.full((len(pictures), len(others)), -1, np.float32)
    shapes: dict[tuple[int, int], list[int]] = {}
    for k, picture in enumerate(pictures):
        for span in spans(COARSE, 2):
            shapes.setdefault(shape(picture, span), []).append(k)
    for (width, height), which in shapes.items():
        asked = np.stack([grey(pictures[k], width, height) for k in which])
        asked = unit(np.stack([asked, asked[:, :, ::-1]]).reshape(2 * len(which), -1))
        for start in range(0, len(others), CHUNK):
            part = others[start : start + CHUNK]
            view = np.lib.stride_tricks.sliding_window_view(part, (height, width), axis=(1, 2))
            flat = unit(view[:, ::2, ::2].reshape(-1, width * height))
            found = (flat @ asked.T).reshape(len(part), -1, 2, len(which)).max(axis=(1, 2))
            block = best[:, start : start + CHUNK]
            block[which] = np.maximum(block[which], found.T)
    return best


def fit(picture: Image.Image, other: Floats) -> float:
    """Similarity, -1 to 1, of a picture to the window of another that it fits best.

    other: brightness (FINE, FINE). Where the window lies is found by correlation, every second
    pixel first and then around the best; there the two are compared tile by tile.
    """
    best = Place(-1.0, FINE, 0, 0, False)
    for span in spans(FINE, 4):
        best = max(best, _best_place(picture, other, span, 2, None))
    for span in {min(FINE, best.span + change) for change in (-2, 0, 2)}:
        best = max(best, _best_place(picture, other, span, 1, best))
    width, height = shape(picture, best.span)
    asked = grey(picture, width, height)
    window = other[best.top : best.top + height, best.left : best.left + width]
    return tiled(asked[:, ::-1] if best.mirrored else asked, window)


class Place(NamedTuple):
    """A window, and how well a picture fits there; better ones compare as larger."""

    similarity: float
    span: int
    """The window's longer side."""
    top: int
    left: int
    mirrored: bool


def _best_place(
    picture: Image.Image, other: Floats, span: int, step: int, near: Place | None
) -> Place:
    """The best window of a span, among all at every `step` pixels or those around `near`."""
    width, height = shape(picture, span)
    view = np.lib.stride_tricks.sliding_window_view(other, (height, width))
    top, left, mirrors = 0, 0, [False, True]
    if near:
        top, left = max(0, near.top - 2), max(0, near.left - 2)
        view, mirrors = view[top : top + 5, left : left + 5], [near.mirrored]
        if not view.size:
            return near
    view = view[::step, ::step]
    asked = grey(picture, width, height)
    versions = np.stack([asked[:, ::-1] if mirrored else asked for mirrored in mirrors])
    found = unit(view.reshape(-1, width * height)) @ unit(versions.reshape(len(mirrors), -1)).T
    place, version = np.unravel_index(int(found.argmax()), found.shape)
    down, across = divmod(int(place), view.shape[1])
    return Place(
        float(found.max()), span, top + step * down, left + step * across, mirrors[int(version)]
    )


def tiled(a: Floats, b: Floats) -> float:
    """Mean correlation, -1 to 1, of two pictures of one size within tiles.

    A tile counts by the root of its contrast in the picture that has more of it: an instrument
    where the other picture is empty counts against, and one bright horizon does not decide alone.
    """
    a, b = ((each - each.mean()) / (each.std() + 1) for each in (a, b))
    total = weights = 1e-6
    for rows_a, rows_b in zip(np.array_split(a, TILES), np.array_split(b, TILES), strict=True):
        for x, y in zip(
            np.array_split(rows_a, TILES, 1), np.array_split(rows_b, TILES, 1), strict=True
        ):
            contrasts = float(x.std()), float(y.std())
            covariance = float(((x - x.mean()) * (y - y.mean())).mean())
            weight = max(contrasts) ** 0.5
            total += weight * covariance / (contrasts[0] * contrasts[1] + NOISE)
            weights += weight
    return total / weights


def unit(rows: Floats) -> Floats:
    """Each row without its mean, of length 1 (0 where it is flat)."""
    rows = rows - rows.mean(axis=1, keepdims=True)
    length = np.linalg.norm(rows, axis=1, keepdims=True) + np.float32(1e-3)
    return np.asarray(rows / length, np.float32)

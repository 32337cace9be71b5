"""The stars of the film: a field in several depths that drifts past, and dims behind type.

Level 5. Adds light to a frame's Y plane, each star a small round spot anywhere between pixels, so
that even the slowest drift is smooth. Next: `film_frames.py`.
"""

from __future__ import annotations

import math

import numpy as np

from rocketman.collection.film_cards import Plane
from rocketman.collection.film_cuts import FPS

STARS = 620
CARDS, BESIDE = (140, 150, 1560, 860), (1190, 280, 1820, 800)
"""Where type stands on cards and beside prints: left, top, right, bottom."""
PLANET = (1700, 2210, 1560)
"""Centre and radius of the planet under title and credits, on the screen."""


class Stars:
    """A field of stars in several depths that drifts past."""

    def __init__(self, seed: int, size: tuple[int, int], scale: float) -> None:
        rng = np.random.default_rng((seed, 1))
        self.size, self.scale = size, scale
        self.place = rng.random((STARS, 2))
        self.near = rng.random(STARS) ** 2 * 0.9 + 0.1
        self.light = 14 + 150 * rng.random(STARS) ** 7 + 45 * rng.random(STARS) ** 3
        self.spread = (0.62 + 0.35 * rng.random(STARS)) * scale
        self.beat = rng.random((STARS, 2))

    def shine(self, y: Plane, k: int, sway: tuple[float, float], cards: float) -> None:
        """Add the stars of frame k to a Y plane, faint behind type.

        sway: of the camera, in pixels; near stars follow more of it. cards: how much of a card, and
        not of a label, is to be read, in [0, 1].
        """
        wide, high = self.size
        seconds = k / FPS
        drift = np.outer(self.near * seconds, (-7.0, 1.6)) * self.scale
        span = np.array((wide + 16, high + 16))
        moved = self.near[:, None] * (sway[0] * 0.5, sway[1] * 0.5)
        at = (self.place * span + drift + moved) % span - 8
        rate = 0.05 + 0.2 * self.beat[:, 0]
        light = self.light * (0.88 + 0.12 * np.sin(math.tau * (rate * seconds + self.beat[:, 1])))
        sx, sy = at[:, 0] / self.scale, at[:, 1] / self.scale
        px, py, radius = PLANET
        light = np.where(np.hypot(sx - px, sy - py) < radius, light * (1 - cards), light)
        for (left, top, right, bottom), weight in ((CARDS, cards), (BESIDE, 1 - cards)):
            behind = (sx > left) & (sx < right) & (sy > top) & (sy < bottom)
            light = np.where(behind, light * (1 - 0.75 * weight), light)
        reach = max(2, round(2.2 * self.scale))
        steps = np.arange(-reach, reach + 1)
        whole = np.floor(at).astype(int)
        x = whole[:, 0, None] + steps
        r = whole[:, 1, None] + steps
        width = 2 * self.spread[:, None] ** 2
        gx = np.exp(-((x - at[:, :1]) ** 2) / width) * ((x >= 0) & (x < wide))
        gy = np.exp(-((r - at[:, 1:]) ** 2) / width) * ((r >= 0) & (r < high))
        spots = light[:, None, None] * gy[:, :, None] * gx[:, None, :]
        rows, columns = r.clip(0, high - 1)[:, :, None], x.clip(0, wide - 1)[:, None, :]
        np.add.at(y, np.broadcast_arrays(rows, columns), spots.astype(np.float32))

"""Makes the clouds over the earth, `scenes/maps/clouds.jpg`: python runs/clouds.py FILE

Equirectangular, grey, 1 is thick cloud. Layers of gradient noise on the sphere, bent by other
noise, turned into spirals around a few dozen lows, thinned over the deserts' latitudes.
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Array = NDArray[np.float64]
WIDTH, HEIGHT = 2048, 1024


def noise(p: Array, seed: int) -> Array:
    """Gradient noise (Perlin 2002) at points (..., 3), about -1 to 1."""
    rng = np.random.default_rng(seed)
    table = rng.permutation(256)
    slopes = rng.normal(size=(256, 3))
    slopes /= np.linalg.norm(slopes, axis=1, keepdims=True)
    cell = np.floor(p).astype(int)
    f = p - cell
    s = f * f * f * (f * (f * 6 - 15) + 10)
    total = np.zeros(p.shape[:-1])
    for x in (0, 1):
        for y in (0, 1):
            for z in (0, 1):
                c = cell + np.array((x, y, z))
                h = table[(table[(table[c[..., 0] % 256] + c[..., 1]) % 256] + c[..., 2]) % 256]
                dot = np.einsum("...i,...i", slopes[h], f - (x, y, z))
                wx = s[..., 0] if x else 1 - s[..., 0]
                wy = s[..., 1] if y else 1 - s[..., 1]
                wz = s[..., 2] if z else 1 - s[..., 2]
                total += dot * wx * wy * wz
    return total * 1.6


def layers(p: Array, scale: float, count: int, gain: float, seed: int) -> Array:
    """Noise in octaves."""
    total = np.zeros(p.shape[:-1])
    for k in range(count):
        total += gain**k * noise(p * scale * 2.03**k + 37.7, seed + k)
    return total


def spun(p: Array, rng: np.random.Generator) -> Array:
    """Points turned around the centres of lows, the more the nearer: what makes spirals."""
    for _ in range(46):
        latitude = np.radians(rng.choice((-1, 1)) * rng.uniform(12, 66))
        longitude = rng.uniform(0, 2 * np.pi)
        axis = np.array([
            np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude),
            np.sin(latitude),
        ])  # fmt: skip
        reach = rng.uniform(0.07, 0.24)
        distance = np.arccos(np.clip(p @ axis, -1, 1))
        angle = -np.sign(latitude) * rng.uniform(2.5, 4.5) * np.exp(-((distance / reach) ** 2))
        c, s = np.cos(angle)[..., None], np.sin(angle)[..., None]
        p = p * c + np.cross(axis, p) * s + axis * (p @ axis)[..., None] * (1 - c)
    return p


def main(path: str) -> None:
    longitude = (np.arange(WIDTH) + 0.5) / WIDTH * 2 * np.pi
    latitude = np.pi / 2 - (np.arange(HEIGHT) + 0.5) / HEIGHT * np.pi
    o, a = np.meshgrid(longitude, latitude)
    p = np.stack([np.cos(a) * np.cos(o), np.cos(a) * np.sin(o), np.sin(a)], axis=-1)
    q = spun(p, np.random.default_rng(7))
    bend = np.stack([layers(q, 2.1, 4, 0.5, 100 + 10 * k) for k in range(3)], axis=-1)
    # Bands along the latitudes: squeezed in z, as winds pull them.
    base = layers((q + 0.22 * bend) * (1, 1, 1.7), 2.6, 4, 0.55, 200)
    fine = layers(q + 0.10 * bend, 11.0, 6, 0.62, 300)
    cells = layers(p + 0.05 * bend, 42.0, 4, 0.6, 400)
    degrees = np.degrees(np.abs(a))
    climate = 0.16 * np.exp(-(((degrees - 3) / 8) ** 2)) - 0.16 * np.exp(
        -(((degrees - 23) / 10) ** 2)
    )
    climate += 0.14 * np.exp(-(((degrees - 55) / 16) ** 2))
    cover = 0.62 * base + 0.30 * fine + 0.09 * cells + climate
    thick = np.clip((cover - 0.02) / 0.75, 0, 1) ** 0.8
    veil = 0.16 * np.clip((cover + 0.25) / 0.6, 0, 1) ** 2
    grey = np.clip(thick + veil * (1 - thick), 0, 1)
    Image.fromarray(np.uint8(255 * grey + 0.5), "L").save(path, quality=78, optimize=True)


if __name__ == "__main__":
    main(sys.argv[1])

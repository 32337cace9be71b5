"""Pictures drawn here."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter


@pytest.fixture(scope="session")
def draw() -> Callable[[int, int], Image.Image]:
    """Makes a picture of its own for each seed, square, of so many pixels a side."""
    return draw_picture


@functools.cache
def draw_picture(seed: int, size: int) -> Image.Image:
    """A picture with what ours have: black sky with stars, a lit sphere, flat shapes, texture."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    cx, cy, radius = rng.uniform(-0.4, 0.4), rng.uniform(0.2, 0.9), rng.uniform(0.5, 0.9)
    inside = np.clip(1 - ((x - cx) ** 2 + (y - cy) ** 2) / radius**2, 0, 1)
    light = np.sqrt(inside) * np.clip(0.6 + 0.5 * x - 0.4 * y, 0, 1)
    texture = rng.normal(0, 1, (size // 4, size // 4)).astype(np.float32)
    rough = np.asarray(Image.fromarray(texture).resize((size, size), Image.Resampling.BICUBIC))
    colour = rng.uniform(60, 255, 3)
    pixels = (light * (1 + 0.15 * rough))[..., None] * colour
    stars = rng.random((size, size)) > 0.999
    pixels[stars & (inside == 0)] = 220
    image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(image)
    for _ in range(6):
        left, top = rng.integers(0, size * 3 // 4, 2)
        wide, high = rng.integers(size // 16, size // 4, 2)
        fill = tuple(int(level) for level in rng.integers(0, 255, 3))
        shape = pen.ellipse if rng.random() < 0.5 else pen.rectangle
        shape((int(left), int(top), int(left + wide), int(top + high)), fill=fill)
    return image.filter(ImageFilter.GaussianBlur(0.7))

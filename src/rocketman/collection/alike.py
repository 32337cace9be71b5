"""Near-duplicates: a perceptual hash of each picture, and which pictures to fold together.

Level 5. Reads pictures, needs numpy only. The hash is the low-frequency DCT sign hash known as
pHash (Zauner 2010): blind to size, compression and light, not to what is where.
Next: `rank.py` keeps the hashes, `pick.py` folds by them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE, LOW = 32, 8
ALIKE = 14
"""Bits, of 64, in which two near-duplicates differ at most. Unrelated pictures differ in 32 +- 4;
by eye, candidates of one prompt up to here are the same picture in another breath."""

Bits = NDArray[np.bool_]

_k, _x = np.ogrid[:LOW, :SIDE]
_COSINES = np.cos(np.pi * _k * (2 * _x + 1) / (2 * SIDE))
"""The first rows of the DCT-II, without scale: only signs against the median count."""


def fingerprint(picture: Image.Image) -> bytes:
    """8 bytes: which of the 8 x 8 lowest frequencies of its light lie above their median."""
    small = picture.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    light = np.asarray(small, dtype=np.float64)
    frequencies = _COSINES @ light @ _COSINES.T
    frequencies[0, 0] = 0  # the mean light
    return np.packbits(frequencies > np.median(frequencies)).tobytes()


def differing_bits(one: bytes, other: bytes) -> int:
    """In how many bits two fingerprints differ, 0 to 64."""
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()


def folds(fingerprints: Sequence[bytes]) -> list[int]:
    """For each picture, the first one that it is a near-duplicate of, itself if of none.

    The given order decides who stands for a fold: give the best first. Every picture of a fold is
    like the one that stands for it, so that folds do not grow along chains.
    """
    heads: list[int] = []
    found: list[int] = []
    for k, own in enumerate(fingerprints):
        like = (h for h in heads if differing_bits(own, fingerprints[h]) <= ALIKE)
        head = next(like, k)
        if head == k:
            heads.append(k)
        found.append(head)
    return found

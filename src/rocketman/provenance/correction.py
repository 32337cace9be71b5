"""The error correction of the watermark: 32 bits and a checksum as 192 signs, and back.

Level 1. A convolutional code bent into a circle (tail-biting), so that no signs are spent on its
ends. An eighth of the signs may be wrong, and more where each says how sure it is.
Next: `watermark.py` lays the signs on waves.
"""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

BITS, CHECK_BITS = 32, 16
POLYNOMIALS = (0o463, 0o535, 0o733, 0o745)
"""Rate 1/4, constraint length 9, free distance 24 (Larsen, IEEE Trans. IT 19, 1973)."""
MEMORY = 8
CODED = (BITS + CHECK_BITS) * len(POLYNOMIALS)


def codeword(bits: int) -> Floats:
    """192 signs for 32 bits. Tail-biting: the coder starts in the state in which it will end."""
    data = bits.to_bytes(BITS // 8, "big")
    check = zlib.crc32(data) & 0xFFFF
    message = f"{bits:0{BITS}b}{check:0{CHECK_BITS}b}"
    state = int(message[-1 : -MEMORY - 1 : -1], 2)  # the newest bit is the highest
    signs = []
    for bit in message:
        register = int(bit) << MEMORY | state
        signs += [1 - 2 * ((register & mask).bit_count() & 1) for mask in POLYNOMIALS]
        state = register >> 1
    return np.array(signs, np.float32)


def decode(soft: Floats) -> list[int | None]:
    """The likeliest bits for each row of soft signs (B, 192), None where the checksum fails.

    Viterbi's algorithm, twice around the circle, read from the middle.
    """
    states = 1 << MEMORY
    register = np.arange(2 * states)
    outputs = np.array(
        [[1 - 2 * (int(r & mask).bit_count() & 1) for mask in POLYNOMIALS] for r in register],
        np.float32,
    )
    steps = BITS + CHECK_BITS
    gains = soft.reshape(len(soft), steps, len(POLYNOMIALS)) @ outputs.T
    # a register holds the new bit on top of the old state; registers 2s and 2s+1 lead to state s
    score = np.zeros((len(soft), states), np.float32)
    choices = np.empty((2 * steps, len(soft), states), np.uint8)
    for step in range(2 * steps):
        arriving = (np.tile(score, 2) + gains[:, step % steps]).reshape(len(soft), states, 2)
        choices[step] = arriving[..., 1] > arriving[..., 0]
        score = arriving.max(axis=2)
        score -= score.max(axis=1, keepdims=True)
    state = score.argmax(axis=1)
    rows = np.arange(len(soft))
    found = np.zeros((2 * steps, len(soft)), np.uint8)
    for step in reversed(range(2 * steps)):
        came = 2 * state + choices[step, rows, state]
        found[step] = came >> MEMORY
        state = came & (states - 1)
    middle = np.roll(found[steps // 2 : steps // 2 + steps], steps // 2, axis=0)
    return [_checked("".join(map(str, column))) for column in middle.T]


def _checked(message: str) -> int | None:
    bits, check = int(message[:BITS], 2), int(message[BITS:], 2)
    return bits if zlib.crc32(bits.to_bytes(BITS // 8, "big")) & 0xFFFF == check else None

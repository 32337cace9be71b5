"""The astronaut: one of five suits, in a pose whose hands meet their grips.

Torso frame: origin at the sternum, metres; the astronaut faces -y, x points to the viewer's right
(the astronaut's left hand is at +x), z up. Helmet, trunk, pack, gloves and boots are built once a
process; sleeves, legs and cuffs are sewn for every picture.
Reads `poses.py`, `suits.py`, `limbs.py`, `helmets.py`.
"""

from __future__ import annotations

import random
from functools import partial

import bpy
import numpy as np
from mathutils import Matrix

from rocketman.scenes import limbs
from rocketman.scenes.helmets import helmet
from rocketman.scenes.kit import Kit, kept, show
from rocketman.scenes.poses import Arm, Leg, Pose
from rocketman.scenes.suits import SUITS, Suit, _belt, finish, torso


def build(suit: str, pose: Pose, at: Matrix, rng: random.Random) -> None:
    """An astronaut in one of the suits and in a pose from `poses.py`; `at`: torso -> world."""
    cut = SUITS[suit]
    style = partial(finish, suit)
    head = at @ Matrix(pose.head.tolist())
    for part, label, place in (
        ("trunk", "suit", at),
        ("pack", "pack", at),
        ("helmet", "helmet", head),
        ("visor", "visor", head),
    ):
        show(_kept(suit, part), label, place)
    sleeves, cuffs, trousers = Kit(), Kit(), Kit()
    for arm in pose.arms:
        _arm(suit, cut, arm, sleeves, cuffs, rng)
        hand = at @ Matrix(arm.hand.tolist())
        show(_kept(suit, f"glove {arm.curl} {arm.side}"), "glove", hand)
    for leg in pose.legs:
        _leg(suit, cut, leg, trousers, rng)
        show(_kept(suit, "boot"), "boot", at @ Matrix(leg.foot.tolist()))
    show(sleeves.mesh("sleeves", style), "suit", at)
    show(trousers.mesh("legs", style), "suit", at)
    show(cuffs.mesh("cuffs", style), "glove", at)


def _arm(suit: str, cut: Suit, arm: Arm, sleeves: Kit, cuffs: Kit, rng: random.Random) -> None:
    sleeve, ring = limbs.arm(sleeves, arm, cut.cloth, rng.randrange(1000))
    limbs.gauntlet(cuffs, arm, ring, cut.cloth.arm[2] * 0.93, rng.randrange(1000))
    # The outside of the upper arm carries a patch: the columns that look away from the body.
    rows, columns = sleeve.shape[:2]
    row = round(rows * 0.24)
    centre = sleeve[row].mean(axis=0)
    out = np.array([arm.side * 1.0, -0.75, 0.1])
    middle = int(np.argmax((sleeve[row] - centre) @ out))
    take = np.arange(middle - 3, middle + 4) % columns
    piece = sleeve[row - 4 : row + 5][:, take]
    # The picture stands upright: up the arm, and not mirrored.
    piece = piece[::-1]
    sleeves.decal(piece[:, ::-1], "flag" if arm.side > 0 else "patch")


def _leg(suit: str, cut: Suit, leg: Leg, trousers: Kit, rng: random.Random) -> None:
    limbs.leg(trousers, leg, cut.cloth, rng.randrange(1000))


def _kept(suit: str, part: str) -> bpy.types.Mesh:
    """A part that is the same in every picture."""
    cut = SUITS[suit]

    def made() -> bpy.types.Mesh:
        kind, *rest = part.split(" ")
        if kind == "glove":
            kit = limbs.glove(rest[0], int(rest[1]))  # type: ignore[arg-type]
        elif kind == "boot":
            kit = limbs.boot(cut.boots)
        elif kind == "pack":
            kit = Kit()
            cut.back(kit)
        elif kind == "trunk":
            kit = _trunk(cut)
        else:
            kit = helmet(cut.helmet)[kind == "visor"]
        return kit.mesh("part", partial(finish, suit))

    return kept(f"{suit} {part}", made)


def _trunk(cut: Suit) -> Kit:
    kit = Kit()
    skin = torso(kit, cut)
    cut.chest(kit)
    ring = [(0.160, 0.225), (0.200, 0.222), (0.207, 0.232), (0.196, 0.240), (0.196, 0.247),
            (0.206, 0.252), (0.204, 0.264), (0.170, 0.272)]  # fmt: skip
    kit.lathe(ring, "ring", columns=48)
    if cut.hard:
        _belt(kit, cut, -0.245, "ring", 0.035, 0.012)
    # Name plate on the breast, emblem on the other.
    for x, slot, rows, wide in (
        (-0.14, "emblem", (-0.02, 0.075), 4),
        (0.13, "label", (0.1, 0.14), 3),
    ):
        z = skin[:, 0, 2]
        low, high = int(np.searchsorted(z, rows[0] + 0.05)), int(np.searchsorted(z, rows[1] + 0.05))
        front = skin[(low + high) // 2]
        column = int(np.argmin(np.where(front[:, 1] < 0, np.abs(front[:, 0] - x), 9)))
        piece = skin[low : high + 1, column - wide : column + wide + 1]
        kit.decal(piece, slot)
    return kit

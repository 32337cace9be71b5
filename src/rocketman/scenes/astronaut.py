"""The astronaut: one of five suits, in a pose whose hands meet their grips.

Torso frame: origin at the sternum, metres; the astronaut faces -y, x points to the viewer's right
(the astronaut's left hand is at +x), z up. Helmet, trunk, pack, gloves and boots are built once a
process; sleeves, legs and cuffs are sewn for every picture.
Reads `poses.py`, `suits.py`, `limbs.py`, `helmets.py`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial

import bpy
import numpy as np
from mathutils import Matrix

from rocketman.data.pictures import LABELS
from rocketman.scenes import limbs, shapes
from rocketman.scenes.helmets import helmet
from rocketman.scenes.kit import PLATE, POCKET, ROUND, Array, Kit, shift
from rocketman.scenes.poses import Arm, Leg, Pose
from rocketman.scenes.suits import SUITS, finish
from rocketman.scenes.trunk import Suit, belt, torso

SHIELD = np.array([(0.06, 0.96), (0.28, 0.97), (0.5, 0.97), (0.72, 0.97), (0.94, 0.96), (0.94, 0.7),
                   (0.93, 0.5), (0.87, 0.3), (0.76, 0.15), (0.62, 0.06), (0.5, 0.03), (0.38, 0.06),
                   (0.24, 0.15), (0.13, 0.3), (0.07, 0.5), (0.06, 0.7)])[::-1]  # fmt: skip
"""Outline of the emblem."""


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
    show(sewn(sleeves, "sleeves", style), "suit", at)
    show(sewn(trousers, "legs", style), "suit", at)
    show(sewn(cuffs, "cuffs", style), "glove", at)


def _arm(suit: str, cut: Suit, arm: Arm, sleeves: Kit, cuffs: Kit, rng: random.Random) -> None:
    sleeve, ring = limbs.arm(sleeves, arm, cut.cloth, rng.randrange(1000))
    limbs.gauntlet(cuffs, arm, ring, cut.cloth.arm[2] * 0.93, rng.randrange(1000))
    # The outside of each upper arm carries a flag or a patch.
    row = round(len(sleeve) * 0.235)
    out = np.array([arm.side * 1.0, -0.75, 0.1])
    piece = _piece(sleeve, row, 5, 4, out)
    if arm.side > 0:
        sleeves.badge(piece, "flag", PLATE * (1, 0.62) + (0, 0.19))
    else:
        sleeves.badge(piece, "patch", ROUND)
    if arm.side > 0 and cut.checklist:
        # A booklet strapped on the cuff, to be read with the hand in front of the visor.
        board = ring @ shift(0, cut.cloth.arm[2] + 0.014, -0.052)
        sleeves.box((0.075, 0.02, 0.10), "dark", at=board, bevel=0.006)
        x, z = np.meshgrid(np.linspace(-0.033, 0.033, 3), np.linspace(-0.045, 0.045, 3))
        page = np.stack([-x, np.full_like(x, 0.0105), z], -1)
        sleeves.badge(page, "label", PLATE, at=board)


def _piece(surface: Array, row: int, rows: int, columns: int, out: Array) -> Array:
    """The part of a limb around `row` that looks to `out`, upright as a viewer sees it."""
    centre = surface[row].mean(axis=0)
    middle = int(np.argmax((surface[row] - centre) @ out))
    take = np.arange(middle - columns, middle + columns + 1) % surface.shape[1]
    piece = surface[max(row - rows, 0) : row + rows + 1][:, take]
    # Rows run down the limb: turned over, they run up; then columns run to the viewer's right.
    piece = piece[::-1]
    normal = np.cross(piece[0, -1] - piece[0, 0], piece[-1, 0] - piece[0, 0])
    result: Array = piece if normal @ out > 0 else piece[:, ::-1]
    return result


def _leg(suit: str, cut: Suit, leg: Leg, trousers: Kit, rng: random.Random) -> None:
    trouser, _ = limbs.leg(trousers, leg, cut.cloth, rng.randrange(1000))
    if cut.pockets:
        out = np.array([leg.side * 0.9, -0.9, 0.0])
        row = round(len(trouser) * 0.37)
        trousers.badge(_piece(trouser, row, 9, 6, out), "fabric", POCKET, lift=0.013)
        flap = _piece(trouser, row - 7, 2, 6, out)
        trousers.badge(flap, "fabric", POCKET, lift=0.018, tone=-0.06)


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
        return sewn(kit, "part", partial(finish, suit))

    return kept(f"{suit} {part}", made)


def _trunk(cut: Suit) -> Kit:
    kit = Kit()
    skin = torso(kit, cut)
    cut.chest(kit, cut)
    ring = [(0.160, 0.225), (0.200, 0.222), (0.207, 0.232), (0.196, 0.240), (0.196, 0.247),
            (0.206, 0.252), (0.204, 0.264), (0.170, 0.272)]  # fmt: skip
    kit.lathe(ring, "ring", columns=48)
    if cut.hard:
        belt(kit, cut, -0.245, "ring", 0.035, 0.012)
    # The emblem on one breast, the name plate on the other.
    front = np.array([0.0, -1.0, 0.0])
    z = skin[:, 0, 2]
    apart = cut.breast
    for x, height, rows, columns, slot in ((-apart, 0.125, 4, 2, "emblem"),
                                           (apart, 0.14, 2, 2, "label")):  # fmt: skip
        row = int(np.searchsorted(z, height))
        face = np.where(skin[row, :, 1] < 0, np.abs(skin[row, :, 0] - x), 9.0)
        middle = int(np.argmin(face))
        piece = skin[row - rows : row + rows + 1, middle - columns : middle + columns + 1]
        if (piece[0, -1] - piece[0, 0])[0] < 0:
            piece = piece[:, ::-1]
        assert piece[0, 0] @ front > 0
        kit.badge(piece, slot, SHIELD if slot == "emblem" else PLATE)
    return kit


def sewn(kit: Kit, name: str, surfaces: Callable[[str], bpy.types.Material]) -> bpy.types.Mesh:
    """The mesh; `surfaces` finds a material by the name of its slot."""
    data = bpy.data.meshes.new(name)
    points = np.concatenate(kit.points).astype(np.float32)
    corners = np.concatenate(kit.corners).astype(np.int32)
    sizes = np.concatenate(kit.sizes).astype(np.int32)
    data.vertices.add(len(points))
    data.vertices.foreach_set("co", points.reshape(-1))
    data.loops.add(len(corners))
    data.loops.foreach_set("vertex_index", corners)
    data.polygons.add(len(sizes))
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int32)
    data.polygons.foreach_set("loop_start", starts)
    data.polygons.foreach_set("material_index", np.concatenate(kit.slots).astype(np.int32))
    data.polygons.foreach_set("use_smooth", np.concatenate(kit.smooth))
    tone = data.attributes.new("tone", "FLOAT", "POINT")
    tone.data.foreach_set("value", np.concatenate(kit.tone).astype(np.float32))
    uv = data.attributes.new("place", "FLOAT2", "POINT")
    uv.data.foreach_set("vector", np.concatenate(kit.uv).astype(np.float32).reshape(-1))
    for slot in kit.names:
        data.materials.append(surfaces(slot))
    data.update(calc_edges=True)
    return data


def kept(name: str, build: Callable[[], bpy.types.Mesh]) -> bpy.types.Mesh:
    """The mesh of this name, built on its first use and then kept for the whole process."""
    found = bpy.data.meshes.get(name)
    if found is None:
        found = build()
        found.name = name
        shapes.keep(found)
    return found


def show(data: bpy.types.Mesh, label: str, at: Matrix) -> bpy.types.Object:
    """A mesh becomes an object of the scene that shows `label`."""
    made = bpy.data.objects.new(label, data)
    made.matrix_world = at
    made.pass_index = LABELS.index(label)
    bpy.context.scene.collection.objects.link(made)
    return made

"""Wind and percussion: held where players hold them; built to their holds, and cheap."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from rocketman.captions import PERCUSSION, WINDS
from rocketman.scenes.holds import Grip, Hold, Point
from rocketman.scenes.percussion_holds import PERCUSSION_HOLDS
from rocketman.scenes.wind_holds import WIND_HOLDS

ALL = {**WIND_HOLDS, **PERCUSSION_HOLDS}
LIPS: dict[str, Point] = {
    "trumpet": (-0.358, -0.024, 0.055),
    "trombone": (-0.41, 0.0, -0.125),
    "french horn": (0.135, 0.2, 0.3),
    "saxophone": (-0.335, 0.0, 0.333),
    "flute": (0.2, 0.01, 0.025),
    "clarinet": (0.0, 0.011, 0.409),
}
"""Where each is blown, in its own frame."""


def in_torso(hold: Hold, point: Point) -> np.ndarray:
    there: np.ndarray = hold.held[:3, :3] @ np.asarray(point) + hold.held[:3, 3]
    return there


def test_every_level_has_a_hold() -> None:
    assert set(WIND_HOLDS) == set(WINDS)
    assert set(PERCUSSION_HOLDS) == set(PERCUSSION)


@pytest.mark.parametrize("name", ALL)
def test_held_without_stretching_or_mirroring(name: str) -> None:
    turn = ALL[name].held[:3, :3]
    assert np.allclose(turn.T @ turn, np.eye(3), atol=1e-9)
    assert np.linalg.det(turn) == pytest.approx(1.0)
    low, high = ALL[name].yaw
    assert -60 < low < high < 60


@pytest.mark.parametrize("name", WINDS)
def test_blown_at_the_visor(name: str) -> None:
    at = in_torso(WIND_HOLDS[name], LIPS[name])
    assert np.linalg.norm(at - (0.0, -0.31, 0.355)) < 0.04, at


@pytest.mark.parametrize("name", ALL)
def test_hands_are_on_the_instrument(name: str) -> None:
    hold = ALL[name]
    for grip in (hold.right, hold.left):
        outside = np.maximum(np.asarray(hold.low) - grip.at, np.asarray(grip.at) - hold.high)
        # A hand about to strike is a little off the tambourine's skin or the drum.
        assert outside.max() < 0.13, (grip.at, outside)
    right, left = in_torso(hold, hold.right.at), in_torso(hold, hold.left.at)
    assert np.linalg.norm(right - left) > 0.10, "two gloves in one place"


@pytest.mark.parametrize("name", ["drum kit", "xylophone"])
def test_sticks_go_through_the_fists(name: str) -> None:
    for grip in (ALL[name].right, ALL[name].left):
        assert grip.tool
        start, end, palm = map(np.asarray, (grip.tool_from, grip.tool_to, grip.at))
        way = (end - start) / np.linalg.norm(end - start)
        off = (palm - start) - way * ((palm - start) @ way)
        assert np.linalg.norm(off) < 0.03
        assert 0.25 < np.linalg.norm(end - start) < 0.6


def test_a_grip_is_where_it_says() -> None:
    """The flute is held by its tube, the trumpet at its valves."""
    flute: tuple[Grip, Grip] = (WIND_HOLDS["flute"].right, WIND_HOLDS["flute"].left)
    for grip in flute:
        assert np.hypot(grip.at[1], grip.at[2]) < 0.05
    # The flute's player has the left hand nearer to the lips.
    assert flute[0].at[0] < flute[1].at[0] < LIPS["flute"][0]
    # On reeds the left hand is the upper one.
    for name in ("saxophone", "clarinet"):
        assert WIND_HOLDS[name].left.at[2] > WIND_HOLDS[name].right.at[2] + 0.1


def points(made: Any) -> np.ndarray:
    """(N, 3) the vertices of a Blender object in the world."""
    local = np.empty(3 * len(made.data.vertices), np.float32)
    made.data.vertices.foreach_get("co", local)
    place = np.array(made.matrix_world)
    world: np.ndarray = local.reshape(-1, 3) @ place[:3, :3].T + place[:3, 3]
    return world


@pytest.mark.parametrize("name", ALL)
def test_built_as_large_as_held_and_cheap(name: str) -> None:
    bpy = pytest.importorskip("bpy")
    from mathutils import Matrix

    from rocketman.data.pictures import LABELS
    from rocketman.scenes.instruments import BUILDERS

    for seed in range(3):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        BUILDERS[name](Matrix.Identity(4), random.Random(seed))
        objects = bpy.data.objects
        corners = np.concatenate([points(o) for o in objects])
        hold = ALL[name]
        assert np.isfinite(corners).all()
        assert (corners.min(axis=0) > np.asarray(hold.low) - 0.02).all(), corners.min(axis=0)
        assert (corners.max(axis=0) < np.asarray(hold.high) + 0.02).all(), corners.max(axis=0)
        # The box is no larger than what it holds.
        assert (np.abs(corners.min(axis=0) - hold.low) < 0.05).all(), corners.min(axis=0)
        assert (np.abs(corners.max(axis=0) - hold.high) < 0.05).all(), corners.max(axis=0)
        assert len(corners) < (40_000 if name == "drum kit" else 25_000)
        assert len(objects) <= 8
        assert len(bpy.data.materials) <= 8
        assert {o.pass_index for o in objects} == {LABELS.index("instrument")}


def test_finishes_differ_by_seed_and_only_by_seed() -> None:
    bpy = pytest.importorskip("bpy")
    from mathutils import Matrix

    from rocketman.scenes.instruments import BUILDERS

    def look(seed: int) -> list[float]:
        bpy.ops.wm.read_factory_settings(use_empty=True)
        BUILDERS["drum kit"](Matrix.Identity(4), random.Random(seed))
        hoops = bpy.data.materials["bass hoops"].node_tree.nodes["Principled BSDF"]
        return list(hoops.inputs["Base Color"].default_value)

    looks = [look(seed) for seed in range(6)]
    assert looks[0] == look(0)
    assert len({tuple(one) for one in looks}) > 2

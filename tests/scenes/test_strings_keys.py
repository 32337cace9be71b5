"""Strings and keys: held where players hold them; built to their holds, and cheap."""

from __future__ import annotations

import itertools
import random
from typing import Any

import numpy as np
import pytest

from rocketman.captions import INSTRUMENTS, KEYS, STRINGS
from rocketman.data.pictures import LABELS
from rocketman.scenes.all_holds import HOLDS
from rocketman.scenes.holds import Point
from rocketman.scenes.poses import BODY, gaps

OURS = (*STRINGS, *KEYS)
FRETTED = {"guitar": 0.35, "electric guitar": 0.38, "bass": 0.54, "banjo": 0.33, "ukulele": 0.185}
"""Height of the nut in the instrument's frame."""


def in_torso(name: str, point: Point) -> np.ndarray:
    held = HOLDS[name].held
    there: np.ndarray = held[:3, :3] @ np.asarray(point) + held[:3, 3]
    return there


def test_every_level_has_a_hold() -> None:
    assert set(HOLDS) == set(INSTRUMENTS)


@pytest.mark.parametrize("name", OURS)
def test_held_without_shearing_or_mirroring(name: str) -> None:
    turn = HOLDS[name].held[:3, :3]
    size = np.linalg.det(turn) ** (1 / 3)
    assert 0.999 < size < 1.15
    assert np.allclose(turn.T @ turn, size**2 * np.eye(3), atol=1e-9)


@pytest.mark.parametrize("name", OURS)
def test_no_instrument_goes_through_the_body(name: str) -> None:
    for solid in HOLDS[name].solid:
        start, end = in_torso(name, solid.start), in_torso(name, solid.end)
        for part in BODY:
            apart = float(gaps(start, end, np.asarray(part.start), np.asarray(part.end)))
            assert apart > solid.radius + part.radius, (solid, part, apart)


@pytest.mark.parametrize("name", FRETTED)
def test_left_hand_on_the_neck_right_hand_at_the_strings(name: str) -> None:
    hold, nut = HOLDS[name], FRETTED[name]
    assert 0 < hold.left.at[2] < nut
    assert hold.left.at[1] > hold.right.at[1], "one hand behind the neck, one before the strings"
    assert hold.right.at[2] < -0.1
    # The neck goes up to the astronaut's left, the low string is the upper one.
    head, body = in_torso(name, (0, 0, nut)), in_torso(name, (0, 0, -0.2))
    assert head[0] > body[0] + 0.2
    assert head[2] > body[2]
    assert in_torso(name, (-0.02, 0, 0))[2] > in_torso(name, (0.02, 0, 0))[2]


@pytest.mark.parametrize("name", ["violin", "cello"])
def test_the_bow_is_held_at_its_frog_and_crosses_the_strings(name: str) -> None:
    grip = HOLDS[name].right
    frog, tip = np.asarray(grip.tool_from), np.asarray(grip.tool_to)
    assert grip.tool == "bow"
    assert np.linalg.norm(np.subtract(grip.at, frog)) < 0.03
    assert frog[0] * tip[0] < 0, "one end on either side of the strings"
    assert 0.55 < np.linalg.norm(tip - frog) < 0.80
    # A violin's frog is at its high string, a cello's at its low one: both at the right hand.
    assert in_torso(name, grip.tool_from)[0] < in_torso(name, grip.tool_to)[0]


def test_players_of_large_instruments_sit() -> None:
    assert {name for name in OURS if HOLDS[name].seated} == {"cello", "grand piano"}


def points(made: Any) -> np.ndarray:
    """(N, 3) the vertices of a Blender object in the world."""
    local = np.empty(3 * len(made.data.vertices), np.float32)
    made.data.vertices.foreach_get("co", local)
    matrix = np.array(made.matrix_world)
    there: np.ndarray = local.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]
    return there


@pytest.mark.parametrize("name", OURS)
def test_built_to_its_hold_and_cheap(name: str) -> None:
    bpy = pytest.importorskip("bpy", reason="needs the extra `scenes`")
    from mathutils import Matrix

    from rocketman.scenes import instruments, shapes

    bpy.ops.wm.read_factory_settings(use_empty=True)
    built = []
    for seed in (1, 1, 2):
        shapes.clear()
        instruments.BUILDERS[name](Matrix.Identity(4), random.Random(seed))
        built.append(np.concatenate([points(made) for made in bpy.data.objects]))
        assert all(made.pass_index == LABELS.index("instrument") for made in bpy.data.objects)
    assert np.array_equal(built[0], built[1]), "the same seed draws another instrument"
    assert len(built[0]) < 25_000
    assert len(bpy.data.objects) <= 8
    assert len(bpy.data.materials) <= 8
    for cloud in built:
        assert np.isfinite(cloud).all()
        assert np.abs(cloud.min(axis=0) - HOLDS[name].low).max() < 0.02
        assert np.abs(cloud.max(axis=0) - HOLDS[name].high).max() < 0.02


def test_forms_join_and_face_outwards() -> None:
    pytest.importorskip("bpy", reason="needs the extra `scenes`")
    from rocketman.scenes import forms

    def volume(form: forms.Form) -> float:
        """By the divergence theorem over fans of each face: positive where faces look outwards."""
        total, first = 0.0, 0
        for size in form.sizes:
            corner = form.vertices[form.corners[first : first + size]]
            first += size
            for a, b in itertools.pairwise(corner):
                total += float(corner[0] @ np.cross(a, b)) / 6
        return total

    cube = forms.boxes([((3, 2, 1), (1, 1, 1))])
    assert volume(cube) == pytest.approx(1.0)
    assert 0.9 < volume(forms.boxes([((3, 2, 1), (1, 1, 1))], cut=0.1)) < 1.0
    assert volume(forms.rods([((0, 0, 0), (0, 0, 2))], 1.0, segments=64)) == pytest.approx(
        2 * np.pi, rel=0.01
    )
    square = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)]
    assert abs(volume(forms.plate(square, 0.0, 0.5))) == pytest.approx(2.0)
    both = forms.joined([cube, cube.shifted(5, 0, 0)])
    assert volume(both) == pytest.approx(2.0)
    assert len(both.vertices) == 16
    assert both.corners.max() == 15

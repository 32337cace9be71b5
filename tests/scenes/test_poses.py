"""Poses are measured without rendering: hands on their grips, limbs through nothing, heads seen."""

from __future__ import annotations

import random
from dataclasses import replace
from math import degrees

import numpy as np
import pytest

from rocketman.scenes import poses
from rocketman.scenes.all_holds import HOLDS
from rocketman.scenes.holds import Capsule
from rocketman.scenes.poses import BODY, Pose, arm_depth, leg_depth, vec
from rocketman.scenes.spec import draw
from rocketman.scenes.staging import at, stage

CLOTH_GIVES = 0.015
"""Metres by which soft limbs may press into a body or an instrument."""


def posed(seed: int) -> tuple[str, Pose]:
    names = sorted(HOLDS)
    name = names[seed % len(names)]
    return name, poses.playing(HOLDS[name], random.Random(f"pose {seed}"))


@pytest.fixture(scope="module")
def played() -> list[tuple[str, Pose]]:
    return [posed(seed) for seed in range(500)]


@pytest.fixture(scope="module")
def floating() -> list[Pose]:
    return [poses.floating(random.Random(f"free {seed}")) for seed in range(300)]


def test_every_hand_is_on_its_grip(played: list[tuple[str, Pose]]) -> None:
    for name, pose in played:
        hold = HOLDS[name]
        for arm, grip in zip(pose.arms, (hold.right, hold.left), strict=True):
            where = at(hold.held, grip.at)
            assert np.linalg.norm(arm.palm - where) < 0.02, (name, arm.side, where)
            # The palm faces what it holds.
            assert -arm.hand[:3, 1] @ poses.unit(hold.held[:3, :3] @ vec(grip.palm)) > 0.99, name


def test_bones_keep_their_length(played: list[tuple[str, Pose]], floating: list[Pose]) -> None:
    for pose in [pose for _, pose in played] + floating:
        for arm in pose.arms:
            assert np.linalg.norm(arm.elbow - arm.shoulder) == pytest.approx(poses.UPPER_ARM)
            assert np.linalg.norm(arm.wrist - arm.elbow) == pytest.approx(poses.FOREARM)
            home = vec((arm.side * poses.SHOULDER[0], *poses.SHOULDER[1:]))
            assert np.linalg.norm(arm.shoulder - home) <= poses.SHRUG + 1e-9
        for leg in pose.legs:
            assert np.linalg.norm(leg.knee - leg.hip) == pytest.approx(poses.THIGH)
            assert np.linalg.norm(leg.ankle - leg.knee) == pytest.approx(poses.SHIN)
        for turned in (pose.head, *(a.hand for a in pose.arms), *(x.foot for x in pose.legs)):
            assert np.allclose(turned[:3, :3].T @ turned[:3, :3], np.eye(3), atol=1e-9)
            assert np.linalg.det(turned[:3, :3]) == pytest.approx(1.0)


def test_no_limb_goes_through_the_body(
    played: list[tuple[str, Pose]], floating: list[Pose]
) -> None:
    for name, pose in [*played, *(("floating", pose) for pose in floating)]:
        for arm in pose.arms:
            assert arm_depth(arm, BODY) < CLOTH_GIVES, (name, arm.side, arm_depth(arm, BODY))
        for leg in pose.legs:
            # Pack and helmet; thighs leave the trunk at the hips.
            assert leg_depth(leg, BODY[2:]) < CLOTH_GIVES, (name, leg.side)
        right, left = pose.legs
        apart = poses.gaps(right.knee, right.ankle, left.knee, left.ankle)
        assert apart > 0.15, (name, "shins", float(apart))


def test_no_limb_goes_through_the_instrument(played: list[tuple[str, Pose]]) -> None:
    for name, pose in played:
        solids = poses.moved(HOLDS[name].solid, HOLDS[name].held)
        for arm in pose.arms:
            assert arm_depth(arm, solids) < CLOTH_GIVES, (name, arm.side, arm_depth(arm, solids))
        for leg in pose.legs:
            assert leg_depth(leg, solids) < CLOTH_GIVES, (name, leg.side, leg_depth(leg, solids))


def test_legs_and_arms_keep_apart(played: list[tuple[str, Pose]], floating: list[Pose]) -> None:
    for name, pose in [*played, *(("floating", pose) for pose in floating)]:
        for arm in pose.arms:
            for leg in pose.legs:
                shin = poses.gaps(arm.elbow, arm.wrist, leg.knee, leg.ankle)
                assert shin > 0.10, (name, arm.side, leg.side, float(shin))


def test_wrists_bend_no_further_than_wrists(played: list[tuple[str, Pose]]) -> None:
    for name, pose in played:
        for arm in pose.arms:
            along = poses.unit(arm.wrist - arm.elbow) @ arm.hand[:3, 2]
            assert degrees(np.arccos(along)) < 95, (name, arm.side)


def test_heads_hands_and_instruments_are_in_the_picture() -> None:
    """The camera of the same scene shows the helmet and all that the scene is about."""
    for index in range(250):
        scene = draw(3, index)
        placed = stage(scene)
        assert np.abs(placed.camera.project(placed.must)).max() < 1.0, scene.index
        if placed.pose is None or placed.body is None:
            continue
        head = at(placed.body, placed.pose.head[:3, 3])
        ball = head + 0.25 * np.concatenate([np.eye(3), -np.eye(3)])
        assert np.abs(placed.camera.project(ball)).max() < 1.0, scene.index


def test_same_seed_same_pose() -> None:
    one, other = (poses.floating(random.Random("again")) for _ in range(2))
    for a, b in zip(one.arms, other.arms, strict=True):
        assert np.array_equal(a.hand, b.hand)
        assert np.array_equal(a.elbow, b.elbow)
    assert np.array_equal(one.head, other.head)


def test_free_poses_differ(floating: list[Pose]) -> None:
    palms = np.array([np.concatenate([arm.palm for arm in pose.arms]) for pose in floating])
    assert palms.std(axis=0).min() > 0.08
    assert len({tuple(arm.curl for arm in pose.arms) for pose in floating}) > 6


def test_an_elbow_goes_round_what_is_in_its_way() -> None:
    hold = HOLDS["keyboard"]
    free = poses.playing(hold, random.Random(1)).right
    x, y, z = (float(value) for value in free.elbow)
    way = (x, y, z)
    wall = Capsule(start=way, end=way, radius=0.05)
    held = np.linalg.inv(vec(hold.held)).astype(np.float64)
    inside = poses.moved((wall,), held)
    moved = poses.playing(replace(hold, solid=inside), random.Random(1)).right
    assert np.linalg.norm(moved.elbow - free.elbow) > 0.08
    assert np.allclose(moved.palm, free.palm)


def test_segments_and_their_distance() -> None:
    def gap(a: object, b: object, c: object, d: object) -> float:
        return float(poses.gaps(vec(a), vec(b), vec(c), vec(d)))

    assert gap((0, 0, 0), (1, 0, 0), (0.5, 1, -1), (0.5, 1, 1)) == pytest.approx(1.0)
    assert gap((0, 0, 0), (1, 0, 0), (3, 0, 0), (4, 0, 0)) == pytest.approx(2.0)
    assert gap((0, 0, 0), (1, 0, 0), (0, 2, 0), (1, 2, 0)) == pytest.approx(2.0)
    assert gap((0, 0, 0), (0, 0, 0), (3, 4, 0), (3, 4, 0)) == pytest.approx(5.0)

"""What matters is inside the frame, for 500 seeds, without rendering."""

import numpy as np
import pytest

from rocketman.scenes import staging
from rocketman.scenes.all_holds import HOLDS
from rocketman.scenes.camera import EDGE, NEAREST
from rocketman.scenes.spec import draw

STAGES = [(draw(3, index), staging.stage(draw(3, index))) for index in range(500)]


def test_helmet_instrument_and_hands_are_inside_the_frame() -> None:
    for scene, stage in STAGES:
        seen = stage.camera.project(stage.must)
        assert np.abs(seen).max() <= EDGE + 1e-6, scene.caption
        if stage.body is not None and stage.pose is not None:
            head = staging.at(stage.body, stage.pose.head[:3, 3])
            ball = head + 0.25 * np.concatenate([np.eye(3), -np.eye(3)])
            assert np.abs(stage.camera.project(ball)).max() <= 1, scene.caption
        if stage.instrument is not None and scene.factors.instrument:
            corners = staging.box(HOLDS[scene.factors.instrument], stage.instrument)
            assert np.abs(stage.camera.project(corners)).max() <= 1, scene.caption


def test_subject_is_large() -> None:
    """Nothing could come nearer: what must be seen spans `fill` of the picture in one direction."""
    for scene, stage in STAGES:
        seen = stage.camera.project(stage.must)
        span = (seen.max(axis=0) - seen.min(axis=0)).max() / 2
        depth = (stage.must - stage.camera.matrix[:3, 3]) @ -stage.camera.matrix[:3, 2]
        near = depth.min() < NEAREST + 1e-6
        assert near or span == pytest.approx(scene.fill, abs=0.12), scene.caption


def test_camera_is_never_inside_anything() -> None:
    for scene, stage in STAGES:
        depth = (stage.must - stage.camera.matrix[:3, 3]) @ -stage.camera.matrix[:3, 2]
        assert depth.min() >= NEAREST - 1e-9, scene.caption
        turn = stage.camera.matrix[:3, :3]
        assert np.allclose(turn.T @ turn, np.eye(3))
        assert np.linalg.det(turn) > 0


def test_beside_is_apart() -> None:
    for scene, stage in STAGES:
        if scene.factors.relation != "beside":
            continue
        assert stage.pose
        assert stage.body is not None
        assert stage.instrument is not None
        corners = staging.box(HOLDS[str(scene.factors.instrument)], stage.instrument)
        palms = [staging.at(stage.body, arm.palm) for arm in stage.pose.arms]
        near = (scene.side * corners[:, 0]).min()
        assert all(scene.side * palm[0] < near for palm in palms), scene.caption

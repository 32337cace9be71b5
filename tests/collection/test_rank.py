"""The ranking: what each part measures, how they are weighed, that nothing is measured twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from rocketman.collection import plan as plans
from rocketman.collection import rank
from rocketman.collection.alike import differing_bits, fingerprint, folds
from rocketman.collection.run import run
from rocketman.collection.store import Store
from rocketman.collection.works import load_works

Make = Callable[..., Path]


def scene(seed: int, side: int = 128) -> Image.Image:
    """A smooth picture with one bright disc."""
    generator = np.random.default_rng(seed)
    small = generator.integers(0, 255, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((side, side), Image.Resampling.BICUBIC)


def test_a_fingerprint_survives_what_a_near_duplicate_goes_through() -> None:
    pictures = [scene(seed) for seed in range(40)]
    for picture in pictures:
        own = fingerprint(picture)
        smaller = picture.resize((64, 64)).filter(ImageFilter.GaussianBlur(1))
        darker = picture.point(lambda value: int(value * 0.8))
        assert max(differing_bits(own, fingerprint(p)) for p in (smaller, darker)) <= 4
    apart = [
        differing_bits(fingerprint(a), fingerprint(b))
        for k, a in enumerate(pictures)
        for b in pictures[:k]
    ]
    assert 28 < np.mean(apart) < 36
    assert np.mean(np.array(apart) <= 14) < 0.005


def test_folds_do_not_grow_along_chains() -> None:
    def bits(count: int) -> bytes:
        return ((1 << count) - 1).to_bytes(8, "big")

    assert folds([bits(0), bits(14), bits(28), bits(64), bits(50)]) == [0, 0, 2, 3, 3]
    assert folds([bits(14), bits(0), bits(28)]) == [0, 0, 0]


def test_sharper_is_higher() -> None:
    generator = np.random.default_rng(1)
    noisy = Image.fromarray(generator.integers(0, 255, (64, 64, 3), dtype=np.uint8)).resize(
        (256,) * 2
    )
    values = [rank.sharpness(noisy.filter(ImageFilter.GaussianBlur(r))) for r in (0, 2, 4)]
    assert values[0] > 2 * values[1] > 4 * values[2] > 0


def test_shares_count_equals_half() -> None:
    values = np.array([3, 1, 1, 2], dtype=np.float32)
    assert rank.share_below(values).tolist() == pytest.approx([1, 1 / 6, 1 / 6, 2 / 3])
    assert np.isnan(rank.share_below(values[:1])).all()


def test_variety_looks_at_other_prompts_only() -> None:
    vectors = np.array([[1, 0], [1, 0], [0, 1], [0.6, 0.8]], dtype=np.float32)
    assert rank.unlike_others(vectors, [0, 0, 1, 1]).tolist() == pytest.approx([0.4, 0.4, 1, 0.4])
    assert np.isnan(rank.unlike_others(vectors, [0] * 4)).all()


def test_what_cannot_be_told_leaves_its_weight_to_the_rest() -> None:
    assert sum(rank.WEIGHTS.values()) == pytest.approx(1)
    assert set(rank.SAID) == set(rank.WEIGHTS)
    assert rank.weighed({}) == 0
    assert rank.weighed({"sharpness": 0.5}) == pytest.approx(0.5)
    assert rank.weighed({"agreement": 1, "sharpness": 0}) == pytest.approx(0.8)


def test_nothing_is_measured_twice(collection: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also: the best-ranked candidate of each prompt is shown, a damaged one never."""
    folder = collection()
    run(folder)
    plan = plans.read(folder)
    measured: list[str] = []

    def agreement(pictures: Sequence[Image.Image], prompts: Sequence[str]) -> list[rank.Value]:
        measured.extend(prompts)
        return [float(prompts[:k].count(text)) for k, text in enumerate(prompts)]  # later is better

    measures, _ = rank.measures_of(plan.model)
    more = {**measures, "agreement": rank.Measure(made_by="test", of=agreement)}
    monkeypatch.setattr(rank, "measures_of", lambda model: (more, ()))
    works, remarks = load_works(plan)
    assert remarks == ()
    assert len(measured) == 12
    assert [work.row.candidate for work in works] == [1] * 6
    with Store(folder) as store:
        ranking = rank.rank(plan, store, store.rows())
    assert len(measured) == 12
    assert ranking.why(2)[0] == "100% sure that it shows what was asked for"
    assert list(ranking.parts[2]) == ["agreement", "sharpness", "variety"]
    assert 0 <= min(ranking.scores.values()) <= max(ranking.scores.values()) <= 1

    more["agreement"] = rank.Measure(made_by="better", of=agreement)
    load_works(plan)
    assert len(measured) == 24  # by other probes: all again
    (folder / "pictures" / str(works[0].row.file)).write_bytes(b"broken")
    with Store(folder) as store:
        store._db.execute("DELETE FROM looks")
    works, _ = load_works(plan)
    assert [work.row.candidate for work in works] == [0] + [1] * 5


def test_a_lost_picture_that_was_measured_in_part_has_no_rank(collection: Make) -> None:
    """By probes of an earlier version, say: what they measured is not asked for any more."""
    folder = collection()
    run(folder)
    plan = plans.read(folder)
    with Store(folder) as store:
        rank.rank(plan, store, store.rows())
        store._db.execute("UPDATE looks SET made_by = 'earlier' WHERE name = 'vector'")
        lost = store.rows()[0]
        (folder / "pictures" / str(lost.file)).unlink()
        parts = rank.rank(plan, store, store.rows()).parts
    assert len(parts) == 11
    assert lost.id not in parts


def test_what_a_person_said_comes_first(collection: Make) -> None:
    folder = collection()
    run(folder)
    plan = plans.read(folder)
    with Store(folder) as store:
        worse = min(rank.rank(plan, store, store.rows()).scores.items(), key=lambda kv: kv[1])[0]
        store.record([("rate", worse, 3)])
    works, remarks = load_works(plan)
    assert worse in [work.row.id for work in works]
    assert "has no probes" in remarks[0]


def test_the_model_that_ships_is_ranked_by_every_part() -> None:
    measures, remarks = rank.measures_of(None)
    assert remarks == ()
    prompts = ["an astronaut in a red suit playing a harp above mars", "nothing known"]
    pictures = [scene(1), scene(2)]
    told, silent = measures["agreement"].of(pictures, prompts)
    assert isinstance(told, float)
    assert 0 <= told <= 1
    assert silent is None
    for value in measures["newness"].of(pictures, prompts):
        assert isinstance(value, float)
        assert 0 <= value <= 1

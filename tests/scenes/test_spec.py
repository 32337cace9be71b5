"""Seeds become scenes: the same on every machine, balanced, and never across a split."""

import json
from collections import Counter

import pytest

from rocketman.captions import FACTORS, INSTRUMENTS, PLACES, SHOTS, SUITS, split_of, unplayed
from rocketman.scenes.spec import RELATION_SHARES, Scene, draw, from_json

SCENES = [draw(1, index) for index in range(4000)]
TRAIN = [scene for scene in SCENES if scene.split == "train"]


def test_same_seed_same_scene() -> None:
    assert [draw(1, index) for index in range(50)] == SCENES[:50]
    assert draw(2, 0) != draw(1, 0)


def test_first_scene_is_what_it_was() -> None:
    """A change here would make other pictures from the same seed: a new data set, said aloud."""
    scene = SCENES[0]
    assert scene.caption == ("an astronaut in a grey suit playing a flute above the earth at night")
    assert scene.sun_azimuth == pytest.approx(67.60143901822086)


def test_no_pair_crosses_its_split() -> None:
    met: Counter[str] = Counter()
    for scene in SCENES:
        factors = scene.factors
        if factors.suit and factors.instrument:
            assert split_of(factors.suit, factors.instrument, factors.relation) == scene.split
            met[scene.split] += 1
    assert min(met.values()) > 100


def test_unplayed_instruments_only_float_in_training() -> None:
    never = [s for s in TRAIN if s.factors.instrument in unplayed()]
    assert {s.factors.relation for s in never} == {"instrument alone", "beside"}
    for relation in ("instrument alone", "beside"):
        floating = [s.factors for s in TRAIN if s.factors.relation == relation]
        counts = Counter(factors.instrument for factors in floating)
        assert set(counts) == set(INSTRUMENTS)
        assert min(counts[name] for name in unplayed()) >= 10
    for split in ("validation", "test"):
        found = [s.factors for s in SCENES if s.split == split]
        met = {(f.instrument, f.relation) for f in found if f.instrument in unplayed()}
        assert met == {(name, "playing") for name, home in unplayed().items() if home == split}


def test_unplayed_instruments_float_at_more_angles_and_sizes() -> None:
    alone = [s for s in TRAIN if s.factors.relation == "instrument alone"]
    never = [s for s in alone if s.factors.instrument in unplayed()]
    others = [s for s in alone if s.factors.instrument not in unplayed()]
    assert min(s.fill for s in never) < 0.4 < 0.7 < min(s.fill for s in others)
    assert max(abs(s.tilt) for s in never) > 60 > max(abs(s.tilt) for s in others)


def test_every_level_occurs_in_three_training_pairs() -> None:
    pairs = {(s.factors.suit, s.factors.instrument) for s in TRAIN}
    pairs = {pair for pair in pairs if None not in pair}
    for suit in SUITS:
        assert sum(suit == s for s, _ in pairs) >= 3
    for instrument in set(INSTRUMENTS) - set(unplayed()):
        assert sum(instrument == i for _, i in pairs) >= 3
    for place in PLACES:
        assert len({s.factors.suit for s in TRAIN if s.factors.place == place}) >= 3
        assert len({s.factors.instrument for s in TRAIN if s.factors.place == place}) >= 3


@pytest.mark.parametrize("factor", ["suit", "instrument", "place"])
def test_levels_are_balanced_in_training(factor: str) -> None:
    counts = Counter(getattr(scene.factors, factor) for scene in TRAIN)
    del counts[None]
    assert set(counts) == set(FACTORS[factor])
    for name in unplayed():
        counts.pop(name, None)
    assert max(counts.values()) < 1.7 * min(counts.values())


def test_relations_and_shots_come_in_their_shares() -> None:
    for relation, share in RELATION_SHARES.items():
        drawn = sum(scene.factors.relation == relation for scene in TRAIN)
        assert drawn / len(TRAIN) == pytest.approx(share, abs=0.03)
    for shot, share in SHOTS.items():
        drawn = sum(scene.shot == shot for scene in TRAIN)
        assert drawn / len(TRAIN) == pytest.approx(share, abs=0.03)


def test_places_are_independent_of_suits() -> None:
    pairs = Counter((s.factors.suit, s.factors.place) for s in SCENES if s.factors.suit)
    assert len(pairs) == len(SUITS) * len(PLACES)
    assert max(pairs.values()) < 1.8 * min(pairs.values())


def test_scene_survives_its_document() -> None:
    for scene in SCENES[:40]:
        assert from_json(scene.to_json()) == scene


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"lens": "wide"}, "`lens` is 'wide'; it must be a number"),
        ({"lens": 2.0}, "between 8 and 400"),
        ({"shot": "far"}, "'far' is no shot; known: close, medium, wide"),
        ({"offset": [0.1]}, "`offset` is .* two numbers"),
        ({"zoom": 1}, "`zoom` is unknown"),
        ({"factors": {"relation": "playing"}}, "`factors` holds"),
        ({"factors": None}, "object `factors`"),
        ({"yaw": None}, "`yaw` is None"),
    ],
)
def test_broken_document_is_one_sentence(change: dict[str, object], sentence: str) -> None:
    text = json.dumps({**SCENES[0].to_dict(), **change})
    with pytest.raises(ValueError, match=sentence):
        from_json(text)
    with pytest.raises(ValueError, match="no JSON"):
        from_json(text[:40])


def test_split_sizes() -> None:
    counts = Counter(scene.split for scene in SCENES)
    assert counts == {"train": 3600, "validation": 200, "test": 200}
    assert isinstance(SCENES[0], Scene)


def test_a_view_names_the_shot_and_the_side_of_what_floats_beside() -> None:
    for scene in SCENES[:300]:
        shot, *side = scene.view.split()
        assert shot == scene.shot
        assert (side == []) == (scene.factors.relation != "beside")
    floating = [s for s in SCENES if s.factors.relation == "beside"]
    assert {s.side for s in floating if s.view.endswith("right")} == {1}

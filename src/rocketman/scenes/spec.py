"""A seed becomes a scene: every choice that a picture depends on, as plain numbers, without bpy.

Reads nothing. The builders (`render.py`) turn a `Scene` into a picture; `dataset.py` writes many.
The same (seed, index) gives the same scene on every machine: Python's `random.Random` seeded with
a string is defined across versions and platforms.
"""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

from rocketman.captions import (
    INSTRUMENTS,
    PLACES,
    SUITS,
    Factors,
    Split,
    split_of,
)

RELATION_SHARES = {
    "playing": 0.55,
    "beside": 0.15,
    "instrument alone": 0.15,
    "astronaut alone": 0.15,
}
"""How often each relation is drawn. `playing` is what people ask for, so it gets most."""

VALIDATION_EVERY, TEST_EVERY = 20, 20
"""One picture in this many goes to the validation split, and one to the test split."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One picture, before it is rendered. Angles in degrees, lengths in metres.

    The astronaut faces the camera, which looks along +y; x points to the viewer's right.
    """

    seed: int
    index: int
    split: Split
    factors: Factors
    variant: int
    """Seeds the small things: finish of the instrument, patches, clouds."""
    yaw: float
    """Body turn inside the range from which the instrument reads best, 0 to 1."""
    pitch: float
    roll: float
    side: int
    """-1 or 1: on which side of the astronaut the instrument floats (`beside`)."""
    tilt: float
    """Turn of a floating instrument about the line of sight."""
    height: float
    """Metres of the world that the picture shows from top to bottom, before the relation's own."""
    camera_azimuth: float
    camera_elevation: float
    offset: tuple[float, float]
    """Shift of the subject from the centre, as a share of the picture's height."""
    sun_azimuth: float
    sun_elevation: float
    planet_radius: float
    """Angular radius of the planet as the camera sees it."""
    planet_rise: float
    """Where the planet's edge crosses the middle of the picture, above (+) or below the centre."""
    planet_lean: float
    """Direction in which the planet lies, from straight down; the horizon leans by it."""
    planet_spin: tuple[float, float, float]
    """Euler angles of the planet's globe: which part of its map is seen."""

    @property
    def caption(self) -> str:
        return self.factors.caption

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, for saving and editing."""
        return asdict(self)


def draw(seed: int, index: int) -> Scene:
    """Scene number `index` (0 and up) of the data set with this seed."""
    split: Split = "train"
    if index % VALIDATION_EVERY == 9:
        split = "validation"
    elif index % TEST_EVERY == 19:
        split = "test"
    rng = random.Random(f"rocketman scene {seed} {index}")
    factors = _draw_factors(rng, split)
    return Scene(
        seed=seed,
        index=index,
        split=split,
        factors=factors,
        variant=rng.randrange(2**31),
        yaw=rng.random(),
        pitch=rng.uniform(-8, 10),
        roll=rng.gauss(0, 7),
        side=rng.choice((-1, 1)),
        tilt=rng.gauss(0, 12),
        height=rng.uniform(1.76, 2.0),
        camera_azimuth=rng.gauss(0, 6),
        camera_elevation=rng.uniform(-10, 14),
        offset=(rng.gauss(0, 0.02), rng.gauss(0, 0.015)),
        sun_azimuth=rng.choice((-1, 1)) * rng.uniform(25, 65),
        sun_elevation=rng.uniform(18, 50),
        planet_radius=rng.uniform(24, 42),
        planet_rise=rng.uniform(-4, 9),
        planet_lean=rng.uniform(-35, 35),
        planet_spin=(rng.uniform(-50, 50), rng.uniform(-50, 50), rng.uniform(0, 360)),
    )


def _draw_factors(rng: random.Random, split: Split) -> Factors:
    """Balanced and independent within the split: every allowed combination is equally likely."""
    # Validation and test show pairs that training never has, so both figures need an astronaut
    # and an instrument together.
    relations = list(RELATION_SHARES) if split == "train" else ["playing", "beside"]
    shares = [RELATION_SHARES[relation] for relation in relations]
    relation = rng.choices(relations, weights=shares)[0]
    place = rng.choice(PLACES)
    if relation == "astronaut alone":
        return Factors(relation=relation, place=place, suit=rng.choice(SUITS))
    if relation == "instrument alone":
        return Factors(relation=relation, place=place, instrument=rng.choice(INSTRUMENTS))
    pairs = [pair for pair in product(SUITS, INSTRUMENTS) if split_of(*pair) == split]
    suit, instrument = rng.choice(pairs)
    return Factors(relation=relation, place=place, suit=suit, instrument=instrument)

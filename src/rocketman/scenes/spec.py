"""A seed becomes a scene: every choice that a picture depends on, as plain numbers, without bpy.

Reads nothing. `staging.py` says where everything stands, `render.py` turns it into a picture,
`dataset.py` writes many. The same (seed, index) gives the same scene on every machine: Python's
`random.Random` seeded with a string is defined across versions and platforms.
"""

from __future__ import annotations

import json
import random
from dataclasses import asdict, dataclass, fields, replace
from itertools import product
from typing import Any, Literal, cast, get_args

from rocketman.captions import (
    INSTRUMENTS,
    PLACES,
    SHOTS,
    SPLITS,
    SUITS,
    Factors,
    Split,
    split_of,
    unplayed,
)

RELATION_SHARES = {
    "playing": 0.58,
    "beside": 0.14,
    "instrument alone": 0.14,
    "astronaut alone": 0.14,
}
"""How often each relation is drawn. `playing` is what people ask for, so it gets most."""

UNPLAYED_BESIDE = 0.4
"""Of what floats beside an astronaut in training, the share that no astronaut plays there: they are
three of twenty-one instruments, and are seen with an astronaut in no other way."""
UNPLAYED_TILT, UNPLAYED_FILL = 3.0, (0.25, 0.9)
"""They float in training at more angles, these times as wide, and alone at more sizes than others,
those of an instrument in somebody's hands among them."""

VALIDATION_EVERY, TEST_EVERY = 20, 20
"""One picture in this many goes to the validation split, and one to the test split."""

Shot = Literal["close", "medium", "wide"]
LENS = {"close": (75.0, 100.0), "medium": (60.0, 80.0), "wide": (45.0, 60.0)}
"""Millimetres."""
FILL = {"close": (0.90, 0.95), "medium": (0.84, 0.93), "wide": (0.72, 0.86)}

LIT_TOWNS = ((8, 47), (-85, 38), (77, 22), (125, 36), (-4, 42), (15, 52), (-98, 32), (30, 33))
"""Longitude and latitude of lands whose nights are bright."""
FAIR_COASTS = (
    (15, 38), (-75, 25), (20, 5), (-60, -12), (45, 22), (78, 15), (105, 12),
    (135, -22), (-100, 25), (-8, 30), (140, 36), (-115, 32), (30, -22), (55, -5),
)  # fmt: skip
"""Where land and sea meet in one view, so that the day side is never a plain blue."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One picture, before it is rendered. Angles in degrees, lengths in metres.

    The astronaut faces the camera, which looks along +y; x points to the viewer's right. Save it
    with `to_json`, edit it, and `rocketman dataset render --scene FILE` renders it alone.
    """

    seed: int
    index: int
    split: Split
    factors: Factors
    variant: int
    """Seeds the small things: finish of the instrument, patches, clouds, free limbs."""
    yaw: float
    """Body turn inside the range from which the instrument reads best, 0 to 1."""
    pitch: float
    roll: float
    side: int
    """-1 or 1: on which side of the astronaut the instrument floats (`beside`)."""
    tilt: float
    """Turn of a floating instrument about the line of sight."""
    shot: Shot
    lens: float
    """Focal length on a full-frame camera, millimetres."""
    fill: float
    """Share of the picture that what must be seen takes up."""
    offset: tuple[float, float]
    """Where in the room that is left the subject stands: -1 left or bottom, 1 right or top."""
    aperture: float
    """f-number."""
    exposure: float
    """Stops."""
    camera_azimuth: float
    camera_elevation: float
    camera_roll: float
    sun_azimuth: float
    sun_elevation: float
    planet_radius: float
    """Angular radius of the planet over half the angle of view: 1 just fills the picture."""
    planet_rise: float
    """Where the planet's edge crosses the middle of the picture: -1 bottom, 1 top."""
    planet_lean: float
    """Direction in which the planet lies, from straight down; the horizon leans by it."""
    planet_spot: tuple[float, float]
    """Longitude and latitude of the map that lie in view."""
    planet_turn: float
    """Direction of north there."""

    def __post_init__(self) -> None:
        if self.split not in SPLITS:
            raise ValueError(f"{self.split!r} is no split; known: {', '.join(SPLITS)}")
        if self.shot not in get_args(Shot):
            raise ValueError(f"{self.shot!r} is no shot; known: {', '.join(get_args(Shot))}")
        if not 8 <= self.lens <= 400:
            raise ValueError(f"lens is {self.lens} mm; it must lie between 8 and 400")
        if not 0.05 <= self.fill <= 0.96:
            raise ValueError(f"fill is {self.fill}; it must lie between 0.05 and 0.96")
        if self.aperture < 0.5:
            raise ValueError(f"aperture is f/{self.aperture}; it must be at least 0.5")
        if not 0.2 <= self.planet_radius <= 6:
            raise ValueError(f"planet_radius is {self.planet_radius}; it must be from 0.2 to 6")

    @property
    def caption(self) -> str:
        return self.factors.caption

    @property
    def view(self) -> str:
        """How the picture is taken: the shot and, of what floats beside, on which side it is."""
        sides = {-1: " left", 1: " right"} if self.factors.relation == "beside" else {}
        return self.shot + sides.get(self.side, "")

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, for saving and editing."""
        return asdict(self)

    def to_json(self) -> str:
        """An indented JSON document, one field a line."""
        return json.dumps(self.to_dict(), indent=2) + "\n"


def from_json(text: str) -> Scene:
    """A scene from the document that `Scene.to_json` writes, edited or not.

    Raises ValueError with one sentence about what is wrong.
    """
    try:
        values = json.loads(text)
    except ValueError as error:
        raise ValueError(f"this is no JSON: {error}") from error
    if not isinstance(values, dict) or not isinstance(values.get("factors"), dict):
        raise ValueError("a scene is a JSON object with an object `factors` in it")
    kinds = {field.name: field.type for field in fields(Scene)}
    missing, unknown = kinds.keys() - values.keys(), values.keys() - kinds.keys()
    if missing or unknown:
        wrong = [f"`{name}` is missing" for name in sorted(missing)]
        wrong += [f"`{name}` is unknown" for name in sorted(unknown)]
        raise ValueError(", ".join(wrong))
    try:
        values["factors"] = Factors(**values["factors"])
    except TypeError as error:
        raise ValueError(
            "`factors` holds relation, place, suit and instrument, and nothing else"
        ) from error
    for name, kind in kinds.items():
        value = values[name]
        if kind in ("float", "int"):
            good = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not good or (kind == "int" and value != int(value)):
                raise ValueError(f"`{name}` is {value!r}; it must be a number")
        elif kind == "tuple[float, float]":
            if (
                not isinstance(value, list)
                or [type(v) in (int, float) for v in value] != [True] * 2
            ):
                raise ValueError(f"`{name}` is {value!r}; it must be two numbers")
            values[name] = tuple(value)
    return Scene(**values)


def draw(seed: int, index: int) -> Scene:
    """Scene number `index` (0 and up) of the data set with this seed."""
    split: Split = "train"
    if index % VALIDATION_EVERY == 9:
        split = "validation"
    elif index % TEST_EVERY == 19:
        split = "test"
    rng = random.Random(f"rocketman scene {seed} {index}")
    factors = _draw_factors(rng, split)
    shot = cast(Shot, rng.choices(list(SHOTS), weights=list(SHOTS.values()))[0])
    yaw = rng.random()
    # Room in the direction in which the astronaut looks.
    aside = (0.5 - yaw) * 0.7 + rng.gauss(0, 0.25)
    spots = LIT_TOWNS if factors.place == "above the earth at night" else FAIR_COASTS
    spot = rng.choice(spots)
    scene = Scene(
        seed=seed,
        index=index,
        split=split,
        factors=factors,
        variant=rng.randrange(2**31),
        yaw=yaw,
        pitch=rng.uniform(-10, 9),
        roll=rng.gauss(0, 7),
        side=rng.choice((-1, 1)),
        tilt=rng.gauss(0, 12),
        shot=shot,
        lens=rng.uniform(*LENS[shot]),
        fill=rng.uniform(*FILL[shot]),
        offset=(max(-1.0, min(1.0, aside)), rng.uniform(-0.5, 0.5)),
        aperture=rng.uniform(5.6, 14),
        exposure=rng.gauss(0, 0.12),
        camera_azimuth=rng.gauss(0, 7),
        camera_elevation=rng.uniform(-16, 18),
        camera_roll=rng.gauss(0, 4),
        sun_azimuth=rng.choice((-1, 1)) * rng.uniform(28, 68),
        sun_elevation=rng.uniform(14, 48),
        planet_radius=rng.uniform(1.7, 2.9),
        planet_rise=rng.uniform(-0.10, 0.60),
        planet_lean=rng.uniform(-32, 32),
        planet_spot=(spot[0] + rng.gauss(0, 6), spot[1] + rng.gauss(0, 5)),
        planet_turn=rng.uniform(0, 360),
    )
    if split == "train" and factors.instrument in unplayed():
        scene = replace(scene, tilt=UNPLAYED_TILT * scene.tilt)
        if factors.relation == "instrument alone":
            scene = replace(scene, fill=rng.uniform(*UNPLAYED_FILL))
    return scene


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
    pairs = [pair for pair in product(SUITS, INSTRUMENTS) if split_of(*pair, relation) == split]
    if split == "train" and relation == "beside":
        never = rng.random() < UNPLAYED_BESIDE
        pairs = [pair for pair in pairs if (pair[1] in unplayed()) == never]
    suit, instrument = rng.choice(pairs)
    return Factors(relation=relation, place=place, suit=suit, instrument=instrument)

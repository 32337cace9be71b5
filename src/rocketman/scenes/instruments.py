"""The registry: which function builds which instrument.

An instrument stands at its own origin as in a catalogue: it faces -y, z is up. Proportions are a
little generous (thick tubes, wide bells, few fat strings): they must read at 64 pixels. Metals are
not fully metallic, since black space has nothing for them to mirror.
`holds.py` says how each is held; `staging.py` places them.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from mathutils import Matrix

from rocketman.scenes import (
    bowed,
    brass,
    drums,
    electrics,
    keys,
    percussion,
    piano,
    strings,
    woodwinds,
)

Builder = Callable[[Matrix, random.Random], None]

BUILDERS: dict[str, Builder] = {
    "guitar": strings.guitar,
    "electric guitar": electrics.electric_guitar,
    "bass": electrics.bass,
    "violin": bowed.violin,
    "cello": bowed.cello,
    "harp": bowed.harp,
    "banjo": strings.banjo,
    "ukulele": strings.ukulele,
    "trumpet": brass.trumpet,
    "trombone": brass.trombone,
    "french horn": brass.french_horn,
    "saxophone": woodwinds.saxophone,
    "flute": woodwinds.flute,
    "clarinet": woodwinds.clarinet,
    "accordion": keys.accordion,
    "keyboard": keys.keyboard,
    "grand piano": piano.grand_piano,
    "drum": drums.drum,
    "drum kit": drums.drum_kit,
    "xylophone": percussion.xylophone,
    "tambourine": percussion.tambourine,
}
"""By level name; each takes the matrix instrument -> world and draws wear and colour by `rng`."""

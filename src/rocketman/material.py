"""What a run learns from: the pictures of a data set, and what is known of their pixels.

Level 4. Reads a data set's folder (`rocketman.data`) as a `TrainConfig` asks for it. Next:
`train.py` cuts batches from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rocketman.data.batches import Batches, Pictures, load_split
from rocketman.data.beside import load_labels, load_masks
from rocketman.data.sources import splits
from rocketman.train_config import LoopConfig, TrainConfig

CROPPED_FROM = 2
"""How many times as wide as the network's the pictures are that crops are cut from."""


@dataclass(frozen=True, kw_only=True)
class Material:
    """A data set, decoded and in memory maps."""

    folder: Path
    pictures: Pictures
    """The training split, as wide as the network's pictures."""
    validation: Pictures | None
    """The held-out split, as wide; None if there is none."""
    cropped: Pictures
    """The training split as wide as crops are cut from."""
    masks: NDArray[np.uint8] | None
    """Where in `cropped` instruments are, if their pixels count for more."""
    labels: NDArray[np.uint8] | None
    """What each pixel of `cropped` shows, if that is learnt too."""

    def batches(self, vocabulary: tuple[str, ...], loop: LoopConfig) -> Batches:
        """The batches of a run, in its order."""
        return Batches(
            self.cropped,
            vocabulary,
            loop.batch_size,
            loop.seed,
            self.masks,
            loop.instrument_weight,
            loop.mirror,
            loop.crop,
            self.pictures.pixels.shape[1],
        )


def load_material(config: TrainConfig, report: Callable[[str], None]) -> Material:
    """Everything that a run reads of its data set, once. ValueError if something is missing."""
    loop, size = config.train, config.model.image_size
    folder = Path(config.data.folder).expanduser()
    pictures = load_split(folder, "train", size, report)
    held_out = "validation" in splits(folder)
    fine = size if loop.crop == 1 else CROPPED_FROM * size
    cropped = pictures if fine == size else load_split(folder, "train", fine, report)
    weighted, learnt = loop.instrument_weight != 1, bool(loop.label_weight)
    return Material(
        folder=folder,
        pictures=pictures,
        validation=load_split(folder, "validation", size, report) if held_out else None,
        cropped=cropped,
        masks=load_masks(folder, "train", cropped, fine) if weighted else None,
        labels=load_labels(folder, "train", cropped, fine) if learnt else None,
    )

"""What a rendered data set says beside its pictures: where instruments are, what each pixel shows.

Reads the side files of a split that `sources.py` knows, for the pictures that `batches.py` decoded.
Numpy only. Next: `train.py` gives them to its batches.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rocketman.captions import Split
from rocketman.data.batches import Pictures, central_square, square_of
from rocketman.data.pictures import BadPicture
from rocketman.data.sources import Source, read_split


def load_masks(folder: Path, split: Split, pictures: Pictures, size: int) -> NDArray[np.uint8]:
    """(N, size, size): the instrument's share of each pixel of `pictures`, 255 for all of it.

    ValueError, in one sentence, if the data set does not say so for every picture.
    """
    source = read_split(folder, split)
    return _beside(
        source, source.mask, pictures, lambda mask: central_square(mask, size),
        "where instruments are", "instrument_weight at 1",
    )  # fmt: skip


def load_labels(folder: Path, split: Split, pictures: Pictures, size: int) -> NDArray[np.uint8]:
    """(N, size, size): what each pixel of `pictures` shows, the numbers of LABELS.

    ValueError, in one sentence, if the data set does not say so for every picture.
    """
    source = read_split(folder, split)
    return _beside(
        source, source.labels, pictures, lambda labels: nearest_square(labels, size),
        "what its pictures show where", "label_weight at 0",
    )  # fmt: skip


def _beside(
    source: Source,
    opened: Callable[[int], Image.Image] | None,
    pictures: Pictures,
    reduced: Callable[[Image.Image], NDArray[np.uint8]],
    what: str,
    without: str,
) -> NDArray[np.uint8]:
    """What a data set has beside each of `pictures`, reduced; ValueError where it has nothing."""
    if opened is None:
        raise ValueError(
            f"{source.name} does not say {what}: render it with --passes, or leave {without}."
        )
    places = {row["file_name"]: k for k, row in enumerate(source.rows)}
    found = []
    for row in pictures.rows:
        try:
            found.append(reduced(opened(places[row["file_name"]])))
        except BadPicture as error:
            raise ValueError(f"{source.name}: {row['file_name']} {error}.") from error
    return np.stack(found)


def nearest_square(labels: Image.Image, image_size: int) -> NDArray[np.uint8]:
    """The central square of a picture of labels, reduced: each pixel is one that was there."""
    size = (image_size, image_size)
    return np.asarray(labels.resize(size, Image.Resampling.NEAREST, square_of(labels)))

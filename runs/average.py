"""Two models of one lineage averaged into one: what training on won, without what it forgot.

    python runs/average.py START MODEL SHARE OUT --data DIR [--words SHARE]

START is the model that MODEL's training began with, SHARE what MODEL counts for, from 0 to 1; what
MODEL alone has, a refiner or new words, stays its own. Between weights so near to each other the
loss runs in a bowl, and its bottom lies between them (Wortsman et al. 2022, "Robust fine-tuning of
zero-shot models"). Choose SHARE by the held-out losses, which this prints and records; OUT then
needs a second stage and an index.

What reads the prompt can have a share of its own: training on teaches it that what never was
played is never played, and nearly all that it wins lies elsewhere (docs/log.md, 2026-11-30), so
`--words 0` keeps START's.

Where MODEL learnt from other pictures than START, OUT's record names START's data set, which the
index must be of, and in `also_pictures` and `also_data_hashes` whatever came after it.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rocketman.data.batches import load_split
from rocketman.export import load_network, write_model
from rocketman.looks import looked_at
from rocketman.model import DiffusionTransformer, ModelConfig, reads_prompt
from rocketman.precision import faster
from rocketman.train_config import DataConfig, LoopConfig, TrainConfig
from rocketman.weights import open_model, read_parameters

OF_THE_FILES = ("weights_hash", "engine_difference")
"""What a record says of the files beside it."""
OF_THE_DATA = ("data_hash", "pictures", "data_title", "data_card_hash")
"""What a record says of the pictures that a model learnt from."""


def blend(
    network: DiffusionTransformer,
    before: Mapping[str, NDArray[np.float32]],
    share: float,
    words: float,
) -> None:
    """Bring a network's parameters nearer to those `before`: `share` of its own stays, `words` of
    those that read the prompt. ValueError, if these are not of its shape."""
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name in before:
                old = torch.from_numpy(before[name])
                own = parameter[: len(old)]
                if own.shape != old.shape:
                    raise ValueError(
                        f"The two models differ in the shape of {name}: give the model that "
                        "training began with."
                    )
                own.copy_(torch.lerp(old, own, words if reads_prompt(name) else share))


def both_data(start: dict[str, Any], model: dict[str, Any]) -> dict[str, Any]:
    """What the record of an average says of its data, from the records of both."""
    if start.get("data_hash") in (None, model["data_hash"]):
        return {}
    hashes, counts = start.get("also_data_hashes", []), start.get("also_pictures", [])
    if model["data_hash"] not in hashes:
        hashes, counts = [*hashes, model["data_hash"]], [*counts, model["pictures"]]
    whole = {key: start[key] for key in OF_THE_DATA if key in start}
    return whole | {"also_pictures": counts, "also_data_hashes": hashes}


def average(before: Path, after: Path, share: float, words: float, out: Path, data: Path) -> str:
    """Write `share` of the model `after`, `words` of what reads its prompts, and of `before` the
    rest, and say how it does on pictures kept from training. ValueError if something is missing or
    in the way, a share is none, or the words of `before` are not the first of those of `after`.
    """
    if out.exists():
        raise ValueError(f"{out} is there already: give another OUT.")
    if not (0 <= share <= 1 and 0 <= words <= 1):
        raise ValueError("SHARE and --words go from 0 to 1.")
    start, model = open_model(before), open_model(after)
    if model.vocabulary[: len(start.vocabulary)] != start.vocabulary:
        raise ValueError(
            f"{before} is not what {after} was trained on from: the latter does not have its words "
            "in their order; give the model that training began with."
        )
    network = load_network(after)
    blend(network, read_parameters(start.weights_path), share, words)
    sections = model.config
    config = TrainConfig(
        data=DataConfig(**sections["data"]),
        model=ModelConfig(**sections["model"]),
        train=LoopConfig(**sections["train"]),
    )
    record = {key: value for key, value in sections["record"].items() if key not in OF_THE_FILES}
    size = network.config.image_size
    seen, held_out = (load_split(data, each, size) for each in ("train", "validation"))
    here = replace(config.train, precision=faster("cpu"))
    record |= looked_at(network, here, seen, held_out, model.vocabulary, torch.device("cpu"))
    record |= {"averaged_with": start.hash, "averaged_share": share}
    if words != share:
        record["averaged_share_of_words"] = words
    record |= both_data(start.config.get("record", {}), record)
    write_model(network, out, config, model.vocabulary, record)
    return (
        f"{out}: {share:g} of {model.name}, the rest of {start.name}\n"
        f"held-out loss {record['validation_loss']}, by t {record['validation_loss_by_time']}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Average two models.")
    parser.add_argument("start", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("share", type=float)
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, required=True, help="what both learnt from")
    parser.add_argument("--words", type=float, help="share of what reads the prompt, if another")
    arguments = parser.parse_args()
    words = arguments.share if arguments.words is None else arguments.words
    try:
        said = average(
            arguments.start, arguments.model, arguments.share, words, arguments.out, arguments.data
        )
    except ValueError as error:  # no such model or data set, no validation split
        parser.error(str(error))
    print(said)


if __name__ == "__main__":
    main()

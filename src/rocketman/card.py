"""The model card, README.md of a model folder: lineage, configuration, figures, samples.

Level 2, without torch. Everything in it is read from the folder when the card is written, so that
it cannot drift:

    config.toml    the run's record and configuration (`train.py` and `export.py` write it)
    figures.json   what `rocketman evaluate MODEL --card` measured; left out once weights changed
    samples.png    the sheet of that evaluation, left out with it

Next: `export.py` writes a card with every model, `evaluate.py` writes it anew with its figures.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rocketman import __version__
from rocketman.files import write_whole
from rocketman.prompts import known_levels
from rocketman.weights import CARD, DETAIL, PROBES, model_hash, open_model, sha256, toml

FIGURES, SAMPLES = "figures.json", "samples.png"
GROUPS = {
    "seen": "pairs of suit and instrument that training saw",
    "heldout": "pairs that training never saw",
    "unplayed": "instruments that training never saw played",
}
SECTIONS = ("data", "model", "train")
MEASURED = {
    "loss": "training loss, at the end",
    "averaged_loss": "loss of the averaged weights on training pictures",
    "validation_loss": "loss of the averaged weights on held-out pictures",
    "train_loss_by_time": "on training pictures by fifths of t, noise first",
    "validation_loss_by_time": "on held-out pictures by fifths of t",
}
Record = Mapping[str, Any]


def write_card(folder: Path) -> Path:
    """Write FOLDER/README.md anew from what the folder holds. ModelError if it is no model."""
    write_whole(folder / CARD, card(folder, open_model(folder).config).encode())
    return folder / CARD


def card(folder: Path, config: Record) -> str:
    """The text of the card: weights, figures and samples as they lie in `folder`."""
    figures = fresh_figures(folder)
    sections = [_head(folder, config), _figures(folder, config, figures), _lineage(folder, config)]
    sections += [_losses(config.get("record", {})), _configuration(config)]
    return "\n".join(section for section in sections if section)


def fresh_figures(folder: Path) -> Record:
    """What figures.json says, if it was measured on the weights, and by the probes, beside it; else
    nothing."""
    try:
        figures = json.loads((folder / FIGURES).read_text(encoding="utf-8"))
        fresh = figures["model_hash"] == model_hash(folder)
        if "probes" in figures:  # older ones do not say
            fresh = fresh and figures["probes"] == sha256(folder / PROBES)
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return figures if fresh else {}


def code() -> dict[str, str]:
    """The version of this package, and the commit where it runs from a checkout of its own."""
    found = {"version": __version__}
    here = Path(__file__)
    for key, command in (
        ("tracked", ("ls-files", "--error-unmatch", here.name)),  # else it is somebody else's
        ("commit", ("describe", "--always", "--dirty", "--abbrev=12", "--exclude=*")),
    ):
        try:
            git = ["git", "--no-optional-locks", "-C", str(here.parent), *command]
            told = subprocess.run(git, capture_output=True, text=True, timeout=10, check=True)
        except (OSError, subprocess.SubprocessError):
            break
        if key == "commit":
            found["commit"] = told.stdout.strip()
    return found


def data_card(folder: Path) -> dict[str, str]:
    """Title and SHA-256 of a data set's README.md, if it has one."""
    path = folder / "README.md"
    if not path.is_file():
        return {}
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    title = next((line[2:].strip() for line in lines if line.startswith("# ")), folder.name)
    return {"data_title": title, "data_card_hash": sha256(path)}


def _head(folder: Path, config: Record) -> str:
    size, record = config["image_size"], config.get("record", {})
    begun = f"from the model {_parent(record)}" if "start" in record else "from nothing"
    larger = ", which a second stage draws four times as large" * (folder / DETAIL).is_file()
    return f"""---
license: apache-2.0
library_name: rocketman
pipeline_tag: text-to-image
---

# {config["name"]}

A text-to-image diffusion model of {size} x {size} pixels{larger}. Trained {begun}
by Rocketman on captioned pictures. It predicts the clean picture from noise and a prompt (time
convention and samplers: `rocketman/sampling.py`).

    rocketman generate "..." --model FOLDER

Its words are these; others are read as the nearest of them, or left out and named:
{", ".join(config["vocabulary"])}.
"""


def _spread(figures: Record) -> str:
    """Interval of the kernel distance, and the Fréchet distance; older figures have neither."""
    if figures.get("frechet") is None:
        return ""
    interval = f"{figures['kid_low']:.4f} to {figures['kid_high']:.4f}"
    return f"{interval}; Fréchet distance {figures['frechet']:.4f}; "


def _figures(folder: Path, config: Record, figures: Record) -> str:
    """What `rocketman evaluate` measured on these weights."""
    known = known_levels(tuple(config["vocabulary"]))
    if not (known["suit"] and known["instrument"]):
        return "## Figures\n\nNone: `rocketman evaluate` asks for suits and instruments.\n"
    if not figures:
        return "## Figures\n\nNot measured yet: `rocketman evaluate FOLDER --data DIR --card`.\n"
    rows = [
        f"| {GROUPS.get(name, name)}: all that was asked for is there, by probes | "
        f"{_percent(group['joint'])} ({_percent(group['low'])} to {_percent(group['high'])}) "
        f"of {group['n']}; of real renders {_percent(group['ceiling'])} |"
        for name, group in figures["groups"].items()
    ]
    if figures.get("kid") is not None:
        rows += [
            f"| pictures of held-out pairs: kernel distance to {figures['real']:,} real renders of "
            f"the same pairs, on the probes' features | {figures['kid']:.4f} "
            f"({_spread(figures)}p {figures['kid_p']:.3f}) |",
            f"| told apart from them by a linear classifier; 50 % is chance | "
            f"{_percent(figures['c2st'])} |",
        ]
    compared = ""
    if figures.get("indexed", 0) < figures.get("learnt", 0):
        compared = f" ({figures['indexed']:,} of the {figures['learnt']:,} that it learnt from)"
    rows.append(
        f"| nearer to a training picture{compared} than 99 % of "
        f"{yardstick(figures.get('held_out', True))} | "
        f"{_percent(figures['copy_rate'])} |"
    )
    sheet = ""
    if (folder / SAMPLES).is_file():
        sheet = (
            f"\n![Pictures of this evaluation]({SAMPLES})\n\n"
            "*Spread evenly over the prompts of this evaluation, one try each, nothing picked.*\n"
        )
    return f"""## Figures

Measured on these weights by `rocketman evaluate` {figures["version"]}, {figures["date"]}: held-out
pairs of the split {figures["split"]}, seeds from {figures["seed"]}, one try a prompt.

| | |
|---|---|
{chr(10).join(rows)}
{sheet}"""


def yardstick(held_out: bool) -> str:
    """Than 99 % of what a picture is nearer to a training picture if it counts as near to it."""
    return (
        "real renders are that it never saw" if held_out else "training pictures are to the others"
    )


def _lineage(folder: Path, config: Record) -> str:
    """Where the weights come from; what a record of an earlier version lacks is left out."""
    record = dict(config.get("record", {}))
    take = record.pop
    rows = {"weights, SHA-256": f"`{take('weights_hash', '')}`"}
    if (folder / DETAIL).is_file():
        rows["second stage, SHA-256"] = f"`{sha256(folder / DETAIL)}`"
    rows["begun with"] = f"the model {_parent(record)}" if "start" in record else "nothing"
    title = take("data_title", "")
    rows["data set"] = f"{title}; " if title else ""
    rows["data set"] += f"{take('pictures', 0):,} pictures, SHA-256 of their metadata "
    rows["data set"] += f"`{take('data_hash', '')}`"
    if "data_card_hash" in record:
        rows["card of the data set, SHA-256"] = f"`{take('data_card_hash')}`"
    if also := take("also_pictures", []):
        hashes = take("also_data_hashes", [""] * len(also))
        told = [f"{n:,} pictures, `{each}`" for n, each in zip(also, hashes, strict=True)]
        rows["then learnt from others, which its index lacks"] = "; ".join(told)
    if "version" in record:
        commit = f", commit `{take('commit')}`" if "commit" in record else ""
        rows["code"] = f"Rocketman {take('version')}{commit}, PyTorch {take('torch', '?')}"
    rows["seed"] = str(config.get("train", {}).get("seed", "?"))
    rows["seen"] = f"{take('images', 0):,} pictures in {take('steps', 0):,} steps, "
    rows["seen"] += f"{take('seconds', 0):,.0f} seconds"
    rows["parameters"] = f"{take('parameters', 0):,}"
    if "engine_difference" in record:
        rows["largest difference between engine and PyTorch"] = f"{take('engine_difference'):g}"
    for key in ("start", "start_name", *MEASURED):
        record.pop(key, None)
    rows |= {key: str(value) for key, value in record.items()}  # whatever else was recorded
    return _table("Lineage", rows)


def _losses(record: Record) -> str:
    found = {MEASURED[key]: record[key] for key in MEASURED if key in record}
    rows = {
        name: ", ".join(f"{each:.4f}" for each in value) if isinstance(value, list) else str(value)
        for name, value in found.items()
    }
    return _table("Velocity losses", rows) if rows else ""


def _configuration(config: Record) -> str:
    shown = toml({name: config[name] for name in SECTIONS if name in config}).strip()
    return f"""## Configuration

```toml
{shown}
```

`config.toml` holds the same and the vocabulary; `network.onnx` takes its weights from
`model.safetensors`.
"""


def _table(title: str, rows: Mapping[str, str]) -> str:
    lines = "\n".join(f"| {key} | {value} |" for key, value in rows.items())
    return f"## {title}\n\n| | |\n|---|---|\n{lines}\n"


def _parent(record: Record) -> str:
    return " ".join(filter(None, [record.get("start_name", ""), f"`{record['start']}`"]))


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"

"""Do credits find the right author? A small model of four emoji designers' pictures, and its audit.

Each step reads what the ones before wrote into DIR (a cache folder, never the repository):

    python benchmarks/credits.py data DIR       draw the training pictures from the designers' sets
    python benchmarks/credits.py train DIR      1 M parameters at 32 px, some CPU-minutes
    python benchmarks/credits.py audit DIR      probes and index of the model
    python benchmarks/credits.py authors DIR    100 pictures: who gets the largest share?
    python benchmarks/credits.py leave-out DIR [--which next|random]
                                                train again without the most influential pictures of
                                                a few, or without as many random others

`data` needs resvg-py, and in DIR/sets the npm packages named in SETS, unpacked
(`npm pack NAME` and `tar`). Figures: credits.md.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SETS = {
    "twemoji": ("@iconify-json/twemoji", "1.2.5", "Twitter", "CC-BY-4.0"),
    "noto": ("@iconify-json/noto", "1.2.9", "Google", "Apache-2.0"),
    "openmoji": ("@iconify-json/openmoji", "1.2.29", "OpenMoji", "CC-BY-SA-4.0"),
    "fluent": ("@iconify-json/fluent-emoji-flat", "1.2.6", "Microsoft", "MIT"),
}
"""Word of the style in captions: npm package, version, author, licence as it states them."""

THINGS = """
    accordion banjo drum guitar saxophone trumpet violin keyboard rocket star airplane ambulance
    tractor bus anchor sailboat automobile bicycle avocado banana cherries grapes lemon peach
    pear pineapple strawberry tomato watermelon carrot broccoli mushroom bee cat dog elephant
    fish frog giraffe koala octopus owl panda penguin snail turtle whale butterfly cactus tulip
    sunflower snowflake umbrella rainbow sun bell crown key balloon castle house
"""
HELD_OUT = 5
"""Things of each style that are never trained on in that style."""
SIZE = 32
GROUND = "#e9e9ee"
STEPS = 2500


def draw_data(folder: Path) -> None:
    """DIR/data: an imagefolder of every thing in every style, author and licence in its rows."""
    import resvg_py

    icons: dict[str, dict[str, Any]] = {}
    for style, (package, *_) in SETS.items():
        table = folder / "sets" / package.rpartition("/")[2] / "icons.json"
        icons[style] = json.loads(table.read_text(encoding="utf-8"))
    things = [each for each in THINGS.split() if all(each in of["icons"] for of in icons.values())]
    rows: dict[str, list[dict[str, Any]]] = {"train": [], "test": []}
    for number, (style, (package, version, author, licence)) in enumerate(SETS.items()):
        of = icons[style]
        for k, thing in enumerate(things):
            icon = of["icons"][thing]
            wide = icon.get("width", of.get("width", 16))
            high = icon.get("height", of.get("height", 16))
            svg = (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" '
                f'xmlns:xlink="http://www.w3.org/1999/xlink">{icon["body"]}</svg>'
            )
            drawn = resvg_py.svg_to_bytes(svg_string=svg, background=GROUND, width=240, height=240)
            picture = Image.new("RGB", (256, 256), GROUND)
            picture.paste(Image.open(io.BytesIO(bytes(drawn))).convert("RGB"), (8, 8))
            split = "test" if k % len(SETS) == number and k // len(SETS) < HELD_OUT else "train"
            name = f"{style}-{thing}.png"
            (folder / "data" / split).mkdir(parents=True, exist_ok=True)
            path = folder / "data" / split / name
            picture.resize((64, 64), Image.Resampling.BOX).save(path)
            rows[split].append(
                {
                    "file_name": name,
                    "text": f"a {style} {thing}",
                    "author": author,
                    "license": licence,
                    "source": f"{package} {version}",
                    "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                }
            )
    for split, lines in rows.items():
        text = "".join(json.dumps(row) + "\n" for row in lines)
        (folder / "data" / split / "metadata.jsonl").write_text(text, encoding="utf-8")
        print(f"{split}: {len(lines)} pictures of {len(things)} things in {len(SETS)} styles")


def train_model(data: Path, out: Path) -> Path:
    """The model of a data set; the same seed each time."""
    import torch

    from rocketman.model import ModelConfig
    from rocketman.train import train
    from rocketman.train_config import DataConfig, LoopConfig, TrainConfig

    torch.set_num_threads(1)
    config = TrainConfig(
        data=DataConfig(folder=str(data)),
        model=ModelConfig(
            image_size=SIZE,
            patch_size=8,
            width=128,
            depth=4,
            heads=4,
            text_width=64,
            text_depth=1,
            condition_width=128,
            bottleneck=64,
        ),
        train=LoopConfig(
            steps=STEPS,
            batch_size=32,
            learning_rate=2e-3,
            warmup_steps=100,
            decay=0.4,
            noise_scale=0.7,
            look_minutes=100,
            checkpoint_minutes=3,
        ),
    )
    started = time.process_time()
    resume = any((out / "checkpoints").glob("step-*.safetensors"))
    model = train(config, out, resume=resume)
    print(f"{out}: {(time.process_time() - started) / 60:.1f} CPU-minutes")
    return model


def audit_model(model: Path, data: Path) -> None:
    """Probes and index, as `rocketman audit index` makes them."""
    import torch

    from rocketman.audits.index import build
    from rocketman.audits.influence import write_influence
    from rocketman.audits.probe_training import write_probes

    torch.set_num_threads(1)
    parts: dict[str, Callable[[], object]] = {
        "probes": lambda: write_probes(model, [data], tell),
        "index": lambda: build(model, data, report=tell),
        "influence": lambda: write_influence(model, data, tell),
    }
    for name, make in parts.items():
        started = time.process_time()
        make()
        print(f"{name}: {(time.process_time() - started) / 60:.2f} CPU-minutes")


def tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


# --- who gets the largest share? ----------------------------------------------------------------


def prompts_of(data: Path, split: str, each: int) -> list[str]:
    """Captions of a split, `each` of every style, drawn at random but always the same."""
    table = (data / split / "metadata.jsonl").read_text(encoding="utf-8")
    captions = [json.loads(line)["text"] for line in table.splitlines()]
    rng = np.random.default_rng(0)
    own = {style: [text for text in captions if text.split()[1] == style] for style in SETS}
    return [str(text) for style in SETS for text in rng.permutation(own[style])[:each]]


def draw(model: Path, prompts: Sequence[str]) -> list[Image.Image]:
    """One picture of each prompt, with the same seeds each time."""
    from rocketman import generate

    pipeline = generate.load(model)
    return [each.image for each in pipeline.stream(list(prompts), seed=7, size=SIZE)]


def originals(data: Path, split: str, prompts: Sequence[str]) -> list[Image.Image]:
    """The designers' own pictures with these captions."""
    names = ["-".join(text.split()[1:]) for text in prompts]
    return [Image.open(data / split / f"{name}.png").convert("RGB") for name in names]


def ask_authors(folder: Path) -> None:
    """Share of pictures of which the author of the style asked for gets the largest share."""
    import torch

    from rocketman.audits.credits import credits
    from rocketman.audits.index import load_index
    from rocketman.audits.influence import Influence

    torch.set_num_threads(1)
    model, data = folder / "all" / "model", folder / "data"
    index, influence = load_index(model), Influence(model)
    asked, unseen = prompts_of(data, "train", 25), prompts_of(data, "test", HELD_OUT)
    sets = {
        "drawn, prompts that were trained": (asked, draw(model, asked)),
        "drawn, prompts never trained": (unseen, draw(model, unseen)),
        "designers' pictures never trained": (unseen, originals(data, "test", unseen)),
    }
    sheet([picture for _, pictures in list(sets.values())[:2] for picture in pictures], 25).save(
        folder / "drawn.png"
    )
    for name, (prompts, pictures) in sets.items():
        started = time.process_time()
        found = credits(pictures, index, influence)
        seconds = (time.process_time() - started) / len(pictures)
        authors = [SETS[text.split()[1]][2] for text in prompts]
        print(f"{name}: {len(pictures)} pictures, {seconds:.3f} CPU-seconds each")
        for half in ("similar", "influential"):
            shares = [by_author(getattr(each, half).shares) for each in found]
            first = [max(each, key=lambda name: each[name][0]) for each in shares]
            right = np.array([a == b for a, b in zip(first, authors, strict=True)])
            own = np.array([each[name] for each, name in zip(shares, authors, strict=True)])
            each_style = ", ".join(
                f"{style} {right[[text.split()[1] == style for text in prompts]].mean():.0%}"
                for style in SETS
            )
            print(
                f"  {half}: right author first {right.mean():.0%} ({each_style}); its share "
                f"{own[:, 0].mean():.0%} (mean interval {own[:, 1].mean():.0%} to "
                f"{own[:, 2].mean():.0%})"
            )


def by_author(shares: Any) -> dict[str, tuple[float, float, float]]:
    nothing = dict.fromkeys((of[2] for of in SETS.values()), (0.0, 0.0, 0.0))
    return nothing | {author: (s.share, s.low, s.high) for (author, _), s in shares.items()}


def sheet(pictures: Sequence[Image.Image], columns: int) -> Image.Image:
    edge = 2 * SIZE + 2
    rows = -(-len(pictures) // columns)
    whole = Image.new("RGB", (columns * edge, rows * edge), "white")
    for k, picture in enumerate(pictures):
        larger = picture.resize((2 * SIZE, 2 * SIZE), Image.Resampling.NEAREST)
        whole.paste(larger, (k % columns * edge, k // columns * edge))
    return whole


# --- leaving out --------------------------------------------------------------------------------

WATCHED_EVERY, LEFT_OUT = 12, 3
"""Of the 100, every twelfth is watched; how many of the most influential of each are left out."""


def leave_out(folder: Path, which: str) -> None:
    """Train again without some training pictures, and say how far the watched pictures move.

    which: "influential", "next" (the ones after the first, which is kept), or "random", as many of
    the others.
    """
    import torch

    from rocketman.audits.influence import Influence

    torch.set_num_threads(1)
    model, data, out = folder / "all" / "model", folder / "data", folder / which
    prompts = prompts_of(data, "train", 25)[::WATCHED_EVERY]
    before = draw(model, prompts)
    table = (data / "train" / "metadata.jsonl").read_text(encoding="utf-8").splitlines()
    scores = Influence(model).scores(before).mean(axis=1)
    order = np.argsort(-scores, axis=1)
    top, first = np.unique(order[:, :LEFT_OUT]), order[:, 0]
    if which == "next":
        top = np.setdiff1d(order[:, 1 : 1 + LEFT_OUT], first)
    others = np.setdiff1d(np.arange(len(table)), order[:, :LEFT_OUT])
    gone = np.random.default_rng(1).permutation(others)[: len(top)] if which == "random" else top
    names = [json.loads(table[k])["file_name"] for k in gone]
    print(f"{which}: without {len(gone)} of {len(table)}: {', '.join(sorted(names))}")
    (out / "data" / "train").mkdir(parents=True, exist_ok=True)
    for line in table:
        name = json.loads(line)["file_name"]
        if name not in names and not (out / "data" / "train" / name).exists():
            (out / "data" / "train" / name).hardlink_to(data / "train" / name)
    kept = [line for k, line in enumerate(table) if k not in set(gone.tolist())]
    text = "".join(f"{line}\n" for line in kept)
    (out / "data" / "train" / "metadata.jsonl").write_text(text, encoding="utf-8")
    after = draw(train_model(out / "data", out / "run"), prompts)
    sheet([*before, *after], len(prompts)).save(folder / f"{which}.png")
    change = [distance(a, b) for a, b in zip(before, after, strict=True)]
    print(
        f"{which}: RMS change of 255, picture by picture: " + ", ".join(f"{d:.0f}" for d in change)
    )
    print(f"{which}: mean {np.mean(change):.1f}, median {np.median(change):.1f}")


def distance(a: Image.Image, b: Image.Image) -> float:
    """Root mean square difference of two pictures, 0 to 255."""
    difference = np.asarray(a, np.float64) - np.asarray(b, np.float64)
    return float(np.sqrt(np.square(difference).mean()))


def main() -> None:
    parser = argparse.ArgumentParser(description="Credits where the truth is known.")
    parser.add_argument("step", choices=["data", "train", "audit", "authors", "leave-out"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--which", choices=["influential", "next", "random"], default="influential")
    arguments = parser.parse_args()
    folder: Path = arguments.folder
    match arguments.step:
        case "data":
            draw_data(folder)
        case "train":
            train_model(folder / "data", folder / "all")
        case "audit":
            audit_model(folder / "all" / "model", folder / "data")
        case "authors":
            ask_authors(folder)
        case "leave-out":
            leave_out(folder, arguments.which)


if __name__ == "__main__":
    main()

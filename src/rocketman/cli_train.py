"""The commands `train`, `export` and `evaluate`, without logic.

Level 6, mounted by `cli.py`. Next: nothing imports this but `cli.py`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer


def train(
    config: Annotated[Path, typer.Argument(metavar="CONFIG.toml")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the run.")],
    start: Annotated[
        Path | None, typer.Option("--from", metavar="DIR", help="Begin with this model's weights.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a stopped run.")] = False,
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Learn from this, not from CONFIG's folder.")
    ] = None,
) -> None:
    """Train a model on a folder of captioned pictures."""
    from rocketman.cli import needs, say, wrong_use

    say(f"Training {config} in {out}")
    with needs("train"):
        from rocketman.train import Stopped, load_config
        from rocketman.train import train as run
    with wrong_use(ValueError):
        try:
            run(load_config(config, data), out, resume=resume, start=start, report=say)
        except Stopped as stopped:
            say(str(stopped))
            raise typer.Exit(130) from stopped


def export(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model folder.")],
) -> None:
    """Write a model's network.onnx anew from its weights, checked against PyTorch."""
    from rocketman.cli import needs, say, wrong_use

    say(f"Exporting {model}")
    from rocketman.weights import NETWORK, ModelError

    with needs("train"):
        from rocketman.export import rewrite_network
    with wrong_use(ModelError):
        difference = rewrite_network(model)
    say(f"{model / NETWORK} is written; it differs from PyTorch by {difference:.1g} at most")


def evaluate(
    model: Annotated[
        Path | None, typer.Argument(metavar="[MODEL]", help="A model folder; else the one inside.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Real renders of the held-out pairs, for kid and c2st."),
    ] = None,
    count: Annotated[int, typer.Option(help="Pictures of each group.", min=2)] = 256,
    seed: Annotated[int, typer.Option(help="Of the first picture of each group.", min=0)] = 0,
    split: Annotated[
        Literal["validation", "test"], typer.Option(help="test is for the final report only.")
    ] = "validation",
    sheet: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="48 of the pictures, spread over all.")
    ] = None,
    card: Annotated[
        bool, typer.Option("--card", help="Keep figures and a sheet in the model's card.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Measure a model: does it draw what is asked, does it look real, does it copy?"""
    from rocketman.cli import say, wrong_use
    from rocketman.cli_screen import step_bar

    say(f"Drawing and measuring {count} pictures a group")
    from rocketman import ModelError, PictureError, RequestError
    from rocketman.evaluate import evaluate as measure
    from rocketman.evaluate import folder_to_keep_in, keep, save_sheet, table
    from rocketman.provenance import picture

    with wrong_use(ModelError, PictureError, RequestError, ValueError):
        if card:
            folder_to_keep_in(model)
        if sheet:
            picture.check_sheet(sheet)
        with step_bar() as on_step:
            found, pictures = measure(
                model, data, count=count, seed=seed, split=split, on_step=on_step
            )
        typer.echo(json.dumps(found.as_json) if as_json else table(found))
        if sheet:
            save_sheet(sheet, pictures)
        if card:
            say(f"{keep(found, pictures, model)} is written anew")

"""The commands `audit index|picture`: one function each, no logic in them.

Level 6, mounted by `cli.py`. Next: nothing imports this but `cli.py`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from PIL.Image import Image

audit = typer.Typer(help="Account for pictures: are they new?", rich_markup_mode=None)

Model = Annotated[
    Path | None, typer.Option(metavar="DIR", help="A model folder, instead of the model inside.")
]


@audit.command("index")
def index(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model folder.")],
    data: Annotated[Path, typer.Option(metavar="DIR", help="What the model was trained on.")],
    renders: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR", help="More renders of the same world, never trained on."),
    ] = None,
    probes: Annotated[
        bool, typer.Option("--probes", help="Train the probes anew where there are some.")
    ] = False,
) -> None:
    """Train a model's probes and index its training pictures, for every audit to come."""
    from rocketman import ModelError
    from rocketman.audits.index import build
    from rocketman.audits.probes import PROBES
    from rocketman.cli import needs, say, wrong_use
    from rocketman.weights import open_model

    with wrong_use(ModelError, ValueError):
        folder = open_model(model).folder
        if probes or not (folder / PROBES).is_file():
            with needs("train"):
                from rocketman.audits.probe_training import write_probes
            write_probes(folder, [data, *(renders or ())], say)
        build(folder, data, renders or (), say)
    say(f"{model} can be audited now")


@audit.command("picture")
def picture(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", show_default=False)],
    model: Model = None,
    sheet: Annotated[
        Path | None,
        typer.Option(metavar="FILE.png", help="Draw each beside the nearest training picture."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Tell how new pictures are, beside what the model was trained on. Exit code 1 for a copy."""
    from rocketman import ModelError
    from rocketman.audits.index import load_index
    from rocketman.audits.newness import newness, stacked
    from rocketman.cli import say, wrong_use

    with wrong_use(ModelError, ValueError):
        training = load_index(model)
        pictures = [_open(file) for file in files]
        found = newness(pictures, training)
        if sheet:
            stacked(pictures, found, training, sheet)
            say(f"{sheet} shows them beside the nearest training pictures")
    if as_json:
        documents = [each.as_json(str(file)) for each, file in zip(found, files, strict=True)]
        typer.echo(json.dumps(documents))
    else:
        for each, file in zip(found, files, strict=True):
            typer.echo(f"{file}   {each.words}")
    if any(each.verdict == "copy" for each in found):
        raise typer.Exit(1)


def _open(file: Path) -> Image:
    """ValueError, in one sentence, if the file is no picture that can be read."""
    from rocketman.data_pictures import BadPicture, open_file

    try:
        return open_file(file)
    except BadPicture as error:
        raise ValueError(f"{file} {error}.") from error

"""The commands `audit index|picture|collection`: one function each, no logic in them.

Level 6, mounted by `cli.py`. Next: nothing imports this but `cli.py`.
"""

from __future__ import annotations

import json
import textwrap
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from PIL.Image import Image

audit = typer.Typer(
    help="Account for pictures: who deserves credit, are they new, do they look alike?",
    rich_markup_mode=None,
)

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
    from rocketman.cli import needs, say, wrong_use
    from rocketman.weights import PROBES, open_model

    with wrong_use(ModelError, ValueError):
        folder = open_model(model).folder
        if probes or not (folder / PROBES).is_file():
            with needs("train"):
                from rocketman.audits.probe_training import write_probes
            write_probes(folder, [data, *(renders or ())], say)
        build(folder, data, renders or (), say)
        if find_spec("torch"):
            from rocketman.audits.influence import write_influence

            write_influence(folder, data, say)
        else:
            say("Influence is left out: for it run pip install 'rocketman-diffusion[train]'.")
    say(f"{model} can be audited now")


@audit.command("picture")
def picture(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", show_default=False)],
    model: Model = None,
    sheet: Annotated[
        Path | None,
        typer.Option(metavar="FILE.png", help="Draw each beside the nearest training picture."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Tell how new pictures are, and whom to credit: which training pictures are most like them,
    and which shaped them most. Exit code 1 for a copy."""
    from rocketman import ModelError
    from rocketman.audits.credits import credits, load_influence, parties_of
    from rocketman.audits.index import load_index
    from rocketman.audits.newness import newness, stacked
    from rocketman.cli import say, wrong_use
    from rocketman.provenance.picture import check_sheet

    with wrong_use(ModelError, ValueError):
        if sheet:
            check_sheet(sheet)
        training = load_index(model)
        pictures = [_open(file) for file in files]
        found = newness(pictures, training)
        influence, why = load_influence(training.folder.parent)
        owed = credits(pictures, training, influence)
        four = [parties_of(file, training) for file in files]
        if sheet:
            stacked(pictures, found, training, sheet)
            say(f"{sheet} shows them beside the nearest training pictures")
    told = zip(files, found, owed, four, strict=True)
    if as_json:
        documents = [
            new.as_json(str(file)) | credit.as_json(str(file)) | {"parties": each, "remark": other}
            for file, new, credit, (each, other) in told
        ]
        typer.echo(json.dumps(documents))
    else:
        for file, new, credit, (each, other) in told:
            typer.echo(f"{file}   {new.words}\n{textwrap.indent(credit.words, '    ')}")
            if other:
                typer.echo(f"    {other}")
            for party in each:
                typer.echo(f"    who {party['part']}: {party['who']}, {party['what']}")
    for sentence in filter(None, (*training.lacks, why)):
        say(sentence)
    if any(each.verdict == "copy" for each in found):
        raise typer.Exit(1)


@audit.command("collection")
def collection(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The collection's folder.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Write DIR/report: is it AI, who deserves credit, is it new, does it all look alike."""
    from rocketman.cli import bar, needs, say, wrong_use

    say(f"Auditing the collection {folder}")
    from rocketman import ModelError
    from rocketman.collection.store import StoreError
    from rocketman.collection.tables import PlanError

    with needs("gallery"):
        from rocketman.collection.report import ReportError, audit
        from rocketman.collection.report_page import write
        from rocketman.collection.wording import counted
    kinds = (PlanError, StoreError, ModelError, ReportError)
    with wrong_use(*kinds), bar("auditing") as advance:
        done = audit(folder, advance)
        page = write(done)
    for sentence in done.document["remarks"]:
        say(sentence)
    if as_json:
        typer.echo(json.dumps(done.document))
    say(f"{page}: {counted(len(done.pictures), 'picture')}. {done.document['credit_line']}")


def _open(file: Path) -> Image:
    """ValueError, in one sentence, if the file is no picture that can be read."""
    from rocketman.data.pictures import BadPicture, open_file

    try:
        return open_file(file)
    except BadPicture as error:
        raise ValueError(f"{file} {error}.") from error

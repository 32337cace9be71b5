"""The commands `dataset render|show|check|pack|thumbnails|card`: one function each, no logic.

Level 6, mounted by `cli.py`. Next: nothing imports this but `cli.py`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from rocketman.data.sources import Problem

dataset = typer.Typer(help="Render, look at, check and pack data sets.", rich_markup_mode=None)

Dir = Annotated[Path, typer.Argument(metavar="DIR", help="A data set.")]
SHOWN = 20
"""Problems that are named before the rest is counted."""


@dataset.command("render")
def render(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder; with --scene a file.")],
    size: Annotated[int, typer.Option(min=16, help="Width and height in pixels.")],
    count: Annotated[
        int | None, typer.Option(min=1, help="Pictures in the whole data set.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that render.")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, other scenes.")] = 0,
    passes: Annotated[
        bool, typer.Option("--passes", help="Also write object classes, depth and normals.")
    ] = False,
    scene: Annotated[
        Path | None, typer.Option(metavar="FILE.json", help="One scene instead, as a poster.")
    ] = None,
) -> None:
    """Render captioned pictures with Blender. The same command goes on after a stop."""
    from rocketman.cli import bar, say, wrong, wrong_use
    from rocketman.data.card import write_card
    from rocketman.scenes.dataset import RenderError, SceneError, render_scene
    from rocketman.scenes.dataset import render as run

    if (count is None) == (scene is None):
        wrong("Give either --count N for a data set or --scene FILE.json for one picture.")
    try:
        if scene:
            with wrong_use(SceneError):
                render_scene(scene, size, out)
            say(f"{out} shows {scene}")
            return
        assert count
        with wrong_use(ValueError), bar("rendering") as advance:
            made = run(count, size, out, workers, seed, advance, passes=passes)
            write_card(out)
    except RenderError as error:
        say(f"Error: {error}")
        raise typer.Exit(1) from error
    say(f"{made} pictures rendered; {out} is ready")


@dataset.command("scene")
def scene(
    index: Annotated[int, typer.Argument(metavar="NUMBER", min=0, help="Number of the picture.")],
    seed: Annotated[int, typer.Option(min=0, help="Seed of the data set.")] = 0,
) -> None:
    """Print the scene of a picture as JSON: save it, edit it, `render --scene` it."""
    from rocketman.scenes.spec import draw

    typer.echo(draw(seed, index).to_json(), nl=False)


@dataset.command("show")
def show(
    folder: Dir,
    out: Annotated[Path, typer.Option(metavar="FILE.png")] = Path("contact-sheet.png"),
) -> None:
    """Draw a contact sheet of a data set and count its factors."""
    from rocketman.cli import say, wrong, wrong_use
    from rocketman.data import show

    if out.suffix.lower() not in (".png", ".jpg", ".jpeg", ".webp"):
        wrong(f"{out} should end in .png, .jpg or .webp.")
    if not out.parent.is_dir():
        wrong(f"{out} cannot be saved: there is no folder {out.parent}.")
    with wrong_use(ValueError):
        sheet = show.contact_sheet(folder)
        sources = show.open_splits(folder)
    sizes = {split: len(source.rows) for split, source in sources.items()}
    typer.echo(show.table(show.factor_counts(folder), sizes))
    sheet.save(out)
    say(f"{out} shows {folder}")


@dataset.command("check")
def check(
    folder: Dir,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Name everything that is wrong with a data set. Exit code 1 if anything is."""
    from rocketman.cli import bar, say, wrong_use
    from rocketman.data.check import check as look
    from rocketman.data.sources import tell_too_long

    with wrong_use(ValueError), bar("checking") as advance:
        report = look(folder, advance)
    if as_json:
        typer.echo(json.dumps(report.as_json))
    else:
        for problem in report.errors:
            typer.echo(str(problem))
    counts = ", ".join(f"{count:,} {split}" for split, count in report.splits.items())
    pictures = "picture" if report.pictures == 1 else "pictures"
    say(f"{report.pictures:,} {pictures} ({counts}), {len(report.errors):,} wrong in {folder}")
    if report.long_captions:
        say(tell_too_long(report.long_captions))
    if report.errors:
        raise typer.Exit(1)


@dataset.command("pack")
def pack(
    folder: Dir,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the shards.")],
    form: Annotated[
        Literal["shards", "folder"],
        typer.Option("--as", help="WebDataset shards, or a folder of pictures."),
    ] = "shards",
    size: Annotated[
        int | None, typer.Option(min=16, help="Width and height in pixels; else as they are.")
    ] = None,
    count: Annotated[
        int | None, typer.Option(min=1, help="So many pictures, spread evenly; else all.")
    ] = None,
) -> None:
    """Write a data set as WebP pictures, in WebDataset shards or a folder, with a card."""
    from rocketman.cli import bar, say, wrong_use
    from rocketman.data.card import write_card
    from rocketman.data.pack import pack as write

    with wrong_use(ValueError), bar("packing") as advance:
        problems = write(folder, out, form, size, count, advance)
        write_card(out)
    _left_out(problems)
    say(f"{out} holds {folder} in {_megabytes(out)}")


@dataset.command("thumbnails")
def thumbnails(
    folder: Dir,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the atlases.")],
    size: Annotated[int, typer.Option(help="Pixels a thumbnail, a multiple of 16.")] = 64,
) -> None:
    """Write a data set as atlases of small pictures, about 1 kB each; training reads them."""
    from rocketman.cli import bar, say, wrong_use
    from rocketman.data.card import write_card
    from rocketman.data.thumbnails import write_thumbnails

    with wrong_use(ValueError), bar("packing") as advance:
        problems = write_thumbnails(folder, out, size, advance)
        write_card(out)
    _left_out(problems)
    say(f"{out} holds {folder} in {_megabytes(out)}")


@dataset.command("card")
def card(folder: Dir) -> None:
    """Write the card of a data set: DIR/README.md and, beside its splits, DIR/sample.jpg."""
    from rocketman.cli import say, wrong_use
    from rocketman.data.card import write_card

    with wrong_use(ValueError):
        path = write_card(folder)
    say(f"{path} describes {folder}")


def _left_out(problems: list[Problem]) -> None:
    from rocketman.cli import say

    for problem in problems[:SHOWN]:
        say(f"{problem}; left out")
    if len(problems) > SHOWN:
        say(f"{len(problems) - SHOWN:,} more were left out")


def _megabytes(folder: Path) -> str:
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return f"{size / 1e6:.1f} MB"

"""The commands `collection new|run|pick|gallery|film|publish`: one function each, no logic in them.

Level 6, mounted by `cli.py`. Next: nothing imports this but `cli.py`.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rocketman.collection.wording import command, counted

if TYPE_CHECKING:
    from rocketman.collection.store import Kind

collection = typer.Typer(
    help="Draw, choose and publish a series of pictures.", rich_markup_mode=None
)


def _folder(given: Path) -> Path:
    """The folder also of those who name the collection.toml in it."""
    return given.parent if given.name == "collection.toml" and not given.is_dir() else given


Dir = Annotated[
    Path, typer.Argument(metavar="DIR", callback=_folder, help="The collection's folder.")
]


@collection.command("new")
def new(folder: Dir) -> None:
    """Begin a collection: writes DIR/collection.toml, an example to change."""
    from rocketman.cli import say, wrong_use
    from rocketman.collection import plan, tables

    with wrong_use(tables.PlanError):
        path = plan.write_example(folder)
    say(f"{path} is yours to change; {command('collection run', folder)} draws it.")


@collection.command("run")
def run(folder: Dir) -> None:
    """Draw what the collection lacks. Stop it, kill it, change the file: it goes on from there."""
    from rocketman.cli import say, wrong_use

    say(f"Drawing the collection {folder}")
    from rocketman import ModelError, PictureError, RequestError
    from rocketman.collection import run as runs
    from rocketman.collection.store import StoreError
    from rocketman.collection.tables import PlanError

    kinds = (PlanError, ModelError, PictureError, RequestError, StoreError)
    try:
        with wrong_use(*kinds), _drawing_bar() as on_progress:
            drawn, wanted = runs.run(folder, on_progress, say)
    except runs.Paused as paused:
        say(str(paused))
        raise typer.Exit(130) from paused
    except runs.RunError as error:
        say(f"Error: {error}")
        raise typer.Exit(1) from error
    say(f"{drawn} drawn now, {counted(wanted, 'picture')} in all, in {folder / runs.PICTURES}")


@collection.command("pick")
def pick(
    folder: Dir,
    show: Annotated[bool, typer.Option("--list", help="List all candidates.")] = False,
    rate: Annotated[
        list[str] | None, typer.Option(metavar="ID=0..5", help="Rate a picture.")
    ] = None,
    pick: Annotated[list[int] | None, typer.Option(metavar="ID", help="Show this one.")] = None,
    reject: Annotated[list[int] | None, typer.Option(metavar="ID", help="Never show it.")] = None,
    unset: Annotated[list[int] | None, typer.Option(metavar="ID", help="Clear its marks.")] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take back the last act.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="List them as one JSON document.")
    ] = False,
) -> None:
    """Choose among the candidates: on a page in the browser, or by options, which can be repeated.

    Every act is recorded with its time. A picture takes one of --pick, --reject and --unset at a
    time; --undo stands by itself.
    """
    from rocketman.cli import say, wrong, wrong_use
    from rocketman.collection import curate, rank
    from rocketman.collection import plan as plans
    from rocketman.collection.store import Store, StoreError
    from rocketman.collection.tables import PlanError

    acts: list[tuple[Kind, int, int | None]] = []
    for text in rate or []:
        found = re.fullmatch(r"(\d+)=([0-5])", text)
        if not found:
            wrong(f"--rate takes a picture and 0 to 5, as in --rate 4=5, not {text!r}.")
        acts.append(("rate", int(found[1]), int(found[2])))
    acts += [("pick", each, None) for each in pick or []]
    acts += [("reject", each, None) for each in reject or []]
    acts += [("unset", each, None) for each in unset or []]
    if clash := curate.contradiction(acts):
        picture, kinds = clash
        options = " and ".join(f"--{kind}" for kind in kinds)
        wrong(f"Picture {picture} is named by {options}: give one of them at a time.")
    if acts and undo:
        wrong("--undo stands by itself: take back first, then choose.")
    show = show or as_json
    if not (show or acts or undo):
        _serve_page(folder)
        return
    with wrong_use(StoreError, PlanError), Store(folder) as store:
        if acts:
            store.record(acts)
            say(f"{counted(len(acts), 'act')} recorded; --undo takes one back")
        if undo:
            last = store.undo()
            say(f"Undone: {last.kind} {last.picture}, of {last.at}")
        if not show:
            return
        rows, marks = store.rows(), curate.marks(store.acts())
        ranking = rank.rank(plans.read(folder), store, rows)
    scores = ranking.scores
    shown = {row.id for row in curate.chosen(rows, marks, scores)}
    listed = [
        {
            "id": row.id,
            "shown": row.id in shown,
            "state": marks.get(row.id, curate.Mark()).state,
            "rating": marks.get(row.id, curate.Mark()).rating,
            "at": marks.get(row.id, curate.Mark()).at,
            "prompt": row.prompt,
            "seed": row.seed,
            "file": row.file,
            "score": scores.get(row.id),
            "why": ranking.why(row.id),
        }
        for row in rows
    ]
    if as_json:
        typer.echo(json.dumps(listed))
        return
    for each in listed:
        cells = [str(each["id"]), "shown" if each["shown"] else "", str(each["state"])]
        cells += ["" if each["rating"] is None else str(each["rating"]), str(each["file"] or "")]
        typer.echo("\t".join([*cells, str(each["prompt"])]))


@collection.command("gallery")
def gallery(folder: Dir) -> None:
    """Make a website of the chosen pictures: DIR/gallery, for any server or none."""
    from rocketman.cli import needs, say, wrong_use

    say(f"Building the gallery of {folder}")
    from rocketman.collection.store import StoreError
    from rocketman.collection.tables import PlanError

    with needs("gallery"):
        from rocketman.collection.gallery import GalleryError, build
    with wrong_use(PlanError, StoreError, GalleryError):
        built = build(folder)
    for sentence in built.remarks:
        say(sentence)
    say(f"{built.index}: {counted(built.pictures, 'picture')}, {built.size / 1e6:.1f} MB")


@collection.command("film")
def film(
    folder: Dir,
    draft: Annotated[bool, typer.Option("--draft", help="Ten seconds of it, to look at.")] = False,
    size: Annotated[int, typer.Option(help="Height in pixels: 720, 1080 or 2160.")] = 1080,
    audio: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Your own sound, not the composed piece.")
    ] = None,
    silent: Annotated[bool, typer.Option("--silent", help="No sound at all.")] = False,
) -> None:
    """Make a film of the chosen pictures: DIR/film, with all to paste beside it on YouTube."""
    from rocketman.cli import bar, needs, say, wrong_use

    say(f"Making the film of {folder}")
    from rocketman.collection.store import StoreError
    from rocketman.collection.tables import PlanError

    with needs("film"):
        from rocketman.collection.film import FilmError, make
        from rocketman.collection.film_encode import AudioError
    try:
        with wrong_use(PlanError, StoreError, FilmError, AudioError), bar("filming") as advance:
            made = make(
                folder,
                size=size,
                draft=draft,
                audio=audio,
                silent=silent,
                on_progress=advance,
            )
    except KeyboardInterrupt as stop:
        say("Stopped: no film was written, and what was there before stays.")
        raise typer.Exit(130) from stop
    for sentence in made.remarks:
        say(sentence)
    loud = "silent" if made.loudness is None else f"{made.loudness:.1f} LUFS"
    say(f"{made.path}: {made.seconds:.1f} s, {made.size / 1e6:.1f} MB, {loud}")


@collection.command("publish")
def publish(folder: Dir) -> None:
    """Gather gallery, film and texts in DIR/publish, and check them. Exit code 1 if one fails."""
    from rocketman.cli import bar, needs, say, wrong_use

    say(f"Publishing {folder}")
    from rocketman.collection.store import StoreError
    from rocketman.collection.tables import PlanError

    with needs("gallery"):
        from rocketman.collection import publish as publishing
        from rocketman.collection.gallery import GalleryError
    kinds = (PlanError, StoreError, GalleryError, publishing.PublishError)
    try:
        with wrong_use(*kinds), bar("filming") as advance:
            done = publishing.publish(folder, advance)
    except KeyboardInterrupt as stop:
        say("Stopped: what was published before stays.")
        raise typer.Exit(130) from stop
    for sentence in done.remarks:
        say(sentence)
    for check in done.checks:
        typer.echo(f"{'ok' if check.good else 'WRONG':<7}{check.name:<13}{check.looked_at}")
        for sentence in check.wrong[:5]:
            typer.echo(f"       {sentence}")
        if len(check.wrong) > 5:
            typer.echo(f"       and {len(check.wrong) - 5} more")
    say(f"{done.folder}: {done.size / 1e6:.1f} MB, ready to be uploaded by you")
    if not all(check.good for check in done.checks):
        raise typer.Exit(1)


def _serve_page(folder: Path) -> None:
    """The page to choose on, until Ctrl-C; then what was done there, and what comes next."""
    from rocketman.cli import say, wrong_use
    from rocketman.collection import pick
    from rocketman.collection.store import StoreError
    from rocketman.collection.tables import PlanError

    with wrong_use(PlanError, StoreError), tempfile.TemporaryDirectory() as private:

        def ready(address: str) -> None:
            say(f"Choose at {address}\nThe address is this run's secret. Ctrl-C ends it.")
            if sys.stderr.isatty():  # by a file: others could read an address off the process list
                door = Path(private) / "pick.html"
                door.write_text(f'<meta http-equiv="refresh" content="0; url={address}">')
                typer.launch(door.as_uri())

        done = pick.serve(folder, ready)
    told = ", ".join(f"{count} x {kind}" for kind, count in done.most_common())
    say(f"\nRecorded in {folder}: {told or 'nothing new'}.")
    say(f"{command('collection gallery', folder)} shows what is chosen.")


@contextmanager
def _drawing_bar() -> Iterator[Callable[[int, int], None]]:
    """A progress bar with rate and time left, on standard error where that is a terminal."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{60 * task.speed:.1f} a minute" if task.speed else "")

    console = Console(stderr=True)
    with Progress(
        TextColumn("drawing"),
        BarColumn(),
        MofNCompleteColumn(),
        *([Rate()] if console.width >= 60 else []),  # narrower, and it would break over lines
        TimeRemainingColumn(),
        TextColumn("left"),
        console=console,
        transient=True,
        redirect_stdout=False,  # standard output is for results
        speed_estimate_period=300,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task("drawing", total=None)
        yield lambda made, wanted: progress.update(task, completed=made, total=wanted)

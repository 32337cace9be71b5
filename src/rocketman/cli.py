"""The command line: one function a command, no logic in them.

Level 6: reads arguments, calls the part that does the work, says what came of it. Standard output
holds answers (`--json`: one JSON document); how work goes on, and the names of files that it wrote,
are said on standard error.

    exit code   0 done   1 failed part-way, or checked and found wanting   2 wrong use   130 Ctrl-C

Wrong use gets one sentence, no traceback. Heavy libraries are imported inside the commands, after
the first line of output. Next: nothing imports this.
"""

from __future__ import annotations

import io
import json
import shutil
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer

from rocketman import cli_pictures, cli_train
from rocketman.cli_audit import audit
from rocketman.cli_collection import collection
from rocketman.cli_dataset import dataset
from rocketman.cli_pictures import PICTURES as PICTURES
from rocketman.cli_pictures import AsJson, FileFormat, Init, Mask, Model, Out
from rocketman.cli_screen import bar as bar
from rocketman.cli_screen import step_bar as step_bar
from rocketman.files import system_words

if TYPE_CHECKING:
    from rocketman.generate import Picture

app = typer.Typer(
    help="Draw astronauts in orbit playing instruments, with a network trained from scratch.",
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(dataset, name="dataset")
app.add_typer(collection, name="collection")
app.add_typer(audit, name="audit")

WELCOME = """\
Make a picture:      rocketman generate "an astronaut in a white suit playing a harp above mars"
See the tour:        docs/tour.md in the source code; here: rocketman words, rocketman --help
Check the machine:   rocketman doctor"""


def main() -> None:
    """The command `rocketman`."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # a redirected one may lack a prompt's letters
        sys.stdout.reconfigure(errors="replace")
    try:
        code = app(prog_name="rocketman", standalone_mode=False)
    except OSError as error:  # a full disk, a folder that went away: part-way, not wrong use
        say(f"Error: {system_words(error)}")
        sys.exit(1)
    except Exception as error:
        if not hasattr(error, "format_message"):  # Typer's own errors have it, in all versions
            raise
        refuse(error)
    sys.exit(code if isinstance(code, int) else 0)


def refuse(error: Any) -> NoReturn:
    """Say what Typer finds wrong with the words typed, and the line that was probably meant."""
    from rocketman.cli_meant import meant

    line = meant(sys.argv[1:], typer.main.get_command(app))
    if line is None:
        error.show()
    else:
        what = error.format_message().replace("Value error, ", "").split(". Did you mean")[0]
        say(f"Error: {what.split(' (Possible')[0].rstrip('.')}. Did you mean: {line}")
    sys.exit(error.exit_code)


@app.callback(invoke_without_command=True)
def welcome(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(WELCOME)


@app.command()
def generate(
    prompts: Annotated[
        list[str] | None, typer.Argument(metavar="PROMPT", show_default=False)
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--prompts", metavar="FILE", help="A prompt a line; - is stdin.")
    ] = None,
    n: Annotated[int, typer.Option("-n", help="Pictures of each prompt.")] = 1,
    seed: Annotated[
        int | None, typer.Option(help="Seed of the first picture; the next add one. Else random.")
    ] = None,
    steps: Annotated[int, typer.Option(help="Steps of the sampler, 1 to 1000.")] = 24,
    guidance_scale: Annotated[
        float, typer.Option(help="How strongly the prompt pulls, 0 to 30.")
    ] = 3.0,
    negative_prompt: Annotated[
        str, typer.Option(metavar="PROMPT", help="What to draw away from.")
    ] = "",
    size: Annotated[int | None, typer.Option(help="Width and height in pixels.")] = None,
    variety: Annotated[
        float, typer.Option(help="How far apart the pictures of a prompt are drawn, 0 to 1.")
    ] = 0.0,
    init: Init = None,
    strength: Annotated[
        float | None,
        typer.Option(help="How much to redraw of --init, 0 to 1; else 0.7, masked 1."),
    ] = None,
    mask: Mask = None,
    upscale: Annotated[int, typer.Option(help=cli_pictures.UPSCALE)] = 1,
    file_format: Annotated[FileFormat, typer.Option("--format", help="Kind of file.")] = "png",
    model: Model = None,
    out: Out = PICTURES,
    contact_sheet: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Also show them all on one sheet.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Draw pictures. Same prompt and seed, same picture.

    {red|blue} in a prompt draws both, __suits__, __instruments__ or __places__ all it knows.
    """
    lines = [*(prompts or ()), *(prompt_lines(file) if file else ())]
    if not lines:
        wrong('There is no prompt: try rocketman generate "a harp above mars".')
    total = max(n, 0) * len(lines)
    several = any(is_template(line) for line in lines)
    pictures_of = "every combination" if several else f"{total} picture{'' if total == 1 else 's'}"
    say(f"Drawing {pictures_of} into {out}")
    from rocketman import ModelError, PictureError, RequestError, load, sheet
    from rocketman.prompts import PromptError, expand, wildcards
    from rocketman.provenance import picture

    kinds = (ModelError, PictureError, PromptError, RequestError)
    if len(prompts or []) > 2 and not any(" " in prompt for prompt in prompts or []):
        say(f'    each word is a prompt by itself; for one prompt: "{" ".join(prompts or [])}"')
    with report(as_json) as made, wrong_use(*kinds), step_bar(not as_json) as screen:
        pipeline = load(model)
        cards = wildcards(pipeline.model.vocabulary)
        if several:
            meant = (expand(line, cards) if is_template(line) else [line] for line in lines)
            lines = list(chain.from_iterable(meant))
        pictures = pipeline.stream(
            lines,
            negative_prompt=negative_prompt,
            num_images_per_prompt=n,
            seed=seed,
            num_inference_steps=steps,
            guidance_scale=guidance_scale,
            size=size,
            variety=variety,
            image=init,
            strength=strength,
            mask_image=mask,
            upscale=upscale,
            callback_on_step_end=screen,
        )
        if contact_sheet:
            sheet.check(contact_sheet, n * len(lines), out)
        folder = picture.prepare_folder(out)
        shown = []
        for each in pictures:
            screen.phase("saving")
            save(each, folder, made, f".{file_format}")
            if contact_sheet:
                shown.append(sheet.reduced(each))
        if contact_sheet:
            sheet.save(contact_sheet, shown, series=n if n > 1 else len(shown))
            say(f"{contact_sheet} shows them all")


app.command()(cli_pictures.redo)
app.command()(cli_pictures.vary)
app.command()(cli_pictures.walk)


Tabled = Literal["suit", "instrument", "place"]


@app.command()
def grid(
    rows: Annotated[Tabled, typer.Option(metavar="FACTOR", help="suit, instrument or place.")],
    columns: Annotated[Tabled, typer.Option(metavar="FACTOR", help="Another of these.")],
    suit: Annotated[str | None, typer.Option(help="Where suits are not tabled.")] = None,
    instrument: Annotated[str | None, typer.Option(help="Likewise.")] = None,
    place: Annotated[str | None, typer.Option(help="Likewise.")] = None,
    seed: Annotated[int, typer.Option(help="Of every picture.")] = 1,
    model: Model = None,
    out: Annotated[Path, typer.Option(metavar="FILE.png")] = Path("grid.png"),
) -> None:
    """Draw a table: each of one factor with each of another, one try each, nothing picked."""
    say(f"Drawing {rows} by {columns} into {out}")
    from rocketman import ModelError, PictureError, RequestError, load
    from rocketman.grid import draw
    from rocketman.provenance import picture

    fixed = {"suit": suit, "instrument": instrument, "place": place}
    given = {factor: level for factor, level in fixed.items() if level is not None}
    with wrong_use(ModelError, PictureError, RequestError), step_bar(True) as screen:
        picture.prepare_folder(out.parent)
        picture.check_sheet(out)
        table = draw(load(model), rows, columns, given, seed, screen)
        screen.phase("saving")
        picture.save_sheet(table.image, out, table.recipes)
    if table.read_as:
        say(f"    read as: {', '.join(f'{a} = {b}' for a, b in table.read_as.items())}")
    framed = f", {table.framed} of them pairs that training never showed" if table.framed else ""
    say(f"{out}: {len(table.recipes)} pictures{framed}")


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Check whether this machine is fit. Exit code 1 if something is not."""
    from dataclasses import asdict

    from rocketman.doctor import examine

    found = []
    for finding in examine():
        found.append(finding)
        if not as_json:
            typer.echo(f"{'ok' if finding.fine else '!!'}  {finding.what:<9} {finding.text}")
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in found]))
    if not all(finding.fine for finding in found):
        raise typer.Exit(1)


@app.command()
def words(model: Model = None, as_json: AsJson = False) -> None:
    """List what can be drawn."""
    from rocketman import reading, weights
    from rocketman.prompts import known_levels, known_shots

    with wrong_use(weights.ModelError):
        known = weights.open_model(weights.embedded() if model is None else model).vocabulary
    levels = known_levels(known)
    if shots := known_shots(known):
        levels["shot"] = shots
    synonyms = reading.synonyms(known)
    listed = {word for found in levels.values() for level in found for word in level.split()}
    levels = {factor: found for factor, found in levels.items() if found}
    levels["others"] = tuple(word for word in known if word not in listed)
    if as_json:
        typer.echo(json.dumps({**levels, "synonyms": synonyms}))
        return
    width = min(98, shutil.get_terminal_size().columns)
    for factor, found in levels.items():
        line = f"{factor:<12}{', '.join(found)}"
        typer.echo(textwrap.fill(line, width, subsequent_indent=" " * 12))
    if synonyms:
        typer.echo("\nRead as these:")
    for target in dict.fromkeys(synonyms.values()):
        others = ", ".join(phrase for phrase, read in synonyms.items() if read == target)
        typer.echo(textwrap.fill(f"{target} = {others}", width, subsequent_indent="    "))


@app.command()
def verify(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Tell where files come from. Exit code 1 if one has nothing that holds."""
    from rocketman.provenance.verify import VerifyError
    from rocketman.provenance.verify import verify as look

    good = True
    with report(as_json) as found, wrong_use(VerifyError):
        for file in files:
            verdict = look(file)
            good = good and verdict.good
            found.append(verdict.as_json)
            if not as_json:
                typer.echo(verdict.words)
    if not good:
        raise typer.Exit(1)


app.command()(cli_train.train)
app.command()(cli_train.export)
app.command()(cli_train.evaluate)


@app.command()
def version() -> None:
    """Print the version."""
    from rocketman import __version__

    typer.echo(__version__)


# --- how commands talk ------------------------------------------------------------------------


def is_template(line: str) -> bool:
    """Whether a prompt stands for others: it is then written anew, articles and all."""
    return any(mark in line for mark in ("{", "}", "__"))


def prompt_lines(file: Path) -> list[str]:
    """The lines of a file of prompts, or of standard input; empty ones and # comments left out."""
    if str(file) == "-" and sys.stdin is None:
        wrong("Standard input is closed: give prompts, or a file of them.")
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except OSError as error:
        wrong(f"{file} cannot be read: {error.strerror}.")
    except UnicodeDecodeError:
        wrong(f"{file} cannot be read: it should be text in UTF-8, a prompt a line.")
    lines = (line.strip() for line in text.removeprefix("\ufeff").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def say(text: str) -> None:
    """One line for people."""
    typer.echo(text, err=True)


def wrong(sentence: str) -> NoReturn:
    """Wrong use: one sentence, exit code 2."""
    say(f"Error: {sentence}")
    raise typer.Exit(2)


@contextmanager
def wrong_use(*errors: type[Exception]) -> Iterator[None]:
    """These errors are the caller's to mend: their sentence, no traceback."""
    try:
        yield
    except errors as error:
        wrong(str(error))


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """Imports inside come with an extra of the package; if one is missing, say how to get it."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("rocketman"):
            raise
        wrong(f"This needs {error.name}: run pip install 'rocketman-diffusion[{extra}]'.")


@contextmanager
def report(as_json: bool) -> Iterator[list[dict[str, Any]]]:
    """A list of what was made or found, printed as JSON at the end, also if it broke off."""
    made: list[dict[str, Any]] = []
    try:
        yield made
    finally:
        if as_json and made:
            typer.echo(json.dumps(made))


def save(picture: Picture, folder: Path, made: list[dict[str, Any]], suffix: str = ".png") -> None:
    """Save a picture under a name of its own, add it to the report, and say so."""
    from rocketman.provenance.picture import next_path

    recipe = picture.recipe
    path = picture.save(next_path(folder, recipe, suffix))
    made.append(
        {
            "file": str(path),
            "prompt": recipe.prompt,
            "seed": recipe.seed,
            "seconds": recipe.seconds,
            "unknown_words": list(recipe.unknown_words),
            "read_as": dict(picture.read_as),
        }
    )
    say(str(path))
    if len(made) < 2 or made[-2]["prompt"] != recipe.prompt:
        how_read(picture)


def how_read(picture: Picture) -> None:
    """What became of words of a prompt that the model does not know, or has no room for."""
    from rocketman.provenance.verify import plain

    read_as = [f"{found} = {known}" for found, known in picture.read_as.items() if known]
    if read_as:
        say(f"    read as: {', '.join(read_as)}")
    if unknown := picture.recipe.unknown_words:
        near = ", ".join(picture.nearest_known)
        hint = f"nearest known: {near}" if near else "`rocketman words` lists what it knows"
        say(f"    ignored: {plain(', '.join(unknown), 200)}; {hint}")
    if picture.unread:
        say(f"    too long, so not read: {plain(' '.join(picture.unread), 200)}")
    for levels in picture.rivals:
        say(f"    a picture has room for one of {', '.join(levels)}: it may mix them")

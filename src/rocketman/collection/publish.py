"""A collection ready to be uploaded: gallery, film and texts in one folder, and checked.

Level 5. Builds the gallery (`gallery.py`), makes the film where it can and it is not there yet
(`film.py`, extra `film`), writes the texts, and gathers all in DIR/publish:

    gallery/   for a web server        film/   for YouTube        texts/   for everything else

Files are linked, not copied, where the disk allows it. The folder takes its name when it is whole;
then it is checked (`publish_checks.py`). Nothing is uploaded. Next: a person does that.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from rocketman.collection import film_texts, gallery
from rocketman.collection import plan as plans
from rocketman.collection.plan import Plan
from rocketman.collection.publish_checks import Check, checks
from rocketman.collection.wording import counted, reason
from rocketman.collection.works import Work, load_works
from rocketman.provenance import credentials

FOLDER = "publish"
MARKER = ".rocketman-publish"
"""The file by which we know the folder as ours, and may replace it."""
FILM = Path("film", "film.mp4")
"""Where `film.py` puts the film; not imported from there, since that needs PyAV."""

ABOUT_FILMS = ("Made with", "Type")
"""Lines of the film's credits that say nothing of pictures."""


class PublishError(RuntimeError):
    """The collection cannot be gathered; the message is one sentence."""


@dataclass(frozen=True)
class Published:
    """What was gathered, and what the checks say."""

    folder: Path
    size: int
    """Bytes of everything."""
    checks: tuple[Check, ...]
    remarks: tuple[str, ...]
    """What the curator may want to know, a sentence each."""


def publish(folder: Path, on_progress: Callable[[int, int], None] | None = None) -> Published:
    """Gather DIR/publish and check it. `on_progress(done, total)` counts the frames of a film.

    PlanError, StoreError, GalleryError or PublishError if something cannot be made; what was there
    before stays then.
    """
    plan = plans.read(folder)
    place = folder / FOLDER
    if place.exists() and not (place / MARKER).is_file():
        raise PublishError(f"{place} is there and was not made by Rocketman: move it away.")
    built = gallery.build(folder)
    works, _ = load_works(plan)
    film, told = _film(folder, works, on_progress)
    part = folder / f".{FOLDER}.{secrets.token_hex(4)}.part"
    try:
        _gather(built.index.parent, part / "gallery")
        if film:
            _gather(film, part / "film")
        (part / "texts").mkdir()
        for name, text in _texts(plan, works).items():
            (part / "texts" / name).write_text(text, encoding="utf-8", newline="\n")
        (part / MARKER).write_text("Made by `rocketman collection publish`, and replaced by it.\n")
        gallery.swap(part, place)
    except OSError as error:
        raise PublishError(f"{place} cannot be written: {reason(error)}.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    size = sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
    remarks = tuple(dict.fromkeys((*built.remarks, *told)))
    return Published(place, size, checks(place), remarks)


def _film(
    folder: Path, works: Sequence[Work], on_progress: Callable[[int, int], None] | None
) -> tuple[Path | None, tuple[str, ...]]:
    """The folder of a film that shows just these pictures, made if need be; and what to say."""
    path = folder / FILM
    if path.is_file() and shows(path, works):
        return path.parent, ()
    if find_spec("av") is None:
        why = "the film shows other pictures than the gallery" if path.is_file() else "no film"
        return None, (f"Without film ({why}): run pip install 'rocketman-diffusion[film]'.",)
    from rocketman.collection.film import FilmError, make

    try:
        made = make(folder, on_progress=on_progress)
    except FilmError as error:
        raise PublishError(str(error)) from error
    return made.path.parent, made.remarks


def shows(film: Path, works: Sequence[Work]) -> bool:
    """Whether a film's credentials hold and list just these pictures, in this order."""
    found = credentials.read(film)
    shown = (found.recipe or {}).get("pictures", [])
    return found.state == "valid" and [each.get("file") for each in shown] == [
        work.row.file for work in works
    ]


def _gather(source: Path, target: Path) -> None:
    """Bring a folder over, by links where the disk has them; what is hidden stays behind."""
    for path in sorted(source.rglob("*")):
        if path.is_file() and not path.name.startswith(".") and path.name != "draft.mp4":
            new = target / path.relative_to(source)
            new.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(path, new)
            except OSError:
                shutil.copy2(path, new)


def _texts(plan: Plan, works: Sequence[Work]) -> dict[str, str]:
    """The words to paste where the collection is announced, by file name."""
    by_hand = sum(work.mark.state == "picked" for work in works)
    drawn = sum({work.row.prompt: work.candidates for work in works}.values())
    among = f"{len(works)} of {counted(drawn, 'candidate')}"
    chosen = f"{by_hand} by hand, the others" if by_hand else "all"
    rows = [row for row in film_texts.credits(plan, works, "") if row[0] not in ABOUT_FILMS]
    rows.insert(1, ("Chosen", f"{among}, {chosen} by the ranking"))
    credits = [f"{what}: {who}" for what, who in rows]
    lead = [plan.title, *([plan.artist] if plan.artist else []), "", plan.statement, ""]
    disclosure = film_texts.DISCLOSURE.replace("in this film", "here")
    return {
        "announcement.txt": "\n".join(
            [*lead, disclosure, *([plan.url] if plan.url else []), "", *credits, ""]
        ),
        "disclosure.txt": disclosure + "\n",
        "credits.txt": "\n".join([*credits, ""]),
        "alt-texts.txt": "\n".join([f"{w.row.file}\t{w.title}\t{w.alt}" for w in works] + [""]),
    }

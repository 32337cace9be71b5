"""The film: a collection as a video for YouTube, and all the words to paste beside it.

Level 5. Reads collection.toml, the database and the pictures; writes DIR/film:

    film.mp4         signed; draft.mp4 for a draft of ten seconds, which leaves the rest alone
    title.txt  description.txt (chapters, credits, disclosure)  subtitles.srt  thumbnail.jpg

    works -> cut list -> sound (composed, or the user's) -> frames + sound -> MP4 -> signed -> there

Everything is made in hidden files and takes its name at the end: a film that was there before stays
until the new one is whole. Nothing is uploaded. Needs PyAV (extra `film`). Next: look at it.
"""

from __future__ import annotations

import contextlib
import io
import os
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
from PIL import Image

from rocketman import __version__
from rocketman.collection import film_cards, film_texts
from rocketman.collection import plan as plans
from rocketman.collection.film_cuts import FPS, Cut, cut_list, length
from rocketman.collection.film_encode import AudioError, Sound, decoded, encode
from rocketman.collection.film_frames import Room
from rocketman.collection.film_type import Type, can_shape
from rocketman.collection.plan import Plan
from rocketman.collection.run import PICTURES
from rocketman.collection.sound import instrument_of, soundtrack
from rocketman.collection.sound_instruments import RATE
from rocketman.collection.wording import command, counted
from rocketman.collection.works import Work, load_works
from rocketman.files import write_whole
from rocketman.provenance import credentials, identity
from rocketman.provenance.credentials import Claim, HumanPart

FOLDER = "film"
FILM, DRAFT = "film.mp4", "draft.mp4"
SIZES = (720, 1080, 2160)
"""Heights of the picture in pixels."""
THUMBNAIL = (1280, 720)
A_DAY = 86_400
MAX_THUMBNAIL = 2_000_000
"""Bytes, less than YouTube takes."""


class FilmError(RuntimeError):
    """The film cannot be made; the message is one sentence."""


@dataclass(frozen=True)
class Film:
    """What was made."""

    path: Path
    seconds: float
    size: int
    """Bytes of the film."""
    loudness: float | None
    """LUFS; None without sound."""
    remarks: tuple[str, ...]
    """What the curator may want to know, a sentence each."""


def make(
    folder: Path,
    *,
    size: int = 1080,
    draft: bool = False,
    audio: Path | None = None,
    silent: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> Film:
    """Make DIR/film/film.mp4 and the texts beside it, or DIR/film/draft.mp4 alone.

    size: height, one of SIZES. audio: a file of sound to use instead of the composed piece.
    silent: no sound at all. on_progress(frames done, frames in all).

    PlanError, StoreError, AudioError or FilmError, in one sentence and with nothing changed, if it
    cannot; OSError, with nothing changed, if the disk refuses.
    """
    if size not in SIZES:
        raise FilmError(f"The size is one of {', '.join(map(str, SIZES))}, not {size}.")
    if audio and silent:
        raise FilmError("A silent film takes no sound: leave out one of the two.")
    plan = plans.read(folder)
    works, remarks = load_works(plan)
    for work in works:
        _opened(folder, work)
    try:
        identity.load()  # a missing key is known now, not after the last frame
    except identity.IdentityError as error:
        raise FilmError(str(error)) from error
    place = folder / FOLDER
    cuts = cut_list(len(works), draft)
    type_ = Type()
    with _parts(place) as part:
        sound = _sound(part, plan, works, cuts, audio, silent)
        music = "" if sound is None else _music(plan, audio)
        rows = film_texts.credits(plan, works, music)
        room = _room(folder, plan, works, cuts, size, type_, rows)
        raw, signed = part("film.mp4"), part("signed.mp4")
        encode(raw, room.size, length(cuts), room.frame, sound, on_progress)
        claim = _claim(plan, works)
        try:
            credentials.sign_file(raw, signed, claim)
            texts = {} if draft else _beside(folder, plan, works, cuts, rows, type_, claim)
        except credentials.CredentialsError as error:
            raise FilmError(str(error)) from error
        with signed.open("rb+") as file:
            os.fsync(file.fileno())
        path = place / (DRAFT if draft else FILM)
        signed.replace(path)
        for name, data in texts.items():
            write_whole(place / name, data)
    return Film(
        path,
        length(cuts) / FPS,
        path.stat().st_size,
        sound.loudness if sound else None,
        (*remarks, *_remarks(plan, works, type_)),
    )


# --- parts --------------------------------------------------------------------------------------


@contextmanager
def _parts(place: Path) -> Iterator[Callable[[str], Path]]:
    """Hidden files in DIR/film that are gone afterwards, whatever happens."""
    made: list[Path] = []

    def part(name: str) -> Path:
        made.append(place / f".{secrets.token_hex(4)}.part.{name}")
        return made[-1]

    try:
        place.mkdir(parents=True, exist_ok=True)
        for left in place.glob(".*.part.*"):  # by a process that was killed, not by one at work
            if left.stat().st_mtime < time.time() - A_DAY:
                left.unlink()
        yield part
    except (OSError, av.FFmpegError) as error:
        told = getattr(error, "strerror", None) or str(error)
        raise OSError(f"The film cannot be written to {place}: {told}; nothing changed") from error
    finally:
        for path in made:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            place.rmdir()  # only if nothing is in it


def _sound(
    part: Callable[[str], Path],
    plan: Plan,
    works: Sequence[Work],
    cuts: Sequence[Cut],
    audio: Path | None,
    silent: bool,
) -> Sound | None:
    if silent:
        return None
    if audio:
        if not audio.is_file():
            raise AudioError(f"{audio} cannot be played: there is no such file.")
        return Sound(part("sound"), decoded(audio, length(cuts) * RATE // FPS))
    played = [instrument_of(work.recipe.prompt) for work in works]
    return Sound(part("sound"), soundtrack(cuts, played, _seed(plan)))


def _room(
    folder: Path,
    plan: Plan,
    works: Sequence[Work],
    cuts: Sequence[Cut],
    height: int,
    type_: Type,
    rows: Sequence[tuple[str, str]],
) -> Room:
    scale = height / film_cards.SCREEN[1]
    title = [((170, 0, 1280), film_texts.title_lines(plan))]
    return Room(
        cuts,
        height,
        _seed(plan),
        lambda k: film_cards.hang(_opened(folder, works[k]), scale),
        lambda k: film_cards.label(
            type_, scale, film_texts.label_lines(plan, works[k], len(works))
        ),
        film_cards.card(type_, scale, title),
        film_cards.card(type_, scale, film_texts.closing_blocks(rows)),
    )


def _beside(
    folder: Path,
    plan: Plan,
    works: Sequence[Work],
    cuts: Sequence[Cut],
    rows: Sequence[tuple[str, str]],
    type_: Type,
    claim: Claim,
) -> dict[str, bytes]:
    """The files beside the film, by name."""
    height = THUMBNAIL[1]
    room = _room(folder, plan, works, cuts, height, type_, rows)
    words = film_cards.label(type_, room.scale, film_texts.thumbnail_lines(plan))
    best = max(works, key=lambda work: (work.mark.state == "picked", work.mark.rating or 0))
    image = room.still(best.number - 1, words)
    for quality in (92, 80, 60):
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality, subsampling=0)
        if buffer.tell() < MAX_THUMBNAIL - 50_000:
            break
    return {
        "title.txt": film_texts.title_text(plan).encode(),
        "description.txt": film_texts.description(plan, works, cuts, rows).encode(),
        "subtitles.srt": film_texts.subtitles(plan, works, cuts).encode(),
        "thumbnail.jpg": credentials.sign(buffer.getvalue(), claim),
    }


def _opened(folder: Path, work: Work) -> Image.Image:
    """A picture in RGB. FilmError if it is gone or damaged."""
    path = folder / PICTURES / str(work.row.file)
    again = f"{command('collection run', folder)} draws it again"
    try:
        with Image.open(path) as opened:
            return opened.convert("RGB")
    except FileNotFoundError as error:
        raise FilmError(f"{path} is gone: {again}.") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise FilmError(f"{path} is damaged: delete it, and {again}.") from error


def _claim(plan: Plan, works: Sequence[Work]) -> Claim:
    """What the film's credentials say: put together from these pictures of these models."""
    human: dict[HumanPart, str] = {
        "wrote_prompt": "A person wrote the prompts of the collection.",
        "reordered": "A person gave the pictures their order.",
    }
    if picked := sum(work.mark.state == "picked" for work in works):
        human["chose"] = f"A person chose {picked} of {counted(len(works), 'picture')}."
    models = {work.recipe.model_hash: work.recipe.model for work in works}
    shown = [
        {"prompt": work.recipe.prompt, "seed": work.recipe.seed, "file": work.row.file}
        for work in works
    ]
    return Claim(
        model=", ".join(models.values()),
        model_hash=", ".join(models),
        version=__version__,
        recipe={
            "kind": "film",
            "title": plan.title,
            "model": ", ".join(models.values()),
            "model_hash": ", ".join(models),
            "pictures": shown,
        },
        human=human,
        source_type=credentials.AI_COMPOSED,
        description="Put together from pictures that a diffusion model drew from noise.",
    )


def _seed(plan: Plan) -> int:
    return plan.seed_of(plan.title)


def _music(plan: Plan, audio: Path | None) -> str:
    if audio:
        return audio.stem
    return (
        f"composed and synthesised by Rocketman from seed {_seed(plan)}; each picture's own "
        "instrument plays the theme"
    )


def _remarks(plan: Plan, works: Sequence[Work], type_: Type) -> tuple[str, ...]:
    remarks = []
    without = len(plan.prompts) - len({work.row.prompt for work in works})
    if without:
        remarks.append(
            f"No picture to show for {without} of {counted(len(plan.prompts), 'prompt')}."
        )
    if type_.missing:
        letters = "".join(sorted(type_.missing))[:40]
        remarks.append(
            f"No font on this computer has {letters}: they are left out of the picture. Install "
            "one that has them (Noto Sans, say), and make the film again."
        )
    if type_.shaped and not can_shape():
        remarks.append(
            "This Pillow cannot join letters or set them from right to left: look at the titles."
        )
    return tuple(remarks)

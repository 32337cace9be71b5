"""THE function through which every picture is saved, and the recipe that travels inside the file.

Level 1. Reads a PIL image and its `Recipe` (`recipe.py`); writes a PNG, JPEG or WebP file that says
how it was made, five times:

    pixels       an invisible mark, the recipe's number (`watermark.py`), from 256 px a side
    parameters   the text that A1111's web UI writes and the ecosystem reads (`metadata.py`)
    rocketman    the same recipe as JSON, exact; `read` takes it back out
    XMP          IPTC's words for "made by a generative model"
    C2PA         all of it signed (`credentials.py`), last, so that the signature covers the rest

The manifest is kept in a local store too (`store.py`), so that a stripped copy is matched again.
Never under the keys `prompt` or `workflow`: other tools parse those as graphs of their own.
The same picture with the same recipe gives the same pixels and texts, so the time it took stays out
of the file; a signature is drawn anew each time, so the bytes differ.
Next: `generate.py` attaches a recipe to each picture it makes and saves it here.
"""

from __future__ import annotations

import contextlib
import json
import re
import unicodedata
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from PIL import Image

from rocketman.files import why_no_file, write_whole
from rocketman.provenance import credentials, identity, metadata, store, watermark
from rocketman.provenance.credentials import Claim, CredentialsError, HumanPart
from rocketman.provenance.identity import IdentityError
from rocketman.provenance.recipe import Recipe as Recipe
from rocketman.provenance.recipe import from_json

SUFFIX = ".png"
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
"""That Pillow may open here. Not all it knows: for some it starts other programs."""
MAX_BYTES = 200_000_000
"""Of a file that is opened to read its recipe, or to begin from."""
MAX_NAME = 80
"""Characters of the prompt that a file name keeps."""


class PictureError(ValueError):
    """A picture file that cannot be written or read; the message is one sentence."""


def save(
    image: Image.Image,
    path: Path | str,
    recipe: Recipe,
    *,
    human: Mapping[HumanPart, str] | None = None,
    with_prompt: bool = True,
    start: bytes | None = None,
) -> Path:
    """Mark, describe, sign and save a picture, whole or not at all. Returns the path.

    path: its end says the format, .png, .jpg, .jpeg or .webp. A JPEG file has room for 64 kB of
    texts; a picture with a longer recipe is saved as PNG instead, and the path returned says so.
    start: the file of the picture that this one was begun from, an ingredient of the credentials.
    human: what a person did, for the signed credentials; see `credentials.Claim`.
    with_prompt: False leaves prompts out of everything in the file, which can then not be redone.

    Replaces an earlier picture of ours, never a file that holds no recipe of ours. PictureError if
    the name has another end, the folder is missing, something else is in the way or nothing
    can be signed; OSError if the disk refuses.
    """
    path = Path(path)
    try:
        return _saved(image, path, recipe, human or {}, with_prompt, start)
    finally:
        with contextlib.suppress(OSError):
            _claim(path).unlink(missing_ok=True)


def _saved(
    image: Image.Image,
    path: Path,
    recipe: Recipe,
    human: Mapping[HumanPart, str],
    with_prompt: bool,
    start: bytes | None,
) -> Path:
    kind = metadata.FORMATS.get(path.suffix.lower())
    if kind is None:
        raise PictureError(f"{path} should end in .png, .jpg or .webp, the formats on offer.")
    if not path.parent.is_dir():
        raise PictureError(f"{path} cannot be saved: there is no folder {path.parent}.")
    if path.exists() and not _is_ours(path):
        raise PictureError(f"{path} is there already and is not ours: choose another name.")
    if not with_prompt:
        recipe = replace(recipe, prompt="", negative_prompt="", to_prompt="", unknown_words=())
    marked, number = _marked(image, recipe.as_json)
    try:
        data = metadata.encode(
            marked,
            kind,
            parameters=recipe.parameters,
            recipe=recipe.as_json,
            version=recipe.version,
            prompt=recipe.prompt,
            number=number,
            source_type=_making(recipe)[0],
        )
    except metadata.TooLongError:
        png = path.with_suffix(SUFFIX)
        if png.exists():
            raise PictureError(
                f"{path} has no room for so long a recipe, and {png} is there already: save it as "
                "PNG under another name."
            ) from None
        return _saved(image, png, recipe, human, True, start)
    _sign(data, path, recipe, number, human, start)
    return path


def save_sheet(
    image: Image.Image, path: Path | str, recipes: Sequence[Recipe], start: bytes | None = None
) -> Path:
    """Mark, sign and save a sheet of several pictures, whole or not at all, as PNG.

    Its text `rocketman-sheet` holds the recipes of the pictures on it, row by row. start: the file
    that all were begun from, as for `save`. Replaces a sheet of ours, no other file. PictureError
    as for `save`.
    """
    path = check_sheet(path)
    shown = json.dumps([json.loads(recipe.as_json) for recipe in recipes])
    image, number = _marked(image, shown)
    first = recipes[0]
    data = metadata.encode_sheet(image, shown, first.version, number, _making(first)[0])
    about = {"prompts": [recipe.prompt for recipe in recipes], "seed": first.seed}
    _write_signed(data, path, _claim_of_several(first, about, number), number, start)
    return path


def save_animation(
    frames: Sequence[Image.Image],
    path: Path | str,
    recipes: Sequence[Recipe],
    milliseconds: Sequence[int],
) -> Path:
    """Mark, sign and save pictures that follow one another, whole or not at all, as GIF or WebP.

    milliseconds: how long each is shown; GIF counts in tens. It plays again and again. Every frame
    carries the same mark; the recipes are in the file as in a sheet's. Replaces an animation of
    ours, no other file. PictureError as for `save`.
    """
    path = check_animation(path)
    kind = metadata.ANIMATIONS[path.suffix.lower()]
    shown = json.dumps([json.loads(recipe.as_json) for recipe in recipes])
    marked = [_marked(frame, shown) for frame in frames]
    number = marked[0][1]
    data = metadata.encode_animation(
        [frame for frame, _ in marked], kind, milliseconds, shown, recipes[0].version, number
    )
    first, last = recipes[0], recipes[-1]
    about = {
        "prompts": [first.prompt, last.prompt],
        "seed": first.seed,
        "to_seed": last.seed,
        "frames": len(recipes),
    }
    _write_signed(data, path, _claim_of_several(first, about, number), number)
    return path


def check_sheet(path: Path | str) -> Path:
    """The path of a sheet that can be saved there, PictureError if it cannot."""
    path = Path(path)
    if path.suffix.lower() != SUFFIX:
        raise PictureError(f"{path} should end in .png: sheets are saved as PNG only.")
    _check_free(path, "sheet")
    return path


def check_animation(path: Path | str) -> Path:
    """The path of an animation that can be saved there, PictureError if it cannot."""
    path = Path(path)
    if path.suffix.lower() not in metadata.ANIMATIONS:
        raise PictureError(f"{path} should end in .gif or .webp, the animations on offer.")
    _check_free(path, "animation")
    return path


def _check_free(path: Path, what: str) -> None:
    if not path.parent.is_dir():
        raise PictureError(f"{path} cannot be saved: there is no folder {path.parent}.")
    if path.exists() and not metadata.is_sheet(path):
        raise PictureError(
            f"{path} is there already and is no {what} of ours: choose another name."
        )


def _claim_of_several(first: Recipe, about: Mapping[str, object], number: str) -> Claim:
    """Of pictures by one model; `about` stands where one picture's recipe would."""
    source_type, description = _making(first)
    return Claim(
        model=first.model,
        model_hash=first.model_hash,
        version=first.version,
        data_hash=first.data_hash or None,
        recipe=about,
        watermark_id=number or None,
        source_type=source_type,
        description=description,
    )


def sign_again(
    source: Path, target: Path, human: Mapping[HumanPart, str], credit: str = ""
) -> None:
    """Copy a picture of ours with credentials that also say what is known since it was made.

    human: what a person did. credit: whose training pictures count; see `credentials.Claim`.

    Pixels and texts stay as they are. PictureError if it is no picture of ours or nothing can be
    signed.
    """
    recipe = read(source)
    if recipe is None:
        raise PictureError(f"{source} holds no recipe of Rocketman's.")
    marked = min(recipe.size) >= watermark.MIN_SIDE
    number = f"{watermark.identifier(recipe.as_json):08x}" if marked else ""
    _sign(source.read_bytes(), target, recipe, number, human, credit=credit)


def _marked(image: Image.Image, text: str) -> tuple[Image.Image, str]:
    """The picture with the mark of a text, and the mark's number; "" where it is too small."""
    if not watermark.can_mark(image):
        return image, ""
    number = watermark.identifier(text)
    return watermark.embed(image, number), f"{number:08x}"


def _sign(
    data: bytes,
    path: Path,
    recipe: Recipe,
    number: str,
    human: Mapping[HumanPart, str],
    start: bytes | None = None,
    credit: str = "",
) -> None:
    """Write the file `data` to `path`, signed, and keep its manifest by the mark's number."""
    source_type, description = _making(recipe)
    claim = Claim(
        model=recipe.model,
        model_hash=recipe.model_hash,
        version=recipe.version,
        data_hash=recipe.data_hash or None,
        recipe=json.loads(recipe.as_json),
        watermark_id=number or None,
        human=human,
        credit=credit,
        source_type=source_type,
        description=description,
    )
    _write_signed(data, path, claim, number, start)


def _making(recipe: Recipe) -> tuple[str, str]:
    """IPTC's word for how a picture was made, and a sentence for its credentials."""
    if recipe.mask:
        return credentials.AI_COMPOSED, "Part of a picture, drawn anew by a diffusion model."
    if recipe.init:
        return credentials.AI_MADE, "Drawn by a diffusion model, begun from another picture."
    return credentials.AI_MADE, "Drawn from noise by a diffusion model."


def _write_signed(
    data: bytes, path: Path, claim: Claim, number: str, start: bytes | None = None
) -> None:
    try:
        signed = credentials.signed(data, claim, start)
    except (CredentialsError, IdentityError) as error:
        raise PictureError(str(error)) from error
    write_whole(path, signed.data)
    if number:
        store.remember(number, signed.manifest)


def read(path: Path | str) -> Recipe | None:
    """The recipe inside a picture, or None if it holds none of ours.

    PictureError if the file is no picture or our recipe in it is damaged. Pixels stay undecoded.
    """
    with opened(path) as image:
        text = metadata.json_in(image)
    if text is None:
        return None
    try:
        return from_json(json.loads(text))
    except (ValueError, TypeError, RecursionError) as error:
        raise PictureError(f"The recipe inside {path} is damaged: {error}.") from error


@contextlib.contextmanager
def opened(path: Path | str) -> Iterator[Image.Image]:
    """A picture file for reading its texts, pixels undecoded. PictureError if it is none."""
    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:  # some decoders take in the whole file
            raise PictureError(f"{path} cannot be read: it has more than {MAX_BYTES:,} bytes.")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what strangers wrote into it
            with Image.open(path, formats=FORMATS) as image:
                yield image
    except (FileNotFoundError, IsADirectoryError) as error:
        raise PictureError(f"{path} cannot be read: {why_no_file(path)}.") from error
    except Exception as error:  # decoders raise all kinds of things on what strangers send
        if isinstance(error, MemoryError | PictureError):
            raise
        kinds = "PNG, JPEG, WebP, GIF, BMP or TIFF"
        raise PictureError(
            f"{path} cannot be read: it is not a picture ({kinds}), or damaged."
        ) from error


def refuse_sheet(path: Path | str) -> None:
    """PictureError if a file shows several pictures of ours, whose recipes it holds all."""
    if metadata.is_sheet(Path(path)):
        raise PictureError(f"{path} shows several pictures: give one that was saved by itself.")


def prepare_folder(folder: Path | str) -> Path:
    """Make a folder for pictures and try it out, before hours of work go into it.

    PictureError if pictures could not be written there, or not be signed.
    """
    folder = Path(folder)
    try:
        identity.load()
        credentials.try_clock()
    except (CredentialsError, IdentityError) as error:
        raise PictureError(str(error)) from error
    try:
        folder.mkdir(parents=True, exist_ok=True)
        trial = folder / ".rocketman-trial"
        write_whole(trial, b"")
        trial.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise PictureError(
            f"Pictures cannot be written to {folder} ({reason}): choose another folder."
        ) from error
    return folder


def next_path(folder: Path, recipe: Recipe, suffix: str = SUFFIX) -> Path:
    """A name that nothing in `folder` has yet: it counts on, and says prompt and seed.

    0001-an-astronaut-in-a-white-suit-playing-a-harp-above-mars-seed1.png; of a variation also what
    was mixed in last: -seed1-2.png. It is given out once until it is saved under, so that two
    processes that draw the same into one folder lose nothing.
    """
    names = (file.name for file in folder.iterdir() if file.suffix.lower() in metadata.FORMATS)
    numbers = (re.match(r"(\d+)-", name) for name in names)
    number = max((int(found[1]) for found in numbers if found), default=0) + 1
    last = f"-{recipe.variations[-1][0]}" if recipe.variations else ""
    rest = f"{slug(recipe.prompt)}-seed{recipe.seed}{last}{suffix}"
    while True:
        path = folder / f"{number:04d}-{rest}"
        number += 1
        try:
            _claim(path).open("xb").close()
        except FileExistsError:
            continue
        if not path.exists():
            return path
        _claim(path).unlink()  # another process saved it since we counted


def _claim(path: Path) -> Path:
    """The hidden file that stands for a name given out and not yet saved under."""
    return path.with_name(f".{path.name}.part")


def slug(prompt: str) -> str:
    """A prompt as part of a file name: "A harp, above Mars!" -> "a-harp-above-mars"."""
    plain = unicodedata.normalize("NFKD", prompt).encode("ascii", "ignore").decode().lower()
    joined = "-".join(re.findall(r"[a-z0-9]+", plain))
    if len(joined) > MAX_NAME:
        joined = joined[: MAX_NAME + 1].rpartition("-")[0] or joined[:MAX_NAME]
    return joined or "picture"


def _is_ours(path: Path) -> bool:
    try:
        return read(path) is not None
    except PictureError:
        return False

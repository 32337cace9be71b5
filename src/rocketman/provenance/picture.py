"""THE function through which every picture is saved, and the recipe that travels inside the file.

Level 1. Reads a PIL image and its `Recipe`; writes a PNG, JPEG or WebP file that says how it was
made, five times:

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

import json
import re
import unicodedata
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from PIL import Image

from rocketman.files import write_whole
from rocketman.provenance import credentials, identity, metadata, store, watermark
from rocketman.provenance.credentials import Claim, CredentialsError, HumanPart
from rocketman.provenance.identity import IdentityError

SUFFIX = ".png"
MAX_NAME = 80
"""Characters of the prompt that a file name keeps."""


class PictureError(ValueError):
    """A picture file that cannot be written or read; the message is one sentence."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """All that is needed to make a picture again, and how long it took."""

    prompt: str
    negative_prompt: str = ""
    seed: int
    """In [0, 2**64)."""
    sampler: str
    num_inference_steps: int
    guidance_scale: float
    width: int
    """Pixels."""
    height: int
    model: str
    """The model's name; `model_hash` says which one it really was."""
    model_hash: str
    version: str
    """Of Rocketman."""
    data_hash: str = ""
    """Of the data set that the model was trained on; "" if that is not known."""
    unknown_words: tuple[str, ...] = ()
    """Words of the prompts that the model does not know and that it left out."""
    variety: float = 0.0
    """How strongly it was drawn away from the pictures beside it, 0 to 1."""
    first_seed: int = 0
    """With variety: the seed of the first picture drawn beside it."""
    together: int = 1
    """With variety: how many were drawn together, their seeds counting on from `first_seed`."""
    seconds: float | None = field(default=None, compare=False)
    """How long this picture took; None when read from a file."""

    @property
    def parameters(self) -> str:
        """The recipe as A1111 writes it: prompt, negative prompt, one line of `Key: value` pairs.

        Control characters become spaces and line breaks in the prompts too: here a line has a
        meaning. The exact prompt is in our JSON.
        """
        last = {
            "Steps": self.num_inference_steps,
            "Sampler": self.sampler,
            "CFG scale": f"{self.guidance_scale:g}",
            "Seed": self.seed,
            "Size": f"{self.width}x{self.height}",
            "Model hash": self.model_hash,
            "Model": self.model,
            "RNG": "CPU",
            "Version": f"rocketman {self.version}",
        }
        if self.variety:
            last |= {
                "Variety": f"{self.variety:g}",
                "First seed": self.first_seed,
                "Drawn together": self.together,
            }
        lines = [_one_line(self.prompt)]
        if self.negative_prompt:
            lines.append(f"Negative prompt: {_one_line(self.negative_prompt)}")
        lines.append(", ".join(f"{key}: {_quoted(value)}" for key, value in last.items()))
        return "\n".join(lines)

    @property
    def as_json(self) -> str:
        """The recipe as JSON, pure ASCII, without the time it took."""
        table = asdict(self)
        del table["seconds"]
        return json.dumps(table)


def save(
    image: Image.Image,
    path: Path | str,
    recipe: Recipe,
    *,
    human: Mapping[HumanPart, str] | None = None,
    with_prompt: bool = True,
    start: Path | None = None,
) -> Path:
    """Mark, describe, sign and save a picture, whole or not at all. Returns the path.

    path: its end says the format, .png, .jpg, .jpeg or .webp.
    start: the file that the picture was begun from, an ingredient of the credentials.
    human: what a person did, for the signed credentials; see `credentials.Claim`.
    with_prompt: False leaves prompts out of everything in the file, which can then not be redone.

    Replaces an earlier picture of ours, never a file that holds no recipe of ours. PictureError if
    the name has another end, the folder is missing, something else is in the way or nothing
    can be signed; OSError if the disk refuses.
    """
    path = Path(path)
    kind = metadata.FORMATS.get(path.suffix.lower())
    if kind is None:
        raise PictureError(f"{path} should end in .png, .jpg or .webp, the formats on offer.")
    if not path.parent.is_dir():
        raise PictureError(f"{path} cannot be saved: there is no folder {path.parent}.")
    if path.exists() and not _is_ours(path):
        raise PictureError(f"{path} is there already and is not ours: choose another name.")
    if not with_prompt:
        recipe = replace(recipe, prompt="", negative_prompt="", unknown_words=())
    image, number = _marked(image, recipe.as_json)
    data = metadata.encode(
        image,
        kind,
        parameters=recipe.parameters,
        recipe=recipe.as_json,
        version=recipe.version,
        prompt=recipe.prompt,
        number=number,
    )
    _sign(data, path, recipe, number, human or {}, start)
    return path


def save_sheet(image: Image.Image, path: Path | str, recipes: Sequence[Recipe]) -> Path:
    """Mark, sign and save a sheet of several pictures, whole or not at all, as PNG.

    Its text `rocketman-sheet` holds the recipes of the pictures on it, row by row. Replaces a sheet
    of ours, no other file. PictureError as for `save`.
    """
    path = Path(path)
    if path.suffix.lower() != SUFFIX:
        raise PictureError(f"{path} should end in .png: sheets are saved as PNG only.")
    if not path.parent.is_dir():
        raise PictureError(f"{path} cannot be saved: there is no folder {path.parent}.")
    if path.exists() and not metadata.is_sheet(path):
        raise PictureError(f"{path} is there already and is no sheet of ours: choose another name.")
    first = recipes[0]
    shown = json.dumps([json.loads(recipe.as_json) for recipe in recipes])
    image, number = _marked(image, shown)
    data = metadata.encode_sheet(image, shown, first.version, number)
    claim = Claim(
        model=first.model,
        model_hash=first.model_hash,
        version=first.version,
        data_hash=first.data_hash or None,
        recipe={"prompts": [recipe.prompt for recipe in recipes], "seed": first.seed},
        watermark_id=number or None,
    )
    _write_signed(data, path, claim, number)
    return path


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
    marked = min(recipe.width, recipe.height) >= watermark.MIN_SIDE
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
    start: Path | None = None,
    credit: str = "",
) -> None:
    """Write the file `data` to `path`, signed, and keep its manifest by the mark's number."""
    claim = Claim(
        model=recipe.model,
        model_hash=recipe.model_hash,
        version=recipe.version,
        data_hash=recipe.data_hash or None,
        recipe=json.loads(recipe.as_json),
        watermark_id=number or None,
        human=human,
        credit=credit,
    )
    _write_signed(data, path, claim, number, start)


def _write_signed(
    data: bytes, path: Path, claim: Claim, number: str, start: Path | None = None
) -> None:
    try:
        signed = credentials.signed(data, claim, start.read_bytes() if start else None)
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
        return _recipe(json.loads(text))
    except (ValueError, TypeError, RecursionError) as error:
        raise PictureError(f"The recipe inside {path} is damaged: {error}.") from error


@contextmanager
def opened(path: Path | str) -> Iterator[Image.Image]:
    """A picture file for reading its texts, pixels undecoded. PictureError if it is none."""
    path = Path(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what strangers wrote into it
            with Image.open(path) as image:
                yield image
    except FileNotFoundError as error:
        raise PictureError(f"{path} cannot be read: there is no such file.") from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise PictureError(f"{path} cannot be read: it is not a picture, or damaged.") from error


def prepare_folder(folder: Path | str) -> Path:
    """Make a folder for pictures and try it out, before hours of work go into it.

    PictureError if pictures could not be written there, or not be signed.
    """
    folder = Path(folder)
    try:
        identity.load()
    except IdentityError as error:
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

    0001-an-astronaut-in-a-white-suit-playing-a-harp-above-mars-seed1.png
    """
    names = (file.name for file in folder.iterdir() if file.suffix.lower() in metadata.FORMATS)
    numbers = (re.match(r"(\d+)-", name) for name in names)
    number = max((int(found[1]) for found in numbers if found), default=0) + 1
    return folder / f"{number:04d}-{slug(recipe.prompt)}-seed{recipe.seed}{suffix}"


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


def _recipe(table: object) -> Recipe:
    """A recipe from its JSON; keys that a later version added are left out. ValueError if bad."""
    if not isinstance(table, dict):
        raise ValueError("it is not a JSON object")
    kinds: dict[str, type | tuple[type, ...]] = {
        "str": str,
        "int": int,
        "float": (int, float),
        "tuple[str, ...]": list,
    }
    known: dict[str, Any] = {}
    for entry in fields(Recipe):
        if entry.name == "seconds":
            continue
        if entry.name not in table and entry.default is not MISSING:
            continue
        if entry.name not in table:
            raise ValueError(f"{entry.name} is missing")
        value = table[entry.name]
        if isinstance(value, bool) or not isinstance(value, kinds[str(entry.type)]):
            raise ValueError(f"{entry.name} is {value!r}")
        known[entry.name] = tuple(str(word) for word in value) if isinstance(value, list) else value
    return Recipe(**known)


def _one_line(text: str) -> str:
    """Spaces for control characters, question marks for halves of surrogate pairs."""
    plain = "".join(" " if ord(c) < 32 or ord(c) == 127 else c for c in text)
    return plain.encode("utf-8", "replace").decode()


def _quoted(value: object) -> str:
    """A value of the last line; what could be taken for a separator is written as JSON."""
    text = _one_line(str(value))
    return json.dumps(text, ensure_ascii=False) if re.search(r"[,:\"]", text) else text

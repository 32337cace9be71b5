"""What can be told about a file's origin: credentials, mark, recipe, and what each of them proves.

Level 1. Reads any file, whoever made it, in a child process of at most MAX_MEMORY and MAX_SECONDS
that may write nothing and asks the network for nothing. What the child could not finish is said to
be unknown, never guessed. Next: `cli.py` prints `Verdict.words` or `Verdict.as_json`.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rocketman.files import why_no_file
from rocketman.provenance import credentials, picture, store
from rocketman.provenance.credentials import CredentialState
from rocketman.provenance.picture import PictureError

MAX_MEMORY = 1 << 30
"""Bytes of address space. Held on Linux; elsewhere the time limit stands alone."""
MAX_SECONDS = 20
MAX_PIXELS = 50_000_000
"""Of pictures whose pixels are looked at; a larger one has its mark left unread."""
MAX_REPORT = 1 << 20
"""Characters of one finding; a larger one loses its recipe."""

BROKE_OFF = (
    f"could not be read: a look at them failed, or took more than {MAX_MEMORY >> 30} GB of memory "
    f"or {MAX_SECONDS} seconds."
)
AI_MADE = ("trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "algorithmicMedia")


class VerifyError(ValueError):
    """A file that cannot be looked at; the message is one sentence."""


@dataclass(frozen=True, kw_only=True)
class MarkState:
    """What the pixels say."""

    found: bool = False
    probability: float = 1.0
    """At most so likely does a picture without mark give an answer this strong, in [0, 1]."""
    id: str | None = None
    """Eight hexadecimal digits."""
    fits_recipe: bool | None = None
    """Whether the recipe in the file is the one the mark was made from; None if one is missing."""
    why: str
    """One sentence."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """All that was found out about one file."""

    file: str
    credentials: CredentialState
    watermark: MarkState
    recipe: Mapping[str, Any] | None
    """From the picture's text, else from intact credentials, else from those kept here."""
    kept: CredentialState | None
    """What the manifest kept on this computer for the mark in the pixels says, where the file's own
    does not hold."""
    note: str | None
    """What is wrong with the file as a picture, or with the recipe in it."""

    @property
    def good(self) -> bool:
        """Whether something that holds tells where the file comes from."""
        if self.credentials.state == "broken":
            return False
        return self.credentials.state in ("valid", "untrusted") or self.watermark.found

    @property
    def as_json(self) -> dict[str, Any]:
        """The entry of `rocketman verify --json`: file, credentials, watermark, recipe, more."""
        return {**asdict(self), "answer": self.answer, "good": self.good}

    @property
    def answer(self) -> str:
        """One sentence for a person."""
        state, found = self.credentials.state, self.watermark.found
        if state in ("valid", "untrusted"):
            who = "known here" if state == "valid" else "unknown here"
            if self.credentials.source_type in AI_MADE:
                return f"Made by a generative model, says an intact signature of someone {who}."
            return f"Signed by someone {who}, who does not say that a generative model made it."
        if state == "broken":
            if found:
                return "Its credentials do not hold, but its pixels carry Rocketman's mark."
            return "Its credentials do not hold: nothing they say can be relied on."
        if found:
            lost = {"absent": "are gone", "expired": "have expired"}.get(state, "cannot be read")
            return f"Its pixels carry Rocketman's mark; its credentials {lost}."
        if state == "expired":
            return "Its credentials have expired, so that nothing vouches for what they say."
        if state == "unknown":
            return "It could not be told whether it has credentials, nor what they say."
        return "Nothing in it tells where it comes from."

    @property
    def words(self) -> str:
        """The whole finding for a person, control characters of the file taken out."""
        state = self.credentials.state
        lines = [plain(self.file), f"  {self.answer}"]
        if self.note:
            lines.append(f"  {plain(self.note)}")
        signer = f" Signer: {plain(self.credentials.signer)}." if self.credentials.signer else ""
        lines += [f"  Credentials: {state}. {plain(self.credentials.why)}{signer}"]
        lines += [f"    {PROVES[state]}"]
        lines += [f"  Mark: {'found' if self.watermark.found else 'not found'}."]
        lines[-1] += f" {plain(self.watermark.why)}"
        lines += [f"    {PROVES['mark' if self.watermark.found else 'no mark']}"]
        if self.kept is not None:
            lines.append(f"  Kept here for this mark: credentials. {plain(self.kept.why)}")
            if prompt := (self.kept.recipe or {}).get("prompt"):
                lines[-1] += f" Prompt: {plain(prompt)}."
            lines.append(f"    {PROVES['kept']}")
        if self.credentials.credit:
            lines.append(f"  Credit: {plain(self.credentials.credit)}")
        if self.recipe is None:
            lines.append("  Recipe: none.")
        else:
            shown = ("prompt", "seed", "model", "model_hash")
            parts = [f"{key} {plain(self.recipe[key])}" for key in shown if key in self.recipe]
            lines.append(f"  Recipe: {', '.join(parts)}.")
            if state not in ("valid", "untrusted") and self.recipe is not (
                self.kept and self.kept.recipe
            ):
                lines.append(
                    "    It is plain text: without intact credentials anyone can write it."
                )
        return "\n".join(lines)


PROVES = {
    "valid": "Proves that the file is as it was when it was signed, and who holds the key. Does "
    "not prove that the signer says the truth.",
    "untrusted": "Proves that the file is as it was when it was signed. Does not prove who signed: "
    "anyone can make such a signature.",
    "expired": "Proves that the file is as it was when it was signed. Does not prove when: the "
    "key may since have come into other hands.",
    "broken": "Proves that file and credentials do not belong together as they are. Does not "
    "prove a forgery: an innocent edit does the same.",
    "absent": "Proves nothing: most programs and web sites drop credentials.",
    "unknown": "Proves nothing: there may be credentials or none, and they may hold or not.",
    "mark": "Proves, up to that chance, that these pixels were drawn or marked by Rocketman. Does "
    "not prove by whom: the program is public, and a mark can be copied onto another picture.",
    "kept": "Proves that a picture with this mark was saved on this computer, and what was signed "
    "of it then. Does not prove that these pixels are unchanged since.",
    "no mark": "Proves nothing: marks can be removed, small pictures carry none, and other "
    "generators use others.",
}


def verify(path: Path | str) -> Verdict:
    """Look at a file. Takes about half a second, MAX_SECONDS at most, whatever the file holds.

    VerifyError if there is no such file or it cannot be opened.
    """
    path = Path(path)
    try:
        if not path.is_file():
            raise VerifyError(f"{path} cannot be verified: {why_no_file(path)}.")
        with path.open("rb"):
            pass
    except (OSError, ValueError) as error:
        if isinstance(error, VerifyError):
            raise
        reason = error.strerror if isinstance(error, OSError) else "not a name of a file"
        raise VerifyError(f"{path} cannot be verified: {reason}.") from error
    found = _run_child(path)
    signed = _credentials(found.get("credentials"))
    text = found.get("recipe") or {}
    recipe = text.get("recipe") if isinstance(text, dict) else None
    mark = _mark(found.get("watermark"), text.get("id"), signed)
    kept = None
    if mark.id and signed.state not in ("valid", "untrusted") and (known := store.recall(mark.id)):
        kept = credentials.read_manifest(known.manifest)
    recipes = (recipe, signed.recipe, kept.recipe if kept else None)
    return Verdict(
        file=str(path),
        credentials=signed,
        watermark=mark,
        recipe=next((each for each in recipes if each is not None), None),
        kept=kept,
        note=text.get("note"),
    )


def _credentials(found: dict[str, Any] | None) -> CredentialState:
    if found is None:
        return CredentialState(state="unknown", why=f"They {BROKE_OFF}")
    return CredentialState(**found)


def _mark(found: dict[str, Any] | None, expected: str | None, signed: CredentialState) -> MarkState:
    """The mark, held against the recipe in the file."""
    if found is None:
        return MarkState(why=f"The pixels {BROKE_OFF}")
    expected = expected or signed.watermark_id
    if not found["found"] or expected is None:
        return MarkState(**found)
    fits = found["id"] == expected
    more = "It fits the recipe in the file." if fits else "It belongs to another recipe."
    return MarkState(**{**found, "fits_recipe": fits, "why": f"{found['why']} {more}"})


def _run_child(path: Path) -> dict[str, dict[str, Any]]:
    """The child's findings by name; those it did not come to are missing."""
    command = [sys.executable, "-P", "-B", "-m", __name__, str(path.absolute())]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    try:
        out = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=MAX_SECONDS,
            check=False,
        ).stdout
    except subprocess.TimeoutExpired as error:
        out = error.stdout or b""
    found = {}
    for line in out.splitlines(keepends=True):
        if line.endswith(b"\n"):  # else the child was stopped in the middle of it
            name, value = json.loads(line)
            found[name] = value
    return found


def plain(value: object, most: int = 300) -> str:
    """Text from a stranger's file for a terminal: no control characters, not endless."""
    text = str(value)
    shown = "".join(c if c.isprintable() else "?" for c in text[:most])
    return shown.encode("utf-8", "replace").decode() + ("..." if len(text) > most else "")


# --- in the child -----------------------------------------------------------------------------


def _child(path: str) -> None:
    """Print one line for each finding, in order of danger, so that the first ones get out."""
    _limit()
    looks = {
        "recipe": _look_for_recipe,
        "credentials": lambda path: asdict(credentials.read(path)),
        "watermark": _look_for_mark,
    }
    for name, look in looks.items():
        with contextlib.suppress(Exception):  # then this one is unknown, and the others are not
            _report(name, look(path))


def _limit() -> None:
    if os.name != "posix":
        return
    import resource

    for what, most in (
        (resource.RLIMIT_AS, MAX_MEMORY),
        (resource.RLIMIT_CPU, MAX_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            resource.setrlimit(what, (most, most))
        except (OSError, ValueError):  # the system holds a lower limit already, or knows none
            continue


def _report(name: str, value: dict[str, Any]) -> None:
    line = json.dumps([name, value], default=str)
    if len(line) > MAX_REPORT:
        line = json.dumps([name, {**value, "recipe": None}], default=str)
    print(line, flush=True)


def _look_for_recipe(path: str) -> dict[str, Any]:
    from rocketman.provenance import watermark

    if _is_film(path):  # its recipe is in its credentials alone
        return {}
    try:
        recipe = picture.read(path)
    except (PictureError, MemoryError) as error:
        note = str(error).replace(path, "it", 1)[:500] or "it is too large."
        return {"note": note[0].upper() + note[1:]}
    if recipe is None:
        return {}
    return {
        "recipe": json.loads(recipe.as_json),
        "id": f"{watermark.identifier(recipe.as_json):08x}",
    }


def _is_film(path: str) -> bool:
    with Path(path).open("rb") as file:
        return credentials.media_type(file.read(32)) == "video/mp4"


def _look_for_mark(path: str) -> dict[str, Any]:
    import warnings

    from PIL import Image

    from rocketman.provenance import watermark

    if _is_film(path):
        return asdict(MarkState(why="Only pictures are searched for one, and this is a film."))
    warnings.simplefilter("ignore")
    Image.MAX_IMAGE_PIXELS = None  # our own limit, below, comes before any pixel is decoded
    try:
        with Image.open(path, formats=picture.FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                size = f"{image.width} x {image.height}"
                return asdict(MarkState(why=f"At {size} pixels it is too large to be searched."))
            if min(image.size) < watermark.TILE:
                return asdict(MarkState(why="It is too small to carry one."))
            image.draft("RGB", (2 * watermark.FULL, 2 * watermark.FULL))
            mark = watermark.read(image)
    except Exception as error:  # decoders raise all kinds of things on what strangers send
        if isinstance(error, MemoryError):
            raise
        return asdict(MarkState(why="The file holds no pixels that can be read."))
    if not mark.found:
        return asdict(MarkState(probability=mark.probability, why="No mark stands out."))
    turned = ", mirrored" if mark.mirrored else ""
    rare = min(30, math.floor(-math.log10(max(mark.probability, 1e-300))))
    return asdict(
        MarkState(
            found=True,
            probability=mark.probability,
            id=f"{mark.identifier:08x}",
            why=f"Number {mark.identifier:08x}{turned}; by chance in at most one of 10^{rare} "
            "pictures.",
        )
    )


if __name__ == "__main__":
    _child(sys.argv[1])

"""Content Credentials: a signed C2PA manifest that says a picture was made by a model, and how.

Level 1. `sign` takes the bytes of a finished PNG, JPEG, WebP, GIF or MP4 file and gives them back
with a manifest inside; `read` says what a file's manifest is worth:

    valid       intact, and signed by someone known here (`identity.py`: trust.pem)
    untrusted   intact, but signed by someone unknown here
    expired     the signer's certificate has run out, so that nothing vouches for the signature
    broken      file or manifest were changed after signing
    absent      no manifest
    unknown     the look at the file broke off; `verify.py` alone says so

A manifest holds the making (`c2pa.created`, trained algorithmic media), the recipe, what a person
did, and the watermark's identifier. Signing the same file twice gives different bytes: ES256 and
C2PA draw random numbers. No network: nothing is fetched for a file, whatever it asks for. c2pa is
imported on first use. Next: `picture.py` signs what it saves, `verify.py` reads.
"""

from __future__ import annotations

import io
import json
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Literal
from urllib.parse import urlsplit

from rocketman.provenance import identity

State = Literal["valid", "untrusted", "expired", "broken", "absent", "unknown"]
HumanPart = Literal["wrote_prompt", "chose", "edited", "reordered"]

IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
AI_MADE = IPTC + "trainedAlgorithmicMedia"
"""IPTC's word for "made by a generative model"."""
AI_COMPOSED = IPTC + "compositeWithTrainedAlgorithmicMedia"
"""IPTC's word for "put together, in part from what a generative model made"."""

RECIPE = "rocketman.recipe"
CREDITS = "rocketman.credits"
SOFT_BINDING = "c2pa.soft-binding"
WATERMARK_ALGORITHM = "rocketman.watermark.1"

HUMAN_ACTIONS: dict[HumanPart, tuple[str, str]] = {
    "wrote_prompt": ("rocketman.prompt_written", "A person wrote the prompt."),
    "chose": ("rocketman.chosen", "A person chose this picture."),
    "edited": ("c2pa.edited", "A person edited this picture."),
    "reordered": ("rocketman.reordered", "A person gave this picture its place in a series."),
}

SETTINGS: dict[str, Any] = {
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": True},
    "core": {"allowed_network_hosts": [], "backing_store_memory_threshold_in_mb": 16},
    "builder": {"thumbnail": {"enabled": False}},
}
"""For writing and reading. The first three keep the library off the network: without them it
fetches the address that a file names as the place of its manifest. Without the memory threshold
it keeps a film of up to 512 MB in memory while it signs it."""

STARTED_FROM = {"title": "the picture it started from", "relationship": "inputTo"}
"""What the manifest says of the ingredient; not its name, which is nobody's business."""

MAX_INTEGER = 2**63 - 1
"""Above it the library refuses a number; such seeds are written as text."""


class CredentialsError(ValueError):
    """A file that cannot be signed; the message is one sentence."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What the manifest of one picture says."""

    model: str
    model_hash: str
    version: str
    """Of Rocketman."""
    recipe: Mapping[str, Any] | None = None
    """JSON values by name. Leave the prompt out of it to keep the prompt private."""
    watermark_id: str | None = None
    """In hexadecimal digits, as the pixels carry it."""
    data_hash: str | None = None
    """Of the data set that the model learnt from."""
    human: Mapping[HumanPart, str] = field(default_factory=dict)
    """What a person did; the value is a sentence, or "" for the usual one."""
    credit: str = ""
    """Whose training pictures count, in a line (`audits/credits.py`); "" if nobody looked."""
    source_type: str = AI_MADE
    description: str = "Drawn from noise by a diffusion model."
    """Of the making, in one sentence."""


@dataclass(frozen=True)
class Signed:
    """A signed file, and the manifest in it by itself."""

    data: bytes
    manifest: bytes


@dataclass(frozen=True, kw_only=True)
class CredentialState:
    """What a file's manifest is worth, and what it says if it is intact."""

    state: State
    why: str
    """One sentence."""
    signer: str | None = None
    generator: str | None = None
    """The software that signed, as it calls itself."""
    source_type: str | None = None
    """IPTC digital source type, the last part of its address."""
    recipe: Mapping[str, Any] | None = None
    watermark_id: str | None = None
    credit: str | None = None
    """Whose training pictures count."""


def sign(data: bytes, claim: Claim) -> bytes:
    """The file of `signed` alone, for whoever keeps no manifests."""
    return signed(data, claim).data


def signed(data: bytes, claim: Claim, start: bytes | None = None) -> Signed:
    """The file `data` with a signed manifest inside; the rest of it stays as it was.

    start: the file of a picture that this one was begun from; it becomes an ingredient, with its
    own manifest if it has one. 2.5 to 10 ms and 4 kB for a picture; a manifest already there is
    replaced. With ROCKETMAN_TIMESTAMP_URL, the address of a time-stamping service (RFC 3161), the
    signature carries its time stamp and so outlives the certificate: the one use of the network.
    CredentialsError if `data` is of no kind that can be signed or the service does not answer;
    `identity.IdentityError` if there is no usable key.
    """
    out = io.BytesIO()
    manifest = _sign(io.BytesIO(data), out, claim, start)
    return Signed(out.getvalue(), manifest)


def try_clock() -> None:
    """CredentialsError if a time-stamping service is set and does not answer."""
    if os.environ.get("ROCKETMAN_TIMESTAMP_URL"):
        from PIL import Image  # late: `verify` reads credentials without it

        trial = io.BytesIO()
        Image.new("RGB", (1, 1)).save(trial, "PNG")
        sign(trial.getvalue(), Claim(model="none", model_hash="none", version="none"))


def sign_file(source: Path, target: Path, claim: Claim) -> None:
    """As `signed`, for a film: from file to new file, holding neither in memory."""
    with source.open("rb") as file, target.open("x+b") as out:
        _sign(file, out, claim)


def _sign(source: BinaryIO, target: BinaryIO, claim: Claim, start: bytes | None = None) -> bytes:
    """Copy a file with a signed manifest in it. Returns the manifest."""
    import c2pa

    kind = media_type(source.read(32))
    source.seek(0)
    if kind is None:
        raise CredentialsError("Only PNG, JPEG, WebP, GIF and MP4 files can be signed.")
    start_kind = media_type(start) if start is not None else None
    if start is not None and start_kind is None:
        raise CredentialsError("A picture can only start from a PNG, JPEG, WebP, GIF or MP4 file.")
    who = identity.load()
    settings = dict(SETTINGS)
    clock, host = os.environ.get("ROCKETMAN_TIMESTAMP_URL") or None, None
    if clock:
        with suppress(ValueError):
            host = urlsplit(clock).hostname
        if not host:
            raise CredentialsError(
                f"ROCKETMAN_TIMESTAMP_URL is {clock!r}, which is no web address."
            )
        settings["core"] = {**SETTINGS["core"], "allowed_network_hosts": [host]}
    info = c2pa.C2paSignerInfo(who.algorithm, who.chain, who.key, clock and clock.encode())
    try:
        context = c2pa.Context.from_dict(settings, signer=c2pa.Signer.from_info(info))
        with _unbroken(), context, c2pa.Builder(_definition(claim), context=context) as builder:
            if start is not None:
                builder.add_ingredient(STARTED_FROM, start_kind, io.BytesIO(start))
            manifest: bytes = builder.sign(kind, source, target)
    except c2pa.C2paError as error:
        from_clock = f" (the time stamp comes from {clock})" if clock else ""
        raise CredentialsError(f"The file could not be signed: {error}{from_clock}.") from error
    return manifest


def can_start(data: bytes) -> bool:
    """Whether the file of a picture can be an ingredient as it is, whatever it holds."""
    import c2pa

    kind = media_type(data)
    if kind is None or not kind.startswith("image/"):
        return False
    try:
        with (
            c2pa.Context.from_dict(SETTINGS) as context,
            c2pa.Builder({}, context=context) as trial,
        ):
            trial.add_ingredient(STARTED_FROM, kind, io.BytesIO(data))
    except c2pa.C2paError:
        return False
    return True


@contextmanager
def _unbroken() -> Iterator[None]:
    """Ctrl-C waits until the signing is done, some milliseconds.

    The library reads and writes through Python functions that it calls itself, and an exception
    raised in one of those is lost: a run would go on as if nobody had pressed a key.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before is None:
        yield
        return
    pressed = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: pressed.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if pressed.is_set():
            signal.raise_signal(signal.SIGINT)


def read(path: Path | str) -> CredentialState:
    """What the manifest in a file is worth. Never raises for what the file holds.

    OSError if it cannot be opened. For files of strangers use `verify.py`, which does this in a
    process with limits.
    """
    import c2pa

    with Path(path).open("rb") as file:
        kind = media_type(file.read(32))
        file.seek(0)
        try:
            report = _report(kind, file)
        except c2pa.C2paError.ManifestNotFound:
            return CredentialState(state="absent", why="The file holds no Content Credentials.")
        except (c2pa.C2paError, ValueError) as error:
            if str(error).startswith("Remote"):
                why = "The file only names an address on the network, which is never fetched."
                return CredentialState(state="absent", why=why)
            file.seek(0)
            return _unreadable(file)
    return _judge(report)


def read_manifest(manifest: bytes) -> CredentialState:
    """What a manifest from our own store is worth by itself, without the file it was made for."""
    import c2pa

    try:
        report = _report("application/c2pa", io.BytesIO(manifest))
    except (c2pa.C2paError, ValueError):
        return CredentialState(state="broken", why="The manifest kept here is damaged.")
    found = report["validation_results"]["activeManifest"]
    found["failure"] = [each for each in found["failure"] if each["code"] != OTHER_FILE]
    codes = {each["code"] for each in found["failure"]}
    report["validation_state"] = (
        "Trusted" if not codes else "Valid" if codes == {UNTRUSTED} else "Invalid"
    )
    return _judge(report)


def _report(kind: str | None, file: BinaryIO) -> dict[str, Any]:
    """All that the library says of a manifest, held against the roots known here."""
    import c2pa

    settings = dict(SETTINGS)
    if roots := identity.known_roots():
        settings["trust"] = {"user_anchors": roots}
    with (
        c2pa.Context.from_dict(settings) as context,
        c2pa.Reader(kind, file, context=context) as reader,
    ):
        report: dict[str, Any] = json.loads(reader.json())
    return report


def media_type(start: bytes) -> str | None:
    """What a file is by its first 12 bytes, whatever its name says; None if it cannot be signed."""
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if start.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "image/webp"
    if start[:6] in (b"GIF87a", b"GIF89a"):
        return "image/gif"
    return "video/mp4" if start[4:8] == b"ftyp" else None


def _definition(claim: Claim) -> dict[str, Any]:
    """The manifest as the library takes it. The first action must be the making."""
    agent = {"name": "Rocketman", "version": claim.version}
    actions: list[dict[str, Any]] = [
        {
            "action": "c2pa.created",
            "digitalSourceType": claim.source_type,
            "softwareAgent": agent,
            "description": claim.description,
            "parameters": {
                "rocketman.model": claim.model,
                "rocketman.model_hash": claim.model_hash,
                **({"rocketman.data_hash": claim.data_hash} if claim.data_hash else {}),
            },
        }
    ]
    for part, sentence in claim.human.items():
        action, usual = HUMAN_ACTIONS[part]
        actions.append({"action": action, "description": sentence or usual})
    assertions: list[dict[str, Any]] = []
    if claim.recipe and (upscaler := claim.recipe.get("upscaler")):
        times = claim.recipe.get("upscale", 1)
        told = _fit(f"Enlarged {times} times by the network {upscaler}, of others.")
        actions.append({"action": "c2pa.resized", "description": told})
    if claim.watermark_id is not None:
        actions.append(
            {"action": "c2pa.watermarked.bound", "description": "An invisible mark was added."}
        )
        block = {"scope": {}, "value": claim.watermark_id}
        assertions.append(
            {"label": SOFT_BINDING, "data": {"alg": WATERMARK_ALGORITHM, "blocks": [block]}}
        )
    if claim.recipe is not None:
        recipe = {key: _fit(value) for key, value in claim.recipe.items()}
        assertions.append({"label": RECIPE, "data": recipe})
    if claim.credit:
        assertions.append({"label": CREDITS, "data": {"line": _fit(claim.credit)}})
    made = {"label": "c2pa.actions.v2", "data": {"actions": actions}}
    return {"claim_generator_info": [agent], "assertions": [made, *assertions]}


def _fit(value: Any) -> Any:
    """A value as the library takes it: no number above MAX_INTEGER, no half of a surrogate pair."""
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        return str(value)
    if isinstance(value, list | tuple):
        return [_fit(each) for each in value]
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _judge(report: Mapping[str, Any]) -> CredentialState:
    """The library's report as one of our states."""
    manifest = report["manifests"].get(report["active_manifest"])
    if manifest is None:
        why = "What the credentials say is damaged: it cannot be read."
        return CredentialState(state="broken", why=why)
    signature = manifest.get("signature_info") or {}
    signer = signature.get("common_name") or signature.get("issuer")
    found = (report.get("validation_results") or {}).get("activeManifest") or {}
    codes = [str(each.get("code")) for each in found.get("failure", [])]
    bad = [code for code in codes if code != UNTRUSTED]
    if report.get("validation_state") == "Invalid":
        if bad and all(code in EXPIRED for code in bad):
            why = "The signer's certificate has expired and no time stamp says it signed earlier."
            return CredentialState(state="expired", why=why, signer=signer)
        reason = next((words for code, words in BROKEN.items() if code in bad), "")
        why = reason or f"The credentials do not hold together ({', '.join(bad) or 'ingredients'})."
        return CredentialState(state="broken", why=why, signer=signer)
    trusted = report.get("validation_state") == "Trusted"
    return CredentialState(
        state="valid" if trusted else "untrusted",
        why=(
            "Intact, and signed by someone known on this computer."
            if trusted
            else "Intact, but signed by someone unknown on this computer."
        ),
        signer=signer,
        generator=_generator(manifest),
        source_type=_source_type(manifest),
        recipe=_assertion(manifest, RECIPE),
        watermark_id=_watermark_id(manifest),
        credit=_line((_assertion(manifest, CREDITS) or {}).get("line")),
    )


UNTRUSTED = "signingCredential.untrusted"
OTHER_FILE = "assertion.dataHash.mismatch"
EXPIRED = ("signingCredential.expired", "claimSignature.outsideValidity")
BROKEN = {
    "assertion.dataHash.mismatch": "The file was changed after it was signed, or the credentials "
    "were moved here from another file.",
    "assertion.bmffHash.mismatch": "The film was changed after it was signed, or the credentials "
    "were moved here from another film.",
    "assertion.hashedURI.mismatch": "What the credentials say was changed after signing.",
    "claimSignature.mismatch": "The signature does not fit the credentials.",
    "signingCredential.invalid": "The signer's certificate is not fit for signing.",
}


def _unreadable(file: io.BufferedReader) -> CredentialState:
    """Absent or broken, for a file that the library cannot read at all.

    A manifest lies in a JUMBF box called c2pa; a file with that name in it once had one.
    """
    tail = b""
    while block := file.read(1 << 20):
        if b"jumb" in tail + block and b"c2pa" in tail + block:
            return CredentialState(
                state="broken", why="The file or the credentials in it are damaged."
            )
        tail = block[-64:]
    return CredentialState(
        state="absent", why="No Content Credentials were found, and the file could not be read."
    )


def _assertion(manifest: Mapping[str, Any], label: str) -> Mapping[str, Any] | None:
    for each in manifest.get("assertions", []):
        if each.get("label") == label and isinstance(each.get("data"), dict):
            found: Mapping[str, Any] = each["data"]
            return found
    return None


def _source_type(manifest: Mapping[str, Any]) -> str | None:
    """Of the action that made the file; the last part of its address."""
    actions = _assertion(manifest, "c2pa.actions.v2") or _assertion(manifest, "c2pa.actions") or {}
    listed = actions.get("actions")
    for action in listed if isinstance(listed, list) else []:
        if isinstance(action, dict) and (source := action.get("digitalSourceType")):
            return str(source).rsplit("/", 1)[-1]
    return None


def _generator(manifest: Mapping[str, Any]) -> str | None:
    info = manifest.get("claim_generator_info")
    if isinstance(info, list) and info and isinstance(info[0], dict):
        return f"{info[0].get('name', '')} {info[0].get('version', '')}".strip() or None
    old = manifest.get("claim_generator")
    return str(old) if old else None


def _line(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _watermark_id(manifest: Mapping[str, Any]) -> str | None:
    """Our watermark's identifier, if the manifest binds one."""
    data = _assertion(manifest, SOFT_BINDING) or {}
    blocks = data.get("blocks")
    if data.get("alg") != WATERMARK_ALGORITHM or not isinstance(blocks, list) or not blocks:
        return None
    return str(blocks[0].get("value")) if isinstance(blocks[0], dict) else None

"""Signing and reading: the states told apart, every changed byte found, no key let out."""

from __future__ import annotations

import base64
import io
import os
import signal
import stat
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rocketman.provenance import credentials, identity
from rocketman.provenance.credentials import Claim, CredentialsError
from rocketman.provenance.identity import IdentityError

CLAIM = Claim(
    model="astronauts",
    model_hash="0123456789ab",
    version="0.1.0",
    recipe={"prompt": "a harp above mars", "seed": 2**64 - 1, "guidance_scale": 3.0},
    watermark_id="0badcafe",
    human={"wrote_prompt": "", "chose": "A person chose this one of 12."},
    credit="Training pictures: 2,655, all by The Rocketman authors.",
)


Encode = Callable[[str], bytes]


@pytest.fixture
def encoded(draw: Callable[[int, int], Image.Image]) -> Encode:
    """A file of a kind, unsigned."""

    def encode(kind: str) -> bytes:
        if kind == "MP4":
            return film()
        buffer = io.BytesIO()
        draw(1, 96).save(buffer, format=kind)
        return buffer.getvalue()

    return encode


def film() -> bytes:
    """The least that is an MP4: its kind, an empty movie header and some data."""

    def box(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", 8 + len(data)) + name + data

    movie = box(b"moov", box(b"mvhd", bytes(100)))
    return box(b"ftyp", b"isom\0\0\2\0isomiso2mp41") + movie + box(b"mdat", bytes(range(256)))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "MP4"])
def test_signed_and_read(tmp_path: Path, encoded: Encode, kind: str) -> None:
    data = encoded(kind)
    path = tmp_path / "picture"
    path.write_bytes(data)
    assert credentials.read(path).state == "absent"
    signed = credentials.sign(data, CLAIM)
    assert len(signed) - len(data) < 6000  # no thumbnail
    path.write_bytes(signed)
    found = credentials.read(path)
    assert found.state == "valid"
    assert found.generator == "Rocketman 0.1.0"
    assert found.source_type == "trainedAlgorithmicMedia"
    assert found.watermark_id == "0badcafe"
    assert found.credit == CLAIM.credit
    assert found.recipe == {
        "prompt": "a harp above mars",
        "seed": str(2**64 - 1),
        "guidance_scale": 3.0,
    }


def test_first_action_is_the_making(encoded: Encode) -> None:
    import json

    import c2pa

    signed = credentials.sign(encoded("PNG"), CLAIM)
    with c2pa.Reader("image/png", io.BytesIO(signed)) as reader:
        manifest = reader.get_active_manifest()
    [actions] = [
        each["data"]["actions"]
        for each in manifest["assertions"]
        if each["label"] == "c2pa.actions.v2"
    ]
    assert [action["action"] for action in actions] == [
        "c2pa.created",
        "rocketman.prompt_written",
        "rocketman.chosen",
        "c2pa.watermarked.bound",
    ]
    assert actions[0]["digitalSourceType"] == credentials.AI_MADE
    assert actions[0]["parameters"]["rocketman.model_hash"] == "0123456789ab"
    assert "thumbnail" not in json.dumps(manifest)


def test_the_picture_it_started_from_is_an_ingredient(tmp_path: Path, encoded: Encode) -> None:
    import json

    import c2pa

    start = credentials.sign(encoded("JPEG"), CLAIM)
    made = credentials.signed(encoded("PNG"), CLAIM, start)
    with c2pa.Reader("image/png", io.BytesIO(made.data)) as reader:
        report = json.loads(reader.json())
    assert report["validation_state"] in ("Valid", "Trusted")
    [ingredient] = report["manifests"][report["active_manifest"]]["ingredients"]
    assert ingredient["relationship"] == "inputTo"
    assert ingredient["active_manifest"] in report["manifests"]
    path = tmp_path / "a.png"
    path.write_bytes(made.data)
    assert credentials.read(path).state == "valid"
    with pytest.raises(CredentialsError, match="start from"):
        credentials.signed(encoded("PNG"), CLAIM, b"no picture")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_what_can_start_a_picture(encoded: Encode, kind: str) -> None:
    plain = encoded(kind)
    for file in (plain, credentials.sign(plain, CLAIM)):
        assert credentials.can_start(file)
        assert credentials.signed(encoded("PNG"), CLAIM, file)
    for other in (b"", b"no picture", film(), plain[:8]):
        assert not credentials.can_start(other)


def test_a_start_with_broken_credentials_breaks_none(tmp_path: Path, encoded: Encode) -> None:
    """A stranger's edited photo may be begun from; what is made of it is as good as ever."""
    signed = bytearray(credentials.sign(encoded("PNG"), CLAIM))
    signed[-30] ^= 1
    (tmp_path / "start.png").write_bytes(signed)
    assert credentials.read(tmp_path / "start.png").state == "broken"
    assert credentials.can_start(bytes(signed))
    made = credentials.signed(encoded("PNG"), CLAIM, bytes(signed))
    (tmp_path / "made.png").write_bytes(made.data)
    assert credentials.read(tmp_path / "made.png").state == "valid"


def test_a_manifest_by_itself(encoded: Encode, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = credentials.signed(encoded("PNG"), CLAIM).manifest
    found = credentials.read_manifest(manifest)
    assert found.state == "valid"
    assert found.recipe is not None
    assert found.recipe["prompt"] == "a harp above mars"
    monkeypatch.setenv("ROCKETMAN_CONFIG", "/nowhere")
    assert credentials.read_manifest(manifest).state == "untrusted"
    changed = manifest.replace(b"a harp above mars", b"a tuba above mars")
    assert credentials.read_manifest(changed).state == "broken"
    assert credentials.read_manifest(manifest[:2000]).state == "broken"


def test_a_manifest_that_cannot_be_parsed_is_broken(tmp_path: Path, encoded: Encode) -> None:
    """The library then names an active manifest and lists none."""
    made = credentials.signed(encoded("JPEG"), CLAIM)
    empty, cut = b"escope\xa0", b"escope\xa1"  # CBOR's maps of nothing, and of one pair
    assert empty in made.data
    path = tmp_path / "a.jpg"
    path.write_bytes(made.data.replace(empty, cut))
    for found in (
        credentials.read(path),
        credentials.read_manifest(made.manifest.replace(empty, cut)),
    ):
        assert found.state == "broken"
        assert "cannot be read" in found.why


def test_prompt_can_stay_private(encoded: Encode) -> None:
    from dataclasses import replace

    signed = credentials.sign(encoded("PNG"), replace(CLAIM, recipe={"seed": 7}))
    assert b"harp" not in signed


def test_unknown_signer(tmp_path: Path, encoded: Encode, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(credentials.sign(encoded("PNG"), CLAIM))
    monkeypatch.setenv("ROCKETMAN_CONFIG", str(tmp_path / "another user"))
    found = credentials.read(path)
    assert found.state == "untrusted"
    assert not (tmp_path / "another user").exists()  # reading creates no identity


def test_trust_as_people_write_it(
    tmp_path: Path, encoded: Encode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name with an umlaut, a missing line's end and a damaged certificate hide no other."""
    monkeypatch.setenv("ROCKETMAN_CONFIG", str(tmp_path))
    data = encoded("PNG")
    path = tmp_path / "a.png"
    path.write_bytes(credentials.sign(data, CLAIM))
    trust = tmp_path / identity.TRUST
    own = trust.read_text().strip()
    damaged = own.replace("MII", "M!I", 1)
    trust.write_text(f"# Müller's root\n{damaged}\n{own[:300]}\n{own}", encoding="utf-8")
    assert credentials.read(path).state == "valid"
    (tmp_path / identity.IDENTITY).unlink()  # another is made, and its root appended
    identity._from_files.cache_clear()
    other = tmp_path / "b.png"
    other.write_bytes(credentials.sign(data, CLAIM))
    assert credentials.read(other).state == credentials.read(path).state == "valid"
    assert "----------" not in trust.read_text(encoding="utf-8")


def test_expired(tmp_path: Path, encoded: Encode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROCKETMAN_CONFIG", str(tmp_path / "short"))
    monkeypatch.setattr(identity, "VALID_DAYS", 1 + 2.0 / 86400)
    path = tmp_path / "a.png"
    path.write_bytes(credentials.sign(encoded("PNG"), CLAIM))
    deadline = time.monotonic() + 20  # signing and clocks take their time on busy cores
    while credentials.read(path).state != "expired" and time.monotonic() < deadline:
        time.sleep(0.5)
    assert credentials.read(path).state == "expired"
    identity._from_files.cache_clear()
    with pytest.raises(IdentityError, match="has expired"):
        credentials.sign(encoded("PNG"), CLAIM)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_every_changed_byte_of_the_picture_is_found(
    tmp_path: Path, encoded: Encode, kind: str
) -> None:
    """1,020 random changes outside the manifest, over the three kinds."""
    data = encoded(kind)
    signed = credentials.sign(data, CLAIM)
    rng = np.random.default_rng(5)
    path = tmp_path / "picture"
    head, tail = manifest_span(signed, data)
    outside = [*range(head), *range(tail, len(signed))]
    for position in rng.choice(outside, 340, replace=False):
        changed = bytearray(signed)
        changed[position] ^= int(rng.integers(1, 256))
        path.write_bytes(changed)
        assert credentials.read(path).state in ("broken", "absent"), position


def manifest_span(signed: bytes, data: bytes) -> tuple[int, int]:
    """Where the manifest surely lies: from a little before its first box, as long as was added."""
    head = signed.index(b"jumb") - 24
    return head, head + len(signed) - len(data) + 24


def test_a_manifest_moved_to_another_picture(
    tmp_path: Path, encoded: Encode, draw: Callable[[int, int], Image.Image]
) -> None:
    """The chunk that holds the manifest, cut out of one PNG and put into another."""
    signed = credentials.sign(encoded("PNG"), CLAIM)
    at = signed.index(b"caBX") - 4
    length = struct.unpack(">I", signed[at : at + 4])[0] + 12
    buffer = io.BytesIO()
    draw(2, 96).save(buffer, format="PNG")
    other = buffer.getvalue()
    path = tmp_path / "a.png"
    path.write_bytes(other[:33] + signed[at : at + length] + other[33:])
    found = credentials.read(path)
    assert found.state == "broken"
    assert "moved here from another file" in found.why


def test_what_cannot_be_signed() -> None:
    for data in (b"", b"GIF89a", b"some text", b"\x89PNG\r\n\x1a\n"):
        with pytest.raises(CredentialsError):
            credentials.sign(data, CLAIM)


def test_files_that_are_no_pictures(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    for data in (b"", b"some text", b"\x89PNG\r\n\x1a\nrubbish", bytes(1000)):
        path.write_bytes(data)
        assert credentials.read(path).state == "absent"
    with pytest.raises(FileNotFoundError):
        credentials.read(tmp_path / "missing.png")


def test_ctrl_c_while_signing_is_not_lost(encoded: Encode, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library swallows exceptions that arise while it reads the picture."""
    import c2pa

    sign = c2pa.Builder.sign

    def press(builder: c2pa.Builder, kind: str, source: io.BytesIO, target: io.BytesIO) -> bytes:
        class Pressed(io.BytesIO):
            def readinto(self, buffer: object) -> int:
                signal.raise_signal(signal.SIGINT)
                return super().readinto(buffer)  # type: ignore[arg-type]

            def read(self, size: int | None = -1) -> bytes:
                signal.raise_signal(signal.SIGINT)
                return super().read(size)

        result: bytes = sign(builder, kind, Pressed(source.getvalue()), target)
        return result

    monkeypatch.setattr(c2pa.Builder, "sign", press)
    with pytest.raises(KeyboardInterrupt):
        credentials.sign(encoded("PNG"), CLAIM)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.skipif(os.name != "posix", reason="rights of files are POSIX's")
def test_only_the_user_reads_the_key(config_folder: Path) -> None:
    identity.load()
    assert stat.S_IMODE((config_folder / identity.IDENTITY).stat().st_mode) == 0o600
    assert b"PRIVATE" not in (config_folder / identity.TRUST).read_bytes()


def test_the_key_shows_nowhere(encoded: Encode) -> None:
    who = identity.load()
    assert "PRIVATE" not in repr(who)
    assert who.key.splitlines()[1].decode() not in repr(who)
    signed = credentials.sign(encoded("PNG"), CLAIM)
    assert b"PRIVATE" not in signed


def test_two_processes_agree_on_one_identity(tmp_path: Path) -> None:
    program = "from rocketman.provenance import identity; print(identity.load().chain)"
    environment = {**os.environ, "ROCKETMAN_CONFIG": str(tmp_path / "new")}
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    chains = {run.communicate()[0] for run in runs}
    assert len(chains) == 1
    assert not list((tmp_path / "new").glob("*.part"))


def test_a_certificate_of_ones_own(
    tmp_path: Path, config_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity.load()
    pem = (config_folder / identity.IDENTITY).read_bytes()
    cut = pem.index(b"-----BEGIN CERTIFICATE")
    (tmp_path / "key.pem").write_bytes(pem[:cut])
    (tmp_path / "chain.pem").write_bytes(pem[cut:])
    monkeypatch.setenv("ROCKETMAN_CERTIFICATE", str(tmp_path / "chain.pem"))
    with pytest.raises(IdentityError, match="both"):
        identity.load()
    monkeypatch.setenv("ROCKETMAN_PRIVATE_KEY", str(tmp_path / "key.pem"))
    assert identity.load().algorithm == "es256"
    monkeypatch.setenv("ROCKETMAN_PRIVATE_KEY", str(tmp_path / "missing.pem"))
    with pytest.raises(IdentityError, match=r"missing\.pem cannot be read"):
        identity.load()
    (tmp_path / "bad.pem").write_text("no key")
    monkeypatch.setenv("ROCKETMAN_PRIVATE_KEY", str(tmp_path / "bad.pem"))
    with pytest.raises(IdentityError, match="without passphrase"):
        identity.load()
    unknown = bytes.fromhex("302e020100300506032b657f04220420") + bytes(32)  # by its OID
    frame = b"-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n"
    (tmp_path / "bad.pem").write_bytes(frame % base64.b64encode(unknown))
    with pytest.raises(IdentityError, match="of a kind"):
        identity.load()


def test_importing_stays_light() -> None:
    program = (
        "import sys, rocketman.provenance.credentials\n"
        "print([name for name in ('c2pa', 'cryptography', 'numpy') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert out.stdout.strip() == "[]"

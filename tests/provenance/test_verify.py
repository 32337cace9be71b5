"""A true answer for every file: ours, edited, stripped, and those made to do harm."""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from rocketman.provenance import credentials, picture, verify, watermark
from rocketman.provenance.picture import Recipe
from rocketman.provenance.verify import VerifyError

Draw = Callable[[int, int], Image.Image]

RECIPE = Recipe(
    prompt="an astronaut in a white suit playing a harp above mars",
    seed=2**64 - 1,
    sampler="dpm_solver_2m",
    num_inference_steps=20,
    guidance_scale=3.0,
    width=256,
    height=256,
    model="astronauts",
    model_hash="0123456789ab",
    version="0.1.0",
)


@pytest.fixture
def ours(tmp_path: Path, draw: Draw) -> Path:
    return picture.save(draw(11, 256), tmp_path / "ours.png", RECIPE, human={"chose": ""})


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(wide: int, high: int, *chunks: bytes) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", wide, high, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + chunk(b"IEND", b"")


def test_ours(ours: Path) -> None:
    verdict = verify.verify(ours)
    assert verdict.good
    assert verdict.credentials.state == "valid"
    assert verdict.watermark.found
    assert verdict.watermark.fits_recipe
    assert verdict.watermark.probability < 1e-6
    assert verdict.recipe == json.loads(RECIPE.as_json)
    assert verdict.answer.startswith("Made by a generative model")
    assert "Does not prove" in verdict.words
    table = json.loads(json.dumps(verdict.as_json))
    assert set(table) >= {"file", "credentials", "watermark", "recipe"}
    assert set(table["credentials"]) >= {"state", "why"}
    assert set(table["watermark"]) >= {"found", "probability", "id"}


def test_too_small_for_a_mark(tmp_path: Path, draw: Draw) -> None:
    path = picture.save(draw(11, 128), tmp_path / "a.png", RECIPE)
    verdict = verify.verify(path)
    assert verdict.good
    assert not verdict.watermark.found


def test_a_long_strip_is_read_within_the_limits(tmp_path: Path, draw: Draw) -> None:
    strip = Image.new("RGB", (256, 9000))
    for top in range(0, 9000, 256):
        strip.paste(draw(11, 256), (0, top))
    watermark.embed(strip, 0xDEADBEEF).save(tmp_path / "a.jpg", quality=80)
    assert verify.verify(tmp_path / "a.jpg").watermark.id == "deadbeef"


def test_stripped(ours: Path, tmp_path: Path) -> None:
    """Sent on by a program that keeps the pixels alone."""
    path = tmp_path / "sent.jpg"
    with Image.open(ours) as image:
        image.convert("RGB").save(path, quality=70)
    verdict = verify.verify(path)
    assert verdict.good
    assert verdict.credentials.state == "absent"
    assert verdict.watermark.id == verify.verify(ours).watermark.id
    assert verdict.kept is not None
    assert verdict.kept.state == "valid"
    assert verdict.recipe is not None
    assert verdict.recipe["prompt"] == RECIPE.prompt
    assert "Kept here for this mark" in verdict.words


def test_stripped_and_not_from_here(
    ours: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "sent.jpg"
    with Image.open(ours) as image:
        image.convert("RGB").save(path, quality=70)
    monkeypatch.setenv("ROCKETMAN_MANIFESTS", str(tmp_path / "none.sqlite3"))
    verdict = verify.verify(path)
    assert verdict.watermark.found
    assert verdict.kept is None
    assert verdict.recipe is None
    (tmp_path / "none.sqlite3").write_bytes(b"no database")
    assert verify.verify(path).kept is None


def test_unknown_signer(ours: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROCKETMAN_CONFIG", str(tmp_path / "elsewhere"))
    verdict = verify.verify(ours)
    assert verdict.good
    assert verdict.credentials.state == "untrusted"
    assert "anyone can make such a signature" in verdict.words


def test_recipe_written_over(ours: Path, tmp_path: Path) -> None:
    """Another recipe in the text: the signature breaks, and the mark belongs to the first one."""
    lie = replace(RECIPE, prompt="a photograph of my cat").as_json
    info = PngInfo()
    info.add_text("rocketman", lie)
    path = tmp_path / "lie.png"
    with Image.open(ours) as image:
        image.save(path, pnginfo=info)
    verdict = verify.verify(path)
    assert verdict.credentials.state == "absent"
    assert verdict.watermark.fits_recipe is False
    assert "anyone can write it" in verdict.words


def test_a_painted_picture(ours: Path) -> None:
    data = bytearray(ours.read_bytes())
    data[-400] ^= 1
    ours.write_bytes(data)
    verdict = verify.verify(ours)
    assert not verdict.good
    assert verdict.credentials.state == "broken"
    assert verdict.credentials.recipe is None


def test_a_manifest_from_another_picture(ours: Path, tmp_path: Path, draw: Draw) -> None:
    signed = ours.read_bytes()
    at = signed.index(b"caBX") - 4
    moved = signed[at : at + 12 + struct.unpack(">I", signed[at : at + 4])[0]]
    path = tmp_path / "photo.png"
    draw(12, 256).save(path)
    photo = path.read_bytes()
    path.write_bytes(photo[:33] + moved + photo[33:])
    verdict = verify.verify(path)
    assert not verdict.good
    assert verdict.credentials.state == "broken"
    assert not verdict.watermark.found


@pytest.mark.parametrize("name", ["ours.jpg", "ours.txt", "ours", "-n.png", "a b'\";.png"])
def test_renamed(ours: Path, tmp_path: Path, name: str) -> None:
    verdict = verify.verify(ours.rename(tmp_path / name))
    assert verdict.credentials.state == "valid"
    assert verdict.watermark.found


def test_hostile_files(tmp_path: Path, ours: Path) -> None:
    """Each gets an answer, and none that vouches for it."""
    whole = ours.read_bytes()
    deep = chunk(b"tEXt", b"rocketman\0" + b"[" * 500_000)
    huge = chunk(b"zTXt", b"rocketman\0\0" + zlib.compress(bytes(300_000_000), 1))
    script = b"rocketman\0</script><script>alert(1)</script>\x1b[2J"
    pixels = chunk(b"IDAT", zlib.compress(bytes(64 * 193)))
    files = {
        "nothing": b"",
        "text": b"hello",
        "zeros": bytes(100_000),
        "bomb of pixels": png(100_000, 100_000, chunk(b"IDAT", zlib.compress(bytes(10_000_000)))),
        "bomb below our limit": png(
            7_000, 7_000, chunk(b"IDAT", zlib.compress(bytes(147_007_000)))
        ),
        "deep recipe": png(64, 64, deep, pixels),
        "huge recipe": png(64, 64, huge, pixels),
        "script": png(64, 64, chunk(b"tEXt", script), pixels),
        "cut": whole[: len(whole) // 3],
        "cut in the manifest": whole[:2000],
        "a manifest that says it is huge": whole[:33] + b"\xff\xff\xff\xf0caBX" + whole[41:],
        "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 90 90\n(x) run\n",
    }
    for name, data in files.items():
        path = tmp_path / name
        path.write_bytes(data)
        verdict = verify.verify(path)
        assert not verdict.good, name
        assert not verdict.watermark.found, name
        assert verdict.credentials.state in ("absent", "broken"), name
        assert "\x1b" not in verdict.words
        json.dumps(verdict.as_json)
    assert verify.verify(tmp_path / "cut in the manifest").credentials.state == "broken"


def test_control_characters_reach_no_terminal(tmp_path: Path, draw: Draw) -> None:
    recipe = replace(RECIPE, prompt="\x1b[31mred\x07", model="\u202eevil\n  Credentials: valid")
    path = picture.save(draw(11, 128), tmp_path / "a.png", recipe)
    words = verify.verify(path).words
    assert not {"\x1b", "\x07", "\u202e"} & set(words)
    assert words.count("\n  Credentials:") == 1


def test_letters_that_the_terminal_lacks(tmp_path: Path, draw: Draw) -> None:
    """Windows writes redirected output in an encoding of its own."""
    path = picture.save(draw(11, 128), tmp_path / "a.png", replace(RECIPE, prompt="a 竖琴 here"))
    command = [sys.executable, "-m", "rocketman", "verify", str(path)]
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    out = subprocess.run(command, env=environment, capture_output=True, check=True).stdout
    assert b"prompt a ?? here" in out


def test_nothing_is_fetched(tmp_path: Path, draw: Draw) -> None:
    """A file names the address of its manifest; a server stands there and must hear nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        heard: list[object] = []

        def listen() -> None:
            try:
                heard.append(server.accept())
            except OSError:
                return

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        address = f"http://127.0.0.1:{server.getsockname()[1]}/manifest.c2pa"
        xmp = (
            '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
            'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
            f'xmlns:dcterms="http://purl.org/dc/terms/" dcterms:provenance="{address}"/>'
            "</rdf:RDF></x:xmpmeta>"
        )
        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", xmp)
        path = tmp_path / "a.png"
        draw(12, 128).save(path, pnginfo=info)
        verdict = verify.verify(path)
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)
    assert verdict.credentials.state == "absent"
    assert "never fetched" in verdict.credentials.why
    assert heard == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds limits of memory")
def test_the_child_has_limits(tmp_path: Path) -> None:
    program = (
        "from rocketman.provenance import verify\n"
        "verify._limit()\n"
        "try:\n    bytearray(1 << 30)\nexcept MemoryError:\n    print('held')\n"
        "try:\n    open('written', 'w').write('x' * 9000)\nexcept OSError:\n    print('held')\n"
    )
    command = [sys.executable, "-c", program]
    out = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert out.stdout.split() == ["held", "held"]


def test_a_child_that_hangs_or_dies(ours: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "MAX_SECONDS", 0.01)
    verdict = verify.verify(ours)
    assert verdict.credentials.state == "unknown"
    assert "20 seconds" in verdict.credentials.why
    assert "could not be told" in verdict.answer
    assert "Proves nothing: there may be credentials" in verdict.words
    assert not verdict.good


def test_one_look_that_fails_silences_no_other(
    ours: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> None:
        raise KeyError("manifest")

    monkeypatch.setattr(verify, "_limit", lambda: None)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)  # what a child does for itself
    monkeypatch.setattr(credentials, "read", fail)
    verify._child(str(ours))
    names = [json.loads(line)[0] for line in capsys.readouterr().out.splitlines()]
    assert names == ["recipe", "watermark"]


def test_a_damaged_manifest_leaves_the_mark(ours: Path) -> None:
    """The file's own credentials cannot be parsed; the mark finds those kept here."""
    data = bytearray(ours.read_bytes())
    at = data.index(b"caBX") - 4
    end = at + 8 + struct.unpack(">I", data[at : at + 4])[0]
    data[data.index(b"escope\xa0") + 6] = 0xA1  # a map of CBOR that lacks its one pair
    data[end : end + 4] = struct.pack(">I", zlib.crc32(data[at + 4 : end]))
    ours.write_bytes(data)
    verdict = verify.verify(ours)
    assert verdict.credentials.state == "broken"
    assert verdict.watermark.fits_recipe
    assert verdict.kept is not None
    assert verdict.kept.state == "valid"


def test_a_damaged_recipe_is_named_in_a_sentence(tmp_path: Path, draw: Draw) -> None:
    info = PngInfo()
    info.add_text("rocketman", "{}")
    draw(12, 128).save(tmp_path / "a.png", pnginfo=info)
    verdict = verify.verify(tmp_path / "a.png")
    assert verdict.note == "The recipe inside it is damaged: prompt is missing."


def test_modules_beside_the_file_are_not_run(ours: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ours.parent)
    for name in ("json.py", "numpy.py", "rocketman.py"):
        Path(name).write_text("raise SystemExit('taken over')")
    assert verify.verify(Path("ours.png")).credentials.state == "valid"


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "missing", tmp_path, tmp_path / "pipe", Path("\0")):
        with pytest.raises(VerifyError, match="cannot be verified"):
            verify.verify(path)

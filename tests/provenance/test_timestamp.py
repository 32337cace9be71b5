"""A time stamp from a real service of RFC 3161, run here with OpenSSL on the loopback address."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from PIL import Image

from rocketman.provenance import credentials
from rocketman.provenance.credentials import Claim, CredentialsError
from rocketman.provenance.picture import PictureError, prepare_folder

CLAIM = Claim(model="astronauts", model_hash="0123456789ab", version="0.1.0")
CONFIGURATION = """
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[stamping]
basicConstraints = critical, CA:FALSE
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
extendedKeyUsage = critical, timeStamping
keyUsage = critical, digitalSignature
[tsa]
default_tsa = service
[service]
serial = {folder}/serial
signer_cert = {folder}/certificate.pem
signer_key = {folder}/key.pem
certs = {folder}/root.pem
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256, sha384, sha512
ess_cert_id_alg = sha256
"""


def picture() -> bytes:
    buffer = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def service(tmp_path: Path) -> Generator[str, None, None]:
    """The address of a service that is asked over HTTP and answers with `openssl ts`."""
    openssl = shutil.which("openssl")
    assert openssl is not None
    settings = tmp_path / "openssl.cnf"
    settings.write_text(CONFIGURATION.format(folder=tmp_path))
    (tmp_path / "serial").write_text("01\n")
    names = ("root.pem", "root-key.pem", "certificate.pem", "key.pem", "request.pem")
    root, root_key, leaf, key, request = (str(tmp_path / name) for name in names)

    def run(*arguments: str) -> None:
        subprocess.run([openssl, *arguments], check=True, capture_output=True)

    new = ["-newkey", "rsa:2048", "-nodes", "-config", str(settings)]
    own = ["-subj", "/O=Test/CN=Root", "-extensions", "authority"]
    run("req", "-x509", *new, *own, "-keyout", root_key, "-out", root)
    run("req", *new, "-subj", "/O=Test/CN=Stamper", "-keyout", key, "-out", request)
    extensions = ["-extfile", str(settings), "-extensions", "stamping", "-set_serial", "2"]
    run("x509", "-req", "-in", request, "-CA", root, "-CAkey", root_key, *extensions, "-out", leaf)

    class Stamper(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = tmp_path / "query.tsq"
            query.write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            out = tmp_path / "reply.tsr"
            files = ["-queryfile", str(query), "-out", str(out)]
            run("ts", "-reply", *files, "-config", str(settings))
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            self.wfile.write(out.read_bytes())

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Stamper)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def test_a_signature_carries_the_time(
    service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import c2pa

    monkeypatch.setenv("ROCKETMAN_TIMESTAMP_URL", service)
    signed = credentials.sign(picture(), CLAIM)
    with c2pa.Reader("image/png", io.BytesIO(signed)) as reader:
        manifest = json.loads(reader.json())
    about = manifest["manifests"][manifest["active_manifest"]]["signature_info"]
    assert about["time"]
    path = tmp_path / "a.png"
    path.write_bytes(signed)
    assert credentials.read(path).state == "valid"


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/", "nonsense", "http://[bad"])
def test_a_service_that_does_not_answer(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROCKETMAN_TIMESTAMP_URL", address)
    with pytest.raises(CredentialsError, match=r"time stamp|no web address"):
        credentials.sign(picture(), CLAIM)
    with pytest.raises(PictureError, match=r"time stamp|no web address"):
        prepare_folder(tmp_path / "pictures")
    assert not (tmp_path / "pictures").exists(), "before anything is drawn"

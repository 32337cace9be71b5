"""Who signs the pictures: a key and its certificates, made on first use, kept for this user alone.

Level 1. Reads and writes, in the user's configuration folder (`folder()`):

    identity.pem   private key and certificates (leaf, intermediate), rights 0600; the key is
                   never printed, logged or written anywhere else
    trust.pem      root certificates of signers known here: our own, and any the user appends

A self-made identity proves that two pictures come from the same hand, not whose hand it is. A real
certificate takes its place through ROCKETMAN_CERTIFICATE and ROCKETMAN_PRIVATE_KEY, paths of PEM
files. Next: `credentials.py` signs with it.
"""

from __future__ import annotations

import datetime
import os
import re
import secrets
import sys
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

IDENTITY = "identity.pem"
TRUST = "trust.pem"
CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----")
VALID_DAYS = 3650
"""Of self-made certificates. Without a time stamp a signature dies with its certificate."""


class IdentityError(ValueError):
    """A key or certificate that cannot be used; the message is one sentence without the key."""


@dataclass(frozen=True)
class Identity:
    """What signing needs. The key shows in no representation of it."""

    chain: bytes
    """PEM certificates: leaf first, then intermediates, no root."""
    key: bytes = field(repr=False)
    """PEM private key."""
    algorithm: str
    """As C2PA names it: es256, es384, es512, ps256 or ed25519."""


def folder() -> Path:
    """The user's configuration folder: ROCKETMAN_CONFIG, or where the system keeps such things."""
    if chosen := os.environ.get("ROCKETMAN_CONFIG"):
        return Path(chosen)
    if sys.platform == "win32":
        base = Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return base / "rocketman"


def load() -> Identity:
    """The identity to sign with; a self-made one is created if there is none.

    IdentityError if the files are missing, damaged or do not fit together, or if the configuration
    folder cannot be written.
    """
    certificate = os.environ.get("ROCKETMAN_CERTIFICATE", "")
    key = os.environ.get("ROCKETMAN_PRIVATE_KEY", "")
    if bool(certificate) != bool(key):
        raise IdentityError("Set both ROCKETMAN_CERTIFICATE and ROCKETMAN_PRIVATE_KEY, or neither.")
    if certificate:
        return _from_files(certificate, key)
    path = folder() / IDENTITY
    if not path.exists():
        try:
            _create(path)
        except OSError as error:
            raise IdentityError(
                f"Pictures cannot be signed, since {path.parent} cannot be written "
                f"({error.strerror}): set ROCKETMAN_CONFIG to a folder that can."
            ) from error
    return _from_files(str(path), str(path))


def known_roots() -> str:
    """PEM root certificates of the signers known here; empty if there are none. Creates nothing.

    Damaged ones are left out, and whatever stands between them in the file, in any language.
    """
    try:
        text = (folder() / TRUST).read_text(encoding="ascii", errors="ignore")
    except (OSError, ValueError):
        return ""
    return "\n".join(root for root in CERTIFICATE.findall(text) if _usable(root))


@cache
def _usable(root: str) -> bool:
    """Whether C2PA's library takes a root; with one that it does not, it would take none."""
    import c2pa

    try:
        c2pa.Context.from_dict({"trust": {"user_anchors": root}}).close()
    except c2pa.C2paError:
        return False
    return True


@lru_cache(maxsize=4)
def _from_files(certificate: str, key: str) -> Identity:
    """Read once a process: loading and checking a key takes longer than signing with it."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    try:
        chain_pem, key_pem = Path(certificate).read_bytes(), Path(key).read_bytes()
    except OSError as error:
        raise IdentityError(
            f"{error.filename} cannot be read ({error.strerror}), so nothing can be signed."
        ) from error
    try:
        chain = x509.load_pem_x509_certificates(chain_pem)
        private = serialization.load_pem_private_key(key_pem, password=None)
        fits = private.public_key() == chain[0].public_key()
    except UnsupportedAlgorithm as error:
        raise IdentityError(
            f"{certificate} or {key} is of a kind that C2PA does not sign with."
        ) from error
    except (ValueError, TypeError) as error:
        raise IdentityError(
            f"{certificate} and {key} should hold PEM certificates and a key without passphrase."
        ) from error
    if not fits:
        raise IdentityError(f"The key in {key} does not belong to the certificate {certificate}.")
    if chain[0].not_valid_after_utc < datetime.datetime.now(datetime.UTC):
        raise IdentityError(
            f"The certificate in {certificate} has expired: remove it or choose another."
        )
    encoded = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return Identity(
        chain=b"".join(each.public_bytes(serialization.Encoding.PEM) for each in chain),
        key=encoded,
        algorithm=_algorithm(private, key),
    )


def _algorithm(private: object, path: str) -> str:
    """C2PA's name for signatures of this key. IdentityError for keys that it does not allow."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if isinstance(private, ec.EllipticCurvePrivateKey):
        names = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
        if private.curve.name in names:
            return names[private.curve.name]
    if isinstance(private, rsa.RSAPrivateKey) and private.key_size >= 2048:
        return "ps256"
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return "ed25519"
    raise IdentityError(f"The key in {path} is of a kind that C2PA does not sign with.")


def _create(path: Path) -> None:
    """Write a new identity, unless another process was first; its root becomes known here.

    Root and intermediate keys are thrown away: the one key kept is the leaf's. The certificates
    name nobody, since a file must not say more about its user than the user does.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    root, middle, leaf = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    tag = secrets.token_hex(4)
    names = [f"Self-made {kind} {tag}" for kind in ("root", "intermediate", "identity")]
    pem = serialization.Encoding.PEM
    leaf_pem = _certificate(names[2], leaf, names[1], middle, authority=False).public_bytes(pem)
    middle_pem = _certificate(names[1], middle, names[0], root, authority=True).public_bytes(pem)
    root_pem = _certificate(names[0], root, names[0], root, authority=True).public_bytes(pem)
    key_pem = leaf.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    rights = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        with os.fdopen(os.open(part, rights, 0o600), "wb") as file:
            file.write(key_pem + leaf_pem + middle_pem)
            file.flush()
            os.fsync(file.fileno())
        with (path.parent / TRUST).open("ab") as file:
            file.write(b"\n" + root_pem)  # what the user appended may lack its line's end
        _take_name(part, path)
    finally:
        part.unlink(missing_ok=True)


def _take_name(part: Path, path: Path) -> None:
    """Give `part` the name `path` in one step; where something has it already, that one stays."""
    try:
        os.link(part, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without hard links
        if not path.exists():
            part.replace(path)


def _certificate(
    name: str,
    key: EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: EllipticCurvePrivateKey,
    *,
    authority: bool,
) -> x509.Certificate:
    """An X.509 certificate within C2PA's profile (specification 2.2, section 14.5.1).

    The leaf needs the authority key identifier, digitalSignature and, as extended key usage,
    emailProtection, which is on C2PA's default list. It starts a day early, for clocks that differ.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    def called(common: str) -> x509.Name:
        return x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Rocketman (self-made)"),
                x509.NameAttribute(NameOID.COMMON_NAME, common),
            ]
        )

    start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    usage = x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(called(name))
        .issuer_name(called(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=VALID_DAYS))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    if not authority:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purpose, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())

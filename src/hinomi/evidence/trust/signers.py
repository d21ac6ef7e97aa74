"""Public keys, certificates and signatures that lie in a system as files (PEM and OpenPGP armour, raw signatures)."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from hashlib import sha256

from hinomi.model.errors import ParseError

MAX_FILE = 64 << 10
MAX_SIGNATURE = 16 << 10
_ARMOUR = re.compile(
    rb"(?m)^-----BEGIN ((?:RSA |EC |PGP )?PUBLIC KEY(?: BLOCK)?|CERTIFICATE|PGP SIGNATURE|PKCS7|CMS)-----"
)
_STORES = (
    b"/etc/ssl/certs/",
    b"/usr/share/ca-certificates/",
    b"/etc/ca-certificates/",
    b"/etc/pki/",
    b"/usr/share/pki/",
)
_SUFFIX = re.compile(r"(?i)^(.+)\.(?:sig|sign|signature|asc|p7s|sgn|rsa|minisig)$")
_SUFFIXES = frozenset(b"sig sign signature asc p7s sgn rsa minisig".split())
_NUMBERED = re.compile(r"(?i)^(.*(?:manifest|sums?|integrity|digests?))\.([1-9])$")
_NAME = re.compile(
    rb"(?i)\.(?:sig|sign|signature|asc|p7s|sgn|rsa|minisig)$|(?:manifest|sums?|integrity|digests?)\.[1-9]$"
)


@dataclass(frozen=True, slots=True)
class Signer:
    """A file that vouches for others, as far as it could be understood; see `SigningFile` for the fields."""

    kind: str
    algorithm: str | None = None
    bits: int | None = None
    fingerprint: str | None = None
    valid_from: float | None = None


def may_sign(path: bytes, size: int, head: bytes) -> bool:
    """Whether a file may be a key, certificate or signature: by its armour, or a small one by its name."""
    if size > MAX_FILE or path.startswith(_STORES):
        return False
    if b"-----BEGIN " in head and _ARMOUR.search(head) is not None:
        return True
    return size <= MAX_SIGNATURE and _may_be_named(path) and _NAME.search(path) is not None


def _may_be_named(path: bytes) -> bool:
    """Whether the end of a name is one of a signature's: few are."""
    return path[-2:-1] == b"." or path[path.rfind(b".") + 1 :].lower() in _SUFFIXES


def covered_by(path: str) -> str | None:
    """Return the file whose signature has this name: `a/manifest` for `a/manifest.sig` and `a/manifest.1`."""
    match = _SUFFIX.match(path) or _NUMBERED.match(path)
    return match.group(1) if match else None


def read_signer(path: str, data: bytes) -> Signer | None:
    """Return what a file is; `ParseError` for a key or certificate that cannot be read, None for other content."""
    match = _ARMOUR.search(data)
    if match is None:
        return Signer("signature", fingerprint=sha256(data).hexdigest()) if covered_by(path) else None
    label = match.group(1)
    if label == b"CERTIFICATE":
        return _certificate(data[match.start() :])
    if b"SIGNATURE" in label or label in (b"PKCS7", b"CMS"):
        return Signer("signature", "pgp" if b"PGP" in label else "cms", fingerprint=sha256(data).hexdigest())
    if b"PGP" in label:
        return Signer("public-key", "pgp", fingerprint=sha256(data[match.start() :].strip()).hexdigest())
    return _public_key(data[match.start() :])


def _public_key(data: bytes) -> Signer:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        return _of_key("public-key", load_pem_public_key(data))
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ParseError("trust.key", cause=str(error)[:200]) from error


def _certificate(data: bytes) -> Signer:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        with warnings.catch_warnings():  # of odd serial numbers: whoever made it is not asked to mend it here
            warnings.simplefilter("ignore")
            found = x509.load_pem_x509_certificate(data)
        return _of_key("certificate", found.public_key(), found.not_valid_before_utc.timestamp())
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ParseError("trust.certificate", cause=str(error)[:200]) from error


def _of_key(kind: str, key: object, valid_from: float | None = None) -> Signer:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined]
    name = type(key).__name__.lower().removeprefix("_").removesuffix("publickey")
    algorithm = "ec" if name == "ellipticcurve" else name
    return Signer(kind, algorithm, getattr(key, "key_size", None), sha256(spki).hexdigest(), valid_from)

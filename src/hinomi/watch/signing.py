"""Who vouches for what a host should be: Ed25519 signatures whose key is off the host or behind a passphrase.

A seal covers a purpose beside the data, so that a signed profile of processes can never pass for a signed baseline.
Keys are ordinary files: PKCS #8 in PEM, encrypted with AES-256 under scrypt (RFC 7914), which `openssl pkey` reads too;
the fingerprint is the SHA-256 of the public key in DER: `openssl pkey -in KEY.pub -pubin -outform der | sha256sum`.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from hinomi.model.errors import PermissionDeniedError, UsageError
from hinomi.watch.keywrap import wrap

ALGORITHM = "Ed25519"
MAX_KEY_FILE = 64 << 10
_PREFIX = "sha256:"
_FINGERPRINT = re.compile(r"(?:sha256:)?([0-9a-f]{64})")

Passphrase = Callable[[], bytes | None]  # asked only where the key is encrypted


class SealError(UsageError):
    """A seal does not hold. `code` says how: `seal.wrong-key`, `seal.broken` or `seal.malformed`."""


@dataclass(frozen=True, slots=True)
class Seal:
    """A signature with the public key (32 bytes) that made it."""

    public: bytes
    signature: bytes

    @property
    def fingerprint(self) -> str:
        """The signer's fingerprint, `sha256:` and 64 hex digits."""
        return fingerprint_of(self.public)

    def to_json(self) -> dict[str, str]:
        """Return the seal as an object of texts."""
        return {
            "algorithm": ALGORITHM,
            "public_key": base64.b64encode(self.public).decode("ascii"),
            "signature": base64.b64encode(self.signature).decode("ascii"),
        }


def seal_from(body: Any) -> Seal:
    """Read what `Seal.to_json` made; `SealError` where it is none."""
    try:
        if body["algorithm"] != ALGORITHM:
            raise ValueError(f"algorithm {body['algorithm']!r}")
        public = base64.b64decode(body["public_key"], validate=True)
        signature = base64.b64decode(body["signature"], validate=True)
    except (KeyError, TypeError, ValueError) as error:
        raise SealError("seal.malformed", cause=str(error)[:200]) from error
    if len(public) != 32 or len(signature) != 64:
        raise SealError("seal.malformed", cause="a key has 32 bytes, a signature 64")
    return Seal(public, signature)


class Signer:
    """An opened private key."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @property
    def fingerprint(self) -> str:
        """The key's fingerprint, `sha256:` and 64 hex digits."""
        return fingerprint_of(self.public)

    def sign(self, purpose: str, data: bytes) -> Seal:
        """Seal `data` for one purpose (`baseline`, `profile`)."""
        return Seal(self.public, self._key.sign(_message(purpose, data)))


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom a verifier believes: a fingerprint that came from elsewhere than the thing verified."""

    fingerprint: str

    def check(self, seal: Seal, purpose: str, data: bytes) -> None:
        """Raise `SealError` unless the trusted key sealed exactly this data for exactly this purpose."""
        if seal.fingerprint != self.fingerprint:
            raise SealError("seal.wrong-key", place=seal.fingerprint, cause=f"trusted is {self.fingerprint}")
        try:
            Ed25519PublicKey.from_public_bytes(seal.public).verify(seal.signature, _message(purpose, data))
        except (InvalidSignature, ValueError) as error:
            raise SealError("seal.broken", place=seal.fingerprint, cause="the signature does not fit") from error


def fingerprint_of(public: bytes) -> str:
    """Return the fingerprint of a raw public key: SHA-256 over its DER form."""
    der = Ed25519PublicKey.from_public_bytes(public).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return _PREFIX + hashlib.sha256(der).hexdigest()


def trust_from(text: str) -> Trust:
    """Turn what a user gives into trust: a fingerprint, or the path of a public key file; `UsageError` otherwise."""
    found = _FINGERPRINT.fullmatch(text.strip().lower().replace("sha256:", "").replace(":", ""))
    if found:
        return Trust(_PREFIX + found[1])
    try:
        key = load_pem_public_key(_read_key(Path(text)))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UsageError("signing.not-a-key", place=text, cause="no public key in PEM form") from error
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError("signing.not-a-key", place=text, cause=f"not {ALGORITHM}")
    return Trust(fingerprint_of(key.public_bytes(Encoding.Raw, PublicFormat.Raw)))


def new_key(path: Path, passphrase: bytes | None) -> Signer:
    """Make a key: `path` (only its owner may read it) and, beside it, the public `path`.pub; never replaces one.

    None leaves the key unencrypted: for a medium that is kept off the host.
    """
    if passphrase is not None and not passphrase:
        raise UsageError("signing.no-passphrase", place=str(path), cause="an empty passphrase protects nothing")
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    if passphrase is None:
        text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    else:
        text = wrap(plain, passphrase)
    beside = path.with_name(path.name + ".pub")
    _write_new(beside, public, 0o644)
    try:
        _write_new(path, text, 0o600)
    except BaseException:
        beside.unlink()
        raise
    return Signer(key)


def open_key(path: Path, passphrase: Passphrase) -> Signer:
    """Open a private key; `UsageError` for a wrong passphrase or another kind of file.

    An unencrypted key that others may read is refused: it protects nothing.
    """
    text = _read_key(path)
    secret = None
    if b"ENCRYPTED" in text:
        secret = passphrase()
        if not secret:
            raise UsageError("signing.no-passphrase", place=str(path), cause="the key is encrypted")
    elif path.stat().st_mode & 0o077:
        raise PermissionDeniedError("signing.key-open-to-others", place=str(path), cause="an unencrypted private key")
    try:
        key = load_pem_private_key(text, secret)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        code = "signing.wrong-passphrase" if secret else "signing.not-a-key"
        raise UsageError(code, place=str(path), cause="cannot be decrypted" if secret else "no private key") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError("signing.not-a-key", place=str(path), cause=f"not {ALGORITHM}")
    return Signer(key)


def _message(purpose: str, data: bytes) -> bytes:
    return b"hinomi-seal/1\n" + purpose.encode("ascii") + b"\n" + data


def _read_key(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_KEY_FILE)
    except PermissionError as error:
        raise PermissionDeniedError("signing.unreadable", place=str(path), cause=str(error.strerror)) from error
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or "not a path"
        raise UsageError("signing.unreadable", place=str(path), cause=str(cause)) from error


def _write_new(path: Path, text: bytes, mode: int) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    except OSError as error:
        raise UsageError("signing.cannot-write", place=str(path), cause=error.strerror or "") from error
    with os.fdopen(fd, "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())

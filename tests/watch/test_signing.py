"""Keys and seals: what must hold, and what must not pass."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from hinomi.model.errors import PermissionDeniedError, UsageError
from hinomi.watch.signing import Seal, SealError, new_key, open_key, seal_from, trust_from


def no_passphrase() -> bytes | None:
    raise AssertionError("an unencrypted key needs no passphrase")


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "keys" / "signing.pem"
    new_key(path, b"correct horse")
    return path


def test_a_sealed_text_is_believed_by_fingerprint_and_by_public_key(key: Path) -> None:
    signer = open_key(key, lambda: b"correct horse")
    seal = seal_from(signer.sign("baseline", b"text").to_json())
    for given in (signer.fingerprint, signer.fingerprint.removeprefix("sha256:").upper(), f"{key}.pub"):
        trust_from(given).check(seal, "baseline", b"text")


@pytest.mark.parametrize(("purpose", "data"), [("baseline", b"texu"), ("profile", b"text"), ("baseline", b"")])
def test_other_data_or_another_purpose_is_a_broken_seal(key: Path, purpose: str, data: bytes) -> None:
    signer = open_key(key, lambda: b"correct horse")
    seal = signer.sign("baseline", b"text")
    with pytest.raises(SealError) as refused:
        trust_from(signer.fingerprint).check(seal, purpose, data)
    assert refused.value.code == "seal.broken"


def test_somebody_elses_valid_seal_is_the_wrong_key(key: Path, tmp_path: Path) -> None:
    stranger = new_key(tmp_path / "stranger.pem", None)
    with pytest.raises(SealError) as refused:
        trust_from(f"{key}.pub").check(stranger.sign("baseline", b"text"), "baseline", b"text")
    assert refused.value.code == "seal.wrong-key"


def test_a_strangers_signature_under_the_trusted_key_is_broken(key: Path, tmp_path: Path) -> None:
    signer = open_key(key, lambda: b"correct horse")
    stranger = new_key(tmp_path / "stranger.pem", None).sign("baseline", b"text")
    with pytest.raises(SealError) as refused:
        trust_from(signer.fingerprint).check(replace(stranger, public=signer.public), "baseline", b"text")
    assert refused.value.code == "seal.broken"


@pytest.mark.parametrize("secret", [b"wrong", b"", None])
def test_without_the_passphrase_the_key_stays_closed(key: Path, secret: bytes | None) -> None:
    with pytest.raises(UsageError) as refused:
        open_key(key, lambda: secret)
    assert refused.value.code in ("signing.wrong-passphrase", "signing.no-passphrase")


def test_an_empty_passphrase_protects_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        new_key(tmp_path / "k.pem", b"")
    assert not (tmp_path / "k.pem").exists()


def test_a_key_is_private_and_never_replaced(key: Path) -> None:
    before = key.read_bytes()
    assert key.stat().st_mode & 0o777 == 0o600
    with pytest.raises(UsageError):
        new_key(key, b"again")
    assert key.read_bytes() == before


def test_an_unencrypted_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "k.pem"
    made = new_key(path, None)
    assert open_key(path, no_passphrase).fingerprint == made.fingerprint
    path.chmod(0o644)
    with pytest.raises(PermissionDeniedError):
        open_key(path, no_passphrase)


@pytest.mark.parametrize(
    "body", [None, [], {}, {"algorithm": "none"}, {"algorithm": "Ed25519", "public_key": "AA==", "signature": "AA=="}]
)
def test_nonsense_is_no_seal(body: object) -> None:
    with pytest.raises(SealError):
        seal_from(body)


@pytest.mark.parametrize("public", [bytes(32), b"\xff" * 32])
def test_a_key_of_small_order_signs_nothing(public: bytes) -> None:
    seal = Seal(public, bytes(64))
    with pytest.raises(SealError):
        trust_from(seal.fingerprint).check(seal, "baseline", b"anything")


@pytest.mark.parametrize("text", ["", "sha256:12", "/no/such/file", "a\0b"])
def test_what_is_no_trust_is_said(text: str) -> None:
    with pytest.raises(UsageError):
        trust_from(text)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_reads_the_key_and_agrees_on_the_fingerprint(key: Path) -> None:
    command = ["openssl", "pkey", "-in", str(key), "-passin", "pass:correct horse", "-pubout", "-outform", "der"]
    der = subprocess.run(command, check=True, capture_output=True).stdout
    digest = subprocess.run(["openssl", "dgst", "-sha256", "-r"], input=der, check=True, capture_output=True).stdout
    assert trust_from(f"{key}.pub").fingerprint == f"sha256:{digest[:64].decode()}"

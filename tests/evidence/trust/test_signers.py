from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from hinomi.evidence.trust.signers import covered_by, may_sign, read_signer
from hinomi.model.errors import ParseError


@pytest.mark.parametrize(
    ("made", "algorithm", "bits"),
    [
        (lambda: rsa.generate_private_key(65537, 2048), "rsa", 2048),
        (lambda: ec.generate_private_key(ec.SECP256R1()), "ec", 256),
        (ed25519.Ed25519PrivateKey.generate, "ed25519", None),
    ],
)
def test_public_keys(made, algorithm: str, bits: int | None) -> None:
    key = made().public_key()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert may_sign(b"/fw/key", len(pem), pem)
    found = read_signer("/fw/key", b"note\n" + pem)
    spki = sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
    assert found is not None
    assert (found.kind, found.algorithm, found.bits, found.fingerprint) == ("public-key", algorithm, bits, spki)


def test_a_certificate_says_since_when() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "v")])
    since = datetime(2023, 3, 7, tzinfo=UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 7, since, since + timedelta(days=9))
    pem = made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    found = read_signer("/fw/c.pem", pem)
    assert found is not None
    assert (found.kind, found.algorithm, found.valid_from) == ("certificate", "ec", since.timestamp())


def test_signatures_by_name_and_by_armour() -> None:
    assert covered_by("/fw/manifest.1") == "/fw/manifest"
    assert covered_by("/fw/list.SIG") == "/fw/list"
    assert covered_by("/usr/share/man/man1/ls.1") is None
    raw = read_signer("/fw/manifest.1", bytes(256))
    assert raw is not None and (raw.kind, raw.algorithm) == ("signature", None)
    armour = read_signer("/fw/x", b"-----BEGIN PGP SIGNATURE-----\n\n")
    assert armour is not None and (armour.kind, armour.algorithm) == ("signature", "pgp")
    assert read_signer("/fw/x", b"text") is None


def test_stores_of_authorities_and_large_files_are_left_out() -> None:
    pem = b"-----BEGIN CERTIFICATE-----\n"
    assert not may_sign(b"/etc/ssl/certs/x.pem", 900, pem)
    assert not may_sign(b"/fw/x.pem", 1 << 20, pem)


@given(st.binary(max_size=300), st.sampled_from([b"PUBLIC KEY", b"CERTIFICATE", b"PGP PUBLIC KEY BLOCK", b"PKCS7"]))
def test_any_content_is_a_signer_or_refused(data: bytes, label: bytes) -> None:
    armoured = b"-----BEGIN " + label + b"-----\n" + data + b"\n-----END " + label + b"-----\n"
    try:
        found = read_signer("/x.sig", armoured)
    except ParseError as error:
        assert error.code.startswith("trust.")
    else:
        assert found is None or found.fingerprint

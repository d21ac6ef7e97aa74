"""A private key behind a passphrase: PKCS #8 EncryptedPrivateKeyInfo (RFC 5958), PBES2 with scrypt and AES-256-CBC.

The library that signs can read this but writes only PBKDF2 with few rounds; scrypt costs a guesser memory as well.
"""

from __future__ import annotations

import base64
import os

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.padding import PKCS7

COST, BLOCK, LANES = 1 << 14, 8, 5  # 16 MiB, five times: what OWASP asks for within OpenSSL's memory limit
_PBES2 = "2a864886f70d01050d"
_SCRYPT = "2b06010401da47040b"
_AES_256_CBC = "60864801650304012a"


def wrap(key: bytes, passphrase: bytes) -> bytes:
    """Return a DER key as encrypted PEM."""
    salt, start = os.urandom(16), os.urandom(16)
    secret = Scrypt(salt=salt, length=32, n=COST, r=BLOCK, p=LANES).derive(passphrase)
    padder, encryptor = PKCS7(128).padder(), Cipher(AES(secret), CBC(start)).encryptor()
    hidden = encryptor.update(padder.update(key) + padder.finalize()) + encryptor.finalize()
    derivation = _sequence(_name(_SCRYPT), _sequence(_octets(salt), *map(_number, (COST, BLOCK, LANES))))
    cipher = _sequence(_name(_AES_256_CBC), _octets(start))
    whole = _sequence(_sequence(_name(_PBES2), _sequence(derivation, cipher)), _octets(hidden))
    body = base64.encodebytes(whole).replace(b"\n", b"")
    lines = [body[i : i + 64] for i in range(0, len(body), 64)]
    begin, end = (b"-----%s ENCRYPTED PRIVATE KEY-----" % word for word in (b"BEGIN", b"END"))
    return b"\n".join([begin, *lines, end, b""])


def _tagged(tag: int, body: bytes) -> bytes:
    """Return a DER element; bodies here are below 64 KiB."""
    size = len(body)
    if size < 128:
        return bytes([tag, size]) + body
    if size < 256:
        return bytes([tag, 0x81, size]) + body
    return bytes([tag, 0x82]) + size.to_bytes(2, "big") + body


def _sequence(*parts: bytes) -> bytes:
    return _tagged(0x30, b"".join(parts))


def _octets(body: bytes) -> bytes:
    return _tagged(0x04, body)


def _number(value: int) -> bytes:
    return _tagged(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _name(identifier: str) -> bytes:
    return _tagged(0x06, bytes.fromhex(identifier))

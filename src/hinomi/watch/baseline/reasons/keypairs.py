"""Keys that a package makes at its installation: the public half must belong to the private one beside it."""

from __future__ import annotations

from hinomi.watch.baseline.compare import Difference
from hinomi.watch.baseline.world import Reason, World

MAX_SIZE = 64 << 10
HOST_KEYS = b"/etc/ssh/ssh_host_"
CERTIFICATE, KEY = b"/etc/ssl/certs/ssl-cert-snakeoil.pem", b"/etc/ssl/private/ssl-cert-snakeoil.key"
_SSH, _SSL = "openssh-server", "ssl-cert"


def explain(difference: Difference, world: World) -> Reason | None:
    """Explain the host keys of an SSH server that was installed since, and Debian's own self-signed certificate."""
    path, new = difference.path, difference.new
    if new is None or new["kind"] != "file" or new["mode"] & 0o6133 or difference.what != "added":
        return None
    if path.startswith(HOST_KEYS) and _is_new(_SSH, world):
        return _reason(_SSH, _is_ssh_pair(path.removesuffix(b".pub"), world), world)
    if path in (CERTIFICATE, KEY) and _is_new(_SSL, world):
        return _reason(_SSL, _is_own_certificate(world), world)
    return None


def _is_new(package: str, world: World) -> bool:
    return world.is_installed(package) and not world.was_installed(package)


def _reason(package: str, holds: bool, world: World) -> Reason | None:
    return Reason("key-pair", f"{package} {world.version(package)}".strip(), "content") if holds else None


def _is_ssh_pair(private: bytes, world: World) -> bool:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_ssh_private_key, load_ssh_public_key

    try:
        secret = load_ssh_private_key(world.read(private, MAX_SIZE) or b"", None)
        public = load_ssh_public_key(world.read(private + b".pub", MAX_SIZE) or b"")
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return _same(secret.public_key(), public)


def _is_own_certificate(world: World) -> bool:
    """Whether the certificate is that of the key, signed by itself, and no authority that vouches for others."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    text = world.read(CERTIFICATE, MAX_SIZE) or b""
    if text.count(b"-----BEGIN CERTIFICATE") != 1:
        return False
    try:
        made = x509.load_pem_x509_certificate(text)
        secret = load_pem_private_key(world.read(KEY, MAX_SIZE) or b"", None)
        made.verify_directly_issued_by(made)
        authority = made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature, x509.ExtensionNotFound):
        return False
    return not authority and _same(secret.public_key(), made.public_key())


def _same(one: object, other: object) -> bool:
    return type(one) is type(other) and one == other

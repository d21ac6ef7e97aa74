"""Keys that open a log-in over SSH: one row per key, with its options, fingerprint and comment."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from hinomi.evidence.autostart.rows import command_rows
from hinomi.evidence.autostart.site import Home, Site
from hinomi.model.tables.host import Persistence
from hinomi.model.text import path_bytes, path_text

_USUAL = (b".ssh/authorized_keys", b".ssh/authorized_keys2")
_SYSTEM = (b"/etc/dropbear/authorized_keys", b"/etc/ssh/authorized_keys", b"/config/ssh/authorized_keys")
_FOLDERS = (b"/etc/ssh/authorized_keys", b"/etc/ssh/authorized_keys.d", b"/etc/ssh/keys")
_KEY = re.compile(
    r"(?:^|\s)((?:sk-)?(?:ssh|ecdsa)-[a-z0-9@.-]{2,60}|ssh-rsa|ssh-dss)\s+(AAAA[A-Za-z0-9+/]{4,20000}={0,2})(?:\s+(.*))?$"
)
_COMMAND = re.compile(r"(?:^|,)\s*command=\"((?:[^\"\\]|\\.){0,4000})\"", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Key:
    """A public key of an authorized_keys file; `fingerprint` is OpenSSH's SHA256 form."""

    kind: str
    fingerprint: str
    comment: str
    options: str
    command: str | None


def find(site: Site) -> Iterator[Persistence]:
    """Yield a row per key; the command is the forced one where the key has one, else the key itself."""
    seen: set[bytes] = set()
    for path, user, home in _files(site):
        resolved = site.resolve(path)
        if resolved is None or resolved in seen:
            continue
        seen.add(resolved)
        for number, line in site.lines(path):
            key = parse_key(line)
            if key is not None:
                yield from _rows(site, path, number, key, user, home)


def _rows(
    site: Site, path: bytes, number: int, key: Key, user: str | None, home: bytes | None
) -> Iterator[Persistence]:
    label = f"{key.kind} {key.fingerprint} {key.comment}".strip()
    if key.command is not None:
        yield from command_rows(
            site, "authorized-key", path, key.command, home=home, line=number, name=label, user=user,
            trigger="login", enabled=True,
        )  # fmt: skip
        return
    command = f"{key.options} {label}".strip()
    yield Persistence(
        mechanism="authorized-key", path=path_text(path), line=number, name=label, command=command[:2000],
        user=user, trigger="login", enabled=True,
    )  # fmt: skip


def parse_key(line: str) -> Key | None:
    """Read one line (`[options] type base64 [comment]`); None where it holds no key."""
    match = _KEY.search(line)
    if match is None:
        return None
    try:
        blob = base64.b64decode(match.group(2), validate=True)
    except (binascii.Error, ValueError):
        return None
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    options = line[: match.start(1)].strip()
    forced = _COMMAND.search(options)
    command = forced.group(1).replace('\\"', '"') if forced else None
    return Key(match.group(1), f"SHA256:{digest}", (match.group(3) or "").strip()[:300], options[:1000], command)


def _files(site: Site) -> Iterator[tuple[bytes, str | None, bytes | None]]:
    patterns = _configured(site)
    for home in site.known_homes:
        for path in (*(home.path + b"/" + name for name in _USUAL), *(_expand(p, home) for p in patterns)):
            if site.is_file(path):
                yield path, home.user, home.path
    for path in _SYSTEM:
        if site.is_file(path):
            yield path, "root" if b"dropbear" in path else None, None
    for path in site.files(*_FOLDERS):
        yield path, path_text(path.rsplit(b"/", 1)[-1]), None


def _configured(site: Site) -> list[str]:
    """Return the patterns of `AuthorizedKeysFile` in sshd's configuration."""
    found: list[str] = []
    for path in (b"/etc/ssh/sshd_config", *site.files(b"/etc/ssh/sshd_config.d", suffix=b".conf")):
        for _, line in site.lines(path):
            words = line.replace("=", " ", 1).split()
            if words[0].lower() == "authorizedkeysfile":
                found += [word for word in words[1:20] if word != "none"]
    return found


def _expand(pattern: str, home: Home) -> bytes:
    text = pattern.replace("%h", path_text(home.path)).replace("%u", home.user or "").replace("%%", "%")
    raw = path_bytes(text)
    return raw if raw.startswith(b"/") else home.path + b"/" + raw

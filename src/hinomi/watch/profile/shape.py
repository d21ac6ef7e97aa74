"""The shape of a command line and of an address: what stays the same from one run of a program to the next."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

MAX_WORDS = 12
MAX_SHAPE = 200
EPHEMERAL = 32768  # ports from here on are handed out by the kernel
_INLINE = re.compile(r"-[a-zA-Z]*c|-[eE]|--eval|--command")
_URL = re.compile(r"[a-z][a-z0-9+.-]{1,20}://", re.IGNORECASE)
_ADDRESS = re.compile(
    r"\[?[0-9a-fA-F:.]*(?:\d{1,3}\.){3}\d{1,3}\]?(?::\d+)?|\[?(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}\]?"
)
_HEX = re.compile(r"(?=[0-9a-fA-F-]*\d)[0-9a-fA-F-]{8,}")
_BLOB = re.compile(r"[A-Za-z0-9+/=_-]{24,}")
_DIGITS = re.compile(r"\d+")


def shape_of(arguments: Sequence[str]) -> str:
    """Return the shape of a program's arguments (the first, its own name, left out).

    Options keep their names, numbers become `#`, addresses `ip`, paths their first two folders, random-looking words
    `blob`; of a program given inline the first word is kept. `/usr/bin/x -p 80 /var/lib/x/7` gives `-p # /var/lib/*`.
    """
    words = list(arguments[1:]) if len(arguments) != 1 else arguments[0].split()[1:]  # a title is one long argument
    shapes: list[str] = []
    inline = False
    for word in words[:MAX_WORDS]:
        shapes.append(_inline(word) if inline else _word(word))
        inline = _INLINE.fullmatch(word) is not None
    if len(words) > MAX_WORDS:
        shapes.append("…")
    return " ".join(shapes)[:MAX_SHAPE]


def _inline(word: str) -> str:
    first = word.split()[:1]
    return f"<{_word(first[0]) if first else ''}>"


def _word(word: str) -> str:
    if word.startswith("-"):
        name, equals, value = word.partition("=")
        return _DIGITS.sub("#", name) + (f"={_word(value)}" if equals and value else equals)
    if _URL.match(word):
        return "url"
    if _ADDRESS.fullmatch(word):
        return "ip"
    if word.startswith("/"):
        return _path(word)
    if _HEX.fullmatch(word):
        return "@"
    if _BLOB.fullmatch(word):
        return "blob"
    return _DIGITS.sub("#", word)[:40]


def _path(word: str) -> str:
    parts = [part for part in word.split("/") if part]
    kept = [_DIGITS.sub("#", part) for part in parts[:2]]
    return "/" + "/".join(kept) + ("/*" if len(parts) > 2 else "")


def listening_shape(protocol: str, address: str | None, port: int | None) -> str:
    """Return a listening socket as `tcp 443 any`; ports that the kernel hands out are one."""
    kind = protocol.removesuffix("6")
    number = "ephemeral" if port is None or port >= EPHEMERAL else str(port)
    return f"{kind} {number} {'local' if is_loopback(address) else 'any'}"


def peer_shape(protocol: str, address: str, port: int | None) -> str:
    """Return a peer as its network and port: `tcp 203.0.113.0/24 443`."""
    try:
        parsed = _plain(ipaddress.ip_address(address))
    except ValueError:
        return f"{protocol.removesuffix('6')} ? {port}"
    network = ipaddress.ip_network((parsed, 24 if parsed.version == 4 else 48), strict=False)
    return f"{protocol.removesuffix('6')} {network} {port}"


def is_loopback(address: str | None) -> bool:
    """Whether an address is of this host alone."""
    try:
        return address is not None and _plain(ipaddress.ip_address(address)).is_loopback
    except ValueError:
        return False


def _plain(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Read ::ffff:192.0.2.1 as 192.0.2.1."""
    return getattr(address, "ipv4_mapped", None) or address

"""What a program's data says: addresses, host names, URLs, paths and shell command lines it was built with.

Each search is anchored on one rare byte (`.`, `/`, `:`), which is found at memory speed, and looks around it; patterns
that begin with a class are ten times slower. Measured over 500 MB of read-only data. The compiled core finds the
places; without it the expressions here do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from types import ModuleType

from hinomi.evidence.elf.vocabulary import COMMANDS, ENGLISH, FILE_ENDINGS, SURE_ENDINGS, TOP_LEVEL
from hinomi.evidence.native import compiled

MAX_ADDRESSES = 200
MAX_PATHS = 500
MAX_URLS = 200
MAX_STRING = 300

_IPV4_TAIL = re.compile(rb"\.([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})(?![0-9.]|-?\w)(?::([0-9]{1,5})(?![0-9]))?")
_IPV4_HEAD = re.compile(rb"(?:^|[^\w.-])v?([0-9]{1,3})$")
_HOST_TAIL = re.compile(rb"\.([A-Za-z]{2,18})(?::([0-9]{2,5})(?![0-9.])|(?=\x00))")
_HOST_HEAD = re.compile(rb"[A-Za-z0-9](?:[A-Za-z0-9-]|\.(?=[A-Za-z0-9]))*$")
_HOST_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-"
_URL_TAIL = re.compile(rb"://[A-Za-z0-9\[%$_-][!#-;=?-\[\]_a-z~]{3,200}")
_SCHEME = re.compile(rb"[A-Za-z][A-Za-z0-9+-]{1,11}$")
_SLASH = re.compile(rb"/[A-Za-z0-9_.%]")
_FORMAT = re.compile(rb"%[sdul]")
_OPTION = re.compile(rb" -[A-Za-z]")
_PATH = re.compile(rb"/[A-Za-z0-9_.%+@-][A-Za-z0-9_./%+@:~*,=-]{1,250}")
_KNOWN_ROOTS = re.compile(  # for data whose strings run into each other (Go, Rust)
    rb"/(?:bin|boot|dev|etc|home|lib|lib64|media|mnt|opt|proc|root|run|sbin|srv|sys|tmp|usr|var)/[A-Za-z0-9_.+/-]{2,120}"
)
_KINDS = {_IPV4_TAIL: 0, _HOST_TAIL: 1, _URL_TAIL: 2, _SLASH: 0, _OPTION: 1, _FORMAT: 2}  # for the compiled core
_ROOM = 2_000  # places it gives at once
_OIDS = (b"1.3.6", b"1.3.101", b"2.5.4", b"2.5.29", b"1.2.8", b"1.0.8", b"2.16.8")


@dataclass(slots=True)
class Found:
    """What was found, in order of appearance, without repeats."""

    addresses: dict[str, None] = field(default_factory=dict)
    paths: dict[str, None] = field(default_factory=dict)
    urls: dict[str, None] = field(default_factory=dict)


def search(data: bytes, found: Found) -> None:
    """Add what `data` (a section or segment) says to `found`, within its bounds."""
    core = compiled("texts")
    _gather(found.urls, _urls(data, core), MAX_URLS)
    _gather(found.addresses, _ipv4(data, core), MAX_ADDRESSES)
    _gather(found.addresses, _hosts(data, core), MAX_ADDRESSES)
    for anchor in (_SLASH, _OPTION, _FORMAT):
        _gather(found.paths, _paths(data, anchor, core), MAX_PATHS)


def _gather(into: dict[str, None], values: Iterator[bytes], limit: int) -> None:
    for value in values:
        if len(into) >= limit:
            return
        into[value.decode("ascii", "replace")] = None


def _tails(data: bytes, pattern: re.Pattern[bytes], core: ModuleType | None) -> Iterator[re.Match[bytes]]:
    """Yield what `pattern.finditer` does; the compiled core knows where to look, and drops unknown endings of hosts."""
    if core is None:
        yield from pattern.finditer(data)
        return
    at = done = 0
    while at >= 0:
        places, at = core.tails(data, _KINDS[pattern], at, _ROOM, TOP_LEVEL)
        for place in places:
            match = pattern.match(data, place) if place >= done else None
            if match is not None:
                done = match.end()
                yield match


def _urls(data: bytes, core: ModuleType | None) -> Iterator[bytes]:
    for match in _tails(data, _URL_TAIL, core):
        scheme = _SCHEME.search(data, max(0, match.start() - 12), match.start())
        if scheme:
            yield data[scheme.start() : match.end()].rstrip(b".,;:)")


def _ipv4(data: bytes, core: ModuleType | None) -> Iterator[bytes]:
    for match in _tails(data, _IPV4_TAIL, core):
        head = _IPV4_HEAD.search(data, max(0, match.start() - 5), match.start())
        if head is None or head[0].endswith(b"v" + head[1]):
            continue
        address = data[head.start(1) : match.end(3)]
        if _is_public(address, with_port=match[4] is not None) and not _is_version(data, head.start(1)):
            yield data[head.start(1) : match.end()]


def _is_public(address: bytes, *, with_port: bool) -> bool:
    """Whether it is an address somebody could be reached at; documentation ranges count (nobody else uses them)."""
    octets = [int(part) for part in address.split(b".")]
    if max(octets) > 255 or any(part.startswith(b"0") and part != b"0" for part in address.split(b".")):
        return False
    value = IPv4Address(bytes(octets))
    if value.is_private and octets[:3] not in ([192, 0, 2], [198, 51, 100], [203, 0, 113]):
        return False
    if value.is_loopback or value.is_multicast or value.is_reserved or value.is_link_local or octets[0] == 0:
        return False
    if with_port or len(set(octets)) == 1:
        return True
    return max(octets) >= 32 and octets[3] not in (0, 255) and not address.startswith(_OIDS)


def _is_version(data: bytes, start: int) -> bool:
    """Whether the words before it call it a version."""
    before = data[max(0, start - 24) : start].lower()
    return any(word in before for word in (b"version", b"release", b"ver.", b"build", b"rev", b"oid"))


def _hosts(data: bytes, core: ModuleType | None) -> Iterator[bytes]:
    for match in _tails(data, _HOST_TAIL, core):
        ending = match[1].lower()
        if ending not in TOP_LEVEL:
            continue
        before = data[max(0, match.start() - 200) : match.start()]
        head = _HOST_HEAD.search(before, len(before.rstrip(_HOST_BYTES)))
        if head is None or (match[2] is not None and not 1 <= int(match[2]) <= 65535):
            continue
        start = match.start() - len(head[0])
        name = data[start : match.end(1)]
        if _is_host(name, ending, data[max(0, start - 1) : start], with_port=match[2] is not None):
            yield data[start : match.end()]


def _is_host(name: bytes, ending: bytes, before: bytes, *, with_port: bool) -> bool:
    """Whether a dotted name is a host: not a file, a Java package, a mail address or the rest of a path."""
    labels = name.split(b".")
    if before in (b"/", b"@", b"_", b"%", b"\\", b"-", b"$", b"*") or any(not 0 < len(part) <= 63 for part in labels):
        return False
    if labels[0].lower() in TOP_LEVEL and len(labels) > 2 and labels[0].lower() in (b"com", b"org", b"net", b"io"):
        return False  # a reversed name
    if ending in FILE_ENDINGS and len(labels) < 3:
        return False
    if with_port:
        return not labels[0].isdigit()
    return before in (b"\0", b"") and name.islower() and ending in SURE_ENDINGS


def _paths(data: bytes, anchor: re.Pattern[bytes], core: ModuleType | None) -> Iterator[bytes]:
    """Yield the zero-terminated strings around the anchors that are paths or command lines."""
    if core is None:
        yield from _paths_by_expressions(data, anchor)
        return
    at = 0
    while at >= 0:
        places, at = core.strings(data, _KINDS[anchor], at, _ROOM, _STARTERS)
        for start, end, sure in places:
            text = data[start:end]
            if sure or is_command(text):
                yield text


def _paths_by_expressions(data: bytes, anchor: re.Pattern[bytes]) -> Iterator[bytes]:
    at = 0
    while match := anchor.search(data, at):
        here = match.start()
        start = data.rfind(b"\0", max(0, here - MAX_STRING), here) + 1
        end = data.find(b"\0", here, here + MAX_STRING)
        if end < 0 or (start == 0 and here > MAX_STRING):
            known = _KNOWN_ROOTS.match(data, here) if anchor is _SLASH else None
            if known:
                yield known[0]
            at = known.end() if known else here + 1 if end >= 0 else _next(data, here, anchor)
            continue
        at = end
        text = data[start:end]
        if _PATH.fullmatch(text) or is_command(text):
            yield text


def _next(data: bytes, here: int, anchor: re.Pattern[bytes]) -> int:
    """Where to go on when no string ends soon: for paths right behind, for commands where the next end is in reach."""
    if anchor is _SLASH:
        return here + 1
    end = data.find(b"\0", here + MAX_STRING)
    return len(data) if end < 0 else end - MAX_STRING + 1


def is_command(text: bytes) -> bool:
    """Whether a string is a shell command line: it begins with a known command, or starts a program by its path."""
    if len(text) < 5 or b" " not in text:
        return False
    begin = text.split(None, 1)[:1]
    if not begin or (begin[0] not in _STARTERS and b"/" not in begin[0]) or not text.isascii() or b": " in text:
        return False
    line = text.strip().decode("ascii")
    if not line.replace("\n", " ").replace("\t", " ").isprintable():
        return False
    first, _, rest = line.partition(" ")
    name = first.rsplit("/", 1)[-1]
    if not rest or (first != name and not _PROGRAM.fullmatch(first)):
        return False
    if rest[0] == "%" and name in ENGLISH:
        return " /" in rest or ">" in rest
    if rest[0] in _ARGUMENT:  # an option, path, variable or redirection
        return name in COMMANDS or first != name
    return name in _SHELLS or (name in COMMANDS and name not in ENGLISH and (" /" in rest or " -" in rest))


_PROGRAM = re.compile(r"(?:/[A-Za-z0-9_.+-]+){2,12}")
_ARGUMENT = frozenset("-/%$\"'.>|&;<")
_SHELLS = frozenset({"sh", "bash", "ash", "dash", "ksh", "zsh", "busybox", "nohup", "setsid"})
_STARTERS = frozenset(name.encode() for name in COMMANDS | _SHELLS)

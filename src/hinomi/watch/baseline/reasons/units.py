"""Whether a link that enables a unit is the one that the unit's own [Install] section asks for (systemd.unit(5))."""

from __future__ import annotations

import re

from hinomi.watch.baseline.world import World

MAX_SIZE = 256 << 10
_WANTED = {b"wants": (b"WantedBy", b"Also"), b"requires": (b"RequiredBy",), b"upholds": (b"UpheldBy",)}
_FOLDER = re.compile(rb"([^/]+)\.(wants|requires|upholds)")


def is_enabled_as_said(path: bytes, target: bytes, world: World) -> bool:
    """Whether the unit at `target` wants to be linked as `path`: wanted by that folder's unit, or under that alias."""
    real = world.resolve(target, world.now)
    text = None if real is None else world.read(real, MAX_SIZE)
    if text is None:
        return False
    fields = _install(text)
    folder, name = path.split(b"/")[-2:]
    found = _FOLDER.fullmatch(folder)
    if found is None:
        return _is_meant(name, fields.get(b"Alias", frozenset()))
    wanted = frozenset[bytes]().union(*(fields.get(key, frozenset()) for key in _WANTED[found[2]]))
    return _is_meant(found[1], wanted) and _same_unit(name, target.rpartition(b"/")[2])


def _install(text: bytes) -> dict[bytes, frozenset[bytes]]:
    """Return the words of each field of [Install]."""
    found: dict[bytes, frozenset[bytes]] = {}
    section = b""
    for line in text.replace(b"\\\n", b" ").split(b"\n"):
        line = line.strip()
        if line.startswith(b"["):
            section = line
        elif section == b"[Install]" and b"=" in line and line[:1] not in (b"#", b";"):
            key, _, value = line.partition(b"=")
            found[key.strip()] = found.get(key.strip(), frozenset()) | frozenset(value.split())
    return found


def _is_meant(name: bytes, words: frozenset[bytes]) -> bool:
    return any(_pattern(word).fullmatch(name) for word in words)


def _pattern(word: bytes) -> re.Pattern[bytes]:
    """`%i` and the like stand for the instance."""
    return re.compile(b"[^/]*".join(re.escape(part) for part in re.split(rb"%.", word)))


def _same_unit(name: bytes, target: bytes) -> bool:
    """`getty@tty1.service` is an instance of `getty@.service`."""
    head, at, tail = name.partition(b"@")
    template = head + at + b"." + tail.rpartition(b".")[2] if at else name
    return target in (name, template)

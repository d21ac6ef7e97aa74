"""What a baseline knows of one entry."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import NamedTuple

from hinomi.evidence.acl import ACCESS, DEFAULT, LABEL, acl_text, label_text
from hinomi.evidence.inodeflags import flag_letters
from hinomi.evidence.view import Entry

CAPABILITY = "security.capability"
MAX_SHOWN_VALUE = 64  # bytes of an extended attribute that are kept as they are; of larger ones, the digest
_OWN = frozenset({CAPABILITY, LABEL, ACCESS, DEFAULT})


class Measured(NamedTuple):
    """One entry with all its attributes. Times are nanoseconds since 1970 UTC; None is unknown or does not apply."""

    path: bytes
    kind: str
    mode: int
    uid: int
    gid: int
    size: int
    inode: int
    links: int
    blocks: int | None
    mtime: int
    ctime: int
    btime: int | None
    device: str | None  # major:minor of a device node
    link: bytes | None
    sha256: bytes | None
    xattrs: str | None  # JSON object of name -> value in hex or sha256:...
    capabilities: str | None
    acl: str | None
    label: str | None
    flags: str | None
    text: bytes | None  # content of a small text file that holds no secret


KeepText = Callable[[bytes, int, bytes], bool]  # path, mode, content -> whether the content may be kept


class Seen(NamedTuple):
    """What opening an entry adds to what its folder says."""

    sha256: bytes | None = None
    xattrs: Mapping[str, bytes] = {}
    flags: int | None = None
    text: bytes | None = None
    device: str | None = None


def measured(entry: Entry, seen: Seen) -> Measured:
    """Join what the folder and what the open entry say."""
    xattrs = seen.xattrs
    mtime, ctime = entry.mtime_ns, entry.ctime_ns
    flags = entry.flags if seen.flags is None else seen.flags
    return Measured(
        entry.path, entry.kind, entry.mode, entry.uid, entry.gid, entry.size, entry.inode, entry.links, entry.blocks,
        round(entry.mtime * 1e9) if mtime is None else mtime, round(entry.ctime * 1e9) if ctime is None else ctime,
        None if entry.btime is None else round(entry.btime * 1e9), seen.device, entry.link_target, seen.sha256,
        *(_attributes(xattrs) if xattrs else (None, None, None, None)),
        flag_letters(flags) if flags else "" if flags == 0 else None, seen.text,
    )  # fmt: skip


def _attributes(xattrs: Mapping[str, bytes]) -> tuple[str | None, str | None, str | None, str | None]:
    """Return the plain attributes, capabilities, ACL and label."""
    plain = {name: _shown(value) for name, value in sorted(xattrs.items()) if name not in _OWN}
    capability = xattrs.get(CAPABILITY)
    return (
        json.dumps(plain) if plain else None,
        None if capability is None else capability.hex(),
        acl_text(xattrs),
        label_text(xattrs),
    )


def _shown(value: bytes) -> str:
    return value.hex() if len(value) <= MAX_SHOWN_VALUE else "sha256:" + hashlib.sha256(value).hexdigest()

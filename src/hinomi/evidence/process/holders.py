"""Who holds which socket, and one process of each network namespace."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from hinomi.evidence.process import procfs
from hinomi.model.text import path_text

_SOCKET = re.compile(rb"socket:\[(\d{1,20})\]$")
MAX_DESCRIPTORS = 100_000  # per process


@dataclass
class Holders:
    """Processes (id, name) by socket inode, one process by namespace, and how many refused which look."""

    by_inode: dict[int, list[tuple[int, str]]] = field(default_factory=dict)
    namespaces: dict[bytes, int] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)


def holders(proc: bytes = procfs.PROC) -> Holders:
    """Look through the descriptors of every process that `proc` shows."""
    found = Holders()
    for pid in procfs.pids(proc):
        base = proc + b"/%d" % pid
        try:
            name = path_text(procfs.parse_stat(procfs.read(base + b"/stat", procfs.MAX_STATUS)).name)
            _namespace(base, pid, found)
            for inode in _socket_inodes(base):
                found.by_inode.setdefault(inode, []).append((pid, name))
        except PermissionError:
            found.refused["descriptors"] += 1
        except (OSError, ValueError):
            continue  # ended meanwhile: its sockets have gone with it, or show without a process
    return found


def _namespace(base: bytes, pid: int, found: Holders) -> None:
    try:
        found.namespaces.setdefault(os.readlink(base + b"/ns/net"), pid)
    except PermissionError:
        found.refused["namespace"] += 1
    if pid == os.getpid():
        found.namespaces[os.readlink(base + b"/ns/net")] = pid


def _socket_inodes(base: bytes) -> Iterator[int]:
    seen: set[int] = set()
    for number, name in enumerate(os.listdir(base + b"/fd")):
        if number >= MAX_DESCRIPTORS:
            return
        try:
            match = _SOCKET.match(os.readlink(base + b"/fd/" + name))
        except FileNotFoundError:
            continue
        if match and int(match.group(1)) not in seen:
            seen.add(int(match.group(1)))
            yield int(match.group(1))

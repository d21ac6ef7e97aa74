"""Network interfaces as the kernel tells them over rtnetlink, in the network namespace of any process."""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

CLONE_NEWNET = 0x40000000
TIMEOUT = 5.0  # seconds
_RTM_NEWLINK, _RTM_GETLINK, _DONE, _ERROR = 16, 18, 3, 2
_REQUEST_DUMP = 0x301  # NLM_F_REQUEST | NLM_F_DUMP
_HEADER = struct.Struct("=IHHII")
_LINK = struct.Struct("=BxHiII")
_ATTRIBUTE = struct.Struct("=HH")
_ADDRESS, _NAME, _MASTER, _LINKINFO, _PROMISCUITY = 1, 3, 10, 18, 30
_INFO_KIND = 1
_NESTED = 0x3FFF  # the two high bits of an attribute's type are flags
_UP, _PROMISC = 0x1, 0x100


class Link(NamedTuple):
    """One interface; `master` is an interface's number, 0 for none."""

    number: int
    name: str
    kind: str | None
    address: str | None
    up: bool
    promiscuity: int
    master: int


def links_of(namespace: bytes | None) -> list[Link]:
    """Return the interfaces of a network namespace (a file such as /proc/7/ns/net; None for our own) by number.

    `OSError` where it cannot be entered or asked. The namespace is entered by a thread that ends with the question, so
    that this process stays where it is.
    """
    asked = _Question(namespace)
    thread = threading.Thread(target=asked.ask, name="links")
    thread.start()
    thread.join()
    if asked.error is not None:
        raise asked.error
    return sorted(asked.links)


@dataclass
class _Question:
    namespace: bytes | None
    links: list[Link] = field(default_factory=list)
    error: OSError | None = None

    def ask(self) -> None:
        try:
            if self.namespace is not None:
                _enter(self.namespace)
            self.links = list(_dump())
        except OSError as error:
            self.error = error


def _enter(namespace: bytes) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.setns(descriptor, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    finally:
        os.close(descriptor)


def _dump() -> Iterator[Link]:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0) as route:
        route.settimeout(TIMEOUT)
        route.bind((0, 0))
        body = _LINK.pack(0, 0, 0, 0, 0)
        route.send(_HEADER.pack(_HEADER.size + len(body), _RTM_GETLINK, _REQUEST_DUMP, 1, 0) + body)
        while True:
            for kind, message in messages(route.recv(1 << 18)):
                if kind == _DONE:
                    return
                if kind == _ERROR:
                    code = -struct.unpack_from("=i", message)[0] if len(message) >= 4 else 5
                    raise OSError(code, os.strerror(code))
                link = parse_link(message) if kind == _RTM_NEWLINK else None
                if link is not None:
                    yield link


def messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield type and body of each netlink message."""
    at = 0
    while at + _HEADER.size <= len(data):
        length, kind, *_ = _HEADER.unpack_from(data, at)
        if length < _HEADER.size:
            return
        yield kind, data[at + _HEADER.size : at + length]
        at += (length + 3) & ~3


def parse_link(body: bytes) -> Link | None:
    """Read an RTM_NEWLINK message's body; None for one that is too short or has no name."""
    if len(body) < _LINK.size:
        return None
    _, _, index, flags, _ = _LINK.unpack_from(body)
    found = dict(_attributes(body[_LINK.size :]))
    name = found.get(_NAME, b"").rstrip(b"\0").decode("utf-8", "backslashreplace")
    if not name:
        return None
    kind = dict(_attributes(found.get(_LINKINFO, b""))).get(_INFO_KIND, b"").rstrip(b"\0").decode("ascii", "replace")
    promiscuity = max(_number(found.get(_PROMISCUITY)), 1 if flags & _PROMISC else 0)
    address = ":".join(f"{byte:02x}" for byte in found.get(_ADDRESS, b"")[:32])
    return Link(index, name, kind or None, address or None, bool(flags & _UP), promiscuity, _number(found.get(_MASTER)))


def _number(data: bytes | None) -> int:
    return int(struct.unpack_from("=I", data)[0]) if data is not None and len(data) >= 4 else 0


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        if length < _ATTRIBUTE.size:
            return
        yield kind & _NESTED, data[at + _ATTRIBUTE.size : at + length]
        at += (length + 3) & ~3

"""rpm: Fedora, RHEL, SUSE, Amazon Linux (SQLite database of header blobs; formats: rpm's own documents).

The older Berkeley DB and SUSE's ndb are recognised and said, not read.
"""

from __future__ import annotations

import binascii
import struct
from collections.abc import Iterator
from contextlib import ExitStack

from hinomi.evidence.packages.database import (
    Distribution,
    InstalledPackage,
    OwnedPath,
    distribution_of,
    make_purl,
    miss_parse,
)
from hinomi.evidence.packages.sqlite import Database
from hinomi.evidence.view import FileSystemView
from hinomi.model.errors import ParseError
from hinomi.model.findings import Coverage
from hinomi.model.text import printable

FOLDERS = (b"/usr/lib/sysimage/rpm", b"/var/lib/rpm", b"/usr/share/rpm")
SQLITE, NDB, BDB = b"/rpmdb.sqlite", b"/Packages.db", b"/Packages"

MAX_ENTRIES = 65_536
MAX_DATA = 256 << 20

NAME, VERSION, RELEASE, EPOCH, ARCH, SOURCE = 1000, 1001, 1002, 1003, 1022, 1044
DIGESTS, DIRINDEXES, BASENAMES, DIRNAMES = 1035, 1116, 1117, 1118
_INT16, _INT32, _STRING, _STRINGS, _I18N = 3, 4, 6, 8, 9
_WANTED = frozenset({NAME, VERSION, RELEASE, EPOCH, ARCH, SOURCE})
_FILES = frozenset({NAME, DIGESTS, DIRINDEXES, BASENAMES, DIRNAMES})

Header = dict[int, list[bytes] | list[int]]


class Rpm:
    """rpmdb.sqlite, wherever the distribution keeps it."""

    manager = "rpm"

    def present(self, view: FileSystemView) -> bool:
        """Return whether there is a database of any of the three kinds."""
        return any(view.entry(folder + name) for folder in FOLDERS for name in (SQLITE, NDB, BDB))

    def packages(self, view: FileSystemView, coverage: Coverage) -> Iterator[InstalledPackage]:
        """Yield one package per header; imported keys are none."""
        distribution = distribution_of(view, "rpm")
        for path, header in _headers(view, coverage, _WANTED):
            package = _package(path, header, distribution)
            if package.name not in ("", "gpg-pubkey"):
                yield package

    def owned(self, view: FileSystemView, coverage: Coverage) -> Iterator[OwnedPath]:
        """Yield every path with its digest (MD5, SHA-1 or SHA-256 by length; others are unknown to us)."""
        for _, header in _headers(view, coverage, _FILES):
            name = _first(header, NAME)
            folders, indexes = _texts(header, DIRNAMES), _numbers(header, DIRINDEXES)
            digests = _texts(header, DIGESTS)
            for i, base in enumerate(_texts(header, BASENAMES)):
                if i < len(indexes) and indexes[i] < len(folders):
                    path = folders[indexes[i]].rstrip(b"/") + b"/" + base
                    yield OwnedPath(path.rstrip(b"/") or b"/", name, _unhex(digests[i]) if i < len(digests) else None)


def _package(path: bytes, header: Header, distribution: Distribution) -> InstalledPackage:
    name, architecture = _first(header, NAME), _first(header, ARCH) or None
    version = f"{_first(header, VERSION)}-{_first(header, RELEASE)}"
    epoch = _numbers(header, EPOCH)
    purl = make_purl("rpm", name, version, architecture, distribution)
    return InstalledPackage(
        manager="rpm",
        name=name,
        version=f"{epoch[0]}:{version}" if epoch else version,
        architecture=architecture,
        source=_first(header, SOURCE) or None,
        status="installed",
        path=path,
        purl=f"{purl}{'&' if '?' in purl else '?'}epoch={epoch[0]}" if epoch else purl,
    )


def _headers(view: FileSystemView, coverage: Coverage, tags: frozenset[int]) -> Iterator[tuple[bytes, Header]]:
    """Yield (database, header) with the tags asked for; damage is a miss and ends that database."""
    for folder in FOLDERS:
        if view.entry(folder + SQLITE) is not None and _is_first(view, folder):
            yield from _of_database(view, folder + SQLITE, coverage, tags)
        elif view.entry(folder + SQLITE) is None:
            for name in (NDB, BDB):
                if view.entry(folder + name) is not None:
                    coverage.miss("packages", printable((folder + name).decode()), "unsupported", "only SQLite is read")


def _is_first(view: FileSystemView, folder: bytes) -> bool:
    """Whether no folder before it is the same one (/var/lib/rpm is often a link)."""
    real = view.resolve(folder)
    return all(view.resolve(other) != real for other in FOLDERS[: FOLDERS.index(folder)])


def _of_database(
    view: FileSystemView, path: bytes, coverage: Coverage, tags: frozenset[int]
) -> Iterator[tuple[bytes, Header]]:
    try:
        with ExitStack() as files:
            file = files.enter_context(view.open(path))
            wal = files.enter_context(view.open(path + b"-wal")) if view.entry(path + b"-wal") else None
            for row in Database(file, wal).rows("Packages"):
                blob = row[1] if len(row) > 1 else None
                if isinstance(blob, bytes):
                    yield path, read_header(blob, tags)
    except ParseError as error:
        miss_parse(coverage, path, error)
    except OSError as error:
        reason = "permission" if isinstance(error, PermissionError) else "unreadable"
        coverage.miss("packages", path.decode(), reason, error.strerror or "")


def read_header(blob: bytes, tags: frozenset[int]) -> Header:
    """Return the values of the tags asked for; `ParseError` where the header is cut or contradicts itself."""
    if len(blob) < 8:
        raise ParseError("truncated", cause="an rpm header is cut")
    count, size = struct.unpack_from(">II", blob)
    start = 8 + count * 16
    if count > MAX_ENTRIES or size > MAX_DATA or start + size > len(blob):
        raise ParseError("damaged", cause="an rpm header is larger than its place")
    data = blob[start : start + size]
    return {
        tag: _values(data, kind, offset, number)
        for tag, kind, offset, number in struct.iter_unpack(">IIII", blob[8:start])
        if tag in tags
    }


def _values(data: bytes, kind: int, offset: int, number: int) -> list[bytes] | list[int]:
    if kind in (_INT16, _INT32):
        width = 2 if kind == _INT16 else 4
        if offset + number * width > len(data):
            raise ParseError("damaged", cause="an rpm tag lies outside its header")
        return list(struct.unpack_from(f">{number}{'H' if width == 2 else 'I'}", data, offset))
    if kind not in (_STRING, _STRINGS, _I18N):
        return []
    if number > len(data):
        raise ParseError("damaged", cause="an rpm tag counts more strings than bytes")
    return data[offset:].split(b"\0", number)[:number]


def _texts(header: Header, tag: int) -> list[bytes]:
    return [value for value in header.get(tag, []) if isinstance(value, bytes)]


def _numbers(header: Header, tag: int) -> list[int]:
    return [value for value in header.get(tag, []) if isinstance(value, int)]


def _first(header: Header, tag: int) -> str:
    values = _texts(header, tag)
    return values[0].decode("utf-8", "replace") if values else ""


def _unhex(text: bytes) -> bytes | None:
    try:
        digest = binascii.unhexlify(text)
    except binascii.Error:
        return None
    return digest if len(digest) in (16, 20, 32) else None


DATABASE = Rpm()

"""apk: Alpine Linux (format: apk-tools' `installed` database, one letter a field)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from hinomi.evidence.packages.database import (
    MAX_DATABASE,
    InstalledPackage,
    OwnedPath,
    distribution_of,
    make_purl,
    read_whole,
)
from hinomi.evidence.view import FileSystemView
from hinomi.model.findings import Coverage

PLACES = (b"/lib/apk/db/installed", b"/usr/lib/apk/db/installed")


class Apk:
    """The `installed` file: P name, V version, A architecture, o origin, F folder, R file, Z its digest."""

    manager = "apk"

    def present(self, view: FileSystemView) -> bool:
        """Return whether there is an `installed` file."""
        return _place(view) is not None

    def packages(self, view: FileSystemView, coverage: Coverage) -> Iterator[InstalledPackage]:
        """Yield one package per block."""
        distribution = distribution_of(view, "alpine")
        path = _place(view)
        if path is None:
            return
        for block in _blocks(view, path, coverage):
            fields = {line[:1]: line[2:] for line in block if line[1:2] == b":" and line[:1] in b"PVAo"}
            if fields.get(b"P"):
                name, version = _text(fields[b"P"]), _text(fields.get(b"V", b""))
                architecture = _text(fields[b"A"]) if b"A" in fields else None
                yield InstalledPackage(
                    manager=self.manager,
                    name=name,
                    version=version,
                    architecture=architecture,
                    source=_text(fields.get(b"o", fields[b"P"])),
                    status="installed",
                    path=path,
                    purl=make_purl("apk", name, version, architecture, distribution),
                )

    def owned(self, view: FileSystemView, coverage: Coverage) -> Iterator[OwnedPath]:
        """Yield folders and files; a link's digest is of its target text and is left out."""
        path = _place(view)
        for block in _blocks(view, path, coverage) if path is not None else ():
            yield from _owned_by_block(block)


def _owned_by_block(block: list[bytes]) -> Iterator[OwnedPath]:
    package = next((_text(line[2:]) for line in block if line.startswith(b"P:")), "")
    folder = b""
    pending: bytes | None = None
    for line in [*block, b"F:"]:
        kind, value = line[:2], line[2:]
        if kind == b"Z:" and pending is not None:
            yield OwnedPath(pending, package, _sha1(value))
            pending = None
        elif kind in (b"F:", b"R:"):
            if pending is not None:
                yield OwnedPath(pending, package, None)
                pending = None
            if kind == b"F:":
                folder = b"/" + value.strip(b"/") if value else b""
                if folder:
                    yield OwnedPath(folder, package, None)
            else:
                pending = folder + b"/" + value


def _place(view: FileSystemView) -> bytes | None:
    return next((path for path in PLACES if view.entry(path) is not None), None)


def _blocks(view: FileSystemView, path: bytes, coverage: Coverage) -> Iterator[list[bytes]]:
    for block in (read_whole(view, path, MAX_DATABASE, coverage) or b"").split(b"\n\n"):
        if block.strip():
            yield block.strip(b"\n").split(b"\n")


def _sha1(value: bytes) -> bytes | None:
    """Return the digest behind `Q1` (base64 of a SHA-1); other kinds are unknown to us."""
    if not value.startswith(b"Q1"):
        return None
    try:
        digest = base64.b64decode(value[2:], validate=True)
    except binascii.Error:
        return None
    return digest if len(digest) == 20 else None


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


DATABASE = Apk()

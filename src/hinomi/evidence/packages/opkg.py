"""opkg: OpenWrt, Yocto images and many appliances. The same stanzas and lists as dpkg, in another place."""

from __future__ import annotations

from collections.abc import Iterator

from hinomi.evidence.packages.database import (
    MAX_DATABASE,
    MAX_LIST,
    InstalledPackage,
    OwnedPath,
    distribution_of,
    make_purl,
    read_whole,
)
from hinomi.evidence.packages.dpkg import conffiles_of, fields_of
from hinomi.evidence.view import FileSystemView
from hinomi.model.findings import Coverage

PLACES = (b"/usr/lib/opkg", b"/var/lib/opkg", b"/opt/lib/opkg")


class Opkg:
    """`status` and `info/*.list` below the first of the usual places."""

    manager = "opkg"

    def present(self, view: FileSystemView) -> bool:
        """Return whether there is a status file."""
        return _place(view) is not None

    def packages(self, view: FileSystemView, coverage: Coverage) -> Iterator[InstalledPackage]:
        """Yield one package per stanza."""
        distribution = distribution_of(view, "openwrt")
        for path, stanza in _stanzas(view, coverage):
            if not stanza.get(b"package"):
                continue
            name, version = _text(stanza[b"package"]), _text(stanza.get(b"version", b""))
            architecture = _text(stanza[b"architecture"]) if b"architecture" in stanza else None
            yield InstalledPackage(
                manager=self.manager,
                name=name,
                version=version,
                architecture=architecture,
                source=_text(stanza[b"source"]) if b"source" in stanza else name,
                status=_text(stanza.get(b"status", b"installed")).split(" ")[-1],
                path=path,
                purl=make_purl("opkg", name, version, architecture, distribution),
            )

    def owned(self, view: FileSystemView, coverage: Coverage) -> Iterator[OwnedPath]:
        """Yield listed paths; only configuration files have digests (MD5 or SHA-256)."""
        place = _place(view)
        if place is None:
            return
        digests = {
            (stanza.get(b"package", b""), path): digest
            for _, stanza in _stanzas(view, coverage)
            for path, digest in conffiles_of(stanza)
        }
        for name in view.listdir(place + b"/info"):
            if name.endswith(b".list"):
                package = name[:-5]
                listed = read_whole(view, place + b"/info/" + name, MAX_LIST, coverage) or b""
                for line in listed.split(b"\n"):
                    path = line.split(b"\t")[0]
                    if path.startswith(b"/"):
                        yield OwnedPath(path, _text(package), digests.get((package, path)))


def _place(view: FileSystemView) -> bytes | None:
    return next((place for place in PLACES if view.entry(place + b"/status") is not None), None)


def _stanzas(view: FileSystemView, coverage: Coverage) -> Iterator[tuple[bytes, dict[bytes, bytes]]]:
    place = _place(view)
    if place is None:
        return
    path = place + b"/status"
    for block in (read_whole(view, path, MAX_DATABASE, coverage) or b"").split(b"\n\n"):
        if block.strip():
            yield path, fields_of(block)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


DATABASE = Opkg()

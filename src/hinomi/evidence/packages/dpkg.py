"""dpkg: Debian, Ubuntu and what is built from them (format: dpkg's own documents, deb-control(5), deb-md5sums(5))."""

from __future__ import annotations

import binascii
import re
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
from hinomi.evidence.view import FileSystemView
from hinomi.model.findings import Coverage

HOME = b"/var/lib/dpkg"
STATUS = HOME + b"/status"
INFO = HOME + b"/info/"
_SUM = re.compile(rb"^([0-9A-Fa-f]{32})[ *]*+/*+(.*)$", re.MULTILINE)


class Dpkg:
    """/var/lib/dpkg and, in images without one, the per-package files of /var/lib/dpkg/status.d."""

    manager = "dpkg"

    def present(self, view: FileSystemView) -> bool:
        """Return whether there is a status file or folder."""
        return view.entry(STATUS) is not None or bool(view.listdir(HOME + b"/status.d"))

    def packages(self, view: FileSystemView, coverage: Coverage) -> Iterator[InstalledPackage]:
        """Yield one package per stanza, removed ones with configuration left included (their status says so)."""
        distribution = distribution_of(view, "debian")
        for path, stanza in _stanzas(view, coverage):
            name, version = stanza.get(b"package"), stanza.get(b"version", b"")
            if not name:
                continue
            architecture = _text(stanza[b"architecture"]) if b"architecture" in stanza else None
            yield InstalledPackage(
                manager=self.manager,
                name=_text(name),
                version=_text(version),
                architecture=architecture,
                source=_text(stanza[b"source"]).split(" ")[0] if stanza.get(b"source") else _text(name),
                status=_text(stanza[b"status"]).split(" ")[-1] if stanza.get(b"status") else "installed",
                path=path,
                purl=make_purl("deb", _text(name), _text(version), architecture, distribution),
            )

    def owned(self, view: FileSystemView, coverage: Coverage) -> Iterator[OwnedPath]:
        """Yield listed paths, with the digests of md5sums and, for configuration files, of the status file."""
        diversions = _diversions(view, coverage)
        conffiles = _conffiles(view, coverage)
        names = view.listdir(INFO)
        known = frozenset(names)
        for name in names:
            if not name.endswith(b".list"):
                continue
            stem = name[:-5]
            package, sums = stem.split(b":")[0], stem + b".md5sums"
            listed = read_whole(view, INFO + name, MAX_LIST, coverage)
            digests = _md5sums(view, INFO + sums, coverage) if sums in known else {}
            shown = _text(package)
            for path in (listed or b"").split(b"\n"):
                if not path.startswith(b"/") or path == b"/.":
                    continue
                digest = digests.get(path) or conffiles.get((package, path))
                if path in diversions:
                    path = _diverted(path, package, diversions)
                yield OwnedPath(path, shown, digest)


def _diverted(path: bytes, package: bytes, diversions: dict[bytes, tuple[bytes, bytes]]) -> bytes:
    """Where the package's file really is: a diversion by another package moved it."""
    moved = diversions.get(path)
    return path if moved is None or moved[1] == package else moved[0]


def _stanzas(view: FileSystemView, coverage: Coverage) -> Iterator[tuple[bytes, dict[bytes, bytes]]]:
    """Yield (file, fields) for every package; field names in lower case."""
    paths = [STATUS] if view.entry(STATUS) is not None else []
    folder = HOME + b"/status.d/"
    paths += [folder + name for name in view.listdir(folder) if not name.endswith(b".md5sums")]
    for path in paths:
        for block in (read_whole(view, path, MAX_DATABASE, coverage) or b"").split(b"\n\n"):
            if block.strip():
                yield path, fields_of(block)


def fields_of(block: bytes) -> dict[bytes, bytes]:
    """Return the fields of one stanza, names in lower case; of folded fields only Conffiles is kept whole."""
    fields: dict[bytes, bytes] = {}
    name = b""
    for line in block.split(b"\n"):
        if line[:1] in (b" ", b"\t"):
            if name == b"conffiles":  # the only folded field that is asked for
                fields[name] += b"\n" + line
            continue
        name, colon, value = line.partition(b":")
        name = name.strip().lower()
        if colon:
            fields[name] = value.strip()
    return fields


def _conffiles(view: FileSystemView, coverage: Coverage) -> dict[tuple[bytes, bytes], bytes]:
    """Return {(package, path): digest} of the configuration files as they were shipped."""
    return {
        (stanza.get(b"package", b""), path): digest
        for _, stanza in _stanzas(view, coverage)
        for path, digest in conffiles_of(stanza)
    }


def conffiles_of(stanza: dict[bytes, bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Yield (path, digest) of a stanza's Conffiles field; obsolete ones belong to nobody any more."""
    for line in stanza.get(b"conffiles", b"").split(b"\n"):
        words = line.strip().split(b" ")
        flags = [word for word in words[-2:] if word in (b"obsolete", b"remove-on-upgrade")]
        words = words[: len(words) - len(flags)]
        digest = _unhex(words[-1])
        if len(words) >= 2 and digest is not None and b"obsolete" not in flags:
            yield b" ".join(words[:-1]), digest


def _md5sums(view: FileSystemView, path: bytes, coverage: Coverage) -> dict[bytes, bytes]:
    """Return {path: digest}; a later line of the same path counts, and what is no such line does not."""
    lines = _SUM.findall(read_whole(view, path, MAX_LIST, coverage) or b"")
    digests = binascii.unhexlify(b"".join([digest for digest, _ in lines]))
    return {b"/" + name: digests[16 * n : 16 * n + 16] for n, (_, name) in enumerate(lines)}


def _unhex(text: bytes) -> bytes | None:
    try:
        digest = binascii.unhexlify(text)
    except binascii.Error:
        return None
    return digest if len(digest) in (16, 20, 32) else None


def _diversions(view: FileSystemView, coverage: Coverage) -> dict[bytes, tuple[bytes, bytes]]:
    """Return {path: (moved to, by package)}; local diversions are by `:`."""
    path = HOME + b"/diversions"
    if view.entry(path) is None:
        return {}
    lines = (read_whole(view, path, MAX_LIST, coverage) or b"").split(b"\n")
    return {lines[i]: (lines[i + 1], lines[i + 2]) for i in range(0, len(lines) - 2, 3)}


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


DATABASE = Dpkg()

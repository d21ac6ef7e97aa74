"""Lists of digests: as sha256sum and its kin write them, BSD style, and name before digest."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from hinomi.model.tables.trust import ListedDigest

MAX_FILE = 16 << 20
MAX_ROWS = 20_000
MIN_ENTRIES = 2
_HEX = r"[0-9a-fA-F]{128}|[0-9a-fA-F]{96}|[0-9a-fA-F]{64}|[0-9a-fA-F]{40}|[0-9a-fA-F]{32}"
_FORMS = (
    re.compile(rf"^(?P<digest>{_HEX})[\s,:;|]+\*?(?P<name>\S.*?)\s*$"),
    re.compile(rf"^[\w-]{{2,12}} ?\((?P<name>.+)\) ?= ?(?P<digest>{_HEX})\s*$"),
    re.compile(rf"^(?P<name>\S.*?)[\s,:;|=]+(?P<digest>{_HEX})\s*$"),
)
_ALGORITHMS = {32: "md5", 40: "sha1", 64: "sha256", 96: "sha384", 128: "sha512"}
NAME = re.compile(
    rb"(?i)(?:^|[._-])(?:manifest|(?:sha\d*|md5|check)[_-]?sums?|integrity|digests?|hashes|filelist)(?:\.\w{1,8})?$"
)
_STEM_ENDS = (b"manifest", b"sum", b"sums", b"integrity", b"digest", b"digests", b"hashes", b"filelist")
_PACKAGE_LISTS = (b"/var/lib/", b"/lib/apk/", b"/usr/lib/opkg/", b"/usr/lib/sysimage/")


def may_list(path: bytes) -> bool:
    """Whether a file's name is one that lists of digests have; package databases have readers of their own."""
    name = path[path.rfind(b"/") + 1 :].lower()
    if not name.rstrip(b"\n").rpartition(b".")[0].endswith(_STEM_ENDS) and not name.rstrip(b"\n").endswith(_STEM_ENDS):
        return False  # at once: every file of a target is asked for
    return NAME.search(name) is not None and not path.startswith(_PACKAGE_LISTS)


def listed(path: str, data: bytes) -> list[ListedDigest]:
    """Return the entries of a list; empty where the file is none. At most 20,000 are taken."""
    rows: list[ListedDigest] = []
    for row in _rows(path, data):
        rows.append(row)
        if len(rows) > MAX_ROWS:
            break
    return rows if len(rows) >= MIN_ENTRIES else []


def _rows(path: str, data: bytes) -> Iterator[ListedDigest]:
    folder = posixpath.dirname(path)
    strange = 0
    for number, line in enumerate(data.decode("utf-8", "surrogateescape").splitlines(), 1):
        match = next((found for form in _FORMS if (found := form.match(line[:5000]))), None)
        if match is None:
            strange += bool(line.strip())
            if strange > 200 and strange > number // 2:  # a text that only mentions digests
                return
            continue
        name, digest = match.group("name").strip("\"'"), match.group("digest").lower()
        file = posixpath.normpath(posixpath.join(folder, name))
        yield ListedDigest(
            path=path, line=number, file=file, name=name, algorithm=_ALGORITHMS[len(digest)], digest=digest
        )

"""What release files say: the version, and when it was built.

Forms: os-release(5), /etc/version of Yocto (its build's time), build.prop of Android, VERSION files of appliances.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hinomi.evidence.trust.dates import first_date
from hinomi.model.tables.trust import Build

MAX_FILE = 64 << 10
MAX_DEPTH = 4  # names on the way: a project's own VERSION lies deeper than a system's
MAX_LINES = 400
MAX_ROWS = 40
_NAME = re.compile(
    rb"(?i)^(?:[\w.-]*[_.-])?(?:version|release|build|buildinfo|timestamp|firmware)"
    rb"(?:[_.-]?(?:info|date|time|stamp|timestamp|id|number|prop|version))?(?:\.(?:txt|xml|json|conf|ini|properties|sh))?$"
)
_PAIR = re.compile(r"""^\s*(?:export\s+|setenv\s+)?["']?([\w.-]{1,60})["']?\s*[:=]\s*(.+?)[,;]?\s*$""")
_VERSION = re.compile(r"(?<![\w.])[vrVR]?(\d+(?:\.\d+){1,5}(?:[-+_~.]?\w{1,20}){0,4})")
_TELLS = re.compile(r"(?i)version|release|build|date|time|stamp|firmware|revision|^rel|^v$")
_OTHER_DATES = re.compile(r"(?i)support|end|eol|expir|valid|until|copyright|first|birth")
_NAMES_TIME = re.compile(r"(?i)date|time|stamp|epoch|utc")


def is_release_file(path: bytes) -> bool:
    """Whether a file's name and place are those of a system's own release file."""
    folder, _, name = path.rpartition(b"/")
    return folder.count(b"/") < MAX_DEPTH and _NAME.match(name) is not None


def release_rows(path: str, data: bytes) -> Iterator[Build]:
    """Yield what a release file says, at most 40 rows; nothing for binary data."""
    if b"\0" in data:
        return
    found = 0
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines()[:MAX_LINES], 1):
        row = _row(path, number, line[:500])
        if row is not None:
            found += 1
            yield row
        if found >= MAX_ROWS:
            return


def _row(path: str, number: int, line: str) -> Build | None:
    pair = _PAIR.match(line)
    name, value = pair.groups() if pair else ("", line.strip())
    if not value or value.startswith("#") or (name and not _TELLS.search(name)):
        return None
    built = None if _OTHER_DATES.search(name or value) else first_date(value, epoch=bool(_NAMES_TIME.search(name)))
    version = _VERSION.search(value)
    if built is None and version is None:
        return None
    stated = version.group(1) if version else None
    return Build(path=path, line=number, kind="release-file", name=name, version=stated, built_at=built)

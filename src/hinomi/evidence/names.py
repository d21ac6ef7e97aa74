"""Names behind numbers, by the target's own passwd and group files."""

from __future__ import annotations

from dataclasses import dataclass

from hinomi.evidence.view import FileSystemView

MAX_FILE = 16 << 20


@dataclass(frozen=True, slots=True)
class Names:
    """Account names by uid and group names by gid."""

    users: dict[int, str]
    groups: dict[int, str]


def names_of(view: FileSystemView) -> Names:
    """Read the target's passwd and group files; numbers without a line have no name."""
    return Names(_numbers(view, b"/etc/passwd"), _numbers(view, b"/etc/group"))


def _numbers(view: FileSystemView, path: bytes) -> dict[int, str]:
    try:
        text = view.read(path, MAX_FILE).decode("utf-8", "replace")
    except OSError:
        return {}
    names: dict[int, str] = {}
    for line in text.split("\n"):
        fields = line.split(":")
        if len(fields) >= 3 and fields[2].isascii() and fields[2].isdigit():
            names.setdefault(int(fields[2]), fields[0])
    return names

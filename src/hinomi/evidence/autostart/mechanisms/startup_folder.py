"""The Startup folders of a Windows volume: everyone's and each user's."""

from __future__ import annotations

from collections.abc import Iterator

from hinomi.evidence.autostart.shortcut import is_shortcut, read_shortcut
from hinomi.evidence.autostart.site import Home, Site
from hinomi.evidence.autostart.windows import find_path, located, program_of, user_homes
from hinomi.model.errors import ParseError
from hinomi.model.tables.host import Persistence
from hinomi.model.text import path_text

_COMMON: tuple[tuple[bytes, ...], ...] = (
    (b"ProgramData", b"Microsoft", b"Windows", b"Start Menu", b"Programs", b"StartUp"),
    (b"Documents and Settings", b"All Users", b"Start Menu", b"Programs", b"Startup"),
)
_HOME: tuple[tuple[bytes, ...], ...] = (
    (b"AppData", b"Roaming", b"Microsoft", b"Windows", b"Start Menu", b"Programs", b"Startup"),
    (b"Start Menu", b"Programs", b"Startup"),
    ("スタート メニュー".encode(), "プログラム".encode(), "スタートアップ".encode()),
)
_FURNITURE = frozenset({"desktop.ini", "thumbs.db"})


def find(site: Site) -> Iterator[Persistence]:
    """Yield a row per file in a Startup folder; a shortcut's command is where it leads."""
    seen: set[bytes] = set()
    for folder, home in _folders(site):
        resolved = site.resolve(folder) or folder
        if resolved in seen:
            continue
        seen.add(resolved)
        for path in site.files(folder):
            if path_text(path.rsplit(b"/", 1)[-1]).lower() not in _FURNITURE:
                yield _row(site, path, home)


def _folders(site: Site) -> Iterator[tuple[bytes, Home | None]]:
    for parts in _COMMON:
        folder = find_path(site, *parts)
        if folder is not None:
            yield folder, None
    for home in user_homes(site):
        for parts in _HOME:
            folder = find_path(site, *home.path.strip(b"/").split(b"/"), *parts)
            if folder is not None:
                yield folder, home


def _row(site: Site, path: bytes, home: Home | None) -> Persistence:
    command, program = path_text(path), path_text(site.resolve(path) or path)
    data = site.data(path, 64 << 10) if path.lower().endswith(b".lnk") else None
    if data is not None and is_shortcut(data):
        try:
            shortcut = read_shortcut(data)
        except ParseError as error:
            site.coverage.miss("persistence", path_text(path), "unparsable", error.cause)
        else:
            command = f'"{shortcut.target}" {shortcut.arguments or ""}'.strip()
            program = program_of(site, command, home) or located(site, shortcut.target or "") or program
    return Persistence(
        mechanism="startup-folder", path=path_text(path), name=path_text(path.rsplit(b"/", 1)[-1]),
        command=command[:2000], program=program, user=home.user if home else None, trigger="login", enabled=True,
    )  # fmt: skip

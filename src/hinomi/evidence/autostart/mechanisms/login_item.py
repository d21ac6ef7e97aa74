"""macOS login items: programs opened when a user logs in, from the lists of old and new releases.

Until macOS 12 each user has `backgrounditems.btm` or `com.apple.loginitems.plist`; since macOS 13 one database under
`/private/var/db` lists login items and launchd's jobs of everyone. All are property lists, the `.btm` files archives of
objects (NSKeyedArchiver) whose texts stand in `$objects`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from hinomi.evidence.autostart.site import Site
from hinomi.evidence.plist import read_plist
from hinomi.model.errors import ParseError
from hinomi.model.tables.host import Persistence
from hinomi.model.text import path_bytes, path_text

_EVERYONES = (b"/private/var/db/com.apple.backgroundtaskmanagement", b"/var/db/com.apple.backgroundtaskmanagement")
_USERS = (
    b"Library/Application Support/com.apple.backgroundtaskmanagementagent/backgrounditems.btm",
    b"Library/Preferences/com.apple.loginitems.plist",
)
_PROGRAM_ENDS = (".app", ".command", ".sh", ".workflow")
MAX_OBJECTS = 20_000
MAX_DEPTH = 12


def find(site: Site) -> Iterator[Persistence]:
    """Yield a row per program that a list names."""
    for path in site.files(*_EVERYONES, suffix=b".btm"):
        yield from _listed(site, path, None)
    for home in site.homes:
        for name in _USERS:
            path = home.path + b"/" + name
            if site.is_file(path):
                yield from _listed(site, path, home.user)


def _listed(site: Site, path: bytes, user: str | None) -> Iterator[Persistence]:
    data = site.data(path)
    if data is None:
        return
    try:
        tree = read_plist(data, path_text(path))
    except ParseError as error:
        site.coverage.miss("persistence", path_text(path), "unparsable", error.cause)
        return
    for program in sorted({place for text in _texts(tree) if (place := _place(text))}):
        yield Persistence(
            mechanism="login-item", path=path_text(path), name=program.rstrip("/").rsplit("/", 1)[-1],
            command=program[:2000], program=path_text(site.resolve(path_bytes(program)) or path_bytes(program)),
            user=user, trigger="login", enabled=None,
        )  # fmt: skip


def _texts(value: Any, depth: int = 0) -> Iterator[str]:
    """Yield every text in a property list; bookmarks are bytes with the path's parts inside."""
    if depth > MAX_DEPTH:
        return
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes):
        yield from _bookmark(value)
    elif isinstance(value, dict):
        for item in list(value.values())[:MAX_OBJECTS]:
            yield from _texts(item, depth + 1)
    elif isinstance(value, list):
        for item in value[:MAX_OBJECTS]:
            yield from _texts(item, depth + 1)


def _bookmark(data: bytes) -> Iterator[str]:
    """Join the parts of a bookmark's path: items of the type text (0x0101), from the first one on, until one ends it.

    Layout: magic `book`, a header whose length stands at 12, then items of length, type and bytes, padded to four.
    """
    if data[:4] not in (b"book", b"alis") or len(data) < 48:
        return
    at = int.from_bytes(data[12:16], "little") + 4
    parts: list[str] = []
    while 16 <= at <= len(data) - 8 and len(parts) < 64:
        length, kind = int.from_bytes(data[at : at + 4], "little"), int.from_bytes(data[at + 4 : at + 8], "little")
        if kind != 0x0101 or length > 1024:
            break
        parts.append(data[at + 8 : at + 8 + length].decode("utf-8", "replace"))
        at += 8 + (length + 3) // 4 * 4
    if parts:
        yield "/" + "/".join(parts)


def _place(text: str) -> str | None:
    """Return the path that a text is, if it names a program or a bundle."""
    path = unquote(text.removeprefix("file://").removeprefix("localhost")) if text.startswith("file://") else text
    if not path.startswith("/") or "\n" in path or len(path) > 1024:
        return None
    path = path.rstrip("/")
    if path.endswith(_PROGRAM_ENDS) or path.startswith(("/Users/", "/usr/", "/opt/", "/tmp/", "/private/")):
        return path if not path.endswith((".plist", ".btm")) else None
    return None

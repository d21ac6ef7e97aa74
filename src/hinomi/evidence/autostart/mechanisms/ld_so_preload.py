"""Libraries loaded into every program: ld.so.preload, LD_PRELOAD of the environment files, unusual library folders."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hinomi.evidence.autostart.rows import library_path, preload_rows
from hinomi.evidence.autostart.site import Site
from hinomi.model.tables.host import Persistence
from hinomi.model.text import path_bytes, path_text

_ENVIRONMENT = (b"/etc/environment", b"/etc/security/pam_env.conf", b"/etc/default/locale", b"/etc/login.conf")
_ENVIRONMENT_FOLDERS = (b"/etc/environment.d", b"/usr/lib/environment.d", b"/etc/default", b"/etc/conf.d")
_USER_FILES = (b".pam_environment", b".ssh/environment")
_VOLATILE = (b"/tmp", b"/var/tmp", b"/dev", b"/home", b"/root", b"/run", b"/srv", b"/mnt", b"/media")


def find(site: Site) -> Iterator[Persistence]:
    """Yield a row per preloaded library and per searched library folder that an ordinary user may fill."""
    yield from _preload_file(site)
    for path in (*_ENVIRONMENT, *site.files(*_ENVIRONMENT_FOLDERS)):
        for number, line in site.lines(path):
            yield from preload_rows(site, path, number, line)
    for home, path in site.user_files(*_USER_FILES):
        for number, line in site.lines(path):
            yield from preload_rows(site, path, number, line, user=home.user)
    yield from _folders(site)


def _preload_file(site: Site) -> Iterator[Persistence]:
    path = b"/etc/ld.so.preload"
    for number, line in site.lines(path):
        for library in re.split(r"[\s:,]+", line.partition("#")[0]):
            if library:
                yield Persistence(
                    mechanism="ld-so-preload", path=path_text(path), line=number, name="ld.so.preload",
                    command=library, program=library_path(site, library), trigger="load", enabled=True,
                )  # fmt: skip


def _folders(site: Site) -> Iterator[Persistence]:
    for path in (b"/etc/ld.so.conf", *site.files(b"/etc/ld.so.conf.d", suffix=b".conf")):
        for number, line in site.lines(path):
            if line.startswith("/") and _open_to_users(site, path_bytes(line)):
                yield Persistence(
                    mechanism="ld-so-preload", path=path_text(path), line=number, name="library folder",
                    command=line, program=None, trigger="load", enabled=True,
                )  # fmt: skip


def _open_to_users(site: Site, folder: bytes) -> bool:
    resolved = site.resolve(folder) or folder
    if any(resolved == top or resolved.startswith(top + b"/") for top in _VOLATILE):
        return True
    entry = site.entry(resolved)
    return entry is not None and bool(entry.mode & 0o002)

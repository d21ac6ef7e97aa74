"""rc.local and its kin: boot scripts of every system's and vendor's layout, one row per program they start."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hinomi.evidence.autostart.rows import script_rows
from hinomi.evidence.autostart.site import Site
from hinomi.model.tables.host import Persistence

_NAME = re.compile(rb"rc$|rcS$|rcL$|rc\.[A-Za-z0-9._-]{1,40}$|rc[._-]?(local|boot|sysinit|init)[A-Za-z0-9._-]{0,20}$")
_NOT_RUN = (b"~", b".bak", b".orig", b".dpkg-old", b".dpkg-dist", b".rpmsave", b".rpmnew", b".swp", b".conf")
_FIXED = (
    b"/etc/rc.d", b"/etc/init.d", b"/etc", b"/etc/rc", b"/sbin", b"/etc/local.d", b"/etc/config", b"/usr/local/etc",
    b"/usr/local/etc/rc.d", b"/usr/etc", b"/usr/local/sbin", b"/flash/nsconfig", b"/private/etc",
)  # fmt: skip
_UNSEEN = frozenset({b"proc", b"sys", b"dev", b"tmp", b"home", b"root", b"Users", b"Windows", b"lost+found", b"boot"})
MAX_FOLDERS = 2000
_SHELL = re.compile(rb"#!\s*\S{0,80}?(sh|bash|ash|busybox|env)\b")


def find(site: Site) -> Iterator[Persistence]:
    """Yield a row per program started by each boot script; a script reached by two names counts once.

    Appliances keep theirs outside /etc, so the first two levels of the tree are looked through for the names.
    """
    seen: set[bytes] = set()
    for path in _candidates(site):
        resolved = site.resolve(path)
        if resolved is None or resolved in seen or not _is_boot_script(site, path):
            continue
        seen.add(resolved)
        enabled = site.is_executable(path) or None
        yield from script_rows(site, "rc-local", path, user="root", trigger="boot", enabled=enabled)


def _candidates(site: Site) -> Iterator[bytes]:
    for folder in dict.fromkeys((*_FIXED, *_shallow_folders(site))):
        for name in site.names(folder):
            if _NAME.match(name) and not name.endswith(_NOT_RUN):
                yield folder + b"/" + name


def _shallow_folders(site: Site) -> Iterator[bytes]:
    found = 0
    for top in site.names(b"/"):
        if top in _UNSEEN or not _is_folder(site, b"/" + top):
            continue
        yield b"/" + top
        for name in site.names(b"/" + top):
            path = b"/" + top + b"/" + name
            if found < MAX_FOLDERS and _is_folder(site, path):
                found += 1
                yield path


def _is_folder(site: Site, path: bytes) -> bool:
    try:
        entry = site.view.entry(path)
    except OSError:
        return False
    return entry is not None and entry.kind == "directory"


def _is_boot_script(site: Site, path: bytes) -> bool:
    """Tell a shell script from other files named alike (run control files of editors, tables, binaries)."""
    if not site.is_file(path):
        return False
    try:
        head = site.view.read(path, 256)
    except OSError:
        return True  # script_rows() tells why it cannot be read
    if head.startswith(b"#!"):
        return bool(_SHELL.match(head))
    return b"\0" not in head and (b"/rc." in path or path.endswith((b"/rcS", b"/rc")))

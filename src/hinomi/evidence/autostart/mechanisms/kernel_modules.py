"""Kernel modules loaded at boot, and commands that modprobe runs in a module's place."""

from __future__ import annotations

from collections.abc import Iterator

from hinomi.evidence.autostart.rows import command_rows
from hinomi.evidence.autostart.site import Site
from hinomi.model.tables.host import Persistence
from hinomi.model.text import path_text

_LISTS = (b"/etc/modules-load.d", b"/run/modules-load.d", b"/usr/local/lib/modules-load.d", b"/usr/lib/modules-load.d",
          b"/lib/modules-load.d")  # fmt: skip
_OPTIONS = (b"/etc/modprobe.d", b"/run/modprobe.d", b"/usr/local/lib/modprobe.d", b"/usr/lib/modprobe.d",
            b"/lib/modprobe.d")  # fmt: skip
MAX_KERNELS = 4
MAX_DEPENDENCIES = 4 << 20


def find(site: Site) -> Iterator[Persistence]:
    """Yield a row per module that is loaded and per command of an `install` or `remove` line."""
    modules = _modules(site)
    for path in (b"/etc/modules", b"/etc/initramfs-tools/modules", *site.files(*_LISTS, suffix=b".conf")):
        for number, line in site.lines(path):
            name = line.split()[0]
            if not line.startswith(";"):
                yield Persistence(
                    mechanism="kernel-module", path=path_text(path), line=number, name=name, command=line[:500],
                    program=modules.get(_key(name)), user="root", trigger="boot", enabled=True,
                )  # fmt: skip
    for path in (b"/etc/modprobe.conf", *site.files(*_OPTIONS, suffix=b".conf")):
        for number, line in site.joined_lines(path):
            yield from _command(site, path, number, line)


def _command(site: Site, path: bytes, number: int, line: str) -> Iterator[Persistence]:
    words = line.split(None, 2)
    if len(words) == 3 and words[0] in ("install", "remove"):
        yield from command_rows(
            site, "kernel-module", path, words[2], line=number, name=f"{words[0]} {words[1]}", user="root",
            trigger="load", enabled=True,
        )  # fmt: skip


def _key(name: str) -> str:
    return name.replace("-", "_")


def _modules(site: Site) -> dict[str, str]:
    """Return module name -> path of its file, by the kernels' own modules.dep."""
    found: dict[str, str] = {}
    for base in (b"/lib/modules", b"/usr/lib/modules"):
        for kernel in sorted(site.names(base), reverse=True)[:MAX_KERNELS]:
            folder = base + b"/" + kernel
            data = site.data(folder + b"/modules.dep", MAX_DEPENDENCIES) or b""
            for line in data.split(b"\n"):
                path = line.partition(b":")[0]
                name = path_text(path.rsplit(b"/", 1)[-1]).split(".ko")[0]
                if name:
                    full = path if path.startswith(b"/") else folder + b"/" + path
                    found.setdefault(_key(name), path_text(site.resolve(full) or full))
        if found:
            break
    return found

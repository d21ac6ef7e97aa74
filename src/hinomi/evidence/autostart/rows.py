"""Rows that several mechanisms make alike: a command line, a started script, a preloaded library."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from hinomi.evidence.autostart.site import SEARCH_PATH, Site
from hinomi.evidence.scripts import analyse
from hinomi.model.errors import ParseError
from hinomi.model.tables.host import Persistence
from hinomi.model.tables.scripts import ScriptAction
from hinomi.model.text import path_bytes, path_text

MAX_COMMAND = 2000
_PRELOAD = re.compile(r"\b(LD_PRELOAD|LD_AUDIT|DYLD_INSERT_LIBRARIES)\s*=\s*[\"']?([^\"'\s;]{1,1000})")
_STARTING = frozenset(
    {"starts", "sources", "executes-code", "connects", "downloads", "persists", "loads-library", "loads-module"}
)
_SHELL_HEAD = re.compile(
    rb"#!\s*\S{0,100}?(?:/|env (?:-S )?)"
    rb"(?:[a-z]*sh|busybox|openrc-run|runscript|init-d-script|rc\.common|start-stop-daemon)\b"
)


def command_rows(
    site: Site,
    mechanism: str,
    path: bytes,
    command: str,
    *,
    home: bytes | None = None,
    search: tuple[bytes, ...] = SEARCH_PATH,
    **columns: Any,
) -> Iterator[Persistence]:
    """Yield one row per program that `command` starts, one without a program where none can be told."""
    for program in site.programs(command, home=home, search=search):
        yield Persistence(
            mechanism=mechanism, path=path_text(path), command=command[:MAX_COMMAND], program=program, **columns
        )


def file_row(site: Site, mechanism: str, path: bytes, **columns: Any) -> Persistence:
    """Return the row of a file that is run as it stands; its name is the file's."""
    program = path_text(site.resolve(path) or path)
    columns.setdefault("name", path_text(path.rsplit(b"/", 1)[-1]))
    return Persistence(mechanism=mechanism, path=path_text(path), command=path_text(path), program=program, **columns)


def script_rows(
    site: Site, mechanism: str, path: bytes, *, home: bytes | None = None, functions: bool = False, **columns: Any
) -> Iterator[Persistence]:
    """Yield one row per program that a shell script starts or reads in, and per library or module it loads.

    What the script only tests, reads or prints gives no row. Where scripts live on a library of functions
    (`functions`), a bare word that is no program of the target counts as one of them.
    """
    data = site.data(path)
    if data is None or (data.startswith(b"#!") and not _SHELL_HEAD.match(data[:256])):
        return
    try:
        actions = analyse(path_text(path), data, language="shell").actions
    except ParseError as error:
        site.coverage.miss(site.area, path_text(path), "unparsable", error.cause)
        return
    for action in actions:
        if action.action not in _STARTING or not _counts(site, action, functions):
            continue
        program = _started_by(site, action, home)
        if program != path_text(path):
            command = (action.command or action.object or "")[:MAX_COMMAND]
            yield Persistence(
                mechanism=mechanism, path=path_text(path), line=action.line, command=command, program=program, **columns
            )


def _counts(site: Site, action: ScriptAction, functions: bool) -> bool:
    """Leave out files that are read in but missing, and bare words that are no program but somebody's function."""
    if action.action == "sources":
        return (action.object or "").startswith("/") and site.is_file(path_bytes(action.object or ""))
    bare = action.action == "starts" and action.object is not None and "/" not in action.object
    return not (functions and bare and site.program(action.object or "") is None)


def _started_by(site: Site, action: ScriptAction, home: bytes | None) -> str | None:
    if action.action in ("executes-code", "loads-module"):
        return None
    if action.action == "loads-library":
        return library_path(site, action.object or "")
    if action.action in ("starts", "sources") and action.object is not None:
        return site.program(action.object, home=home)
    return site.programs(action.command, home=home)[0]


def preload_rows(site: Site, path: bytes, line: int, text: str, **columns: Any) -> Iterator[Persistence]:
    """Yield a row per library that a `LD_PRELOAD=` in `text` loads into every program started there."""
    for match in _PRELOAD.finditer(text[:20_000]):
        for library in re.split(r"[:\s]+", match.group(2)):
            if library:
                yield Persistence(
                    mechanism="ld-so-preload", path=path_text(path), line=line, name=match.group(1), command=library,
                    program=library_path(site, library), trigger="load", **columns,
                )  # fmt: skip


def library_path(site: Site, library: str) -> str | None:
    """Return the resolved path of a library given absolutely or by name in a usual library folder."""
    if library.startswith("/"):
        return site.program(library)
    return site.program(library, search=library_folders(site))


def library_folders(site: Site) -> tuple[bytes, ...]:
    """Return the usual library folders of the target, those of every architecture included."""
    found = [b"/lib", b"/lib64", b"/usr/lib", b"/usr/lib64", b"/usr/local/lib"]
    for base in (b"/lib", b"/usr/lib"):
        found += [base + b"/" + name for name in site.names(base) if b"-linux-" in name]
    return tuple(found)

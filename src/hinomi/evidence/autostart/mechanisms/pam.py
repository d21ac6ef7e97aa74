"""PAM: programs run by pam_exec and pam_script, and modules that no package owns."""

from __future__ import annotations

from collections.abc import Iterator

from hinomi.evidence.autostart.rows import command_rows, library_folders
from hinomi.evidence.autostart.site import Site
from hinomi.model.tables.host import Persistence
from hinomi.model.text import path_bytes, path_text

_TYPES = frozenset({"auth", "account", "password", "session"})
_RUNS_PROGRAM = frozenset({"pam_exec.so", "pam_script.so", "pam_python.so", "pam_exec_helper.so"})
_EXEC_OPTIONS = ("debug", "expose_authtok", "quiet", "quiet_log", "stdout", "seteuid", "log=", "type=")


def find(site: Site) -> Iterator[Persistence]:
    """Yield a row per program run and per module loaded that is not a package's."""
    folders = tuple(folder + b"/security" for folder in library_folders(site))
    for path in (b"/etc/pam.conf", *site.files(b"/etc/pam.d", b"/usr/lib/pam.d")):
        for number, line in site.joined_lines(path):
            words = _module_words(line, whole_file=path == b"/etc/pam.conf")
            if words:
                yield from _rows(site, path, number, words, folders)


def _module_words(line: str, *, whole_file: bool) -> list[str]:
    """Return the module and its arguments; pam.conf names the service first, a control may be `[a=b c=d]`."""
    words = line.split()[1 if whole_file else 0 :]
    if len(words) < 3 or words[0].lstrip("-") not in _TYPES:
        return []
    index = 1
    if words[1].startswith("["):
        while index < len(words) and not words[index].endswith("]"):
            index += 1
    if words[1] in ("include", "substack"):
        return []
    return words[index + 1 :]


def _rows(site: Site, path: bytes, number: int, words: list[str], folders: tuple[bytes, ...]) -> Iterator[Persistence]:
    name = words[0].rsplit("/", 1)[-1]
    if name in _RUNS_PROGRAM:
        command = " ".join(word for word in words[1:] if not word.startswith(_EXEC_OPTIONS))
        yield from command_rows(
            site, "pam", path, command or " ".join(words), line=number, name=name, trigger="login", enabled=True
        )
    program = site.program(words[0], search=folders)
    if program is not None and _foreign(site, program, folders):
        yield Persistence(
            mechanism="pam", path=path_text(path), line=number, name=name, command=" ".join(words)[:2000],
            program=program, user="root", trigger="login", enabled=True,
        )  # fmt: skip


def _foreign(site: Site, program: str, folders: tuple[bytes, ...]) -> bool:
    """Whether no package owns the module, or, without any package database, it lies outside the usual folders."""
    raw = path_bytes(program)
    if not site.is_file(raw):
        return False
    state = site.target.ownership.state(raw, None)
    return state == "unowned" if state is not None else raw.rsplit(b"/", 1)[0] not in folders

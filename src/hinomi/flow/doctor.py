"""What works here and what does not: user, libraries, case, journal, rules."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from hinomi.model.errors import HinomiError
from hinomi.store.case import Case, Place
from hinomi.store.state import shown

EXTRAS = {"starlette": "console", "uvicorn": "console", "feedparser": "online", "psycopg": "postgresql"}


@dataclass(frozen=True, slots=True)
class Check:
    """One check: what, whether it holds, and what was seen or what to do."""

    name: str
    ok: bool
    detail: str


def examine(place: Place) -> list[Check]:
    """Run every check; none of them changes anything but the case's own folder."""
    checks: list[Callable[[], Iterator[Check]]] = [_machine, _extras, _watch, _rules, lambda: _case(place)]
    return [result for check in checks for result in check()]


def _machine() -> Iterator[Check]:
    yield Check("python", True, platform.python_version())
    yield Check("kernel", True, f"{platform.system()} {platform.release()}")
    root = os.geteuid() == 0
    yield Check("root", root, "" if root else "without root, other users' files and processes stay unseen")
    yield Check("proc", Path("/proc/self/stat").exists(), "processes and sockets of the live host")
    yield from _compiled()
    yield from _confinement()


def _compiled() -> Iterator[Check]:
    """Whether what is done for every file and every word has its libraries in C: answers are the same, time is not."""
    from hinomi.evidence import native as of_files
    from hinomi.intel import native as of_reports

    slow = {
        ("listing", of_files.compiled): "files are walked and read in Python, several times as slowly",
        ("classes", of_files.compiled): "archives are looked into in Python, more slowly",
        ("keys", of_reports.compiled): "names in reports are found in Python, more slowly",
        ("window", of_reports.compiled): "the places of values in reports are found in Python, more slowly",
        ("words", of_reports.compiled): "the words of reports are split in Python, more slowly",
    }
    lost = [text for (name, compiled), text in slow.items() if compiled(name) is None]
    used = ", ".join(f"{compiled.__module__.split('.')[1]}/{name}" for name, compiled in slow)
    yield Check("compiled core", not lost, "; ".join(lost) or f"in use: {used}")


def _confinement() -> Iterator[Check]:
    """What holds the processes that parse hostile content."""
    from hinomi.evidence.confinement import DOORS, available

    found = available()
    for door in DOORS:
        lost = "" if door in found else "this kernel does not keep the processes that parse files from network and disk"
        yield Check(door, door in found, lost)


def _extras() -> Iterator[Check]:
    for module, extra in EXTRAS.items():
        found = find_spec(module) is not None
        yield Check(f"extra {module}", found, "" if found else f"pip install 'hinomi[{extra}]'")


def _watch() -> Iterator[Check]:
    from hinomi.flow.watching.abilities import abilities

    for name, ok, detail in abilities():
        yield Check(f"watch {name}", ok, detail)


def _rules() -> Iterator[Check]:
    from hinomi.detect.catalogue import load_rules

    catalogue = load_rules()
    yield Check("rules", not catalogue.errors, f"{len(catalogue)} rules, {len(catalogue.errors)} unreadable")


def _case(place: Place) -> Iterator[Check]:
    try:
        with Case.open(place) as case:
            broken = case.journal.broken_at()
            yield Check("case", True, str(case.path))
            yield Check("state", True, shown(case.engine.url))
            yield Check("journal", broken is None, f"broken at {broken}" if broken else f"{len(case.journal)} entries")
            interrupted = len(case.runs("interrupted"))
            yield Check("runs", not interrupted, f"{len(case.runs())} complete, {interrupted} interrupted")
    except HinomiError as error:
        yield Check("case", False, f"{error.code}: {error.cause}")

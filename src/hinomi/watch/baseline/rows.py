"""Differences and their reasons as rows of the table `baseline_changes`."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

from hinomi.model.tables.baseline import Change
from hinomi.model.text import path_text, printable
from hinomi.watch import diff as runs
from hinomi.watch.baseline.compare import Difference, Values
from hinomi.watch.baseline.world import Reason, World

MAX_VALUE = 300
MAX_DIFF_LINES = 60
_PROGRAMS = (b"\x7fELF", b"MZ", b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe")
_TEXT_CONTROLS = frozenset(b"\t\n\r\f\x1b")


def rows_of(world: World, sequence: int) -> Iterator[Change]:
    """Yield a row for each difference in path order, then one for each package whose manifest was altered."""
    for path in sorted(world.differences):
        yield _row(world.differences[path], world.reasons.get(path), world, sequence)
    for package in world.altered_manifests():
        yield Change(
            path=f"package {printable(package)}", what="manifest-altered", kind="package", explained=False,
            by=package, package=package, baseline=sequence,
        )  # fmt: skip


def plain(difference: Difference) -> runs.Change:
    """Return a difference between two targets in the form that two scans are compared in."""
    old, new = difference.old or {}, difference.new or {}
    values = {name: (_shown(name, old.get(name)), _shown(name, new.get(name))) for name in difference.attributes}
    return runs.Change(path_text(difference.path), difference.what, values)


def fault_row(path: str, code: str, cause: str, sequence: int) -> Change:
    """Return the row of a baseline that cannot be believed; `code` says how (rolled-back, tampered, ...)."""
    return Change(
        path=path, what="baseline-fault", kind="file", explained=False, why=code, by=cause[:MAX_VALUE],
        baseline=sequence,
    )  # fmt: skip


def hidden_row(path: bytes, kind: str, how: str, sequence: int) -> Change:
    """Return the row of an entry that its folder's listing leaves out; `how` says what shows it."""
    return Change(
        path=path_text(path), what="hidden", kind=kind, explained=False, why="not-listed", by=how, baseline=sequence
    )


def _row(difference: Difference, reason: Reason | None, world: World, sequence: int) -> Change:
    old, new = difference.old, difference.new
    values: Values = new or old or {}
    names = difference.attributes
    return Change(
        path=path_text(difference.path),
        path_raw=None if _is_utf8(difference.path) else difference.path,
        what=difference.what,
        kind=str(values["kind"]),
        attributes=list(names),
        old=[_shown(name, (old or {}).get(name)) for name in names],
        new=[_shown(name, (new or {}).get(name)) for name in names],
        explained=reason is not None and not reason.left,
        why=None if reason is None else reason.why,
        by=None if reason is None else reason.by or None,
        strength=None if reason is None else reason.strength,
        left=[] if reason is None else list(reason.left),
        mode=values["mode"],
        mode_before=None if old is None else old["mode"],
        uid=values["uid"],
        size=None if new is None else new["size"],
        size_before=None if old is None else old["size"],
        sha256=_hex(new),
        sha256_before=_hex(old),
        mtime=None if new is None else new["mtime"] / 1e9,
        content=_content(difference, world),
        package=_package(difference, world),
        diff=_diff(difference),
        baseline=sequence,
    )


def _is_utf8(path: bytes) -> bool:
    try:
        path.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _hex(values: Values | None) -> str | None:
    return None if values is None or values["sha256"] is None else str(values["sha256"].hex())


def _package(difference: Difference, world: World) -> str | None:
    owner = world.reader.owner(difference.path)
    if owner is not None:
        return owner.package
    return (difference.old or {}).get("package")


def _shown(name: str, value: Any) -> str:
    """Return a value as people read it."""
    if value is None:
        return ""
    if name == "mode":
        return f"{value:04o}"
    if name in ("mtime", "ctime", "btime"):
        return f"{value / 1e9:.9f}"
    if name == "sha256":
        return str(value.hex())
    text = path_text(value) if isinstance(value, bytes) else str(value)
    return printable(text)[:MAX_VALUE]


def _content(difference: Difference, world: World) -> str | None:
    new = difference.new
    if new is None or new["kind"] != "file":
        return None
    try:
        with world.reader.open(difference.path) as file:
            head = file.read(512)
    except OSError:
        return None
    if head.startswith(_PROGRAMS):
        return "program"
    if head.startswith(b"#!"):
        return "script"
    return "text" if all(byte >= 32 or byte in _TEXT_CONTROLS for byte in head) and head else "data"


def _diff(difference: Difference) -> str | None:
    """Return a unified difference where both contents were kept (small texts without secrets)."""
    old, new = (difference.old or {}).get("text"), (difference.new or {}).get("text")
    if difference.what != "changed" or old is None or new is None or old == new:
        return None
    lines = difflib.unified_diff(_lines(old), _lines(new), "before", "now", lineterm="", n=1)
    shown = [printable(line) for line, _ in zip(lines, range(MAX_DIFF_LINES + 1), strict=False)]
    if len(shown) > MAX_DIFF_LINES:
        shown[MAX_DIFF_LINES:] = ["…"]
    return "\n".join(shown)


def _lines(text: bytes) -> list[str]:
    return text.decode("utf-8", "replace").splitlines()

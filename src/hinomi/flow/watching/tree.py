"""The processes around a finding: who changed the file it is about, or who started the process, and from where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hinomi.model.findings import Finding
from hinomi.model.tables import Row
from hinomi.model.tables.changes import FileChange
from hinomi.model.tables.processes import Process

MAX_TREE = 16


def with_tree(finding: Finding, rows: Sequence[Row]) -> Finding:
    """Return the finding with `changed_by` and `process_tree` among its attributes, where the rows tell them."""
    touched = {finding.subject_key, *finding.related}
    more: dict[str, Any] = {}
    changes = [r for r in rows if isinstance(r, FileChange) and r.path in touched and r.pid is not None]
    if changes:
        last = max(changes, key=lambda change: (change.path == finding.subject_key, change.at))
        more["changed_by"] = _who(last)
        more["process_tree"] = _line_of(last)
    elif finding.subject_type == "process":
        tree = _tree(finding.subject_key, {r.pid: r for r in rows if isinstance(r, Process)})
        if tree:
            more["process_tree"] = tree
    return replace(finding, attributes={**finding.attributes, **more}) if more else finding


def _who(change: FileChange) -> dict[str, Any]:
    return {
        "path": change.path, "pid": change.pid, "exe": change.exe, "cmdline": change.cmdline, "user": change.user,
        "login_user": change.login_user, "container": change.container, "at": change.at,
    }  # fmt: skip


def _line_of(change: FileChange) -> list[dict[str, Any]]:
    line = [{"pid": pid, "exe": exe} for pid, exe in zip(change.ancestor_pids, change.ancestors, strict=False)]
    return [*reversed(line[:MAX_TREE]), {"pid": change.pid, "exe": change.exe, "cmdline": change.cmdline}]


def _tree(key: str, processes: dict[int, Process]) -> list[dict[str, Any]]:
    """Return the line from the oldest known ancestor to the process, then its children."""
    if not key.isdigit() or int(key) not in processes:
        return []
    line: list[Process] = []
    at: Process | None = processes[int(key)]
    while at is not None and at not in line and len(line) < MAX_TREE:
        line.append(at)
        at = processes.get(at.ppid)
    children = [p for _, p in sorted(processes.items()) if p.ppid == int(key)][:MAX_TREE]
    return [_node(p) for p in (*reversed(line), *children)]


def _node(process: Process) -> dict[str, Any]:
    return {"pid": process.pid, "ppid": process.ppid, "exe": process.exe, "cmdline": process.cmdline,
            "user": process.user}  # fmt: skip

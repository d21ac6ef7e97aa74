"""SQL rules: rows become drafts, and one bad rule stops nothing."""

from __future__ import annotations

import pytest

from hinomi.detect.catalogue import load_rules
from hinomi.detect.sql import Evidence
from hinomi.detect.sqlrule import evidence_table, run_rules
from hinomi.model.findings import Coverage


def drafts_of(written, folder, coverage=None, **options):
    coverage = coverage or Coverage()
    rules = [rule for rule in load_rules([folder]).of_kind("sql") if rule.path.parent == folder]
    with Evidence(written) as evidence:
        return list(run_rules(evidence, rules, coverage, **options))


def test_a_row_becomes_a_draft_with_evidence_and_overrides(tables, sql_rule) -> None:
    written = tables(files=[{"path": "/a"}], elf=[{"path": "/a"}])
    query = (
        "SELECT f.path AS subject, f.row AS files_row, [e.row, NULL] AS other_elf_row, ['/x', NULL] AS related, "
        "'low' AS severity, 12.9 AS confidence, 'harm' AS what FROM files f JOIN elf e USING (path)"
    )
    (draft,) = drafts_of(written, sql_rule("a-rule", query))
    assert (draft.subject, draft.severity, draft.confidence) == ("/a", "low", 12)
    assert set(draft.evidence) == {("files", 0), ("elf", 0)}
    assert draft.related == ("/x",)
    assert draft.values == {"what": "harm"}
    assert draft.behaviours == ("boot-persistence",)


def test_overrides_that_make_no_sense_are_ignored(tables, sql_rule) -> None:
    query = "SELECT path AS subject, 'very' AS severity, 400 AS confidence, 'one' AS related FROM files"
    (draft,) = drafts_of(tables(files=[{"path": "/a"}]), sql_rule("a-rule", query))
    assert (draft.severity, draft.confidence, draft.related) == ("high", 100, ("one",))


def test_rows_without_subject_are_dropped(tables, sql_rule) -> None:
    query = "SELECT owner AS subject, row AS files_row FROM files"
    assert drafts_of(tables(files=[{"path": "/a"}]), sql_rule("a-rule", query)) == []


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("SELECT path FROM files", "failed"),
        ("SELECT no_such AS subject FROM files", "failed"),
        ("SELECT error('boom') AS subject FROM files", "failed"),
        ("DROP VIEW files", "failed"),
        ("SELECT 'x' AS subject FROM range(100000000) a, range(100000) b WHERE (a.range + b.range) % 7 = 8", "timeout"),
    ],
)
def test_a_failing_rule_is_a_miss_and_the_others_run(tables, sql_rule, query: str, reason: str) -> None:
    sql_rule("bad-rule", query)
    folder = sql_rule("good-rule", "SELECT path AS subject, row AS files_row FROM files")
    coverage = Coverage()
    drafts = drafts_of(tables(files=[{"path": "/a"}]), folder, coverage, seconds=3.0)
    assert [(d.rule_id, d.subject) for d in drafts] == [("good-rule", "/a")]
    assert [(m.area, m.reason) for m in coverage.misses] == [("rule:bad-rule", reason)]
    assert coverage.examined["rules"] == 1


def test_a_flood_is_cut_and_said(tables, sql_rule) -> None:
    coverage = Coverage()
    drafts = drafts_of({}, sql_rule("a-rule", "SELECT 's' || range AS subject FROM range(5000)"), coverage)
    assert len(drafts) == 2000
    assert [m.reason for m in coverage.misses] == ["truncated"]


@pytest.mark.parametrize(
    ("column", "table"),
    [
        ("files_row", "files"),
        ("script_actions_row", "script_actions"),
        ("other_scripts_row", "scripts"),
        ("b_script_actions_row", "script_actions"),
        ("row", None),
        ("filesx_row", None),
        ("xfiles_row", None),
        ("files_rows", None),
    ],
)
def test_evidence_columns(column: str, table: str | None) -> None:
    assert evidence_table(column) == table

"""Rows and rules to findings, in one pass, the same every time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hinomi.detect.catalogue import Catalogue, load_rules
from hinomi.detect.detect import detect
from hinomi.detect.indicator import Indicator
from hinomi.detect.query import ask
from hinomi.detect.rowset import filled, write_rows
from hinomi.detect.story import tell
from hinomi.model.errors import UsageError
from hinomi.model.findings import Coverage, severity_rank

SEEN = "2026-01-01T00:00:00+00:00"


def run(written, catalogue, indicators=(), coverage=None):
    return detect(written, catalogue, indicators, target="t", run="r", coverage=coverage or Coverage(), seen=SEEN)


@pytest.fixture
def written(tables):
    return tables(
        files=[{"path": f"/opt/{n}", "sha256": f"{n:064x}"} for n in range(40)],
        accounts=[
            {"name": "root", "uid": 0},
            {"name": "vex", "uid": 0, "login": True, "shell": "/bin/sh", "position": 9},
        ],
        libraries=[
            {"path": "/x.jar", "container": "/x.jar", "name": "g:a", "state": "vulnerable", "cves": ["CVE-2021-44228"]}
        ],
        content_matches=[{"path": "/opt/1", "rule": "tinyshell", "pattern": "$a"}],
        script_actions=[{"path": "/opt/2", "action": "starts", "object": "/opt/1"}],
    )


INDICATORS = [
    Indicator("c1", "r1", "sha256", f"{1:064x}", "sample", 90, "R"),
    Indicator("c2", "r1", "account", "vex", "malicious", 70, "R"),
]


def test_every_adapter_speaks_and_stories_join(written) -> None:
    coverage = Coverage()
    findings = run(written, load_rules(), INDICATORS, coverage)
    assert {f.rule_kind for f in findings} >= {"sql", "yara", "indicator", "advisory"}
    assert coverage.complete, coverage.to_json()["not_examined"]
    sample = next(f for f in findings if f.rule_id == "indicator:sha256")
    assert sample.severity == "critical" and sample.first_seen == SEEN and sample.run == "r"
    assert sample.evidence[0].shows.startswith("/opt/1 file")
    assert sample.story is not None and sample.story == next(f.story for f in findings if f.rule_id == "tinyshell")
    assert {s.id for s in tell(findings)} == {f.story for f in findings} - {None}
    assert [f.severity for f in findings] == sorted((f.severity for f in findings), key=severity_rank, reverse=True)


def test_the_same_input_gives_the_same_bytes(written) -> None:
    first, second = (json.dumps([f.to_json() for f in run(written, load_rules(), INDICATORS)]) for _ in range(2))
    assert first == second


def test_no_evidence_no_rules_no_findings() -> None:
    coverage = Coverage()
    assert run({}, load_rules(), INDICATORS, coverage) == []
    asked = [r for r in load_rules() if r.active and r.kind != "baseline"]  # nothing to compare with
    assert coverage.complete and coverage.examined["rules"] == len(asked)
    assert run({}, Catalogue(())) == []


def test_bad_rule_files_and_damaged_evidence_are_coverage(written, sql_rule, tmp_path: Path) -> None:
    folder = sql_rule("bad-rule", "SELECT nothing AS subject FROM files")
    (folder / "broken.yml").write_text("a: [")
    damaged = tmp_path / "elf.parquet"
    damaged.write_bytes(b"PAR1")
    coverage = Coverage()
    findings = run({**written, "elf": [damaged]}, load_rules([folder]), INDICATORS, coverage)
    assert {(m.area, m.reason) for m in coverage.misses} == {
        ("rule", "bad-rule"), ("rule:bad-rule", "failed"), ("table:elf", "unreadable"),
    }  # fmt: skip
    assert "indicator:sha256" in {f.rule_id for f in findings}
    assert not coverage.complete


def test_damage_behind_the_footer_costs_what_reads_it_only(written) -> None:
    path = written["files"][0]
    data = bytearray(path.read_bytes())
    data[8 : len(data) // 2] = b"\xff" * (len(data) // 2 - 8)
    path.write_bytes(bytes(data))
    coverage = Coverage()
    findings = run(written, load_rules(), INDICATORS, coverage)
    assert coverage.misses and "indicator:account" in {f.rule_id for f in findings}


def test_asking_many_runs(tmp_path: Path) -> None:
    runs = []
    for host in ("a", "b"):
        folder = tmp_path / f"host={host}" / "run=1"
        folder.mkdir(parents=True)
        runs.append((host, "1", write_rows(folder, [filled("files", {"path": f"/{host}"})])))
    columns, rows = ask(runs, "SELECT host, run, path FROM files ORDER BY host")
    assert (columns, rows) == (["host", "run", "path"], [("a", "1", "/a"), ("b", "1", "/b")])
    assert len(ask(runs, "SELECT path FROM files", limit=1)[1]) == 1
    assert ask([], "SELECT count(*) FROM files")[1] == [(0,)]
    for sql in ("DROP VIEW files", "SELECT x FROM files", "SELECT * FROM read_text('/etc/passwd')"):
        with pytest.raises(UsageError):
            ask(runs, sql)
    with pytest.raises(UsageError):
        ask(
            runs,
            "SELECT count(*) FROM range(100000000) a, range(1000000) b WHERE (a.range + b.range) % 7 = 8",
            seconds=0.2,
        )

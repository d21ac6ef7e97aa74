"""Reports come back as they were put in, and people's decisions outlive a second reading."""

from __future__ import annotations

from pathlib import Path

from hinomi.model.claims import Claim, Relation, Report, Section
from hinomi.store.case import Case

REPORT = Report(
    id="r" * 64,
    source="post.txt",
    title="新種の観測",
    language="ja",
    published="2026-01-02",
    text="kawara.example は C2。",
    sections=(Section("新種の観測", "article", (0, 20)),),
    claims=(
        Claim("c1", "domain", "kawara.example", "kawara.example", (0, 14), "command-and-control", 0, 80, why="fanged"),
        Claim("c2", "malware", "Kawara", "kawara", (0, 6), attributes={"spans": [[0, 6]]}, canonical="Kawara"),
    ),
    relations=(Relation("c2", "uses", "c1", (0, 20), 60),),
    sha256="0" * 64,
)


def test_a_report_comes_back_whole(tmp_path: Path) -> None:
    with Case.open(tmp_path) as case:
        case.library.add(REPORT)
        assert case.library.get(REPORT.id) == REPORT
        assert case.library.get("rrr") == REPORT
        assert case.library.reports() == [REPORT]
        assert case.library.get("nothing") is None


def test_a_decision_outlives_reading_again(tmp_path: Path) -> None:
    with Case.open(tmp_path) as case:
        case.library.add(REPORT)
        assert case.library.decide(REPORT.id, "c1", "rejected", who="hanako", why="our own proxy")
        assert not case.library.decide(REPORT.id, "none", "rejected", who="hanako", why="")
        case.library.add(REPORT)
        kept = case.library.get(REPORT.id)
        assert kept is not None
        assert {c.id: c.status for c in kept.claims} == {"c1": "rejected", "c2": "suggested"}


def test_a_percent_sign_is_no_wildcard(tmp_path: Path) -> None:
    with Case.open(tmp_path) as case:
        case.library.add(REPORT)
        assert case.library.get("%") is None

"""Reports come back as they were put in, and people's decisions outlive a second reading."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from hinomi.model.claims import Claim, Relation, Report, Section
from hinomi.model.findings import Finding, RuleKind
from hinomi.model.text import Bilingual
from hinomi.store.case import Case

OpenCase = Callable[..., Case]

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
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


def test_a_report_comes_back_whole(tmp_path: Path, open_case: OpenCase) -> None:
    with open_case(tmp_path) as case:
        case.library.add(REPORT)
        assert case.library.get(REPORT.id) == REPORT
        assert case.library.get("rrr") == REPORT
        assert case.library.reports() == [REPORT]
        assert case.library.get("nothing") is None


def test_a_decision_outlives_reading_again(tmp_path: Path, open_case: OpenCase) -> None:
    with open_case(tmp_path) as case:
        case.library.add(REPORT)
        assert case.library.decide(REPORT.id, "c1", "rejected", who="hanako", why="our own proxy")
        assert not case.library.decide(REPORT.id, "none", "rejected", who="hanako", why="")
        case.library.add(REPORT)
        kept = case.library.get(REPORT.id)
        assert kept is not None
        assert {c.id: c.status for c in kept.claims} == {"c1": "rejected", "c2": "suggested"}


def test_a_decision_holds_for_a_page_that_was_changed(tmp_path: Path, open_case: OpenCase) -> None:
    page = replace(REPORT, source="https://vendor.example/post")
    with open_case(tmp_path) as case:
        case.library.add(page)
        case.library.decide(page.id, "c1", "rejected", who="hanako", why="our own proxy")
        case.library.add(replace(page, id="s" * 64, text=page.text + " 追記。"))
        assert [(d.claim_id, d.why) for d in case.library.decisions("s" * 64)] == [("c1", "our own proxy")]
        case.library.add(replace(REPORT, id="t" * 64))
        assert case.library.decisions("t" * 64) == (), "a file's name is no address"


def test_a_percent_sign_is_no_wildcard(tmp_path: Path, open_case: OpenCase) -> None:
    with open_case(tmp_path) as case:
        case.library.add(REPORT)
        assert case.library.get("%") is None


def test_who_decided_when_and_why_outlives_reading_again(tmp_path: Path, open_case: OpenCase) -> None:
    with open_case(tmp_path, lambda: NOON) as case:
        case.library.add(REPORT)
        case.library.decide(REPORT.id, "c1", "rejected", who="hanako", why="our own proxy")
        case.library.add(REPORT)
        (decision,) = case.library.decisions(REPORT.id)
        assert decision.to_json() == {
            "claim": "c1", "status": "rejected", "who": "hanako", "at": NOON.isoformat(), "why": "our own proxy",
        }  # fmt: skip


def test_an_allowed_value_is_harmless_until_it_is_taken_off(tmp_path: Path, open_case: OpenCase) -> None:
    with open_case(tmp_path) as case:
        case.library.add(REPORT)
        case.library.allowed.add("domain", "KAWARA.example.", who="hanako", why="ours")
        claim = case.library.claims(REPORT.id)[0]
        assert (claim.role, claim.why) == ("benign", "allowed by hanako: ours")
        assert claim.attributes["allowed"]["why"] == "ours"
        assert case.library.allowed.remove("domain", "kawara.example")
        assert not case.library.allowed.remove("domain", "kawara.example")
        assert case.library.claims(REPORT.id)[0].role == "command-and-control"


def finding(key: str, kind: RuleKind, *reports: str) -> Finding:
    words = Bilingual("x", "x")
    return Finding(key, "r", kind, words, words, "low", 10, "/", "file", key, reports=reports)


def test_deleting_a_report_withdraws_what_only_it_supported(tmp_path: Path, open_case: OpenCase) -> None:
    with open_case(tmp_path) as case:
        case.library.add(REPORT)
        case.findings.keep(
            [
                finding("only-it", "indicator", REPORT.id),
                finding("two-reports", "indicator", REPORT.id, "other"),
                finding("a-rule", "sql", REPORT.id),
                finding("unrelated", "indicator", "other"),
            ],
            "run",
            "2026-01-01",
        )
        gone = case.library.remove(REPORT.id)
        assert gone is not None
        assert (gone.findings, gone.weakened) == (("only-it",), ("a-rule", "two-reports"))
        left = {f.id: f.reports for f in case.findings.of_run("run")}
        assert left == {"two-reports": ("other",), "a-rule": (), "unrelated": ("other",)}
        assert case.library.get(REPORT.id) is None
        assert case.library.claims(REPORT.id) == ()
        assert case.library.remove(REPORT.id) is None


def test_a_report_is_found_by_the_beginning_of_its_number(tmp_path: Path, open_case: OpenCase) -> None:
    with open_case(tmp_path) as case:
        for number in ("3f2a", "3f2b", "3f2"):
            case.library.add(replace(REPORT, id=f"report--{number}"))
        found = case.library.get
        assert [r.id if (r := found(w)) else None for w in ("3f2a", "3f", "report--3f2", "")] == [
            "report--3f2a", None, "report--3f2", None,
        ]  # fmt: skip

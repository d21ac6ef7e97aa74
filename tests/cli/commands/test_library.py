"""The library as a user meets it: decide, allow, merge, search, and the way in and out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hinomi.store.case import Case

ONE = "Kawara advisory\nKawara talks to C2 203.0.113[.]77 and beacons to c2 198.51.100[.]4. Upgrade Apache Log4j to 2.15.0 or later.\n"
TWO = "瓦の報告\nC2は 203.0.113[.]77 である。Apache Log4j を 2.17.1以降へアップグレードすること。\n"


@pytest.fixture
def filled(hinomi: Any, tmp_path: Path) -> Any:
    (tmp_path / "one.txt").write_text(ONE)
    (tmp_path / "two.txt").write_text(TWO)
    assert hinomi.with_case("library", "import", "one.txt", "two.txt").code == 0
    return hinomi


def reports(hinomi: Any) -> dict[str, str]:
    listed = json.loads(hinomi.with_case("library", "list", "--format", "json").out)
    return {r["source"]: r["id"] for r in listed}


def shown(hinomi: Any, report: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(hinomi.with_case("library", "show", report, "--format", "json").out)
    return body


def test_a_decision_records_who_and_why(filled: Any) -> None:
    report = reports(filled)["one.txt"]
    short = report.removeprefix("report--")[:10]
    assert filled.with_case("library", "reject", short, "203.0.113.77", "--why", "our own sensor").code == 0
    body = shown(filled, report)
    (decision,) = body["decisions"]
    assert (decision["status"], decision["why"]) == ("rejected", "our own sensor")
    assert decision["who"]
    assert decision["at"].startswith("20")
    table = filled.with_case("library", "show", short).out
    assert "our own sensor" in table
    filled.with_case("library", "accept", short)
    statuses = {c["value"]: c["status"] for c in shown(filled, report)["claims"]}
    assert statuses["203.0.113.77"] == "rejected"
    assert set(statuses.values()) == {"rejected", "accepted"}


def test_nothing_is_decided_where_a_name_fits_nothing(filled: Any) -> None:
    report = reports(filled)["one.txt"]
    ran = filled.with_case("library", "accept", report, "203.0.113.77", "nothing.example")
    assert ran.code == 2
    assert "library.no-such-claim" in ran.err
    assert shown(filled, report)["decisions"] == []


def test_an_allowed_value_is_no_active_indicator(filled: Any) -> None:
    from hinomi.flow.checking import indicators_in, library_indicators

    for report in reports(filled).values():
        filled.with_case("library", "accept", report)
    assert filled.with_case("library", "allow", "ipv4", "203.0.113.77", "--why", "our proxy").code == 0
    with Case.open(filled.case) as case:
        values = {i.value for i in library_indicators(case)}
        assert "198.51.100.4" in values
        assert "203.0.113.77" not in values
        assert "203.0.113.77" not in {i.value for i in indicators_in(case.library.reports(), accepted_only=False)}
    claim = next(c for c in shown(filled, reports(filled)["two.txt"])["claims"] if c["value"] == "203.0.113.77")
    assert (claim["role"], "our proxy" in claim["why"]) == ("benign", True)
    assert json.loads(filled.with_case("library", "allow", "--list", "--format", "jsonl").out)["why"] == "our proxy"
    assert filled.with_case("library", "allow", "--remove", "ipv4", "203.0.113.77").code == 0
    assert filled.with_case("library", "allow", "--remove", "ipv4", "203.0.113.77").code == 2
    assert filled.with_case("library", "allow", "--list", "--format", "jsonl").out == ""
    assert filled.with_case("library", "allow", "nonsense", "x").code == 2
    with Case.open(filled.case) as case:
        assert "203.0.113.77" in {i.value for i in library_indicators(case)}


def test_rejecting_can_allow_too(filled: Any) -> None:
    report = reports(filled)["one.txt"]
    filled.with_case("library", "reject", report, "198.51.100.4", "--allow", "--why", "ours")
    assert "198.51.100.4" in filled.with_case("library", "allow", "--list").out


def test_merging_shows_what_differs(filled: Any) -> None:
    view = json.loads(filled.with_case("library", "merge", "--format", "json").out)
    assert view["schema"] == "hinomi.merge/1"
    shared = next(c for c in view["claims"] if c["value"] == "203.0.113.77")
    assert shared["reports"] == 2
    assert {v["source"] for v in shared["said_by"]} == {"one.txt", "two.txt"}
    (found,) = [c for c in view["contradictions"] if c["kind"] == "fixed-version"]
    assert found["counts"] == "2.17.1"
    for language, word in (("en", "contradiction"), ("ja", "食い違い")):
        table = filled.with_case("library", "merge", "--lang", language).out
        assert "2.15.0" in table
        assert word in table


def test_search_in_both_languages(filled: Any) -> None:
    found = json.loads(filled.with_case("library", "search", "ｱｯﾌﾟｸﾞﾚｰﾄﾞ", "log4j", "--format", "json").out)
    assert {f["source"] for f in found} == {"two.txt"}
    start, end = next(f["span"] for f in found if "アップ" in f["snippet"])
    assert TWO[start:end] in ("アップグレード", "Log4j")
    assert filled.with_case("library", "search", "nowhere").out.count("one.txt") == 0


@pytest.mark.parametrize("form", ["stix", "misp", "csv"])
def test_what_is_exported_can_be_imported(filled: Any, form: str, tmp_path: Path) -> None:
    assert filled.with_case("library", "export", "--format", form, "-o", "out").code == 0
    other = tmp_path / "other"
    ran = filled("library", "import", "out", "--case", str(other), "--format", "json")
    assert ran.code == 0
    assert len(json.loads(ran.out)) == (2 if form == "stix" else 1)
    with Case.open(other) as there, Case.open(filled.case) as here:
        kinds = ("ipv4", "product", "fixed-version", "mitigation") if form == "stix" else ("ipv4",)

        def said(case: Case) -> set[tuple[str, str]]:
            return {(c.type, c.value) for r in case.library.reports() for c in r.claims if c.type in kinds}

        assert said(there) == said(here) != set()


def test_a_layer_is_a_layer(filled: Any) -> None:
    layer = json.loads(filled.with_case("library", "export", "--format", "navigator").out)
    assert layer["versions"]["layer"] == "4.5"


def test_removing_a_report_is_recorded(filled: Any) -> None:
    report = reports(filled)["one.txt"]
    assert filled.with_case("library", "remove", report).code == 0
    assert set(reports(filled)) == {"two.txt"}
    assert filled.with_case("library", "remove", report).code == 2
    with Case.open(filled.case) as case:
        assert case.journal.entries()[-1].event == "report-removed"
        assert case.journal.broken_at() is None


def test_an_empty_library_says_so(hinomi: Any) -> None:
    for command in ("merge", "export"):
        ran = hinomi.with_case("library", command)
        assert (ran.code, "library.empty" in ran.err) == (2, True)


def test_nothing_connects_unasked(hinomi: Any) -> None:
    for arguments in (
        ("read", "http://127.0.0.1:9/x"), ("library", "import", "https://h.example/"),
        ("library", "pull", "https://h.example/taxii2/"), ("check", "HTTP://h.example/"),
    ):  # fmt: skip
        ran = hinomi.with_case(*arguments)
        assert (ran.code, "online.not-asked" in ran.err) == (2, True), arguments


def test_structured_files_are_reports_as_any(hinomi: Any, tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text("type,value\nip,203.0.113.9\n")
    body = json.loads(hinomi.with_case("read", "l.csv", "--format", "json").out)
    assert [(c["type"], c["value"], c["role"]) for c in body["claims"]] == [("ipv4", "203.0.113.9", "malicious")]
    (tmp_path / "bad.xml").write_text('<ioc xmlns="http://schemas.mandiant.com/2010/ioc">')
    ran = hinomi.with_case("library", "import", "bad.xml")
    assert (ran.code, "report-damaged" in ran.err) == (2, True)

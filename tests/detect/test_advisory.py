"""Advisories: content decides where it can, versions where it cannot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hinomi.detect.advisory import match_advisories
from hinomi.detect.advisoryfile import read_advisory, report_rules
from hinomi.detect.catalogue import load_rules
from hinomi.detect.sql import Evidence
from hinomi.intel.osv import ranges_of
from hinomi.intel.read import read_report
from hinomi.model.errors import RuleError
from hinomi.model.findings import Coverage

CORE = "org.apache.logging.log4j:log4j-core"
RECORD = {
    "id": "TEST-1",
    "aliases": ["CVE-2099-1"],
    "summary": "A test",
    "affected": [
        {
            "package": {"ecosystem": "Maven", "name": "g:a"},
            "ranges": [
                {
                    "type": "ECOSYSTEM",
                    "events": [{"introduced": "1.0"}, {"fixed": "1.10"}, {"introduced": "2.0"}, {"fixed": "2.3"}],
                }
            ],
        },
        {
            "package": {"ecosystem": "Debian:12", "name": "somesrc"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.2-3"}]}],
        },
    ],
}


def rule(tmp_path: Path, record=RECORD, **own):
    path = tmp_path / "test-1.json"
    path.write_text(json.dumps({**record, "database_specific": own} if own else record), encoding="utf-8")
    return read_advisory(path)


def library(state: str, **changes):
    return {
        "path": f"/x/{state}.jar » y",
        "container": f"/x/{state}.jar",
        "name": CORE,
        "state": state,
        "why": "marker",
    } | changes


def found(written, rules):
    coverage = Coverage()
    with Evidence(written) as evidence:
        drafts = list(match_advisories(evidence, rules, coverage))
    return drafts, coverage


def test_each_state_of_log4j_has_its_severity(tables) -> None:
    states = {
        "vulnerable": "critical",
        "below-fix": "medium",
        "mitigated": "low",
        "metadata-only": "low",
        "end-of-life": "low",
    }
    rows = [library(state, cves=["CVE-2021-44228", "CVE-2021-44832"]) for state in states]
    drafts, _ = found(tables(libraries=[*rows, library("fixed"), library("present")]), load_rules().of_kind("advisory"))
    assert {d.subject.split("/")[2].removesuffix(".jar » y"): d.severity for d in drafts} == states
    assert {d.rule_id for d in drafts} == {"cve-2021-44228"}, "one finding a copy, under its gravest advisory"
    assert drafts[0].related[0].endswith(".jar") and "update-log4j" in drafts[0].responses
    assert next(d for d in drafts if "metadata" in d.subject).confidence <= 40


def test_the_version_just_below_the_last_fix_is_a_finding(tables) -> None:
    row = library("below-fix", version="2.17.0", content_version="2.17.0|2.12.3|2.3.1", cves=["CVE-2021-44832"])
    (draft,), _ = found(tables(libraries=[row]), load_rules().of_kind("advisory"))
    assert (draft.rule_id, draft.severity) == ("cve-2021-44832", "medium")
    assert draft.values["version"] == "2.17.0 (2.17.0|2.12.3|2.3.1)"


def test_content_counts_though_no_advisory_is_at_hand(tables) -> None:
    (draft,), _ = found(tables(libraries=[library("vulnerable", cves=["CVE-2021-44228"])]), [])
    assert (draft.rule_id, draft.severity, draft.behaviours) == ("library-state", "critical", ("vulnerable-library",))


def test_versions_are_compared_by_their_ecosystem(tables, tmp_path) -> None:
    versions = ["0.9", "1.0", "1.9", "1.10", "2.2.9", "2.3", None]
    written = tables(
        libraries=[library("present", path=f"/{v}", name="G:A", version=v) for v in versions],
        packages=[
            {
                "name": "somebin",
                "source": "somesrc",
                "version": "1.2-2",
                "purl": "pkg:deb/debian/somebin@1.2-2?distro=x",
            },
            {"name": "somesrc", "version": "1.2-3", "purl": "pkg:deb/debian/somesrc@1.2-3"},
            {"name": "somesrc", "version": "1.0", "purl": "pkg:rpm/fedora/somesrc@1.0"},
        ],
    )
    drafts, coverage = found(written, [rule(tmp_path)])
    assert [d.subject for d in drafts] == ["/1.0", "/1.9", "/2.2.9", "somebin"]
    assert (drafts[-1].subject_type, drafts[0].subject_type) == ("package", "library")
    assert drafts[0].values["fixed"] == ["1.10", "2.3"] and coverage.complete


def test_hostile_ranges_cost_their_advisory_only(tables, tmp_path) -> None:
    bad = {
        "id": "TEST-1",
        "affected": [{"package": {"ecosystem": "Maven", "name": "g:a"}, "ranges": [{"events": [3]}]}],
    }
    drafts, coverage = found(tables(libraries=[library("present", name="g:a", version="1")]), [rule(tmp_path, bad)])
    assert drafts == [] and [m.area for m in coverage.misses] == ["rule:test-1"]


def test_own_words_and_default_words(tmp_path: Path) -> None:
    plain = rule(tmp_path)
    assert (plain.id, plain.severity, plain.title.en) == ("test-1", "medium", "A test")
    own = rule(
        tmp_path, severity="CRITICAL", title={"en": "e", "ja": "日"}, responses=["x"], threats=["T"], behaviours=["b"]
    )
    assert (own.severity, own.title.ja, own.responses, own.threats) == ("critical", "日", ("x",), ("T",))
    assert rule(tmp_path, severity="MODERATE").severity == "medium"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"id": 1}', '{"id": "x", "affected": 3}', "[" * 100_000])
def test_wrong_files_are_rule_errors(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x-1.json"
    path.write_text(text)
    with pytest.raises(RuleError) as caught:
        read_advisory(path)
    assert caught.value.place.startswith(str(path))


def test_a_fixed_copy_with_newer_weaknesses_is_low_and_says_that_the_family_is_fixed(tables) -> None:
    row = library("fixed", version="2.17.1", cves=["CVE-2025-68161"])
    (draft,), _ = found(
        tables(libraries=[row, library("fixed", path="/clean.jar » y")]), load_rules().of_kind("advisory")
    )
    assert (draft.severity, draft.attributes["cves"]) == ("low", ["CVE-2025-68161"])
    assert "JNDI family of weaknesses is fixed" in draft.explanation.en


def test_report_versions_are_findings_of_that_report(tables) -> None:
    text = "Kestrelgate Gateway versions before 4.2.9 are vulnerable. Upgrade to Kestrelgate Gateway 4.2.9."
    report = read_report("r", text.encode())
    rules = report_rules([*ranges_of(report), {"id": 3}])
    packages = [
        {"name": name, "source": "", "version": version, "purl": "pkg:deb/debian/x@1"}
        for name, version in (("kestrelgate-gateway", "1:4.2.8-1+deb12u1"), ("kestrelgate-gateway-libs", "4.2.9-1"))
    ]
    other = [{"name": "kestrel", "source": "", "version": "1.0", "purl": "pkg:rpm/fedora/kestrel@1.0"}]
    (draft,), coverage = found(tables(packages=packages + other), rules)
    assert (draft.subject, draft.reports, draft.severity) == ("kestrelgate-gateway", (report.id,), "low")
    assert draft.values["fixed"] == ["4.2.9"] and coverage.complete


def test_a_known_product_of_a_report_is_compared_as_its_package(tables) -> None:
    report = read_report("r", b"Upgrade to Log4j 2.17.1 (Java 8), 2.12.4 (Java 7) or 2.3.2 (Java 6).")
    versions = ("2.12.3", "2.12.4", "2.17.0", "2.17.1", "2.3.2")
    rows = [library("present", path=f"/{v}", ecosystem="maven", version=v) for v in versions]
    drafts, _ = found(tables(libraries=rows), report_rules(ranges_of(report)))
    assert [(d.subject, d.severity) for d in drafts] == [("/2.12.3", "medium"), ("/2.17.0", "medium")]

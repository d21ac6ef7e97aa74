"""Yes needs a finding; no needs that everything was looked for; all else is unknown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hinomi.brief.judge import Look, concerns, judge
from hinomi.model.claims import Claim, ClaimCoverage, Report
from hinomi.model.findings import Coverage, Finding
from hinomi.model.text import Bilingual

BOTH = Bilingual("Twins", "双子")


def claim(number: int, kind: str, value: str, **more: object) -> Claim:
    return Claim(f"c{number}", kind, value, value, (0, len(value)), **more)  # type: ignore[arg-type]


def report(*claims: Claim) -> Report:
    return Report("R", "r.txt", "Title", "en", None, "text", (), claims)


def finding(**more: object) -> Finding:
    base = {
        "id": "f1", "rule_id": "twins", "rule_kind": "sql", "title": BOTH, "explanation": BOTH, "severity": "high",
        "confidence": 80, "target": "/mnt", "subject_type": "script", "subject_key": "/x",
    }  # fmt: skip
    return Finding(**(base | more))  # type: ignore[arg-type]


def look(*findings: Finding, coverage: Coverage | None = None, **organisation: object) -> Look:
    return Look(("/mnt",), findings, (), coverage or Coverage(), organisation)


CHECKED = (ClaimCoverage("c1", ("twins",), None),)
BEHAVIOUR = claim(1, "behaviour", "mutual-watchdog")


def test_a_high_finding_that_fits_means_compromised() -> None:
    verdict = judge(report(BEHAVIOUR), CHECKED, look(finding(behaviours=("mutual-watchdog",))))
    assert verdict.compromised.answer == "yes"
    assert "f1" in verdict.compromised.reasons[0].because
    assert verdict.findings[0].id == "f1"


def test_a_finding_about_something_else_is_counted_apart() -> None:
    verdict = judge(report(BEHAVIOUR), CHECKED, look(finding(behaviours=("timestomp",))))
    assert verdict.compromised.answer == "no"
    assert verdict.other_findings == 1
    assert verdict.findings == ()
    assert "f1" in verdict.compromised.reasons[-1].because


def test_a_medium_finding_is_suspicious_not_proof() -> None:
    found = finding(behaviours=("mutual-watchdog",), severity="medium")
    assert judge(report(BEHAVIOUR), CHECKED, look(found)).compromised.answer == "unknown"


def test_no_needs_that_every_claim_was_checked() -> None:
    assert judge(report(BEHAVIOUR), CHECKED, look()).compromised.answer == "no"
    gap = (ClaimCoverage("c1", (), "gap.needs-mail"),)
    verdict = judge(report(BEHAVIOUR), gap, look())
    assert verdict.compromised.answer == "unknown"
    assert verdict.unchecked[0]["gap"] == "gap.needs-mail"
    assert "mailboxes" in verdict.compromised.reasons[0].text.en


def test_no_needs_a_complete_look() -> None:
    coverage = Coverage()
    coverage.miss("files", "/mnt/locked", "permission")
    verdict = judge(report(BEHAVIOUR), CHECKED, look(coverage=coverage))
    assert verdict.compromised.answer == "unknown"
    assert "/mnt/locked" in verdict.compromised.reasons[0].text.en


def test_a_process_that_ended_meanwhile_leaves_the_look_complete() -> None:
    coverage = Coverage()
    coverage.miss("processes", "4711", "vanished", transient=True)
    assert judge(report(BEHAVIOUR), CHECKED, look(coverage=coverage)).compromised.answer == "no"


def test_rejected_claims_count_for_nothing() -> None:
    rejected = replace(BEHAVIOUR, status="rejected")
    assert not concerns(finding(behaviours=("mutual-watchdog",)), report(rejected))


@pytest.mark.parametrize("name", ["Kawara", "KAWARA"])
def test_a_threat_is_matched_by_its_canonical_name(name: str) -> None:
    said = report(claim(1, "malware", "瓦", canonical="Kawara"))
    assert concerns(finding(threats=(name,)), said)


def test_what_most_intrusions_do_ties_no_finding_to_a_report() -> None:
    assert not concerns(finding(behaviours=("boot-persistence",)), report(claim(1, "behaviour", "boot-persistence")))
    assert concerns(finding(behaviours=("mutual-watchdog",)), report(BEHAVIOUR))


VULNERABLE = claim(1, "cve", "CVE-2021-44228")


def test_a_vulnerable_copy_means_affected_and_not_yet_compromised() -> None:
    copy = finding(rule_kind="advisory", attributes={"cves": ["CVE-2021-44228"]})
    verdict = judge(report(VULNERABLE), CHECKED, look(copy))
    assert verdict.affected.answer == "yes"
    assert verdict.compromised.answer == "no"


def test_unaffected_needs_that_the_product_can_be_checked() -> None:
    assert judge(report(VULNERABLE), CHECKED, look()).affected.answer == "no"
    gap = (ClaimCoverage("c1", (), "gap.no-advisory"),)
    assert judge(report(VULNERABLE), gap, look()).affected.answer == "unknown"
    coverage = Coverage()
    coverage.miss("libraries", "/a.war", "encrypted")
    assert judge(report(VULNERABLE), CHECKED, look(coverage=coverage)).affected.answer == "unknown"


def test_scope_by_organisation() -> None:
    said = report(claim(1, "sector", "防衛", canonical="defence"))
    assert judge(said, CHECKED, look()).affected.answer == "unknown"
    assert judge(said, CHECKED, look(sectors=["防衛"])).affected.answer == "yes"
    assert judge(said, CHECKED, look(sectors=["Defence"])).affected.answer == "yes"

"""Every claim says which rules check it, or why nothing can."""

from __future__ import annotations

from pathlib import Path

import pytest

from hinomi.detect.catalogue import load_rules
from hinomi.detect.checkability import GAPS, coverage_of
from hinomi.locale.catalogue import has_text
from hinomi.model.claims import CLAIM_TYPES, Claim, Report

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "reports"


def covered(kind: str, value: str, role: str = "mentioned", **changes):
    claim = Claim(id="c", type=kind, value=value, text=value, span=(0, 1), role=role, **changes)
    report = Report(id="r", source="s", title="t", language="en", published=None, text="", sections=(), claims=(claim,))
    (one,) = coverage_of(report, load_rules())
    assert (one.gap is None) == bool(one.checked_by) and one.claim_id == "c"
    return one


@pytest.mark.parametrize("kind", CLAIM_TYPES)
def test_every_type_of_claim_is_checked_or_has_a_gap(kind: str) -> None:
    for role in ("mentioned", "malicious", "benign", "victim", "command-and-control"):
        one = covered(kind, "something", role)
        assert one.gap is None or one.gap in GAPS


def test_gaps_have_words() -> None:
    assert [gap for gap in sorted(GAPS) if not has_text(gap)] == []


@pytest.mark.parametrize(
    ("kind", "value", "role", "checked"),
    [
        ("sha256", "ab" * 32, "sample", "indicator:sha256"),
        ("filename", "somed", "malicious", "indicator:filename"),
        ("filepath", "/opt/x/somed", "malicious", "indicator:filepath"),
        ("account", "vex", "malicious", "indicator:account"),
        ("domain", "evil.example", "command-and-control", "indicator:domain"),
        ("behaviour", "mutual-watchdog", "malicious", "mutual-watchdog"),
        ("attack-technique", "T1136.001", "mentioned", "second-uid0-account"),
        ("malware", "tiny shell", "malicious", "tinyshell"),
        ("cve", "cve-2021-44228", "mentioned", "cve-2021-44228"),
        ("product", "Apache Log4j", "affected", "cve-2021-44832"),
    ],
)
def test_what_is_checked(kind: str, value: str, role: str, checked: str) -> None:
    assert checked in covered(kind, value, role).checked_by


@pytest.mark.parametrize(
    ("kind", "value", "role", "gap"),
    [
        ("md5", "0" * 32, "sample", "gap.hash-kind"),
        ("filename", "somed", "benign", "gap.not-malicious"),
        ("ipv4", "10.0.0.1", "command-and-control", "gap.too-vague"),
        ("behaviour", "phishing", "malicious", "gap.needs-mail"),
        ("behaviour", "vulnerability-scanning", "malicious", "gap.needs-logs"),
        ("behaviour", "hash-cracking", "malicious", "gap.elsewhere"),
        ("behaviour", "no-such-behaviour", "malicious", "gap.no-rule"),
        ("attack-technique", "T1566.001", "mentioned", "gap.needs-mail"),
        ("attack-technique", "T9999", "mentioned", "gap.no-rule"),
        ("malware", "NeverHeardOf", "malicious", "gap.no-rule-for-name"),
        ("actor", "Nobody Panda", "malicious", "gap.context-only"),
        ("cve", "CVE-1999-0001", "mentioned", "gap.no-advisory"),
        ("product", "SonicWall SMA 100", "affected", "gap.no-product-version"),
        ("product", "SMA100", "affected", "gap.no-product-version"),
        ("mutex", "x", "malicious", "gap.needs-memory"),
        ("email", "a@b.example", "malicious", "gap.needs-mail"),
        ("mitigation", "update", "mentioned", "gap.is-advice"),
        ("sector", "defense", "victim", "gap.context-only"),
    ],
)
def test_what_is_not_checked(kind: str, value: str, role: str, gap: str) -> None:
    assert covered(kind, value, role).gap == gap


def test_a_parent_technique_is_checked_by_rules_for_its_children_but_not_by_look_alikes() -> None:
    assert "second-uid0-account" in covered("attack-technique", "T1136").checked_by
    assert covered("attack-technique", "T113").checked_by == ()
    assert covered("attack-technique", "T1136.002").checked_by == ()


def test_versions_are_bound_to_their_product() -> None:
    fixed = covered("fixed-version", "2.17.1", "fixed", attributes={"product": "Apache Log4j"})
    assert "cve-2021-44832" in fixed.checked_by
    assert covered("fixed-version", "2.17.1", "fixed", attributes={"product": "Apache Tomcat"}).checked_by == ()
    assert covered("fixed-version", "2.17.1", "fixed").checked_by == ()


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real reports stand beside the checkout")
@pytest.mark.parametrize("path", sorted(SHARED.glob("*")) if SHARED.is_dir() else [], ids=lambda p: p.name)
def test_the_real_reports_are_covered_claim_by_claim(path: Path) -> None:
    from hinomi.intel.read import read_report

    report = read_report(path.name, path.read_bytes())
    coverage = coverage_of(report, load_rules())
    assert [one.claim_id for one in coverage] == [claim.id for claim in report.claims]
    behaviours = {c.id: c.value for c in report.claims if c.type == "behaviour"}
    gaps = {behaviours[one.claim_id]: one.gap for one in coverage if one.claim_id in behaviours}
    checked = [behaviour for behaviour, gap in gaps.items() if gap is None]
    assert len(checked) >= len(gaps) / 2, gaps

"""Several reports as one: agreement strengthens, contradictions are shown, and the strict side counts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.intel.merging import merge
from hinomi.model.claims import Claim, ClaimRole, ClaimStatus, ClaimType, Report


def claim(
    kind: ClaimType, value: str, role: ClaimRole = "mentioned", confidence: int = 50, *, canonical: str | None = None,
    status: ClaimStatus = "suggested", **attributes: str,
) -> Claim:  # fmt: skip
    number = f"{kind}|{value}|{attributes}"
    return Claim(
        number, kind, value, value, (0, 1), role, None, confidence, status, canonical=canonical, attributes=attributes
    )


def report(name: str, *claims: Claim) -> Report:
    return Report(name, f"{name}.txt", name, "en", None, "x", (), claims)


def fixed(version: str, branch: str = "", product: str = "Roof Server") -> Claim:
    return claim("fixed-version", version, "fixed", 80, product=product, **({"branch": branch} if branch else {}))


def contradictions(*reports: Report) -> list[tuple[str, str, str | None, str]]:
    return [(c.kind, c.subject, c.branch, c.counts) for c in merge(reports).contradictions]


def test_agreement_strengthens_and_every_voice_is_named() -> None:
    one = report("a", claim("domain", "bad.example", "command-and-control", 60))
    two = report("b", claim("domain", "BAD.example", "malicious", 50))
    view = merge([one, two])
    (merged,) = view.claims
    assert (merged.confidence, merged.reports) == (80, 2), "1 - 0.4 * 0.5"
    assert [(v.source, v.role) for v in merged.voices] == [("a.txt", "command-and-control"), ("b.txt", "malicious")]
    assert view.contradictions == ()


def test_one_report_saying_it_twice_is_one_voice() -> None:
    (merged,) = merge(
        [
            report(
                "a",
                claim("malware", "Kawara", confidence=60),
                claim("malware", "瓦", confidence=50, canonical="Kawara"),
            )
        ]
    ).claims
    assert (merged.confidence, merged.reports, merged.names) == (60, 1, ("瓦",))


def test_fixed_versions_that_differ() -> None:
    a, b = report("a", fixed("2.15.0")), report("b", fixed("2.17.1"))
    assert contradictions(a, b) == [("fixed-version", "Roof Server", None, "2.17.1")]
    (found,) = merge([a, b]).contradictions
    assert [(v.source, v.value) for v in found.voices] == [("a.txt", "2.15.0"), ("b.txt", "2.17.1")]


def test_fixed_versions_are_compared_as_versions_and_per_product() -> None:
    assert contradictions(report("a", fixed("2.9")), report("b", fixed("2.10"))) == [
        ("fixed-version", "Roof Server", None, "2.10")
    ]
    assert contradictions(report("a", fixed("2.9")), report("b", fixed("2.10", product="Other"))) == []
    assert contradictions(report("a", fixed("2.9.0")), report("b", fixed("2.9"))) == []


def test_each_branch_is_compared_with_itself() -> None:
    a = report("a", fixed("2.17.1", "Java 8+"), fixed("2.12.3", "Java 7"))
    b = report("b", fixed("2.17.1", "Java 8"), fixed("2.12.4", "Java 7"))
    assert contradictions(a, b) == [("fixed-version", "Roof Server", "Java 7", "2.12.4")]


def test_release_lines_that_both_name_are_compared() -> None:
    a = report("a", fixed("7.2.3"), fixed("7.0.9"))
    b = report("b", fixed("7.2.3"), fixed("7.0.11"))
    assert contradictions(a, b) == [("fixed-version", "Roof Server", "7.0.x", "7.0.11")]
    assert contradictions(report("a", fixed("6.4.2")), report("b", fixed("7.2.3"))) == [], "two majors, two lines"


def test_an_attackers_value_that_another_calls_harmless() -> None:
    a = report("a", claim("ipv4", "203.0.113.9", "command-and-control", 80))
    b = report("b", claim("ipv4", "203.0.113.9", "benign", 20))
    assert contradictions(a, b) == [("role", "203.0.113.9", None, "command-and-control")]
    assert merge([b, a]).claims[0].role == "command-and-control"


def test_a_name_taken_for_two_things() -> None:
    a = report("a", claim("malware", "Tile", confidence=80, canonical="RoofTile"))
    b = report("b", claim("malware", "tile", confidence=60, canonical="Mosaic"))
    assert contradictions(a, b) == [("name", "Tile", None, "RoofTile")]


def test_rejected_claims_have_no_voice() -> None:
    a = report("a", fixed("2.15.0"))
    b = report("b", replace(fixed("2.17.1"), status="rejected"))
    assert contradictions(a, b) == []


_CLAIMS = st.builds(
    fixed, st.text("0123456789.-rcv", min_size=0, max_size=8), st.sampled_from(["", "Java 7", "Java 8+"])
)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.lists(_CLAIMS, max_size=4), max_size=4))
def test_any_versions_merge_the_same_in_any_order(lists: list[list[Claim]]) -> None:
    reports = [report(str(n), *claims) for n, claims in enumerate(lists)]
    there, back = merge(reports).to_json(), merge(reports[::-1]).to_json()
    assert there["claims"] == back["claims"]
    assert {(c["branch"], c["counts"]) for c in there["contradictions"]} == {
        (c["branch"], c["counts"]) for c in back["contradictions"]
    }
    for merged in there["claims"]:
        assert 0 <= merged["confidence"] <= 100


@pytest.mark.parametrize("count", [0, 1])
def test_few_reports_merge_too(count: int) -> None:
    assert merge([report("a")][:count]).claims == ()

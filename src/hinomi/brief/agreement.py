"""What several reports say of the same thing, in words: where they agree, where they differ, and which side counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from hinomi.brief.words import both
from hinomi.intel.merging import ACTIVE, Contradiction, MergedView, plain
from hinomi.model.claims import Claim, Report
from hinomi.model.findings import Finding
from hinomi.model.text import Bilingual
from hinomi.model.verdict import Reason

MAX_REASONS = 4
"""Contradictions told of each kind."""
MAX_NAMED = 6
"""Things named that reports agree on."""
_TELLING = frozenset({"malware", "actor", "tool", "campaign", "cve", "behaviour", "fixed-version"})


def strengthened(reports: Sequence[Report], view: MergedView) -> list[Report]:
    """Return the reports with each claim as sure as all of them together make it."""
    joint = {(v.report, v.claim): merged.confidence for merged in view.claims for v in merged.voices}

    def surer(report: Report, claim: Claim) -> Claim:
        return replace(claim, confidence=joint.get((report.id, claim.id), claim.confidence))

    return [replace(r, claims=tuple(surer(r, c) for c in r.claims)) for r in reports]


def version_reasons(report: Report, view: MergedView) -> list[Reason]:
    """Return where other reports give other fixed versions for a product of this report."""
    return [_reason(found) for found in differing(report, view, "fixed-version")][:MAX_REASONS]


def sign_reasons(report: Report, view: MergedView) -> list[Reason]:
    """Return what other reports say as well, which makes it surer, and the values or names they take otherwise."""
    found = [*differing(report, view, "role"), *differing(report, view, "name")]
    return [*_agreed(report, view), *(_reason(one) for one in found[:MAX_REASONS])]


def differing(report: Report, view: MergedView, kind: str) -> Iterator[Contradiction]:
    """Yield the contradictions of a kind in which this report (or article of one) has a voice."""
    own = {claim.id for claim in report.claims}
    for found in view.contradictions:
        if found.kind == kind and any(v.report == report.id and v.claim in own for v in found.voices):
            yield found


def told_by_a_stricter(finding: Finding, report: Report, view: MergedView) -> bool:
    """Tell whether a version that this report calls fixed is vulnerable by a stricter report on the same product."""
    product = plain(str(finding.attributes.get("product", "")))
    return any(
        plain(found.subject) == product and {v.report for v in found.voices} & set(finding.reports)
        for found in differing(report, view, "fixed-version")
    )


def told(found: Contradiction) -> Bilingual:
    """Return a contradiction as one sentence that names every voice and the side that counts."""
    voices = dict.fromkeys(f"{v.role if found.kind == 'role' else v.value} ({v.source})" for v in found.voices)
    subject = f"{found.subject} ({found.branch})" if found.branch else found.subject
    return both(f"agreement.{found.kind}", subject=subject, said=", ".join(voices), counts=found.counts)


def overruled(claim: Claim, report: Report, view: MergedView) -> str | None:
    """Return the version that counts in place of this claim's, where a stricter report gives one."""
    for found in differing(report, view, "fixed-version"):
        mine = any(v.report == report.id and v.claim == claim.id and v.value != found.counts for v in found.voices)
        if mine:
            return found.counts
    return None


def _reason(found: Contradiction) -> Reason:
    return Reason(told(found), tuple(dict.fromkeys(v.claim for v in found.voices)))


def _agreed(report: Report, view: MergedView) -> list[Reason]:
    """One sentence on what other reports say too: indicators of an attacker, names and behaviours, not places."""
    own = {claim.id for claim in report.claims}
    shared = [
        merged
        for merged in view.claims
        if merged.reports > 1
        and (merged.role in ACTIVE or merged.type in _TELLING)
        and any(v.report == report.id and v.claim in own for v in merged.voices)
    ]
    if not shared:
        return []
    others = dict.fromkeys(v.source for merged in shared for v in merged.voices if v.report != report.id)
    named = ", ".join(f"{merged.value} ({merged.confidence} %)" for merged in shared[:MAX_NAMED])
    words = both("agreement.shared", named=named, sources=", ".join(others))
    return [Reason(words, tuple(v.claim for merged in shared for v in merged.voices if v.report == report.id))]

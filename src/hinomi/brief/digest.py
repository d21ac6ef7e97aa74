"""The digest that colleagues read: per article what it says, whom it concerns, what to do, and how we stand.

Nothing is invented: every line is quoted from the report, derived from its claims, or measured by a scan. The
analyst's own view is a marked empty place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hinomi.brief.agreement import overruled, sign_reasons, version_reasons
from hinomi.brief.judge import ALONE
from hinomi.intel.merging import MergedView
from hinomi.model.claims import Claim, ClaimCoverage, Report, Section
from hinomi.model.findings import severity_rank
from hinomi.model.verdict import Verdict

LEAD_LENGTH = 220
SENTENCE_ENDS = (".", "。", "!", "?", "！", "？", ")", "」")
VERSION_TYPES = ("fixed-version", "affected-version")
NAME_TYPES = ("malware", "actor", "tool", "campaign", "cve")
RANK = {"yes": 2, "unknown": 1, "no": 0}


@dataclass(frozen=True, slots=True)
class Item:
    """One article of one report with the verdict on it (None where nothing was scanned)."""

    report: Report
    verdict: Verdict | None


def articles_of(report: Report) -> list[Report]:
    """Split a report into its articles: each keeps the sections and claims inside the article's span."""
    spans = [s for s in report.sections if s.role == "article"]
    if len(spans) < 2:
        return [report]
    return [a for a in (_article(report, s) for s in spans) if a.claims]


def _article(report: Report, section: Section) -> Report:
    start, end = section.span
    inside = [s for s in report.sections if start <= s.span[0] and s.span[1] <= end and s is not section]
    claims = tuple(c for c in report.claims if any(start <= a < end for a, _ in _spans(c)))
    return replace(report, title=section.heading, sections=(section, *inside), claims=claims)


def _spans(claim: Claim) -> Iterable[tuple[int, int]]:
    yield claim.span
    for span in claim.attributes.get("spans", ()):
        yield (span[0], span[1])


def coverage_within(report: Report, coverage: Sequence[ClaimCoverage]) -> list[ClaimCoverage]:
    """Return the coverage entries of the claims that an article holds."""
    ids = {c.id for c in report.claims}
    return [c for c in coverage if c.claim_id in ids]


def compose(items: Sequence[Item], view: MergedView = ALONE) -> tuple[dict[str, Any], ...]:
    """Return the digest's items, what concerns us most first; `view` says what the reports say of the same things."""
    made = [_compose(item, view) for item in items]
    return tuple(sorted(made, key=lambda i: (-i["rank"], i["title"])))


def _compose(item: Item, view: MergedView) -> dict[str, Any]:
    report, verdict = item.report, item.verdict
    score, why = _rank(report, verdict)
    return {
        "title": report.title,
        "rank": score,
        "rank_why": why,
        "published": report.published,
        "lead": _lead(report),
        "names": _named(report, NAME_TYPES),
        "scope": {
            "quotes": _quotes(report, "scope"),
            "versions": [_version(c, report, view) for c in report.claims if c.type in VERSION_TYPES],
            "sectors": _quoted(report, "sector"),
            "countries": _quoted(report, "country"),
        },
        "differing": [r.text.to_json() for r in version_reasons(report, view)],
        "agreement": [r.text.to_json() for r in sign_reasons(report, view)],
        "view_of_source": _quotes(report, "view"),
        "mitigation": _mitigation(report),
        "sources": _sources(report),
        "verdict": verdict.to_json() if verdict else None,
    }


def _rank(report: Report, verdict: Verdict | None) -> tuple[int, list[str]]:
    """Score 0-100: own hits weigh most, then being affected, then known exploitation."""
    why = []
    score = 0
    if verdict:
        worst = max((severity_rank(f.severity) for f in verdict.findings), default=0)
        score += 15 * worst + 10 * RANK[verdict.affected.answer]
        why += [f"compromised:{verdict.compromised.answer}", f"affected:{verdict.affected.answer}"]
    if any(c.type == "cve" for c in report.claims):
        score += 5
        why.append("names-cve")
    return min(score, 100), why


def _lead(report: Report) -> str:
    """Quote the beginning of the article's body."""
    start = report.sections[0].span[0] if report.sections and report.sections[0].role == "article" else 0
    end = report.sections[0].span[1] if start else len(report.text)
    lines = (line.strip() for line in report.text[start:end].split("\n"))
    body = [line for line in lines if line != report.title and len(line) > 20 and line.endswith(SENTENCE_ENDS)]
    lead = body[0] if body else ""
    return lead if len(lead) <= LEAD_LENGTH else lead[:LEAD_LENGTH].rstrip() + "…"


def _named(report: Report, types: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(c.canonical or c.value for c in report.claims if c.type in types))


def _quoted(report: Report, kind: str) -> list[str]:
    """Return claims in the report's own words, each thing once."""
    words = {c.canonical or c.value: c.text for c in reversed(report.claims) if c.type == kind}
    return list(reversed(words.values()))


def _version(claim: Claim, report: Report, view: MergedView) -> dict[str, Any]:
    operator = str(claim.attributes.get("operator") or "")
    said = claim.value if claim.value.startswith(("<", ">", "=")) else f"{operator} {claim.value}".strip()
    return {
        "kind": claim.type, "version": said, "product": str(claim.attributes.get("product", "")),
        "branch": str(claim.attributes.get("branch") or ""), "overruled_by": overruled(claim, report, view),
    }  # fmt: skip


def _quotes(report: Report, role: str) -> list[str]:
    parts = [_body(report, s) for s in report.sections if s.role == role]
    return [part for part in parts if part]


def _body(report: Report, section: Section) -> str:
    body = report.text[section.span[0] : section.span[1]].strip()
    return body.removeprefix(section.heading).strip()


def _mitigation(report: Report) -> list[str]:
    claims = [c.text for c in report.claims if c.type == "mitigation" and c.status != "rejected"]
    return list(dict.fromkeys(claims)) or _quotes(report, "mitigation")


def _sources(report: Report) -> list[str]:
    links = [c.value for c in report.claims if c.type == "url" and c.role == "reference"]
    return list(dict.fromkeys([report.source, *links]))

"""The three answers, from one report's claims and what was found and looked at.

The rule behind every branch: *yes* needs a finding, *no* needs that everything the report describes was looked for on
everything the target holds, and all else is *unknown* with its reasons.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hinomi.brief.agreement import sign_reasons, told_by_a_stricter, version_reasons
from hinomi.brief.words import both
from hinomi.intel.merging import MergedView
from hinomi.intel.vocabulary.behaviours import behaviours
from hinomi.model.claims import Claim, ClaimCoverage, Report
from hinomi.model.findings import Coverage, Finding, Story, severity_rank
from hinomi.model.text import printable
from hinomi.model.verdict import Action, Answer, Judgement, Reason, Verdict

NAME_TYPES = ("malware", "actor", "tool", "campaign")
VULNERABILITY_TYPES = ("cve", "fixed-version", "affected-version")
COMPROMISE_TYPES = (
    "behaviour", "filename", "filepath", "account", "md5", "sha1", "sha256", "sha512", "ipv4", "ipv6", "domain", "url",
    "mutex", "registry-key", "service", "malware",
)  # fmt: skip
INACTIVE_ROLES = ("benign", "reference", "victim", "impersonated")
MAX_NAMED = 8


@dataclass(frozen=True, slots=True)
class Look:
    """Everything one check saw: findings and stories of all targets, and their joint coverage."""

    targets: tuple[str, ...]
    findings: tuple[Finding, ...]
    stories: tuple[Story, ...]
    coverage: Coverage
    organisation: Mapping[str, Any] = field(default_factory=dict)


ALONE = MergedView((), (), ())
"""The view of a report that was read without others."""


def judge(
    report: Report,
    claim_coverage: Sequence[ClaimCoverage],
    look: Look,
    actions: Sequence[Action] = (),
    view: MergedView = ALONE,
) -> Verdict:
    """Answer the report's three questions for what was looked at; `view` says what reports beside it say."""
    related = tuple(f for f in look.findings if concerns(f, report) or told_by_a_stricter(f, report, view))
    story_ids = {f.story for f in related}
    stories = tuple(s for s in look.stories if s.id in story_ids)
    return Verdict(
        report_id=report.id,
        report_title=report.title,
        report_source=report.source,
        targets=look.targets,
        affected=_and(_affected(report, claim_coverage, related, look), version_reasons(report, view)),
        compromised=_and(_compromised(report, claim_coverage, related, stories, look), sign_reasons(report, view)),
        actions=tuple(actions),
        findings=related,
        stories=stories,
        other_findings=len(look.findings) - len(related),
        coverage=look.coverage.to_json(),
        unchecked=_unchecked(report, claim_coverage),
    )


def _and(judgement: Judgement, reasons: Sequence[Reason]) -> Judgement:
    return replace(judgement, reasons=(*judgement.reasons, *reasons))


def concerns(finding: Finding, report: Report) -> bool:
    """Tell whether a finding is about what the report describes: its indicators, threats, behaviours or CVEs."""
    if report.id in finding.reports:
        return True
    said = _said(report)
    named = {t.casefold() for t in finding.threats}
    cves = {c.upper() for c in finding.attributes.get("cves", ())}
    if finding.rule_kind == "advisory":
        return bool(cves & said.cves) or bool(named & said.names)
    return bool(named & said.names) or bool(_telling(finding.behaviours) & said.behaviours)


def _telling(names: Iterable[str]) -> set[str]:
    """Leave out what most intrusions do: a boot script alone does not tie a finding to a report."""
    known = behaviours()
    return {name for name in names if name not in known or not known[name].common}


@dataclass(frozen=True, slots=True)
class _Said:
    names: frozenset[str]
    behaviours: frozenset[str]
    cves: frozenset[str]


def _said(report: Report) -> _Said:
    active = [c for c in report.claims if c.status != "rejected"]
    names = {n.casefold() for c in active if c.type in NAME_TYPES for n in (c.value, c.canonical) if n}
    return _Said(
        frozenset(names),
        frozenset(c.value for c in active if c.type == "behaviour"),
        frozenset(c.value.upper() for c in active if c.type == "cve"),
    )


# -- are we affected? ---------------------------------------------------------------------------------------------


def _affected(
    report: Report, claim_coverage: Sequence[ClaimCoverage], related: Sequence[Finding], look: Look
) -> Judgement:
    vulnerable = [f for f in related if f.rule_kind == "advisory"]
    if vulnerable:
        return Judgement("yes", tuple(_because_of(f) for f in vulnerable[:MAX_NAMED]))
    products = [c for c in report.claims if c.type in VULNERABILITY_TYPES and c.status != "rejected"]
    if not products:
        return _affected_by_scope(report, look)
    checked = {c.claim_id for c in claim_coverage if c.checked_by}
    open_claims = [c for c in products if c.id not in checked]
    if open_claims:
        return Judgement("unknown", tuple(_product_reason(c) for c in _one_per_product(open_claims)))
    if not look.coverage.complete:
        return Judgement("unknown", (_incomplete(look.coverage),))
    return Judgement("no", (Reason(both("judge.no-vulnerable-copy"), tuple(c.id for c in products)),))


def _one_per_product(claims: Iterable[Claim]) -> list[Claim]:
    seen: dict[str, Claim] = {}
    for claim in claims:
        seen.setdefault(str(claim.attributes.get("product", claim.value)), claim)
    return list(seen.values())[:MAX_NAMED]


def _product_reason(claim: Claim) -> Reason:
    product = str(claim.attributes.get("product", claim.value))
    key = "judge.product-version-unknown" if claim.type != "cve" else "judge.cve-not-checkable"
    return Reason(both(key, product=product, version=claim.value), (claim.id,))


def _affected_by_scope(report: Report, look: Look) -> Judgement:
    wanted = {
        kind: [c for c in report.claims if c.type == kind and c.status != "rejected"] for kind in ("sector", "country")
    }
    named = [c for claims in wanted.values() for c in claims]
    if not named:
        return Judgement("unknown", (Reason(both("judge.no-scope")),))
    ours = {str(v).casefold() for key in ("sectors", "countries") for v in look.organisation.get(key, ())}
    hits = [c for c in named if {c.value.casefold(), (c.canonical or "").casefold(), c.text.casefold()} & ours]
    if hits:
        return Judgement("yes", tuple(Reason(both("judge.in-scope", what=c.text), (c.id,)) for c in hits[:MAX_NAMED]))
    scope = ", ".join(dict.fromkeys(c.text for c in named[:MAX_NAMED]))
    return Judgement("unknown", (Reason(both("judge.scope-by-organisation", scope=scope), tuple(c.id for c in named)),))


# -- are we compromised? ------------------------------------------------------------------------------------------


def _compromised(
    report: Report,
    claim_coverage: Sequence[ClaimCoverage],
    related: Sequence[Finding],
    stories: Sequence[Story],
    look: Look,
) -> Judgement:
    signs = sorted((f for f in related if f.rule_kind != "advisory"), key=_weight)
    strong = [f for f in signs if severity_rank(f.severity) >= severity_rank("high")]
    if strong:
        grave = [s for s in stories if severity_rank(s.severity) >= severity_rank("high")]
        told = {finding for story in grave for finding in story.findings}
        alone = [f for f in strong if f.id not in told]
        reasons_told = (Reason(s.explanation, (s.id, *s.findings)) for s in grave)
        return Judgement("yes", (*reasons_told, *(_because_of(f) for f in alone[:MAX_NAMED])))
    weak = [f for f in signs if severity_rank(f.severity) >= severity_rank("medium")]
    reasons = [_because_of(f) for f in weak[:MAX_NAMED]]
    if weak:
        reasons.insert(0, Reason(both("judge.suspicious", count=len(weak))))
    reasons += _not_looked_at(report, claim_coverage, look)
    answer: Answer = "unknown" if reasons else "no"
    if not reasons:
        reasons = [Reason(both("judge.no-trace"))]
    return Judgement(answer, (*reasons, *_strong_elsewhere(related, look)))


def _strong_elsewhere(related: Sequence[Finding], look: Look) -> Sequence[Reason]:
    """A host may be compromised by something that this report does not describe: say so beside the answer."""
    about = {f.id for f in related}
    others = [f for f in look.findings if f.id not in about and severity_rank(f.severity) >= severity_rank("high")]
    named = ", ".join(dict.fromkeys(f.subject_key for f in others[:3]))
    because = tuple(f.id for f in others)
    return [Reason(both("judge.strong-elsewhere", count=len(others), first=named), because)] if others else []


def _weight(finding: Finding) -> tuple[int, int, str]:
    return (-severity_rank(finding.severity), -finding.confidence, finding.id)


def _not_looked_at(report: Report, claim_coverage: Sequence[ClaimCoverage], look: Look) -> list[Reason]:
    gaps = {c.claim_id: c.gap for c in claim_coverage if c.gap and not c.checked_by}
    open_claims = [c for c in report.claims if c.id in gaps and _matters(c)]
    reasons = []
    if not look.coverage.complete:
        reasons.append(_incomplete(look.coverage))
    by_gap: dict[str, list[Claim]] = {}
    for claim in open_claims:
        by_gap.setdefault(str(gaps[claim.id]), []).append(claim)
    for gap, claims in by_gap.items():
        named = ", ".join(dict.fromkeys(c.text for c in claims[:MAX_NAMED]))
        reasons.append(Reason(both("judge.not-checked", what=named, why=both(gap)), tuple(c.id for c in claims)))
    return reasons


def _incomplete(coverage: Coverage) -> Reason:
    lost = [m for m in coverage.misses if not m.transient]
    first = ", ".join(f"{m.subject} ({m.reason})" for m in lost[:3])
    return Reason(both("judge.coverage-incomplete", count=len(lost), first=first))


def _because_of(finding: Finding) -> Reason:
    named = printable(finding.subject_key) in finding.title.en  # the title says where already
    key = "judge.finding-named" if named else "judge.finding"
    return Reason(both(key, title=finding.title, subject=finding.subject_key, target=finding.target), (finding.id,))


def _unchecked(report: Report, claim_coverage: Sequence[ClaimCoverage]) -> tuple[dict[str, Any], ...]:
    claims = {c.id: c for c in report.claims}
    return tuple(
        {"claim": c.claim_id, "type": claims[c.claim_id].type, "text": claims[c.claim_id].text, "gap": c.gap,
         "why": both(c.gap).to_json()}
        for c in claim_coverage
        if c.gap and not c.checked_by and _matters(claims.get(c.claim_id))
    )  # fmt: skip


def _matters(claim: Claim | None) -> bool:
    """Tell whether a claim describes a compromise: neither a mere reference nor rejected."""
    if claim is None or claim.status == "rejected":
        return False
    return claim.type in COMPROMISE_TYPES and claim.role not in INACTIVE_ROLES

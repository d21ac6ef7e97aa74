"""Hits on their way to findings: what every adapter hands over, merged per subject, worded, and given a stable id."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hinomi.detect.rule import Rule
from hinomi.model.findings import EvidenceRef, Finding, RuleKind, Severity, SubjectType, severity_rank
from hinomi.model.text import Bilingual, printable

MAX_EVIDENCE = 20
MAX_RELATED = 50
MAX_VALUE = 200
_PLACEHOLDER = re.compile(r"\{([a-z_][a-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Draft:
    """A hit before it is worded. `values` fill the placeholders of title and explanation."""

    rule_id: str
    kind: RuleKind
    title: Bilingual
    explanation: Bilingual
    severity: Severity
    confidence: int
    subject_type: SubjectType
    subject: str
    evidence: tuple[tuple[str, int], ...] = ()  # (table, row)
    related: tuple[str, ...] = ()
    behaviours: tuple[str, ...] = ()
    attack: tuple[str, ...] = ()
    threats: tuple[str, ...] = ()
    reports: tuple[str, ...] = ()
    responses: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)


def draft_of(rule: Rule, subject: str, **changes: Any) -> Draft:
    """Return a draft with the rule's own words and marks."""
    draft = Draft(
        rule_id=rule.id,
        kind=rule.kind,
        title=rule.title,
        explanation=rule.explanation,
        severity=rule.severity,
        confidence=rule.confidence,
        subject_type=rule.subject_type,
        subject=subject,
        behaviours=rule.behaviours,
        attack=rule.attack,
        threats=rule.threats,
        responses=rule.responses,
    )
    return replace(draft, **changes)


def merged(drafts: Iterable[Draft]) -> list[Draft]:
    """Unite drafts of the same rule and subject: all evidence, the highest severity, the first one's words."""
    result: dict[tuple[str, str], Draft] = {}
    for draft in drafts:
        key = (draft.rule_id, draft.subject)
        result[key] = _united(result[key], draft) if key in result else draft
    return list(result.values())


def _united(first: Draft, second: Draft) -> Draft:
    return replace(
        first,
        severity=max(first.severity, second.severity, key=severity_rank),
        confidence=max(first.confidence, second.confidence),
        evidence=_union(first.evidence, second.evidence),
        related=_union(first.related, second.related),
        reports=_union(first.reports, second.reports),
        threats=_union(first.threats, second.threats),
        attributes={**second.attributes, **first.attributes} | _united_lists(first.attributes, second.attributes),
    )


def _united_lists(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Unite the attributes that are lists in both (claims, CVEs)."""
    both = [key for key in first if isinstance(first[key], list) and isinstance(second.get(key), list)]
    return {key: list(dict.fromkeys([*first[key], *second[key]])) for key in both}


def _union(first: tuple[Any, ...], second: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys((*first, *second)))


def finish(
    drafts: Iterable[Draft], shows: Mapping[tuple[str, int], str], *, target: str, run: str, seen: str | None
) -> list[Finding]:
    """Word the drafts and return their findings: most severe first, then by rule and subject."""
    findings = [_finding(draft, shows, target, run, seen) for draft in merged(drafts)]
    return sorted(findings, key=lambda f: (-severity_rank(f.severity), f.rule_id, f.subject_key))


def _finding(draft: Draft, shows: Mapping[tuple[str, int], str], target: str, run: str, seen: str | None) -> Finding:
    values = {"subject": draft.subject, **draft.values}
    related = sorted(r for r in set(draft.related) if r and r != draft.subject)
    return Finding(
        id=finding_id(draft.rule_id, target, draft.subject),
        rule_id=draft.rule_id,
        rule_kind=draft.kind,
        title=fill(draft.title, values),
        explanation=fill(draft.explanation, values),
        severity=draft.severity,
        confidence=draft.confidence,
        target=target,
        subject_type=draft.subject_type,
        subject_key=draft.subject,
        evidence=tuple(EvidenceRef(t, r, shows.get((t, r), "")) for t, r in cited(draft)),
        behaviours=draft.behaviours,
        attack=draft.attack,
        threats=draft.threats,
        reports=draft.reports,
        responses=draft.responses,
        first_seen=seen,
        last_seen=seen,
        run=run,
        related=tuple(related[:MAX_RELATED]),
        attributes=dict(draft.attributes),
    )


def cited(draft: Draft) -> list[tuple[str, int]]:
    """Return the evidence that the finding will name, in stable order."""
    return sorted(set(draft.evidence))[:MAX_EVIDENCE]


def finding_id(rule_id: str, target: str, subject: str) -> str:
    """Return the stable id of a rule's finding on a subject of a target: 16 hex digits."""
    text = "\0".join((rule_id, target, subject))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def fill(template: Bilingual, values: Mapping[str, Any]) -> Bilingual:
    """Fill `{name}` in both languages; values are shown printable and bounded, unknown ones as '?'."""
    return Bilingual(_filled(template.en, values), _filled(template.ja, values))


def _filled(template: str, values: Mapping[str, Any]) -> str:
    return _PLACEHOLDER.sub(lambda match: value_text(values.get(match[1])), template)


def placeholders(template: Bilingual) -> frozenset[str]:
    """Return the names that a template asks for, in either language."""
    return frozenset(_PLACEHOLDER.findall(template.en)) | frozenset(_PLACEHOLDER.findall(template.ja))


def value_text(value: Any) -> str:
    """Show one value in a sentence: printable, one line, at most 200 characters."""
    if value is None:
        return "?"
    if isinstance(value, list | tuple):
        shown = [value_text(v) for v in value[:5] if v is not None]
        return clipped(", ".join(shown) + (", …" if len(value) > 5 else "")) or "-"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return clipped(printable(str(value)))


def clipped(text: str, length: int = MAX_VALUE) -> str:
    """Cut a text at `length` characters, saying so."""
    return text if len(text) <= length else text[: length - 1] + "…"

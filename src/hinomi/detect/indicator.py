"""Indicators: what accepted reports name, looked up in the tables of a run.

A digest says much, an address much in the right role, a name little: a file called like a reported one exists on many
honest hosts, so a name alone is at most `low`, and `info` where the file is its package's own.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hinomi.detect.draft import Draft
from hinomi.detect.indicator_sql import LOOKUPS, Lookup
from hinomi.detect.indicator_words import ROLE_WORDS, WORDS
from hinomi.detect.sql import Queries, QueryTimeoutError, Result
from hinomi.model.claims import Claim, ClaimRole, ClaimStatus, ClaimType, Report
from hinomi.model.errors import RuleError
from hinomi.model.findings import Coverage, Severity

ACTIVE_ROLES: frozenset[str] = frozenset({"malicious", "sample", "command-and-control", "delivery"})
CHECKED_TYPES: frozenset[str] = frozenset(kind for lookup in LOOKUPS for kind in lookup.types)
MAX_PER_INDICATOR = 100  # a name that fits more subjects than that says nothing about any of them
MAX_HITS = 50_000  # per lookup
_BOUNDED = f"SELECT * FROM ({{}}) QUALIFY row_number() OVER (PARTITION BY n ORDER BY row) <= {MAX_PER_INDICATOR + 1}"
_THREAT_TYPES = frozenset({"malware", "actor", "campaign"})
# digests that lists hold by mistake: of nothing, of one line end, of words people hash to try it out
_JUNK = frozenset(hashlib.sha256(data).hexdigest() for data in (b"", b"\0", b"\n", b"test", b"test\n", b"hello"))
_MAX_CONFIDENCE = {"hash": 99, "address": 85, "account": 40, "name": 30}


@dataclass(frozen=True, slots=True)
class Indicator:
    """One claim of a report, ready to be looked up."""

    claim_id: str
    report_id: str
    type: ClaimType
    value: str
    role: ClaimRole = "malicious"
    confidence: int = 50
    report_title: str = ""
    threats: tuple[str, ...] = field(default=())


def indicators_of(
    reports: Iterable[Report], *, statuses: Iterable[ClaimStatus] = ("accepted", "suggested")
) -> list[Indicator]:
    """Return the claims of reports that can be looked up, in order; rejected ones never.

    The threats of an indicator are those a relation ties to it, else the malware its own section names.
    """
    allowed = frozenset(statuses) - {"rejected"}
    result = []
    for report in reports:
        threats = _threats(report)
        result += [
            Indicator(c.id, report.id, c.type, c.value, c.role, c.confidence, report.title, threats(c))
            for c in report.claims
            if c.type in CHECKED_TYPES and c.status in allowed
        ]
    return result


def _threats(report: Report) -> Any:
    claims = {claim.id: claim for claim in report.claims}
    tied: dict[str, set[str]] = defaultdict(set)
    for relation in report.relations:
        for one, other in ((relation.from_id, relation.to_id), (relation.to_id, relation.from_id)):
            if other in claims and claims[other].type in _THREAT_TYPES:
                tied[one].add(_name(claims[other]))
    by_section: dict[int | None, set[str]] = defaultdict(set)
    for claim in report.claims:
        if claim.type == "malware" and claim.status != "rejected":
            by_section[claim.section].add(_name(claim))

    def threats(claim: Claim) -> tuple[str, ...]:
        near = by_section[claim.section]
        return tuple(sorted(tied.get(claim.id) or (near if len(near) <= 3 else ())))

    return threats


def _name(claim: Claim) -> str:
    return claim.canonical or claim.value


def match_indicators(evidence: Queries, indicators: Sequence[Indicator], coverage: Coverage) -> Iterator[Draft]:
    """Yield a draft per indicator type and subject; a lookup that fails is a miss of that lookup alone."""
    usable = [indicator for indicator in indicators if is_usable(indicator)]
    coverage.count("indicators", len(usable))
    for lookup in LOOKUPS:
        wanted = [indicator for indicator in usable if indicator.type in lookup.types]
        if wanted:
            yield from _looked_up(evidence, lookup, wanted, coverage)


def is_usable(indicator: Indicator) -> bool:
    """Tell whether a hit on the indicator could mean anything: its role, and that its value is no common place."""
    kind = indicator.type
    telling = indicator.role == "mentioned" and kind in ("sha256", "ipv4", "ipv6")
    if indicator.role not in ACTIVE_ROLES and not telling:
        return False
    if kind == "sha256":
        return indicator.value.lower() not in _JUNK
    return _is_public(indicator.value) if kind in ("ipv4", "ipv6") else bool(lookup_value(indicator))


def _is_public(value: str) -> bool:
    try:
        return ipaddress.ip_address(value).is_global
    except ValueError:
        return False


def lookup_value(indicator: Indicator) -> str:
    """Return the value as the lookups compare it; empty where it is too common or too vague to compare."""
    value = indicator.value.strip()
    if indicator.type == "account":
        return value
    value = value.lower()
    if indicator.type == "filepath":
        return path_suffix(value)
    if indicator.type == "url":
        return value.partition("://")[2].rstrip("/") or value.rstrip("/")
    return value.strip(".") if indicator.type == "domain" else value


def path_suffix(path: str) -> str:
    r"""Return what a path of the target must end with: `%APPDATA%\x\y.txt` gives `/x/y.txt`, `C:\a\b` gives `/a/b`.

    Wildcards and lone names behind a variable give nothing: they would fit too much.
    """
    parts = [part for part in path.replace("\\", "/").split("/") if part]
    vague = bool(parts) and (parts[0][0] in "%$~{<" or parts[0].endswith(">"))
    if vague or (parts and len(parts[0]) == 2 and parts[0][1] == ":"):
        parts = parts[1:]
    if not parts or any(c in "*?%<>" for c in "".join(parts)) or (vague and len(parts) < 2):
        return ""
    return "/" + "/".join(parts)


def _looked_up(evidence: Queries, lookup: Lookup, wanted: Sequence[Indicator], coverage: Coverage) -> Iterator[Draft]:
    values = [lookup_value(indicator) for indicator in wanted]
    try:
        result = evidence.query(_BOUNDED.format(lookup.sql), [values, list(range(len(values)))], limit=MAX_HITS)
    except (RuleError, QueryTimeoutError) as error:
        coverage.miss(f"rule:indicator-{lookup.table}", lookup.table, "failed", str(error))
        return
    if result.truncated:
        coverage.miss(f"rule:indicator-{lookup.table}", lookup.table, "truncated", f"more than {MAX_HITS} hits")
    for hit in _telling(lookup, result, coverage):
        yield _draft(lookup, wanted[hit["n"]], hit)


def _telling(lookup: Lookup, result: Result, coverage: Coverage) -> list[dict[str, Any]]:
    """Drop names that fit too many subjects; cut other floods, and say so."""
    hits = sorted(result.dicts(), key=lambda h: (str(h["subject"]), h["row"], h["n"]))
    floods = {n for n, count in Counter(hit["n"] for hit in hits).items() if count > MAX_PER_INDICATOR}
    if floods and lookup.kind == "name":
        coverage.skip("indicators-too-common", len(floods))
        return [hit for hit in hits if hit["n"] not in floods]
    for _ in floods:
        coverage.miss(
            f"rule:indicator-{lookup.table}", lookup.table, "truncated", f"more than {MAX_PER_INDICATOR} hits"
        )
    return hits


def _draft(lookup: Lookup, indicator: Indicator, hit: Mapping[str, Any]) -> Draft:
    words = WORDS[lookup.kind]
    severity = _severity(lookup, indicator, hit)
    role = ROLE_WORDS.get(indicator.role, ROLE_WORDS["mentioned"])
    return Draft(
        rule_id=f"indicator:{indicator.type}",
        kind="indicator",
        title=words.title,
        explanation=words.intact if hit["intact"] else words.explanation,
        severity=severity,
        confidence=_confidence(lookup, indicator, severity),
        subject_type=lookup.subject_type,
        subject=str(hit["subject"]),
        evidence=((lookup.table, hit["row"]),),
        related=tuple(r for r in (hit["related"],) if r),
        behaviours=lookup.behaviours if indicator.role in ACTIVE_ROLES else (),
        threats=indicator.threats,
        reports=(indicator.report_id,),
        responses=words.responses if severity not in ("info", "low") else (),
        values={
            "value": indicator.value, "report": indicator.report_title or indicator.report_id,
            "named": hit["related"] or hit["subject"], "role_en": role.en, "role_ja": role.ja,
        },
        attributes={"claims": [indicator.claim_id]},
    )  # fmt: skip


def _severity(lookup: Lookup, indicator: Indicator, hit: Mapping[str, Any]) -> Severity:
    active = indicator.role in ACTIVE_ROLES
    if lookup.kind == "hash":
        return "low" if hit["intact"] else "critical" if active else "high"
    if lookup.kind == "address":
        return "high" if active and not hit["intact"] else "low"
    if lookup.kind == "account":
        return "medium" if hit["uid"] == 0 and hit["subject"] != "root" else "low"
    return "info" if hit["intact"] else "low"


def _confidence(lookup: Lookup, indicator: Indicator, severity: Severity) -> int:
    cap = _MAX_CONFIDENCE[lookup.kind]
    if lookup.kind == "hash" and severity != "low":
        return max(indicator.confidence, 90)
    return min(indicator.confidence, 10 if severity == "info" else cap)

"""One view over several reports on the same threat: what they agree on, and where they contradict each other."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cmp_to_key
from typing import Any, Literal

from hinomi.intel.vocabulary.products import product_name
from hinomi.model.claims import Claim, Report
from hinomi.model.versions import compare

ACTIVE = frozenset({"malicious", "sample", "command-and-control", "delivery"})
HARMLESS = frozenset({"benign", "reference", "victim", "impersonated"})
NAMES = frozenset({"malware", "tool", "actor", "campaign", "product"})
_VERSIONS = frozenset({"affected-version", "fixed-version"})


def _compared(left: str, right: str) -> int:
    return compare(left, right, "generic")


ORDER = cmp_to_key(_compared)


@dataclass(frozen=True, slots=True)
class Voice:
    """What one report says of it."""

    report: str
    source: str
    claim: str
    value: str
    role: str
    confidence: int

    def to_json(self) -> dict[str, Any]:
        """Return the voice as an object."""
        return {
            "report": self.report, "source": self.source, "claim": self.claim, "value": self.value, "role": self.role,
            "confidence": self.confidence,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Merged:
    """One thing that one or more reports say: joint confidence, and every report's own words."""

    type: str
    value: str
    confidence: int
    role: str
    voices: tuple[Voice, ...]
    names: tuple[str, ...] = ()
    product: str | None = None
    branch: str | None = None

    @property
    def reports(self) -> int:
        """The number of reports that say it."""
        return len({voice.report for voice in self.voices})

    def to_json(self) -> dict[str, Any]:
        """Return the merged claim as an object."""
        made: dict[str, Any] = {
            "type": self.type, "value": self.value, "role": self.role, "confidence": self.confidence,
            "reports": self.reports, "said_by": [v.to_json() for v in self.voices],
        }  # fmt: skip
        extra = {"names": list(self.names), "product": self.product, "branch": self.branch}
        return made | {key: value for key, value in extra.items() if value}


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Reports that differ about one thing; `counts` is the strict side, which is taken."""

    kind: Literal["fixed-version", "role", "name"]
    subject: str
    branch: str | None
    counts: str
    voices: tuple[Voice, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the contradiction as an object."""
        return {
            "kind": self.kind, "subject": self.subject, "branch": self.branch, "counts": self.counts,
            "said_by": [v.to_json() for v in self.voices],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class MergedView:
    """The reports seen as one."""

    reports: tuple[Report, ...]
    claims: tuple[Merged, ...]
    contradictions: tuple[Contradiction, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the `hinomi.merge/1` object."""
        return {
            "schema": "hinomi.merge/1",
            "reports": [{"id": r.id, "title": r.title, "source": r.source} for r in self.reports],
            "claims": [c.to_json() for c in self.claims],
            "contradictions": [c.to_json() for c in self.contradictions],
        }  # fmt: skip


Heard = tuple[Voice, Claim]


def merge(reports: Sequence[Report]) -> MergedView:
    """Return one view over `reports`; rejected claims have no voice."""
    groups: dict[tuple[str, ...], list[Heard]] = defaultdict(list)
    for report in reports:
        for claim in report.claims:
            if claim.status != "rejected":
                groups[_key(claim)].append((_voice(report, claim), claim))
    claims = tuple(sorted((_merged(group) for group in groups.values()), key=_rank))
    found = [*_fixed(groups.values()), *_roles(groups.values()), *_names(groups.values())]
    return MergedView(tuple(reports), claims, tuple(found))


def plain(text: str) -> str:
    """Return the form in which names and values are compared."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _key(claim: Claim) -> tuple[str, ...]:
    value = plain(_said(claim))
    if claim.type in _VERSIONS:
        return claim.type, value, plain(_product(claim)), _branch(claim)
    return claim.type, value


def _said(claim: Claim) -> str:
    """A name stands for what it is matched as; techniques and behaviours are told apart by their ids."""
    named = claim.type in NAMES or claim.type in _VERSIONS
    value = (claim.canonical or claim.value) if named else claim.value
    return product_name(value) if claim.type == "product" else value


def _product(claim: Claim) -> str:
    return product_name(str(claim.attributes.get("product") or ""))


def _branch(claim: Claim) -> str:
    return plain(str(claim.attributes.get("branch") or "")).rstrip("+ ")


def _voice(report: Report, claim: Claim) -> Voice:
    return Voice(report.id, report.source, claim.id, claim.value, claim.role, claim.confidence)


def _rank(merged: Merged) -> tuple[Any, ...]:
    return -merged.reports, merged.type, merged.value, merged.product or "", merged.branch or ""


def _merged(group: Sequence[Heard]) -> Merged:
    claim = max(group, key=lambda heard: heard[0].confidence)[1]
    active = [v.role for v, _ in group if v.role in ACTIVE]
    names = sorted({c.value for _, c in group}) if claim.type in NAMES else []
    value = _said(claim)
    return Merged(
        claim.type, value, _joint(group), active[0] if active else claim.role, _ordered(v for v, _ in group),
        tuple(name for name in names if name != value), _product(claim) or None,
        str(claim.attributes.get("branch") or "") or None,
    )  # fmt: skip


def _joint(group: Sequence[Heard]) -> int:
    """Return 1 - the product of each report's doubt, in percent: agreement strengthens."""
    surest: dict[str, int] = {}
    for voice, _ in group:
        surest[voice.report] = max(surest.get(voice.report, 0), voice.confidence)
    doubt = 1.0
    for confidence in surest.values():
        doubt *= 1 - confidence / 100
    return round(100 * (1 - doubt))


def _ordered(voices: Iterable[Voice]) -> tuple[Voice, ...]:
    return tuple(sorted(set(voices), key=lambda v: (v.source, v.report, v.value, v.claim)))


def _fixed(groups: Iterable[Sequence[Heard]]) -> Iterator[Contradiction]:
    """Compare fixed versions per product: of each named branch, each release line, and the newest of all."""
    by_product: dict[str, list[Heard]] = defaultdict(list)
    for group in groups:
        for voice, claim in group:
            if claim.type == "fixed-version" and _product(claim):
                by_product[plain(_product(claim))].append((voice, claim))
    for product in sorted(by_product):
        heard = by_product[product]
        told: set[frozenset[str]] = set()
        for branch, part in _parts(heard):
            found = _differing(_product(heard[0][1]), branch, part)
            versions = frozenset(v.value for v in found.voices) if found else frozenset()
            if found and versions not in told:
                told.add(versions)
                yield found


def _parts(heard: Sequence[Heard]) -> Iterator[tuple[str | None, list[Heard]]]:
    """Yield what may be compared: the same branch, the same release line, then each report's newest."""
    lines: dict[str, list[Heard]] = defaultdict(list)
    for voice, claim in heard:
        named = _branch(claim)
        lines[f"branch {named}" if named else f"line {_line(_version(claim))}"].append((voice, claim))
    for name in sorted(lines):
        branch = str(lines[name][0][1].attributes.get("branch") or "")
        yield branch or f"{name.removeprefix('line ')}.x", lines[name]
    yield None, list(heard)


def _differing(product: str, branch: str | None, heard: Sequence[Heard]) -> Contradiction | None:
    newest: dict[str, Heard] = {}
    for voice, claim in heard:
        best = newest.get(voice.report)
        if best is None or compare(_version(claim), _version(best[1]), "generic") > 0:
            newest[voice.report] = (voice, claim)
    versions = {_version(claim) for _, claim in newest.values()}
    strict = max(versions, key=ORDER)
    majors = {version.split(".")[0] for version in versions}
    if all(compare(v, strict, "generic") == 0 for v in versions) or (branch is None and len(majors) > 1):
        return None
    return Contradiction("fixed-version", product, branch, strict, _ordered(v for v, _ in newest.values()))


def _version(claim: Claim) -> str:
    return re.sub(r"^[<>=\s]+", "", claim.canonical or claim.value)


def _line(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _roles(groups: Iterable[Sequence[Heard]]) -> Iterator[Contradiction]:
    """A value that one report calls an attacker's and another harmless: the attacker's side counts."""
    for group in groups:
        active = [v for v, _ in group if v.role in ACTIVE]
        harmless = [v for v, _ in group if v.role in HARMLESS]
        if active and harmless and group[0][1].type not in NAMES:
            surest = max(active, key=lambda v: v.confidence)
            yield Contradiction("role", group[0][1].value, None, surest.role, _ordered([*active, *harmless]))


def _names(groups: Iterable[Sequence[Heard]]) -> Iterator[Contradiction]:
    """A name that reports take for different things."""
    by_name: dict[tuple[str, str], list[Heard]] = defaultdict(list)
    for group in groups:
        for voice, claim in group:
            if claim.type in NAMES:
                by_name[claim.type, plain(claim.value)].append((voice, claim))
    for heard in by_name.values():
        meanings = {plain(c.canonical) for _, c in heard if c.canonical}
        if len(meanings) > 1:
            surest = max((h for h in heard if h[1].canonical), key=lambda h: h[0].confidence)[1]
            voices = _ordered(v for v, _ in heard)
            yield Contradiction("name", heard[0][1].value, None, str(surest.canonical), voices)

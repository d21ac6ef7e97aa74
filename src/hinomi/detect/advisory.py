"""Advisories -> findings: what is installed or embedded, against OSV ranges and against what its content says.

A library whose collector decided by content (`state` other than `present`) is judged by that alone: its version number
may lie. Everything else is compared by version with the rules of its ecosystem.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cmp_to_key
from typing import Any, Protocol

from hinomi.detect.advisoryfile import imported_rules
from hinomi.detect.draft import Draft, draft_of
from hinomi.detect.rule import Rule
from hinomi.detect.sql import Queries, QueryTimeoutError
from hinomi.model.errors import HinomiError
from hinomi.model.findings import Coverage, Severity, severity_rank
from hinomi.model.text import Bilingual
from hinomi.model.versions import compare, in_range

MAX_COMPONENTS = 500_000
ANY = ""  # the ecosystem of a record that knows the product's name alone
_SHORTEST_NAME = 4
_PARTS = re.compile(r"[- ](?:server|client|common|libs?|core|utils|tools|daemon|bin)$")
_PYTHON_MARKS = re.compile(r"[-_.]+")  # one and the same in names of Python packages
_RELEASE = re.compile(r"[?&]distro=[a-z_]+-([0-9][0-9.]{0,20})")
STATE_RULE = "library-state"  # the rule id where no advisory names the CVEs that the content shows
_LIBRARIES = """SELECT row, path, container, ecosystem, name, version, content_version, state, cves, why FROM libraries
WHERE state <> 'fixed' OR len(cves) > 0 ORDER BY path, row"""
_PACKAGES = "SELECT row, name, source, version, purl, path FROM packages ORDER BY row"
_PURL_ECOSYSTEMS = {
    "deb/debian": "debian", "deb/ubuntu": "ubuntu", "apk/alpine": "alpine", "rpm/redhat": "red hat",
    "rpm/rocky": "rocky linux", "rpm/almalinux": "almalinux", "rpm/opensuse": "opensuse", "rpm/suse": "suse",
}  # fmt: skip
# what collectors can name at all; an advisory of another ecosystem checks nothing yet
ECOSYSTEMS = frozenset({"maven", "npm", "pypi", "go", "crates.io", *_PURL_ECOSYSTEMS.values()})


@dataclass(frozen=True, slots=True)
class _State:
    severity: Severity
    confidence: int
    title: Bilingual
    explanation: Bilingual


_STATES: dict[str, _State] = {
    "vulnerable": _State(
        "critical", 95,
        Bilingual("{name} is open to {cves}", "{name}に脆弱性({cves})があります"),
        Bilingual(
            "{place} holds {name} {version}, whose code is open to {cves}. {why}",
            "{place} に含まれる{name} {version}のコードには{cves}の脆弱性があります。根拠: {why}",
        ),
    ),
    "below-fix": _State(
        "medium", 95,
        Bilingual("{name} is below its fixed version", "{name}は修正版に達していません"),
        Bilingual(
            "{place} holds {name} {version}, which is older than the fixed version and still open to {cves}. {why}",
            "{place} に含まれる{name} {version}は修正版より古く、{cves}の脆弱性が残っています。根拠: {why}",
        ),
    ),
    "mitigated": _State(
        "low", 90,
        Bilingual("{name} is old but mitigated", "{name}は古い版ですが緩和策が取られています"),
        Bilingual(
            "{place} holds {name} {version} without the class that is attacked. Remote code execution is prevented, "
            "but the copy remains open to {cves}: update it. {why}",
            "{place} に含まれる{name} {version}からは攻撃対象のクラスが取り除かれています。"
            "リモートコード実行は防がれますが、{cves}が残るため更新が必要です。根拠: {why}",
        ),
    ),
    "metadata-only": _State(
        "low", 40,
        Bilingual("{name} could not be confirmed", "{name}の有無を確認できません"),
        Bilingual(
            "{place} names {name} {version}, but its code was not found or could not be read: look at it by hand. "
            "{why}",
            "{place} には{name} {version}と書かれていますが、コード自体は見つからないか読めません。"
            "手作業で確認してください。根拠: {why}",
        ),
    ),
    # the family of weaknesses that the content tells is fixed; newer ones are told by the version alone
    "fixed": _State(
        "low", 70,
        Bilingual("{name} has newer, lesser weaknesses", "{name}には新しい軽微な脆弱性があります"),
        Bilingual(
            "{place} holds {name} {version}: the JNDI family of weaknesses is fixed in it, but {cves}, found later, "
            "remain. Update it with the next maintenance. {why}",
            "{place} に含まれる{name} {version}ではJNDI関連の脆弱性は修正済みですが、"
            "その後に見つかった{cves}が残っています。"
            "次の保守作業で更新してください。根拠: {why}",
        ),
    ),
    "end-of-life": _State(
        "low", 90,
        Bilingual("{name} is no longer maintained", "{name}は保守が終了しています"),
        Bilingual(
            "{place} holds {name} {version}, which gets no fixes any more (known: {cves}). {why}",
            "{place} に含まれる{name} {version}は保守が終了しており、修正は提供されません(既知: {cves})。根拠: {why}",
        ),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Advisory:
    rule: Rule
    ids: frozenset[str]
    affected: tuple[Mapping[str, Any], ...]
    reports: tuple[str, ...] = ()
    product: str = ""


@dataclass(frozen=True, slots=True)
class _Component:
    """A library or package as advisories see it."""

    table: str
    row: int
    subject: str
    ecosystem: str
    names: tuple[str, ...]
    version: str
    place: str
    release: str = ""  # of the distribution: 12, 22.04


class AdvisorySource(Protocol):
    """Advisories too many to be asked one by one: looked up by what the evidence holds."""

    def matching(self, names: Collection[tuple[str, str]]) -> Iterable[dict[str, Any]]:
        """Return the OSV records about any of these (ecosystem, name) pairs, lower case, in stable order."""

    def exploited(self, ids: Collection[str]) -> Mapping[str, str]:
        """Return since when each of these CVEs is known to be exploited."""


def match_advisories(
    evidence: Queries, rules: Sequence[Rule], coverage: Coverage, known: AdvisorySource | None = None
) -> Iterator[Draft]:
    """Yield drafts for vulnerable libraries and packages of one run, by the rules and by what `known` holds."""
    drafts = _matched(evidence, rules, coverage, known)
    yield from drafts if known is None else _told_exploited(list(drafts), known)


def _matched(
    evidence: Queries, rules: Sequence[Rule], coverage: Coverage, known: AdvisorySource | None
) -> Iterator[Draft]:
    advisories = [_advisory(rule) for rule in rules]
    coverage.count("rules", len(advisories))
    decided: list[dict[str, Any]] = []
    components: list[dict[str, Any]] = []
    for values in _rows(evidence, _LIBRARIES, "libraries", coverage):
        (decided if values["state"] in _STATES else components).append(values)
    for values in decided:
        yield _decided(values, advisories)
    if not advisories and known is None:
        return
    listed = [c for c in map(_library, components) if c]
    listed += [p for p in map(_package, _rows(evidence, _PACKAGES, "packages", coverage)) if p]
    if known is not None:
        imported = imported_rules(known.matching({key for one in listed for key in _asked(one)}))
        coverage.count("rules", len(imported))
        advisories += [_advisory(rule) for rule in imported]
    yield from _by_version(listed, advisories, coverage)


def _asked(component: _Component) -> Iterator[tuple[str, str]]:
    for name in component.names:
        if component.ecosystem:
            yield component.ecosystem, name.casefold()
        yield ANY, bare_name(name)


def subjects_of(record: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Return the (ecosystem, name) pairs under which an OSV record is looked up; none where no collector names such."""
    pairs: set[tuple[str, str]] = set()
    for affected in record.get("affected") or ():
        package = affected.get("package") if isinstance(affected, dict) else None
        if isinstance(package, dict) and isinstance(package.get("name"), str):
            ecosystem = str(package.get("ecosystem", "")).partition(":")[0].casefold()
            if ecosystem in ECOSYSTEMS or ecosystem == ANY:
                pairs.update(_keys(ecosystem, package["name"].casefold()))
    return pairs


def _told_exploited(drafts: Sequence[Draft], known: AdvisorySource) -> Iterator[Draft]:
    """Raise what is known to be exploited: at least high, and said in the words."""
    since = known.exploited({name for draft in drafts for name in _weaknesses(draft)})
    for draft in drafts:
        named = sorted(name for name in _weaknesses(draft) if name in since)
        if not named or draft.attributes.get("state") in ("mitigated", "metadata-only"):
            yield draft
            continue
        words = Bilingual(
            f"{draft.explanation.en} Known to be exploited: {', '.join(f'{n} (since {since[n]})' for n in named)}.",
            f"{draft.explanation.ja} 悪用が確認されています: {'、'.join(f'{n}({since[n]}以降)' for n in named)}。",
        )
        yield replace(
            draft, explanation=words, severity=max(draft.severity, "high", key=severity_rank),
            attributes={**draft.attributes, "known_exploited": named},
        )  # fmt: skip


def _weaknesses(draft: Draft) -> list[str]:
    return [str(name) for name in (*draft.attributes.get("cves", ()), *draft.values.get("advisory", ()))]


def _rows(evidence: Queries, sql: str, table: str, coverage: Coverage) -> Iterator[dict[str, Any]]:
    try:
        result = evidence.query(sql, limit=MAX_COMPONENTS)
    except (HinomiError, QueryTimeoutError) as error:
        coverage.miss(f"table:{table}", table, "unreadable", str(error))
        return
    if result.truncated:
        coverage.miss(f"table:{table}", table, "truncated", f"more than {MAX_COMPONENTS} rows")
    yield from result.dicts()


def _advisory(rule: Rule) -> _Advisory:
    record = json.loads(rule.body)
    named = (record["id"], *(record.get("aliases") or ()), *(record.get("upstream") or ()))
    ids = {str(name) for name in named}
    affected = tuple(a for a in record.get("affected") or () if isinstance(a, dict))
    own = record.get("database_specific")
    own = own if isinstance(own, dict) else {}
    reports = own.get("reports")
    drawn_from = tuple(str(r) for r in reports) if isinstance(reports, list) else ()
    return _Advisory(rule, frozenset(ids), affected, drawn_from, str(own.get("product", "")))


def _decided(values: Mapping[str, Any], advisories: Iterable[_Advisory]) -> Draft:
    """Return the one draft of a copy whose content decided; the gravest advisory on its CVEs lends its marks."""
    state = _STATES[values["state"]]
    cves = list(values["cves"] or ())
    named = [a.rule for a in advisories if a.ids.intersection(cves)]
    best = min(named, key=lambda rule: (-severity_rank(rule.severity), rule.id), default=None)
    words: dict[str, Any] = {
        "title": state.title, "explanation": state.explanation, "severity": state.severity,
        "confidence": state.confidence, "evidence": (("libraries", values["row"]),),
        "related": (values["container"],), "attributes": {"state": values["state"], "cves": cves},
        "values": {**values, "place": values["path"], "version": _told_version(values), "cves": cves},
    }  # fmt: skip
    if best is not None:
        return draft_of(best, values["path"], **words)
    behaviours = ("vulnerable-library",)
    return Draft(STATE_RULE, "advisory", subject_type="library", subject=values["path"], behaviours=behaviours, **words)


def _told_version(values: Mapping[str, Any]) -> str:
    claimed, content = values["version"], values["content_version"]
    if claimed and content and claimed != content:
        return f"{claimed} ({content})"
    return claimed or content or "?"


def _library(values: Mapping[str, Any]) -> _Component | None:
    if not values["version"]:
        return None
    ecosystem, name = values["ecosystem"].casefold(), values["name"]
    return _Component("libraries", values["row"], values["path"], ecosystem, (name,), values["version"], values["path"])


def _package(values: Mapping[str, Any]) -> _Component | None:
    kind = "/".join(values["purl"].removeprefix("pkg:").split("/")[:2]).casefold()
    ecosystem = _PURL_ECOSYSTEMS.get(kind, ANY)
    if not values["version"]:
        return None
    names = tuple(dict.fromkeys(n for n in (values["name"], values["source"]) if n))
    release = _RELEASE.search(values["purl"])
    return _Component(
        "packages", values["row"], values["name"], ecosystem, names, values["version"], values["path"],
        release[1] if release else "",
    )  # fmt: skip


def _by_version(
    components: Iterable[_Component], advisories: Iterable[_Advisory], coverage: Coverage
) -> Iterator[Draft]:
    index: dict[tuple[str, str], list[tuple[_Advisory, Mapping[str, Any]]]] = {}
    for advisory in advisories:
        for affected in advisory.affected:
            package = affected.get("package") or {}
            ecosystem = str(package.get("ecosystem", "")).partition(":")[0]
            for key in _keys(ecosystem.casefold(), str(package.get("name", "")).casefold()):
                index.setdefault(key, []).append((advisory, affected))
    for component in components:
        for name in component.names:
            same = index.get((component.ecosystem, name.casefold()), ()) if component.ecosystem else ()
            near = index.get((ANY, bare_name(name)), ())
            for advisory, affected in (*same, *near):
                draft = _compared(component, name, advisory, affected, coverage)
                if draft is not None:
                    yield draft


def _keys(ecosystem: str, name: str) -> Iterator[tuple[str, str]]:
    """A product of no known package goes by its name, with and without its maker's: `SonicWall SMA 100`, `SMA 100`."""
    if ecosystem != ANY:
        yield ecosystem, _PYTHON_MARKS.sub("-", name) if ecosystem == "pypi" else name
        return
    maker, _, rest = name.partition(" ")
    for form in dict.fromkeys((maker + rest, rest)):
        if len(bare := bare_name(form)) >= _SHORTEST_NAME:
            yield ANY, bare


def bare_name(name: str) -> str:
    """Return a product's or package's name as compared: letters and digits, without `-server`, `-libs` and the like."""
    return re.sub(r"[^a-z0-9]", "", _PARTS.sub("", name.casefold()))


def _compared(
    component: _Component, name: str, advisory: _Advisory, affected: Mapping[str, Any], coverage: Coverage
) -> Draft | None:
    package = affected.get("package") or {}
    if not _same_release(component.release, str(package.get("ecosystem", ""))):
        return None
    by_name = package.get("ecosystem", ANY) == ANY
    version = _upstream(component.version) if by_name else component.version
    ecosystem = ANY if by_name else component.ecosystem
    try:
        hit = in_range(version, affected, ecosystem)
    except Exception as error:  # noqa: BLE001 - the border of one rule
        coverage.miss(f"rule:{advisory.rule.id}", component.subject, "failed", repr(error))
        return None
    if not hit:
        return None
    ranges = affected.get("ranges") or ()
    fixed = {str(e["fixed"]) for r in ranges for e in r.get("events") or () if "fixed" in e}
    values = {
        "name": name, "version": component.version, "place": component.place,
        "fixed": _in_order(fixed, ecosystem) or None,
        "advisory": sorted(advisory.ids),
    }  # fmt: skip
    subject_type = "package" if component.table == "packages" else "library"
    evidence = ((component.table, component.row),)
    return draft_of(
        advisory.rule, component.subject, evidence=evidence, values=values, subject_type=subject_type,
        reports=advisory.reports, attributes={"product": advisory.product} if advisory.product else {},
    )  # fmt: skip


def _same_release(release: str, ecosystem: str) -> bool:
    """Whether a record of `Debian:12`, `Ubuntu:22.04:LTS` or `Alpine:v3.18` is about this release, if both tell it."""
    told = ecosystem.partition(":")[2].partition(":")[0].removeprefix("v")
    return not told or not release or not told[0].isdigit() or f"{release}.".startswith(f"{told}.")


def _upstream(version: str) -> str:
    """Return a package's version without epoch and the distribution's own revision: `1:3.0.11-1~deb12u2` is 3.0.11."""
    return version.rpartition(":")[2].partition("-")[0].partition("+")[0]


def _in_order(versions: Iterable[str], ecosystem: str) -> list[str]:
    def order(a: str, b: str) -> int:
        return compare(a, b, ecosystem)

    return sorted(versions, key=cmp_to_key(order))

"""For each claim of a report: which rules check it, or why nothing can yet. Coverage is part of the reading."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from hinomi.detect.advisory import ECOSYSTEMS
from hinomi.detect.catalogue import Catalogue, name_key
from hinomi.detect.indicator import CHECKED_TYPES, Indicator, is_usable
from hinomi.model.claims import Claim, ClaimCoverage, Report

MAX_RULES = 50

# Gap codes are keys of the locale catalogue.
CONTEXT = "gap.context-only"  # says something about the world, nothing a host could show
ADVICE = "gap.is-advice"  # a step to take; it appears among the actions
ROLE = "gap.not-malicious"  # the report itself calls it legitimate, a victim's, or a mere reference
NO_RULE = "gap.no-rule"  # no rule of this catalogue looks for it
NO_NAME_RULE = "gap.no-rule-for-name"  # nothing goes by this name; its behaviours are claims of their own
NO_TABLE = "gap.no-table"  # no collector reads this kind of thing
NO_ADVISORY = "gap.no-advisory"  # no version range at hand
NO_VERSION = "gap.no-product-version"  # that product's version cannot be read from a target yet
TOO_VAGUE = "gap.too-vague"  # a wildcard, a lone variable, a value that fits too much
HASH_KIND = "gap.hash-kind"  # files are hashed with SHA-256 only
MAIL = "gap.needs-mail"
LOGS = "gap.needs-logs"
NETWORK = "gap.needs-network"
MEMORY = "gap.needs-memory"
REGISTRY = "gap.needs-registry"
ELSEWHERE = "gap.elsewhere"  # happens on the attacker's or a third party's machines
GAPS: frozenset[str] = frozenset({
    CONTEXT, ADVICE, ROLE, NO_RULE, NO_NAME_RULE, NO_TABLE, NO_ADVISORY, NO_VERSION, TOO_VAGUE, HASH_KIND, MAIL, LOGS,
    NETWORK, MEMORY, REGISTRY, ELSEWHERE,
})  # fmt: skip

_GAP_OF_TYPE = {
    "md5": HASH_KIND, "sha1": HASH_KIND, "sha512": HASH_KIND, "ssdeep": HASH_KIND, "imphash": HASH_KIND,
    "tlsh": HASH_KIND, "cidr": NETWORK, "asn": NETWORK, "ja3": NETWORK, "jarm": NETWORK, "user-agent": LOGS,
    "email": MAIL, "mutex": MEMORY, "pipe": MEMORY, "registry-key": REGISTRY, "task": REGISTRY, "wallet": CONTEXT,
    "sector": CONTEXT, "country": CONTEXT, "date": CONTEXT, "jvn": NO_ADVISORY, "kb": NO_TABLE, "mitigation": ADVICE,
}  # fmt: skip
_BEHAVIOURS_BY_GAP = {
    MAIL: "phishing spearphishing-attachment protected-archive",
    LOGS: "exploits-public-service vulnerability-scanning jndi-injection lateral-movement linux-commands-on-windows "
    "disables-security-tool log-clearing",
    NETWORK: "data-exfiltration ddos-capability dead-drop-resolver second-stage-download timed-callback",
    MEMORY: "in-memory-loader dialog-closing deleted-executable",
    ELSEWHERE: "hash-cracking",
    REGISTRY: "run-key-persistence macro-policy-weak",
}
_GAP_OF_BEHAVIOUR = {behaviour: gap for gap, names in _BEHAVIOURS_BY_GAP.items() for behaviour in names.split()}
_TECHNIQUES_BY_GAP = {
    MAIL: "T1566 T1534 T1598",
    LOGS: "T1190 T1595 T1021 T1210 T1078 T1110 T1047 T1563 T1550",
    NETWORK: "T1041 T1048 T1071 T1090 T1095 T1102 T1105 T1132 T1498 T1499 T1568 T1571 T1572 T1573 T1029 T1008",
    MEMORY: "T1055 T1620 T1003 T1056",
    REGISTRY: "T1112 T1012",
    ELSEWHERE: "T1583 T1584 T1585 T1586 T1587 T1588 T1589 T1590 T1591 T1592 T1596 T1597 T1608",
}
_GAP_OF_TECHNIQUE = {technique: gap for gap, names in _TECHNIQUES_BY_GAP.items() for technique in names.split()}
_NAMES = frozenset({"malware", "tool", "actor", "campaign"})
_VERSIONS = frozenset({"product", "affected-version", "fixed-version"})
_WORD = re.compile(r"[a-z][a-z0-9]{3,}")
_GENERIC = (
    "apache server client manager core library software framework system service microsoft oracle google vmware cisco "
    "linux windows security gateway series enterprise edition project java python node http https"
)
_GENERIC_WORDS = frozenset(_GENERIC.split())


@dataclass(frozen=True, slots=True)
class _Index:
    """The catalogue by what a claim can name."""

    behaviours: dict[str, set[str]]
    techniques: dict[str, set[str]]
    threats: dict[str, set[str]]
    advisories: dict[str, set[str]]  # CVE and other ids -> rules
    products: dict[str, set[str]]  # telling words of package and product names -> rules


def coverage_of(report: Report, catalogue: Catalogue) -> tuple[ClaimCoverage, ...]:
    """Return, for every claim in order, the rules that check it, or the code of the gap."""
    index = _index(catalogue)
    return tuple(_covered(claim, index, report) for claim in report.claims)


def _index(catalogue: Catalogue) -> _Index:
    result = _Index(defaultdict(set), defaultdict(set), defaultdict(set), defaultdict(set), defaultdict(set))
    for rule in catalogue:
        record = json.loads(rule.body) if rule.kind == "advisory" else {}
        packages = _reachable(record)
        if not rule.active or rule.kind == "baseline" or (record and not packages):
            continue
        for behaviour in rule.behaviours:
            result.behaviours[behaviour].add(rule.id)
            if behaviour.endswith("-persistence"):  # a report that names no means may mean any
                result.behaviours["persistence"].add(rule.id)
        for technique in rule.attack:
            result.techniques[technique].add(rule.id)
        for threat in rule.threats:
            result.threats[name_key(threat)].add(rule.id)
        for known in (record["id"], *(record.get("aliases") or ())) if record else ():
            result.advisories[str(known).casefold()].add(rule.id)
        for word in _telling_words(packages):
            result.products[word].add(rule.id)
    return result


def _reachable(record: dict[str, Any]) -> list[str]:
    """Return the package and product names of an advisory whose ecosystem some collector reads."""
    packages = [a.get("package") or {} for a in record.get("affected") or () if isinstance(a, dict)]
    names = [
        str(package.get("name", ""))
        for package in packages
        if str(package.get("ecosystem", "")).partition(":")[0].casefold() in ECOSYSTEMS
    ]
    own = record.get("database_specific")
    products = own.get("products") if isinstance(own, dict) else None
    return [*names, *(str(p) for p in products or ())] if names else []


def _telling_words(names: Iterable[str]) -> set[str]:
    words = {word for name in names for word in _WORD.findall(name.casefold())}
    return words - _GENERIC_WORDS


def _covered(claim: Claim, index: _Index, report: Report) -> ClaimCoverage:
    rules, gap = _judged(claim, index, report)
    checked_by = tuple(sorted(rules)[:MAX_RULES])
    return ClaimCoverage(claim.id, checked_by, None if checked_by else gap)


def _judged(claim: Claim, index: _Index, report: Report) -> tuple[set[str], str]:
    if claim.type in CHECKED_TYPES:
        return _indicator(claim, report)
    if claim.type in _VERSIONS:
        return _product(claim, index)
    by_type: dict[str, Callable[[Claim, _Index], tuple[set[str], str]]] = {
        "behaviour": _behaviour, "attack-technique": _technique, "cve": _cve, "ghsa": _cve,
    }  # fmt: skip
    if claim.type in by_type:
        return by_type[claim.type](claim, index)
    if claim.type in _NAMES:
        return _named(claim, index)
    return set(), _GAP_OF_TYPE.get(claim.type, NO_TABLE)


def _indicator(claim: Claim, report: Report) -> tuple[set[str], str]:
    indicator = Indicator(claim.id, report.id, claim.type, claim.value, claim.role, claim.confidence)
    if is_usable(indicator):
        return {f"indicator:{claim.type}"}, ""
    return set(), TOO_VAGUE if claim.role in ("malicious", "sample", "command-and-control", "delivery") else ROLE


def _behaviour(claim: Claim, index: _Index) -> tuple[set[str], str]:
    names = (str(claim.attributes.get("behaviour")), claim.value, str(claim.canonical))
    hits = {rule for name in names for rule in index.behaviours.get(name, ())}
    return hits, next((_GAP_OF_BEHAVIOUR[name] for name in names if name in _GAP_OF_BEHAVIOUR), NO_RULE)


def _technique(claim: Claim, index: _Index) -> tuple[set[str], str]:
    """A rule for a sub-technique checks its parent in part; a rule for the parent says nothing of one child."""
    technique = claim.value.upper()
    hits = {r for known, ids in index.techniques.items() if f"{known}.".startswith(f"{technique}.") for r in ids}
    return hits, _GAP_OF_TECHNIQUE.get(technique.partition(".")[0], NO_RULE)


def _cve(claim: Claim, index: _Index) -> tuple[set[str], str]:
    return index.advisories.get(claim.value.casefold(), set()), NO_ADVISORY


def _named(claim: Claim, index: _Index) -> tuple[set[str], str]:
    keys = {name_key(name) for name in (claim.value, claim.canonical or "") if name}
    hits = {rule for key in keys for rule in index.threats.get(key, ())}
    return hits, NO_NAME_RULE if claim.type in ("malware", "tool") else CONTEXT


def _product(claim: Claim, index: _Index) -> tuple[set[str], str]:
    names = [claim.canonical or "", str(claim.attributes.get("product") or "")]
    if claim.type == "product":
        names.append(claim.value)
    hits = {rule for word in _telling_words(names) for rule in index.products.get(word, ())}
    return hits, NO_VERSION

"""The versions a report calls fixed or affected, as OSV records, so that what is installed can be compared at once.

A fixed version holds for its own train (the branch the text names, else its major version, or its minor one where
the text lists several side by side); whatever lies between two trains counts as affected. Where claims of one train
differ, the stricter wins and the record names both.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from hinomi.intel.vocabulary.loading import read_yaml
from hinomi.intel.vocabulary.products import product_name
from hinomi.model.claims import Claim, Report
from hinomi.model.versions import compare

_NUMBERS = re.compile(r"\d+")
_LISTED = re.compile(
    r"(?:[\s,、，/;:()（）「」+・]|and|or|または|もしくは|および|及び|と|や|for|on|以降|以上|later|newer|versions?|Version|"
    r"バージョン|Java|Windows|Linux|v|\d|\.){0,40}"
)
_MAX_PRODUCTS = 200
_MAX_CLAIMS = 2000


def ranges_of(report: Report) -> list[dict[str, Any]]:
    """Return one OSV record per product and package of which the report gives versions; rejected claims count not.

    `affected[].package.ecosystem` is "" where the vocabulary knows no package: the name is then the product's own, to
    be compared with the names of installed packages. `database_specific` names the report, its claims, and under
    `contradictions` the versions that a stricter one overruled.
    """
    versions: dict[str, list[Claim]] = defaultdict(list)
    for claim in report.claims[:_MAX_CLAIMS]:
        if claim.type in {"fixed-version", "affected-version"} and claim.status != "rejected":
            product = product_name(str(claim.attributes.get("product") or ""))
            if product:
                versions[product].append(claim)
    records = [_record(report, product, versions[product]) for product in sorted(versions)[:_MAX_PRODUCTS]]
    return [record for record in records if record is not None]


def _record(report: Report, product: str, claims: Sequence[Claim]) -> dict[str, Any] | None:
    packages = _packages().get(product) or {"": [product]}
    affected: list[dict[str, Any]] = []
    overruled: list[str] = []
    for ecosystem, names in packages.items():
        ranges, overruled = _ranges(report, claims, ecosystem)
        listed = _listed(claims)
        if not ranges and not listed:
            continue
        for name in names:
            package = {"ecosystem": ecosystem, "name": name}
            affected.append(
                {"package": package}
                | ({"ranges": [{"type": "ECOSYSTEM", "events": events} for events in ranges]} if ranges else {})
                | ({"versions": listed} if listed else {})
            )
    if not affected:
        return None
    slug = re.sub(r"[^a-z0-9]+", "-", product.lower()).strip("-") or "product"
    title = f"{product}: {report.title}"[:200]
    return {
        "schema_version": "1.6.0",
        "id": f"{report.id}-{slug}",
        "modified": f"{report.published or '1970-01-01'}T00:00:00Z",
        "summary": title,
        "related": sorted({c.value for c in report.claims if c.type == "cve"})[:50],
        "affected": affected,
        "database_specific": {
            "reports": [report.id], "product": product, "claims": [c.id for c in claims], "contradictions": overruled,
        },
    }  # fmt: skip


@cache
def _packages() -> dict[str, dict[str, list[str]]]:
    table: dict[str, dict[str, list[str]]] = read_yaml("packages.yml")
    return table


def _listed(claims: Iterable[Claim]) -> list[str]:
    """Versions called affected one by one."""
    single = {
        c.value
        for c in claims
        if c.type == "affected-version" and c.attributes.get("operator", "=") == "=" and "series" not in c.attributes
    }
    return sorted(version for version in single if _NUMBERS.match(version))


Ends = list[tuple[str, str]]
"""Where stretches of affected versions end: a version, and `fixed` (itself good) or `last_affected`."""


def _ranges(report: Report, claims: Sequence[Claim], ecosystem: str) -> tuple[list[list[dict[str, str]]], list[str]]:
    """Return the events of each range (all trains, then each series), and the versions that stricter ones overruled."""
    fixed = [c for c in claims if c.type == "fixed-version" and _NUMBERS.match(c.value)]
    affected = [c for c in claims if c.type == "affected-version"]
    ends, overruled = _trains(report, fixed, ecosystem)
    starts = {str(c.attributes["from"]) for c in affected if "from" in c.attributes}
    begin = starts.pop() if len(starts) == 1 else "0"
    for end in filter(None, map(_bound, affected)):
        if not any(compare(end[0], other, ecosystem) <= 0 for other, _ in ends):
            ends.append(end)
    ends.sort(key=_by_version(ecosystem))
    ranges = [_in_order(ends, begin)] if ends else []
    series = {str(c.attributes["series"]) for c in affected if "series" in c.attributes and _bound(c) is None}
    return [*ranges, *(_of_series(one, ends) for one in sorted(series))], overruled


def _bound(claim: Claim) -> tuple[str, str] | None:
    """Return where what a claim calls affected ends; None where it only names versions."""
    found = re.search(r"(<=?)\s*(\S+)$", claim.value)
    if not found or claim.attributes.get("operator") not in {"<", "<="}:
        return None
    if series := claim.attributes.get("series"):
        return _after(str(series)), "fixed"
    return found[2], "fixed" if found[1] == "<" else "last_affected"


def _of_series(series: str, ends: Ends) -> list[dict[str, str]]:
    """A series is affected from its beginning to its last fix, or to the series after it."""
    own = [{kind: version} for version, kind in ends if version.startswith(f"{series}.")]
    return [{"introduced": series}, own[-1] if own else {"fixed": _after(series)}]


def _after(series: str) -> str:
    """The series after one: 3.4 -> 3.5, 2 -> 3."""
    head, dot, last = series.rpartition(".")
    return f"{head}{dot}{int(last) + 1}"


def _trains(report: Report, fixed: Sequence[Claim], ecosystem: str) -> tuple[Ends, list[str]]:
    """Return the strictest fixed version of every train."""
    highest: dict[tuple[str, ...], str] = {}
    overruled: list[str] = []
    for claim in fixed:
        key = _train(report, claim, fixed)
        other = highest.setdefault(key, claim.value)
        order = compare(claim.value, other, ecosystem)
        if order:
            highest[key] = claim.value if order > 0 else other
            overruled.append(other if order > 0 else claim.value)
    kept: dict[str, str] = dict.fromkeys(highest.values(), "fixed")
    return list(kept.items()), sorted(set(overruled))


def _train(report: Report, claim: Claim, fixed: Sequence[Claim]) -> tuple[str, ...]:
    if branch := claim.attributes.get("branch"):
        return ("branch", str(branch))
    numbers = _NUMBERS.findall(claim.value)
    return ("listed", *numbers[:2]) if _stands_in_list(report, claim, fixed) else ("major", numbers[0])


def _stands_in_list(report: Report, claim: Claim, fixed: Sequence[Claim]) -> bool:
    """Whether another fixed version stands beside it with nothing but list words between."""
    for other in fixed:
        first, second = sorted((claim.span, other.span))
        near = other is not claim and other.value != claim.value and second[0] - first[1] <= 40
        if near and _LISTED.fullmatch(report.text[first[1] : second[0]]):
            return True
    return False


def _by_version(ecosystem: str) -> Any:
    from functools import cmp_to_key

    return cmp_to_key(lambda a, b: compare(a[0], b[0], ecosystem) or (a[1] > b[1]) - (a[1] < b[1]))


def _in_order(ends: Sequence[tuple[str, str]], begin: str) -> list[dict[str, str]]:
    """Alternate introduced and fixed: after a train's fix the next minor version is affected again."""
    events: list[dict[str, str]] = []
    start = begin
    for end, kind in ends:
        events += [{"introduced": start}, {kind: end}]
        start = _next_minor(end)
    return events


def _next_minor(version: str) -> str:
    numbers = _NUMBERS.findall(version)
    return f"{numbers[0]}.{int(numbers[1]) + 1}" if len(numbers) > 1 else str(int(numbers[0]) + 1)

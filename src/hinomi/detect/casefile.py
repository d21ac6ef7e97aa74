"""`<id>.cases.yml` -> cases: what each gives, and what the rule must and must not find."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hinomi.detect.yamlfile import load_yaml, read_bounded
from hinomi.model.errors import RuleError
from hinomi.model.tables import TABLES

_STATE_KEYS = frozenset({"files", "packages", "rows", "platform"})
_KEYS = _STATE_KEYS | {"name", "before", "hit", "miss", "others", "upper"}
_HIT_KEYS = frozenset({"subject", "severity", "confidence", "related", "mentions"})


@dataclass(frozen=True, slots=True)
class ExpectedHit:
    """A finding that must come: its subject and, where given, what it must say."""

    subject: str
    severity: str | None = None
    confidence: int | None = None
    related: tuple[str, ...] = ()
    mentions: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseState:
    """What a target holds: files with their packages, and rows as listed."""

    files: Mapping[str, Any] = field(default_factory=dict)
    packages: Mapping[str, Any] = field(default_factory=dict)
    rows: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    platform: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCase(CaseState):
    """One case of a rule; `before` is the state that a baseline rule compares it with."""

    name: str
    before: CaseState | None = None
    hits: tuple[ExpectedHit, ...] = ()
    misses: tuple[str, ...] = ()
    others: bool = False
    upper: bool = False

    @property
    def is_miss(self) -> bool:
        """Whether it names a look-alike that must stay quiet."""
        return not self.hits or bool(self.misses)


def read_cases(path: Path) -> tuple[RuleCase, ...]:
    """Read the cases of a rule; `RuleError` with the place for anything wrong, or where the file is missing."""
    document = load_yaml(read_bounded(path), path)
    cases = document.get("cases") if isinstance(document, dict) else document
    if not isinstance(cases, list) or not cases:
        raise RuleError("rule.case", place=str(path), cause="`cases:` must be a list of cases")
    return tuple(_case(case, f"{path} case {number}") for number, case in enumerate(cases, 1))


def _case(case: Any, place: str) -> RuleCase:
    if not isinstance(case, dict) or not isinstance(case.get("name"), str):
        raise RuleError("rule.case", place=place, cause="a case needs a `name`")
    place = f"{place} ({case['name']})"
    unknown = sorted(str(key) for key in case if key not in _KEYS)
    if unknown:
        raise RuleError("rule.case", place=place, cause=f"unknown key `{unknown[0]}`")
    hits = tuple(_hit(hit, place) for hit in _list(case, "hit", place))
    misses = () if case.get("miss") in ("all", None) else tuple(str(m) for m in _list(case, "miss", place))
    return RuleCase(
        name=case["name"],
        before=_before(case, place),
        hits=hits,
        misses=misses,
        others=bool(case.get("others")),
        upper=bool(case.get("upper")),
        **_state(case, place),
    )


def _before(case: Mapping[str, Any], place: str) -> CaseState | None:
    if "before" not in case:
        return None
    before = _mapping(case, "before", place)
    unknown = sorted(str(key) for key in before if key not in _STATE_KEYS)
    if unknown:
        raise RuleError("rule.case", place=place, cause=f"unknown key `{unknown[0]}` in `before`")
    return CaseState(**_state(before, place))


def _state(given: Mapping[str, Any], place: str) -> dict[str, Any]:
    return {
        "files": _mapping(given, "files", place),
        "packages": _mapping(given, "packages", place),
        "rows": _rows(_mapping(given, "rows", place), place),
        "platform": given.get("platform"),
    }


def _list(case: Mapping[str, Any], key: str, place: str) -> list[Any]:
    value = case.get(key) or []
    if not isinstance(value, list):
        raise RuleError("rule.case", place=place, cause=f"`{key}` must be a list")
    return value


def _mapping(case: Mapping[str, Any], key: str, place: str) -> dict[str, Any]:
    value = case.get(key) or {}
    if not isinstance(value, dict):
        raise RuleError("rule.case", place=place, cause=f"`{key}` must be a mapping")
    return value


def _rows(rows: dict[str, Any], place: str) -> dict[str, list[dict[str, Any]]]:
    for table, values in rows.items():
        if table not in TABLES:
            raise RuleError("rule.case", place=place, cause=f"no table {table!r}")
        if not isinstance(values, list) or not all(isinstance(v, dict) for v in values):
            raise RuleError("rule.case", place=place, cause=f"rows of {table} must be a list of mappings")
    return rows


def _hit(hit: Any, place: str) -> ExpectedHit:
    if isinstance(hit, str | int):
        return ExpectedHit(str(hit))
    if not isinstance(hit, dict) or "subject" not in hit or not hit.keys() <= _HIT_KEYS:
        raise RuleError("rule.case", place=place, cause=f"not a hit: {hit!r}")
    return ExpectedHit(
        str(hit["subject"]), hit.get("severity"), hit.get("confidence"),
        tuple(str(r) for r in hit.get("related") or ()), hit.get("mentions"),
    )  # fmt: skip

"""Is a rule fit to be shipped? Each check is one small function that yields what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from hinomi.detect.casefile import RuleCase, read_cases
from hinomi.detect.catalogue import BUILT_IN, Catalogue
from hinomi.detect.draft import placeholders
from hinomi.detect.rule import Rule
from hinomi.detect.sql import Evidence
from hinomi.detect.sqlrule import evidence_table
from hinomi.detect.yamlfile import load_yaml, read_bounded
from hinomi.detect.yararule import compile_warnings
from hinomi.model.errors import RuleError

_CONSTANT_CONDITIONS = frozenset({"non_bool_expr", "invariant_expr"})
# a query that means to ignore case must prove it; one that forgets to is told so
_IGNORES_CASE = re.compile(r"\bilike\b|\blower\s*\(|\(\?i\)|,\s*'i'\s*\)", re.I)
_LIKE_LETTERS = re.compile(r"\blike\s+'[^']*[a-z]{3}[^']*'", re.I)
_JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
_SQL_KINDS = ("sql", "baseline")
_BUILT_IN_VALUES = frozenset({"subject"})
_KIND_VALUES = {
    "yara": frozenset({"patterns", "excerpt"}),
    "advisory": frozenset({"name", "version", "place", "fixed", "advisory", "cves", "why"}),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with one rule."""

    rule_id: str
    place: str
    code: str
    problem: str

    def to_json(self) -> dict[str, str]:
        """Return what `rule lint --format json` prints."""
        return {"rule": self.rule_id, "place": self.place, "code": self.code, "problem": self.problem}


@dataclass(frozen=True, slots=True)
class _Context:
    """What the checks share."""

    evidence: Evidence
    behaviours: frozenset[str]
    responses: frozenset[str] | None  # ids of playbooks; None where they are not at hand


_Check = Callable[[Rule, _Context], Iterator[tuple[str, str]]]


def lint(catalogue: Catalogue, responses: Collection[str] | None = None) -> list[Problem]:
    """Return everything wrong with the rules of a catalogue, in stable order; rule files that cannot be read first.

    `responses` are the ids of the playbooks at hand; None leaves that check out.
    """
    problems = [Problem("", error.place, error.code, error.cause) for error in catalogue.errors]
    with Evidence({}) as evidence:
        context = _Context(evidence, known_behaviours(), None if responses is None else frozenset(responses))
        for rule in catalogue:
            for check in _CHECKS:
                problems += [Problem(rule.id, str(rule.path), code, text) for code, text in check(rule, context)]
    return problems


def known_behaviours() -> frozenset[str]:
    """Return the ids of `rules/behaviours.yml`."""
    path = BUILT_IN / "behaviours.yml"
    return frozenset(load_yaml(read_bounded(path), path))


def _words(rule: Rule, context: _Context) -> Iterator[tuple[str, str]]:
    for name in ("title", "explanation", "falsepositives"):
        value = getattr(rule, name)
        if rule.kind == "advisory" and name == "falsepositives":
            continue
        if not value.en or not value.ja:
            yield "lint.words", f"`{name}` is missing"
        elif rule.kind != "advisory" and not _JAPANESE.search(value.ja):
            yield "lint.words", f"`{name}.ja` holds no Japanese"
    if rule.kind != "advisory" and placeholders(rule.explanation) == frozenset():
        yield "lint.words", "the explanation names nothing of the hit: use a {placeholder}"


def _marks(rule: Rule, context: _Context) -> Iterator[tuple[str, str]]:
    unknown = sorted(set(rule.behaviours) - context.behaviours)
    if unknown:
        yield "lint.behaviour", f"not in behaviours.yml: {', '.join(unknown)}"
    if not rule.behaviours and rule.kind != "baseline":  # those tell what differs, not what a report claims
        yield "lint.behaviour", "names no behaviour: no claim of a report will lead to it"
    if not rule.attack and rule.kind != "advisory":
        yield "lint.attack", "names no ATT&CK technique"
    if not rule.references:
        yield "lint.references", "names no reference"
    yield from (
        ("lint.references", f"not a web address: {url}") for url in rule.references if not url.startswith("https://")
    )


def _responses(rule: Rule, context: _Context) -> Iterator[tuple[str, str]]:
    if not rule.responses and rule.severity not in ("info", "low"):
        yield "lint.responses", "names no response"
    if context.responses is not None:
        for response in sorted(set(rule.responses) - context.responses):
            yield "lint.responses", f"no playbook named {response}"


def _sql(rule: Rule, context: _Context) -> Iterator[tuple[str, str]]:
    if rule.kind not in _SQL_KINDS:
        return
    try:
        columns = context.evidence.bind(rule.body)
    except RuleError as error:
        yield "lint.sql", error.cause
        return
    if "subject" not in columns:
        yield "lint.sql", "the query returns no column `subject`"
    if not any(evidence_table(column) for column in columns):
        yield "lint.sql", "the query returns no evidence (a column <table>_row)"
    yield from _unfilled(rule, frozenset(columns) | _BUILT_IN_VALUES)


def _unfilled(rule: Rule, known: frozenset[str]) -> Iterator[tuple[str, str]]:
    for name in sorted((placeholders(rule.title) | placeholders(rule.explanation)) - known):
        yield "lint.placeholder", f"nothing fills {{{name}}}"


def _yara(rule: Rule, context: _Context) -> Iterator[tuple[str, str]]:
    if rule.kind != "yara":
        return
    for warning in compile_warnings(rule):
        if warning["code"] in _CONSTANT_CONDITIONS:
            yield "lint.constant", f"line {warning['line']}: {warning['title']}: the condition is always the same"
        elif warning["code"] == "slow_pattern":
            yield "lint.slow", f"line {warning['line']}: {warning['title']}"
    yield from _unfilled(rule, _KIND_VALUES["yara"] | _BUILT_IN_VALUES)


def _cases(rule: Rule, context: _Context) -> Iterator[tuple[str, str]]:
    if rule.kind == "advisory" and not rule.cases_path.exists():
        return
    try:
        cases = read_cases(rule.cases_path)
    except RuleError as error:
        yield error.code, error.cause
        return
    if not any(case.hits for case in cases):
        yield "lint.cases", "no case that it hits"
    if not any(case.is_miss for case in cases):
        yield "lint.cases", "no near miss"
    if _ignores_case(rule) and not any(case.hits and _in_upper_case(case) for case in cases):
        yield "lint.upper", "ignores case, but no hit proves it (`upper: true`, or capitals in what the case gives)"


def _letters(rule: Rule, context: _Context) -> Iterator[tuple[str, str]]:
    found = _LIKE_LETTERS.search(rule.body) if rule.kind in _SQL_KINDS else None
    if found:
        yield "lint.like", f"LIKE heeds case: use ILIKE or lower() in {found[0]}"


def _ignores_case(rule: Rule) -> bool:
    if rule.kind == "yara":
        return bool(re.search(r"^\s*\$\w*\s*=.*\bnocase\b", rule.body, re.MULTILINE))
    return rule.kind in _SQL_KINDS and bool(_IGNORES_CASE.search(rule.body))


def _in_upper_case(case: RuleCase) -> bool:
    given = f"{case.files!r} {case.rows!r}"
    return case.upper or "upper" in case.name.casefold() or bool(re.search(r"[A-Z]{3}", given))


_CHECKS: tuple[_Check, ...] = (_words, _marks, _responses, _sql, _letters, _yara, _cases)

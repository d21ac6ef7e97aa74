"""Running a rule against its cases: the real collectors, the real engine, a tree in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hinomi.detect.advisory import match_advisories
from hinomi.detect.casefile import CaseState, ExpectedHit, RuleCase, read_cases
from hinomi.detect.casetree import build_tree
from hinomi.detect.draft import Draft, finish
from hinomi.detect.rowset import filled, write_rows
from hinomi.detect.rule import Rule
from hinomi.detect.sql import Evidence
from hinomi.detect.sqlrule import run_rules
from hinomi.detect.yara import ContentScanner, match_content
from hinomi.model.errors import RuleError
from hinomi.model.findings import Coverage, Finding, Miss
from hinomi.model.tables import Row


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What came of one case; it passed where `problems` is empty."""

    rule_id: str
    case: str
    problems: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether the rule did what the case asks."""
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """Return what `rule test --format json` prints."""
        return {"rule": self.rule_id, "case": self.case, "passed": self.passed, "problems": list(self.problems)}


def test_rules(rules: Iterable[Rule]) -> Iterator[CaseResult]:
    """Run every case of every rule; a rule without a readable case file gives one failed result."""
    for rule in rules:
        try:
            cases = read_cases(rule.cases_path)
        except RuleError as error:
            yield CaseResult(rule.id, rule.cases_path.name, (f"{error.place}: {error.cause}",))
            continue
        for case in cases:
            yield run_case(rule, case)


test_rules.__test__ = False  # type: ignore[attr-defined]  # pytest takes the name for a test


def run_case(rule: Rule, case: RuleCase) -> CaseResult:
    """Run one case, and its upper-case variant where it asks for one."""
    problems = _run(rule, case, upper=False)
    if case.upper and not problems:
        problems = [f"in upper case: {problem}" for problem in _run(rule, case, upper=True)]
    return CaseResult(rule.id, case.name, tuple(problems))


def _run(rule: Rule, case: RuleCase, *, upper: bool) -> list[str]:
    coverage = Coverage()
    try:
        findings = examine(rule, case, coverage, upper=upper)
    except RuleError as error:
        return [error.cause]
    broken = [f"{m.area}: {m.reason}: {m.detail}" for m in coverage.misses if _breaks(m)]
    return broken or list(_judged(case, findings))


def _breaks(miss: Miss) -> bool:
    """A rule or collector that failed makes a case fail, also one that expects nothing to be found."""
    return miss.area.startswith(("rule", "table")) or miss.reason == "crashed"


def examine(rule: Rule, case: RuleCase, coverage: Coverage, *, upper: bool = False) -> list[Finding]:
    """Collect what the case gives and return the rule's findings on it."""
    with TemporaryDirectory(prefix="hinomi-case-") as folder:
        tables = _tables(Path(folder, "now"), rule, case, coverage, upper)
        before = None
        if case.before is not None:
            before = _tables(Path(folder, "before"), rule, case.before, coverage, upper)
        with Evidence(tables, before=before) as evidence:
            return finish(_drafts(evidence, rule, coverage), {}, target="case", run="case", seen=None)


def _tables(folder: Path, rule: Rule, state: CaseState, coverage: Coverage, upper: bool) -> dict[str, list[Path]]:
    """Write what one state of a case gives: rows collected from its files, and rows as listed."""
    rows = _collected(rule, state, coverage, upper) if state.files else []
    folder.mkdir()
    try:
        rows += [filled(table, values) for table, listed in state.rows.items() for values in listed]
        return write_rows(folder, rows)
    except (KeyError, TypeError, ValueError) as error:
        raise RuleError("rule.case", cause=str(error)) from error


def _drafts(evidence: Evidence, rule: Rule, coverage: Coverage) -> list[Draft]:
    matchers = {"sql": run_rules, "baseline": run_rules, "yara": match_content, "advisory": match_advisories}
    return list(matchers[rule.kind](evidence, [rule], coverage))


def _collected(rule: Rule, case: CaseState, coverage: Coverage, upper: bool) -> list[Row]:
    from hinomi.evidence.collect import collect
    from hinomi.evidence.sources.memory import memory_target

    target = memory_target(build_tree(case.files, case.packages, upper=upper), platform=case.platform)  # type: ignore[arg-type]
    watchers = [ContentScanner([rule])] if rule.kind == "yara" else []
    rows: list[Row] = []
    collect(target, rows.append, coverage, watchers=watchers, jobs=1)
    return rows


def _judged(case: RuleCase, findings: list[Finding]) -> Iterator[str]:
    found = {finding.subject_key: finding for finding in findings}
    for hit in case.hits:
        if hit.subject in found:
            yield from _differences(hit, found[hit.subject])
        else:
            yield f"not found: {hit.subject} (found: {', '.join(found) or 'nothing'})"
    for subject in case.misses:
        if subject in found:
            yield f"found, but must not be: {subject}"
    unexpected = found.keys() - {hit.subject for hit in case.hits} - set(case.misses)
    if unexpected and not case.others:
        yield f"found, but not expected: {', '.join(sorted(unexpected))}"


def _differences(hit: ExpectedHit, finding: Finding) -> Iterator[str]:
    if hit.severity not in (None, finding.severity):
        yield f"{hit.subject}: severity is {finding.severity}, not {hit.severity}"
    if hit.confidence not in (None, finding.confidence):
        yield f"{hit.subject}: confidence is {finding.confidence}, not {hit.confidence}"
    lacking = sorted(set(hit.related) - set(finding.related))
    if lacking:
        yield f"{hit.subject}: not related: {', '.join(lacking)} (related: {', '.join(finding.related) or 'nothing'})"
    if hit.mentions and hit.mentions not in finding.explanation.en:
        yield f"{hit.subject}: the explanation does not mention {hit.mentions!r}: {finding.explanation.en}"
    if not finding.evidence:
        yield f"{hit.subject}: the finding names no evidence (no <table>_row column)"

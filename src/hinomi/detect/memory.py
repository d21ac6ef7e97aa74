"""YARA rules over the memory of processes: which rules suit it, the search itself, and findings from its rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from hinomi.detect.catalogue import Catalogue
from hinomi.detect.draft import Draft, draft_of
from hinomi.detect.gate.gate import Gate, need_of
from hinomi.detect.rule import Rule
from hinomi.detect.sql import Queries, QueryTimeoutError
from hinomi.detect.yara import MAX_MATCHES_PER_PATTERN, MAX_ROWS_PER_RULE, SCAN_SECONDS, excerpt
from hinomi.detect.yararule import IN_MEMORY, compile_sources
from hinomi.evidence.process.memory import Found
from hinomi.model.errors import ParseError, RuleError
from hinomi.model.findings import Coverage
from hinomi.model.text import Bilingual

MAX_HITS = 20_000
DETECTION_CONTENT = 3  # rules found in one process: it holds rules or reports, as a scanner does
_ENGINE = "(^|/)_?(lib)?(yara|yara_x|yara_python|clamav)[^/]*[.](so|abi3)"  # a pattern engine: rules stand beside it
# what only a whole file can answer: memory has no size, no beginning, no structure
_ABOUT_FILES = re.compile(
    r"\bfilesize\b|\bentrypoint\b|\bu?int(?:8|16|32)(?:be)?\s*\(|\bat\s+(?:0x)?\d|\b(?:pe|elf|macho|dotnet|dex|lnk|hash|math|magic)\."
)


def suits_memory(rule: Rule) -> bool:
    """Whether a YARA rule can be asked of memory: it says so (`memory = true`), or asks nothing only files have."""
    if rule.memory is not None:
        return rule.memory
    condition = rule.body.rpartition("condition:")[2]
    return not _ABOUT_FILES.search(condition)


class MemoryLook:
    """Searches pieces of memory with the rules that suit it (a `hinomi.evidence.process.memory.Look`)."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rule for rule in rules if suits_memory(rule))
        self._gate = Gate(need_of(rule.body) for rule in self.rules)
        compiled = compile_sources({rule.id: rule.body for rule in self.rules})
        import yara_x

        self._scanner: Any = yara_x.Scanner(compiled)
        self._scanner.set_timeout(SCAN_SECONDS)
        self._scanner.max_matches_per_pattern(MAX_MATCHES_PER_PATTERN)
        self._scanner.set_global(IN_MEMORY, True)

    def search(self, data: bytes) -> list[Found]:
        """Return the patterns of the rules that match; `ParseError` past the time."""
        import yara_x

        if not self._gate.may_match(data):
            return []
        try:
            result = self._scanner.scan(data)
        except yara_x.ScanError as error:
            raise ParseError("parse.scan", place="memory", cause=str(error) or "YARA took too long") from error
        return [one for rule in result.matching_rules for one in _found(rule, data)]


def _found(rule: Any, data: bytes) -> list[Found]:
    if rule.identifier != rule.namespace.replace("-", "_"):
        return []
    found = [
        Found(rule.namespace, p.identifier, m.offset, m.length, excerpt(data[m.offset : m.offset + m.length]))
        for p in rule.patterns
        for m in p.matches
    ]
    return found[:MAX_ROWS_PER_RULE] or [Found(rule.namespace, "", 0, 0, "")]


def memory_look(catalogue: Catalogue) -> MemoryLook:
    """Return the search with a catalogue's rules; `RuleError` where they do not compile together."""
    return MemoryLook(catalogue.of_kind("yara"))


_BY_PROCESS = f"""
WITH content AS (SELECT pid, count(DISTINCT rule) AS rules FROM memory_matches GROUP BY pid)
SELECT m.rule, m.pid, any_value(m.process) AS process, list(DISTINCT m.row) AS rows, list(DISTINCT r.row) AS regions,
  list(DISTINCT m.pattern ORDER BY m.pattern) AS patterns, first(m.excerpt ORDER BY m.row) AS excerpt,
  first(m.region ORDER BY m.row) AS region, first(m.offset ORDER BY m.row) AS offset,
  first(m.permissions ORDER BY m.row) AS permissions, first(m.path ORDER BY m.row) AS path,
  any_value(c.rules) AS rules, list(DISTINCT p.row) AS processes, any_value(p.exe) AS exe,
  coalesce(bool_or(len(list_filter(p.libraries, lambda x: regexp_matches(x, '{_ENGINE}'))) > 0), false) AS engine
FROM memory_matches m JOIN content c USING (pid)
LEFT JOIN memory_regions r ON r.pid = m.pid AND r.address = m.region
LEFT JOIN processes p ON p.pid = m.pid AND p.ended IS NULL
GROUP BY m.rule, m.pid ORDER BY m.rule, m.pid
"""


def match_memory(evidence: Queries, rules: Sequence[Rule], coverage: Coverage) -> Iterator[Draft]:
    """Turn the rows of `memory_matches` into drafts about processes by their rules."""
    by_id = {rule.id: rule for rule in rules}
    try:
        result = evidence.query(_BY_PROCESS, limit=MAX_HITS)
    except (RuleError, QueryTimeoutError) as error:
        coverage.miss("table:memory_matches", "memory_matches", "unreadable", str(error))
        return
    if result.truncated:
        coverage.miss("table:memory_matches", "memory_matches", "truncated", f"more than {MAX_HITS} processes")
    for hit in result.dicts():
        if hit["rule"] in by_id:
            yield _draft(by_id[hit["rule"]], hit)


def _draft(rule: Rule, hit: dict[str, Any]) -> Draft:
    place = f"{hit['region']}+{hit['offset']:#x} {hit['permissions']} {hit['path'] or '[anonymous]'}"
    words = {
        "title": Bilingual(f"In memory: {rule.title.en}", f"メモリー内: {rule.title.ja}"),
        "explanation": Bilingual(f"{rule.explanation.en} At {{place}}.", f"{rule.explanation.ja}場所: {{place}}。"),
    }
    rows = [(table, row) for table in ("memory_regions", "memory_matches", "processes") for row in _rows(hit, table)]
    scanner = hit["engine"] or hit["rules"] >= DETECTION_CONTENT
    changes: dict[str, Any] = {"severity": "low", "confidence": 20} if scanner else {}
    return draft_of(
        rule, str(hit["pid"]), subject_type="process", evidence=tuple(rows),
        related=tuple(p for p in (hit["exe"], hit["path"]) if p and p.startswith("/")),
        values={"patterns": [p for p in hit["patterns"] if p], "excerpt": hit["excerpt"], "place": place,
                "subject": f"pid {hit['pid']} ({hit['process']})"},
        attributes={"memory": {key: hit[key] for key in ("region", "offset", "permissions", "path")}},
        **words, **changes,
    )  # fmt: skip


def _rows(hit: dict[str, Any], table: str) -> list[int]:
    column = {"memory_regions": "regions", "memory_matches": "rows", "processes": "processes"}[table]
    return [row for row in hit[column] if row is not None]

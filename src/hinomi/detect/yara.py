"""YARA rules over file content: the watcher that fills `content_matches`, and findings from those rows."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

from hinomi.detect.catalogue import Catalogue
from hinomi.detect.draft import Draft, draft_of
from hinomi.detect.ownfiles import is_rule_file
from hinomi.detect.rule import Rule
from hinomi.detect.sql import Evidence, QueryTimeoutError
from hinomi.detect.yararule import compile_sources
from hinomi.evidence.collector import HEAD_SIZE, ContentFile
from hinomi.evidence.target import Target
from hinomi.evidence.view import Entry
from hinomi.model.errors import ParseError, RuleError
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row
from hinomi.model.tables.files import ContentMatch
from hinomi.model.text import path_text, printable

WHOLE_LIMIT = 32 << 20  # bytes; larger files are scanned in pieces
PIECE = 16 << 20
OVERLAP = 64 << 10  # longest pattern that may lie across two pieces
SCAN_SECONDS = 30
MAX_MATCHES_PER_PATTERN = 5
MAX_ROWS_PER_RULE = 20
MAX_HITS = 20_000
EXCERPT_BYTES = 60


class ContentScanner:
    """A `ContentCollector` that runs all YARA rules of a catalogue over each file once; safe to share by threads."""

    name = "yara"
    tables: tuple[type[Row], ...] = (ContentMatch,)

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = compile_sources({rule.id: rule.body for rule in rules})
        self._local = threading.local()

    def wants(self, entry: Entry, head: bytes) -> bool:
        """Take every regular file that holds anything."""
        return bool(head)

    def examine(self, file: ContentFile, target: Target, coverage: Coverage) -> Iterator[Row]:
        """Yield a row per pattern found; `ParseError` for a scan past its time."""
        rows = list(self._scan(file))
        if rows and is_rule_file(file):
            coverage.skip("rule-files")
            return
        if file.entry.size > WHOLE_LIMIT:
            coverage.count("files-scanned-in-pieces")
        yield from rows

    def _scan(self, file: ContentFile) -> Iterator[ContentMatch]:
        path, seen = path_text(file.entry.path), set[tuple[str, str, int]]()
        for base, data in pieces(file):
            for rule_id, pattern, offset, length in self._matches(data, path):
                place = base + offset if base == 0 or offset >= HEAD_SIZE else offset
                if (rule_id, pattern, place) in seen:
                    continue
                seen.add((rule_id, pattern, place))
                yield ContentMatch(
                    path=path, rule=rule_id, pattern=pattern, offset=place, length=length,
                    excerpt=_excerpt(data[offset : offset + length]), sha256=file.sha256,
                )  # fmt: skip

    def _matches(self, data: bytes, path: str) -> Iterator[tuple[str, str, int, int]]:
        import yara_x

        try:
            result = self._scanner().scan(data)
        except yara_x.TimeoutError as error:
            raise ParseError("parse.timeout", place=path, cause=f"YARA took more than {SCAN_SECONDS} s") from error
        except yara_x.ScanError as error:
            raise ParseError("parse.scan", place=path, cause=str(error)) from error
        for rule in result.matching_rules:
            if rule.identifier == rule.namespace.replace("-", "_"):
                yield from _found(rule)

    def _scanner(self) -> Any:
        import yara_x

        if not hasattr(self._local, "scanner"):
            scanner = yara_x.Scanner(self._rules)
            scanner.set_timeout(SCAN_SECONDS)
            scanner.max_matches_per_pattern(MAX_MATCHES_PER_PATTERN)
            self._local.scanner = scanner
        return self._local.scanner


def _found(rule: Any) -> list[tuple[str, str, int, int]]:
    found = [(rule.namespace, p.identifier, m.offset, m.length) for p in rule.patterns for m in p.matches]
    return found[:MAX_ROWS_PER_RULE] or [(rule.namespace, "", 0, 0)]


def pieces(file: ContentFile) -> Iterator[tuple[int, bytes]]:
    """Yield a file's bytes as (base, data): whole up to 32 MiB, else in overlapping pieces.

    Every later piece begins with the file's head, so that tests of the file's type at offset 0 hold in it too: byte
    `i` of such a piece stands at `base + i` of the file for `i >= HEAD_SIZE`.
    """
    if file.entry.size <= WHOLE_LIMIT:
        yield 0, file.read(WHOLE_LIMIT)
        return
    with file.open() as reader:
        position, data = 0, reader.read(PIECE)
        while data:
            yield (0, data) if position == 0 else (position - len(file.head), file.head + data)
            if len(data) < PIECE:
                return
            position += PIECE - OVERLAP
            reader.seek(position)
            data = reader.read(PIECE)


def _excerpt(data: bytes) -> str:
    return printable(data[:EXCERPT_BYTES].decode("utf-8", "surrogateescape"))[:120]


def content_collector(catalogue: Catalogue) -> ContentScanner:
    """Return the watcher for `collect()`; `RuleError` where the rules do not compile together."""
    return ContentScanner(catalogue.of_kind("yara"))


_BY_FILE = """
SELECT rule, path, list(row ORDER BY row) AS rows, list(DISTINCT pattern ORDER BY pattern) AS patterns,
       first(excerpt ORDER BY row) AS excerpt
FROM content_matches GROUP BY rule, path ORDER BY rule, path
"""


def match_content(evidence: Evidence, rules: Sequence[Rule], coverage: Coverage) -> Iterator[Draft]:
    """Turn the rows of `content_matches` into drafts by their rules."""
    if not rules:
        return
    by_id = {rule.id: rule for rule in rules}
    try:
        result = evidence.query(_BY_FILE, limit=MAX_HITS)
    except (RuleError, QueryTimeoutError) as error:
        coverage.miss("table:content_matches", "content_matches", "unreadable", str(error))
        return
    coverage.count("rules", len(by_id))
    if result.truncated:
        coverage.miss("table:content_matches", "content_matches", "truncated", f"more than {MAX_HITS} files")
    for hit in result.dicts():
        if hit["rule"] in by_id:
            rows = tuple(("content_matches", row) for row in hit["rows"])
            values = {"patterns": [p for p in hit["patterns"] if p], "excerpt": hit["excerpt"]}
            yield draft_of(by_id[hit["rule"]], hit["path"], evidence=rows, values=values)

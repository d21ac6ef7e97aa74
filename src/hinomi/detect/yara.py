"""YARA rules over file content: the watcher that fills `content_matches`, and findings from those rows."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from hinomi.detect.catalogue import Catalogue
from hinomi.detect.draft import Draft, draft_of
from hinomi.detect.gate.gate import Gate, need_of
from hinomi.detect.ownfiles import is_rule_file, own_digests
from hinomi.detect.rule import Rule
from hinomi.detect.sql import Queries, QueryTimeoutError
from hinomi.detect.yararule import IN_MEMORY, compile_sources
from hinomi.evidence.collector import HEAD_SIZE, ContentFile, Feed
from hinomi.evidence.content_types import content_type
from hinomi.evidence.target import Target
from hinomi.evidence.view import Entry
from hinomi.model.errors import ParseError, RuleError
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row
from hinomi.model.tables.files import ContentMatch
from hinomi.model.text import path_text, printable

WHOLE_LIMIT = 16 << 20  # bytes; larger files are scanned in pieces
PIECE = 8 << 20
OVERLAP = 64 << 10  # longest pattern that may lie across two pieces
SCAN_SECONDS = 30
PACKED_LIMIT = 8 << 20  # larger files whose content is compressed are searched at their edges only
EDGE = 1 << 20
PACKED_KINDS = ("application/vnd.openxmlformats", "application/vnd.oasis.opendocument", "video/mp4", "audio/mpeg")
PACKED = frozenset({
    "application/zip", "application/java-archive", "application/epub+zip", "application/vnd.android.package-archive",
    "application/gzip", "application/x-compress", "application/x-xz", "application/zstd", "application/x-lz4",
    "application/x-lzop", "application/x-lzip", "application/x-bzip2", "application/x-7z-compressed",
    "application/vnd.rar", "application/vnd.ms-cab-compressed", "application/x-rpm", "application/x-squashfs",
    "application/vnd.debian.binary-package", "application/x-git-pack", "image/png", "image/jpeg", "image/gif",
    "image/webp", "application/ogg", "audio/flac", "font/woff", "font/woff2",
})  # fmt: skip
MAX_MATCHES_PER_PATTERN = 5
MAX_ROWS_PER_RULE = 20
MAX_HITS = 20_000
EXCERPT_BYTES = 60

Parts = tuple[bytes | memoryview, ...]


class ContentScanner:
    """A `ContentCollector` that runs all YARA rules of a catalogue over each file once.

    Large files are fed to it as they are read (`FeedCollector`); its answers may be kept (`CacheableCollector`).
    """

    name = "yara"
    tables: tuple[type[Row], ...] = (ContentMatch,)

    def __init__(self, rules: Sequence[Rule]) -> None:
        bodies = {rule.id: rule.body for rule in rules}
        self._sets = _rule_sets(bodies)
        self._place = {rule_id: place for place, rule_id in enumerate(bodies)}
        self._source = json.dumps(bodies, sort_keys=True, default=str)

    def prepare(self) -> None:
        """Load what every worker process would load for itself."""
        own_digests()

    def fingerprint(self) -> str:
        """Return a digest of the rules, of our own files (which are no findings) and of the engine's version."""
        from importlib.metadata import version

        parts = (self._source, version("yara-x"), *sorted(own_digests()))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def wants(self, entry: Entry, head: bytes) -> bool:
        """Take every regular file that holds anything."""
        return bool(head)

    def begin(self, entry: Entry, head: bytes) -> Feed | None:
        """Return a feed for files that are scanned in pieces."""
        if entry.size <= WHOLE_LIMIT or not head or _is_packed(entry, content_type(head)):
            return None
        return _PieceScan(self, entry, head)

    def examine(self, file: ContentFile, target: Target, coverage: Coverage) -> Iterator[Row]:
        """Yield a row per pattern found; `ParseError` for a scan past its time."""
        if _is_packed(file.entry, file.content_type):
            coverage.skip("compressed-not-pattern-searched")
            yield from self.told(file, self._edges(file), coverage)
        elif file.entry.size <= WHOLE_LIMIT:
            if any(each.gate.open_to(file.head) for each in self._sets):
                yield from self.told(file, self.matches(0, (file.read(WHOLE_LIMIT),), file.entry), coverage)
        else:
            scan = _PieceScan(self, file.entry, file.head)
            with file.open() as reader:
                while data := reader.read(PIECE):
                    scan.feed(memoryview(data))
            yield from scan.finish(file, coverage)

    def _edges(self, file: ContentFile) -> Iterator[_Match]:
        """What is appended to a picture or an archive, or stands before its data, is not compressed."""
        with file.open() as reader:
            yield from self.matches(0, (reader.read(EDGE),), file.entry)
            base = file.entry.size - EDGE
            reader.seek(base)
            yield from self.matches(base - len(file.head), (file.head, reader.read(EDGE)), file.entry)

    def told(self, file: ContentFile, matches: Iterable[_Match], coverage: Coverage) -> Iterator[ContentMatch]:
        """Yield a file's matches as rows, each place once, unless the file is detection content itself."""
        once = {match[:3]: match for match in matches}
        rows = [_row(file, match) for match in once.values()]
        if rows and is_rule_file(file):
            coverage.skip("rule-files")
            return
        yield from rows

    def matches(self, base: int, parts: Parts, entry: Entry) -> list[_Match]:
        """Scan one piece given in parts; `ParseError` past its time. Where its bytes stand: see `_placed`."""
        found: list[tuple[str, str, int, int]] = []
        data = b""
        for each in self._sets:
            if each.gate.may_match(*parts):
                data = data or _whole(parts)
                found += each.matches(data, path_text(entry.path))
        found.sort(key=lambda match: self._place[match[0]])
        return [
            _Match(rule, pattern, _placed(base, offset), length, excerpt(data[offset : offset + length]))
            for rule, pattern, offset, length in found
        ]


class _RuleSet:
    """Rules compiled together, and the gate before them."""

    def __init__(self, bodies: dict[str, str], gate: Gate) -> None:
        self.gate = gate
        self._rules = compile_sources(bodies)
        self._local = threading.local()

    def matches(self, data: bytes, path: str) -> Iterator[tuple[str, str, int, int]]:
        """Yield (rule, pattern, offset, length); `ParseError` for a scan past its time."""
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


def _rule_sets(bodies: dict[str, str]) -> list[_RuleSet]:
    """Keep the rules that need some literal apart from the others: those are asked of few files, these of most."""
    needs = {rule_id: need_of(body, frozenset({IN_MEMORY})) for rule_id, body in bodies.items()}
    gated = [name for name, need in needs.items() if all(alternative.literals for alternative in need)]
    others = [name for name in needs if name not in set(gated)]
    return [
        _RuleSet({name: bodies[name] for name in names}, Gate(needs[name] for name in names))
        for names in (gated, others)
        if names
    ]


def _whole(parts: Parts) -> bytes:
    return bytes(parts[0]) if len(parts) == 1 else b"".join(parts)


def _found(rule: Any) -> list[tuple[str, str, int, int]]:
    found = [(rule.namespace, p.identifier, m.offset, m.length) for p in rule.patterns for m in p.matches]
    return found[:MAX_ROWS_PER_RULE] or [(rule.namespace, "", 0, 0)]


class _Match(NamedTuple):
    """One pattern at one place of a file."""

    rule: str
    pattern: str
    offset: int
    length: int
    excerpt: str


class _PieceScan:
    """Scans a large file in overlapping pieces while it is read (implements `Feed`).

    Every later piece begins with the file's head, so that tests of the file's type at offset 0 hold in it too: byte
    `i` of such a piece stands at `base + i` of the file for `i >= HEAD_SIZE`.
    """

    def __init__(self, scanner: ContentScanner, entry: Entry, head: bytes) -> None:
        self._scanner = scanner
        self._entry = entry
        self._head = head
        self._position = 0
        self._data = bytearray()
        self._found: list[_Match] = []

    def feed(self, data: memoryview) -> None:
        """Take the next bytes; scan when a piece is full."""
        self._data += data
        while len(self._data) >= PIECE:
            self._scan(PIECE)
            del self._data[: PIECE - OVERLAP]
            self._position += PIECE - OVERLAP

    def finish(self, file: ContentFile, coverage: Coverage) -> Iterator[Row]:
        """Scan what is left, and yield the rows."""
        self._scan(len(self._data))
        self._data.clear()
        coverage.count("files-scanned-in-pieces")
        yield from self._scanner.told(file, self._found, coverage)

    def _scan(self, size: int) -> None:
        with memoryview(self._data) as view, view[:size] as piece:
            parts = (piece,) if self._position == 0 else (self._head, piece)
            base = 0 if self._position == 0 else self._position - len(self._head)
            self._found.extend(self._scanner.matches(base, parts, self._entry))


def _placed(base: int, offset: int) -> int:
    """Return where a match stands in the file: the head in front of a later piece is the file's own."""
    return base + offset if base == 0 or offset >= HEAD_SIZE else offset


def _row(file: ContentFile, match: _Match) -> ContentMatch:
    return ContentMatch(
        path=path_text(file.entry.path), rule=match.rule, pattern=match.pattern, offset=match.offset,
        length=match.length, excerpt=match.excerpt, sha256=file.sha256,
    )  # fmt: skip


def _is_packed(entry: Entry, kind: str) -> bool:
    """Whether a file is large and its content compressed: patterns cannot match in it."""
    return entry.size > PACKED_LIMIT and (kind in PACKED or kind.startswith(PACKED_KINDS))


def excerpt(data: bytes) -> str:
    """Show matched bytes in one printable, bounded line."""
    return printable(data[:EXCERPT_BYTES].decode("utf-8", "surrogateescape"))[:120]


def content_collector(catalogue: Catalogue) -> ContentScanner:
    """Return the watcher for `collect()`; `RuleError` where the rules do not compile together."""
    return ContentScanner(catalogue.of_kind("yara"))


_BY_FILE = """
SELECT rule, path, list(row ORDER BY row) AS rows, list(DISTINCT pattern ORDER BY pattern) AS patterns,
       first(excerpt ORDER BY row) AS excerpt
FROM content_matches GROUP BY rule, path ORDER BY rule, path
"""


def match_content(evidence: Queries, rules: Sequence[Rule], coverage: Coverage) -> Iterator[Draft]:
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

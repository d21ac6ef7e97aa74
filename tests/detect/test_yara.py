"""YARA over content: what is found, in pieces too, and what must not be found."""

from __future__ import annotations

import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.detect import inert, yara
from hinomi.detect.catalogue import BUILT_IN, Catalogue, load_rules
from hinomi.detect.rowset import write_rows
from hinomi.detect.sql import Evidence
from hinomi.detect.yararule import compile_warnings, identifier, read_yara_rule
from hinomi.evidence.collector import HEAD_SIZE, CacheableCollector, ContentCollector, FeedCollector
from hinomi.evidence.sources.memory import MemoryFile, memory_target
from hinomi.evidence.view import Entry
from hinomi.model.errors import ParseError, RuleError
from hinomi.model.findings import Coverage

RULE = """
rule {name} {{
  meta:
    title_en = "T {{subject}}" title_ja = "題"
    explanation_en = "{{subject}}: {{patterns}} {{excerpt}}" explanation_ja = "説明"
    falsepositives_en = "n" falsepositives_ja = "無"
    severity = "high" confidence = 80 behaviours = "backdoor-program, reverse-shell" attack = "T1505"
    threats = "" references = "https://example.org/" responses = "preserve-evidence" subject_type = "file"
  strings:
    $a = "qzx-marker-one" nocase
    $b = {{ 01 02 03 04 05 06 07 08 }}
  condition:
    {condition}
}}
"""


class FakeFile:
    """A content file over bytes."""

    def __init__(self, data: bytes, path: bytes = b"/f", mode: int = 0o644) -> None:
        self.data = data
        self.entry = Entry(path, "file", len(data), mode, 0, 0, 1, 1, 1, 0.0, 0.0)
        self.head = data[:HEAD_SIZE]
        self.sha256 = hashlib.sha256(data).hexdigest()
        self.content_type = "application/octet-stream"

    def read(self, limit: int) -> bytes:
        return self.data[:limit]

    def open(self) -> io.BytesIO:
        return io.BytesIO(self.data)


def scanner(tmp_path: Path, condition: str = "any of them") -> yara.ContentScanner:
    path = tmp_path / "a-marker.yar"
    path.write_text(RULE.format(name="a_marker", condition=condition), encoding="utf-8")
    return yara.content_collector(Catalogue((read_yara_rule(path),)))


def scan(collector: yara.ContentScanner, file: FakeFile, coverage: Coverage | None = None):
    return list(collector.examine(file, memory_target({}), coverage or Coverage()))


def test_patterns_become_rows_and_rows_findings(tmp_path: Path) -> None:
    collector = scanner(tmp_path)
    assert isinstance(collector, ContentCollector)
    rows = scan(collector, FakeFile(b"xx QZX-Marker-ONE \x01\x02\x03\x04\x05\x06\x07\x08"))
    assert [(r.rule, r.pattern, r.offset, r.length) for r in rows] == [
        ("a-marker", "$a", 3, 14),
        ("a-marker", "$b", 18, 8),
    ]
    assert rows[0].excerpt == "QZX-Marker-ONE" and rows[1].excerpt == "\\x01\\x02\\x03\\x04\\x05\\x06\\x07\\x08"
    folder = tmp_path / "rows"
    folder.mkdir()
    with Evidence(write_rows(folder, rows)) as evidence:
        rules = [read_yara_rule(tmp_path / "a-marker.yar")]
        (draft,) = yara.match_content(evidence, rules, Coverage())
        assert list(yara.match_content(evidence, [], Coverage())) == []
    assert (draft.subject, draft.severity, draft.behaviours) == ("/f", "high", ("backdoor-program", "reverse-shell"))
    assert draft.values == {"patterns": ["$a", "$b"], "excerpt": "QZX-Marker-ONE"}
    assert len(draft.evidence) == 2


def test_a_rule_without_patterns_gives_one_row(tmp_path: Path) -> None:
    (row,) = scan(scanner(tmp_path, "filesize > 3 and none of them"), FakeFile(b"12345"))
    assert (row.pattern, row.length) == ("", 0)


def test_only_files_with_content_are_wanted(tmp_path: Path) -> None:
    collector = scanner(tmp_path)
    assert collector.wants(FakeFile(b"x").entry, b"x") and not collector.wants(FakeFile(b"").entry, b"")


def test_large_files_are_scanned_in_pieces_with_their_head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yara, "WHOLE_LIMIT", 64 << 10)
    monkeypatch.setattr(yara, "PIECE", 32 << 10)
    monkeypatch.setattr(yara, "OVERLAP", 4 << 10)
    collector = scanner(tmp_path, "uint32(0) == 0x464c457f and any of them")
    data = bytearray(inert.elf(["head"]).ljust(300_000, b"."))
    places = [5_000, (32 << 10) - 7, (60 << 10) - 3, 299_980]
    for place in places:
        data[place : place + 14] = b"qzx-marker-one"
    coverage = Coverage()
    rows = scan(collector, FakeFile(bytes(data)), coverage)
    assert sorted(r.offset for r in rows) == places
    assert coverage.examined["files-scanned-in-pieces"] == 1
    assert scan(collector, FakeFile(b"MZ" + bytes(data[2:]))) == []


@pytest.mark.parametrize("step", [1_000, 4_096, 33_000, 400_000])
def test_a_large_file_fed_while_it_is_read_gives_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    monkeypatch.setattr(yara, "WHOLE_LIMIT", 64 << 10)
    monkeypatch.setattr(yara, "PIECE", 32 << 10)
    monkeypatch.setattr(yara, "OVERLAP", 4 << 10)
    collector = scanner(tmp_path, "uint32(0) == 0x464c457f and any of them")
    data = bytearray(inert.elf(["head"]).ljust(300_000, b"."))
    for place in (100, 5_000, (32 << 10) - 7, (60 << 10) - 3, 150_000, 299_986):
        data[place : place + 14] = b"qzx-marker-one"
    file = FakeFile(bytes(data))
    feed = collector.begin(file.entry, file.head)
    assert isinstance(collector, FeedCollector) and feed is not None
    for at in range(0, len(data), step):
        feed.feed(memoryview(data)[at : at + step])
    assert list(feed.finish(file, Coverage())) == scan(collector, file) != []


def test_small_files_are_not_fed(tmp_path: Path) -> None:
    assert scanner(tmp_path).begin(FakeFile(b"x").entry, b"x") is None


@pytest.mark.parametrize(
    "kind", ["application/zip", "image/png", "application/vnd.openxmlformats-package", "video/mp4"]
)
def test_large_compressed_files_are_searched_at_their_edges(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(yara, "PACKED_LIMIT", 60_000)
    monkeypatch.setattr(yara, "EDGE", 10_000)
    collector = scanner(tmp_path)
    data = bytearray(100_000)
    for place in (50, 50_000, 99_900):
        data[place : place + 14] = b"qzx-marker-one"
    file, coverage = FakeFile(bytes(data)), Coverage()
    assert sorted(row.offset for row in scan(collector, file)) == [50, 50_000, 99_900]
    file.content_type = kind
    assert sorted(row.offset for row in scan(collector, file, coverage)) == [50, 99_900]
    assert coverage.skipped["compressed-not-pattern-searched"] == 1 and coverage.complete


def test_the_fingerprint_changes_with_the_rules(tmp_path: Path) -> None:
    first, same, other = scanner(tmp_path), scanner(tmp_path), scanner(tmp_path, "all of them")
    assert isinstance(first, CacheableCollector)
    assert first.fingerprint() == same.fingerprint() != other.fingerprint()


def test_matches_per_pattern_are_bounded(tmp_path: Path) -> None:
    rows = scan(scanner(tmp_path), FakeFile(b"qzx-marker-one " * 10_000))
    assert len(rows) == yara.MAX_MATCHES_PER_PATTERN


def test_rule_files_are_not_findings(tmp_path: Path) -> None:
    collector = scanner(tmp_path)
    own = RULE.format(name="other", condition="$a").encode()
    foreign = b'import "no_such"\nrule x { strings: $a = "qzx-marker-one" condition: $a and external_thing }'
    sigma = b"title: x\ndetection:\n  a: qzx-marker-one\n  condition: a\n"
    ours = b"id: a\nquery: SELECT 1\nx: qzx-marker-one\n"
    cases = b"cases:\n  - {name: x, files: {/a: qzx-marker-one}}\n"
    osv = b'{"id": "X", "affected": [], "details": "qzx-marker-one"}'
    for text in (own, foreign, sigma, ours, cases, osv):
        coverage = Coverage()
        assert scan(collector, FakeFile(text), coverage) == [], text
        assert coverage.skipped["rule-files"] == 1
        assert scan(collector, FakeFile(text, mode=0o755)) != [], "what runs is no rule file"


@pytest.mark.parametrize(
    "data",
    [
        b"#!/bin/sh\n# rule x { condition: true }\necho qzx-marker-one\n",
        b"rule x { condition: true }\nqzx-marker-one and then a script\n",
        b"cases: {\nqzx-marker-one",
        b"title: x\nqzx-marker-one: 1\n",
        b"detection: 1\n# qzx-marker-one\n",
        b'{"id": "X", "note": "qzx-marker-one"}',
        b"\0rule x { condition: true } qzx-marker-one",
        inert.elf([RULE, "qzx-marker-one"]),
        b"\xff\xfe qzx-marker-one",
        b"{" * 5000 + b"qzx-marker-one",
    ],
)
def test_pretending_to_be_a_rule_file_does_not_hide(tmp_path: Path, data: bytes) -> None:
    assert scan(scanner(tmp_path), FakeFile(data)) != []


def test_the_installed_package_does_not_find_itself() -> None:
    collector = yara.content_collector(load_rules())
    for path in sorted(BUILT_IN.parent.rglob("*")):
        if path.is_file() and path.suffix in (".py", ".yar", ".yml", ".json", ".md", ".csv", ".pyc"):
            assert scan(collector, FakeFile(path.read_bytes())) == [], path


def test_threads_have_scanners_of_their_own(tmp_path: Path) -> None:
    collector = scanner(tmp_path)
    files = [FakeFile(b"x" * n + b"qzx-marker-one", b"/%d" % n) for n in range(40)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda file: [r.offset for r in scan(collector, file)], files))
    assert found == [[n] for n in range(40)]


def test_a_scan_past_its_time_is_a_parse_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import yara_x

    class Slow:
        def scan(self, data: bytes) -> None:
            raise yara_x.TimeoutError("slow")

    collector = scanner(tmp_path)
    monkeypatch.setattr(yara._RuleSet, "_scanner", lambda rules: Slow())
    with pytest.raises(ParseError):
        scan(collector, FakeFile(b"qzx-marker-one"))


def test_the_watcher_works_in_the_pipeline(tmp_path: Path) -> None:
    from hinomi.evidence.collect import collect

    rows, coverage = [], Coverage()
    tree = {"/opt/a": MemoryFile(b"\x7fELF qzx-marker-one"), "/opt/b": MemoryFile(b"nothing")}
    collect(memory_target(tree), rows.append, coverage, watchers=[scanner(tmp_path)], collectors=[], jobs=1)
    assert [r.path for r in rows if type(r).__name__ == "ContentMatch"] == ["/opt/a"]


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("rule a_marker { condition: ", ":1"),
        ("rule a_marker {\n condition: unknown_thing }", ":2:13"),
        ("rule other { condition: true }", ""),
        ("rule a_marker { condition: true }", ""),
        ("", ""),
    ],
)
def test_wrong_rule_files_are_told_with_their_place(tmp_path: Path, source: str, place: str) -> None:
    path = tmp_path / "a-marker.yar"
    path.write_text(source)
    with pytest.raises(RuleError) as caught:
        read_yara_rule(path)
    assert caught.value.place.startswith(f"{path}{place}")


def test_constant_conditions_are_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "a-marker.yar"
    path.write_text(RULE.format(name="a_marker", condition="0x464c457f and any of them"))
    assert "non_bool_expr" in {warning["code"] for warning in compile_warnings(read_yara_rule(path))}
    assert identifier("a-b-c") == "a_b_c"


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.binary(max_size=300))
def test_any_content_is_scanned(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    collector = scanner(tmp_path_factory.getbasetemp())
    for row in scan(collector, FakeFile(data + b"qzx-marker-one")):
        assert row.excerpt.isprintable() and len(row.excerpt) <= 120

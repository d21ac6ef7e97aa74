"""Which rules are asked of memory, what they find there, and what becomes of it."""

from dataclasses import replace
from pathlib import Path

import pytest

from hinomi.detect.catalogue import load_rules
from hinomi.detect.draft import finish
from hinomi.detect.memory import DETECTION_CONTENT, MemoryLook, match_memory, suits_memory
from hinomi.detect.rowset import filled, write_rows
from hinomi.detect.rule import Rule
from hinomi.detect.sql import Evidence
from hinomi.detect.yararule import read_yara_rule
from hinomi.evidence.native import compiled
from hinomi.model.errors import RuleError
from hinomi.model.findings import Coverage, Finding

META = 'severity = "medium" title_en = "a" title_ja = "あ" explanation_en = "{subject} {patterns}" explanation_ja = "{subject}"'


@pytest.fixture
def rule(tmp_path: Path):
    def write(name: str, condition: str, more: str = "", strings: str = '$a = "otter" $b = "heron"') -> Rule:
        path = tmp_path / f"{name}.yar"
        identifier = name.replace("-", "_")
        path.write_text(f"rule {identifier} {{ meta: {META} {more}\nstrings: {strings}\ncondition: {condition} }}")
        return read_yara_rule(path)

    return write


def test_a_rule_suits_memory_where_it_asks_nothing_of_files(rule) -> None:
    assert suits_memory(rule("plain", "all of them"))
    assert suits_memory(rule("counted", "#a > 2 and @b > @a"))
    assert not suits_memory(rule("sized", "all of them and filesize < 1MB"))
    assert not suits_memory(rule("typed", "uint32(0) == 0x464c457f and all of them"))
    assert not suits_memory(rule("placed", "$a at 0 and $b"))


def test_a_rule_may_say_itself(rule) -> None:
    assert suits_memory(rule("yes", "filesize < 1MB and any of them", "memory = true"))
    assert not suits_memory(rule("no", "any of them", "memory = false"))
    with pytest.raises(RuleError, match="memory"):
        rule("wrong", "any of them", 'memory = "perhaps"')


def test_conditions_know_where_they_are(rule) -> None:
    both = rule("both", "(in_memory and $a) or (not in_memory and $b)", "memory = true")
    look = MemoryLook([both, rule("sized", "any of them and filesize < 9")])
    assert [(f.rule, f.pattern, f.offset, f.excerpt) for f in look.search(b"an otter")] == [("both", "$a", 3, "otter")]
    assert look.search(b"a heron") == []


@pytest.mark.skipif(compiled("literals") is None, reason="the compiled core is not built")
def test_the_engine_is_asked_only_where_a_rule_could_match(rule) -> None:
    class Engine:
        def scan(self, data: bytes) -> None:
            raise AssertionError("asked")

    look = MemoryLook([rule("both", "all of them")])
    look._scanner = Engine()
    assert look.search(b"an otte, a hero") == []
    with pytest.raises(AssertionError, match="asked"):
        look.search(b"an otter, a heron")


def test_the_built_in_rules_for_memory_need_more_than_one_common_text() -> None:
    look = MemoryLook(load_rules().of_kind("yara"))
    assert {"tinyshell", "sysjoker"} <= {r.id for r in look.rules}
    shell = b"HISTFILE=\0TERM=xterm\0/bin/sh\0BASH_VERSION\0busybox\0exec bash --login\0"
    assert look.search(shell) == []
    assert {f.rule for f in look.search(b"tshd_get_file\0TSHD_PUT_FILE\0pel_send_msg\0")} == {"tinyshell"}


def found(rules: list[Rule], rows: list, tmp_path: Path) -> list[Finding]:
    coverage = Coverage()
    with Evidence(write_rows(tmp_path, rows)) as evidence:
        drafts = list(match_memory(evidence, rules, coverage))
    assert coverage.complete, coverage.misses
    return finish(drafts, {}, target="/", run="r", seen=None)


def test_a_finding_names_region_offset_and_the_file_behind(rule, tmp_path: Path) -> None:
    plain = replace(rule("plain", "any of them"), severity="high")
    match = {"pid": 7, "process": "vole", "rule": "plain", "region": "7f00", "offset": 16, "permissions": "r-xp"}
    rows = [
        filled("memory_regions", {"pid": 7, "address": "7f00", "permissions": "r-xp", "path": "/tmp/gone"}),
        filled("memory_matches", match | {"pattern": "$a", "path": "/tmp/gone", "excerpt": "otter"}),
        filled("memory_matches", match | {"pattern": "$b", "path": "/tmp/gone", "offset": 99}),
        filled("processes", {"pid": 7, "name": "vole", "exe": "/opt/vole"}),
    ]
    (finding,) = found([plain], rows, tmp_path)
    assert (finding.subject_type, finding.subject_key, finding.severity) == ("process", "7", "high")
    assert "pid 7 (vole)" in finding.explanation.en and "7f00+0x10 r-xp /tmp/gone" in finding.explanation.en
    assert finding.title.en.startswith("In memory: ") and "メモリー" in finding.title.ja
    assert {(e.table, e.row) for e in finding.evidence} == {
        ("memory_regions", 0), ("memory_matches", 0), ("memory_matches", 1), ("processes", 0),
    }  # fmt: skip
    assert finding.related == ("/opt/vole", "/tmp/gone")
    assert finding.attributes["memory"]["region"] == "7f00"


def test_a_process_that_holds_many_rules_is_a_reader_of_them(rule, tmp_path: Path) -> None:
    names = [f"rule-{n}" for n in range(DETECTION_CONTENT)]
    rules = [replace(rule(name, "any of them"), severity="critical") for name in names]
    rows = [filled("memory_matches", {"pid": 8, "process": "scanner", "rule": name, "region": "1"}) for name in names]
    assert {f.severity for f in found(rules, rows, tmp_path)} == {"low"}


@pytest.mark.parametrize(
    ("library", "severity"),
    [
        ("/usr/lib/x86_64-linux-gnu/libyara.so.9", "low"),
        ("/opt/h/lib/python3.13/site-packages/yara_x/yara_x.abi3.so", "low"),
        ("/opt/ayara/libcurl.so.4", "critical"),
    ],
)
def test_what_searches_for_patterns_itself_holds_them(rule, tmp_path: Path, library: str, severity: str) -> None:
    rows = [
        filled("memory_matches", {"pid": 8, "rule": "plain", "region": "1"}),
        filled("processes", {"pid": 8, "name": "any", "exe": "/usr/bin/any", "libraries": [library]}),
    ]
    (finding,) = found([replace(rule("plain", "any of them"), severity="critical")], rows, tmp_path)
    assert finding.severity == severity


def test_rules_that_are_not_at_hand_give_nothing(rule, tmp_path: Path) -> None:
    rows = [filled("memory_matches", {"pid": 9, "rule": "of-yesterday", "region": "1"})]
    assert found([rule("plain", "any of them")], rows, tmp_path) == []

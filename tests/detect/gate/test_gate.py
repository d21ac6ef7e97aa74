"""The gate may let in vain through, and never keeps back what the engine would have found."""

from __future__ import annotations

import pytest
import yara_x
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hinomi.detect.gate import gate as gates
from hinomi.detect.gate.gate import Gate, need_of
from hinomi.evidence.native import compiled

TEXTS = ["gate", "lantern", "/bin/watch", "HOUSE=", "a.b", "zz-"]
_bytes = st.binary(min_size=4, max_size=6).map(lambda data: data.hex(" "))
_pattern = st.one_of(
    st.tuples(
        st.sampled_from([f'"{text}"' for text in TEXTS]),
        st.sampled_from(["", "nocase", "wide", "ascii wide", "wide nocase", "fullword", "xor"]),
    ),
    st.tuples(
        st.sampled_from(["/gat[a-e]+way/", "/lan(tern|d)s?/i", "/wa?tch{1,2}er/", "/x+house/", "/(ab|cd)/", "/a.b=/"]),
        st.sampled_from(["", "wide", "nocase", "ascii wide"]),
    ),
    st.tuples(
        st.sampled_from(["{ 67 61 74 ?? [0-2] 6c 61 6e 74 65 72 6e }", "{ 01 02 ( 03 | 04 ) 05 06 07 08 }"]),
        st.just(""),
    ),
)
_atom = st.sampled_from(
    ["$p0", "$p1", "$p2", "any of them", "2 of them", "all of them", "1 of ($p0, $p1)", "#p0 > 1", "$p1 at 0",
     "uint16(0) == 0x6167", "uint32be(0) == 0x67617465", "filesize < 40", "filesize > 20", "filesize == 30",
     "not $p0", "none of them", "true", "for any of them : ( $ )", "uint8(1) != 3", "@p1 > 2", "in_memory"]
)  # fmt: skip
_condition = st.recursive(
    _atom,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda two: f"{two[0]} and {two[1]}"),
        st.tuples(inner, inner).map(lambda two: f"({two[0]} or {two[1]})"),
        st.tuples(inner, inner).map(" or ".join),
        inner.map(lambda one: f"not ({one})"),
    ),
    max_leaves=6,
)
_piece = st.one_of(
    st.sampled_from([text.encode() for text in TEXTS]),
    st.sampled_from([text.encode("utf-16-le") for text in TEXTS]),
    st.sampled_from([b"gateway", b"LANTERNS", b"lands", b"watcher", b"wtchher", b"xxhouse", b"ab", b"gat\0\0lantern",
                     b"\1\2\3\5\6\7\x08", b"\1\2\4\5\6\7\x08", b"a", b"\0", b" ", b"g\0a\0t\0a\0w\0a\0y\0"]),
    st.binary(max_size=6),
)  # fmt: skip


def rule(patterns: list[tuple[str, str]], condition: str) -> str:
    strings = "\n".join(f"$p{n} = {value} {modifiers}" for n, (value, modifiers) in enumerate(patterns))
    return f"rule r {{ strings: {strings} condition: ({condition}) or (any of them and false) }}"


def compiled_rule(source: str) -> yara_x.Rules | None:
    compiler = yara_x.Compiler()
    compiler.define_global("in_memory", False)
    try:
        compiler.add_source(source)
    except yara_x.CompileError:  # `xor` beside `wide` and the like
        return None
    return compiler.build()


@settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])  # on a busy machine
@given(
    st.lists(_pattern, min_size=3, max_size=3),
    _condition,
    st.lists(st.lists(_piece, max_size=8), min_size=1, max_size=6),
)
def test_what_the_engine_finds_passes_the_gate(
    patterns: list[tuple[str, str]], condition: str, contents: list[list[bytes]]
) -> None:
    source = rule(patterns, condition)
    rules = compiled_rule(source)
    if rules is None:
        return
    gate = Gate([need_of(source, frozenset({"in_memory"}))])
    for pieces in contents:
        data = b"".join(pieces)
        if rules.scan(data).matching_rules:
            assert gate.may_match(data), (source, data)
            assert gate.open_to(data[:4096]) and gate.open_to(data[:4096], len(data))
            for at in (0, len(data) // 2, len(data)):
                assert gate.may_match(data[:at], memoryview(data)[at:]), (source, data, at)


BODY = 'rule r { strings: $a = "qzx-marker" condition: uint32be(0) == 0x7f454c46 and filesize < 100 and $a }'


@pytest.mark.skipif(compiled("literals") is None, reason="the compiled core is not built")
def test_files_without_what_the_rules_need_are_kept_from_the_engine() -> None:
    gate = Gate([need_of(BODY)])
    assert gate.may_match(b"\x7fELF QZX-marker")
    assert not gate.may_match(b"\x7fELF qzx-markes")
    assert not gate.may_match(b"MZ qzx-marker")
    assert not gate.may_match(b"\x7fELF qzx-marker".ljust(100))
    assert gate.open_to(b"\x7fELF") and not gate.open_to(b"MZ")
    assert not gate.open_to(b"\x7fELF", 100) and gate.open_to(b"\x7fELF", 99)


def test_without_the_compiled_core_size_and_beginning_still_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HINOMI_PURE", "1")
    gate = Gate([need_of(BODY)])
    assert gate.may_match(b"\x7fELF anything") and not gate.may_match(b"MZ qzx-marker")


def test_one_rule_that_needs_nothing_opens_the_gate() -> None:
    assert Gate([need_of(BODY), need_of("rule r { condition: filesize > 3 or true }")]).may_match(b"")
    assert not Gate([]).may_match(b"anything")


def test_many_sizes_are_forgotten_again() -> None:
    gate = Gate([need_of(BODY.replace("100", str(size))) for size in range(20, 200)])
    for size in range(20, 200):
        assert gate.may_match(b"\x7fELF qzx-marker".ljust(size - 1))
    assert len(gate._ready) <= gates.MAX_SEARCHERS

"""What a condition cannot do without."""

from __future__ import annotations

import pytest

from hinomi.detect.gate.needs import NEVER, NOTHING, Above, Alternative, Begins, Below, Need, needs_of
from hinomi.detect.gate.source import read_source

STRINGS = '$a = "aaab" $b1 = "bbbbc" $b2 = "bbbbbd" $no = "x"'
A, B1, B2 = b"aaab", b"bbbbc", b"bbbbbd"


def need(condition: str) -> Need:
    source = read_source(f"rule r {{ strings: {STRINGS} condition: {condition} }}")
    assert source is not None
    return needs_of(source, frozenset({"in_memory"}))


def literals(condition: str) -> set[bytes] | None:
    (only,) = need(condition)
    assert not only.tests
    return None if only.literals is None else set(only.literals)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("$a", {A}),
        ("$no", None),
        ("$a or $b1", {A, B1}),
        ("$a or $no", None),
        ("$a and $b1", {B1}),
        ("$a and $no", {A}),
        ("($a or $b1) and ($b2 or ($b1 and $no))", {B2, B1}),
        ("$a at 0", {A}),
        ("$a in (0..filesize)", {A}),
        ("#b1 > 0", {B1}),
        ("3 <= #b1", {B1}),
        ("#b1 >= 0", None),
        ("#b1 == 0", None),
        ("#b1 < 5", None),
        ("any of ($b*)", {B1, B2}),
        ("2 of ($a, $b*)", {B2, B1}),
        ("all of ($a, $b1, $no)", {B1}),
        ("2 of them", {A, B1, B2}),
        ("3 of them", {B1, B2}),
        ("any of them", None),
        ("none of them", None),
        ("50% of them", None),
        ("any of ($a*) at 0", None),
        ("9 of ($a, $b1)", None),
        ("2 of ($a, $a)", None),
        ("not $a", None),
        ("not $a and $b1", {B1}),
        ("not ($a and $b1)", None),
        ("defined @a", None),
        ("for any of ($a, $b1) : ( $ at 0 )", None),
        ("for all i in (1..3) : ( @a[i] == 3 or $a ) and $b1", {B1}),
        ("with x = 3 : ( $a )", None),
        ("filesize < 10 == true", None),
        ("unheard and $a", {A}),
        ("true", None),
    ],
)
def test_literals(condition: str, expected: set[bytes] | None) -> None:
    assert literals(condition) == expected


@pytest.mark.parametrize(
    ("condition", "tests"),
    [
        ("filesize < 50MB", {Below(50 << 20)}),
        ("10KB >= filesize", {Below((10 << 10) + 1)}),
        ("filesize > 0x10", {Above(16)}),
        ("filesize == 7", {Below(8), Above(6)}),
        ("uint16(0) == 0x5a4d", {Begins(0, b"MZ")}),
        ("0x7f454c46 == uint32be(0)", {Begins(0, b"\x7fELF")}),
        ("uint8(3) == 9 and filesize < 4", {Begins(3, b"\x09"), Below(4)}),
        ("uint16(5000) == 1", set()),
        ("uint16(0) == 0x5a4d + 1", set()),
        ("int16(0) == 1", set()),
        ("uint32(uint32(0x3c)) == 0x4550", set()),
        ("uint16(0) != 0x5a4d", set()),
    ],
)
def test_sizes_and_beginnings(condition: str, tests: set[object]) -> None:
    assert need(condition) == (Alternative(frozenset(tests), None),)  # type: ignore[arg-type]


def test_alternatives_are_kept_apart_by_their_tests() -> None:
    found = need("(uint16(0) == 0x5a4d and $a) or (uint8(0) == 1 and $b1) or (uint16(0) == 0x5a4d and $b2)")
    assert set(found) == {
        Alternative(frozenset({Begins(0, b"MZ")}), frozenset({A, B2})),
        Alternative(frozenset({Begins(0, b"\x01")}), frozenset({B1})),
    }


@pytest.mark.parametrize("condition", ["in_memory", "false", "in_memory and $a", "uint8(0) == 300"])
def test_what_is_never_so(condition: str) -> None:
    assert need(condition) == NEVER


def test_too_many_alternatives_need_less() -> None:
    many = " or ".join(f"uint8({n}) == 1" for n in range(60))
    other = " or ".join(f"uint16({n}) == 1" for n in range(50))
    assert len(need(f"({many}) and ({other})")) == 50


def test_deep_conditions_need_nothing() -> None:
    assert need("(" * 60 + "$a" + ")" * 60) == NOTHING

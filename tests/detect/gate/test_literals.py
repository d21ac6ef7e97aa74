"""Bytes that must stand where a pattern matches."""

from __future__ import annotations

import pytest

from hinomi.detect.gate.literals import LONGEST, literals_of
from hinomi.detect.gate.source import Pattern


def literals(kind: str, value: str, *modifiers: str) -> set[bytes] | None:
    found = literals_of(Pattern(kind, value, frozenset(modifiers)))
    return None if found is None else set(found)


@pytest.mark.parametrize(
    ("value", "modifiers", "expected"),
    [
        ("download", (), {b"download"}),
        ("download", ("wide",), {b"d\0o\0w\0n\0l\0o\0a\0d"}),
        ("door", ("wide", "ascii", "nocase"), {b"door", b"d\0o\0o\0r"}),
        ("a\\x41\\t\\\\ok", (), {b"aA\t\\ok"}),
        ("日本の秘密secret本", (), {b"secret"}),
        ("日本", (), None),
        ("abc", (), None),
        ("aaaa", (), None),
        ("a\\qbcdef", (), None),
        ("download", ("xor",), None),
        ("download", ("base64",), None),
    ],
)
def test_of_texts(value: str, modifiers: tuple[str, ...], expected: set[bytes] | None) -> None:
    assert literals("text", value, *modifiers) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("01 02 03 04 05", bytes.fromhex("0102030405")),
        ("0102 [2-4] 0a0b0c0d0e ( ff | fe ) 01", bytes.fromhex("0a0b0c0d0e")),
        ("01 02 ?? 0a 0b 0c 0d", bytes.fromhex("0a0b0c0d")),
        ("01 02 03 ~04 0a 0b 0c", None),
        ("01 02 03 ( 04 05 06 07 08 09 ) 04", None),
        ("01 02 /* 03 */ 0a 0b // 0c\n 0d", bytes.fromhex("01020a0b0d")),
    ],
)
def test_of_bytes(value: str, expected: bytes | None) -> None:
    assert literals("hex", value) == ({expected} if expected else None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("dkqryp[0-9]{2,6}=", b"dkqryp"),
        ("^\\/Basic\\/(Tomcat|Jetty)Memshell", b"Memshell"),
        ("while\\s*\\(\\s*true", b"while"),
        ("colou?r-of", b"r-of"),
        ("abcde+fgh", b"abcde"),
        ("abc{0,3}defg", b"defg"),
        ("(?:abcdef)+wxyz", b"wxyz"),
        ("x[^]a]wxyz", b"wxyz"),
        ("\\x41\\x42\\x43\\x44\\xff", b"ABCD"),
        ("abcdef|ghijkl", None),
        ("(?i)abcdef", None),
        ("abcdef(?x: g h)", None),
        ("[a-z]{8}", None),
        ("abcdef\\p{Greek}", None),
    ],
)
def test_of_expressions(value: str, expected: bytes | None) -> None:
    assert literals("regex", value) == ({expected} if expected else None)


def test_long_ones_are_known_by_their_most_telling_part() -> None:
    assert literals("text", "-" * 200 + "the quick brown fox jumps over the lazy dog") == {
        b"ick brown fox jumps over the laz"
    }
    assert all(len(each) <= LONGEST for each in literals("text", "x-y" * 100, "wide", "ascii") or ())

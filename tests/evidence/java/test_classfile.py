"""The constant pool reader: what it reads, and that damage is a `ParseError` and nothing else."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.evidence.java.classfile import parse_class
from hinomi.model.errors import ParseError


def test_names_and_texts(java):
    cls = parse_class(java.java_class("a/b/C", ["one", "two"], ["x/Y"]))
    assert (cls.name, cls.superclass) == (b"a/b/C", b"java/lang/Object")
    assert cls.has(b"one", b"two") and not cls.has(b"one", b"three")
    assert cls.classes == {b"a/b/C", b"java/lang/Object", b"x/Y"} and cls.mentions(b"lang/Obj")


def test_long_constants_take_two_places(java):
    pool = b"\x05" + bytes(8) + b"\x01\x00\x03a/B" + b"\x07\x00\x03"
    data = b"\xca\xfe\xba\xbe\x00\x00\x00\x34" + struct.pack(">H", 5) + pool + b"\x00\x21\x00\x04\x00\x00"
    assert parse_class(data).name == b"a/B"


@pytest.mark.parametrize("cut", [0, 4, 9, 12, 30])
def test_cut_classes_are_refused(java, cut):
    with pytest.raises(ParseError):
        parse_class(java.java_class("a/b/C", ["one"])[:cut])


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.binary(max_size=200), st.binary(max_size=4))
def test_any_bytes(java, body, header):
    for data in (body, b"\xca\xfe\xba\xbe" + header + body, java.java_class("a/B", ["t"])[:20] + body):
        try:
            parse_class(data)
        except ParseError:
            continue

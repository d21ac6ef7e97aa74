import contextlib
import plistlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.evidence.plist import plist_text, read_plist
from hinomi.model.errors import ParseError


def test_both_forms() -> None:
    for form in (plistlib.FMT_XML, plistlib.FMT_BINARY):
        assert read_plist(plistlib.dumps({"Label": "x"}, fmt=form), "p") == {"Label": "x"}
    assert plist_text(3) is None


@pytest.mark.parametrize("data", [
    b"", b"<plist><array/></plist>", b"bplist00" + b"\0" * 40, b"<plist>" + b"<array>" * 5000,
    b'<!DOCTYPE p [<!ENTITY a "b">]><plist><dict><key>&a;</key><string/></dict></plist>',
])  # fmt: skip
def test_others_are_our_error(data: bytes) -> None:
    with pytest.raises(ParseError):
        read_plist(data, "p")


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 150), st.integers(0, 255))
def test_any_bytes(data: bytes, position: int, value: int) -> None:
    good = bytearray(plistlib.dumps({"Label": "x", "a": [1, 2.5, True]}, fmt=plistlib.FMT_BINARY))
    good[position % len(good)] = value
    for candidate in (b"bplist00" + data, bytes(good), b"<plist>" + data):
        with contextlib.suppress(ParseError):
            read_plist(candidate, "p")

"""Values as feeds write them, in the form that claims have."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.intel.normal import clean, normal
from hinomi.model.claims import CLAIM_TYPES, ClaimType

MD5 = "acbd18db4cc2f85cedef654fccc4a4d8"


@pytest.mark.parametrize(
    ("kind", "value", "wanted"),
    [
        ("domain", "Evil[.]Example.", ("domain", "evil.example")),
        ("domain", "203.0.113.9", ("ipv4", "203.0.113.9")),
        ("domain", "*.evil.example", ("domain", "evil.example")),
        ("ipv4", "203.0.113[.]9/32", ("ipv4", "203.0.113.9")),
        ("ipv4", "2001:DB8::1", ("ipv6", "2001:db8::1")),
        ("ipv4", "198.51.100.7/24", ("cidr", "198.51.100.0/24")),
        ("url", "hxxp://evil[.]example/A?b=C", ("url", "http://evil.example/A?b=C")),
        ("md5", MD5.upper(), ("md5", MD5)),
        ("cve", "cve-2026-12345", ("cve", "CVE-2026-12345")),
        ("email", "<A@Evil.example>", ("email", "a@evil.example")),
        (None, MD5, ("md5", MD5)),
        (None, "evil.example", ("domain", "evil.example")),
        (None, "dropper.exe", ("filename", "dropper.exe")),
        (None, "C:\\Users\\a b\\x.dll", ("filepath", "C:\\Users\\a b\\x.dll")),
        (None, "HKLM\\Software\\Run", ("registry-key", "HKLM\\Software\\Run")),
        (None, "just some words", None),
        ("sha256", MD5, None),
        ("ipv4", "999.1.1.1", None),
        ("domain", "not a domain", None),
        ("url", "no url", None),
    ],
)
def test_forms(kind: ClaimType | None, value: str, wanted: tuple[str, str] | None) -> None:
    found = normal(kind, value)
    assert (found and (found.type, found.value)) == wanted


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("ipv4", "192.168.1.1"),
        ("ipv4", "8.8.8.8"),
        ("md5", "d41d8cd98f00b204e9800998ecf8427e"),
        ("domain", "www.google.com"),
    ],
)
def test_what_fits_everyone_says_why_it_is_harmless(kind: ClaimType, value: str) -> None:
    found = normal(kind, value)
    assert found is not None
    assert found.harmless


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.sampled_from([None, *CLAIM_TYPES]), st.text(max_size=40))
def test_any_value_has_a_storable_form_or_none(kind: ClaimType | None, value: str) -> None:
    found = normal(kind, value)
    if found is not None:
        assert found.value == clean(found.value) != ""
        found.value.encode()

"""Version order of each ecosystem, and OSV ranges."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.model.versions import compare, in_interval, in_range, rpmvercmp

ORDERED = {
    "maven": [
        "1-alpha-1",
        "1-alpha2",
        "1-beta1",
        "1-milestone-1",
        "1-rc1",
        "1-snapshot",
        "1",
        "1-sp",
        "1-whatever",
        "1-1",
        "1.0.1",
        "1.1",
        "2.0-alpha1",
        "2.0-beta7",
        "2.0-beta9",
        "2.0-rc1",
        "2.0",
        "2.0.2",
        "2.3.1",
        "2.3.2",
        "2.12.4",
        "2.14.1",
        "2.17.0",
        "2.17.1",
        "2.25.4",
        "3.0.0-beta3",
        "3.0.0",
    ],
    "debian": [
        "0~rc1",
        "0",
        "1.0~beta",
        "1.0",
        "1.0-1",
        "1.0-1+b1",
        "1.0-1+deb12u1",
        "1.0-2",
        "1.0a",
        "1.0+dfsg-1",
        "1.10",
        "1:0.1",
    ],
    "rpm": ["1.0~rc1-1", "1.0-1", "1.0-2", "1.0^git1-1", "1.0.a-1", "1.0.1-1", "1.10-1", "1:0.1-1"],
    "npm": [
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
        "1.0.1",
    ],
    "PyPI": ["1.0.dev1", "1.0a1", "1.0b2", "1.0rc1", "1.0", "1.0.post1", "1.1", "1!0.1"],
    "SonicWall": ["10.2.1.6-37sv", "10.2.1.7", "10.2.1.7-50sv", "10.2.2.1-90sv", "10.2.2.2-92sv"],
}
SAME = [
    ("maven", "1", "1.0.0"),
    ("maven", "1-ga", "1"),
    ("maven", "1.RELEASE", "1.0"),
    ("npm", "v1.2", "1.2.0+build"),
    ("debian", "0:1", "1"),
]


@pytest.mark.parametrize("ecosystem", ORDERED)
def test_known_order(ecosystem):
    for (i, a), (j, b) in itertools.product(enumerate(ORDERED[ecosystem]), repeat=2):
        assert compare(a, b, ecosystem) == (i > j) - (i < j), (a, b)


@pytest.mark.parametrize(("ecosystem", "left", "right"), SAME)
def test_equal_versions(ecosystem, left, right):
    assert compare(left, right, ecosystem) == compare(right, left, ecosystem) == 0


def test_rpm_segments():
    assert [
        rpmvercmp(a, b) for a, b in [("1.0", "1.0"), ("2.0.1a", "2.0.1"), ("xyz10", "xyz10.1"), ("6.5", "6.5p1")]
    ] == [0, 1, -1, -1]


@pytest.mark.parametrize("ecosystem", ["maven", "debian", "rpm", "npm", "generic"])
@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.lists(st.text("0123456789.-~^+:abrcsnv", max_size=12), min_size=3, max_size=3))
def test_order_is_antisymmetric_and_reflexive(ecosystem, versions):
    for a, b in itertools.product(versions, repeat=2):
        assert compare(a, b, ecosystem) == -compare(b, a, ecosystem)
    assert all(compare(v, v, ecosystem) == 0 for v in versions)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.text(max_size=400),
    st.text(max_size=400),
    st.sampled_from(["maven", "debian", "rpm", "npm", "PyPI", "Debian:12"]),
)
def test_any_text_compares(left, right, ecosystem):
    assert compare(left, right, ecosystem) in (-1, 0, 1)


def _affected(*events, **more):
    return {"ranges": [{"type": "ECOSYSTEM", "events": list(events)}], **more}


def test_ranges_with_several_branches():
    affected = _affected(
        {"introduced": "2.13.0"},
        {"fixed": "2.17.1"},
        {"introduced": "2.0-beta7"},
        {"fixed": "2.3.2"},
        {"introduced": "2.4"},
        {"fixed": "2.12.4"},
    )
    hit = ["2.0-beta7", "2.3.1", "2.4", "2.12.3", "2.13.0", "2.17.0"]
    miss = ["2.0-beta6", "2.3.2", "2.12.4", "2.17.1", "3.0.0"]
    assert [v for v in hit + miss if in_range(v, affected, "Maven")] == hit


def test_ranges_open_last_affected_and_lists():
    assert in_range("0.0.1", _affected({"introduced": "0"}), "npm")
    last = _affected({"introduced": "1.0"}, {"last_affected": "1.5"})
    assert [in_range(v, last, "npm") for v in ("0.9", "1.0", "1.5", "1.5.1")] == [False, True, True, False]
    assert in_range("9.9", {"versions": ["9.9.0"]}, "maven")
    assert not in_range("1", {"ranges": [{"type": "GIT", "events": [{"introduced": "0"}]}]}, "npm")
    assert not in_range("1", {}, "npm")


def test_intervals():
    assert in_interval("2.5", "2.1", "2.14.1", "maven") and in_interval("9", "2.17.1", None, "maven")
    assert not in_interval("2.15.0", None, "2.14.1", "maven")


def test_agrees_with_another_library():
    maven = pytest.importorskip("univers.maven")
    debian = pytest.importorskip("univers.debian")
    for a, b in itertools.product(ORDERED["maven"], repeat=2):
        left, right = maven.Version(a), maven.Version(b)
        assert compare(a, b, "maven") == (left > right) - (left < right), (a, b)
    for a, b in itertools.product(ORDERED["debian"], repeat=2):
        assert compare(a, b, "debian") == debian.Version.from_string(a).compare(debian.Version.from_string(b)), (a, b)

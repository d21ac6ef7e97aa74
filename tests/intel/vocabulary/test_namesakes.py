"""Conditions under which a file with an honest namesake is suspicious."""

from __future__ import annotations

import pytest

from hinomi.intel.read import read_report
from hinomi.intel.vocabulary.namesakes import DAEMON, WINDOWS, namesake
from hinomi.locale.catalogue import text


@pytest.mark.parametrize(
    ("name", "key", "place"),
    [
        ("NetworkManager", DAEMON, "/usr/sbin/NetworkManager"),
        ("audiodg.exe", WINDOWS, "C:\\Windows\\System32"),
        ("AudioDG", WINDOWS, "C:\\Windows\\System32"),
    ],
)
def test_known_programs(name: str, key: str, place: str) -> None:
    known = namesake(name)
    assert known == (key, place)
    assert place in text(key, "ja", place=place) and place in text(key, "en", place=place)


def test_unknown_programs_have_none() -> None:
    assert namesake("kasumi-sync") is None


def test_claims_on_such_files_carry_the_conditions() -> None:
    report = read_report(
        "r", "バックドアは「chronyd」という名前のスクリプトと kasumi.dll、audiodg.exe を設置する。".encode()
    )
    found = {c.value: c.attributes for c in report.claims if c.type == "filename"}
    assert found["chronyd"]["suspicious_when"] == DAEMON
    assert found["audiodg.exe"]["belongs_in"] == "C:\\Windows\\System32"
    assert "suspicious_when" not in found["kasumi.dll"]

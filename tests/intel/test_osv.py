"""Versions of a report as OSV ranges."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.intel.osv import ranges_of
from hinomi.intel.read import read_report
from hinomi.model.versions import in_range


def records(text: str) -> list[dict[str, Any]]:
    return ranges_of(read_report("r", text.encode()))


def affected(text: str, versions: str) -> str:
    (record,) = records(text)
    first = record["affected"][0]
    return " ".join(v for v in versions.split() if in_range(v, first, first["package"]["ecosystem"]))


def test_branches_are_trains_of_their_own() -> None:
    text = "Upgrade to Log4j 2.17.1 (Java 8), 2.12.4 (Java 7) or 2.3.2 (Java 6)."
    (record,) = records(text)
    assert record["affected"][0]["package"] == {"ecosystem": "Maven", "name": "org.apache.logging.log4j:log4j-core"}
    assert (
        affected(text, "2.3.1 2.3.2 2.5 2.12.3 2.12.4 2.13.0 2.17.0 2.17.1 2.20.0") == "2.3.1 2.5 2.12.3 2.13.0 2.17.0"
    )


def test_the_stricter_of_two_fixed_versions_wins_and_both_are_named() -> None:
    text = "Log4j 2.16.0 fixes the first flaw. Later it was found that more is needed: upgrade to Log4j 2.17.1."
    (record,) = records(text)
    assert record["database_specific"]["contradictions"] == ["2.16.0"]
    assert affected(text, "2.16.0 2.17.0 2.17.1") == "2.16.0 2.17.0"


def test_affected_ranges_keep_their_ends() -> None:
    assert affected("Quarrel Desk 1.2.3 and earlier are vulnerable.", "1.2.3 1.2.4") == "1.2.3"
    text = "OpenSSL versions 3.0.0 through 3.0.6 are affected; upgrade to OpenSSL 3.0.7."
    assert affected(text, "1.1.1 3.0.0 3.0.6 3.0.7") == "3.0.0 3.0.6"
    assert affected("SMA100 は 10.2.1.7 以降へアップグレードしてください。", "10.2.1.6 10.2.1.7") == "10.2.1.6"


@pytest.mark.parametrize(
    ("text", "versions", "expected"),
    [
        ("KasumiVPN 3.4 系が影響を受けます。", "3.3.9 3.4.0 3.4.12 3.5.0", "3.4.0 3.4.12"),
        ("Kasumi Gateway 5.2系 および 5.3系 は脆弱です。", "5.1 5.2.1 5.3.9 5.4", "5.2.1 5.3.9"),
        ("KasumiVPN 7.2系列の全バージョンが影響を受けます。", "7.1 7.2.8 7.3", "7.2.8"),
        ("The 2.x branch of KasumiVPN is vulnerable.", "1.9 2.0 2.11.4 3.0", "2.0 2.11.4"),
        ("KasumiVPN 3.4.x is affected.", "3.4 3.4.7 3.5", "3.4 3.4.7"),
        ("KasumiVPN 2系は影響を受けます。3系は影響を受けません。", "2.1 3.1", "2.1"),
        ("KasumiVPN 1.0 から 2.x までが影響を受けます。", "0.9 1.0 2.9 3.0", "1.0 2.9"),
        ("KasumiVPN 3.4.x is affected. Upgrade to KasumiVPN 3.4.9.", "3.4.8 3.4.9 3.4.10", "3.4.8"),
        ("影響を受けるバージョン: KasumiVPN 3.5.x (3.5.7 より前)", "3.5.6 3.5.7 3.6", "3.5.6"),
    ],
)
def test_a_series_is_affected_as_a_whole(text: str, versions: str, expected: str) -> None:
    assert affected(text, versions) == expected


def test_an_unknown_product_keeps_its_name_and_no_ecosystem() -> None:
    (record,) = records("Upgrade to Kestrelgate Gateway 4.2.9 at once.")
    assert record["affected"][0]["package"] == {"ecosystem": "", "name": "Kestrelgate Gateway"}
    assert record["database_specific"]["reports"] and record["database_specific"]["claims"]


def test_rejected_claims_count_not() -> None:
    report = read_report("r", b"Upgrade to Kestrelgate Gateway 4.2.9 at once.")
    assert ranges_of(replace(report, claims=tuple(replace(c, status="rejected") for c in report.claims))) == []


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    st.lists(
        st.sampled_from("Foo Bar 1.2 3.4.5 before and fixed in upgrade to 以降 未満 、 . vulnerable 10.0-1h".split())
    )
)
def test_any_words_give_records_that_can_be_evaluated(words: list[str]) -> None:
    for record in records("x " + " ".join(words)):
        for one in record["affected"]:
            in_range("1.2.3", one, one["package"]["ecosystem"])

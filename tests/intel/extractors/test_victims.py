"""Sectors, countries, dates and campaigns."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.intel.extractor import Candidate
from hinomi.intel.extractors.victims import EXTRACTOR
from hinomi.intel.sections import context_of
from hinomi.model.claims import Document


def claims(text: str) -> list[Candidate]:
    return list(EXTRACTOR.extract(context_of(Document("t", text, "t", "utf-8", "text/plain", "0" * 64))))


def values(text: str, kind: str) -> set[str]:
    return {c.canonical or c.value for c in claims(text) if c.type == kind}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("電力、運輸、化学関連企業が標的", {"energy", "transportation", "manufacturing"}),
        ("国内の教育機関と病院が狙われた", {"education", "healthcare"}),
        ("暗号資産関連事業者等を標的とした", {"cryptocurrency"}),
        ("attacks on energy, legal and aviation companies", {"energy", "legal", "transportation"}),
        ("universities and government agencies", {"education", "government"}),
        ("the healthcare sector", {"healthcare"}),
        ("C2サーバーと通信し、データを送る。教育してください。", set()),
        ("It communicates over media players and uses the public API.", set()),
    ],
)
def test_sectors(text: str, expected: set[str]) -> None:
    assert values(text, "sector") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("中国政府とイランの国家支援型アクター", {"China", "Iran"}),
        ("South Korean and Taiwanese firms, and the U.S. government", {"South Korea", "Taiwan", "United States"}),
        ("日本語版と中国語版のインドネシア語の説明", set()),
        ("Contact us about Georgia.example.com", set()),
        ("北朝鮮によるサイバー攻撃", {"North Korea"}),
    ],
)
def test_countries(text: str, expected: set[str]) -> None:
    assert values(text, "country") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2021年12月に発見された", {"2021-12"}),
        ("2024年3月5日", {"2024-03-05"}),
        ("since October 2020", {"2020-10"}),
        ("on 5 March 2023 and on Mar. 7, 2023", {"2023-03-05", "2023-03-07"}),
        ("2023-04-09", {"2023-04-09"}),
        ("version 2020.1 of 99 May", set()),
    ],
)
def test_dates(text: str, expected: set[str]) -> None:
    assert values(text, "date") == expected


def test_a_campaign_by_its_operation_name() -> None:
    assert values("This was called Operation Quiet Harbor by its finders.", "campaign") == {"Operation Quiet Harbor"}


def test_who_is_attacked_is_a_victim() -> None:
    found = next(c for c in claims("ドイツの金融機関を標的とする") if c.type == "country")
    assert (found.role, found.attributes["code"]) == ("victim", "DE")


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    st.lists(
        st.sampled_from(
            [
                "日本",
                "防衛",
                "、",
                "企業",
                "2021年",
                "May ",
                "2020",
                "İ",
                "energy ",
                "sector",
                "US",
                ".",
                "13月",
                "\u200b",
            ]
        ),
        max_size=50,
    ).map("".join)
)
def test_spans_hold_whatever_the_text(text: str) -> None:
    for candidate in claims(text):
        assert 0 <= candidate.span[0] < candidate.span[1] <= len(text)

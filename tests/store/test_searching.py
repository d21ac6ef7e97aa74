"""Search in both languages: one normal form, and offsets that lead back to the text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.model.claims import Report
from hinomi.store.case import Case
from hinomi.store.searching import folded, snippets, words_of

OpenCase = Callable[..., Case]


def report(number: int, title: str, text: str) -> Report:
    return Report(f"report--{number}", f"{number}.txt", title, "ja", None, text, (), ())


@pytest.mark.parametrize(
    ("text", "query", "said"),
    [
        ("攻撃者はＰｏｗｅｒＳｈｅｌｌを使う", "powershell", "ＰｏｗｅｒＳｈｅｌｌ"),
        ("ﾊﾞｯｸﾄﾞｱを設置", "バックドア", "ﾊﾞｯｸﾄﾞｱ"),
        ("標的型攻撃の手口", "攻撃", "攻撃"),
        ("Die Straße", "STRASSE", "Straße"),
        ("か\u3099ぞう", "がぞう", "か\u3099ぞう"),
        ("㍿例", "株式", "㍿"),
        ("100% sure_thing", "% sure_", None),
    ],
)
def test_places_are_found_in_the_text_itself(text: str, query: str, said: str | None) -> None:
    spans = [s.span for s in snippets(text, words_of(query)) if s.span]
    words = [text[a:b] for a, b in spans]
    assert words == ([said] if said else ["%", "sure_"])


def test_reports_are_found_by_all_words_in_title_or_text(tmp_path: Path, open_case: OpenCase) -> None:
    with open_case(tmp_path) as case:
        case.library.add(report(1, "ブラックテックの活動", "ルーターに常駐する。\nPort Knocking"))
        case.library.add(report(2, "別の話", "100%の常駐"))
        found = case.library.search
        assert [f.report_id for f in found("常駐 ルーター")] == ["report--1"]
        assert {f.report_id for f in found("常駐")} == {"report--1", "report--2"}
        assert [f.report_id for f in found("0%")] == ["report--2"], "a percent sign is no wildcard"
        assert [f.report_id for f in found("ﾌﾞﾗｯｸ")] == ["report--1"]
        assert found("ブラック")[0].snippets[0].span is None, "only its title says it"
        assert found("port knocking")[0].snippets[0].text.endswith("Port Knocking")
        assert found("  ") == found("nowhere") == []


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.text(alphabet="aA ｱﾞか゛\u3099ﾊﾟßΣİ㍿①漢字\n%_", max_size=30), st.data())
def test_any_part_of_a_text_is_found_where_it_stands(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    words = words_of(text[start:end])
    for snippet in snippets(text, words):
        assert snippet.span is not None
        low, high = snippet.span
        assert 0 <= low < high <= len(text)
        assert any(word in folded(text[low:high]) for word in words)

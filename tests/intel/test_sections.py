"""Sections, articles, sentences, titles and dates of reports in both languages."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.intel.headings import role_of
from hinomi.intel.sections import context_of, find_date
from hinomi.model.claims import Document


def context(text, title=None):
    return context_of(Document("report", text, title, "utf-8", "text/plain", "0" * 64))


DIGEST = """ダイジェスト
記事一覧
Article.1
Article.2
新型バックドアMizuが港湾会社を攻撃
新型バックドアKazeがルーターに潜む
港湾事業者が標的に
Kazeと呼ばれる新たなバックドアが、小規模オフィスのルーターで見つかりました。攻撃者は管理画面から侵入します。
情報源:
アナリストのコメント
影響範囲
旧型のルーターを使用している組織。
見解
更新されない機器が狙われています。今後も続くでしょう。
緩和のための戦略
ファームウェアを更新し、管理画面を外部に公開しないでください。
新型バックドアMizuが港湾会社を攻撃
添付ファイルから感染
Mizuはメールの添付ファイルで広がります。マクロを有効にすると実行されます。
情報源:
アナリストのコメント
影響範囲
日本の港湾会社。
見解
標的型の攻撃です。
緩和のための戦略
マクロを無効にする必要があります。
"""


def test_a_digest_is_cut_into_articles_with_roles():
    read = context(DIGEST)
    articles = [s for s in read.sections if s.role == "article"]
    assert [a.heading for a in articles] == ["新型バックドアKazeがルーターに潜む", "新型バックドアMizuが港湾会社を攻撃"]
    roles = [s.role for s in read.sections if articles[0].span[0] < s.span[0] < articles[0].span[1]]
    assert roles.count("scope") == roles.count("view") == roles.count("mitigation") == roles.count("sources") == 1
    place = DIGEST.index("マクロを無効")
    assert read.sections[read.section_at(place)].role == "mitigation"
    assert read.sections[read.article_at(place)].heading == articles[1].heading


def test_a_single_report_is_one_article():
    read = context(
        "# Kaze returns\n\nA backdoor came back.\n\n## Mitigations\n\n- Update it.\n\n## References\n\n- a\n"
    )
    assert [s.role for s in read.sections] == ["article", "other", "mitigation", "sources"]
    assert read.title == "Kaze returns"
    assert read.language == "en"


@pytest.mark.parametrize(
    ("heading", "role"),
    [
        ("この脅威から身を守る方法", "mitigation"),
        ("■ 対策", "mitigation"),
        ("3. Recommendations", "mitigation"),
        ("【影響を受けるバージョン】", "scope"),
        ("Indicators of Compromise (IoCs)", "indicators"),
        ("参考文献", "sources"),
        ("Executive Summary", "summary"),
        ("見解", "view"),
        ("Loader internals", None),
    ],
)
def test_words_give_roles(heading, role):
    assert role_of(heading) == role


def test_roles_reach_deeper_headings_only():
    read = context("# Report\n\nText here.\n\n## Mitigations\n\n### For servers\n\nPatch.\n\n## History\n\nOld.\n")
    assert [(s.heading, s.role) for s in read.sections[2:]] == [
        ("Mitigations", "mitigation"), ("For servers", "mitigation"), ("History", "other"),
    ]  # fmt: skip


def test_sentences_end_where_they_should():
    read = context(
        "感染します。「止まる。」と表示されます。次へ。\nThe file v1.2.3 runs, e.g. at night. It stops. See Fig. 2 now!"
    )
    assert [s.text for s in read.sentences] == [
        "感染します。", "「止まる。」", "と表示されます。", "次へ。",
        "The file v1.2.3 runs, e.g. at night.", "It stops.", "See Fig. 2 now!",
    ]  # fmt: skip


def test_sentences_cross_hard_wrapped_lines():
    line = "The implant waits for a long time before it calls its server over\n"
    read = context(line * 8 + "an encrypted channel. It then sleeps.\n")
    assert read.sentences[-1].text == "It then sleeps."
    assert read.sentences[0].text.endswith("encrypted channel.")


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("公開日: 2024年3月5日", "2024-03-05"),
        ("Published: March 5, 2024", "2024-03-05"),
        ("5th Mar 2024", "2024-03-05"),
        ("2024-03-05T10:00:00Z", "2024-03-05"),
        ("2024/13/05", None),
    ],
)
def test_dates(text, date):
    found = find_date(text)
    assert (found[0] if found else None) == date


def test_the_date_of_a_told_event_is_not_the_date_of_publication():
    assert (
        context("On 2021-12-10 the attackers broke into the network of a company and stayed there.").published is None
    )


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["# A", "## 対策", "影響範囲", "見解", "本文です。続き", "Text here. More", "", "- item", "見出し", "---"]
        ),
        max_size=30,
    )
)
def test_spans_nest_and_hold(lines):
    text = "\n".join(lines)
    read = context(text)
    for section in read.sections:
        assert 0 <= section.span[0] <= section.span[1] <= len(text)
    assert [s.span[0] for s in read.sections] == sorted(s.span[0] for s in read.sections)
    for sentence in read.sentences:
        assert text[sentence.span[0] : sentence.span[1]] == sentence.text
        assert sentence.text.strip()
    for offset in range(0, len(text), 7):
        number = read.section_at(offset)
        if number is not None:
            start, end = read.sections[number].span
            assert start <= offset < end

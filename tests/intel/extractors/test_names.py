"""Actors, malware, tools: known names with their aliases, and names the text introduces."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.intel.extractors.names import EXTRACTOR
from hinomi.intel.sections import context_of
from hinomi.model.claims import Document


def names(text: str) -> set[tuple[str, str]]:
    context = context_of(Document("t", text, "t", "utf-8", "text/plain", "0" * 64))
    return {(c.type, c.canonical or c.value) for c in EXTRACTOR.extract(context)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("APT28は新たにZebrocyを使用した。", {("actor", "APT28"), ("malware", "Zebrocy")}),
        ("ラザルスと呼ばれる攻撃グループが関与した。", {("actor", "Lazarus Group")}),
        ("Mustang PandaがPlugXバックドアの亜種を配布。", {("actor", "Mustang Panda"), ("malware", "PlugX")}),
        ("エモテットマルウェアに感染した。", {("malware", "Emotet")}),
        ("The group Fancy Bear deployed X-Agent malware.", {("actor", "APT28")}),
        ("Sodinokibi is ransomware.", {("malware", "REvil")}),
        ("BlackTechAPTの攻撃", {("actor", "BlackTech")}),
        ("同じ集団はPlugXとEmotetも使います。", {("malware", "PlugX"), ("malware", "Emotet")}),
        ("この攻撃グループはTurlaと呼ばれる。", {("actor", "Turla")}),
        ("同グループのPlugXが見つかった。", {("malware", "PlugX")}),
        ("ハッカー集団のTurlaが関与した。", {("actor", "Turla")}),
        ("Cobalt Strike Beaconが使われた", {("malware", "Cobalt Strike")}),
        ("Turla, Kimsuky and Tick are active.", {("actor", "Turla"), ("actor", "Kimsuky")}),
        ("ＬｏｃｋＢｉｔランサムウェア", {("malware", "LockBit")}),
    ],
)
def test_known_names(text: str, expected: set[tuple[str, str]]) -> None:
    assert expected <= names(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("研究者は「KuroMonban」と呼ばれる新たなバックドアを発見した。", ("malware", "KuroMonban")),
        ("新型ランサムウェア「ZX-Krypta」が確認された。", ("malware", "ZX-Krypta")),
        ("このマルウェアは「SoraPipe」と名付けられた。", ("malware", "SoraPipe")),
        ("新バックドアMoriGateがLinuxを狙う", ("malware", "MoriGate")),
        ("特定された脅威: NIGHTLOOM (カーネルモードルートキット)", ("malware", "NIGHTLOOM")),
        ("ヤマアラシと呼ばれるハッカー集団から要求された。", ("actor", "ヤマアラシ")),
        ("We found a backdoor dubbed GraniteHook on the host.", ("malware", "GraniteHook")),
        ("VelvetSpool, a new loader written in Rust, was used.", ("malware", "VelvetSpool")),
        ("They ran a custom implant, which we call QuillDoor.", ("malware", "QuillDoor")),
        ("The activity is tracked as UNC9981.", ("actor", "UNC9981")),
        ("Storm-1849 and TA9923 were seen.", ("actor", "Storm-1849")),
        ("the threat actor known as Obsidian Heron", ("actor", "Obsidian Heron")),
    ],
)
def test_introduced_names(text: str, expected: tuple[str, str]) -> None:
    assert expected in names(text)


@pytest.mark.parametrize(
    "text",
    [
        "The victim will play a snake game in a maze.",
        "Linuxマルウェアの分析とWindowsマルウェアの比較",
        "One group of users; the Red Team wrote a report.",
        "研究者はIoTマルウェアを調べた。",
        "The Windows malware and the Chinese APT were compared. Remote attack surface on Windows 10.",
        "https://example.com/emotet/trickbot",
        "NTTセキュリティの研究者が確認しました。",
        "A RATION REFERENCE NO was given.",
    ],
)
def test_plain_words_are_no_names(text: str) -> None:
    assert not {n for n in names(text) if n[0] in {"actor", "malware"}}


def test_ordinary_word_counts_beside_a_cue() -> None:
    assert ("malware", "Maze") in names("The Maze ransomware was used.")
    assert ("malware", "Conti") in names("TrickBot, Conti and Ryuk were seen.")


def test_alias_says_what_it_matched() -> None:
    context = context_of(Document("t", "Bladabindi マルウェア", "t", "utf-8", "text/plain", "0" * 64))
    [found] = list(EXTRACTOR.extract(context))
    assert (found.value, found.canonical, found.why) == ("Bladabindi", "njRAT", "matched as Bladabindi")
    assert found.attributes == {"attack": "S0385"}


def test_malware_cued_only_as_a_gang_is_an_actor() -> None:
    assert ("actor", "REvil") in names("REvilと呼ばれるハッカー集団が犯行を認めた。")
    assert ("malware", "REvil") in names("REvilランサムウェア。REvilの検体。")


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(
        st.sampled_from(
            [
                "「",
                "」",
                "マルウェア",
                "Emotet",
                " malware",
                "グループ",
                "(",
                ")",
                "A",
                "ア",
                "\n",
                "、",
                "と呼ばれる",
                "\u200b",
                "ﬁ",
                "İ",
                "X1",
            ]
        ),
        max_size=60,
    ).map("".join)
)
def test_spans_hold_whatever_the_text(text: str) -> None:
    context = context_of(Document("t", text, "t", "utf-8", "text/plain", "0" * 64))
    for found in EXTRACTOR.extract(context):
        assert 0 <= found.span[0] < found.span[1] <= len(text)


def test_time_is_linear_in_hostile_text() -> None:
    import time

    for piece in ("「" * 50, "A" * 50, "a backdoor called ", "ア" * 50, "Xxx Yyy ", "malware (", "the X "):
        text = piece * (100_000 // len(piece))
        start = time.process_time()
        list(EXTRACTOR.extract(context_of(Document("t", text, "t", "utf-8", "text/plain", "0" * 64))))
        assert time.process_time() - start < 4

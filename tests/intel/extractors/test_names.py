"""Actors, malware, tools: known names with their aliases, and names the text introduces."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

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


def test_work_is_linear_in_hostile_text(calls: Callable[[Callable[[], object]], int]) -> None:
    for piece in ("「" * 50, "A" * 50, "a backdoor called ", "ア" * 50, "Xxx Yyy ", "malware (", "the X "):
        small, large = (calls(partial(names, piece * (size // len(piece)))) for size in (8_000, 32_000))
        assert large < max(small, 2_000) * 5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Arashi backdoor connects to a server.", ("malware", "Arashi")),
        ("The actor used the *Arashi* loader.", ("malware", "Arashi")),
        ("The dropper Tokage drops arashi.dll.", ("malware", "Tokage")),
        ("The actor Gloomy Egret used it.", ("actor", "Gloomy Egret")),
        ("A cluster we call Gloomy Egret came back.", ("actor", "Gloomy Egret")),
        ("「ハト」と呼ばれるバックドアが見つかった。", ("malware", "ハト")),
        ("The Arashi wiper deletes files. It is stored as arashi.exe in /tmp/arashi.", ("malware", "Arashi")),
    ],
)
def test_unknown_names_that_look_like_words(text: str, expected: tuple[str, str]) -> None:
    assert expected in names(text)


@pytest.mark.parametrize(
    "text",
    [
        "The Toyota ransomware incident was in March.",
        "The Friday worm was written in Ukraine.",
        "They saw a Ukraine wiper and a Windows trojan.",
        "The group Mandiant tracks came back.",
        "The Tokage backdoor is an old tokage backdoor.",
        "The Japanese backdoor was a Windows downloader.",
    ],
)
def test_other_capitalised_words_beside_a_class_are_no_names(text: str) -> None:
    assert not [name for name in names(text) if name[0] == "malware"]


def test_a_name_once_introduced_is_found_wherever_it_stands() -> None:
    text = "The Arashi backdoor is new. Later Arashi ran arashi.exe. ArashiX is not it."
    context = context_of(Document("t", text, "t", "utf-8", "text/plain", "0" * 64))
    assert [c.span[0] for c in EXTRACTOR.extract(context) if c.value == "Arashi"] == [4, 34]

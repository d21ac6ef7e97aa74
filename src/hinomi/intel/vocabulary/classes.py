"""Words that say what kind of thing a name beside them is, in English and Japanese."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

from hinomi.intel.vocabulary.trie import trie_pattern

NameType = Literal["actor", "malware", "tool", "campaign"]

MALWARE_EN = (
    "malware", "malwares", "ransomware", "scareware", "adware", "spyware", "crimeware", "backdoor", "backdoors", "back door", "trojan", "trojans",
    "RAT", "RATs", "remote access trojan", "remote access tool", "banking trojan", "banker", "loader", "dropper", "downloader",
    "stealer", "infostealer", "information stealer", "info stealer", "info-stealer", "credential stealer", "keylogger", "rootkit", "bootkit", "botnet", "bot", "worm", "wiper",
    "virus", "implant", "implants", "miner", "cryptominer", "coinminer", "clipper", "webshell", "web shell", "locker", "cryptor",
    "crypter", "packer", "shellcode", "payload", "payloads", "malware family", "malware strain", "ransomware family",
    "infections", "infection", "samples", "sample", "variant", "variants", "exploit kit", "EK", "toolkit", "framework", "beacon", "injector", "stager", "proxyware",
)  # fmt: skip
ACTOR_EN = (
    "group", "gang", "crew", "actor", "actors", "threat actor", "threat actors", "threat group", "hacking group", "hackers", "APT",
    "APT group", "adversary", "cluster", "activity cluster", "threat cluster", "activity group", "syndicate", "cartel", "collective", "team", "operators", "operator",
    "affiliates", "affiliate", "cybercriminals", "cybercrime group", "espionage group", "intrusion set", "nation-state actor",
    "cyberespionage group", "hacktivist group", "ransomware group", "ransomware gang", "hacktivists", "cybercrime gang", "umbrella group", "subgroup", "hacker group",
)  # fmt: skip
TOOL_EN = ("tool", "tools", "utility", "hacktool", "command", "commands", "scanner")
CAMPAIGN_EN = ("campaign", "operation")

MALWARE_JA = (
    "マルウェア", "マルウエア", "ランサムウェア", "ランサムウエア", "バックドア", "トロイの木馬", "トロイ", "ウイルス", "ウィルス", "ワーム", "ローダー", "ローダ",
    "ドロッパー", "ドロッパ", "ダウンローダー", "ダウンローダ", "スティーラー", "スティーラ", "情報窃取型マルウェア", "インフォスティーラー", "ルートキット", "ブートキット",
    "ボットネット", "ボット", "ワイパー", "インプラント", "スパイウェア", "スパイウエア", "アドウェア", "キーロガー", "マイナー", "RAT", "遠隔操作ツール", "遠隔操作ウイルス",
    "ウェブシェル", "Webシェル", "WebShell", "クリプター", "ペイロード", "不正プログラム", "亜種", "検体", "エクスプロイトキット", "マルウェアファミリー", "マルウェアファミリ",
    "フレームワーク", "ツールキット", "リモートアクセスツール", "リモートアクセス型トロイの木馬", "インジェクター", "暗号化型ウイルス", "ステージャー", "バンキングトロジャン",
)  # fmt: skip
ACTOR_JA = (
    "グループ", "攻撃グループ", "攻撃者グループ", "サイバー攻撃グループ", "標的型攻撃グループ", "ハッカー集団", "ハッキンググループ", "ハッカーグループ", "ギャング",
    "集団", "アクター", "脅威アクター", "APT", "APTグループ", "犯罪集団", "サイバー犯罪グループ", "犯罪グループ", "攻撃集団", "クラスター", "クラスタ", "チーム", "脅威グループ", "一派",
    "アフィリエイト", "オペレーター", "犯行グループ", "スパイ集団", "ハクティビスト", "サイバー攻撃集団", "ランサムウェアグループ", "ランサムウェアギャング", "攻撃主体",
)  # fmt: skip
TOOL_JA = ("ツール", "ユーティリティ", "コマンド", "ハッキングツール")
CAMPAIGN_JA = ("キャンペーン", "作戦", "オペレーション", "攻撃キャンペーン")

_TABLE: tuple[tuple[NameType, tuple[str, ...]], ...] = (
    ("malware", MALWARE_EN),
    ("actor", ACTOR_EN),
    ("tool", TOOL_EN),
    ("campaign", CAMPAIGN_EN),
    ("malware", MALWARE_JA),
    ("actor", ACTOR_JA),
    ("tool", TOOL_JA),
    ("campaign", CAMPAIGN_JA),
)
# Class words too weak to name something by themselves (`Windows samples`, `first payload`).
WEAK = frozenset(
    "payload payloads samples sample variant variants infection infections toolkit framework team operators operator beacon bot shellcode "
    "affiliate affiliates packer crypter cluster group tool tools command commands utility scanner 亜種 検体 ペイロード ボット フレームワーク "
    "ツール ユーティリティ コマンド チーム オペレーター クラスター クラスタ グループ 集団 アクター ツールキット".split()
)


@cache
def types() -> dict[str, NameType]:
    """Return the type of every class word, keyed by its case-folded form."""
    return {word.casefold(): name_type for name_type, words in _TABLE for word in words}


def type_of(class_word: str) -> NameType | None:
    """Return the type a class word gives; plural and case do not matter."""
    key = " ".join(class_word.casefold().split())
    return types().get(key) or types().get(key.removesuffix("s"))


@dataclass(frozen=True, slots=True)
class ClassWord:
    """A class word at `start:end` of a text."""

    start: int
    end: int
    word: str
    type: NameType


@cache
def _finder() -> tuple[re.Pattern[str], dict[str, NameType]]:
    by_word = {re.sub(r"[ -]", " ", word): name_type for word, name_type in types().items()}
    english = {word for word in by_word if word.isascii()} | {word.replace(" ", "-") for word in by_word if word.isascii()}
    return re.compile(f"{trie_pattern(english)}|{trie_pattern(w for w in by_word if not w.isascii())}"), by_word


def class_words(text: str) -> Iterator[ClassWord]:
    """Yield the class words of `text`: whole words in English (capitals where it is an acronym), anywhere in Japanese."""
    pattern, by_word = _finder()
    lowered = text.lower()
    if len(lowered) != len(text):
        lowered = text
    for found in pattern.finditer(lowered):
        start, end, word = found.start(), found.end(), found[0]
        if word.isascii():
            before, after = lowered[start - 1 : start], lowered[end : end + 1]
            if _is_word(before) or _is_word(after) or (len(word) <= 4 and word in _ACRONYMS and not text[start:end][:2].isupper()):
                continue
        yield ClassWord(start, end, word, by_word[word.replace("-", " ")])


_ACRONYMS = frozenset({"rat", "rats", "apt", "ek"})


def _is_word(character: str) -> bool:
    return character.isascii() and character.isalnum()

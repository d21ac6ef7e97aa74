"""The role of an indicator, from the words of its line, its list's lead-in and its section."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from hinomi.intel.indicators.hosts import BENIGN_SITES, REFERENCE_SITES, site_in
from hinomi.intel.indicators.scan import Scan
from hinomi.intel.vocabulary.loading import stopwords
from hinomi.model.claims import ClaimRole

SYSTEM_FILES = stopwords("system-files")

_C2 = re.compile(
    r"\bc2\b|\bc&c\b|\bcnc\b|\bc and c\b|command[ -]and[ -]control|beacon|call(?:s|ing)? (?:home|back)|exfiltrat"
    r"|\bcommunicat\w+ (?:\w+ )?(?:with|to)\b|\bconnect(?:s|ed|ing) (?:back )?to\b|\bcontact(?:s|ed|ing)\b"
    r"|と通信(?:し|する|を行)|に接続(?:し|する)"
    r"|reverse shell|c2サーバ|c&cサーバ|通信先|接続先|コールバック|ビーコン|窃取した(?:情報|データ)の送信"
    # where the malware gets what it is to do
    r"|\b(?:its|their|operators?'?|attackers?'?s?) (?:own )?servers?\b"
    r"|\b(?:instructions?|commands?|orders?|tasks?|tasking|config(?:uration)?s?)(?: \w+){0,2} from\b"
    r"|\b(?:wait|poll|listen|ask|quer)\w* (?:\w+ )?for (?:\w+ )?(?:instructions?|commands?|orders?|tasks?)\b"
    r"|\bcheck(?:s|ed|ing)? in\b|\breport(?:s|ed|ing)? back to\b"
    r"|指令|命令を|(?:コマンド|指示|設定|タスク)を(?:受信|受け|取得|待|得)",
    re.ASCII,  # Japanese letters end an English word: 瓦のC2は
)
_DELIVERY = re.compile(
    r"download|deliver|distribut|payload|drop(?:s|ped|per)|hosted|stager?\b|phish|lure|landing|spread|attachment"
    r"|(?:fetch|retriev|pull)\w* (?:\w+ ){0,3}(?:stages?|files?|archives?|zip|dlls?|binar\w+|scripts?|modules?)\b"
    r"|(?<![a-z0-9])(?:installer|loader)s?(?![a-z0-9])|ダウンロード|配布|配信|フィッシング|誘導|添付|ペイロード|設置"
)
_VICTIM = re.compile(
    r"\bvictims?\b|(?:infected|compromised) (?:host|machine|device)s?|被害(?:端末|者|組織)|感染端末"
    r"|感染した(?:端末|マシン)|被害を受け|被害に遭|被害(?:企業|法人|サイト)"
)
_IMPERSONATED = re.compile(
    r"(?:impersonat|spoof|mimick?|masquerad|pretend|posing|imitat|resembl)\w* (?:as |to be )?(?:\w+ ){0,3}$"
    r"|(?:legitimate|genuine|real) (?:site|domain|website)(?: of| at)? $|正規の(?:サイト|ドメイン)(?:である)?$"
)
_POSING = (
    "impersonat", "spoof", "mimic", "masquerad", "pretend", "posing", "imitat", "resembl", "legitimate", "genuine",
    "real", "正規の",
)  # fmt: skip
"""Every match of `_IMPERSONATED` holds one of these."""
# Right after the host: を装った, のサイトになりすまし
_POSED_AS = re.compile(
    r"[」』\"]?(?:\([^()]{0,30}\))?(?:の(?:正規の?)?(?:サイト|ウェブサイト|ページ|ログインページ|ログイン画面|ポータル))?"
    r"(?:を|に|と)(?:装|模[しす]|模倣|なりすま|偽装|見せかけ|騙[りっる]|似せ)"
)
_SENTENCE_END = re.compile(r"。|[.!?] ")
_SOURCE = re.compile(
    r"\bsources?\s?:|\breferences?\s?:|\bsee also\b|\bread more\b|\bavailable (?:at|on|from|here)\b|\bblog ?post\b"
    r"|\bfull (?:report|description)\b|\baccording to\b|\barticle\b|\bpublished (?:at|on)\b|情報源|出典|参照"
    r"|参考|引用|詳細は"
)
_NETWORK_BLOCK = re.compile(r"\bnetwork|\bdomains?\b|\bip addresses\b|\bservers?\b|\burls?\b|通信先|ドメイン|サーバ")
_C2_HINTS = (
    "c2", "c&c", "cnc", "c and c", "command", "beacon", "call", "exfiltrat", "communicat", "connect", "contact",
    "reverse shell", "server", "instruct", "order", "task", "config", "check", "report", "コールバック", "ビーコン",
    "窃取", "通信", "接続", "指令", "命令", "コマンド", "指示", "設定", "タスク",
)  # fmt: skip
_DELIVERY_HINTS = (
    "download", "deliver", "distribut", "payload", "drop", "hosted", "stage", "phish", "lure", "landing", "spread",
    "attachment", "fetch", "retriev", "pull", "installer", "loader", "ダウンロード", "配布", "配信", "フィッシング",
    "誘導", "添付", "ペイロード", "設置",
)  # fmt: skip
_VICTIM_HINTS = ("victim", "infected", "compromised", "被害", "感染")
_ROLES: tuple[tuple[ClaimRole, re.Pattern[str], tuple[str, ...]], ...] = (
    ("command-and-control", _C2, _C2_HINTS),
    ("delivery", _DELIVERY, _DELIVERY_HINTS),
    ("victim", _VICTIM, _VICTIM_HINTS),
)
"""Each role, the words that say it, and literals of which every match holds one: most lines hold none."""
_LEAVES = re.compile(
    r"\b(?:drop|creat|writ|install|plac|plant|leav|cop(?:y|ie))\w*\b(?! \w+ from)[^.;]{0,40}$"
    r"|\bsav\w+ (?:\w+ ){0,3}(?:as|to) $"
)
_LEFT = re.compile(
    r"[」』\"]?(?:\([^()]{0,30}\))?(?:を|に|へ|として)"
    r"(?:ドロップ|作成|設置|配置|コピー|書き込|保存|インストール|生成)"
)
_LEAVING = ("drop", "creat", "writ", "install", "plac", "plant", "leav", "cop", "sav")
_BAD = (
    "shell", "backdoor", "implant", "malware", "dropper", "loader", "payload", "trojan", "rootkit", "ransom",
    "malicious", "シェル", "バックドア", "マルウ", "ローダー", "ドロッパー", "ペイロード", "不正な", "身代金",
    "ランサム",
)  # fmt: skip
"""Every match of `_LEAVES` holds one of the first, every match of `_CALLED_BAD` one of the second."""
_CALLED_BAD = re.compile(
    r"(?:\b(?:web ?shell|backdoor|implant|malware|dropper|loader|payload|trojan|rootkit|ransom ?note"
    r"|malicious (?:\w+ )?(?:file|script|dll|document|binary|attachment|macro|archive|installer))"
    r"|(?:web|ウェブ) ?シェル|バックドア|マルウ[ェエ]ア|ローダー|ドロッパー|ペイロード"
    r"|不正な(?:ファイル|スクリプト|プログラム|dll)|身代金要求(?:文書|ファイル|メモ)|ランサムノート)"
    r"(?:である|の|、)?[ :(\"'`「『]{1,3}$"
)
_MARKS = " \t-*+|`'\"(<・●"


def network_role(scan: Scan, start: int, end: int, host: str) -> tuple[ClaimRole, int, str]:
    """Return (role, confidence, why) for a host or URL at `start:end`."""
    defanged = scan.defanged(start, end)
    before = scan.before(start, 90).strip(_MARKS)
    behind = "" if defanged else scan.after(end, 40)
    posed_as = not behind.isascii() and _POSED_AS.match(behind.lstrip())
    if posed_as or (before and _posed(before)):
        return "impersonated", 40, "the text says that attackers pose as it"
    if not defanged and (cited := _cited(scan, start, host, before)):
        return cited
    role, why = _attack_role(scan, start, end, before)
    # the own sentence is surer than the list, and a role that says something surer than one that does not
    confidence = 65 if role == "mentioned" else 70 if role == "malicious" or why.startswith(_LISTED) else 75
    if defanged:
        why = why or "written defanged"
    return role, confidence, why


@lru_cache(maxsize=4096)
def _posed(before: str) -> bool:
    """Whether the words right before a host say that attackers pose as it."""
    return any(map(before.__contains__, _POSING)) and _IMPERSONATED.search(before + " ") is not None


def file_role(scan: Scan, start: int, end: int, name: str, *, honest: bool) -> tuple[ClaimRole, str]:
    """Return (role, why) for a file or path called `name`; what honest files are called too says nothing alone."""
    if honest or name.casefold() in SYSTEM_FILES:
        return "mentioned", ""
    left, called = _said_of_file(scan.before(start, 90))
    after = "" if left else scan.after(end, 50)
    if left or (not after.isascii() and _LEFT.match(after.lstrip())):
        return "malicious", "the sentence says that it is left there"
    if called:
        return "malicious", "the words before it call it so"
    if scan.section(start).role == "indicators":
        return "malicious", "in the list of indicators"
    if not scan.before(start, 40).strip(_MARKS) and _TRACES.search(scan.lead(start)):
        return "malicious", "its list or section calls it a trace of an intrusion"
    return "mentioned", ""


@lru_cache(maxsize=4096)  # the lines of a list begin alike
def _said_of_file(before: str) -> tuple[bool, bool]:
    """Whether the words right before a file say that it is left there, and whether they call it bad."""
    sentence = _SENTENCE_END.split(before)[-1]
    left = any(map(sentence.__contains__, _LEAVING)) and _LEAVES.search(sentence) is not None
    return left, any(map(sentence.__contains__, _BAD)) and _CALLED_BAD.search(sentence) is not None


_TRACES = re.compile(
    r"侵害|痕跡|不審な|不正な|悪意|改ざん|攻撃を受けた|indicators? of compromise|\bioc|compromise|malicious|suspicious"
    r"|artifacts? of|traces? of|webshells?\b|backdoors?\b"
)


def _cited(scan: Scan, start: int, host: str, before: str) -> tuple[ClaimRole, int, str] | None:
    """Return the reference or benign role when a plainly written host is a site that reports cite."""
    if known := _known_site(host):
        return known
    if scan.defangs and before and not host.replace(".", "").isdigit() and scan.section(start).role != "indicators":
        return "reference", 30, "the report defangs its indicators, but not this"
    if (before and _SOURCE.search(before)) or scan.section(start).role == "sources":
        return "reference", 25, "given as a source"
    return None


@lru_cache(maxsize=4096)
def _known_site(host: str) -> tuple[ClaimRole, int, str] | None:
    if host[-1:].isdigit():
        return None  # an address: sites have names
    if site_in(host, REFERENCE_SITES):
        return "reference", 20, "a site that reports cite as a source"
    if site_in(host, BENIGN_SITES):
        return "benign", 20, "a large public site, not written defanged"
    return None


@lru_cache(maxsize=4096)
def said(text: str) -> ClaimRole | None:
    """Return the role that small-letter words name, the first that fits; None where they name none."""
    for role, pattern, hints in _ROLES:
        if any(map(text.__contains__, hints)) and pattern.search(text):
            return role
    return None


class _Nearest(NamedTuple):
    """The role of the last telling words, and how many characters lie between them and the value."""

    role: ClaimRole
    distance: int


@lru_cache(maxsize=4096)
def _said_nearest(text: str) -> _Nearest | None:
    """The role that the last telling words of the value's own sentence name."""
    ends = [found.end() for found in _SENTENCE_END.finditer(text)]
    own = text[ends[-1] :] if ends else text
    places: list[tuple[int, ClaimRole]] = []
    for role, pattern, hints in _ROLES:
        if any(map(own.__contains__, hints)):
            places += [(found.end(), role) for found in pattern.finditer(own)]
    if not places:
        return None
    end, role = max(places, key=lambda place: place[0])
    return _Nearest(role, len(own) - end)


def _attack_role(scan: Scan, start: int, end: int, before: str) -> tuple[ClaimRole, str]:
    nearest = _said_nearest(before) if before else None
    after = scan.after(end, 50).strip(_MARKS)
    own = _SENTENCE_END.split(after, maxsplit=1)[0] if after else ""
    predicate = said(own) if own else None
    # a Japanese sentence says what is done behind the value; what stands right before it names the value itself
    if predicate and nearest and nearest.distance > _TOUCHING and _PARTICLE.match(own):
        return predicate, f"the words after it say {predicate}"
    if nearest:
        return nearest.role, f"the words before it say {nearest.role}"
    if after and (role := predicate or said(after)):
        return role, f"the words after it say {role}"
    if before and (role := said(before)):
        return role, f"the sentence before it says {role}"
    if len(before) > _PROSE and "|" not in before and scan.section(start).role != "indicators":
        return "mentioned", ""  # a sentence speaks for itself
    return _listed_role(scan, start)


_PROSE = 40
"""Characters before a value in its line from which on it stands in a sentence, not in a list."""
_TOUCHING = 8
"""Characters: words so near before a value say what it is."""
_PARTICLE = re.compile(r"[」』\")]{0,2}(?:から|より|に|へ|と|を|で|は|が)")


def _listed_role(scan: Scan, start: int) -> tuple[ClaimRole, str]:
    """The role that the value's list or section gives it."""
    if role := said(scan.lead(start)):
        return role, f"{_LISTED} {role}"
    section = scan.section(start)
    if section.role == "indicators":
        return "malicious", "in the list of indicators"
    if _is_network_block(section.heading):
        return "malicious", "in a list of network indicators"
    return "mentioned", ""


@lru_cache(maxsize=1024)
def _is_network_block(heading: str) -> bool:
    return _NETWORK_BLOCK.search(heading.lower()) is not None


_LISTED = "its list or section says"

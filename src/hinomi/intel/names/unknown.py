"""Names no vocabulary has, told by how the text introduces them: "a backdoor dubbed X", 「X」と呼ばれるバックドア."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from hinomi.intel.vocabulary.classes import WEAK, NameType, alternation, type_of

# A name: capitalised or with a capital or digit inside, up to three such words. Bounded, no nested repetition.
_PIECE = r"[A-Z0-9][A-Za-z0-9_$!-]{1,30}"
_NAME = rf"(?:{_PIECE}(?: [A-Z0-9][A-Za-z0-9_-]{{0,24}}){{0,2}}|[a-z]{{1,8}}[A-Z0-9][A-Za-z0-9_-]{{1,24}})"
_KATAKANA = r"[ァ-ヺー・]{2,20}"
_SAYS_EN = (
    r"(?:called|named|dubbed|nicknamed|code-?named|known as|known publicly as|tracked (?:by [A-Z][\w ]{1,30} )?(?:as|under the name)|referred to as|"
    r"(?:that |which )?(?:we|they|researchers|it) (?:have |has |had )?(?:call|calls|called|named|name|dub|dubbed|track|tracks|tracked|refer to|refers to)(?: it)?(?: as)?|"
    r"identified as|designated(?: as)?|labell?ed(?: as)?|aka|a\.k\.a\.|going by)"
)
_SAYS_JA = r"と(?:呼ばれる|呼ばれ|よばれる|いう|いった|呼称される|呼称し|称される|称する|名付けられた|命名された|命名し|名付け|呼び|呼ぶ|して知られる|して追跡)"
_NOT_NAMES = frozenset(
    "windows linux macos mac ios android unix esxi iot arm x86 x64 win32 win64 amd64 java javascript python powershell vba vbs golang go rust delphi "
    "c c++ net .net php perl bash shell elf pe dll exe pdf html xml json http https tcp udp dns smb ssh rdp ftp smtp imap tls ssl api sdk url ip c2 "
    "c&c cnc apt apts raas maas ttp ttps ioc iocs cve poc rce ddos dos mfa vpn edr av ot ics scada sql excel word office outlook microsoft google "
    "apple facebook twitter telegram discord github gitlab dropbox amazon aws azure cloud vmware cisco fortinet citrix ivanti sonicwall juniper "
    "the this that these those a an its his her our their new another other first second third final main such several many some each both "
    "chinese russian iranian north korean korea china russia iran japan japanese american u us usa uk eu european vietnamese indian pakistani turkish "
    "ukrainian israeli nigerian brazilian latin middle eastern english german french spanish italian arabic "
    "mandiant crowdstrike kaspersky eset symantec proofpoint fireeye mcafee sophos trend micro talos unit secureworks "
    "multi cross open source command control remote access advanced persistent threat user mode kernel stage banking mobile web email mail "
    "january february march april may june july august september october november december crypto cryptocurrency bitcoin "
    "however although when while if in on at for from by with and or but to of as is are was it he she we they i you according also "
    "threat hacking cyber espionage ransomware malware backdoor trojan rat loader botnet stealer group actor campaign operation team spyware worm wiper "
    "state nation sponsored backed government military proxy server client custom commodity popular known unknown malicious legitimate "
    "pos etpro et gtig msrc msp mssp soc csirt cert it id pc os ui db gpu cpu usb ram firmware iso lnk zip tor i2p as-a-service similar most main "
    "figure table fig ta blog report analysis research researchers attack attacks attacker attackers security information data file files".split()
)


@dataclass(frozen=True, slots=True)
class Introduced:
    """A name the text introduces, where it stands, what it is, and the words that say so."""

    start: int
    end: int
    name: str
    type: NameType
    confidence: int
    phrase: str


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], int], ...]:
    en, ja = alternation("en"), alternation("ja")
    quoted_ja = rf"[「『\"](?P<name>{_NAME}|{_KATAKANA})[」』\"]"
    bare_ja = rf"(?P<name>{_NAME})"
    sources: tuple[tuple[str, int], ...] = (
        # 「X」と呼ばれるバックドア / 「X」マルウェア / 「X」(ローダー)
        (rf"{quoted_ja}(?:\([^()\n]{{1,40}}\))?(?:{_SAYS_JA}|という名(?:前)?の)[^。「」\n]{{0,24}}?(?P<class>{ja})", 75),
        (rf"{quoted_ja}(?:の)?(?P<class>{ja})", 70),
        # バックドア「X」, マルウェア「X」および「Y」 is read from the list below
        (rf"(?P<class>{ja})(?:\([^()\n]{{1,24}}\))?(?:である|の一種)?(?:、)?{quoted_ja}", 75),
        # (このフレームワークは)「X」と呼ばれ
        (rf"(?P<class>{ja})(?:は|を|が)、?{quoted_ja}{_SAYS_JA}", 70),
        # Xと呼ばれるバックドア
        (rf"(?<![A-Za-z0-9]){bare_ja} ?{_SAYS_JA}[^。「」、\n]{{0,16}}?(?P<class>{ja})", 70),
        (rf"(?P<name>{_KATAKANA}){_SAYS_JA}[^。「」、\n]{{0,16}}?(?P<class>{ja})", 65),
        # 新たなバックドアX / 攻撃グループ X
        (rf"(?P<class>{ja})(?:である)?[ :]{{0,2}}{bare_ja}", 65),
        # X (ユーザーモードルートキット)
        (rf"(?<![A-Za-z0-9]){bare_ja} ?\((?:[^()、。\n]{{0,20}}?)(?P<class>{ja}|{en})\)", 65),
        # Xマルウェア, X ランサムウェア
        (rf"(?<![A-Za-z0-9./-]){bare_ja} ?(?P<class>{ja})", 60),
        # a backdoor (that we) call X
        (rf"\b(?P<class>{en})\b,?(?: [a-z][a-z-]{{1,15}}){{0,4}}? {_SAYS_EN},? (?:the )?[\"'*_(]{{0,2}}(?P<name>{_NAME})", 75),
        # X, a new backdoor
        (rf"\b(?P<name>{_NAME})[\"*_)]{{0,2}},? (?:\([^()\n]{{1,40}}\) ?,? ?)?(?:is |was )?(?:an?|the|another|one of the) (?:[A-Za-z0-9+#/.-]{{1,20}} ){{0,5}}?(?P<class>{en})\b", 60),
        # the X backdoor
        (rf"\b(?P<name>{_NAME})[\"'*_]{{0,2}} (?P<class>{en})\b", 55),
        # the backdoor X / backdoor "X"
        (rf"\b(?P<class>{en}),? [\"*_]{{1,2}}(?P<name>{_NAME})[\"*_),]", 60),
    )  # fmt: skip
    return tuple((re.compile(source), confidence) for source, confidence in sources)


# Systematic names of actors: numbered, or a vendor's scheme of an adjective and a family word.
_NUMBERED = re.compile(
    r"(?<![A-Za-z0-9-])(?:(?:UNC|TA|DEV-|Storm-|TAG-|UAT-|UAC-|UNK_|TEMP_|CL-(?:STA|CRI|UNK)-|REF|STAC|ATK|ITG|UTG-Q-|GOLD |APT-C ?- ?|APT ?|FIN|CNC-|TGR-STA-|DarkHotel-|TA-)\d{1,5}|TEMP\.[A-Z][a-z]{3,20})(?![A-Za-z0-9.])"
)
_SCHEMES = re.compile(
    r"(?<![A-Za-z0-9])(?:[A-Z][A-Za-z]{2,15} (?:Panda|PANDA|Kitten|KITTEN|Chollima|CHOLLIMA|Jackal|JACKAL|Typhoon|Blizzard|Sandstorm|Sleet|Tempest|Tsunami)"
    r"|[A-Z]{3,15} (?:BEAR|SPIDER|BUFFALO|LEOPARD|CRANE|LYNX|TIGER|OCELOT|WOLF|HAWK|SPHINX|SAIGA)"
    r"|(?:BRONZE|COBALT|IRON|NICKEL|ALUMINUM|TUNGSTEN) [A-Z]{4,15}"
    r"|[A-Z][a-z]{2,15} (?:Taurus|Serpens|Ursa|Scorpius|Pisces|Lyra))(?![A-Za-z0-9])"
)


def introduced(text: str) -> Iterator[Introduced]:
    """Yield what `text` (one sentence or short passage, folded) introduces."""
    yield from _systematic(text)
    for pattern, confidence in _patterns():
        for found in pattern.finditer(text):
            name_type = type_of(found["class"])
            name, start = _trim(found["name"], found.start("name"))
            if name_type is None or not acceptable(name, found["class"], confidence):
                continue
            yield Introduced(start, start + len(name), name, name_type, confidence, found[0][:80])


def _systematic(text: str) -> Iterator[Introduced]:
    for pattern in (_NUMBERED, _SCHEMES):
        for found in pattern.finditer(text):
            name = re.sub(r" ?- ?", "-", found[0])
            if found[0].split()[0].casefold() not in _NOT_NAMES or found[0].startswith("APT"):
                yield Introduced(found.start(), found.end(), name, "actor", 80, "systematic actor name")


def _trim(name: str, start: int) -> tuple[str, int]:
    """Drop leading and trailing words that belong to the sentence, not the name (`The`, `Linux`, `RAT` stays)."""
    words = name.split(" ")
    while len(words) > 1 and words[0].casefold() in _NOT_NAMES:
        start += len(words[0]) + 1
        words = words[1:]
    return " ".join(words).rstrip("-_"), start


def acceptable(name: str, class_word: str, confidence: int) -> bool:
    """Whether an introduced word can be a name: no common word, and the weaker the pattern the odder its shape."""
    words = name.casefold().replace("_", " ").split()
    if all(word.strip("-") in _NOT_NAMES for word in words) or type_of(name) is not None or name.replace(".", "").isdigit():
        return False
    if len(name) < 3 or all(type_of(word) is not None or word in _NOT_NAMES for word in words) or re.fullmatch(r"[0-9A-F]{6,}|\d.*", name):
        return False
    if re.fullmatch(r"(?i)(?:cve|kb|ms|t|s|g|jvn)[-_]?\d.*", name):
        return False
    odd = bool(re.search(r"[a-z][A-Z]|[A-Za-z]\d|^[A-Z][A-Z0-9]{4,}$", name))
    if class_word in WEAK or class_word.casefold() in WEAK:
        return confidence >= 70 and (odd or not name.isascii() or confidence >= 75)
    return confidence >= 65 or odd

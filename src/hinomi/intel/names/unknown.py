"""Names no vocabulary has, told by how the text introduces them: "a backdoor dubbed X", 「X」と呼ばれるバックドア."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from hinomi.intel.literals import occurrences
from hinomi.intel.names.plain import plain_names
from hinomi.intel.vocabulary.classes import WEAK, ClassWord, NameType, type_of
from hinomi.intel.vocabulary.loading import stopwords
from hinomi.intel.vocabulary.words import TextWords

# A name: capitalised or with a capital or digit inside, up to three such words. Bounded, no nested repetition.
_PIECE = r"[A-Z0-9][A-Za-z0-9_$!-]{1,30}"
_NAME = rf"(?:{_PIECE}(?: [A-Z0-9][A-Za-z0-9_-]{{0,24}}){{0,2}}|[a-z]{{1,8}}[A-Z0-9][A-Za-z0-9_-]{{1,24}})"
_KATAKANA = r"[ァ-ヺー・]{2,20}(?:[A-Z][A-Za-z0-9]{0,12})?"
_KANJI = r"[一-龠々]{1,6}[一-龠々ァ-ヺーの]{0,6}"
_ALIAS = r"(?:\([^()\n]{1,40}\))?"
_SAYS_EN = (
    r"(?:called|named|dubbed|nicknamed|code-?named|known as|known publicly as|tracked (?:by [A-Z][\w ]{1,30} )?(?:as|"
    r"under the name)|referred to as|"
    r"(?:that |which )?(?:we|they|researchers|it) (?:have |has |had )?(?:call|calls|called|named|name|dub|dubbed|"
    r"track|tracks|tracked|refer to|refers to)(?: it)?(?: as)?|"
    r"identified as|designated(?: as)?|labell?ed(?: as)?|aka|a\.k\.a\.|going by)"
)
_SAYS_JA = (
    r"と(?:呼ばれる|呼ばれ|よばれる|いう|いった|呼称される|呼称し|称される|称する|名付けられた|命名された|命名し|"
    r"名付け|呼び|呼ぶ|して知られる|して追跡)"
)
_NOT_NAMES = stopwords("names")


@dataclass(frozen=True, slots=True)
class Introduced:
    """A name the text introduces, where it stands, what it is, and the words that say so."""

    start: int
    end: int
    name: str
    type: NameType
    confidence: int
    phrase: str


_Q = r"[\"'*_]"
_SHORT = r"[^。「」、\n]{0,16}?"
# What may stand before a class word (matched up to it), and after one. With the confidence each deserves.
_BEFORE_EN = (
    (rf"(?<![A-Za-z0-9_./-])(?P<name>{_NAME}){_Q}{{0,2}} $", 55),  # the X backdoor
    (  # X, a new backdoor / X is a backdoor
        rf"(?<![A-Za-z0-9_./-])(?P<name>{_NAME})[\"*_)]{{0,2}},? (?:\([^()\n]{{1,40}}\) ?,? ?)?(?:is |was )?(?:an?|"
        r"the|another|one of the) "
        r"(?:[A-Za-z0-9+#/.'-]{1,20} ){0,5}$",
        60,
    ),
    (rf"(?<![A-Za-z0-9_./-])(?P<name>{_NAME}) ?\([^()、。\n]{{0,20}}$", 65),  # X (a backdoor)
)
_BEFORE_JA = (
    (
        rf"[「『\"](?P<name>{_NAME}|{_KATAKANA})[」』\"](?:\([^()\n]{{1,40}}\))?(?:{_SAYS_JA}|"
        r"という名(?:前)?の)[^。「」\n]{0,24}?$",
        75,
    ),
    (rf"[「『\"](?P<name>{_NAME}|{_KATAKANA})[」』\"](?:の)?$", 70),
    (rf"(?<![A-Za-z0-9])(?P<name>{_NAME}) ?{_SAYS_JA}{_SHORT}$", 70),
    (rf"(?P<name>{_KATAKANA}){_SAYS_JA}{_SHORT}$", 65),
    (rf"(?<![A-Za-z0-9./-])(?P<name>{_NAME}) ?$", 60),
    (rf"(?<![A-Za-z0-9])(?P<name>{_NAME}) ?\([^()、。\n]{{0,20}}$", 65),
)
_AFTER_EN = (
    (rf",?(?: [a-z][a-z-]{{1,15}}){{0,4}}? {_SAYS_EN},? (?:the )?[\"'*_(]{{0,2}}(?P<name>{_NAME})", 75),
    (rf",? [\"*_]{{1,2}}(?P<name>{_NAME})[\"*_),]", 60),
    (rf",?(?: [a-z][a-z-]{{1,15}}){{0,4}}? {_SAYS_EN} [\"'*_`]{{1,2}}(?P<name>[a-z][a-z0-9_-]{{3,24}})[\"'*_`]", 75),
)
_AFTER_JA = (
    (rf"(?:\([^()\n]{{1,24}}\))?(?:である|の一種)?(?:、)?[「『\"](?P<name>{_NAME}|{_KATAKANA})[」』\"]", 75),
    (rf"(?:は|を|が)、?[「『\"](?P<name>{_NAME}|{_KATAKANA})[」』\"]{_ALIAS}{_SAYS_JA}", 70),
    (rf"(?:である)?[ :]{{0,2}}(?P<name>{_NAME})", 65),
)
# Names in kanji are told from other quoted words by the class word of an actor right beside them.
_ACTOR_BEFORE_JA = ((rf"[「『](?P<name>{_KANJI})[」』]{_ALIAS}(?:{_SAYS_JA})?(?:という)?$", 70),)
_ACTOR_AFTER_JA = ((rf"[「『](?P<name>{_KANJI})[」』]", 70),)
_WINDOW = 100


@cache
def _patterns(side: str) -> tuple[tuple[re.Pattern[str], int], ...]:
    table = {
        "before-en": _BEFORE_EN, "before-ja": _BEFORE_JA, "after-en": _AFTER_EN, "after-ja": _AFTER_JA,
        "before-actor": _ACTOR_BEFORE_JA, "after-actor": _ACTOR_AFTER_JA,
    }  # fmt: skip
    return tuple((re.compile(source), confidence) for source, confidence in table[side])


# Systematic names of actors: numbered, or a vendor's scheme of an adjective and a family word.
# What stands before the prefix is asked afterwards: a pattern that begins with letters is skipped to.
_NUMBERED = re.compile(
    r"(?:UNC|TA|DEV-|Storm-|TAG-|UAT-|UAC-|UNK_|TEMP_|CL-(?:STA|CRI|UNK)-|REF|STAC|ATK|ITG|UTG-Q-|GOLD |APT-C ?- ?|"
    r"APT ?|FIN|CNC-|TGR-STA-|DarkHotel-|TA-)\d{1,5}(?![A-Za-z0-9]|\.\d)|TEMP\.[A-Z][a-z]{3,20}(?![A-Za-z0-9]|\.\d)"
)
_NUMBERED_HEADS = (
    "UNC", "TA", "DEV-", "Storm-", "UAT-", "UAC-", "UNK_", "TEMP", "CL-", "REF", "STAC", "ATK", "ITG", "UTG-Q-",
    "GOLD ", "APT", "FIN", "CNC-", "TGR-STA-", "DarkHotel-",
)  # fmt: skip
"""What every match of `_NUMBERED` begins with."""
_SCHEMES = re.compile(
    r"(?<![A-Za-z0-9])(?:[A-Z][A-Za-z]{2,15} (?:Panda|PANDA|Kitten|KITTEN|Chollima|CHOLLIMA|Jackal|JACKAL|Typhoon|"
    r"Blizzard|Sandstorm|Sleet|Tempest|Tsunami)"
    r"|[A-Z]{3,15} (?:BEAR|SPIDER|BUFFALO|LEOPARD|CRANE|LYNX|TIGER|OCELOT|WOLF|HAWK|SPHINX|SAIGA)"
    r"|(?:BRONZE|COBALT|IRON|NICKEL|ALUMINUM|TUNGSTEN) [A-Z]{4,15}"
    r"|[A-Z][a-z]{2,15} (?:Taurus|Serpens|Ursa|Scorpius|Pisces|Lyra))(?![A-Za-z0-9])"
)


def introduced(text: str, classes: Sequence[ClassWord], words: TextWords) -> Iterator[Introduced]:
    """Yield what `text` (folded, of these `words`) introduces beside each of its class words."""
    yield from _systematic(text, words)
    for word in classes:
        for found, offset, confidence in _beside(text, word):
            name, start = _trim(found["name"], offset + found.start("name"))
            if acceptable(name, word.word, confidence):
                low, high = min(start, word.start), max(start + len(name), word.end)
                yield Introduced(start, start + len(name), name, word.type, confidence, text[low:high][:80])
        yield from _plain(text, word)


def _plain(text: str, word: ClassWord) -> Iterator[Introduced]:
    """A name that looks like a word, where the vocabulary knows it as nothing else."""
    if not word.word.isascii():
        return
    first, before, after = _around(text, word)
    for found, offset, confidence in plain_names(before, word, after, first):
        name, start = _trim(found["name"], offset + found.start("name"))
        if acceptable(name, word.word, _SURE_SHAPE):
            low, high = min(start, word.start), max(start + len(name), word.end)
            yield Introduced(start, start + len(name), name, word.type, confidence, text[low:high][:80])


_SURE_SHAPE = 75
"""The confidence at which a name's shape is not asked: `plain_names` asks for other signs."""


def _around(text: str, word: ClassWord) -> tuple[int, str, str]:
    """Where the window before a class word begins, and what stands in its line before and after the word."""
    first = max(0, word.start - _WINDOW, text.rfind("\n", max(0, word.start - _WINDOW), word.start) + 1)
    return first, text[first : word.start], text[word.end : word.end + _WINDOW].split("\n", 1)[0]


def _beside(text: str, word: ClassWord) -> Iterator[tuple[re.Match[str], int, int]]:
    """Yield (match, offset of the match's text, confidence) of each pattern that holds beside a class word."""
    first, before, after = _around(text, word)
    japanese = not word.word.isascii()
    sides = ["ja"] if japanese else ["en", "ja"] if not (before.isascii() and after.isascii()) else ["en"]
    if japanese and word.type == "actor":
        sides.append("actor")
    owner = after.startswith(("'s ", "’s "))  # X, the group's bootkit: X is no group
    for side in sides:
        for pattern, confidence in _patterns(f"before-{side}") if not owner else ():
            found = pattern.search(before)
            if found and ("(" not in before[found.end("name") :] or after[:1] in {")", ""}):
                yield found, first, confidence
        for pattern, confidence in _patterns(f"after-{side}"):
            if found := pattern.match(after):
                yield found, word.end, confidence


_FAMILIES = frozenset(
    "panda kitten chollima jackal typhoon blizzard sandstorm sleet tempest tsunami bear spider buffalo leopard crane "
    "lynx tiger ocelot wolf hawk sphinx saiga bronze cobalt iron nickel aluminum tungsten taurus serpens ursa scorpius "
    "pisces lyra".split()
)
"""The word that every match of `_SCHEMES` holds one of."""


def _systematic(text: str, words: TextWords) -> Iterator[Introduced]:
    schemes = not words.places.keys().isdisjoint(_FAMILIES)
    for found in (*_numbered(text), *(_SCHEMES.finditer(text) if schemes else ())):
        name = re.sub(r" ?- ?", "-", found[0])
        if found[0].split()[0].casefold() not in _NOT_NAMES or found[0].startswith("APT"):
            yield Introduced(found.start(), found.end(), name, "actor", 80, "systematic actor name")


def _numbered(text: str) -> Iterator[re.Match[str]]:
    free = 0
    for place in occurrences(text, _NUMBERED_HEADS):
        if place >= free and (found := _NUMBERED.match(text, place)):
            free = found.end()
            if not _GLUED.match(text[place - 1 : place]):
                yield found


_GLUED = re.compile(r"[A-Za-z0-9-]")


# Other names in brackets or behind `aka`: X (also known as Y and Z), X(別名:Y、Z)
_ALSO = re.compile(
    r"[\"'”’」』*_`]{0,2} ?(?:\((?:also (?:known|tracked|referred to) as|also called|aka|a\.k\.a\.|formerly"
    r"|別名|通称|別称|旧称) ?(?:は|:)? ?(?P<inner>[^()\n]{2,120})\)"
    r"|,? (?:also (?:known|tracked) as|aka|a\.k\.a\.) (?P<outer>[^(),.;\n]{2,60}))",
)
ALSO_HINTS = ("also ", "aka ", "a.k.a.", "formerly", "別名", "通称", "別称", "旧称")
_AND = re.compile(r", and |, or |,|、|;|・|/| and | or |および|または")
_OTHER = re.compile(rf"{_NAME}|{_KATAKANA}|{_KANJI}")


_HEAD = re.compile(rf"(?<![A-Za-z0-9_./-])(?P<name>{_NAME}|{_KATAKANA}|{_KANJI})$")


def also_named(text: str) -> Iterator[list[tuple[int, str]]]:
    """Yield (start, name) of the names that `text` gives for one thing: the first and those given right behind it."""
    yield from _katakana_named(text)
    for place in occurrences(text, ALSO_HINTS):
        found = next((f for n in range(5, -1, -1) if place >= n and (f := _ALSO.match(text, place - n))), None)
        if not found:
            continue
        head = _HEAD.search(text, max(0, found.start() - 60), found.start())
        names = [_named_at(head.start("name"), head["name"])] if head else []
        group = "inner" if found["inner"] else "outer"
        start = found.start(group)
        for piece in _AND.split(found[group]):
            bare = piece.strip(" \"'“”「」『』*_`:")
            start = text.find(bare, start) if bare else start
            if bare and start >= 0 and _OTHER.fullmatch(bare) and acceptable(bare, "", 75):
                names.append((start, bare))
        if len(names) > 1:
            yield names


def _katakana_named(text: str) -> Iterator[list[tuple[int, str]]]:
    """Yield the names that a text gives with their reading behind them: Mizuki Stealer(ミズキスティーラー)."""
    for found in _READING.finditer(text) if "(" in text and not text.isascii() else ():
        head = _HEAD.search(text, max(0, found.start() - 60), found.start())
        if head and head["name"].isascii() and acceptable(found["name"], "", 75):
            yield [_named_at(head.start("name"), head["name"]), (found.start("name"), found["name"])]


_READING = re.compile(r"(?<=[A-Za-z0-9」』\"])\((?P<name>[ァ-ヺー・]{3,24})\)")


def _named_at(start: int, name: str) -> tuple[int, str]:
    bare, first = _trim(name, start)
    return first, bare


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
    if (
        all(word.strip("-") in _NOT_NAMES for word in words)
        or type_of(name) is not None
        or name.replace(".", "").isdigit()
    ):
        return False
    if (
        len(name) < (3 if name.isascii() else 2)
        or all(type_of(word) is not None or word in _NOT_NAMES for word in words)
        or re.fullmatch(r"[0-9A-F]{6,}|\d.*", name)
    ):
        return False
    if re.fullmatch(r"(?i)(?:cve|kb|ms|t|s|g|jvn)[-_]?\d.*", name):
        return False
    odd = bool(re.search(r"[a-z][A-Z]|[A-Za-z]\d|^[A-Z][A-Z0-9]{4,}$", name))
    if class_word in WEAK or class_word.casefold() in WEAK:
        return confidence >= 70 and (odd or not name.isascii() or confidence >= 75)
    return confidence >= 65 or odd

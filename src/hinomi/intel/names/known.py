"""Known names: the vocabulary's hits, judged by their shape and by the cues around them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from hinomi.intel.vocabulary.classes import ClassWord, NameType
from hinomi.intel.vocabulary.names import Form, Hit, Kind

_WINDOW = 48


@dataclass(frozen=True, slots=True)
class Known:
    """A hit that counts: its form, the type its cue gives (or the vocabulary's own) and why."""

    start: int
    end: int
    form: Form
    type: Kind
    cued: bool
    confidence: int


# Between a name and the class word after it, and between a class word and the name after it.
_TO_CLASS = re.compile(
    r"[\"'”’」』)*_]{0,2}(?:"
    r"(?:'s)? ?[\"“]?(?:(?:[a-z-]{3,20}|[A-Z]{2,6}|Android|Windows|Linux|Mac|banking) )?|[ -]?"
    r"|(?:と(?:呼ばれる|いう|呼称される|称される|名付けられた|命名された|して知られる|呼ぶ)|という名の|"
    r"(?![とや]))[^、。「」\sA-Za-z]{0,12}"
    r"|(?:と(?:呼ばれる|いう|呼称される|称される))[^、。「」\n]{0,16}|[ ]?\([^()\n]{0,20})"
)
_FROM_CLASS = re.compile(
    r"(?:,? (?:is |are |was |were )?(?:called|named|dubbed|known as|like|such as|including|named as|tracked as|aka|"
    r"of|with|the|using))?[ :,\"'“‘(*_]{1,4}"
    r"|(?:である|の|は|、|：|:)?[ 「『\"“(]{0,2}"
)


# A topic is what is named only where the sentence says so: 集団はXと呼ばれ, グループはXです.
_TOPIC = re.compile(r"は")
_IS_NAME = re.compile(r"[」』\"”)]{0,2}(?:と(?:呼|よば|い|称|名|し)|です|であ|だ|の(?:名|一)|、|。|$|\n)")
_THIS = re.compile(r"(?:同じ|同|この|その|当該|本)$")


# Who works with a piece of malware: `Emotet operators` says that Emotet is malware, no group.
_HANDLERS = frozenset({"operator", "operators", "affiliate", "affiliates", "オペレーター", "アフィリエイト"})


class Cues:
    """The class words of a text, to ask what those beside a name say it is."""

    def __init__(self, text: str, words: Sequence[ClassWord]) -> None:
        self._text = text
        self._words = words
        self._starts = [word.start for word in words]
        self._ends = sorted((word.end, number) for number, word in enumerate(words))

    def type_at(self, start: int, end: int) -> NameType | None:
        """Return what the words beside `start:end` say: `X ransomware`, `the group X`, 「X」と呼ばれるバックドア."""
        return self._after(end) or self._before(start, end)

    def _after(self, end: int) -> NameType | None:
        for number in range(bisect_left(self._starts, end), len(self._words)):
            word = self._words[number]
            if word.start > end + _WINDOW:
                return None
            if _TO_CLASS.fullmatch(self._text, end, word.start):
                return "malware" if word.word in _HANDLERS else word.type
        return None

    def _before(self, start: int, stop: int) -> NameType | None:
        for number in range(bisect_left(self._ends, (start + 1, -1)) - 1, -1, -1):
            end, which = self._ends[number]
            if end < start - 24:
                return None
            word = self._words[which]
            gap = self._text[end:start]
            if _FROM_CLASS.fullmatch(gap) and not self._acts(word, gap, stop):
                return word.type
        return None

    def _acts(self, word: ClassWord, gap: str, stop: int) -> bool:
        """Whether the class word is who does something to the named thing: 同じ集団はXを使い, this group's X."""
        if _TOPIC.match(gap):
            return _IS_NAME.match(self._text, stop) is None
        earlier = self._text[max(0, word.start - 4) : word.start]
        return gap.startswith(("の", "'s")) and _THIS.search(earlier) is not None


def distinctive(text: str) -> bool:
    """Whether a word's shape alone tells it from a dictionary word: digits or capitals inside."""
    return len(text) > 3 and bool(re.search(r"[a-z][A-Z]|[A-Za-z]\d|\d[A-Za-z]", text))


@lru_cache(maxsize=4096)
def _same_case(surface: str, form: str) -> bool:
    """Whether capitals are where a name has them. Forms without capitals are written that way."""
    if not any(c.isupper() for c in form):
        return True
    words, wanted = re.findall(r"[^\W_]+", surface), re.findall(r"[^\W_]+", form)
    if len(words) == len(wanted):
        return all(w[0].isupper() or w[0].isdigit() or not f[0].isupper() for w, f in zip(words, wanted, strict=True))
    return any(c.isupper() for c in surface)


def judge(text: str, hits: Sequence[Hit], words: Sequence[ClassWord]) -> list[Known]:
    """Keep the hits that are names here: unmistakable ones, cued ones, and what stands in a list with them."""
    cues = Cues(text, words)
    sure: dict[int, Known] = {}
    doubtful: list[tuple[int, Hit, Form]] = []
    for number, hit in enumerate(hits):
        surface = text[hit.start : hit.end]
        if _inside_address(text, hit):
            continue
        cue = cues.type_at(hit.start, hit.end)
        form = _choose(hit, cue)
        verdict = _verdict(surface, form, cue, text, hit)
        if verdict is None:
            doubtful.append((number, hit, form))
        elif verdict:
            sure[number] = Known(hit.start, hit.end, form, _type(form, cue), cue is not None, verdict)
    _spread(text, hits, sure, doubtful)
    return _settle([sure[n] for n in sorted(sure)])


def _choose(hit: Hit, cue: NameType | None) -> Form:
    if cue == "actor":
        return next((f for f in hit.forms if f.name.kind == "actor"), hit.forms[0])
    if cue is None:
        return min(hit.forms, key=lambda f: (not f.name.attack, f.name.kind == "actor"))
    return next((f for f in hit.forms if f.name.kind != "actor"), hit.forms[0])


def _type(form: Form, cue: NameType | None) -> Kind:
    """The vocabulary's type, but a cue may turn malware into the gang that bears its name."""
    if form.name.kind == "malware" and cue == "actor":
        return "actor"
    return form.name.kind


def _verdict(surface: str, form: Form, cue: NameType | None, text: str, hit: Hit) -> int | None:
    """Confidence where it surely counts, 0 where it does not, None where neighbours decide."""
    cased = _same_case(surface, form.text)
    if form.name.kind == "tool":
        if not form.ordinary and cased:
            return 70
        return (
            60
            if cased and (text[hit.end : hit.end + 4].lower() == ".exe" or cue == "tool") and surface != "Command"
            else 0
        )
    if form.common:
        return (
            65
            if cue and cue == form.name.kind == "malware" and surface[:1].isupper() and _strong_class(text, hit.end)
            else 0
        )
    if form.ordinary and surface.islower():
        return 0
    if cue and cue != "campaign" and (cased or surface.isupper()):
        return 90 if not form.ordinary else 75
    if not form.ordinary:
        return 85 if cased and not _spread_out(surface, form.text) else 0
    if cased and distinctive(surface) and distinctive(form.text):
        return 75
    return None if (cased and surface[:1].isupper()) or not surface.isascii() else 0


def _spread_out(surface: str, form: str) -> bool:
    """Whether one word of the vocabulary was met as several plain ones (`RAT attack`, `Windows 10`)."""
    words = surface.split()
    return len(words) > len(form.split()) and not all(word[0].isupper() for word in words)


def _strong_class(text: str, end: int) -> bool:
    return (
        re.match(
            r"[\"'”’」』)]? ?(?:ransomware|malware|botnet|ランサムウ[ェエ]ア|マルウ[ェエ]ア)", text[end : end + 16]
        )
        is not None
    )


def _inside_address(text: str, hit: Hit) -> bool:
    """Whether the hit is a piece of a path, URL, address or longer identifier."""
    before, after = text[max(0, hit.start - 1) : hit.start], text[hit.end : hit.end + 2]
    if before in {"/", "\\", "@", "_", "%", "=", "&", "#"} or after[:1] in {"\\", "@", "_", "="}:
        return True
    return (
        (before == "." or after[:1] == ".") and after[1:].isalnum() and not text[hit.end :].lower().startswith(".exe")
    )


_BETWEEN = re.compile(
    r"[\"'”’」』)]?(?:,|、|/| /|・|，)? ?(?:and|or|&|および|及び|や|と|または|ならびに|,)? ?[\"'“‘「『(]?"
)


def _spread(text: str, hits: Sequence[Hit], sure: dict[int, Known], doubtful: list[tuple[int, Hit, Form]]) -> None:
    """Accept doubtful names that stand in one list with sure ones: `Trickbot, Conti and Ryuk`. Both directions."""
    for order in (doubtful, doubtful[::-1]):
        for number, hit, form in order:
            for other in (number - 1, number + 1):
                near = sure.get(other)
                if near is None or near.form.name.kind == "tool" or number in sure:
                    continue
                left, right = (hits[other], hit) if other < number else (hit, hits[other])
                gap = text[left.end : right.start]
                if 0 < len(gap) <= 8 and "\n" not in gap and _BETWEEN.fullmatch(gap) and not form.common:
                    kind = form.name.kind if form.name.kind == near.form.name.kind else near.type
                    chosen = next((f for f in hit.forms if f.name.kind == kind), form)
                    sure[number] = Known(hit.start, hit.end, chosen, chosen.name.kind, False, 65)


def _settle(known: list[Known]) -> list[Known]:
    """One name is one thing in one text: malware turns into the gang of its name where nearly all mentions say so."""
    mentions: Counter[str] = Counter(item.form.name.canonical for item in known)
    as_actor = Counter(item.form.name.canonical for item in known if item.type == "actor")
    settled = []
    for item in known:
        name = item.form.name
        if name.kind == "malware":
            gang: Kind = "actor" if as_actor[name.canonical] >= 0.6 * mentions[name.canonical] else "malware"
            item = item if item.type == gang else replace(item, type=gang)
        settled.append(item)
    return settled

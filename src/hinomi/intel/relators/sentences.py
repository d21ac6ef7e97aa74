"""Relations that one sentence states between the things it names; where only nearness speaks, confidence is low."""

from __future__ import annotations

import itertools
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from hinomi.intel.extractor import ReadingContext, Sentence
from hinomi.model.claims import Claim, ClaimType, Relation

_MAX_PER_SENTENCE = 40
_USE = re.compile(
    r"(?i)使用|用い|利用|展開|配布|採用|運用|\bus(?:e|es|ed|ing)\b|deploy|employ|leverag|distribut|deliver|utili[sz]|"
    r"install|spread|operat|wield"
)
_DROP = re.compile(
    r"(?i)投下|ドロップ|作成|生成|設置|書き込|ダウンロード|\bdrop|\bcreat|\bwrit|\binstall|\bplant|\bplac|\bdownload|"
    r"\bunpack"
)
_START = re.compile(r"(?i)実行|起動|呼び出|\brun|\bexecut|\blaunch|\bstart|\binvok|\bload|\bcall")
_EXPLOIT = re.compile(r"(?i)悪用|エクスプロイト|突い|exploit|abus|weaponi|leverag")
_WEAKNESS = re.compile(r"(?i)脆弱|影響|悪用|vulnerab|affect|exploit|flaw")
_TARGET = re.compile(r"(?i)標的|狙|攻撃|被害|向け|target|against|attack|victim|compromis|aimed at|hit\b")
_ORIGIN = re.compile(
    r"(?i)国家支援|国家が支援|政府(?!機関|系|関係|組織|・|や|、)|当局|を拠点|起源|由来|関与|背後|state-sponsored|"
    r"state-backed|government|based in|linked|nexus|attributed|aligned|backed|-speaking|originat"
)


@dataclass(frozen=True, slots=True)
class _Rule:
    """`source type target` holds where `said` occurs; without it, with `weak` confidence (0: not at all)."""

    source: tuple[ClaimType, ...]
    target: tuple[ClaimType, ...]
    type: str
    said: re.Pattern[str]
    confidence: int
    weak: int = 0
    acts: bool = False
    """Whether what stands behind the verb and a further verb is not who did it."""


def _weaker(rule: _Rule, source: Claim, target: Claim, sentence: Sentence, verb: int | None) -> int:
    """In `they exploited CVE-1 and dropped X`, X did not exploit it; nor in CVE-1を悪用し、Xを実行. 0 elsewhere."""
    if verb is None or source.span[0] < sentence.span[0] + verb:
        return 0
    between = sentence.text[verb : source.span[0] - sentence.span[0]]
    if sentence.text.isascii():
        return rule.weak if target.span[0] < source.span[0] and " and " in between else 0
    return rule.weak if "、" in between else 0


_SOFTWARE: tuple[ClaimType, ...] = ("malware", "tool")
_THREAT: tuple[ClaimType, ...] = ("actor", "malware")
_RULES = (
    _Rule(("actor", "campaign"), _SOFTWARE, "uses", _USE, 70, 35),
    _Rule(_THREAT, ("cve",), "exploits", _EXPLOIT, 70, 25, acts=True),
    _Rule(_THREAT, ("sector",), "targets", _TARGET, 70, 25),
    _Rule(_THREAT, ("product",), "targets", _TARGET, 55, 0),
    _Rule(("malware",), ("filename", "filepath"), "drops", _DROP, 60, 0),
    _Rule(("malware",), ("filename", "filepath"), "starts", _START, 45, 25),
    _Rule(_THREAT, ("domain", "ipv4", "ipv6", "url"), "communicates-with", re.compile(
        r"(?i)c2|c&c|command and control|接続|通信|connect|beacon|communicat|contact"
    ), 60, 20),
    _Rule(("actor", "malware", "tool"), ("behaviour",), "does", re.compile(""), 60, 0),
    _Rule(("actor", "malware", "tool"), ("attack-technique",), "uses", re.compile(""), 50, 0),
    _Rule(("cve",), ("product",), "affects", _WEAKNESS, 60, 25),
    _Rule(("mitigation",), (
        "ipv4", "ipv6", "cidr", "domain", "url", "email", "account", "service", "task", "filename", "filepath",
        "registry-key", "cve",
    ), "mitigates", re.compile(""), 65, 0),
)  # fmt: skip
_SOURCES = frozenset(source for rule in _RULES for source in rule.source)
_CARRIED: frozenset[ClaimType] = frozenset({"malware", "actor", "behaviour", "filename"})
"""What may speak of a thing named in an earlier sentence, or be spoken of later."""


_TOLD = _SOURCES.union(_CARRIED, *(rule.target for rule in _RULES), ("country",))
"""What relations are told of: a list of hashes has none."""


class SentenceRelator:
    """Reads relations off sentences, and off what binds claims in their attributes."""

    name = "sentences"

    def relate(self, context: ReadingContext, claims: Sequence[Claim]) -> Iterable[Relation]:
        """Yield relations; the surest of equal ones."""
        best: dict[tuple[str, str, str], Relation] = {}
        for relation in (*_stated(context, claims), *_bound(claims), *_aliases(claims)):
            key = (relation.from_id, relation.type, relation.to_id)
            if key not in best or best[key].confidence < relation.confidence:
                best[key] = relation
        return list(best.values())


def _stated(context: ReadingContext, claims: Sequence[Claim]) -> Iterator[Relation]:
    told = [(number, claim) for number, claim in enumerate(claims) if claim.type in _TOLD]
    places = [(claim.span[0], number) for number, claim in told]
    places += [(span[0], number) for number, claim in told for span in claim.attributes.get("spans", ())]
    places.sort()
    starts = [place[0] for place in places]
    spoken = _Spoken(context, claims)
    last = 0
    while last < len(places):
        sentence = context.sentence_after(starts[last])
        if sentence is None:
            return
        first = bisect_left(starts, sentence.span[0], last)
        last = bisect_left(starts, sentence.span[1], first)
        if first == last:
            continue
        numbers = dict.fromkeys(number for _, number in places[first : min(last, first + _MAX_PER_SENTENCE)])
        here = [claims[number] for number in numbers]
        kinds = {claim.type for claim in here}
        if not _SOURCES.isdisjoint(kinds):
            yield from _pairs(sentence, here)
        if not _CARRIED.isdisjoint(kinds):
            yield from _carried(context, sentence, here, spoken)


def _spans(claim: Claim) -> Iterator[tuple[int, int]]:
    yield claim.span
    for span in claim.attributes.get("spans", ()):
        yield span[0], span[1]


def _pairs(sentence: Sentence, here: Sequence[Claim]) -> Iterator[Relation]:
    by_type: dict[str, list[Claim]] = defaultdict(list)
    for claim in here:
        by_type[claim.type].append(claim)
    for rule in _rules_of(frozenset(by_type)):
        sources = [c for t in rule.source for c in by_type.get(t, ())]
        targets = [c for t in rule.target for c in by_type.get(t, ())]
        said = rule.said.search(sentence.text)
        confidence = rule.confidence if said else rule.weak
        if confidence and len(sources) * len(targets) > 6:
            confidence = max(20, confidence - 20)  # a crowded sentence says less about each pair
        if confidence:
            verb = said.end() if said and rule.acts else None
            yield from (
                Relation(s.id, rule.type, t.id, sentence.span, _weaker(rule, s, t, sentence, verb) or confidence)
                for s in sources
                for t in targets
                if s.id != t.id
            )
    yield from _countries(sentence, by_type)


@lru_cache(maxsize=1024)
def _rules_of(kinds: frozenset[str]) -> tuple[_Rule, ...]:
    """The rules that have both their ends among the kinds of things a sentence names."""
    return tuple(r for r in _RULES if not kinds.isdisjoint(r.source) and not kinds.isdisjoint(r.target))


def _countries(sentence: Sentence, by_type: Mapping[str, Sequence[Claim]]) -> Iterator[Relation]:
    """A country is a home where it stands before the actor with a word of origin, else a target."""
    for threat in (*by_type.get("actor", ()), *by_type.get("malware", ())):
        for country in by_type.get("country", ()):
            where = sentence.text.find(country.value)
            near = sentence.text[max(0, where) : where + len(country.value) + 14]
            if threat.type == "actor" and _ORIGIN.search(near):
                yield Relation(threat.id, "originates-from", country.id, sentence.span, 60)
            elif _TARGET.search(sentence.text):
                yield Relation(threat.id, "targets", country.id, sentence.span, 55)


_REFERS = re.compile(
    r"(?P<actor>同(?:アクター|グループ|脅威アクター|攻撃グループ)|この(?:アクター|グループ)|(?i:\b(?:the|this) "
    r"(?:group|threat actor|actor)\b))"
    r"|同(?:マルウェア|マルウエア|バックドア|ツール)|この(?:マルウェア|マルウエア|バックドア|ファイル|スクリプト|"
    r"ドロッパー|フレームワーク|マクロ)|その主要な機能|マルウェア(?:は|の)"
    r"|(?i:\b(?:the|this) (?:malware|backdoor|trojan|loader|implant|ransomware|rat|script|dropper)\b|^it\b|^its\b)"
)
_REFERS_HINT = ("the ", "this ", "it ", "its ")


def _reference(text: str) -> re.Match[str] | None:
    """Return where the sentence speaks of a thing named before it."""
    lowered = text.lower()
    may = not text.isascii() or any(hint in lowered for hint in _REFERS_HINT)
    return _REFERS.search(text) if may else None


class _Spoken:
    """What `the malware` and `the group` stand for: the last one named in the section, else the article's main one."""

    def __init__(self, context: ReadingContext, claims: Sequence[Claim]) -> None:
        self._last: dict[tuple[str, int | None], Claim] = {}
        counts: dict[tuple[str, int | None], dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self._by_id = {claim.id: claim for claim in claims}
        for claim in claims:
            if claim.type in {"malware", "actor"}:
                for span in _spans(claim):
                    counts[claim.type, context.article_at(span[0])][claim.id] += 1
        self._main = {key: max(sorted(found), key=lambda i: found[i]) for key, found in counts.items()}

    def note(self, claim: Claim, section: int | None) -> None:
        self._last[claim.type, section] = claim

    def meant(self, kind: str, section: int | None, article: int | None) -> Claim | None:
        last = self._last.get((kind, section))
        if last is not None or article is None:
            return last  # outside any article no thing is the main one
        return self._by_id.get(self._main.get((kind, article), ""))


def _carried(context: ReadingContext, sentence: Sentence, here: Sequence[Claim], spoken: _Spoken) -> Iterator[Relation]:
    """`the malware` speaks of the malware named before it."""
    named = [c for c in here if c.type in {"malware", "actor"}]
    for claim in named:
        spoken.note(claim, sentence.section)
    article = context.article_at(sentence.span[0])
    if len(named) == 1 and named[0].type == "actor" and _USE.search(sentence.text):
        malware = spoken.meant("malware", sentence.section, article)
        if malware:
            yield Relation(named[0].id, "uses", malware.id, sentence.span, 40)
    told = [c for c in here if c.type == "behaviour" or (c.type == "filename" and c.role == "malicious")]
    if not told or any(c.type == "malware" for c in named) or not (found := _reference(sentence.text)):
        return
    last = spoken.meant("actor" if found["actor"] else "malware", sentence.section, article)
    if last is None:
        return
    for claim in told:
        does = claim.type == "behaviour"
        yield Relation(last.id, "does" if does else "uses", claim.id, sentence.span, 40 if does else 35)


def _bound(claims: Sequence[Claim]) -> Iterator[Relation]:
    """Relations that extractors left in attributes: copies, versions of products, what a step is about."""
    files = {c.value: c for c in claims if c.type == "filename"}
    artefacts = {c.value: c for c in claims if c.type in {"filename", "service", "task", "account", "mutex", "pipe"}}
    products: dict[str, Claim] = {}
    threats: dict[str, Claim] = {}
    for claim in claims:
        if claim.type == "product":
            products.setdefault(claim.canonical or claim.value, claim)
        elif claim.type in {"malware", "actor", "tool"}:
            threats.setdefault(claim.canonical or claim.value, claim)
    for claim in claims:
        if claim.type not in _BINDING:
            continue
        original = files.get(str(claim.attributes.get("copy_of", "")))
        if original is not None and claim.type == "filename":
            yield Relation(claim.id, "copy-of", original.id, claim.span, 85)
        product = products.get(str(claim.attributes.get("product", "")))
        if product is not None and claim.type == "fixed-version":
            yield Relation(product.id, "fixed-by", claim.id, claim.span, claim.confidence)
        elif product is not None and claim.type == "affected-version":
            yield Relation(product.id, "affected-in", claim.id, claim.span, claim.confidence)
        if claim.type == "mitigation":
            yield from _mitigates(claim, products, threats | artefacts)


_BINDING = frozenset({"filename", "fixed-version", "affected-version", "mitigation"})


def _mitigates(claim: Claim, products: Mapping[str, Claim], threats: Mapping[str, Claim]) -> Iterator[Relation]:
    for name in claim.attributes.get("products", ()):
        if name in products:
            yield Relation(claim.id, "protects", products[name].id, claim.span, 65)
    said = (claim.attributes.get(key, ()) for key in ("threats", "artefacts", "accounts"))
    for name in dict.fromkeys((*itertools.chain.from_iterable(said), *_WORDS.findall(claim.value))):
        if name in threats:
            yield Relation(claim.id, "mitigates", threats[name].id, claim.span, 65)


_WORDS = re.compile(r"[A-Za-z0-9_$][A-Za-z0-9_.$\\-]{1,80}[A-Za-z0-9_$]")


def _aliases(claims: Sequence[Claim]) -> Iterator[Relation]:
    """Two names in one report with one canonical name."""
    first: dict[tuple[str, str], Claim] = {}
    for claim in claims:
        if claim.type in {"actor", "malware", "tool"} and claim.canonical:
            known = first.setdefault((claim.type, claim.canonical), claim)
            if known is not claim:
                yield Relation(claim.id, "alias-of", known.id, claim.span, 90)


RELATOR = SentenceRelator()

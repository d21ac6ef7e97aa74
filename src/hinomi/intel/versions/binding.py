"""Which product a version belongs to: the one it is said of, the noun it stands behind, the nearest before it."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from hinomi.intel.versions.mentions import Mention
from hinomi.intel.versions.nouns import noun_at, noun_before
from hinomi.intel.vocabulary.products import ProductHit, product_name

_OF = re.compile(r" ?(?:\(|\[| (?:of|for|in) (?:the )?)")
_JOINED = re.compile(
    r" ?(?:の|を|は|が|:)? ?(?:\(?(?:[Vv]ersions?|[Vv]er\.?|バージョン|リリース|firmware|ファームウェア) ?)?"
    r"[\"'「『(]?[vV]?"
)
_APART = re.compile(r"[,;、。/:|]|\b[a-z]{2,}\b|[ぁ-ん]")
_RESPECTIVELY = re.compile(r"\brespectively\b|それぞれ|順に")

_HEADING = re.compile(
    r"\s{0,8}(?:[■●◆【\[#*]{1,4} ?)?(?P<name>[A-Z][a-z]{1,20}[A-Z][\w+-]{0,20}(?: [A-Z0-9][\w+-]{0,20}){0,2})"
    r"[】\]*]{0,3} ?:?\s{0,3}"
)
"""A line that is nothing but a name of two humps: a product no vocabulary has."""

_TOPIC = re.compile(r"[^A-Za-z0-9\n]{0,6}(?P<name>[A-Z][A-Za-z0-9+_ -]{1,40})(?:は|を|では|には)")

_OWNED = re.compile(
    r"(?i:versions?|releases?|builds?) (?:of|for) (?:the )?(?P<en>[A-Z][A-Za-z0-9+_ -]{1,40}?) ?:"
    r"|(?:バージョン|リリース|版) ?\((?P<ja>[A-Z][A-Za-z0-9+_ -]{1,40})\) ?:"
    r"|(?P<no>[A-Z][A-Za-z0-9+_ -]{1,40})の[^:、。\n]{0,12}(?:バージョン|リリース|版) ?:"
)
"""`Fixed versions of Frobnicate: 3.4 series 3.4.12`: the name that the versions after the colon are of."""


class Binder:
    """The products of one text, and what the lines read so far were about."""

    def __init__(self, products: Sequence[ProductHit], main: str | None, quoted: Sequence[str] = ()) -> None:
        self._products, self._main = products, main
        self._quoted = quoted
        self._starts = [hit.start for hit in products]
        self._last: str | None = None
        self._nouns: list[str] = []
        self.bound: set[int] = set()

    def heading(self, line: str, begin: int) -> None:
        """Take note of a line without versions: a short one that names a product heads the lines below."""
        if not 2 < len(line) <= 60:
            return
        if noun := _owner(line):
            known = self._within(begin + noun[0], begin + noun[1])
            self._last = self._products[known[0]].canonical if known else line[noun[0] : noun[1]]
            return
        hits = self._within(begin, begin + len(line))
        if hits and not _APART.search(line[: self._products[hits[-1]].start - begin]):
            self._last = self._products[hits[-1]].canonical
        elif not hits and (found := _HEADING.fullmatch(line)):
            self._last = found["name"]

    def bind(self, line: str, begin: int, mentions: Sequence[Mention]) -> None:
        """Give every mention of a line that has a condition its product."""
        judged = [mention for mention in mentions if mention.condition is not None]
        if self._bind_in_order(line, begin, judged):
            return
        if not judged and (named := self._within(begin, begin + len(line))):
            self._last = self._products[named[0]].canonical  # the next sentence goes on about it
        for mention in judged:
            self._bind(line, begin, mention, mentions)
            owner = mention.product or self._last or self._main
            self._last = mention.product = product_name(owner) if owner else None

    def _bind_in_order(self, line: str, begin: int, judged: Sequence[Mention]) -> bool:
        """`A and B were fixed in 1.2 and 3.4, respectively`: the first version is the first product's."""
        if len(judged) < 2 or not _RESPECTIVELY.search(line):
            return False
        hits = self._within(begin, begin + judged[0].start)
        if len(hits) != len(judged):
            return False
        for number, mention in zip(hits, judged, strict=True):
            mention.product = self._take(number)
        self._last = judged[-1].product
        return True

    def _bind(self, line: str, begin: int, mention: Mention, mentions: Sequence[Mention]) -> None:
        after = bisect_left(self._starts, begin + mention.end)
        of = _OF.match(line, mention.last)
        follows = bisect_left(self._starts, begin + of.end()) if of else 0
        if of and self._starts[follows : follows + 1] == [begin + of.end()]:
            mention.product = self._take(follows)
            return
        if of and mention.series and (owner := noun_at(line, of.end())):
            mention.product, mention.noun = line[owner[0] : owner[1]], owner
            return
        known = self._nearest_before(begin, mention, mentions)
        before = _without_branches(line[: mention.start], mentions)
        owner = _owner(before)
        noun = noun_before(before) or owner or topic_of(before)
        owned = owner is not None and noun == owner and (known is None or self._products[known].end - begin <= owner[0])
        if known is not None and not owned and not (noun and self._stands_closer(line, begin, known, noun, mention)):
            mention.product = self._take(known)
        elif noun:
            mention.product, mention.noun = self._in_full(line, noun)
        elif after < len(self._products) and self._products[after].start < begin + len(line):
            mention.product = self._take(after)

    def _in_full(self, line: str, noun: tuple[int, int]) -> tuple[str, tuple[int, int]]:
        """A noun as the text first gave it, and where it stands.

        After `Northgate TransferHub`, `TransferHub` is the same product; after 「らくらく転送Pro」, Pro is its end.
        """
        name, before = line[noun[0] : noun[1]], line[: noun[1]]
        for quoted in self._quoted:
            if quoted.endswith(name) and before.endswith(quoted):
                return quoted, (noun[1] - len(quoted), noun[1])
        full = next((known for known in self._nouns if known.endswith(" " + name)), name)
        if full not in self._nouns and len(self._nouns) < _KEPT_NOUNS:
            self._nouns.append(full)
        return full, noun

    def _nearest_before(self, begin: int, mention: Mention, mentions: Sequence[Mention]) -> int | None:
        """The known product nearest before the mention in its line that is no branch's platform."""
        low = bisect_left(self._starts, begin)
        for here in range(bisect_right(self._starts, begin + mention.start) - 1, max(low, 0) - 1, -1):
            place = self._products[here].start - begin
            if not any(m.branch and m.branch.start <= place < m.branch.words_end for m in mentions):
                return here
        return None

    def _stands_closer(self, line: str, begin: int, known: int, noun: tuple[int, int], mention: Mention) -> bool:
        """Whether a noun no vocabulary has stands at the version, apart from the known product before it."""
        end = self._products[known].end - begin
        if noun[0] <= end or (mention.branch and mention.branch.start <= noun[0] < mention.branch.words_end):
            return False
        return _JOINED.fullmatch(line, noun[1], mention.start) is not None and bool(_APART.search(line, end, noun[0]))

    def _within(self, low: int, high: int) -> range:
        return range(bisect_left(self._starts, low), bisect_left(self._starts, high))

    def _take(self, number: int) -> str:
        self.bound.add(number)
        return self._products[number].canonical


_KEPT_NOUNS = 200


def topic_of(before: str) -> tuple[int, int] | None:
    """The noun a Japanese sentence opens with and speaks of: `KitaServerは、...`."""
    found = _TOPIC.match(before)
    return noun_before(before[: found.end("name")]) if found else None


def _owner(before: str) -> tuple[int, int] | None:
    """The noun that a line's versions are said to be of, before a colon."""
    found = _OWNED.search(before) if ":" in before else None
    return noun_before(before[: found.end(found.lastgroup or "en")]) if found else None


def _without_branches(before: str, mentions: Sequence[Mention]) -> str:
    """The words before a version with the branches' own names blanked: `on Python 3.8` names no product."""
    for branch in (mention.branch for mention in mentions):
        if branch and branch.start < len(before):
            end = min(branch.words_end, len(before))
            before = before[: branch.start] + " " * (end - branch.start) + before[end:]
    return before

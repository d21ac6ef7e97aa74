"""The words of a text, made once: in order, and where each distinct one stands.

Every vocabulary begins with a word. It asks which of its first words a text has, which is an intersection of two
sets, and looks only at the places where those stand; what a text has no word of costs nothing. Words are split in C
where that is built (`intel/native/words.c`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from hinomi.intel.native import compiled

# A run of letters and digits of one script. Japanese glues words of other scripts on without a space.
_WORD = re.compile(r"[0-9a-z\u00df-\u024f]+|[\u30a1-\u30fa\u30fc]+|[\u4e00-\u9fff\u3005]+|[\u3041-\u3096]+")
_SPLIT = re.compile(r"([0-9a-z]+)")
_SPLIT_ANY = re.compile(f"({_WORD.pattern})")
_GLUED = re.compile(r"apt(?<=[0-9a-z]{4}apt)(?![0-9a-z])")

# Class words that Japanese glues to a katakana name.
_KATAKANA_TAILS = (
    "グループ", "マルウェア", "マルウエア", "ランサムウェア", "ランサムウエア", "バックドア", "ボットネット",
    "ローダー",
    "ローダ", "トロイ", "ウイルス", "ギャング", "チーム", "キャンペーン", "スティーラー", "ウェア", "ツール",
)  # fmt: skip

Word = tuple[int, int, str]
"""Start, end and case-folded text of a word."""


def same_length_lower(text: str) -> str:
    """Return `text` in lower case; characters without a single lower-case twin stay as they are."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(low if len(low := c.lower()) == 1 else c for c in text)


class TextWords:
    """The words of one text in order, and where each distinct one stands in it."""

    __slots__ = ("all", "lowered", "places")
    places: dict[str, list[int]]
    """By distinct word, the numbers of its places in `all`, ascending."""

    def __init__(self, lowered: str) -> None:
        self.lowered = lowered
        self.all = split_words(lowered)
        native = compiled("words")
        self.places = native.places(self.all) if native else _places(self.all)

    def numbers(self, words: Iterable[str]) -> list[int]:
        """Return the numbers in `all` where any of the distinct `words` stands, ascending."""
        found: list[int] = []
        for word in words:
            found += self.places[word]
        found.sort()
        return found


def split_words(lowered: str) -> list[Word]:
    """Return the words of a lower-case text; a glued class word or `apt` becomes a word of its own."""
    native = compiled("words")
    words: list[Word] = native.split(lowered) if native else _split(lowered)
    return list(_apart(words)) if not lowered.isascii() or _GLUED.search(lowered) else words


def _split(lowered: str) -> list[Word]:
    split = _SPLIT if lowered.isascii() else _SPLIT_ANY
    # Split once and add lengths up: cheaper than to ask every match for its place.
    parts = split.split(lowered)  # what stands between words, a word, what stands between words, ...
    ends = list(accumulate(map(len, parts)))
    return list(zip(ends[0::2], ends[1::2], parts[1::2], strict=False))


def _places(words: Sequence[Word]) -> dict[str, list[int]]:
    places: defaultdict[str, list[int]] = defaultdict(list)
    for number, (_, _, word) in enumerate(words):
        places[word].append(number)
    return dict(places)


def _apart(words: Iterable[Word]) -> Iterator[Word]:
    for start, end, word in words:
        if (word[0] >= "\u30a1" or word.endswith("apt")) and (cut := _cut(word)):
            yield start, start + cut, word[:cut]
            start, word = start + cut, word[cut:]
        yield start, end, word


def _cut(word: str) -> int:
    if word[0] >= "\u30a1":
        for tail in _KATAKANA_TAILS:
            if word.endswith(tail) and len(word) > len(tail) + 1:
                return len(word) - len(tail)
    elif len(word) > 6:
        return len(word) - 3
    return 0

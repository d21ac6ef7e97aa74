"""Which language a report is in, where its sentences end, and whether its lines are hard-wrapped."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator

from hinomi.model.claims import Span
from hinomi.model.text import Language

_SAMPLE = 200_000
_KANA = re.compile("[\u3041-\u30ff]")
_JAPANESE = re.compile("[\u3041-\u30ff\u4e00-\u9fff]")
_LATIN_WORD = re.compile(r"(?<![\w./\\:-])[A-Za-z]{2,20}(?![\w/\\:-])")

_CLOSERS = "」』）)]】》\"'”’"
# one class of characters to skip to; what a mark must have after it is asked where one stands
_END = re.compile(rf"[。！？!?.](?:(?<=[。！？])|(?=[\s{re.escape(_CLOSERS)}]|\Z))")
_ABBREVIATIONS = frozenset(
    {
        "e.g", "i.e", "etc", "vs", "cf", "al", "fig", "figs", "no", "nos", "vol", "sec", "ver", "v", "inc", "ltd", "co",
        "corp", "dr", "mr", "mrs", "ms", "st", "approx", "est", "dept", "gen", "gov", "jan", "feb", "mar", "apr", "jun",
        "jul", "aug", "sep", "sept", "oct", "nov", "dec", "u.s", "u.k", "p", "pp",
    }
)  # fmt: skip
_LAST_WORD = re.compile(r"[\w.]{1,12}$")


def detect_language(text: str) -> Language:
    """Return `ja` when Japanese characters outweigh Latin words, else `en`. Hashes and hosts do not count."""
    sample = text[:_SAMPLE]
    if sample.isascii():
        return "en"
    if not _KANA.search(sample):
        han = len(_JAPANESE.findall(sample))
        return "ja" if han >= 2 and han > 2 * len(_LATIN_WORD.findall(sample)) else "en"
    return "ja" if len(_JAPANESE.findall(sample)) >= len(_LATIN_WORD.findall(sample)) else "en"


def hard_wrapped(lines: list[str]) -> bool:
    """Tell whether the lines were cut at a fixed width: most lines are about as long as the longest ones."""
    full = [line for line in lines[:4000] if line and not line.isspace()]
    widths = sorted([len(line) if line.isascii() else text_width(line) for line in full])
    if len(widths) < 8:
        return False
    widest = widths[int(len(widths) * 0.95)]
    if not 30 <= widest <= 140:
        return False
    return len(widths) - bisect_left(widths, widest * 0.8) >= len(widths) * 0.5


def text_width(line: str) -> int:
    """Return how many columns a line takes: two a Japanese letter."""
    return len(line) if line.isascii() else len(line) + sum(1 for c in line if c >= "\u2e80")


def sentence_spans(text: str, start: int, end: int) -> Iterator[Span]:
    """Yield the spans of the sentences in one paragraph `text[start:end]`, without surrounding blanks."""
    begin = start
    position = start
    while (match := _END.search(text, position, end)) is not None:
        position = match.end()
        if not _is_end(text, match.start(), start, end):
            continue
        while position < end and (text[position] in _CLOSERS or text[position] in "。！？!?"):
            position += 1
        if span := _stripped(text, begin, position):
            yield span
        begin = position
    if span := _stripped(text, begin, end):
        yield span


def _stripped(text: str, start: int, end: int) -> Span | None:
    piece = text[start:end]
    bare = piece.strip()
    if len(bare) == len(piece):
        return (start, end) if bare else None
    start += len(piece) - len(piece.lstrip())
    return (start, start + len(bare)) if bare else None


def _is_end(text: str, mark: int, start: int, end: int) -> bool:
    if text[mark] in "。！？":
        return True
    following = text[mark + 1 : mark + 4]
    if following and not following[0].isspace() and following[0] not in _CLOSERS:
        return False
    if text[mark] != ".":
        return True
    closed = text[mark + 1 : mark + 8].lstrip(_CLOSERS)
    if closed and closed[0].isascii() and closed[0].isalnum():
        return False  # within a value: 192.0.2[.]7, example(.)com
    after = closed.lstrip(_CLOSERS + " \n\t")
    if after and after[0].islower():
        return False
    word = _LAST_WORD.search(text, max(start, mark - 12), mark)
    return not (word and _is_abbreviation(word.group()))


def _is_abbreviation(word: str) -> bool:
    return word.lower() in _ABBREVIATIONS or (len(word) == 1 and word.isalpha() and word != "I")

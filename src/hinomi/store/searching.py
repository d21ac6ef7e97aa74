"""Full text in one normal form: what search compares, and the way back to the offsets of the text itself.

The same on SQLite and PostgreSQL: the folded text is a column, and a word is looked up in it as it stands, so that any
part of a Japanese sentence is found without cutting it into words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from hinomi.model.claims import Span

MAX_WORDS = 16
MAX_WORD = 200
MAX_SPANS = 20
"""Places shown per report and word."""
_AROUND = 40

# What no normal form changes but by case, letter for letter; a mark behind a letter joins it (か + ゛ is が).
_MARKS = r"\u0300-\u036f\u3099\u309a\uff9e\uff9f"
_PLAIN = r"\x00-\x7f\u3001-\u3029\u3041-\u3096\u30a1-\u30fe\u4e00-\u9fff"
_PIECES = re.compile(rf"(?P<plain>(?:[{_PLAIN}](?![{_MARKS}]))+)|(?:.[{_MARKS}]*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Snippet:
    """A place in the text and the words around it; `span` is None where only the title holds the word."""

    span: Span | None
    text: str


def folded(text: str) -> str:
    """Return `text` in the form that is searched: NFKC and case-folded, piece by piece."""
    return "".join(piece for piece, _, _ in _pieces(text))


def words_of(query: str) -> tuple[str, ...]:
    """Return the folded words of a query, all of which a report must hold."""
    words = (word[:MAX_WORD] for word in folded(query).split())
    return tuple(dict.fromkeys(words))[:MAX_WORDS]


def snippets(text: str, words: tuple[str, ...]) -> list[Snippet]:
    """Return the first places of each word in `text`, in order, with what stands around them."""
    pieces = list(_pieces(text))
    whole = "".join(piece for piece, _, _ in pieces)
    wanted = sorted({place for word in words for place in _places(whole, word)})
    spans = sorted(set(_originals(pieces, wanted)))
    return [Snippet(span, _around(text, span)) for span in spans]


def _pieces(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield (folded piece, start, end); a plain piece has as many letters as the text it came from."""
    for match in _PIECES.finditer(text):
        if match["plain"] is not None:
            yield match["plain"].lower(), match.start(), match.end()
        else:
            piece = unicodedata.normalize("NFKC", match.group()).casefold()
            yield unicodedata.normalize("NFKC", piece), match.start(), match.end()


def _places(whole: str, word: str) -> Iterator[tuple[int, int]]:
    place = whole.find(word)
    for _ in range(MAX_SPANS):
        if place < 0:
            return
        yield place, place + len(word)
        place = whole.find(word, place + len(word))


def _originals(pieces: list[tuple[str, int, int]], wanted: list[tuple[int, int]]) -> Iterator[Span]:
    """Walk pieces and wanted places together; both are in order of their starts."""
    edges = sorted({edge for place in wanted for edge in place})
    starts: dict[int, int] = {}
    ends: dict[int, int] = {}
    number = offset = 0
    for piece, start, end in pieces:
        plain = len(piece) == end - start
        while number < len(edges) and edges[number] <= offset + len(piece):
            inside = edges[number] - offset
            ends.setdefault(edges[number], start + inside if plain else (end if inside else start))
            if inside < len(piece):
                starts[edges[number]] = start + inside if plain else start
                number += 1
            else:
                break  # the same edge may begin the next piece
        offset += len(piece)
    for low, high in wanted:
        if low in starts and high in ends:
            yield starts[low], ends[high]


def _around(text: str, span: Span) -> str:
    start, end = max(0, span[0] - _AROUND), min(len(text), span[1] + _AROUND)
    shown = " ".join(text[start:end].split())
    return f"{'…' if start else ''}{shown}{'…' if end < len(text) else ''}"

"""What every extractor sees and gives: a reading context in, candidates out.

One extractor is one module of `hinomi.intel.extractors` with a module-level `EXTRACTOR`; one relator is one module
of `hinomi.intel.relators` with a module-level `RELATOR`. Both are found by listing the package, so that a new one
needs no edit elsewhere.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, runtime_checkable

from hinomi.intel.folding import Folded, fold
from hinomi.model.claims import Claim, ClaimRole, ClaimType, Relation, Section, Span
from hinomi.model.text import Language


class Sentence(NamedTuple):
    """One sentence (or list item, heading, table row) and the number of the section it stands in."""

    text: str
    span: Span
    section: int | None = None


@dataclass(frozen=True)
class ReadingContext:
    """The extracted text of one report and its parts. Every span is a pair of offsets into `text`.

    `sections` nest: an article's section spans its sub-sections, and `section_at` gives the innermost.
    """

    text: str
    language: Language
    title: str | None = None
    sections: tuple[Section, ...] = ()
    sentences: tuple[Sentence, ...] = ()
    source: str = ""
    published: str | None = None

    @cached_property
    def folded(self) -> Folded:
        """The text with full-width forms, odd hyphens, yen signs and zero-width characters made plain."""
        return fold(self.text)

    @cached_property
    def _sentence_starts(self) -> list[int]:
        return [s.span[0] for s in self.sentences]

    def sentence_at(self, offset: int) -> Sentence | None:
        """Return the sentence that covers `offset`, or None between sentences."""
        number = bisect_right(self._sentence_starts, offset) - 1
        if number < 0 or offset >= self.sentences[number].span[1]:
            return None
        return self.sentences[number]

    def sentence_after(self, offset: int) -> Sentence | None:
        """Return the sentence that covers `offset`, or the next one, or None behind the last."""
        number = max(0, bisect_right(self._sentence_starts, offset) - 1)
        while number < len(self.sentences) and self.sentences[number].span[1] <= offset:
            number += 1
        return self.sentences[number] if number < len(self.sentences) else None

    def sentences_in(self, section: int) -> Sequence[Sentence]:
        """Return the sentences whose innermost section is `section`."""
        return [s for s in self.sentences if s.section == section]

    @cached_property
    def _section_edges(self) -> tuple[list[int], list[int | None]]:
        return _innermost_edges(self.sections)

    def section_at(self, offset: int) -> int | None:
        """Return the number of the innermost section that covers `offset`."""
        edges, owners = self._section_edges
        number = bisect_right(edges, offset) - 1
        return owners[number] if number >= 0 else None

    @cached_property
    def _article_edges(self) -> tuple[list[int], list[int | None]]:
        articles = [number for number, section in enumerate(self.sections) if section.role == "article"]
        edges, owners = _innermost_edges([self.sections[number] for number in articles])
        return edges, [None if owner is None else articles[owner] for owner in owners]

    def article_at(self, offset: int) -> int | None:
        """Return the number of the innermost section of role `article` that covers `offset`."""
        edges, owners = self._article_edges
        number = bisect_right(edges, offset) - 1
        return owners[number] if number >= 0 else None


def _innermost_edges(sections: Sequence[Section]) -> tuple[list[int], list[int | None]]:
    """Cut the text at every section's start and end and name the innermost section of each piece."""
    order = sorted(range(len(sections)), key=lambda n: (sections[n].span[0], -sections[n].span[1]))
    edges: list[int] = []
    owners: list[int | None] = []
    open_: list[int] = []

    def close_until(offset: int) -> None:
        while open_ and sections[open_[-1]].span[1] <= offset:
            end = sections[open_.pop()].span[1]
            edges.append(end)
            owners.append(open_[-1] if open_ else None)

    for number in order:
        close_until(sections[number].span[0])
        open_.append(number)
        edges.append(sections[number].span[0])
        owners.append(number)
    close_until(max((s.span[1] for s in sections), default=0))
    return edges, owners


class Candidate(NamedTuple):
    """One thing an extractor found. `read.py` merges equal (type, value) pairs, adds id, text, section and status.

    Further occurrences are kept in the claim's `attributes["spans"]`, unless `attributes` binds them apart:
    pairs whose `distinct` differ stay separate claims (a version of one product and of another). A tuple, because a
    long list makes as many of these as it has lines, and nothing immutable is made faster.
    """

    type: ClaimType
    value: str
    span: Span
    role: ClaimRole = "mentioned"
    confidence: int = 50
    why: str = ""
    canonical: str | None = None
    attributes: Mapping[str, Any] = MappingProxyType({})
    distinct: str = ""


@runtime_checkable
class Extractor(Protocol):
    """Finds candidates of one kind. Must be linear in the text, must not raise, must not keep state."""

    name: str

    def extract(self, context: ReadingContext) -> Iterable[Candidate]:
        """Yield candidates in any order."""
        ...


@runtime_checkable
class Relator(Protocol):
    """Joins claims by what one sentence says of them. Runs after all extractors."""

    name: str

    def relate(self, context: ReadingContext, claims: Sequence[Claim]) -> Iterable[Relation]:
        """Yield relations between `claims` (by their ids)."""
        ...

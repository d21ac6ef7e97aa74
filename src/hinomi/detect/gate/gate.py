"""The gate before the YARA engine: most files hold nothing that any rule needs, and are told apart at memory speed.

The literals are searched for by the compiled core; without it only the tests of size and beginning are used. Either way
the engine is left unasked only where no rule can match.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Any, Final

from hinomi.detect.gate.literals import Literals
from hinomi.detect.gate.needs import NOTHING, Above, Alternative, Begins, Below, Need, needs_of
from hinomi.detect.gate.source import read_source
from hinomi.evidence.collector import HEAD_SIZE
from hinomi.evidence.native import compiled

MAX_SEARCHERS = 32
SEAM = 32  # bytes: no literal is longer
UNKNOWN_SIZE: Final = -1


def need_of(body: str, false_words: frozenset[str] = frozenset()) -> Need:
    """Return what the only rule of `body` needs; nothing in particular where that cannot be told."""
    source = read_source(body)
    return needs_of(source, false_words) if source is not None else NOTHING


class Gate:
    """Tells whether any of several rules could match; `open_to` without reading, `may_match` with the bytes."""

    def __init__(self, needs: Iterable[Need]) -> None:
        self._alternatives = _joined(alternative for need in needs for alternative in need)
        tests = {test for alternative in self._alternatives for test in alternative.tests}
        self._marks = _marks(sorted(test for test in tests if isinstance(test, Begins)))
        self._limits = sorted(test.size for test in tests if isinstance(test, Below))
        self._floors = sorted(test.size + 1 for test in tests if isinstance(test, Above))
        self._ready: dict[tuple[object, ...], Searcher | None] = {}

    def open_to(self, head: bytes, size: int = UNKNOWN_SIZE) -> Searcher | None:
        """Return what is to be searched for in a file of this beginning and size; None where no rule can match."""
        begun = tuple([known.get(head[start:end]) for start, end, known in self._marks])
        if size < 0:
            key: tuple[object, ...] = begun
        else:  # between which of the sizes that rules speak of
            key = (begun, bisect_right(self._limits, size), bisect_right(self._floors, size))
        if key not in self._ready:
            if len(self._ready) >= MAX_SEARCHERS:
                self._ready.clear()
            self._ready[key] = self._searcher(set(begun), size)
        return self._ready[key]

    def _searcher(self, begins: set[Begins | None], size: int) -> Searcher | None:
        due = [a for a in self._alternatives if all(_holds(test, begins, size) for test in a.tests)]
        return Searcher(due) if due else None

    def may_match(self, *parts: bytes | memoryview) -> bool:
        """Whether a rule could match these bytes, which the engine would be given as one piece."""
        first = parts[0]
        head = first if isinstance(first, bytes) and len(parts) == 1 else _beginning(parts)
        searcher = self.open_to(head, len(first) if len(parts) == 1 else sum(map(len, parts)))
        return searcher is not None and searcher.finds(*parts)


class Searcher:
    """Looks for the literals of the alternatives that size and beginning leave open."""

    def __init__(self, alternatives: Iterable[Alternative]) -> None:
        literals: set[bytes] = set()
        certain = True
        for alternative in alternatives:
            certain = certain and alternative.literals is not None
            literals |= alternative.literals or set()
        self._native = compiled("literals") if certain else None
        self._words = self._native.prepared(tuple(sorted(literals))) if self._native is not None else None

    def finds(self, *parts: bytes | memoryview) -> bool:
        """Whether a literal occurs in these bytes, also across the seams between them, or none is asked for."""
        if self._native is None:
            return True
        before = b""
        for part in parts:
            if before and self._native.any_in(self._words, before + bytes(part[:SEAM])):
                return True
            if self._native.any_in(self._words, part):
                return True
            before = (before + bytes(part[-SEAM:]))[-SEAM:] if len(parts) > 1 else b""
        return False


def _joined(alternatives: Iterable[Alternative]) -> tuple[Alternative, ...]:
    """Join the literals of all rules with the same tests: the search is for all of them at once."""
    found: dict[frozenset[Any], Literals | None] = {}
    for tests, literals in alternatives:
        known = found.get(tests, frozenset())
        found[tests] = known | literals if known is not None and literals is not None else None
    return tuple(Alternative(tests, literals) for tests, literals in found.items())


def _marks(tests: Sequence[Begins]) -> tuple[tuple[int, int, dict[bytes, Begins]], ...]:
    """Return (start, end, tests by what stands there) for each place that is looked at."""
    found: dict[tuple[int, int], dict[bytes, Begins]] = {}
    for test in tests:
        found.setdefault((test.offset, test.offset + len(test.data)), {})[test.data] = test
    return tuple((start, end, known) for (start, end), known in found.items())


def _beginning(parts: Sequence[bytes | memoryview]) -> bytes:
    return b"".join(bytes(part[:HEAD_SIZE]) for part in parts)[:HEAD_SIZE]


def _holds(test: Begins | Below | Above, begins: set[Begins | None], size: int) -> bool:
    if isinstance(test, Begins):
        return test in begins
    if size < 0:
        return True
    return size < test.size if isinstance(test, Below) else size > test.size

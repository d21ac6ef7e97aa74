"""What a rule's condition cannot do without, read from its words: tests of size and beginning, bytes that must occur.

A need is a list of alternatives, of which at least one holds wherever the condition does. Whatever is not understood
needs nothing, so a need can only be too weak: the engine is asked in vain, never left unasked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from hinomi.detect.gate.literals import Literals, literals_of
from hinomi.detect.gate.source import Source

MAX_ALTERNATIVES = 64
MAX_DEPTH = 40
HEAD = 4096 - 4  # tests of the beginning further in are not used

Words = Sequence[str]


class Begins(NamedTuple):
    """These bytes stand at this offset."""

    offset: int
    data: bytes


class Below(NamedTuple):
    """The file is smaller than so many bytes."""

    size: int


class Above(NamedTuple):
    """The file is larger than so many bytes."""

    size: int


Test = Begins | Below | Above


class Alternative(NamedTuple):
    """All tests hold, and one of the literals occurs; None: no literal is asked for."""

    tests: frozenset[Test]
    literals: Literals | None


Need = tuple[Alternative, ...]
NOTHING: Need = (Alternative(frozenset(), None),)
NEVER: Need = ()

_NUMBER = re.compile(r"(0x[0-9A-Fa-f]+)|(0o[0-7]+)|([0-9]+)(KB|MB)?")
_INTEGER = re.compile(r"uint(8|16|32)(be)?")
_UNITS = {"KB": 1 << 10, "MB": 1 << 20}
_TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "=="}


def needs_of(source: Source, false_words: frozenset[str] = frozenset()) -> Need:
    """Return what the rule needs; `false_words` are variables that are false for what is looked at."""
    if "with" in source.condition:  # names of its own
        return NOTHING
    return _Reader(source, false_words | {"false"}).need(source.condition, 0)


class _Reader:
    """Reads the condition of one rule."""

    def __init__(self, source: Source, false_words: frozenset[str]) -> None:
        self._false = false_words
        self._literals = {name: literals_of(pattern) for name, pattern in source.patterns.items()}

    def need(self, words: Words, depth: int) -> Need:
        """`or` binds weaker than `and`, everything else stronger than both."""
        if depth > MAX_DEPTH:
            return NOTHING
        alternatives: list[Alternative] = []
        for part in _split(words, "or"):
            alternatives += self._all(_split(part, "and"), depth)
        return _merged(alternatives)

    def _all(self, parts: Iterable[Words], depth: int) -> Need:
        need = NOTHING
        for part in parts:
            need = _both(need, self._term(part, depth))
        return need

    def _term(self, words: Words, depth: int) -> Need:
        if not words:
            return NOTHING
        if words[0] == "(" and _closing(words) == len(words) - 1:
            return self.need(words[1:-1], depth + 1)
        if len(words) == 1 and words[0] in self._false:
            return NEVER
        if words[0] in self._literals and (len(words) == 1 or words[1] in ("at", "in")):
            return _occurs(self._literals[words[0]])
        if len(words) > 2 and words[1] == "of":
            return self._some(words)
        return self._comparison(words)

    def _some(self, words: Words) -> Need:
        """`2 of them`, `any of ($a, $b*)`: without any one less than the number, one of the rest still occurs."""
        names = self._set(words[2:])
        number = {"any": 1, "all": len(names)}.get(words[0]) or _number(words[0])
        if not names or not number or number > len(names):
            return NOTHING
        ranked = sorted((self._literals[name] for name in names), key=_cost)
        rest = ranked[: len(names) - number + 1]
        known = [literals for literals in rest if literals is not None]
        return _occurs(frozenset().union(*known) if len(known) == len(rest) else None)

    def _set(self, words: Words) -> list[str]:
        """Return the names of a set of patterns; none where it is something else."""
        if tuple(words) == ("them",):
            return list(self._literals)
        if len(words) < 3 or words[0] != "(" or words[-1] != ")":
            return []
        listed, commas = words[1:-1:2], words[2:-1:2]
        if any(comma != "," for comma in commas) or not all(name.startswith("$") for name in listed):
            return []
        found = [n for n in self._literals if any(n == w or (w[-1] == "*" and fnmatchcase(n, w)) for w in listed)]
        plain = [name for name in listed if not name.endswith("*")]
        return found if len(set(listed)) == len(listed) and set(plain) <= set(found) else []

    def _comparison(self, words: Words) -> Need:
        for sign in ("==", "<", "<=", ">", ">="):
            if sign in words:
                at = words.index(sign)
                left, right = words[:at], words[at + 1 :]
                if len(right) == 1 and (number := _number(right[0])) is not None:
                    return self._compared(left, sign, number)
                if len(left) == 1 and (number := _number(left[0])) is not None:
                    return self._compared(right, _TURNED[sign], number)
        return NOTHING

    def _compared(self, words: Words, sign: str, number: int) -> Need:
        if tuple(words) == ("filesize",):
            return _size(sign, number)
        if len(words) == 1 and words[0][0] == "#" and f"${words[0][1:]}" in self._literals:
            least = {">": number + 1, ">=": number, "==": number}.get(sign, 0)
            return _occurs(self._literals[f"${words[0][1:]}"]) if least > 0 else NOTHING
        if sign == "==" and len(words) == 4 and (words[1], words[3]) == ("(", ")"):
            return _begins(words[0], _number(words[2]), number)
        return NOTHING


def _occurs(literals: Literals | None) -> Need:
    return (Alternative(frozenset(), literals),)


def _size(sign: str, number: int) -> Need:
    below = {"<": number, "<=": number + 1, "==": number + 1}.get(sign)
    above = {">": number, ">=": number - 1, "==": number - 1}.get(sign)
    tests: set[Test] = {Below(below)} if below is not None else set()
    if above is not None and above >= 0:
        tests.add(Above(above))
    return (Alternative(frozenset(tests), None),)


def _begins(function: str, offset: int | None, number: int) -> Need:
    match = _INTEGER.fullmatch(function)
    if match is None or offset is None or offset > HEAD:
        return NOTHING
    width = int(match[1]) // 8
    if number >= 1 << width * 8:
        return NEVER
    data = number.to_bytes(width, "big" if match[2] else "little")
    return (Alternative(frozenset({Begins(offset, data)}), None),)


def _number(word: str) -> int | None:
    match = _NUMBER.fullmatch(word)
    if match is None:
        return None
    if match[3]:
        return int(match[3]) * _UNITS.get(match[4], 1)
    return int(word, 0)


def _split(words: Words, separator: str) -> list[Words]:
    """Return the words between the separators that stand in no brackets."""
    parts, depth, start = [], 0, 0
    for at, word in enumerate(words):
        depth += (word in ("(", "[")) - (word in (")", "]"))
        if word == separator and depth == 0:
            parts.append(words[start:at])
            start = at + 1
    return [*parts, words[start:]]


def _closing(words: Words) -> int:
    """Return where the bracket closes that the words begin with."""
    depth = 0
    for at, word in enumerate(words):
        depth += (word == "(") - (word == ")")
        if depth == 0:
            return at
    return -1


def _both(left: Need, right: Need) -> Need:
    """Return what is needed where both are; of the literals one clause is enough, the rarer one."""
    if len(left) * len(right) > MAX_ALTERNATIVES:
        return left if len(left) <= len(right) else right
    return _merged(
        [Alternative(a.tests | b.tests, min(a.literals, b.literals, key=_cost)) for a in left for b in right]
    )


def _merged(alternatives: Iterable[Alternative]) -> Need:
    """Join alternatives with the same tests."""
    found: dict[frozenset[Test], Literals | None] = {}
    for tests, literals in alternatives:
        if tests not in found:
            found[tests] = literals
        else:
            known = found[tests]
            found[tests] = known | literals if known is not None and literals is not None else None
    return tuple(Alternative(tests, literals) for tests, literals in found.items())


def _cost(literals: Literals | None) -> float:
    """How often the engine would be asked in vain: a rough measure of how common the literals are."""
    if literals is None:
        return float("inf")
    return sum(8.0 ** -len(literal.replace(b"\0", b"")) for literal in sorted(literals))

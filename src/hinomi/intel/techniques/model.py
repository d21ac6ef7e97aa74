"""The technique model: one linear scorer per technique over words, pieces of words and pairs, in one compact file.

A feature's weights for all techniques are packed into one integer, a field of 32 bits each, so that adding up a
sentence is adding some integers. A sentence of `MAX_SENTENCE` characters cannot add up to more than a field holds.
"""

from __future__ import annotations

import math
import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from heapq import nlargest
from importlib.resources import files
from typing import Any, NamedTuple

from hinomi.intel.techniques.features import STEM_HEAD, Features, features, pieces, stem
from hinomi.intel.techniques.modelfile import Table, read_model

_FILE = "techniques.model"
_BITS = 32
_HALF = 1 << (_BITS - 2)
_FULL = (1 << _BITS) - 1
ONE = 256
"""A feature that counts in full: weights are multiplied by whole numbers, this one standing for 1."""
PIECES = 1.2
"""What the pieces of a word count for together, a word counting for 1."""
_KEPT_WORDS = 20_000


class Ranked(NamedTuple):
    """A technique, its score (0 is the border of the sentence's class) and the words that speak for it most."""

    technique: str
    score: float
    evidence: tuple[str, ...]


class Vector(NamedTuple):
    """The packed weights of a word or a pair, and the square of its length."""

    packed: int
    square: float


def piece_share(count: int) -> int:
    """Return what one of `count` pieces of a word counts for, in parts of `ONE`."""
    return round(ONE * PIECES / math.sqrt(count))


@dataclass(frozen=True)
class TechniqueModel:
    """`labels[n]` has the bias `biases[n]` in a sentence, `priors[n]` in a report."""

    about: dict[str, Any]
    labels: tuple[str, ...]
    biases: tuple[float, ...]
    priors: tuple[float, ...]
    steps: tuple[float, float]
    """How much the best and the second-best sentence of a report move its log odds."""
    threshold: float
    """Log odds from which on a report is said to speak of a technique."""
    scale: float
    strong: frozenset[str]
    """Stems without one of which no sentence scores high often enough to be worth scoring."""
    strong_heads: frozenset[str]
    """How the strong stems begin."""
    numbers: dict[str, int]
    """The labels' numbers."""
    table: Table
    _words: dict[str, Vector] = field(default_factory=dict)
    _pairs: dict[int, Vector] = field(default_factory=dict)

    def rank(self, sentence: str, limit: int = 3) -> list[Ranked]:
        """Return the `limit` likeliest techniques of an English sentence, the likeliest first."""
        seen = features(sentence)
        return [
            Ranked(self.labels[n], round(score, 2), self.evidence(seen, n))
            for n, score in best_of(self.scores(seen), limit)
        ]

    def scores(self, seen: Features) -> list[float]:
        """Return the score of every label."""
        vectors = [self._word(word) for word in seen.words]
        vectors += [vector for pair in seen.pairs if (vector := self._pair(pair)) is not None]
        total = sum(vector.packed for vector in vectors)
        length = math.sqrt(sum(vector.square for vector in vectors)) or 1.0
        share = self.scale / (ONE * length)
        fields = _fields(total, len(self.labels))
        return [bias + share * (field - _HALF) for bias, field in zip(self.biases, fields, strict=True)]

    def report_odds(self, label: int, best: float, second: float) -> float:
        """Return the log odds that a report speaks of a technique, by the scores of its two best sentences."""
        return self.priors[label] + self.steps[0] * best + self.steps[1] * second

    def evidence(self, seen: Features, label: int) -> tuple[str, ...]:
        """Return up to four words or pairs of stems that speak for a label most."""
        vectors = [(word, self._word(word)) for word in seen.words]
        vectors += [(pair, vector) for pair in seen.pairs if (vector := self._pair(pair)) is not None]
        weights = {name: _field(vector.packed, label) for name, vector in vectors}
        most = nlargest(4, weights.items(), key=lambda item: item[1])
        return tuple(name for name, weight in most if weight > 0)

    def _word(self, word: str) -> Vector:
        if (kept := self._words.get(word)) is not None:
            return kept
        numbers, idf = self.table.numbers, self.table.idf
        whole = numbers.get(stem(word))
        parts = [number for number in map(numbers.get, pieces(word)) if number is not None]
        terms, square = ([], 0.0) if whole is None else ([(whole, ONE)], idf[whole] ** 2)
        if parts:
            share = piece_share(len(parts))
            terms += [(number, share) for number in parts]
            square += (share / ONE) ** 2 * sum([idf[number] ** 2 for number in parts])
        vector = Vector(self._sum(terms), square)
        if len(self._words) < _KEPT_WORDS:
            self._words[word] = vector
        return vector

    def _pair(self, pair: str) -> Vector | None:
        number = self.table.numbers.get(pair)
        if number is None:
            return None
        if (kept := self._pairs.get(number)) is None:
            kept = self._pairs[number] = Vector(self._sum([(number, ONE)]), self.table.idf[number] ** 2)
        return kept

    def _sum(self, terms: Sequence[tuple[int, int]]) -> int:
        """Return the packed sum of the weights of features, each given with what it counts for."""
        if not terms:
            return 0
        fields = array("I", (_HALF,)) * len(self.labels)
        for number, share in terms:
            for label, weight in self.table.row(number):
                fields[label] += share * weight
        return _pack(fields) - _all_halves(len(fields))


def best_of(scores: Sequence[float], limit: int) -> list[tuple[int, float]]:
    """Return the `limit` highest scores with their label's number; of equals the lower number first."""
    left = list(scores)
    best: list[tuple[int, float]] = []
    while len(best) < min(limit, len(left)):
        score = max(left)
        label = left.index(score)
        best.append((label, score))
        left[label] = -math.inf
    return best


def _pack(fields: array[int]) -> int:
    if sys.byteorder == "big":
        fields.byteswap()
    return int.from_bytes(fields.tobytes(), "little")


def _fields(packed: int, count: int) -> array[int]:
    """Return the fields of a packed integer, each `_HALF` more than it says."""
    values = array("I", (packed + _all_halves(count)).to_bytes(_BITS // 8 * count, "little"))
    if sys.byteorder == "big":
        values.byteswap()
    return values


def _field(packed: int, label: int) -> int:
    """Return one signed field of a packed integer."""
    shift = _BITS * label
    return ((packed + _all_halves(label + 1)) >> shift & _FULL) - _HALF


@cache
def _all_halves(count: int) -> int:
    return sum(_HALF << (_BITS * label) for label in range(count))


@cache
def technique_model() -> TechniqueModel:
    """Return the bundled model. Takes some 20 ms the first time."""
    return loads((files("hinomi.intel.techniques") / _FILE).read_bytes())


def loads(data: bytes) -> TechniqueModel:
    """Return the model in a file's bytes."""
    about, table = read_model(data)
    labels = tuple(about.pop("labels"))
    strong = frozenset(about.pop("strong"))
    return TechniqueModel(
        labels=labels,
        numbers={label: number for number, label in enumerate(labels)},
        biases=tuple(about.pop("biases")),
        priors=tuple(about.pop("priors")),
        steps=tuple(about.pop("steps")),
        threshold=about.pop("threshold"),
        scale=about.pop("scale"),
        strong=strong,
        strong_heads=frozenset(one[:STEM_HEAD] for one in strong),
        table=table,
        about=about,
    )

"""The technique model: one linear scorer per technique over tf-idf of stems, read from one compact file.

The file is a line of JSON (what `tools/train_techniques.py` says of itself, labels, biases, sizes), a line feed, and
raw little-endian arrays behind it, all compressed with zlib. Weights are bytes times `scale`.
"""

from __future__ import annotations

import json
import math
import sys
import zlib
from array import array
from collections import Counter
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from hinomi.intel.techniques.features import features

_FILE = "techniques.model"


class Ranked(NamedTuple):
    """A technique, its score (log odds; 0 is even) and the stems that speak for it most."""

    technique: str
    score: float
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class TechniqueModel:
    """Weights by feature: those of feature n stand at `offsets[n]:offsets[n + 1]` of `classes` and `weights`."""

    about: dict[str, Any]
    labels: tuple[str, ...]
    biases: tuple[float, ...]
    scale: float
    threshold: float
    numbers: dict[str, int]
    idf: array[float]
    offsets: array[int]
    classes: bytes
    weights: array[int]
    strong: frozenset[str]
    """Stems without one of which no sentence reaches the threshold often enough to be worth scoring."""

    def rank(self, sentence: str, limit: int = 3) -> list[Ranked]:
        """Return the `limit` likeliest techniques of an English sentence, the likeliest first."""
        values = self._values(sentence)
        scores = self._scores(values)
        best = sorted(range(len(scores)), key=lambda n: (-scores[n], n))[:limit]
        return [Ranked(self.labels[n], round(scores[n], 2), self._evidence(values, n)) for n in best]

    def _values(self, sentence: str) -> dict[str, float]:
        """The sentence's known features, weighted by rarity and repetition, of length 1."""
        counts = Counter(feature for feature in features(sentence) if feature in self.numbers)
        values = {f: (1 + math.log(count)) * self.idf[self.numbers[f]] for f, count in counts.items()}
        length = math.sqrt(sum(value * value for value in values.values())) or 1.0
        return {feature: value / length for feature, value in values.items()}

    def _scores(self, values: dict[str, float]) -> list[float]:
        scores = list(self.biases)
        classes, weights, offsets, scale = self.classes, self.weights, self.offsets, self.scale
        for feature, value in values.items():
            number = self.numbers[feature]
            first, last = offsets[number], offsets[number + 1]
            value *= scale
            for label, weight in zip(classes[first:last], weights[first:last], strict=True):
                scores[label] += value * weight
        return scores

    def _evidence(self, values: dict[str, float], label: int) -> tuple[str, ...]:
        parts = []
        for feature, value in values.items():
            number = self.numbers[feature]
            place = self.classes.find(label, self.offsets[number], self.offsets[number + 1])
            if place >= 0 and self.weights[place] > 0:
                parts.append((-value * self.weights[place], feature))
        return tuple(feature for _, feature in sorted(parts)[:4])


@cache
def technique_model() -> TechniqueModel:
    """Return the bundled model. Takes some 20 ms the first time."""
    return loads((files("hinomi.intel.techniques") / _FILE).read_bytes())


def loads(data: bytes) -> TechniqueModel:
    """Return the model that `dumps` wrote."""
    head, _, body = zlib.decompress(data).partition(b"\n")
    about: dict[str, Any] = json.loads(head)
    sizes = about.pop("sizes")
    names = body[: sizes["names"]].decode().split("\n")
    place = sizes["names"]

    def take(kind: str, size: int) -> array[Any]:
        nonlocal place
        values = array(kind)
        values.frombytes(body[place : place + size])
        place += size
        if sys.byteorder == "big":
            values.byteswap()
        return values

    idf, offsets = take("f", sizes["idf"]), take("I", sizes["offsets"])
    classes = body[place : place + sizes["weights"]]
    place += sizes["weights"]
    return TechniqueModel(
        about,
        tuple(about.pop("labels")),
        tuple(about.pop("biases")),
        about.pop("scale"),
        about.pop("threshold"),
        {name: number for number, name in enumerate(names)},
        idf,
        offsets,
        classes,
        take("b", sizes["weights"]),
        frozenset(about.pop("strong")),
    )


def dumps(about: dict[str, Any], rows: dict[str, tuple[float, list[tuple[int, int]]]]) -> bytes:
    """Return the file's bytes. `rows`: by feature its idf and its (label number, weight as a byte) pairs."""
    ordered = sorted(rows)
    idf = array("f", [rows[name][0] for name in ordered])
    pairs = [rows[name][1] for name in ordered]
    offsets = array("I", [0])
    for row in pairs:
        offsets.append(offsets[-1] + len(row))
    weights = array("b", [weight for row in pairs for _, weight in row])
    if sys.byteorder == "big":
        idf.byteswap()
        offsets.byteswap()
    parts = ["\n".join(ordered).encode(), idf.tobytes(), offsets.tobytes()]
    sizes = dict(zip(("names", "idf", "offsets"), map(len, parts), strict=True)) | {"weights": len(weights)}
    head = json.dumps(about | {"sizes": sizes}, sort_keys=True).encode()
    classes = bytes(label for row in pairs for label, _ in row)
    return zlib.compress(head + b"\n" + b"".join(parts) + classes + weights.tobytes(), 9)

"""The file of the technique model: a line of JSON (labels, biases, what training says of itself, sizes), a line feed,
and raw little-endian arrays behind it, all compressed with zlib. A weight is a byte times `scale`."""

from __future__ import annotations

import json
import sys
import zlib
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Table:
    """Weights by feature: those of feature n stand at `offsets[n]:offsets[n + 1]` of `classes` and `weights`."""

    numbers: dict[str, int]
    idf: array[float]
    offsets: array[int]
    classes: bytes
    weights: array[int]

    def row(self, number: int) -> Iterable[tuple[int, int]]:
        """Return (label, weight) of a feature."""
        first, last = self.offsets[number], self.offsets[number + 1]
        return zip(self.classes[first:last], self.weights[first:last], strict=True)


def read_model(data: bytes) -> tuple[dict[str, Any], Table]:
    """Return what `write_model` wrote."""
    head, _, body = zlib.decompress(data).partition(b"\n")
    about: dict[str, Any] = json.loads(head)
    sizes = about.pop("sizes")
    parts = {}
    place = 0
    for name in ("names", "idf", "offsets", "classes", "weights"):
        parts[name] = body[place : place + sizes[name]]
        place += sizes[name]
    names = parts["names"].decode().split("\n")
    return about, Table(
        {name: number for number, name in enumerate(names)},
        _array("f", parts["idf"]),
        _array("I", parts["offsets"]),
        parts["classes"],
        _array("b", parts["weights"]),
    )


def write_model(about: dict[str, Any], rows: dict[str, tuple[float, list[tuple[int, int]]]]) -> bytes:
    """Return the file's bytes. `rows`: by feature its idf and its (label number, weight as a byte) pairs."""
    ordered = sorted(rows)
    pairs = [rows[name][1] for name in ordered]
    offsets = array("I", [0])
    for row in pairs:
        offsets.append(offsets[-1] + len(row))
    parts = {
        "names": "\n".join(ordered).encode(),
        "idf": _bytes(array("f", [rows[name][0] for name in ordered])),
        "offsets": _bytes(offsets),
        "classes": bytes(label for row in pairs for label, _ in row),
        "weights": _bytes(array("b", [weight for row in pairs for _, weight in row])),
    }
    head = json.dumps(about | {"sizes": {name: len(part) for name, part in parts.items()}}, sort_keys=True)
    return zlib.compress(head.encode() + b"\n" + b"".join(parts.values()), 9)


def _array(kind: str, data: bytes) -> array[Any]:
    values: array[Any] = array(kind)
    values.frombytes(data)
    if sys.byteorder == "big":
        values.byteswap()
    return values


def _bytes(values: array[Any]) -> bytes:
    if sys.byteorder == "big":
        values.byteswap()
    return values.tobytes()

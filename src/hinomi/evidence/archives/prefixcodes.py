"""Canonical prefix codes as tables: what the next bits are is looked up at once."""

from __future__ import annotations

from collections.abc import Sequence

from hinomi.model.errors import ParseError

LENGTH = 31  # bits of an entry that hold the code's length; the symbol stands above them
SHIFT = 5


def code_table(lengths: Sequence[int], width: int) -> list[int]:
    """Return, for every `width` bits, symbol << 5 | length; 0 where no code begins so. `ParseError` for too many codes.

    Codes of equal length go by their symbols, shorter ones first; `lengths` of 0 are symbols without code.
    """
    by_length: list[list[int]] = [[] for _ in range(width + 1)]
    for symbol, length in enumerate(lengths):
        by_length[length].append(symbol)
    table: list[int] = []
    for length in range(1, width + 1):
        for symbol in by_length[length]:
            table += [symbol << SHIFT | length] * (1 << width - length)
        if len(table) > 1 << width:
            raise ParseError("archive.damaged", cause="prefix code")
    return table + [0] * ((1 << width) - len(table))

"""What rules cannot do without, kept in the case: to find it out takes seconds, at every start the same.

What is kept is believed only for the very rules, tables, engine and code that it was found out with.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from hinomi.detect import needs as finding_out
from hinomi.detect.macros import MACROS
from hinomi.detect.rule import Rule
from hinomi.detect.sql import empty_table, vocabulary_script
from hinomi.model.tables import TABLES

NAME = "needs.json"
MAX_BYTES = 8 << 20
Needs = Mapping[str, frozenset[str]]


class KeptNeeds:
    """One file in the watcher's folder of the case. Never raises: without it, needs are found out anew."""

    def __init__(self, folder: Path, rules: Collection[Rule]) -> None:
        """Take the SQL rules that the needs are of."""
        self._path = folder / NAME
        self._of = _digest(rules)
        self._ids = {rule.id for rule in rules}

    def read(self) -> Needs | None:
        """Return what was kept; None where that is nothing, or of other rules or another program."""
        try:
            with self._path.open("rb") as file:
                kept = json.loads(file.read(MAX_BYTES))
        except (OSError, ValueError, RecursionError):
            return None
        return self._parsed(kept) if isinstance(kept, dict) and kept.get("of") == self._of else None

    def _parsed(self, kept: dict[str, Any]) -> Needs | None:
        needs = kept.get("needs")
        if not isinstance(needs, dict) or not needs.keys() <= self._ids:
            return None
        if not all(isinstance(words, list) and all(map(_is_need, words)) for words in needs.values()):
            return None
        return {rule: frozenset(words) for rule, words in needs.items()}

    def write(self, needs: Needs) -> None:
        """Keep what was found out, whole or not at all."""
        text = json.dumps({"of": self._of, "needs": {rule: sorted(words) for rule, words in sorted(needs.items())}})
        made = self._path.with_suffix(".new")
        with suppress(OSError):
            made.unlink(missing_ok=True)
            descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(text)
            made.replace(self._path)


def _is_need(word: object) -> bool:
    return isinstance(word, str) and word.partition(".")[0] in TABLES


def _digest(rules: Collection[Rule]) -> str:
    """Return a digest of all that the needs of rules depend on."""
    made = blake2b(_program(), digest_size=32)
    for rule in sorted(rules, key=lambda rule: rule.id):
        made.update(repr((rule.id, rule.body)).encode("utf-8", "surrogatepass"))
    return made.hexdigest()


@cache
def _program() -> bytes:
    """Return a digest of the tables and words that rules may use, of the engine, and of how needs are found out."""
    made = blake2b(digest_size=32)
    for name in sorted(TABLES):
        made.update(repr((name, empty_table(name, False))).encode())
    made.update(repr((MACROS, vocabulary_script())).encode())
    for name in ("hinomi", "duckdb"):
        with suppress(PackageNotFoundError):
            made.update(f"{name}={version(name)};".encode())
    with suppress(OSError):
        made.update(Path(finding_out.__file__).read_bytes())
    return made.digest()

"""Integrity checkers written as scripts, and whether they still tell of what they find."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hinomi.evidence.scripts.detect import language_of
from hinomi.evidence.trust.checks import is_checker, python_checks, shell_checks
from hinomi.model.errors import ParseError
from hinomi.model.tables import Row
from hinomi.model.tables.trust import IntegrityCheck
from hinomi.model.text import path_text, printable

if TYPE_CHECKING:
    from hinomi.evidence.collector import ContentFile
    from hinomi.evidence.target import Target
    from hinomi.evidence.view import Entry
    from hinomi.model.findings import Coverage

MAX_FILE = 1 << 20


class IntegrityChecksCollector:
    """Reads shell and Python scripts whose name says that they check files."""

    name = "integrity_checks"
    tables: tuple[type[Row], ...] = (IntegrityCheck,)

    def wants(self, entry: Entry, head: bytes) -> bool:
        """By name first: few scripts check files."""
        return entry.size <= MAX_FILE and is_checker(entry.path) and _language(entry, head) is not None

    def examine(self, file: ContentFile, target: Target, coverage: Coverage) -> Iterator[Row]:
        """Yield one row per comparison; a Python program of another generation is counted, not understood."""
        language = _language(file.entry, file.head)
        try:
            found = (python_checks if language == "python" else shell_checks)(file.read(MAX_FILE))
        except ParseError:
            coverage.skip("integrity checker in another Python")
            return
        for one in found:
            yield IntegrityCheck(
                path=path_text(file.entry.path), line=one.line, language=str(language), check=printable(one.check),
                failure="ignored" if one.ignored else "handled", response=printable(one.response),
            )  # fmt: skip


def _language(entry: Entry, head: bytes) -> str | None:
    first = head[:200].split(b"\n", 1)[0]
    if entry.name.endswith(b".py") or (first.startswith(b"#!") and b"python" in first):
        return "python"
    return "shell" if language_of(entry.path, head) == "shell" else None


COLLECTOR = IntegrityChecksCollector()

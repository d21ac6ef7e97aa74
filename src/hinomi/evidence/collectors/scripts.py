"""Scripts and what they do: attackers on an appliance write shell; this reads it, and more, as a shell would."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hinomi.evidence.scripts.detect import REWRITTEN, Language, dangerous_js, guessed, language_of
from hinomi.evidence.scripts.telling import acts
from hinomi.model.tables import Row
from hinomi.model.tables.scripts import Script, ScriptAction
from hinomi.model.text import path_text

if TYPE_CHECKING:
    from hinomi.evidence.collector import ContentFile
    from hinomi.evidence.target import Target
    from hinomi.evidence.view import Entry
    from hinomi.model.findings import Coverage

MAX_PARSED = 1 << 20  # larger ones are bundles: minified, slow to parse


class ScriptCollector:
    """Reads scripts of nine languages and package.json install scripts; see `wants` for which."""

    name = "scripts"
    tables: tuple[type[Row], ...] = (Script, ScriptAction)

    def prepare(self) -> None:
        """Load the grammar most scripts need before worker processes are made, which then share it."""
        from hinomi.evidence.scripts.analysis import analyse

        analyse("/", b"#!/bin/sh\n:\n", language="shell", digest="")

    def wants(self, entry: Entry, head: bytes) -> bool:
        """Scripts by #! line, by content, and by the few names that shells read without one."""
        return entry.kind == "file" and bool(head) and language_of(entry.path, head) is not None

    def examine(self, file: ContentFile, target: Target, coverage: Coverage) -> Iterator[Row]:
        """Yield the script's row and its actions; JavaScript only where it names what this analysis records."""
        from hinomi.evidence.scripts.analysis import analyse

        path = path_text(file.entry.path)
        language = language_of(file.entry.path, file.head)
        limit = target.limits.max_script_size
        if language in REWRITTEN and _as_packaged(file, target):
            coverage.skip(f"{language} as its package brought it")
            return
        data = file.read(limit + 1)
        if not self._worth_parsing(file, language, data):
            coverage.skip(f"{language} without dangerous calls")
            return
        limit = limit if language == "shell" else min(limit, MAX_PARSED)
        found = analyse(path, data, language=language, max_size=limit, digest=file.sha256)
        if guessed(file.entry.path, file.head) and found.script.parse_errors * 20 > found.script.lines:
            coverage.skip("text that only resembles a script")
            return
        if found.quiet:
            coverage.skip(f"{language} without dangerous calls")
            return
        if found.script.truncated:
            coverage.miss(self.name, path, "truncated", f"only the first part of {len(data)} bytes was understood")
        coverage.count("scripts")
        yield found.script
        yield from found.actions

    def _worth_parsing(self, file: ContentFile, language: Language | None, data: bytes) -> bool:
        if language is not None and language in REWRITTEN:
            return acts(language, data)
        if language != "javascript":
            return True
        if file.entry.name == b"package.json":
            return b'install"' in data or b'"prepare"' in data
        return dangerous_js(data)


def _as_packaged(file: ContentFile, target: Target) -> bool:
    """Whether a package's manifest has this very content: no rule on scripts speaks of such a file."""
    owned = target.ownership.digest_kind(file.entry.path) is not None
    return owned and target.ownership.state(file.entry.path, file.digest) == "intact"


COLLECTOR = ScriptCollector()

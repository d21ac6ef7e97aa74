"""Which release a system claims to be, and when its parts say that they were built.

A box that was kept from upgrading shows the new version all the same when only its version file was changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hinomi.evidence.trust.kernels import kernel_form, kernel_row
from hinomi.evidence.trust.releases import MAX_FILE, is_release_file, release_rows
from hinomi.model.tables import Row
from hinomi.model.tables.trust import Build
from hinomi.model.text import path_text

if TYPE_CHECKING:
    from hinomi.evidence.collector import ContentFile
    from hinomi.evidence.target import Target
    from hinomi.evidence.view import Entry
    from hinomi.model.findings import Coverage


class BuildsCollector:
    """Reads release files and the stamps in kernels."""

    name = "builds"
    tables: tuple[type[Row], ...] = (Build,)

    def wants(self, entry: Entry, head: bytes) -> bool:
        """Small files of a release file's name near the root; kernels by their first bytes."""
        if entry.size <= MAX_FILE and is_release_file(entry.path):
            return True
        return entry.size > MAX_FILE and kernel_form(entry.name, head) is not None

    def examine(self, file: ContentFile, target: Target, coverage: Coverage) -> Iterator[Row]:
        """Yield what the file says."""
        path = path_text(file.entry.path)
        form = kernel_form(file.entry.name, file.head)
        if form is None:
            yield from release_rows(path, file.read(MAX_FILE))
            return
        with file.open() as content:
            row = kernel_row(path, form, content)
        if row is not None:
            yield row


COLLECTOR = BuildsCollector()

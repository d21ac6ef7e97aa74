"""Lists of digests and those who sign them: whoever can write both can make any check pass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hinomi.evidence.trust import digests, signers
from hinomi.model.errors import ParseError
from hinomi.model.tables import Row
from hinomi.model.tables.trust import ListedDigest, SigningFile
from hinomi.model.text import path_text

if TYPE_CHECKING:
    from hinomi.evidence.collector import ContentFile
    from hinomi.evidence.target import Target
    from hinomi.evidence.view import Entry
    from hinomi.model.findings import Coverage


class SigningCollector:
    """Reads lists of digests, public keys, certificates and signatures."""

    name = "signing"
    tables: tuple[type[Row], ...] = (SigningFile, ListedDigest)

    def wants(self, entry: Entry, head: bytes) -> bool:
        """By a list's name, by a signature's name, or by the armour of keys."""
        if entry.size <= digests.MAX_FILE and digests.may_list(entry.path):
            return True
        return signers.may_sign(entry.path, entry.size, head)

    def examine(self, file: ContentFile, target: Target, coverage: Coverage) -> Iterator[Row]:
        """Yield a list with its entries, or what signs."""
        path = path_text(file.entry.path)
        if digests.may_list(file.entry.path):
            rows = digests.listed(path, file.read(digests.MAX_FILE))
            if len(rows) > digests.MAX_ROWS:
                coverage.miss(self.name, path, "truncated", f"only the first {digests.MAX_ROWS} files of the list")
                rows = rows[: digests.MAX_ROWS]
            if rows:
                yield SigningFile(
                    path=path,
                    kind="digest-list",
                    algorithm=rows[0].algorithm,
                    fingerprint=file.sha256,
                    entries=len(rows),
                )
                yield from rows
                return
        yield from self._signer(path, file, coverage)

    def _signer(self, path: str, file: ContentFile, coverage: Coverage) -> Iterator[SigningFile]:
        if not signers.may_sign(file.entry.path, file.entry.size, file.head):
            return
        try:
            found = signers.read_signer(path, file.read(signers.MAX_FILE))
        except ParseError:  # as often an example in a text as a key
            coverage.skip("key or certificate that cannot be read")
            return
        if found is not None:
            yield SigningFile(
                path=path, kind=found.kind, covers=signers.covered_by(path), algorithm=found.algorithm, bits=found.bits,
                fingerprint=found.fingerprint, valid_from=found.valid_from,
            )  # fmt: skip


COLLECTOR = SigningCollector()

"""Macros of Office documents, decided by content: .docm renamed to .doc, or vbaProject.bin alone, count alike."""

from __future__ import annotations

from collections.abc import Iterator

from hinomi.evidence.collector import ContentFile
from hinomi.evidence.office.documents import OLE_MAGIC, ZIP_MAGIC, EncryptedDocumentError, MacroModule, modules_of
from hinomi.evidence.target import Target
from hinomi.evidence.view import Entry
from hinomi.model.errors import ParseError
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row
from hinomi.model.tables.software import Macro
from hinomi.model.text import path_text

_OOXML_FIRST = (b"[Content_Types].xml", b"_rels/", b"docProps/", b"word/", b"xl/", b"ppt/", b"customXml/")
MAX_MODULES = 2000


class MacrosCollector:
    """Finds the macros of a document and what their text does; the text is read, never run."""

    name = "macros"
    tables: tuple[type[Row], ...] = (Macro,)

    def wants(self, entry: Entry, head: bytes) -> bool:
        """Take OLE files and ZIP files: the order of members is the author's, only Java's own archives are left out."""
        return entry.kind == "file" and (
            head.startswith(OLE_MAGIC) or (head.startswith(ZIP_MAGIC) and not head[30:].startswith(b"META-INF/"))
        )

    def examine(self, file: ContentFile, target: Target, coverage: Coverage) -> Iterator[Row]:
        """Yield one row per module or macro sheet; a password is a miss `encrypted`."""
        path = path_text(file.entry.path)
        office = file.head.startswith(OLE_MAGIC) or file.head[30:80].startswith(_OOXML_FIRST)
        if file.entry.size > target.limits.max_parse_size:
            if office:
                coverage.miss("macros", path, "too-large", f"{file.entry.size} bytes")
            return
        coverage.count("office-documents", int(office))
        with file.open() as content:
            try:
                for number, module in enumerate(modules_of(content, file.head)):
                    if number >= MAX_MODULES:
                        coverage.miss("macros", path, "too-large", f"more than {MAX_MODULES} modules")
                        return
                    if not module.readable:
                        coverage.miss("macros", f"{path} » {module.name}", "no-source", "its text cannot be read")
                    yield _row(path, module)
            except EncryptedDocumentError as error:
                coverage.miss("macros", path, "encrypted", error.cause)
            except ParseError:
                if office:  # what a damaged archive of another kind holds is for its own collector to say
                    raise
            except OSError as error:
                raise ParseError("office-unreadable", place=path, cause=error.strerror or "") from error


def _row(path: str, module: MacroModule) -> Macro:
    said = module.meaning
    return Macro(
        path=path, module=module.name, kind=module.kind, auto_run=list(said.auto_run), writes=list(said.writes),
        executes=list(said.executes), downloads=list(said.downloads), startup_folder=said.startup_folder,
        lines=said.lines, excerpt=said.excerpt,
    )  # fmt: skip


COLLECTOR = MacrosCollector()

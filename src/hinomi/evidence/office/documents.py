"""Office containers: which streams of an OLE file, or parts of an OOXML file, hold macros."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from hinomi.evidence.office import ovba, xlm
from hinomi.evidence.office.vba_meaning import Meaning, meaning
from hinomi.model.errors import ParseError

OLE_MAGIC = bytes.fromhex("d0cf11e0a1b11ae1")
ZIP_MAGIC = b"PK\x03\x04"
MAX_PART = 32 << 20
MAX_PARTS = 20_000
MAX_STREAMS = 5000
MAX_PROJECTS = 20
_MACRO_SHEET = re.compile(r"xl/(?:macrosheets|intlmacrosheets)/[^/]{1,200}\.(?:xml|bin)$")
_OOXML_MARKS = ("[content_types].xml", "_rels/.rels")
_OLE_FAILURES = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RecursionError,
    MemoryError,
    OverflowError,
)
_ZIP_FAILURES = (
    zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError, LookupError,
    OverflowError,
)  # fmt: skip


_NOTHING = Meaning((), (), (), (), False, 0, "")


@dataclass(frozen=True, slots=True)
class MacroModule:
    """One module or macro sheet with what its text does. `part` is the part of the document that holds it.

    `readable` is False where the project names the module but holds no text of it (only compiled code), or where the
    sheet is of a binary form that is not read.
    """

    part: str
    name: str
    kind: str
    meaning: Meaning
    readable: bool = True


class EncryptedDocumentError(ParseError):
    """The document is locked with a password: its macros cannot be read."""


def modules_of(file: BinaryIO, head: bytes) -> Iterator[MacroModule]:
    """Yield the macros of an OLE or OOXML document; `ParseError` for damage, its subclass above for a password."""
    if head.startswith(OLE_MAGIC):
        yield from _ole_modules(file, "")
    elif head.startswith(ZIP_MAGIC):
        yield from _ooxml_modules(file)
    else:
        raise ParseError("office-unreadable", cause="neither OLE nor OOXML")


def _ooxml_modules(file: BinaryIO) -> Iterator[MacroModule]:
    try:
        archive = zipfile.ZipFile(file)
        names = archive.namelist()[:MAX_PARTS]
    except _ZIP_FAILURES as error:
        raise ParseError("office-unreadable", cause=type(error).__name__) from error
    with archive:
        lowered = {name.lower().replace("\\", "/"): name for name in names}
        if not any(mark in lowered for mark in _OOXML_MARKS):
            return  # an ordinary archive
        projects = 0
        for low, name in sorted(lowered.items()):
            if projects < MAX_PROJECTS and not low.endswith((".xml", ".rels", ".png", ".jpeg", ".emf")):
                data = _part(archive, name, only=OLE_MAGIC)
                if data is not None:
                    projects += 1
                    yield from _ole_modules(_reader(data), name)
        yield from _macro_sheets(archive, lowered)


def _macro_sheets(archive: zipfile.ZipFile, lowered: dict[str, str]) -> Iterator[MacroModule]:
    sheets = sorted(low for low in lowered if _MACRO_SHEET.match(low))
    if not sheets:
        return
    auto = _auto_names(archive, lowered)
    for low in sheets:
        name = low.rsplit("/", 1)[-1]
        if low.endswith(".bin"):
            yield MacroModule(lowered[low], name, "xlm", replace(_NOTHING, auto_run=auto), readable=False)
            continue
        data = _part(archive, lowered[low]) or b""
        yield MacroModule(lowered[low], name, "xlm", xlm.sheet_meaning(data.decode("utf-8", "replace"), auto))


def _auto_names(archive: zipfile.ZipFile, lowered: dict[str, str]) -> tuple[str, ...]:
    if "xl/workbook.bin" in lowered:
        return xlm.auto_names_of_binary(_part(archive, lowered["xl/workbook.bin"]) or b"")
    workbook = _part(archive, lowered["xl/workbook.xml"]) if "xl/workbook.xml" in lowered else None
    return xlm.auto_names((workbook or b"").decode("utf-8", "replace"))


def _part(archive: zipfile.ZipFile, name: str, only: bytes = b"") -> bytes | None:
    """Return a part (at most 32 MiB of it), None where it does not begin with `only`."""
    try:
        with archive.open(name) as part:
            start = part.read(len(only)) if only else b""
            return start + part.read(MAX_PART) if start == only else None
    except _ZIP_FAILURES as error:
        if isinstance(error, RuntimeError) and "encrypted" in str(error):
            raise EncryptedDocumentError("office-encrypted", place=name, cause="a part is encrypted") from error
        raise ParseError("office-unreadable", place=name, cause=type(error).__name__) from error


def _reader(data: bytes) -> BinaryIO:
    from io import BytesIO

    return BytesIO(data)


def _ole_modules(file: BinaryIO, part: str) -> Iterator[MacroModule]:
    import olefile

    try:
        ole = olefile.OleFileIO(file, raise_defects=olefile.DEFECT_INCORRECT)
        streams = ["/".join(path) for path in ole.listdir(streams=True, storages=False)][:MAX_STREAMS]
    except _OLE_FAILURES as error:
        raise ParseError("office-unreadable", place=part, cause=f"OLE: {error}"[:200]) from error
    with ole:
        if any(stream.lower().endswith("encryptedpackage") for stream in streams):
            raise EncryptedDocumentError("office-encrypted", place=part, cause="EncryptedPackage")
        yield from _vba(ole, streams, part)
        yield from _biff(ole, streams, part)


def _vba(ole: Any, streams: list[str], part: str) -> Iterator[MacroModule]:
    folders = [stream[: -len("/dir")] for stream in streams if stream.lower().endswith("vba/dir")]
    for folder in folders[:MAX_PROJECTS]:
        project = _project(ole, folder)
        told = {module.stream.lower(): module for module in project.modules}
        for stream in streams:
            name = stream.rsplit("/", 1)[-1]
            if (
                stream.rsplit("/", 1)[0] != folder
                or name.lower() in ("dir", "_vba_project")
                or name.startswith("__SRP")
            ):
                continue
            data = _stream(ole, stream)
            module = told.get(name.lower())
            source = _source(data, module)
            if source is not None:
                text = source.decode(project.encoding, "replace")
                yield MacroModule(part, module.name if module else name, "vba", meaning(text))
            elif module is not None:
                yield MacroModule(part, module.name, "vba", _NOTHING, readable=False)


def _project(ole: Any, folder: str) -> ovba.Project:
    """Return what the dir stream says; nothing where it is damaged, for modules can be found without it."""
    try:
        return ovba.read_dir(ovba.decompress(_stream(ole, folder + "/dir")))
    except ParseError:
        return ovba.Project("cp1252", ())


def _source(data: bytes, module: ovba.Module | None) -> bytes | None:
    if module is not None:
        try:
            return ovba.decompress(data[module.offset :])
        except ParseError:
            pass  # the offset lies: the source may still stand in the stream
    return ovba.find_source(data)


def _biff(ole: Any, streams: list[str], part: str) -> Iterator[MacroModule]:
    for stream in streams:
        if stream.lower() not in ("workbook", "book"):
            continue
        biff = xlm.read_biff(_stream(ole, stream))
        if biff.encrypted:
            raise EncryptedDocumentError("office-encrypted", place=part, cause="workbook with a password")
        for sheet in biff.sheets:
            yield MacroModule(part, sheet, "xlm", replace(_NOTHING, auto_run=biff.auto_names), readable=False)


def _stream(ole: Any, name: str) -> bytes:
    try:
        with ole.openstream(name) as stream:
            return bytes(stream.read(MAX_PART))
    except _OLE_FAILURES as error:
        raise ParseError("office-unreadable", place=name, cause=f"OLE: {error}"[:200]) from error

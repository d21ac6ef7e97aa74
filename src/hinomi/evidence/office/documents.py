"""Office containers: which streams of an OLE file, or parts of an OOXML file, hold macros."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
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


@dataclass
class _Budget:
    """What one document may cost: bytes unpacked from parts and streams, and characters of macro text."""

    unpacked: int = 256 << 20
    text: int = 8 << 20

    def take(self, *, unpacked: int = 0, text: int = 0) -> None:
        """Spend; `ParseError` once it is used up."""
        self.unpacked -= unpacked
        self.text -= text
        if self.unpacked < 0 or self.text < 0:
            raise ParseError("office-too-large", cause="more content than one document may cost")


class EncryptedDocumentError(ParseError):
    """The document is locked with a password: its macros cannot be read."""


def modules_of(file: BinaryIO, head: bytes) -> Iterator[MacroModule]:
    """Yield the macros of an OLE or OOXML document; `ParseError` for damage, its subclass above for a password."""
    if head.startswith(OLE_MAGIC):
        yield from _ole_modules(file, "", _Budget())
    elif head.startswith(ZIP_MAGIC):
        yield from _ooxml_modules(file)
    else:
        raise ParseError("office-unreadable", cause="neither OLE nor OOXML")


def _each(readers: Iterable[Callable[[], Iterator[MacroModule]]]) -> Iterator[MacroModule]:
    """Give every reader its turn and raise the first failure only then: a broken or locked decoy hides nothing."""
    failure: ParseError | None = None
    for read in readers:
        try:
            yield from read()
        except ParseError as error:
            failure = failure or error
    if failure is not None:
        raise failure


def _ooxml_modules(file: BinaryIO) -> Iterator[MacroModule]:
    try:
        archive = zipfile.ZipFile(file)
        members = archive.infolist()
    except _ZIP_FAILURES as error:
        raise ParseError("office-unreadable", cause=type(error).__name__) from error
    with archive:
        names = {_plain(member.filename) for member in members}
        if not any(mark in names for mark in _OOXML_MARKS):
            return  # an ordinary archive
        # the parts' names and types are the author's to choose, and one name may stand twice: each is looked into
        budget = _Budget()
        readers = [partial(_project_part, archive, member, budget) for member in members[:MAX_PARTS]]
        yield from _each([*readers, partial(_macro_sheets, archive, members[:MAX_PARTS], budget)])
        if len(members) > MAX_PARTS:
            raise ParseError("office-too-large", cause=f"only the first {MAX_PARTS} parts were read")


def _plain(name: str) -> str:
    return name.lower().replace("\\", "/")


def _project_part(archive: zipfile.ZipFile, member: zipfile.ZipInfo, budget: _Budget) -> Iterator[MacroModule]:
    data = _part(archive, member, only=OLE_MAGIC)
    if data is not None:
        budget.take(unpacked=len(data))
        yield from _ole_modules(BytesIO(data), member.filename, budget)


def _macro_sheets(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], budget: _Budget) -> Iterator[MacroModule]:
    sheets = [member for member in members if _MACRO_SHEET.match(_plain(member.filename))]
    if not sheets:
        return
    auto = _auto_names(archive, {_plain(member.filename): member for member in members})
    yield from _each([partial(_macro_sheet, archive, sheet, auto, budget) for sheet in sheets])


def _macro_sheet(
    archive: zipfile.ZipFile, sheet: zipfile.ZipInfo, auto: tuple[str, ...], budget: _Budget
) -> Iterator[MacroModule]:
    name = sheet.filename.rsplit("/", 1)[-1]
    if name.lower().endswith(".bin"):
        yield MacroModule(sheet.filename, name, "xlm", replace(_NOTHING, auto_run=auto), readable=False)
        return
    data = _part(archive, sheet) or b""
    budget.take(unpacked=len(data), text=len(data))
    yield MacroModule(sheet.filename, name, "xlm", xlm.sheet_meaning(data.decode("utf-8", "replace"), auto))


def _auto_names(archive: zipfile.ZipFile, lowered: dict[str, zipfile.ZipInfo]) -> tuple[str, ...]:
    if "xl/workbook.bin" in lowered:
        return xlm.auto_names_of_binary(_part(archive, lowered["xl/workbook.bin"]) or b"")
    workbook = _part(archive, lowered["xl/workbook.xml"]) if "xl/workbook.xml" in lowered else None
    return xlm.auto_names((workbook or b"").decode("utf-8", "replace"))


def _part(archive: zipfile.ZipFile, member: zipfile.ZipInfo, only: bytes = b"") -> bytes | None:
    """Return a part (at most 32 MiB of it), None where it does not begin with `only`."""
    try:
        with archive.open(member) as part:
            start = part.read(len(only)) if only else b""
            return start + part.read(MAX_PART) if start == only else None
    except _ZIP_FAILURES as error:
        if isinstance(error, RuntimeError) and "encrypted" in str(error):
            raise EncryptedDocumentError(
                "office-encrypted", place=member.filename, cause="a part is encrypted"
            ) from error
        raise ParseError("office-unreadable", place=member.filename, cause=type(error).__name__) from error


def _ole_modules(file: BinaryIO, part: str, budget: _Budget) -> Iterator[MacroModule]:
    import olefile

    try:
        ole = olefile.OleFileIO(file, raise_defects=olefile.DEFECT_INCORRECT)
        streams = ["/".join(path) for path in ole.listdir(streams=True, storages=False)][:MAX_STREAMS]
    except _OLE_FAILURES as error:
        raise ParseError("office-unreadable", place=part, cause=f"OLE: {error}"[:200]) from error
    with ole:
        folders = [stream[: -len("/dir")] for stream in streams if stream.lower().endswith("vba/dir")]
        if len(folders) > MAX_PROJECTS:
            raise ParseError("office-too-large", place=part, cause=f"{len(folders)} VBA projects")
        readers = [partial(_vba, ole, streams, folder, part, budget) for folder in folders]
        yield from _each([*readers, partial(_biff, ole, streams, part, budget)])
        if any(stream.lower().endswith("encryptedpackage") for stream in streams):
            raise EncryptedDocumentError("office-encrypted", place=part, cause="EncryptedPackage")


def _vba(ole: Any, streams: list[str], folder: str, part: str, budget: _Budget) -> Iterator[MacroModule]:
    project = _project(ole, folder, budget)
    told = {module.stream.lower(): module for module in project.modules}
    names = [stream.rsplit("/", 1)[-1] for stream in streams if stream.rsplit("/", 1)[0] == folder]
    modules = [name for name in names if name.lower() not in ("dir", "_vba_project") and not name.startswith("__SRP")]
    yield from _each(
        [partial(_module, ole, f"{folder}/{n}", told.get(n.lower()), project.encoding, part, budget) for n in modules]
    )


def _module(
    ole: Any, stream: str, module: ovba.Module | None, encoding: str, part: str, budget: _Budget
) -> Iterator[MacroModule]:
    budget.take()  # nothing more once it is used up
    source = _source(_stream(ole, stream, budget), module)
    if source is not None:
        budget.take(text=len(source))
        name = module.name if module else stream.rsplit("/", 1)[-1]
        yield MacroModule(part, name, "vba", meaning(source.decode(encoding, "replace")))
    elif module is not None:
        yield MacroModule(part, module.name, "vba", _NOTHING, readable=False)


def _project(ole: Any, folder: str, budget: _Budget) -> ovba.Project:
    """Return what the dir stream says; nothing where it is damaged, for modules can be found without it."""
    try:
        return ovba.read_dir(ovba.decompress(_stream(ole, folder + "/dir", budget)))
    except ParseError:
        return ovba.Project("cp1252", ())


def _source(data: bytes, module: ovba.Module | None) -> bytes | None:
    if module is not None:
        try:
            return ovba.decompress(data[module.offset :])
        except ParseError:
            pass  # the offset lies: the source may still stand in the stream
    return ovba.find_source(data)


def _biff(ole: Any, streams: list[str], part: str, budget: _Budget) -> Iterator[MacroModule]:
    for stream in streams:
        if stream.lower() not in ("workbook", "book"):
            continue
        biff = xlm.read_biff(_stream(ole, stream, budget))
        if biff.encrypted:
            raise EncryptedDocumentError("office-encrypted", place=part, cause="workbook with a password")
        for sheet in biff.sheets:
            yield MacroModule(part, sheet, "xlm", replace(_NOTHING, auto_run=biff.auto_names), readable=False)


def _stream(ole: Any, name: str, budget: _Budget) -> bytes:
    try:
        budget.take(unpacked=min(int(ole.get_size(name)), MAX_PART))
        with ole.openstream(name) as stream:
            return bytes(stream.read(MAX_PART))
    except _OLE_FAILURES as error:
        raise ParseError("office-unreadable", place=name, cause=f"OLE: {error}"[:200]) from error

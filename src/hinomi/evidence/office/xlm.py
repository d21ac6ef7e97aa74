"""Excel 4.0 macros: macro sheets of OOXML workbooks, and sheets and names of BIFF (.xls) workbooks."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from hinomi.evidence.office.vba_meaning import MAX_EXCERPT, Meaning
from hinomi.model.text import printable

MAX_CELLS = 200_000
MAX_RECORDS = 2_000_000
_FORMULA = re.compile(r"<(?:\w{1,20}:)?f(?:\s[^>]{0,500})?>([^<]{1,8192})</|<(?:\w{1,20}:)?v>([^<]{1,8192})</")
_DEFINED = re.compile(r"<(?:\w{1,20}:)?definedName\s([^>]{0,2000})>([^<]{0,2000})</", re.IGNORECASE)
_NAME = re.compile(r"name=\"(?:_xlnm\.)?([^\"]{1,255})\"")
_AUTO = re.compile(r"auto_(?:open|close|activate|deactivate)", re.IGNORECASE)
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&"))
_CALLS = {
    "executes": ("EXEC", "CALL", "REGISTER", "REGISTER.ID", "EXECUTE", "APP.ACTIVATE", "FORMULA.FILL", "RUN"),
    "writes": ("FWRITE", "FWRITELN", "FOPEN", "SAVE.AS", "FILE.DELETE"),
}
_STARTUP = re.compile(r"programs\\{1,2}startup|スタートアップ|currentversion\\{1,2}run", re.IGNORECASE)
_DOWNLOAD = re.compile(r"urldownloadtofile|urlmon|https?://", re.IGNORECASE)
_BOUNDSHEET, _LABEL, _EOF, _FILEPASS = 0x85, 0x18, 0x0A, 0x2F
_MACRO_SHEET = 1
_BUILT_IN = {1: "Auto_Open", 2: "Auto_Close", 0xA: "Auto_Activate", 0xB: "Auto_Deactivate"}


@dataclass(frozen=True, slots=True)
class BiffMacros:
    """What the workbook stream of an .xls says about Excel 4.0 macros."""

    sheets: tuple[str, ...]
    auto_names: tuple[str, ...]
    encrypted: bool


def auto_names(workbook_xml: str) -> tuple[str, ...]:
    """Return the defined names of xl/workbook.xml that run by themselves."""
    found: dict[str, None] = {}
    for match in _DEFINED.finditer(workbook_xml):
        name = _NAME.search(match.group(1))
        if name and _AUTO.match(name.group(1)):
            found[name.group(1)] = None
    return tuple(found)


def auto_names_of_binary(workbook: bytes) -> tuple[str, ...]:
    """Return the names of a binary workbook (xlsb) that run by themselves, found as the text they are stored as."""
    text = workbook.decode("utf-16-le", "replace") + workbook[1:].decode("utf-16-le", "replace")
    return tuple(dict.fromkeys(match.group(0) for match in _AUTO.finditer(text)))


def sheet_meaning(sheet_xml: str, auto: tuple[str, ...]) -> Meaning:
    """Read the formulas of a macro sheet. Names of functions are looked for as calls, split texts put together."""
    formulas: list[str] = []
    for match in _FORMULA.finditer(sheet_xml):
        formulas.append(_unescaped(match.group(1) or match.group(2)))
        if len(formulas) >= MAX_CELLS:
            break
    found: dict[str, dict[str, None]] = {kind: {} for kind in _CALLS}
    decided: list[str] = []
    startup = download = False
    for formula in formulas:
        joined = re.sub(r"\"\s*&\s*\"", "", formula)
        hits = [(kind, name) for kind, names in _CALLS.items() for name in names if _calls(joined, name)]
        for kind, name in hits:
            found[kind][name] = None
        startup = startup or bool(_STARTUP.search(joined))
        download = download or bool(_DOWNLOAD.search(joined))
        if hits:
            decided.append(formula)
    return Meaning(
        auto_run=auto, writes=tuple(found["writes"]), executes=tuple(found["executes"]),
        downloads=("URL",) if download else (), startup_folder=startup, lines=len(formulas),
        excerpt=printable("\n".join(decided), keep_newlines=True)[:MAX_EXCERPT],
    )  # fmt: skip


def _calls(formula: str, name: str) -> bool:
    return re.search(r"(?<![A-Za-z.])" + re.escape(name) + r"\s?\(", formula, re.IGNORECASE) is not None


def _unescaped(text: str) -> str:
    for entity, character in _ENTITIES:
        text = text.replace(entity, character)
    return text


def read_biff(data: bytes) -> BiffMacros:
    """Read sheets and names of a BIFF8 workbook stream; damage ends the reading, what was found before is kept."""
    sheets: list[str] = []
    names: list[str] = []
    encrypted = False
    for kind, body in _records(data):
        if kind == _BOUNDSHEET and len(body) >= 8 and body[5] == _MACRO_SHEET:
            sheets.append(_short_text(body[6:]))
        elif kind == _LABEL and len(body) >= 15:
            name = _defined_name(body)
            if name is not None:
                names.append(name)
        elif kind == _FILEPASS:
            encrypted = True
        elif kind == _EOF:
            break  # the workbook's globals come first and name all there is
    return BiffMacros(tuple(dict.fromkeys(sheets)), tuple(dict.fromkeys(names)), encrypted)


def _records(data: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    for _ in range(MAX_RECORDS):
        if position + 4 > len(data):
            return
        kind, size = struct.unpack_from("<HH", data, position)
        yield kind, data[position + 4 : position + 4 + size]
        position += 4 + size


def _defined_name(body: bytes) -> str | None:
    """Return the name of a Lbl record if it runs by itself: a built-in number, or a text that begins so."""
    flags, length = struct.unpack_from("<HxB", body)
    if flags & 0x20:
        return _BUILT_IN.get(body[15] if len(body) > 15 else 0)
    text = body[15 : 15 + length].decode("latin-1")
    return text if _AUTO.match(text) else None


def _short_text(data: bytes) -> str:
    count, wide = data[0], data[1] & 1
    raw = data[2 : 2 + count * (2 if wide else 1)]
    return raw.decode("utf-16-le" if wide else "latin-1", "replace")

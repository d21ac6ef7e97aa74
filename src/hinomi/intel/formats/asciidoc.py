"""AsciiDoc: its headings, tables, links and code blocks brought to the forms that plain text is read in."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hinomi.intel.encoding import decode
from hinomi.intel.format import document
from hinomi.model.claims import Document

_TITLED = re.compile(rb"^={1,6} +\S", re.MULTILINE)
_ATTRIBUTE = re.compile(r"^:!?[\w-]{1,60}!?:(?: .*)?$")
_BLOCK_MARK = re.compile(r"^\[[^\]\n]{0,200}\]$")
_FENCE = re.compile(r"^(?:-{4,}|\.{4,}|={4,}|_{4,}|\*{4,}|\+{4,}|--)$")
_TABLE = re.compile(r"^[|,:!]={3,}$")
_MARKED = re.compile(rf"={{1,6}} +\S|{_ATTRIBUTE.pattern}|{_TABLE.pattern}|\[source")
# A defanged dot in brackets belongs to the address, it is no label. The label is optional, so that every address is
# passed over once and the search stays linear.
_LINK = re.compile(
    r"(?:link:)?((?:https?|hxxps?|ftp)://(?:[^\s\[\]]|\[(?:[.:]|dot)\]){1,600}+)(?:\[(?!(?:[.:]|dot)\])([^\[\]\n]{0,300})\])?"
)
_MARKS = frozenset(":[-.=_*+|,!/")
"""How the lines begin, outside tables, that are more than text."""
_HEADING_MARK = re.compile(r"^={1,6}(?= )")
_ANCHOR = re.compile(r"\[\[[\w-]{1,80}\]\]")
_HEAD = 4096


class _AsciiDoc:
    name = "asciidoc"
    media_types = ("text/asciidoc", "text/x-asciidoc")

    def sniff(self, data: bytes) -> int:
        head = data[:_HEAD]
        if _TITLED.search(head) is None:
            return 0
        lines = head.decode("ascii", "replace").splitlines()
        marks = sum(1 for line in lines if line[:1] in _MARKS and _MARKED.match(line))
        return 40 if marks + sum(1 for line in lines if line.startswith("include::")) >= 2 else 0

    def extract(self, data: bytes, source: str) -> Document:
        text, encoding, notes = decode(data, source)
        lines = text.splitlines()
        title = next((line.lstrip("= ").strip() for line in lines[:20] if line.startswith("= ")), None)
        plain = "\n".join(_plain(lines))
        return document(
            data, source, plain, media_type="text/asciidoc", encoding=encoding, title=title, notes=notes
        )  # fmt: skip


def _plain(lines: list[str]) -> Iterator[str]:
    """Yield the lines as Markdown has them: `#` headings, one table row a line, code and prose kept."""
    row: list[str] | None = None
    code: str | None = None
    for line in lines:
        bare = line.rstrip()
        if code is not None:
            code = None if bare == code else code
            yield "" if code is None else bare
        elif row is None and bare[:1] not in _MARKS:
            yield _line(bare) if "://" in bare or "[[" in bare else bare
        elif bare[1:4] == "===" and _TABLE.match(bare):
            yield from _row(row)
            row = [] if row is None else None
        elif row is not None:
            yield from _cells(bare, row)
        elif _FENCE.match(bare):
            code = bare if bare[0] in "-.+" and len(bare) > 2 else None
            yield ""
        elif not (_ATTRIBUTE.match(bare) or _BLOCK_MARK.match(bare) or bare.startswith("//")):
            yield _line(bare)
    yield from _row(row)


def _cells(line: str, row: list[str]) -> Iterator[str]:
    """Gather cells: a blank line ends a row, and so does a line that holds several cells."""
    cells = [cell.strip() for cell in line.split("|")[1:]]
    if not line.strip() or len(cells) > 1:
        yield from _row(row)
        row.clear()
    row += [_line(cell) for cell in cells] if cells else ([_line(line.strip())] if line.strip() else [])
    if len(cells) > 1:
        yield from _row(row)
        row.clear()


def _row(row: list[str] | None) -> Iterator[str]:
    if row:
        yield "| " + " | ".join(row) + " |"


def _line(line: str) -> str:
    if "://" not in line and "[[" not in line and line[:1] != "=":
        return line
    if "[[" in line:
        line = _ANCHOR.sub("", line)
    if line.startswith("="):
        line = _HEADING_MARK.sub(lambda found: "#" * len(found[0]), line)
    return _LINK.sub(lambda found: f"{found[2]} ({found[1]})" if found[2] else found[1], line)


FORMAT = _AsciiDoc()

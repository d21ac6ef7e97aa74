"""Table rows that give a thing of the system: `| Mutex | Global\\X |`, `| X | サービス名 |`."""

from __future__ import annotations

import re

from hinomi.intel.indicators.scan import Scan
from hinomi.intel.vocabulary.columns import heads_column
from hinomi.model.claims import ClaimType, Span

_CELL_BEGINS = re.compile(r"(?:^|[|\t])[ *]{0,3}(?:windows |malicious |created )?$")
_CELL_ENDS = re.compile(
    r"(?:es|s)?(?P<name> ?(?:object |オブジェクト)?(?:names?|の?名前?|values?))?[ *]{0,3}(?=[|\t\n]|$)"
)
_NEXT = re.compile(r"[|\t][ `\"'*]{0,4}(?P<value>[^|\t\n`\"'*]{2,120}?)[ `\"'*]{0,4}(?=[|\t\n]|$)")
_PREVIOUS = re.compile(
    r"(?:^|[|\t])[ `\"'*]{0,4}(?P<value>[^|\t\n`\"'* ][^|\t\n`\"'*]{1,120}?)[ `\"'*]{0,4}[|\t][^|\t]{0,20}$"
)
_MADE = re.compile(r"[\d_\\{}#$]|[a-z][A-Z]")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z.-]{3,40}(?: [A-Za-z.-]{1,20}){0,3}")
_INDICATOR_ROW = re.compile(
    r"(?:^|\n)[|\s*]{0,6}(?:mutex|named pipe|pipe|scheduled task|md5|sha-?\d|ipv?[46]?\b|domain|url|registry|file|ja3|"
    r"hash|user-agent|ミューテックス|名前付きパイプ|ハッシュ|ドメイン|レジストリ|ファイル|通信先|タスク名|サービス名)"
)
_NEAR = 160
"""Characters above and below a row in which its neighbours are looked for."""


def named_in_row(scan: Scan, kind: ClaimType, start: int, end: int) -> Span | None:
    """Return where the name stands that a row gives beside the cell `start:end`; None where the cue is no cell."""
    ends = _CELL_ENDS.match(scan.lower, end)
    line = scan.line_start(start)
    begins = _CELL_BEGINS.search(scan.lower, line, start) if ends else None
    if not ends or not begins:
        return None
    for found in (_NEXT.match(scan.text, ends.end()), _PREVIOUS.search(scan.text, max(line, start - 150), start)):
        if found and _is_name(scan, kind, found["value"], line, named=ends["name"] is not None):
            return found.span("value")
    return None


def _is_name(scan: Scan, kind: ClaimType, value: str, line: int, *, named: bool) -> bool:
    """Whether a cell is a name: one made word, or a plain one below a table's head; `named`: the cue says `name`."""
    if not value.isascii() or len(value.split()) > (4 if named else 1) or "/" in value or value.endswith((".", ":")):
        return False
    if heads_column(value):
        return False
    if kind in ("mutex", "pipe") or named:
        below = line > 0 and "|" in scan.text[scan.line_start(line - 1) : line]
        return bool(_MADE.search(value)) or (below and _PLAIN.fullmatch(value) is not None)
    around = scan.lower[max(0, line - _NEAR) : line] + scan.lower[scan.text.find("\n", line) :][:_NEAR]
    return bool(_MADE.search(value) and _INDICATOR_ROW.search(around))

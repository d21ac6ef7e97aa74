"""Registry keys and values."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hinomi.intel.extractor import Candidate
from hinomi.intel.indicators.japanese import cut_at_japanese
from hinomi.intel.indicators.scan import Scan

_HIVE = re.compile(
    r"(?<![A-Za-z0-9_\\])(?:HKEY_(?:LOCAL_MACHINE|CURRENT_USER|CLASSES_ROOT|USERS|CURRENT_CONFIG)|HK(?:LM|CU|CR|U|CC))"
    r"(?::?(?=\\)|:(?=\w)|\](?=\\))",
    re.IGNORECASE,
)
_STOP = re.compile(r"[\"'`<>|\n\t;,\u3001\u3002\u300c-\u3011\uff08\uff09\[\]]")
_NEXT_PART = re.compile(r" (?:[\w().&+-]{1,30} ){0,4}[\w().&+-]{1,30}\\")


class _Registry:
    name = "registry"
    order = 35

    def find(self, scan: Scan) -> Iterator[Candidate]:
        for start in scan.words("hk"):
            match = _HIVE.match(scan.text, start)
            if match is None or scan.taken(start, match.end()):
                continue
            end = _end(scan.text, match.end(), scan.text[start - 1 : start])
            value = scan.text[start:end].replace("\\\\", "\\").replace(":\\", "\\")
            if "\\" not in value.rstrip("\\"):
                continue
            scan.take(start, end)
            yield scan.candidate("registry-key", value.rstrip("\\"), start, end, confidence=80)


def _end(text: str, position: int, quote: str) -> int:
    stop = _STOP.search(text, position, position + 500)
    limit = stop.start() if stop else min(len(text), position + 500)
    if quote and quote in "\"'`" and stop and stop.group() == quote:
        return limit
    end = position
    while end < limit:
        blank = text.find(" ", end, limit)
        if blank < 0:
            end = limit
            break
        if not _NEXT_PART.match(text, blank, limit):
            end = blank
            break
        end = blank + 1
    value = cut_at_japanese(text[position:end], "\\")
    return position + len(value.rstrip(".,:!) "))


FAMILY = _Registry()

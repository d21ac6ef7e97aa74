"""Host names, and paths on them written without a scheme. A file name or a detection name is never one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hinomi.intel.extractor import Candidate
from hinomi.intel.indicators.hosts import is_host
from hinomi.intel.indicators.japanese import cut_at_japanese
from hinomi.intel.indicators.naming import kind_of
from hinomi.intel.indicators.roles import network_role
from hinomi.intel.indicators.scan import Scan

_PATH = re.compile(r"(?::\d{1,5})?/[\w%&=?./#~+@:;,$!*()\u3005-\u9fff-]{0,2048}")
_BROKEN = re.compile(r"([A-Za-z0-9.-]{1,80}-)-?\n[ \t]*$")


class _Domain:
    name = "domain"
    order = 45

    def find(self, scan: Scan) -> Iterator[Candidate]:
        for start, end in scan.dotted:
            if scan.taken(start, end):
                continue
            token = scan.text[start:end].rstrip("-_")
            if "_" in token or not token[-1].isdigit():
                end = start + len(token)
                if kind_of(scan, start, end) == "domain":
                    yield _candidate(scan, start, end)


def _candidate(scan: Scan, start: int, end: int) -> Candidate:
    host = scan.lower[start:end].lstrip("-")
    start = end - len(host)
    line_before = scan.text.rfind("\n", max(0, start - 4), start)
    hyphen = line_before > 0 and scan.text[line_before - 1] == "-"
    broken = _BROKEN.search(scan.text, max(0, start - 90), start) if hyphen else None
    if broken and is_host((broken.group(1) + host).lower()) and not scan.taken(broken.start(), start):
        alternative = host
        host, start = broken.group(1).lower() + host, broken.start()
        scan.take(start, end)
        role, confidence, why = network_role(scan, start, end, host)
        return scan.candidate(
            "domain",
            host,
            start,
            end,
            role=role,
            confidence=confidence - 10,
            why=why,
            broken=True,
            alternatives=[alternative],
        )
    if tail := _path(scan.text, end):
        end += len(tail)
        scan.take(start, end)
        role, confidence, why = network_role(scan, start, end, host)
        return scan.candidate("url", host + tail, start, end, role=role, confidence=confidence, why=why, host=host)
    scan.take(start, end)
    role, confidence, why = network_role(scan, start, end, host)
    return scan.candidate("domain", host, start, end, role=role, confidence=confidence, why=why)


def _path(text: str, end: int) -> str:
    """Return the port and path that follow a host written without a scheme; empty when there is no path."""
    match = _PATH.match(text, end)
    if match is None:
        return ""
    tail = cut_at_japanese(match.group(), "/=?&").rstrip(".,;:!?*)")
    return tail if tail.partition("/")[2] else ""


FAMILY = _Domain()

"""Identifiers of the trade: CVE, ATT&CK, JVN, KB, GHSA, AS numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hinomi.intel.extractor import Candidate
from hinomi.intel.indicators.scan import Scan
from hinomi.intel.techniques.crosswalk import OURS, crosswalk, version_of
from hinomi.intel.vocabulary.techniques import technique_names, today

_CVE = re.compile(r"cve[-\s_]{1,3}((?:19|20)\d\d)[-\s]{1,3}(\d{4,7})(?!\d)")
_MORE_CVE = re.compile(
    r"(?:\s*(?:,|、|/|・|;|&|and|or|および|及び|や|と|または|ならびに)\s*){1,2}-(\d{4,7})(?![\d-])|/(\d{4,7})(?![\d/-])"
)
_TECHNIQUE = re.compile(r"T(?<![A-Za-z0-9.#].)(?:[01]\d{3}(?:[./]\d{3})?|A0[01]\d\d)(?![A-Za-z0-9]|\.\d)")
_JVN = re.compile(r"jvn(?:#\d{8}|vu#\d{8}|ta#\d{8}|db-\d{4}-\d{6})(?!\d)")
_KB = re.compile(r"kb(?<![a-z0-9]..) ?(\d{6,7})(?!\d)")
_GHSA = re.compile(r"ghsa(?:-[23456789cfghjmpqrvwx]{4}){3}(?![a-z0-9])")
_ASN = re.compile(r"AS(?<![A-Za-z0-9_-]..)(?:N[ :]?)? ?(\d{2,10})(?![\w.-])")
# Numbers that ATT&CK has given out: enterprise, mobile, ICS. The gaps between are part numbers and years.
_RANGES = ((800, 899), (1001, 1222), (1398, 1700))


class _Identifier:
    name = "identifier"
    order = 5

    def find(self, scan: Scan) -> Iterator[Candidate]:
        yield from _cves(scan)
        yield from _techniques(scan)
        if "jvn" in scan.lower:
            for match in _JVN.finditer(scan.lower):
                yield scan.candidate("jvn", match.group().upper(), *match.span(), role="reference", confidence=95)
        for match in _KB.finditer(scan.lower):
            yield scan.candidate("kb", "KB" + match.group(1), *match.span(), role="reference", confidence=85)
        if "ghsa" in scan.lower:
            for match in _GHSA.finditer(scan.lower):
                value = "GHSA" + match.group()[4:]
                yield scan.candidate("ghsa", value, *match.span(), role="reference", confidence=95)
        for match in _ASN.finditer(scan.text):
            if len(match.group(1)) >= 4 or match.group().startswith("ASN"):
                yield scan.candidate("asn", "AS" + match.group(1), *match.span(), confidence=70)


_THROUGH = re.compile(r"\s?(?:through|thru|to|-|–|~|～|〜|から)\s?")
_MAX_BETWEEN = 50


def _between(scan: Scan, first: re.Match[str] | None, last: re.Match[str]) -> Iterator[Candidate]:
    """The numbers that `CVE-1 through CVE-5` means but does not write out."""
    if first is None or first[1] != last[1] or not _THROUGH.fullmatch(scan.lower, first.end(), last.start()):
        return
    low, high = int(first[2]), int(last[2])
    for number in range(low + 1, high if high - low <= _MAX_BETWEEN else low):
        value = f"CVE-{last[1]}-{number:0{len(first[2])}d}"
        yield scan.candidate(
            "cve", value, first.start(), last.end(), confidence=75, why="within the stated range", implied=True
        )


def _cves(scan: Scan) -> Iterator[Candidate]:
    previous: re.Match[str] | None = None
    for match in _CVE.finditer(scan.lower):
        yield from _between(scan, previous, match)
        previous = match
        if scan.lower[match.start() - 1 : match.start()].isalnum() and scan.lower[match.start() - 1].isascii():
            continue
        year = match.group(1)
        yield _cve(scan, year, match.group(2), match.start(), match.end())
        more = _MORE_CVE.match(scan.lower, match.end())
        while more is not None:
            group = 1 if more.group(1) else 2
            start = more.start(group) - (1 if group == 1 else 0)
            yield _cve(scan, year, more.group(group), start, more.end())
            more = _MORE_CVE.match(scan.lower, more.end())


def _cve(scan: Scan, year: str, number: str, start: int, end: int) -> Candidate:
    return scan.candidate("cve", f"CVE-{year}-{number}", start, end, confidence=97)


def _techniques(scan: Scan) -> Iterator[Candidate]:
    for match in _TECHNIQUE.finditer(scan.text):
        value = match.group().replace("/", ".")
        if value.startswith("TA"):
            valid = 1 <= int(value[2:]) <= 43 or 100 <= int(value[2:]) <= 112
        else:
            valid = any(low <= int(value[1:5]) <= high for low, high in _RANGES)
        if valid:
            ours, why = today(crosswalk(value, to=OURS)), "named by its number"
            if ours != value:
                known = "ATT&CK v19" if version_of(value) == "19" else "an older ATT&CK"
                why = f"named by its number; {value} of {known} is {ours} of v18"
            candidate = scan.candidate(
                "attack-technique", ours, *match.span(), confidence=90, why=why, attack_version=version_of(value)
            )
            yield candidate._replace(canonical=technique_names().get(ours))


FAMILY = _Identifier()

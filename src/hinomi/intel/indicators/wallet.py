"""Cryptocurrency addresses: Bitcoin, Ethereum, Monero. Checksums where the form has one."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from hinomi.intel.extractor import Candidate
from hinomi.intel.indicators.scan import Scan

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32 = re.compile(r"bc1(?<![0-9A-Za-z]...)[ac-hj-np-z02-9]{11,71}(?![0-9A-Za-z])")
_LEGACY = re.compile(r"(?<![/+=_-])[13][1-9A-HJ-NP-Za-km-z]{25,34}(?![0-9A-Za-z/+=_-])")
_ETHER = re.compile(r"0x(?<![0-9A-Za-z]..)[0-9a-fA-F]{40}(?![0-9A-Za-z])")
_MONERO = re.compile(r"[48][0-9AB][1-9A-HJ-NP-Za-km-z]{93}(?:[1-9A-HJ-NP-Za-km-z]{11})?(?![0-9A-Za-z])")
# both are asked only where a run of letters and digits begins


class _Wallet:
    name = "wallet"
    order = 50

    def find(self, scan: Scan) -> Iterator[Candidate]:
        text = scan.text
        if "bc1" in text:
            for match in _BECH32.finditer(text):
                yield _claim(scan, match, "btc")
        for match in _at_runs(scan, "13", _LEGACY):
            if _checked(match.group()):
                yield _claim(scan, match, "btc")
        if "0x" in text:
            for match in _ETHER.finditer(text):
                yield _claim(scan, match, "eth")
        for match in _at_runs(scan, "48", _MONERO):
            yield _claim(scan, match, "xmr")


def _at_runs(scan: Scan, firsts: str, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
    """Yield the matches at the beginnings of long runs of letters and digits that begin with one of `firsts`."""
    for start, _ in scan.long_runs:
        if scan.text[start] in firsts and (match := pattern.match(scan.text, start)):
            yield match


def _claim(scan: Scan, match: re.Match[str], currency: str) -> Candidate:
    scan.take(*match.span())
    return scan.candidate("wallet", match.group(), *match.span(), role="malicious", confidence=80, currency=currency)


def _checked(value: str) -> bool:
    """Verify the four check bytes of a base-58 address."""
    number = 0
    for character in value:
        number = number * 58 + _BASE58.index(character)
    if number.bit_length() > 200:
        return False
    raw = number.to_bytes(25, "big")
    return hashlib.sha256(hashlib.sha256(raw[:-4]).digest()).digest()[:4] == raw[-4:]


FAMILY = _Wallet()

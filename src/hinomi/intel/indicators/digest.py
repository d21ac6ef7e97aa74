"""Hashes written in hex: MD5, SHA-1, SHA-256, SHA-512, import hashes, JA3. Keys and other hex are none."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from hinomi.intel.extractor import Candidate
from hinomi.intel.indicators.scan import Scan
from hinomi.model.claims import ClaimRole, ClaimType, Span

_BY_LENGTH: dict[int, ClaimType] = {32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}
_LABELS: dict[str, tuple[ClaimType, int]] = {
    "imphash": ("imphash", 32), "imp hash": ("imphash", 32), "import hash": ("imphash", 32),
    "インポートハッシュ": ("imphash", 32),
    "ja3s": ("ja3", 32), "ja3": ("ja3", 32), "md5": ("md5", 32), "sha-1": ("sha1", 40), "sha1": ("sha1", 40),
    "sha-256": ("sha256", 64), "sha256": ("sha256", 64), "sha2": ("sha256", 64), "sha-512": ("sha512", 128),
    "sha512": ("sha512", 128), "hash": ("md5", 0), "ハッシュ": ("md5", 0), "checksum": ("md5", 0),
    "fingerprint": ("md5", 0),
}  # fmt: skip
"""Word -> its type and length; length 0 says only that a hash follows."""
_LABEL = re.compile("|".join(sorted(map(re.escape, _LABELS), key=len, reverse=True)))
_NOT_A_HASH = re.compile(
    r"\b(?:aes|rc4|des|3des|xor|chacha20?|salsa20|blowfish|hmac|encryption|decryption|session|api|license"
    r"|secret|private|public|hard-?coded)?[ -]?keys?\b"
    r"|\biv\b|\bnonce\b|\bsalt\b|\btoken\b|\bseed\b|\bpassword ?hash\b|\blicen[sc]e\b|\bpassword\b|\bpasswd\b"
    r"|\bguid\b|\buuid\b|\bserial\b|\bcookie\b|\bbuild ?id\b|\bcampaign id\b|\bbot ?id\b"
    r"|\brc4\b|\baes\b|暗号鍵|復号鍵|鍵|キー(?:は|:|：|が)|ソルト|パスワード|トークン|シリアル"
)
TRIVIAL = {
    hashlib.new(algorithm, content, usedforsecurity=False).hexdigest(): words
    for content, words in ((b"", "of empty input"), (b"\n", "of a single newline"), (b"\0", "of a single zero byte"))
    for algorithm in ("md5", "sha1", "sha256", "sha512")
}
"""Hashes that every empty or trivial file has: a match says nothing."""
_COMMIT = re.compile(r"\bcommit\b|\brevision\b|コミット")
_LEGITIMATE = re.compile(r"legitimate|benign|clean file|正規の|正規ファイル")
_GAP = re.compile(r"(?:-?[ \t]*\n[ \t]*|[ ](?![ \t\n]))(?=[0-9a-fA-F])")
_EDGE = frozenset("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


class _Digest:
    name = "digest"
    order = 60

    def find(self, scan: Scan) -> Iterator[Candidate]:
        runs = scan.hex_runs
        number = 0
        chain_end = -1  # where a chain of pieces ends that form no hash
        while number < len(runs):
            start, end = runs[number]
            whole = end - start in _BY_LENGTH
            linked = start == chain_end and not whole
            follow = 0 if linked else _joined(scan, runs, number)
            if follow:
                yield from _pieces(scan, runs[number : number + follow])
            elif whole:
                yield from _whole(scan, start, end)
            else:
                gap = _GAP.match(scan.text, end)
                chain_end = gap.end() if gap else -1
            number += max(follow, 1)


def _whole(scan: Scan, start: int, end: int) -> Iterator[Candidate]:
    text = scan.text
    if not _free_standing(text, start, end):
        return
    kind = _kind(scan, start, end - start)
    if kind is None or _in_address(scan, start, end):
        return
    yield _candidate(scan, kind, text[start:end].lower(), start, end)


def _free_standing(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    if before in _EDGE and not (before in ("x", "X") and text[start - 2 : start - 1] == "0"):
        return False
    if before in ("x", "X"):
        return False
    if before == "-" and text[start - 2 : start - 1].isalnum():
        return False
    return after not in _EDGE and not (after == "-" and text[end + 1 : end + 2].isalnum())


def _in_address(scan: Scan, start: int, end: int) -> bool:
    """Part of a URL: an identifier, unless the URL looks a sample up."""
    if not scan.taken(start, end):
        return False
    before = scan.before(start, 120).rsplit(" ", 1)[-1]
    return not ("virustotal.com" in before or "{vt" in before) and "://" in before


def _kind(scan: Scan, start: int, length: int) -> ClaimType | None:
    """The hash's type by its length and label; None when the words before it speak of a key or an identifier."""
    value = scan.lower[start : start + length]
    if len(set(value)) < 5:
        return None
    before = scan.before(start, 48)
    if not before.strip():
        return _BY_LENGTH[length] if not value.isdigit() else None
    label, place = _label(before, length)
    if _other_secret(before) > place:
        return None
    if value.isdigit() and label is None and length < 64:
        return None
    if label is None and length == 32 and _column_says_imphash(scan, start):
        return "imphash"
    return label or _BY_LENGTH[length]


@lru_cache(maxsize=4096)  # the lines of a list begin alike
def _other_secret(before: str) -> int:
    """Return where the last words in `before` end that speak of a key or an identifier (-1: nowhere)."""
    return max((match.end() for match in _NOT_A_HASH.finditer(before)), default=-1)


@lru_cache(maxsize=4096)
def _label(before: str, length: int) -> tuple[ClaimType | None, int]:
    """Return the type that the last fitting label in `before` names, and where that label stands (-1: nowhere)."""
    best: tuple[ClaimType | None, int] = (None, -1)
    for match in _LABEL.finditer(before):
        kind, size = _LABELS[match.group()]
        if size in (0, length):
            best = (kind if size else _BY_LENGTH[length], match.start())
    return best


def _column_says_imphash(scan: Scan, start: int) -> bool:
    return "imphash" in scan.heading(start) and "md5" not in scan.heading(start)


def _candidate(scan: Scan, kind: ClaimType, value: str, start: int, end: int, **extra: bool) -> Candidate:
    role: ClaimRole = "sample"
    confidence, why = 80, ""
    before = scan.before(start, 40).strip(" |`-*")
    if trivial := TRIVIAL.get(value):
        role, confidence, why = "benign", 5, f"the hash {trivial}"
    elif kind == "sha1" and before and _COMMIT.search(before):
        role, confidence, why = "reference", 15, "a source code revision"
    elif kind in ("imphash", "ja3"):
        role, why = "malicious", "labelled so"
    elif before and _LEGITIMATE.search(before):
        role, confidence, why = "benign", 20, "the text calls it legitimate"
    return scan.candidate(kind, value, start, end, role=role, confidence=confidence, why=why, **extra)


def _joined(scan: Scan, runs: Sequence[Span], number: int) -> int:
    """Return how many runs from `number` on form one hash that was broken over lines or into groups; 0 for none."""
    text = scan.text
    start, end = runs[number]
    if text[start - 1 : start] in _EDGE:
        return 0
    total = end - start
    groups = [total]
    for count in range(1, 17):
        if number + count >= len(runs):
            return 0
        following = runs[number + count]
        gap = _GAP.match(text, end)
        if gap is None or gap.end() != following[0] or text[end : following[0]].count("\n") > 1:
            return 0
        total += following[1] - following[0]
        groups.append(following[1] - following[0])
        end = following[1]
        if total in _BY_LENGTH and _free_standing(text, start, end) and _plausible_join(scan, start, groups, total):
            return count + 1
        if total >= 128:
            return 0
    return 0


def _plausible_join(scan: Scan, start: int, groups: Sequence[int], total: int) -> bool:
    """Two whole hashes side by side are two hashes; pieces need a label, or must not be hashes themselves."""
    label, _ = _label(scan.before(start, 48) or "", total)
    if label is None:
        label, _ = _label(scan.lower[max(0, start - 40) : start].replace("\n", " "), total)
    whole = [size for size in groups if size in _BY_LENGTH]
    if label and _exact(scan, start, total):
        return True
    return not whole and len(set(groups[:-1])) == 1 and (label is not None or groups[0] >= 16)


def _exact(scan: Scan, start: int, total: int) -> bool:
    """The label right before names this very length (`SHA256:` before 40 + 24 characters)."""
    before = scan.lower[max(0, start - 40) : start]
    sizes = [_LABELS[match.group()][1] for match in _LABEL.finditer(before)]
    return next((size == total for size in reversed(sizes) if size), False)


def _pieces(scan: Scan, runs: Sequence[Span]) -> Iterator[Candidate]:
    start, end = runs[0][0], runs[-1][1]
    value = "".join(scan.lower[a:b] for a, b in runs)
    kind = _kind_of_joined(scan, start, value)
    if kind:
        yield _candidate(scan, kind, value, start, end, broken=True)


def _kind_of_joined(scan: Scan, start: int, value: str) -> ClaimType | None:
    label, _ = _label(scan.lower[max(0, start - 48) : start].replace("\n", " "), len(value))
    return label or _BY_LENGTH.get(len(value))


FAMILY = _Digest()

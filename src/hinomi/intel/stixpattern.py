"""STIX patterns -> the values they compare with. What a pattern denies or only resembles is left out.

Object paths follow STIX 2.1 part 4 (cyber-observable objects) and part 9 (patterning).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from hinomi.model.claims import ClaimType

MAX_PATTERN = 200_000
_COMPARED = re.compile(
    r"(?P<path>[a-z0-9][a-z0-9-]{1,80}:(?:'[^'\\\n]{1,80}'|[\w.\[\]*-]){1,60})\s{0,9}(?P<deny>NOT\s{1,9})?"
    r"(?P<operator>!=|=|IN|ISSUBSET|LIKE|MATCHES)\s{0,9}\(?\s{0,9}(?=')"
)
_LITERAL = re.compile(r"'((?:[^'\\]|\\.){0,4000})'(\s{0,9},\s{0,9}(?='))?", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
PathType = ClaimType | Literal["any"]
_EXACT = frozenset({"=", "IN", "ISSUBSET"})
_HASH: dict[str, ClaimType] = {
    "MD5": "md5", "SHA-1": "sha1", "SHA1": "sha1", "SHA-256": "sha256", "SHA256": "sha256", "SHA-512": "sha512",
    "SHA512": "sha512", "SSDEEP": "ssdeep", "TLSH": "tlsh",
}  # fmt: skip
_PATHS: dict[str, PathType] = {
    "ipv4-addr:value": "ipv4", "ipv6-addr:value": "ipv6", "domain-name:value": "domain", "url:value": "url",
    "email-addr:value": "email", "email-message:from_ref.value": "email", "email-message:sender_ref.value": "email",
    "file:name": "filename", "windows-registry-key:key": "registry-key", "mutex:name": "mutex",
    "user-account:account_login": "account", "user-account:user_id": "account",
    "process:extensions.'windows-service-ext'.service_name": "service", "network-traffic:dst_ref.value": "any",
    "network-traffic:src_ref.value": "any", "domain-name:resolves_to_refs[*].value": "any",
    "network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'": "user-agent",
    "file:extensions.'windows-pebinary-ext'.imphash": "imphash", "autonomous-system:number": "asn",
}  # fmt: skip
FOLDER = "file:parent_directory_ref.path"


class Compared(NamedTuple):
    """One comparison of a pattern: what is looked at, the claim type it has (None: any), and the value."""

    path: str
    type: ClaimType | None
    value: str


def compared(pattern: str) -> list[Compared]:
    """Return the values a pattern looks for; a folder and a file name beside each other become one path."""
    found = list(_comparisons(pattern[:MAX_PATTERN]))
    folders = [c.value for c in found if c.path == FOLDER]
    names = [c for c in found if c.path == "file:name"]
    if len(folders) == 1 and len(names) == 1:
        mark = "\\" if "\\" in folders[0] else "/"
        whole = Compared("file:path", "filepath", f"{folders[0].rstrip(mark)}{mark}{names[0].value}")
        return [whole, *(c for c in found if c.path not in (FOLDER, "file:name"))]
    return [c._replace(path="file:path", type="filepath") if c.path == FOLDER else c for c in found]


def _comparisons(pattern: str) -> Iterator[Compared]:
    for match in _COMPARED.finditer(pattern):
        kind = path_type(match["path"])
        if match["deny"] or match["operator"] not in _EXACT or kind is None:
            continue
        place = match.end()
        while literal := _LITERAL.match(pattern, place):
            yield Compared(match["path"], None if kind == "any" else kind, _ESCAPED.sub(r"\1", literal[1]))
            if not literal[2]:
                break
            place = literal.end()


def path_type(path: str) -> PathType | None:
    """Return the claim type an object path speaks of, `any` where its value decides, None where we know none."""
    if path == FOLDER:
        return "filepath"
    head, mark, algorithm = path.partition("hashes.")
    if mark and head.startswith(("file:", "artifact:")):
        return _HASH.get(algorithm.strip("'").upper())
    return _PATHS.get(path)


def hash_type(algorithm: str) -> ClaimType | None:
    """Return the claim type of a hash algorithm as STIX and CybOX name it."""
    return _HASH.get(algorithm.upper())

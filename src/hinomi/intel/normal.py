"""Values as lists and feeds give them -> the normal form of claims, or nothing where the value is not what it says.

Feeds write the same address in many ways (`Evil[.]Example`, `HXXP://`, `203.0.113.9/32`), mix types in one column, and
hold values that fit everyone: the hash of the empty file, a private address, a large public site.
"""

from __future__ import annotations

import ipaddress
import re
from functools import cache, lru_cache
from typing import NamedTuple

from hinomi.intel.indicators.digest import TRIVIAL
from hinomi.intel.indicators.hosts import BENIGN_SITES, REFERENCE_SITES, benign_address, site_in
from hinomi.intel.indicators.refang import refang
from hinomi.model.claims import ClaimType

MAX_VALUE = 4000
_HASHES: dict[ClaimType, int] = {"md5": 32, "imphash": 32, "ja3": 32, "sha1": 40, "sha256": 64, "sha512": 128}
_BY_LENGTH: dict[int, ClaimType] = {32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}
_HEX = re.compile(r"[0-9a-fA-F]+")
_BARE = re.compile(r"[\w.-]+")
_HOST = re.compile(r"(?:[\w](?:[\w-]{0,61}[\w])?\.){1,30}(?:xn--[a-z0-9-]{2,59}|[^\W\d_]{2,63})\.?")
_EMAIL = re.compile(r"[^\s@<>\"'/]{1,64}@((?:[\w](?:[\w-]{0,61}[\w])?\.){1,30}[^\W\d_][\w-]{1,62})")
_CVE = re.compile(r"CVE-\d{4}-\d{4,9}", re.IGNORECASE)
_TECHNIQUE = re.compile(r"T\d{4}(?:\.\d{3})?", re.IGNORECASE)
_PATH = re.compile(r"(?:[A-Za-z]:\\|\\\\|/|%[A-Za-z_]{2,30}%\\|~/)\S.{0,2000}")
_REGISTRY = re.compile(r"(?i)(?:HKLM|HKCU|HKCR|HKU|HKEY_[A-Z_]{5,20})\\.{1,2000}")
_FILE = re.compile(r"[^\s/\\:*?\"<>|]{1,120}\.[A-Za-z0-9]{1,8}")


class Normal(NamedTuple):
    """A value's type and normal form; `harmless` says why it could never mean an attack."""

    type: ClaimType
    value: str
    harmless: str | None = None


def clean(text: str, limit: int = MAX_VALUE) -> str:
    """Return one line of storable text: white space joined, no NUL, no lone surrogate, at most `limit` characters."""
    plain = text[: limit * 4].encode("utf-8", "replace").decode().replace("\0", "\ufffd")
    return " ".join(plain.split())[:limit]


@lru_cache(maxsize=1024)
def normal(kind: ClaimType | None, value: str) -> Normal | None:
    """Return the normal form of `value`, which its source calls a `kind` (None: it does not say).

    None where the value has not the form of its kind.
    """
    plain = clean(value)
    if not plain:
        return None
    if kind is None:
        return _guessed(plain)
    if kind in ("ipv4", "ipv6", "cidr"):
        return _address(_refanged(plain))
    if kind in _HASHES:
        return _hash(kind, plain)
    form = _FORMS.get(kind)
    return form(plain) if form else Normal(kind, plain)


def _refanged(value: str) -> str:
    """Most values have nothing to rewrite, and lists are long."""
    return value if _BARE.fullmatch(value) else refang(value).text


def _guessed(value: str) -> Normal | None:
    plain = _refanged(value)
    for form in (_hash_by_length, _address, _url, _email, _registry, _path, _cve, _technique, _file, _domain):
        found = form(plain)
        if found is not None:
            return found
    return None


def _address(value: str) -> Normal | None:
    host, slash, bits = value.partition("/")
    try:
        if slash and bits not in ("32", "128"):
            return Normal("cidr", str(ipaddress.ip_network(value, strict=False)))
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None
    return Normal("ipv4" if address.version == 4 else "ipv6", str(address).lower(), benign_address(address))


def _hash(kind: ClaimType, value: str) -> Normal | None:
    if len(value) != _HASHES[kind] or not _HEX.fullmatch(value):
        return None
    trivial = TRIVIAL.get(value.lower())
    return Normal(kind, value.lower(), f"the hash {trivial}" if trivial else None)


def _hash_by_length(value: str) -> Normal | None:
    kind = _BY_LENGTH.get(len(value))
    return _hash(kind, value) if kind else None


def _url(value: str) -> Normal | None:
    scheme, mark, rest = _refanged(value).partition("://")
    if not mark or not rest or not scheme.isascii() or not scheme.replace("+", "").isalnum() or " " in rest:
        return None
    host = re.split(r"[/:?#]", rest.rpartition("@")[2] if "@" in rest.split("/")[0] else rest)[0]
    bare = rest.rstrip("/").lower() == host.lower()
    return Normal("url", f"{scheme.lower()}://{rest}", _site(host) if bare else None)


def _any_url(value: str) -> Normal | None:
    plain = _refanged(value)
    return _url(plain) or (Normal("url", plain) if "/" in plain[1:] and " " not in plain else None)


def _domain(value: str) -> Normal | None:
    plain = _refanged(value).lower().removeprefix("*.").rstrip("/")
    if not _HOST.fullmatch(plain):
        return None
    return Normal("domain", plain.rstrip("."), _site(plain))


def _host(value: str) -> Normal | None:
    return _address(_refanged(value)) or _domain(value)


def _site(host: str) -> str | None:
    if site_in(host, REFERENCE_SITES):
        return "a site that reports cite as a source"
    return "a large public site" if site_in(host, BENIGN_SITES) else None


def _email(value: str) -> Normal | None:
    plain = _refanged(value).strip("<>")
    return Normal("email", plain.lower()) if _EMAIL.fullmatch(plain) else None


def _cve(value: str) -> Normal | None:
    return Normal("cve", value.upper()) if _CVE.fullmatch(value) else None


def _technique(value: str) -> Normal | None:
    return Normal("attack-technique", value.upper()) if _TECHNIQUE.fullmatch(value) else None


def _path(value: str) -> Normal | None:
    return Normal("filepath", value) if _PATH.fullmatch(value) and not value.startswith("//") else None


def _registry(value: str) -> Normal | None:
    return Normal("registry-key", value) if _REGISTRY.fullmatch(value) else None


def _file(value: str) -> Normal | None:
    """A file name only where its ending is one that files have: `a.exe`, not `evil.example`."""
    extension = value.rpartition(".")[2].lower()
    return Normal("filename", value) if _FILE.fullmatch(value) and extension in _executable() else None


@cache
def _executable() -> frozenset[str]:
    return frozenset(
        "exe dll sys bat ps1 vbs js jse hta lnk scr msi doc docm docx xls xlsm xlsx ppt pdf rtf jar elf bin iso img"
        " vhd chm cab rar 7z php aspx asp jsp war py dat tmp cmd cpl ocx one".split()
    )


_FORMS = {
    "url": _any_url, "domain": _host, "email": _email, "cve": _cve, "attack-technique": _technique,
}  # fmt: skip

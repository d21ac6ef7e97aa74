"""What makes a dotted name a host: its top-level domain, and the names that only look like one."""

from __future__ import annotations

import ipaddress
import re
from functools import cache, lru_cache
from itertools import takewhile
from typing import Any

from hinomi.intel.indicators.words import data_words

_SPECIAL = frozenset({"onion", "i2p"})
_LABEL = r"(?:\w(?:[\w-]{0,61}\w)?|_[\w-]{1,61})"
_LABELS = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
FILE_EXTENSIONS = data_words("file_extensions.txt")
_PRODUCTS = data_words("dotted_products.txt")
REFERENCE_SITES = data_words("reference_sites.txt")
BENIGN_SITES = data_words("benign_sites.txt")


@cache
def _suffixes() -> Any:
    from publicsuffixlist import PublicSuffixList

    # Encoded names are turned back by `_unicode`: loading is twice as fast without them.
    return PublicSuffixList(only_icann=True, accept_encoded_idn=False)


@cache
def _branched() -> frozenset[str]:
    """The top-level domains below which there are further public suffixes (`co.uk`, `*.ck`)."""
    from publicsuffixlist import ENCODING, PSLFILE

    with open(PSLFILE, encoding=ENCODING) as file:
        icann = takewhile(lambda line: "===END ICANN DOMAINS===" not in line, file)
        rules = [line.strip() for line in icann if not line.startswith("//")]
    return frozenset(rule.rpartition(".")[2] for rule in rules if "." in rule)


@lru_cache(maxsize=8192)
def is_tld(label: str) -> bool:
    """Tell whether `label` (small letters) is a top-level domain: ICANN's, or one of the hidden networks'."""
    if label in _SPECIAL:
        return True
    label = _unicode(label)
    if not label.isalpha():
        return False
    return label in _branched() or _suffixes().publicsuffix(label, accept_unknown=False) is not None


def _unicode(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return label.encode("ascii").decode("idna")
    except UnicodeError:
        return label


RESERVED = frozenset({"example", "test", "invalid"})


@lru_cache(maxsize=8192)
def is_documentation_host(name: str) -> bool:
    """Tell whether `name` (small letters) ends in a name kept for documentation and tests (RFC 2606)."""
    labels = name.split(".")
    return (
        len(labels) >= 2 and len(name) <= 253 and labels[-1] in RESERVED and _LABELS.fullmatch(name) is not None
    )  # fmt: skip


@lru_cache(maxsize=8192)
def is_host(name: str) -> bool:
    """Tell whether `name` (small letters) is a registrable name or one below it, in form."""
    labels = name.split(".")
    if len(labels) < 2 or len(name) > 253 or not is_tld(labels[-1]):
        return False
    if not _LABELS.fullmatch(name):
        return False
    if labels[-1] in _SPECIAL or (labels[-1].isascii() and "-" not in labels[-1] and labels[-1] not in _branched()):
        return True
    if labels[-1].startswith("xn--"):
        name = ".".join((*labels[:-1], _unicode(labels[-1])))
    return _suffixes().privatesuffix(name, accept_unknown=False) is not None


def is_product(token: str) -> bool:
    """Tell whether a dotted token (small letters) is the name of a product or technology (`Node.js`, `ASP.NET`)."""
    return token in _PRODUCTS


def site_in(host: str, sites: frozenset[str]) -> bool:
    """Tell whether `host` or a domain above it is in `sites`."""
    above = host.lower().rstrip(".")
    while "." in above:
        if above in sites:
            return True
        above = above.partition(".")[2]
    return False


def address_of(text: str) -> ipaddress.IPv4Address | None:
    """Return the dotted IPv4 address that `text` is, or None. Leading zeros are no address."""
    parts = text.split(".")
    if len(parts) != 4 or not text.isascii():
        return None
    number = 0
    for part in parts:
        if not part.isdigit() or len(part) > 3 or (part[0] == "0" and len(part) > 1) or int(part) > 255:
            return None
        number = number << 8 | int(part)
    return ipaddress.IPv4Address(number)


_RESOLVERS = frozenset(
    int(ipaddress.IPv4Address(address))
    for address in ("8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9", "208.67.222.222", "208.67.220.220")
)


def benign_address(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str | None:
    """Return why an address points at no attacker (private, loopback, a public resolver), or None."""
    number = int(address)
    if address.version == 4:
        if number in _RESOLVERS:
            return "a public DNS resolver"
        if number >> 24 not in _FIRST_OCTETS:
            return None
    ranges = _RANGES_4 if address.version == 4 else _RANGES_6
    return next((why for first, last, why in ranges if first <= number <= last), None)


def _ranges(*networks: tuple[str, str]) -> tuple[tuple[int, int, str], ...]:
    known = ((ipaddress.ip_network(network), why) for network, why in networks)
    return tuple((int(network.network_address), int(network.broadcast_address), why) for network, why in known)


_ITSELF, _UNROUTED, _OWN = "the machine itself", "an address that is not routed", "a private address"
_RANGES_4 = _ranges(
    ("127.0.0.0/8", _ITSELF), ("0.0.0.0/32", _ITSELF), ("224.0.0.0/4", _UNROUTED), ("169.254.0.0/16", _UNROUTED),
    ("255.255.255.255/32", _UNROUTED), ("10.0.0.0/8", _OWN), ("172.16.0.0/12", _OWN), ("192.168.0.0/16", _OWN),
    ("0.0.0.0/8", _OWN), ("240.0.0.0/4", _OWN),
)  # fmt: skip
_FIRST_OCTETS = frozenset(octet for low, high, _ in _RANGES_4 for octet in range(low >> 24, (high >> 24) + 1))
_RANGES_6 = _ranges(
    ("::1/128", _ITSELF), ("::/128", _ITSELF), ("ff00::/8", _UNROUTED), ("fe80::/10", _UNROUTED), ("fc00::/7", _OWN)
)
"""First and last number, and what the addresses between are; the first range that fits counts."""

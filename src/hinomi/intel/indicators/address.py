"""IPv4 and IPv6 addresses and networks. A version, a section or a date number is never one."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from hinomi.intel.extractor import Candidate
from hinomi.intel.indicators.hosts import address_of, benign_address
from hinomi.intel.indicators.roles import network_role
from hinomi.intel.indicators.scan import Scan
from hinomi.model.claims import ClaimType

_SENTENCE_END = re.compile(r"[.!?] |。")
_PREFIX = re.compile(r"/(\d{1,3})(?![\w/]|\.\d)")
_PORT = re.compile(r":(\d{1,5})(?!\d)")
_VERSION_WORDS = re.compile(
    r"versions?|\bver\b|\bver\.|\bv\.|builds?\b|firmware|releases?\b|revision|\brev\b|sections?|figures?"
    r"|chapters?|§|\boid\b|\bsdk\b|kernel"
    r"|patch(?:es|ed)?\b|\bup(?:date|grade)[ds]?\b(?![.-])|hotfix|fixed in|prior to|\bbefore\b|バージョン"
    r"|ビルド|ファームウェア|リビジョン|アップデート|アップグレード|更新|修正版|章|図|表\d|節|全\d*$"
)
_ADDRESS_WORDS = re.compile(
    r"\bip\b|\bips\b|ipv4|address|servers?\b|\bhosts?\b|\bc2\b|c&c|connect|contact|beacon|traffic|\bport\b"
    r"|\bdns\b|proxy|\bfrom\b|network|\btcp\b|\budp\b"
    r"|scan|attack|infrastructure|resol|ipアドレス|アドレス|通信|サーバ|接続|ホスト|送信元|宛先"
)
_VERSION_AFTER = re.compile(
    r"\s*(?:\(?(?:or|and|&) (?:later|earlier|above|below|newer|older|higher|lower|prior|before|up)|\+(?!\+)"
    r"|以降|以前|以上|以下|未満|より前|より古|へ(?:の)?(?:アップ|更新)"
    r"|に(?:アップ|更新)|で(?:修正|対処|解消)|への|系|版|節|章|(?:is|are|was) (?:fixed|affected|vulnerable"
    r"|released)|(?:fixes|fixed|addresses|resolves)\b|\(java|[-~–]\s?\d+sv)"
)
_PRODUCT_BEFORE = re.compile(r"(?:^|[\s(（「,、])([A-Z][A-Za-z0-9+-]*(?: [A-Z][A-Za-z0-9+-]*)*) $")
_RUN6 = re.compile(r"[0-9A-Fa-f:]{2,45}(?:\.\d{1,3}\.\d{1,3}\.\d{1,3})?")
_PAIR6 = re.compile(r":(?=[0-9A-Fa-f]{0,4}:)")
_SMALL = 64


class _Address:
    name = "address"
    order = 30

    def find(self, scan: Scan) -> Iterator[Candidate]:
        yield from _version_6(scan)
        for start, end in scan.dotted:
            if scan.text[start].isdigit() and scan.text[end - 1].isdigit() and not scan.taken(start, end):
                for found in _version_4(scan, start, end):
                    yield found
                    if found.type == "ipv4" and scan.text.startswith(_MORE_MARKS, end):
                        yield from _more_4(scan, found, end)


_MORE_4 = re.compile(
    r"(?:\s?(?:,|、|/|&|and|or|および|及び|や|と)\s?){1,2}(?:\[\.\]|\(\.\))(?P<octet>\d{1,3})(?!\d|\.\d|[\[(])",
    re.IGNORECASE,
)
_MORE_MARKS = (",", " ", "、", "/", "お", "及", "や", "と")
_MAX_MORE = 64


def _more_4(scan: Scan, first: Candidate, end: int) -> Iterator[Candidate]:
    """The last octets that a list gives alone: `203.0.113[.]4, [.]5 and [.]6`."""
    network = first.value.rpartition(".")[0]
    for _ in range(_MAX_MORE):
        found = _MORE_4.match(scan.text, end)
        address = address_of(f"{network}.{found['octet']}") if found else None
        if found is None or address is None:
            return
        end = found.end()
        span = scan.original(found.start("octet"), end)
        yield first._replace(value=str(address), span=span, attributes={"defanged": True, "shortened": True})


def _version_4(scan: Scan, start: int, end: int) -> Iterator[Candidate]:
    parts = scan.text[start:end].split("-")
    if (
        len(parts) > 2
        or (start > 0 and scan.text[start - 1] in "./")
        or scan.text[end : end + 2].startswith(("..", "_"))
    ):
        return
    place = start
    for part in parts:
        address = address_of(part)
        stop = place + len(part)
        if address is None or (scan.text[stop : stop + 1] == "." and scan.text[stop + 1 : stop + 2].isdigit()):
            return
        if _is_address(scan, place, stop, address):
            yield _candidate_4(scan, place, stop, address)
        else:
            scan.take(place, stop)
        place = stop + 1


def _candidate_4(scan: Scan, start: int, end: int, address: ipaddress.IPv4Address) -> Candidate:
    kind: ClaimType = "ipv4"
    value = str(address)
    extra = {}
    follows = scan.text[end : end + 1]
    if follows == "/" and (prefix := _PREFIX.match(scan.text, end)) and 8 <= int(prefix.group(1)) <= 32:
        network = ipaddress.IPv4Network(f"{value}/{prefix.group(1)}", strict=False)
        kind, value, end = "cidr", str(network), prefix.end()
    elif follows == ":" and (port := _PORT.match(scan.text, end)) and 0 < int(port.group(1)) < 65536:
        extra["port"] = int(port.group(1))
    scan.take(start, end)
    return _with_role(scan, kind, value, start, end, address, extra)


def _with_role(
    scan: Scan,
    kind: ClaimType,
    value: str,
    start: int,
    end: int,
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
    extra: dict[str, int],
) -> Candidate:
    reason = benign_address(address)
    if reason:
        return scan.candidate(kind, value, start, end, role="benign", confidence=10, why=reason, **extra)
    role, confidence, why = network_role(scan, start, end, value)
    return scan.candidate(kind, value, start, end, role=role, confidence=confidence, why=why, **extra)


def _is_address(scan: Scan, start: int, end: int, address: ipaddress.IPv4Address) -> bool:
    """Tell an address from a version, a section, an object identifier."""
    if scan.defanged(start, end):
        return True
    before, after = scan.before(start, 48), scan.after(end, 24)
    small = all(octet < _SMALL for octet in address.packed)
    if _VERSION_AFTER.match(after) or (small and after.startswith(("まで", "から"))):
        return False
    own = _SENTENCE_END.split(before)[-1]  # what an earlier sentence speaks of says nothing of this number
    version, talk = _last(_VERSION_WORDS, own), _last(_ADDRESS_WORDS, own)
    if version > talk:
        return False
    product = bool(_PRODUCT_BEFORE.search(scan.text[max(0, start - 48) : start]))
    if not small:  # `Product 9.0.0.100`: versions count up from zero in the middle
        return not (product and talk < 0 and 0 in address.packed[1:3])
    if talk >= 0 or _PORT.match(scan.text, end) or _PREFIX.match(scan.text, end):
        return True
    return not product and _listed(scan, start, end)


def _last(pattern: re.Pattern[str], text: str) -> int:
    place = -1
    for match in pattern.finditer(text):
        place = match.start()
    return place


def _listed(scan: Scan, start: int, end: int) -> bool:
    """Alone in its line or table cell, under words that speak of addresses."""
    before, after = scan.before(start, 40).strip(" \t-*•|`'\""), scan.after(end, 40).strip(" \t|`'\",;")
    return not before and not after and bool(_ADDRESS_WORDS.search(scan.lead(start)))


def _version_6(scan: Scan) -> Iterator[Candidate]:
    text = scan.text
    low = 0
    for pair in _PAIR6.finditer(text):
        if pair.start() < low:
            continue
        start = pair.start()
        while start > low and pair.start() - start < 5 and text[start - 1] in "0123456789abcdefABCDEF":
            start -= 1
        run = _RUN6.match(text, start)
        if run is None:
            continue
        low = run.end()
        value = run.group().rstrip(".")
        if value.endswith(":") and not value.endswith("::"):
            value = value[:-1]
        end = start + len(value)
        address = _address_6(value)
        if address is None or scan.taken(start, end) or _glued(text, start, end):
            continue
        yield _candidate_6(scan, start, end, address)


def _address_6(value: str) -> ipaddress.IPv6Address | None:
    groups = [group for group in value.split(":") if group]
    if len(groups) < 2 and value != "::1":
        return None
    if not any(character.isdigit() for character in value):
        return None
    try:
        return ipaddress.IPv6Address(value)
    except ValueError:
        return None


def _glued(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    return (before.isascii() and (before.isalnum() or before in ("_", ":", "."))) or (
        after.isascii() and (after.isalnum() or after == "_")
    )


def _candidate_6(scan: Scan, start: int, end: int, address: ipaddress.IPv6Address) -> Candidate:
    kind: ClaimType = "ipv6"
    value = str(address)
    if (prefix := _PREFIX.match(scan.text, end)) and 12 <= int(prefix.group(1)) <= 128:
        kind, value, end = "cidr", str(ipaddress.IPv6Network(f"{value}/{prefix.group(1)}", strict=False)), prefix.end()
    scan.take(start, end)
    return _with_role(scan, kind, value, start, end, address, {})


FAMILY = _Address()

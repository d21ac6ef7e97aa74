"""URLs: with any of the schemes that malware uses, with Japanese host names and paths, broken over lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hinomi.intel.extractor import Candidate
from hinomi.intel.indicators.hosts import FILE_EXTENSIONS, address_of, is_host, is_tld
from hinomi.intel.indicators.japanese import cut_at_japanese, is_japanese
from hinomi.intel.indicators.roles import network_role
from hinomi.intel.indicators.scan import Scan

_SCHEMES = frozenset(
    {
        "http",
        "https",
        "ftp",
        "ftps",
        "sftp",
        "tftp",
        "ws",
        "wss",
        "tcp",
        "udp",
        "tls",
        "ssl",
        "socks",
        "socks5",
        "smb",
        "ssh",
    }
    | {
        "git",
        "svn",
        "ldap",
        "ldaps",
        "rmi",
        "dns",
        "rtmp",
        "stratum+tcp",
        "stratum+ssl",
        "telnet",
        "mysql",
        "redis",
        "mongodb",
    }
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+]{1,11}$")
_USER = re.compile(r"[^\s/@?#<>\"'\[\]()|]{1,100}@")
_HOST6 = re.compile(r"\[([0-9A-Fa-f:.]{2,45})\]")
_HOST = re.compile(r"[\w.-]{1,253}")
_PORT = re.compile(r":\d{1,5}(?!\d)")
_REST = re.compile(r"[^\s<>\"'`|^{}\\\[\]\u3001\u3002\u300c-\u3011\uff08\uff09]{0,4096}")
_END = ".,;:!?*_~、。)）＞+"
_NEXT_LINE = re.compile(r"-?\n[ \t]*(?=([\w%&=?./#~+:-]+))")
_CONTINUES = re.compile(r"[\w%=&?~.+-]*/|[\w%=&?~+-]*\.[A-Za-z0-9]{2,5}$|[\w.-]*[=&%]")
_TOP = re.compile(r"\.((?:xn--)?[A-Za-z][A-Za-z0-9-]{1,23})(?![A-Za-z0-9-])")


class _Url:
    name = "url"
    order = 10

    def find(self, scan: Scan) -> Iterator[Candidate]:
        low = 0
        for place in scan.words("://"):
            if place < low:
                continue
            found = _read(scan, place, low)
            if found is None:
                continue
            start, end, value, host, pieces = found
            low = end
            scan.take(start, end)
            role, confidence, why = network_role(scan, start, end, host)
            extra = {"broken": True} if pieces else {}
            yield scan.candidate(
                "url", value, start, end, role=role, confidence=confidence, why=why, host=host, **extra
            )


def _read(scan: Scan, place: int, low: int) -> tuple[int, int, str, str, bool] | None:
    """Return (start, end, value, host, was broken over lines) of the URL whose `://` stands at `place`."""
    text = scan.text
    match = _SCHEME.search(text, max(low, place - 12), place)
    scheme = match.group().lower() if match else ""
    while scheme and scheme not in _SCHEMES:  # `urlhttp://` glued by a broken table
        scheme = scheme[1:]
    if not scheme:
        return None
    start = place - len(scheme)
    position = place + 3
    user = _USER.match(text, position, position + 120)
    position = user.end() if user else position
    host, host_end = _host(text, position)
    if not host:
        return None
    port = _PORT.match(text, host_end)
    end = port.end() if port else host_end
    end = _path_end(text, end, start)
    login = user.group() if user else ""
    shown = f"[{host}]" if ":" in host else host
    value = f"{scheme}://{login}{shown}{text[host_end:end]}"
    longer = _continuation(scan, end)
    if longer is None:
        return start, end, value, host, False
    gap, stop = longer
    return start, stop, value + text[gap:stop], host, True


def _host(text: str, position: int) -> tuple[str, int]:
    """Return the host at `position` in small letters and its end; an empty host when there is none."""
    if bracketed := _HOST6.match(text, position):
        return bracketed.group(1).lower(), bracketed.end()
    match = _HOST.match(text, position)
    if match is None:
        return "", position
    chunk = match.group()
    if not chunk.isascii():
        chunk = _international(chunk)
    chunk = chunk.rstrip(".-_")
    if not chunk:
        return "", position
    return (chunk.lower() if _is_reachable(chunk.lower()) else ""), position + len(chunk)


def _international(chunk: str) -> str:
    """Cut a host before the Japanese that follows it: `evil.comにアクセス`, but not `さくら.com`."""
    end = 0
    for top in _TOP.finditer(chunk):
        if is_tld(top.group(1).lower()) and (top.end() == len(chunk) or is_japanese(chunk[top.end()])):
            end = top.end()
    if end:
        return chunk[:end]
    place = next((n for n, c in enumerate(chunk) if is_japanese(c)), len(chunk))
    return chunk[:place]


def _is_reachable(host: str) -> bool:
    if address_of(host) or (host.isdigit() and 7 < len(host) < 11) or host.startswith("0x"):
        return True
    if "." not in host:
        return False
    return is_host(host) or host.rsplit(".", 1)[-1] in (
        "local",
        "lan",
        "internal",
        "corp",
        "test",
        "invalid",
        "example",
        "bit",
        "bazar",
        "coin",
        "lib",
        "emc",
    )


def _path_end(text: str, end: int, start: int) -> int:
    if end >= len(text) or text[end] not in "/?#":
        return end
    match = _REST.match(text, end)
    rest = match.group() if match else ""
    for scheme in ("http://", "https://"):
        if (again := rest.find("," + scheme)) >= 0:
            rest = rest[:again]
    if start > 0 and text[start - 1] == ",":  # a column of comma-separated values
        rest = rest.split(",", 1)[0]
    rest = _balanced(cut_at_japanese(rest, "/=?&"))
    return end + len(rest.rstrip(_END) if not rest.endswith(")") else rest)


def _balanced(rest: str) -> str:
    """Cut at the first closing bracket that nothing in the URL opened, then strip what ends a sentence."""
    if "(" not in rest and ")" not in rest:
        return rest.rstrip(_END)
    depth = 0
    for place, character in enumerate(rest):
        if character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
            if depth < 0:
                return rest[:place].rstrip(_END)
    return rest.rstrip(_END.replace(")", "")) if depth == 0 else rest.rstrip(_END + "(")


def _continuation(scan: Scan, end: int) -> tuple[int, int] | None:
    """Return where a URL broken after `/`, `-`, `=`... goes on in the next line, and where it ends there."""
    text = scan.text
    if end >= len(text) or text[end - 1] not in "/-_=&?%":
        return None
    gap = _NEXT_LINE.match(text, end)
    if gap is None or text[end] == "-":
        return None
    piece = gap.group(1)[:2048].rstrip(_END)
    if "://" in piece or piece.lower().startswith("www.") or not _CONTINUES.match(piece):
        return None
    head = piece.split("/", 1)[0]
    if address_of(head) or (is_host(head.lower()) and head.lower().rsplit(".", 1)[-1] not in FILE_EXTENSIONS):
        return None
    return gap.end(), gap.end() + len(piece)


FAMILY = _Url()

"""File paths: Windows (drive, variable, share; yen signs), Unix, with Japanese folder and file names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from hinomi.intel.extractor import Candidate
from hinomi.intel.indicators.japanese import cut_at_japanese
from hinomi.intel.indicators.roles import file_role
from hinomi.intel.indicators.scan import Scan
from hinomi.intel.vocabulary.namesakes import conditions
from hinomi.model.claims import Span

_BACKSLASH = re.compile(r"\\{1,2}(?=[\w%$<.\[{~(])")
_VARIABLE = re.compile(r"%[A-Za-z_][\w()]{1,30}%$|\$env:\w{2,20}$", re.IGNORECASE)
_SHARE = re.compile(r"[\w.-]{1,64}\\[\w$]")
_WINDOWS_STOP = re.compile(
    r"<(?![\w %-]{1,24}>[\\/])|>(?![\\/])|[\"'`|\n\t*?;,{}\u3001\u3002\u300c-\u3011\uff08\uff09]"
)
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,5}$")
_NEXT_PART = re.compile(r" (?:[\w().&+-]{1,30} ){0,3}[\w().&+-]{1,30}\\")
_SLASH = re.compile(r"/(?<![A-Za-z0-9_./\\:%&?=}\])-]/)(?=[\w.~-])")
_ASSIGNED = re.compile(r"/(?<=[:=]/)(?=(?:tmp|etc|var|usr|opt|home|root|bin|dev)/)")
_DRIVE = re.compile(r":/(?<=[A-Za-z]:/)(?<![A-Za-z0-9]...)(?=\w)")
_HOME = re.compile(r"~/(?<![\w.~/-]~/)(?=[\w.~-])")
_IN_VARIABLE = re.compile(r"\$\{?[A-Z_]{2,20}\}?/(?=[\w.~-])")
_UNIX = re.compile(r"[\w.+@%~#$={}:*/-]+")
_ROOTS = frozenset(
    {
        "tmp",
        "etc",
        "var",
        "usr",
        "bin",
        "sbin",
        "opt",
        "home",
        "root",
        "dev",
        "proc",
        "sys",
        "lib",
        "lib64",
        "boot",
        "run",
        "mnt",
        "srv",
        "media",
    }
    | {
        "library",
        "users",
        "applications",
        "private",
        "system",
        "volumes",
        "data",
        "sdcard",
        "system32",
        "cf",
        "flash",
        "jffs",
        "overlay",
        "rom",
    }
)
_WEB_ROOTS = frozenset(
    {
        "api",
        "cgi-bin",
        "wp-content",
        "wp-includes",
        "wp-admin",
        "js",
        "css",
        "images",
        "img",
        "assets",
        "static",
        "v1",
        "v2",
        "v3",
        "admin",
    }
    | {
        "index.php",
        "search",
        "blog",
        "news",
        "en",
        "ja",
        "en-us",
        "en_us",
        "remote",
        "login",
        "vpn",
        "owa",
        "ecp",
        "autodiscover",
        "dana-na",
    }
)
_WEB_END = re.compile(r"\.(?:php\d?|aspx?|jspx?|html?|cgi|do|action|js|css)$", re.IGNORECASE)
_REQUEST = re.compile(
    r"\b(?:uri|url|urls|get|post|put|head|endpoint|request|path component|route|http)s?\b[\s:\"'`]*$|リクエスト"
    r"|エンドポイント"
)
_LONGEST = 1024
_FLAGS = re.compile(r"/[a-zA-Z?]{1,12}")


class _Path:
    name = "path"
    order = 40

    def find(self, scan: Scan) -> Iterator[Candidate]:
        if "\\" in scan.text:
            yield from _windows(scan)
        yield from _unix(scan)


def _windows(scan: Scan) -> Iterator[Candidate]:
    text = scan.text
    low = 0
    for match in _BACKSLASH.finditer(text):
        if match.start() < low:
            continue
        start = _windows_start(text, match, low)
        if start is None or scan.taken(start, match.end()):
            continue
        end = _windows_end(text, match.end(), text[start - 1 : start])
        low = max(end, match.end())
        share = text.startswith("\\\\", start)
        value = "\\" * share + text[start + share : end].replace("\\\\", "\\")
        if end - start < 4 or value.lower().startswith("\\\\.\\pipe"):
            continue
        scan.take(start, end)
        yield _candidate(scan, value, start, end)


def _windows_start(text: str, match: re.Match[str], low: int) -> int | None:
    """Return where the path begins whose first backslash this is: at its drive, variable or share."""
    place = match.start()
    before = text[place - 1 : place]
    if before == ":" and place - 2 >= low and text[place - 2].isascii() and text[place - 2].isalpha():
        glued = text[place - 3 : place - 2] if place > 2 else ""
        return None if glued.isascii() and glued.isalnum() else place - 2
    if before == "%" or "$env:" in text[max(low, place - 26) : place].lower():
        variable = _VARIABLE.search(text, max(low, place - 40), place)
        return variable.start() if variable else None
    if len(match.group()) == 2 and not (before.isascii() and before.isalnum()) and _SHARE.match(text, match.end()):
        return place
    return None


def _windows_end(text: str, position: int, quote: str) -> int:
    """Return where the path ends: at its closing quote, else at a stop character or a blank that begins prose."""
    stop = _WINDOWS_STOP.search(text, position, position + 400)
    limit = stop.start() if stop else min(len(text), position + 400)
    if quote and quote in "\"'`" and stop and stop.group() == quote:
        return limit
    end = position
    while end < limit:
        blank = text.find(" ", end, limit)
        if blank < 0:
            end = limit
            break
        part = text[position:blank]
        done = _EXTENSION.search(part.rstrip(".,:;!)")) and not part.endswith((".0", ".5"))
        if done or part.endswith((".", ",", ";")) or not _NEXT_PART.match(text, blank, limit):
            end = blank
            break
        end = blank + 1
    value = cut_at_japanese(text[position - 1 : end], "\\/")[1:]
    return position + len(value.rstrip(".,:!)]\\ " if "(" not in value else ".,:!]\\ "))


def _unix(scan: Scan) -> Iterator[Candidate]:
    low = 0
    for start, after in _unix_starts(scan.text):
        if start < low or scan.taken(start, after):
            continue
        body = _UNIX.match(scan.text, after, after + _LONGEST)  # bounded: an endless token has many beginnings
        if body is None:
            continue
        tail = cut_at_japanese("/" + body.group(), "/")[1:].rstrip(".,:;*-/=")
        end = after + len(tail)
        low = end
        if not tail or not _is_unix_path(scan, scan.text[start:after], tail, start):
            continue
        scan.take(start, end)
        yield _candidate(scan, scan.text[start:end], start, end)


def _unix_starts(text: str) -> list[tuple[int, int]]:
    """Return (start, place after the first slash) of everything that may begin a path, in order."""
    starts = [match.span() for match in _SLASH.finditer(text)]
    for pattern in (_ASSIGNED, _HOME, _IN_VARIABLE):  # each begins with a literal, which the engine skips to
        starts += [match.span() for match in pattern.finditer(text)]
    starts += _drives(text)
    return sorted(starts)


def _drives(text: str) -> list[Span]:
    """Return (start, place after the first slash) of paths such as `C:/Users`."""
    return [(match.start() - 1, match.end()) for match in _DRIVE.finditer(text)]


def _is_unix_path(scan: Scan, head: str, tail: str, start: int) -> bool:
    """A path of a file system, not a switch (`/quiet`), a ratio or the path of a request."""
    if head != "/":
        return True
    parts = tail.split("/")
    first = parts[0].lower()
    if first in _ROOTS:
        return len(parts) > 1 or first in ("tmp", "etc", "proc", "root", "dev") or "." in tail
    if len(parts) < 2 or first in _WEB_ROOTS or _WEB_END.search(tail) or "=" in tail or tail.isdigit():
        return False
    if _REQUEST.search(scan.before(start, 30)) or not any(c.isalpha() for c in first):
        return False
    if scan.text[start - 1 : start].isalpha():  # glued to Japanese, where `/` also means "or"
        return "." in parts[-1] and scan.text[start + 1].isascii()
    return len(parts) >= 3 or "." in parts[-1] or first.startswith(".")


def _candidate(scan: Scan, value: str, start: int, end: int) -> Candidate:
    name = re.split(r"[\\/]", value)[-1]
    namesake = conditions(name)
    attributes: dict[str, Any] = {"name": name} | namesake
    role, why = file_role(scan, start, end, name, honest=bool(namesake))
    return scan.candidate("filepath", value, start, end, role=role, confidence=70, why=why, **attributes)


FAMILY = _Path()

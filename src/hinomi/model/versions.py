"""Version comparison as each ecosystem does it, and OSV range evaluation. Pure: text in, order out.

Sources: Maven's ComparableVersion rules, Debian policy §5.6.12, RPM's rpmvercmp, Semantic Versioning 2.0.0, PEP 440,
the OSV schema 1.6 (affected[].ranges[].events).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cmp_to_key, lru_cache
from itertools import zip_longest
from typing import Any

MAX_VERSION = 256  # longer texts are compared by their first 256 characters

_TOKEN = re.compile(r"[0-9]+|[A-Za-z]+")


def compare(left: str, right: str, ecosystem: str) -> int:
    """Return -1, 0 or 1. Any text compares with any other; unknown ecosystems use the generic order."""
    a, b = left.strip()[:MAX_VERSION], right.strip()[:MAX_VERSION]
    order = _ORDERS.get(ecosystem.partition(":")[0].lower(), compare_generic)
    return order(a, b)


def in_interval(version: str, low: str | None, high: str | None, ecosystem: str) -> bool:
    """Whether low <= version <= high; None leaves a side open."""
    above = low is None or compare(version, low, ecosystem) >= 0
    return above and (high is None or compare(version, high, ecosystem) <= 0)


def in_range(version: str, osv_affected: Mapping[str, Any], ecosystem: str) -> bool:
    """Whether `version` is affected by one `affected` object of an OSV record.

    `versions` lists win by equality; `ranges` of type ECOSYSTEM or SEMVER are evaluated by their events in order.
    Ranges of type GIT say nothing about a version.
    """
    if any(compare(version, listed, ecosystem) == 0 for listed in osv_affected.get("versions", ())):
        return True
    ranges = osv_affected.get("ranges", ())
    return any(_in_events(version, r.get("events", ()), ecosystem) for r in ranges if r.get("type") != "GIT")


def _in_events(version: str, events: Any, ecosystem: str) -> bool:
    """Walk the events in version order, as the OSV schema's evaluation algorithm does."""
    flat = [(kind, str(at)) for event in events for kind, at in event.items()]
    affected = False
    for kind, at in sorted(flat, key=_event_key(ecosystem)):
        order = 1 if at == "0" and kind == "introduced" else compare(version, at, ecosystem)
        if kind == "introduced" and order >= 0:
            affected = True
        elif (kind == "fixed" and order >= 0) or (kind == "last_affected" and order > 0):
            affected = False
    return affected


def _event_key(ecosystem: str) -> Callable[[tuple[str, str]], Any]:
    ranks = {"introduced": 0, "fixed": 1, "last_affected": 2}

    def order(a: tuple[str, str], b: tuple[str, str]) -> int:
        if "0" in (a[1], b[1]) and a[1] != b[1]:
            return -1 if a[1] == "0" else 1
        return compare(a[1], b[1], ecosystem) or ranks.get(a[0], 3) - ranks.get(b[0], 3)

    return cmp_to_key(order)


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


# Maven

_QUALIFIERS = {
    "alpha": 0, "a": 0, "beta": 1, "b": 1, "milestone": 2, "m": 2, "rc": 3, "cr": 3, "snapshot": 4,
    "": 5, "ga": 5, "final": 5, "release": 5, "sp": 6,
}  # fmt: skip


def compare_maven(left: str, right: str) -> int:
    """Order by Maven's rules: `alpha < beta < milestone < rc < snapshot < release < sp < other words < numbers`."""
    return _sign(_maven_lists(_maven_parse(left), _maven_parse(right)))


@lru_cache(maxsize=4096)
def _maven_parse(version: str) -> tuple[Any, ...]:
    """Return nested items: int, qualifier text or tuple (what stands behind a hyphen)."""
    stack: list[list[Any]] = [[]]
    previous = ""
    for token, separator in _maven_tokens(version.lower()):
        changes = bool(previous) and previous.isdigit() != token.isdigit() and separator == ""
        if separator == "-" or changes:
            stack.append([])
        followed = token
        stack[-1].append(int(token) if token.isdigit() else followed)
        previous = token
    nested: tuple[Any, ...] = ()
    for items in reversed(stack):
        trimmed = list(items)
        while trimmed and trimmed[-1] in (0, "", "ga", "final", "release"):
            trimmed.pop()
        nested = tuple([*trimmed, nested] if nested else trimmed)
    return nested


def _maven_tokens(version: str) -> list[tuple[str, str]]:
    """Return (token, separator before it); an empty place between separators is a zero."""
    tokens: list[tuple[str, str]] = []
    end = 0
    for match in _TOKEN.finditer(version):
        between = version[end : match.start()]
        tokens.append((match.group(), "-" if "-" in between else between[:1]))
        end = match.end()
    return tokens


def _maven_lists(left: tuple[Any, ...], right: tuple[Any, ...]) -> int:
    for a, b in zip_longest(left, right):
        order = _maven_items(a, b) if a is not None else -_maven_items(b, a)
        if order:
            return order
    return 0


def _maven_items(a: Any, b: Any) -> int:
    """Compare two items; None stands for a missing one."""
    if isinstance(a, int):
        return _maven_number(a, b)
    if isinstance(a, str):
        return _maven_word(a, b)
    if b is None:
        return _maven_items(a[0], None) if a else 0
    if isinstance(b, tuple):
        return _maven_lists(a, b)
    return -1 if isinstance(b, int) else 1  # list < number, list > word


def _maven_number(a: int, b: Any) -> int:
    if b is None:
        return _sign(a)
    return _sign(a - b) if isinstance(b, int) else 1


def _maven_word(a: str, b: Any) -> int:
    if b is None:
        return _order_words(a, "")
    return _order_words(a, b) if isinstance(b, str) else -1


def _order_words(a: str, b: str) -> int:
    left, right = ((_QUALIFIERS.get(word, 7), "" if word in _QUALIFIERS else word) for word in (a, b))
    return (left > right) - (left < right)


# Debian


def compare_debian(left: str, right: str) -> int:
    """Order as dpkg does: epoch, upstream version, revision; `~` sorts before everything, even the end."""
    a, b = _debian_parts(left), _debian_parts(right)
    for x, y in ((a[1], b[1]), (a[2], b[2])):
        if a[0] != b[0]:
            return _sign(a[0] - b[0])
        if order := _debian_part(x, y):
            return order
    return 0


def _debian_parts(version: str) -> tuple[int, str, str]:
    epoch, colon, rest = version.partition(":")
    if not colon or not (epoch.isascii() and epoch.isdigit()):
        epoch, rest = "0", version
    upstream, hyphen, revision = rest.rpartition("-")
    return int(epoch), (upstream if hyphen else rest), (revision if hyphen else "")


_RUN = re.compile(r"([^0-9]*)([0-9]*)")


def _debian_part(left: str, right: str) -> int:
    runs = zip_longest(_RUN.findall(left), _RUN.findall(right), fillvalue=("", ""))
    for (a_text, a_number), (b_text, b_number) in runs:
        words = [[_debian_rank(c) for c in text] + [0] for text in (a_text, b_text)]
        if words[0] != words[1]:
            return 1 if words[0] > words[1] else -1
        if order := _sign(int(a_number or 0) - int(b_number or 0)):
            return order
    return 0


def _debian_rank(character: str) -> int:
    if character == "~":
        return -1
    return ord(character) if character.isascii() and character.isalpha() else ord(character) + 0x110000


# RPM


def compare_rpm(left: str, right: str) -> int:
    """Order as rpm does: epoch, version, release, each by rpmvercmp (`~` before, `^` after the same version)."""
    a, b = _rpm_parts(left), _rpm_parts(right)
    if a[0] != b[0]:
        return _sign(a[0] - b[0])
    return rpmvercmp(a[1], b[1]) or (rpmvercmp(a[2], b[2]) if a[2] and b[2] else 0)


def _rpm_parts(version: str) -> tuple[int, str, str]:
    epoch, colon, rest = version.partition(":")
    if not colon or not (epoch.isascii() and epoch.isdigit()):
        epoch, rest = "0", version
    name, _, release = rest.partition("-")
    return int(epoch), name, release


_SEGMENT = re.compile(r"[0-9]+|[A-Za-z]+|~|\^")


def rpmvercmp(left: str, right: str) -> int:
    """Compare one part segment by segment."""
    for a, b in zip_longest(_SEGMENT.findall(left), _SEGMENT.findall(right)):
        if a == b:
            continue
        if "~" in (a, b):
            return -1 if a == "~" else 1
        if "^" in (a, b):
            return _caret(a, b)
        if order := _rpm_segment(a, b):
            return order
    return 0


def _caret(a: str | None, b: str | None) -> int:
    """A caret is newer than the end and older than anything else."""
    if a == "^":
        return 1 if b is None else -1
    return -1 if a is None else 1


def _rpm_segment(a: str | None, b: str | None) -> int:
    if a is None or b is None:
        return -1 if a is None else 1
    if a[0].isdigit() != b[0].isdigit():
        return 1 if a[0].isdigit() else -1  # a number is newer than letters
    if a[0].isdigit():
        return _sign(int(a) - int(b))
    return (a > b) - (a < b)


# Semantic versions, Python, and the generic order


def compare_semver(left: str, right: str) -> int:
    """Order by semver 2.0.0, tolerating a leading v and missing parts; build metadata is ignored."""
    a, b = _semver(left), _semver(right)
    if a[0] != b[0]:
        return 1 if a[0] > b[0] else -1
    if bool(a[1]) != bool(b[1]):
        return -1 if a[1] else 1
    return (a[1] > b[1]) - (a[1] < b[1])


def _semver(version: str) -> tuple[tuple[int, ...], tuple[tuple[int, int, str], ...]]:
    core, _, pre = version.removeprefix("v").partition("+")[0].partition("-")
    numbers = [int(n) for n in re.findall(r"[0-9]+", core)]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    parts = pre.split(".") if pre else []
    return tuple(numbers), tuple((0, int(p), "") if p.isascii() and p.isdigit() else (1, 0, p) for p in parts)


_PRERELEASE = {"dev": -4, "a": -3, "alpha": -3, "b": -2, "beta": -2, "c": -1, "rc": -1, "pre": -1, "preview": -1}


def compare_generic(left: str, right: str) -> int:
    """Order numbers as numbers and words as words; pre-release words sort before the release, others after."""
    a, b = _generic(left), _generic(right)
    for x, y in zip_longest(a, b, fillvalue=(0, 0, "")):
        if x != y:
            return 1 if x > y else -1
    return 0


@lru_cache(maxsize=4096)
def _generic(version: str) -> tuple[tuple[int, int, str], ...]:
    epoch, mark, rest = version.partition("!")
    text = rest if mark else version
    tokens = _TOKEN.findall(text.lower().removeprefix("v").partition("+")[0])
    keys = [_generic_key(token) for token in tokens]
    while keys and keys[-1] == (0, 0, ""):
        keys.pop()
    head = (0, int(epoch), "") if mark and epoch.isascii() and epoch.isdigit() else (0, 0, "")
    return (head, *keys)


def _generic_key(token: str) -> tuple[int, int, str]:
    if token[0].isdigit():
        return 0, int(token), ""
    rank = _PRERELEASE.get(token)
    return (rank, 0, "") if rank is not None else (0, 0, token)


_ORDERS: dict[str, Callable[[str, str], int]] = {
    "maven": compare_maven, "debian": compare_debian, "ubuntu": compare_debian, "deb": compare_debian,
    "rpm": compare_rpm, "red hat": compare_rpm, "rocky linux": compare_rpm, "almalinux": compare_rpm,
    "suse": compare_rpm, "opensuse": compare_rpm, "fedora": compare_rpm, "mageia": compare_rpm, "amazon": compare_rpm,
    "npm": compare_semver, "go": compare_semver, "crates.io": compare_semver, "semver": compare_semver,
}  # fmt: skip

"""Dates as release files and build stamps write them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

EARLIEST, LATEST = 631152000.0, 4102444800.0  # 1990 to 2100: other numbers are no dates of building
_MONTHS = {name: number for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_MONTH = "(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_TIME = r"(?:[T _-]?(\d\d):?(\d\d)(?::?(\d\d))?)?"

_ISO = re.compile(rf"(?<![\d.])((?:19|20)\d\d)([-/.]?)(\d\d)\2(\d\d){_TIME}(?!\d)")
_UNIX = re.compile(rf"(?i)\b{_MONTH} +(\d{{1,2}}),? +(?:(\d\d):(\d\d):(\d\d) +(?:[A-Z]{{2,5}} +)?)?((?:19|20)\d\d)\b")
_DAY_FIRST = re.compile(rf"(?i)\b(\d{{1,2}})[ -]{_MONTH},?[ -]((?:19|20)\d\d)\b")
_EPOCH = re.compile(r"(?<!\d)(\d{10})(?:\.\d+)?(?!\d)")


def first_date(text: str, *, epoch: bool = False) -> float | None:
    """Return the first time that `text` states, in seconds since 1970 UTC; with `epoch` bare seconds count too.

    Time zones are not known to short stamps: a date may be off by a day.
    """
    found = sorted(
        (at, when) for at, when in _dates(text, epoch=epoch) if when is not None and EARLIEST < when < LATEST
    )
    return found[0][1] if found else None


def _dates(text: str, *, epoch: bool) -> Iterator[tuple[int, float | None]]:
    for pattern, read in _FORMS:
        for match in pattern.finditer(text):
            yield match.start(), read(match)
    if epoch:
        for match in _EPOCH.finditer(text):
            yield match.start(), float(match.group(1))


def _iso(match: re.Match[str]) -> float | None:
    year, _, month, day, hour, minute, second = match.groups()
    return _moment(year, int(month), day, hour, minute, second)


def _unix(match: re.Match[str]) -> float | None:
    month, day, hour, minute, second, year = match.groups()
    return _moment(year, _MONTHS[month.lower()], day, hour, minute, second)


def _day_first(match: re.Match[str]) -> float | None:
    day, month, year = match.groups()
    return _moment(year, _MONTHS[month.lower()], day)


_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], float | None]], ...] = (
    (_ISO, _iso), (_UNIX, _unix), (_DAY_FIRST, _day_first)
)  # fmt: skip


def _moment(
    year: str, month: int, day: str, hour: str | None = None, minute: str | None = None, second: str | None = None
) -> float | None:
    try:
        clock = int(hour or 0), int(minute or 0), int(second or 0)
        return datetime(int(year), month, int(day), *clock, tzinfo=UTC).timestamp()
    except ValueError:
        return None

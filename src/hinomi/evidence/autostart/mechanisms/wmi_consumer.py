"""WMI event subscriptions in the repository of a mounted Windows volume: what runs when an event filter fires.

The repository (`OBJECTS.DATA`) has no public format. A binding names its consumer and its filter as object paths, and
an instance of a consumer holds its texts one after the other behind its class name: that much is stable since Windows
XP. Instances that were deleted stay in the file until it is compacted, so a row may tell of the past.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from hinomi.evidence.autostart.site import Site
from hinomi.evidence.autostart.windows import find_path, program_of
from hinomi.model.tables.host import Persistence
from hinomi.model.text import path_text

MAX_REPOSITORY = 512 << 20
MAX_SUBSCRIPTIONS = 1_000
WINDOW = 4 << 20
REACH = 8 << 10  # bytes behind a class name that belong to its instance
_FOLDER = (b"Windows", b"System32", b"wbem", b"Repository")
_BINDING = re.compile(
    rb'([A-Za-z_]{1,60}EventConsumer)\.Name="([^"\x00-\x1f]{1,200})"'
    rb'(?s:.{0,600}?)__EventFilter\.Name="([^"\x00-\x1f]{1,200})"'
)
_CONSUMER = re.compile(rb"((?:CommandLine|ActiveScript)EventConsumer)\x00(?!\x00{8})")
_FILTER = re.compile(rb"__EventFilter\x00")
_TEXT = re.compile(rb"[\x20-\x7e\x80-\xff\r\n\t]{3,4000}")
_QUERY = re.compile(r"(?i)^\s*select\s.{1,2000}\sfrom\s", re.DOTALL)


@dataclass
class _Found:
    """What one repository holds."""

    bindings: dict[tuple[str, str, str], None] = field(default_factory=dict)  # (class, consumer, filter)
    texts: dict[str, list[list[str]]] = field(default_factory=dict)  # class -> texts of its instances
    filters: list[list[str]] = field(default_factory=list)


def find(site: Site) -> Iterator[Persistence]:
    """Yield a row per consumer that an event filter is bound to."""
    folder = find_path(site, *_FOLDER)
    for parts in ((b"OBJECTS.DATA",), (b"FS", b"OBJECTS.DATA")) if folder else ():
        path = find_path(site, *_FOLDER, *parts)
        if path is not None:
            yield from _repository(site, path)


def _repository(site: Site, path: bytes) -> Iterator[Persistence]:
    found = _Found()
    try:
        with site.view.open(path) as file:
            before, read = b"", 0
            while block := file.read(WINDOW):
                _search(before + block, found, final=len(block) < WINDOW)
                before, read = block[-REACH:], read + len(block)
                if read > MAX_REPOSITORY:
                    site.coverage.miss("persistence", path_text(path), "too-large", f"read {read} bytes")
                    break
    except OSError as error:
        site.lost(path, error)
    if len(found.bindings) >= MAX_SUBSCRIPTIONS:
        site.coverage.miss("persistence", path_text(path), "too-large", f"more than {MAX_SUBSCRIPTIONS} subscriptions")
    for kind, consumer, event_filter in sorted(found.bindings):
        command = _command(found, kind, consumer)
        yield Persistence(
            mechanism="wmi-consumer", path=path_text(path), name=f"{kind}: {consumer}", command=command[:2000],
            program=program_of(site, command) if kind.startswith("CommandLine") else None, user="SYSTEM",
            trigger="event", schedule=_query(found, event_filter), enabled=None,
        )  # fmt: skip


def _search(data: bytes, found: _Found, *, final: bool) -> None:
    """Take what begins in `data`; what begins in its last `REACH` bytes is left for the next window."""
    limit = len(data) if final else len(data) - REACH
    for match in _BINDING.finditer(data):
        if match.start() < limit and len(found.bindings) < MAX_SUBSCRIPTIONS:
            found.bindings[(_word(match[1]), _word(match[2]), _word(match[3]))] = None
    for match in _CONSUMER.finditer(data):
        instances = found.texts.setdefault(_word(match[1]), [])
        if match.start() < limit and len(instances) < MAX_SUBSCRIPTIONS:
            instances.append(_texts(data, match.end()))
    for match in _FILTER.finditer(data):
        if match.start() < limit and len(found.filters) < MAX_SUBSCRIPTIONS:
            found.filters.append(_texts(data, match.end()))


def _texts(data: bytes, start: int) -> list[str]:
    """Return the texts of an instance: up to the next class name."""
    end = min(len(data), start + REACH)
    following = re.search(rb"(?:EventConsumer|__EventFilter|__FilterToConsumerBinding)\x00", data[start:end])
    end = start + following.start() if following else end
    return [_word(text) for text in _TEXT.findall(data, start, end)]


def _word(text: bytes) -> str:
    return text.decode("utf-8", "replace").strip()


def _command(found: _Found, kind: str, consumer: str) -> str:
    """Return the longest text of the instance that carries the consumer's name: the command line or the script."""
    texts = next((t for t in found.texts.get(kind, []) if consumer in t), [])
    told = [text for text in texts if text != consumer and (" " in text or "\\" in text or "." in text)]
    return max(told, key=len, default="")


def _query(found: _Found, event_filter: str) -> str | None:
    for texts in found.filters:
        if event_filter in texts:
            return next((text[:500] for text in texts if _QUERY.match(text)), None)
    return None

"""Scheduled tasks of a Windows volume (the XML files under System32\\Tasks)."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree

from hinomi.evidence.autostart.site import Site
from hinomi.evidence.autostart.windows import find_path, program_of
from hinomi.model.errors import ParseError
from hinomi.model.tables.host import Persistence
from hinomi.model.text import path_text

_FOLDERS = ((b"Windows", b"System32", b"Tasks"), (b"Windows", b"SysWOW64", b"Tasks"))
_TRIGGERS = {"BootTrigger": "boot", "LogonTrigger": "login", "CalendarTrigger": "schedule", "TimeTrigger": "schedule"}
MAX_ACTIONS = 50


def find(site: Site) -> Iterator[Persistence]:
    """Yield a row per program of every task."""
    for parts in _FOLDERS:
        folder = find_path(site, *parts)
        for path in site.tree(folder, 8) if folder is not None else ():
            data = site.data(path)
            if data is None:
                continue
            try:
                root = read_xml(data, path_text(path))
            except ParseError as error:
                site.coverage.miss("persistence", path_text(path), "unparsable", error.cause)
                continue
            yield from _rows(site, path, path_text(path[len(folder or b"") + 1 :]), root)


def read_xml(data: bytes, place: str) -> ElementTree.Element:
    """Return the root of a task's XML (UTF-16 or UTF-8); documents with entity declarations are refused."""
    text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", "replace")
    if "<!" in text.replace("<!--", ""):
        raise ParseError("task-unreadable", place=place, cause="declares a document type")
    if text.lstrip().startswith("<?xml"):
        text = text.partition("?>")[2]
    try:
        return ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError, RecursionError) as error:
        raise ParseError("task-unreadable", place=place, cause=str(error)[:200]) from error


def _rows(site: Site, path: bytes, name: str, root: ElementTree.Element) -> Iterator[Persistence]:
    triggers = [_local(child) for section in _all(root, "Triggers") for child in list(section)[:MAX_ACTIONS]]
    user = next((_text(node) for node in _all(root, "UserId") if _text(node)), None)
    enabled = not any(
        _text(child).lower() == "false"
        for section in root if _local(section) == "Settings" for child in section if _local(child) == "Enabled"
    )  # fmt: skip
    kinds = [_TRIGGERS.get(trigger, "event") for trigger in triggers]
    for action in list(_all(root, "Exec"))[:MAX_ACTIONS]:
        words = {_local(child): _text(child) for child in action}
        command = f'"{words.get("Command", "").strip(chr(34))}" {words.get("Arguments", "")}'.strip()
        yield Persistence(
            mechanism="scheduled-task", path=path_text(path), name=name, command=command[:2000],
            program=program_of(site, command), user=user, trigger=kinds[0] if kinds else "event",
            schedule=", ".join(triggers)[:300] or None, enabled=enabled,
        )  # fmt: skip


def _all(root: ElementTree.Element, name: str) -> Iterator[ElementTree.Element]:
    return (node for node in root.iter() if _local(node) == name)


def _local(node: ElementTree.Element) -> str:
    return str(node.tag).rsplit("}", 1)[-1]


def _text(node: ElementTree.Element) -> str:
    return (node.text or "").strip()

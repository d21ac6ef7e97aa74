"""sudoers files: which rule names which user or group. Bounded; includes stay inside the target."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

MAX_FILES = 200
MAX_RULES = 5000
_INCLUDE = re.compile(r"[#@](include|includedir)\s+\"?([^\"\s]{1,500})\"?\s*$")
_ALIAS = re.compile(r"(User|Runas|Host|Cmnd|Cmd)_Alias\s+(.*)$")


@dataclass(frozen=True, slots=True)
class Rule:
    """One user specification: who (users, `%groups`, aliases opened) and the rule as written."""

    path: bytes
    line: int
    who: tuple[str, ...]
    text: str


def read_sudoers(
    start: bytes, lines: Callable[[bytes], Iterator[tuple[int, str]]], files: Callable[[bytes], Iterator[bytes]]
) -> list[Rule]:
    """Return the rules of a sudoers file and its includes; `lines` gives logical lines, `files` a folder's files."""
    rules: list[Rule] = []
    aliases: dict[str, list[str]] = {}
    todo, seen = [start], {start}
    while todo and len(seen) <= MAX_FILES and len(rules) < MAX_RULES:
        path = todo.pop(0)
        for number, line in lines(path):
            include = _INCLUDE.match(line)
            if include:
                found = _included(include, path, files)
                todo.extend(p for p in found if p not in seen)
                seen.update(found)
                continue
            alias = _ALIAS.match(line)
            if alias:
                if alias.group(1) == "User":
                    aliases.update(_aliases(alias.group(2)))
            elif not line.startswith(("#", "Defaults", "@")):
                rules.extend(_rule(path, number, line))
    return [Rule(r.path, r.line, _opened(r.who, aliases), r.text) for r in rules]


def _included(match: re.Match[str], path: bytes, files: Callable[[bytes], Iterator[bytes]]) -> list[bytes]:
    target = match.group(2).encode("utf-8", "surrogateescape")
    if not target.startswith(b"/"):
        target = path.rsplit(b"/", 1)[0] + b"/" + target
    if match.group(1) == "include":
        return [target]
    names = ((p, p.rsplit(b"/", 1)[-1]) for p in files(target))
    return [p for p, name in names if b"." not in name and not name.endswith(b"~")]


def _aliases(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for part in text.split(":")[:500]:
        name, _, members = part.partition("=")
        found[name.strip()] = [member.strip() for member in members.split(",")[:500] if member.strip()]
    return found


def _rule(path: bytes, number: int, line: str) -> Iterator[Rule]:
    """Split `who host = commands`; who is a list with commas, perhaps with quoted or escaped names."""
    left, equals, _ = line.partition("=")
    if not equals:
        return
    words = re.split(r"(?<![,\\])\s+(?!,)", left.strip(), maxsplit=1)
    who = tuple(name.strip().strip('"') for name in words[0].split(",")[:200] if name.strip())
    if who and len(words) == 2:
        yield Rule(path, number, who, " ".join(line.split())[:500])


def _opened(who: tuple[str, ...], aliases: dict[str, list[str]]) -> tuple[str, ...]:
    names: list[str] = []
    todo, seen = list(who), set[str]()
    while todo and len(names) < 1000:
        name = todo.pop(0)
        if name in aliases and name not in seen:
            seen.add(name)
            todo.extend(aliases[name])
        else:
            names.append(name)
    return tuple(names)

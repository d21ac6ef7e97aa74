"""Honest programs that malware is named after: a file of such a name is suspicious only under conditions."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import NamedTuple

DAEMON = "suspicious-when.daemon"
WINDOWS = "suspicious-when.windows-program"


class Namesake(NamedTuple):
    """When a file of this name is suspicious (a key of the locale catalogue) and where the honest one belongs."""

    suspicious_when: str
    belongs_in: str


@cache
def _namesakes() -> dict[str, Namesake]:
    known = {row["name"].casefold(): Namesake(DAEMON, row["path"]) for row in _rows("known_daemons.csv")}
    for row in _rows("windows_system_programs.csv"):
        name = row["name"].casefold()
        place = Namesake(WINDOWS, "C:" + row["path"].replace("/", "\\"))
        known[name] = place
        known.setdefault(name.removesuffix(".exe"), place)  # reports name the program without its ending, too
    return known


def _rows(name: str) -> list[dict[str, str]]:
    text = (files("hinomi.rules") / "data" / name).read_text(encoding="utf-8")
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))


def namesake(filename: str) -> Namesake | None:
    """Return the honest program of this name, or None."""
    return _namesakes().get(filename.casefold())


def conditions(filename: str) -> dict[str, str]:
    """Return the attributes that a claim on this file name gets; none where no honest program bears it."""
    known = namesake(filename)
    return known._asdict() if known else {}

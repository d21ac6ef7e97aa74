"""ATT&CK ids over its versions: version 19 (April 2026) split Defense Evasion and gave many techniques new numbers.

Version 19 calls TA0005 `Stealth` and adds TA0112 `Defense Impairment`. Our names, rules and the model speak version
18; what a report writes in version 19 is turned back, and says so.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import Literal

Version = Literal["18", "19"]
OURS: Version = "18"


@cache
def _tables() -> tuple[dict[str, str], dict[str, str]]:
    text = (files("hinomi.intel.techniques") / "crosswalk.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
    return {row["v18"]: row["v19"] for row in rows}, {row["v19"]: row["v18"] for row in rows}


def crosswalk(technique_id: str, to: Version = "19") -> str:
    """Return a technique's id in version `to`; an id of which no move is known is returned as it is."""
    forward, back = _tables()
    return (forward if to == "19" else back).get(technique_id.upper(), technique_id.upper())


def version_of(technique_id: str) -> Version:
    """Return the version an id is written in: 19 for ids that version 18 does not know, else 18."""
    _, back = _tables()
    upper = technique_id.upper()
    return "19" if upper in back or upper == "TA0112" or upper.partition(".")[0] in _NEW else "18"


_NEW = frozenset({"T1685"})
"""Techniques that version 19 added."""

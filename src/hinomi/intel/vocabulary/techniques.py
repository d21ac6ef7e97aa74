"""ATT&CK's techniques: names, platforms, and what became of those that ATT&CK has given up."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from hinomi.intel.vocabulary.loading import read_lines


class Technique(NamedTuple):
    """A technique of version 18; `successor` is the id that took a revoked one's place, else empty."""

    id: str
    name: str
    platforms: frozenset[str]
    successor: str

    @property
    def is_of_old_numbering(self) -> bool:
        """Whether the id was given up when sub-techniques came (2020)."""
        return bool(self.successor) and "." not in self.id


@cache
def techniques() -> dict[str, Technique]:
    """Return every technique by its id; sub-techniques are named `Parent: Name`."""
    rows = (line.split("\t") for line in read_lines("techniques.tsv"))
    return {row[0]: _technique(*row) for row in rows}


def _technique(number: str, parent: str, name: str, platforms: str = "", successor: str = "") -> Technique:
    full = f"{parent}: {name}" if "." in number and parent else name
    return Technique(number, full, frozenset(filter(None, platforms.split(","))), successor)


@cache
def technique_names() -> dict[str, str]:
    """Return ATT&CK technique names by id; sub-techniques as `Parent: Name`."""
    return {number: technique.name for number, technique in techniques().items()}


@cache
def named_techniques() -> dict[str, str]:
    """Return the id by name, for names of two words and more; single words (`Phishing`) are plain language.

    A name of today goes before a revoked one, one of the enterprise matrix (only those have platforms) before the
    others'; a name of the old numbering means what took its place.
    """

    def order(technique: Technique) -> tuple[bool, bool, bool, str]:
        return bool(technique.successor), technique.is_of_old_numbering, not technique.platforms, technique.id

    ordered = sorted(techniques().values(), key=order)
    names: dict[str, str] = {}
    for technique in ordered:
        for form in (technique.name, technique.name.rpartition(": ")[2]):
            if len(form.split()) > 1:
                names.setdefault(form, today(technique.id))
    return names


def today(technique_id: str) -> str:
    """Return the id that took the place of one of the old numbering; any other as it is."""
    known = techniques().get(technique_id)
    return known.successor if known is not None and known.is_of_old_numbering else technique_id

"""The visitor that turns what the walker shows into copies of libraries."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from hinomi.evidence.archives.visitor import Kept, Place
from hinomi.evidence.java.classfile import is_enough, parse_class
from hinomi.evidence.java.copies import Copy, Evidence, decide
from hinomi.evidence.java.metadata import ENDINGS, MAX_PACKAGES, Claim, claim_of_file_name, claims_of, wants_text
from hinomi.evidence.java.sightings import Sighting, sight
from hinomi.evidence.java.traits import WORDS, may_matter, trait_of
from hinomi.model.errors import ParseError

MAX_SIGHTINGS = 10_000
MAX_COPIES = 2_000
_DECIDED = {"org.apache.logging.log4j:log4j-core", "log4j:log4j"}


@dataclass(frozen=True, slots=True)
class Found:
    """One copy of a library with the whole way to it."""

    chain: tuple[str, ...]
    copy: Copy | None
    claim: Claim | None


@dataclass(slots=True)
class _Seen:
    sightings: list[Sighting] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)


class Finder:
    """Collects decisive classes and metadata per container and decides when the container has been walked."""

    words: tuple[bytes, ...] = WORDS
    endings: tuple[bytes, ...] = ENDINGS

    def __init__(self) -> None:
        self.found: list[Found] = []
        self.dropped = 0
        self._seen: dict[int, _Seen] = {}

    def wants_text(self, name: bytes) -> bool:
        """Metadata by its name."""
        return wants_text(name)

    def wants_class(self, data: bytes) -> bool:
        """A class whose bytes hold a marker."""
        return may_matter(data)

    def is_enough(self, data: bytes) -> bool:
        """Whether the pool is whole."""
        return is_enough(data)

    def class_file(self, place: Place, name: bytes, data: bytes) -> None:
        """Parse a class and keep it where it decides something."""
        try:
            cls = parse_class(data)
        except ParseError:
            return  # what the Java machine refuses too
        trait = trait_of(cls)
        seen = self._of(place)
        if trait is not None and len(seen.sightings) < MAX_SIGHTINGS:
            seen.sightings.append(sight(name, cls, trait))

    def text_file(self, place: Place, name: bytes, data: bytes) -> None:
        """Keep what metadata claims."""
        claims = claims_of(name, data)
        seen = self._of(place)
        if claims and len(seen.claims) < MAX_PACKAGES:
            seen.claims += claims

    def leave(self, place: Place) -> None:
        """Decide about one container."""
        seen = self._seen.pop(id(place), None)
        if seen is None:
            return
        title = claim_of_file_name(place.chain[-1].encode("utf-8", "surrogateescape"))
        claims = [*seen.claims, title] if title else seen.claims
        names = list(place.names()) if seen.sightings or _names_core(claims) else []
        for copy in decide(Evidence(seen.sightings, claims, names, place.whole)):
            self._add(Found(place.chain, copy, None))
        for claim in dict.fromkeys(seen.claims):
            if claim.name not in _DECIDED and claim.version:
                self._add(Found(place.chain, None, claim))

    def mark(self) -> int:
        """Return how much has been found so far."""
        return len(self.found) + self.dropped

    def kept(self, mark: int, depth: int) -> Kept | None:
        """Return the claims found since `mark`; a decided copy is decided anew each time (its file name may count)."""
        since = self.found[mark:]
        if self.dropped or any(found.copy is not None for found in since):
            return None
        return tuple((found.chain[depth:], found.claim) for found in since)

    def replay(self, chain: tuple[str, ...], kept: Kept) -> None:
        """Add the claims of the same bytes found elsewhere."""
        for rest, claim in kept:
            self._add(Found((*chain, *rest), None, claim))

    def _of(self, place: Place) -> _Seen:
        return self._seen.setdefault(id(place), _Seen())

    def _add(self, found: Found) -> None:
        if len(self.found) < MAX_COPIES:
            self.found.append(found)
        else:
            self.dropped += 1


def pack(kept: Kept) -> bytes:
    """Return kept claims as bytes."""
    return json.dumps([(rest, claim.fields()) for rest, claim in kept]).encode("ascii") if kept else b""


def unpack(data: bytes) -> Kept:
    """Return the claims that `pack` made bytes of."""
    return tuple((tuple(rest), Claim.of(fields)) for rest, fields in json.loads(data)) if data else ()


def _names_core(claims: list[Claim]) -> bool:
    return any(claim.name in _DECIDED for claim in claims)

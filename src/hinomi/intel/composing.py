"""A structured document (STIX, MISP, OpenIOC, CSAF, a list) as readable text, with its claims at their places in it."""

from __future__ import annotations

from typing import Any

from hinomi.intel.extractor import Candidate
from hinomi.intel.format import Link, Said, Statements
from hinomi.intel.normal import clean, normal
from hinomi.model.claims import ClaimRole, ClaimType, Span

MAX_LINES = 200_000
MAX_PROSE = 200_000
"""Characters of one description."""
ACTIVE: frozenset[str] = frozenset({"malicious", "sample", "command-and-control", "delivery"})


class Composer:
    """Builds text line by line and remembers where each claim and each piece of free text stands."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._size = 0
        self._candidates: list[Candidate] = []
        self._prose: list[Span] = []
        self._links: list[Link] = []
        self.notes: list[str] = []
        self.dropped = 0

    @property
    def text(self) -> str:
        """What was built so far."""
        return "".join(self._parts)

    @property
    def full(self) -> bool:
        """Whether no further line is taken."""
        return len(self._parts) >= MAX_LINES

    def heading(self, words: str) -> None:
        """Begin a part."""
        if shown := clean(words, 300):
            self._add(f"\n{shown}\n" if self._parts else f"{shown}\n")

    def note(self, label: str, value: str) -> None:
        """Add a line that claims nothing."""
        if shown := clean(value):
            self._line(label, shown)

    def prose(self, label: str, text: str) -> None:
        """Add free text, in which claims are looked for as in any report."""
        kept = text[:MAX_PROSE].encode("utf-8", "replace").decode().replace("\0", "\ufffd").strip()
        if not kept or self.full:
            return
        start = self._size + (len(label) + 2 if label else 0)
        self._add(f"{label}: {kept}\n" if label else f"{kept}\n")
        self._prose.append((start, start + len(kept)))

    def indicator(
        self, label: str, kind: ClaimType | None, value: str, role: ClaimRole, *, why: str, confidence: int = 85
    ) -> Said | None:
        """Add a value to look for, in its normal form; what is harmless by itself is said to be so."""
        found = normal(kind, value)
        if found is None:
            self.note(label, value)
            self.dropped += kind is not None
            return None
        if found.harmless and (role in ACTIVE or role == "mentioned"):
            return self.claim(label, found.type, found.value, "benign", why=found.harmless, confidence=20)
        if role in ("malicious", "delivery") and found.type in ("md5", "sha1", "sha256", "sha512", "ssdeep", "imphash"):
            role = "sample"
        return self.claim(label, found.type, found.value, role, why=why, confidence=confidence)

    def claim(
        self,
        label: str,
        kind: ClaimType,
        value: str,
        role: ClaimRole = "mentioned",
        *,
        why: str,
        confidence: int = 85,
        canonical: str | None = None,
        attributes: dict[str, Any] | None = None,
        distinct: str = "",
    ) -> Said | None:
        """Add a line that says exactly this; None where the value is empty or the text is full."""
        shown = clean(value)
        if not shown or self.full:
            return None
        start = self._line(label, shown)
        self._candidates.append(
            Candidate(
                kind, shown, (start, start + len(shown)), role, confidence, why, canonical, attributes or {}, distinct
            )
        )
        return Said(kind, shown, distinct)

    def link(self, source: Said, kind: str, target: Said, confidence: int = 70) -> None:
        """Join two things said; the line that says it is added."""
        if source == target or self.full:
            return
        start = self._size
        self._add(f"{source.value} — {kind} — {target.value}\n")
        self._links.append(Link(source, kind, target, (start, self._size - 1), confidence))

    def statements(self) -> Statements:
        """Return everything said."""
        if self.full:
            self.notes.append(f"only the first {MAX_LINES} entries were read")
        if self.dropped:
            self.notes.append(f"{self.dropped} values have not the form of their type")
        return Statements(tuple(self._candidates), tuple(self._prose), tuple(self._links))

    def _line(self, label: str, shown: str) -> int:
        start = self._size + (len(label) + 2 if label else 0)
        self._add(f"{label}: {shown}\n" if label else f"{shown}\n")
        return start

    def _add(self, part: str) -> None:
        if not self.full:
            self._parts.append(part)
            self._size += len(part)

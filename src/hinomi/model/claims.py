"""What a report says: the report, its sections, its claims and the relations between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

ClaimType = Literal[
    "ipv4", "ipv6", "cidr", "domain", "url", "email", "md5", "sha1", "sha256", "sha512", "ssdeep", "imphash",
    "filename", "filepath", "registry-key", "mutex", "user-agent", "account", "service", "cve", "attack-technique",
    "malware", "tool", "actor", "campaign", "product", "affected-version", "fixed-version", "behaviour", "mitigation",
    "sector", "country", "date",
    # beyond DESIGN.md's list, for the identifiers that Japanese and vendor reports use
    "jvn", "kb", "ghsa", "pipe", "task", "ja3", "jarm", "tlsh", "wallet", "asn",
]  # fmt: skip
CLAIM_TYPES: tuple[str, ...] = get_args(ClaimType)

SectionRole = Literal["article", "summary", "scope", "view", "mitigation", "sources", "indicators", "other"]
ClaimRole = Literal[
    "command-and-control", "delivery", "sample", "victim", "impersonated", "reference", "benign",
    "malicious", "affected", "fixed", "mentioned",
]  # fmt: skip
ClaimStatus = Literal["suggested", "accepted", "rejected"]
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the extracted text with its role."""

    heading: str
    role: SectionRole
    span: Span

    def to_json(self) -> dict[str, Any]:
        """Return the contract's section object."""
        return {"heading": self.heading, "role": self.role, "span": list(self.span)}


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing a report says.

    `value` is normal form (refanged, NFKC where right); `text` is what stands at `span` of the extracted text.
    `attributes` holds what binds it: {"product": id, "branch": "Java 8", "operator": ">="}, {"defanged": true},
    {"technique": "T1037.004"}, {"behaviour": "mutual-watchdog"}, ...
    """

    id: str
    type: ClaimType
    value: str
    text: str
    span: Span
    role: ClaimRole = "mentioned"
    section: int | None = None
    confidence: int = 50
    status: ClaimStatus = "suggested"
    why: str = ""
    canonical: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the contract's claim object."""
        result: dict[str, Any] = {"id": self.id, "type": self.type, "value": self.value}
        if self.canonical is not None:
            result["canonical"] = self.canonical
        result |= {
            "text": self.text, "span": list(self.span), "role": self.role, "section": self.section,
            "confidence": self.confidence, "status": self.status, "why": self.why,
        }  # fmt: skip
        if self.attributes:
            result["attributes"] = self.attributes
        return result


@dataclass(frozen=True, slots=True)
class Relation:
    """Two claims joined by what one sentence says: `from_id` (uses, drops, exploits, targets, ...) `to_id`."""

    from_id: str
    type: str
    to_id: str
    span: Span
    confidence: int = 50

    def to_json(self) -> dict[str, Any]:
        """Return the contract's relation object."""
        return {
            "from": self.from_id,
            "type": self.type,
            "to": self.to_id,
            "span": list(self.span),
            "confidence": self.confidence,
        }


@dataclass(frozen=True, slots=True)
class Document:
    """The extracted text of one report, before any claim: what `read --format text` prints."""

    source: str
    text: str
    title: str | None
    encoding: str
    media_type: str
    sha256: str
    published: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A report as read: text, sections, claims and relations."""

    id: str
    source: str
    title: str
    language: Literal["ja", "en"]
    published: str | None
    text: str
    sections: tuple[Section, ...]
    claims: tuple[Claim, ...]
    relations: tuple[Relation, ...] = ()
    sha256: str = ""
    media_type: str = "text/plain"
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClaimCoverage:
    """Which rules check a claim, or why nothing can. `gap` is a code of the locale catalogue with its text."""

    claim_id: str
    checked_by: tuple[str, ...]
    gap: str | None

    def to_json(self) -> dict[str, Any]:
        """Return the contract's coverage object."""
        return {"claim": self.claim_id, "checked_by": list(self.checked_by), "gap": self.gap}

"""The one frozen document that every renderer takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from hinomi.model.findings import Coverage, Finding, Story, severity_rank
from hinomi.model.text import Language
from hinomi.model.verdict import Verdict


@dataclass(frozen=True, slots=True)
class ScanDocument:
    """What a scan or hunt gave: findings worst first, stories, coverage. `made` is an ISO time in UTC."""

    targets: tuple[str, ...]
    findings: tuple[Finding, ...]
    stories: tuple[Story, ...]
    coverage: Coverage
    made: str
    version: str


@dataclass(frozen=True, slots=True)
class VerdictDocument:
    """The verdicts of one check."""

    verdicts: tuple[Verdict, ...]
    made: str
    version: str


@dataclass(frozen=True, slots=True)
class DigestDocument:
    """A digest: one item per report, ranked. See `hinomi.brief.digest`."""

    title: str
    made: str
    version: str
    items: tuple[dict[str, Any], ...]


Document = ScanDocument | VerdictDocument | DigestDocument


def worst_first(findings: list[Finding]) -> tuple[Finding, ...]:
    """Order findings by severity, confidence, target and subject."""
    return tuple(
        sorted(findings, key=lambda f: (-severity_rank(f.severity), -f.confidence, f.target, f.subject_key, f.id))
    )


def render(document: Document, format_name: str, language: Language) -> str:
    """Return the document in a format; the module `renderers.<format_name>` does it."""
    module = import_module(f"hinomi.brief.renderers.{format_name}")
    write: Callable[[Document, Language], str] = module.render
    return write(document, language)

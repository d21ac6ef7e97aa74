"""What an alert says: plain, bounded, and with nothing in it that could forge a second one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hinomi.model.findings import Finding, Severity
from hinomi.model.text import Language, printable
from hinomi.store.gaps import Gap

MAX_TEXT = 2_000
MAX_VALUE = 500


@dataclass(frozen=True, slots=True)
class Alert:
    """One message. `key` names what it is about: messages with the same key are the same alert told again.

    `text` is one printable line. `repeats` counts those that were held back since the last one was sent.
    """

    key: str
    severity: Severity
    text: str
    host: str
    at: str  # ISO 8601
    rule: str
    subject: str
    values: dict[str, Any] = field(default_factory=dict)
    repeats: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the contract's `hinomi.alert/1` object."""
        return {
            "schema": "hinomi.alert/1", "key": self.key, "severity": self.severity, "text": self.line(),
            "host": self.host, "at": self.at, "rule": self.rule, "subject": self.subject,
            "repeats": self.repeats, **self.values,
        }  # fmt: skip

    def line(self) -> str:
        """Return the text with the count of what was held back."""
        return f"{self.text} (+{self.repeats})" if self.repeats else self.text


def of_finding(finding: Finding, host: str, language: Language) -> Alert:
    """Return the alert of a finding, with who did it where that is known."""
    who = finding.attributes.get("changed_by") or {}
    text = finding.title.in_language(language)
    if who:
        by = who.get("login_user") or who.get("user") or "?"
        text += f" [{who.get('exe') or '?'} pid {who.get('pid')} {by}]"
    values: dict[str, Any] = {"finding": finding.id, "techniques": list(finding.attack)}
    if who:
        values |= {"exe": _short(who.get("exe")), "pid": who.get("pid"), "user": who.get("user"),
                   "login_user": who.get("login_user"), "container": who.get("container")}  # fmt: skip
    return Alert(
        f"finding:{finding.id}", finding.severity, _short(text, MAX_TEXT), host, finding.last_seen or "",
        finding.rule_id, _short(finding.subject_key), values,
    )  # fmt: skip


def of_gap(gap: Gap) -> Alert:
    """Return the alert of a gap that was opened or closed."""
    state = "open" if gap.reconciled_at is None else f"closed, {gap.changes} changes"
    text = f"gap {gap.reason} at {gap.place} since {gap.since}: {state}"
    severity: Severity = "low" if gap.reconciled_at else "medium"
    return Alert(
        f"gap:{gap.reason}:{gap.place}", severity, _short(text, MAX_TEXT), gap.host, gap.recorded_at, "watch-gap",
        _short(gap.place), {"gap": gap.id},
    )  # fmt: skip


def _short(text: object, length: int = MAX_VALUE) -> str:
    shown = printable(str(text or ""))
    return shown if len(shown) <= length else shown[: length - 1] + "…"

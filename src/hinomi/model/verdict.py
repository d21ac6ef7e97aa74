"""The three answers for one report on the targets examined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from hinomi.model.findings import Finding, Story
from hinomi.model.text import Bilingual

Answer = Literal["yes", "no", "unknown"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an answer is what it is, with the claims, findings or coverage entries behind it."""

    text: Bilingual
    because: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the reason as an object."""
        return {"text": self.text.to_json(), "because": list(self.because)}


@dataclass(frozen=True, slots=True)
class Judgement:
    """One answer with its reasons."""

    answer: Answer
    reasons: tuple[Reason, ...]

    def to_json(self) -> dict[str, Any]:
        """Return `{"answer", "reasons"}`."""
        return {"answer": self.answer, "reasons": [r.to_json() for r in self.reasons]}


@dataclass(frozen=True, slots=True)
class Action:
    """One step to take: from a report's mitigation or a finding's playbook. `phase` orders it."""

    text: Bilingual
    because: tuple[str, ...]
    playbook: str | None = None
    phase: Literal["contain", "remove", "verify", "find-the-way-in", "prevent"] = "contain"

    def to_json(self) -> dict[str, Any]:
        """Return the contract's action object."""
        return {
            "text": self.text.to_json(),
            "because": list(self.because),
            "playbook": self.playbook,
            "phase": self.phase,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answers for one report."""

    report_id: str
    report_title: str
    report_source: str
    targets: tuple[str, ...]
    affected: Judgement
    compromised: Judgement
    actions: tuple[Action, ...]
    findings: tuple[Finding, ...]
    stories: tuple[Story, ...]
    other_findings: int
    coverage: dict[str, Any]
    unchecked: tuple[dict[str, Any], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the contract's `hinomi.verdict/1` object."""
        return {
            "schema": "hinomi.verdict/1",
            "report": {"id": self.report_id, "title": self.report_title, "source": self.report_source},
            "targets": list(self.targets), "affected": self.affected.to_json(),
            "compromised": self.compromised.to_json(), "actions": [a.to_json() for a in self.actions],
            "findings": [f.to_json() for f in self.findings], "stories": [s.to_json() for s in self.stories],
            "other_findings": self.other_findings, "unchecked": list(self.unchecked), "coverage": self.coverage,
        }  # fmt: skip

"""From findings and a report's mitigations to the steps to take, in the order of a clean-up. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hinomi.model.claims import Report
from hinomi.model.findings import Finding, severity_rank
from hinomi.model.text import Bilingual
from hinomi.model.verdict import Action
from hinomi.respond.playbook import PHASES, load_playbooks

LEAST = severity_rank("low")


def steps_for(findings: Iterable[Finding], report: Report | None = None) -> tuple[Action, ...]:
    """Return the actions: playbook steps of the findings by phase, then what the report itself advises."""
    return (*_from_findings(findings), *(_from_report(report) if report else ()))


def _from_findings(findings: Iterable[Finding]) -> Sequence[Action]:
    playbooks = load_playbooks()
    because: dict[str, list[Finding]] = {}
    for finding in sorted(findings, key=lambda f: (-severity_rank(f.severity), -f.confidence, f.id)):
        if severity_rank(finding.severity) >= LEAST:
            for playbook_id in finding.responses:
                because.setdefault(playbook_id, []).append(finding)
    actions = [
        Action(step.text, tuple(f.id for f in found), playbook_id, step.phase)
        for playbook_id, found in because.items()
        if playbook_id in playbooks
        for step in playbooks[playbook_id].steps
    ]
    return sorted(actions, key=lambda a: PHASES.index(a.phase))  # stable: worst finding first within a phase


def _from_report(report: Report) -> Iterable[Action]:
    for claim in report.claims:
        if claim.type == "mitigation" and claim.status != "rejected":
            yield Action(Bilingual(claim.text, claim.text), (claim.id,), None, "prevent")

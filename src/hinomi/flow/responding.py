"""The plan of a clean-up from what was found."""

from __future__ import annotations

from hinomi.flow.briefing import latest_runs
from hinomi.model.errors import UsageError
from hinomi.model.verdict import Action
from hinomi.store.case import Case


def plan_of(case: Case) -> tuple[Action, ...]:
    """Return the steps for the findings that the newest run of each target gave."""
    from hinomi.respond.plan import steps_for

    runs = latest_runs(case)
    if not runs:
        raise UsageError("hunt.no-evidence", place=str(case.path), cause="no finished scan")
    return steps_for([f for run in runs for f in case.findings.of_run(run.id)])

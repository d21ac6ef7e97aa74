"""What the case knows of earlier looks at a target: one that was cut off, and how much there was to see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hinomi.store.case import Case, RunInfo


@dataclass(frozen=True, slots=True)
class Earlier:
    """`interrupted` holds, per target, a last look that did not come to its end; its answers are in the cache.

    `files` is how many there were in the last whole look; None where that is unknown or several targets are asked.
    """

    interrupted: tuple[RunInfo, ...] = ()
    files: int | None = None


def earlier_looks(case: Case, targets: Sequence[str], *, use_cache: bool = True) -> Earlier:
    """Return what is known of the targets as they are named on the command line."""
    cut = (last_interrupted(case, target) for target in targets) if use_cache else ()
    files = _files(case, targets[0]) if len(targets) == 1 else None
    return Earlier(tuple(run for run in cut if run is not None), files)


def last_interrupted(case: Case, target: str) -> RunInfo | None:
    """Return the last look at a target if it was cut off."""
    looks = [run for status in ("complete", "interrupted") for run in case.runs(status) if run.target == target]
    last = max(looks, key=lambda run: (run.started, run.id), default=None)
    return last if last is not None and last.status == "interrupted" else None


def _files(case: Case, target: str) -> int | None:
    whole = [run.coverage for run in case.runs() if run.target == target]
    examined = (whole[-1] or {}).get("examined", {}) if whole else {}
    return sum(examined.get(key, 0) for key in ("files", "hard-links")) or None

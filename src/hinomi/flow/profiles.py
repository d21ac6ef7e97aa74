"""The learned normal of this host: learn it from looks in the case, show it, verify its seal, check the host by it."""

from __future__ import annotations

import hashlib
import json
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hinomi.evidence.options import ScanOptions
from hinomi.flow.habits import profile_path
from hinomi.flow.scanning import ScanResult, scan
from hinomi.model.errors import CaseError, UsageError
from hinomi.model.findings import severity_rank
from hinomi.store.case import Case, RunInfo
from hinomi.watch.profile.profile import Profile
from hinomi.watch.profile.sealed import SealedProfile, read_sealed, write_sealed
from hinomi.watch.profile.sighting import Look, looks_of

if TYPE_CHECKING:
    from hinomi.detect.catalogue import Catalogue
    from hinomi.watch.signing import Signer, Trust

RULE = "process-not-in-profile"
LEARNED = "profile-learned"  # the journal's event
KINDS = ("live", "watch")  # runs that hold processes
ENOUGH = 5  # looks from which on a profile is worth something
SUSPECT = "high"  # what a finding must be for its program not to be learned
_LOOK = ScanOptions(files=False)


@dataclass(frozen=True, slots=True)
class Learned:
    """What was learned, where it lies, and which programs were left out because findings name them."""

    path: Path
    profile: Profile
    fingerprint: str
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verified:
    """A profile whose seal holds; `newest` is False for one that the journal knows a later one than."""

    path: Path
    sealed: SealedProfile
    newest: bool
    trusted: bool


def this_host() -> str:
    """Return the label under which the case keeps this host's runs."""
    from hinomi.evidence.sources.platforms import safe_label

    return safe_label(socket.gethostname())


def observe(
    case: Case, catalogue: Catalogue, looks: int, every: float, wait: Callable[[float], None] = time.sleep
) -> None:
    """Look at this host's processes several times, `every` seconds, and keep the looks in the case."""
    for number in range(looks):
        if number:
            wait(every)
        scan(case, ["/"], catalogue, options=_LOOK)


def learn(case: Case, signer: Signer, *, runs: Sequence[str] = (), path: Path | None = None) -> Learned:
    """Learn from the case's looks at this host (or those of `runs`), seal the profile and keep it.

    A program that a finding at high or above names is not learned. `UsageError` where there is nothing to learn from.
    """
    host = this_host()
    chosen = _runs(case, host, runs)
    suspects = _suspects(case, chosen)
    profile = Profile(host, chosen[0].started, chosen[-1].finished or chosen[-1].started)
    left_out: set[str] = set()
    for run in chosen:
        for look in looks_of(run.id, case.tables(run.id), watched=run.kind == "watch"):
            bad = {p.pid: p.program for p in look.processes if p.program in suspects or f"{run.id}/{p.pid}" in suspects}
            left_out |= set(bad.values())
            profile.learn(look, bad)
    place = path or profile_path(case, host)
    seal = write_sealed(place, profile, signer)
    digest = hashlib.sha256(profile.to_bytes()).hexdigest()
    case.journal.append(LEARNED, host=host, looks=profile.looks, sha256=digest, key=seal.fingerprint, path=str(place))
    return Learned(place, profile, seal.fingerprint, tuple(sorted(left_out)))


def verified(case: Case, *, path: Path | None = None, trust: Trust | None = None) -> Verified:
    """Return the profile where its seal holds; `SealError` where it does not, `CaseError` where there is none."""
    place = path or profile_path(case, this_host())
    sealed = read_sealed(place, trust)
    digest = hashlib.sha256(sealed.profile.to_bytes()).hexdigest()
    known = [body["sha256"] for body in _journaled(case) if body.get("host") == sealed.profile.host]
    return Verified(place, sealed, not known or known[-1] == digest, trust is not None)


def check(case: Case, catalogue: Catalogue, *, trust: Trust | None = None) -> tuple[Verified, ScanResult]:
    """Look at this host's processes now and return what the profile does not know of, as findings.

    `CaseError` where the profile was rolled back to an earlier one.
    """
    profile = verified(case, trust=trust)
    if not profile.newest:
        raise CaseError("profile.rolled-back", place=str(profile.path), cause="the journal knows a later one")
    (result,) = scan(case, ["/"], catalogue.select(ids=[RULE]), options=_LOOK)
    return profile, result


def compared(case: Case, run: str, *, trust: Trust | None = None) -> Iterator[tuple[Look, Any]]:
    """Yield what a stored look has that the profile lacks, as (look, `Deviation` row)."""
    from hinomi.watch.profile.deviations import deviations

    profile = verified(case, trust=trust).sealed.profile
    (chosen,) = _runs(case, this_host(), [run])
    for look in looks_of(chosen.id, case.tables(chosen.id), watched=chosen.kind == "watch"):
        for row in deviations(profile, look):
            yield look, row


def _runs(case: Case, host: str, wanted: Sequence[str]) -> list[RunInfo]:
    there = [run for run in case.runs() if run.kind in KINDS and run.host == host]
    for run in wanted:
        if run not in {one.id for one in there}:
            raise UsageError("profile.no-such-run", place=run, cause="no finished look at this host")
    chosen = [run for run in there if not wanted or run.id in wanted]
    if not chosen:
        raise UsageError("profile.nothing-to-learn", place=str(case.path), cause="no finished look at this host")
    return chosen


def _suspects(case: Case, runs: Sequence[RunInfo]) -> frozenset[str]:
    """Return the programs, and the processes as `run/pid`, that serious findings are about."""
    found: set[str] = set()
    for run in runs:
        for finding in case.findings.of_run(run.id):
            serious = severity_rank(finding.severity) >= severity_rank(SUSPECT)  # type: ignore[arg-type]
            if serious and finding.rule_id != RULE and finding.subject_type in ("process", "file", "script"):
                found.add(f"{run.id}/{finding.subject_key}")
                found |= {key for key in (finding.subject_key, *finding.related) if key.startswith("/")}
    return frozenset(found)


def _journaled(case: Case) -> Iterator[dict[str, Any]]:
    for entry in case.journal.entries():
        if entry.event == LEARNED:
            yield json.loads(entry.body)

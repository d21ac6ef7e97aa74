"""Where a case keeps baselines, and what it remembers of them: the highest number seen, its digest, its signer."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from hinomi.model.errors import UsageError
from hinomi.store.case import Case
from hinomi.watch.baseline.sealed import Baseline, BaselineError, read_baseline
from hinomi.watch.signing import Trust

SUFFIX = ".baseline"
_EVENTS = ("baseline-created", "baseline-accepted", "baseline-verified")


@dataclass(frozen=True, slots=True)
class Memory:
    """The last baseline of a target that this case made or believed."""

    sequence: int
    digest: str
    fingerprint: str


def folder_of(case: Case, target: str) -> Path:
    """Return the folder of a target's baselines."""
    name = _identity(target)
    label = "".join(c if c.isalnum() or c in "-_." else "-" for c in name)[-40:].strip("-.") or "root"
    return (
        case.path / "baselines" / f"{label}-{hashlib.sha256(name.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}"
    )


def _identity(target: str) -> str:
    return str(Path(target).resolve())


def files_of(case: Case, target: str) -> list[Path]:
    """Return a target's baseline files, oldest first."""
    return sorted(folder_of(case, target).glob(f"*{SUFFIX}"))


def path_for(case: Case, target: str, sequence: int) -> Path:
    """Return where a baseline of this number belongs."""
    return folder_of(case, target) / f"{sequence:06d}{SUFFIX}"


def latest(case: Case, target: str) -> Path:
    """Return the newest baseline of a target; `UsageError` where there is none."""
    found = files_of(case, target)
    if not found:
        raise UsageError("baseline.none", place=target, cause="no baseline of it in this case")
    return found[-1]


def memory_of(case: Case, target: str) -> Memory | None:
    """Return the highest baseline that the case or its journal remembers."""
    name = _identity(target)
    remembered = [_noted(case, target)]
    for entry in case.journal.entries():
        if entry.event in _EVENTS:
            body = json.loads(entry.body)
            if body.get("identity") == name:
                remembered.append(Memory(body["sequence"], body["digest"], body["signer"]))
    known = [memory for memory in remembered if memory is not None]
    return max(known, key=lambda memory: memory.sequence, default=None)


def _noted(case: Case, target: str) -> Memory | None:
    try:
        body = json.loads((folder_of(case, target) / "seen.json").read_text("utf-8"))
        return Memory(int(body["sequence"]), str(body["digest"]), str(body["signer"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remember(case: Case, event: str, target: str, baseline: Baseline, **more: object) -> None:
    """Note a baseline in the case and in the journal."""
    body = {"sequence": baseline.manifest.sequence, "digest": baseline.digest, "signer": baseline.seal.fingerprint}
    folder = folder_of(case, target)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "seen.json").write_text(json.dumps(body) + "\n", "utf-8")
    case.journal.append(event, identity=_identity(target), **body, **more)


def believed(case: Case, target: str, path: Path, trust: Trust | None, expect: int | None = None) -> Baseline:
    """Open a baseline and check all that can be checked; `BaselineError` says what is wrong with it.

    Without `trust` the signer that this case remembers is believed; `expect` is a sequence number known from elsewhere.
    """
    baseline = read_baseline(path)
    memory = memory_of(case, target)
    if trust is None and memory is None:
        raise UsageError("baseline.no-trust", place=str(path), cause="this case never saw its signer")
    baseline.check(trust or Trust(memory.fingerprint if memory else ""))
    _check_order(baseline, memory, expect)
    return baseline


def _check_order(baseline: Baseline, memory: Memory | None, expect: int | None) -> None:
    sequence, path = baseline.manifest.sequence, str(baseline.path)
    least = max(expect or 0, memory.sequence if memory else 0)
    if sequence < least:
        raise BaselineError("baseline.rolled-back", place=path, cause=f"number {sequence}, number {least} was seen")
    if memory is not None and sequence == memory.sequence and baseline.digest != memory.digest:
        raise BaselineError("baseline.replaced", place=path, cause=f"another baseline with the number {sequence}")
    before = baseline.path.with_name(f"{sequence - 1:06d}{SUFFIX}")
    if before != baseline.path and before.exists():
        _check_predecessor(baseline, before)


def _check_predecessor(baseline: Baseline, before: Path) -> None:
    try:
        digest = read_baseline(before).digest
    except BaselineError:
        digest = "unreadable"
    if digest != baseline.manifest.predecessor:
        cause = f"number {baseline.manifest.sequence - 1} is not the one it was made from"
        raise BaselineError("baseline.chain-broken", place=str(baseline.path), cause=cause)


def last_run(case: Case, target: str, digest: str | None = None) -> str | None:
    """Return the run of the last verification of a target (against the baseline of this digest)."""
    name = _identity(target)
    for entry in reversed(case.journal.entries()):
        if entry.event == "baseline-verified":
            body = json.loads(entry.body)
            if body.get("identity") == name and digest in (None, body.get("digest")):
                return str(body["run"])
    return None

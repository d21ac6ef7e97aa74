"""Look into baselines: the chain of a target, entries by path, and the changes that were last verified."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from hinomi.flow import baseline_shelf as shelf
from hinomi.flow.baselines import changes_of_run
from hinomi.model.errors import UsageError
from hinomi.model.tables.baseline import Change
from hinomi.model.text import path_text, printable
from hinomi.store.case import Case
from hinomi.watch.baseline.entries import row_of
from hinomi.watch.baseline.sealed import Baseline, BaselineError, read_baseline
from hinomi.watch.signing import Trust

_SYSTEM = frozenset({b"/etc", b"/usr", b"/bin"})
_TIMES = ("mtime", "ctime", "btime")


@dataclass(frozen=True, slots=True)
class Shown:
    """A target's baselines, oldest first; `fault` says why the newest cannot be believed."""

    chain: tuple[Baseline, ...]
    fault: str | None


def shown(case: Case, name: str, *, path: Path | None = None, trust: Trust | None = None) -> Shown:
    """Return the baselines of a target, or the one at `path`."""
    files = [path] if path is not None else shelf.files_of(case, name)
    if not files:
        raise UsageError("baseline.none", place=name, cause="no baseline of it in this case")
    chain, fault = [], None
    for one in files:
        try:
            chain.append(read_baseline(one))
        except BaselineError as error:
            fault = f"{error.code}: {error.place}: {error.cause}"
    try:
        shelf.believed(case, name, files[-1], trust)
    except (BaselineError, UsageError) as error:
        fault = fault or f"{error.code}: {error.place}: {error.cause}"
    return Shown(tuple(chain), fault)


def is_part_of_a_system(baseline: Baseline) -> bool:
    """Whether a folder was sealed as a root that is laid out as none, such as /etc or a folder of documents."""
    if baseline.manifest.kind != "root" or baseline.manifest.target == "/":
        return False
    return _SYSTEM.isdisjoint(baseline.entries().column("path").to_pylist())


def entries(shown: Shown, patterns: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the newest baseline's entries whose path matches; kept texts are left out."""
    if not shown.chain:
        return
    table = shown.chain[-1].entries()
    for number, path in enumerate(table.column("path").to_pylist()):
        text = path_text(path)
        if any(fnmatchcase(text, pattern) for pattern in patterns):
            yield _readable(row_of(table, number))


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    """Return an entry in values that JSON has: times in seconds, digests in hex, mode in octal."""
    row.pop("text")
    row |= {name: row[name] / 1e9 for name in _TIMES if row[name] is not None}
    row["mode"] = f"{row['mode']:04o}"
    row["sha256"] = None if row["sha256"] is None else row["sha256"].hex()
    row |= {name: printable(path_text(row[name])) for name in ("path", "link") if row[name] is not None}
    return row


def last_changes(case: Case, name: str, patterns: Sequence[str], *, unexplained: bool) -> list[Change]:
    """Return the changes of the last verification of a target."""
    run = shelf.last_run(case, name)
    if run is None:
        raise UsageError("baseline.not-verified", place=name, cause="it was never verified in this case")
    rows = changes_of_run(case, run)
    chosen = [row for row in rows if not patterns or any(fnmatchcase(row.path, pattern) for pattern in patterns)]
    return [row for row in chosen if not (unexplained and row.explained)]

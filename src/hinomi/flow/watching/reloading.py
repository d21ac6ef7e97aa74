"""What is read anew at a SIGHUP: rules, accepted indicators and the configuration. What cannot be read stays as it was.

The watcher's own output needs nothing: it follows a rotated file by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, NamedTuple

from hinomi.detect.catalogue import Catalogue, forget_built_in
from hinomi.detect.indicator import Indicator
from hinomi.flow.checking import library_indicators, rules_of
from hinomi.flow.watching.options import WatchOptions
from hinomi.model.errors import HinomiError
from hinomi.store.case import Case

AT_ONCE = frozenset({"exclude", "jobs", "max_share", "poll_seconds", "snapshot_seconds", "run_seconds", "run_rows"})
"""Options that count from here on; the others are the sensor's or the alerts', and count from the next start."""
Known = tuple[Catalogue, list[Indicator]]


class Requested(NamedTuple):
    """Who asked for it."""

    pid: int
    uid: int


@dataclass(frozen=True, slots=True)
class Reader:
    """Where rules and configuration come from."""

    case: Case
    rule_folders: Sequence[Path]
    configuration: Callable[[], WatchOptions]

    def rules(self) -> Known:
        """Return rules and indicators as they stand; `RuleError` where a folder is gone."""
        return rules_of(self.case, self.rule_folders), library_indicators(self.case)


@dataclass(frozen=True, slots=True)
class Reread:
    """What was read; `rules` is None where they could not be."""

    options: WatchOptions
    rules: Known | None
    changed: tuple[str, ...]  # options that count from here on
    later: tuple[str, ...]  # options that count from the next start
    failed: tuple[str, ...]  # causes

    def to_json(self) -> dict[str, Any]:
        """Return what the journal keeps of it."""
        bad = [error.place for error in self.rules[0].errors] if self.rules is not None else []
        return {
            "options": list(self.changed), "later": list(self.later), "failed": list(self.failed),
            "bad_rules": bad[:100],
        }  # fmt: skip


def reread(reader: Reader, options: WatchOptions) -> Reread:
    """Read everything anew; `options` are those of now."""
    failed: list[str] = []
    rules, wanted = None, options
    try:
        forget_built_in()
        rules = reader.rules()
    except HinomiError as error:
        failed.append(f"{error.place}: {error.cause}")
    try:
        wanted = reader.configuration()
    except HinomiError as error:
        failed.append(f"{error.place}: {error.cause}")
    different = [f.name for f in fields(options) if getattr(wanted, f.name) != getattr(options, f.name)]
    changed = tuple(name for name in different if name in AT_ONCE)
    now = replace(options, **{name: getattr(wanted, name) for name in changed})
    return Reread(now, rules, changed, tuple(n for n in different if n not in AT_ONCE), tuple(failed))

"""Why a change is no surprise: the reasons of baselines, asked of what was seen live."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from hinomi.evidence.integrity.manifests import manifests_of
from hinomi.flow.baseline_target import Looked
from hinomi.flow.watching.apart import ApartError, apart
from hinomi.flow.watching.comparing import facts_of
from hinomi.flow.watching.latest import Latest
from hinomi.flow.watching.looking import Looker
from hinomi.flow.watching.packages import DATABASES
from hinomi.model.findings import Coverage
from hinomi.model.tables.changes import FileChange
from hinomi.watch.baseline.explain import explain
from hinomi.watch.baseline.liveworld import LiveWorld, difference_of
from hinomi.watch.baseline.reasons.declared import declarations
from hinomi.watch.baseline.reasons.logs import PLACES as LOGS
from hinomi.watch.baseline.reasons.logs import family_of
from hinomi.watch.baseline.world import Reason
from hinomi.watch.known import Facts, Known

States = tuple[Facts | None, Facts | None]  # before, now
SECONDS = 300.0
_FACT = "packages"
_NOTHING_NEW = frozenset({"same-content", "folder-times"})  # true, but no reason for what was unexplained before
_TEMPORARY = re.compile(rb"(.+?)(?:\.dpkg-(?:new|tmp|dist|old)|;[0-9a-f]{8}|\.apk-new|~|(?<=\.pyc)\.\d+)")
_COMPRESSED = (b".gz", b".xz", b".bz2", b".zst")


class Explainer:
    """Knows what the package databases vouched for when the last change was judged, and what they do now."""

    def __init__(self, looker: Looker, known: Known) -> None:
        self._looker = looker
        self._known = known
        self._before: Mapping[str, str] = {}
        self._now: Mapping[str, str] = {}

    def begin(self) -> bool:
        """Read what the databases say now, and return whether that differs from what the last watcher knew."""
        self._now = self._manifests()
        stored = self._known.fact(_FACT)
        self._before = self._now if stored is None else json.loads(stored)
        if stored is None:
            self._known.remember(_FACT, json.dumps(self._now))
        return self._before != self._now

    def refresh(self) -> None:
        """Read the databases anew, because they have changed."""
        self._now = self._manifests()

    def settle(self) -> None:
        """All that the packages brought has been judged. A manifest altered under its version is never believed."""
        before, now = self._before, self._now
        both = before.keys() & now.keys()
        altered = {name for name in both if before[name] != now[name] and _version(before[name]) == _version(now[name])}
        self._before = {name: before[name] if name in altered else value for name, value in now.items()}
        self._known.remember(_FACT, json.dumps(self._before))

    def explain(self, states: Mapping[bytes, States], due: Mapping[bytes, Facts | None]) -> dict[bytes, Reason]:
        """Return the reasons that leave nothing over, by path. `due` are states that are seen and not yet known."""
        latest = Latest(self._known, due)
        differences = [difference_of(path, old, new) for path, (old, new) in states.items() if old or new]
        target = self._looker.target
        reader = Looked(target.name, target.host, target.kind, {b"": target})
        world = LiveWorld(latest, differences, reader, self._before, self._now, self._standing)
        reasons = {path: reason for path, reason in explain(world).items() if not reason.left}
        for path, (old, new) in states.items():
            if old is None and new is None and (passing := self._passing(path, reasons, latest)) is not None:
                reasons[path] = passing
            elif path in reasons and old is not None and old.unexplained and reasons[path].why in _NOTHING_NEW:
                del reasons[path]
        return reasons

    def _standing(self, path: bytes) -> Facts | None:
        """Return what stands at a path that is not among the watched ones."""
        entry = self._looker.view.entry(path)
        return None if entry is None else facts_of(entry, None)

    def _passing(self, path: bytes, reasons: Mapping[bytes, Reason], latest: Latest) -> Reason | None:
        """Explain a name that came and went: a package manager's, one in data that is declared, or the name under which
        something was written that is explained itself."""
        if path.startswith(DATABASES):
            return Reason("package-database", "", "name")
        temporary = _TEMPORARY.fullmatch(path)
        finals = [temporary[1]] if temporary else [path + ending for ending in _COMPRESSED]
        final = next((reasons[one] for one in finals if one in reasons), None)
        if final is not None:
            return Reason(final.why, final.by, "name")
        if not temporary and path.startswith(LOGS) and _is_rotated(path, finals, reasons, latest):
            return Reason("log-rotated", "", "name")
        owner = self._looker.target.ownership.package_of(temporary[1]) if temporary else None
        if owner is not None and self._before.get(owner) != self._now.get(owner):
            return Reason("package", owner, "name")
        declared = next((d for d in declarations() if d.pattern.fullmatch(path)), None)
        return None if declared is None else Reason("declared", declared.by, "name")

    def _manifests(self) -> dict[str, str]:
        """Read them in a process of its own: its memory is given back. Without an answer nothing is believed."""
        view = self._looker.view
        try:
            return apart(lambda: manifests_of(view, Coverage()), SECONDS)
        except (ApartError, OSError):
            return {}


def with_reasons(changes: Sequence[FileChange], reasons: Sequence[Reason | None]) -> list[FileChange]:
    """Return the changes with what explains them."""
    return [
        change if reason is None
        else replace(change, explained=reason.by or reason.why, why=reason.why, strength=reason.strength)
        for change, reason in zip(changes, reasons, strict=True)
    ]  # fmt: skip


def _is_rotated(path: bytes, finals: Sequence[bytes], reasons: Mapping[bytes, Reason], latest: Latest) -> bool:
    """Whether a name that came and went is a copy of a log that is known and in order, or of a copy of one: the
    compressed copy may be judged with an earlier or a later batch."""
    log = b"/".join(family_of(path))
    known = [latest.get(one) for one in (log, *finals)]
    sound = any(facts is not None and not facts.unexplained for facts in known)
    return log != path and (sound or any(one in reasons for one in (log, *finals)))


def _version(vouched: str) -> str:
    return vouched.partition(" ")[0]

"""Collects the actions of one script, with the guards, loops and functions they stand in; bounded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from hinomi.evidence.scripts.values import Condition, Conditions
from hinomi.model.tables.scripts import ScriptAction

MAX_ACTIONS = 5000
MAX_STEPS = 20_000
MAX_COMMAND = 500
MAX_OBJECT = 1000
MAX_DETAIL = 2000
_TELLING = {"process": 4, "time": 3, "exists": 2, "argument": 1}


@dataclass(slots=True, eq=False)
class Loop:
    """A loop being walked. Sleeps under a condition only count where no unconditional one is on the path."""

    endless: bool
    depth: int
    counted: bool = False  # ends by itself: over a list, or to the end of its input
    sleeps: float = 0.0
    conditional_sleep: float = 0.0

    @property
    def interval(self) -> float | None:
        """Seconds slept in one turn; None where no constant sleep is on the path."""
        return self.sleeps or self.conditional_sleep or None


@dataclass(slots=True, eq=False)
class Draft:
    """An action whose loop is not finished yet."""

    line: int
    action: str
    what: str | None
    detail: str | None
    command: str
    guard: Condition | None
    guards: tuple[Condition, ...]
    loop: Loop | None
    background: bool
    function: str | None
    resolved: bool

    def key(self) -> tuple[object, ...]:
        """Return what makes two drafts the same statement; the loop itself, for the number of one that is gone comes
        again.
        """
        return (
            self.line, self.action, self.what, self.detail, self.guard, self.loop, self.background, self.function,
        )  # fmt: skip


@dataclass(slots=True)
class Recorder:
    """The context of the walk and what was found. `steps` bounds the whole work on one script."""

    path: str
    guards: list[Condition] = field(default_factory=list)
    loops: list[Loop] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    background: int = 0
    steps: int = 0
    allowance: int = MAX_STEPS
    truncated: bool = False
    pinned_line: int | None = None
    drafts: list[Draft] = field(default_factory=list)
    mentions: set[str] = field(default_factory=set)
    commands: set[str] = field(default_factory=set)
    pid_files: dict[str, str] = field(default_factory=dict)
    _seen: dict[tuple[object, ...], None] = field(default_factory=dict)

    def step(self) -> bool:
        """Count one command; False when the script has used up its share."""
        self.steps += 1
        if self.steps > self.allowance:
            self.truncated = True
        return self.steps <= self.allowance

    @contextmanager
    def under(self, conditions: Conditions) -> Iterator[None]:
        """Walk under these conditions."""
        kept = len(self.guards)
        self.guards.extend(c for c in conditions if c.kind != "constant")
        try:
            yield
        finally:
            del self.guards[kept:]

    @contextmanager
    def looping(self, *, endless: bool, counted: bool = False) -> Iterator[Loop]:
        """Walk the body of a loop."""
        loop = Loop(endless, len(self.guards), counted)
        self.loops.append(loop)
        try:
            yield loop
        finally:
            self.loops.pop()

    @contextmanager
    def in_function(self, name: str) -> Iterator[None]:
        """Walk the body of a function."""
        self.functions.append(name)
        try:
            yield
        finally:
            self.functions.pop()

    @contextmanager
    def in_background(self, yes: bool) -> Iterator[None]:
        """Walk commands that are started in the background."""
        self.background += yes
        try:
            yield
        finally:
            self.background -= yes

    def slept(self, seconds: float) -> None:
        """Add a constant sleep to the innermost loop."""
        loop = self._loop()
        if loop is None:
            return
        if len(self.guards) > loop.depth:
            loop.conditional_sleep = max(loop.conditional_sleep, seconds)
        else:
            loop.sleeps += seconds

    def emit(
        self, action: str, line: int, command: str, *,
        what: str | None = None, detail: str | None = None, resolved: bool = True, background: bool = False,
    ) -> None:  # fmt: skip
        """Record an action in the present context; the same statement walked twice counts once."""
        draft = Draft(
            line, action, what[:MAX_OBJECT] if what is not None else None,
            detail[:MAX_DETAIL] if detail else None, command[:MAX_COMMAND], self._guard(), tuple(self.guards),
            self._loop(), background or self.background > 0, self.functions[-1] if self.functions else None, resolved,
        )  # fmt: skip
        key = draft.key()
        if key in self._seen:
            return
        if len(self.drafts) >= MAX_ACTIONS:
            self.truncated = True
            return
        self._seen[key] = None
        self.drafts.append(draft)

    def _guard(self) -> Condition | None:
        """The innermost guard of the most telling kind: a watchdog that also tests `-x` stays a watchdog."""
        return max(reversed(self.guards), key=lambda c: _TELLING.get(c.kind, 0), default=None)

    def _loop(self) -> Loop | None:
        """The innermost loop that is not counted: `for p in a b` inside `while true` belongs to the latter."""
        return next((loop for loop in reversed(self.loops) if not loop.counted), None)

    def restarts_itself(self, first: int, *, endless: bool) -> None:
        """Mark the drafts from number `first` on as one turn of a loop (exec "$0", recursion).

        Recursion also walks trees; it is a loop for us only when it sleeps between its turns.
        """
        loop = Loop(endless=endless, depth=0)
        for draft in self.drafts[first:]:
            if draft.action == "sleeps" and draft.loop is None and draft.what:
                loop.sleeps += float(draft.what)
            if draft.loop is None or not timed(draft.loop):
                draft.loop = loop

    def actions(self) -> tuple[ScriptAction, ...]:
        """Return the finished rows."""
        return tuple(self._row(number, draft) for number, draft in enumerate(self.drafts))

    def _row(self, number: int, draft: Draft) -> ScriptAction:
        guard, loop = draft.guard, draft.loop if draft.loop is not None and timed(draft.loop) else None
        return ScriptAction(
            path=self.path, line=draft.line, order=number, action=draft.action, object=draft.what,
            detail=draft.detail,
            command=draft.command, guard=guard.text[:MAX_COMMAND] if guard else None,
            guard_kind=guard.guard_kind if guard else None,
            guard_object=self._guard_object(guard), in_loop=loop is not None,
            loop_interval=loop.interval if loop else None, background=draft.background, function=draft.function,
            resolved=draft.resolved, guards=[f"{c.guard_kind} {c.object or c.text}"[:200] for c in draft.guards[-8:]],
        )  # fmt: skip

    def _guard_object(self, guard: Condition | None) -> str | None:
        if guard is None or guard.object is None:
            return None
        return self.pid_files.get(guard.object, guard.object)[:MAX_OBJECT]


def timed(loop: Loop) -> bool:
    """Tell whether a loop counts as a loop for the table: endless, or one that sleeps between its turns."""
    return loop.endless or (not loop.counted and loop.interval is not None)

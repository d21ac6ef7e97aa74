"""What the PowerShell walk carries: variables, functions, the recorder, and how deep it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hinomi.evidence.scripts.values import Condition, Conditions, Source, Value, unknown

if TYPE_CHECKING:
    from tree_sitter import Node

    from hinomi.evidence.scripts.record import Recorder

Datum = Value | tuple[Value, ...]  # an expression gives one value or an array
MAX_DEPTH = 60
MAX_CODE_DEPTH = 4
MAX_CODE = 1 << 20


@dataclass(slots=True)
class State:
    """Names are lower case: PowerShell does not tell case."""

    recorder: Recorder
    run_code: Callable[[State, str, int], None]
    statements: Callable[[State, list[Node]], Value]
    invoke: Callable[[State, Node], Datum]  # a method call inside an expression
    variables: dict[str, Datum] = field(default_factory=dict)
    functions: dict[str, Node] = field(default_factory=dict)
    called: set[str] = field(default_factory=set)
    made: dict[str, Value] = field(default_factory=dict)
    depth: int = 0
    code_depth: int = 0

    def line(self, node: Node) -> int:
        """Return the 1-based line; code in a string counts as its string's line."""
        pinned = self.recorder.pinned_line
        return pinned if pinned is not None else node.start_point[0] + 1

    def emit(
        self, action: str, line: int, command: str, what: Value | str | None = None, detail: Value | str | None = None
    ) -> None:
        """Record an action."""
        constant = not isinstance(what, Value) or what.constant
        self.recorder.emit(
            action, line, command, what=what.text if isinstance(what, Value) else what,
            detail=detail.text if isinstance(detail, Value) else detail, resolved=constant,
        )  # fmt: skip


def one(datum: Datum) -> Value:
    """Return a datum as one value: arrays are joined by blanks, as PowerShell does in a string."""
    if isinstance(datum, Value):
        return datum
    source = next((v.source for v in datum if v.source is not None), None)
    return Value(" ".join(v.text for v in datum), all(v.constant for v in datum), source)


def many(datum: Datum) -> tuple[Value, ...]:
    """Return a datum as an array."""
    return (datum,) if isinstance(datum, Value) else datum


def as_bytes(raw: bytes, source: Source | None) -> Value:
    """Keep bytes in a value, one character a byte."""
    return Value(raw.decode("latin-1"), True, source)


def asked(value: Value, text: str) -> Conditions:
    """Return what a value tells when it is used as a truth."""
    source = value.source
    if source is not None and source.kind in ("process", "exists", "time", "argument"):
        return (Condition(source.kind, source.object, text),)
    if source is not None and source.conditions:
        return source.conditions
    if value.constant:
        return (Condition("constant", None, text, value.text.lower() not in ("", "0", "false", "$false", "$null")),)
    return (Condition("other", None, text),)


def nothing(text: str) -> Value:
    """Return an unknown value."""
    return unknown(text[:200])

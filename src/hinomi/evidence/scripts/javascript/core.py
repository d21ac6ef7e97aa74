"""The state of a walk over JavaScript, and the ways back into it; `machine` gives it its visitors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hinomi.evidence.scripts.javascript.values import Names, evaluate, one
from hinomi.evidence.scripts.record import Recorder
from hinomi.evidence.scripts.syntax import parse, text_of
from hinomi.evidence.scripts.values import Source, Value

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_DEPTH = 120
MAX_CODE_DEPTH = 4


@dataclass(slots=True)
class Walk:
    """One walk: constants, which name stands for which module, where data comes from."""

    recorder: Recorder
    visitors: Mapping[str, Visitor]  # by type of node; nodes without one are walked through
    names: Names = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)  # name -> module, or module.member for a destructured one
    answers: dict[str, str] = field(default_factory=dict)  # name -> process whose being there it tells
    functions: dict[str, Node] = field(default_factory=dict)
    connected: Source | None = None  # the connection made last, by a socket
    depth: int = 0
    code_depth: int = 0

    def line(self, node: Node) -> int:
        """Return the 1-based line; code in a string counts as its string's line."""
        pinned = self.recorder.pinned_line
        return pinned if pinned is not None else node.start_point[0] + 1

    def emit(self, node: Node, action: str, what: Value | str | None = None, detail: Value | str | None = None) -> None:
        """Record an action."""
        constant = not isinstance(what, Value) or what.constant
        self.recorder.emit(
            action, self.line(node), text_of(node)[:500], what=what.text if isinstance(what, Value) else what,
            detail=detail.text if isinstance(detail, Value) else detail, resolved=constant and what is not None,
        )  # fmt: skip

    def value(self, node: Node) -> Value:
        """Return an expression's value."""
        return one(evaluate(self.names, node))

    def visit(self, node: Node) -> None:
        """Walk a node; only what has a visitor of its own costs depth, so that minified code stays in bounds."""
        stack = [node]
        while stack:
            item = stack.pop()
            visitor = self.visitors.get(item.type)
            if visitor is None:
                stack.extend(reversed(item.named_children))
            else:
                self._enter(visitor, item)

    def _enter(self, visitor: Visitor, node: Node) -> None:
        if self.depth >= MAX_DEPTH or not self.recorder.step():
            self.recorder.truncated = True
            return
        self.depth += 1
        try:
            visitor(self, node)
        finally:
            self.depth -= 1

    def code(self, text: str, line: int) -> None:
        """Walk constant code found in a string."""
        if self.code_depth >= MAX_CODE_DEPTH:
            self.recorder.truncated = True
            return
        pinned, self.recorder.pinned_line = self.recorder.pinned_line, line
        self.code_depth += 1
        try:
            self.visit(parse("javascript", text).root_node)
        finally:
            self.code_depth -= 1
            self.recorder.pinned_line = pinned

    def shell(self, text: str, line: int) -> None:
        """Walk a shell command line."""
        from hinomi.evidence.scripts.shell.machine import ShellMachine

        ShellMachine(self.recorder, self.recorder.path).code(text, line)


Visitor = Callable[[Walk, "Node"], None]

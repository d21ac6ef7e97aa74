"""What all of the rewriting of statements shares: where lines go, how deep it is, and what was learned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from hinomi.evidence.scripts.rewritten.dialects import Dialect
from hinomi.evidence.scripts.rewritten.effects import Effects
from hinomi.evidence.scripts.rewritten.lines import Lines
from hinomi.evidence.scripts.rewritten.writer import Writer

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_DEPTH = 60
MAX_STEPS = 60_000
BODIES = ("body", "block", "consequence")


class Base:
    """Writes statements; `visitors` tells how, by the part that a node plays."""

    def __init__(self, dialect: Dialect, visitors: Mapping[str, Callable[..., None]]) -> None:
        self.dialect = dialect
        self.visitors = visitors
        self.writer = Writer(dialect)
        self.effects = Effects(self.writer)
        self.lines = Lines()
        self.depth = 0
        self.steps = 0
        self.pinned: int | None = None  # the line of the string that the code stands in
        self.cut = False

    def put(self, node: Node, *texts: str) -> None:
        """Write statements on a node's line."""
        for text in texts:
            self.lines.put(self.pinned or node.start_point[0] + 1, text)

    def block(self, node: Node) -> None:
        """Write the statements below a node."""
        for child in node.named_children:
            self.statement(child)

    def statement(self, node: Node) -> None:
        """Write one statement."""
        self.steps += 1
        if self.depth > MAX_DEPTH or self.steps > MAX_STEPS or self.lines.full:
            self.cut = True
            return
        self.depth += 1
        try:
            self.visitors.get(self.writer.read.role(node), Base.block)(self, node)
        finally:
            self.depth -= 1

    def body(self, node: Node | None, at: Node) -> None:
        """Write a body, which in the shell is never empty."""
        if node is not None:
            if self.writer.read.role(node) in self.visitors:
                self.statement(node)
            else:
                self.block(node)
        self.put(at if node is None else last(node), ":")


def last(node: Node) -> Node:
    """A node on the last line of another; what closes a block stands there."""
    return _End(node)  # type: ignore[return-value]  # only its line is asked for


class _End:
    def __init__(self, node: Node) -> None:
        self.start_point = node.end_point if node.end_point[1] else (max(node.end_point[0] - 1, node.start_point[0]), 1)

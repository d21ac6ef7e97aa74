"""Branches: if, case, `&&` and `||`, pipelines, and what a function's return tells."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hinomi.evidence.scripts.shell.conditions import compare
from hinomi.evidence.scripts.shell.core import NOTHING, Machine, Result
from hinomi.evidence.scripts.shell.words import value_of
from hinomi.evidence.scripts.syntax import text_of
from hinomi.evidence.scripts.values import Condition, Conditions, Value, negated

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_CHAIN = 2000


def body_of(definition: Node) -> list[Node]:
    """Return the statements of a function definition."""
    body = definition.child_by_field_name("body")
    if body is None:
        return []
    return body.children if body.type in ("compound_statement", "subshell") else [body]


# --- if ---------------------------------------------------------------------------------------------------------


def if_statement(machine: Machine, node: Node) -> Result:
    """Walk each branch under what its test asked and under the opposite of the tests before it."""
    before: Conditions = ()
    rest: Conditions = ()
    outputs: list[Result] = []
    asked: Conditions = ()
    for kind, condition, body in _branches(node):
        asked = () if kind == "else" else _ask(machine, condition, before)
        with machine.recorder.under(before + asked):
            result = machine.block(body)
        outputs.append(result)
        if result.leaves:
            rest += before if kind == "else" else negated(asked)
        before += negated(asked)
    spoken = next((r.output for r in outputs if r.output.text or r.output.source), Value(""))
    leaves = len(outputs) > 1 and all(r.leaves for r in outputs) and not asked
    return Result(spoken, leaves=leaves, rest=negated(rest) if leaves else rest)


def _ask(machine: Machine, condition: list[Node], before: Conditions) -> Conditions:
    """Walk the commands of a test; the last one decides."""
    statements = [c for c in condition if c.is_named and c.type != "comment"]
    if not statements:
        return ()
    with machine.recorder.under(before):
        machine.block(statements[:-1])
        return machine.asked(statements[-1]).conditions


def _branches(node: Node) -> Iterator[tuple[str, list[Node], list[Node]]]:
    """Yield (kind, test, body) of an if statement; a test ends at `then`."""
    parts: list[Node] = []
    condition: list[Node] = []
    kind = "if"
    for child in node.children:
        if child.type == "then":
            condition, parts = parts, []
        elif child.type in ("elif_clause", "else_clause"):
            if kind:
                yield kind, condition, parts
                kind = ""
            yield from _clause(child)
        elif child.type not in ("if", "fi"):
            parts.append(child)
    if kind:
        yield kind, condition, parts


def _clause(node: Node) -> Iterator[tuple[str, list[Node], list[Node]]]:
    if node.type == "else_clause":
        yield "else", [], node.children[1:]
        return
    split = next((i for i, c in enumerate(node.children) if c.type == "then"), len(node.children))
    yield "elif", node.children[1:split], node.children[split + 1 :]


# --- case -------------------------------------------------------------------------------------------------------


def case_statement(machine: Machine, node: Node) -> Result:
    """Walk each item under its comparison; `*)` stands under the opposite of the items before it."""
    subject = node.child_by_field_name("value")
    value = value_of(machine, subject) if subject is not None else Value("")
    shown = text_of(subject)[:80] if subject is not None else ""
    before: Conditions = ()
    for item in node.named_children:
        if item.type != "case_item":
            continue
        conditions, body = _item(machine, item, value, shown)
        with machine.recorder.under(conditions or before):
            machine.block(body)
        before += negated(conditions)
    return NOTHING


def _item(machine: Machine, item: Node, value: Value, shown: str) -> tuple[Conditions, list[Node]]:
    split = next((i for i, c in enumerate(item.children) if c.type == ")"), 0)
    patterns = [c for c in item.children[:split] if c.is_named]
    texts = [value_of(machine, p).text for p in patterns]
    body = item.children[split + 1 :]
    if "*" in texts or not texts:
        return (), body
    line = machine.line(item)
    text = f"{shown} in {'|'.join(texts)}"
    return _matched(machine, value, texts, line, text), body


def _matched(machine: Machine, value: Value, texts: list[str], line: int, text: str) -> Conditions:
    if value.has("argument") and value.source is not None:
        return (Condition("argument", "|".join(texts), text),)
    found = compare(machine, value, "=", Value(texts[0]), line, text)
    return tuple(c for c in found if c.kind != "constant") or (Condition("other", "|".join(texts), text),)


# --- && || | ----------------------------------------------------------------------------------------------------


def chain(machine: Machine, node: Node) -> Result:
    """Walk `a && b || c`; each part under the states of the parts before it."""
    parts = _flattened(node)
    first = machine.asked(parts[0][1])
    conditions, rest, output, leaves = first.conditions, first.rest, first.output, first.leaves
    for operator, part in parts[1:]:
        wanted = conditions if operator == "&&" else negated(conditions)
        with machine.recorder.under(wanted):
            result = machine.statement(part)
        if result.leaves:
            rest += negated(wanted)
        elif operator == "&&":
            conditions = conditions + result.conditions
        if result.output.text or result.output.source:
            output = result.output
    return Result(output, tuple(c for c in conditions if c.kind != "constant") or conditions, leaves, rest)


def _flattened(node: Node) -> list[tuple[str, Node]]:
    """Turn the left-deep tree of a list into (operator, part) pairs without recursion."""
    parts: list[tuple[str, Node]] = []
    current = node
    while current.type == "list" and current.child_count >= 3 and len(parts) < MAX_CHAIN:
        parts.append((current.children[1].type, current.children[-1]))
        current = current.children[0]
    parts.append(("", current))
    return parts[::-1]


def pipeline(machine: Machine, node: Node) -> Result:
    """Walk the commands of a pipe, each with the output of the one before; a `!` is the whole pipe's."""
    commands = [c for c in node.children if c.is_named and c.type != "comment"]
    if commands and commands[0].type == "negated_command" and commands[0].named_children:
        result = pipe(machine, [commands[0].named_children[0], *commands[1:]], None)
        return Result(result.output, negated(result.conditions))
    return pipe(machine, commands, None)


def pipe(machine: Machine, commands: list[Node], stdin: Value | None) -> Result:
    """Feed `stdin` through the commands."""
    result = NOTHING
    for command in commands:
        result = machine.with_input(command, stdin)
        stdin = result.output
    return Result(result.output, result.conditions)


# --- what a function's return tells -----------------------------------------------------------------------------


@contextmanager
def returns(machine: Machine) -> Iterator[list[tuple[str, Conditions]]]:
    """Gather the `return N` of a function with the conditions they stand under."""
    kept = machine.returned, machine.return_depth
    machine.returned, machine.return_depth = [], len(machine.recorder.guards)
    try:
        yield machine.returned
    finally:
        machine.returned, machine.return_depth = kept


def verdict(returned: list[tuple[str, Conditions]], last: Conditions) -> Conditions:
    """Return what status 0 of a function tells: `return 0` under X means X, `return 1` under X means not X."""
    for status, conditions in returned:
        told = tuple(c for c in conditions if c.kind in ("process", "exists", "time"))
        if told and status.isdigit():
            return told if int(status[:6]) == 0 else negated(told)
    return last

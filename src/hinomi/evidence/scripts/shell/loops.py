"""Loops: which ones never end, and what they sleep."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hinomi.evidence.scripts.shell.arithmetic import evaluate
from hinomi.evidence.scripts.shell.conditions import TRUE, always, compare, constant
from hinomi.evidence.scripts.shell.core import NOTHING, Machine, Result
from hinomi.evidence.scripts.shell.words import fields_of
from hinomi.evidence.scripts.syntax import text_of
from hinomi.evidence.scripts.values import Condition, Conditions, Source, Value, negated, unknown

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_UNROLLED = 16
MANY_TURNS = 10_000  # a counted loop of this many turns is meant to run for good
_COMPARISON = re.compile(r"^\s*\$?\{?(\w+)\}?\s*(==|!=|<=|>=|<|>)\s*(\w+)\s*$")
_PROC_LIST = re.compile(r"^/proc/[^/]*[\[*?]")


def while_statement(machine: Machine, node: Node) -> Result:
    """Walk `while` and `until`; after a loop that ends, the opposite of its condition holds."""
    until = bool(node.children) and node.children[0].type == "until"
    body = node.child_by_field_name("body")
    asked = [c for c in node.children_by_field_name("condition") if c.is_named and c.type != "comment"]
    machine.env.forget(assigned_in(node))
    reads = _reads(asked)
    follows = reads and machine.stdin is not None and machine.stdin.has("events")
    with machine.recorder.looping(endless=False, counted=reads and not follows) as loop:
        machine.block(asked[:-1])
        conditions = machine.asked(asked[-1]).conditions if asked else TRUE
        conditions = negated(conditions) if until else conditions
        loop.endless = always(conditions) or follows
        with machine.recorder.under(conditions):
            loop.depth = len(machine.recorder.guards)
            result = machine.block(body.children) if body is not None else NOTHING
    rest = () if loop.endless else tuple(c for c in negated(conditions) if c.kind in ("process", "exists", "time"))
    return Result(result.output, rest=rest)


def _reads(asked: list[Node]) -> bool:
    """Tell whether the loop reads its input to the end (`while read -r line`)."""
    text = text_of(asked[-1])[:400] if asked else ""
    words = text.replace("=", " ").split()
    return "read" in words and not any(w.startswith("-t") for w in words)


def for_statement(machine: Machine, node: Node) -> Result:
    """Walk `for x in ...`: unrolled over a few constants, once otherwise."""
    variable = node.child_by_field_name("variable")
    body = node.child_by_field_name("body")
    name = text_of(variable) if variable is not None else "_"
    items = [v for word in node.children_by_field_name("value") for v in fields_of(machine, word)]
    children = body.children if body is not None else []
    many = len(items) == 1 and _turns(items[0]) >= MANY_TURNS
    with machine.recorder.looping(endless=many, counted=not many):
        for item in _unrolled(name, items, any(c.type == "in" for c in node.children), machine):
            machine.env.assign(name, item)
            result = machine.block(children)
            if not machine.recorder.step():
                return NOTHING
    return Result(result.output)


def _unrolled(name: str, items: list[Value], listed: bool, machine: Machine) -> list[Value]:
    if not listed:
        items = machine.env.all_arguments()
    plain = [v for v in items if v.constant and not any(c in v.text for c in "*?[")]
    if plain and len(plain) == len(items) and len(items) <= MAX_UNROLLED:
        return plain
    text = " ".join(v.text for v in items)[:200] or f"${name}"
    source = next((v.source for v in items if v.source is not None), None)
    if _PROC_LIST.match(text):
        source = Source("processes", text, "/proc")
    shown = text if any(c in text for c in "*?[") else f"${name}"
    return [unknown(shown, source)]


def _turns(value: Value) -> int:
    """Return how many turns `$(seq 1 N)` and `{1..N}` stand for, as far as their text shows."""
    numbers = re.findall(r"\d+", value.text[:80])
    return int(numbers[-1][:12]) if numbers and ("seq" in value.text or ".." in value.text) else 0


def c_style_for(machine: Machine, node: Node) -> Result:
    """Walk `for ((;;))`: endless without a condition or with one that is constant."""
    body = node.child_by_field_name("body")
    parts = _header(node, body).split(";")
    condition = parts[1].strip() if len(parts) > 2 else ""
    machine.env.forget(assigned_in(node))
    number = evaluate(condition, lambda name: machine.env.get(name).known) if condition else 1
    endless = bool(number) or _turns_of(condition) >= MANY_TURNS
    with machine.recorder.looping(endless=endless, counted=not endless):
        result = machine.block(body.children) if body is not None else NOTHING
    return Result(result.output)


def _turns_of(condition: str) -> int:
    match = _COMPARISON.match(condition)
    return int(match[3][:12]) if match and match[3].isdigit() else 0


def _header(node: Node, body: Node | None) -> str:
    text = node.text or b""
    head = text[: body.start_byte - node.start_byte] if body is not None else text
    return head.decode("utf-8", "surrogateescape").partition("((")[2].rpartition("))")[0]


def assigned_in(node: Node) -> set[str]:
    """Return the variables that a loop changes, without recursion."""
    names: set[str] = set()
    stack, visited = [node], 0
    while stack and visited < 20_000:
        item = stack.pop()
        visited += 1
        if item.type == "variable_assignment" and item.children:
            names.add(text_of(item.children[0]))
        elif item.type in ("postfix_expression", "unary_expression", "binary_expression") and item.children:
            names.update(_stepped(item))
        elif item.type == "command" and text_of(item).startswith(("read ", "let ")):
            names.update(re.findall(r"[A-Za-z_]\w*", text_of(item)[4:400]))
        stack.extend(item.named_children)
    return names


def _stepped(item: Node) -> set[str]:
    """Return the variable of `i++`, `--i` and `i+=1`."""
    text = text_of(item)[:200]
    if "++" in text or "--" in text or re.search(r"[-+*/]=", text):
        return set(re.findall(r"[A-Za-z_]\w*", text)[:1])
    return set()


def arithmetic_condition(machine: Machine, node: Node) -> Result:
    """Evaluate `(( ... ))`: a constant, or a comparison of a known count."""
    text = text_of(node).strip()
    inner = text[2:-2].strip() if text.startswith("((") else text
    machine.env.forget({n for n in assigned_in(node) if n})
    number = evaluate(inner, lambda name: machine.env.get(name).known)
    if number is not None:
        return Result(conditions=constant(bool(number), text[:200]))
    return Result(conditions=_compared(machine, inner, text[:200], machine.line(node)))


def _compared(machine: Machine, inner: str, text: str, line: int) -> Conditions:
    match = _COMPARISON.match(inner[:400])
    if match is None:
        return (Condition("other", None, text),)
    left = machine.env.get(match[1])
    right = Value(match[3]) if match[3].isdigit() else machine.env.get(match[3])
    return compare(machine, left, match[2], right, line, text)

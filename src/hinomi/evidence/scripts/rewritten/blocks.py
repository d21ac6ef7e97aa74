"""Conditions, loops, functions and handlers, written as the shell's."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hinomi.evidence.scripts.rewritten import calls
from hinomi.evidence.scripts.rewritten.asked import condition, listening, negated
from hinomi.evidence.scripts.rewritten.base import BODIES, Base, last
from hinomi.evidence.scripts.rewritten.reading import first_field, keyword_of, short_name
from hinomi.evidence.scripts.rewritten.words import Word, literal, many, name_of, quoted
from hinomi.evidence.scripts.rewritten.writer import function_name, sides
from hinomi.evidence.scripts.syntax import text_of

if TYPE_CHECKING:
    from tree_sitter import Node

_ELSES = frozenset("elif_clause else_clause elsif else else_if_clause elseif_statement else_statement".split())
_HANDLERS = ("except", "catch", "rescue", "finally", "ensure", "else")
_RAISES = frozenset(("subprocess.check_call", "subprocess.check_output", "subprocess.run"))
_QUESTIONS = frozenset(("any", "all", "bool", *calls.EXISTS, *calls.CONTAINS))
_ASKS_BY_FAILING = frozenset(("os.kill", "Process.kill", "os.getpgid", "psutil.Process"))


def loop(base: Base, head: str, body: Node | None, node: Node) -> None:
    """Write a loop: what it asks or goes through, and its body."""
    base.put(node, f"{head}; do")
    base.body(body, node)
    base.put(last(node), "done")


def if_(base: Base, node: Node) -> None:
    """Write `if`, `unless`, their forms behind a statement, and what is chained to them."""
    question = _condition_of(base, node)
    asked = _asked(base, question)
    _asked_first(base, question)
    base.put(node, f"if {negated(asked) if keyword_of(node) == 'unless' else asked}; then")
    base.body(_body_of(node), node)
    _else(base, node)
    base.put(last(node), "fi")


def _body_of(node: Node) -> Node | None:
    """What a condition or loop governs; in Perl it may stand before it."""
    first = node.named_children[0] if node.type.startswith("postfix_") and node.named_children else None
    return first or first_field(node, *BODIES)


def _condition_of(base: Base, node: Node) -> Node | None:
    found = node.child_by_field_name("condition")
    return base.writer.read.bare(found) if found is not None else None


def _asked(base: Base, question: Node | None) -> str:
    return condition(base.writer, question) if question is not None else "true"


def _asked_first(base: Base, question: Node | None) -> None:
    """An assignment inside a condition (`if ($x = f())`) comes before the question, and so does a connection."""
    if question is None:
        return
    call = base.writer.read.call(question)
    if base.writer.read.role(question) == "assign" or (call is not None and call.name in calls.CONNECTS):
        base.statement(question)


def _else(base: Base, node: Node) -> None:
    for branch in node.named_children:
        if branch.type not in _ELSES:
            continue
        question = _condition_of(base, branch)
        base.put(branch, "else" if question is None else f"elif {condition(base.writer, question)}; then")
        body = first_field(branch, *BODIES)
        if body is None and question is None:
            base.block(branch)
        base.body(body, branch)
        _else(base, branch)


def while_(base: Base, node: Node) -> None:
    """Write `while` and `until`."""
    question = _condition_of(base, node)
    asked = _asked(base, question)
    word = "until" if keyword_of(node) == "until" else "while"
    _asked_first(base, question)
    loop(base, f"{word} {asked}", _body_of(node), node)
    _unbroken(base, node)


def repeat(base: Base, node: Node) -> None:
    """Write `do … while` and `repeat … until`."""
    word = "until" if node.type == "repeat_statement" else "while"
    loop(base, f"{word} {_asked(base, _condition_of(base, node))}", first_field(node, *BODIES), node)


def endless(base: Base, node: Node) -> None:
    """Write `for (;;)`; one that counts is a loop over a list."""
    question = first_field(node, "condition")
    counts = question is not None and text_of(question).strip("; ")
    loop(base, "for counter in 1 2" if counts else "while true", first_field(node, *BODIES), node)


def for_(base: Base, node: Node) -> None:
    """Write a loop over a list."""
    clause = node.child_by_field_name("clause")
    if clause is not None and clause.type == "for_numeric_clause":
        loop_over(base, [], None, first_field(node, *BODIES), node)
        return
    target, source = _clause(node, clause)
    if source is not None and base.writer.read.full_name(source).startswith("itertools.count"):
        loop(base, "while true", first_field(node, *BODIES), node)
        return
    body = _body_of(node)
    loop_over(base, [text_of(target)] if target is not None else ["$_"], source, body, node)
    _unbroken(base, node)


def _unbroken(base: Base, node: Node) -> None:
    """Write Python's `else` of a loop: what is done where the question that would end the loop was never answered."""
    otherwise = next((c for c in node.named_children if c.type == "else_clause"), None)
    if otherwise is None:
        return
    body = _body_of(node)
    question = _ends_loop(body) if body is not None else None
    if question is not None:
        base.put(otherwise, f"if {negated(condition(base.writer, question))}; then")
    base.body(first_field(otherwise, *BODIES), otherwise)
    if question is not None:
        base.put(last(otherwise), "fi")


def _ends_loop(body: Node) -> Node | None:
    """Return the question of the first `if` that leaves the loop; loops inside have their own."""
    stack = [body]
    while stack:
        node = stack.pop()
        if node.type == "if_statement" and any(c.type == "break_statement" for c in _within(node)):
            return node.child_by_field_name("condition")
        if node.type not in ("for_statement", "while_statement", "function_definition"):
            stack += reversed(node.named_children)
    return None


def _within(node: Node) -> list[Node]:
    """The statements that a condition governs directly."""
    body = _body_of(node)
    return body.named_children if body is not None else []


def _clause(node: Node, clause: Node | None) -> tuple[Node | None, Node | None]:
    if clause is not None:  # Lua
        names, values = clause.named_children[0], clause.named_children[-1]
        return names.named_children[-1] if names.named_children else None, values
    target = first_field(node, "left", "variable", "pattern")
    source = first_field(node, "right", "list", "value")
    if source is None:  # PHP
        inner = [c for c in node.named_children if c.type != "compound_statement"]
        source = inner[0] if inner else None
        target = inner[1] if len(inner) > 1 else None
    if target is not None and target.named_children and target.type in ("pair", "pattern_list"):
        target = target.named_children[-1]
    if source is not None and source.type == "in" and source.named_children:  # Ruby
        source = source.named_children[0]
    return target, source


def loop_over(base: Base, names: list[str], source: Node | None, body: Node | None, node: Node) -> None:
    """Write a loop over what an expression gives; one whose number of turns is all that is known has two."""
    words: list[Word] = many(base.writer.value(source)) if source is not None else [literal("1"), literal("2")]
    listed = " ".join("".join(p.text for p in w) if all(p.expands for p in w) else quoted(w) for w in words[:200])
    loop(base, f"for {name_of(names[-1]) if names else 'item'} in {listed or '1'}", body, node)


def function(base: Base, node: Node) -> None:
    """Write a function; its parameters are the words it is called with."""
    name, body = node.child_by_field_name("name"), first_field(node, *BODIES)
    if name is None or body is None:
        return
    base.put(node, f"{function_name(short_name(name))}() {{")
    for number, parameter in enumerate(_parameters(node, body), 1):
        base.put(node, f'{name_of(parameter)}="${{{number}}}"')
    base.body(body, node)
    base.put(last(node), "}")


def _parameters(node: Node, body: Node) -> list[str]:
    holder = node.child_by_field_name("parameters")
    if holder is None:
        return _perl_parameters(body)
    named = [first_field(c, "name", "pattern") or c for c in holder.named_children if c.type != "comment"]
    names = [text_of(c).partition(":")[0].strip("*& ") for c in named]
    return [n for n in names if n not in ("self", "cls")][:20]


def return_(base: Base, node: Node) -> None:
    """Write `return`: the answer to a question is a status, other values are printed."""
    inner = [c for c in node.named_children if base.writer.read.role(c) != "skip"]
    if not inner:
        base.put(node, "return 0")
        return
    value = base.writer.read.bare(inner[0])
    role = base.writer.read.role(value)
    if role in ("true", "false") or text_of(value) in ("0", "1"):
        right = role == "true" or text_of(value) == "1"
        base.put(node, f"return {0 if right else 1}")
    elif role in ("binary", "not", "gather") or _is_question(base, value):
        base.put(node, f"if {condition(base.writer, value)}; then return 0; else return 1; fi")
    else:
        if role == "call":
            base.statement(value)
        base.put(node, f"echo {quoted(base.writer.word(value))}", "return 0")


def _is_question(base: Base, value: Node) -> bool:
    call = base.writer.read.call(value)
    return call is not None and call.name in _QUESTIONS


def try_(base: Base, node: Node) -> None:
    """Write `try`: what is done when a question about a process fails is done when it does not run."""
    body = first_field(node, "body")
    inside = [c for c in node.named_children if not c.type.startswith(_HANDLERS)]
    asked = next(filter(None, (_question(base, p) for p in (inside if body is None else body.named_children))), "")
    for part in inside:
        base.statement(part)
    for handler in (c for c in node.named_children if c not in inside):
        fails = bool(asked) and handler.type.startswith(("except", "catch", "rescue"))
        if fails:
            base.put(handler, f"if {negated(asked)}; then")
        base.body(first_field(handler, "body") or handler, handler)
        if fails:
            base.put(last(handler), "fi")


def _question(base: Base, node: Node) -> str | None:
    """Return what a statement asks by failing: signal 0, or a command whose failure is raised."""
    call = base.writer.read.call(base.writer.read.bare(node))
    if call is None and base.writer.read.role(base.writer.read.bare(node)) == "assign":
        right = sides(base.writer.read.bare(node))[1]
        call = base.writer.read.call(base.writer.read.bare(right)) if right is not None else None
    if call is None:
        return None
    if call.name in _RAISES:
        return base.writer.run(call)
    if call.member == "connect" and call.receiver is not None:
        return listening(base.writer, call)
    return condition(base.writer, call.node) if call.name in _ASKS_BY_FAILING else None


def _perl_parameters(body: Node) -> list[str]:
    """`my ($a, $b) = @_;` and `my $a = shift;`."""
    names: list[str] = []
    for statement in body.named_children[:12]:
        text = text_of(statement)[:300]
        left, _, right = text.partition("=")
        if right.strip(" ;\n") in ("@_", "shift", "shift @_", "shift(@_)"):
            names += [n.strip() for n in left.removeprefix("my").strip(" ()").split(",")]
    return names[:20]


BLOCKS: dict[str, Callable[[Base, Node], None]] = {
    "if": if_, "while": while_, "for": for_, "repeat": repeat, "endless": endless, "function": function,
    "return": return_, "try": try_,
}  # fmt: skip

"""Conditions of a program as questions to the shell: about processes, files, states of commands, texts."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from hinomi.evidence.scripts.rewritten import calls
from hinomi.evidence.scripts.rewritten.reading import Asked, first_field, operator_of
from hinomi.evidence.scripts.rewritten.words import Word, constant, many, quoted, variable
from hinomi.evidence.scripts.rewritten.writer import MAX_DEPTH, Writer, argument, sides
from hinomi.evidence.scripts.syntax import text_of

if TYPE_CHECKING:
    from tree_sitter import Node

_ANY = frozenset(("&&", "||", "and", "or"))


def condition(writer: Writer, node: Node) -> str:
    """Return an expression as a question to the shell."""
    if writer.depth > MAX_DEPTH:
        return '[ -n "$unknown" ]'
    node = writer.read.bare(node)
    with writer.deeper():
        return _ASKS.get(writer.read.role(node), _holds)(writer, node)


def is_question(writer: Writer, node: Node) -> bool:
    """Whether an expression can only be true or false: `x in y`, `not x`, `any(…)`; `x or y` gives one of the two."""
    node = writer.read.bare(node)
    role = writer.read.role(node)
    if role == "binary":
        return operator_of(node).strip() in _LIKE or operator_of(node).strip() in _ORDER
    call = writer.read.call(node)
    if call is not None:
        return call.name in ("any", "all") or (call.block is not None and call.member in _OF_EACH)
    return role == "not" and operator_of(node).strip() in ("!", "not")


def contains(haystack: Word, needle: Word) -> str:
    """Ask whether a text holds another."""
    return f"echo {quoted(haystack)} | grep -q {quoted(needle)}"


def _holds(writer: Writer, node: Node) -> str:
    word = quoted(writer.word(node))
    return f"[ {word} -ne 0 ]" if word.endswith('_status}"') else f"[ -n {word} ]"


def _not(writer: Writer, node: Node) -> str:
    inner = first_field(node, "argument", "operand") or (node.named_children[-1] if node.named_children else None)
    if inner is None or operator_of(node).strip() not in ("!", "not", ""):
        return _holds(writer, node)
    return negated(condition(writer, inner))


def negated(asked: str) -> str:
    """Return the opposite question."""
    return asked[2:] if asked.startswith("! ") and not _several(asked) else f"! {_grouped(asked)}"


def _grouped(asked: str) -> str:
    return f"( {asked} )" if _several(asked) or " | " in asked else asked


def _several(asked: str) -> bool:
    return " && " in asked or " || " in asked


def _asked_binary(writer: Writer, node: Node) -> str:
    left, right, operator = *sides(node), operator_of(node).strip()
    if left is None or right is None:
        return _holds(writer, node)
    if operator in _ANY:
        word = "&&" if operator in ("&&", "and") else "||"
        return f"{_grouped(condition(writer, left))} {word} {_grouped(condition(writer, right))}"
    found = _compared(writer, writer.read.bare(left), writer.read.bare(right), operator)
    return found if found is not None else _holds(writer, node)


_UNLIKE = frozenset(("!=", "ne", "!==", "~=", "is not", "not in", "!~", "<>"))
_LIKE = frozenset(("==", "eq", "===", "is", "in", "=~")) | _UNLIKE
_ORDER = {"<": "-lt", ">": "-gt", "<=": "-le", ">=": "-ge", "lt": "-lt", "gt": "-gt"}


_COUNTS = frozenset("len sum count size length".split())


def _counted(writer: Writer, left: Node, right: Node, operator: str) -> str | None:
    """`len(x) == 0`, `sum(1 for …) > 0`, `x.size < 1`: a number of things, asked whether there is any."""
    call, text = writer.read.call(left), text_of(right)
    if call is None or call.member not in _COUNTS or call.block is not None or writer.is_own(call):
        return None
    held = call.args[0] if call.args else call.receiver
    if held is None or len(text) != 1 or not text.isdigit():
        return None
    asked = condition(writer, held)
    if operator in _ORDER:
        return negated(asked) if operator in ("<", "lt", "<=") else asked
    return None if operator not in _LIKE else negated(asked) if (text == "0") == (operator not in _UNLIKE) else asked


def _compared(writer: Writer, left: Node, right: Node, operator: str) -> str | None:
    if {text_of(left), text_of(right)} & {"__name__"} or {text_of(left), text_of(right)} == {"__FILE__", "$0"}:
        return "true"  # run by itself, not taken in by another
    counted = _counted(writer, left, right, operator)
    if counted is not None:
        return counted
    if operator in _ORDER:
        return f"[ {quoted(writer.word(left))} {_ORDER[operator]} {quoted(writer.word(right))} ]"
    if operator not in _LIKE:
        return None
    if operator in ("in", "not in"):
        asked = contains(writer.word(right), writer.word(left))
    elif operator in ("=~", "!~"):
        asked = contains(writer.word(left), writer.word(right))
    else:
        asked = _equal(writer, left, right)
    return negated(asked) if operator in _UNLIKE else asked


def _equal(writer: Writer, left: Node, right: Node) -> str:
    if writer.read.role(left) in ("false", "true", "number") or text_of(left) in ('""', "''"):
        left, right = right, left
    role, text = writer.read.role(right), text_of(right)
    call = writer.read.call(left)
    if call is not None and call.member == "connect_ex" and text == "0":
        return listening(writer, call) or _holds(writer, left)
    if call is not None and call.name in calls.STATES and text == "0":
        return writer.run(call)
    if role == "false":
        return negated(condition(writer, left))
    if role == "true":
        return condition(writer, left)
    found = _contained(writer, call) if text == "-1" and call is not None else None
    if found is not None:
        return negated(found)
    return _equal_words(writer.word(left), writer.word(right))


def _equal_words(left: Word, right: Word) -> str:
    if constant(right) == "":
        return f"[ -z {quoted(left)} ]"
    held = [piece.text for piece in left if piece.expands and piece.text.startswith("$(")]
    number = (constant(right) or "").isdigit()
    if held and not number and (constant(right) or any(text.startswith(("$(cat ", "$(ps ")) for text in held)):
        return f"echo {quoted(left)} | grep -q {quoted(right)}"
    return f"[ {quoted(left)} {'-eq' if number else '='} {quoted(right)} ]"


def _asked_call(writer: Writer, node: Node) -> str:
    call = writer.read.call(node)
    if call is None:
        return _holds(writer, node)
    test = calls.EXISTS.get(call.name) or (call.name if re.fullmatch("-[edfrwxsl]", call.name) else None)
    if test is not None:
        return f"[ {test} {quoted(argument(writer, call))} ]"
    if call.member in calls.EXISTS_METHODS and call.receiver is not None:
        return f"[ {calls.EXISTS_METHODS[call.member]} {quoted(writer.word(call.receiver))} ]"
    if call.member in ("empty?", "nil?", "isspace", "blank?") and call.receiver is not None:
        return f"[ -z {quoted(writer.word(call.receiver))} ]"
    if call.block is not None and call.member in _OF_EACH and call.receiver is not None:
        return _asked_of_each(writer, call, call.block, call.receiver)
    if call.name in ("any", "all", "len", "next", "bool", "count", "defined", "isset", "empty") and call.args:
        asked = condition(writer, call.args[0])
        return negated(asked) if call.name == "empty" else asked
    return _asked_state(writer, call) or _contained(writer, call) or _holds(writer, node)


_OF_EACH = frozenset("any? all? none? find detect".split())


def _asked_of_each(writer: Writer, call: Asked, block: Node, receiver: Node) -> str:
    """`list.any? { |x| … }`: the last thing in the block is the question."""
    holder = next((c for c in block.named_children if c.type == "block_parameters"), None)
    body = first_field(block, "body")
    question = body.named_children[-1] if body is not None and body.named_children else None
    if holder is None or not holder.named_children or question is None:
        return _holds(writer, call.node)
    while question.type == "rescue_modifier":
        question = question.named_children[0]
    bound = writer.bind(text_of(holder.named_children[0]), writer.word(receiver))
    try:
        asked = condition(writer, question)
    finally:
        writer.unbind(bound)
    return negated(asked) if call.member == "none?" else asked


def _asked_state(writer: Writer, call: Asked) -> str | None:
    if call.name in calls.RUNNING or (call.name in calls.SIGNALS and _asks(writer, call)):
        return f"kill -0 {quoted(argument(writer, call, 1 if call.name in ('kill', 'Process.kill') else 0))}"
    if call.name in calls.STATES:
        asked = writer.run(call)
        return asked if writer.dialect.success_is_true or call.name == "exec" else negated(asked)
    if writer.is_own(call):
        return writer.own_call(call)
    return None


def listening(writer: Writer, call: Asked) -> str | None:
    """Ask whether this machine serves a port, which a program tells by connecting to it."""
    given = many(writer.value(call.args[0])) if call.args else []
    host = (constant(given[0]) or "") if given else ""
    if len(given) != 2 or not host.startswith(("127.", "localhost", "::1", "0.0.0.0")):
        return None
    return f"nc -z {quoted(given[0])} {quoted(given[1])}"


def _asks(writer: Writer, call: Asked) -> bool:
    """Signal 0 only asks whether a process is there."""
    return any(constant(writer.word(a)) == "0" for a in call.args)


def _contained(writer: Writer, call: Asked) -> str | None:
    where = calls.CONTAINS.get(call.name)
    if where is not None and len(call.args) >= 2:
        return contains(argument(writer, call, where[0]), argument(writer, call, where[1]))
    if call.member in calls.CONTAINS_METHODS and call.receiver is not None and call.args:
        return contains(writer.word(call.receiver), argument(writer, call))
    return None


def _asked_gathered(writer: Writer, node: Node) -> str:
    """`any(x in p for p in …)`."""
    bound = writer.bind_clause(node)
    try:
        body = node.child_by_field_name("body")
        kept = next((c for c in node.named_children if c.type == "if_clause"), None)
        asked = kept.named_children[0] if kept is not None and kept.named_children else body
        if body is not None and writer.read.role(writer.read.bare(body)) in ("binary", "not"):
            asked = body  # what is asked of each; what goes before only chooses which
        return condition(writer, asked) if asked is not None else _holds(writer, node)
    finally:
        writer.unbind(bound)


_ASKS: dict[str, Callable[[Writer, Node], str]] = {
    "not": _not, "binary": _asked_binary, "call": _asked_call, "gather": _asked_gathered,
    "true": lambda _, __: "true", "false": lambda _, __: "false",
    "number": lambda _, n: "false" if text_of(n) == "0" else "true",
    "pattern": lambda w, n: contains(variable("_"), w.word(n)),
}  # fmt: skip

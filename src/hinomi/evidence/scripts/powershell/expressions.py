"""PowerShell expressions to values: concatenation, -f, -join, -replace, -split, casts, methods, decoding."""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from hinomi.evidence.scripts.escapes import character
from hinomi.evidence.scripts.powershell.state import MAX_DEPTH, Datum, State, as_bytes, asked, many, nothing, one
from hinomi.evidence.scripts.syntax import text_of
from hinomi.evidence.scripts.values import MAX_TEXT, Condition, Source, Value, negated, unknown

if TYPE_CHECKING:
    from tree_sitter import Node

_VARIABLE = re.compile(r"\$(?:\{([^}]{1,100})\}|((?:env:|script:|global:|local:)?\w{1,100}))", re.IGNORECASE)
_HOLE = re.compile(r"\{(\d{1,3})(?:,[^}]{1,10})?\}")
_CONSTANTS = {"true": Value("True"), "false": Value(""), "null": Value("")}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\x00", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
MAX_RANGE = 1024
_WHOLE = frozenset(
    {"expandable_string_literal", "expandable_here_string_literal", "command", "variable", "script_block_expression"}
)
MAX_UNPACKED = 1 << 20


def evaluate(state: State, node: Node) -> Datum:
    """Return the value of an expression, to a bounded depth."""
    while node.named_child_count == 1 and node.child_count == 1 and node.type not in _WHOLE:
        node = node.named_children[0]
    if state.depth >= MAX_DEPTH or not state.recorder.step():
        state.recorder.truncated = True
        return nothing(text_of(node))
    state.depth += 1
    try:
        return _MAKERS.get(node.type, _other)(state, node)
    finally:
        state.depth -= 1


def _other(state: State, node: Node) -> Datum:
    if node.named_child_count == 1:
        return evaluate(state, node.named_children[0])
    for child in node.named_children:
        evaluate(state, child)
    return nothing(text_of(node))


# --- literals ---------------------------------------------------------------------------------------------------


def unescape(text: str) -> str:
    """Drop backticks; `n and its like become their characters."""
    if "`" not in text:
        return text
    out, index = [], 0
    while index < len(text):
        if text[index] == "`" and index + 1 < len(text):
            index += 1
            out.append(_ESCAPES.get(text[index], text[index]))
        else:
            out.append(text[index])
        index += 1
    return "".join(out)


def _verbatim(_: State, node: Node) -> Datum:
    return Value(text_of(node)[1:-1].replace("''", "'"))


def _verbatim_here(_: State, node: Node) -> Datum:
    return Value(text_of(node)[2:-2].strip("\r\n"))


def _expandable(state: State, node: Node) -> Datum:
    text = text_of(node)
    inner = text[2:-2].strip("\r\n") if text.startswith("@") else text[1:-1]
    return interpolated(state, inner)


def interpolated(state: State, text: str) -> Value:
    """Fill variables into a string; `$(...)` stays as written."""
    parts, position, constant, source = [], 0, "$(" not in text, None
    for match in _VARIABLE.finditer(text):
        if match.start() and text[match.start() - 1] == "`":
            continue
        value = variable(state, match[1] or match[2])
        parts += [unescape(text[position : match.start()]), value.text]
        constant = constant and value.constant
        source = source or value.source
        position = match.end()
    parts.append(unescape(text[position:]))
    return Value("".join(parts)[:MAX_TEXT], constant, source)


def variable(state: State, name: str) -> Value:
    """Return a variable as one value; environment variables keep their name (`$env:TEMP`)."""
    return one(_lookup(state, name))


def _lookup(state: State, name: str) -> Datum:
    key = name.lower().removeprefix("script:").removeprefix("global:").removeprefix("local:")
    if key in _CONSTANTS:
        return _CONSTANTS[key]
    if key in state.variables:
        return state.variables[key]
    if key.startswith("env:"):
        return Value(f"%{name[4:].upper()}%")  # a place every Windows knows: constant as far as a rule goes
    if key in ("args", "psboundparameters"):
        return unknown(f"${name}", Source("argument", f"${name}"))
    return unknown(f"${name}")


def _variable(state: State, node: Node) -> Datum:
    return _lookup(state, text_of(node).lstrip("$@{").rstrip("}"))


def _integer(_: State, node: Node) -> Datum:
    text = text_of(node).lower()
    try:
        return Value(str(int(text, 0)) if len(text) < 18 else text)
    except ValueError:
        return Value(text)


def _plain(_: State, node: Node) -> Datum:
    return Value(unescape(text_of(node)))


# --- operators --------------------------------------------------------------------------------------------------


def _operands(node: Node) -> tuple[Node, str, Node] | None:
    if node.child_count < 3:
        return None
    return node.children[0], text_of(node.children[1]).lower(), node.children[-1]


def _additive(state: State, node: Node) -> Datum:
    """`a + b`: a left-deep tree, walked without recursion."""
    parts: list[tuple[str, Node]] = []
    current = node
    while current.type == "additive_expression" and current.child_count >= 3 and len(parts) < 5000:
        parts.append((text_of(current.children[1]), current.children[-1]))
        current = current.children[0]
    total = evaluate(state, current)
    for sign, part in reversed(parts):
        total = _added(total, sign, evaluate(state, part))
    return total


def _added(left: Datum, sign: str, right: Datum) -> Datum:
    if sign == "+" and isinstance(left, tuple):
        return (left + many(right))[:MAX_RANGE]
    a, b = one(left), one(right)
    source = a.source or b.source
    if (
        a.constant
        and b.constant
        and a.text.lstrip("-").isdigit()
        and b.text.lstrip("-").isdigit()
        and len(a.text + b.text) < 30
    ):
        return Value(str(int(a.text) + int(b.text) if sign == "+" else int(a.text) - int(b.text)))
    if sign != "+":
        return unknown(f"{a.text} - {b.text}", source)
    return Value((a.text + b.text)[:MAX_TEXT], a.constant and b.constant, source)


def _multiplied(state: State, node: Node) -> Datum:
    parts = _operands(node)
    if parts is None:
        return _other(state, node)
    a, b = one(evaluate(state, parts[0])), one(evaluate(state, parts[2]))
    if not (a.constant and b.constant and b.text.isdigit() and len(b.text) < 8):
        return nothing(text_of(node))
    if a.text.isdigit() and len(a.text) < 12:
        number = int(b.text)
        made = {
            "*": int(a.text) * number,
            "/": int(a.text) // number if number else 0,
            "%": int(a.text) % number if number else 0,
        }
        return Value(str(made.get(parts[1], 0)))
    return Value((a.text * min(int(b.text), MAX_TEXT))[:MAX_TEXT]) if parts[1] == "*" else nothing(text_of(node))


def _format(state: State, node: Node) -> Datum:
    parts = _operands(node)
    if parts is None:
        return _other(state, node)
    form, words = one(evaluate(state, parts[0])), many(evaluate(state, parts[2]))
    if not form.constant or not all(w.constant for w in words):
        return nothing(text_of(node))
    return Value(_HOLE.sub(lambda m: words[int(m[1])].text if int(m[1]) < len(words) else "", form.text)[:MAX_TEXT])


def _array(state: State, node: Node) -> Datum:
    """`a, b, c`: nested to the left for long lists."""
    items: list[Value] = []
    stack = [node]
    while stack and len(items) < 20_000:
        current = stack.pop()
        if current.type == "array_literal_expression" and current.named_child_count > 1:
            stack.extend(reversed(current.named_children))
        else:
            items.extend(many(evaluate(state, current)))
    return tuple(items) if len(items) != 1 else items[0]


def _range(state: State, node: Node) -> Datum:
    parts = _operands(node)
    if parts is None:
        return _other(state, node)
    a, b = one(evaluate(state, parts[0])), one(evaluate(state, parts[2]))
    if not (a.text.lstrip("-").isdigit() and b.text.lstrip("-").isdigit() and len(a.text + b.text) < 16):
        return nothing(text_of(node))
    first, last = int(a.text), int(b.text)
    if abs(last - first) > MAX_RANGE:
        return nothing(text_of(node))
    step = 1 if last >= first else -1
    return tuple(Value(str(n)) for n in range(first, last + step, step))


def _comparison(state: State, node: Node) -> Datum:
    """-eq, -like, -match ask; -replace, -split and -join make text."""
    parts = _operands(node)
    if parts is None:
        return _other(state, node)
    left, right = evaluate(state, parts[0]), evaluate(state, parts[2])
    operator = (
        parts[1].lstrip("-").removeprefix("c").removeprefix("i")
        if parts[1] not in ("-is", "-in", "-contains")
        else parts[1][1:]
    )
    a, b = one(left), one(right)
    if operator in ("replace", "reat"):
        words = many(right)
        return replaced(a, words[0].text if words else "", words[1].text if len(words) > 1 else "")
    if operator == "split":
        return (
            tuple(Value(t) for t in a.text.split(b.text)[:MAX_RANGE])
            if a.constant and b.text
            else nothing(text_of(node))
        )
    if operator == "join":
        return joined_by(many(left), b.text)
    return _answer(state, node, a, operator, b)


def replaced(value: Value, old: str, new: str) -> Value:
    """Replace plain text; a pattern with special characters is taken by its letters only when it is escaped."""
    plain = re.sub(r"\\(.)", r"\1", old)
    return Value(value.text.replace(plain, new)[:MAX_TEXT], value.constant, value.source) if plain else value


def joined_by(values: tuple[Value, ...], separator: str) -> Value:
    """Join an array."""
    source = next((v.source for v in values if v.source is not None), None)
    return Value(separator.join(v.text for v in values)[:MAX_TEXT], all(v.constant for v in values), source)


def _answer(state: State, node: Node, a: Value, operator: str, b: Value) -> Value:
    """Return a truth that remembers what was asked."""
    text = text_of(node)[:200]
    if a.source is None and b.source is not None:
        a, b = b, a
    if a.source is not None and a.source.kind == "processes" and b.constant and b.text:
        name = b.text.strip("*").removesuffix(".exe")
        state.emit("checks-running", state.line(node), text, name, "Get-Process")
        return unknown(text, Source("process", name, "Get-Process"))
    if a.source is not None:
        conditions = asked(a, text)
        empty = b.text in ("", "0", "False") and b.constant
        positive = (operator in ("ne", "gt", "notlike", "notmatch")) == empty
        return unknown(text, Source("status", conditions=conditions if positive else negated(conditions)))
    if a.constant and b.constant and operator in ("eq", "ne"):
        return Value("True" if (a.text.lower() == b.text.lower()) == (operator == "eq") else "")
    return unknown(text)


def _logical(state: State, node: Node) -> Datum:
    conditions = tuple(
        c for child in node.named_children for c in asked(one(evaluate(state, child)), text_of(child)[:200])
    )
    return unknown(text_of(node)[:200], Source("status", conditions=conditions))


def _unary(state: State, node: Node) -> Datum:
    """-not, !, -join, -split, casts."""
    if not node.named_children:
        return nothing(text_of(node))
    operator, inner = text_of(node.children[0]).lower(), node.named_children[-1]
    value = evaluate(state, inner)
    if operator in ("-not", "!"):
        text = text_of(node)[:200]
        conditions = negated(asked(one(value), text_of(inner)[:200]))
        truth = next((c for c in conditions if c.kind == "constant"), None)
        return Value("True" if truth.holds else "") if truth else unknown(text, Source("status", conditions=conditions))
    if operator == "-join":
        return joined_by(many(value), "")
    if operator == "-split":
        return tuple(Value(t) for t in one(value).text.split()[:MAX_RANGE])
    return value


def _cast(state: State, node: Node) -> Datum:
    """`[char]97`, `[char[]](104,105)`, `[string]`, `[byte[]]`."""
    kind = text_of(node.children[0]).lower().strip("[] ")
    value = evaluate(state, node.named_children[-1]) if len(node.named_children) > 1 else nothing(text_of(node))
    if kind.startswith("char"):
        made = tuple(_character(v) for v in many(value))
        return made if len(made) != 1 else made[0]
    if kind in ("string", "system.string"):
        return one(value)
    return value


def _character(value: Value) -> Value:
    if value.constant and value.text.isdigit() and int(value.text[:8]) < 0x110000:
        return Value(character(int(value.text)), True, value.source)
    return value


# --- members and methods ----------------------------------------------------------------------------------------


def _member(state: State, node: Node) -> Datum:
    """`$x.Length`, `[Text.Encoding]::UTF8`: the type or the object's source goes on."""
    inner = (
        evaluate(state, node.children[0])
        if node.children and node.children[0].type != "type_literal"
        else nothing(text_of(node))
    )
    return unknown(text_of(node), one(inner).source)


def _element(state: State, node: Node) -> Datum:
    """`$x[1]`, `$x[-1..-9]`, `$x[3,1,2]`: picking characters hides words."""
    if len(node.named_children) < 2:
        return nothing(text_of(node))
    value, index = evaluate(state, node.named_children[0]), many(evaluate(state, node.named_children[1]))
    items = (
        value if isinstance(value, tuple) else tuple(Value(c) for c in value.text[:MAX_TEXT]) if value.constant else ()
    )
    picked = tuple(
        items[int(i.text)]
        for i in index
        if i.text.lstrip("-").isdigit() and -len(items) <= int(i.text[:8]) < len(items)
    )
    if not picked:
        return unknown(text_of(node)[:200], one(value).source)
    return picked if len(picked) > 1 else picked[0]


def arguments(state: State, node: Node) -> tuple[Value, ...]:
    """Return the values of a method's arguments."""
    found = (
        node
        if node.type == "argument_list"
        else next((c for c in node.named_children if c.type == "argument_list"), None)
    )
    inner = (
        next((c for c in found.named_children if c.type == "argument_expression_list"), None)
        if found is not None
        else None
    )
    return tuple(one(evaluate(state, c)) for c in inner.named_children) if inner is not None else ()


def decoded(data: Value, encoding: str) -> Value | None:
    """Decode base64 or hex text; bytes come one character each."""
    try:
        raw = base64.b64decode("".join(data.text.split()) + "==") if encoding == "base64" else bytes.fromhex(data.text)
    except (ValueError, binascii.Error):
        return None
    return as_bytes(raw[:MAX_UNPACKED], Source("decoded", data.text[:200], encoding))


def text_from(data: Value, codec: str) -> Value:
    """Turn bytes kept in a value into text."""
    raw = data.text.encode("latin-1", "replace")
    return Value(raw.decode(codec, "replace")[:MAX_TEXT], data.constant, data.source)


def inflated(data: Value) -> Value:
    """Decompress gzip or deflate bytes, bounded."""
    for width in (31, -15, 15):
        try:
            raw = zlib.decompressobj(width).decompress(data.text.encode("latin-1", "replace"), MAX_UNPACKED)
        except zlib.error:
            continue
        return as_bytes(raw, Source("decoded", None, "gzip-string"))
    return unknown("inflated", data.source)


def _truth(node: Node) -> str:
    return text_of(node)[:200]


def condition_of(state: State, node: Node) -> tuple[Condition, ...]:
    """Return what the condition of an if or while asks."""
    return asked(one(evaluate(state, node)), _truth(node))


def _method(state: State, node: Node) -> Datum:
    return state.invoke(state, node)


def _pipeline(state: State, node: Node) -> Datum:
    return state.statements(state, [node])


def _sub_expression(state: State, node: Node) -> Datum:
    lists = [c for c in node.named_children if c.type == "statement_list"]
    inner = lists[0].named_children if lists else node.named_children
    if len(inner) == 1 and inner[0].type == "pipeline":
        return evaluate(state, inner[0])
    return state.statements(state, list(inner))


_MAKERS: dict[str, Callable[[State, Node], Datum]] = {
    "verbatim_string_characters": _verbatim, "verbatim_here_string_characters": _verbatim_here,
    "expandable_string_literal": _expandable, "expandable_here_string_literal": _expandable,
    "variable": _variable, "decimal_integer_literal": _integer, "hexadecimal_integer_literal": _integer,
    "generic_token": _plain, "additive_expression": _additive, "multiplicative_expression": _multiplied,
    "format_expression": _format, "array_literal_expression": _array, "range_expression": _range,
    "comparison_expression": _comparison, "logical_expression": _logical, "expression_with_unary_operator": _unary,
    "cast_expression": _cast, "member_access": _member, "element_access": _element, "invokation_expression": _method,
    "pipeline": _pipeline, "command": _pipeline, "pipeline_chain": _pipeline, "sub_expression": _sub_expression,
    "array_expression": _sub_expression, "script_block_expression": lambda _, node: Value(text_of(node)[1:-1].strip()),
}  # fmt: skip

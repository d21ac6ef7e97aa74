"""JavaScript expressions to values: literals, concatenation, joins, character codes, base64 and hex."""

from __future__ import annotations

import base64
import binascii
import posixpath
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import unquote

from hinomi.evidence.scripts.escapes import c_escapes
from hinomi.evidence.scripts.syntax import text_of
from hinomi.evidence.scripts.values import MAX_TEXT, Source, Value, unknown

if TYPE_CHECKING:
    from tree_sitter import Node

Datum = Value | tuple[Value, ...]
Names = dict[str, Datum]
MAX_DEPTH = 60


def one(datum: Datum) -> Value:
    """Return a datum as one value; an array joins by commas, as JavaScript does."""
    if isinstance(datum, Value):
        return datum
    return Value(",".join(v.text for v in datum)[:MAX_TEXT], all(v.constant for v in datum))


def evaluate(names: Names, node: Node, depth: int = 0) -> Datum:
    """Return the value of an expression; what is not constant keeps its source text."""
    if depth > MAX_DEPTH:
        return unknown(text_of(node)[:200])
    maker = _MAKERS.get(node.type)
    return maker(names, node, depth + 1) if maker is not None else unknown(text_of(node)[:200])


def _string(_: Names, node: Node, __: int) -> Datum:
    return Value(c_escapes(text_of(node)[1:-1])[:MAX_TEXT])


def _template(names: Names, node: Node, depth: int) -> Datum:
    parts = []
    for child in node.named_children:
        if child.type == "template_substitution" and child.named_children:
            parts.append(one(evaluate(names, child.named_children[0], depth)))
        else:
            parts.append(Value(c_escapes(text_of(child))))
    return Value("".join(p.text for p in parts)[:MAX_TEXT], all(p.constant for p in parts))


def _number(_: Names, node: Node, __: int) -> Datum:
    text = text_of(node)
    try:
        return Value(str(int(text, 0)) if len(text) < 20 else text)
    except ValueError:
        return Value(text)


def _identifier(names: Names, node: Node, _: int) -> Datum:
    name = text_of(node)
    return names.get(name) or unknown(name)


def _binary(names: Names, node: Node, depth: int) -> Datum:
    """`a + b + c`, left-deep, walked without recursion."""
    parts: list[Node] = []
    current = node
    while (
        current.type == "binary_expression"
        and current.child_count == 3
        and current.children[1].type == "+"
        and len(parts) < 5000
    ):
        parts.append(current.children[2])
        current = current.children[0]
    if current is node:
        return unknown(text_of(node)[:200])
    values = [one(evaluate(names, n, depth)) for n in [current, *reversed(parts)]]
    source = next((v.source for v in values if v.source is not None), None)
    return Value("".join(v.text for v in values)[:MAX_TEXT], all(v.constant for v in values), source)


def _array(names: Names, node: Node, depth: int) -> Datum:
    return tuple(one(evaluate(names, c, depth)) for c in node.named_children[:20_000])


def _wrapped(names: Names, node: Node, depth: int) -> Datum:
    return evaluate(names, node.named_children[0], depth) if node.named_children else unknown(text_of(node)[:200])


def _subscript(names: Names, node: Node, depth: int) -> Datum:
    if len(node.named_children) < 2:
        return unknown(text_of(node)[:200])
    subject, index = evaluate(names, node.named_children[0], depth), one(evaluate(names, node.named_children[1], depth))
    items: tuple[Value, ...] = (
        subject if isinstance(subject, tuple) else tuple(Value(c) for c in subject.text) if subject.constant else ()
    )
    if index.text.isdigit() and len(index.text) < 8 and int(index.text) < len(items):
        return items[int(index.text)]
    return unknown(text_of(node)[:200])


def call_parts(node: Node) -> tuple[str, Node | None, list[Node]]:
    """Return (last name of the callee, the object before it, the argument nodes) of a call or `new`."""
    callee = node.child_by_field_name("function") or node.child_by_field_name("constructor")
    holder = node.child_by_field_name("arguments")
    given = [c for c in holder.named_children if c.type != "comment"] if holder is not None else []
    if callee is None:
        return "", None, given
    if callee.type == "member_expression":
        name, subject = callee.child_by_field_name("property"), callee.child_by_field_name("object")
        return text_of(name) if name is not None else "", subject, given
    if callee.type == "subscript_expression":
        index, subject = callee.child_by_field_name("index"), callee.child_by_field_name("object")
        return text_of(index).strip("'\"") if index is not None else "", subject, given
    return text_of(callee), None, given


def _member(names: Names, node: Node, _: int) -> Datum:
    """`res.data` comes from where `res` comes from."""
    return unknown(text_of(node)[:200], _source_below(names, node))


def _call(names: Names, node: Node, depth: int) -> Datum:
    name, subject, given = call_parts(node)
    args = [one(evaluate(names, g, depth)) for g in given[:2000]] if name in _KNOWN else []
    if name not in _KNOWN:
        return unknown(text_of(node)[:200], _source_below(names, node))
    base = evaluate(names, subject, depth) if subject is not None else Value("", False)
    made = _KNOWN[name](base, args, text_of(subject) if subject is not None else "")
    return made if made is not None else unknown(text_of(node)[:200], one(base).source)


def _source_below(names: Names, node: Node) -> Source | None:
    """Return the source of the object a method is called on (`data.toString()`)."""
    current: Node | None = node
    for _ in range(20):
        if current is None:
            return None
        if current.type == "identifier":
            return one(names.get(text_of(current), unknown(""))).source
        current = current.child_by_field_name("object") or current.child_by_field_name("function")
    return None


def _from_buffer(base: Datum, args: list[Value], subject: str) -> Datum | None:
    if subject not in ("Buffer", "Uint8Array", "Array") or not args or not args[0].constant:
        return None
    encoding = args[1].text if len(args) > 1 else "utf8"
    if encoding not in ("base64", "hex"):
        return args[0]
    return decoded(args[0].text, encoding)


def decoded(text: str, encoding: str) -> Value | None:
    """Decode base64 or hex text."""
    try:
        raw = base64.b64decode("".join(text.split()) + "==") if encoding == "base64" else bytes.fromhex(text)
    except (ValueError, binascii.Error):
        return None
    return Value(raw.decode("utf-8", "surrogateescape")[:MAX_TEXT], True, Source("decoded", text[:200], encoding))


def _atob(_: Datum, args: list[Value], __: str) -> Datum | None:
    return decoded(args[0].text, "base64") if args and args[0].constant else None


def _same(base: Datum, _: list[Value], __: str) -> Datum | None:
    return base if isinstance(base, Value) and base.constant else None


def _join(base: Datum, args: list[Value], subject: str) -> Datum | None:
    if subject == "path":
        return Value(posixpath.join(*(a.text for a in args)), all(a.constant for a in args)) if args else None
    if not isinstance(base, tuple):
        return None
    separator = args[0].text if args else ","
    return Value(separator.join(v.text for v in base)[:MAX_TEXT], all(v.constant for v in base))


def _split(base: Datum, args: list[Value], _: str) -> Datum | None:
    if not isinstance(base, Value) or not base.constant or not args:
        return None
    return tuple(Value(t) for t in (base.text.split(args[0].text) if args[0].text else list(base.text)))


def _reverse(base: Datum, _: list[Value], __: str) -> Datum | None:
    return base[::-1] if isinstance(base, tuple) else None


def _replace(base: Datum, args: list[Value], _: str) -> Datum | None:
    if not isinstance(base, Value) or not base.constant or len(args) < 2 or not args[0].constant or not args[0].text:
        return None
    return Value(base.text.replace(args[0].text, args[1].text)[:MAX_TEXT], args[1].constant)


def _codes(_: Datum, args: list[Value], __: str) -> Datum | None:
    if not args or not all(a.text.isdigit() and int(a.text[:8]) < 0x110000 for a in args):
        return None
    # two units may be one character
    units = "".join(chr(int(a.text)) for a in args).encode("utf-16-le", "surrogatepass")
    return Value(units.decode("utf-16-le", "replace"), True, Source("decoded", None, "char-codes"))


def _concat(base: Datum, args: list[Value], _: str) -> Datum | None:
    return Value(
        (one(base).text + "".join(a.text for a in args))[:MAX_TEXT],
        one(base).constant and all(a.constant for a in args),
    )


def _unescape(_: Datum, args: list[Value], __: str) -> Datum | None:
    return (
        Value(unquote(args[0].text), True, Source("decoded", args[0].text[:200], "percent"))
        if args and args[0].constant
        else None
    )


def _home(_: Datum, __: list[Value], subject: str) -> Datum | None:
    return Value("~") if subject in ("os", "require('os')", 'require("os")') else None


def _temp(_: Datum, __: list[Value], subject: str) -> Datum | None:
    return Value("/tmp") if subject in ("os", "require('os')", 'require("os")') else None


_KNOWN: dict[str, Callable[[Datum, list[Value], str], Datum | None]] = {
    "from": _from_buffer, "atob": _atob, "toString": _same, "trim": _same, "join": _join, "resolve": _join,
    "split": _split, "reverse": _reverse,
    "replace": _replace, "replaceAll": _replace, "fromCharCode": _codes, "fromCodePoint": _codes, "concat": _concat,
    "unescape": _unescape,
    "decodeURIComponent": _unescape, "homedir": _home, "tmpdir": _temp,
}  # fmt: skip
_MAKERS: dict[str, Callable[[Names, Node, int], Datum]] = {
    "string": _string, "template_string": _template, "number": _number, "identifier": _identifier,
    "binary_expression": _binary, "array": _array,
    "parenthesized_expression": _wrapped, "await_expression": _wrapped, "call_expression": _call,
    "new_expression": _call,
    "subscript_expression": _subscript, "member_expression": _member, "shorthand_property_identifier": _identifier,
}  # fmt: skip


def required(node: Node) -> str | None:
    """Return the module of `require('x')`, also behind `await import('x')`."""
    inner = node.named_children[0] if node.type == "await_expression" and node.named_children else node
    if inner.type != "call_expression":
        return None
    name, subject, given = call_parts(inner)
    if subject is None and name in ("require", "import") and given and given[0].type == "string":
        return text_of(given[0]).strip("'\"`").removeprefix("node:")
    return None

"""Words to values: quoting, variables, substitutions, arithmetic."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from itertools import islice, product
from typing import TYPE_CHECKING

from hinomi.evidence.scripts.escapes import c_escapes
from hinomi.evidence.scripts.shell.arithmetic import evaluate
from hinomi.evidence.scripts.shell.core import Machine
from hinomi.evidence.scripts.syntax import text_of
from hinomi.evidence.scripts.values import MAX_TEXT, Source, Value, joined, unknown

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_FIELDS = 64
_SPECIAL = "@*#?!$-"


def fields_of(machine: Machine, node: Node) -> list[Value]:
    """Expand a word to its fields: `"$@"`, arrays, braces and unquoted lists give several."""
    kind = node.type
    if kind == "word" and "{" not in (text := text_of(node)):
        return [_word(text)]
    inner = node
    if kind == "string" and node.named_child_count == 1 and node.child_count == 3:
        inner = node.named_children[0]
    many = _list_of(machine, inner) if inner.type in ("simple_expansion", "expansion") else None
    if many is not None:
        return many[:MAX_FIELDS]
    if kind in ("word", "concatenation", "brace_expression") and b"{" in (node.text or b""):
        return [_word(text) for text in _braces(text_of(node))] if _plain(node) else [value_of(machine, node)]
    value = value_of(machine, node)
    if kind in ("simple_expansion", "expansion") and value.constant:
        return [Value(part, True, value.source) for part in value.text.split()[:MAX_FIELDS]]
    return [value]


def _plain(node: Node) -> bool:
    return node.type == "word" or all(c.type in ("word", "number", "brace_expression", "{", "}") for c in node.children)


def _list_of(machine: Machine, node: Node) -> list[Value] | None:
    """Return the items of `$@`, `$*` and `${name[@]}`."""
    text = text_of(node)
    if text in ("$@", "$*", "${@}", "${*}"):
        return machine.env.all_arguments()
    if node.type == "expansion" and text.endswith(("[@]}", "[*]}")) and text[2:3] not in "#!":
        return machine.env.arrays.get(text[2:-4])
    return None


def _braces(text: str) -> list[str]:
    """Expand `a{b,c}d` and `{1..5}`, at most 64 words of the product."""
    segments: list[list[str]] = []
    position = 0
    while position < len(text):
        start = text.find("{", position)
        end = text.find("}", start)
        if start < 0 or end < 0:
            break
        options = _options(text[start + 1 : end]) if not (start and text[start - 1] == "$") else []
        segments += [[text[position:start]], options or [text[start : end + 1]]]
        position = end + 1
    segments.append([text[position:]])
    return ["".join(parts) for parts in islice(product(*segments), MAX_FIELDS)]


def _options(body: str) -> list[str]:
    """Return what stands between braces: a list, or a range of numbers."""
    if "," in body:
        return body.split(",")[:MAX_FIELDS]
    first, dots, last = body.partition("..")
    if dots and first.isdigit() and last.isdigit() and abs(int(last[:9]) - int(first[:9])) < MAX_FIELDS:
        return [str(n) for n in range(int(first), int(last) + 1)]
    return []


def _word(text: str) -> Value:
    return Value(_unescape(text))


def _unescape(text: str) -> str:
    if "\\" not in text:
        return text
    out, index = [], 0
    while index < len(text):
        if text[index] == "\\" and index + 1 < len(text):
            index += 1
            if text[index] != "\n":
                out.append(text[index])
        elif text[index] != "\\":
            out.append(text[index])
        index += 1
    return "".join(out)


def value_of(machine: Machine, node: Node) -> Value:
    """Expand a word to one value."""
    kind = node.type
    maker = _MAKERS.get(kind)
    if maker is not None:
        return maker(machine, node)
    if kind not in ("word", "regex", "extglob_pattern") and node.named_child_count:
        return joined(value_of(machine, child) for child in node.named_children)
    return _word(text_of(node))


def _string(machine: Machine, node: Node) -> Value:
    return _filled(machine, node, 1, _unquote)


def _unquote(text: str) -> str:
    """Drop the backslashes that mean something between double quotes."""
    if "\\" not in text:
        return text
    for mark in ('\\"', "\\$", "\\`"):
        text = text.replace(mark, mark[1])
    return text.replace("\\\n", "").replace("\\\\", "\\")


_BARE = frozenset({"string_content", "heredoc_content", "heredoc_redirect"})


def _filled(machine: Machine, node: Node, trim: int, clean: Callable[[str], str]) -> Value:
    """Join the children with the bare text between them, which the tree has no node for."""
    source = node.text or b""
    position, end = trim, len(source) - trim if trim and source.endswith(b'"') else len(source)
    if b"$" not in source and b"`" not in source:  # nothing is expanded in it
        return Value(clean(source[position:end].decode("utf-8", "surrogateescape")))
    base, parts = node.start_byte, list[Value]()
    for child in node.named_children:
        if child.type in _BARE:
            continue
        start = child.start_byte - base
        if start > position:
            parts.append(Value(clean(source[position:start].decode("utf-8", "surrogateescape"))))
        parts.append(value_of(machine, child))
        position = child.end_byte - base
    if end > position or not parts:
        parts.append(Value(clean(source[position:end].decode("utf-8", "surrogateescape"))))
    value = joined(parts)
    return value if len(value.text) <= MAX_TEXT else Value(value.text[:MAX_TEXT], value.constant, value.source)


def heredoc_text(machine: Machine, body: Node, *, quoted: bool, dashed: bool) -> Value:
    """Return the text of a here-document, variables resolved unless its end word was quoted."""
    value = Value(text_of(body)) if quoted else _filled(machine, body, 0, _unquote)
    if dashed:
        return Value("\n".join(line.lstrip("\t") for line in value.text.split("\n")), value.constant, value.source)
    return value


def _raw_string(_: Machine, node: Node) -> Value:
    return Value(text_of(node)[1:-1])


def _ansi_string(_: Machine, node: Node) -> Value:
    return Value(c_escapes(text_of(node)[2:-1]))


def _translated(machine: Machine, node: Node) -> Value:
    return joined(value_of(machine, child) for child in node.named_children)


def _concatenation(machine: Machine, node: Node) -> Value:
    return (
        joined(value_of(machine, child) for child in node.named_children)
        if node.named_children
        else Value(text_of(node))
    )


def _variable(machine: Machine, node: Node) -> Value:
    return machine.env.get(text_of(node)[1:])


def _substitution(machine: Machine, node: Node) -> Value:
    output = machine.substitute(node)
    text = output.text.rstrip("\n") if output.constant else _shown(node)
    return Value(text, output.constant, output.source)


def _shown(node: Node) -> str:
    text = text_of(node)
    return text if len(text) <= 120 else text[:117] + "..."


def _process_substitution(machine: Machine, node: Node) -> Value:
    output = machine.substitute(node)
    return unknown(_shown(node), output.source or Source("text", output.text if output.constant else None))


def _arithmetic(machine: Machine, node: Node) -> Value:
    number = evaluate(text_of(node).strip("$()[] \n\t"), lambda name: machine.env.get(name).known)
    return Value(str(number)) if number is not None else unknown(_shown(node))


def _expansion(machine: Machine, node: Node) -> Value:
    """`${...}`: defaults, removal of prefixes and suffixes, replacement, slices, length."""
    children = node.children[1:-1]
    if not children:
        return unknown(text_of(node))
    if children[0].type in ("#", "!") or (children[0].type != "variable_name" and text_of(children[0]) in ("#", "!")):
        return _length_or_indirect(machine, node, children)
    name, rest = children[0], children[1:]
    value = _named(machine, name)
    operator = next((text_of(c) for c in rest if not c.is_named or c.type in _OPERATORS), None) if rest else None
    if operator is None:
        return value
    words = [value_of(machine, c) for c in rest if c.is_named]
    return _apply(machine, value, operator, words, text_of(node), text_of(name))


_OPERATORS = frozenset(
    {":-", "-", ":=", "=", ":+", "+", ":?", "?", "%", "%%", "#", "##", "/", "//", ":", "^", "^^", ",", ",,"}
)


def _named(machine: Machine, node: Node) -> Value:
    if node.type != "subscript":
        return machine.env.get(text_of(node))
    name = text_of(node.children[0]) if node.children else ""
    items = machine.env.arrays.get(name)
    index = text_of(node.children[2]) if node.child_count > 2 else ""
    if items is not None and index.isdigit():
        return items[int(index[:9])] if int(index[:9]) < len(items) else Value("")
    if items is not None and index in ("@", "*"):
        return joined(items, " ")
    return machine.env.variables.get(f"{name}[{index}]") or unknown(text_of(node))


def _length_or_indirect(machine: Machine, node: Node, children: list[Node]) -> Value:
    if len(children) < 2:
        return unknown(text_of(node))
    value = _named(machine, children[1])
    if value.known is None:
        return unknown(text_of(node), value.source)
    return Value(str(len(value.text))) if text_of(children[0]) == "#" else machine.env.get(value.text)


def _apply(machine: Machine, value: Value, operator: str, words: list[Value], shown: str, name: str) -> Value:
    first = words[0] if words else Value("")
    if operator in (":-", "-", ":=", "="):
        return _default(machine, value, operator, first, name)
    if operator in (":+", "+"):
        return first if value.constant and value.text else unknown(shown, value.source)
    if operator in (":?", "?"):
        return value
    if not value.constant or not all(w.constant for w in words):
        return unknown(shown, value.source)
    text = _changed(value.text, operator, [w.text for w in words])
    return Value(text, True, value.source) if text is not None else unknown(shown, value.source)


def _default(machine: Machine, value: Value, operator: str, first: Value, name: str) -> Value:
    chosen = value if value.constant and (value.text or not operator.startswith(":")) else first
    if not value.constant and value.source is not None and value.source.kind != "argument":
        chosen = value
    if operator in (":=", "="):
        machine.env.assign(name, chosen)
    return chosen


def _changed(text: str, operator: str, words: list[str]) -> str | None:
    first = words[0] if words else ""
    if operator in ("%", "%%", "#", "##"):
        return strip_pattern(text, operator, first)
    if operator in ("/", "//"):
        return text.replace(first, words[1] if len(words) > 1 else "", 1 if operator == "/" else -1) if first else text
    if operator == ":":
        return _slice(text, words)
    cases: dict[str, Callable[[str], str]] = {"^^": str.upper, ",,": str.lower, "^": str.capitalize}
    return cases[operator](text) if operator in cases else None


def _slice(text: str, words: list[str]) -> str | None:
    numbers = [w.strip().strip("() ") for w in words]
    if not numbers or not all(n.lstrip("-").isdigit() and len(n) < 9 for n in numbers):
        return None
    start = int(numbers[0])
    tail = text[start:]
    if len(numbers) < 2:
        return tail
    size = int(numbers[1])
    return tail[:size]


def strip_pattern(text: str, operator: str, pattern: str) -> str:
    """`${text%pattern}` and its sisters, by trying each cut."""
    if len(text) > 4096:
        return text
    cuts = range(len(text) + 1)
    if operator[0] == "%":
        order = reversed(cuts) if len(operator) == 1 else iter(cuts)
        return next((text[:i] for i in order if fnmatch.fnmatchcase(text[i:], pattern)), text)
    order = iter(cuts) if len(operator) == 1 else reversed(cuts)
    return next((text[i:] for i in order if fnmatch.fnmatchcase(text[:i], pattern)), text)


_MAKERS: dict[str, Callable[[Machine, Node], Value]] = {
    "string": _string,
    "raw_string": _raw_string,
    "ansi_c_string": _ansi_string,
    "translated_string": _translated,
    "concatenation": _concatenation,
    "simple_expansion": _variable,
    "expansion": _expansion,
    "command_substitution": _substitution,
    "process_substitution": _process_substitution,
    "arithmetic_expansion": _arithmetic,
    "heredoc_body": lambda machine, node: _filled(machine, node, 0, _unquote),
}

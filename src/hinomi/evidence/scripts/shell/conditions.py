"""What tests ask (`[ ]`, `[[ ]]`, `case`, exit states): about processes, files, arguments, time."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from hinomi.evidence.scripts.shell.core import Machine
from hinomi.evidence.scripts.shell.words import value_of
from hinomi.evidence.scripts.syntax import text_of
from hinomi.evidence.scripts.values import Condition, Conditions, Source, Value, negated

if TYPE_CHECKING:
    from tree_sitter import Node

Token = str | Value  # an operator or a word
_UNARY_FILE = frozenset(
    {"-f", "-e", "-s", "-r", "-x", "-w", "-d", "-L", "-h", "-S", "-p", "-b", "-c", "-a", "-u", "-g", "-k", "-O"}
)
_BINARY = frozenset(
    {"=", "==", "!=", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "=~", "<", ">", "-nt", "-ot", "-ef", "<=", ">="}
)
_NUMERIC: dict[str, Callable[[int, int], bool]] = {
    "-eq": lambda a, b: a == b, "-ne": lambda a, b: a != b, "-lt": lambda a, b: a < b, "-le": lambda a, b: a <= b,
    "-gt": lambda a, b: a > b, "-ge": lambda a, b: a >= b, "==": lambda a, b: a == b, "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b, "<": lambda a, b: a < b, ">": lambda a, b: a > b, "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}  # fmt: skip
_MIRROR = {"-lt": "-gt", "-gt": "-lt", "-le": "-ge", "-ge": "-le", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
_PROC = re.compile(r"/proc/[^/]+/?$")
_OPERATOR_NODES = frozenset({"test_operator", "&&", "||", "!", "=", "==", "!=", "=~", "<", ">", "-a", "-o", "<=", ">="})
MAX_TOKENS = 200


def constant(truth: bool, text: str = "") -> Conditions:
    """Return the condition that always gives `truth`."""
    return (Condition("constant", None, text, truth),)


TRUE = constant(True)


def always(conditions: Conditions) -> bool:
    """Tell whether the conditions are constant and hold."""
    return bool(conditions) and all(c.kind == "constant" and c.holds for c in conditions)


def tokens_of(machine: Machine, node: Node) -> list[Token]:
    """Flatten the expression of `[ ]` or `[[ ]]` to words and operators."""
    tokens: list[Token] = []
    stack = [node]
    while stack and len(tokens) < MAX_TOKENS:
        item = stack.pop()
        kind = item.type
        if kind in _OPERATOR_NODES:
            tokens.append(text_of(item))
        elif kind in ("[", "]", "[[", "]]", "(", ")", "((", "))", "comment"):
            continue
        elif kind.endswith("_expression") or kind in ("test_command", "ERROR"):
            stack.extend(reversed(item.children))
        else:
            tokens.append(value_of(machine, item))
    return tokens


def test(machine: Machine, tokens: list[Token], line: int, text: str) -> Conditions:
    """Return what a test asks; a file test is recorded as `checks-exists`."""
    found: list[Condition] = []
    group: list[Token] = []
    for token in [*tokens, "&&"]:
        if token in ("&&", "||", "-a", "-o") and isinstance(token, str) and (token in ("&&", "||") or len(group) > 1):
            found.extend(_single(machine, group, line, text) if group else ())
            group = []
        else:
            group.append(token)
    return tuple(found)


def _single(machine: Machine, tokens: list[Token], line: int, text: str) -> Conditions:
    if tokens and _is(tokens[0], "!"):
        return negated(_single(machine, tokens[1:], line, text))
    if len(tokens) >= 3 and _operator(tokens[1]) in _BINARY:
        right = [t if isinstance(t, Value) else Value(t) for t in tokens[2:]]
        return compare(machine, _value(tokens[0]), _operator(tokens[1]), right[0], line, text)
    if len(tokens) == 2:
        return _unary(machine, _operator(tokens[0]), _value(tokens[1]), line, text)
    if len(tokens) == 1:
        return truth(_value(tokens[0]), text)
    return (Condition("other", None, text),)


def _is(token: Token, text: str) -> bool:
    return _operator(token) == text


def _operator(token: Token) -> str:
    return token if isinstance(token, str) else token.text


def _value(token: Token) -> Value:
    return token if isinstance(token, Value) else Value(token)


def _unary(machine: Machine, operator: str, value: Value, line: int, text: str) -> Conditions:
    if operator == "-n":
        return truth(value, text)
    if operator == "-z":
        return negated(truth(value, text))
    if operator in _UNARY_FILE:
        return _file_test(machine, operator, value, line, text)
    return (Condition("other", value.known, text),)


def _file_test(machine: Machine, operator: str, value: Value, line: int, text: str) -> Conditions:
    path = machine.env.resolve(value)
    of_process = value.has("process", "pid-file") and path.text.startswith("/proc/")
    if of_process or (_PROC.match(path.text) and not path.text.startswith("/proc/self")):
        name = _process_of(value)
        machine.emit_check(name, "/proc", line, text)
        return (Condition("process", name, text),)
    if value.has("exists"):
        return (Condition("exists", value.source.object if value.source else None, text),)
    machine.recorder.emit("checks-exists", line, text, what=path.text, detail=operator, resolved=path.constant)
    return (Condition("exists", path.text, text),)


def _process_of(value: Value) -> str | None:
    return value.source.object if value.source is not None else None


def truth(value: Value, text: str) -> Conditions:
    """Return what a non-empty word tells."""
    source = value.source
    if source is not None and source.kind == "flag" and value.constant:
        return source.conditions if value.text else negated(source.conditions)
    if source is not None:
        found = _of_source(source, text)
        if found:
            return found
    if value.constant:
        return constant(bool(value.text), text)
    return (Condition("other", None, text),)


def _of_source(source: Source, text: str) -> Conditions:
    if source.kind in ("process", "pid-file"):
        return (Condition("process", source.object, text),)
    if source.kind in ("exists", "argument", "time"):
        return (Condition(source.kind, source.object, text),)
    return ()


def compare(machine: Machine, left: Value, operator: str, right: Value, line: int, text: str) -> Conditions:
    """Return what a comparison tells; a value of a known source may stand on either side."""
    if left.source is None and right.source is not None:
        left, right, operator = right, left, _MIRROR.get(operator, operator)
    source = left.source
    if source is None:
        return _plain(left, operator, right, text)
    right = _without_shield(left, right)
    if source.kind == "status":
        return _status(source, operator, right, text)
    if source.kind == "flag" and left.constant:
        return _flag(source, left, operator, right, text)
    if source.kind == "processes" and right.constant and right.text:
        return _listed(machine, operator, right, source, line, text)
    if source.kind in ("process", "pid-file"):
        return (Condition("process", source.object, text, _positive(operator, right.text, source.margin)),)
    if source.kind == "exists":
        return (Condition("exists", source.object, text, _positive(operator, right.text, 0)),)
    if source.kind == "argument":
        return (Condition("argument", f"{source.object} {operator} {right.text}", text),)
    if source.kind == "time":
        return (Condition("time", right.known, text),)
    return _plain(left, operator, right, text)


def _without_shield(left: Value, right: Value) -> Value:
    """`[ "x$p" = x ]` asks whether `$p` is empty."""
    shield = right.text
    rest = left.text[len(shield) :]
    if right.constant and 0 < len(shield) < 3 and left.text.startswith(shield) and rest[:1] in ("$", "`"):
        return Value("")
    return right


def _plain(left: Value, operator: str, right: Value, text: str) -> Conditions:
    if right.source is not None and right.source.kind == "time":
        return (Condition("time", left.known, text),)
    answer = _constant_answer(left, operator, right)
    return constant(answer, text) if answer is not None else (Condition("other", None, text),)


def _constant_answer(left: Value, operator: str, right: Value) -> bool | None:
    if not left.constant or not right.constant or operator not in _NUMERIC:
        return None
    if _number(left.text) is not None and _number(right.text) is not None:
        return _NUMERIC[operator](_number(left.text) or 0, _number(right.text) or 0)
    if operator in ("=", "==", "!="):
        return (left.text == right.text) == (operator != "!=") if "*" not in right.text else None
    return None


def _number(text: str) -> int | None:
    body = text.strip().removeprefix("-")
    return int(text) if body.isdigit() and body.isascii() and len(body) < 18 else None


def _status(source: Source, operator: str, right: Value, text: str) -> Conditions:
    zero = _positive(operator, right.text, 0)  # True: the status is not zero
    conditions = source.conditions or (Condition("other", None, text),)
    return negated(conditions) if zero else conditions


def _flag(source: Source, left: Value, operator: str, right: Value, text: str) -> Conditions:
    answer = _constant_answer(left, operator, right)
    if answer is None:
        return (Condition("other", None, text),)
    return source.conditions if answer else negated(source.conditions)


def _listed(machine: Machine, operator: str, right: Value, source: Source, line: int, text: str) -> Conditions:
    name = process_name(right.text)
    machine.emit_check(name, source.tool, line, text)
    return (Condition("process", name, text, operator != "!="),)


def _positive(operator: str, text: str, margin: int) -> bool:
    """Tell whether a comparison with `text` is true for a list that is not empty (a count above `margin`)."""
    number = _number(text)
    if number is None:
        return (operator == "!=") == (text == "") if text == "" else operator != "!="
    if operator not in _NUMERIC:
        return True
    empty, some = margin, max(margin + 1, number if operator in ("-eq", "=", "==", "-ge", ">=") else number + 1)
    if operator in ("-eq", "=", "=="):
        return number > margin
    if operator in ("-ne", "!="):
        return number <= margin
    return _NUMERIC[operator](some, number) and not _NUMERIC[operator](empty, number)


def process_name(pattern: str) -> str:
    """Turn a search pattern into the name looked for: `[x]yz`, `^xyz$`, `*xyz*`, `xyz .*`."""
    text = pattern.strip().strip("^$*").strip()
    text = re.sub(r"\[([^\]^])\]", r"\1", text)
    for mark in (".*", "\\b", "\\<", "\\>", "*"):
        text = text.replace(mark, "")
    return text.replace("\\.", ".").replace("\\", "").strip()

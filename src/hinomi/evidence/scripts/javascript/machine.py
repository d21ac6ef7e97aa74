"""The walk over a JavaScript tree: names of modules, constants, guards and loops; calls go to `calls`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from hinomi.evidence.scripts.javascript.calls import called
from hinomi.evidence.scripts.javascript.core import Visitor, Walk
from hinomi.evidence.scripts.javascript.values import Datum, call_parts, evaluate, one, required
from hinomi.evidence.scripts.record import Recorder
from hinomi.evidence.scripts.syntax import text_of
from hinomi.evidence.scripts.values import Condition, Conditions, Source, Value, negated, unknown

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_ASKED = 2_000  # bytes of what asks for a process
MAX_BODY = 20_000  # bytes of a function that may set a timer for itself
MAX_VISITS = 150_000  # calls, branches and assignments of one file
_HOOKS = ("preinstall", "install", "postinstall", "preuninstall", "uninstall", "postuninstall", "prepare", "prepublish")
_PGREP = re.compile(
    r"\b(?:pgrep|pidof)(?:['\"`]\s*,\s*\[\s*['\"`]|\s+)(?:-\w+(?:['\"`]\s*,\s*['\"`]|\s+))*([\w./-]{2,80})"
)
_PS = re.compile(r"['\"`]ps(?:\s+-?[aAewx]|['\"`]\s*,)")
_NEEDLE = re.compile(
    r"(?:(?:includes|indexOf|startsWith|endsWith|test|match)\(\s*|===?\s*)['\"`/]([\w./-]{2,80}?)\\?['\"`/]"
)
_OWN_TIMER = re.compile(r"\bsetTimeout\(\s*([\w$]+)\s*(?:,\s*(\d{1,10})\b)?")
_EXISTS = re.compile(r"existsSync\s*\(\s*(['\"`])([^'\"`]{1,400})\1")


def walk_javascript(recorder: Recorder, root: Node) -> None:
    """Walk a JavaScript file, or the install scripts of a package.json."""
    name = recorder.path.rsplit("/", 1)[-1].lower()
    recorder.allowance = MAX_VISITS
    if name == "package.json" or name.endswith(" package.json"):
        _package(recorder, root)
    else:
        Walk(recorder, _VISITORS).visit(root)


def _package(recorder: Recorder, root: Node) -> None:
    text = text_of(root)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return
    scripts = found.get("scripts") if isinstance(found, dict) else None
    for hook in _HOOKS:
        command = scripts.get(hook) if isinstance(scripts, dict) else None
        if isinstance(command, str):
            at = text.find(f'"{hook}"')
            line = text.count("\n", 0, max(at, 0)) + 1
            with recorder.in_function(hook):
                Walk(recorder, _VISITORS).shell(command[:20_000], line)


def _function(walk: Walk, node: Node) -> None:
    name = node.child_by_field_name("name")
    body = node.child_by_field_name("body")
    if name is not None and body is not None:
        walk.functions[text_of(name)] = body
        with walk.recorder.in_function(text_of(name)[:200]):
            _again(walk, text_of(name), body)


def _short(node: Node, most: int) -> str:
    """A part's text where it has at most so many bytes: what stands inside many others is not read with each."""
    return text_of(node) if node.end_byte - node.start_byte <= most else ""


def _again(walk: Walk, name: str, body: Node) -> None:
    """Walk a function's body; one that sets a timer for itself is a loop."""
    match = _OWN_TIMER.search(_short(body, MAX_BODY))
    if match is None or match[1] != name:
        walk.visit(body)
        return
    with walk.recorder.looping(endless=True) as loop:
        loop.sleeps = int(match[2]) / 1000 if match[2] else 0.0
        walk.visit(body)


def _children(walk: Walk, node: Node) -> None:
    for child in node.named_children:
        walk.visit(child)


# --- names ------------------------------------------------------------------------------------------------------


def _declarator(walk: Walk, node: Node) -> None:
    name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
    if name is None or value is None:
        return
    module = required(value) or _member_of_module(walk, value)
    if module is not None:
        _bind(walk, name, module)
    elif name.type == "identifier":
        _store(walk, text_of(name), evaluate(walk.names, value))
        looked_for = _looked_for(_short(value, MAX_ASKED))
        if looked_for is not None:
            walk.answers[text_of(name)] = looked_for
    before = walk.connected
    walk.visit(value)
    if walk.connected is not before and value.type == "call_expression" and name.type == "identifier":
        _store(walk, text_of(name), unknown(text_of(name), walk.connected))  # what is heard from it comes from there


def _member_of_module(walk: Walk, value: Node) -> str | None:
    """`const exec = require('child_process').exec` and `util.promisify(cp.exec)`."""
    if value.type == "member_expression":
        subject, prop = value.child_by_field_name("object"), value.child_by_field_name("property")
        if subject is not None and prop is not None:
            module = required(subject) or walk.modules.get(text_of(subject))
            return f"{module}.{text_of(prop)}" if module is not None else None
    if value.type == "call_expression":
        name, _, given = call_parts(value)
        if name == "promisify" and given:
            return _member_of_module(walk, given[0]) or walk.modules.get(text_of(given[0]))
    return None


def _bind(walk: Walk, name: Node, module: str) -> None:
    if name.type == "identifier":
        walk.modules[text_of(name)] = module
        return
    for child in name.named_children[:50]:  # { exec, spawn: run }
        key, value = child.child_by_field_name("key"), child.child_by_field_name("value")
        if key is not None and value is not None:
            walk.modules[text_of(value)] = f"{module}.{text_of(key)}"
        else:
            walk.modules[text_of(child)] = f"{module}.{text_of(child)}"


def _import(walk: Walk, node: Node) -> None:
    source = node.child_by_field_name("source")
    if source is None:
        return
    module = text_of(source).strip("'\"").removeprefix("node:")
    stack = list(node.named_children)
    while stack:
        child = stack.pop()
        if child.type == "import_specifier":
            name, alias = child.child_by_field_name("name"), child.child_by_field_name("alias")
            if name is not None:
                walk.modules[text_of(alias or name)] = f"{module}.{text_of(name)}"
        elif child.type == "identifier":
            walk.modules[text_of(child)] = module
        else:
            stack.extend(child.named_children)


def _store(walk: Walk, name: str, value: Datum) -> None:
    if len(walk.names) < 20_000:
        walk.names[name] = value


def _assignment(walk: Walk, node: Node) -> None:
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if left is not None and right is not None:
        if left.type == "identifier":
            value = evaluate(walk.names, right)
            _store(
                walk,
                text_of(left),
                value if node.type == "assignment_expression" else _appended(walk, left, one(value)),
            )
        walk.visit(right)


def _appended(walk: Walk, left: Node, value: Value) -> Value:
    old = walk.value(left)
    return Value((old.text + value.text)[:65_536], old.constant and value.constant, old.source or value.source)


# --- guards and loops -------------------------------------------------------------------------------------------


def _if(walk: Walk, node: Node) -> None:
    condition = node.child_by_field_name("condition")
    asked = conditions_of(condition, walk.answers) if condition is not None else ()
    if condition is not None:
        walk.visit(condition)
    for field_name, conditions in (("consequence", asked), ("alternative", negated(asked))):
        branch = node.child_by_field_name(field_name)
        if branch is not None:
            with walk.recorder.under(conditions):
                walk.visit(branch)


def conditions_of(node: Node, answers: Mapping[str, str] | None = None) -> Conditions:
    """Return what a condition asks, as far as its text shows; `answers`: names -> the process that was looked for."""
    text = text_of(node)[:2000].strip("() ")
    holds = not text.startswith("!")
    process = (answers or {}).get(text.lstrip("!")) or _looked_for(text)
    if process is not None:
        return (Condition("process", process, text[:200], holds),)
    text = text[:400]
    match = _EXISTS.search(text)
    if match is not None:
        return (Condition("exists", match[2], text[:200], holds),)
    if "Date" in text or "getHours" in text or "getDay" in text:
        return (Condition("time", None, text[:200], holds),)
    if text in ("true", "1", "!0"):
        return (Condition("constant", None, text),)
    return (Condition("other", None, text[:200], holds),)


def _looked_for(text: str) -> str | None:
    """Return the process that an expression looks for: by pgrep, in the output of ps, or below /proc."""
    match = _PGREP.search(text)
    if match is None and (("/proc" in text and "readFile" in text) or _PS.search(text)):
        match = _NEEDLE.search(text)
    return match[1] if match is not None else None


def _try(walk: Walk, node: Node) -> None:
    """`try { execSync("pgrep x") } catch { … }`: what is done when x does not run."""
    body, handler = node.child_by_field_name("body"), node.child_by_field_name("handler")
    text = _short(body, MAX_ASKED) if body is not None else ""
    match = _PGREP.search(text) if "Sync" in text else None
    for child in node.named_children:
        if child == handler and match is not None:
            with walk.recorder.under((Condition("process", match[1], text[:200], False),)):
                walk.visit(child)
        else:
            walk.visit(child)


def _loop(walk: Walk, node: Node) -> None:
    condition = node.child_by_field_name("condition")
    text = text_of(condition).strip("(); ") if condition is not None else ""
    endless = text in ("true", "1", "!0", "") and node.type in ("while_statement", "do_statement", "for_statement")
    with walk.recorder.looping(endless=endless, counted=not endless):
        _children(walk, node)


def _call(walk: Walk, node: Node) -> None:
    name, _, given = call_parts(node)
    source = called(walk, node)
    if name in ("setInterval", "setTimeout") and given:
        _timer(walk, name, given)
        return
    callee = node.child_by_field_name("function") or node.child_by_field_name("constructor")
    if callee is not None:
        walk.visit(callee)
    for argument in given:
        if source is not None and argument.type in ("arrow_function", "function_expression", "function"):
            _parameters(walk, argument, source)
        walk.visit(argument)


def _timer(walk: Walk, name: str, given: list[Node]) -> None:
    """`setInterval(f, ms)` is a loop."""
    wait = walk.value(given[1]) if len(given) > 1 else Value("", False)
    millis = int(wait.text) if wait.constant and wait.text.isdigit() and len(wait.text) < 12 else None
    if name == "setTimeout":
        _children_of(walk, given)
        return
    with walk.recorder.looping(endless=True) as loop:
        loop.sleeps = millis / 1000 if millis is not None else 0.0
        _children_of(walk, given)
        body = walk.functions.get(text_of(given[0]))
        if body is not None:
            walk.visit(body)


def _children_of(walk: Walk, nodes: list[Node]) -> None:
    for node in nodes:
        walk.visit(node)


def _parameters(walk: Walk, function: Node, source: Source) -> None:
    """A callback's parameters carry what the call fetched."""
    holder = function.child_by_field_name("parameters") or function.child_by_field_name("parameter")
    if holder is None:
        return
    for node in [holder, *holder.named_children][:10]:
        if node.type == "identifier":
            walk.names[text_of(node)] = unknown(text_of(node), source)


_VISITORS: dict[str, Visitor] = {
    "variable_declarator": _declarator, "assignment_expression": _assignment,
    "augmented_assignment_expression": _assignment,
    "function_declaration": _function, "import_statement": _import, "if_statement": _if, "while_statement": _loop,
    "try_statement": _try, "do_statement": _loop, "for_statement": _loop,
    "for_in_statement": _loop, "call_expression": _call, "new_expression": _call, "comment": lambda _, __: None,
    "string": lambda _, __: None, "regex": lambda _, __: None,
}  # fmt: skip

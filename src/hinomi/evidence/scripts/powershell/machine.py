"""The walk over a PowerShell tree: statements, branches, loops, functions, pipelines."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from hinomi.evidence.scripts.powershell.command import Command
from hinomi.evidence.scripts.powershell.commands import run
from hinomi.evidence.scripts.powershell.expressions import arguments, condition_of, evaluate, interpolated
from hinomi.evidence.scripts.powershell.heads import readable
from hinomi.evidence.scripts.powershell.methods import invoke, invoke_with
from hinomi.evidence.scripts.powershell.state import MAX_CODE, MAX_CODE_DEPTH, MAX_DEPTH, Datum, State, asked, many, one
from hinomi.evidence.scripts.record import Recorder
from hinomi.evidence.scripts.syntax import parse, text_of
from hinomi.evidence.scripts.values import Conditions, Value, negated, unknown

if TYPE_CHECKING:
    from tree_sitter import Node

_BLOCKS = ("statement_list", "statement_block", "script_block", "script_block_body", "named_block_list", "named_block")
_COUNTER = re.compile(r"\d+\s*$")
MANY_TURNS = 10_000
MAX_UNROLLED = 16


def walk_powershell(recorder: Recorder, root: Node) -> None:
    """Walk the tree of a PowerShell script and record what it does."""
    state = State(recorder, run_code=_code, statements=_statements, invoke=invoke)
    _statements(state, list(readable(root).named_children))
    for name, node in list(state.functions.items()):
        if name not in state.called:
            state.called.add(name)
            with recorder.in_function(name):
                _statements(state, _body(node))


def _code(state: State, text: str, line: int) -> None:
    """Walk constant code found in a string, to a bounded depth."""
    if state.code_depth >= MAX_CODE_DEPTH or len(text) > MAX_CODE:
        state.recorder.truncated = True
        return
    root = readable(parse("powershell", text).root_node)
    pinned, state.recorder.pinned_line = state.recorder.pinned_line, line
    state.code_depth += 1
    try:
        _statements(state, list(root.named_children))
    finally:
        state.code_depth -= 1
        state.recorder.pinned_line = pinned


def _statements(state: State, nodes: list[Node]) -> Value:
    """Walk statements in order; the value is that of the last one."""
    kept = len(state.recorder.guards)
    last = Value("")
    for node in nodes:
        last = _statement(state, node)
    del state.recorder.guards[kept:]
    return last


def _statement(state: State, node: Node) -> Value:
    if state.depth >= MAX_DEPTH or not state.recorder.step():
        state.recorder.truncated = True
        return unknown(text_of(node)[:200])
    state.depth += 1
    try:
        handler = _STATEMENTS.get(node.type)
        if handler is not None:
            return handler(state, node)
        return _statements(state, list(node.named_children)) if node.named_child_count else Value("")
    finally:
        state.depth -= 1


# --- branches ---------------------------------------------------------------------------------------------------


def _if(state: State, node: Node) -> Value:
    before: Conditions = ()
    clauses = [node]
    for child in node.named_children:
        if child.type == "elseif_clauses":
            clauses.extend(child.named_children)
    for clause in clauses:
        condition = clause.child_by_field_name("condition")
        conditions = condition_of(state, condition) if condition is not None else ()
        leaves = _guarded(state, clause, before + conditions)
        before += negated(conditions)
    otherwise = next((c for c in node.named_children if c.type == "else_clause"), None)
    if otherwise is not None:
        _guarded(state, otherwise, before)
    elif leaves:
        state.recorder.guards.extend(c for c in before if c.kind != "constant")
    return Value("")


def _guarded(state: State, clause: Node, conditions: Conditions) -> bool:
    """Walk the block of a clause under its conditions; tell whether it leaves."""
    block = next((c for c in clause.named_children if c.type == "statement_block"), None)
    if block is None:
        return False
    with state.recorder.under(conditions):
        _statement(state, block)
    tail = text_of(block).rstrip("} \r\n\t;")[-60:].split("\n")[-1].strip("{ \t").lower()
    return tail.startswith(("exit", "return", "break", "continue"))


def _switch(state: State, node: Node) -> Value:
    for child in node.named_children:
        if child.type == "switch_condition":
            subject = one(evaluate(state, child)) if child.named_children else Value("")
            conditions = asked(subject, text_of(child)[:200])
        elif child.type == "switch_body":
            with state.recorder.under(tuple(c for c in conditions if c.kind != "constant")):
                _statements(state, list(child.named_children))
    return Value("")


# --- loops ------------------------------------------------------------------------------------------------------


def _while(state: State, node: Node) -> Value:
    _forget(state, node)
    condition = node.child_by_field_name("condition")
    conditions = condition_of(state, condition) if condition is not None else ()
    if any(c.type == "until" for c in node.children):
        conditions = negated(conditions)
    endless = bool(conditions) and all(c.kind == "constant" and c.holds for c in conditions)
    with state.recorder.looping(endless=endless) as loop, state.recorder.under(conditions):
        loop.depth = len(state.recorder.guards)
        _blocks(state, node)
    return Value("")


def _for(state: State, node: Node) -> Value:
    condition = node.child_by_field_name("for_condition")
    _forget(state, node)
    limit = _COUNTER.search(text_of(condition)) if condition is not None else None
    endless = condition is None or (limit is not None and int(limit.group()[:12]) >= MANY_TURNS)
    with state.recorder.looping(endless=endless, counted=not endless):
        _blocks(state, node)
    return Value("")


def _foreach(state: State, node: Node) -> Value:
    parts = [c for c in node.named_children if c.type not in ("statement_block", "comment", "foreach_parameter")]
    name = text_of(parts[0]).lstrip("$").lower() if parts else "_"
    items = many(evaluate(state, parts[1])) if len(parts) > 1 else ()
    chosen = (
        items
        if 0 < len(items) <= MAX_UNROLLED and all(i.constant for i in items)
        else (unknown(f"${name}", one(items).source),)
    )
    with state.recorder.looping(endless=False, counted=True):
        for item in chosen:
            state.variables[name] = item
            _blocks(state, node)
    return Value("")


def _blocks(state: State, node: Node) -> None:
    for child in node.named_children:
        if child.type == "statement_block":
            _statement(state, child)


def _forget(state: State, node: Node) -> None:
    """Variables assigned in a loop are unknown in its condition."""
    stack, visited = [node], 0
    while stack and visited < 20_000:
        item = stack.pop()
        visited += 1
        if item.type in ("left_assignment_expression", "post_increment_expression", "pre_increment_expression"):
            state.variables.pop(text_of(item).strip("$+- ").lower(), None)
        stack.extend(item.named_children)


# --- functions, assignments -------------------------------------------------------------------------------------


def _function(state: State, node: Node) -> Value:
    name = next((c for c in node.named_children if c.type == "function_name"), None)
    if name is not None:
        state.functions[text_of(name).lower()] = node
    return Value("")


def _body(node: Node) -> list[Node]:
    return [c for c in node.named_children if c.type == "script_block"]


def _call(state: State, name: str, command: Command) -> Value:
    """Walk a function's body with its parameters set."""
    node = state.functions[name]
    if name in state.recorder.functions or len(state.recorder.functions) > 8:
        return unknown(name)
    state.called.add(name)
    names = re.findall(r"\$(\w+)", " ".join(text_of(c) for c in _parameters(node)))
    for index, parameter in enumerate(names[:20]):
        given = command.parameters.get(parameter.lower()) or (
            command.words[index] if index < len(command.words) else None
        )
        if given is not None:
            state.variables[parameter.lower()] = given
    with state.recorder.in_function(name):
        return _statements(state, _body(node))


def _parameters(node: Node) -> list[Node]:
    found = [c for c in node.named_children if c.type == "function_parameter_declaration"]
    for body in _body(node):
        found.extend(c for c in body.named_children if c.type == "param_block")
    return found


def _assignment(state: State, node: Node) -> Value:
    left, right = node.children[0], node.child_by_field_name("value")
    name = text_of(left).lower()
    name = name[name.rfind("]") + 1 :].strip().lstrip("$").removeprefix("script:").removeprefix("global:")
    value: Datum = evaluate(state, right) if right is not None else Value("")
    operator = next((text_of(c) for c in node.children if c.type == "assignement_operator"), "=")
    if operator == "+=":
        old = state.variables.get(name, Value(""))
        value = (
            old + many(value)
            if isinstance(old, tuple)
            else Value((old.text + one(value).text)[:65_536], old.constant and one(value).constant)
        )
    elif operator != "=":
        value = unknown(f"${name}")
    if len(state.variables) < 5000:
        state.variables[name] = value
    return Value("")


# --- pipelines and commands -------------------------------------------------------------------------------------


def _pipeline(state: State, node: Node) -> Value:
    value = Value("")
    for child in node.named_children:
        value = _chain(state, child) if child.type == "pipeline_chain" else _statement(state, child)
    return value


def _chain(state: State, node: Node) -> Value:
    """Walk `a | b | c`."""
    value: Value | None = None
    for child in node.named_children:
        if child.type == "command":
            value = _command(state, child, value)
        elif child.type == "redirections":
            _redirected(state, child, value)
        elif child.type == "assignment_expression":
            value = _assignment(state, child)
        else:
            value = one(evaluate(state, child))
    return value or Value("")


def _redirected(state: State, node: Node, value: Value | None) -> None:
    for redirection in node.named_children:
        target = next((c for c in redirection.named_children if c.type == "redirected_file_name"), None)
        if target is not None:
            words = [c for c in target.named_children if c.type != "command_argument_sep"]
            path = one(evaluate(state, words[-1])) if words else Value("")
            if path.text.lower() not in ("$null", ""):
                state.emit("writes", state.line(node), text_of(node), path, value)


def _command(state: State, node: Node, piped: Value | None) -> Value:
    command = _expanded(state, node, piped)
    name = command.name
    if name in state.functions:
        return _call(state, name, command)
    state.recorder.commands.add(name[:200])
    return run(state, command)


def _expanded(state: State, node: Node, piped: Value | None) -> Command:
    """Expand a command's name, parameters and words; script blocks are kept as nodes."""
    head = node.child_by_field_name("command_name")
    operator = next((text_of(c) for c in node.children if c.type == "command_invokation_operator"), "")
    command = Command(_head(state, head), state.line(node), text_of(node)[:500], operator.strip(), piped)
    elements = node.child_by_field_name("command_elements")
    pending: str | None = None
    for child in elements.children if elements is not None else []:
        if child.type == "command_parameter":
            pending = text_of(child).lstrip("-–—/").rstrip(":").lower()
            command.parameters.setdefault(pending, Value("True"))
        elif child.type == "argument_list":
            _method_words(state, command, child)
        elif child.type not in ("command_argument_sep", "redirection", "redirections"):
            pending = _argument(state, command, child, pending)
    for child in node.named_children:
        if child.type == "redirections":
            _redirected(state, child, piped)
    return command


def _method_words(state: State, command: Command, node: Node) -> None:
    """`New-Object X(a, b)` gives words; `iex (...).Method(a)` is a call of the word before."""
    args = arguments(state, node)
    before = _innermost(node.prev_named_sibling) if node.prev_named_sibling is not None else None
    if before is not None and before.type == "member_access":
        made = one(invoke_with(state, before, args))
        if command.words:
            command.words[-1] = made
        else:
            command.parameters.update(dict.fromkeys(list(command.parameters)[-1:], made))
    else:
        command.words.extend(args)


def _innermost(node: Node) -> Node:
    while node.named_child_count == 1 and node.type not in (
        "script_block_expression",
        "parenthesized_expression",
        "member_access",
    ):
        node = node.named_children[0]
    return node


def _head(state: State, node: Node | None) -> Value:
    if node is None:
        return Value("")
    if (
        node.type == "command_name_expr"
        and node.named_children
        and node.named_children[0].type == "script_block_expression"
    ):
        _statements(state, [c for c in node.named_children[0].named_children if c.type != "param_block"])
        return Value("")
    if node.type == "command_name_expr" and node.named_children:
        return (
            one(evaluate(state, node.named_children[0]))
            if node.named_children[0].type != "command_name"
            else _named(state, node)
        )
    return _named(state, node)


def _named(state: State, node: Node) -> Value:
    text = text_of(node).replace("`", "")
    return interpolated(state, text) if "$" in text else Value(text)


def _argument(state: State, command: Command, node: Node, pending: str | None) -> str | None:
    inner = _innermost(node)
    if inner.type == "script_block_expression":
        command.blocks.append(inner)
        if command.piped is not None:
            state.variables["_"] = command.piped
        command.block_value = _statements(state, [c for c in inner.named_children if c.type != "param_block"])
        return None
    value = evaluate(state, node)
    if pending is not None and pending not in _SWITCHES:
        command.parameters[pending] = one(value)
        return None
    command.words.extend(many(value)[:200])
    return None


_SWITCHES = frozenset(
    "nop noprofile nologo noni noninteractive force recurse wait passthru usebasicparsing asjob asplaintext"
    " append sta mta".split()
)
_STATEMENTS: dict[str, Callable[[State, Node], Value]] = {
    "if_statement": _if, "switch_statement": _switch, "while_statement": _while, "do_statement": _while,
    "for_statement": _for,
    "foreach_statement": _foreach, "function_statement": _function, "pipeline": _pipeline, "pipeline_chain": _chain,
    "assignment_expression": _assignment, "command": lambda state, node: _command(state, node, None),
    "comment": lambda _, __: Value(""),
    "invokation_expression": lambda state, node: one(evaluate(state, node)), "logical_expression": lambda state,
    node: one(evaluate(state, node)),
}  # fmt: skip
__all__ = ["walk_powershell"]

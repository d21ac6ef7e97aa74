"""Simple commands: words, redirections, assignments; then the handler that knows the command."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from hinomi.evidence.scripts.shell import flow, sinks
from hinomi.evidence.scripts.shell.conditions import TRUE, truth
from hinomi.evidence.scripts.shell.core import NOTHING, Call, Machine, Redirect, Result
from hinomi.evidence.scripts.shell.vocabulary import QUIET, SYSTEM_FOLDERS
from hinomi.evidence.scripts.shell.words import fields_of, heredoc_text, value_of
from hinomi.evidence.scripts.syntax import text_of
from hinomi.evidence.scripts.values import Conditions, Source, Value, joined, unknown

if TYPE_CHECKING:
    from tree_sitter import Node

_HARMLESS = ("/dev/null", "/dev/stdout", "/dev/stderr", "/dev/tty", "/dev/console", "/dev/fd/", "/dev/zero")
MAX_ARGUMENTS = 500
_STATEMENTS = frozenset({"command", "pipeline", "list", "redirected_statement", "subshell", "compound_statement"})


def with_input(machine: Machine, node: Node, stdin: Value | None, more: tuple[Redirect, ...] = ()) -> Result:
    """Walk any statement with its standard input known."""
    if node.type == "command":
        return command(machine, node, stdin, more)
    if node.type == "redirected_statement":
        return redirected(machine, node, stdin)
    kept, machine.stdin = machine.stdin, stdin
    try:
        return machine.statement(node)
    finally:
        machine.stdin = kept


# --- redirections -----------------------------------------------------------------------------------------------


def redirected(machine: Machine, node: Node, stdin: Value | None = None) -> Result:
    """Walk a statement with redirections, here-documents and the pipe that may follow a here-document's head."""
    body = node.child_by_field_name("body")
    nodes = node.children_by_field_name("redirect")
    redirects, given, after = gather(machine, nodes)
    given = given if given is not None else stdin
    if body is None:
        result = _bare(machine, redirects, given, machine.line(node))
    elif body.type == "command":
        result = command(machine, body, given, tuple(redirects))
    else:
        result = with_input(machine, body, given or _read(machine, redirects))
        result = _into_files(machine, result, redirects, node)
    return _after_heredoc(machine, after, result)


def gather(machine: Machine, nodes: Iterable[Node]) -> tuple[list[Redirect], Value | None, list[Node]]:
    """Return redirections to files, the here-text, and statements that stand after a here-document's head."""
    redirects: list[Redirect] = []
    given: Value | None = None
    after: list[Node] = []
    for node in nodes:
        if node.type == "file_redirect":
            redirects.extend(_file_redirect(machine, node))
        elif node.type == "herestring_redirect":
            given = value_of(machine, node.named_children[-1]) if node.named_children else None
        elif node.type == "heredoc_redirect":
            given, inner, after = _heredoc(machine, node)
            redirects.extend(inner)
    return redirects, given, after


def _file_redirect(machine: Machine, node: Node) -> list[Redirect]:
    operator = next(
        (c.type for c in node.children if c.type in (">", ">>", "<", "&>", "&>>", ">&", ">|", "<&", "<>")), ">"
    )
    if b"<>" in (node.text or b"")[:8]:
        operator = "<>"
    destination = next((c for c in node.children_by_field_name("destination")), None)
    if destination is None:
        return []
    fields = fields_of(machine, destination)
    target = fields[0] if fields else Value("")
    descriptor = next((text_of(c) for c in node.children if c.type == "file_descriptor"), "")
    if target.text in machine.connections and operator in ("<&", ">&"):
        return [Redirect(operator, Value(f"/dev/fd/{target.text}"), descriptor)]
    if not target.text or target.text.isdigit() or target.text.startswith(("-", "&")):
        return []
    return [Redirect(operator, machine.env.resolve(target), descriptor)]


def _heredoc(machine: Machine, node: Node) -> tuple[Value | None, list[Redirect], list[Node]]:
    start = next((text_of(c) for c in node.children if c.type == "heredoc_start"), "")
    body = next((c for c in node.children if c.type == "heredoc_body"), None)
    dashed = any(c.type == "<<-" for c in node.children)
    text = heredoc_text(machine, body, quoted=start[:1] in "\"'\\", dashed=dashed) if body is not None else Value("")
    inner = [r for c in node.children if c.type == "file_redirect" for r in _file_redirect(machine, c)]
    return text, inner, [c for c in node.children if c.type in _STATEMENTS]


def _after_heredoc(machine: Machine, after: list[Node], result: Result) -> Result:
    for node in after:
        if node.type == "pipeline":
            result = flow.pipe(machine, [c for c in node.children if c.is_named], result.output)
        else:
            machine.statement(node)
    return result


def _bare(machine: Machine, redirects: list[Redirect], given: Value | None, line: int) -> Result:
    """`> file` without a command empties the file."""
    call = Call(":", Value(":"), (), line, given, tuple(redirects))
    return _finish(machine, call, Result(conditions=TRUE))


def _into_files(machine: Machine, result: Result, redirects: list[Redirect], node: Node) -> Result:
    text = text_of(node)[:500]
    call = Call("", Value(text, False), (), machine.line(node), None, tuple(redirects), background=False)
    return _finish(machine, call, result)


def _read(machine: Machine, redirects: Iterable[Redirect]) -> Value | None:
    """Return the content of `< file` as a value of that source."""
    for redirect in redirects:
        if redirect.operator == "<":
            return redirect.target if redirect.target.has("events") else sinks.content_of(redirect.target)
        if redirect.operator == "<&":
            return sinks.from_connection(machine, redirect.target.text.rpartition("/")[2])
    return None


def _finish(machine: Machine, call: Call, result: Result) -> Result:
    """Put a command's output where its redirections send it."""
    sent = False
    for redirect in call.redirects:
        if redirect.operator == "<" or redirect.target.text.startswith(_HARMLESS):
            continue
        sent = True
        sinks.redirected_to(machine, call, redirect, result.output)
    return replace(result, output=Value("")) if sent else result


# --- assignments ------------------------------------------------------------------------------------------------


def assignment(machine: Machine, node: Node) -> Result:
    """Assign a variable or array; a status or flag keeps the conditions it stands for."""
    name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
    if name is None:
        return NOTHING
    key = text_of(name)
    append = any(c.type == "+=" for c in node.children)
    if value is not None and value.type == "array":
        items = [v for child in value.named_children for v in fields_of(machine, child)]
        machine.env.arrays[key] = (machine.env.arrays.get(key, []) if append else []) + items[:MAX_ARGUMENTS]
        machine.env.variables.pop(key, None)
        return Result(conditions=TRUE)
    made = value_of(machine, value) if value is not None else Value("")
    if append:
        made = joined([machine.env.get(key) if key in machine.env.variables else Value(""), made])
    _store(machine, key, made)
    return Result(conditions=_of_assignment(made))


def _store(machine: Machine, key: str, value: Value) -> None:
    """Remember a value; a constant assigned under a process check is a flag for it."""
    flags = tuple(c for c in machine.recorder.guards if c.kind == "process")[-1:]
    if flags and value.constant and value.source is None and len(value.text) <= 8:
        value = Value(value.text, True, Source("flag", conditions=flags))
    machine.env.assign(key, value)
    base, bracket, index = key.partition("[")
    if bracket and base in machine.env.arrays and index[:-1].isdigit():
        machine.env.arrays[base][int(index[:-1][:6]) :] = [value]


def _of_assignment(value: Value) -> Conditions:
    """`if p=$(pgrep x)` asks what `pgrep x` asks."""
    return truth(value, value.text) if value.source is not None and not value.constant else TRUE


def assignments(machine: Machine, node: Node) -> Result:
    """Walk several assignments in a row."""
    result = NOTHING
    for child in node.named_children:
        result = machine.statement(child)
    return result


def declaration(machine: Machine, node: Node) -> Result:
    """Walk export, local, readonly, declare, typeset."""
    result = Result(conditions=TRUE)
    for child in node.named_children:
        if child.type == "variable_assignment":
            result = assignment(machine, child)
            name = child.child_by_field_name("name")
            if name is not None and text_of(node).startswith(("export", "declare -x", "typeset -x")):
                sinks.exported(
                    machine, text_of(name), machine.env.get(text_of(name)), machine.line(node), text_of(node)
                )
    return result


def unset(machine: Machine, node: Node) -> Result:
    """Drop variables."""
    for child in node.named_children:
        name = text_of(child)
        machine.env.variables.pop(name, None)
        machine.env.arrays.pop(name, None)
        sinks.history_off(machine, name, machine.line(node), text_of(node))
    return Result(conditions=TRUE)


# --- the command ------------------------------------------------------------------------------------------------


def command(machine: Machine, node: Node, stdin: Value | None = None, more: tuple[Redirect, ...] = ()) -> Result:
    """Expand a command's words and hand it to the handler that knows it."""
    settings: list[tuple[str, Value]] = []
    words: list[Value] = []
    own: list[Node] = []
    for child in node.children:
        kind = child.type
        if kind == "variable_assignment":
            settings.append(_setting(machine, child))
        elif kind == "command_name":
            words.extend(_name(machine, child))
        elif kind.endswith("_redirect"):
            own.append(child)
        elif child.is_named and len(words) < MAX_ARGUMENTS:
            words.extend(fields_of(machine, child))
    redirects, given, after = gather(machine, own)
    given = given if given is not None else stdin if stdin is not None else machine.stdin
    every = (*more, *redirects)
    if not words:
        return NOTHING
    call = _call(
        machine,
        words,
        machine.line(node),
        given if given is not None else _read(machine, every),
        every,
        tuple(settings),
    )
    return _after_heredoc(machine, after, run(machine, call))


def _name(machine: Machine, node: Node) -> list[Value]:
    return [v for child in node.named_children for v in fields_of(machine, child)] or [Value(text_of(node))]


def _setting(machine: Machine, node: Node) -> tuple[str, Value]:
    name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
    return (text_of(name) if name else "", value_of(machine, value) if value is not None else Value(""))


def _call(
    machine: Machine, words: list[Value], line: int, stdin: Value | None, redirects: tuple[Redirect, ...],
    settings: tuple[tuple[str, Value], ...],
) -> Call:  # fmt: skip
    path = words[0]
    name = path.text.rsplit("/", 1)[-1] if path.constant else path.text
    background = machine.recorder.background > 0
    return Call(name, path, tuple(words[1:]), line, stdin, redirects, settings, background)


def again(machine: Machine, call: Call, words: Iterable[Value], *, background: bool = False) -> Result:
    """Run the words as a command of their own: what a wrapper (nohup, env, timeout) starts."""
    items = list(words)
    if not items or not machine.recorder.step() or machine.depth > 60:
        return NOTHING
    machine.depth += 1
    inner = _call(machine, items, call.line, call.stdin, (), call.settings)
    try:
        return dispatch(machine, replace(inner, background=call.background or background))
    finally:
        machine.depth -= 1


def run(machine: Machine, call: Call) -> Result:
    """Run a command and send its output where its redirections say."""
    machine.recorder.commands.add(call.name if call.path.constant else "$")
    for name, value in call.settings:
        sinks.exported(machine, name, value, call.line, call.text)
    return _finish(machine, call, dispatch(machine, call))


def dispatch(machine: Machine, call: Call) -> Result:
    """Find who knows the command: a function of the script, a handler, or nobody: then it is a program started."""
    if call.path.text in machine.env.functions:
        return machine.call_function(call)
    handler = machine.handlers.get(call.name) if _is_system(call.path) else None
    if handler is not None:
        return handler(machine, call) or NOTHING
    if call.name in QUIET and _is_system(call.path):
        return NOTHING
    return sinks.started(machine, call)


def _is_system(path: Value) -> bool:
    """A bare name, or a path in a folder of system programs; `/tmp/cp` is somebody's own."""
    folder, slash, _ = path.text.rpartition("/")
    return path.constant and (not slash or folder in SYSTEM_FOLDERS)


def output_of(call: Call, text: str = "$(...)", source: Source | None = None) -> Result:
    """Return an unknown output of a known source."""
    return Result(unknown(text, source or (call.stdin.source if call.stdin else None)))

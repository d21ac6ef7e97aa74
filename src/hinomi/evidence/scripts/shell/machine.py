"""The walk over a shell script's tree: control flow, functions, guards and loops. Commands are in `commands/`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from hinomi.evidence.scripts.detect import REWRITTEN, language_of_interpreter
from hinomi.evidence.scripts.foreign import told
from hinomi.evidence.scripts.record import Recorder
from hinomi.evidence.scripts.rewritten import rewritten
from hinomi.evidence.scripts.shell import flow, loops, simple
from hinomi.evidence.scripts.shell.conditions import TRUE, test, tokens_of
from hinomi.evidence.scripts.shell.core import NOTHING, Call, Handler, Result
from hinomi.evidence.scripts.shell.environment import Environment
from hinomi.evidence.scripts.shell.known import HANDLERS
from hinomi.evidence.scripts.syntax import parse, source_bytes, text_of
from hinomi.evidence.scripts.values import Condition, Conditions, Value, joined, negated

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_DEPTH = 48
MAX_CODE_DEPTH = 4
MAX_INLINES = 20
MAX_CALL_DEPTH = 8
MAX_NESTED_CODE = 256 << 10


class ShellMachine:
    """Walks one script and the constant code inside it; holds the shell's state."""

    def __init__(self, recorder: Recorder, own_path: str) -> None:
        self.recorder = recorder
        self.env = Environment(own_path)
        self.handlers: Mapping[str, Handler] = HANDLERS
        self.depth = 0
        self.code_depth = 0
        self.inlined: Counter[str] = Counter()
        self.returned: list[tuple[str, Conditions]] = []
        self.return_depth = 0
        self.chroot: str | None = None
        self.stdin: Value | None = None
        self.made: dict[str, Value] = {}  # what the script itself wrote into files
        self.bodies: dict[Node, list[Node]] = {}  # of functions: nodes that are asked for again are made again
        self.connections: dict[str, str] = {}  # number of a stream that is a connection -> address

    # --- entry points -------------------------------------------------------------------------------------------

    def program(self, root: Node) -> None:
        """Walk a whole script, then the functions that nothing called."""
        self.block(root.children)
        for name, definition in list(self.env.functions.items()):
            if not self.inlined[name]:
                with self.recorder.in_function(name):
                    self.inlined[name] += 1
                    self.block(self._body(definition))

    def code(self, text: str, line: int) -> Result:
        """Walk constant code found in a string (`sh -c`, `eval`, decoded text), to a bounded depth."""
        if self.code_depth >= MAX_CODE_DEPTH or len(text) > MAX_NESTED_CODE:
            self.recorder.truncated = True
            return NOTHING
        tree = parse("bash", text)
        self.code_depth += 1
        pinned, self.recorder.pinned_line = self.recorder.pinned_line, line
        try:
            return self.block(tree.root_node.children)
        finally:
            self.code_depth -= 1
            self.recorder.pinned_line = pinned

    def substitute(self, node: Node) -> Value:
        """Walk the commands of `$(...)` in a subshell and return their output."""
        return self.isolated(lambda: self.block(node.children)).output

    def isolated(self, walk: Callable[[], Result]) -> Result:
        """Run `walk` with a copy of the environment."""
        kept = self.env
        self.env = kept.child()
        try:
            return walk()
        finally:
            self.env = kept

    # --- statements ---------------------------------------------------------------------------------------------

    def line(self, node: Node) -> int:
        """Return the 1-based line of a node in the script (code in a string counts as its string's line)."""
        pinned = self.recorder.pinned_line
        return pinned if pinned is not None else node.start_point[0] + 1

    def block(self, children: list[Node]) -> Result:
        """Walk statements in order; what an early exit tells holds for the statements after it."""
        kept = len(self.recorder.guards)
        outputs: list[Value] = []
        last = NOTHING
        kinds = [child.type for child in children]
        for index, child in enumerate(children):
            if kinds[index] == "comment" or not child.is_named:
                continue
            if index + 1 < len(children) and kinds[index + 1] == "&":
                with self.recorder.in_background(True):
                    last = self.statement(child)
            else:
                last = self.statement(child)
            self._settle(last)
            outputs.append(last.output)
            if last.leaves:
                self._unreached(children[index + 1 :])
                break
        del self.recorder.guards[kept:]
        spoken = [o for o in outputs if o.text or o.source]
        return Result(joined(spoken, "\n") if spoken else last.output, last.conditions, last.leaves, last.rest)

    def _unreached(self, children: list[Node]) -> None:
        """After exit or exec nothing runs (often data follows), but functions may still be defined for a trap."""
        for child in children:
            if child.type == "function_definition":
                self.statement(child)

    def _settle(self, result: Result) -> None:
        self.env.status = result.conditions
        self.recorder.guards.extend(c for c in result.rest if c.kind != "constant")

    def statement(self, node: Node) -> Result:
        """Walk one statement, to a bounded depth."""
        if self.depth >= MAX_DEPTH or not self.recorder.step():
            self.recorder.truncated = True
            return NOTHING
        self.depth += 1
        try:
            return _STATEMENTS.get(node.type, _unknown)(self, node)
        finally:
            self.depth -= 1

    def asked(self, node: Node) -> Result:
        """Walk a statement whose exit status is asked for; there is always a condition to show."""
        result = self.statement(node)
        if result.conditions:
            return result
        shown = Condition("other", None, text_of(node)[:200])
        return Result(result.output, (shown,), result.leaves, result.rest)

    def with_input(self, node: Node, stdin: Value | None) -> Result:
        """Walk a statement with its standard input known."""
        return simple.with_input(self, node, stdin)

    # --- functions ----------------------------------------------------------------------------------------------

    def call_function(self, call: Call) -> Result:
        """Walk a function's body in the caller's guards and loops, with its arguments."""
        name, recorder = call.path.text, self.recorder
        if name in recorder.functions:
            self._recursion(name)
            return NOTHING
        if len(recorder.functions) >= MAX_CALL_DEPTH or self.inlined[name] >= MAX_INLINES:
            return NOTHING
        self.inlined[name] += 1
        kept, self.env.positional = self.env.positional, list(call.args)
        with recorder.in_function(name), flow.returns(self) as returned, recorder.in_background(call.background):
            result = self.block(self._body(self.env.functions[name]))
        self.env.positional = kept
        return Result(result.output, flow.verdict(returned, result.conditions))

    def _body(self, definition: Node) -> list[Node]:
        body = self.bodies.get(definition)
        if body is None:
            body = self.bodies[definition] = flow.body_of(definition)
        return body

    def _recursion(self, name: str) -> None:
        first = next((i for i, d in enumerate(self.recorder.drafts) if d.function == name), None)
        if first is not None:
            self.recorder.restarts_itself(first, endless=False)

    def self_starts(self, call: Call) -> None:
        """A script that starts itself again without other arguments runs in a loop."""
        guards = self.recorder.guards
        plain = all(a.text in ("$@", "$*") for a in call.args)
        if plain and not any(c.kind == "argument" for c in guards):
            busy = any(
                d.action == "sleeps" or (d.action == "starts" and "/" in (d.what or ""))
                for d in self.recorder.drafts[:-1]
            )
            self.recorder.restarts_itself(0, endless=not guards and busy)

    def foreign_code(self, call: Call, code: Value) -> None:
        """Record what a one-liner of another language does."""
        construct, before = f"{call.name} code", len(self.recorder.drafts)
        if not code.constant or code.has("download", "decoded"):
            origin = (
                code.source.kind
                if code.source is not None and code.has("download", "decoded", "argument")
                else "variable"
            )
            self.emit(call, "executes-code", origin, construct)
        language = language_of_interpreter(call.name)
        if language in REWRITTEN and code.text and len(code.text) <= MAX_NESTED_CODE:
            self.isolated(lambda: self.code(rewritten(source_bytes(code.text), language), call.line))
        for action, what, detail in told(code.text) if len(self.recorder.drafts) == before else ():
            self.emit(call, action, what, f"{call.name} {detail}")
            if action == "sleeps" and what is not None:
                self.recorder.slept(float(what))

    # --- recording ----------------------------------------------------------------------------------------------

    def emit(
        self, call: Call, action: str, what: Value | str | None = None, detail: Value | str | None = None, *,
        background: bool = False,
    ) -> None:  # fmt: skip
        """Record an action of a command."""
        resolved = call.resolved and not (isinstance(what, Value) and not what.constant)
        self.recorder.emit(
            action, call.line, call.text, what=what.text if isinstance(what, Value) else what,
            detail=detail.text if isinstance(detail, Value) else detail, resolved=resolved,
            background=background or call.background,
        )  # fmt: skip

    def emit_path(self, call: Call, action: str, path: Value, detail: Value | str | None = None) -> Value:
        """Record an action on a path, made absolute where the folder is known; return that path."""
        full = self.env.resolve(path)
        if full.text:
            self.emit(call, action, full, detail)
        return full

    def emit_check(self, name: str | None, tool: str, line: int, text: str) -> None:
        """Record that a process is looked for."""
        pinned = self.recorder.pinned_line
        self.recorder.emit(
            "checks-running",
            pinned if pinned is not None else line,
            text,
            what=name,
            detail=tool,
            resolved=name is not None,
        )


# --- statements by node type ------------------------------------------------------------------------------------


def _unknown(machine: ShellMachine, node: Node) -> Result:
    return machine.block(node.children) if node.named_child_count else NOTHING


def _test_command(machine: ShellMachine, node: Node) -> Result:
    if node.children and node.children[0].type == "((":
        return loops.arithmetic_condition(machine, node)
    return Result(conditions=test(machine, tokens_of(machine, node), machine.line(node), text_of(node)[:200]))


def _negated(machine: ShellMachine, node: Node) -> Result:
    result = machine.asked(node.named_children[0]) if node.named_children else NOTHING
    return Result(result.output, negated(result.conditions))


def _compound(machine: ShellMachine, node: Node) -> Result:
    if node.children and node.children[0].type == "((":
        return loops.arithmetic_condition(machine, node)
    return machine.block(node.children)


def _subshell(machine: ShellMachine, node: Node) -> Result:
    return machine.isolated(lambda: machine.block(node.children))


def _function(machine: ShellMachine, node: Node) -> Result:
    name = node.child_by_field_name("name")
    if name is not None:
        machine.env.functions[text_of(name)] = node
        machine.inlined[text_of(name)] += 0
    return Result(conditions=TRUE)


_STATEMENTS: dict[str, Callable[[ShellMachine, Node], Result]] = {
    "command": simple.command,
    "redirected_statement": simple.redirected,
    "variable_assignment": simple.assignment,
    "variable_assignments": simple.assignments,
    "declaration_command": simple.declaration,
    "unset_command": simple.unset,
    "pipeline": flow.pipeline,
    "list": flow.chain,
    "if_statement": flow.if_statement,
    "case_statement": flow.case_statement,
    "while_statement": loops.while_statement,
    "for_statement": loops.for_statement,
    "select_statement": loops.for_statement,
    "c_style_for_statement": loops.c_style_for,
    "function_definition": _function,
    "test_command": _test_command,
    "negated_command": _negated,
    "compound_statement": _compound,
    "subshell": _subshell,
}


def walk_shell(recorder: Recorder, root: Node) -> None:
    """Walk the tree of a shell script and record what it does."""
    ShellMachine(recorder, recorder.path).program(root)

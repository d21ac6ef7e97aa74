"""Statements of a program, written as the shell's."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hinomi.evidence.scripts.record import Recorder
from hinomi.evidence.scripts.rewritten import calls
from hinomi.evidence.scripts.rewritten.dialects import DIALECTS, Dialect
from hinomi.evidence.scripts.rewritten.effects import Effects
from hinomi.evidence.scripts.rewritten.lines import Lines
from hinomi.evidence.scripts.rewritten.reading import Asked, first_field, keyword_of
from hinomi.evidence.scripts.rewritten.words import Word, constant, joined, literal, many, name_of, quoted
from hinomi.evidence.scripts.rewritten.writer import Writer, function_name, negated, sides
from hinomi.evidence.scripts.syntax import parse, text_of

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_DEPTH = 60
MAX_CODE_DEPTH = 3
MAX_STEPS = 60_000
_BODIES = ("body", "block", "consequence")
_ELSES = frozenset(("elif_clause", "else_clause", "elsif", "else", "else_if_clause", "elseif_statement", "else_statement"))


def walk_rewritten(recorder: Recorder, root: Node, language: str) -> None:
    """Walk a program of one of `DIALECTS` and record what it does."""
    from hinomi.evidence.scripts.shell.machine import walk_shell

    program = Program(DIALECTS[language])
    text = program.written(root)
    recorder.truncated |= program.cut
    recorder.allowance = MAX_STEPS
    walk_shell(recorder, parse("bash", text.encode("utf-8", "surrogateescape")).root_node)


def rewritten(data: bytes, language: str) -> str:
    """Return the shell text that stands for a program."""
    return Program(DIALECTS[language]).written(parse(DIALECTS[language].grammar, data).root_node)


class Program:
    """Writes one program."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.writer = Writer(dialect)
        self.effects = Effects(self.writer)
        self.lines = Lines()
        self.depth = 0
        self.steps = 0
        self.code_depth = 0
        self.pinned: int | None = None
        self.cut = False

    def written(self, root: Node) -> str:
        """Return the shell text."""
        self._declare(root)
        self.block(root)
        return self.lines.text

    def _declare(self, root: Node) -> None:
        """Learn the names of functions and imports before anything is read, wherever they stand."""
        stack = [root]
        while stack:
            node = stack.pop()
            role = self.writer.read.role(node)
            if role == "import":
                self.writer.read.import_names(node)
            elif role == "function":
                name = node.child_by_field_name("name")
                if name is not None:
                    self.writer.functions.add(text_of(name).rpartition(".")[2].rpartition(":")[2])
            if role not in ("string", "call", "assign", "list"):
                stack.extend(node.named_children)

    # --- statements ---------------------------------------------------------------------------------------------

    def put(self, node: Node, *texts: str) -> None:
        """Write statements on a node's line."""
        for text in texts:
            self.lines.put(self.pinned or node.start_point[0] + 1, text)

    def block(self, node: Node) -> None:
        """Write the statements below a node."""
        for child in node.named_children:
            self.statement(child)

    def statement(self, node: Node) -> None:
        """Write one statement."""
        self.steps += 1
        if self.depth > MAX_DEPTH or self.steps > MAX_STEPS or self.lines.full:
            self.cut = True
            return
        self.depth += 1
        try:
            _STATEMENTS.get(self.writer.read.role(node), Program.block)(self, node)
        finally:
            self.depth -= 1

    def _body(self, node: Node | None, at: Node) -> None:
        """Write a body, which in the shell is never empty."""
        if node is not None:
            if self.writer.read.role(node) in _STATEMENTS:
                self.statement(node)
            else:
                self.block(node)
        self.put(at if node is None else _last(node), ":")

    def wrapped(self, node: Node) -> None:
        """Write what stands inside."""
        self.block(node)

    def call(self, node: Node) -> None:
        """Write a call, and before it those among its arguments."""
        call = self.writer.read.call(node)
        if call is not None:
            self.called(call, node, "")

    def called(self, call: Asked, node: Node, bind: str) -> bool:
        """Write a call's commands; whether it gave any (also none that need writing)."""
        if self._evaluated(call, node) or self._looped(call, node):
            return True
        found = self.effects.commands(call, bind)
        if found is not None:
            self.put(node, *found)
            return True
        own = call.name in self.writer.functions or call.member in self.writer.functions
        self._arguments(call)
        if own:
            line = self.writer.own_call(call)
            self.put(node, f"{bind}=$({line})" if bind else line)
        if call.block is not None:
            self._body(call.block, node)
        return own

    def _arguments(self, call: Asked) -> None:
        """What is called among the arguments, or to get at the object, happens too."""
        for part in (call.receiver, *call.args, *call.named.values()):
            if part is not None and self.writer.read.role(self.writer.read.bare(part)) == "call":
                self.statement(self.writer.read.bare(part))

    def _evaluated(self, call: Asked, node: Node) -> bool:
        """Code in a string: constant code is read as its language, other code is `eval`."""
        if call.name not in calls.EVALUATES or not call.args or call.receiver is not None:
            return False
        if call.name in ("exec",) and self.dialect.grammar in ("perl", "php", "ruby"):
            return False
        if call.name in ("load", "compile", "assert") and self.writer.read.role(call.args[0]) in ("binary", "not"):
            return False
        word = self.writer.word(call.args[0])
        text = constant(word)
        if text is None:
            self._arguments(call)
            self.put(node, f"eval {quoted(word)}")
        elif call.name.startswith(("include", "require")):
            self.put(node, f". {quoted(word)}")
        else:
            self.code(text, node)
        return True

    def code(self, text: str, node: Node) -> None:
        """Write constant code as if it stood on the line of its string."""
        if self.code_depth >= MAX_CODE_DEPTH:
            self.cut = True
            return
        pinned, self.pinned = self.pinned, self.pinned or node.start_point[0] + 1
        self.code_depth += 1
        try:
            data = (self.dialect.prefix + text).encode("utf-8", "surrogateescape")
            root = parse(self.dialect.grammar, data).root_node
            self._declare(root)
            self.block(root)
        finally:
            self.code_depth -= 1
            self.pinned = pinned

    def _looped(self, call: Asked, node: Node) -> bool:
        """Ruby's blocks: `loop do`, `each { |x| … }`, `File.open(…) { |f| … }`, `Thread.new { … }`."""
        if call.block is None:
            return False
        names = [text_of(c) for p in call.block.named_children if p.type == "block_parameters" for c in p.named_children]
        body = first_field(call.block, "body")
        if call.name == "loop":
            self.put(node, "while true; do")
            self._body(body, node)
            self.put(_last(node), "done")
        elif call.member in ("each", "each_line", "map", "select", "times", "each_entry", "foreach"):
            self._for(names, call.receiver if call.receiver is not None and call.args == () else next(iter(call.args), None), body, node)
        elif call.name in ("Thread.new", "fork", "Process.fork", "Thread.start"):
            self.put(node, "{")
            self._body(body, node)
            self.put(_last(node), "} &")
        else:
            self.called(Asked(call.node, call.name, call.member, call.receiver, call.args, call.named), node, names[0] if names else "")
            self._body(body, node)
        return True

    # --- assignments --------------------------------------------------------------------------------------------

    def assign(self, node: Node) -> None:
        """Write `name = value`; arrays, open files and commands' states are remembered."""
        left, right = sides(node)
        if left is None or right is None:
            return
        pairs = [(left, right)]
        if left.type in ("variable_list", "pattern_list", "left_assignment_list"):
            pairs = list(zip(left.named_children, right.named_children, strict=False))
        for target, value in pairs[:50]:
            self._store(target, self.writer.read.bare(value), node)

    def _store(self, target: Node, value: Node, node: Node) -> None:
        target = self.writer.read.bare(target)
        shown = text_of(target)
        name = name_of(self.writer.read.full_name(target))
        added = any(not c.is_named and text_of(c) in ("+=", ".=", "||=", "<<=") for c in node.children)
        call = self.writer.read.call(value)
        if call is not None and self.called(call, node, name):
            self._also(call, shown, name)
            return
        if self.writer.read.role(value) == "assign":
            self.statement(value)
            value = sides(value)[0] or value
        datum = self.writer.value(value)
        if isinstance(datum, list) and not added:
            self.writer.lists[shown] = datum[:500]
        else:
            self.writer.lists.pop(shown, None)
        words = many(datum)[:20]
        self.put(node, f"{name}{'+=' if added else '='}{' '.join(map(quoted, words)) if len(words) == 1 else quoted(_spaced(words))}")

    def _also(self, call: Asked, shown: str, name: str) -> None:
        """What is opened is found again under the name as written."""
        opened = self.effects.opened.pop(name, None)
        if opened is not None:
            self.effects.open_as(shown, opened)
        self.writer.lists.pop(shown, None)

    # --- blocks -------------------------------------------------------------------------------------------------

    def if_(self, node: Node) -> None:
        """Write `if`, `unless`, their forms behind a statement, and what is chained to them."""
        condition = self._condition_of(node)
        asked = self.writer.condition(condition) if condition is not None else "true"
        self._asked_first(condition)
        self.put(node, f"if {negated(asked) if keyword_of(node) == 'unless' else asked}; then")
        postfix = node.type.startswith("postfix_")
        body = node.named_children[0] if postfix and node.named_children else first_field(node, *_BODIES)
        self._body(body, node)
        self._else(node)
        self.put(_last(node), "fi")

    def _condition_of(self, node: Node) -> Node | None:
        found = node.child_by_field_name("condition")
        return self.writer.read.bare(found) if found is not None else None

    def _asked_first(self, condition: Node | None) -> None:
        """An assignment inside a condition (`if ($x = f())`) comes before the question."""
        if condition is not None and self.writer.read.role(condition) == "assign":
            self.statement(condition)

    def _else(self, node: Node) -> None:
        for branch in node.named_children:
            if branch.type not in _ELSES:
                continue
            condition = self._condition_of(branch)
            self.put(branch, f"elif {self.writer.condition(condition)}; then" if condition is not None else "else")
            body = first_field(branch, *_BODIES)
            if body is None and condition is None:
                self.block(branch)
            self._body(body, branch)
            self._else(branch)

    def while_(self, node: Node) -> None:
        """Write `while` and `until`."""
        condition = self._condition_of(node)
        asked = self.writer.condition(condition) if condition is not None else "true"
        word = "until" if keyword_of(node) == "until" else "while"
        self._asked_first(condition)
        self.put(node, f"{word} {asked}; do")
        self._body(first_field(node, *_BODIES) or (node.named_children[0] if node.type.startswith("postfix_") else None), node)
        self.put(_last(node), "done")

    def repeat(self, node: Node) -> None:
        """Write `do … while` and `repeat … until`."""
        condition = self._condition_of(node)
        asked = self.writer.condition(condition) if condition is not None else "true"
        self.put(node, f"{'until' if node.type == 'repeat_statement' else 'while'} {asked}; do")
        self._body(first_field(node, *_BODIES), node)
        self.put(_last(node), "done")

    def endless(self, node: Node) -> None:
        """Write `for (;;)`; one that counts is a loop over a list."""
        condition = first_field(node, "condition")
        self.put(node, "while true; do" if condition is None or not text_of(condition).strip("; ") else "for counter in 1 2; do")
        self._body(first_field(node, *_BODIES), node)
        self.put(_last(node), "done")

    def for_(self, node: Node) -> None:
        """Write a loop over a list."""
        clause = node.child_by_field_name("clause")
        if clause is not None and clause.type == "for_numeric_clause":
            self._for([], None, first_field(node, *_BODIES), node)
            return
        target, source = self._clause(node, clause)
        if source is not None and self.writer.read.full_name(source).startswith("itertools.count"):
            self.put(node, "while true; do")
            self._body(first_field(node, *_BODIES), node)
            self.put(_last(node), "done")
            return
        body = node.named_children[0] if node.type.startswith("postfix_") else first_field(node, *_BODIES)
        self._for([text_of(target)] if target is not None else ["$_"], source, body, node)

    def _clause(self, node: Node, clause: Node | None) -> tuple[Node | None, Node | None]:
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
        return target, source.named_children[0] if source is not None and source.type == "in" and source.named_children else source

    def _for(self, names: list[str], source: Node | None, body: Node | None, node: Node) -> None:
        words: list[Word] = many(self.writer.value(source)) if source is not None else [literal("1"), literal("2")]
        listed = " ".join("".join(p.text for p in w) if all(p.expands for p in w) else quoted(w) for w in words[:200])
        self.put(node, f"for {name_of(names[-1]) if names else 'item'} in {listed or '1'}; do")
        self._body(body, node)
        self.put(_last(node), "done")

    def function(self, node: Node) -> None:
        """Write a function; its parameters are the words it is called with."""
        name, body = node.child_by_field_name("name"), first_field(node, *_BODIES)
        if name is None or body is None:
            return
        short = text_of(name).rpartition(".")[2].rpartition(":")[2]
        self.put(node, f"{function_name(short)}() {{")
        for number, parameter in enumerate(self._parameters(node, body), 1):
            self.put(node, f'{name_of(parameter)}="${{{number}}}"')
        self._body(body, node)
        self.put(_last(node), "}")

    def _parameters(self, node: Node, body: Node) -> list[str]:
        holder = node.child_by_field_name("parameters")
        if holder is None:
            return _perl_parameters(body)
        named = [first_field(c, "name", "pattern") or c for c in holder.named_children if c.type != "comment"]
        names = [text_of(c).partition(":")[0].strip("*& ") for c in named]
        return [n for n in names if n not in ("self", "cls")][:20]

    def return_(self, node: Node) -> None:
        """Write `return`: the answer to a question is a status, other values are printed."""
        inner = [c for c in node.named_children if self.writer.read.role(c) != "skip"]
        if not inner:
            self.put(node, "return 0")
            return
        value = self.writer.read.bare(inner[0])
        role = self.writer.read.role(value)
        if role in ("true", "false") or text_of(value) in ("0", "1"):
            right = role == "true" or text_of(value) == "1"
            self.put(node, f"return {0 if right else 1}")
        elif role in ("binary", "not", "gather") or self._is_question(value):
            self.put(node, f"if {self.writer.condition(value)}; then return 0; else return 1; fi")
        else:
            if role == "call":
                self.statement(value)
            self.put(node, f"echo {quoted(self.writer.word(value))}", "return 0")

    def _is_question(self, value: Node) -> bool:
        call = self.writer.read.call(value)
        return call is not None and (call.name in ("any", "all", "bool") or call.name in calls.EXISTS or call.name in calls.CONTAINS)

    def try_(self, node: Node) -> None:
        """Write `try`: what is done when a question about a process fails is done when it does not run."""
        body = first_field(node, "body")
        inside = [c for c in node.named_children if not c.type.startswith(("except", "catch", "rescue", "finally", "ensure", "else"))]
        asked = next((q for part in (inside if body is None else body.named_children) if (q := self._question(part))), None)
        for part in inside:
            self.statement(part)
        for handler in (c for c in node.named_children if c not in inside):
            fails = asked is not None and handler.type.startswith(("except", "catch", "rescue"))
            if fails:
                self.put(handler, f"if {negated(asked)}; then")
            self._body(first_field(handler, "body") or handler, handler)
            if fails:
                self.put(_last(handler), "fi")

    def _question(self, node: Node) -> str | None:
        """Return what a statement asks by failing: signal 0, or a command whose failure is raised."""
        call = self.writer.read.call(self.writer.read.bare(node))
        if call is None and self.writer.read.role(self.writer.read.bare(node)) == "assign":
            right = sides(self.writer.read.bare(node))[1]
            call = self.writer.read.call(self.writer.read.bare(right)) if right is not None else None
        if call is None:
            return None
        if call.name in ("subprocess.check_call", "subprocess.check_output", "subprocess.run"):
            return self.writer.run(call)
        return self.writer.condition(call.node) if call.name in ("os.kill", "Process.kill", "os.getpgid", "psutil.Process") else None

    def with_(self, node: Node) -> None:
        """Write `with open(…) as f:` and its body."""
        stack = [c for c in node.named_children if c.type == "with_clause"]
        items = [i for clause in stack for i in clause.named_children]
        for item in items[:20]:
            value = first_field(item, "value") or item
            target = first_field(value, "alias")
            call = self.writer.read.call(self.writer.read.bare(value))
            if call is not None:
                self.called(call, node, text_of(target) if target is not None else "")
        self._body(first_field(node, *_BODIES), node)

    def binary(self, node: Node) -> None:
        """`open(…) or die`, `a && b` as statements."""
        left, right = sides(node)
        if left is not None and self.writer.read.role(self.writer.read.bare(left)) in ("call", "assign"):
            self.statement(self.writer.read.bare(left))
        elif left is not None and right is not None:
            self.put(node, f"if {self.writer.condition(left)}; then")
            self.statement(right)
            self.put(_last(node), ":", "fi")

    def stop(self, node: Node) -> None:
        """Leave a loop, or its turn."""
        self.put(node, "break" if text_of(node).startswith(("break", "last")) else "continue")

    def command(self, node: Node) -> None:
        """Backticks that stand alone."""
        self.put(node, quoted(self.writer.word(node)).strip('"')[2:-1])

    def name(self, node: Node) -> None:
        """A bare name calls a function in Ruby."""
        if text_of(node) in self.writer.functions:
            self.put(node, function_name(text_of(node)))

    def skip(self, node: Node) -> None:
        """Nothing to write."""


def _spaced(words: list[Word]) -> Word:
    return joined(words, " ")


def _last(node: Node) -> Node:
    """A node on the last line of another; what closes a block stands there."""
    return _End(node)  # type: ignore[return-value]  # only its line is asked for


class _End:
    def __init__(self, node: Node) -> None:
        self.start_point = node.end_point if node.end_point[1] else (max(node.end_point[0] - 1, node.start_point[0]), 1)


def _perl_parameters(body: Node) -> list[str]:
    """`my ($a, $b) = @_;` and `my $a = shift;`."""
    names: list[str] = []
    for statement in body.named_children[:12]:
        text = text_of(statement)[:300]
        left, _, right = text.partition("=")
        if right.strip(" ;\n") in ("@_", "shift", "shift @_", "shift(@_)"):
            names += [n.strip() for n in left.removeprefix("my").strip(" ()").split(",")]
    return names[:20]


_STATEMENTS: dict[str, Callable[[Program, Node], None]] = {
    "call": Program.call, "assign": Program.assign, "if": Program.if_, "while": Program.while_, "for": Program.for_,
    "repeat": Program.repeat, "endless": Program.endless, "function": Program.function, "return": Program.return_,
    "try": Program.try_, "with": Program.with_, "binary": Program.binary, "stop": Program.stop,
    "command": Program.command, "variable": Program.name, "skip": Program.skip, "import": Program.skip, "string": Program.skip,
}  # fmt: skip

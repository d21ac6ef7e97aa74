"""Statements of a program, written as the shell's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from hinomi.evidence.scripts.rewritten import calls
from hinomi.evidence.scripts.rewritten.asked import condition, is_question
from hinomi.evidence.scripts.rewritten.base import BODIES, Base, last
from hinomi.evidence.scripts.rewritten.blocks import BLOCKS, loop, loop_over
from hinomi.evidence.scripts.rewritten.dialects import DIALECTS, Dialect
from hinomi.evidence.scripts.rewritten.reading import Asked, first_field, short_name
from hinomi.evidence.scripts.rewritten.words import Word, constant, joined, many, name_of, quoted
from hinomi.evidence.scripts.rewritten.writer import function_name, sides
from hinomi.evidence.scripts.syntax import parse, text_of

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_CODE_DEPTH = 3
_EACH = frozenset("each each_line map select times each_entry foreach".split())
_BESIDE = frozenset(("Thread.new", "Thread.start", "fork", "Process.fork"))


def rewritten_tree(root: Node, language: str) -> tuple[str, bool]:
    """Return the shell text for a program of one of `DIALECTS`, and whether its bounds cut it short."""
    program = Program(DIALECTS[language])
    return program.written(root), program.cut


def rewritten(data: bytes, language: str) -> str:
    """Return the shell text that stands for a program, which may be a one-liner without its language's marks."""
    dialect = DIALECTS[language]
    data = data if b"<?" in data else dialect.prefix.encode() + data
    return Program(dialect).written(parse(dialect.grammar, data).root_node)


class Program(Base):
    """Writes one program."""

    def __init__(self, dialect: Dialect) -> None:
        super().__init__(dialect, _VISITORS)
        self.code_depth = 0
        self.request: dict[str, Word] = {}  # variables that hold a web client's words

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
            elif role == "function" or node.type in ("class_definition", "class_declaration"):
                name = node.child_by_field_name("name")
                known = self.writer.functions if role == "function" else self.writer.classes
                known.update([short_name(name)] if name is not None else ())
            if role not in ("string", "call", "assign", "list"):
                stack.extend(node.named_children)

    # --- statements ---------------------------------------------------------------------------------------------

    def call(self, node: Node) -> None:
        """Write a call, and before it those among its arguments."""
        call = self.writer.read.call(node)
        if call is not None:
            self.called(call, node, "")

    def called(self, call: Asked, node: Node, bind: str) -> bool:
        """Write a call's commands; whether it gave any (also none that need writing)."""
        call = self._called_back(call)
        if self._evaluated(call, node) or self._looped(call, node):
            return True
        found = self.effects.commands(call, bind)
        if found is not None:
            self.put(node, *found)
            return True
        own = self.writer.is_own(call)
        self._arguments(call)
        if call.name in self.writer.classes:
            self._made(call, node)
        elif self._chosen_by_request(call):
            self.put(node, 'eval "${QUERY_STRING}"')
        if own:
            line = self.writer.own_call(call)
            self.put(node, f"{bind}=$({line})" if bind else line)
        if call.block is not None:
            self.body(call.block, node)
        return own

    def _called_back(self, call: Asked) -> Asked:
        """`call_user_func("f", $x)` is `f($x)`; so is all that is given the name of a function to call."""
        place = calls.CALLED_BACK.get(call.name) if self.dialect.grammar == "php" and call.receiver is None else None
        if place is None or place >= len(call.args):
            return call
        callee = self.writer.read.bare(call.args[place])
        name = constant(self.writer.word(callee))
        if name is None and self.writer.read.role(callee) in ("variable", "index"):
            return replace(call, name=text_of(callee), member="")  # who chooses it is told by the arguments, itself too
        rest = call.args[:place] + call.args[place + 1 :]
        return replace(call, name=name, member=name, args=rest) if name else call

    def _made(self, call: Asked, node: Node) -> None:
        """An object of one of the program's classes: its first method runs."""
        first = next((n for n in ("__init__", "__construct", "initialize") if n in self.writer.functions), None)
        if first is not None:
            self.put(node, " ".join([function_name(first), *(quoted(self.writer.word(a)) for a in call.args)]))

    def _chosen_by_request(self, call: Asked) -> bool:
        """`$f($_POST["a"])`: a function that a variable names, with words of a web client."""
        if not call.name.startswith("$") or call.receiver is not None:
            return False
        names = (call.name, call.name.partition("[")[0])  # `$g` holds what `$g["f"]` is of
        words = [self.writer.word(a) for a in call.args] + [self.request.get(name, ()) for name in names]
        return any("QUERY_STRING" in piece.text for word in words for piece in word)

    def _arguments(self, call: Asked) -> None:
        """What is called among the arguments, or to get at the object, happens too."""
        for part in (call.receiver, *call.args, *call.named.values()):
            if part is not None and self.writer.read.role(self.writer.read.bare(part)) in ("call", "command"):
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
            self.put(node, *([f". {quoted(word)}"] if "/" in text else []))
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
            root = parse(self.dialect.grammar, self.dialect.prefix + text).root_node
            self._declare(root)
            self.block(root)
        finally:
            self.code_depth -= 1
            self.pinned = pinned

    def _looped(self, call: Asked, node: Node) -> bool:
        """Ruby's blocks: `loop do`, `each { |x| … }`, `File.open(…) { |f| … }`, `Thread.new { … }`."""
        if call.block is None:
            return False
        holders = [c for c in call.block.named_children if c.type == "block_parameters"]
        names = [text_of(c) for holder in holders for c in holder.named_children]
        body = first_field(call.block, "body")
        if call.name == "loop":
            loop(self, "while true", body, node)
        elif call.member in _EACH:
            loop_over(self, names, call.args[0] if call.args else call.receiver, body, node)
        elif call.name in _BESIDE:
            self.put(node, "{")
            self.body(body, node)
            self.put(last(node), "} &")
        else:
            self.called(replace(call, block=None), node, names[0] if names else "")
            self.body(body, node)
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
        if self._answered(name, value, node, added):
            return
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
        if shown.startswith("$") and len(words) == 1:
            self._remember(shown, words[0])
        self.put(node, f"{name}{'+=' if added else '='}{quoted(joined(words, ' '))}")

    def _answered(self, name: str, value: Node, node: Node, added: bool) -> bool:
        """`up = "x" in names`, `count += x == y`: what a question's answer is kept in."""
        if not is_question(self.writer, value):
            return False
        self.put(node, *([] if added else [f"{name}="]), f"if {condition(self.writer, value)}; then {name}=1; fi")
        return True

    def _remember(self, shown: str, word: Word) -> None:
        """A variable may name a function, or hold what a web client says."""
        text = constant(word)
        if text is not None and text.isidentifier():
            self.writer.read.aliases[shown] = text
        elif any("QUERY_STRING" in piece.text for piece in word):
            self.request[shown] = word

    def _also(self, call: Asked, shown: str, name: str) -> None:
        """What is opened is found again under the name as written."""
        opened = self.effects.opened.pop(name, None)
        if opened is not None:
            self.effects.open_as(shown, opened)
        self.writer.lists.pop(shown, None)

    # --- blocks -------------------------------------------------------------------------------------------------

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
        self.body(first_field(node, *BODIES), node)

    def binary(self, node: Node) -> None:
        """`open(…) or die`, `a && b` as statements."""
        left, right = sides(node)
        if left is not None and self.writer.read.role(self.writer.read.bare(left)) in ("call", "assign"):
            self.statement(self.writer.read.bare(left))
        elif left is not None and right is not None:
            self.put(node, f"if {condition(self.writer, left)}; then")
            self.statement(right)
            self.put(last(node), ":", "fi")

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


_VISITORS: dict[str, Callable[..., None]] = {
    **BLOCKS, "call": Program.call, "assign": Program.assign, "with": Program.with_, "binary": Program.binary,
    "stop": Program.stop, "command": Program.command, "variable": Program.name, "skip": Program.skip,
    "import": Program.skip, "string": Program.skip,
}  # fmt: skip

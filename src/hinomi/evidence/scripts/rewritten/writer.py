"""Expressions of a program as words and conditions of the shell."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hinomi.evidence.scripts.escapes import c_escapes
from hinomi.evidence.scripts.rewritten import calls
from hinomi.evidence.scripts.rewritten.reading import Asked, Reading, first_field, operator_of
from hinomi.evidence.scripts.rewritten.words import (
    MAX_TEXT,
    UNKNOWN,
    Datum,
    Piece,
    Word,
    code,
    command,
    constant,
    formatted,
    joined,
    literal,
    many,
    one,
    output,
    quoted,
    variable,
)  # fmt: skip
from hinomi.evidence.scripts.syntax import text_of

if TYPE_CHECKING:
    from tree_sitter import Node

    from hinomi.evidence.scripts.rewritten.dialects import Dialect

MAX_DEPTH = 40
_MODULES = ("sys.", "os.p", "self")  # whose `path` is no folder entry's
_BOTH = frozenset(("and", "or", "&&", "||"))
_ESCAPED = re.compile(r"\\\\.")
_LETTERS = re.compile(r"[a-zA-Z]{2}")
_JOINS = frozenset(("+", ".", "..", "/", "<<"))
_NUMBERS: dict[str, Callable[[int, int], int]] = {"*": int.__mul__, "+": int.__add__, "-": int.__sub__}


class Writer:
    """Turns expressions into words. Holds what was learned of names: arrays, commands' states, functions."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.read = Reading(dialect)
        self.lists: dict[str, list[Word]] = {}
        self.bound: dict[str, Word] = {}  # names that stand for a word while a condition is read
        self.functions: set[str] = set()
        self.classes: set[str] = set()
        self.query: Callable[[Asked], str | None] = lambda _: None  # a database's answer, as `Effects` knows it
        self.depth = 0
        self._known: dict[int, Datum] = {}  # by node, of the expression that is being read

    # --- words --------------------------------------------------------------------------------------------------

    def word(self, node: Node) -> Word:
        """Return an expression as one word."""
        return one(self.value(node))

    def value(self, node: Node) -> Datum:
        """Return an expression as a word, or as a list of words."""
        if self.depth > MAX_DEPTH:
            return UNKNOWN
        node = self.read.bare(node)
        with self.deeper():
            if node.id not in self._known:
                maker = _MAKERS.get(self.read.role(node))
                self._known[node.id] = maker(self, node) if maker is not None else self._other(node)
            found = self._known[node.id]
        return list(found) if isinstance(found, list) else found

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """Go one level down in an expression: as long as one is read, each part of it is read once."""
        if self.depth == 0:
            self._known = {}
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1

    def _other(self, node: Node) -> Datum:
        """An if-else expression gives one of its ends; of anything else nothing is known."""
        if node.type in ("conditional_expression", "conditional", "ternary"):
            inner = node.named_children
            return self.value(
                inner[0] if node.type == "conditional_expression" and self.dialect.grammar == "python" else inner[-1]
            )
        return UNKNOWN

    def pieces(self, node: Node) -> Word:
        """Return a string's text and the values inside it."""
        found: list[Word] = []
        for child in node.children:
            role = self.read.role(child)
            if role == "skip" or (not child.is_named and self.read.role(node) != "content"):
                continue
            found.append(self._part(child))
        if not found and node.child_count == 0:
            return literal(text_of(node).strip("'\"`:"))
        return joined(found)

    def _part(self, node: Node) -> Word:
        role = self.read.role(node)
        if role == "escape":
            return literal(c_escapes(text_of(node)))
        return self._content(node) if role == "content" else self.word(node)

    def _content(self, node: Node) -> Word:
        data, at, found = node.text or b"", 0, []
        for child in node.named_children:
            begin = child.start_byte - node.start_byte
            found.append(literal(data[at:begin].decode("utf-8", "surrogateescape")))
            found.append(self._part(child))
            at = child.end_byte - node.start_byte
        return joined([*found, literal(data[at:].decode("utf-8", "surrogateescape"))])

    def _variable(self, node: Node) -> Datum:
        name = text_of(node)
        if name in calls.OWN:
            return (Piece("$0", True),)
        if name.lstrip("$").startswith(calls.REQUEST[:4]):
            return (Piece("${QUERY_STRING}", True),)
        if name in self.bound:
            return self.bound[name]
        if name in self.lists:
            return list(self.lists[name])
        return variable(name)

    def _attribute(self, node: Node) -> Datum:
        name = self.read.full_name(node)
        member = name.rpartition(".")[2]
        if member == "returncode":
            return variable(f"{name.rpartition('.')[0]}_status")
        if _of_request(name):
            return (Piece("${QUERY_STRING}", True),)
        holder = first_field(node, "object", "table", "scope")
        entry = member == "path" and self.dialect.grammar == "python" and name[:4] not in _MODULES
        same = entry or member in calls.SAME
        return self.value(holder) if same and holder is not None else variable(name)

    def _index(self, node: Node) -> Datum:
        text = text_of(node)[:200]
        if text in calls.OWN:
            return (Piece("$0", True),)
        holder = node.named_children[0] if node.named_children else None
        if holder is None:
            return UNKNOWN
        name = self.read.full_name(holder)
        if _of_request(name) or name.lstrip("$").startswith(calls.REQUEST[:4]):
            return (Piece("${QUERY_STRING}", True),)
        key = self.word(node.named_children[1]) if len(node.named_children) > 1 else UNKNOWN
        known = constant(key)
        if name.lstrip("$") in ("os.environ", "ENV", "_ENV", "_SERVER") and known:
            return variable(known)
        if name in ("sys.argv", "ARGV", "argv", "arg") and known and known.isdigit():
            return variable(known)
        items = self.lists.get(text_of(holder))
        if items is not None and known is not None and known.isdigit() and int(known[:4]) < len(items):
            return items[int(known[:4])]
        return self.value(holder) if self.read.role(holder) in ("call", "variable") else UNKNOWN

    def _list(self, node: Node) -> Datum:
        if node.type == "quoted_word_list":
            return [literal(word) for word in one(self.pieces(node))[0].text.split()] if node.named_children else []
        return [w for child in node.named_children[:500] if self.read.role(child) not in ("skip", "pair")
                for w in many(self.value(child))]  # fmt: skip

    def _binary(self, node: Node) -> Datum:
        left, right, operator = *sides(node), operator_of(node)
        if left is None or right is None:
            return UNKNOWN
        if operator in ("||", "or", "//", "??"):
            return self.value(left)
        if operator == "%" and self.dialect.grammar in ("python", "ruby"):
            return formatted(self.word(left), many(self.value(right)), {})
        if operator not in _JOINS and operator not in _NUMBERS:
            return UNKNOWN
        words = self.word(left), self.word(right)
        plain = all(self.read.role(self.read.bare(side)) in ("number", "binary") for side in (left, right))
        number = _calculated(operator, words) if plain else None
        if number is not None:
            return literal(number)
        return joined([words[0], *self._between(operator), words[1]]) if operator in _JOINS else UNKNOWN

    def _between(self, operator: str) -> list[Word]:
        return [literal("/")] if operator == "/" else []

    def _gathered(self, node: Node) -> Datum:
        """`[l for l in out if "x" in l]`: what is gone through, and what of it is kept."""
        with_source = self.bind_clause(node)
        try:
            kept = next((c for c in node.named_children if c.type == "if_clause"), None)
            needle = self.needle(kept.named_children[0]) if kept is not None and kept.named_children else None
        finally:
            self.unbind(with_source)
        source = next(iter(with_source.values()), UNKNOWN)
        return output(f"echo {quoted(source)} | grep {quoted(needle)}") if needle is not None else source

    def bind_clause(self, node: Node) -> dict[str, Word]:
        """Let the name of a generator's `for x in y` stand for y while its condition is read."""
        clause = next((c for c in node.named_children if c.type == "for_in_clause"), None)
        left, right = (clause.child_by_field_name(n) if clause is not None else None for n in ("left", "right"))
        if left is None or right is None:
            return {}
        return self.bind(text_of(left), self.word(right))

    def bind(self, name: str, word: Word) -> dict[str, Word]:
        """Let a name stand for a word while a condition is read."""
        bound = {name: word}
        self.bound |= bound
        self._known = {}
        return bound

    def unbind(self, names: Iterable[str]) -> None:
        """Let names stand for themselves again."""
        for name in names:
            self.bound.pop(name, None)
        self._known = {}

    def needle(self, node: Node) -> Word | None:
        """Return the text that a condition looks for in what is gone through."""
        node = self.read.bare(node)
        if self.read.role(node) == "pattern":
            return self.word(node)
        both = [self.read.bare(side) for side in sides(node) if side is not None]
        if operator_of(node).strip() in _BOTH and self.depth < MAX_DEPTH:
            with self.deeper():
                return next((found for side in both if (found := self.needle(side)) is not None), None)
        return next((word for side in both if constant(word := self.word(side))), None)

    def _sifted(self, node: Node) -> Datum:
        """Perl's `grep { … } LIST`: the list, or what of it holds a text."""
        if len(node.named_children) < 2:
            return UNKNOWN
        block, source = node.named_children[0], self.word(node.named_children[-1])
        inside = block.named_children[-1] if block.type == "block" and block.named_children else block
        needle = self.needle(inside)
        if needle is None or _LETTERS.search(_ESCAPED.sub("", constant(needle) or "")) is None:
            return source
        return output(f"echo {quoted(source)} | grep {quoted(needle)}")

    # --- calls --------------------------------------------------------------------------------------------------

    def _call(self, node: Node) -> Datum:
        call = self.read.call(node)
        if call is None:
            return UNKNOWN
        for rule in _GIVES:
            found = rule(self, call)
            if found is not None:
                return found
        if self.is_own(call):
            return output(self.own_call(call))
        return UNKNOWN

    def is_own(self, call: Asked) -> bool:
        """Whether a call is of one of the program's own functions."""
        return call.name in self.functions or call.member in self.functions

    def own_call(self, call: Asked) -> str:
        """Return the call of one of the program's own functions."""
        name = call.name if call.name in self.functions else call.member
        return " ".join([function_name(name), *(quoted(self.word(a)) for a in call.args)])

    def run(self, call: Asked) -> str:
        """Return the command line that a call runs."""
        args = list(call.args)
        if call.name in calls.SPAWNS:
            args = args[1:]  # how it is waited for
        flat = call.name in calls.REPLACES_FLAT or call.name.startswith("os.spawnl")
        if flat:
            return command([self.word(args[0]), *(self.word(a) for a in args[2:])]) if args else ":"
        if not args:
            args = [call.named[key] for key in ("args", "cmd") if key in call.named][:1]
        given = [self.value(a) for a in args]
        if not given:
            return ":"
        if call.name in calls.REPLACES or call.name in calls.SPAWNS:
            rest = given[1] if len(given) > 1 else []
            return command([one(given[0]), *(rest[1:] if isinstance(rest, list) else ())])
        return self._line(call, given)

    def _line(self, call: Asked, given: list[Datum]) -> str:
        """A list is a program with its words; several words are one too, where the language says so."""
        if isinstance(given[0], list):
            return command(given[0])
        several = self.dialect.grammar in ("perl", "ruby") or call.member in ("create_subprocess_exec", "pcntl_exec")
        if several and len(given) > 1:
            return command([w for d in given for w in many(d)])
        return code(given[0])


def sides(node: Node) -> tuple[Node | None, Node | None]:
    """Return the members of a binary expression."""
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if left is None and len(node.named_children) >= 2:
        left, right = node.named_children[0], node.named_children[1]
    return left, right


def function_name(name: str) -> str:
    """Return a name under which the shell keeps a function: never that of a command."""
    return "f_" + re.sub(r"\W", "_", name)[:80]


def _of_request(name: str) -> bool:
    """Whether a dotted name is a web framework's request (`flask.request.args.get`)."""
    for module in ("flask.", "bottle.", "self.", "django."):
        name = name.removeprefix(module)
    return name.startswith(calls.REQUEST[4:])


# --- what calls give --------------------------------------------------------------------------------------------


def argument(writer: Writer, call: Asked, number: int = 0) -> Word:
    """Return one of a call's arguments as a word."""
    return writer.word(call.args[number]) if number < len(call.args) else UNKNOWN


def _gives_output(writer: Writer, call: Asked) -> Datum | None:
    asked = writer.query(call)
    if asked is not None:
        return output(asked)
    if call.name in calls.RUNS or call.name in calls.BACKGROUND:
        return output(writer.run(call))
    if call.name in calls.LISTS_PROCESSES:
        return output("ps ax")
    if call.name in calls.REQUEST_CALLS or _of_request(call.name):
        return (Piece("${QUERY_STRING}", True),)
    if call.name in calls.FETCHES:
        return output(f"curl -s {quoted(argument(writer, call))}")
    return None


def _gives_file(writer: Writer, call: Asked) -> Datum | None:
    if call.name in calls.FOLDERS:
        listed = argument(writer, call)
        if call.member == "scandir" and constant(listed):  # entries know their paths
            return (*listed, Piece("/*", True))
        return output(f"ls {quoted(listed)}")
    if call.member in calls.GLOB_METHODS and call.receiver is not None:
        holder = writer.word(call.receiver)
        folder = constant(holder) or ""
        if not folder and call.member == "iterdir":
            return (*holder, Piece("/*", True))
        if folder.startswith("/"):  # a path's method; a module of that name is no folder
            pattern = (constant(argument(writer, call)) if call.args else None) or "*"
            return (Piece(f"{folder.rstrip('/')}/{pattern}", True),)
    if call.name in calls.GLOBS:
        return (Piece(constant(argument(writer, call)) or "${unknown}", True),)
    if call.name in calls.READS or call.name in calls.OPENS:
        return _content(argument(writer, call))
    if call.member in calls.READ_METHODS and call.receiver is not None:
        return _content(writer.word(call.receiver))
    return None


def _content(path: Word) -> Word:
    text = constant(path) or ""
    if text.startswith(("http:", "https:", "ftp:")):
        return output(f"curl -s {quoted(path)}")
    return (Piece("${QUERY_STRING}", True),) if text == "php://input" else output(f"cat {quoted(path)}")


def _gives_decoded(writer: Writer, call: Asked) -> Datum | None:
    kind = calls.DECODES.get(call.name) or calls.DECODES.get(f"{call.member}" if call.member == "b64decode" else "")
    if kind is not None:
        return decoded(argument(writer, call), kind)
    if call.name in calls.UNPACKS:
        return output(f"echo {quoted(argument(writer, call))} | gzip -dc")
    return None


def decoded(word: Word, kind: str) -> Word:
    """Return what base64 or hex text stands for, or the command that would tell."""
    text = constant(word)
    try:
        raw = None if text is None else base64.b64decode(text + "==") if kind == "base64" else bytes.fromhex(text)
    except (ValueError, binascii.Error):
        raw = None
    if raw is not None and text:
        return literal(raw.decode("utf-8", "replace"))
    return output(f"echo {quoted(word)} | {'base64 -d' if kind == 'base64' else 'xxd -r -p'}")


def _gives_text(writer: Writer, call: Asked) -> Datum | None:
    if call.name in ("os.path.join", "posixpath.join", "File.join"):
        return joined([writer.word(a) for a in call.args], "/")
    if call.name in ("Path", "pathlib.Path") and len(call.args) > 1:
        return joined([writer.word(a) for a in call.args], "/")
    if call.member == "joinpath" and call.receiver is not None:
        return joined([writer.word(node) for node in (call.receiver, *call.args)], "/")
    if call.name in ("sprintf", "format", "string.format", "Kernel.format", "Kernel.sprintf") and call.args:
        return formatted(argument(writer, call), [writer.word(a) for a in call.args[1:]], {})
    if call.member == "format" and call.receiver is not None:
        named = {name: writer.word(node) for name, node in call.named.items()}
        return formatted(writer.word(call.receiver), [writer.word(a) for a in call.args], named)
    if call.member in ("join", "implode") and call.args:
        return _joined(writer, call)
    if call.name in ("os.getenv", "os.environ.get", "getenv", "ENV.fetch"):
        return variable(constant(argument(writer, call)) or "unknown")
    if call.name in ("sockaddr_in", "pack_sockaddr_in") and len(call.args) == 2:
        return [argument(writer, call, 1), argument(writer, call, 0)]
    if call.name in ("os.getpid", "getmypid", "Process.pid"):
        return (Piece("$$", True),)
    return None


def _gives_replaced(writer: Writer, call: Asked) -> Datum | None:
    """`text.replace(a, b)`: done where all of it is constant, else what it was made of."""
    if call.member != "replace" or call.receiver is None or len(call.args) != 2:
        return None
    word = writer.word(call.receiver)
    text, old, new = constant(word), constant(argument(writer, call)), constant(argument(writer, call, 1))
    return word if text is None or old is None or new is None else literal(text.replace(old, new)[:MAX_TEXT])


def _joined(writer: Writer, call: Asked) -> Datum | None:
    held = [writer.value(node) for node in (call.receiver, *call.args) if node is not None]
    items = next((d for d in held if isinstance(d, list)), None)
    separator = next((text for d in held if isinstance(d, tuple) and (text := constant(d)) is not None), "")
    return joined(items, separator) if items is not None else next((d for d in held if constant(one(d)) is None), None)


def _gives_same(writer: Writer, call: Asked) -> Datum | None:
    if call.name not in calls.SAME and call.member not in calls.SAME:
        return None
    holder = call.receiver if call.receiver is not None and call.name not in calls.SAME else None
    if holder is None:
        last = call.member in ("split", "explode", "preg_split", "map", "filter", "array_map")
        holder = call.args[-1 if last else 0] if call.args else None
    return writer.value(holder) if holder is not None else None


_GIVES: tuple[Callable[[Writer, Asked], Datum | None], ...] = (
    _gives_output, _gives_decoded, _gives_text, _gives_replaced, _gives_file, _gives_same,
)  # fmt: skip
_MAKERS: dict[str, Callable[[Writer, Node], Datum]] = {
    "string": lambda w, n: w.pieces(n),
    "joined": lambda w, n: joined([w.word(c) for c in n.named_children]),
    "command": lambda w, n: output(code(w.pieces(n))),
    "number": lambda _, n: literal(text_of(n).replace("_", "")),
    "pattern": lambda _, n: literal(text_of(first_field(n, "content") or n).strip("/")),
    "own": lambda _, n: (Piece("$0", True),) if text_of(n) == "__FILE__" else UNKNOWN,
    "true": lambda _, __: literal("1"),
    "false": lambda _, __: literal(""),
    "variable": Writer._variable,
    "attribute": Writer._attribute,
    "index": Writer._index,
    "list": Writer._list,
    "binary": Writer._binary,
    "gather": Writer._gathered,
    "sifted": Writer._sifted,
    "taken": lambda _, n: variable(text_of(n).strip("<>")),
    "call": Writer._call,
}


def _calculated(operator: str, words: Sequence[Word]) -> str | None:
    """Return what two small numbers give."""
    made, texts = _NUMBERS.get(operator), [constant(word) or "" for word in words]
    if made is None or not all(text.isdigit() and len(text) < 10 for text in texts):
        return None
    return str(made(int(texts[0]), int(texts[1])))

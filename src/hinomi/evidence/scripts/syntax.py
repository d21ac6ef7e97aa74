"""Trees from tree-sitter: parsers loaded once per thread, parsing bounded, errors counted without recursion."""

from __future__ import annotations

import ctypes
import re
import threading
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Query, Tree

MAX_NODES = 2_000_000
_local = threading.local()
_HALF = re.compile("[\ud800-\udc7f\udd00-\udfff]")


def parse(language: str, source: bytes | str) -> Tree:
    """Parse with a grammar: `bash`, `powershell`, `javascript`, `python`, `perl`, `php`, `ruby` or `lua`."""
    return _parser(language).parse(source_bytes(source) if isinstance(source, str) else source)


def _parser(language: str) -> Parser:
    """Return this thread's parser: a tree-sitter parser must not be shared between threads."""
    parsers: dict[str, Parser] = _local.__dict__.setdefault("parsers", {})
    if language not in parsers:
        from tree_sitter import Language, Parser

        parsers[language] = Parser(Language(grammar_of(language)))
    return parsers[language]


def grammar_of(language: str) -> object:
    """Return a grammar as tree-sitter takes it; older bindings (Perl's) give its address alone."""
    grammar = import_module(f"tree_sitter_{language}")
    found = grammar.language_php() if language == "php" else grammar.language()
    if not isinstance(found, int):
        return found
    make = ctypes.pythonapi.PyCapsule_New
    make.restype, make.argtypes = ctypes.py_object, (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
    return make(found, b"tree_sitter.Language", None)


def error_count(root: Node) -> int:
    """Count nodes that could not be parsed; visits only subtrees that hold errors."""
    count, stack, visited = 0, [root], 0
    while stack and visited < MAX_NODES:
        node = stack.pop()
        visited += 1
        count += node.is_error or node.is_missing
        stack.extend(child for child in node.children if child.has_error)
    return count


def comments(language: str, tree: Tree) -> list[tuple[int, int]]:
    """Return where the comments of a parsed text begin and end, in order."""
    from tree_sitter import QueryCursor

    found = QueryCursor(_comments_of(language)).captures(tree.root_node)
    return sorted((node.start_byte, node.end_byte) for nodes in found.values() for node in nodes)


@cache
def _comments_of(language: str) -> Query:
    from tree_sitter import Language, Query

    return Query(Language(grammar_of(language)), "[(comment) (pod)] @it" if language == "perl" else "(comment) @it")


def text_of(node: Node) -> str:
    """Return the source of a node; bytes that are no UTF-8 keep as surrogates."""
    return (node.text or b"").decode("utf-8", "surrogateescape")


def source_bytes(text: str) -> bytes:
    """Turn `text_of` back into bytes; half of a surrogate pair, which a program may write, becomes U+FFFD."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return _HALF.sub("\ufffd", text).encode("utf-8", "surrogateescape")


def leaves(root: Node) -> Iterator[Node]:
    """Yield the leaves that hold anything in order, without recursion; at most two million steps are made."""
    cursor, steps = root.walk(), 0
    while steps < MAX_NODES:
        while cursor.goto_first_child():
            steps += 1
        node = cursor.node
        if node is not None and node.end_byte > node.start_byte:
            yield node
        steps += 1
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return

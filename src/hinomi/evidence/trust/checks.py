"""Integrity checkers written as scripts: where they compare, and what happens when the comparison fails.

A checker is silenced by turning its failure into success (`exit 1` to `exit 0`) or into nothing (`pass`).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from hinomi.evidence.scripts.syntax import parse, text_of
from hinomi.model.errors import ParseError

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_FILE = 1 << 20
MAX_CHECKS = 200
CHECKER = re.compile(
    rb"(?i)integrity|tamper|verif|selfcheck|self[_-]?test|checksum|check[_-]?(?:files?|hash|sig|sum|manifest|fs|image)|scanner|fim(?:[._-]|$)"
)
_MAY_CHECK = re.compile(rb"integrity|tamper|verif|self|check|scanner|fim")  # in lower case: every file is asked for
_DIGESTS = re.compile(
    r"(?i)hash|digest|(?<![a-z])sum(?![a-z])|checksum|_sum|sum_|sha\d|sha_|md5|manifest|signature|mismatch"
)
_COMMAND = re.compile(
    r"\b(?:sha\d*sum|md5sum|b2sum)\b.*\s(?:-c|--check)\b|\bopenssl\b.*\s-verify\b|\bopenssl\s+(?:cms|smime|dgst)\b.*-verify"
    r"|\bgpgv\b|\bgpg\d?\b.*--verify\b|\b(?:usign|signify|minisign)\b.*\s-V"
)  # fmt: skip
_NOTHING = re.compile(r"^(?:true|:|(?:exit|return)(?:\s+0)?|)$")


class Check(NamedTuple):
    """One comparison; see `IntegrityCheck` for the fields."""

    line: int
    check: str
    ignored: bool
    response: str


def is_checker(path: bytes) -> bool:
    """Whether a script's own name, or its folder's, says that it checks files."""
    name = path[path.rfind(b"/", 0, max(0, path.rfind(b"/"))) + 1 :].lower()
    return _MAY_CHECK.search(name) is not None and CHECKER.search(name) is not None


def python_checks(data: bytes) -> list[Check]:
    """Return the digest comparisons of a Python program; `ParseError` where its syntax is not this Python's."""
    try:
        ifs = [node for node in ast.walk(ast.parse(data)) if isinstance(node, ast.If)]
        return [found for node in ifs[: 50 * MAX_CHECKS] if (found := _python_check(node)) is not None][:MAX_CHECKS]
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ParseError("trust.python", cause=str(error)[:200]) from error


def _python_check(node: ast.If) -> Check | None:
    branch = _failing_branch(node)
    test = ast.unparse(node.test)[:400]
    if not branch or not _DIGESTS.search(test):
        return None
    ignored = all(isinstance(one, ast.Pass) or _is_constant(one) for one in branch)
    return Check(node.lineno, test[:200], ignored, "; ".join(ast.unparse(one) for one in branch)[:200])


def _failing_branch(node: ast.If) -> list[ast.stmt]:
    """Return what runs where two digests differ, or where a file is not on the list."""
    compare, negated = node.test, False
    if isinstance(compare, ast.UnaryOp) and isinstance(compare.op, ast.Not):
        compare, negated = compare.operand, True
    if not isinstance(compare, ast.Compare) or len(compare.ops) != 1:
        return []
    differs = isinstance(compare.ops[0], ast.NotEq | ast.NotIn)
    if not differs and not isinstance(compare.ops[0], ast.Eq | ast.In):
        return []
    return node.body if differs != negated else node.orelse


def _is_constant(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def shell_checks(data: bytes) -> list[Check]:
    """Return the verifying commands and digest comparisons of a shell script that decide something."""
    found: list[Check] = []
    for node in _nodes(parse("bash", data).root_node):
        check = _shell_if(node) if node.type == "if_statement" else _shell_or(node) if node.type == "list" else None
        if check is not None:
            found.append(check)
        if len(found) >= MAX_CHECKS:
            break
    return found


def _nodes(root: Node) -> Iterator[Node]:
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.children))


def _shell_if(node: Node) -> Check | None:
    condition = node.child_by_field_name("condition")
    if condition is None:
        return None
    test = text_of(condition).strip()
    if _COMMAND.search(test):
        failed = re.match(r"!\s", test) is not None
    elif _DIGESTS.search(test) and (compared := re.search(r"(!=|-ne)|(==?|-eq)", test)):
        failed = compared.group(1) is not None
    else:
        return None
    branch = _then(node) if failed else _else(node)
    return _shell_check(condition, test, branch) if branch else None


def _shell_or(node: Node) -> Check | None:
    """`verify ... || what happens`."""
    left, operator, right = node.children[0], node.children[1:-1], node.children[-1]
    if not any(one.type == "||" for one in operator) or not _COMMAND.search(text_of(left)):
        return None
    return _shell_check(left, text_of(left), [right])


def _shell_check(at: Node, test: str, branch: list[Node]) -> Check:
    words = [text_of(one).strip() for one in branch]
    return Check(at.start_point[0] + 1, test[:200], _is_ignored(words), "; ".join(words)[:200])


def _is_ignored(words: list[str]) -> bool:
    """Whether nothing but words on the screen and success is left of a failure."""
    acts = [word for word in words if not re.match(r"(echo|printf|logger|log)\b|#", word)]
    return (not acts and not words) or (bool(acts) and all(_NOTHING.match(word) for word in acts))


def _then(node: Node) -> list[Node]:
    """Return the statements between `then` and what follows."""
    kinds = [child.type for child in node.children]
    start = kinds.index("then") + 1 if "then" in kinds else len(kinds)
    inner = node.children[start:]
    return [one for one in inner if one.is_named and one.type not in ("elif_clause", "else_clause")]


def _else(node: Node) -> list[Node]:
    clause = next((one for one in node.children if one.type == "else_clause"), None)
    return [one for one in clause.children if one.is_named] if clause is not None else []

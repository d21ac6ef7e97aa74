"""Parts of a program whatever its language: what a call names and is given, which text an operator is."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from hinomi.evidence.scripts.rewritten.dialects import Dialect
from hinomi.evidence.scripts.syntax import text_of

if TYPE_CHECKING:
    from tree_sitter import Node

_CALLEES = ("function", "method", "name")
_RECEIVERS = ("receiver", "object", "invocant", "scope", "table")
MAX_ARGUMENTS = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """A call. `name` is the whole name with aliases looked through, `member` its last part."""

    node: Node
    name: str
    member: str
    receiver: Node | None
    args: tuple[Node, ...]
    named: dict[str, Node] = field(default_factory=dict)
    block: Node | None = None


class Reading:
    """Knows a dialect and the names that were imported."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self._roles = dialect.roles
        self.aliases: dict[str, str] = {}

    def role(self, node: Node) -> str:
        """Return the part a node plays, `other` where the dialect names none."""
        kind = node.type
        if kind == "boolean":
            return "true" if text_of(node).lower() == "true" else "false"
        return self._roles.get(kind, "other")

    def bare(self, node: Node) -> Node:
        """Return what stands inside parentheses and the like."""
        for _ in range(20):
            kind = node.type
            role, bracketed = self._roles.get(kind), kind == "parenthesized_expression"
            if role != "wrap" and not (role == "list" and bracketed):
                return node
            inner = [c for c in node.named_children if self.role(c) != "skip"]
            if not inner or (len(inner) > 1 and bracketed):
                return node
            node = inner[0]
        return node

    def import_names(self, node: Node) -> None:
        """Take in `import a.b as c` and `from a import b as c`."""
        module = node.child_by_field_name("module_name")
        prefix = f"{text_of(module)}." if module is not None else ""
        for child in node.children_by_field_name("name"):
            name, alias = child.child_by_field_name("name"), child.child_by_field_name("alias")
            if name is not None and alias is not None:
                self.aliases[text_of(alias)] = prefix + text_of(name)
            elif prefix:
                self.aliases[text_of(child)] = prefix + text_of(child)

    def full_name(self, node: Node) -> str:
        """Return a dotted name: `sp.run` is `subprocess.run` where sp was imported so."""
        node = self.bare(node)
        if node.type in ("method", "function", "name", "bareword", "package"):
            text = text_of(node)
            return self.aliases.get(text, text)
        if self.role(node) == "attribute":
            holder = first_field(node, "object", "table", "scope")
            member = first_field(node, "attribute", "field", "method", "name")
            if holder is not None and member is not None:
                return f"{self.full_name(holder)}.{text_of(member)}"
        if self.role(node) == "call":
            found = self.call(node)
            return found.name if found is not None else ""
        text = text_of(node)[:200].lstrip("$")
        return self.aliases.get(text, text)

    def call(self, node: Node) -> Asked | None:
        """Return a call's parts."""
        if self.role(node) != "call":
            return None
        receiver, name = self._callee(node)
        args, named = self._given(node)
        whole = f"{self.full_name(receiver)}.{name}" if receiver is not None else self.aliases.get(name, name)
        return Asked(node, whole, name, receiver, args, named, node.child_by_field_name("block"))

    def _callee(self, node: Node) -> tuple[Node | None, str]:
        receiver = first_field(node, *_RECEIVERS)
        callee = first_field(node, *_CALLEES)
        if callee is None:
            return receiver, self._keyword(node)
        inner = self.bare(callee)
        if receiver is None and self.role(inner) == "attribute":
            receiver = first_field(inner, "object", "table", "scope")
            member = first_field(inner, "attribute", "field", "method", "name")
            return receiver, text_of(member) if member is not None else ""
        return receiver, text_of(inner)[:200]

    def _keyword(self, node: Node) -> str:
        """`sleep 5`, `-e $x` and `eval $x` of Perl, `new X` and `include x` of PHP name the callee by a word."""
        word = next((text_of(child) for child in node.children if not child.is_named), "")
        if word == "new":
            made = next((c for c in node.named_children if c.type in ("name", "qualified_name")), None)
            return text_of(made).lstrip("\\") if made is not None else ""
        return word

    def _given(self, node: Node) -> tuple[tuple[Node, ...], dict[str, Node]]:
        holder = node.child_by_field_name("arguments")
        if holder is None:
            holder = next((c for c in node.named_children if c.type == "arguments"), None)
        if holder is None:
            skipped = {first_field(node, *_CALLEES), first_field(node, *_RECEIVERS)}
            loose = node.named_children if node.type.startswith(("func1op", "eval", "include", "require")) else []
            children = [c for c in loose if c not in skipped]
        elif holder.type in ("argument_list", "arguments", "list_expression", "parenthesized_expression"):
            children = holder.named_children
        else:
            children = [holder]
        return self._sorted(children[:MAX_ARGUMENTS])

    def _sorted(self, children: list[Node]) -> tuple[tuple[Node, ...], dict[str, Node]]:
        args: list[Node] = []
        named: dict[str, Node] = {}
        for child in children:
            key, value = first_field(child, "name", "key"), child.child_by_field_name("value")
            if self.role(child) == "pair" and key is not None and value is not None:
                named[text_of(key).strip(":'\"")] = value
            elif self.role(child) != "skip":
                args.append(self.bare(child))
        for key, value in pairwise(args):  # PeerAddr => "…" is a list in Perl
            if key.type == "autoquoted_bareword":
                named[text_of(key)] = value
        return tuple(args), named


def first_field(node: Node, *names: str) -> Node | None:
    """Return the first of these fields that is there."""
    return next((found for name in names if (found := node.child_by_field_name(name)) is not None), None)


def short_name(node: Node) -> str:
    """Return a function's or class' name without what it is a member of."""
    return text_of(node).rpartition(".")[2].rpartition(":")[2]


def operator_of(node: Node) -> str:
    """Return a node's operator: its own field, or the unnamed words between its members (`not in`)."""
    given = node.child_by_field_name("operator")
    if given is not None:
        return text_of(given)
    return " ".join(text_of(c) for c in node.children if not c.is_named).strip()


def keyword_of(node: Node) -> str:
    """Return the first of the unnamed words that says what a statement is (`unless`, `until`, `if`)."""
    return next((text_of(c) for c in node.children if not c.is_named and text_of(c).isalpha()), "")

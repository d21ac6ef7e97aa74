"""The state a shell carries along: variables, arguments, folder, functions."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hinomi.evidence.scripts.values import Conditions, Source, Value, unknown

if TYPE_CHECKING:
    from tree_sitter import Node


# What a web server hands to a program (RFC 3875): whoever asks has written it.
_REQUEST = re.compile(r"QUERY_STRING|HTTP_\w+|PATH_INFO|REQUEST_URI")


@dataclass(slots=True)
class Environment:
    """Variables and folder of one shell process."""

    own_path: str
    variables: dict[str, Value] = field(default_factory=dict)
    arrays: dict[str, list[Value]] = field(default_factory=dict)
    positional: list[Value] | None = None  # None: the script's own, unknown
    functions: dict[str, Node] = field(default_factory=dict)
    cwd: str | None = None
    status: Conditions = ()
    last_background: str | None = None

    def child(self) -> Environment:
        """Copy for a subshell: what it changes is lost when it ends."""
        return replace(self, variables=dict(self.variables), arrays=dict(self.arrays), functions=dict(self.functions))

    def get(self, name: str) -> Value:
        """Return a variable's value, unknown ones shown as `$name`."""
        if name in self.variables:
            return self.variables[name]
        if name in self.arrays:
            return self.arrays[name][0] if self.arrays[name] else Value("")
        return self._special(name)

    def _special(self, name: str) -> Value:
        if name == "0":
            return Value(self.own_path)
        if name.isdigit():
            return self._argument(int(name))
        if name in ("@", "*"):
            return unknown(f"${name}", Source("argument", f"${name}"))
        if name == "?":
            return unknown("$?", Source("status", conditions=self.status))
        if name == "!":
            return unknown("$!", Source("process", self.last_background, "$!") if self.last_background else None)
        if name == "PWD" and self.cwd:
            return Value(self.cwd)
        if name == "#":
            return self._count()
        return unknown(f"${name}", Source("request", name) if _REQUEST.fullmatch(name) else None)

    def _argument(self, number: int) -> Value:
        if self.positional is None:
            return unknown(f"${number}", Source("argument", f"${number}"))
        return self.positional[number - 1] if number <= len(self.positional) else Value("")

    def _count(self) -> Value:
        listed = next((v for v in self.positional or () if v.source is not None and not v.constant), None)
        if listed is not None:
            return unknown("$#", listed.source)
        if self.positional is None or not all(v.constant for v in self.positional):
            return unknown("$#", Source("argument", "$#"))
        return Value(str(len(self.positional)))

    def all_arguments(self) -> list[Value]:
        """Return what `"$@"` stands for."""
        return [self._special("@")] if self.positional is None else list(self.positional)

    def assign(self, name: str, value: Value) -> None:
        """Assign a variable."""
        self.arrays.pop(name, None)
        self.variables[name] = value

    def forget(self, names: set[str]) -> None:
        """Make variables unknown: a loop changes them."""
        for name in names:
            self.arrays.pop(name, None)
            old = self.variables.get(name)
            self.variables[name] = unknown(f"${name}", old.source if old is not None else None)

    def resolve(self, path: Value) -> Value:
        """Make a relative constant path absolute where the folder is known; `./` is dropped otherwise."""
        text = path.text
        if not text or text.startswith(("/", "$", "~", "-", "<(", ">(")) or "://" in text:
            return path if not text.startswith("//") else _renamed(path, "/" + text.lstrip("/"))
        if self.cwd is not None:
            slash = "/" if text.endswith("/") else ""
            return _renamed(path, posixpath.normpath(posixpath.join(self.cwd, text)) + slash)
        return _renamed(path, text[2:]) if text.startswith("./") and len(text) > 2 else path


def _renamed(path: Value, text: str) -> Value:
    return Value(text, path.constant, path.source)

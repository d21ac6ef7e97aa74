"""What all of the shell walk shares: a command, its result, and the machine as the parts of the walk see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from hinomi.evidence.scripts.record import Recorder
from hinomi.evidence.scripts.shell.environment import Environment
from hinomi.evidence.scripts.values import EMPTY, Conditions, Value

if TYPE_CHECKING:
    from tree_sitter import Node


@dataclass(frozen=True, slots=True)
class Redirect:
    """A redirection to or from a file: `operator` is >, >>, <, <> or &>; `target` is resolved against the folder."""

    operator: str
    target: Value
    descriptor: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A simple command after expansion. `name` is the base name, `path` the word as resolved."""

    name: str
    path: Value
    args: tuple[Value, ...]
    line: int
    stdin: Value | None = None
    redirects: tuple[Redirect, ...] = ()
    settings: tuple[tuple[str, Value], ...] = ()
    background: bool = False

    @property
    def text(self) -> str:
        """Return the command as resolved."""
        parts = [f"{name}={value.text}" for name, value in self.settings]
        parts += [self.path.text, *(a.text for a in self.args)]
        return " ".join(parts + [f"{r.operator} {r.target.text}" for r in self.redirects])

    @property
    def resolved(self) -> bool:
        """Whether every word is constant."""
        return (
            self.path.constant and all(a.constant for a in self.args) and all(r.target.constant for r in self.redirects)
        )

    def options(self) -> list[str]:
        """Return the words that begin with a dash."""
        return [a.text for a in self.args if a.text.startswith("-") and a.text != "-"]

    def operands(self, *with_value: str) -> list[Value]:
        """Return the words that are no options, nor the values of the options named."""
        found: list[Value] = []
        skip = only = False
        for arg in self.args:
            if skip:
                skip = False
            elif only or not arg.text.startswith("-") or arg.text == "-":
                found.append(arg)
            elif arg.text == "--":
                only = True
            else:
                skip = arg.text in with_value
        return found

    def option(self, *names: str) -> Value | None:
        """Return the value of `-x value`, `-xvalue`, `--long value` or `--long=value`."""
        for index, arg in enumerate(self.args):
            if arg.text in names:
                return self.args[index + 1] if index + 1 < len(self.args) else None
            for name in names:
                joint = f"{name}=" if name.startswith("--") else name
                if (
                    arg.text.startswith(joint)
                    and len(arg.text) > len(joint)
                    and (len(name) == 2 or name.startswith("--"))
                ):
                    return Value(arg.text[len(joint) :], arg.constant, arg.source)
        return None

    def flag(self, letter: str, *longs: str) -> bool:
        """Tell whether a one-letter option (also within a cluster) or one of the long options is given."""
        return any(o in longs or (letter and not o.startswith("--") and letter in o[1:]) for o in self.options())


@dataclass(frozen=True, slots=True)
class Result:
    """What a command gives: its output, and what its exit status 0 tells."""

    output: Value = EMPTY
    conditions: Conditions = ()
    leaves: bool = field(default=False)  # control does not come back (exit, return, break, exec)
    rest: Conditions = ()  # what must hold for the commands after it to be reached


NOTHING = Result()


class Machine(Protocol):
    """The shell's state, and the ways back into the walk for the parts that meet statements inside their own.

    Words hold `$(...)`, tests hold commands, wrappers start others: all of them go through the machine, so that no
    part imports the walk. `machine.ShellMachine` is the one implementation and the place where the parts are joined.
    """

    recorder: Recorder
    env: Environment
    handlers: Mapping[str, Handler]
    depth: int
    returned: list[tuple[str, Conditions]]
    return_depth: int
    chroot: str | None
    stdin: Value | None
    made: dict[str, Value]
    connections: dict[str, str]

    def line(self, node: Node) -> int:
        """Return the 1-based line of a node in the script."""

    def block(self, children: list[Node]) -> Result:
        """Walk statements in order."""

    def statement(self, node: Node) -> Result:
        """Walk one statement, to a bounded depth."""

    def asked(self, node: Node) -> Result:
        """Walk a statement whose exit status is asked for."""

    def with_input(self, node: Node, stdin: Value | None) -> Result:
        """Walk a statement with its standard input known."""

    def substitute(self, node: Node) -> Value:
        """Return the output of the commands of `$(...)`."""

    def isolated(self, walk: Callable[[], Result]) -> Result:
        """Run `walk` with a copy of the environment."""

    def code(self, text: str, line: int) -> Result:
        """Walk constant code found in a string."""

    def call_function(self, call: Call) -> Result:
        """Walk the body of one of the script's functions."""

    def self_starts(self, call: Call) -> None:
        """Record that the script starts itself again."""

    def foreign_code(self, call: Call, code: Value) -> None:
        """Record what a one-liner of another language does."""

    def emit(
        self, call: Call, action: str, what: Value | str | None = None, detail: Value | str | None = None, *,
        background: bool = False,
    ) -> None:  # fmt: skip
        """Record an action of a command."""

    def emit_path(self, call: Call, action: str, path: Value, detail: Value | str | None = None) -> Value:
        """Record an action on a path; return that path, absolute where the folder is known."""

    def emit_check(self, name: str | None, tool: str, line: int, text: str) -> None:
        """Record that a process is looked for."""


Handler = Callable[[Machine, Call], Result | None]

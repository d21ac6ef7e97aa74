"""Which function understands which command. A command is added by decorating one function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from hinomi.evidence.scripts.values import EMPTY, Conditions, Value

if TYPE_CHECKING:
    from hinomi.evidence.scripts.shell.machine import Machine


@dataclass(frozen=True, slots=True)
class Redirect:
    """A redirection to or from a file: `operator` is >, >>, <, <> or &>; `target` is resolved against the folder."""

    operator: str
    target: Value


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
Handler = Callable[["Machine", Call], Result | None]
_HANDLERS: dict[str, Handler] = {}


def handles(*names: str) -> Callable[[Handler], Handler]:
    """Register the decorated function for these command names."""

    def register(handler: Handler) -> Handler:
        for name in names:
            _HANDLERS[name] = handler
        return handler

    return register


@cache
def handlers() -> dict[str, Handler]:
    """Return all handlers; imports every module of `commands` first."""
    package = import_module("hinomi.evidence.scripts.shell.commands")
    for module in iter_modules(package.__path__):
        import_module(f"{package.__name__}.{module.name}")
    return dict(_HANDLERS)

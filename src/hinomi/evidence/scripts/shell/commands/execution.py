"""Shells, interpreters and code made at run time; leaving; what runs later."""

from __future__ import annotations

import re
from dataclasses import replace

from hinomi.evidence.scripts.shell import sinks
from hinomi.evidence.scripts.shell.core import Call, Machine, Result
from hinomi.evidence.scripts.shell.registry import handles
from hinomi.evidence.scripts.shell.simple import again
from hinomi.evidence.scripts.values import Source, Value, joined

_MADE = ("download", "connection", "decoded", "unpacked")
_CRON_LINE = re.compile(r"^\s*(@\w+|(?:[\d*/,\-]+|[a-zA-Z]{3})(?:\s+[\w*/,\-]+){4})\s+(\S.*)$")


def origin_of(value: Value) -> str:
    """Return where code comes from: download, connection, decoded, argument, request, file, variable."""
    if value.source is not None and value.source.kind in (*_MADE, "argument", "request", "file"):
        return "decoded" if value.source.kind == "unpacked" else value.source.kind
    return "variable"


@handles("sh", "bash", "dash", "ash", "ksh", "zsh", "mksh", "rbash", "csh", "tcsh", "pdksh", "ksh93")
def shell(machine: Machine, call: Call) -> Result | None:
    """`sh -c code`, `sh file`, `... | sh`, `bash -i >& /dev/tcp/...`."""
    code = _code_word(call)
    if code is not None:
        return ran(machine, call, code, f"{call.name} -c")
    words = call.operands("-o", "-O", "--rcfile", "--init-file")
    for redirect in call.redirects:
        if redirect.target.text.startswith(("/dev/tcp/", "/dev/udp/")):
            machine.emit(call, "executes-code", "connection", f"{call.name} on /dev/tcp")
    if words:
        return _file(machine, call, words)
    if call.stdin is not None:
        return ran(machine, call, call.stdin, f"| {call.name}")
    return None


def _code_word(call: Call) -> Value | None:
    for index, arg in enumerate(call.args[:-1]):
        if arg.text.startswith("-") and not arg.text.startswith("--"):
            if arg.text.endswith("c"):
                return call.args[index + 1]
        else:
            return None
    return None


def _file(machine: Machine, call: Call, words: list[Value]) -> Result:
    first = words[0]
    if first.text.startswith(("<(", "/dev/fd/", "/dev/stdin")):
        return ran(machine, call, _from_substitution(first), f"{call.name} <(...)")
    inner = Call(
        first.text.rsplit("/", 1)[-1],
        first,
        tuple(words[1:]),
        call.line,
        call.stdin,
        (),
        call.settings,
        call.background,
    )
    path = machine.env.resolve(first)
    return sinks.started(machine, replace(inner, path=path))


def _from_substitution(value: Value) -> Value:
    source = value.source
    if source is not None and source.kind == "text" and source.object is not None:
        return Value(source.object)
    return value


def ran(machine: Machine, call: Call, code: Value, construct: str) -> Result:
    """Walk constant code; record the execution where the code was made at run time."""
    if code.constant:
        if code.has(*_MADE):
            machine.emit(call, "executes-code", origin_of(code), construct)
        with machine.recorder.in_background(call.background):
            return machine.isolated(lambda: machine.code(code.text, call.line))
    machine.emit(call, "executes-code", origin_of(code), construct)
    if code.source is None or code.source.kind not in _MADE:  # the constant parts of `sh -c "$X; curl ..."` still tell
        return machine.isolated(lambda: machine.code(code.text, call.line))
    return Result()


@handles("eval")
def evaluate(machine: Machine, call: Call) -> Result | None:
    """Constant code is walked in the same shell."""
    code = joined(call.args, " ") if call.args else None
    if code is None:
        return None
    if not code.constant:
        machine.emit(call, "executes-code", origin_of(code), "eval")
        return None
    if code.has(*_MADE):
        machine.emit(call, "executes-code", origin_of(code), "eval")
    return machine.code(code.text, call.line)


@handles("source", ".")
def source(machine: Machine, call: Call) -> Result | None:
    """`. file` and `source <(curl ...)`."""
    if not call.args:
        return None
    first = call.args[0]
    if first.text.startswith(("<(", "/dev/stdin")):
        return ran(machine, call, _from_substitution(first), "source <(...)")
    path = machine.env.resolve(first)
    machine.emit(call, "sources", path)
    made = machine.made.get(path.text)
    if made is not None and made.has(*_MADE):
        machine.emit(call, "executes-code", origin_of(made), "source")
    return None


@handles("exec")
def execute(machine: Machine, call: Call) -> Result:
    """Becomes another program; without words only redirects."""
    words = list(call.args)
    while words and words[0].text.startswith("-"):
        if words.pop(0).text.endswith("a") and words:
            words.pop(0)
    if not words:
        return Result()
    result = again(machine, replace(call, redirects=()), words)
    return Result(result.output, result.conditions, leaves=True)


# --- leaving ----------------------------------------------------------------------------------------------------


@handles("exit", "return", "break", "continue", "logout")
def leave(machine: Machine, call: Call) -> Result:
    """Control does not come back; a function's return tells what its status means."""
    status = call.args[0].text if call.args else "0"
    if call.name == "return":
        machine.returned.append((status, tuple(machine.recorder.guards[machine.return_depth :])))
    return Result(leaves=True)


# --- interpreters -----------------------------------------------------------------------------------------------


@handles("python", "python2", "python3", "php", "lua", "luajit", "node", "nodejs", "tclsh", "expect", "osascript")
def interpreter(machine: Machine, call: Call) -> Result | None:
    """`python -c code`, `python file`, `... | python`."""
    code = call.option("-c") if call.name.startswith(("python", "tcl", "expect")) else call.option("-e", "-r", "--eval")
    if code is not None:
        machine.foreign_code(call, code)
        return None
    words = [w for w in call.operands("-m", "-W", "-X", "-c", "-r") if w.text != "-"]
    if words and not words[0].text.startswith("<("):
        inner = Call(
            call.name, machine.env.resolve(words[0]), tuple(words[1:]), call.line, call.stdin, (), (), call.background
        )
        return sinks.started(machine, inner)
    data = _from_substitution(words[0]) if words else call.stdin
    if data is not None and (data.text or data.source):
        machine.foreign_code(call, data)
    return None


# --- schedules --------------------------------------------------------------------------------------------------


@handles("crontab")
def crontab(machine: Machine, call: Call) -> Result:
    """`... | crontab -` and `crontab file` install jobs; `crontab -l` prints them."""
    if call.flag("l", "--list"):
        return Result(Value("$(crontab -l)", False, Source("crontab", None, "crontab")))
    if call.flag("r"):
        machine.emit(call, "persists", "crontab", "removes all jobs")
        return Result()
    words = [w for w in call.operands("-u", "-c") if w.text != "-"]
    data = call.stdin
    if words:
        data = machine.made.get(machine.env.resolve(words[0]).text, machine.env.resolve(words[0]))
    text = data.text if data is not None else ""
    machine.emit(call, "persists", "crontab", text.strip() or None)
    scheduled(machine, call, text)
    return Result()


def scheduled(machine: Machine, call: Call, text: str) -> None:
    """Record each job of crontab lines."""
    for line in text.splitlines()[:100]:
        match = _CRON_LINE.match(line[:2000])
        if match is not None:
            machine.emit(call, "schedules", match[1], match[2])


@handles("at", "batch", "systemd-run")
def at(machine: Machine, call: Call) -> Result | None:
    """Runs its input later."""
    if call.name == "systemd-run":
        when = call.option("--on-active", "--on-boot", "--on-calendar", "--on-unit-active", "--on-startup")
        words = call.operands(
            "-u", "-p", "-E", "-t", "--unit", "--on-active", "--on-calendar", "--on-boot", "--property", "-M"
        )
        machine.emit(
            call,
            "schedules" if when is not None else "persists",
            when if when is not None else "systemd-run",
            " ".join(w.text for w in words),
        )
        return again(machine, call, words, background=True)
    if call.flag("l") or call.flag("r") or call.flag("d"):
        return None
    when_text = " ".join(w.text for w in call.operands("-f", "-q", "-t"))
    file = call.option("-f")
    code = call.stdin if file is None else machine.env.resolve(file)
    machine.emit(call, "schedules", when_text or call.name, code)
    if call.stdin is not None and call.stdin.constant and file is None:
        return machine.isolated(lambda: machine.code(call.stdin.text if call.stdin else "", call.line))
    return None

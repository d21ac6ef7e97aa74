"""Looking for processes, filtering such lists, and killing."""

from __future__ import annotations

import re
from dataclasses import replace

from hinomi.evidence.scripts.shell import sinks
from hinomi.evidence.scripts.shell.commands.events import told_without_end
from hinomi.evidence.scripts.shell.conditions import process_name
from hinomi.evidence.scripts.shell.core import Call, Machine, Result
from hinomi.evidence.scripts.shell.registry import handles
from hinomi.evidence.scripts.shell.simple import again
from hinomi.evidence.scripts.values import Condition, Source, Value, joined, unknown

_AWK_PATTERN = re.compile(r"/((?:[^/\\]|\\.){1,200})/")
_USERS_ASKED = frozenset(("-s", "-t", "-a", "-v", "-n", "-P", "--silent", "-m"))  # how fuser and lsof tell, not what
_AWK_EQUALS = re.compile(r"==\s*\"([^\"]{1,200})\"")


def found_running(machine: Machine, call: Call, name: Value | None, tool: str, margin: int = 0) -> Result:
    """Record a check for a process and return the list it prints: empty when the process is not there."""
    pattern = process_name(name.text) if name is not None else ""
    looked = pattern if any(c.isalnum() for c in pattern) else None
    machine.emit(call, "checks-running", looked, tool)
    text = call.text[:200]
    return Result(unknown(f"$({text})", Source("process", looked, tool, margin)), (Condition("process", looked, text),))


@handles("pgrep")
def pgrep(machine: Machine, call: Call) -> Result:
    """`pgrep [-f] pattern`."""
    names = call.operands("-u", "-U", "-g", "-G", "-P", "-s", "-t", "-F", "-d", "--signal")
    pid_file = call.option("-F")
    return found_running(machine, call, names[0] if names else pid_file, "pgrep")


@handles("pidof", "pidofproc", "checkproc", "status_of_proc")
def pidof(machine: Machine, call: Call) -> Result:
    """`pidof name`; sysvinit's helpers take a path."""
    names = call.operands("-o", "-p", "-d", "-S")
    return found_running(machine, call, _base(names[0]) if names else None, call.name)


def _base(value: Value) -> Value:
    text = value.text.rstrip("/")
    return replace(value, text=text.rsplit("/", 1)[-1]) if value.constant else value


@handles("ps", "top", "pstree")
def ps(_: Machine, call: Call) -> Result:
    """A process list; `ps -C name` and `ps -p pid` ask for one."""
    name, pid = call.option("-C"), call.option("-p", "--pid")
    text = call.text[:200]
    if name is not None:
        return found_running(_, call, name, "ps -C")
    if pid is not None and pid.text not in ("$$", "$PPID"):
        return _by_pid(_, call, pid, "ps -p")
    return Result(unknown(f"$({text})", Source("processes", None, call.name)))


def _by_pid(machine: Machine, call: Call, pid: Value, tool: str) -> Result:
    source = pid.source
    name = source.object if source is not None and source.kind in ("process", "pid-file", "file") else None
    machine.emit(call, "checks-running", name or (pid.known or None), tool)
    return Result(
        unknown(f"$({call.text[:200]})", Source("process", name or pid.known, tool, 1 if tool == "ps -p" else 0)),
        (Condition("process", name or pid.known, call.text[:200]),),
    )


@handles("kill")
def kill(machine: Machine, call: Call) -> Result | None:
    """`kill -0 pid` asks; any other signal ends the process."""
    options = call.options()
    operands = [a for a in call.operands("-s", "-n") if a.text not in ("0",)]
    if "-0" in options or (call.option("-s", "-n") or Value("")).text == "0":
        return _by_pid(machine, call, operands[0], "kill -0") if operands else None
    if "-l" in options:
        return None
    for target in operands[:20]:
        named = target.source.object if target.has("process", "pid-file") and target.source else None
        machine.emit(call, "kills", named or target.text, options[0] if options else None)
    if not operands and call.stdin is not None and call.stdin.source is not None:
        machine.emit(call, "kills", call.stdin.source.object, options[0] if options else None)
    return None


@handles("killall", "pkill", "killall5", "killproc", "skill")
def killall(machine: Machine, call: Call) -> Result | None:
    """Kill by name; signal 0 only asks."""
    names = call.operands("-u", "-s", "-P", "-t", "-g", "-p", "--signal", "-G", "-U")
    options = call.options()
    if "-0" in options or (call.option("-s", "--signal") or Value("")).text == "0":
        return found_running(machine, call, names[0] if names else None, f"{call.name} -0")
    signal = next((o for o in options if o not in ("-f", "-q", "-x", "-e", "-w")), None)
    for name in names[:20]:
        machine.emit(call, "kills", _base(name) if call.name == "killproc" else name, signal)
    return Result(conditions=(Condition("other", None, call.text[:200]),))


@handles("fuser", "lsof")
def fuser(machine: Machine, call: Call) -> Result | None:
    """`fuser file` asks who uses a program; `-k` kills them."""
    names = call.operands("-n", "-p", "-u", "-i", "-c")
    if call.name == "fuser" and call.flag("k", "--kill") and names:
        machine.emit(call, "kills", names[0], "fuser -k")
        return None
    named = call.option("-c", "-i") if call.name == "lsof" else None  # a command's first letters, an address
    asked = named if named is not None else names[0] if names else None
    if asked is None or (named is None and set(call.options()) - _USERS_ASKED):
        return None
    return found_running(machine, call, _base(asked), call.name)


# --- filters ----------------------------------------------------------------------------------------------------


def incoming(machine: Machine, call: Call, files: list[Value]) -> Value | None:
    """Return what a filter reads: its files' content, else its standard input."""
    if not files:
        return call.stdin
    first = machine.env.resolve(files[0])
    made = machine.made.get(first.text)
    return made if made is not None and made.constant else sinks.content_of(first)


@handles("grep", "egrep", "fgrep", "zgrep", "rg", "ag", "ack")
def grep(machine: Machine, call: Call) -> Result:
    """Over a process list it is a process check; over anything else a question about text."""
    pattern, files = _pattern(call)
    data = incoming(machine, call, files)
    text = call.text[:200]
    asked = (Condition("other", files[0].text if files else None, text),)
    if data is None or data.source is None:
        return Result(_passed(call, data), asked)
    if data.source.kind == "process":
        return _narrowed(call, data, pattern)
    if data.source.kind == "query" and pattern is not None:  # what of an answer is kept
        source = replace(data.source, object=f"{data.source.object} | grep {pattern.text}"[:1000])
        return Result(unknown(f"$({text})", source), asked)
    if data.source.kind == "processes" and not call.flag("v", "--invert-match") and pattern is not None:
        return _listed(machine, call, pattern, data.source)
    return Result(_passed(call, data), asked)


def _pattern(call: Call) -> tuple[Value | None, list[Value]]:
    """Return the pattern and the files that follow it."""
    given = call.option("-e", "--regexp")
    words = call.operands("-e", "-m", "-A", "-B", "-C", "-f", "--regexp", "--include", "--exclude")
    return (given, words) if given is not None else (words[0] if words else None, words[1:])


def _passed(call: Call, data: Value | None) -> Value:
    return unknown(f"$({call.text[:400]})", data.source if data is not None else None)


def _narrowed(call: Call, data: Value, pattern: Value | None) -> Result:
    """A further grep over the entries of one program; `grep -v grep` takes the search itself out."""
    source = data.source or Source("process")
    if call.flag("v", "--invert-match"):
        source = (
            replace(source, margin=0) if pattern is None or "grep" in pattern.text or "$$" in pattern.text else source
        )
    elif source.object in (None, "", "grep") and pattern is not None:
        source = replace(source, object=process_name(pattern.text))
    return Result(unknown(data.text, source), (Condition("process", source.object, call.text[:200]),))


def _listed(machine: Machine, call: Call, pattern: Value, source: Source) -> Result:
    tool = f"{source.tool}|grep" if source.tool != "/proc" else "/proc"
    hidden = "[" in pattern.text or source.tool == "/proc"  # `grep [x]yz` does not find itself
    return found_running(machine, call, pattern, tool, 0 if hidden else 1)


@handles("awk", "gawk", "mawk", "nawk")
def awk(machine: Machine, call: Call) -> Result:
    """Over a process list `/name/` is a process check; else a filter."""
    words = call.operands("-F", "-v", "-f")
    data = incoming(machine, call, words[1:])
    program = words[0].text if words else ""
    if data is not None and data.has("processes"):
        match = _AWK_EQUALS.search(program) or _AWK_PATTERN.search(program)
        if match is not None:
            tool = data.source.tool if data.source is not None else "ps"
            return found_running(
                machine, call, Value(match[1]), f"{tool}|awk", 0 if "[" in match[1] or "!~" in program else 1
            )
    if data is not None and data.constant and program.strip(" {}") == "print $1":
        return Result(Value(data.text.split()[0] if data.text.split() else "", True, data.source))
    return Result(_passed(call, data))


@handles(
    "wc",
    "cut",
    "head",
    "tail",
    "sort",
    "uniq",
    "xargs_",
    "column",
    "nl",
    "tac",
    "paste",
    "fold",
    "strings",
    "od",
    "less",
)
def filters(machine: Machine, call: Call) -> Result:
    """Filters hand on where their input comes from."""
    if call.name == "tail" and (call.flag("f", "--follow", "--retry") or call.flag("F")):
        return told_without_end(call)
    files = call.operands("-n", "-c", "-d", "-f", "-k", "-b", "-t", "-w", "-s", "-N", "-A", "-l")
    data = incoming(machine, call, files)
    if (
        data is not None
        and data.constant
        and call.name in ("head", "tail", "sort", "uniq")
        and "\n" not in data.text.strip("\n")
    ):
        return Result(data)
    return Result(_passed(call, data))


@handles("readlink", "realpath")
def readlink(machine: Machine, call: Call) -> Result:
    """A constant path stays what it is; /proc/PID/exe is a look at a process."""
    words = call.operands()
    if not words:
        return Result()
    path = machine.env.resolve(words[0])
    value = sinks.content_of(path)
    if value.has("processes"):
        return Result(value)
    return Result(path if path.constant else unknown(path.text, path.source))


@handles("xargs")
def xargs(machine: Machine, call: Call) -> Result:
    """Run a command on the words that come in."""
    words = list(call.args)
    while words and words[0].text.startswith("-"):
        taken = words.pop(0).text
        if taken in ("-I", "-n", "-P", "-L", "-d", "-E", "-s", "-a") and words:
            words.pop(0)
    if not words:
        return Result(call.stdin or Value(""))
    extra = call.stdin if call.stdin is not None else None
    if extra is not None and extra.constant:
        return again(machine, call, [*words, *(Value(t) for t in extra.text.split()[:50])])
    source = extra.source if extra is not None else None
    return again(machine, call, [*words, joined([unknown("$(stdin)", source)])])

"""Copying, moving, deleting, modes, times, edits in place."""

from __future__ import annotations

import re
from itertools import pairwise

from hinomi.evidence.scripts.shell import sinks
from hinomi.evidence.scripts.shell.commands.execution import interpreter
from hinomi.evidence.scripts.shell.commands.processes import incoming
from hinomi.evidence.scripts.shell.conditions import TRUE
from hinomi.evidence.scripts.shell.core import Call, Machine, Result
from hinomi.evidence.scripts.shell.registry import handles
from hinomi.evidence.scripts.shell.vocabulary import is_history, is_log, is_program_path
from hinomi.evidence.scripts.values import Source, Value, joined, unknown

_SAVES = re.compile(r"(?m)^[\d,$%. ]*(?:w|wq|x|update|wq!|x!|w!)\b")
MAX_LINES = 500

_FOLDER_NAMES = frozenset(
    "bin sbin lib lib64 lib32 tmp etc usr opt var home root run mnt init.d rc.d cron.d system modules"
    " share libexec".split()
)


@handles("cp", "mv", "install", "ginstall", "rsync", "ln")
def copy(machine: Machine, call: Call) -> Result:
    """Sources, then a file or folder."""
    words = call.operands("-m", "-o", "-g", "-S", "-e", "--mode", "--owner", "--group", "--suffix")
    folder = call.option("-t", "--target-directory")
    if call.name in ("install", "ginstall") and call.flag("d", "--directory"):
        return Result(conditions=TRUE)
    if call.name == "rsync" and any(":" in w.text for w in words):
        return _remote(machine, call, words)
    target = folder if folder is not None else words.pop() if len(words) > 1 else None
    if target is None:
        return Result()
    for source in words[:50]:
        _place(machine, call, source, _target(target, many=len(words) > 1 or folder is not None))
    mode = call.option("-m", "--mode") if call.name in ("install", "ginstall") else None
    if mode is not None:
        machine.emit_path(call, "changes-mode", target, mode)
    return Result()


def _target(target: Value, *, many: bool) -> Value:
    name = target.text.rstrip("/").rsplit("/", 1)[-1]
    if (many or name in _FOLDER_NAMES or name in (".", "..")) and not target.text.endswith("/"):
        return Value(target.text + "/", target.constant, target.source)
    return target


def _place(machine: Machine, call: Call, source: Value, target: Value) -> None:
    if call.name == "ln":
        if source.text == "/dev/null" and (is_history(target.text) or is_log(target.text)):
            machine.emit_path(
                call, "hides-history" if is_history(target.text) else "clears-log", target, "link to /dev/null"
            )
        else:
            sinks.placed(machine, call, "links", source, target)
        return
    if source.text == "/dev/null":
        sinks.written(machine, call, machine.env.resolve(target), Value(""))
        return
    sinks.placed(machine, call, "moves" if call.name == "mv" else "copies", source, target)


def _remote(machine: Machine, call: Call, words: list[Value]) -> Result:
    outward = ":" in words[-1].text
    remote = words[-1] if outward else words[0]
    local = words[0] if outward else words[-1]
    machine.emit(call, "uploads" if outward else "downloads", remote, local)
    return Result()


@handles("rm", "unlink", "shred", "rmdir", "srm")
def remove(machine: Machine, call: Call) -> Result:
    """Delete each operand."""
    for path in call.operands("-n", "-s")[:50]:
        if call.name == "shred" and not call.flag("u", "--remove"):
            machine.emit_path(call, "writes", path, "shred")
        else:
            sinks.removed(machine, call, path)
    return Result()


@handles("truncate", "fallocate")
def truncate(machine: Machine, call: Call) -> Result:
    """Cut a file."""
    for path in call.operands("-s", "-r", "-l", "-o", "--size", "--reference"):
        sinks.written(machine, call, machine.env.resolve(path), Value(""))
    return Result()


@handles("chmod")
def chmod(machine: Machine, call: Call) -> Result:
    """`chmod mode file...`; `+x` looks like no option, `-x` does."""
    words = [a for a in call.args if not (a.text.startswith("-") and a.text[1:2] in "Rcfv-")]
    for path in words[1:50]:
        machine.emit_path(call, "changes-mode", path, words[0])
    return Result()


@handles("touch")
def touch(machine: Machine, call: Call) -> Result:
    """With -r, -t or -d it sets times, otherwise it only makes the file."""
    stamp = call.option("-r", "--reference", "-t", "-d", "--date")
    for path in call.operands("-r", "-t", "-d", "--reference", "--date", "--time")[:50]:
        if stamp is not None:
            machine.emit_path(call, "changes-time", path, stamp)
    return Result(conditions=TRUE)


@handles("chattr")
def chattr(machine: Machine, call: Call) -> Result:
    """The immutable flag protects an implant from being removed."""
    words = [a for a in call.args if a.text not in ("-R", "-f", "-V")]
    for path in words[1:50]:
        machine.emit_path(call, "changes-mode", path, f"chattr {words[0].text}")
    return Result()


@handles("tee", "sponge")
def tee(machine: Machine, call: Call) -> Result:
    """Write the input to each file and hand it on."""
    data = call.stdin or Value("")
    for path in call.operands()[:20]:
        target = machine.env.resolve(path)
        if not target.text.startswith("/dev/"):
            sinks.written(machine, call, target, data, append=call.flag("a", "--append"))
    return Result(data)


@handles("cat", "zcat_", "tac_")
def cat(machine: Machine, call: Call) -> Result:
    """Hand on a file's content, or the input."""
    files = [a for a in call.operands() if a.text != "-"]
    if not files:
        return Result(call.stdin or Value(""))
    parts = [incoming(machine, call, [f]) or Value("") for f in files[:20]]
    for path in files[:20]:
        full = machine.env.resolve(path)
        if path.text != "/dev/null":
            machine.emit(call, "reads", full)
    return Result(joined(p for p in parts if p.text != "$(</dev/null)"))


@handles("dd")
def dd(machine: Machine, call: Call) -> Result:
    """`dd if= of=`; with conv=notrunc and an offset it patches."""
    named = {a.text.partition("=")[0]: Value(a.text.partition("=")[2], a.constant) for a in call.args}
    source, target = named.get("if"), named.get("of")
    data = incoming(machine, call, [source] if source is not None else [])
    if target is None:
        return Result(data or Value(""))
    path = machine.env.resolve(target)
    if path.text.startswith("/dev/") and path.text.count("/") == 2:
        machine.emit(call, "writes", path, source)
        return Result()
    patch = "notrunc" in named.get("conv", Value("")).text and ("seek" in named or "oseek" in named)
    if patch and is_program_path(path.text):
        text = f"offset {named.get('seek', Value('?')).text}: {data.text if data is not None else ''}"
        machine.emit(call, "patches-binary", path, text)
    sinks.written(machine, call, path, data if data is not None else unknown("$(stdin)"), append=patch)
    return Result()


@handles("sed", "gsed", "ssed")
def sed(machine: Machine, call: Call) -> Result:
    """`sed -i` edits in place; without it the output is an edited copy of its input."""
    expression = call.option("-e", "--expression")
    words = call.operands("-e", "-f", "--expression", "--file")
    script = expression if expression is not None else words.pop(0) if words else Value("")
    in_place = any(o.startswith(("-i", "--in-place")) or (o[:2] != "--" and "i" in o[1:4]) for o in call.options())
    if in_place:
        for path in words[:20]:
            sinks.patched(machine, call, path, script.text, added_text(script))
        return Result()
    if words:
        return Result(unknown(f"$({call.text[:200]})", _edited(machine, call, words[0], script)))
    data = call.stdin
    changed = _substituted(data.text, script.text) if data is not None and data.constant and script.constant else None
    if changed is not None and data is not None:
        return Result(Value(changed, True, data.source))
    return Result(unknown(f"$({call.text[:200]})", data.source if data is not None else None))


@handles("ed", "red", "ex")
def line_editor(machine: Machine, call: Call) -> Result:
    """`ed file` takes commands from the input, `ex -c command file` from words too; `w` saves the file."""
    words = call.operands("-p", "-c", "-S", "-t", "-T", "-u")
    given = [after for word, after in pairwise(call.args) if word.text == "-c"]
    given += [Value(w.text[1:]) for w in words if w.text.startswith("+")]
    stdin = call.stdin if call.stdin is not None and call.stdin.text else None
    orders = joined([*given, *([stdin] if stdin is not None else [])], "\n")
    files = [w for w in words if not w.text.startswith("+")]
    if files and _SAVES.search(orders.text):
        sinks.patched(machine, call, files[0], orders.text, added_text(orders))
    return Result()


def added_text(script: Value) -> str:
    """Return the text that sed's a, i and c put in; other commands stay as they are."""
    lines: list[str] = []
    goes_on = False
    for line in script.text.split("\n")[:MAX_LINES]:
        lines.append(line if goes_on else _put_in(line, script.constant))
        goes_on = line.endswith("\\")
    return "\n".join(lines)


def _put_in(line: str, constant: bool) -> str:
    """`$ a text`, `$a\\text`, `1itext`, `/x/c text`; where a variable may stand (`$account`) a blank must follow."""
    rest = _after_address(line.strip()).lstrip(" \t!")
    if rest[:1] not in ("a", "i", "c") or not (constant or rest[1:2] in (" ", "\t", "\\")):
        return line
    return rest[1:].lstrip(" \t").removeprefix("\\").lstrip(" \t")


def _after_address(text: str) -> str:
    """Drop `$`, `12`, `/pattern/` and `1,/pattern/` before a command."""
    for _ in range(2):
        if text.startswith("$"):
            text = text[1:]
        elif text.startswith("/"):
            end = next((i for i in range(1, len(text)) if text[i] == "/" and text[i - 1] != "\\"), len(text) - 1)
            text = text[end + 1 :]
        else:
            text = text.lstrip("0123456789")
        if not text.startswith(","):
            break
        text = text[1:]
    return text


def _edited(machine: Machine, call: Call, path: Value, script: Value) -> Source | None:
    full = machine.env.resolve(path)
    inner = sinks.content_of(full).source
    if inner is not None and inner.kind != "file":
        return inner
    return Source("edited", full.text, script.text[:400])


def _substituted(text: str, script: str) -> str | None:
    """Apply a plain `s/a/b/` without special characters to a constant."""
    if len(script) < 4 or script[0] != "s":
        return None
    parts = script[2:].split(script[1])
    if len(parts) != 3 or any(c in parts[0] for c in "\\.*[^$") or any(c in parts[1] for c in "\\&"):
        return None
    return text.replace(parts[0], parts[1], -1 if "g" in parts[2] else 1)


@handles("perl", "ruby")
def perl(machine: Machine, call: Call) -> Result | None:
    """`perl -pi -e` edits in place; `-e` with sockets or a sleep is code."""
    code = next((call.args[i + 1] for i, a in enumerate(call.args[:-1]) if _is_code(a.text)), None)
    if code is None:
        return _interpreted(machine, call)
    if any(o.startswith("-") and "i" in o[1:5] and "e" not in o[1:2] for o in call.options()):
        for path in [a for a in call.operands("-e") if a.text != code.text][:20]:
            sinks.patched(machine, call, path, code.text)
        return None
    machine.foreign_code(call, code)
    return None


def _is_code(option: str) -> bool:
    return option.startswith("-") and not option.startswith("--") and option.endswith(("e", "E")) and len(option) < 6


def _interpreted(machine: Machine, call: Call) -> Result | None:
    return interpreter(machine, call)


@handles("bbe", "xdelta", "xdelta3", "bspatch", "patch", "hexedit")
def binary_edit(machine: Machine, call: Call) -> Result:
    """Tools made for patching binaries."""
    words = call.operands("-e", "-o", "-f", "-i", "-p", "-d")
    output = call.option("-o") or (words[1] if call.name == "bspatch" and len(words) > 1 else None)
    target = output if output is not None else words[0] if words else None
    if target is not None and call.name != "patch":
        script = call.option("-e") or Value(call.name)
        machine.emit_path(call, "patches-binary", target, script)
    elif words:
        machine.emit_path(call, "writes", words[0], "patch")
    source = Source("edited", machine.env.resolve(words[0]).text, call.text[:200]) if words else None
    return Result(unknown(f"$({call.text[:200]})", source))


@handles("patchelf")
def patchelf(machine: Machine, call: Call) -> Result | None:
    """`patchelf --add-needed library program` makes one program load a library whenever it starts."""
    library = call.option("--add-needed")
    words = call.operands("--add-needed", "--remove-needed", "--set-rpath", "--set-interpreter", "--set-soname")
    if library is not None and words:
        machine.emit(call, "loads-library", library, f"needed by {machine.env.resolve(words[-1]).text}")
    return None

"""Where output, files and settings end up, and what that means: persistence, accounts, preloads, logs, connections."""

from __future__ import annotations

import re

from hinomi.evidence.scripts.shell.core import Call, Machine, Redirect, Result
from hinomi.evidence.scripts.shell.vocabulary import (
    HISTORY_VARIABLES,
    is_history,
    is_log,
    is_program_path,
    persistent_place,
)
from hinomi.evidence.scripts.values import Source, Value, unknown

_PROC_FILE = re.compile(r"^/proc/[^/]+/(cmdline|comm|status|stat|exe|environ|maps)$")
_HOST = re.compile(r"^(?:\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+){1,6})$")
_ADDRESS = re.compile(r"^\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}$")
_ACCOUNT = re.compile(
    r"((?:\$\{?)?[A-Za-z_][\w.-]{0,40}\}?):([^:\s]{0,120}):(\d{1,10}|\$\w{1,40}):(\d{1,10}|\$\w{1,40}):([^:\n]{0,80}):([^:\s]{0,80}):?([^\s'\"\\;]{0,80})"
)
_SUBSTITUTION = re.compile(r"(?<![\w$])s([/|#,!@%])((?:\\.|(?!\1)[^\\\n]){1,300})\1((?:\\.|(?!\1)[^\\\n]){1,300})\1")
_GROUP = re.compile(r"\\[1-9]|\$\{?[1-9]\}?|&")  # what a replacement takes over
_ROOT_NUMBER = re.compile(r"(?:^|:)0+(?::|$)")
_NAMED = re.compile(r"\^?\\?\(?([A-Za-z_][\w.-]{0,40}):")
_AWK_NUMBER = re.compile(r"\$3\s*=\s*\"?0+\b")
_AWK_NAMED = re.compile(r"\$1\s*==\s*\"([\w.-]{1,40})\"|/\^([\w.-]{1,40}):")
_PROGRAM = re.compile(r"^[\w./~$@%+,{}:*?\[\]() \"'|-]{1,400}$")
_NO_PROGRAMS = frozenset("fi done esac else elif then do in } { ) ( / * = | [ ] .. ,".split())
_PRELOADS = re.compile(r"\bLD_PRELOAD=[\"']?(/[^\s\"';:]{1,400})")
_LEAVES_OUT = re.compile(r"\$\((?:\S*/)?(?:[ef]?grep\s(?:.*\s)?-\w*v|sed\s|awk\s|perl\s|utmpdump\s)")
_URL = re.compile(r"(?:https?|ftp|tftp|wss?)://[^\s'\"<>|;)]+")


def content_of(path: Value) -> Value:
    """Return the content of a file as a value of its source."""
    text = path.text
    if _PROC_FILE.match(text):
        return unknown(f"$(<{text})", Source("processes", text, "/proc"))
    name = text.rsplit("/", 1)[-1]
    if name.endswith((".pid", ".lock")) or name == "pid" or "pidfile" in name.lower():
        return unknown(f"$(<{text})", Source("pid-file", text))
    if name in ("passwd", "shadow", "group"):
        return unknown(f"$(<{text})", Source("accounts", text))
    return unknown(f"$(<{text})", Source("file", text))


# --- output that goes into files --------------------------------------------------------------------------------


def redirected_to(machine: Machine, call: Call, redirect: Redirect, output: Value) -> None:
    """Record what a redirection does."""
    target = redirect.target
    if target.text.startswith(("/dev/tcp/", "/dev/udp/")):
        connected(machine, call, target)
        if redirect.operator == "<>" and len(machine.connections) < 100:
            machine.connections[redirect.descriptor] = target.text
    else:
        written(machine, call, target, output, append=">>" in redirect.operator)


def from_connection(machine: Machine, descriptor: str) -> Value | None:
    """Return what is read from a stream that is a connection."""
    address = machine.connections.get(descriptor)
    return None if address is None else unknown(f"$(<&{descriptor})", Source("connection", address, "/dev/tcp"))


def connected(machine: Machine, call: Call, device: Value) -> None:
    """Record a connection by the shell's own /dev/tcp."""
    parts = device.text.split("/")
    address = f"{parts[3]}:{parts[4]}" if len(parts) > 4 else device.text
    machine.emit(call, "connects", Value(address, device.constant), f"/dev/{parts[2]}")


def written(machine: Machine, call: Call, path: Value, output: Value, *, append: bool = False) -> None:
    """Record a write, and what writing that text to that place means."""
    if path.text.startswith(">("):
        return
    machine.emit(call, "writes", path, _told(output))
    if output.source is not None:
        _by_source(machine, call, path, output.source)
        _thinned(machine, call, path, machine.made.get(output.source.object or ""))
    _remember(machine, path, output)
    meaning(machine, call, path, output)
    if not append and not output.text and output.source is None:
        _emptied(machine, call, path)


def _told(output: Value) -> str | None:
    source = output.source
    if source is not None and source.kind in (
        "query",
        "download",
        "connection",
        "decoded",
        "unpacked",
        "packed",
        "edited",
    ):
        return f"{source.kind}: {source.tool} {source.object or ''}".strip()
    return output.text if output.text else None


def _by_source(machine: Machine, call: Call, path: Value, source: Source) -> None:
    if source.kind == "packed":
        machine.emit(call, "repacks", path, f"{source.tool} {source.object or ''}".strip())
    elif source.kind in ("download", "connection"):
        machine.emit(call, "downloads", source.object, path)


def _remember(machine: Machine, path: Value, output: Value) -> None:
    """Keep what is known about a file the script made itself."""
    source = output.source
    if source is not None and source.kind == "process" and source.tool == "$!" and source.object:
        machine.recorder.pid_files[path.text] = source.object
    if path.constant and len(machine.made) < 500:
        machine.made[path.text] = output


def meaning(machine: Machine, call: Call, path: Value, output: Value) -> None:
    """Record what a file at this place with this text does."""
    name = path.text.rsplit("/", 1)[-1]
    text = output.text
    if name in ("passwd", "passwd-") and "/etc/" in "/" + path.text:
        account_lines(machine, call, path.text, text)
    elif name == "shadow" and text:
        machine.emit(call, "changes-password", text.partition(":")[0] or None)
    elif name == "ld.so.preload" and text.strip():
        machine.emit(call, "loads-library", text.strip(), "ld.so.preload")
    preloaded = _PRELOADS.search(text)
    if preloaded is not None and (persistent_place(path.text) or path.text == "/etc/environment"):
        machine.emit(call, "loads-library", preloaded[1], f"LD_PRELOAD in {path.text}")
    if persistent_place(path.text):
        machine.emit(call, "persists", path, text.strip() or None)


def account_lines(machine: Machine, call: Call, path: str, text: str) -> None:
    """Record `name:x:uid:gid:...` lines that go into a passwd file, of this system or of a mounted one."""
    root = (
        f"/{path}".rpartition("/etc/")[0].removeprefix("/") if not path.startswith("/") else path.rpartition("/etc/")[0]
    )
    for match in list(_ACCOUNT.finditer(text.removeprefix("$a\\")))[:50]:
        machine.emit(call, "adds-account", match[1], f"{match.group()}; {root or '/'}")
    for name in _made_root(text):
        machine.emit(call, "adds-account", name, f"uid 0; {root or '/'}")


def _made_root(edit: str) -> list[str | None]:
    """Return whose number becomes 0 by sed's or Perl's `s/…/…/` or by awk's `$3=0`; None where it is not told."""
    found: list[str | None] = []
    for match in list(_SUBSTITUTION.finditer(edit[:4000]))[:20]:
        if _ROOT_NUMBER.search(_GROUP.sub("", match[3])):
            name = _NAMED.match(match[2])
            found.append(name[1] if name else None)
    if _AWK_NUMBER.search(edit):
        name = _AWK_NAMED.search(edit)
        found.append(name[1] or name[2] if name else None)
    return found


def _emptied(machine: Machine, call: Call, path: Value) -> None:
    if is_log(path.text):
        machine.emit(call, "clears-log", path)
    elif is_history(path.text):
        machine.emit(call, "hides-history", path)


def _thinned(machine: Machine, call: Call, path: Value, made: Value | None) -> None:
    """`grep -v x log > copy; cat copy > log`: a log comes back without some of its lines."""
    if made is None or made.source is None or made.source.object != path.text or not is_log(path.text):
        return
    if _LEAVES_OUT.match(made.text):
        machine.emit(call, "clears-log", path, made.text[:200])


def removed(machine: Machine, call: Call, path: Value) -> None:
    """Record a deletion and what it wipes."""
    full = machine.emit_path(call, "deletes", path)
    _emptied(machine, call, full)


def placed(machine: Machine, call: Call, action: str, source: Value, target: Value) -> None:
    """Record a copy, move or link to a place, and what a file there means."""
    folder = machine.env.resolve(target)
    full = _into_folder(folder, source)
    origin = machine.env.resolve(source)
    machine.emit(call, action, full, origin)
    made = machine.made.get(origin.text)
    _swapped(machine, call, full, origin, made)
    _thinned(machine, call, full, made)
    if made is not None:
        machine.made[full.text] = made
    if persistent_place(full.text):
        machine.emit(call, "persists", full, origin)
    name = full.text.rsplit("/", 1)[-1]
    if name == "ld.so.preload" and made is not None:
        machine.emit(call, "loads-library", made.text.strip() or None, "ld.so.preload")
    elif name == "passwd" and made is not None:
        account_lines(machine, call, full.text, made.text)


def _into_folder(folder: Value, source: Value) -> Value:
    if folder.text.endswith("/") and "*" not in source.text:
        return Value(folder.text + source.text.rstrip("/").rsplit("/", 1)[-1], folder.constant and source.constant)
    return folder


def _swapped(machine: Machine, call: Call, full: Value, origin: Value, made: Value | None) -> None:
    """`sed ... bin > tmp; mv tmp bin` patches bin."""
    source = made.source if made is not None else None
    if source is None or source.kind != "edited" or source.object is None:
        return
    if source.object == full.text and is_program_path(full.text):
        machine.emit(call, "patches-binary", full, source.tool)


# --- settings ---------------------------------------------------------------------------------------------------


def exported(machine: Machine, name: str, value: Value, line: int, text: str) -> None:
    """Record settings that inject a library or hide the history."""
    if name in ("LD_PRELOAD", "DYLD_INSERT_LIBRARIES", "LD_AUDIT") and value.text:
        machine.recorder.emit("loads-library", line, text, what=value.text, detail=name, resolved=value.constant)
    elif name in HISTORY_VARIABLES and value.text in ("", "/dev/null", "0"):
        machine.recorder.emit("hides-history", line, text, what=name, detail=value.text)


def history_off(machine: Machine, name: str, line: int, text: str) -> None:
    """`unset HISTFILE` hides the history."""
    if name in ("HISTFILE", "HISTSIZE", "HISTFILESIZE"):
        machine.recorder.emit("hides-history", line, text, what=name, detail="unset")


# --- programs started -------------------------------------------------------------------------------------------


def started(machine: Machine, call: Call, *, background: bool = False) -> Result:
    """Record a program the script starts; one with a host and a port among its words also connects."""
    if not call.path.constant and call.path.has("connection", "request") and call.path.source is not None:
        machine.emit(call, "executes-code", call.path.source.kind, "as a command")
    if not _PROGRAM.match(call.path.text) or call.path.text in _NO_PROGRAMS:
        return Result()  # what is left of text that could not be parsed
    path = machine.env.resolve(call.path) if "/" in call.path.text else call.path
    origin = machine.made.get(path.text)
    machine.emit(
        call, "starts", path if path.constant or "/" in path.text else None,
        " ".join(a.text for a in call.args) or None, background=background,
    )  # fmt: skip
    if call.background or background or machine.recorder.background:
        machine.env.last_background = path.text if path.constant else None
    _start_of_made(machine, call, origin)
    own = "/" in call.path.text or call.background or background or machine.recorder.background > 0
    address = endpoint(call.args) if call.path.constant else None
    if address is not None and (own or "://" not in address.text):
        machine.emit(call, "connects", address, call.name)
    for word in call.args:
        if word.text.startswith(("/dev/tcp/", "/dev/udp/")):
            connected(machine, call, word)
    if path.text == machine.env.own_path and path.constant:
        machine.self_starts(call)
    return Result()


def _start_of_made(machine: Machine, call: Call, origin: Value | None) -> None:
    if origin is not None and origin.has("download", "connection", "decoded") and origin.source is not None:
        machine.emit(call, "executes-code", origin.source.kind, "starts a file it made")


def endpoint(args: tuple[Value, ...]) -> Value | None:
    """Return host:port from a program's words: `host port`, `host:port`, `-h host -p port`; a URL counts."""
    texts = [a.text for a in args]
    for index, text in enumerate(texts):
        host, colon, port = text.rpartition(":")
        if colon and port.isdigit() and len(port) < 6 and _HOST.match(host.rpartition("@")[2]):
            return Value(text, args[index].constant)
        if _ADDRESS.match(text) or (_HOST.match(text) and _next_port(texts, index)):
            port = _next_port(texts, index)
            return Value(f"{text}:{port}" if port else text)
        url = _URL.search(text)
        if url:
            return Value(url.group(), args[index].constant)
    return None


def _next_port(texts: list[str], index: int) -> str:
    """Return the number that follows a host among the next two words."""
    near = texts[index + 1 : index + 3]
    return next((t for t in near if t.isdigit() and 0 < int(t[:6]) < 65536 and len(t) < 6), "")


def patched(machine: Machine, call: Call, path: Value, what: str, added: str | None = None) -> None:
    """Record an edit in place: always a write, and a patch where the file looks like a program.

    `what` is the edit as written; `added` is the text it puts in, where that is known.
    """
    full = machine.env.resolve(path)
    machine.emit(call, "writes", full, what)
    if is_program_path(full.text):
        machine.emit(call, "patches-binary", full, what)
    _edited_meaning(machine, call, full, what, added if added is not None else what)


def _edited_meaning(machine: Machine, call: Call, path: Value, what: str, added: str) -> None:
    name = path.text.rsplit("/", 1)[-1]
    if name in ("passwd", "passwd-"):
        account_lines(machine, call, path.text, added)
    if persistent_place(path.text):
        machine.emit(call, "persists", path, what)
    if is_log(path.text):
        machine.emit(call, "clears-log", path, what)

"""What single JavaScript calls do: Node's modules, the browser's fetch, and Windows Script Host's objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hinomi.evidence.scripts.javascript.core import Walk
from hinomi.evidence.scripts.javascript.values import call_parts, required
from hinomi.evidence.scripts.syntax import text_of
from hinomi.evidence.scripts.values import Source, Value

if TYPE_CHECKING:
    from tree_sitter import Node

_OWN_MODULES = {
    "execSync": "child_process", "spawnSync": "child_process", "execFileSync": "child_process",
    "execFile": "child_process",
    "writeFileSync": "fs", "appendFileSync": "fs", "createWriteStream": "fs", "existsSync": "fs", "unlinkSync": "fs",
    "chmodSync": "fs",
    "copyFileSync": "fs", "renameSync": "fs", "writeFile": "fs", "appendFile": "fs", "networkInterfaces": "os",
    "userInfo": "os",
    "runInNewContext": "vm", "runInThisContext": "vm",
}  # fmt: skip
_SHELLS = frozenset(("sh", "bash", "ash", "dash", "zsh", "ksh", "cmd", "cmd.exe", "powershell", "powershell.exe"))
_FETCHERS = (
    "http",
    "https",
    "axios",
    "node-fetch",
    "got",
    "request",
    "needle",
    "superagent",
    "follow-redirects",
    "undici",
    "bent",
)


def called(walk: Walk, node: Node) -> Source | None:
    """Record a call; return the source that its callback's parameters carry."""
    name, subject, given = call_parts(node)
    module, member = _resolved(walk, name, subject)
    handler = _HANDLERS.get(module)
    if handler is not None:
        return handler(walk, node, member, given)
    if subject is None and name in ("eval", "Function", "fetch", "atob"):
        return _global(walk, node, name, given)
    return _host_object(walk, node, name, subject, given)


def _resolved(walk: Walk, name: str, subject: Node | None) -> tuple[str, str]:
    """Return (module, member) of a call as far as the names bound to modules tell."""
    if subject is None:
        module, _, member = walk.modules.get(name, "").partition(".")
        return module, member or name
    inner = subject
    module = required(inner) or walk.modules.get(text_of(inner), "")
    if not module and inner.type == "member_expression" and text_of(inner).endswith(".promises"):
        module = walk.modules.get(text_of(inner).removesuffix(".promises"), "")
    module = module.partition("/")[0] if module.startswith("fs/") else module
    return (module.removesuffix(".promises") or _OWN_MODULES.get(name, "") or _global_module(inner)), name


def _global_module(subject: Node) -> str:
    text = text_of(subject)
    return "Buffer" if text == "Buffer" else ""


# --- modules ----------------------------------------------------------------------------------------------------


def _processes(walk: Walk, node: Node, member: str, given: list[Node]) -> Source | None:
    """child_process: exec takes a shell line, spawn a program and words."""
    command = walk.value(given[0]) if given else None
    if member.startswith("exec") and "File" not in member:
        if command is not None and command.constant:
            walk.shell(command.text, walk.line(node))
        elif command is not None and command.has("download", "connection", "decoded") and command.source is not None:
            walk.emit(node, "executes-code", command.source.kind, member)
        else:
            walk.emit(node, "starts", command)
        return Source("command")
    if member in ("spawn", "spawnSync", "execFile", "execFileSync", "fork"):
        words = given[1].named_children if len(given) > 1 and given[1].type == "array" else []
        texts = [walk.value(w).text for w in words]
        base = command.text.rsplit("/", 1)[-1] if command is not None and command.constant else ""
        if len(texts) > 1 and base in ("sh", "bash"):
            walk.shell(texts[-1], walk.line(node))
        if walk.connected and base in _SHELLS and not [t for t in texts if t not in ("-i", "-l")]:
            walk.emit(node, "executes-code", "connection", f"{member} {base}")  # its streams are all that it could hear
        background = "detached" in text_of(node)
        with walk.recorder.in_background(background):
            walk.emit(node, "starts", command, " ".join(texts) or None)
    return Source("command")


_FILE_ACTIONS = {
    "writeFile": "writes", "appendFile": "writes", "createWriteStream": "writes", "outputFile": "writes",
    "unlink": "deletes", "rm": "deletes", "rmdir": "deletes", "chmod": "changes-mode", "exists": "checks-exists",
    "access": "checks-exists", "utimes": "changes-time",
}  # fmt: skip


def _files(walk: Walk, node: Node, member: str, given: list[Node]) -> Source | None:
    base = member.removesuffix("Sync")
    first = walk.value(given[0]) if given else None
    second = walk.value(given[1]) if len(given) > 1 else None
    action = _FILE_ACTIONS.get(base)
    if action is not None:
        walk.emit(node, action, first, None if base == "createWriteStream" else second)
    elif base in ("copyFile", "copy", "cp", "rename", "move"):
        walk.emit(node, "moves" if base in ("rename", "move") else "copies", second, first)
    if base in ("readFile", "createReadStream"):
        return Source("file", first.text if first is not None else None)
    return None


def _web(walk: Walk, node: Node, member: str, given: list[Node]) -> Source | None:
    url = _url(walk, given[0]) if given else None
    text = text_of(node)[:2000]
    sends = member in ("post", "put", "patch") or "POST" in text[:600] or "PUT'" in text[:600]
    if (
        member
        in ("get", "request", "post", "put", "patch", "stream", "default", "head", "axios", "fetch", "got", "needle")
        or not member
    ):
        walk.emit(
            node, "uploads" if sends else "downloads", url, walk.value(given[1]) if sends and len(given) > 1 else None
        )
        return Source("download", url.text if url is not None else None, member)
    return None


def _url(walk: Walk, node: Node) -> Value:
    """A URL, or an options object with host and path."""
    if node.type != "object":
        return walk.value(node)
    found: dict[str, Value] = {}
    for pair in node.named_children[:50]:
        key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
        if key is not None and value is not None:
            found[text_of(key).strip("'\"")] = walk.value(value)
    host = found.get("url") or found.get("hostname") or found.get("host") or Value("", False)
    port, path = found.get("port"), found.get("path")
    return Value(host.text + (f":{port.text}" if port else "") + (path.text if path else ""), host.constant)


_FACTS = {
    "hostname": "host-name", "userInfo": "users", "networkInterfaces": "interfaces", "platform": "system",
    "release": "system", "cpus": "hardware", "arch": "system", "type": "system", "version": "system",
}  # fmt: skip


def _system(walk: Walk, node: Node, member: str, _: list[Node]) -> Source | None:
    what = _FACTS.get(member)
    if what is not None:
        walk.emit(node, "collects", what, f"os.{member}")
    return None


def _sockets(walk: Walk, node: Node, member: str, given: list[Node]) -> Source | None:
    if member in ("connect", "createConnection") and given:
        values = [walk.value(g) for g in given[:2] if g.type not in ("arrow_function", "function_expression")]
        address = (
            _url(walk, given[0])
            if given[0].type == "object"
            else Value(":".join(v.text for v in reversed(values)), all(v.constant for v in values))
        )
        walk.emit(node, "connects", address, "net")
        walk.connected = Source("connection", address.text, "net")
        return walk.connected
    return None


def _machines(walk: Walk, node: Node, member: str, given: list[Node]) -> Source | None:
    if member.startswith(("runIn", "Script", "compileFunction")):
        _executes(walk, node, given, f"vm.{member}")
    return None


def _buffer(walk: Walk, node: Node, member: str, given: list[Node]) -> Source | None:
    if member == "from" and len(given) > 1 and text_of(given[1]).strip("'\"`") in ("base64", "hex"):
        walk.emit(node, "decodes", walk.value(given[0]), text_of(given[1]).strip("'\"`"))
    return None


# --- globals and Windows Script Host ----------------------------------------------------------------------------


def _executes(walk: Walk, node: Node, given: list[Node], construct: str) -> None:
    code = walk.value(given[-1]) if given else None
    if code is None:
        return
    made = (
        code.source.kind
        if code.has("download", "connection", "decoded", "file", "command") and code.source is not None
        else "variable"
    )
    if made != "variable" or not code.constant:
        walk.emit(node, "executes-code", made if made != "command" else "variable", construct)
    if code.constant:
        walk.code(code.text, walk.line(node))


def _global(walk: Walk, node: Node, name: str, given: list[Node]) -> Source | None:
    if name in ("eval", "Function"):
        _executes(walk, node, given, "new Function" if name == "Function" else "eval")
        return None
    if name == "atob":
        walk.emit(node, "decodes", walk.value(given[0]) if given else None, "base64")
        return None
    return _web(walk, node, "fetch", given)


def _host_object(walk: Walk, node: Node, name: str, subject: Node | None, given: list[Node]) -> Source | None:
    """ActiveX objects: Run, Exec, Open, SaveToFile, RegWrite; and `.then(data => ...)` of a fetch."""
    first = walk.value(given[0]) if given else None
    if name in ("Run", "Exec", "ShellExecute") and subject is not None and first is not None:
        walk.emit(node, "starts", first, walk.value(given[1]) if len(given) > 1 and name == "ShellExecute" else None)
    elif name in ("Open", "open") and len(given) > 1 and first is not None and first.text.upper() in ("GET", "POST"):
        walk.emit(node, "uploads" if first.text.upper() == "POST" else "downloads", walk.value(given[1]))
    elif name == "SaveToFile" and first is not None:
        walk.emit(node, "writes", first)
    elif name == "RegWrite" and first is not None:
        run = "\\run" in first.text.lower()
        walk.emit(node, "persists" if run else "writes", first, walk.value(given[1]) if len(given) > 1 else None)
    elif name in ("then", "on", "once", "pipe", "end") and subject is not None:
        return _carried(walk, subject)
    return None


def _carried(walk: Walk, subject: Node) -> Source | None:
    """Return what `fetch(...).then` and `res.on('data', ...)` hand on."""
    if subject.type == "identifier":
        value = walk.value(subject)
        return value.source
    inner: Node | None = subject
    for _ in range(20):
        if inner is None:
            return None
        name, below, _given = call_parts(inner) if inner.type == "call_expression" else ("", None, [])
        module, _member = _resolved(walk, name, below)
        if name == "fetch" or module in _FETCHERS:
            return Source("download", None, name)
        if inner.type == "identifier":
            return walk.value(inner).source
        inner = below
    return None


Handler = Callable[[Walk, "Node", str, "list[Node]"], Source | None]
_HANDLERS: dict[str, Handler] = {
    "child_process": _processes, "fs": _files, "fs-extra": _files, "os": _system, "net": _sockets, "tls": _sockets,
    "vm": _machines,
    "Buffer": _buffer, **dict.fromkeys(_FETCHERS, _web),
}  # fmt: skip

"""Cmdlets and programs that PowerShell scripts use, by public name and alias."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable

from hinomi.evidence.scripts.powershell.command import COLLECTS, PROVIDERS, QUIET, Command
from hinomi.evidence.scripts.powershell.state import State
from hinomi.evidence.scripts.values import Source, Value, unknown

_RUN_KEY = re.compile(
    r"\\(?:run|runonce|runservices|winlogon|image file execution options|policies\\explorer\\run)(?:\\|$)",
    re.IGNORECASE,
)
_URL = re.compile(r"(?:https?|ftp)://[^\s'\"]{1,500}")
_SWITCH = re.compile(r"/[a-z](?::\w{1,10})?", re.IGNORECASE)  # cmd's own, before the command
_STARTUP = re.compile(r"\\start menu\\programs\\startup|\\startup\\?$|\$profile|\\startup\\", re.IGNORECASE)


def run(state: State, command: Command) -> Value:
    """Record what a command does and return what it gives."""
    name = command.name
    if name.endswith("-item") and any(
        v.text.lower().startswith(PROVIDERS) for v in [*command.words, *command.parameters.values()]
    ):
        return unknown(command.text[:200])
    handler = _HANDLERS.get(name)
    if handler is not None:
        return handler(state, command) or Value("")
    if name in COLLECTS:
        state.emit("collects", command.line, command.text, _what(command, name), name)
        return unknown(command.text[:200])
    if name == "where-object" and command.block_value is not None and command.block_value.source is not None:
        return command.block_value
    if name in QUIET:
        return unknown(command.text[:200], command.piped.source if command.piped is not None else None)
    if command.path.text:
        return _started(state, command)
    return Value("")


_WMI_CLASSES = (
    ("diskdrive", "disk-serial"), ("physicalmedia", "disk-serial"), ("process", "processes"), ("useraccount", "users"),
    ("antivirus", "security-products"), ("networkadapter", "interfaces"), ("product", "software"),
)  # fmt: skip


def _what(command: Command, name: str) -> str:
    text = command.text.lower()
    for word, what in _WMI_CLASSES:
        if word in text and COLLECTS[name] == "hardware":
            return what
    return COLLECTS[name]


def _started(state: State, command: Command) -> Value:
    """Record a program: `& path`, a path, a name with an ending of a program, or `. file`."""
    text = command.path.text.lower()
    if command.operator == "&" and command.path.constant is False and command.path.has("download", "decoded"):
        return _executes(state, command, command.path, "&")
    if command.operator == ".":
        state.emit("sources", command.line, command.text, command.path)
    elif not any(c.isalpha() for c in text):
        return Value("")
    elif (
        command.operator
        or "\\" in text
        or "/" in text
        or text.endswith((".exe", ".bat", ".cmd", ".ps1", ".vbs", ".com"))
        or "-" not in text
    ):
        state.emit("starts", command.line, command.text, command.path, " ".join(w.text for w in command.words) or None)
        made = state.made.get(text)
        if made is not None and made.source is not None:
            state.emit("executes-code", command.line, command.text, made.source.kind, "starts a file it made")
    return unknown(command.text[:200])


# --- code -------------------------------------------------------------------------------------------------------


def _executes(state: State, command: Command, code: Value | None, construct: str) -> Value:
    origin = (
        code.source.kind
        if code is not None and code.has("download", "decoded", "argument", "file") and code.source
        else "variable"
    )
    if code is None or not code.constant or origin != "variable":
        state.emit("executes-code", command.line, command.text, origin, construct)
    if code is not None and code.constant:
        state.run_code(state, code.text, command.line)
    return unknown(command.text[:200])


def _expression(state: State, command: Command) -> Value:
    return _executes(state, command, command.first("command"), "Invoke-Expression")


def _shell(state: State, command: Command) -> Value:
    """powershell.exe -enc, -c, -File."""
    for name, value in command.parameters.items():
        if ("encodedcommand".startswith(name) and name != "" and not "executionpolicy".startswith(name)) or name in (
            "ec",
            "enc",
        ):
            return _encoded(
                state, command, value if value.text != "True" else command.words[-1] if command.words else value
            )
    code = command.get("command") or command.parameters.get("c")
    file = command.get("file") or command.parameters.get("f")
    if code is not None:
        full = (
            " ".join([code.text, *(w.text for w in command.words)])
            if code.text != "True"
            else " ".join(w.text for w in command.words)
        )
        return _executes(state, command, Value(full, code.constant, code.source), "powershell -c")
    target = file if file is not None else command.words[0] if command.words else None
    if target is not None:
        state.emit("starts", command.line, command.text, target, " ".join(w.text for w in command.words[1:]) or None)
    return Value("")


def decoded_command(text: str) -> str | None:
    """Return the text of -EncodedCommand: base64 of UTF-16LE."""
    try:
        return base64.b64decode("".join(text.split()) + "==").decode("utf-16-le")
    except (ValueError, binascii.Error):
        return None


def _encoded(state: State, command: Command, value: Value) -> Value:
    state.emit("decodes", command.line, command.text, value.text[:500], "base64")
    text = decoded_command(value.text) if value.constant else None
    code = (
        Value(text, True, Source("decoded", value.text[:200], "base64"))
        if text is not None
        else unknown(value.text, Source("decoded"))
    )
    return _executes(state, command, code, "-EncodedCommand")


def _remote_block(state: State, command: Command) -> Value:
    host = command.get("computername")
    if host is not None:
        state.emit("connects", command.line, command.text, host, "Invoke-Command")
    if not command.blocks:
        return _executes(state, command, command.first("scriptblock"), "Invoke-Command")
    return Value("")


def _add_type(state: State, command: Command) -> Value:
    code = command.first("typedefinition", "memberdefinition", "path")
    if command.get("assemblyname") is None:
        state.emit(
            "executes-code", command.line, command.text, "file" if command.get("path") else "variable", "Add-Type"
        )
    return code or Value("")


def _cmd(state: State, command: Command) -> Value:
    words = list(command.words)
    while words and _SWITCH.fullmatch(words[0].text):
        words.pop(0)
    if words:
        state.run_code(state, " ".join(w.text for w in words).strip("\"'"), command.line)
    return Value("")


def _start_process(state: State, command: Command) -> Value:
    target, extra = command.first("filepath"), command.get("argumentlist")
    arguments = extra.text if extra is not None else " ".join(w.text for w in command.words[1:])
    base = target.text.lower().rsplit("\\", 1)[-1].removesuffix(".exe") if target is not None else ""
    if base in ("powershell", "pwsh", "cmd") and arguments:
        state.run_code(state, f"{base} {arguments}", command.line)
    state.emit("starts", command.line, command.text, target, arguments or None)
    return Value("")


# --- network and archives ---------------------------------------------------------------------------------------


def _web(state: State, command: Command) -> Value:
    url, target = command.first("uri", "url"), command.get("outfile")
    method, body, file = command.get("method"), command.get("body"), command.get("infile")
    if (method is not None and method.text.lower() in ("post", "put")) or body is not None or file is not None:
        state.emit("uploads", command.line, command.text, url, file if file is not None else body)
    else:
        state.emit("downloads", command.line, command.text, url, target)
    content = unknown(command.text[:200], Source("download", url.text if url is not None else None, command.name))
    if target is not None:
        state.made[target.text.lower()] = content
    return content


def _bits(state: State, command: Command) -> Value:
    source, target = (
        command.first("source"),
        command.get("destination") or (command.words[1] if len(command.words) > 1 else None),
    )
    upload = command.get("transfertype")
    action = "uploads" if upload is not None and "upload" in upload.text.lower() else "downloads"
    state.emit(action, command.line, command.text, source, target)
    return Value("")


def _certutil(state: State, command: Command) -> Value:
    texts = [w.text for w in command.words]
    keys = set(command.parameters) | {t.lower().lstrip("-/") for t in texts}
    found = _URL.search(command.text)
    url = found.group() if found is not None else None
    if url is not None:
        state.emit("downloads", command.line, command.text, url, texts[-1] if texts and texts[-1] != url else None)
    elif keys & {"decode", "decodehex"}:
        state.emit("decodes", command.line, command.text, texts[0] if texts else None, "base64")
    return Value("")


def _expand(state: State, command: Command) -> Value:
    target = command.get("destinationpath") or (command.words[1] if len(command.words) > 1 else None)
    archive = command.first("literalpath", "path")
    state.emit("unpacks", command.line, command.text, archive, target)
    return Value("")


def _compress(state: State, command: Command) -> Value:
    target = command.get("destinationpath") or (command.words[1] if len(command.words) > 1 else None)
    state.emit("repacks", command.line, command.text, target, command.first("path", "literalpath"))
    return Value("")


# --- persistence ------------------------------------------------------------------------------------------------


def _item_property(state: State, command: Command) -> Value:
    path = command.first("path", "literalpath")
    value = command.get("value") or (command.words[-1] if len(command.words) > 2 else None)
    name = command.get("name") or (command.words[1] if len(command.words) > 1 else None)
    if path is not None and _RUN_KEY.search(path.text):
        state.emit(
            "persists", command.line, command.text, f"{path.text}\\{name.text}" if name is not None else path, value
        )
    else:
        state.emit("writes", command.line, command.text, path, value)
    return Value("")


def _reg(state: State, command: Command) -> Value:
    texts = [w.text for w in command.words]
    if len(texts) > 1 and texts[0].lower() == "add":
        lower = [t.lower() for t in texts]
        data = texts[lower.index("/d") + 1] if "/d" in lower[:-1] else None
        name = texts[lower.index("/v") + 1] if "/v" in lower[:-1] else None
        key = texts[1] + (f"\\{name}" if name else "")
        state.emit("persists" if _RUN_KEY.search(texts[1]) else "writes", command.line, command.text, key, data)
    return Value("")


def _schtasks(state: State, command: Command) -> Value:
    texts = [w.text for w in command.words]
    lower = [t.lower() for t in texts]
    if "/create" in lower:
        program = texts[lower.index("/tr") + 1] if "/tr" in lower[:-1] else None
        name = texts[lower.index("/tn") + 1] if "/tn" in lower[:-1] else None
        state.emit("persists", command.line, command.text, f"scheduled task {name or ''}".strip(), program)
        if "/sc" in lower[:-1]:
            state.emit("schedules", command.line, command.text, texts[lower.index("/sc") + 1], program)
    return Value("")


def _task(state: State, command: Command) -> Value:
    name = command.first("taskname")
    state.emit(
        "persists",
        command.line,
        command.text,
        f"scheduled task {name.text if name is not None else ''}".strip(),
        command.get("action"),
    )
    return Value("")


def _new_service(state: State, command: Command) -> Value:
    name, program = command.first("name"), command.get("binarypathname")
    state.emit(
        "persists", command.line, command.text, f"service {name.text if name is not None else ''}".strip(), program
    )
    return Value("")


def _sc(state: State, command: Command) -> Value:
    texts = [w.text.lower() for w in command.words]
    if texts[:1] in (["stop"], ["delete"]) or (texts[:1] == ["config"] and "disabled" in " ".join(texts)):
        state.emit("stops-service", command.line, command.text, texts[1] if len(texts) > 1 else None, "sc")
    elif texts[:1] == ["create"]:
        state.emit(
            "persists", command.line, command.text, f"service {texts[1] if len(texts) > 1 else ''}", " ".join(texts[2:])
        )
    elif command.path.text.lower() == "sc" and texts:
        return _write(state, command)
    return Value("")


# --- files ------------------------------------------------------------------------------------------------------


def _write(state: State, command: Command) -> Value:
    path = command.get("filepath", "path", "literalpath") or (command.words[0] if command.words else None)
    value = command.get("value") or (command.words[1] if len(command.words) > 1 else command.piped)
    _placed(state, command, "writes", path, value)
    if path is not None and value is not None:
        state.made[path.text.lower()] = value
    return Value("")


def _placed(state: State, command: Command, action: str, path: Value | None, detail: Value | None) -> None:
    state.emit(action, command.line, command.text, path, detail)
    if path is not None and (_STARTUP.search(path.text) or ("Startup" in path.text and "Folder" in path.text)):
        state.emit("persists", command.line, command.text, path, detail)


def _copy(action: str) -> Callable[[State, Command], Value]:
    def handle(state: State, command: Command) -> Value:
        target = command.get("destination", "newname") or (command.words[1] if len(command.words) > 1 else None)
        _placed(state, command, action, target, command.first("path", "literalpath"))
        return Value("")

    return handle


def _remove(state: State, command: Command) -> Value:
    state.emit("deletes", command.line, command.text, command.first("path", "literalpath"))
    return Value("")


def _get_content(state: State, command: Command) -> Value:
    path = command.first("path", "literalpath")
    made = state.made.get(path.text.lower()) if path is not None else None
    return made or unknown(command.text[:200], Source("file", path.text if path is not None else None))


def _test_path(state: State, command: Command) -> Value:
    path = command.first("path", "literalpath")
    state.emit("checks-exists", command.line, command.text, path, "Test-Path")
    return unknown(command.text[:200], Source("exists", path.text if path is not None else None))


# --- processes, services, time ----------------------------------------------------------------------------------


def _get_process(state: State, command: Command) -> Value:
    name = command.get("name", "processname") or (command.words[0] if command.words else None)
    if name is None:
        state.emit("collects", command.line, command.text, "processes", "Get-Process")
        return unknown(command.text[:200], Source("processes", None, "Get-Process"))
    state.emit("checks-running", command.line, command.text, name.text.strip("*"), command.name)
    return unknown(command.text[:200], Source("process", name.text.strip("*"), command.name))


def _stop(action: str) -> Callable[[State, Command], Value]:
    def handle(state: State, command: Command) -> Value:
        name = command.get("name", "processname", "im") or command.first("id", "inputobject")
        if command.name == "taskkill":
            texts = [w.text for w in command.words]
            lower = [t.lower() for t in texts]
            picked = next((texts[i + 1] for i, t in enumerate(lower[:-1]) if t in ("/im", "/pid")), None)
            state.emit(action, command.line, command.text, picked, "taskkill")
        else:
            named = name.source.object if name is not None and name.has("process") and name.source else name
            state.emit(action, command.line, command.text, named, command.name)
        return Value("")

    return handle


def _net(state: State, command: Command) -> Value:
    texts = [w.text.lower() for w in command.words]
    if texts[:1] == ["stop"]:
        state.emit("stops-service", command.line, command.text, texts[1] if len(texts) > 1 else None, "net stop")
    elif texts[:1] == ["user"] and "/add" in texts:
        state.emit("adds-account", command.line, command.text, command.words[1].text, "net user")
    elif texts[:1] in (["view"], ["user"], ["localgroup"], ["group"], ["share"], ["use"]):
        state.emit(
            "collects",
            command.line,
            command.text,
            "users" if texts[0] in ("user", "localgroup", "group") else "interfaces",
            "net",
        )
    return Value("")


def _defender(state: State, command: Command) -> Value:
    switches = [k for k in command.parameters if k.startswith(("disable", "exclusion"))]
    if switches:
        state.emit("stops-service", command.line, command.text, "Windows Defender", " ".join(switches))
    return Value("")


def _netsh(state: State, command: Command) -> Value:
    texts = " ".join(w.text.lower() for w in command.words)
    if "wlan" in texts and "show" in texts:
        state.emit(
            "collects",
            command.line,
            command.text,
            "credentials" if "key=clear" in texts else "wireless-networks",
            "netsh wlan",
        )
    elif "firewall" in texts and ("off" in texts or "disable" in texts or "delete" in texts):
        state.emit("stops-service", command.line, command.text, "firewall", "netsh")
    return Value("")


def _sleep(state: State, command: Command) -> Value:
    millis = command.get("milliseconds", "m")
    value = millis if millis is not None else command.first("seconds", "s")
    number = (
        float(value.text)
        if value is not None and value.text.replace(".", "", 1).isdigit() and len(value.text) < 12
        else None
    )
    seconds = number / 1000 if number is not None and millis is not None else number
    state.emit("sleeps", command.line, command.text, f"{seconds:g}" if seconds is not None else None)
    if seconds is not None:
        state.recorder.slept(seconds)
    return Value("")


def _date(_: State, command: Command) -> Value:
    return unknown(command.text[:200], Source("time", None, "Get-Date"))


def _object(state: State, command: Command) -> Value:
    """`New-Object Net.Sockets.TCPClient(host, port)` connects; streams hand on their input."""
    kind = command.first("typename")
    text = kind.text.lower() if kind is not None else ""
    extra = command.get("argumentlist") or (command.words[-1] if len(command.words) > 1 else None)
    if "tcpclient" in text and extra is not None:
        words = [w.text for w in command.words[1:]] or extra.text.split()
        state.emit("connects", command.line, command.text, ":".join(words[:2]), "TCPClient")
        return unknown(command.text[:200], Source("download", extra.text, "TCPClient"))
    return unknown(command.text[:200], extra.source if extra is not None else None)


def _clear_log(state: State, command: Command) -> Value:
    if command.name == "clear-eventlog" or any(w.text.lower() in ("cl", "clear-log") for w in command.words):
        state.emit("clears-log", command.line, command.text, command.first("logname"))
    return Value("")


def _reboot(state: State, command: Command) -> Value:
    state.emit("reboots", command.line, command.text, command.name)
    return Value("")


def _account(state: State, command: Command) -> Value:
    state.emit("adds-account", command.line, command.text, command.first("name"), command.name)
    return Value("")


def _mail(state: State, command: Command) -> Value:
    state.emit("uploads", command.line, command.text, command.get("smtpserver"), command.get("attachments"))
    return Value("")


_HANDLERS: dict[str, Callable[[State, Command], Value]] = {
    "invoke-expression": _expression, "powershell": _shell, "pwsh": _shell, "invoke-command": _remote_block,
    "add-type": _add_type, "cmd": _cmd,
    "start-process": _start_process, "invoke-item": _start_process, "invoke-webrequest": _web,
    "invoke-restmethod": _web, "start-bitstransfer": _bits, "certutil": _certutil,
    "expand-archive": _expand, "compress-archive": _compress, "new-itemproperty": _item_property,
    "set-itemproperty": _item_property, "reg": _reg,
    "schtasks": _schtasks, "register-scheduledtask": _task, "new-service": _new_service, "set-content": _write,
    "add-content": _write,
    "out-file": _write, "tee-object": _write, "copy-item": _copy("copies"), "move-item": _copy("moves"),
    "rename-item": _copy("moves"),
    "remove-item": _remove, "get-content": _get_content, "test-path": _test_path, "get-process": _get_process,
    "get-service": _get_process,
    "stop-process": _stop("kills"), "taskkill": _stop("kills"), "stop-service": _stop("stops-service"),
    "set-service": _stop("stops-service"),
    "net": _net, "net1": _net, "set-mppreference": _defender, "add-mppreference": _defender, "netsh": _netsh,
    "start-sleep": _sleep, "get-date": _date,
    "new-object": _object, "clear-eventlog": _clear_log, "wevtutil": _clear_log, "restart-computer": _reboot,
    "stop-computer": _reboot, "shutdown": _reboot,
    "new-localuser": _account, "send-mailmessage": _mail, "sc": _sc,
}  # fmt: skip

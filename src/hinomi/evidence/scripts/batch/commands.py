"""What the commands of Windows do, by their public names and options."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hinomi.evidence.scripts.powershell.command import COLLECTS

if TYPE_CHECKING:
    from hinomi.evidence.scripts.record import Recorder

_URL = re.compile(r"(?:https?|ftp)://[^\s\"'<>|)]+", re.IGNORECASE)
_RUN_KEY = re.compile(
    r"\\currentversion\\(run|runonce|policies\\explorer\\run|winlogon)|\\image file execution", re.IGNORECASE
)
_OPTION = re.compile(r"/[^/\\]{0,20}")
_QUIET = frozenset(
    "echo rem set setlocal endlocal goto exit cd chdir pushd popd cls title color pause prompt path ver vol mode chcp "
    "shift if else for do in type find findstr sort more dir md mkdir assoc ftype verify break date time where "
    "reg sc net schtasks choice".split()
)


@dataclass(frozen=True, slots=True)
class Command:
    """A command after expansion: its lower-case bare name, the program as written, the other words."""

    name: str
    program: str
    words: list[str]
    text: str
    line: int

    def after(self, *options: str) -> str | None:
        """Return the word behind one of these options, or joined to it by a colon."""
        for at, word in enumerate(self.words):
            low = word.lower()
            if low in options:
                return self.words[at + 1] if at + 1 < len(self.words) else None
            for option in options:
                if low.startswith(option + ":"):
                    return word[len(option) + 1 :]
        return None

    def has(self, *options: str) -> bool:
        """Whether one of these words stands in it."""
        return any(word.lower() in options for word in self.words)

    @property
    def plain(self) -> list[str]:
        """The words that are no options."""
        return [word for word in self.words if not _OPTION.fullmatch(word)]

    @property
    def url(self) -> str | None:
        """The first address in it."""
        found = _URL.search(self.text)
        return found[0] if found else None


Told = tuple[str, str | None, str | None]  # action, object, detail


def told(command: Command) -> list[Told]:
    """Return what a command does; empty for those that only say, ask or steer."""
    known = _KNOWN.get(command.name)
    if known is not None:
        return known(command)
    if command.name in COLLECTS:
        return [("collects", COLLECTS[command.name], command.name)]
    if command.name in _QUIET or not command.name:
        return []
    return [("starts", command.program, " ".join(command.words))]


def record(recorder: Recorder, command: Command, *, background: bool = False) -> None:
    """Put what a command does among the script's actions."""
    for action, what, detail in told(command):
        resolved = "%" not in command.text
        recorder.emit(
            action, command.line, command.text, what=what, detail=detail, resolved=resolved, background=background
        )
        if action == "sleeps" and what:
            recorder.slept(float(what))


def _copies(command: Command) -> list[Told]:
    plain = command.plain
    action = "moves" if command.name in ("move", "ren", "rename") else "copies"
    return [(action, plain[1], plain[0])] if len(plain) > 1 else []


def _deletes(command: Command) -> list[Told]:
    return [("deletes", path, None) for path in command.plain]


def _sleeps(command: Command) -> list[Told]:
    seconds = next((word for word in [command.after("/t"), *command.words] if word and word.isdigit()), None)
    return [("sleeps", seconds[:6], None)] if seconds else []


def _pings(command: Command) -> list[Told]:
    """A ping of oneself is the old way to wait: one a second."""
    count = command.after("-n", "/n")
    here = command.has("127.0.0.1", "localhost", "::1")
    return [("sleeps", str(max(0, int(count[:6]) - 1)), None)] if here and count and count.isdigit() else []


def _kills(command: Command) -> list[Told]:
    name = command.after("/im", "/pid")
    return [("kills", name, "taskkill")] if name else []


def _registry(command: Command) -> list[Told]:
    if not command.words or command.words[0].lower() != "add" or len(command.words) < 2:
        return []
    key, data = command.words[1], command.after("/d")
    if _RUN_KEY.search(key):
        return [("persists", f"{key}\\{command.after('/v') or ''}", data)]
    return [("writes", key, data)]


def _tasks(command: Command) -> list[Told]:
    if not command.has("/create"):
        return []
    run = command.after("/tr")
    return [("persists", f"scheduled task {command.after('/tn') or ''}".strip(), run),
            ("schedules", command.after("/sc"), run)]  # fmt: skip


def _service(command: Command) -> list[Told]:
    words = [word.lower() for word in command.words[:2]]
    if words[:1] == ["create"]:
        found = re.search(r"binpath=\s*\"?([^\"]+)", command.text, re.IGNORECASE)
        return [("persists", f"service {words[1] if len(words) > 1 else ''}".strip(), found[1] if found else None)]
    stops = words[:1] in (["stop"], ["delete"]) or (words[:1] == ["config"] and "disabled" in command.text.lower())
    return [("stops-service", command.words[1], "sc")] if stops and len(words) > 1 else []


def _net(command: Command) -> list[Told]:
    words = command.words
    kind = words[0].lower() if words else ""
    if kind == "stop" and len(words) > 1:
        return [("stops-service", words[1], "net")]
    if kind == "user" and command.has("/add") and len(words) > 1:
        return [("adds-account", words[1], None)]
    if kind == "localgroup" and command.has("/add") and len(command.plain) > 2:
        return [("changes-account", command.plain[2], f"group {command.plain[1]}")]
    return [("collects", "users", "net")] if kind in ("user", "localgroup", "group", "view") else []


def _fetches(command: Command) -> list[Told]:
    """curl and bitsadmin; the destination is the last word that is no address."""
    if command.url is None:
        return []
    target = command.after("-o", "--output")
    if target is None and command.name == "bitsadmin":
        target = command.words[-1]
    return [("downloads", command.url, target)]


def _certutil(command: Command) -> list[Told]:
    if command.url is not None:
        return [("downloads", command.url, command.words[-1])]
    if command.has("-decode", "/decode", "-decodehex", "/decodehex") and len(command.words) > 2:
        kind = "hex" if command.has("-decodehex", "/decodehex") else "base64"
        return [("decodes", command.words[-2], kind), ("writes", command.words[-1], None)]
    return []


def _clears(command: Command) -> list[Told]:
    return [("clears-log", command.words[1], None)] if command.has("cl", "clear-log") and len(command.words) > 1 else []


def _hosted(command: Command) -> list[Told]:
    """Programs of Windows that run what they are given."""
    if command.url is not None:
        return [("downloads", command.url, None), ("executes-code", "download", command.name)]
    if "javascript:" in command.text.lower() or "vbscript:" in command.text.lower():
        return [("executes-code", "variable", command.name)]
    return [("starts", command.words[0] if command.words else command.program, " ".join(command.words[1:]))]


def _shadows(command: Command) -> list[Told]:
    return [("deletes", "shadow copies", command.name)] if command.has("delete") else []


def _firewall(command: Command) -> list[Told]:
    off = command.has("off", "disable") and command.has("advfirewall", "firewall")
    return [("stops-service", "firewall", "netsh")] if off else []


def _mode(command: Command) -> list[Told]:
    signs = [word for word in command.words if word[:1] in "+-"]
    return [("changes-mode", path, " ".join(signs)) for path in command.plain if path[:1] not in "+-" and signs]


def _reboots(command: Command) -> list[Told]:
    return [("reboots", "shutdown", None)] if command.has("/r", "-r", "/s", "-s") else []


def _looks(command: Command) -> list[Told]:
    return [("collects", "processes", "tasklist")]


_KNOWN: dict[str, Callable[[Command], list[Told]]] = {
    **dict.fromkeys(("copy", "xcopy", "robocopy", "move", "ren", "rename"), _copies),
    **dict.fromkeys(("del", "erase", "rd", "rmdir"), _deletes),
    **dict.fromkeys(("mshta", "rundll32", "regsvr32", "wscript", "cscript", "msiexec"), _hosted),
    **dict.fromkeys(("curl", "bitsadmin", "wget"), _fetches),
    **dict.fromkeys(("vssadmin", "wbadmin"), _shadows),
    "timeout": _sleeps, "sleep": _sleeps, "ping": _pings, "taskkill": _kills, "reg": _registry, "schtasks": _tasks,
    "sc": _service, "net": _net, "net1": _net, "certutil": _certutil, "wevtutil": _clears, "netsh": _firewall,
    "attrib": _mode, "shutdown": _reboots, "tasklist": _looks,
}  # fmt: skip

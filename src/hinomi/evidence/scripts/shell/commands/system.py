"""Time, folders, services, modules, logs, what is collected about the machine."""

from __future__ import annotations

from hinomi.evidence.scripts.shell import sinks
from hinomi.evidence.scripts.shell.commands.events import told_without_end
from hinomi.evidence.scripts.shell.conditions import TRUE, test
from hinomi.evidence.scripts.shell.core import Call, Machine, Result
from hinomi.evidence.scripts.shell.registry import handles
from hinomi.evidence.scripts.values import Condition, Source, Value, unknown

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_COLLECTS = {
    "hostname": "host-name", "uname": "system", "whoami": "users", "id": "users", "who": "users", "w": "users",
    "last": "users",
    "users": "users", "getent": "users", "lastlog": "users", "ifconfig": "interfaces", "arp": "interfaces",
    "route": "interfaces",
    "netstat": "sockets", "ss": "sockets", "lspci": "hardware", "dmidecode": "hardware", "lscpu": "hardware",
    "lsblk": "disks",
    "hostnamectl": "host-name", "df": "disks", "lsusb": "hardware", "hdparm": "disk-serial", "ioreg": "hardware",
    "system_profiler": "hardware", "sw_vers": "system", "import": "screen", "scrot": "screen",
    "screencapture": "screen",
    "fbgrab": "screen", "arecord": "audio", "tcpdump": "packets", "unshadow": "credentials",
    "mimipenguin": "credentials",
}  # fmt: skip


def seconds_of(text: str) -> float | None:
    """Return the seconds of `10`, `0.5`, `1m`, `2h`."""
    body, unit = (text[:-1], text[-1]) if text[-1:] in _UNITS else (text, "s")
    whole, _, part = body.partition(".")
    if not (whole.isdigit() or part.isdigit()) or not (whole + part).isdigit() or len(body) > 12:
        return None
    return float(body) * _UNITS[unit]


def slept(machine: Machine, call: Call, seconds: float | None) -> None:
    """Record a sleep and count it for the loop it is in."""
    machine.emit(call, "sleeps", f"{seconds:g}" if seconds is not None else None)
    if seconds is not None:
        machine.recorder.slept(seconds)


@handles("sleep", "usleep", "nanosleep")
def sleep(machine: Machine, call: Call) -> Result:
    """Several words add up; usleep counts microseconds."""
    numbers = [seconds_of(w.text) if w.constant else None for w in call.operands()]
    known = [n for n in numbers if n is not None]
    total = sum(known) if known and len(known) == len(numbers) else None
    slept(machine, call, total / 1e6 if total is not None and call.name == "usleep" else total)
    return Result(conditions=TRUE)


@handles("read")
def read(machine: Machine, call: Call) -> Result:
    """Takes its input's source into the variables; `read -t N` sleeps."""
    wait = call.option("-t")
    if wait is not None and (call.stdin is None or call.stdin.has("file")):
        slept(machine, call, seconds_of(wait.text))
    names = [w.text for w in call.operands("-t", "-p", "-d", "-n", "-N", "-u", "-a", "-i")]
    stream = call.option("-u")
    given = sinks.from_connection(machine, stream.text) if stream is not None else None
    source = given.source if given is not None else call.stdin.source if call.stdin is not None else None
    whole = call.stdin if call.stdin is not None and call.stdin.constant and len(names) == 1 else None
    for name in names[:20]:
        machine.env.assign(name, whole if whole is not None else unknown(f"${name}", source))
    return Result(conditions=(Condition("other", None, call.text[:200]),) if wait is None else TRUE)


@handles("ping", "ping6")
def ping(machine: Machine, call: Call) -> Result:
    """`ping -c N` of the own host is a sleep in disguise."""
    count, words = call.option("-c", "-n"), call.operands("-c", "-n", "-i", "-w", "-W", "-s", "-I", "-q")
    if (
        count is not None
        and count.text.isdigit()
        and words
        and words[0].text in ("127.0.0.1", "localhost", "::1")
        and int(count.text[:6]) > 2
    ):
        slept(machine, call, float(int(count.text[:6]) - 1))
    return Result(conditions=(Condition("other", words[0].known if words else None, call.text[:200]),))


@handles("date")
def date(_: Machine, call: Call) -> Result:
    """The time of day, asked for."""
    return Result(unknown(f"$({call.text[:100]})", Source("time", None, "date")))


@handles("cd", "pushd")
def cd(machine: Machine, call: Call) -> Result:
    """Follows constants."""
    words = call.operands()
    target = machine.env.resolve(words[0]) if words else Value("$HOME", False)
    machine.env.cwd = target.text if target.constant and (target.text.startswith("/") or machine.env.cwd) else None
    if not target.constant:
        machine.env.cwd = target.text if target.text.startswith("/") and "$" in target.text else None
    return Result(conditions=TRUE)


@handles("mkdir", "export", "set", "shift", "trap", "umask", "local", "sync", "mknod", "mkfifo", "popd", "let")
def quiet(machine: Machine, call: Call) -> Result:
    """Nothing to record but what history, arguments and folders say."""
    texts = [a.text for a in call.args]
    if call.name == "set" and texts[:2] == ["+o", "history"]:
        machine.emit(call, "hides-history", "set +o history")
    elif call.name == "set" and texts[:1] == ["--"]:
        machine.env.positional = list(call.args[1:])
    elif call.name == "shift" and machine.env.positional:
        machine.env.positional = machine.env.positional[1:]
    elif (
        call.name == "trap"
        and call.args
        and call.args[0].constant
        and call.args[0].text not in ("-", "")
        and len(texts) > 1
    ):
        machine.code(texts[0], call.line)
    return Result(conditions=TRUE)


@handles("history", "fc")
def history(machine: Machine, call: Call) -> Result | None:
    """`history -c` clears it."""
    if call.flag("c") or call.flag("d"):
        machine.emit(call, "hides-history", "history -c")
    return None


@handles("test", "[", "[[")
def test_command(machine: Machine, call: Call) -> Result:
    """`test` as a command."""
    words = [a for a in call.args if a.text not in ("]", "]]") or not a.constant]
    return Result(conditions=test(machine, list(words), call.line, call.text[:200]))


@handles("ls", "dir", "stat", "file", "vdir")
def listing(machine: Machine, call: Call) -> Result:
    """Asks whether paths exist; a look into /proc is a look at processes."""
    words = call.operands("-I", "-w", "-c", "-f", "-t", "--format")
    if not words:
        return Result(unknown(f"$({call.text[:200]})", Source("file", machine.env.cwd)))
    path = machine.env.resolve(words[0])
    text = call.text[:200]
    if path.text.rstrip("/") == "/proc":
        return Result(unknown(f"$({text})", Source("processes", None, "/proc")))
    if path.text.startswith("/proc/") and path.text.split("/")[2] not in ("self", "sys", "net", "bus", "mounts"):
        return _proc_listing(machine, call, path)
    machine.emit(call, "checks-exists", path, call.name)
    return Result(
        unknown(f"$({text})", Source("exists", path.text, call.name)), (Condition("exists", path.text, text),)
    )


def _proc_listing(machine: Machine, call: Call, path: Value) -> Result:
    name = path.source.object if path.source is not None and path.source.kind in ("process", "pid-file") else None
    text = call.text[:200]
    if name is None:
        return Result(unknown(f"$({text})", Source("processes", path.text, "/proc")))
    machine.emit(call, "checks-running", name, "/proc")
    return Result(unknown(f"$({text})", Source("process", name, "/proc")), (Condition("process", name, text),))


@handles("reboot", "shutdown", "halt", "poweroff", "telinit")
def reboot(machine: Machine, call: Call) -> Result:
    """The machine goes down."""
    machine.emit(call, "reboots", call.name)
    return Result()


@handles("kexec", "init")
def kexec(machine: Machine, call: Call) -> Result | None:
    """`kexec -e` boots another kernel, `init 6` reboots."""
    if call.name == "kexec" and call.args:
        machine.emit(call, "reboots", "kexec", call.option("-l", "--initrd", "--load"))
    elif call.args and call.args[0].text in ("0", "6"):
        machine.emit(call, "reboots", "init")
    return None


@handles("insmod", "modprobe", "kldload", "kmodload")
def module(machine: Machine, call: Call) -> Result | None:
    """Loads a kernel module unless it removes one."""
    words = call.operands("-d", "-S", "-C")
    if words and not call.flag("r", "--remove", "--dry-run"):
        machine.emit(call, "loads-module", machine.env.resolve(words[0]) if "/" in words[0].text else words[0])
    return None


@handles(*_COLLECTS)
def collects(machine: Machine, call: Call) -> Result:
    """Facts about the machine, taken."""
    what = _COLLECTS[call.name]
    if (
        call.name in ("ifconfig", "route", "hostname", "arp", "hostnamectl")
        and len([a for a in call.operands() if a.text != "show"]) > 1
    ):
        return Result()
    machine.emit(call, "collects", what, call.name)
    serves = what == "sockets" and (call.flag("l", "--listening") or call.flag("p", "--processes", "--program"))
    return Result(unknown(f"$({call.text[:200]})", Source("processes", None, call.name) if serves else None))


@handles("ip")
def ip(machine: Machine, call: Call) -> Result:
    """`ip addr`, `ip route` show; with `add` they change."""
    texts = {a.text for a in call.args}
    if not texts & {"add", "del", "set", "change", "replace", "flush", "up", "down", "append", "delete"}:
        machine.emit(call, "collects", "interfaces", "ip")
    return Result(unknown(f"$({call.text[:200]})"))


# --- services ---------------------------------------------------------------------------------------------------


_ASKS = ("is-active", "status")
_VERBS = {
    "stop": "stops-service", "disable": "stops-service", "mask": "stops-service", "kill": "stops-service",
    "unload": "stops-service", "down": "stops-service", "enable": "persists", "load": "persists",
    "bootstrap": "persists", "add": "persists", "start": "starts", "restart": "starts",
}  # fmt: skip


@handles(
    "systemctl",
    "service",
    "rc-service",
    "initctl",
    "sv",
    "launchctl",
    "invoke-rc.d",
    "deb-systemd-invoke",
    "svc",
    "rc-update",
)
def service(machine: Machine, call: Call) -> Result | None:
    """Verbs: stop, disable, mask; enable; is-active asks."""
    words = call.operands("-H", "-M", "-t", "-n", "-o", "-p")
    verb = next((w.text for w in words if w.text in _VERBS or w.text in _ASKS), "")
    names = [w for w in words if w.text != verb]
    name = names[0] if names else None
    if verb in _ASKS:
        text = call.text[:200]
        asked = name.text.removesuffix(".service") if name is not None else None
        machine.emit(call, "checks-running", asked, f"{call.name} {verb}")
        return Result(unknown(f"$({text})", Source("process", asked, call.name)), (Condition("process", asked, text),))
    action = _VERBS.get(verb)
    if (
        action is not None
        and name is not None
        and name.text
        and not (action == "persists" and call.name in ("service", "sv"))
    ):
        machine.emit(call, action, name, f"{call.name} {verb}")
    return None


@handles("update-rc.d", "chkconfig", "rc-config", "insserv", "ntsysv")
def boot_links(machine: Machine, call: Call) -> Result | None:
    """Switches an init script on or off."""
    words = [w for w in call.operands("--level") if w.text != "add"]
    if call.name == "chkconfig" and call.flag("", "--add"):
        machine.emit(call, "persists", words[0] if words else None, "chkconfig --add")
        return None
    if not words or not words[0].text:
        return None
    off = {w.text for w in words[1:]} & {"remove", "disable", "off"} or call.flag("", "--del", "--list")
    if not off and (call.name != "chkconfig" or len(words) > 1):
        machine.emit(call, "persists", words[0], call.text[:200])
    elif {w.text for w in words[1:]} & {"disable", "off"}:
        machine.emit(call, "stops-service", words[0], call.name)
    return None


@handles("setenforce", "ufw", "iptables", "auditctl", "swapoff_", "firewall-cmd")
def defences(machine: Machine, call: Call) -> Result | None:
    """Switching a protection off."""
    texts = [a.text for a in call.args]
    if (call.name, texts[:1]) in (("setenforce", ["0"]), ("ufw", ["disable"]), ("iptables", ["-F"])) or (
        call.name == "auditctl" and "-D" in texts
    ):
        machine.emit(call, "stops-service", call.name, " ".join(texts)[:200])
    return None


@handles("journalctl")
def journal(machine: Machine, call: Call) -> Result | None:
    """Vacuuming throws old entries away."""
    if any(o.startswith("--vacuum") or o == "--rotate" for o in call.options()):
        machine.emit(call, "clears-log", "journal", " ".join(call.options()))
    return told_without_end(call) if call.flag("f", "--follow") else None


@handles("dmesg")
def dmesg(machine: Machine, call: Call) -> Result | None:
    """`dmesg -c` clears the kernel's log."""
    if call.flag("C", "--clear") or call.flag("c", "--read-clear"):
        machine.emit(call, "clears-log", "dmesg")
    return told_without_end(call) if call.flag("w", "--follow", "--follow-new") else None

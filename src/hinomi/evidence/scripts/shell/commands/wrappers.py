"""Commands that start another command: what counts is the command they start."""

from __future__ import annotations

from dataclasses import replace

from hinomi.evidence.scripts.shell import sinks
from hinomi.evidence.scripts.shell.commands.execution import ran
from hinomi.evidence.scripts.shell.commands.system import seconds_of
from hinomi.evidence.scripts.shell.core import Call, Machine, Result
from hinomi.evidence.scripts.shell.registry import handles
from hinomi.evidence.scripts.shell.simple import again
from hinomi.evidence.scripts.values import Condition, Value

# name -> (options that take a value, words to skip before the command)
_PLAIN: dict[str, tuple[tuple[str, ...], int]] = {
    "nohup": ((), 0), "setsid": ((), 0), "nice": (("-n", "--adjustment"), 0), "ionice": (("-c", "-n", "-p"), 0),
    "timeout": (("-s", "-k", "--signal", "--kill-after"), 1), "stdbuf": (("-i", "-o", "-e"), 0),
    "sudo": (("-u", "-g", "-C", "-h", "-p", "-U", "-r", "-t", "-D"), 0),
    "doas": (("-u", "-C"), 0), "busybox": ((), 0), "toybox": ((), 0), "time": (("-f", "-o"), 0), "builtin": ((), 0),
    "chrt": (("-p",), 1), "taskset": (("-c", "-p"), 1), "unshare": (("-S", "-G", "-R", "-w"), 0),
    "nsenter": (("-t", "-S", "-G", "-r", "-w"), 0),
    "chpst": (("-u", "-U", "-b", "-e", "-n", "-l", "-L"), 0), "setuidgid": ((), 1), "gosu": ((), 1),
    "su-exec": ((), 1), "proxychains": (("-f",), 0),
    "proxychains4": (("-f",), 0), "torsocks": ((), 0), "catchsegv": ((), 0),
    "strace": (("-e", "-o", "-p", "-s", "-u"), 0), "ltrace": (("-e", "-o"), 0),
    "watch": (("-n", "-d", "--interval"), 0),
    "fakeroot": (("-l", "-s", "-i"), 0), "linux32": ((), 0), "linux64": ((), 0), "setarch": ((), 0),
    "numactl": ((), 0), "dbus-run-session": ((), 0), "systemd-inhibit": ((), 0), "unbuffer": ((), 0),
    "command_": ((), 0), "cgexec": (("-g",), 0), "tsocks": ((), 0), "pkexec": (("--user",), 0),
    "softlimit": (("-d", "-m"), 0), "exec_": ((), 0), "catatonit": ((), 0), "tini": ((), 0), "dumb-init": ((), 0),
    "then": ((), 0), "do": ((), 0), "else": ((), 0),
    "daemonize": (("-p", "-l", "-c", "-u", "-o", "-e", "-E", "-a"), 0), "runcon": (("-t", "-u", "-r", "-l"), 1),
    "setpriv": (("--reuid", "--regid"), 0), "sg": ((), 1), "capsh": ((), 99),
}  # fmt: skip
_BACKGROUND = frozenset({"nohup", "setsid", "daemonize"})


_NOTHING = frozenset(("true", ":", "/bin/true", "/usr/bin/true"))


def _after_options(call: Call, with_value: tuple[str, ...], skip: int) -> list[Value]:
    """Return the words of the inner command."""
    words = list(call.args)
    while words and words[0].text.startswith("-") and len(words[0].text) > 1:
        option = words.pop(0).text
        if option == "--":
            break
        if option in with_value and words:
            words.pop(0)
    return words[skip:]


@handles(*_PLAIN)
def plain(machine: Machine, call: Call) -> Result:
    """Take the wrapper off."""
    with_value, skip = _PLAIN[call.name]
    words = _after_options(call, with_value, skip)
    while (
        words
        and call.name in ("sudo", "doas", "time")
        and "=" in words[0].text
        and "/" not in words[0].text.partition("=")[0]
    ):
        words.pop(0)
    if call.name == "watch" and words:
        return _watched(machine, call, words)
    if call.name == "unshare" and not words:
        return Result()
    return again(machine, call, words, background=call.name in _BACKGROUND)


def _watched(machine: Machine, call: Call, words: list[Value]) -> Result:
    """`watch -n 10 cmd` is a loop."""
    with machine.recorder.looping(endless=True) as loop:
        loop.sleeps = seconds_of((call.option("-n", "--interval") or Value("2")).text) or 2.0
        return machine.code(" ".join(w.text for w in words), call.line)


@handles("env")
def env(machine: Machine, call: Call) -> Result:
    """`env -i NAME=value cmd`."""
    words = _after_options(call, ("-u", "-C", "-S"), 0)
    settings = list(call.settings)
    while words and "=" in words[0].text and words[0].text.partition("=")[0].isidentifier():
        name, _, value = words[0].text.partition("=")
        sinks.exported(machine, name, Value(value, words[0].constant), call.line, call.text)
        settings.append((name, Value(value)))
        words.pop(0)
    return again(machine, replace(call, settings=tuple(settings)), words) if words else Result()


@handles("su", "runuser", "script", "flock", "sem", "lockf", "setlock")
def with_code(machine: Machine, call: Call) -> Result:
    """`su -c 'code' user`, `script -c`, `flock file cmd`."""
    code = call.option("-c", "--command", "--session-command")
    if code is not None:
        return ran(machine, call, code, f"{call.name} -c")
    words = _after_options(call, ("-w", "-E", "-u", "-g", "-s", "--user", "--shell"), 0)
    if call.name in ("flock", "lockf", "setlock"):
        return _locked(machine, call, words)
    if call.name == "runuser" and call.option("-u", "--user") is not None:
        return again(machine, call, words)
    return Result()


def _locked(machine: Machine, call: Call, words: list[Value]) -> Result:
    """`flock file cmd`; `flock -n file true` runs nothing: it asks whether another holds the lock."""
    free = call.flag("n", "--nonblock", "--nb") or call.name == "setlock"
    if free and len(words) > 1 and words[1].text in _NOTHING:
        name = machine.env.resolve(words[0]).text.rsplit("/", 1)[-1].removesuffix(".lock").removesuffix(".pid")
        machine.emit(call, "checks-running", name, call.name)
        return Result(conditions=(Condition("process", name, call.text[:200], False),))
    return again(machine, call, words[1:])


@handles("chroot", "systemd-nspawn", "arch-chroot", "fakechroot", "schroot")
def chroot(machine: Machine, call: Call) -> Result:
    """Accounts added inside belong to the system in that folder."""
    words = _after_options(call, ("-D", "-i", "--userspec", "--groups"), 0)
    if not words:
        return Result()
    kept, machine.chroot = machine.chroot, machine.env.resolve(words[0]).text
    try:
        return again(machine, call, words[1:]) if len(words) > 1 else Result()
    finally:
        machine.chroot = kept


@handles("start-stop-daemon")
def start_stop_daemon(machine: Machine, call: Call) -> Result | None:
    """`--start --exec program -- arguments`; it starts nothing that already runs."""
    program = call.option("-x", "--exec", "-a", "--startas")
    name = call.option("-n", "--name")
    target = program if program is not None else name
    if call.flag("K", "--stop") or call.flag("H", "--status"):
        if call.flag("K", "--stop"):
            machine.emit(call, "kills", target, (call.option("-s", "--signal") or Value("TERM")).text)
        return None
    if program is None:
        return None
    split = next((i for i, a in enumerate(call.args) if a.text == "--"), len(call.args))
    inner = replace(call, name=program.text.rsplit("/", 1)[-1], path=program, args=call.args[split + 1 :])
    return sinks.started(machine, inner, background=True)


@handles("daemon", "start_daemon", "startproc", "start_daemon_", "launch")
def daemon(machine: Machine, call: Call) -> Result:
    """Red Hat's and LSB's functions that start a daemon."""
    return again(machine, call, _after_options(call, ("-n", "-p", "-u", "-f"), 0), background=True)


@handles("parallel", "run-parts")
def many(machine: Machine, call: Call) -> Result | None:
    """`run-parts folder` starts what is in it."""
    words = call.operands("-a", "-u", "-j")
    if call.name == "run-parts" and words and not call.flag("", "--list", "--test"):
        machine.emit(call, "starts", machine.env.resolve(words[0]), "run-parts")
    return None


@handles("screen", "tmux", "dtach", "abduco")
def terminal(machine: Machine, call: Call) -> Result:
    """`screen -dmS name cmd`."""
    words = _after_options(call, ("-S", "-t", "-s", "-c", "-L", "-dmS", "-n", "-A"), 0)
    if call.name == "tmux":
        words = [w for w in words[1:] if w.text not in ("-d",)] if words and words[0].text.startswith("new") else []
        words = words[-1:]
        return machine.code(words[0].text, call.line) if words and words[0].constant else Result()
    return again(machine, call, words, background=True) if words else Result()

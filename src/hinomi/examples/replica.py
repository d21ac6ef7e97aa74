"""An inert replica of the compromised appliance: text that nobody runs and programs that do nothing.

It holds a small vendor system and, beside it, the traces that public reports describe for the 2021-2023 campaign
against mail and access gateways: two scripts that restart each other, a reverse-shell program, a patched vendor daemon,
a credential query, an account with root's number and a loop that carries all of it into the next firmware.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

from hinomi.detect.inert import elf
from hinomi.examples import idioms
from hinomi.examples.names import Names, names

_STOP = "/sbin/shutdown -h now"
_LIBC = ("strlen", "memcpy", "printf", "malloc", "free", "open", "read", "write", "close", "syslog", "exit")
_SHELL_LIBC = (
    *_LIBC,
    "socket",
    "connect",
    "fork",
    "setsid",
    "dup2",
    "execl",
    "openpty",
    "select",
    "gethostbyname",
    "putenv",
)
_APPLETS = ("busybox", "sh", "bash", "sed", "gzip", "mount", "sqlite3", "pidof", "find", "date")

Tree = dict[str, tuple[bytes, int]]  # path -> content and permission bits


def build_replica(folder: Path, seed: int = 0) -> None:
    """Write the replica's files under `folder` (made if missing); the same seed gives the same bytes."""
    write_tree(folder, compromised_tree(seed))


def build_clean_appliance(folder: Path, seed: int = 0) -> None:
    """Write the same vendor system as it left the factory."""
    write_tree(folder, vendor_tree(names(seed)))


def write_tree(folder: Path, tree: Tree) -> None:
    """Write a tree of absolute paths under `folder`."""
    for path, (content, mode) in sorted(tree.items()):
        place = folder / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        place.chmod(mode)


def compromised_tree(seed: int) -> Tree:
    """Return the vendor's files with the intrusion on top."""
    chosen, rng = names(seed), Random(seed)
    tree = vendor_tree(chosen)
    tree |= _implant(chosen, rng)
    tree[f"/usr/sbin/{chosen.vendor}"] = (_vendor_daemon(chosen, _call(chosen)), 0o755)
    tree["/etc/passwd"] = (_passwd(chosen.account), 0o644)
    tree["/etc/shadow"] = (_shadow(chosen.account), 0o600)
    boot = _boot_script() + idioms.boot_line(rng, chosen) + "exit 0\n"
    tree[chosen.boot_file] = (boot.encode(), 0o755)
    loot = "".join(f"user{n}|5f4dcc3b5aa765d61d8327deb882cf{n:02d}\n" for n in range(12))
    tree[chosen.loot] = (loot.encode(), 0o644)
    return tree


def vendor_tree(chosen: Names) -> Tree:
    """Return a small appliance as a vendor ships it."""
    tree: Tree = {f"/bin/{name}": (elf([f"{name} applet", "/dev/null"], imports=_LIBC), 0o755) for name in _APPLETS}
    for name in chosen.vendor_peers:
        strings = [f"{name}: starting", f"/var/run/{name}.pid", "/etc/appliance.conf", "/sbin/shutdown -r now"]
        tree[f"/usr/sbin/{name}"] = (elf(strings, imports=_LIBC), 0o755)
    tree[f"/usr/sbin/{chosen.vendor}"] = (_vendor_daemon(chosen, _STOP), 0o755)
    tree["/sbin/shutdown"] = (elf(["Power down."], imports=_LIBC), 0o755)
    tree["/lib/libportal.so.1"] = (elf(["portal"], imports=_LIBC), 0o755)
    tree["/etc/passwd"] = (_passwd(None), 0o644)
    tree["/etc/shadow"] = (_shadow(None), 0o600)
    tree["/etc/group"] = (b"root:x:0:\nnobody:x:65534:\nwww:x:80:\n", 0o644)
    tree["/etc/appliance.conf"] = (b"model=gateway\nversion=10.2.1.5-34sv\n", 0o644)
    start = "".join(f"/usr/sbin/{name} &\n" for name in (*chosen.vendor_peers, chosen.vendor))
    tree["/etc/init.d/S20services"] = ((_boot_script() + start).encode(), 0o755)
    tree[chosen.boot_file] = ((_boot_script() + "exit 0\n").encode(), 0o755)
    return tree


def _boot_script() -> str:
    return "#!/bin/sh\n# started at the end of boot\nmount -t tmpfs none /tmp\n/sbin/ifconfig lo up 127.0.0.1\n"


def _call(chosen: Names) -> str:
    """The helper's path in place of the shut-down program's, same length where it fits."""
    stop, arguments = _STOP.split(" ", 1)
    return f"{chosen.folder}/{chosen.helper}".ljust(len(stop)) + " " + arguments


def _vendor_daemon(chosen: Names, stop: str) -> bytes:
    strings = [
        f"{chosen.vendor}: starting",
        f"/var/run/{chosen.vendor}.pid",
        "/etc/appliance.conf",
        "health check failed",
        stop,
    ]
    return elf(strings, imports=(*_LIBC, "system"))


def _passwd(extra: str | None) -> bytes:
    lines = [
        "root:x:0:0:root:/root:/bin/sh",
        "nobody:x:65534:65534::/:/bin/false",
        "www:x:80:80:portal:/var/www:/bin/false",
    ]
    if extra:
        lines.append(f"{extra}:x:0:0::/root:/bin/sh")
    return ("\n".join(lines) + "\n").encode()


def _shadow(extra: str | None) -> bytes:
    lines = ["root:$6$inert$notahash:19000:0:99999:7:::", "nobody:*:19000:0:99999:7:::", "www:!:19000:0:99999:7:::"]
    if extra:
        lines.append(f"{extra}:$6$inert$notahash:19000:0:99999:7:::")
    return ("\n".join(lines) + "\n").encode()


def _implant(chosen: Names, rng: Random) -> Tree:
    keep, take = chosen.folder, (chosen.main, chosen.twin)
    scripts = {take[0]: _watcher(chosen, rng, rng.randint(0, 9), take[1])}
    scripts[take[1]] = _watcher(chosen, rng, rng.randint(0, 9), take[0])
    if chosen.near_copy:
        scripts[take[1]] = _swapped(scripts[take[0]], take)
    scripts[chosen.hook] = "#!/bin/bash\n" + idioms.endless(rng, chosen.interval, idioms.firmware_hook(rng, chosen))
    scripts[chosen.helper] = f"#!/bin/bash\n# graceful shut-down\nkillall {chosen.main} {chosen.twin}\nsync\nreboot\n"
    tree: Tree = {f"{keep}/{name}": (text.encode(), 0o755) for name, text in scripts.items()}
    tree[f"{keep}/{chosen.implant}"] = (_reverse_shell(chosen), 0o755)
    return tree


def _swapped(script: str, take: tuple[str, str]) -> str:
    """The first script with both names exchanged: the near copy that the reports describe."""
    return script.replace(take[1], "\0").replace(take[0], take[1]).replace("\0", take[0])


def _watcher(chosen: Names, rng: Random, style: int, other: str) -> str:
    """One of the two scripts; both do the same and look after each other. `style` keeps their idioms apart."""
    own = Random(style)
    body = idioms.keep_running(own, chosen.folder, other)
    body += idioms.keep_running(own, chosen.folder, chosen.hook)
    body += idioms.call_back(rng, chosen)
    body += idioms.take_credentials(rng, chosen)
    patch = idioms.patch_vendor(rng, chosen, _STOP, _call(chosen))
    return "#!/bin/bash\n" + patch + idioms.endless(rng, chosen.watch_interval, body)


def _reverse_shell(chosen: Names) -> bytes:
    strings = [
        "/bin/sh", "exec", "HISTFILE=", "TERM=", "/dev/ptmx", chosen.host, "s:p:c::",
        "usage: [ -s secret ] [ -p port ]",
    ]  # fmt: skip
    return elf(strings, imports=_SHELL_LIBC)

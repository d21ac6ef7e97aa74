"""Mounts, images and accounts: what changes the system's own tables."""

from __future__ import annotations

import re

from hinomi.evidence.scripts.shell.core import Call, Machine, Result
from hinomi.evidence.scripts.shell.registry import handles
from hinomi.evidence.scripts.values import Condition, Value

_CLUSTER = re.compile(r"-[a-zA-Z]+u(\d*)")


@handles("mount", "guestmount", "fuse2fs", "ext4fuse", "squashfuse", "ntfs-3g")
def mount(machine: Machine, call: Call) -> Result | None:
    """`mount -o loop image point`."""
    words = call.operands("-o", "-t", "-a", "-m", "-L", "-U", "-O", "--options", "--types")
    if len(words) >= 2:
        machine.emit(call, "mounts", machine.env.resolve(words[-1]), machine.env.resolve(words[-2]))
    elif words and call.options():
        machine.emit(call, "mounts", machine.env.resolve(words[0]))
    return None


@handles("umount", "fusermount", "guestunmount", "fusermount3")
def umount(machine: Machine, call: Call) -> Result | None:
    """`umount point`."""
    for point in call.operands("-t", "-O")[:20]:
        machine.emit(call, "unmounts", machine.env.resolve(point))
    return None


_PUTS = re.compile(r"^\s*write\s+(\S+)\s+(\S+)", re.MULTILINE)


@handles("debugfs", "guestfish", "e2cp", "mcopy", "virt-copy-in", "virt-customize")
def inside_image(machine: Machine, call: Call) -> Result | None:
    """An image changed without mounting it: `debugfs -w -R "write a b" img`, `e2cp a img:/b`, `mcopy -i img a ::`."""
    words = call.operands("-R", "-f", "-b", "-s", "-i", "-a", "-O", "-G", "-P")
    if call.name == "debugfs":
        if not call.flag("w") or not words:
            return None
        orders = call.option("-R") or machine.made.get((call.option("-f") or Value("")).text) or call.stdin or Value("")
        return _changed(machine, call, words[-1], [(Value(m[1]), Value(m[2])) for m in _PUTS.finditer(orders.text)])
    if call.name == "e2cp":
        image, colon, inside = words[-1].text.partition(":") if words else ("", "", "")
        return _changed(machine, call, Value(image), [(w, Value(inside)) for w in words[:-1]]) if colon else None
    image_word = call.option("-i", "-a")
    if image_word is None or not words or (call.name == "mcopy" and not words[-1].text.startswith("::")):
        return None
    return _changed(machine, call, image_word, [(w, words[-1]) for w in words[:-1]])


def _changed(machine: Machine, call: Call, image: Value, put: list[tuple[Value, Value]]) -> Result:
    """Record that files are put into an image: it is opened, changed and whole again."""
    full = machine.env.resolve(image)
    machine.emit(call, "unpacks", full, call.name)
    for source, target in put[:50]:
        machine.emit(call, "copies", target, machine.env.resolve(source))
    machine.emit(call, "repacks", full, call.name)
    return Result()


# --- accounts ---------------------------------------------------------------------------------------------------


def _root(machine: Machine, call: Call) -> str:
    root = call.option("-R", "--root", "-P", "--prefix")
    return machine.env.resolve(root).text if root is not None else machine.chroot or "/"


def _user_number(call: Call) -> Value | None:
    """`-u 0`, `--uid=0`, and `u` as the last of several letters: `-ou0`, `-ou 0`."""
    given = call.option("-u", "--uid")
    if given is not None:
        return given
    for index, word in enumerate(call.args):
        found = _CLUSTER.fullmatch(word.text)
        if found and found[1]:
            return Value(found[1], word.constant)
        if found and index + 1 < len(call.args):
            return call.args[index + 1]
    return None


@handles("useradd", "adduser", "luseradd", "newusers")
def useradd(machine: Machine, call: Call) -> Result | None:
    """The last word is the name."""
    words = call.operands(
        "-u", "-g", "-G", "-d", "-s", "-c", "-e", "-f", "-k", "-K", "-p", "-R", "-P", "-h",
        "--uid", "--gid", "--groups", "--home", "--home-dir", "--shell", "--gecos", "--comment", "--password",
        "--ingroup", "--root",
    )  # fmt: skip
    if not words:
        return None
    uid = _user_number(call)
    name = words[0] if call.name == "adduser" and len(words) > 1 else words[-1]
    if call.name == "adduser" and len(words) == 2 and not call.options():
        machine.emit(call, "changes-account", name, f"group {words[1].text}")
        return None
    machine.emit(call, "adds-account", name, f"uid {uid.text if uid is not None else '?'}; {_root(machine, call)}")
    if call.option("-p", "--password") is not None:
        machine.emit(call, "changes-password", name)
    return None


@handles("usermod", "chsh", "gpasswd", "vipw")
def usermod(machine: Machine, call: Call) -> Result | None:
    """`usermod -u 0 -o name` makes a second root."""
    words = call.operands(
        "-u", "-g", "-G", "-d", "-s", "-c", "-e", "-f", "-p", "-R", "-l", "-a", "--uid", "--shell", "--password"
    )
    if not words:
        return None
    uid, password = _user_number(call), call.option("-p", "--password")
    if uid is not None and uid.text == "0":
        machine.emit(call, "adds-account", words[-1], f"uid 0; {_root(machine, call)}")
    else:
        machine.emit(call, "changes-account", words[-1], " ".join(call.options()) or None)
    if password is not None:
        machine.emit(call, "changes-password", words[-1])
    return None


@handles("passwd", "chpasswd", "smbpasswd", "htpasswd")
def passwd(machine: Machine, call: Call) -> Result | None:
    """`echo name:pw | chpasswd`, `passwd name`."""
    if call.name == "passwd" and ({"-S", "-l", "-a", "--status", "--lock", "-e"} & set(call.options())):
        return None
    words = call.operands("-c", "-R", "-n", "-x", "-w", "-i", "-s")
    if words:
        machine.emit(call, "changes-password", words[-1])
    elif call.stdin is not None:
        for line in call.stdin.text.splitlines()[:20] or [""]:
            machine.emit(call, "changes-password", line.partition(":")[0] if ":" in line else None)
    return None


@handles("userdel", "deluser")
def userdel(machine: Machine, call: Call) -> Result | None:
    """Removing an account."""
    words = call.operands("-R")
    if words:
        machine.emit(call, "changes-account", words[0], "delete")
    return Result(conditions=(Condition("other", None, call.text[:200]),))

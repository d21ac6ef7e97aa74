"""Every attribute that a baseline names: recorded, and a change of nothing else is reported under its name."""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hinomi.detect.catalogue import load_rules
from hinomi.flow import baselines
from hinomi.store.case import Case
from hinomi.watch.baseline.entries import ATTRIBUTES, PLACE
from hinomi.watch.signing import new_key

NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
FOLLOWS = {"ctime", "blocks"}  # the kernel changes them with everything else
LABEL, ACL = "security.selinux", "system.posix_acl_access"
_GET_FLAGS, _SET_FLAGS = 0x80086601, 0x40086602
NO_DUMP = 0x40


def set_attribute(name: str, value: bytes) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        try:
            os.setxattr(path, name, value)
        except OSError as error:
            pytest.skip(f"{name}: {error.strerror}")

    return change


def acl(mask: int) -> bytes:
    """POSIX ACL as the kernel keeps it: version, then tag, permissions, number of each entry."""
    anyone = 0xFFFFFFFF
    entries = [(1, 6, anyone), (2, 4, 65534), (4, 4, anyone), (0x10, mask, anyone), (0x20, 4, anyone)]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def capability(permitted: int) -> bytes:
    return struct.pack("<IIIII", 0x02000001, permitted, 0, 0, 0)


def flag(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        flags = int.from_bytes(fcntl.ioctl(fd, _GET_FLAGS, bytes(8))[:4], "little")
        fcntl.ioctl(fd, _SET_FLAGS, struct.pack("<Q", flags ^ NO_DUMP))
    except OSError as error:
        pytest.skip(f"no inode flags here: {error.strerror}")
    finally:
        os.close(fd)


def same_bytes_new_file(path: Path) -> None:
    """A new inode with everything else as it was."""
    info = path.stat()
    other = path.with_name("other")
    shutil.copy2(path, other)
    os.utime(other, ns=(info.st_atime_ns, info.st_mtime_ns))
    os.replace(other, path)


def other_bytes(path: Path) -> None:
    """The same size and times, another content."""
    info = path.stat()
    path.write_bytes(path.read_bytes().replace(b"1", b"2"))
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))


def larger(path: Path) -> None:
    info = path.stat()
    with path.open("ab") as file:
        file.write(b"more\n")
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))


def other_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("b")


def other_kind(path: Path) -> None:
    path.unlink()
    path.mkdir()


def other_device(path: Path) -> None:
    path.unlink()
    os.mknod(path, 0o600 | 0o020000, os.makedev(1, 5))


# name of the attribute -> what makes the file, what changes it, which others change with it by nature
CASES: dict[str, tuple[Callable[[Path], object], Callable[[Path], object], set[str]]] = {
    "kind": (lambda p: p.write_bytes(b""), other_kind, {"inode", "mtime", "btime", "mode", "size", "links", "sha256"}),
    "mode": (lambda p: p.write_bytes(b"1"), lambda p: p.chmod(0o604), set()),
    "uid": (lambda p: p.write_bytes(b"1"), lambda p: os.chown(p, 1234, -1), set()),
    "gid": (lambda p: p.write_bytes(b"1"), lambda p: os.chown(p, -1, 1234), set()),
    "size": (lambda p: p.write_bytes(b"1"), larger, {"sha256"}),
    "inode": (lambda p: p.write_bytes(b"1"), same_bytes_new_file, {"btime"}),
    "links": (lambda p: p.write_bytes(b"1"), lambda p: os.link(p, p.with_name("second")), set()),
    "mtime": (lambda p: p.write_bytes(b"1"), lambda p: os.utime(p, ns=(0, 10**18 + 1)), set()),
    "ctime": (lambda p: p.write_bytes(b"1"), lambda p: p.chmod(p.stat().st_mode), set()),
    "btime": (lambda p: p.write_bytes(b"1"), same_bytes_new_file, {"inode"}),
    "device": (lambda p: os.mknod(p, 0o600 | 0o020000, os.makedev(1, 3)), other_device, {"inode", "mtime", "btime"}),
    "link": (lambda p: p.symlink_to("a"), other_link, {"inode", "mtime", "btime"}),
    "sha256": (lambda p: p.write_bytes(b"level 1\n"), other_bytes, set()),
    "xattrs": (lambda p: p.write_bytes(b"1"), set_attribute("user.note", b"x"), set()),
    "capabilities": (lambda p: p.write_bytes(b"1"), set_attribute("security.capability", capability(1 << 13)), set()),
    "acl": (lambda p: p.write_bytes(b"1"), set_attribute(ACL, acl(4)), {"mode"}),
    "label": (lambda p: p.write_bytes(b"1"), set_attribute(LABEL, b"system_u:object_r:etc_t:s0\0"), set()),
    "flags": (lambda p: p.write_bytes(b"1"), flag, set()),
}


def test_every_attribute_has_its_case() -> None:
    assert CASES.keys() == set(ATTRIBUTES) - {"blocks"}


@NEEDS_ROOT
@pytest.mark.parametrize("name", CASES)
def test_a_change_of_one_attribute_is_named(name: str, tmp_path: Path) -> None:
    make, change, together = CASES[name]
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    path = root / "etc/entry"
    make(path)
    with Case.open(tmp_path / "case") as case:
        baselines.create(case, str(root), new_key(tmp_path / "key.pem", None))
        change(path)
        row = {row.path: row for row in baselines.verify(case, str(root), load_rules()).changes}["/etc/entry"]
    assert row.what == "changed"
    assert name in row.attributes
    assert set(row.attributes) <= {name} | together | FOLLOWS
    at = row.attributes.index(name)
    assert row.old[at] != row.new[at]
    assert row.explained == (name in PLACE | {"mtime"})  # what is of the copy alone is told, and is no surprise


@NEEDS_ROOT
def test_a_small_text_is_told_line_by_line(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc/entry").write_text("level 1\nname x\n")
    with Case.open(tmp_path / "case") as case:
        baselines.create(case, str(root), new_key(tmp_path / "key.pem", None))
        (root / "etc/entry").write_text("level 2\nname x\n")
        rows = {row.path: row for row in baselines.verify(case, str(root), load_rules()).changes}
    assert (rows["/etc/entry"].diff or "").splitlines()[3:5] == ["-level 1", "+level 2"]


@NEEDS_ROOT
def test_a_change_of_power_by_a_tool_is_named(tmp_path: Path) -> None:
    if shutil.which("setcap") is None:
        pytest.skip("setcap is not installed")
    root = tmp_path / "root"
    (root / "usr/bin").mkdir(parents=True)
    shutil.copy("/bin/true", root / "usr/bin/tool")
    with Case.open(tmp_path / "case") as case:
        baselines.create(case, str(root), new_key(tmp_path / "key.pem", None))
        subprocess.run(["setcap", "cap_net_raw+ep", str(root / "usr/bin/tool")], check=True)
        found = baselines.verify(case, str(root), load_rules())
    assert ("new-power-on-program", "high") in {(f.rule_id, f.severity) for f in found.result.findings}

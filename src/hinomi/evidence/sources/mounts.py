"""Which mount points a walk leaves out: pseudo file systems hold no evidence, network ones may hang for ever."""

from __future__ import annotations

import os
import re

# Kernel interfaces without stored content. devtmpfs is not among them: a regular file in /dev is evidence.
PSEUDO = frozenset(
    b"proc sysfs cgroup cgroup2 devpts securityfs debugfs tracefs configfs pstore bpf fusectl mqueue hugetlbfs "
    b"binfmt_misc rpc_pipefs nfsd efivarfs selinuxfs smackfs nsfs sockfs pipefs bdev resctrl".split()
)
NETWORK = frozenset(
    b"nfs nfs4 cifs smb3 smbfs afs ceph 9p virtiofs glusterfs lustre gfs2 ocfs2 ncpfs coda beegfs orangefs "
    b"autofs davfs davfs2 prl_fs vboxsf vmhgfs".split()
)
_ESCAPE = re.compile(rb"\\([0-7]{3})")
MAX_MOUNTINFO = 16 << 20


def skipped_mounts(root: bytes, mountinfo: bytes | None = None) -> dict[bytes, str]:
    """Return {path inside `root`: file system type} of mounts not to be entered.

    `mountinfo` is the text of /proc/self/mountinfo (format: proc(5)); by default it is read from there. Only what is
    mounted below `root` counts: the user named the root itself.
    """
    text = _read_mountinfo() if mountinfo is None else mountinfo
    prefix = root.rstrip(b"/") + b"/"
    skipped: dict[bytes, str] = {}
    for line in text.splitlines():
        point, kind = _mount(line)
        if not point.startswith(prefix) or point == prefix:
            continue
        inside = point[len(prefix) - 1 :]
        if leaves_out(kind.decode("ascii", "replace")):
            skipped[inside] = kind.decode("ascii", "replace")
        else:
            skipped.pop(inside, None)  # a later mount on the same point hides the earlier one
    return skipped


def leaves_out(kind: str) -> bool:
    """Whether walks leave out file systems of this type."""
    name = kind.encode("ascii", "replace")
    return name in PSEUDO or name in NETWORK or name == b"fuse" or name.startswith(b"fuse.")


def _mount(line: bytes) -> tuple[bytes, bytes]:
    fields = line.split(b" ")
    try:
        kind = fields[fields.index(b"-", 6) + 1]
        return _ESCAPE.sub(lambda m: bytes([int(m[1], 8) & 0xFF]), fields[4]), kind
    except (ValueError, IndexError):
        return b"", b""


def _read_mountinfo() -> bytes:
    try:
        fd = os.open("/proc/self/mountinfo", os.O_RDONLY)
    except OSError:
        return b""
    with os.fdopen(fd, "rb") as file:
        return file.read(MAX_MOUNTINFO)

"""Which mounts are left out of a walk."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.evidence.sources.mounts import skipped_mounts

TABLE = b"""\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:5 / /proc rw,nosuid - proc proc rw
24 22 0:6 / /dev rw - devtmpfs udev rw
25 24 0:7 / /dev/pts rw - devpts devpts rw
26 22 0:40 / /srv/share\\040one rw shared:2 master:1 - nfs4 server:/x rw
27 22 0:41 / /home/u/remote rw - fuse.sshfs u@h: rw
28 22 8:2 / /mnt/usb rw - fuseblk /dev/sdb1 rw
29 22 0:42 / /auto rw - autofs systemd-1 rw
30 29 8:3 / /auto rw - ext4 /dev/sdc1 rw
31 22 0:44 / /tmp rw - tmpfs tmpfs rw
"""


def test_pseudo_and_network_file_systems_are_left_out() -> None:
    assert skipped_mounts(b"/", TABLE) == {
        b"/proc": "proc",
        b"/dev/pts": "devpts",
        b"/srv/share one": "nfs4",
        b"/home/u/remote": "fuse.sshfs",
    }


def test_only_mounts_below_the_root_count() -> None:
    assert skipped_mounts(b"/srv", TABLE) == {b"/share one": "nfs4"}
    assert skipped_mounts(b"/home/u/remote", TABLE) == {}


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.binary(max_size=200))
def test_any_table_is_read(table: bytes) -> None:
    assert all(path.startswith(b"/") for path in skipped_mounts(b"/", table))

"""Which mounts are in scope, and which one shows a whole file system."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hinomi.watch.live.mounts import in_scope, is_below, parse_mounts, whole_first

TEXT = rb"""22 1 254:0 / / rw - ext4 /dev/vda rw
23 22 0:5 / /proc rw - proc proc rw
24 22 254:1 /part /srv/bind rw - ext4 /dev/vdb rw
25 22 254:1 / /mnt/all\040of\040it rw - ext4 /dev/vdb rw
26 22 0:30 / /srv/over rw - tmpfs none rw
27 22 0:31 / /srv/over rw - overlay none rw
"""


def test_a_scope_holds_its_own_file_system_and_those_below() -> None:
    taken, left = in_scope(parse_mounts(TEXT), [b"/srv"], lambda kind: kind == "proc")
    assert {(m.point, m.kind) for m in taken} == {(b"/", "ext4"), (b"/srv/bind", "ext4"), (b"/srv/over", "overlay")}
    assert left == []
    taken, left = in_scope(parse_mounts(TEXT), [b"/"], lambda kind: kind == "proc")
    assert [m.point for m in left] == [b"/proc"]
    assert {m.point for m in whole_first(taken)} == {b"/", b"/mnt/all of it", b"/srv/over"}


def test_a_folder_is_not_below_its_namesake() -> None:
    assert is_below(b"/srv/x", b"/srv") and not is_below(b"/srvx", b"/srv") and is_below(b"/x", b"/")


@given(st.binary(max_size=200))
def test_any_text_is_no_crash(data: bytes) -> None:
    parse_mounts(data)

"""ACLs and labels as text."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from hinomi.evidence.acl import ACCESS, DEFAULT, acl_text, label_text

ANYBODY = 0xFFFFFFFF


def acl(*entries: tuple[int, int, int]) -> bytes:
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def test_an_access_list_reads_as_getfacl_shows_it() -> None:
    value = acl((1, 6, ANYBODY), (2, 7, 1000), (4, 4, ANYBODY), (0x10, 7, ANYBODY), (0x20, 4, ANYBODY))
    assert acl_text({ACCESS: value}) == "user::rw-,user:1000:rwx,group::r--,mask::rwx,other::r--"


def test_default_entries_of_a_folder_are_told_apart() -> None:
    value = acl((1, 7, ANYBODY), (8, 5, 27))
    assert acl_text({DEFAULT: value}) == "default:user::rwx,default:group:27:r-x"


def test_no_list_is_none_and_damage_is_shown() -> None:
    assert acl_text({"user.note": b"x"}) is None
    assert acl_text({ACCESS: b"\x09\0\0\0junk"}) == "?090000006a756e6b"


def test_a_label_loses_its_terminator() -> None:
    assert label_text({"security.selinux": b"system_u:object_r:etc_t:s0\0"}) == "system_u:object_r:etc_t:s0"
    assert label_text({}) is None


@given(st.binary(max_size=200))
def test_any_bytes_give_one_line(value: bytes) -> None:
    assert (acl_text({ACCESS: value}) or "").isprintable()

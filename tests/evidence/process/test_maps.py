from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.evidence.process import maps

TEXT = (
    b"55-56 r-xp 0 08:01 1 /usr/bin/x\n"
    b"57-58 r-xp 0 08:01 2                          /tmp/l i b.so (deleted)\n"
    b"58-59 r--p 0 08:01 2                          /tmp/data (deleted)\n"
    b"59-60 rwxp 0 00:00 0 \n"
    b"60-61 rwxp 0 00:00 0                          [heap]\n"
    b"61-62 rwxp 0 08:01 1 /usr/bin/x\n"
    b"62-63 rwxs 0 00:01 5 /SYSV00000000 (deleted)\n"
    b"63-64 r-xs 1000 00:01 6 /memfd:code (deleted)\n"
    b"64-65 --xp 0 00:00 0 [vsyscall]\n"
    b"65-66 rw-s 0 00:00 0 \n"
)


def test_each_line_is_a_mapping_with_its_kind() -> None:
    found = list(maps.parse(TEXT.split(b"\n")))
    assert [m.kind for m in found] == [
        "file", "deleted", "deleted", "anonymous", "heap", "file", "shared", "memfd", "special", "shared",
    ]  # fmt: skip
    assert found[1].path == b"/tmp/l i b.so" and found[1].deleted and found[1].size == 1
    assert found[7].offset == 0x1000 and found[7].inode == 6 and found[7].executable and not found[7].writable


def test_the_sum_shows_gone_libraries_and_writable_code() -> None:
    found = maps.summary(maps.parse(TEXT.split(b"\n")))
    assert found.deleted == (b"/tmp/l i b.so", b"/memfd:code")
    assert found.writable_executable == 3
    assert found.libraries == (b"/usr/bin/x", b"/tmp/l i b.so", b"/memfd:code")


def test_a_line_break_in_a_name_is_read_as_the_kernel_writes_it() -> None:
    mapping = maps.parse_line(b"1-2 r-xp 0 08:01 3 /tmp/a\\012b")
    assert mapping is not None and mapping.path == b"/tmp/a\nb"


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_skipped(data: bytes) -> None:
    for mapping in maps.parse(data.split(b"\n")):
        assert mapping.size >= 0 and mapping.kind
    maps.summary(maps.parse([b"1-2 rwxp 0 0:0 0 " + data]))

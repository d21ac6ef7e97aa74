import io
import struct

from hypothesis import given
from hypothesis import strategies as st

from hinomi.evidence.trust.kernels import kernel_form, kernel_row


def bzimage(text: bytes) -> bytes:
    head = bytearray(0x400)
    head[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", head, 0x20E, 0x300 - 0x200)
    return bytes(head[:0x300]) + text + b"\0" + bytes(1000)


def test_a_boot_sector_points_at_the_banner() -> None:
    data = bzimage(b"5.10.46-4-amd64 (who@where) #1 SMP Debian 5.10.46-4 (2021-08-03)")
    assert kernel_form(b"x", data[:4096]) == "bzimage"
    row = kernel_row("/boot/x", "bzimage", io.BytesIO(data))
    assert row is not None and (row.version, row.built_at) == ("5.10.46-4-amd64", 1627948800.0)


def test_a_u_boot_header_has_a_time() -> None:
    head = b"\x27\x05\x19\x56" + bytes(4) + struct.pack(">I", 1678183200) + bytes(20) + b"Linux-4.9".ljust(32, b"\0")
    assert kernel_form(b"uImage", head) == "u-boot"
    row = kernel_row("/boot/uImage", "u-boot", io.BytesIO(head))
    assert row is not None and (row.name, row.built_at) == ("Linux-4.9", 1678183200.0)


def test_a_banner_across_two_reads_is_found() -> None:
    banner = b"Linux version 6.1.0 (a@b) (gcc 12) #2 SMP Tue Mar  7 10:00:00 UTC 2023"
    data = b"\x7fELF" + bytes((1 << 20) - 30) + banner + b"\n\0"
    assert kernel_form(b"vmlinux", data[:4096]) == "banner"
    assert kernel_form(b"ls", data[:4096]) is None
    row = kernel_row("/boot/vmlinux", "banner", io.BytesIO(data))
    assert row is not None and row.version == "6.1.0" and row.built_at == 1678183200.0


@given(st.binary(max_size=700), st.sampled_from(["bzimage", "u-boot", "banner"]))
def test_any_content_gives_a_row_or_none(data: bytes, form: str) -> None:
    row = kernel_row("/k", form, io.BytesIO(data))
    assert row is None or row.path == "/k"

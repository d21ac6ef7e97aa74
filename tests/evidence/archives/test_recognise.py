"""Archives behind programs are found where the program's own parts end."""

from __future__ import annotations

import struct

import pytest

from hinomi.evidence.archives.recognise import self_extracting
from hinomi.evidence.archives.source import BytesSource


@pytest.fixture(scope="module")
def rar(replicas):
    return replicas("rar")


def windows_program():
    optional, text = bytes(224), b"\xc3" * 512
    section = b".text\0\0\0" + struct.pack("<IIII", 512, 4096, len(text), 512) + bytes(16)
    head = (
        b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + struct.pack("<HHIIIHH", 0x14C, 1, 0, 0, 0, 224, 0x102)
    )
    return (head + optional + section).ljust(512, b"\0") + text


def elf_program(wide, order):
    code = b"\xc3" * 300
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    if wide:
        head = ident + struct.pack(f"{order}HHIQQQIHHHHHH", 2, 62, 1, 0, 64, 0, 0, 64, 56, 1, 64, 0, 0)
        return head + struct.pack(f"{order}IIQQQQQQ", 1, 5, 120, 0, 0, len(code), len(code), 0) + code
    head = ident + struct.pack(f"{order}HHIIIIIHHHHHH", 2, 3, 1, 0, 52, 0, 0, 52, 32, 1, 40, 0, 0)
    return head + struct.pack(f"{order}IIIIIIII", 1, 84, 0, 0, len(code), len(code), 5, 0) + code


PROGRAMS = {
    "pe": windows_program(),
    **{f"elf{64 if wide else 32}{order}": elf_program(wide, order) for wide in (True, False) for order in "<>"},
}


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("write", ["rar_4", "rar_5"])
def test_rar_behind_a_program(rar, java, libraries, program, write):
    archive = getattr(rar, write)({"core": java.jar(java.core_members("open"))})
    for gap in (b"", b";!@Install@!UTF-8!\r\n;!@InstallEnd@!"):
        data = PROGRAMS[program] + gap + archive
        kind, found = self_extracting(BytesSource(data))
        assert kind == "rar" and found.size == len(archive)
        rows, _ = libraries.scan(data)
        assert [(row.state, row.path) for row in rows] == [("vulnerable", "/srv/app » core")]
        rows, _ = libraries.scan(java.jar({"setup": data, "x.txt": b"x" * 60}))
        assert [(row.state, row.path) for row in rows] == [("vulnerable", "/srv/app » setup » core")]


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_alone_or_with_a_mere_mark_is_none(rar, program):
    for behind in (
        b"",
        bytes(200),
        rar.MARK_5 + bytes(100),
        rar.MARK_4 + bytes(100),
        b"7z\xbc\xaf\x27\x1c" + bytes(range(90)),
    ):
        assert self_extracting(BytesSource(PROGRAMS[program] + behind)) is None


def test_a_mark_inside_a_program_is_no_archive(rar):
    program = windows_program()
    data = program[:600] + rar.rar_5({"a": b"x" * 50})[:300] + program[900:]
    assert self_extracting(BytesSource(data[: len(program)])) is None


@pytest.mark.parametrize(
    "head", [b"MZ", b"MZ" + bytes(58) + b"\xff\xff\xff\xff", b"\x7fELF", b"\x7fELF" + b"\xff" * 60, b"#!/bin/sh\n" * 9]
)
def test_heads_that_lie_are_none(head):
    assert self_extracting(BytesSource(head + bytes(100))) is None

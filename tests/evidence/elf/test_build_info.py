"""Programs tell what they were built from, in the ways of Go and Rust."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from hinomi.evidence.collect import collect
from hinomi.evidence.collectors.elf import COLLECTOR
from hinomi.evidence.sources.memory import memory_target
from hinomi.model.findings import Coverage
from hinomi.model.tables.software import Library

BEGIN = bytes.fromhex("3077af0c9274080241e1c107e6d618e6")
END = bytes.fromhex("f932433186182072008242104116d8f2")
MODULES = (
    b"path\texample.test/tool\nmod\texample.test/tool\t(devel)\t\n"
    b"dep\tgithub.com/one/a\tv1.2.3\th1:x=\n"
    b"dep\tgithub.com/two/b\tv0.1.0\th1:y=\n=>\tgithub.com/fork/b\tv0.1.1\th1:z=\n"
    b"build\t-compiler=gc\n"
)


def varint(number: int) -> bytes:
    made = b""
    while number > 0x7F:
        made += bytes([number & 0x7F | 0x80])
        number >>= 7
    return made + bytes([number])


def go_section(version: bytes, modules: bytes) -> bytes:
    listed = BEGIN + modules + END
    header = b"\xff Go buildinf:" + bytes([8, 2]) + bytes(16)
    return header + varint(len(version)) + version + varint(len(listed)) + listed


def libraries(program: bytes) -> list[Library]:
    rows: list[Library] = []
    collect(
        memory_target({"/opt/tool": program}),
        lambda row: rows.append(row) if isinstance(row, Library) else None,
        Coverage(),
        collectors=[COLLECTOR],
    )
    return rows


def test_a_go_program_lists_its_modules(make_elf: Callable[..., bytes]) -> None:
    rows = libraries(make_elf(sections={".go.buildinfo": go_section(b"go1.21.4 X:some", MODULES)}))
    assert [(r.ecosystem, r.name, r.version) for r in rows] == [
        ("go", "github.com/fork/b", "0.1.1"),
        ("go", "github.com/one/a", "1.2.3"),
        ("go", "stdlib", "1.21.4"),
    ]
    assert [r.purl for r in rows][1:] == ["pkg:golang/github.com/one/a@v1.2.3", "pkg:golang/stdlib@1.21.4"]
    assert {(r.path, r.container, r.state) for r in rows} == {("/opt/tool", "/opt/tool", "present")}


def test_an_old_go_program_keeps_the_list_elsewhere(make_elf: Callable[..., bytes]) -> None:
    sections = {
        ".go.buildinfo": b"\xff Go buildinf:" + bytes([8, 0]) + bytes(16),
        ".rodata": b"\0" * 1_048_570 + BEGIN + MODULES + END + b"more",
    }
    assert [r.name for r in libraries(make_elf(sections=sections))] == ["github.com/fork/b", "github.com/one/a"]


def test_a_rust_program_with_a_list(make_elf: Callable[..., bytes]) -> None:
    listed = {"packages": [{"name": "time", "version": "0.1.44"}, {"name": 5}, "odd"]}
    rows = libraries(make_elf(sections={".dep-v0": zlib.compress(json.dumps(listed).encode())}))
    assert [(r.ecosystem, r.name, r.version, r.purl) for r in rows] == [
        ("crates.io", "time", "0.1.44", "pkg:cargo/time@0.1.44")
    ]


def test_a_rust_program_that_names_sources(make_elf: Callable[..., bytes]) -> None:
    data = (
        b"/root/.cargo/registry/src/index.crates.io-6f17/tokio-util-0.7.1/src/lib.rs\0"
        b"/root/.cargo/registry/src/github.com-1ecc/regex-1.5.4-beta.1/src/a.rs\0registry/src/none"
    )
    rows = libraries(make_elf(sections={".rodata": data}))
    assert [(r.name, r.version) for r in rows] == [("regex", "1.5.4-beta.1"), ("tokio-util", "0.7.1")]


def test_a_c_program_names_nothing(make_elf: Callable[..., bytes]) -> None:
    assert libraries(make_elf(sections={".rodata": b"usage: %s"})) == []


@given(st.binary(max_size=200), st.integers(0, 3))
def test_broken_lists_lose_only_themselves(make_elf: Callable[..., bytes], data: bytes, kind: int) -> None:
    sections = [
        {".go.buildinfo": b"\xff Go buildinf:" + data},
        {".go.buildinfo": go_section(b"go1.20", data)},
        {".dep-v0": data},
        {".dep-v0": zlib.compress(data)},
    ]
    assert all(row.name and row.version for row in libraries(make_elf(sections=sections[kind])))

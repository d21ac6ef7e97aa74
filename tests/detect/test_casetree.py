"""Trees of rule cases, and the inert programs in them, as the real collectors see them."""

from __future__ import annotations

import io
import zipfile

import pytest
from elftools.elf.elffile import ELFFile
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.detect import inert
from hinomi.detect.casetree import build_tree
from hinomi.evidence.collect import collect
from hinomi.evidence.sources.memory import memory_target
from hinomi.model.findings import Coverage


def collected(files, packages=None) -> dict[str, dict[str, object]]:
    rows: dict[str, dict[str, object]] = {}
    collect(
        memory_target(build_tree(files, packages)),
        lambda row: rows.setdefault(row.table_info.name, {}).update({getattr(row, row.table_info.subject): row}),
        Coverage(),
        jobs=1,
    )
    return rows


def test_contents_and_attributes() -> None:
    tree = build_tree(
        {
            "/t": "text",
            "/h": {"hex": "00 ff"},
            "/b": {"base64": "aGk="},
            "/r": {"text": "ab", "repeat": 3, "prefix": "<", "suffix": ">"},
            "/m": {"text": "", "mode": "4755", "uid": 7, "gid": 8, "mtime": "2021-06-01T00:00:00Z"},
            "/n": {"text": "x", "mtime": 5},
            "/l": {"link": "/t"},
            "/d": {"directory": True},
            "/f": {"kind": "fifo"},
            "/z": {"zip": {"a/b": "in", "c": {"hex": "01"}}},
        }
    )
    assert [tree[p].data for p in ("/t", "/h", "/b", "/r")] == [b"text", b"\0\xff", b"hi", b"<ababab>"]
    assert (tree["/m"].mode, tree["/m"].uid, tree["/m"].gid, tree["/m"].mtime) == (0o4755, 7, 8, 1622505600.0)
    assert (tree["/n"].mtime, tree["/l"].link, tree["/d"].kind, tree["/f"].kind) == (5.0, b"/t", "directory", "fifo")
    with zipfile.ZipFile(io.BytesIO(tree["/z"].data)) as archive:
        assert {n: archive.read(n) for n in archive.namelist()} == {"a/b": b"in", "c": b"\x01"}


def test_upper_case_changes_contents_only() -> None:
    tree = build_tree({"/a": "text", "/b": {"elf": {"strings": ["abc"], "imports": ["system"]}}}, upper=True)
    assert tree["/a"].data == b"TEXT" and b"ABC\0" in tree["/b"].data and b"system\0" in tree["/b"].data


def test_packages_own_files_and_notice_changes() -> None:
    rows = collected(
        {"/usr/bin/a": {"elf": {}}, "/usr/bin/b": {"elf": {}}, "/usr/bin/c": {"elf": {}}},
        {"pkg": {"version": "2.0", "files": ["/usr/bin/a"], "modified": ["/usr/bin/b"]}},
    )
    states = {path: rows["files"][path].package_state for path in ("/usr/bin/a", "/usr/bin/b", "/usr/bin/c")}
    assert states == {"/usr/bin/a": "intact", "/usr/bin/b": "modified", "/usr/bin/c": "unowned"}
    assert rows["packages"]["pkg"].version == "2.0"


def test_the_elf_collector_reads_inert_programs() -> None:
    program = {
        "strings": ["/opt/x/run.sh --now", "8.8.4.4:443"],
        "imports": ["fork", "system"],
        "needed": ["libc.so.6"],
        "stripped": False,
    }
    rows = collected(
        {"/a": {"elf": program}, "/b": {"elf": {"static": True, "machine": "arm"}}, "/c": {"elf": {"shared": True}}}
    )["elf"]
    assert (rows["/a"].imports, rows["/a"].needed) == (["fork", "system"], ["libc.so.6"])
    assert not rows["/a"].stripped and not rows["/a"].static and rows["/a"].interpreter
    assert any("/opt/x/run.sh" in p for p in rows["/a"].embedded_paths) and rows["/a"].embedded_addresses == [
        "8.8.4.4:443"
    ]
    assert rows["/b"].static and rows["/b"].stripped and rows["/b"].machine == "EM_ARM"
    assert rows["/c"].type == "dyn" and rows["/c"].interpreter is None


def test_formats_are_what_yara_takes_them_for() -> None:
    import yara_x

    rules = yara_x.compile("""import "pe" import "elf" import "macho"
        rule exe { condition: pe.is_pe and not pe.is_dll() } rule dll { condition: pe.is_dll() }
        rule program { condition: elf.type == elf.ET_EXEC } rule shared { condition: elf.type == elf.ET_DYN }
        rule thin { condition: uint32(0) == 0xfeedfacf and macho.filetype == 2 }
        rule fat { condition: uint32be(0) == 0xcafebabe and macho.filetype == 2 }""")
    files = {
        "exe": inert.pe(["a"]),
        "dll": inert.pe([], dll=True),
        "program": inert.elf(["a"]),
        "shared": inert.elf(shared=True),
        "thin": inert.macho(["a"]),
        "fat": inert.macho(["a"], fat=True),
    }
    for name, data in files.items():
        assert [rule.identifier for rule in rules.scan(data).matching_rules] == [name]
    assert "wide".encode("utf-16-le") in inert.pe(["wide"], wide=True)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    st.lists(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12), max_size=6),
    st.lists(st.from_regex(r"[a-z_]{1,10}", fullmatch=True), max_size=5),
    st.booleans(),
    st.booleans(),
)
def test_inert_elf_files_are_well_formed(strings, names, stripped: bool, shared: bool) -> None:
    data = inert.elf(strings, imports=names, needed=names, stripped=stripped, shared=shared, overlay=b"zz")
    elf = ELFFile(io.BytesIO(data))
    for section in elf.iter_sections():
        assert section["sh_offset"] + len(section.data()) <= len(data)
    assert [s.name for s in elf.get_section_by_name(".dynsym").iter_symbols()][1:] == names
    tags = elf.get_section_by_name(".dynamic").iter_tags("DT_NEEDED")
    assert [tag.needed for tag in tags] == names
    assert all(s.encode() in elf.get_section_by_name(".rodata").data() for s in strings)
    assert (elf.get_section_by_name(".symtab") is None) == stripped


@pytest.mark.parametrize("machine", ["x86_64", "arm", "mips", "ppc"])
def test_machines(machine: str) -> None:
    assert ELFFile(io.BytesIO(inert.elf(machine=machine)))["e_machine"] != "EM_NONE"

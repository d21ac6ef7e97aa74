"""ELF headers: right for every class and order, bounded for whatever a file claims."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.evidence.elf.layout import Layout, Reader, build_id, compiler, interpreter, read_layout
from hinomi.evidence.elf.symbols import is_static, is_stripped, read_symbols
from hinomi.model.errors import ParseError

NOTE = struct.pack("<III", 4, 20, 3) + b"GNU\0" + bytes(range(20))


def reader(data: bytes) -> Reader:
    return lambda offset, size: data[offset : offset + size] if offset < len(data) and size > 0 else b""


def layout_of(data: bytes) -> Layout:
    return read_layout(reader(data), len(data))


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("machine", "name"), [(62, "EM_X86_64"), (8, "EM_MIPS"), (40, "EM_ARM"), (4711, "EM_4711")])
def test_every_class_and_order(make_elf, bits: int, order: str, machine: int, name: str) -> None:
    data = make_elf(bits=bits, order=order, machine=machine, sections={".rodata": b"hello"}, interpreter=b"/lib/ld.so")
    layout = layout_of(data)
    assert (layout.bits, layout.machine, layout.type) == (bits, name, "exec")
    assert [section.name for section in layout.sections] == ["", ".rodata", ".shstrtab"]
    assert interpreter(layout, reader(data)) == "/lib/ld.so"
    assert layout.end == len(data)
    assert layout.problems == ()


def test_notes_and_overlay(make_elf) -> None:
    data = make_elf(sections={".note.gnu.build-id": NOTE, ".comment": b"GCC: (X) 1.0\0other\0"}, tail=b"appended")
    layout = layout_of(data)
    assert build_id(layout, reader(data)) == bytes(range(20)).hex()
    assert compiler(layout, reader(data)) == "GCC: (X) 1.0"
    assert len(data) - layout.end == 8


def test_no_section_headers(make_elf) -> None:
    data = make_elf(headers=False, sections={"code": b"x" * 50}, interpreter=b"/lib/ld.so")
    layout = layout_of(data)
    assert layout.sections == ()
    assert is_stripped(layout)
    assert interpreter(layout, reader(data)) == "/lib/ld.so"


@pytest.mark.parametrize("cut", [0, 3, 5, 20, 51, 63])
def test_a_cut_header_is_refused(make_elf, cut: int) -> None:
    with pytest.raises(ParseError) as caught:
        layout_of(make_elf()[:cut])
    assert caught.value.code in ("truncated", "damaged")


def test_a_cut_file_keeps_what_is_left(make_elf) -> None:
    data = make_elf(sections={".rodata": bytes(5000)}, interpreter=b"/lib/ld.so")[:1000]
    layout = layout_of(data)
    assert layout.sections == ()
    assert interpreter(layout, reader(data)) == "/lib/ld.so"
    assert set(layout.problems) == {"a segment reaches beyond the file", "section table outside the file"}


def test_against_another_reader() -> None:
    """Programs of this host, as pyelftools sees them."""
    from elftools.elf.elffile import ELFFile

    libraries = sorted(Path("/usr/lib").glob("*-linux-gnu*/lib*.so.*"))[:8]
    for path in [Path(sys.executable).resolve(), *libraries]:
        data = path.read_bytes()
        layout = layout_of(data)
        with path.open("rb") as file:
            other = ELFFile(file)
            assert [s.name for s in layout.sections] == [s.name for s in other.iter_sections()]
            dynamic = other.get_section_by_name(".dynamic")
            needed = [tag.needed for tag in dynamic.iter_tags("DT_NEEDED")] if dynamic else []
            functions = {
                symbol.name
                for symbol in other.get_section_by_name(".dynsym").iter_symbols()
                if symbol["st_shndx"] == "SHN_UNDEF" and symbol.name and symbol["st_info"]["type"] == "STT_FUNC"
            }
        symbols = read_symbols(layout, reader(data))
        assert list(symbols.needed) == needed
        assert functions <= set(symbols.imports) or len(symbols.imports) == 2000
        assert not is_static(layout)


def test_imports_without_section_headers() -> None:
    data = bytearray(Path(sys.executable).resolve().read_bytes())
    whole = read_symbols(layout_of(bytes(data)), reader(bytes(data)))
    data[40:48] = bytes(8)  # e_shoff
    data[60:64] = bytes(4)
    stripped = read_symbols(layout_of(bytes(data)), reader(bytes(data)))
    assert stripped.needed == whole.needed
    assert set(whole.imports) <= set(stripped.imports)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(
    flips=st.lists(st.tuples(st.integers(0, 700), st.integers(0, 255)), min_size=1, max_size=20),
    cut=st.integers(0, 2000),
    bits=st.sampled_from([32, 64]),
    order=st.sampled_from(["<", ">"]),
)
def test_any_damage_is_bounded(make_elf, flips: list[tuple[int, int]], cut: int, bits: int, order: str) -> None:
    sections = {
        ".dynamic": bytes(64),
        ".dynsym": bytes(96),
        ".strtab": b"\0a\0",
        ".note.gnu.build-id": NOTE,
        ".comment": b"x",
    }
    data = bytearray(make_elf(bits=bits, order=order, sections=sections, interpreter=b"/lib/ld.so"))
    for at, value in flips:
        data[at % len(data)] = value
    damaged = bytes(data[: max(cut, 20)])
    try:
        layout = layout_of(damaged)
    except ParseError:
        return
    assert 0 <= layout.end <= len(damaged)
    assert len(read_symbols(layout, reader(damaged)).imports) <= 2000
    build_id(layout, reader(damaged))
    compiler(layout, reader(damaged))
    interpreter(layout, reader(damaged))

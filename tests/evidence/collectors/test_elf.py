"""Table elf, from files on a target."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.evidence.collect import collect
from hinomi.evidence.collectors.elf import COLLECTOR
from hinomi.evidence.sources.memory import memory_target
from hinomi.evidence.sources.root import root_target
from hinomi.model.findings import Coverage
from hinomi.model.tables.files import Elf

PYTHON = Path(sys.executable).resolve().read_bytes()


def rows_of(files: dict[str, bytes]) -> tuple[list[Elf], Coverage]:
    rows: list[Elf] = []
    coverage = Coverage()
    collect(
        memory_target(dict(files)),
        lambda r: rows.append(r) if isinstance(r, Elf) else None,
        coverage,
        collectors=[COLLECTOR],
    )
    return rows, coverage


def test_a_real_program() -> None:
    rows, coverage = rows_of({"/opt/odd-name.jpg": PYTHON})
    row = rows[0]
    assert (row.path, row.static, row.overlay_size) == ("/opt/odd-name.jpg", False, 0)
    assert row.interpreter and row.interpreter.startswith("/lib")
    assert any(name.startswith("libc.") for name in row.needed)
    assert ".text" in row.sections
    assert coverage.complete


def test_large_files_are_read_in_parts(tmp_path: Path) -> None:
    place = tmp_path / "program"
    place.write_bytes(PYTHON)
    with open(place, "ab") as file:
        file.write(b"\0" * (3 << 20))
    rows: list[Elf] = []
    collect(
        root_target(tmp_path),
        lambda r: rows.append(r) if isinstance(r, Elf) else None,
        Coverage(),
        collectors=[COLLECTOR],
    )
    small, _ = rows_of({"/program": PYTHON})
    assert rows[0].overlay_size == os.path.getsize(place) - len(PYTHON)
    assert (rows[0].imports, rows[0].embedded_paths) == (small[0].imports, small[0].embedded_paths)


def test_what_is_no_elf_is_said_once() -> None:
    rows, coverage = rows_of({"/a": b"\x7fELF", "/b": b"\x7fELF" + b"\xff" * 100, "/c": PYTHON[:2000]})
    assert [row.path for row in rows] == ["/c"]
    assert sorted({(miss.subject, miss.reason) for miss in coverage.misses}) == [
        ("/a", "damaged"),
        ("/b", "damaged"),
        ("/c", "damaged"),
    ]


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    flips=st.lists(st.tuples(st.integers(0, 100_000), st.integers(0, 255)), min_size=1, max_size=30),
    cut=st.integers(64, 200_000),
)
def test_flipped_bits_of_a_real_program(flips: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(PYTHON[: max(cut, 1000)])
    for at, value in flips:
        data[4 + at % (len(data) - 4)] = value
    rows, coverage = rows_of({"/x": bytes(data)})
    assert len(rows) == 1 or coverage.misses
    assert not [miss for miss in coverage.misses if miss.reason == "crashed"]

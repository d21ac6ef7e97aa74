"""The walker: any container by content, every fault local, every bomb bounded, and the whole way in the path."""

from __future__ import annotations

import io
import os
import random
import shutil
import struct
import subprocess
import zipfile
import zlib
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hinomi.evidence.archives.budget import Budget, Notes
from hinomi.evidence.archives.source import BytesSource
from hinomi.evidence.archives.walk import Memory, Walker
from hinomi.evidence.target import Limits

LIMITS = Limits()


@pytest.fixture(scope="session")
def vulnerable(java):
    """Return a jar with an open copy."""
    return java.jar(java.core_members("open") | java.pom("2.14.1"))


def test_every_wrapper_is_opened(libraries, vulnerable, wrapped):
    rows, coverage = libraries.scan(wrapped(vulnerable))
    assert [row.state for row in rows] == ["vulnerable"]
    assert rows[0].path.startswith("/srv/app") and rows[0].container == "/srv/app"
    assert coverage.complete


def test_wrappers_inside_a_zip(java, libraries, vulnerable, wrapped):
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        rows, _ = libraries.scan(java.jar({"doc/readme.txt": b"x" * 5000, "lib/any.bin": wrapped(vulnerable)}, method))
        assert [row.state for row in rows] == ["vulnerable"]
        assert rows[0].path.startswith("/srv/app » lib/any.bin")


@pytest.mark.parametrize("name", ["core", "x.class", "x.txt", "x.jar.bak", "x.so", "a.7z", "x.jar~", ".hidden", "é\n»"])
def test_names_are_never_asked(java, libraries, vulnerable, name):
    rows, _ = libraries.scan({f"/srv/{name}": java.jar({name: vulnerable})})
    assert [row.state for row in rows] == ["vulnerable"]
    assert rows[0].path == f"/srv/{name} » {name}"


def test_depth_twelve_is_reached_and_thirteen_is_said(java, libraries, vulnerable):
    nested = vulnerable
    for level in range(11):
        nested = java.jar({f"level{level}.war": nested})
    rows, coverage = libraries.scan(nested)
    assert [row.state for row in rows] == ["vulnerable"] and rows[0].path.count(" » ") == 11
    assert coverage.complete
    rows, coverage = libraries.scan(java.jar({"a": java.jar({"b": nested})}))
    assert rows == [] and libraries.reasons(coverage) == {"budget"}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_zip_methods(java, libraries, method):
    assert libraries.states(java.jar(java.core_members("open"), method)) == ["vulnerable"]


def _patched(data, changes):
    """Return a zip with header fields changed: {name: (local changes, central changes)}, each {offset: bytes}."""
    out = bytearray(data)
    for info in zipfile.ZipFile(io.BytesIO(data)).infolist():
        for name, (local, central) in changes.items():
            if info.filename != name:
                continue
            at = data.rindex(name.encode()) - 46
            for base, fields in ((info.header_offset, local), (at, central)):
                for offset, value in fields.items():
                    out[base + offset : base + offset + len(value)] = value
    return bytes(out)


def test_encrypted_member_beside_a_plain_copy(java, libraries):
    data = java.jar({"secret.bin": os.urandom(500)} | java.core_members("open"))
    data = _patched(data, {"secret.bin": ({6: b"\x01\x00"}, {8: b"\x01\x00"})})
    rows, coverage = libraries.scan(data)
    assert [row.state for row in rows] == ["vulnerable"]
    assert [(m.reason, m.detail) for m in coverage.misses] == [("encrypted", "secret.bin")]


def test_unknown_method_first(java, libraries):
    data = java.jar({"odd.bin": b"o" * 500} | java.core_members("open"))
    data = _patched(data, {"odd.bin": ({8: b"\x63\x00"}, {10: b"\x63\x00"})})
    rows, coverage = libraries.scan(data)
    assert [row.state for row in rows] == ["vulnerable"]
    assert libraries.reasons(coverage) == {"unsupported"}


def test_damaged_member_costs_only_itself(java, libraries):
    members = {"broken.class": b"\xca\xfe\xba\xbe" + os.urandom(900)} | java.core_members("open")
    data = bytearray(java.jar(members))
    start = data.index(b"broken.class") + 12
    data[start : start + 40] = b"\xff" * 40
    rows, coverage = libraries.scan(bytes(data))
    assert [row.state for row in rows] == ["vulnerable"]
    assert libraries.reasons(coverage) == {"damaged"}


def test_wrong_checksum_changes_nothing(java, libraries):
    name = f"{java.CORE}/lookup/JndiLookup.class"
    data = _patched(java.jar(java.core_members("open")), {name: ({14: b"\0\0\0\0"}, {16: b"\0\0\0\0"})})
    assert libraries.states(data) == ["vulnerable"]


def test_truncated_archive_is_read_by_local_headers(java, libraries):
    data = java.jar(java.core_members("open") | {"zzz/last.bin": os.urandom(5000)})
    rows, coverage = libraries.scan(data[:-3000])
    assert [row.state for row in rows] == ["vulnerable"]
    assert libraries.reasons(coverage) == {"truncated"}


def test_what_cannot_be_read_is_never_called_mitigated(java, libraries):
    members = java.core_members("open")
    members[f"{java.CORE}/zzz/JndiLookup.class"] = members.pop(f"{java.CORE}/lookup/JndiLookup.class")
    data = java.jar(members | java.pom("2.14.1") | {"z": os.urandom(3000)})
    cut = data[: data.index(b"zzz/JndiLookup.class") - 10]
    rows, coverage = libraries.scan(cut)
    assert [row.state for row in rows] == ["metadata-only"]
    assert not coverage.complete


def test_data_descriptors(java, libraries):
    out = io.BytesIO()

    class Unseekable:
        def write(self, data):
            return out.write(data)

        def flush(self):
            pass

    with zipfile.ZipFile(Unseekable(), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in java.core_members("open").items():
            archive.writestr(name, data)
    assert libraries.states(out.getvalue()) == ["vulnerable"]
    without_directory = out.getvalue()[: out.getvalue().rindex(b"PK\x01\x02") - 400]
    assert libraries.states(without_directory) == ["vulnerable"]


def test_directory_that_hides_members(java, libraries):
    shown, hidden = java.jar({"readme": b"nothing here " * 40}), java.jar(java.core_members("open"))
    body = hidden[: hidden.index(b"PK\x01\x02")]
    at = shown.index(b"PK\x01\x02")
    directory = bytearray(shown[at:])
    end = directory.rindex(b"PK\x05\x06")
    struct.pack_into("<I", directory, end + 16, at + len(body))
    rows, _ = libraries.scan(shown[:at] + body + bytes(directory))
    assert [row.state for row in rows] == ["vulnerable"]


def test_directory_that_lies_about_the_method(java, libraries):
    name = f"{java.CORE}/lookup/JndiLookup.class"
    data = _patched(java.jar(java.core_members("open")), {name: ({}, {10: b"\0\0"})})
    assert "vulnerable" in libraries.states(data)


@pytest.mark.parametrize("raw", ["日本語".encode("cp932"), "é".encode("cp437"), b"\xff\xfe\xfd", b"a\nb\x1b[2J"])
def test_names_in_any_code_page(java, libraries, vulnerable, raw):
    raw += b"-long-enough"
    data = java.jar({"N" * len(raw): vulnerable}).replace(b"N" * len(raw), raw)
    rows, _ = libraries.scan(data)
    assert [row.state for row in rows] == ["vulnerable"]


def test_zeros_beside_log4j_give_a_note_and_the_finding(java, libraries, vulnerable):
    zeros = zlib.compressobj(9, wbits=-15)
    block = b"\0" * (1 << 20)
    packed = b"".join(zeros.compress(block) for _ in range(256)) + zeros.flush()
    size = 256 << 20
    data = java.jar({"big.jar": b"\0" * 9, "WEB-INF/lib/x": vulnerable})
    head = data.index(b"PK\x03\x04", 4)
    stored = java.jar({"big.jar": b""})
    local = bytearray(stored[: 30 + 7])
    struct.pack_into("<HHHIII", local, 8, 8, 0, 0, 0, len(packed), size)
    struct.pack_into("<H", local, 8, 8)
    struct.pack_into("<III", local, 14, 0, len(packed), size)
    body = bytes(local) + packed + data[head : data.index(b"PK\x01\x02")]
    rows, coverage = libraries.scan(body)  # without a directory at all
    assert [row.state for row in rows] == ["vulnerable"]
    assert "budget" in libraries.reasons(coverage)


def test_budget_leaves_something_for_the_neighbours(java, libraries, vulnerable):
    bomb = java.jar({f"m{n}": b"PK\x03\x04" + b"\0" * 3_000_000 for n in range(20)})
    limits = replace(LIMITS, max_archive_bytes=10_000_000)
    rows, coverage = libraries.scan(java.jar({"bomb.jar": bomb, "lib/x": vulnerable}), limits=limits)
    assert [row.state for row in rows] == ["vulnerable"]
    assert libraries.reasons(coverage) == {"budget", "truncated"}


def test_sixteen_to_the_fifth(java, libraries, vulnerable):
    nested = java.jar({"leaf": b"x" * 1000})
    for level in range(5):
        nested = java.jar({f"{level}-{n}.jar": nested for n in range(16)})
    rows, coverage = libraries.scan(java.jar({"a": nested, "b": vulnerable}))
    assert [row.state for row in rows] == ["vulnerable"] and coverage.complete
    visitor = Counting()
    Walker(visitor, Notes(), Memory()).walk(BytesSource(nested), "x", Budget(LIMITS))
    assert visitor.left == 6, "what is the same is walked once"


def test_different_leaves_end_in_a_budget(java, libraries):
    members = {f"{n}.jar": java.jar({f"{n}-{m}.txt": b"%d" % m * 40 for m in range(100)}) for n in range(30)}
    _, coverage = libraries.scan(java.jar(members), limits=replace(LIMITS, max_archive_entries=500))
    assert libraries.reasons(coverage) == {"budget"}
    _, coverage = libraries.scan(java.jar(members), limits=replace(LIMITS, max_archive_seconds=0.0))
    assert libraries.reasons(coverage) == {"budget"}


def test_recursion_of_gzip_is_bounded(libraries):
    data = b"\x1f\x8b\x08" + b"\0" * 600
    for _ in range(40):
        packer = zlib.compressobj(0, wbits=31)
        data = packer.compress(data) + packer.flush()
    _, coverage = libraries.scan(data)
    assert libraries.reasons(coverage) == {"budget"}


class Counting:
    """A visitor that counts the containers it is shown."""

    words = endings = ()

    def __init__(self):
        self.left = 0

    def wants_text(self, name):
        return False

    def wants_class(self, data):
        return False

    def is_enough(self, data):
        return False

    def class_file(self, place, name, data): ...

    def text_file(self, place, name, data): ...

    def leave(self, place):
        self.left += 1

    def mark(self):
        return 0

    def kept(self, mark, depth):
        return ()

    def replay(self, chain, kept): ...


def test_identical_files_are_walked_once(java):
    visitor, notes, memory = Counting(), Notes(), Memory()
    data = java.jar({"a.txt": b"plain text " * 30})
    for _ in range(3):
        Walker(visitor, notes, memory).walk(BytesSource(data), "x", Budget(LIMITS))
    assert visitor.left == 1


def test_what_identical_files_hold_is_told_for_each(java, libraries):
    library = java.jar(java.pom("1.1", "org.acme", "tool") | {"x.txt": b"x" * 99})
    files = {"/a": library, "/b": library, "/c": java.jar({"in/1": library, "in/2": library})}
    rows, _ = libraries.scan(files)
    assert sorted(row.path for row in rows) == ["/a", "/b", "/c » in/1", "/c » in/2"]


@pytest.mark.parametrize("tool", ["7z", "mksquashfs", "zstd"])
def test_containers_of_other_tools(java, libraries, vulnerable, tmp_path, tool):
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "core").write_bytes(vulnerable)
    commands = {
        "7z": [
            ["7z", "a", "-bd", "-y", f"-m0={m}", f"{m}.7z", "in"] for m in ("LZMA", "LZMA2", "BZip2", "Deflate", "Copy")
        ]
        + [
            ["7z", "a", "-bd", "-y", "-tzip", "-mm=Deflate64", "64.zip", "in"],
            ["7z", "a", "-bd", "-pabc", "locked.7z", "in"],
        ],
        "mksquashfs": [
            ["mksquashfs", "in", f"{c}.sqfs", "-comp", c, "-quiet", "-no-progress"] for c in ("gzip", "xz", "zstd")
        ],
        "zstd": [["zstd", "-q", "in/core", "-o", "core.zst"]],
    }
    for command in commands[tool]:
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=1800)
    made = sorted(p for p in tmp_path.iterdir() if p.is_file())
    assert len(made) == len(commands[tool])
    for path in made:
        rows, coverage = libraries.scan(path.read_bytes())
        if path.stem == "locked":
            assert libraries.reasons(coverage) == {"encrypted"}
        else:
            assert [row.state for row in rows] == ["vulnerable"], path.name


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_flipped_and_cut_containers_never_raise(libraries, vulnerable, wrapped, data):
    raw = bytearray(wrapped(vulnerable[:4000]))
    generator = random.Random(data.draw(st.integers(0, 2**32)))
    for _ in range(data.draw(st.integers(1, 12))):
        raw[generator.randrange(len(raw))] = generator.randrange(256)
    cut = len(raw) if data.draw(st.booleans()) else generator.randrange(len(raw))
    libraries.scan(bytes(raw[:cut]), limits=replace(LIMITS, max_archive_seconds=2.0))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.sampled_from(
        [
            b"PK\x03\x04",
            b"BZh9",
            b"7z\xbc\xaf\x27\x1c\0\4",
            b"hsqs",
            b"!<arch>\n",
            b"070701",
            b"\xfd7zXZ\0",
            b"\x04\x22\x4d\x18",
            b"\x28\xb5\x2f\xfd",
            b"\xed\xab\xee\xdb",
            b"Rar!\x1a\x07",
        ]
    ),
    st.binary(max_size=600),
)
def test_random_bytes_behind_a_magic_never_raise(magic, rest):
    from hinomi.evidence.java.finder import Finder

    Walker(Finder(), Notes(), Memory()).walk(BytesSource(magic + rest), "x", Budget(LIMITS))


def test_data_that_only_holds_a_zip_is_no_archive(libraries, vulnerable):
    inside = b"\xa7\r\r\n" + bytes(12) + b"\xe3" + bytes(600) + vulnerable + b"\x00marshalled constants follow" * 20
    rows, coverage = libraries.scan({"/lib/test_archive.pyc": inside})
    assert rows == [] and coverage.complete
    appended = b"\xa7\r\r\n" + bytes(12) + b"\xe3" + b"PK\x03\x04" + bytes(600) + vulnerable
    rows, _ = libraries.scan({"/lib/carrier.pyc": appended})
    assert [row.state for row in rows] == ["vulnerable"]


def test_a_program_with_a_signature_behind_its_zip_is_an_archive(libraries, vulnerable):
    for head in (b"MZ" + bytes(600), b"#!/bin/sh\nexec java -jar $0\n", b"\x7fELF" + bytes(600)):
        rows, _ = libraries.scan({"/opt/run": head + vulnerable + b"\x30\x82 a signature" * 30})
        assert [row.state for row in rows] == ["vulnerable"], head[:4]


def _tar_header(
    name: bytes, size: int, kind: bytes = b"0", extra: dict[int, bytes] | None = None, signed: bool = False
):
    header = bytearray(name.ljust(100, b"\0") + b"0000644\0" * 3 + b"%011o\0" % size + b"%011o\0" % 0)
    header += b" " * 8 + kind
    header = header.ljust(512, b"\0")
    for place, data in (extra or {}).items():
        header[place : place + len(data)] = data
    total = sum(header) - (256 * sum(byte > 127 for byte in header) if signed else 0)
    header[148:156] = b"%06o\0 " % total
    return bytes(header)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 512)


def test_tar_dialects_do_not_hide_the_members_behind_them(libraries, vulnerable):
    jar = _tar_header(b"x.jar", len(vulnerable)) + _padded(vulnerable) + bytes(1024)
    ustar = {257: b"ustar\x0000"}
    sparse = (
        _tar_header(b"s", 512, b"S", {482: b"\1", **ustar}) + bytes(504) + b"\1" + bytes(7) + bytes(512) + bytes(512)
    )
    record = b"12 size=512\n"
    sized = _tar_header(b"p", len(record), b"x", ustar) + _padded(record) + _tar_header(b"f", 0) + b"text" * 128
    signed = _tar_header("\u00e9t\u00e9".encode("latin-1"), 4, b"0", ustar, signed=True) + _padded(b"text")
    for first in (sparse, sized, signed):
        rows, coverage = libraries.scan(first + jar)
        assert [row.state for row in rows] == ["vulnerable"]
        assert coverage.complete

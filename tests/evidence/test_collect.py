"""The pipeline: one reading per file, order that repeats, and a cost of one file for whatever is wrong with it."""

from __future__ import annotations

import hashlib
import os
import pickle
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from hinomi.evidence.collect import collect
from hinomi.evidence.collector import ContentFile
from hinomi.evidence.content import CHUNK
from hinomi.evidence.smallfiles import AT_ONCE
from hinomi.evidence.sources.memory import MemoryFile, memory_target
from hinomi.evidence.sources.root import RootView, root_target
from hinomi.evidence.target import Limits, Target
from hinomi.evidence.view import Entry
from hinomi.model.errors import ParseError
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row
from hinomi.model.tables.files import ContentMatch, File
from hinomi.model.tables.host import Setting


class Marks:
    """Yields a row per file that holds the word `mark`."""

    name = "marks"
    tables = (ContentMatch,)

    def wants(self, entry: Entry, head: bytes) -> bool:
        return True

    def examine(self, file: ContentFile, target: Target, coverage: Coverage) -> Iterator[Row]:
        with file.open() as reader:
            reader.seek(-min(100, file.entry.size), os.SEEK_END)
            tail = reader.read()
        if b"mark" in file.read(1000) + tail:
            yield ContentMatch(path=file.entry.path.decode(), rule="mark", sha256=file.sha256)


class Clumsy(Marks):
    """Fails in every way a collector can."""

    name = "clumsy"

    def examine(self, file: ContentFile, target: Target, coverage: Coverage) -> Iterator[Row]:
        yield ContentMatch(path=file.entry.path.decode(), rule="clumsy")
        if file.entry.name == b"odd":
            raise ParseError("truncated", cause="too short")
        if file.entry.name == b"bad":
            raise RecursionError
        if file.entry.name == b"gone":
            raise PermissionError(13, "no")


class Host:
    """A host collector that breaks after its first row."""

    name = "host"
    tables = (Setting,)

    def collect(self, target: Target, coverage: Coverage) -> Iterator[Row]:
        yield Setting(path="/x", name="first", value="1")
        raise ZeroDivisionError


def run(target: Target, *, collectors=(), **options) -> tuple[list[Row], Coverage]:
    rows: list[Row] = []
    coverage = Coverage()
    collect(target, rows.append, coverage, collectors=collectors, **options)
    return rows, coverage


def files(rows: list[Row]) -> dict[str, File]:
    return {row.path: row for row in rows if isinstance(row, File)}


def test_every_entry_is_a_row_with_its_attributes(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("alice:x:4321:8765::/:/bin/sh\n")
    (tmp_path / "etc/group").write_text("crew:x:8765:\n")
    (tmp_path / "link").symlink_to("etc/passwd")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "run").write_text("#!/bin/sh\n")
    os.chmod(tmp_path / "run", 0o4755)
    os.utime(tmp_path / "run", (1, 2))
    if os.geteuid() == 0:
        os.chown(tmp_path / "run", 4321, 8765)
        os.chmod(tmp_path / "run", 0o4755)

    rows, coverage = run(root_target(tmp_path))
    found = files(rows)

    assert list(found) == ["/", "/etc", "/link", "/pipe", "/run", "/etc/group", "/etc/passwd"]
    script = found["/run"]
    assert (script.kind, script.size, script.mode, script.mtime) == ("file", 10, 0o4755, 2.0)
    assert script.sha256 == hashlib.sha256(b"#!/bin/sh\n").hexdigest()
    assert script.content_type == "text/x-shellscript"
    if os.geteuid() == 0:
        assert (script.owner, script.group) == ("alice", "crew")
    assert found["/link"].link_target == "etc/passwd"
    assert found["/pipe"].sha256 is None
    assert script.package_state is None  # no package database, no claim
    assert coverage.examined == {"files": 3, "bytes": 52}
    assert coverage.skipped == {"fifo": 1}
    assert coverage.complete


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_rows_come_in_walk_order_whatever_the_number_of_threads(tmp_path: Path, jobs: int) -> None:
    for i in range(40):
        (tmp_path / f"{i:02}").write_bytes(b"mark" + bytes((i % 5) * 200_000))
    rows, _ = run(root_target(tmp_path), watchers=[Marks()], jobs=jobs)
    shape = [(type(row).__name__, row.path) for row in rows[1:]]  # type: ignore[attr-defined]
    assert shape == [(kind, f"/{i:02}") for i in range(40) for kind in ("File", "ContentMatch")]


@pytest.mark.parametrize("size", [0, 1, 4096, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, CHUNK * 2 + 7])
def test_large_and_small_files_are_read_alike(tmp_path: Path, size: int) -> None:
    data = (bytes(range(256)) * (size // 256 + 1))[: max(0, size - 4)] + b"mark"[:size]
    (tmp_path / "file").write_bytes(data)
    rows, coverage = run(root_target(tmp_path), watchers=[Marks()])
    assert files(rows)["/file"].sha256 == hashlib.sha256(data).hexdigest()
    assert any(isinstance(row, ContentMatch) for row in rows) is (size >= 4)
    assert coverage.examined["bytes"] == size


def test_hard_links_are_read_once_and_told_for_each_name(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"mark" + bytes(300_000))
    os.link(tmp_path / "a", tmp_path / "b")
    (tmp_path / "sub").mkdir()
    os.link(tmp_path / "a", tmp_path / "sub/c")
    rows, coverage = run(root_target(tmp_path), watchers=[Marks()])
    found = files(rows)
    assert len({found[name].sha256 for name in ("/a", "/b", "/sub/c")}) == 1
    assert [row.path for row in rows if isinstance(row, ContentMatch)] == ["/a", "/b", "/sub/c"]
    assert (coverage.examined["files"], coverage.examined["hard-links"]) == (1, 2)


def test_one_collectors_crash_costs_one_file_of_it() -> None:
    target = memory_target({"/bad": "mark", "/gone": "mark", "/odd": "mark", "/ok": "mark"})
    rows, coverage = run(target, collectors=[Host(), Clumsy()], watchers=[Marks()])
    assert isinstance(rows[0], Setting)
    assert len(files(rows)) == 5
    assert [row.path for row in rows if isinstance(row, ContentMatch) and row.rule == "mark"] == [
        "/bad",
        "/gone",
        "/odd",
        "/ok",
    ]
    assert {(m.area, m.subject, m.reason) for m in coverage.misses} == {
        ("host", "memory", "crashed"),
        ("clumsy", "/bad", "crashed"),
        ("clumsy", "/gone", "permission"),
        ("clumsy", "/odd", "truncated"),
    }


def test_errors_of_the_sink_are_not_swallowed() -> None:
    def full(row: Row) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        collect(memory_target({"/a": "x"}), full, Coverage(), collectors=[Host()])


def test_a_file_swapped_for_a_link_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("secret")
    root = tmp_path / "root"
    root.mkdir()
    (root / "victim").write_text("harmless")
    (root / "other").write_text("other")

    def swap(path: bytes) -> None:
        if path == b"/victim":
            (root / "victim").unlink()
            (root / "victim").symlink_to(outside)

    rows, coverage = run(with_view(root, swap))
    assert files(rows)["/victim"].sha256 is None
    assert files(rows)["/other"].sha256 is not None
    assert [(m.subject, m.reason) for m in coverage.misses] == [("/victim", "changed")]


def with_view(root: Path, before_open) -> Target:
    view = RootView(os.fsencode(root), before_open=before_open)
    plain = root_target(root)
    return Target(name=plain.name, kind="root", host="x", view=view, ownership=plain.ownership)


def test_a_file_swapped_for_another_or_for_a_pipe_is_said(tmp_path: Path) -> None:
    for name in ("file", "pipe"):
        (tmp_path / name).write_text("first")

    def swap(path: bytes) -> None:
        place = tmp_path / os.fsdecode(path[1:])
        if path == b"/file":
            (tmp_path / "new").write_text("second")
            os.replace(tmp_path / "new", place)
        elif path == b"/pipe":
            place.unlink()
            os.mkfifo(place)

    rows, coverage = run(with_view(tmp_path, swap))
    assert [files(rows)[name].sha256 for name in ("/file", "/pipe")] == [None, None]
    assert sorted((m.subject, m.reason) for m in coverage.misses) == [("/file", "changed"), ("/pipe", "changed")]


def test_a_file_that_changes_while_read_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "log").write_bytes(b"a" * 3_000_000)
    import hinomi.evidence.sources.descriptors as root_module

    plain = root_module.FileHandle.readinto
    times = []

    def grow(self, buffer: memoryview) -> int:
        if not times:
            with open(tmp_path / "log", "ab") as file:
                file.write(b"more")
        times.append(1)
        return plain(self, buffer)

    monkeypatch.setattr(root_module.FileHandle, "readinto", grow)
    rows, coverage = run(root_target(tmp_path), jobs=1)
    assert files(rows)["/log"].sha256 == hashlib.sha256(b"a" * 3_000_000 + b"more").hexdigest()
    assert coverage.complete


@pytest.mark.parametrize("size", [100, AT_ONCE + 1])
def test_a_file_that_keeps_changing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setenv("HINOMI_PURE", "1")  # the core reads small files by itself: tests/evidence/test_smallfiles.py
    (tmp_path / "log").write_bytes(b"a" * size)
    import hinomi.evidence.sources.descriptors as root_module

    plain = root_module.FileHandle.readinto

    def grow(self, buffer: memoryview) -> int:
        number = plain(self, buffer)
        with open(tmp_path / "log", "ab") as file:
            file.write(b"more")
        return number

    monkeypatch.setattr(root_module.FileHandle, "readinto", grow)
    rows, coverage = run(root_target(tmp_path), jobs=1)
    assert files(rows)["/log"].sha256 is None
    assert [(m.reason, m.transient) for m in coverage.misses] == [("changed", True)]


def test_huge_sparse_files_are_bounded_and_said(tmp_path: Path) -> None:
    with open(tmp_path / "sparse", "wb") as file:
        file.truncate(8 << 30)
    rows, coverage = run(root_target(tmp_path))
    assert files(rows)["/sparse"].size == 8 << 30
    assert files(rows)["/sparse"].sha256 is None
    assert [(m.subject, m.reason) for m in coverage.misses] == [("/sparse", "too-large")]


def test_limits_are_the_targets_own(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(101))
    _, coverage = run(root_target(tmp_path, limits=Limits(max_file_size=100)))
    assert [m.reason for m in coverage.misses] == ["too-large"]


@pytest.mark.skipif(os.geteuid() != 0, reason="changes its user")
def test_what_a_user_may_not_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed/inner").write_text("x")
    (tmp_path / "private").write_text("x")
    (tmp_path / "public").write_text("x")
    os.chmod(tmp_path / "closed", 0o700)
    os.chmod(tmp_path / "private", 0o600)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.geteuid() and folder.is_relative_to("/tmp") and folder != Path("/tmp"):
            os.chmod(folder, 0o755)
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the test runner's own threads; the child leaves at once
        child = os.fork()
    if child == 0:
        os.setgid(65534)
        os.setuid(65534)
        rows, coverage = run(root_target(tmp_path), jobs=1)
        misses = sorted((m.area, m.subject, m.reason) for m in coverage.misses)
        os.write(writer, pickle.dumps((sorted(files(rows)), misses)))
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        names, misses = pickle.loads(answer.read())
    os.waitpid(child, 0)
    assert names == ["/", "/closed", "/private", "/public"]
    assert misses == [("files", "/private", "permission"), ("walk", "/closed", "permission")]


def test_odd_names_reach_the_rows_whole(tmp_path: Path) -> None:
    name = b"\xff\x1b[2J\nnew"
    with open(os.fsencode(tmp_path) + b"/" + name, "wb") as file:
        file.write(b"x")
    rows, _ = run(root_target(tmp_path))
    row = next(row for row in rows if isinstance(row, File) and row.kind == "file")
    assert row.path_raw == b"/" + name
    assert row.path.encode("utf-8", "surrogateescape") == b"/" + name


def test_progress_tells_files_and_bytes(tmp_path: Path) -> None:
    for i in range(600):
        (tmp_path / str(i)).write_bytes(b"xy")
    told: list[tuple[int, int, str]] = []
    run(root_target(tmp_path), progress=lambda *values: told.append(values))
    assert told[-1][:2] == (600, 1200)
    counts = [count for count, _, _ in told]
    assert 255 in counts and counts == sorted(counts)  # every 256 entries, the folder among them


def test_capabilities_and_attribute_names(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    try:
        os.setxattr(tmp_path / "file", "user.origin", b"download")
    except OSError:
        pytest.skip("no extended attributes here")
    rows, _ = run(root_target(tmp_path))
    assert files(rows)["/file"].xattrs == ["user.origin"]


def test_memory_files_carry_capabilities() -> None:
    tree = {"/ping": MemoryFile(b"\x7fELF", xattrs={"security.capability": b"\x01\x02"})}
    rows, _ = run(memory_target(tree))
    assert files(rows)["/ping"].capabilities == "0102"


def test_descriptors_do_not_leak_when_the_sink_stops_it(tmp_path: Path) -> None:
    for i in range(300):
        (tmp_path / str(i)).write_bytes(bytes(200_000))
    target = root_target(tmp_path)
    before = len(os.listdir("/proc/self/fd"))
    seen = []

    def stop(row: Row) -> None:
        seen.append(row)
        if len(seen) == 50:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        collect(target, stop, Coverage(), collectors=(), jobs=3)
    assert len(os.listdir("/proc/self/fd")) == before


def test_an_interrupt_ends_collectors_under_way(tmp_path: Path) -> None:
    class Endless(Marks):
        def examine(self, file: ContentFile, target: Target, coverage: Coverage) -> Iterator[Row]:
            number = 0
            while file.entry.name != b"0":
                number += 1
                yield ContentMatch(path="/", rule=str(number))

    for i in range(4):
        (tmp_path / str(i)).write_bytes(bytes(200_000))

    def stop(row: Row) -> None:
        if isinstance(row, File) and row.path == "/0":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        collect(root_target(tmp_path), stop, Coverage(), collectors=[Endless()], jobs=3)

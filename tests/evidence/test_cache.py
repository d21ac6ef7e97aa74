"""The content cache: the second look equals the first, and whatever changed is read again."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from importlib.metadata import requires, version
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.evidence import cache as module
from hinomi.evidence.cache import FILE_NAME, ContentCache
from hinomi.evidence.collect import collect
from hinomi.evidence.collector import ContentFile
from hinomi.evidence.reading import Reading, decode, encode
from hinomi.evidence.sources.root import RootView, root_target
from hinomi.evidence.target import Limits, Target
from hinomi.evidence.view import Entry
from hinomi.model.errors import ParseError
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row
from hinomi.model.tables.files import ContentMatch, File


@pytest.fixture(autouse=True)
def _settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of a test are young: let them be kept at once."""
    monkeypatch.setattr(module, "SETTLED_SECONDS", -10.0)


class Words:
    """Yields a row per file; what it looks for stands for its rules."""

    name = "words"
    tables = (ContentMatch,)

    def __init__(self, word: str = "mark") -> None:
        self.word = word

    def fingerprint(self) -> str:
        return self.word

    def wants(self, entry: Entry, head: bytes) -> bool:
        return True

    def looks_beyond(self, entry: Entry, content_type: str) -> bool:
        return entry.name == b"neighbour"

    def examine(self, file: ContentFile, target: Target, coverage: Coverage) -> Iterator[Row]:
        if file.entry.name == b"odd":
            raise ParseError("encrypted", cause="needs a password")
        if file.entry.name == b"unlucky":
            raise ZeroDivisionError
        coverage.count("looked-at")
        if self.word.encode() in file.read(1 << 20):
            yield ContentMatch(path=file.entry.path.decode("utf-8", "surrogateescape"), rule=self.word, offset=1)


class Silent(Words):
    """Does not tell what its answers depend on."""

    fingerprint = None  # type: ignore[assignment]


def scan(folder: Path, cache: Path | None, *, word: str = "mark", jobs: int = 1) -> tuple[list[Row], Coverage]:
    rows: list[Row] = []
    coverage = Coverage()
    collect(root_target(folder), rows.append, coverage, collectors=[Words(word)], jobs=jobs, cache=cache)
    return rows, coverage


def told(coverage: Coverage) -> dict[str, object]:
    body = coverage.to_json()
    body["examined"].pop("files-from-cache", None)
    return body


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    (folder / "sub").mkdir(parents=True)
    (folder / "a").write_text("a mark")
    (folder / "odd").write_text("x")
    (folder / "unlucky").write_text("x")
    (folder / "neighbour").write_text("x")
    (folder / "empty").write_text("")
    (folder / "sub/b").write_text("nothing")
    os.link(folder / "a", folder / "sub/link")
    with open(os.fsencode(folder) + b"/\xff name", "wb") as file:
        file.write(b"mark" * 1000)
    (folder / "large").write_bytes(b"mark" + bytes(2 << 20))
    return folder


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_second_look_equals_the_first_and_one_without_a_cache(tree: Path, tmp_path: Path, jobs: int) -> None:
    plain = scan(tree, None, jobs=jobs)
    first = scan(tree, tmp_path / "cache", jobs=jobs)
    second = scan(tree, tmp_path / "cache", jobs=jobs)
    assert plain[0] == first[0] == second[0]
    assert told(plain[1]) == told(first[1]) == told(second[1])
    assert first[1].examined["files-from-cache"] == 0
    assert second[1].examined["files-from-cache"] == 6  # not: what crashed, what depends on its neighbours, the link


def test_a_changed_file_is_seen_though_its_time_is_set_back(tree: Path, tmp_path: Path) -> None:
    scan(tree, tmp_path / "cache")
    before = os.stat(tree / "sub/b")
    (tree / "sub/b").write_text("marking")  # as long as before
    os.utime(tree / "sub/b", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert os.stat(tree / "sub/b").st_mtime_ns == before.st_mtime_ns
    rows, _ = scan(tree, tmp_path / "cache")
    assert "/sub/b" in [row.path for row in rows if isinstance(row, ContentMatch)]


def test_other_rules_are_other_answers(tree: Path, tmp_path: Path) -> None:
    scan(tree, tmp_path / "cache")
    rows, coverage = scan(tree, tmp_path / "cache", word="nothing")
    assert [row.path for row in rows if isinstance(row, ContentMatch)] == ["/sub/b"]
    assert coverage.examined["files-from-cache"] == 0


def test_a_renamed_file_has_its_new_path_in_the_rows(tree: Path, tmp_path: Path) -> None:
    scan(tree, tmp_path / "cache")
    os.rename(tree / "large", tree / "moved")
    rows, _ = scan(tree, tmp_path / "cache")
    assert "/moved" in [row.path for row in rows if isinstance(row, ContentMatch)]


def test_a_collector_that_does_not_tell_what_it_depends_on_is_asked_each_time(tree: Path, tmp_path: Path) -> None:
    for _ in range(2):
        coverage = Coverage()
        collect(root_target(tree), lambda row: None, coverage, collectors=[Silent()], jobs=1, cache=tmp_path / "cache")
        assert coverage.examined["files-from-cache"] == 0
    assert module.version_of([Silent()], Limits()) is None


def test_what_just_changed_is_not_kept(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SETTLED_SECONDS", 40.0)
    scan(tree, tmp_path / "cache")
    assert scan(tree, tmp_path / "cache")[1].examined["files-from-cache"] == 0


def test_nothing_is_kept_of_read_only_file_systems(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = os.fstatvfs

    class ReadOnly:
        f_flag = os.ST_RDONLY
        f_fsid = 1

    monkeypatch.setattr(module.os, "fstatvfs", lambda fd: ReadOnly() if plain(fd) else None)
    for _ in range(2):
        assert scan(tree, tmp_path / "cache")[1].examined["files-from-cache"] == 0


@pytest.mark.parametrize("damage", [b"", b"not a database at all" * 400, None])
def test_a_damaged_cache_is_ignored_and_said(tree: Path, tmp_path: Path, damage: bytes | None) -> None:
    folder = tmp_path / "cache"
    first = scan(tree, folder)
    path = folder / FILE_NAME
    if damage is None:
        data = bytearray(path.read_bytes())
        data[4096:] = os.urandom(len(data) - 4096)
        damage = bytes(data)
    path.write_bytes(damage)
    for end in ("-wal", "-shm"):
        Path(f"{path}{end}").unlink(missing_ok=True)
    again, coverage = scan(tree, folder)
    assert again == first[0]
    assert coverage.skipped["content-cache-damaged"] == (1 if damage else 0)  # an empty file is a new database
    assert coverage.complete == first[1].complete
    scan(tree, folder)
    assert scan(tree, folder)[1].examined["files-from-cache"] == 6


def test_damaged_answers_are_read_again(tree: Path, tmp_path: Path) -> None:
    first, _ = scan(tree, tmp_path / "cache")
    with sqlite3.connect(tmp_path / "cache" / FILE_NAME) as database:
        database.execute("UPDATE readings SET body = x'6a' || substr(body, 3)")
    database.close()
    again, coverage = scan(tree, tmp_path / "cache")
    assert again == first and coverage.examined["files-from-cache"] == 0


def test_a_cache_that_cannot_be_written_is_said(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    rows, coverage = scan(tree, tmp_path / "cache")
    assert rows == scan(tree, None)[0]
    assert coverage.skipped["content-cache-not-usable"] == 1


def test_its_size_is_bounded(tmp_path: Path) -> None:
    entry = Entry(b"/f", "file", 1, 0, 0, 0, 1, 1, 1, 0.0, 0.0, mtime_ns=1, ctime_ns=1)
    for _ in range(3):
        cache = ContentCache(tmp_path, b"v", Coverage(), max_bytes=200_000)
        for number in range(20_000):
            cache.put(entry._replace(path=b"/%d" % number), (1, 1), os.urandom(100))
        cache.close()
        assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 2_000_000


PLAIN = st.text(max_size=20) | st.none()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 62), PLAIN, PLAIN, st.lists(st.text(max_size=8), max_size=3), st.text(max_size=30))
def test_a_reading_survives_its_text(
    size: int, sha: str | None, kind: str | None, xattrs: list[str], path: str
) -> None:
    coverage = Coverage()
    coverage.count("things", 3)
    coverage.miss("area", path, "damaged", "why")
    rows: list[Row] = [ContentMatch(path=path, rule="r", offset=size, excerpt="\udcff")]
    reading = Reading(size, sha, kind, "md5", "00", xattrs, None, rows=rows, coverage=coverage)
    back = decode(encode(reading))
    assert (back.size, back.sha256, back.xattrs, back.rows) == (size, sha, xattrs, rows)
    assert back.coverage is not None and back.coverage.to_json() == coverage.to_json()


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60) | st.sampled_from([b"[]", b"{}", b"null", b"[1,2,3,4,5,6,7,[[1,2]],9]", b"[" * 5000]))
def test_any_other_text_is_no_reading(data: bytes) -> None:
    try:
        decode(data)
    except ValueError:
        return
    raise AssertionError(data)


def test_views_that_are_watched_for_races_are_read_here(tree: Path) -> None:
    seen: list[bytes] = []
    view = RootView(os.fsencode(tree), before_open=seen.append)
    plain = root_target(tree)
    target = Target(name="x", kind="root", host="x", view=view, ownership=plain.ownership)
    rows: list[Row] = []
    collect(target, rows.append, Coverage(), collectors=(), jobs=4)
    assert b"/a" in seen and len([row for row in rows if isinstance(row, File)]) == 11


class Prepared(Words):
    """Says in a file when it was asked to load what workers share, and which processes looked at files."""

    def __init__(self, told: Path) -> None:
        super().__init__()
        self.told = told

    def prepare(self) -> None:
        self.told.write_text("prepared")

    def examine(self, file: ContentFile, target: Target, coverage: Coverage) -> Iterator[Row]:
        yield ContentMatch(path="/", rule=str(os.getpid()), offset=1)


@pytest.mark.parametrize(("files", "loaded"), [(5, False), (300, True)])
def test_a_few_files_are_read_by_one_worker_that_loads_only_what_it_needs(
    tmp_path: Path, files: int, loaded: bool
) -> None:
    folder, said, rows = tmp_path / "tree", tmp_path / "told", list[Row]()
    folder.mkdir()
    for number in range(files):
        (folder / str(number)).write_text(f"text {number}")
    collect(root_target(folder), rows.append, Coverage(), collectors=[Prepared(said)], jobs=3)
    readers = {row.rule for row in rows if isinstance(row, ContentMatch)}
    assert said.exists() == loaded
    assert str(os.getpid()) not in readers and (loaded or len(readers) == 1)
    assert len([row for row in rows if isinstance(row, ContentMatch)]) == files


@pytest.mark.parametrize("library", sorted(d for d in requires("hinomi") or () if d.startswith("tree-sitter")))
def test_another_grammar_is_another_version(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name = re.split(r"[^\w-]", library)[0]
    before = module.version_of([], Limits())
    monkeypatch.setattr("importlib.metadata.version", lambda asked, was=version: "0" if asked == name else was(asked))
    assert module.version_of([], Limits()) != before


def test_another_compiled_core_is_another_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "evidence/native").mkdir(parents=True)
    core = tmp_path / "evidence/native/classes.abi3.so"
    core.write_bytes(b"one")
    monkeypatch.setattr(module, "__file__", str(tmp_path / "evidence/cache.py"))
    before = module.version_of([], Limits())
    core.write_bytes(b"two")
    assert module.version_of([], Limits()) != before

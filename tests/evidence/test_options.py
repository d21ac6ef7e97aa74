"""What a user may choose about a scan, and that every choice is said in the coverage."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from hinomi.evidence.collect import collect
from hinomi.evidence.collector import ContentFile
from hinomi.evidence.options import ScanOptions, Selection
from hinomi.evidence.sources.root import RootView, root_target
from hinomi.evidence.target import Target
from hinomi.evidence.view import Entry
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row
from hinomi.model.tables.files import ContentMatch, File


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("etc/app/app.conf", "etc/hosts", "var/log/app.log", "var/cache/big.bin", "srv/APP.CONF"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("text")
    (tmp_path / "var/cache/big.bin").write_bytes(bytes(5000))
    return tmp_path


def scan(folder: Path, options: ScanOptions) -> tuple[dict[str, File], Coverage]:
    rows: list[Row] = []
    coverage = Coverage()
    target = root_target(folder, limits=options.limits(), selection=options.selection())
    collect(target, rows.append, coverage, collectors=(), jobs=1)
    return {row.path: row for row in rows if isinstance(row, File)}, coverage


@pytest.mark.parametrize(
    ("exclude", "gone"),
    [
        (("/var",), {"/var", "/var/cache", "/var/cache/big.bin", "/var/log", "/var/log/app.log"}),
        (("var/",), {"/var", "/var/cache", "/var/cache/big.bin", "/var/log", "/var/log/app.log"}),
        (("*.log",), {"/var/log/app.log"}),
        (("/var/c*", "hosts"), {"/var/cache", "/var/cache/big.bin", "/etc/hosts"}),
        (("app.con[fg]",), {"/etc/app/app.conf"}),
        (("nothing", "*/nothing"), set()),
    ],
)
def test_what_is_excluded_is_left_out_with_all_in_it(tree: Path, exclude: tuple[str, ...], gone: set[str]) -> None:
    every, _ = scan(tree, ScanOptions())
    left, coverage = scan(tree, ScanOptions(exclude=exclude))
    assert set(every) - set(left) == gone
    assert bool(coverage.skipped["not-chosen"]) is bool(gone)
    assert coverage.complete


def test_only_what_is_included_is_examined_and_folders_are_walked(tree: Path) -> None:
    left, coverage = scan(tree, ScanOptions(include=("*.conf", "/var/*/big.bin")))
    assert {path for path, row in left.items() if row.kind == "file"} == {"/etc/app/app.conf", "/var/cache/big.bin"}
    assert "/srv" in left
    assert coverage.skipped["not-chosen"] == 3


def test_exclusion_wins_over_inclusion(tree: Path) -> None:
    left, _ = scan(tree, ScanOptions(include=("*.conf",), exclude=("/etc",)))
    assert [path for path, row in left.items() if row.kind == "file"] == []


def test_larger_files_keep_their_attributes_and_are_counted(tree: Path) -> None:
    left, coverage = scan(tree, ScanOptions(max_size=4999))
    assert (left["/var/cache/big.bin"].sha256, left["/var/cache/big.bin"].size) == (None, 5000)
    assert left["/etc/hosts"].sha256 is not None
    assert coverage.skipped["larger-than-chosen"] == 1 and coverage.complete
    assert scan(tree, ScanOptions(max_size=5000))[1].skipped["larger-than-chosen"] == 0


def test_other_file_systems_are_left_out_and_named(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    view = RootView(os.fsencode(tree), selection=Selection(same_fs=True))
    plain = RootView._chosen

    def elsewhere(self: RootView, entry: Entry, selection: Selection, coverage: Coverage) -> bool:
        if entry.path == b"/var":
            entry = entry._replace(device=entry.device + 1)
        return plain(self, entry, selection, coverage)

    monkeypatch.setattr(RootView, "_chosen", elsewhere)
    coverage = Coverage()
    found = [entry.path for entry in view.walk(coverage)]
    assert b"/etc/hosts" in found and b"/var" not in found and b"/var/log/app.log" not in found
    assert coverage.skipped["other-file-system:/var"] == 1


def test_the_walk_of_this_host_stays_on_one_file_system() -> None:
    device = os.stat("/").st_dev
    view = RootView(b"/", selection=Selection(same_fs=True), max_depth=1)
    folders = [entry for entry in view.walk(Coverage()) if entry.kind == "directory"]
    assert folders and {entry.device for entry in folders} == {device}


class Niceness:
    """Tells the priority of the process that reads."""

    name = "niceness"
    tables = (ContentMatch,)

    def wants(self, entry: Entry, head: bytes) -> bool:
        return True

    def examine(self, file: ContentFile, target: Target, coverage: Coverage) -> Iterator[Row]:
        yield ContentMatch(path="/", rule=f"{os.getpid()} {os.getpriority(os.PRIO_PROCESS, 0)}")


@pytest.mark.parametrize("nice", [False, True])
def test_workers_are_as_many_and_as_nice_as_asked(tmp_path: Path, nice: bool) -> None:
    for i in range(600):
        (tmp_path / f"{i:03}").write_text("x")
    rows: list[Row] = []
    collect(root_target(tmp_path), rows.append, Coverage(), collectors=[Niceness()], jobs=3, nice=nice)
    told = {row.rule for row in rows if isinstance(row, ContentMatch)}
    assert len(told) == 3
    expected = 19 if nice else os.getpriority(os.PRIO_PROCESS, 0)
    assert {int(rule.split()[1]) for rule in told} == {expected}


def test_patterns_from_outside_cannot_hang_it() -> None:
    chosen = Selection(exclude=("*a" * 40 + "/b", "*a" * 40 + "b", "[", "[!]", "?" * 300))
    assert not chosen.leaves_out(b"/" + b"a" * 3000)
    assert chosen.leaves_out(b"/x/[")


def test_names_that_are_not_utf8_can_be_matched() -> None:
    assert Selection(exclude=("?.txt",)).leaves_out(b"/dir/\xff.txt")
    assert Selection(exclude=("/dir/*",)).leaves_out(b"/dir/\n\xff")

"""rpm's SQLite database, made by SQLite itself and by a header writer of the test's own."""

from __future__ import annotations

import sqlite3
import struct
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.evidence.collectors.packages import COLLECTOR
from hinomi.evidence.packages.rpm import BASENAMES, NAME, read_header
from hinomi.evidence.sources.memory import memory_target
from hinomi.evidence.sources.root import root_target
from hinomi.model.errors import ParseError
from hinomi.model.findings import Coverage

PLACE = "/usr/lib/sysimage/rpm/rpmdb.sqlite"


def header(tags: dict[int, object]) -> bytes:
    """Write a header blob: strings (6), string arrays (8), 32-bit numbers (4)."""
    index, data = b"", b""
    for tag, value in sorted(tags.items()):
        if isinstance(value, str):
            kind, count, stored = 6, 1, value.encode() + b"\0"
        elif isinstance(value, list) and value and isinstance(value[0], str):
            kind, count, stored = 8, len(value), b"".join(text.encode() + b"\0" for text in value)
        else:
            data += bytes(-len(data) % 4)
            kind, count, stored = 4, len(value), struct.pack(f">{len(value)}I", *value)  # type: ignore[arg-type]
        index += struct.pack(">IIII", tag, kind, len(data), count)
        data += stored
    return struct.pack(">II", len(tags), len(data)) + index + data


def package(name: str, files: int = 3) -> bytes:
    return header(
        {
            1000: name,
            1001: "7.0",
            1002: "1.fc39",
            1003: [2],
            1022: "x86_64",
            1044: f"{name}-7.0-1.fc39.src.rpm",
            1035: ["ab" * 32] * (files - 1) + [""],
            1116: [0] * (files - 1) + [1],
            1117: [f"tool{i}" for i in range(files - 1)] + ["link"],
            1118: ["/usr/bin/", "/etc/"],
        }
    )


def make_database(path: Path, blobs: list[bytes], *, wal: bool = False) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma page_size=4096")
        connection.execute("create table Other (x)")
        connection.execute("create table Packages (hnum integer primary key autoincrement, blob blob not null)")
        connection.executemany("insert into Packages (blob) values (?)", [(blob,) for blob in blobs])
        connection.commit()
        if wal:
            connection.execute("pragma journal_mode=wal")
            connection.execute("pragma wal_autocheckpoint=0")
            connection.execute("insert into Packages (blob) values (?)", (package("late", 4000),))
            connection.commit()
            for name in ("", "-wal"):
                Path(f"{path}.copy{name}").write_bytes(Path(f"{path}{name}").read_bytes())


def tree(tmp_path: Path, blobs: list[bytes]) -> dict[str, bytes | str]:
    make_database(tmp_path / "db", blobs)
    return {PLACE: (tmp_path / "db").read_bytes(), "/etc/os-release": "ID=fedora\nVERSION_ID=39\n"}


def test_packages_and_ownership(tmp_path: Path) -> None:
    blobs = [package("curl"), header({1000: "gpg-pubkey", 1001: "1", 1002: "2"}), package("big", 30_000)]
    target = memory_target(tree(tmp_path, blobs))
    coverage = Coverage()
    rows = list(COLLECTOR.collect(target, coverage))
    assert [(row.name, row.version, row.source) for row in rows] == [  # type: ignore[attr-defined]
        ("curl", "2:7.0-1.fc39", "curl-7.0-1.fc39.src.rpm"),
        ("big", "2:7.0-1.fc39", "big-7.0-1.fc39.src.rpm"),
    ]
    assert rows[0].purl == "pkg:rpm/fedora/curl@7.0-1.fc39?arch=x86_64&distro=fedora-39&epoch=2"  # type: ignore[attr-defined]
    assert coverage.complete
    ownership = target.ownership
    assert ownership.digest_kind(b"/usr/bin/tool1") == "sha256"
    assert ownership.state(b"/usr/bin/tool1", "ab" * 32) == "intact"
    assert ownership.state(b"/usr/bin/tool29998", "cd" * 32) == "modified"
    assert ownership.state(b"/etc/link", None) == "intact"
    assert ownership.state(b"/etc/shadow", None) == "unowned"


def test_thousands_of_packages_keep_their_order(tmp_path: Path) -> None:
    names = [f"package{i}" for i in range(3000)]
    rows = list(COLLECTOR.collect(memory_target(tree(tmp_path, [package(n) for n in names])), Coverage()))
    assert [row.name for row in rows] == names  # type: ignore[attr-defined]


def test_the_write_ahead_log_counts(tmp_path: Path) -> None:
    folder = tmp_path / "root/var/lib/rpm"
    folder.mkdir(parents=True)
    make_database(folder / "x", [package("early")], wal=True)
    (folder / "x.copy").rename(folder / "rpmdb.sqlite")
    (folder / "x.copy-wal").rename(folder / "rpmdb.sqlite-wal")
    rows = list(COLLECTOR.collect(root_target(tmp_path / "root"), Coverage()))
    assert [row.name for row in rows] == ["early", "late"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["/var/lib/rpm/Packages", "/usr/lib/sysimage/rpm/Packages.db"])
def test_older_databases_are_said(name: str) -> None:
    coverage = Coverage()
    assert list(COLLECTOR.collect(memory_target({name: b"x"}), coverage)) == []
    assert [(miss.subject, miss.reason) for miss in coverage.misses] == [(name, "unsupported")]


def test_damage_is_said_and_what_came_before_it_stays(tmp_path: Path) -> None:
    files = tree(tmp_path, [package("first"), package("second", 3000)])
    data = files[PLACE]
    assert isinstance(data, bytes)
    files[PLACE] = data[:-4096]
    coverage = Coverage()
    list(COLLECTOR.collect(memory_target(files), coverage))
    assert [miss.reason for miss in coverage.misses] == ["truncated"]


@settings(max_examples=80, deadline=None, derandomize=True)
@given(flips=st.lists(st.tuples(st.integers(0, 40_000), st.integers(0, 255)), min_size=1, max_size=12))
def test_any_damage_ends_in_rows_or_a_miss(
    tmp_path_factory: pytest.TempPathFactory, flips: list[tuple[int, int]]
) -> None:
    data = bytearray(_sample(tmp_path_factory))
    for at, value in flips:
        data[at % len(data)] = value
    coverage = Coverage()
    target = memory_target({PLACE: bytes(data)})
    list(COLLECTOR.collect(target, coverage))
    target.ownership.package_of(b"/usr/bin/tool1")


_kept: list[bytes] = []


def _sample(factory: pytest.TempPathFactory) -> bytes:
    if not _kept:
        path = factory.mktemp("rpm") / "db"
        make_database(path, [package(f"p{i}", 20 + i * 40) for i in range(8)])
        _kept.append(path.read_bytes())
    return _kept[0]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.binary(max_size=80), st.integers(0, 400))
def test_any_header_is_read_or_refused(noise: bytes, at: int) -> None:
    blob = bytearray(package("x"))
    blob[at : at + len(noise)] = noise
    try:
        assert set(read_header(bytes(blob), frozenset({NAME, BASENAMES}))) <= {NAME, BASENAMES}
    except ParseError as error:
        assert error.code in ("damaged", "truncated")

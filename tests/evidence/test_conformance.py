"""What every collector owes: declared tables, stable order, no exception on any input, misses rather than silence."""

from __future__ import annotations

import pytest

from hinomi.evidence.collect import collect
from hinomi.evidence.collector import ContentCollector, HostCollector, load_collectors
from hinomi.evidence.sources.memory import MemoryFile, memory_target
from hinomi.model.findings import Coverage
from hinomi.model.tables import TABLES, Row, columns_of, table_of
from hinomi.store.arrow import batch_of

COLLECTORS = load_collectors()
JUNK = [
    b"",
    b"\0" * 700,
    b"\xff\xfe" * 300,
    bytes(range(256)) * 20,
    b"#!/bin/sh\n" + b"(" * 5000,
    b"\x7fELF" + b"\xff" * 200,
]
PLACES = (
    "/etc/passwd", "/etc/shadow", "/etc/group", "/etc/sudoers", "/etc/rc.local", "/etc/inittab", "/etc/crontab",
    "/etc/ld.so.preload", "/etc/systemd/system/x.service", "/etc/init.d/x", "/root/.bashrc",
    "/root/.ssh/authorized_keys",
    "/var/spool/cron/crontabs/root", "/etc/udev/rules.d/x.rules", "/etc/pam.d/x", "/var/lib/dpkg/status",
    "/var/lib/dpkg/info/x.list", "/lib/apk/db/installed", "/etc/xdg/autostart/x.desktop", "/usr/lib/x.jar", "/x.class",
    "/x.xlsm", "/x.ps1", "/package.json", "/Library/LaunchAgents/x.plist", "/etc/ssh/sshd_config", "/etc/login.defs",
    "/Windows/System32/config/SOFTWARE", "/Users/x/AppData/Roaming/Microsoft/Windows/Start Menu/Programs/Startup/x.exe",
)  # fmt: skip


def rows_of(files: dict[str, MemoryFile | bytes | str]) -> tuple[list[Row], Coverage]:
    rows: list[Row] = []
    coverage = Coverage()
    collect(memory_target(files), rows.append, coverage, jobs=2)
    return rows, coverage


def test_names_are_unique_and_tables_declared() -> None:
    assert len({c.name for c in COLLECTORS}) == len(COLLECTORS) > 8
    for collector in COLLECTORS:
        assert isinstance(collector, HostCollector | ContentCollector)
        assert all(TABLES[table_of(t).name] is t for t in collector.tables)
        assert (collector.__class__.__doc__ or "").strip(), collector.name


def test_every_column_is_documented() -> None:
    for cls in TABLES.values():
        assert table_of(cls).doc.endswith(".")
        for column in columns_of(cls):
            assert column.doc.strip(), f"{table_of(cls).name}.{column.name}"


def test_an_empty_target_gives_no_rows_but_its_root() -> None:
    rows, coverage = rows_of({})
    assert {table_of(type(r)).name for r in rows} <= {"files"}
    assert coverage.complete


@pytest.mark.parametrize("junk", JUNK, ids=range(len(JUNK)))
def test_junk_in_every_known_place_crashes_nothing(junk: bytes) -> None:
    rows, coverage = rows_of(dict.fromkeys(PLACES, junk))
    assert not [m for m in coverage.misses if m.reason == "crashed"], coverage.misses
    assert {"/etc/passwd", "/x.jar".replace("/x", "/usr/lib/x")} <= {getattr(r, "path", "") for r in rows}


def test_what_comes_out_is_what_was_declared_and_can_be_stored() -> None:
    rows, _ = rows_of({place: f"#!/bin/sh\necho {place}\n" for place in PLACES})
    declared = {t for c in COLLECTORS for t in c.tables} | {TABLES["files"]}
    assert {type(r) for r in rows} <= declared
    for cls in {type(r) for r in rows}:
        of_table = [r for r in rows if type(r) is cls]
        assert batch_of(cls, of_table, 0).num_rows == len(of_table)


def test_the_same_target_gives_the_same_rows() -> None:
    files = {place: f"#!/bin/sh\n{place} &\n" for place in PLACES}
    assert rows_of(files)[0] == rows_of(files)[0]

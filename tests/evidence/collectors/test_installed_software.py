"""Table packages on Windows and macOS."""

from __future__ import annotations

import plistlib
from types import ModuleType

from hinomi.evidence.collectors.installed_software import COLLECTOR
from hinomi.evidence.sources.memory import memory_target
from hinomi.model.findings import Coverage
from hinomi.model.tables.host import Package


def rows(files: dict[str, bytes]) -> tuple[list[tuple[str, str, str]], Coverage]:
    coverage = Coverage()
    found = [row for row in COLLECTOR.collect(memory_target(dict(files)), coverage) if isinstance(row, Package)]
    return [(row.manager, row.name, row.version) for row in found], coverage


def uninstall(**programs: dict[str, object]) -> dict[str, object]:
    return {"Microsoft": {"Windows": {"CurrentVersion": {"Uninstall": programs}}}}


def test_windows_programs_of_the_machine_and_of_a_user(registry: ModuleType) -> None:
    machine = registry.hive(
        {
            **uninstall(a={"DisplayName": "Some Editor", "DisplayVersion": "1.2"}, update={"SystemComponent": 1}),
            "Wow6432Node": uninstall(b={"DisplayName": "Old Viewer"}),
        }
    )
    own = registry.hive({"Software": uninstall(c={"DisplayName": "Chat", "DisplayVersion": "9"})})
    found, coverage = rows({"/WINDOWS/system32/CONFIG/software": machine, "/Users/mika/NTUSER.DAT": own})
    assert found == [("windows", "Some Editor", "1.2"), ("windows", "Old Viewer", ""), ("windows", "Chat", "9")]
    assert coverage.complete


def test_macos_bundles() -> None:
    about = plistlib.dumps({"CFBundleName": "Mail Tool", "CFBundleShortVersionString": "3.1"})
    found, _ = rows({"/Applications/Mail.app/Contents/Info.plist": about, "/Applications/readme.txt": b"x"})
    assert found == [("macos", "Mail Tool", "3.1")]


def test_what_is_damaged_is_a_miss() -> None:
    found, coverage = rows(
        {"/Windows/System32/config/SOFTWARE": b"regf but no more", "/Applications/A.app/Contents/Info.plist": b"<"}
    )
    assert found == []
    assert {(m.area, m.reason) for m in coverage.misses} == {("packages", "unparsable")}
    assert len(coverage.misses) == 2


def test_a_debian_root_has_none() -> None:
    found, coverage = rows({"/etc/os-release": b"ID=debian\n"})
    assert (found, coverage.complete) == ([], True)

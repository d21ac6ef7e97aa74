"""The collector's edge: what it asks to see, classes unpacked on disk, package metadata, a real Debian build."""

from __future__ import annotations

import gzip
import json
import lzma
import os
from pathlib import Path

import pytest

from hinomi.evidence.collector import ContentCollector
from hinomi.evidence.collectors.libraries import COLLECTOR, Libraries

DEBIAN = Path("/usr/share/java/log4j-core.jar")


def _wants(libraries, path, data):
    return Libraries().wants(libraries.entry_of(path, len(data)), data[:4096])


def test_it_is_a_content_collector():
    assert isinstance(COLLECTOR, ContentCollector) and COLLECTOR.name == "libraries"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("page.1.gz", gzip.compress(b".TH PAGE 1\n" + b"text of a man page\n" * 900)),
        ("log.xz", lzma.compress(b"2021-12-10 line\n" * 3000)),
        ("notes.txt", b"plain text\n" * 2000),
        ("mod.py", b"import os\n" * 2000),
        ("pic.png", b"\x89PNG\r\n\x1a\n" + bytes(5000)),
        ("empty", b""),
        ("Plain.class", b"\xca\xfe\xba\xbe\x00\x00\x00\x34\x00\x01" + bytes(50)),
        ("fat-mach-o", b"\xca\xfe\xba\xbe\x00\x00\x00\x02" + bytes(9000)),
    ],
)
def test_ordinary_files_cost_nothing_or_give_nothing(libraries, name, data):
    rows, coverage = libraries.scan({f"/usr/{name}": data})
    assert rows == [] and coverage.complete
    if name in ("page.1.gz", "log.xz", "notes.txt", "mod.py", "pic.png", "empty", "Plain.class"):
        assert not _wants(libraries, f"/usr/{name}".encode(), data)


def test_archives_are_wanted_whatever_their_name(java, libraries):
    jar = java.jar(java.core_members("open"))
    assert _wants(libraries, b"/x/readme.txt", jar)
    assert _wants(libraries, b"/x/run.sh", b"#!/bin/sh\n" + b"#\n" * 4000 + jar)
    assert _wants(libraries, b"/x/a.1.gz", gzip.compress(jar))


@pytest.mark.parametrize("root", ["/srv/app/WEB-INF/classes/", "/opt/x/"])
@pytest.mark.parametrize(
    ("band", "state"), [("open", "vulnerable"), ("lookup", "below-fix"), ("jdbc", "fixed"), ("beta", "vulnerable")]
)
def test_classes_unpacked_on_disk_give_one_row_per_copy(java, libraries, root, band, state):
    tree = {root + name: data for name, data in java.core_members(band).items()}
    tree |= {root + name: data for name, data in java.pom("9.9").items()}
    rows, coverage = libraries.scan(tree)
    assert [(row.state, row.version) for row in rows] == [(state, "9.9")]
    assert rows[0].path in tree and coverage.complete


def test_unpacked_copies_shaded_switched_off_and_alone(java, libraries):
    shaded = {f"/a/{n}": d for n, d in java.core_members("open", core="q/w").items()}
    assert libraries.states(shaded) == ["vulnerable"]
    off = {f"/a/{n}": d for n, d in java.core_members("open").items()}
    off[f"/a/{java.CORE}/lookup/JndiLookup.class.bak"] = off.pop(f"/a/{java.CORE}/lookup/JndiLookup.class")
    assert libraries.states(off) == ["mitigated"]
    assert libraries.states({"/tmp/JndiLookup.class": java.lookup("open")}) == ["vulnerable"]
    both = {f"/a/{n}": d for n, d in java.core_members("open").items()} | {
        f"/b/{n}": d for n, d in java.core_members("jdbc").items()
    }
    assert libraries.states(both) == ["fixed", "vulnerable"]


def test_agents_that_hide_their_classes_on_disk(java, libraries):
    tree = {f"/agent/inst/{n}": d for n, d in java.core_members("open", suffix=".classdata").items()}
    assert libraries.states(tree) == ["vulnerable"]


def test_maven_npm_and_python_packages_are_named(java, libraries):
    npm = json.dumps({"name": "@scope/left", "version": "1.2.3"}).encode()
    lock = json.dumps({"packages": {"": {}, "node_modules/a": {"version": "2.0.0"}, "node_modules/b": {}}}).encode()
    tree = {
        "/srv/node_modules/@scope/left/package.json": npm,
        "/srv/package-lock.json": lock,
        "/usr/lib/python3/My_Pkg-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: My_Pkg\nVersion: 1.0\n\nText",
        "/srv/app.jar": java.jar(java.pom("1.1", "org.acme", "tool") | {"x.txt": b"x" * 99}),
        "/srv/package.json": npm,
    }
    rows, _ = libraries.scan(tree)
    assert sorted((r.purl, r.state) for r in rows) == [
        ("pkg:maven/org.acme/tool@1.1", "present"),
        ("pkg:npm/%40scope/left@1.2.3", "present"),
        ("pkg:npm/a@2.0.0", "present"),
        ("pkg:pypi/my-pkg@1.0", "present"),
    ]


@pytest.mark.parametrize("data", [b"{", b"[1]", b'{"name": 1, "version": []}', b"[" * 50_000, b"\xff\xfe{}", b"null"])
def test_broken_metadata_names_nothing(libraries, data):
    for path in ("/s/node_modules/a/package.json", "/s/package-lock.json", "/s/a.dist-info/METADATA"):
        rows, _ = libraries.scan({path: data.ljust(30)})
        assert rows == []


def test_unsupported_and_damaged_containers_are_said(libraries):
    for data, reason in ((b"MSCF" + bytes(500), "unsupported"), (b"Rar!\x1a\x07\x01\x00" + bytes(500), "damaged")):
        _, coverage = libraries.scan(data)
        assert [(m.area, m.subject, m.reason) for m in coverage.misses] == [("libraries", "/srv/app", reason)]


def test_misses_are_gathered_per_container(java, libraries):
    members = {f"c{n}.class": b"\xca\xfe\xba\xbe" + os.urandom(60) for n in range(50)}
    data = java.jar(members).replace(b"PK\x03\x04\x14\x00\x00\x00", b"PK\x03\x04\x14\x00\x01\x00")
    data = data.replace(b"PK\x01\x02\x14\x03\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01\x00")
    _, coverage = libraries.scan(data)
    assert [(m.reason, m.detail.split(",")[0]) for m in coverage.misses] == [("encrypted", "50 members")]


def test_debians_own_build_is_fixed(libraries):
    if not DEBIAN.exists():
        pytest.skip("liblog4j2-java is not installed")
    rows, coverage = libraries.scan({"/usr/share/java/some.bin": DEBIAN.read_bytes()})
    core = [row for row in rows if row.name.endswith(":log4j-core")]
    assert [row.state for row in core] == ["fixed"] and coverage.complete

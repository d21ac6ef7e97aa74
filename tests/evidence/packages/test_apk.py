"""apk's installed file."""

from __future__ import annotations

import base64
import hashlib

from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.evidence.collectors.packages import COLLECTOR
from hinomi.evidence.packages.apk import DATABASE
from hinomi.evidence.sources.memory import memory_target
from hinomi.model.findings import Coverage

SHA1 = hashlib.sha1(b"content", usedforsecurity=False)
INSTALLED = f"""\
C:Q1abc=
P:busybox
V:1.36.1-r5
A:x86_64
o:busybox-src
F:bin
R:busybox
a:0:0:755
Z:Q1{base64.b64encode(SHA1.digest()).decode()}
R:plain
F:etc/conf.d
R:last

P:musl
V:1.2
"""
TREE = {"/lib/apk/db/installed": INSTALLED, "/etc/os-release": "ID=alpine\nVERSION_ID=3.19.1\n"}


def test_packages() -> None:
    rows = list(COLLECTOR.collect(memory_target(TREE), Coverage()))
    assert [(row.manager, row.name, row.version, row.source) for row in rows] == [  # type: ignore[attr-defined]
        ("apk", "busybox", "1.36.1-r5", "busybox-src"),
        ("apk", "musl", "1.2", "musl"),
    ]
    assert rows[0].purl == "pkg:apk/alpine/busybox@1.36.1-r5?arch=x86_64&distro=alpine-3.19.1"  # type: ignore[attr-defined]


def test_ownership() -> None:
    ownership = memory_target(TREE).ownership
    assert ownership.digest_kind(b"/bin/busybox") == "sha1"
    assert ownership.state(b"/bin/busybox", SHA1.hexdigest()) == "intact"
    assert ownership.state(b"/bin/busybox", "00" * 20) == "modified"
    assert [ownership.package_of(p) for p in (b"/bin/plain", b"/etc/conf.d/last", b"/etc/conf.d", b"/bin/other")] == [
        "busybox",
        "busybox",
        "busybox",
        None,
    ]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(["P:a", "V:1", "F:x", "F:", "R:y", "Z:Q1AA", "Z:Q1!!", "Z:", "", ":", "F", "R:"])))
def test_any_database_is_read(lines: list[str]) -> None:
    view = memory_target({"/lib/apk/db/installed": "\n".join(lines)}).view
    assert all(owned.path.startswith(b"/") for owned in DATABASE.owned(view, Coverage()))
    assert all(package.name for package in DATABASE.packages(view, Coverage()))

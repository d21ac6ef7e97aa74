"""Which files the collector takes for scripts, and what it says about those it leaves."""

from __future__ import annotations

import hashlib

import pytest

from hinomi.evidence.collect import collect
from hinomi.evidence.collectors.scripts import COLLECTOR
from hinomi.evidence.sources.memory import memory_target
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row
from hinomi.model.tables.scripts import Script, ScriptAction

WATCH = b"while true; do\n pidof otterd >/dev/null || /opt/otterd &\n sleep 10\ndone\n"


def run(files: dict[str, bytes]) -> tuple[list[Script], list[ScriptAction], Coverage]:
    rows: list[Row] = []
    coverage = Coverage()
    collect(memory_target(files), rows.append, coverage, collectors=(COLLECTOR,), jobs=1)
    return (
        [r for r in rows if isinstance(r, Script)],
        [r for r in rows if isinstance(r, ScriptAction)],
        coverage,
    )


SCRIPTS = {
    "/opt/x/a": (b"#!/bin/sh\n" + WATCH, "shell"),
    "/opt/x/b": (b"#! /usr/bin/env -S bash -x\n" + WATCH, "shell"),
    "/opt/x/c": (b"#!/bin/busybox sh\n" + WATCH, "shell"),
    "/opt/x/d": (WATCH, "shell"),
    "/etc/rc.local": (b"/opt/x/a &\n", "shell"),
    "/etc/rc.d/rc.late": (b"# local\n/opt/x/a &\nexit 0\n", "shell"),
    "/root/.profile": (b"export A=1\n", "shell"),
    "/opt/x/e.sh": (b"A=1\n", "shell"),
    "/opt/x/f.PS1": (b"Start-Process C:\\a.exe\n", "powershell"),
    "/opt/x/g.ps1": ("Start-Process C:\\a.exe\n".encode("utf-16"), "powershell"),
    "/opt/x/h": (b"#!/usr/bin/pwsh\nStart-Process a\n", "powershell"),
    "/opt/x/i.js": (b"require('child_process').exec('/tmp/o')\n", "javascript"),
    "/opt/x/j": (b"#!/usr/bin/env node\nrequire('child_process').exec('/tmp/o')\n", "javascript"),
    "/opt/x/package.json": (b'{"scripts": {"postinstall": "node x.js"}}', "javascript"),
}


@pytest.mark.parametrize("path", SCRIPTS)
def test_scripts_are_found_by_content_first(path: str) -> None:
    data, language = SCRIPTS[path]
    scripts, _, coverage = run({path: data})
    assert [(s.path, s.language) for s in scripts] == [(path, language)]
    assert coverage.complete
    assert coverage.examined["scripts"] == 1


OTHERS = {
    "/usr/include/vector": b"// -*- C++ -*-\n#ifndef _X\n#define _X 1\nnamespace std {\n  using a = b;\n}\n#endif\n",
    "/usr/share/doc/x/README": b"This is a text about\nhow to use the program. See the manual for\nmore details && so on.\n",
    "/opt/Makefile": b"CC=gcc\nall: a b\n\t$(CC) -o a a.c\nclean:\n\trm -f a\n",
    "/etc/hosts": b"127.0.0.1 localhost\n::1 ip6-localhost\n",
    "/etc/fstab": b"/dev/sda1 / ext4 defaults 0 1\n/dev/sda2 none swap sw 0 0\n",
    "/etc/passwd": b"root:x:0:0:root:/root:/bin/bash\n",
    "/usr/bin/x": b"\x7fELF" + bytes(400),
    "/usr/bin/y": b"#!/usr/bin/python3\nimport os\n",
    "/opt/empty": b"",
    "/var/lib/dpkg/alternatives/x": b"auto\n/usr/bin/editor\n/usr/bin/vim\n40\n",
    "/opt/data": b"a=1\nb=2\nc=3\n",
    "/opt/a.js": b"export const x = 1;\n",
    "/opt/b/package.json": b'{"name": "x", "scripts": {"test": "jest"}}',
}


@pytest.mark.parametrize("path", OTHERS)
def test_other_files_are_left_alone(path: str) -> None:
    scripts, actions, coverage = run({path: OTHERS[path]})
    assert (scripts, actions) == ([], [])
    assert coverage.complete


def test_the_row_of_a_script() -> None:
    data = b"#!/bin/bash\nB=/opt/x\ncp $B/a.bin /mnt/\n/opt/x/run --to $B/c.d\nif then\n"
    scripts, _, _ = run({"/opt/x/k": data})
    row = scripts[0]
    assert (row.interpreter, row.lines, row.truncated) == ("/bin/bash", 5, False)
    assert row.parse_errors > 0
    assert row.commands[:2] == ["cp", "run"]
    assert {"a.bin", "run", "bash"} <= set(row.mentions)
    assert row.sha256 is not None and len(row.sha256) == 64


def test_a_script_past_the_size_limit_is_a_miss_and_its_start_is_read() -> None:
    data = b"#!/bin/sh\n/opt/x/first &\n" + b"# padding\n" * 500_000
    scripts, actions, coverage = run({"/opt/x/k": data})
    assert scripts[0].truncated
    assert [a.object for a in actions] == ["/opt/x/first"]
    assert [(m.area, m.reason) for m in coverage.misses] == [("scripts", "truncated")]


def test_actions_carry_the_path_and_follow_their_script() -> None:
    scripts, actions, _ = run({"/opt/x/a": b"#!/bin/sh\n" + WATCH, "/opt/x/b": b"#!/bin/sh\n/opt/x/a &\n"})
    assert [s.path for s in scripts] == ["/opt/x/a", "/opt/x/b"]
    assert {a.path for a in actions} == {"/opt/x/a", "/opt/x/b"}
    assert [a.order for a in actions if a.path == "/opt/x/a"] == list(range(3))


def test_names_that_are_not_utf8_and_links() -> None:
    rows: list[Row] = []
    coverage = Coverage()
    target = memory_target({"/opt/\udcff\n": b"#!/bin/sh\n/opt/o &\n"})
    collect(target, rows.append, coverage, collectors=(COLLECTOR,), jobs=1)
    assert [r.path for r in rows if isinstance(r, Script)] == ["/opt/\udcff\n"]


def packaged(path: str, data: bytes, shipped: bytes) -> dict[str, bytes]:
    digest = hashlib.md5(shipped, usedforsecurity=False).hexdigest()
    return {
        path: data,
        "/var/lib/dpkg/status": b"Package: tool\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n",
        "/var/lib/dpkg/info/tool.list": f"{path}\n".encode(),
        "/var/lib/dpkg/info/tool.md5sums": f"{digest}  {path.lstrip('/')}\n".encode(),
    }


@pytest.mark.parametrize("size", [0, 1 << 21])  # read at once, and in pieces
def test_programs_as_their_package_brought_them_are_not_read(size: int) -> None:
    data = b"#!/usr/bin/python3\nimport subprocess\nsubprocess.run(['/tmp/o'])\n" + b"#" * size
    scripts, _, coverage = run(packaged("/usr/bin/tool", data, data))
    assert (scripts, coverage.skipped["python as its package brought it"]) == ([], 1)
    scripts, _, coverage = run(packaged("/usr/bin/tool", data, data + b"\n"))
    assert [script.path for script in scripts] == ["/usr/bin/tool"]

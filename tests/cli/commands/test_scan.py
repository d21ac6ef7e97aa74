"""hinomi scan of processes: a marker of ours in the memory of a process of ours."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hinomi.evidence.process import memory

RULE = """rule lodger { meta: severity = "high" memory = true
  title_en = "A marker" title_ja = "印" explanation_en = "{subject} {patterns}" explanation_ja = "{subject}"
strings: $m = "lodger-in-memory-30b7" condition: $m }"""
SCRIPT = "m = '-'.join(['lodger', 'in', 'memory', '30b7']).encode()\nprint('ready', flush=True)\nimport sys\nsys.stdin.read()"


@pytest.mark.skipif(not Path("/proc/self/pagemap").exists(), reason="no /proc")
def test_one_process_and_its_memory(hinomi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "own_processes", lambda proc: frozenset())  # the test's child would be left out
    (tmp_path / "lodger.yar").write_text(RULE)
    command = [sys.executable, "-c", SCRIPT]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        ran = hinomi("scan", "--pid", str(process.pid), "--rules", str(tmp_path), "--format", "jsonl")
        process.stdin.close()
    *findings, coverage = [json.loads(line) for line in ran.out.splitlines()]
    (found,) = [f for f in findings if f["rule"]["id"] == "lodger"]
    assert ran.code == 1 and found["subject"] == {"type": "process", "key": str(process.pid)}
    assert {e["table"] for e in found["evidence"]} == {"memory_regions", "memory_matches", "processes"}
    assert coverage["skipped"]["files-not-asked-for"] == 1 and "files" not in coverage["examined"]


def test_only_this_host_has_memory(hinomi, tmp_path: Path) -> None:
    ran = hinomi("scan", str(tmp_path), "--memory")
    assert ran.code == 2 and "memory" in ran.err

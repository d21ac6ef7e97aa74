"""The watcher beside the kernel's audit: neither takes anything from the other."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

KEY = "hinomi-test"


def auditctl(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["auditctl", *words], capture_output=True, text=True, check=False)


def state() -> dict[str, str]:
    return dict(line.split(None, 1) for line in auditctl("-s").stdout.splitlines() if " " in line)


@pytest.fixture
def audited(place: Path) -> Iterator[tuple[str, ...]]:
    """An audit rule about `place`; it is taken away again."""
    if shutil.which("auditctl") is None:
        pytest.skip("auditctl is not installed: apt-get install auditd")
    rule = ("always,exit", "-F", f"dir={place}", "-F", "perm=wa", "-k", KEY)
    for asked in (("-s",), ("-a", *rule)):
        if (answer := auditctl(*asked)).returncode:
            said = " ".join((answer.stderr or answer.stdout).split())
            pytest.skip(f"this kernel or sandbox allows no auditing: {said or answer.returncode}")
    yield rule
    auditctl("-d", *rule)


def test_beside_audit_both_hear_of_everything(
    place: Path, watching: Callable[..., Any], audited: tuple[str, ...]
) -> None:
    before = state()
    watch = watching().ready()

    def write(number: int) -> dict[str, Any]:
        path = place / f"heard{number}"
        subprocess.run(["sh", "-c", f"echo x > '{path}'; chmod 4755 '{path}'"], check=True)
        return dict(watch.change(path.name))

    change = watch.unless_lost(write, lambda told: os.getpid() in told["ancestor_pids"])
    assert change["pid"] is not None
    watch.until(lambda: [s for s in watch.lines("start") if s["name"] == "chmod"], "the start of a program")
    watch.stop()
    assert KEY in auditctl("-l").stdout, "the rule stands"
    after = state()
    assert {name: after[name] for name in ("pid", "enabled")} == {name: before[name] for name in ("pid", "enabled")}

"""This host as a target."""

from __future__ import annotations

import os
from pathlib import Path

from hinomi.evidence.sources.live import live_target


def test_this_host_is_a_target(tmp_path: Path) -> None:
    target = live_target(exclude=[os.fsencode(tmp_path)])
    assert (target.name, target.kind, target.platform) == ("/", "live", "linux")
    assert target.host
    assert "/" not in target.host
    assert b"etc" in target.view.listdir(b"/")


def test_files_that_say_size_zero_are_read() -> None:
    assert b"Name:" in live_target().view.read(b"/proc/self/status", 10_000)

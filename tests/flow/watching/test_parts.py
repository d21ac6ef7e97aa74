"""The parts of the watch that need no kernel."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hinomi.flow.watching.alerting import sink_of
from hinomi.flow.watching.apart import ApartError, apart
from hinomi.flow.watching.options import WatchOptions, from_table
from hinomi.flow.watching.packages import is_locked
from hinomi.flow.watching.unit import unit_text
from hinomi.model.errors import ConfigError


def children() -> set[str]:
    return set(Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split())


def test_what_is_done_apart_answers_or_says_why_not() -> None:
    before = children()
    patience = 600
    assert apart(lambda: {"pid": os.getpid()}, patience)["pid"] != os.getpid()
    with pytest.raises(OSError, match="No space"):
        apart(lambda: (_ for _ in ()).throw(OSError(28, "No space left")), patience)
    with pytest.raises(ApartError, match="ValueError: odd"):
        apart(lambda: (_ for _ in ()).throw(ValueError("odd")), patience)
    with pytest.raises(ApartError, match="status -9"):
        apart(lambda: os.kill(os.getpid(), 9), patience)
    with pytest.raises(ApartError, match="too long"):
        apart(lambda: time.sleep(60), 0.0)
    assert children() <= before, "none is left behind"


def test_a_package_manager_at_work_is_known_by_its_lock(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    places = [os.fsencode(lock), os.fsencode(tmp_path / "none")]
    assert not is_locked(places)
    lock.touch()
    assert not is_locked(places)
    hold = "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.lockf(f, fcntl.LOCK_EX); print(1, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, lock], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "1\n"
        assert is_locked(places)
        holder.communicate("\n")
    assert not is_locked(places)


def test_options_are_typed() -> None:
    assert from_table({"on": ["/srv"], "poll_seconds": 5}, "x") == WatchOptions(on=("/srv",), poll_seconds=5.0)
    for wrong in ({"pol_seconds": 5}, {"on": "/srv"}, {"max_pending": -1}, {"backend": "magic"}, {"nice": 1}):
        with pytest.raises(ConfigError):
            from_table(wrong, "x")
    for word in ("carrier-pigeon", "webhook=ftp://x", "file", "syslog=x"):
        with pytest.raises(ConfigError):
            sink_of(word)


def test_the_unit_lets_nothing_be_written_but_the_case() -> None:
    text = unit_text(["/opt/h/bin/hinomi"], Path("/srv/a case%"), ["/etc"], network=False)
    assert "ExecReload=/bin/kill -HUP $MAINPID\n" in text
    assert "ProtectSystem=strict" in text and "ReadWritePaths='/srv/a case%%'" in text
    assert (
        "IPAddressDeny=any" in text
        and "PrivateTmp=" not in text.replace("# not set", "").split("[Install]")[0].split("#")[0]
    )
    assert "AF_INET" not in text and "AF_INET6" in unit_text(["h"], Path("/c"), [], network=True)

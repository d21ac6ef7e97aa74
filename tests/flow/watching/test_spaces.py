"""Mounts that come and go, containers, and who is who in them; all in a mount namespace of the test's own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Start = Callable[..., Any]
CGROUPS = [Path(p) for p in ("/sys/fs/cgroup/pids", "/sys/fs/cgroup")]


class Space:
    """A mount namespace in which the watcher and what it watches live."""

    def __init__(self) -> None:
        words = ["unshare", "--mount", "--propagation", "private", "sleep", "infinity"]
        self.holder = subprocess.Popen(words)
        self.within = ("nsenter", "--target", str(self.holder.pid), "--mount")

    def sh(self, script: str, *, fine: bool = True) -> str:
        done = subprocess.run([*self.within, "sh", "-e", "-c", script], capture_output=True, text=True, check=False)
        assert not fine or done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def space(place: Path) -> Iterator[Space]:
    if shutil.which("unshare") is None or shutil.which("nsenter") is None:
        pytest.skip("unshare and nsenter are not installed: apt-get install util-linux")
    made = Space()
    while os.readlink(f"/proc/{made.holder.pid}/ns/mnt") == os.readlink("/proc/self/ns/mnt"):
        assert made.holder.poll() is None, "no mount namespace can be made"
    yield made
    made.holder.kill()
    made.holder.wait()


@pytest.fixture
def container_cgroup() -> Iterator[tuple[str, Path]]:
    """A control group named as a container's is."""
    name = uuid.uuid4().hex * 2
    for top in CGROUPS:
        folder = top / f"docker-{name}.scope"
        try:
            folder.mkdir()
        except OSError:
            continue
        yield name, folder / "cgroup.procs"
        folder.rmdir()
        return
    pytest.skip("no control group can be made here")


def test_mounts_that_come_later_are_watched_or_said(place: Path, watching: Start, space: Space) -> None:
    for name in ("tmp", "from", "onto", "lower", "upper", "work", "merged"):
        (place / name).mkdir()
    (place / "lower/old").write_text("old")
    watch = watching("--no-processes", config="[watch]\npoll_seconds = 0.5\n", within=space.within).ready()
    watch.until(lambda: not [g for g in watch.lines("gap") if g["open"]], "all of it is listened to")

    space.sh(f"mount -t tmpfs later {place}/tmp; echo made > {place}/tmp/in-it")
    assert watch.change("tmp/in-it", "added")["new_size"] == 5
    watch.until(lambda: f"{place}/tmp" in watch.said, "the mount is told")
    space.sh(f"echo more >> {place}/tmp/in-it")
    assert watch.change("tmp/in-it", "changed")["found_by"] == "event", "it is listened to by now"

    space.sh(f"mount --bind {place}/from {place}/onto; sleep 1; echo x > {place}/onto/by-bind")
    seen = watch.until(lambda: [c for c in watch.changes() if c["path"].endswith("/by-bind")], "the bound file")
    assert {Path(c["path"]).parent.name for c in seen} <= {"from", "onto"}

    space.sh(f"mount -t overlay o -o lowerdir={place}/lower,upperdir={place}/upper,workdir={place}/work {place}/merged")
    gap = watch.until(lambda: [g for g in watch.lines("gap") if g["reason"] == "not-watched"], "what is not heard")[-1]
    assert gap["place"] == f"{place}/merged" and gap["open"] and "overlay" in gap["detail"], "a gap with its cause"
    watch.until(lambda: f"Mounted: {place}/merged" in watch.said, "it has been looked through")
    space.sh(f"echo in >> {place}/merged/old")
    assert watch.change("merged/old", "changed")["found_by"] == "reconcile"

    space.sh(f"n=0; until umount {place}/tmp; do n=$((n + 1)); [ $n -lt 900 ]; sleep 0.1; done")  # it may just be read
    watch.until(lambda: [g for g in watch.lines("gap") if g["reason"] == "unmounted"], "it is away")
    assert not [c for c in watch.changes() if c["path"] == f"{place}/tmp/in-it" and c["what"] == "removed"]


def test_a_container_is_named_with_its_processes_as_the_host_sees_them(
    place: Path, watching: Start, space: Space, container_cgroup: tuple[str, Path]
) -> None:
    name, members = container_cgroup
    for folder in ("upper", "work", "root"):
        (place / folder).mkdir()
    # what the container's root shows of the machine below it would be looked at first, however large that is
    watch = watching("--exclude", f"{place}/root/*", within=space.within).ready()
    script = (
        f"echo $$ > {members}; mount -t overlay o -o lowerdir=/,upperdir={place}/upper,workdir={place}/work {place}/root\n"
        f"exec unshare --pid --fork --mount --root {place}/root sh -c '"
        "mount -t proc proc /proc; echo $$ > /inner; echo dropped > /dropped; exec sleep 3600'"
    )
    inside = subprocess.Popen([*space.within, "sh", "-e", "-c", script])
    try:
        change = watch.until(
            lambda: [c for c in watch.changes() if c["path"] == f"{place}/upper/dropped"],
            "a file in the container",
        )[-1]
        assert change["container"] == name
        assert change["pid"] not in (None, 1) and inside.pid in change["ancestor_pids"], "numbers of the host"
        assert (place / "upper/inner").read_text() == "1\n", "it calls itself 1"
        start = watch.until(
            lambda: [s for s in watch.lines("process-start") if s["container"] == name and s["name"] == "sleep"],
            "a program in the container",
        )[-1]
        assert start["pid"] == change["pid"] and start["exe"].endswith("sleep")
    finally:
        for pid in members.read_text().split():
            os.kill(int(pid), signal.SIGKILL)
        inside.wait()
    assert [g["place"] for g in watch.lines("gap") if g["reason"] == "not-watched"] == [f"{place}/root"]

"""Folders that are gone before anybody asks for them, mounts that show a part, and mounts that others want to unmount."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hinomi.watch.live import fanotify
from hinomi.watch.live.events import EXECUTED, FileEvent, Loss
from hinomi.watch.live.fanotify import FanotifyBackend
from hinomi.watch.live.mounts import Mount, read_mounts

Listen = Callable[..., FanotifyBackend]
PATIENCE = 1000  # attempts to unmount, a twentieth of a second apart


@pytest.fixture
def top() -> Iterator[Path]:
    """A file system of the test's own."""
    folder = Path(tempfile.mkdtemp(prefix="hinomi-fanotify-"))
    if subprocess.run(["mount", "-t", "tmpfs", "none", folder], check=False, capture_output=True).returncode:
        folder.rmdir()
        pytest.skip("cannot mount a file system here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=False, capture_output=True)
    folder.rmdir()


@pytest.fixture
def listen() -> Iterator[Listen]:
    """Listen to scopes; all is given back."""
    made: list[FanotifyBackend] = []

    def start(*scopes: Path, mounts: Callable[[], list[Mount]] = read_mounts) -> FanotifyBackend:
        try:
            backend = FanotifyBackend([os.fsencode(s) for s in scopes], lambda kind: kind != "tmpfs", mounts=mounts)
        except OSError as error:
            pytest.skip(f"this kernel or sandbox has no fanotify: {error}")
        made.append(backend)
        assert all(mark.ok for mark in backend.mark())
        return backend

    yield start
    for backend in made:
        backend.close()


def heard(backend: FanotifyBackend) -> tuple[list[FileEvent], list[Loss]]:
    events, losses = backend.read()
    while (more := backend.read()) != ([], []):
        events, losses = events + more[0], losses + more[1]
    return events, losses


def test_all_in_a_tree_that_is_gone_by_now_is_told_by_its_path(top: Path, listen: Listen) -> None:
    (top / "scope/old/a/b").mkdir(parents=True)
    (top / "scope/old/a/b/file").write_text("x")
    backend = listen(top / "scope")
    shutil.rmtree(top / "scope/old")
    (top / "scope/new/a").mkdir(parents=True)
    (top / "scope/new/a/file").write_text("x")
    shutil.rmtree(top / "scope/new")
    (top / "elsewhere/a").mkdir(parents=True)
    shutil.rmtree(top / "elsewhere")
    events, losses = heard(backend)
    if not backend._orphans.names_children:
        pytest.skip("before Linux 5.17 the kernel does not tell which folder was removed")
    names = ("old/a/b/file", "old/a/b", "old/a", "old", "new/a/file", "new/a", "new")
    assert {event.path for event in events} == {os.fsencode(top / "scope" / name) for name in names}
    assert losses == [] and len(backend._orphans) == 0


def test_whoever_wants_to_unmount_may(top: Path, listen: Listen) -> None:
    backend = listen(top)
    (top / "file").write_text("x")
    assert os.fsencode(top / "file") in {event.path for event in heard(backend)[0]}
    unmounted(top)
    assert subprocess.run(["mount", "-t", "tmpfs", "none", top], check=False).returncode == 0
    backend.mark()
    (top / "again").write_text("x")
    assert os.fsencode(top / "again") in {event.path for event in heard(backend)[0]}


def unmounted(place: Path) -> None:
    """Unmount; others of this machine may just be looking at it, we must not."""
    for _ in range(PATIENCE):
        done = subprocess.run(["umount", place], check=False, capture_output=True, text=True)
        if done.returncode == 0:
            return
        time.sleep(0.05)
    pytest.fail(done.stderr)


def test_a_mount_that_shows_a_part_gives_no_wrong_names(top: Path, listen: Listen) -> None:
    """Two parts of a file system are watched, the whole is not to be seen; what lies in neither has no path at all."""
    for name in ("one/deep", "two", "neither"):
        (top / name).mkdir(parents=True)
    program = Path(shutil.copy("/bin/true", top / "neither/program"))
    scopes = [Path(tempfile.mkdtemp(prefix="hinomi-part-")) for _ in range(2)]
    try:
        for scope, name in zip(scopes, ("one", "two"), strict=True):
            subprocess.run(["mount", "--bind", top / name, scope], check=True)
        parts = {os.fsencode(scope) for scope in scopes}
        backend = listen(*scopes, mounts=lambda: [m for m in read_mounts() if m.point in parts])
        (top / "one/deep/file").write_text("x")
        (top / "two/file").write_text("x")
        (top / "neither/file").write_text("x")
        subprocess.run([program], check=True)
        events, losses = heard(backend)
        assert {e.path for e in events} == {os.fsencode(scopes[0] / "deep/file"), os.fsencode(scopes[1] / "file")}
        assert losses == [] and not [e for e in events if e.what & EXECUTED]
        assert fanotify._path_of(-1, b"\0" * 8) is None
    finally:
        for scope in scopes:
            subprocess.run(["umount", "-l", scope], check=False, capture_output=True)
            scope.rmdir()

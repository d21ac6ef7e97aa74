"""A process that parses hostile content can open no socket, write no file and start no program."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hinomi.evidence import confinement
from hinomi.evidence.collect import collect
from hinomi.evidence.collector import ContentFile
from hinomi.evidence.confinement import DOORS, LANDLOCK, SECCOMP, available, confine
from hinomi.evidence.scratch import Scratch
from hinomi.evidence.sources.root import root_target
from hinomi.evidence.target import Target
from hinomi.evidence.view import Entry
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row
from hinomi.model.tables.files import ContentMatch

needs = pytest.mark.skipif(not available(), reason="this kernel has neither Landlock nor seccomp filters")
needs_both = pytest.mark.skipif(available() != set(DOORS), reason="this kernel lacks Landlock or seccomp filters")


def outcome(deed: Callable[[], object]) -> str:
    """Return what became of a deed: the name of its error or "done"."""
    try:
        deed()
    except Exception as error:  # noqa: BLE001 - any error is an answer
        return type(error).__name__
    return "done"


def deeds(folder: Path) -> dict[str, Callable[[], object]]:
    """Return what a parser never has to do; `folder` holds a file `there`."""
    there, new = folder / "there", folder / "new"
    return {
        "tcp": lambda: socket.create_connection(("127.0.0.1", 9), timeout=1),
        "udp": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 9)),
        "unix": lambda: socket.socket(socket.AF_UNIX),
        "create": lambda: new.write_bytes(b"x"),
        "change": lambda: os.close(os.open(there, os.O_WRONLY)),
        "append": lambda: os.close(os.open(there, os.O_RDWR | os.O_APPEND)),
        "cut": lambda: os.truncate(there, 0),
        "remove": there.unlink,
        "rename": lambda: there.rename(new),
        "folder": new.mkdir,
        "link": lambda: new.symlink_to(there),
        "hard link": lambda: os.link(there, new),
        "mode": lambda: there.chmod(0o777),
        "times": lambda: os.utime(there),
        "program": lambda: subprocess.run(["/bin/true"], check=False),  # a fork alone would not be refused
    }


def in_child(work: Callable[[], str]) -> str:
    """Return what `work` says in a process of its own."""
    receive, send = os.pipe()
    if (pid := os.fork()) == 0:
        said = outcome(lambda: os.write(send, work().encode()))
        os._exit(said != "done")
    os.close(send)
    with os.fdopen(receive, "rb") as told:
        text = told.read().decode()
    assert os.waitpid(pid, 0)[1] == 0
    return text


def refused_with(monkeypatch: pytest.MonkeyPatch, folder: Path, *closed: str) -> dict[str, str]:
    """Return each deed's outcome where only some doors can be shut."""
    if LANDLOCK not in closed:
        monkeypatch.setattr(confinement, "_shut_landlock", lambda library: False)
    if SECCOMP not in closed:
        monkeypatch.setattr(confinement, "_shut_seccomp", lambda library: False)

    def work() -> str:
        assert confine() == set(closed)
        return "\n".join(f"{name}={outcome(deed)}" for name, deed in deeds(folder).items())

    return dict(line.split("=") for line in in_child(work).splitlines())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "there").write_bytes(b"as it was")
    return tmp_path


@needs_both
def test_with_both_doors_shut_nothing_goes_out(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    assert set(refused_with(monkeypatch, folder, LANDLOCK, SECCOMP).values()) == {"PermissionError"}
    assert os.listdir(folder) == ["there"] and (folder / "there").read_bytes() == b"as it was"


@needs_both
def test_the_filter_alone_refuses_all_of_it(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    assert set(refused_with(monkeypatch, folder, SECCOMP).values()) == {"PermissionError"}
    assert os.listdir(folder) == ["there"]


@needs_both
def test_landlock_alone_refuses_writing_and_tcp(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    told = refused_with(monkeypatch, folder, LANDLOCK)
    for deed in ("create", "change", "append", "remove", "rename", "folder", "link", "program"):
        assert told[deed] == "PermissionError", deed
    assert (folder / "there").exists() and not (folder / "new").exists()


@needs
def test_what_was_open_before_and_reading_go_on(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("still read")

    def work() -> str:
        with open(tmp_path / "out", "w") as before:
            confine()
            before.write("written through the old descriptor")
        os.listdir(tmp_path)
        return (tmp_path / "text").read_text()

    assert in_child(work) == "still read"
    assert (tmp_path / "out").read_text() == "written through the old descriptor"


def test_a_kernel_without_either_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(confinement, "_library", lambda: None)
    assert available() == confine() == frozenset()
    (tmp_path / "file").write_text("text")
    coverage = Coverage()
    collect(root_target(tmp_path), lambda row: None, coverage, collectors=[Prober(tmp_path)], jobs=2)
    assert {f"workers-without-{door}" for door in DOORS} <= set(coverage.skipped)


class Prober:
    """A collector that behaves as a parser taken over by its input would."""

    name = "prober"
    tables = (ContentMatch,)

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def wants(self, entry: Entry, head: bytes) -> bool:
        return True

    def examine(self, file: ContentFile, target: Target, coverage: Coverage) -> Iterator[Row]:
        for name, deed in deeds(self._folder).items():
            yield ContentMatch(path=file.entry.path.decode(), rule=name, excerpt=outcome(deed))
        scratch = Scratch()
        scratch.file.write(b"unpacked")
        scratch.close()
        yield ContentMatch(path=file.entry.path.decode(), rule="scratch", excerpt=str(scratch.file.tell()))


@needs_both
def test_a_worker_can_do_nothing_but_read_and_answer(tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(b"as it was")
    rows: list[Row] = []
    coverage = Coverage()
    collect(root_target(tmp_path), rows.append, coverage, collectors=[Prober(tmp_path)], jobs=2)
    told = {row.rule: row.excerpt for row in rows if isinstance(row, ContentMatch)}
    assert told.pop("scratch") == "0"
    assert len(told) == len(deeds(tmp_path)) and set(told.values()) == {"PermissionError"}
    assert not coverage.skipped and coverage.complete
    assert os.listdir(tmp_path) == ["there"] and (tmp_path / "there").read_bytes() == b"as it was"


@needs_both
def test_it_cannot_signal_others_or_look_into_them() -> None:
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
    try:

        def work() -> str:
            confine()
            library = ctypes.CDLL(None, use_errno=True)
            attached = library.ptrace(16, other.pid, None, None)
            return f"{attached} {outcome(lambda: os.kill(other.pid, 0))}"

        attached, killed = in_child(work).split()
        assert attached == "-1"
        assert killed in ("PermissionError", "done")  # signals are scoped by newer kernels only
    finally:
        other.kill()
        other.wait()


def test_scratch_files_are_few_and_used_again() -> None:
    def work() -> str:
        from hinomi.evidence import scratch

        scratch.prepare(None)
        taken = [Scratch() for _ in range(scratch.MAX_FILES)]
        said = [outcome(Scratch)]
        taken[0].file.write(b"left over")
        taken[0].close()
        said.append(repr(Scratch().file.read()))
        return " ".join(said)

    assert in_child(work) == "ScratchError b''"

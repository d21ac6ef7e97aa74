"""Images examined in processes of their own: what one that dies, hangs or eats memory costs, and what none may do."""

from __future__ import annotations

import io
import os
import socket
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hinomi.evidence.apart import apart, examination, processes
from hinomi.evidence.apart.apart import Apart, How
from hinomi.evidence.confinement import DOORS, available
from hinomi.evidence.images.inner import Candidate
from hinomi.evidence.sources.image import Image, Surroundings, open_image
from hinomi.model.errors import TargetError
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row
from hinomi.model.tables.files import File


def tar_of(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


ROOT = {"etc/hostname": b"inner\n", "bin/sh": b"text", "usr/x": b"y" * 100}


@pytest.fixture
def nested(tmp_path: Path) -> Path:
    """Return an image with two images inside."""
    path = tmp_path / "outer.tar"
    path.write_bytes(tar_of({**ROOT, "a.tar": tar_of(ROOT), "b.tar": tar_of(ROOT)}))
    return path


def walk(image: Image, sink: Callable[[Row], None], coverage: Coverage, progress: Callable[..., None]) -> None:
    from hinomi.evidence.collect import collect

    collect(image.target, sink, coverage, progress=progress, jobs=1)


def spin() -> None:
    while True:
        pass


def looked(path: Path, look: Callable[..., None], **how) -> list[tuple[str, int, set[tuple[str, str]]]]:
    """Examine a file; return (name, number of files, misses) of each look."""
    apart = Apart.of_file(How(look, 63, **how), lambda: open_image(path))
    found = []
    try:
        apart.opened(str(path))
        for one in apart.looks():
            rows: list[Row] = []
            coverage = Coverage()
            one.tell(rows.append, coverage)
            misses = {(m.subject.partition(" » ")[2], m.reason) for m in coverage.misses}
            found.append((one.name.partition(" » ")[2], sum(isinstance(r, File) for r in rows), misses))
    finally:
        apart.close()
    return found


def test_the_looks_come_outermost_first(nested: Path) -> None:
    assert looked(nested, walk) == [("", 9, set()), ("a.tar", 7, set()), ("b.tar", 7, set())]
    assert looked(nested, walk, nested=False) == [("", 9, set())]


@pytest.mark.parametrize(
    ("deed", "reason"),
    [
        (os.abort, "crashed"),
        (lambda: bytearray(8 << 30), "crashed"),
        (spin, "timeout"),
    ],
    ids=["dies", "eats", "hangs"],
)
def test_a_look_that_goes_wrong_costs_its_image(
    nested: Path, deed: Callable[[], object], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "STALL_SECONDS", 65.0)
    monkeypatch.setattr(processes, "LEVEL_SECONDS", 30.0)  # the inner image is two levels in
    monkeypatch.setattr(apart, "MAX_MEMORY", 1 << 30)

    def look(image: Image, sink: Callable[[Row], None], coverage: Coverage, progress: Callable[..., None]) -> None:
        walk(image, sink, coverage, progress)
        if image.target.name.endswith("a.tar"):
            deed()

    assert looked(nested, look) == [("", 9, set()), ("a.tar", 7, {("a.tar", reason)}), ("b.tar", 7, set())]


def test_an_image_inside_that_cannot_be_opened_alive_is_a_miss(nested: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = examination.open_inner

    def opening(around: Surroundings, candidate: Candidate, *rest: Any) -> Image | None:
        if candidate.path == b"/a.tar":
            os.abort()
        return honest(around, candidate, *rest)

    monkeypatch.setattr(examination, "open_inner", opening)
    assert looked(nested, walk) == [("", 9, {("", "crashed")}), ("b.tar", 7, set())]


def test_an_image_that_kills_its_opener_is_no_target(tmp_path: Path) -> None:
    gone = Apart.of_file(How(walk, 63), os.abort)
    with pytest.raises(TargetError, match="SIGABRT"):
        gone.opened("x")


def test_what_cannot_be_opened_is_refused_with_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"nothing of the kind" * 99)
    refused = Apart.of_file(How(walk, 63), lambda: open_image(path))
    with pytest.raises(TargetError) as caught:
        refused.opened("x")
    assert caught.value.code == "target.not-an-image"


@pytest.mark.skipif(available() != frozenset(DOORS), reason="this kernel lacks Landlock or seccomp")
def test_nothing_is_written_and_nobody_is_called(nested: Path, tmp_path: Path) -> None:
    def tried(deed: Callable[[], object]) -> bool:
        try:
            deed()
        except OSError:
            return False
        return True

    def look(image: Image, sink: Callable[[Row], None], coverage: Coverage, progress: Callable[..., None]) -> None:
        for name, deed in {
            "write": lambda: (tmp_path / "new").write_text("x"),
            "remove": nested.unlink,
            "call": lambda: socket.socket().connect(("127.0.0.1", 9)),
            "start": lambda: os.execv("/bin/true", ["true"]),
        }.items():
            if tried(deed):
                coverage.miss("images", name, "crashed")

    assert looked(nested, look, nested=False) == [("", 0, set())]
    assert nested.exists()
    assert not (tmp_path / "new").exists()


def test_large_rows_and_odd_bytes_arrive(nested: Path) -> None:
    row = File(
        path="/x", path_raw=b"\xff\0", kind="file", size=1, mode=0, uid=0, gid=0, inode=1, links=1, mtime=0.5,
        ctime=0.0, xattrs=["x" * 300_000, "火"],
    )  # fmt: skip

    def look(image: Image, sink: Callable[[Row], None], coverage: Coverage, progress: Callable[..., None]) -> None:
        sink(row)

    whole = Apart.of_file(How(look, 63, nested=False), lambda: open_image(nested))
    whole.opened("x")
    rows: list[Row] = []
    for one in whole.looks():
        one.tell(rows.append, Coverage())
    assert rows[1:] == [row]

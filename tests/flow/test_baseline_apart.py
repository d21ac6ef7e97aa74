"""Images are measured for a baseline by a confined process: what it says, what is lost with it, what it may not do."""

from __future__ import annotations

import io
import os
import signal
import socket
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from hinomi.detect.catalogue import load_rules
from hinomi.evidence.confinement import DOORS, available
from hinomi.flow import baseline_apart, baselines
from hinomi.flow.baseline_apart import LookedApart, look_at
from hinomi.flow.baseline_target import Looked, measured, open_here
from hinomi.model.errors import TargetError, UsageError
from hinomi.store.case import Case
from hinomi.watch.signing import Signer, new_key

STATUS = (
    b"Package: teal\nStatus: install ok installed\nVersion: 1.0\nArchitecture: all\nMaintainer: x\nDescription: x\n\n"
)
ROOT = {
    "etc/teal.conf": b"depth = 2\n", "usr/bin/teal": b"#!/bin/sh\n" + b"x" * 300_000, "etc/shadow": b"root:x:1::::::\n",
    "var/lib/dpkg/status": STATUS, "var/lib/dpkg/info/teal.list": b"/.\n/usr\n/usr/bin\n/usr/bin/teal\n",
    "var/lib/dpkg/info/teal.md5sums": b"00000000000000000000000000000000  usr/bin/teal\n",
}  # fmt: skip


def tar_of(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "firmware.tar"
    path.write_bytes(
        tar_of({**ROOT, "opt/inner.tar": tar_of({"etc/inner.conf": b"a\n", "bin/sh": b"text", "usr/x": b"y"})})
    )
    return path


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return new_key(tmp_path / "key.pem", None)


def test_what_is_said_apart_equals_what_is_read_here(case: Case, image: Path) -> None:
    here = open_here(str(image), case.path)
    packages, table = here.packages(), measured(here, owners=True)
    with look_at(case, str(image)) as there:
        assert isinstance(there, LookedApart)
        assert (there.name, there.host, there.kind) == (here.name, here.host, here.kind)
        assert there.packages() == packages != {}
        assert measured(there, owners=True).equals(table)
        inner = next(path for path in table.column("path").to_pylist() if path.endswith(b"/etc/inner.conf"))
        for path in (b"/usr/bin/teal", b"/etc/teal.conf", inner):
            with here.open(path) as mine, there.open(path) as theirs:
                assert mine.read() == theirs.read() != b""
            assert there.digest(path, "md5") == here.digest(path, "md5")
            assert there.owner(path) == here.owner(path)
        assert there.owner(b"/usr/bin/teal") is not None
        assert there.members(b"/opt/inner.tar") == here.members(b"/opt/inner.tar") != []
        assert there.control(b"/opt/inner.tar") is here.control(b"/opt/inner.tar") is None
        assert list(there.rows_again([b"/etc/teal.conf"], owners=True)) == list(
            here.rows_again([b"/etc/teal.conf"], owners=True)
        )
        with pytest.raises(OSError, match="such"):
            there.open(b"/no/such")
        assert there.coverage.missed == here.coverage.missed


def test_a_folder_is_looked_at_here(case: Case, tmp_path: Path) -> None:
    (tmp_path / "root/etc").mkdir(parents=True)
    with look_at(case, str(tmp_path / "root")) as looked:
        assert isinstance(looked, Looked)


def test_what_opens_not_is_refused_as_it_is_here(case: Case, tmp_path: Path) -> None:
    (tmp_path / "note").write_text("no image\n")
    with pytest.raises(TargetError) as caught, look_at(case, str(tmp_path / "note")):
        pass
    assert caught.value.code == "target.not-an-image"


def test_a_quick_look_at_an_image_is_refused(case: Case, image: Path, signer: Signer) -> None:
    baselines.create(case, str(image), signer)
    with pytest.raises(UsageError):
        baselines.verify(case, str(image), load_rules(), quick=baselines.Quick())


def test_changes_of_an_image_are_told_and_accepted(case: Case, image: Path, signer: Signer) -> None:
    baselines.create(case, str(image), signer)
    image.write_bytes(tar_of({**ROOT, "etc/teal.conf": b"depth = 9\n", "opt/inner.tar": tar_of({"etc/x": b"b\n"})}))
    found = baselines.verify(case, str(image), load_rules())
    told = {row.path: row for row in found.changes}
    assert {"/etc/teal.conf", "/opt/inner.tar", "opt/inner.tar » /etc/inner.conf"} <= told.keys()
    assert "depth = 9" in (told["/etc/teal.conf"].diff or "")
    accepted = baselines.accept(case, str(image), signer, "an update of ours", patterns=["/etc/teal.conf"])
    assert accepted.paths == ("/etc/teal.conf",)


# --- a process that is lost ------------------------------------------------------------------------------------------


@pytest.fixture
def breaking(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[..., object]], None]:
    """Let an answer of the process be another: what is set before the fork holds in it."""

    def break_(what: str, how: Callable[..., object]) -> None:
        monkeypatch.setattr(baseline_apart._Answering, f"_of_{what}", lambda self, *words: how(self, *words))

    return break_


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def test_a_parser_that_dies_while_measuring_leaves_no_baseline(
    case: Case, image: Path, signer: Signer, breaking
) -> None:
    breaking("rows", die)
    with pytest.raises(TargetError) as caught:
        baselines.create(case, str(image), signer)
    assert caught.value.code == "target.lost"
    assert "SIGSEGV" in caught.value.cause
    assert list(case.path.rglob("*.hinomi-baseline")) == []


@pytest.mark.parametrize("what", ["owner", "open"])
def test_what_dies_while_explaining_explains_nothing_and_is_said(
    case: Case, image: Path, signer: Signer, breaking, what: str
) -> None:
    baselines.create(case, str(image), signer)
    image.write_bytes(tar_of({**ROOT, "etc/teal.conf": b"depth = 9\n"}))
    breaking(what, die)
    found = baselines.verify(case, str(image), load_rules())
    told = {row.path: row for row in found.changes}
    assert not told["/etc/teal.conf"].explained
    assert ("baseline", "crashed") in {(miss.area, miss.reason) for miss in found.result.coverage.misses}


@pytest.mark.parametrize(
    "said",
    [["rows", [1]], ["rows", [[[1, 2], None]]], ["answer", None], ["begin", []], ["answer", [{}, 7]], ["rows", 3]],
)
def test_nonsense_ends_it(case: Case, image: Path, breaking, said: list[object]) -> None:
    breaking("rows", lambda self, *_: self._sender.send(*said) or os._exit(0))
    with look_at(case, str(image)) as looked, pytest.raises(TargetError) as caught:
        list(looked.rows(owners=False))
    assert caught.value.code == "target.lost"


def test_one_that_hangs_is_ended(case: Case, image: Path, breaking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baseline_apart, "STALL_SECONDS", 0.2)
    breaking("packages", lambda *_: signal.pause())
    with look_at(case, str(image)) as looked, pytest.raises(TargetError) as caught:
        looked.packages()
    assert "timeout" in caught.value.cause


@pytest.mark.skipif(available() != frozenset(DOORS), reason="this kernel has not both doors")
def test_the_process_may_neither_write_nor_connect(case: Case, image: Path, tmp_path: Path, breaking) -> None:
    def tries(*_: object) -> dict[str, str]:
        return {"write": refused(lambda: (tmp_path / "made").write_text("x")), "connect": refused(socket.socket)}

    breaking("packages", tries)
    with look_at(case, str(image)) as looked:
        assert looked.packages() == {"write": "PermissionError", "connect": "PermissionError"}
    assert not (tmp_path / "made").exists()


def refused(job: Callable[[], object]) -> str:
    try:
        job()
    except OSError as error:
        return type(error).__name__
    return "done"


def test_no_process_is_left(case: Case, image: Path) -> None:
    with look_at(case, str(image)) as looked:
        pid = looked._pid  # type: ignore[attr-defined]
        assert Path(f"/proc/{pid}").exists()
    with pytest.raises(ChildProcessError):
        os.waitpid(pid, 0)

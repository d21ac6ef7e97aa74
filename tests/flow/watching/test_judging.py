"""The judge without a kernel's events: what it makes of paths that changed, whatever becomes of its workers."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hinomi.detect.catalogue import load_rules
from hinomi.detect.detect import worded
from hinomi.detect.draft import draft_of
from hinomi.evidence.collector import ContentFile
from hinomi.evidence.target import Target
from hinomi.evidence.view import Entry
from hinomi.flow.watching import packages
from hinomi.flow.watching.again import WAITS
from hinomi.flow.watching.judging import Judge
from hinomi.flow.watching.lately import SECONDS
from hinomi.flow.watching.looking import Looker
from hinomi.flow.watching.recording import Recording
from hinomi.model.findings import Coverage, Finding
from hinomi.model.tables import Row
from hinomi.model.tables.changes import FileChange
from hinomi.store.case import Case
from hinomi.watch.known import Known
from hinomi.watch.live.events import CONTENT, CREATED
from hinomi.watch.live.pending import Change


class Deadly:
    """A collector that ends its process at files named `deadly`, as long as another file says so."""

    name = "deadly"
    tables: tuple[type[Row], ...] = ()

    def __init__(self, while_there: Path) -> None:
        self._while_there = while_there

    def wants(self, entry: Entry, head: bytes) -> bool:
        return entry.path.endswith(b"/deadly")

    def examine(self, file: ContentFile, target: Target, coverage: Coverage) -> Iterator[Row]:
        if self._while_there.exists():
            os._exit(9)
        return iter(())


class Rules:
    """Takes the place of the rules: what they find is said before."""

    def __init__(self) -> None:
        self.finds: list[Finding] = []

    def ask(self, rows: Any, changed: Any, **_: Any) -> list[Finding]:
        return self.finds


class Told:
    """Takes the place of the teller."""

    def __init__(self) -> None:
        self.changes: list[FileChange] = []
        self.findings: list[tuple[str, bool]] = []

    def change(self, change: FileChange) -> None:
        self.changes.append(change)

    def finding(self, finding: Finding, *, new: bool) -> None:
        self.findings.append((finding.severity, new))


class Judging:
    """A judge of one folder, and what it tells."""

    def __init__(self, folder: Path, case: Case, looker: Looker) -> None:
        self.folder, self.looker, self.told, self.rules = folder, looker, Told(), Rules()
        self.known = Known(case.path / "known.db")
        self.judge: Any = Judge(case, self.known, looker, self.rules, self.told, os.fsencode(case.path))  # type: ignore[arg-type]
        self.judge.recording = Recording(case, case.path, "here", "here")

    def changed(self, *names: str) -> list[FileChange]:
        before = len(self.told.changes)
        changes = [Change(os.fsencode(self.folder / name), CREATED | CONTENT, 1.0, 1.0) for name in names]
        self.judge.settle(changes)
        return self.told.changes[before:]


@pytest.fixture
def judging(tmp_path: Path) -> Iterator[Judging]:
    """A judge whose workers die at a file named `deadly` while there is one named `kills`."""
    folder, own = tmp_path / "folder", tmp_path / "case"
    folder.mkdir()
    looker = Looker([Deadly(tmp_path / "kills")], selection=None, own=os.fsencode(own), jobs=1, nice=False)
    with Case.open(own) as case:
        made = Judging(folder, case, looker)
        yield made
        looker.close()
        made.judge.recording.finish()
        made.known.close()


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_file_at_which_a_worker_died_is_read_later(judging: Judging, tmp_path: Path, monkeypatch: Any) -> None:
    now = 1000.0
    monkeypatch.setattr(judging.judge._again, "_clock", lambda: now)
    (tmp_path / "kills").touch()
    for name in ("deadly", "other"):
        (judging.folder / name).write_text(name)
    told = {Path(c.path).name: c for c in judging.changed("deadly", "other")}
    assert told["deadly"].new_sha256 is None and told["other"].new_sha256 == digest(judging.folder / "other")
    assert judging.judge.recording.coverage.misses[-1].reason == "crashed"
    now += WAITS[0]
    judging.judge.come_round()
    assert len(judging.told.changes) == 2, "it died again: nothing new to tell"
    (tmp_path / "kills").unlink()
    assert judging.judge.wait == WAITS[1]
    now += WAITS[1]
    judging.judge.come_round()
    last = judging.told.changes[-1]
    assert (last.what, last.attributes) == ("changed", ["sha256"])
    assert last.new_sha256 == digest(judging.folder / "deadly")
    assert judging.judge.wait is None


def test_what_cannot_be_asked_for_is_not_gone(judging: Judging, monkeypatch: pytest.MonkeyPatch) -> None:
    (judging.folder / "file").write_text("x")
    assert [c.what for c in judging.changed("file")] == ["added"]
    view, refused = type(judging.looker.view), OSError(errno.EMFILE, "Too many open files")
    with monkeypatch.context() as patch:
        patch.setattr(view, "folder_at", lambda *_: (_ for _ in ()).throw(refused))
        assert judging.changed("file") == [] and judging.judge.wait is not None
    (judging.folder / "file").unlink()
    assert [c.what for c in judging.changed("file")] == ["removed"]
    assert judging.judge.wait is None


def test_what_comes_when_the_databases_rest_waits_until_they_are_read(judging: Judging, monkeypatch: Any) -> None:
    """Of a package's files some are heard of before, some after its database has come to rest."""
    folder = os.fsencode(judging.folder)
    for name, value in (("DATABASES", (folder + b"/db/",)), ("MANAGED", (folder + b"/usr/",)), ("QUIET_SECONDS", 0.0)):
        monkeypatch.setattr(packages, name, value)
    monkeypatch.setattr(packages, "is_locked", lambda: False)
    for name in ("db", "usr"):
        (judging.folder / name).mkdir()
        (judging.folder / name / "file").write_text("x")
    assert len(judging.changed("db/file")) == 1 and judging.judge.wait is not None
    assert judging.changed("usr/file") == [], "what it may be explained by has not been read yet"
    judging.judge.come_round()
    assert Path(judging.told.changes[-1].path) == judging.folder / "usr/file"
    (judging.folder / "usr/file").write_text("longer")
    assert len(judging.changed("usr/file")) == 1


def test_a_folder_in_place_of_another_is_read_as_it_is_now(judging: Judging) -> None:
    """Workers stay from batch to batch; no folder stays open in them."""
    inside = judging.folder / "inside"
    for content in ("first", "second"):
        inside.mkdir()
        (inside / "file").write_text(content)
        (change,) = judging.changed("inside/file")
        assert change.new_sha256 == digest(inside / "file")
        inside.rename(judging.folder / f"{content}-was-here")


def test_a_finding_that_says_the_same_is_told_once_and_counted(judging: Judging, monkeypatch: Any) -> None:
    """Written, then made executable: two batches or one, it is one piece of news."""
    now = 1000.0
    monkeypatch.setattr(judging.judge._lately, "_clock", lambda: now)
    file = judging.folder / "file"
    says = finding(str(file))
    for step, (found, wanted) in enumerate((
        (says, ("high", True)), (says, None), (replace(says, severity="critical"), ("critical", False)),
        (replace(says, severity="critical"), None),
    )):  # fmt: skip
        before = len(judging.told.findings)
        judging.rules.finds = [found]
        file.write_text("x")
        file.chmod(0o700 | step)
        assert len(judging.changed("file")) == 1
        assert judging.told.findings[before:] == ([] if wanted is None else [wanted])
    now += SECONDS
    file.chmod(0o600)
    judging.changed("file")
    assert judging.told.findings[-1] == ("critical", False) and judging.judge.counters["findings-repeated"] == 2


def finding(subject: str) -> Finding:
    draft = draft_of(load_rules().of_kind("sql")[0], subject, severity="high")
    return worded([draft], {}, target="/", run="r", seen="2026-01-01T00:00:00+00:00")[0]

"""What a watch may lean on: the last known state, and of what is not watched only what a package vouches for."""

from __future__ import annotations

import hashlib
import io
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from hinomi.watch.baseline.liveworld import UNTRACKED, LiveWorld, difference_of
from hinomi.watch.baseline.reasons import logs, packages, unchanged
from hinomi.watch.baseline.world import Owner
from hinomi.watch.known import Facts, Known

FOLDER = Facts("directory", 1, 1, 0, 0o755, 0, 0, 0, 0)


def facts(text: bytes = b"", **changed: object) -> Facts:
    made = Facts("file", 1, 7, len(text), 0o644, 0, 0, 4, 5, sha256=hashlib.sha256(text).digest())
    return made._replace(**changed)  # type: ignore[arg-type]


class Disk:
    """A reader of a few files, all of the package `tool` that vouches for what they held at first."""

    def __init__(self, **texts: bytes) -> None:
        self.texts = {b"/outside/" + name.encode(): text for name, text in texts.items()}
        self.vouched = {path: hashlib.md5(text).hexdigest() for path, text in self.texts.items()}

    def open(self, path: bytes) -> BinaryIO:
        return io.BytesIO(self.texts[path])

    def owner(self, path: bytes) -> Owner | None:
        return Owner("tool", "md5", self.vouched[path]) if path in self.vouched else None

    def digest(self, path: bytes, kind: str) -> str:
        return hashlib.new(kind, self.texts[path]).hexdigest()

    def standing(self, path: bytes) -> Facts | None:
        return facts(self.texts[path]) if path in self.texts else FOLDER if path in (b"/outside", b"/srv") else None


@pytest.fixture
def known(tmp_path: Path) -> Iterator[Known]:
    made = Known(tmp_path / "known.db")
    made.apply([(b"/srv/good", facts()), (b"/srv/bad", facts(unexplained=1))], ())
    yield made
    made.close()


def world(known: Known, disk: Disk, *differences: tuple[bytes, Facts | None, Facts | None]) -> LiveWorld:
    found = [difference_of(*one) for one in differences]
    return LiveWorld(known, found, disk, {"tool": "1 aa"}, {"tool": "2 bb"}, disk.standing)


def test_what_is_known_is_sound_unless_it_changed_without_a_reason(known: Known) -> None:
    at = world(known, Disk(), (b"/srv/new", None, facts()))
    assert at.is_sound(b"/srv/good") and not at.is_sound(b"/srv/bad")
    assert not at.is_sound(b"/srv/new") and not at.is_sound(b"/srv/nothing")
    assert at.paths_in(b"/srv") == [b"/srv/bad", b"/srv/good", b"/srv/new"] == at.paths_below(b"/srv")


def test_what_is_not_watched_must_be_as_its_package_has_it(known: Known) -> None:
    disk = Disk(a=b"as shipped", b=b"as shipped too")
    disk.texts[b"/outside/b"] = b"altered"
    disk.texts[b"/outside/c"] = b"of nobody"
    at = world(known, disk)
    assert at.is_sound(b"/outside/a")
    assert not at.is_sound(b"/outside/b") and not at.is_sound(b"/outside/c")


def test_a_file_is_the_packages_only_with_its_bytes_and_without_new_power(known: Known) -> None:
    disk = Disk(a=b"new")
    old, path = facts(b"old"), b"/outside/a"
    powers: list[tuple[dict[str, object], tuple[str, ...]]] = [
        ({}, ()), ({"mode": 0o4755}, ("mode",)), ({"capabilities": "01"}, ("capabilities",)),
    ]  # fmt: skip
    for changed, left in powers:
        at = world(known, disk, (path, old, facts(b"new", inode=8, **changed)))
        reason = packages.explain(at.differences[path], at)
        assert reason is not None and reason.by == "tool 2" and reason.left == left
    disk.texts[path] = b"trojan"
    at = world(known, disk, (path, old, facts(b"trojan")))
    assert packages.explain(at.differences[path], at) is None


def test_a_change_of_what_is_not_tracked_is_not_taken_for_a_touch(known: Known) -> None:
    """An ACL or a flag moves nothing but ctime."""
    touched = difference_of(b"/srv/good", facts(), facts(mtime=9, ctime=9))
    odd = difference_of(b"/srv/good", facts(), facts(ctime=9))
    assert odd.attributes == ("ctime", UNTRACKED)
    at = world(known, Disk())
    assert unchanged.explain(touched, at) is not None and unchanged.explain(odd, at) is None


def test_an_older_file_of_known_states_is_completed(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "old.db")
    with database:
        database.execute(
            "CREATE TABLE entries (parent BLOB, name BLOB, kind TEXT, device INTEGER, inode INTEGER, size INTEGER, "
            "mode INTEGER, uid INTEGER, gid INTEGER, mtime INTEGER, ctime INTEGER, link BLOB, sha256 BLOB, "
            "content_type TEXT, PRIMARY KEY (parent, name)) WITHOUT ROWID"
        )
        database.execute("INSERT INTO entries VALUES (x'2f', x'61', 'file', 1, 2, 3, 4, 5, 6, 7, 8, NULL, NULL, NULL)")
    database.close()
    known = Known(tmp_path / "old.db")
    assert known.get(b"/a") == Facts("file", 1, 2, 3, 4, 5, 6, 7, 8)
    known.apply([(b"/b", facts(capabilities="01", package="tool", unexplained=1))], ())
    assert known.get(b"/b") == facts(capabilities="01", package="tool", unexplained=1)
    known.close()


@pytest.mark.parametrize("size", [8, 16, 24])
def test_a_log_that_grew_while_it_was_read_still_explains_itself(known: Known, size: int) -> None:
    """Its size was asked for before the end of its reading, so that its digest may be of more than that."""
    read, path = b"line 1\nline 2\nline 3\n", b"/var/log/x.log"
    old = facts(read)._replace(size=min(size, len(read)))
    for now, reason in ((read + b"line 4\n", "log-grown"), (read.replace(b"2", b"5") + b"line 4\n", None)):
        disk = Disk()
        disk.texts[path] = now
        at = world(known, disk, (path, old, facts(now)))
        found = logs.explain(at.differences[path], at)
        assert (found.why if found else None) == reason

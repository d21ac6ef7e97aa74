"""A log is rotated in many small steps; whatever the watcher happens to see of them, they explain themselves.

The steps are those of logrotate, on a folder held in memory. A watcher that looks at chosen moments is played through
the explainer itself, so that every way of falling into batches can be tried, and none depends on time.
"""

from __future__ import annotations

import gzip
import hashlib
import random
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from hinomi.evidence.sources.memory import MemoryFile, memory_target
from hinomi.flow.watching.explaining import Explainer
from hinomi.watch.known import Facts

FOLDER = b"/var/log/app"
LOG = FOLDER + b"/app.log"
SECOND = 10**9  # nanoseconds
DAY = 86_400 * SECOND
KEPT = 2  # rotated copies that are kept


class File(NamedTuple):
    inode: int
    text: bytes
    mtime: int
    ctime: int

    @property
    def facts(self) -> Facts:
        digest = hashlib.sha256(self.text).digest()
        return Facts(
            "file", 1, self.inode, len(self.text), 0o100644, 0, 0, self.mtime, self.ctime, sha256=digest
        )  # fmt: skip


class State(NamedTuple):
    """What stands in the folder at one moment, and when a name last came or went."""

    files: dict[bytes, File]
    mtime: int

    def facts(self, path: bytes) -> Facts | None:
        return self.files[path].facts if path in self.files else None

    @property
    def looker(self) -> SimpleNamespace:
        """A target that stands as it does at this moment."""
        files = {path.decode(): MemoryFile(file.text) for path, file in self.files.items()}
        folder = MemoryFile(kind="directory", mtime=self.mtime / SECOND)
        target = memory_target({"/etc/hostname": b"x", FOLDER.decode(): folder, **files})
        return SimpleNamespace(target=target, view=target.view)


class Disk:
    """A folder that remembers each of its states."""

    def __init__(self) -> None:
        self.now, self.mtime, self.made = DAY, DAY, 10
        self.files: dict[bytes, File] = {}
        self.states: list[State] = []
        self.days: list[int] = []  # the number of states at the beginning of each

    def day(self) -> None:
        self.now += DAY
        self.days.append(len(self.states))
        self.write(LOG, self.files[LOG].text + b"on day %d\n" % len(self.days) * 9 if self.files else b"first\n" * 9)

    def write(self, path: bytes, text: bytes) -> None:
        self.made += path not in self.files
        inode = self.files[path].inode if path in self.files else self.made
        self._stands(path, File(inode, text, self.now, self.now))

    def move(self, path: bytes, to: bytes) -> None:
        moved = self.files.pop(path)
        self._stands(to, moved._replace(ctime=self.now))

    def remove(self, path: bytes) -> None:
        del self.files[path]
        self._passes(renamed=True)

    def compress(self, path: bytes, to: bytes) -> None:
        """As gzip does: the copy grows, gets the times of what it is made of, and that goes."""
        whole = gzip.compress(self.files[path].text, mtime=0)
        for text in (b"", whole[:15], whole[:-6], whole):
            self.write(to, text)
        self._stands(to, self.files[to]._replace(mtime=self.files[path].mtime, ctime=self.now))
        self.remove(path)

    def _stands(self, path: bytes, file: File) -> None:
        renamed = path not in self.files
        self.files[path] = file
        self._passes(renamed=renamed)

    def _passes(self, *, renamed: bool) -> None:
        self.mtime = self.now if renamed else self.mtime
        self.now += SECOND
        self.states.append(State(dict(self.files), self.mtime))


def numbered(disk: Disk, ending: bytes) -> None:
    """Move each copy one number on."""
    for number in range(KEPT + 1, 0, -1):
        if (path := b"%s.%d%s" % (LOG, number, ending)) in disk.files:
            disk.move(path, b"%s.%d%s" % (LOG, number + 1, ending))


def expire(disk: Disk) -> None:
    for path in [p for p in disk.files if p.startswith(b"%s.%d" % (LOG, KEPT + 1))]:
        disk.remove(path)


def compressing(disk: Disk) -> None:
    numbered(disk, b".gz")
    disk.move(LOG, LOG + b".1")
    disk.write(LOG, b"")
    disk.compress(LOG + b".1", LOG + b".1.gz")
    expire(disk)


def delaying(disk: Disk) -> None:
    numbered(disk, b".gz")
    if LOG + b".1" in disk.files:
        disk.compress(LOG + b".1", LOG + b".1.gz")
        disk.move(LOG + b".1.gz", LOG + b".2.gz")
    disk.move(LOG, LOG + b".1")
    disk.write(LOG, b"")
    expire(disk)


def dating(disk: Disk) -> None:
    copy = b"%s-%d" % (LOG, 20261200 + len(disk.days))
    disk.move(LOG, copy)
    disk.write(LOG, b"")
    disk.compress(copy, copy + b".gz")
    for path in sorted(disk.files.keys() - {LOG})[:-KEPT]:
        disk.remove(path)


def plain(disk: Disk) -> None:
    numbered(disk, b"")
    disk.move(LOG, LOG + b".1")
    disk.write(LOG, b"")
    expire(disk)


def truncating(disk: Disk) -> None:
    numbered(disk, b".gz")
    text = disk.files[LOG].text
    for copied in (b"", text[:30], text):
        disk.write(LOG + b".1", copied)
    disk.write(LOG, b"")
    disk.compress(LOG + b".1", LOG + b".1.gz")
    expire(disk)


Rotation = Callable[[Disk], None]
ROTATIONS: list[Rotation] = [compressing, delaying, dating, plain, truncating]


def history(rotate: Rotation, days: int = 4) -> Disk:
    disk = Disk()
    for _ in range(days):
        disk.day()
        rotate(disk)
    return disk


class Remembered(dict[bytes, Facts]):
    """The last known states (`LastKnown`), without the store of a case."""

    def children(self, folder: bytes) -> dict[bytes, Facts]:
        return {path[len(folder) + 1 :]: facts for path, facts in self.below(folder)}

    def below(self, folder: bytes) -> Iterator[tuple[bytes, Facts]]:
        return iter([(path, facts) for path, facts in self.items() if path.startswith(folder + b"/")])

    def fact(self, _name: str) -> None:
        return None


class Watcher:
    """Judges look after look as the watcher does: what it has seen may be concluded at once or later."""

    def __init__(self, start: State) -> None:
        self.known = Remembered({path: file.facts for path, file in start.files.items()})
        self.due: dict[bytes, Facts | None] = {}
        self.reasons: dict[bytes, str | None] = {}

    def look(self, between: Sequence[State], *, conclude: bool) -> None:
        """See all that was touched in `between`, as it is in the last of these states."""
        now = between[-1]
        paths = sorted({path for state in between for path in state.files})
        touched = [path for path in paths if any(s.facts(path) != between[0].facts(path) for s in between)]
        if not self.due.keys().isdisjoint(touched):
            self.conclude()
        changes = {path: (self.known.get(path), now.facts(path)) for path in touched}
        found = Explainer(now.looker, self.known).explain(changes, self.due)  # type: ignore[arg-type]
        for path, (old, new) in changes.items():
            self.reasons[path] = found[path].why if path in found else None
            if old or new:
                self.due[path] = new and new._replace(unexplained=int(path not in found))
        if conclude:
            self.conclude()

    def conclude(self) -> None:
        self.known.update({path: facts for path, facts in self.due.items() if facts is not None})
        for path in [path for path, facts in self.due.items() if facts is None]:
            self.known.pop(path, None)
        self.due = {}


def reasons_of(
    states: Sequence[State], looks: Sequence[int], concludes: Callable[[], bool] = lambda: True
) -> dict[bytes, str | None]:
    """Look at the folder at some of its states, in order, and return the last reason of all that changed, by path."""
    watcher, last = Watcher(states[0]), 0
    for look in looks:
        watcher.look(states[last : look + 1], conclude=concludes())
        last = look
    return watcher.reasons


def unexplained(
    states: Sequence[State], looks: Sequence[int], concludes: Callable[[], bool] = lambda: True
) -> list[bytes]:
    return sorted(path for path, why in reasons_of(states, looks, concludes).items() if why is None)


@pytest.mark.parametrize("rotate", ROTATIONS)
def test_a_rotation_explains_itself_whenever_it_is_looked_at(rotate: Rotation) -> None:
    disk = history(rotate)
    last = len(disk.states) - 1
    assert unexplained(disk.states, range(1, last + 1)) == [], "at every step"
    chance = random.Random(rotate.__name__)
    for _ in range(40):
        looks = chance.sample(range(1, last), chance.randint(1, last - 1))
        looks = sorted({*looks, *(day for day in disk.days if day), last})  # a day's rotation is not slept through
        assert unexplained(disk.states, looks, lambda: chance.random() < 0.5) == [], looks


@pytest.mark.parametrize("rotate", ROTATIONS)
@pytest.mark.parametrize("looks_between", [True, False])
def test_what_is_taken_out_beside_a_rotation_stands_out(rotate: Rotation, looks_between: bool) -> None:
    disk = history(rotate, 3)
    before = len(disk.states) - 1
    copies = sorted(disk.files.keys() - {LOG}, key=lambda p: disk.files[p].mtime)
    disk.now += DAY
    edited = copies[-1]
    text = disk.files[edited].text
    text = gzip.compress(gzip.decompress(text)[9:], mtime=0) if edited.endswith(b".gz") else text[9:]
    disk.write(edited, text)
    looks = range(1, before + 2) if looks_between else (before, before + 1)
    assert edited in unexplained(disk.states, looks)


@pytest.mark.parametrize("rotate", ROTATIONS)
def test_a_copy_removed_by_hand_stands_out(rotate: Rotation) -> None:
    for which in (0, -1):
        disk = history(rotate, 3)
        before = len(disk.states) - 1
        removed = sorted(disk.files.keys() - {LOG}, key=lambda p: disk.files[p].mtime)[which]
        disk.now += DAY
        disk.remove(removed)
        assert removed in unexplained(disk.states, (before, before + 1)), removed


def test_a_compressed_copy_that_got_more_than_its_log_stands_out() -> None:
    disk = history(compressing, 2)
    before = len(disk.states) - 1
    disk.write(LOG + b".1.gz", disk.files[LOG + b".1.gz"].text + gzip.compress(b"invented\n"))
    assert unexplained(disk.states, (before, before + 1)) == [LOG + b".1.gz"]


def test_a_new_copy_of_nothing_that_is_known_stands_out() -> None:
    disk = history(compressing, 2)
    before = len(disk.states) - 1
    disk.write(LOG + b".7.gz", gzip.compress(b"invented\n"))
    assert unexplained(disk.states, (before, before + 1)) == [LOG + b".7.gz"]

"""Which names of a hard-linked file take the reading of the first."""

from __future__ import annotations

from hinomi.evidence.filerows import FileRows
from hinomi.evidence.hardlinks import Twins
from hinomi.evidence.reading import Reading
from hinomi.evidence.sources.memory import memory_target
from hinomi.evidence.view import Entry

DIGEST = "ab" * 32


def name(path: bytes, inode: int = 7, links: int = 3) -> Entry:
    return memory_target({"/x": b""}).view.entry(b"/x")._replace(path=path, inode=inode, links=links)  # type: ignore[union-attr]


def twins() -> Twins:
    return Twins(FileRows(memory_target({})))


def test_further_names_take_the_reading_of_the_first() -> None:
    known = twins()
    assert [known.knows(name(path)) for path in (b"/a", b"/b", b"/c")] == [False, True, True]
    known.remember(name(b"/a"), Reading(5, DIGEST))
    reading = known.reading_of(name(b"/b"))
    assert reading is not None
    assert (reading.sha256, reading.size, reading.linked) == (DIGEST, 0, True)


def test_after_its_last_name_a_file_is_forgotten() -> None:
    known = twins()
    known.knows(name(b"/a"))
    known.remember(name(b"/a"), Reading(5, DIGEST))
    assert [known.reading_of(name(path)) is None for path in (b"/b", b"/c", b"/d")] == [False, False, True]
    assert not known.knows(name(b"/e"))


def test_what_could_not_be_read_gives_no_reading() -> None:
    known = twins()
    known.knows(name(b"/a"))
    known.remember(name(b"/a"), Reading())
    assert known.reading_of(name(b"/b")) is None

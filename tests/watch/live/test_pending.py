"""One entry a path; what changes without end is looked at less often; what is urgent is not delayed."""

from __future__ import annotations

from hinomi.watch.live.events import ATTRIBUTES, CONTENT, FileEvent
from hinomi.watch.live.pending import BUSY_AFTER, Pending
from hinomi.watch.live.processes import Identity


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_events_of_a_path_are_one_change_with_all_writers() -> None:
    clock = Clock()
    pending = Pending(2, wall=clock, monotonic=clock)
    assert pending.add(FileEvent(b"/a", CONTENT), Identity(1))
    assert pending.add(FileEvent(b"/a", ATTRIBUTES), Identity(2))
    assert pending.add(FileEvent(b"/b", CONTENT), None)
    assert not pending.add(FileEvent(b"/c", CONTENT), None), "no room: the caller states a gap"
    first, _ = pending.take(10)
    assert (first.path, first.what, [w.pid for w in first.writers], first.events) == (
        b"/a",
        CONTENT | ATTRIBUTES,
        [1, 2],
        2,
    )
    assert len(pending) == 0 and pending.oldest is None


def test_a_file_that_never_rests_waits_longer_unless_its_rights_change() -> None:
    clock = Clock()
    pending = Pending(10, wall=clock, monotonic=clock)
    for _ in range(BUSY_AFTER + 2):
        pending.add(FileEvent(b"/log", CONTENT), None)
        clock.now += 3
        assert pending.due()
        pending.take(10)
    pending.add(FileEvent(b"/log", CONTENT), None)
    assert not pending.due() and pending.next_due() is not None
    pending.add(FileEvent(b"/log", ATTRIBUTES), None)
    assert pending.due()


def test_what_is_equal_in_many_changes_is_one_object() -> None:
    clock, writer = Clock(), Identity(1)
    pending = Pending(10, wall=clock, monotonic=Clock())
    for n in range(3):
        pending.add(FileEvent(b"/%d" % n, CONTENT), writer)
        clock.now += 0.001
    clock.now -= 3600.0
    pending.add(FileEvent(b"/earlier", CONTENT), Identity(2))
    first, second, third, earlier = pending.take(10)
    assert first.writers is second.writers is third.writers == (writer,) and first.first is third.last
    assert earlier.first == clock.now and [w.pid for w in earlier.writers] == [2], "a clock set back is believed"

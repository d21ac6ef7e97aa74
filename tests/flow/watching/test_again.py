"""What could not be read is looked at again, a few times, and then stays a miss."""

from __future__ import annotations

from hinomi.flow.watching.again import MAX_PATHS, WAITS, Again
from hinomi.watch.live.pending import Change


def change(path: bytes) -> Change:
    return Change(path, 1, 0.0, 0.0)


def test_a_look_that_fails_is_due_again_later_and_later_until_it_is_let_go() -> None:
    now = 100.0
    again = Again(clock=lambda: now)
    assert again.wait is None and again.due() == []
    for wait in WAITS:
        again.failed(change(b"/a"))
        assert b"/a" in again and again.wait == wait and again.due() == []
        now += wait
        assert [c.path for c in again.due()] == [b"/a"]
        assert again.due() == [] and again.wait is None, "once each time"
    again.failed(change(b"/a"))
    assert b"/a" not in again


def test_what_was_read_is_forgotten_and_room_is_bounded() -> None:
    again = Again(clock=lambda: 0.0)
    for number in range(MAX_PATHS + 2):
        again.failed(change(b"/%d" % number))
    assert b"/1" not in again and b"/2" in again
    again.settled(b"/2")
    again.settled(b"/never")
    assert b"/2" not in again

"""Who is who, also after the end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hinomi.watch.live.connector import EXEC, EXIT, FORK, UID, ProcessEvent, parse_event
from hinomi.watch.live.processes import Identity, ProcessTable

LIVING = {1: Identity(1, 0, "init", "/sbin/init", uid=0), 10: Identity(10, 1, "sh", "/bin/sh", uid=5)}


def table() -> tuple[ProcessTable, dict[int, Identity]]:
    living = dict(LIVING)
    made = ProcessTable(living.get, loaders=["/lib/ld.so"], max_ended=2)
    made.begin(living)
    return made, living


def test_an_ended_process_is_still_known_and_its_number_is_not_taken_for_another() -> None:
    found, living = table()
    found.take(ProcessEvent(FORK, 20, 10))
    living[20] = Identity(20, 10, "cp", "/bin/cp", ("cp", "a"), uid=5)
    found.take(ProcessEvent(EXEC, 20))
    found.take(ProcessEvent(EXIT, 20))
    living[20] = Identity(20, 1, "other", "/bin/other", uid=0)
    found.take(ProcessEvent(FORK, 20, 1))
    found.take(ProcessEvent(EXEC, 20))
    before, now = found.who(20, alive=False), found.who(20, alive=True)
    assert before is not None and (before.exe, before.ended is not None) == ("/bin/cp", True)
    assert [program for _, program in before.ancestors] == ["/bin/sh", "/sbin/init"]
    assert now is not None and now.exe == "/bin/other"
    assert {s.exe for s in found.starts(10)} == {"/bin/cp", "/bin/other"}


def test_a_program_too_short_to_be_read_is_named_by_its_file_whichever_event_comes_first() -> None:
    for file_first in (True, False):
        found, _ = table()
        found.take(ProcessEvent(FORK, 30, 10))
        if file_first:
            found.ran(30, "/tmp/short")
            found.ran(30, "/lib/ld.so")
        found.take(ProcessEvent(EXEC, 30))
        found.take(ProcessEvent(EXIT, 30))
        if not file_first:
            found.ran(30, "/lib/ld.so")
            found.ran(30, "/tmp/short")
        (start,) = found.starts(10)
        assert (start.exe, start.uid, start.ended is not None) == ("/tmp/short", 5, True)


def test_a_program_too_short_to_be_read_is_what_it_was_caught_as() -> None:
    found, _ = table()
    found.take(ProcessEvent(FORK, 30, 10))
    found.ran(30, "/tmp/other")
    found.take(ProcessEvent(EXEC, 30, 0, ("/usr/bin/short-lived-one", ("short", "-x"))))
    found.take(ProcessEvent(EXIT, 30))
    found.ran(30, "/tmp/other")
    (start,) = found.starts(10)
    assert (start.exe, start.name, start.cmdline) == ("/usr/bin/short-lived-one", "short-lived-one", ("short", "-x"))
    assert start.uid == 5 and start.read and start.ended is not None and found.unread == 0


def test_memory_is_bounded_and_users_are_followed() -> None:
    found, _ = table()
    for pid in (40, 41, 42):
        found.take(ProcessEvent(FORK, pid, 10))
        found.take(ProcessEvent(UID, pid, 33))
        found.take(ProcessEvent(EXIT, pid))
    forgotten, kept = found.who(40, alive=False), found.who(42, alive=False)
    assert forgotten is not None and forgotten.exe is None and not forgotten.read
    assert kept is not None and kept.uid == 33


def test_after_lost_events_what_lives_is_compared_with_what_was_known() -> None:
    found, living = table()
    found.take(ProcessEvent(FORK, 50, 10))
    living[50] = Identity(50, 10, "job", "/bin/job", uid=5)
    found.take(ProcessEvent(EXEC, 50))
    assert [s.exe for s in found.starts(10)] == ["/bin/job"]
    del living[50]
    living[51] = Identity(51, 10, "late", "/bin/late", uid=5)
    living[10] = Identity(10, 1, "sh", "/bin/other", uid=5)
    found.compare(living)
    assert {s.exe for s in found.starts(10)} == {"/bin/late", "/bin/other"}, "programs that nobody told of"
    ended = found.who(50, alive=False)
    assert ended is not None and ended.ended is not None and len(found) == len(living)
    found.compare(living)
    assert not found.has_starts


@given(st.binary(max_size=120))
def test_any_bytes_are_no_crash(data: bytes) -> None:
    parse_event(data)


def test_children_of_one_parent_share_their_line_until_it_becomes_another_program() -> None:
    found, living = table()
    for pid in (40, 41):
        found.take(ProcessEvent(FORK, pid, 10))
    living[10] = Identity(10, 1, "bash", "/bin/bash", uid=5)
    found.take(ProcessEvent(EXEC, 10))
    found.take(ProcessEvent(FORK, 42, 10))
    lines = {one.pid: one.ancestors for one in found.living()}
    assert lines[40] is lines[41] and lines[40][0] == (10, "/bin/sh") and lines[42][0] == (10, "/bin/bash")


def test_without_events_an_answer_holds_for_a_moment_whatever_the_wall_clock_says() -> None:
    asked, now = [], [100.0]
    found = ProcessTable(lambda pid: asked.append(pid) or Identity(pid), clock=lambda: -1e9, monotonic=lambda: now[0])
    found.follows = False
    for step in (0.0, 0.5, 1.0):
        now[0] += step
        found.who(7, None)
    assert asked == [7, 7]

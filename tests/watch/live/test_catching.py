"""What was caught is handed over whole, asked or unasked, and its end is no silence."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator

import pytest

from hinomi.watch.live import catching
from hinomi.watch.live.catching import Catcher
from hinomi.watch.live.connector import EXEC, EXIT, FORK, ProcessConnector, ProcessEvent

LOST = -1


class Told:
    """Takes the place of the process connector: what is told comes by a socket."""

    def __init__(self) -> None:
        self.tell_to, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._theirs.setblocking(False)

    def tell(self, *numbers: int) -> None:
        self.tell_to.send(" ".join(map(str, numbers)).encode())

    def fileno(self) -> int:
        return self._theirs.fileno()

    def read(self, most: int) -> tuple[list[ProcessEvent], bool]:
        assert most == 1, "one is looked at before the next is read"
        try:
            what, *rest = map(int, self._theirs.recv(100).split())
        except BlockingIOError:
            return [], False
        return ([], True) if what == LOST else ([ProcessEvent(what, *rest)], False)

    def release(self) -> None:
        self._theirs.close()


def glance(pid: int) -> tuple[str, tuple[str, ...]] | None:
    return (f"/bin/{pid}", (f"{pid}", "\udcff")) if pid % 2 else None


@pytest.fixture
def catch() -> Iterator[Callable[[], tuple[Told, Catcher]]]:
    started: list[tuple[Told, Catcher]] = []

    def start() -> tuple[Told, Catcher]:
        told = Told()
        started.append((told, Catcher(told, glance)))
        return started[-1]

    yield start
    for told, catcher in started:
        told.tell_to.close()
        catcher.close()


def test_all_that_was_told_until_now_comes_when_it_is_asked_for(catch: Callable[[], tuple[Told, Catcher]]) -> None:
    told, catcher = catch()
    assert catcher.read() == ([], False)
    told.tell(FORK, 7, 1)
    for pid in (7, 8):
        told.tell(EXEC, pid)
    told.tell(EXIT, 7)
    assert catcher.read() == (
        [ProcessEvent(FORK, 7, 1), ProcessEvent(EXEC, 7, 0, ("/bin/7", ("7", "\udcff"))), ProcessEvent(EXEC, 8),
         ProcessEvent(EXIT, 7)], False,
    )  # fmt: skip
    told.tell(LOST)
    told.tell(EXIT, 8)
    seen = [catcher.read(), catcher.read()]
    assert [event for events, _ in seen for event in events] == [ProcessEvent(EXIT, 8)]
    assert any(lost for _, lost in seen) and catcher.read() == ([], False)


def test_what_nobody_asks_for_is_told_of_by_itself(catch: Callable[[], tuple[Told, Catcher]]) -> None:
    told, catcher = catch()
    told.tell(EXEC, 9)
    assert select.select([catcher], [], [], 120)[0]
    assert catcher.read() == ([ProcessEvent(EXEC, 9, 0, ("/bin/9", ("9", "\udcff")))], False)


def test_more_than_it_may_hold_waits_where_it_was(
    catch: Callable[[], tuple[Told, Catcher]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catching, "MAX_WAITING", 1)
    told, catcher = catch()
    wanted, seen = [], []
    for pid in range(3000):
        told.tell(EXIT, pid)
        wanted.append(ProcessEvent(EXIT, pid))
        if pid % 7 == 0:
            seen += catcher.read()[0]
    while len(seen) < len(wanted):
        seen += catcher.read()[0]
    assert seen == wanted


def test_its_end_is_told(catch: Callable[[], tuple[Told, Catcher]]) -> None:
    _, catcher = catch()
    os.kill(catcher.pid, signal.SIGKILL)
    os.waitpid(catcher.pid, 0)
    with pytest.raises((EOFError, ConnectionError)):
        catcher.read()


def test_a_program_is_caught_with_its_arguments() -> None:
    from hinomi.flow.watching.identity import IdentityReader

    try:
        connector = ProcessConnector()
    except OSError as error:
        pytest.skip(f"no process connector here: {error}")
    catcher = Catcher(connector, IdentityReader().glance)
    try:
        found: list[ProcessEvent] = []
        while not found:  # where the kernel had to drop events, as others start many, another is started
            with subprocess.Popen(["sleep", "3600"]) as sleeping:
                lost = False
                while not (found or lost):
                    events, lost = catcher.read()
                    found = [e for e in events if e.what == EXEC and e.pid == sleeping.pid]
                sleeping.kill()
        assert found[0].caught is not None and found[0].caught[0].endswith("sleep")
        assert found[0].caught[1] == ("sleep", "3600")
    finally:
        catcher.close()


def test_one_that_does_not_answer_counts_as_ended(
    catch: Callable[[], tuple[Told, Catcher]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catching, "PATIENCE", 0.01)
    _, catcher = catch()
    os.kill(catcher.pid, signal.SIGSTOP)
    os.waitpid(catcher.pid, os.WUNTRACED)
    with pytest.raises(EOFError):
        catcher.read()

"""Who is who: every living process, and those that ended lately, so that a change can still be told of by whom."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from hinomi.watch.live.connector import EXEC, EXIT, FORK, UID, ProcessEvent

MAX_ENDED = 8192
MAX_ANCESTORS = 12
MAX_OPENED = 4096
BRIEF_SECONDS = 1.0  # how long an answer about a living process holds where nothing tells of its changes
MAX_ARGUMENTS = 4096  # bytes of a command line that are kept
MAX_STARTS = 20_000  # process starts that wait for the judge
MAX_ENDS = 2048  # ends of those it has taken; the oldest give way, which costs only the history of who restarts whom


@dataclass(frozen=True, slots=True)
class Identity:
    """A process as it was when it last became another program. Text is decoded as paths are (surrogateescape)."""

    pid: int
    ppid: int = 0
    name: str = ""
    exe: str | None = None
    cmdline: tuple[str, ...] = ()
    uid: int | None = None
    login_uid: int | None = None
    container: str | None = None
    ancestors: tuple[tuple[int, str], ...] = ()  # (process id, program), the parent first
    started: float = 0.0  # seconds since 1970 UTC
    ended: float | None = None
    read: bool = True  # False where it ended before it could be read


ReadIdentity = Callable[[int], Identity | None]


class ProcessTable:
    """Keeps identities by process id. `read` asks the system about one living process; None where it has ended."""

    def __init__(
        self,
        read: ReadIdentity,
        *,
        loaders: Iterable[str] = (),
        max_ended: int = MAX_ENDED,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`loaders` are the paths of dynamic loaders, which the kernel opens with every program."""
        self._read = read
        self.follows = True  # whether events come; without them, nothing remembered can be trusted
        self._clock = clock
        self._monotonic = monotonic
        self._max_ended = max_ended
        self._alive: dict[int, Identity] = {}
        self._ended: OrderedDict[int, Identity] = OrderedDict()
        self._opened: OrderedDict[int, str] = OrderedDict()  # programs about to be run, by process
        self._brief: dict[int, tuple[float, Identity | None]] = {}
        self._loaders = frozenset(loaders)
        self._lines: dict[int, tuple[Identity, tuple[tuple[int, str], ...]]] = {}  # shared by a parent's children
        self._starts: dict[tuple[int, float], Identity] = {}
        self._ends: deque[tuple[int, float, float]] = deque(maxlen=MAX_ENDS)
        self.dropped_starts = 0
        self.unread = 0  # programs that ended before they could be read

    def __len__(self) -> int:
        return len(self._alive)

    def begin(self, pids: Iterable[int]) -> None:
        """Take the processes that are there already, parents before children where ids tell."""
        for pid in sorted(pids):
            found = self._read(pid)
            if found is not None:
                self._alive[pid] = replace(found, ancestors=self._line(found.ppid))

    def compare(self, pids: Iterable[int]) -> None:
        """See who lives now, after events were lost: programs that nobody told of have started, others have ended."""
        living = set(pids)
        for pid in self._alive.keys() - living:
            self._exit(pid)
        for pid in sorted(living):
            found, known = self._read(pid), self._alive.get(pid)
            if found is None or (known is not None and known.exe == found.exe and known.cmdline == found.cmdline):
                continue
            self._alive[pid] = now = replace(found, ancestors=self._line(found.ppid))
            if known is None or known.read:  # else it is one that was told of, and can be read only now
                self._start(now)

    def take(self, event: ProcessEvent) -> None:
        """Follow one event of the kernel."""
        if event.what == FORK:
            self._fork(event.pid, event.other)
        elif event.what == EXEC:
            self._exec(event.pid, event.caught)
        elif event.what == UID and event.pid in self._alive:
            self._alive[event.pid] = replace(self._alive[event.pid], uid=event.other)
        elif event.what == EXIT:
            self._exit(event.pid)

    def _fork(self, pid: int, parent: int) -> None:
        """A child is its parent until it becomes another program."""
        line = self._line(parent)
        above = self._alive.get(parent)
        if above is None:
            self._alive[pid] = Identity(pid, parent, ancestors=line, started=self._clock(), read=False)
        else:
            self._alive[pid] = replace(above, pid=pid, ppid=parent, ancestors=line, started=self._clock())

    def _exec(self, pid: int, caught: tuple[str, tuple[str, ...]] | None) -> None:
        before, program = self._alive.get(pid), self._opened.pop(pid, None)
        found = self._read(pid)
        line = before.ancestors if before is not None else ()
        if found is not None:
            now = replace(found, ancestors=line or self._line(found.ppid), started=self._clock())
        else:
            parent = before.ppid if before is not None else 0
            now = Identity(pid, parent, ancestors=line, started=self._clock(), read=caught is not None)
            if caught is not None:
                now = replace(_named(now, caught[0]), cmdline=caught[1])
            elif program is not None:
                now = _named(now, program)
            self.unread += caught is None
            if before is not None:
                now = replace(now, uid=before.uid, login_uid=before.login_uid, container=before.container)
        self._alive[pid] = now
        self._start(now)

    def _start(self, now: Identity) -> None:
        """Keep a program's start for the judge, as far as there is room."""
        if len(self._starts) < MAX_STARTS:
            self._starts[now.pid, now.started] = now
        else:
            self.dropped_starts += 1

    def _exit(self, pid: int) -> None:
        gone = self._alive.pop(pid, None)
        self._opened.pop(pid, None)
        if gone is None:
            return
        self._ended.pop(pid, None)
        self._ended[pid] = ended = replace(gone, ended=self._clock())
        if ended.ended is not None and (pid, gone.started) not in self._starts:
            self._ends.append((pid, gone.started, ended.ended))
        if len(self._ended) > self._max_ended:
            self._ended.popitem(last=False)

    def _line(self, parent: int) -> tuple[tuple[int, str], ...]:
        above = self._alive.get(parent)
        if above is None:
            return ()
        known = self._lines.get(parent)
        if known is None or known[0] is not above:
            if len(self._lines) > MAX_OPENED:
                self._lines.clear()
            line = ((parent, above.exe or above.name), *above.ancestors[: MAX_ANCESTORS - 1])
            known = self._lines[parent] = (above, line)
        return known[1]

    def ran(self, pid: int, program: str) -> None:
        """Learn a program's path from the file system's own event, for one that ends before it can be read.

        That event may come before or after the one that says that the process became it. Interpreters are opened after
        the script, so the first path counts; the loader's never does.
        """
        if program in self._loaders:
            return
        for known in (self._alive, self._ended):
            found = known.get(pid)
            if found is not None and not found.read and found.exe is None:
                known[pid] = learned = _named(found, program)
                if (pid, found.started) in self._starts:
                    self._starts[pid, found.started] = learned
                return
        if pid in self._alive and self._alive[pid].exe != program:
            self._opened.setdefault(pid, program)
            if len(self._opened) > MAX_OPENED:
                self._opened.popitem(last=False)

    def who(self, pid: int, alive: bool | None) -> Identity | None:
        """Return who a change is by. `alive` False: that process has ended, and another may wear its number now."""
        if pid <= 0:
            return None
        if not self.follows:
            return (self._asked(pid) if alive is not False else None) or Identity(pid, read=False)
        ended, living = self._ended.get(pid), self._alive.get(pid)
        if alive is False and ended is not None:
            return ended
        if living is None and alive is not False:
            found = self._read(pid)
            if found is not None:
                living = self._alive[pid] = replace(found, ancestors=self._line(found.ppid))
        return living or ended or Identity(pid, read=False)

    def _asked(self, pid: int, depth: int = MAX_ANCESTORS) -> Identity | None:
        """Ask the system about a process and those above it; the answers hold for a moment."""
        now = self._monotonic()
        known = self._brief.get(pid)
        if known is not None and now - known[0] < BRIEF_SECONDS:
            return known[1]
        found = self._read(pid)
        above = self._asked(found.ppid, depth - 1) if found is not None and found.ppid and depth else None
        if found is not None and above is not None:
            line = ((above.pid, above.exe or above.name), *above.ancestors)
            found = replace(found, ancestors=line[:MAX_ANCESTORS])
        if len(self._brief) > MAX_OPENED:
            self._brief.clear()
        self._brief[pid] = (now, found)
        return found

    @property
    def has_starts(self) -> bool:
        """Whether programs were started that nobody has taken yet."""
        return bool(self._starts)

    def starts(self, number: int) -> list[Identity]:
        """Return and forget at most `number` programs started since; those that ended meanwhile say so."""
        keys = list(self._starts)[:number]
        taken = [self._starts.pop(key) for key in keys]
        return [replace(s, ended=self._ended[s.pid].ended) if self._has_ended(s) else s for s in taken]

    def _has_ended(self, start: Identity) -> bool:
        gone = self._ended.get(start.pid)
        return gone is not None and gone.started == start.started and start.pid not in self._alive

    def ends(self) -> list[tuple[int, float, float]]:
        """Return and forget which processes have ended: number, `Identity.started`, and when."""
        taken = list(self._ends)
        self._ends.clear()
        return taken

    def living(self) -> list[Identity]:
        """Return every living process."""
        return list(self._alive.values())


def _named(identity: Identity, program: str) -> Identity:
    return replace(identity, exe=program, name=program.rsplit("/", 1)[-1][:15])

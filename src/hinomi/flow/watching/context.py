"""What rules need to see beside the rows that are new: how the host starts programs, who has accounts, the files and
processes that the new rows name, and what changed lately."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence

from hinomi.evidence.collector import HostCollector, load_collectors
from hinomi.evidence.process.reader import GONE, ProcessReader
from hinomi.evidence.process.scriptname import script_of
from hinomi.flow.watching.history import program_of
from hinomi.flow.watching.looking import Looker
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row
from hinomi.model.tables.files import File
from hinomi.model.tables.host import Persistence
from hinomi.model.tables.processes import Process
from hinomi.model.tables.scripts import ScriptAction
from hinomi.model.text import path_bytes, path_text
from hinomi.watch.live.processes import Identity

MAX_RECENT_ROWS = 2_000
MAX_NAMED = 200  # files looked at because a batch names them
HOST_COLLECTORS = frozenset({"accounts", "persistence", "settings"})
SNAPSHOT_COLLECTORS = frozenset({"processes", "sockets", "memory_regions", "interfaces", "kernel_modules"})
SEARCH_COLLECTORS = frozenset({"hidden_processes"})  # asks for every process id there can be
_CONFIGURATION = (b"/etc/", b"/var/spool/", b"/usr/lib/systemd/", b"/lib/systemd/", b"/usr/local/lib/systemd/",
                  b"/run/systemd/", b"/boot/")  # fmt: skip
_HOMES = (b"/root/.", b"/home/")


class Context:
    """Rows known from before. Rows are the same objects from batch to batch, so that each is written once a run."""

    def __init__(self, looker: Looker) -> None:
        self._looker = looker
        self._host: dict[str, dict[object, Row]] = {}
        self._recent: OrderedDict[bytes, list[Row]] = OrderedDict()
        self._recent_rows = 0

    # --- the host as a whole --------------------------------------------------------------------------------------

    def host(self) -> list[Row]:
        """Return what the host collectors said last."""
        return [row for rows in self._host.values() for row in rows.values()]

    def refresh_host(self, coverage: Coverage, names: frozenset[str] = HOST_COLLECTORS) -> list[Row]:
        """Ask the host collectors again and return the rows that are new."""
        fresh: list[Row] = []
        for collector in load_collectors():
            if not isinstance(collector, HostCollector) or collector.name not in names:
                continue
            before = self._host.get(collector.name, {})
            now = list(_guarded(collector, self._looker, coverage))
            kept = {_plain(row): before.get(_plain(row), row) for row in now}
            fresh += [row for key, row in kept.items() if key not in before]
            self._host[collector.name] = kept
        return fresh

    def concerns_host(self, paths: Iterable[bytes]) -> bool:
        """Whether a change of these paths may change what the host collectors say."""
        named = {path_bytes(row.path) for row in self.host() if isinstance(row, Persistence)}
        return any(
            path in named or path.startswith(_CONFIGURATION) or (path.startswith(_HOMES) and b"/." in path)
            for path in paths
        )

    # --- files ----------------------------------------------------------------------------------------------------

    def remember(self, path: bytes, rows: list[Row]) -> None:
        """Keep a file's rows for the batches to come; the oldest give way."""
        self.forget(path)
        self._recent[path] = rows
        self._recent_rows += len(rows)
        while self._recent_rows > MAX_RECENT_ROWS and len(self._recent) > 1:
            self.forget(next(iter(self._recent)))

    def forget(self, path: bytes) -> None:
        """Drop what is known of a file: it is another one now, or gone."""
        self._recent_rows -= len(self._recent.pop(path, ()))

    def recent(self) -> list[Row]:
        """Return the rows of the files kept."""
        return [row for rows in self._recent.values() for row in rows]

    def file_of(self, row: Process) -> File | None:
        """Return the row of what a process runs, where that was looked at lately."""
        path = program_of(row)
        rows = self._recent.get(path_bytes(path), ()) if path is not None else ()
        return next((one for one in rows if isinstance(one, File)), None)

    def named(self, rows: Iterable[Row], coverage: Coverage) -> None:
        """Look at the files that `rows` name and that are not known yet, so that rules can join them."""
        paths = [p for p in dict.fromkeys(_named(rows)) if p not in self._recent][:MAX_NAMED]
        if not paths:
            return
        seen = self._looker.look(paths, lambda _, entry: entry.kind in ("file", "symlink"))
        coverage.merge(seen.coverage)
        for path in paths:
            self.remember(path, seen.rows.get(path, []))


class ProcessRows:
    """Rows of processes, each made once."""

    def __init__(self, looker: Looker, limit: int = 1024) -> None:
        self._looker = looker
        self._reader = ProcessReader(looker.target)
        self._rows: OrderedDict[tuple[int, float], Process] = OrderedDict()
        self._limit = limit

    def refresh(self) -> None:
        """Read accounts and packages anew."""
        self._reader = ProcessReader(self._looker.target)

    def row(self, identity: Identity) -> Process | None:
        """Return a started program's row: read now where it still runs, else from what the sensor caught.

        What it was is null where it had ended before anybody could ask; None where not even its user is known.
        """
        key = (identity.pid, identity.started)
        known = self._rows.get(key)
        if known is None:
            known = (self._read(identity) if identity.ended is None else None) or self._caught(identity)
            if known is not None:
                self._keep(key, known)
        return known

    def living(self, pid: int) -> Process | None:
        """Return a living process's row."""
        try:
            row = self._reader.row(pid)
        except (*GONE, OSError, ValueError):
            return None
        key = (pid, round(row.started))
        known = self._rows.get(key)
        if known is not None and known.exe == row.exe and known.cmdline == row.cmdline:
            return known
        self._keep(key, row)
        return row

    def kept(self) -> list[Process]:
        """Return the rows that are kept."""
        return list(self._rows.values())

    def _keep(self, key: tuple[int, float], row: Process) -> None:
        self._rows[key] = row
        if len(self._rows) > self._limit:
            self._rows.popitem(last=False)

    def _read(self, identity: Identity) -> Process | None:
        try:
            row = self._reader.row(identity.pid)
        except (*GONE, OSError, ValueError):
            return None
        same = row.exe == identity.exe or not identity.read
        return row if same else None  # it has become another program since, which is a start of its own

    def _caught(self, identity: Identity) -> Process | None:
        if identity.uid is None:
            return None
        script = _script_of(identity)
        return Process(
            pid=identity.pid, ppid=identity.ppid, name=identity.name, exe=identity.exe, cmdline=list(identity.cmdline),
            script=script, script_package_state=self._state(identity, script),
            uid=identity.uid, euid=identity.uid, login_uid=identity.login_uid, started=identity.started,
            ended=identity.ended, container=identity.container, exe_package_state=self._state(identity, identity.exe),
        )  # fmt: skip

    def _state(self, identity: Identity, path: str | None) -> str | None:
        if path is None or identity.container:
            return None
        return self._looker.target.ownership.state(path_bytes(path), None)


def _script_of(identity: Identity) -> str | None:
    """Return the script that a process ran, where its command line gives the whole path: its folder is not known."""
    exe = None if identity.exe is None else path_bytes(identity.exe)
    script = script_of(exe, [path_bytes(word) for word in identity.cmdline], None)
    return None if script is None else path_text(script)


def _guarded(collector: HostCollector, looker: Looker, coverage: Coverage) -> Iterator[Row]:
    try:
        yield from collector.collect(looker.target, coverage)
    except Exception as error:  # noqa: BLE001 - the border of one collector
        coverage.miss(collector.name, "/", "crashed", f"{type(error).__name__}: {error}"[:300])


def _plain(row: Row) -> object:
    """Return a row as something that can be compared and remembered."""
    return (type(row), tuple(tuple(v) if isinstance(v, list) else v for v in vars(row).values()))


def _named(rows: Iterable[Row]) -> Iterator[bytes]:
    """Yield the paths that rows name: what is started, run, linked."""
    for row in rows:
        values: Sequence[str | None] = ()
        if isinstance(row, Persistence):
            values = (row.program,)
        elif isinstance(row, ScriptAction):
            values = (row.object, row.detail)
        elif isinstance(row, Process):
            values = (row.exe, row.script)
        for value in values:
            if value and value.startswith("/") and "\0" not in value and len(value) < 4096:
                yield path_bytes(path_text(path_bytes(value)))

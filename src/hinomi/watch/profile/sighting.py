"""One process seen at one look, reduced to what a profile remembers; and the reading of looks from evidence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hinomi.watch.profile.shape import is_loopback, listening_shape, peer_shape, shape_of

KINDS = ("parent", "user", "arguments", "listens", "connects")
BATCH_ROWS = 16_384
HOUR = 3600
_PROCESS = (
    "pid", "ppid", "name", "exe", "script", "cmdline", "uid", "user", "login_uid", "tty", "started", "kernel_thread",
)  # fmt: skip
_SOCKET = ("pid", "protocol", "local_address", "local_port", "remote_address", "remote_port", "state", "namespace")


@dataclass(frozen=True, slots=True)
class Sighting:
    """A process: what it is (`program`: its script, or else its program file), and the values of each kind of trait."""

    pid: int
    name: str
    program: str
    by_login: bool  # somebody is logged in behind it, or it has a terminal
    traits: Mapping[str, frozenset[str]]
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """All that was seen at one time (one scan, or one hour of watching)."""

    id: str
    processes: tuple[Sighting, ...]


def looks_of(run: str, tables: Mapping[str, Sequence[Path]], *, watched: bool = False) -> Iterator[Look]:
    """Yield the looks that a run's Parquet files hold: one, or one for each hour of a run that `watched` a host."""
    processes = list(_rows(tables.get("processes", ()), (*_PROCESS, "row")))
    sockets = list(_rows(tables.get("sockets", ()), _SOCKET))
    groups: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for process in processes:
        groups[int(process["started"] or 0) // HOUR if watched else 0].append(process)
    everything = sightings(processes, sockets)
    by_row = {one.row: one for one in everything}
    for hour, members in sorted(groups.items()):
        seen = tuple(by_row[m["row"]] for m in members if m["row"] in by_row)
        yield Look(f"{run}/{hour}" if watched else run, seen)


def sightings(processes: Sequence[Mapping[str, Any]], sockets: Iterable[Mapping[str, Any]]) -> list[Sighting]:
    """Turn rows of `processes` and `sockets` into sightings, in the processes' order; kernel threads are none."""
    parents = _by_pid(processes)
    network = _network(sockets)
    found = []
    for row in processes:
        program = _program(row)
        if program is None or row["kernel_thread"]:
            continue
        listens, connects = network.get(row["pid"], (frozenset[str](), frozenset[str]()))
        found.append(
            Sighting(
                pid=row["pid"], name=row["name"], program=program, row=row.get("row"),
                by_login=row["login_uid"] is not None or row["tty"] is not None,
                traits={
                    "parent": frozenset({_parent(row, parents)}),
                    "user": frozenset({row["user"] or str(row["uid"])}),
                    "arguments": frozenset({shape_of(row["cmdline"] or [])}),
                    "listens": listens, "connects": connects,
                },
            )
        )  # fmt: skip
    return found


def _by_pid(processes: Sequence[Mapping[str, Any]]) -> dict[int, list[Mapping[str, Any]]]:
    found: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for row in processes:
        found[row["pid"]].append(row)
    return found


def _parent(row: Mapping[str, Any], parents: Mapping[int, Sequence[Mapping[str, Any]]]) -> str:
    """Return what started a process: the youngest process of that number that is not younger than it."""
    before = [p for p in parents.get(row["ppid"], ()) if (p["started"] or 0) <= (row["started"] or 0)]
    if not before:
        return "-"
    parent = max(before, key=lambda p: p["started"] or 0)
    return _program(parent) or str(parent["name"])


def _program(row: Mapping[str, Any]) -> str | None:
    """Return the script, or the program of one that came in by a descriptor and has no name."""
    script = row["script"]
    named = script is not None and not script.startswith(("/dev/", "/proc/"))
    program: str | None = script if named else row["exe"]
    return program


def _network(sockets: Iterable[Mapping[str, Any]]) -> dict[int, tuple[frozenset[str], frozenset[str]]]:
    """Return, by process, where it listens and whom it called; who called it is its clients' business."""
    rows = [row for row in sockets if row["pid"] is not None and row["protocol"].startswith(("tcp", "udp"))]
    open_ports = {
        (row["namespace"], row["protocol"].removesuffix("6"), row["local_port"])
        for row in rows
        if row["state"] == "listen"
    }
    listens: dict[int, set[str]] = defaultdict(set)
    connects: dict[int, set[str]] = defaultdict(set)
    for row in rows:
        port = (row["namespace"], row["protocol"].removesuffix("6"), row["local_port"])
        if row["state"] == "listen":
            listens[row["pid"]].add(listening_shape(row["protocol"], row["local_address"], row["local_port"]))
        elif row["remote_port"] and port not in open_ports and not is_loopback(row["remote_address"]):
            connects[row["pid"]].add(peer_shape(row["protocol"], row["remote_address"] or "", row["remote_port"]))
    return {pid: (frozenset(listens[pid]), frozenset(connects[pid])) for pid in listens.keys() | connects.keys()}


def _rows(files: Sequence[Path], names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the wanted columns of Parquet files; a column that older evidence lacks is null."""
    import pyarrow.parquet as pq

    for file in files:
        parquet = pq.ParquetFile(file)
        there = [name for name in names if name in parquet.schema_arrow.names]
        for batch in parquet.iter_batches(BATCH_ROWS, columns=there):
            for row in batch.to_pylist():
                yield {name: row.get(name) for name in names}

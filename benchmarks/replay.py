"""False alarms: ordinary work under the watcher, and how many findings of which severity it gives.

    python -m benchmarks replay [--minutes 5] [--share 0.2] [--pace 1]

Packages built here and upgraded by dpkg and apt, real packages, log rotation, compilers, editors, cron, git, Python
environments, back-ups, units, PostgreSQL, nginx and sshd with clients, each by the program itself. All happens in a
root of its own: this machine's files below, memory above (overlayfs), so nothing done stays. The watcher runs in there
and watches /etc /usr /var /home /srv /tmp. What is not installed is skipped and named (`sh tools/make_work_tools.sh`
installs it). The bar is an hour of it (`--minutes 60`) without a finding at `high` or above.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks._measure import ROOT, note
from benchmarks._work import desk, packages
from benchmarks._work.family import Family
from benchmarks._work.job import HOME, USER, Job, owned, run
from benchmarks._work.root import again_inside, enter, environment, is_inside, program
from benchmarks._work.services import Services, until

SERIOUS = ("high", "critical")
SCOPES = ("/etc", "/usr", "/var", "/home", "/srv", "/tmp")
_TICKS = os.sysconf("SC_CLK_TCK")


def main(arguments: Sequence[str] = ()) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=5.0, help="how long the work goes on")
    parser.add_argument("--share", type=float, default=0.2, help="of one core, at most, work and watcher together")
    parser.add_argument("--pace", type=float, default=1.0, help="2: every job twice as often")
    parser.add_argument("--on", nargs="+", default=SCOPES, help="what is watched")
    parser.add_argument("--keep", type=Path, help="a folder that gets the watcher's output")
    options = parser.parse_args(arguments)
    if (
        os.geteuid() != 0
        or shutil.which("unshare") is None
        or shutil.which("pivot_root", path="/usr/sbin:/sbin") is None
    ):
        print("needs root, unshare and pivot_root: a root of its own, fanotify and the process connector")
        return 0
    if not is_inside():
        return again_inside("benchmarks.replay", arguments)
    keep = os.open(options.keep, os.O_PATH) if options.keep else None
    enter(ROOT)
    return _replay(options, keep)


def _replay(options: argparse.Namespace, keep: int | None) -> int:
    _prepare()
    family, services = Family(), Services()
    family.follow()
    try:
        jobs = [*services.jobs(), *packages.jobs(), *desk.jobs()]
        for job in jobs:
            if job.missing():
                print(f"skipped: {job.name}: not installed: {', '.join(job.missing())}")
        watch = _Watch(options.on)
        try:
            _work([job for job in jobs if not job.missing()], watch, options)
        finally:
            watch.stop()
    finally:
        services.stop()
        family.stop()
    if keep is not None:
        watch.copy_to(keep)
    return _report(jobs, watch, family, options)


def _prepare() -> None:
    """Make the user who works here, and folders."""
    run(["useradd", "--create-home", "--shell", "/bin/bash", USER])
    for folder in (HOME / "src", Path("/var/backups"), Path("/var/log/replay-shop")):
        folder.mkdir(parents=True, exist_ok=True)
    owned([HOME / "src"])


class _Watch:
    """The watcher, its output, and what it costs."""

    def __init__(self, scopes: Sequence[str]) -> None:
        folder = Path("/run/replay")
        folder.mkdir()
        self.out, self._err = folder / "out.jsonl", folder / "err"
        command = [*program(ROOT), "watch", *scopes, "--case", "/var/lib/hinomi", "--format", "jsonl"]
        with self.out.open("wb") as out, self._err.open("wb") as err:
            self._process = subprocess.Popen(command, stdout=out, stderr=err, env=environment(), cwd="/")
        until(lambda: self._is_ready(), "the watcher watches", 3600)
        self.cpu_of_learning = self.cpu()
        self.memory = 0.0

    def _is_ready(self) -> bool:
        if self._process.poll() is not None:
            raise SystemExit(self._err.read_text())
        return "Watching" in self._err.read_text()

    def cpu(self) -> float:
        """Return the CPU seconds of the watcher and all its processes."""
        return sum(_cpu_of(pid) for pid in (self._process.pid, *_below(self._process.pid)))

    def look(self) -> None:
        """Remember the most memory that its processes had for themselves (PSS, MiB)."""
        pids = (self._process.pid, *_below(self._process.pid))
        self.memory = max(self.memory, sum(map(_pss, pids)))

    def stop(self) -> None:
        """Let it finish what waits, then end it."""
        if self._process.poll() is None:
            time.sleep(10)
            self._process.send_signal(signal.SIGINT)
        self._process.wait(120)

    @property
    def said(self) -> str:
        """What it said beside its results."""
        return self._err.read_text()

    def lines(self) -> list[dict[str, Any]]:
        """Return what it told."""
        return [json.loads(line) for line in self.out.read_text().splitlines()]

    def copy_to(self, folder: int) -> None:
        """Copy its output into a folder outside."""
        for path in (self.out, self._err):
            target = os.open(path.name, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600, dir_fd=folder)
            with os.fdopen(target, "wb") as file:
                file.write(path.read_bytes())


def _work(jobs: Sequence[Job], watch: _Watch, options: argparse.Namespace) -> None:
    """Do what is due, one after the other, and rest as long as work and watcher are above their share."""
    begin, before = time.monotonic(), _spent(watch)
    for number, job in enumerate(jobs):
        job.due = begin + min(job.period / options.pace, 3.0 * number)
    while (now := time.monotonic()) < begin + 60 * options.minutes:
        job = min(jobs, key=lambda one: one.due)
        if job.due > now or _spent(watch) - before > options.share * (now - begin) + 15:
            time.sleep(0.5)
            continue
        job.run()
        job.due = time.monotonic() + job.period / options.pace
        watch.look()
    share = (_spent(watch) - before) / (time.monotonic() - begin)
    note(f"{share:.0%} of a core, of it the watcher {watch.cpu() - watch.cpu_of_learning:.0f} s of CPU time")


def _spent(watch: _Watch) -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime + watch.cpu()


def _below(pid: int) -> list[int]:
    """Return the living descendants of a process."""
    try:
        children = [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return [one for child in children for one in (child, *_below(child))]


def _cpu_of(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(value) for value in fields[11:15]) / _TICKS


def _pss(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def _report(jobs: Sequence[Job], watch: _Watch, family: Family, options: argparse.Namespace) -> int:
    """Print what was done and what the watcher said of it; 1 where that is a false alarm, or work was not done."""
    print(f"\n{options.minutes:g} minutes of ordinary work, load {os.getloadavg()[0]:.1f}")
    for job in jobs:
        if not job.missing():
            print(f"  {job.name}: {job.done} times{f', failed: {Counter(job.failed)}' if job.failed else ''}")
    lines = watch.lines()
    changes = [line for line in lines if "change" in line["schema"]]
    starts = sum("process-start" in line["schema"] for line in lines)
    unexplained = sum(not change["explained"] for change in changes)
    print(f"{len(changes)} changes, {unexplained} of them unexplained; {starts} program starts")
    print(f"gaps: {Counter(line['reason'] for line in lines if 'gap' in line['schema']) or 'none'}")
    print(f"watcher: at most {watch.memory:.0f} MiB of its own (PSS of all its processes)")
    serious = _findings(lines, family)
    return int(serious or any(job.failed for job in jobs))


def _findings(lines: Sequence[dict[str, Any]], family: Family) -> bool:
    """Print the findings by severity; those about processes of others on this machine are counted apart."""
    found = {line["id"]: line for line in lines if "finding" in line["schema"]}
    starts = [line for line in lines if "process-start" in line["schema"]]
    ours = [f for f in found.values() if f["subject"]["type"] != "process" or family.has(*_who(f, starts))]
    print(f"findings: {dict(Counter(f['severity'] for f in ours)) or 'none'} (about others: {len(found) - len(ours)})")
    for finding in ours:
        subject, title = finding["subject"]["key"], finding["title"]["en"]
        print(f"  {finding['severity']}: {finding['rule']['id']}: {title}: {subject} {_context(finding)}")
    return any(finding["severity"] in SERIOUS for finding in ours)


def _who(finding: dict[str, Any], starts: Sequence[dict[str, Any]]) -> tuple[int, float]:
    """Return the process that a finding is about and when it was so: its last start that was told by then."""
    pid, seen = int(finding["subject"]["key"]), datetime.fromisoformat(finding["first_seen"]).timestamp()
    return pid, max((s["started"] for s in starts if s["pid"] == pid and s["started"] <= seen), default=seen)


def _context(finding: dict[str, Any]) -> str:
    attributes = finding.get("attributes", {})
    tree = attributes.get("process_tree") or []
    return " < ".join(str(node.get("exe")) for node in reversed(tree[-4:]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

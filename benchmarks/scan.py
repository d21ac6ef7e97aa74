"""Times our walk, digests, YARA and collectors beside `aide --init` over the same tree, in paired runs.

The second scan is one of an unchanged tree with the content cache that the first scan of the same round began.

    python benchmarks/scan.py [--tree /usr] [--runs 3] [--jobs N] [--json FILE]

Every job is a process of its own; wall time and CPU time (user and system, with its workers') are the kernel's figures
for it, memory is the largest of its processes. The load of the machine is printed with the figures: on a busy machine
only CPU times can be compared. One unmeasured reading warms the page cache; then each round runs every job once, and
the medians are compared. Nothing is installed: a peer that is missing is skipped with a word.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

OURS = ("sha256", "sha256+yara", "sha256+collectors", "everything", "first scan", "second scan")
CACHED = ("first scan", "second scan")  # everything again, beginning a cache and then using it
BARS = {("sha256", "wall"): 1 / 5, ("sha256", "cpu"): 1 / 4}
SECOND_BAR = 1 / 15
AIDE_RULE = "p+i+n+u+g+s+m+c+sha256"


@dataclass(frozen=True)
class Figure:
    """What one run cost: seconds, seconds, MiB."""

    wall: float
    cpu: float
    memory: float


def main(arguments: Sequence[str] = ()) -> int:
    options = _options(arguments)
    if options.job:
        _run_job(options.job, options.tree, options.jobs, options.cache)
        return 0
    aide = shutil.which("aide")
    if aide is None:
        print("aide is not installed (Debian package `aide`): our own figures only", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="hinomi-bench-") as folder:
        cache = Path(folder) / "cache"
        commands = {job: _ours(job, options, cache) for job in OURS}
        if aide is not None:
            commands["aide --init"] = _aide(aide, options.tree, Path(folder))
        figures = _rounds(commands, options.runs, cache)
    medians = {job: _median(runs) for job, runs in figures.items()}
    _print(medians, options)
    if options.json:
        Path(options.json).write_text(
            json.dumps({job: asdict(figure) for job, figure in medians.items()}, indent=1) + "\n"
        )
    return 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tree", default="/usr")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=None)
    parser.add_argument("--json")
    parser.add_argument("--job", choices=OURS, help=argparse.SUPPRESS)
    parser.add_argument("--cache", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def _ours(job: str, options: argparse.Namespace, cache: Path) -> list[str]:
    command = [sys.executable, __file__, "--job", job, "--tree", options.tree]
    command += ["--cache", str(cache)] if job in CACHED else []
    return command + (["--jobs", str(options.jobs)] if options.jobs else [])


def _aide(aide: str, tree: str, folder: Path) -> list[str]:
    config = folder / "aide.conf"
    database = folder / "aide.db"
    config.write_text(
        f"database_in=file:{database}\ndatabase_out=file:{database}\ngzip_dbout=no\nreport_level=minimal\n"
        f"{tree} {AIDE_RULE}\n"
    )
    return [aide, "--init", "--config", str(config)]


def _run_job(job: str, tree: str, jobs: int | None, cache: Path | None) -> None:
    """Run one of our jobs in this process; rows are counted and dropped."""
    from hinomi.evidence.collect import collect
    from hinomi.evidence.sources.root import root_target
    from hinomi.model.findings import Coverage

    whole = job == "everything" or job in CACHED
    watchers = _yara() if whole or job == "sha256+yara" else []
    collectors = None if whole or job == "sha256+collectors" else ()
    target = root_target(tree)
    collect(target, _drop, Coverage(), watchers=watchers, collectors=collectors, jobs=jobs, cache=cache)


def _drop(row: object) -> None:
    """Rows are made and dropped."""


def _yara() -> list:
    from hinomi.detect.catalogue import load_rules
    from hinomi.detect.yara import content_collector

    return [content_collector(load_rules())]


def _rounds(commands: dict[str, list[str]], runs: int, cache: Path) -> dict[str, list[Figure]]:
    print("warming the page cache ...", file=sys.stderr)
    _measure(commands["sha256"])
    figures: dict[str, list[Figure]] = {job: [] for job in commands}
    for number in range(1, runs + 1):
        shutil.rmtree(cache, ignore_errors=True)
        for job, command in commands.items():
            figure = _measure(command)
            if figure is None:
                continue
            figures[job].append(figure)
            load = os.getloadavg()[0]
            text = f"run {number}: {job}: {figure.wall:.1f} s wall, {figure.cpu:.1f} s CPU, load {load:.1f}"
            print(text, file=sys.stderr)
    return {job: found for job, found in figures.items() if found}


def _measure(command: list[str]) -> Figure | None:
    """Run a command and return the kernel's figures for it; None, said, where it fails."""
    begin = time.monotonic()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            print(f"failed: {' '.join(command)}: {errors.read().decode('utf-8', 'replace')[-500:]}", file=sys.stderr)
            return None
    return Figure(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def _median(runs: list[Figure]) -> Figure:
    def of(value: Callable[[Figure], float]) -> float:
        return statistics.median(value(run) for run in runs)

    return Figure(of(lambda r: r.wall), of(lambda r: r.cpu), of(lambda r: r.memory))


def _print(medians: dict[str, Figure], options: argparse.Namespace) -> None:
    loads = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    print(f"tree {options.tree}, medians of {options.runs} paired runs, {os.cpu_count()} cores, load {loads}\n")
    print("| job | wall s | CPU s | peak MiB | wall / aide | CPU / aide | wall / sha256 |")
    print("|---|---|---|---|---|---|---|")
    aide, base = medians.get("aide --init"), medians.get("sha256")
    for job, figure in medians.items():
        ratios = [
            f"{figure.wall / aide.wall:.2f}" if aide else "-",
            f"{figure.cpu / aide.cpu:.2f}" if aide else "-",
            f"{figure.wall / base.wall:.2f}" if base else "-",
        ]
        print(f"| {job} | {figure.wall:.1f} | {figure.cpu:.1f} | {figure.memory:.0f} | {' | '.join(ratios)} |")
    for (job, measure), bar in BARS.items() if aide else ():
        if job in medians:
            ratio = getattr(medians[job], measure) / getattr(aide, measure)
            print(
                f"\n{job}, {measure}: {ratio:.2f} of aide's (bar {bar:.2f}): {'met' if ratio <= bar else 'not met'}",
                end="",
            )
    if all(job in medians for job in CACHED):
        for measure in ("wall", "cpu"):
            ratio = getattr(medians["second scan"], measure) / getattr(medians["first scan"], measure)
            verdict = "met" if ratio <= SECOND_BAR else "not met"
            print(f"\nsecond scan, {measure}: {ratio:.3f} of the first (bar {SECOND_BAR:.3f}): {verdict}", end="")
    print()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

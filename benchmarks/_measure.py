"""What the benchmarks share: run commands as processes of their own, in rounds, and compare the medians.

Wall and CPU time (user and system, with all their processes) are the kernel's figures, memory is the largest single
process. The load of the machine is printed with every figure: on a busy machine only CPU times can be compared.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
Command = Sequence[str] | Callable[[], Sequence[str]]


@dataclass(frozen=True)
class Figure:
    """What one run cost: seconds, seconds, MiB."""

    wall: float
    cpu: float
    memory: float

    def __add__(self, other: Figure) -> Figure:
        """Two jobs one after the other."""
        return Figure(self.wall + other.wall, self.cpu + other.cpu, max(self.memory, other.memory))


@dataclass(frozen=True)
class Bar:
    """A figure over another one must not exceed `limit`, in every measure named."""

    text: str
    job: str
    beside: str
    limit: float
    measures: tuple[str, ...] = ("wall", "cpu")


def note(text: str) -> None:
    """Say how far we are, beside the results."""
    print(text, file=sys.stderr, flush=True)


def hinomi(*arguments: str) -> list[str]:
    """Return the command line of this checkout's own program."""
    return [sys.executable, "-c", "from hinomi.cli.main import main; main()", *arguments]


def measure(command: Sequence[str], fine: Sequence[int] = (0,)) -> Figure | None:
    """Run a command; None, said, where it ends with none of the codes in `fine`."""
    begin = time.monotonic()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors, env=as_installed())
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in fine:
            errors.seek(0)
            note(f"failed: {' '.join(command)}: {errors.read().decode('utf-8', 'replace')[-500:]}")
            return None
    return Figure(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def as_installed() -> dict[str, str]:
    """Return the environment with byte code kept, as an installed program has it: not compiled at every start."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def rounds(
    commands: Mapping[str, Command], runs: int, *, before: Callable[[], None] = lambda: None, fine: Sequence[int] = (0,)
) -> dict[str, Figure]:
    """Run every command once a round, after `before`; return the medians of those that ran."""
    figures: dict[str, list[Figure]] = {job: [] for job in commands}
    for number in range(1, runs + 1):
        before()
        for job, command in commands.items():
            figure = measure(command() if callable(command) else command, fine)
            if figure is not None:
                figures[job].append(figure)
                load = os.getloadavg()[0]
                note(f"run {number}: {job}: {figure.wall:.2f} s wall, {figure.cpu:.2f} s CPU, load {load:.1f}")
    return {job: median(found) for job, found in figures.items() if found}


def median(runs: Sequence[Figure]) -> Figure:
    """Return the median of each measure."""
    return Figure(*(statistics.median(getattr(r, name) for r in runs) for name in ("wall", "cpu", "memory")))


def table(medians: Mapping[str, Figure], title: str) -> None:
    """Print the figures."""
    loads = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    print(f"{title}, {os.cpu_count()} cores, load {loads}\n")
    print("| job | wall s | CPU s | peak MiB |\n|---|---|---|---|")
    for job, figure in medians.items():
        print(f"| {job} | {figure.wall:.2f} | {figure.cpu:.2f} | {figure.memory:.0f} |")
    print()


def judge(medians: Mapping[str, Figure], bars: Sequence[Bar]) -> bool:
    """Print every bar whose two jobs ran, with its ratios; return whether all were met."""
    met = True
    for bar in bars:
        if bar.job not in medians or bar.beside not in medians:
            print(f"{bar.text}: not measured")
            continue
        for name in bar.measures:
            ratio = getattr(medians[bar.job], name) / getattr(medians[bar.beside], name)
            met &= verdict(f"{bar.text}, {name}", ratio, bar.limit)
    return met


def verdict(text: str, value: float, limit: float, unit: str = " x") -> bool:
    """Print one figure beside its bar; return whether it is met."""
    print(f"{text}: {value:.3g}{unit} (bar {limit:.3g}): {'met' if value <= limit else 'not met'}", flush=True)
    return value <= limit

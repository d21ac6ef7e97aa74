"""A spool becomes evidence in a program of its own (`python -m hinomi.flow.watching.sealing`, never by hand): the
writer's memory and libraries are none of the watcher's.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from hinomi.flow.watching.apart import ApartError
from hinomi.flow.watching.programs import environment, program
from hinomi.store.evidence import EvidenceWriter
from hinomi.watch.live.syscalls import end_with, give_back
from hinomi.watch.spool import read_rows

SECONDS = 600.0
ROWS = 2_048  # written at once
TRIM_AFTER = 4_096  # rows, after which memory is given back


def seal(evidence: Path, host: str, run: str, spool: Path) -> int:
    """Write a spool as evidence of a run; return the number of rows. `OSError` as the writer had it (a full disk)."""
    words = program("sealing", str(os.getpid()), str(evidence), host, run, str(spool))
    try:
        done = subprocess.run(words, env=environment(), stdout=subprocess.PIPE, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise ApartError("took too long") from error
    word, _, number = done.stdout.decode("ascii", "replace").strip().partition(" ")
    if word == "errno":
        raise OSError(int(number), os.strerror(int(number)))
    if word != "rows":
        raise ApartError(f"ended with status {done.returncode}")
    return int(number)


def written(evidence: Path, host: str, run: str, spool: Path) -> int:
    """Write the rows; return how many."""
    import pyarrow as pa

    pa.set_memory_pool(pa.system_memory_pool())  # of which all is given back
    writer = EvidenceWriter(evidence, host, run, rows=ROWS)
    for number, row in enumerate(read_rows(spool)):
        writer.add(row)
        if number % TRIM_AFTER == 0:
            give_back()
    return sum(writer.close().values())


def main(parent: str, evidence: str, host: str, run: str, spool: str) -> None:
    """Say the number of rows, or the error of the system."""
    end_with(int(parent))
    try:
        said = f"rows {written(Path(evidence), host, run, Path(spool))}"
    except OSError as error:
        if error.errno is None:
            raise
        said = f"errno {error.errno}"
    os.write(sys.stdout.fileno(), said.encode("ascii"))


if __name__ == "__main__":
    main(*sys.argv[1:])

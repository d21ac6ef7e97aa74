"""Many small files: does the time for each grow with their number, and does memory?

    python -m benchmarks many [--files 2000000] [--few 200000] [--runs 1] [--folder DIR]

Both trees are scanned by the whole program, without a cache. A tree of two million files needs about 9 GB and two
million inodes on the file system of `--folder`.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks._measure import hinomi, note, rounds, table, verdict
from benchmarks.images import LOOKED

PER_FOLDER = 1000
GROWTH_BAR, MEMORY_BAR = 1.10, 400


def main(arguments: Sequence[str] = ()) -> int:
    """Build, measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks many", description=__doc__)
    parser.add_argument("--files", type=int, default=2_000_000)
    parser.add_argument("--few", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where the trees are made (default: temporary)")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="hinomi-bench-", dir=options.folder) as made:
        folder = Path(made)
        case = folder / "case"
        commands = {}
        for number in (options.few, options.files):
            note(f"making {number:,} files ...")
            build(folder / str(number), number)
            tree = str(folder / str(number))
            commands[f"{number:,} files"] = hinomi("scan", tree, "--case", str(case), "--no-cache", "-q")
        medians = rounds(commands, options.runs, before=lambda: shutil.rmtree(case, ignore_errors=True), fine=LOOKED)
    table(medians, f"small files, medians of {options.runs} paired runs")
    good = len(medians) == 2
    if good:
        few, many = medians.values()
        for name in ("wall", "cpu"):
            each = getattr(many, name) / options.files, getattr(few, name) / options.few
            good &= verdict(f"time per file, many / few, {name}", each[0] / each[1], GROWTH_BAR)
        good &= verdict("peak memory of the largest process", many.memory, MEMORY_BAR, " MiB")
    return 0 if good else 1


def build(folder: Path, number: int) -> None:
    """Write `number` small text files, a thousand to a folder, no two alike."""
    for start in range(0, number, PER_FOLDER):
        place = folder / f"d{start // PER_FOLDER // 100}" / f"e{start // PER_FOLDER}"
        place.mkdir(parents=True)
        for index in range(start, min(start + PER_FOLDER, number)):
            with open(f"{place}/f{index}.txt", "w") as file:
                file.write(f"file {index}\n" * (index % 9 + 1))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

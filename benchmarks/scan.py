"""Our walk, digests, patterns and collectors beside `aide`, `yara` and `sha256sum` over the same tree, in paired runs.

    python -m benchmarks scan [--tree /usr] [--of /] [--runs 3] [--jobs N] [--only WORD]

One unmeasured reading warms the page cache; then each round runs every job once, and the medians are compared. The
second scan is one of an unchanged tree with the content cache that the first scan of the same round began. Jobs with
collectors see the tree as a part of this host (`--of /`), so that they verify what its packages own, with their
manifests' digests too; `--of ''` takes the tree for a root of its own, where nothing is known of packages. Nothing is
installed: a peer that is missing is skipped with a word.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks._job import WHOLE, yara_rules
from benchmarks._measure import Bar, judge, measure, note, rounds, table

JOB = str(Path(__file__).with_name("_job.py"))
OURS = ("sha256", "sha256+yara-500", "sha256+collectors", "everything")
FIRST, SECOND = "first scan", "second scan"  # everything again, beginning a cache and then using it
PEERS = "yara -r and sha256sum"
AIDE_RULE = "p+i+n+u+g+s+m+c+sha256"
BARS = (
    Bar("walk, attributes and SHA-256 / aide --init", "sha256", "aide --init", 1 / 5, ("wall",)),
    Bar("walk, attributes and SHA-256 / aide --init", "sha256", "aide --init", 1 / 4, ("cpu",)),
    Bar("the same and 500 YARA rules / yara -r and sha256sum", "sha256+yara-500", PEERS, 1 / 2),
    Bar("the same and all collectors / SHA-256", "sha256+collectors", "sha256", 2),
    Bar("the same, all collectors and our YARA rules / SHA-256", "everything", "sha256", 2),
    Bar("second scan / first scan", SECOND, FIRST, 1 / 15),
)


def main(arguments: Sequence[str] = ()) -> int:
    """Measure and print."""
    options = _options(arguments)
    with tempfile.TemporaryDirectory(prefix="hinomi-bench-") as made:
        folder = Path(made)
        commands = {name: c for name, c in _commands(options, folder).items() if options.only in name}
        note("warming the page cache ...")
        measure(_ours("sha256", options))
        medians = rounds(commands, options.runs, before=lambda: shutil.rmtree(folder / "cache", ignore_errors=True))
    if {"yara -r", "sha256sum"} <= medians.keys():
        medians[PEERS] = medians["yara -r"] + medians["sha256sum"]
    table(medians, f"tree {options.tree}, medians of {options.runs} paired runs")
    return 0 if judge(medians, BARS) else 1


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks scan", description=__doc__)
    parser.add_argument("--tree", default="/usr")
    parser.add_argument("--of", default="/", help="the root file system that the tree is a part of")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--only", default="", help="run the jobs with this word in their names")
    return parser.parse_args(arguments)


def _commands(options: argparse.Namespace, folder: Path) -> dict[str, list[str]]:
    commands = {job: _ours(job, options) for job in OURS}
    cached = [*_ours("cached", options), "--cache", str(folder / "cache")]
    return commands | {FIRST: cached, SECOND: cached} | _peers(options.tree, folder)


def _ours(job: str, options: argparse.Namespace) -> list[str]:
    command = [sys.executable, JOB, job, options.tree, *(["--jobs", str(options.jobs)] if options.jobs else [])]
    return [*command, "--of", options.of] if job in WHOLE else command


def _peers(tree: str, folder: Path) -> dict[str, list[str]]:
    config, database, rules = folder / "aide.conf", folder / "aide.db", folder / "rules.yar"
    config.write_text(
        f"database_in=file:{database}\ndatabase_out=file:{database}\ngzip_dbout=no\nreport_level=minimal\n"
        f"{tree} {AIDE_RULE}\n"
    )
    rules.write_text("\n".join(yara_rules().values()))
    every_file = f"find '{tree}' -xdev -type f -print0 | xargs -0 sha256sum"
    peers = {
        "aide --init": ["aide", "--init", "--config", str(config)],
        "yara -r": ["yara", "-r", "-N", "-w", str(rules), tree],
        "sha256sum": ["sh", "-c", every_file],
    }
    for name, command in tuple(peers.items()):
        if shutil.which(command[0]) is None:
            note(f"{command[0]} is not installed (a Debian package of that name): left out")
            del peers[name]
    return peers


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`hinomi baseline create`, `verify` and `verify --quick` beside `aide --init` and `aide --check`, in paired runs.

    python -m benchmarks baseline [--tree /usr] [--runs 3]

Both keep SHA-256, type, mode, owner, size, inode, links, times, link targets, ACLs, extended attributes, SELinux
labels, capabilities and inode flags of every entry. Ours are whole commands in new processes: start,
signature and sealing included. Nothing is installed: without `aide` its rows are missing.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks._measure import Bar, hinomi, judge, measure, note, rounds, table

CREATE, VERIFY, QUICK = "baseline create", "baseline verify", "baseline verify --quick"
AIDE_RULE = "ftype+p+i+n+u+g+s+m+c+l+acl+xattrs+selinux+e2fsattrs+caps+sha256"
BARS = (
    Bar("create / aide --init", CREATE, "aide --init", 1 / 4),
    Bar("verify / aide --check", VERIFY, "aide --check", 1 / 4),
    Bar("verify --quick / aide --check", QUICK, "aide --check", 1 / 20),
)


def main(arguments: Sequence[str] = ()) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks baseline", description=__doc__)
    parser.add_argument("--tree", default="/usr")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="hinomi-bench-") as made:
        folder = Path(made)
        commands = {**_ours(options.tree, folder), **_peers(options.tree, folder)}
        note("warming the page cache ...")
        measure(commands[CREATE])
        medians = rounds(commands, options.runs, fine=range(8))
    table(medians, f"tree {options.tree}, medians of {options.runs} paired runs")
    return 0 if judge(medians, BARS) else 1


def _ours(tree: str, folder: Path) -> dict[str, list[str]]:
    key = folder / "key.pem"
    measure(hinomi("baseline", "key", "--no-passphrase", str(key)))
    last = ["--case", str(folder / "case"), "-q"]
    return {
        CREATE: hinomi("baseline", "create", tree, "--key", str(key), *last),
        VERIFY: hinomi("baseline", "verify", tree, *last),
        QUICK: hinomi("baseline", "verify", tree, "--quick", *last),
    }


def _peers(tree: str, folder: Path) -> dict[str, list[str]]:
    if shutil.which("aide") is None:
        return {}
    config, database = folder / "aide.conf", folder / "aide.db"
    config.write_text(
        f"database_in=file:{database}\ndatabase_out=file:{database}\ngzip_dbout=no\nreport_level=minimal\n"
        f"{tree} {AIDE_RULE}\n"
    )
    return {f"aide --{word}": ["aide", f"--{word}", "--config", str(config)] for word in ("init", "check")}

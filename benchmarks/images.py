"""A scan of one tree on disk, and of the same tree as ext4 image, tar and squashfs, each by the whole program.

    python -m benchmarks images [--source /usr] [--megabytes 2000] [--runs 3] [--folder DIR]

The tree is a copy of part of `--source` of about that size. Images are made by mkfs.ext4, tar and mksquashfs; where a
tool is missing its image is left out with a word.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks._measure import Bar, hinomi, judge, note, rounds, table

BARS = (
    Bar("ext4 image / on disk", "ext4", "on disk", 2),
    Bar("tar / on disk", "tar", "on disk", 2),
    Bar("squashfs / on disk", "squashfs", "on disk", 4),
)
LOOKED = (0, 1, 2, 3)  # exit codes of a scan that came to its end: findings, incomplete coverage


def main(arguments: Sequence[str] = ()) -> int:
    """Build, measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks images", description=__doc__)
    parser.add_argument("--source", type=Path, default=Path("/usr"))
    parser.add_argument("--megabytes", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where the tree and its images are made (default: temporary)")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="hinomi-bench-", dir=options.folder) as made:
        folder = Path(made)
        size = copy_tree(options.source, folder / "tree", options.megabytes << 20)
        targets = {"on disk": folder / "tree"} | build_images(folder / "tree", folder, size)
        case = folder / "case"
        commands = {
            name: hinomi("scan", str(target), "--case", str(case), "--no-cache", "-q")
            for name, target in targets.items()
        }
        medians = rounds(commands, options.runs, before=lambda: shutil.rmtree(case, ignore_errors=True), fine=LOOKED)
    table(medians, f"{size >> 20} MiB of {options.source}, medians of {options.runs} paired runs")
    return 0 if judge(medians, BARS) else 1


def copy_tree(source: Path, target: Path, limit: int) -> int:
    """Copy regular files and links of `source` in order until `limit` bytes; return how many there were."""
    size = 0
    for folder, folders, files in os.walk(source):
        folders.sort()
        place = target / Path(folder).relative_to(source)
        place.mkdir(parents=True, exist_ok=True)
        for name in sorted(files):
            path = Path(folder, name)
            if not path.is_symlink() and not path.is_file():
                continue
            shutil.copy2(path, place / name, follow_symlinks=False)
            size += path.lstat().st_size
            if size >= limit:
                return size
    return size


def build_images(tree: Path, folder: Path, size: int) -> dict[str, Path]:
    """Return the images that the tools at hand can make."""
    makers: dict[str, Callable[[Path], list[str]]] = {
        "ext4": lambda out: ["mkfs.ext4", "-q", "-d", str(tree), str(out), f"{(size >> 20) * 5 // 4 + 200}M"],
        "tar": lambda out: ["tar", "-cf", str(out), "-C", str(tree), "."],
        "squashfs": lambda out: ["mksquashfs", str(tree), str(out), "-quiet", "-no-progress"],
    }
    made = {}
    for kind, command in makers.items():
        out = folder / f"image.{kind}"
        note(f"making {out.name} ...")
        tool = command(out)[0]
        if shutil.which(tool, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is None:
            note(f"{tool} is not installed: left out")
            continue
        environment = os.environ | {"PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}
        subprocess.run(command(out), check=True, stdout=subprocess.DEVNULL, env=environment)
        made[kind] = out
    return made


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

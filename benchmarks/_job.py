"""One of our own jobs, run as a process by the benchmarks: `_job.py JOB TREE`. Rows are made, counted and dropped.

With `--of /` the tree is examined as the part of a root file system that it is: with the packages that own its files.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from glob import escape
from pathlib import Path

WATCHED = {"sha256+yara", "sha256+yara-500", "everything", "cached"}
WHOLE = {"sha256+collectors", "everything", "cached"}  # with every collector there is
JOBS = ("sha256", "sha256+yara", "sha256+yara-500", "sha256+collectors", "everything", "cached", "libraries")


def main() -> None:
    from hinomi.evidence.collect import collect
    from hinomi.evidence.options import Selection
    from hinomi.evidence.sources.root import root_target
    from hinomi.model.findings import Coverage

    options = _options()
    found: list[tuple[str, str]] = []

    def sink(row: object) -> None:
        if options.job == "libraries" and getattr(row, "state", "present") != "present":
            found.append((row.container, row.state))  # type: ignore[attr-defined]

    coverage = Coverage()
    selection = Selection(exclude=_beside(options.tree, options.of)) if options.of else None
    collect(
        root_target(options.of or options.tree, selection=selection), sink, coverage, watchers=_watchers(options.job),
        collectors=_collectors(options.job), jobs=options.jobs, cache=options.cache,
    )  # fmt: skip
    if options.out:
        options.out.write_text(json.dumps({"found": found, "missed": dict(coverage.missed)}))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("job", choices=JOBS)
    parser.add_argument("tree")
    parser.add_argument("--of", default="", help="the root file system that the tree is a part of")
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--out", type=Path, help="file for what `libraries` found")
    return parser.parse_args()


def _beside(tree: str, root: str) -> list[str]:
    """Return patterns of all folders that lie beside the way from a root to a tree."""
    found, at = [], Path(tree).resolve()
    while root and at != Path(root).resolve() and at != at.parent:
        found += [escape(str(other)) for other in at.parent.iterdir() if other.is_dir() and other != at]
        at = at.parent
    return found


def _collectors(job: str):
    if job == "libraries":
        from hinomi.evidence.collectors.libraries import Libraries

        return [Libraries()]
    return None if job in WHOLE else ()


def _watchers(job: str) -> list:
    if job not in WATCHED:
        return []
    from hinomi.detect.catalogue import load_rules
    from hinomi.detect.yara import ContentScanner, content_collector

    if job == "sha256+yara-500":
        return [ContentScanner([_Rule(name, body) for name, body in yara_rules().items()])]
    return [content_collector(load_rules())]


class _Rule:
    """As much of a rule as the scanner asks for."""

    def __init__(self, name: str, body: str) -> None:
        self.id, self.body = name, body


def yara_rules(number: int = 500) -> dict[str, str]:
    """Return rules as people write them: some words, a wide string, bytes with jumps, a size or a header."""
    chance, rules = random.Random(500), {}
    for index in range(number):
        words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz_./", k=chance.randint(8, 20))) for _ in range(4)]
        code = " ".join(f"{chance.randrange(256):02x}" for _ in range(10))
        stem = words[3][:6].replace(".", "x").replace("/", "y")
        rules[f"bench_{index}"] = (
            f'rule bench_{index} {{ strings: $a = "{words[0]}" $b = "{words[1]}" nocase\n'
            f'$c = "{words[2]}" wide ascii $d = {{ {code} [2-4] {code[:14]} }} $e = /{stem}[0-9]{{2,6}}=/\n'
            "condition: filesize < 50MB and (2 of ($a, $b, $c) or ($d and $e)) }"
        )
    return rules


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1] / "src"))
    main()

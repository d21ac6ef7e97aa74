"""`python -m benchmarks [NAME]... [OPTION]...`: run every benchmark, or those named, with their options."""

from __future__ import annotations

import sys
from importlib import import_module
from itertools import takewhile
from pathlib import Path


def main(arguments: list[str]) -> int:
    """Run the benchmarks; each module has a `main(arguments)` that prints its own table. 1 where one falls short."""
    known = sorted(p.stem for p in Path(__file__).parent.glob("*.py") if not p.stem.startswith("_"))
    names = list(takewhile(lambda argument: not argument.startswith("-"), arguments))
    short = 0
    for name in names or known:
        print(f"\n## {name}\n", flush=True)
        short += bool(import_module(f"benchmarks.{name}").main(arguments[len(names) :]))
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

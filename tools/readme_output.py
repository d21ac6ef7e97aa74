"""Puts real output into the two READMEs: `python tools/readme_output.py`, between the marks `<!-- output -->`.

The tests run the same command and fail where a line shown is no longer printed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from hinomi.examples.replica import build_replica

ROOT = Path(__file__).resolve().parent.parent
REPORTS = ROOT / "src" / "hinomi" / "examples" / "reports"
READMES = {"en": ROOT / "README.md", "ja": ROOT / "README.ja.md"}
MARKS = re.compile(r"(<!-- output -->\n).*?(<!-- end of output -->)", re.S)
ACTIONS = {"en": "What do we do now?", "ja": "今何をすべきか?"}


def output(language: str) -> list[str]:
    """Return the lines that the main job prints on the bundled replica."""
    with tempfile.TemporaryDirectory() as folder:
        build_replica(Path(folder) / "appliance")
        arguments = ["check", str(REPORTS / f"{language}.txt"), "--on", "appliance", "--case", "case", "-q"]
        ran = subprocess.run(
            [sys.executable, "-c", "from hinomi.cli.main import main; main()", *arguments, "--lang", language],
            capture_output=True,
            text=True,
            cwd=folder,
            env={**os.environ, "COLUMNS": "100", "HINOMI_LANG": language},
            check=False,
        )
    return [line.rstrip() for line in ran.stdout.splitlines()]


def excerpt(language: str) -> str:
    """Return the beginning of the verdict and of the steps to take as one code block."""
    lines = output(language)
    findings = next(n for n, line in enumerate(lines) if re.match(r"(Findings|検出結果) \(", line))
    steps = lines.index(ACTIONS[language])
    shown = [*lines[: findings + 5], "      …", "", *lines[steps : steps + 8], "  …"]
    command = f"$ hinomi check {language}.txt --on appliance"
    return "```\n" + "\n".join([command, *shown]) + "\n```\n"


def main() -> None:
    """Write both READMEs."""
    for language, path in READMES.items():
        block = excerpt(language)
        text = MARKS.sub(lambda m, block=block: m[1] + block + m[2], path.read_text("utf-8"))
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()

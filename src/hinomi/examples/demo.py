"""`python -m hinomi.examples.demo FOLDER`: the main job on the bundled reports, as a newcomer would run it.

Builds the inert replica of a compromised appliance, checks both reports against it and against this live host, and
writes the digest. Everything stays inside FOLDER; the live host is only read.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from hinomi.examples.replica import build_replica

REPORTS = Path(__file__).with_name("reports")
FINE = (0, 1, 3)  # no finding, findings, an incomplete look: each is an answer


def main(folder: Path) -> int:
    """Run the demo; returns 0 where every command gave an answer."""
    shutil.rmtree(folder, ignore_errors=True)
    replica, case, digest = folder / "appliance", folder / "case", folder / "digest.html"
    folder.mkdir(parents=True)
    build_replica(replica)
    reports = [os.path.relpath(path) for path in sorted(REPORTS.iterdir()) if path.suffix in (".txt", ".html")]
    runs = [
        ["check", *reports, "--on", str(replica), "--case", str(case)],
        # the replica lies on this host too, and would be found there
        ["check", *reports, "--on", "/", "--exclude", str(replica.absolute()), "--case", str(case)],
        ["brief", *reports, "--case", str(case), "--lang", "ja", "--format", "html", "-o", str(digest)],
    ]
    return max(_run(arguments) for arguments in runs)


def _run(arguments: list[str]) -> int:
    sys.stderr.write(f"\n$ hinomi {' '.join(arguments)}\n")
    sys.stderr.flush()
    command = [sys.executable, "-c", "from hinomi.cli.main import main; main()", *arguments]
    code = subprocess.run(command, check=False).returncode
    sys.stderr.write(f"(exit code {code})\n")
    return 0 if code in FINE else code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo")))

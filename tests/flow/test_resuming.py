"""A scan that was killed: the next one of the same target says so and reads little again."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from pathlib import Path

from hinomi.flow.earlier import earlier_looks, last_interrupted
from hinomi.store.case import Case

FILES = 600
SCAN = textwrap.dedent("""
    import sys, time
    from hinomi.evidence import cache, examiner
    cache.SETTLED_SECONDS = cache.COMMIT_SECONDS = 0.0  # the test's files are new
    delay, read = float(sys.argv.pop(1)), examiner.Examiner.read
    examiner.Examiner.read = lambda *arguments: (time.sleep(delay), read(*arguments))[1]
    from hinomi.cli.main import main
    sys.argv[0] = "hinomi"
    main()
""")


def start(tree: Path, case: Path, delay: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SCAN, str(delay), "scan", str(tree), "--case", str(case), "--jobs", "2"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def kept(case: Path) -> int:
    """Return how many answers the cache holds."""
    try:
        with sqlite3.connect(f"file:{case}/cache/content.db?mode=ro", uri=True) as database:
            count: int = database.execute("SELECT count(*) FROM readings").fetchone()[0]
            return count
    except sqlite3.Error:
        return 0


def test_a_killed_scan_is_resumed(tmp_path: Path) -> None:
    tree, case = tmp_path / "tree", tmp_path / "case"
    for number in range(FILES):
        (tree / f"d{number % 20:02}").mkdir(parents=True, exist_ok=True)
        (tree / f"d{number % 20:02}" / f"f{number}").write_text(f"text {number}\n" * 20)
    with start(tree, case, 0.01) as killed:
        while kept(case) < FILES // 3:
            assert killed.poll() is None, killed.communicate()
            time.sleep(0.02)
        killed.send_signal(signal.SIGKILL)
        killed.communicate()
    saved = kept(case)
    with Case.open(case) as opened:
        cut = last_interrupted(opened, str(tree))
        assert cut is not None
        assert earlier_looks(opened, [str(tree)]).interrupted == (cut,)
        assert earlier_looks(opened, [str(tree)], use_cache=False).interrupted == ()
    with start(tree, case, 0.0) as again:
        _, said = again.communicate()
    assert "Resuming" in said and str(tree) in said and again.returncode == 0
    with Case.open(case) as opened:
        (whole,) = opened.runs()
        assert whole.coverage is not None
        examined = whole.coverage["examined"]
        assert examined["files"] == FILES and examined["files-from-cache"] == saved >= FILES // 3
        events = [entry for entry in opened.journal.entries() if entry.event == "run-resumes"]
        assert [json.loads(e.body) for e in events] == [{"run": whole.id, "of": cut.id}]
        assert last_interrupted(opened, str(tree)) is None
        assert earlier_looks(opened, [str(tree)]).files == FILES

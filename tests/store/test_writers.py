"""Several processes write to one state at once: nothing is lost, nothing stands twice, and the chain holds."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import hinomi
from hinomi.store.feeds import FeedStore

OpenCase = Any
WRITERS, EACH = 3, 12
WRITER = textwrap.dedent("""
    import sys
    from pathlib import Path
    from hinomi.model.claims import Claim, Report
    from hinomi.model.findings import Finding
    from hinomi.model.text import Bilingual
    from hinomi.store.case import Case, CasePlace
    from hinomi.store.feeds import FeedStore, Story

    folder, state, me, each = sys.argv[1], sys.argv[2] or None, sys.argv[3], int(sys.argv[4])
    words = Bilingual("x", "x")
    claim = Claim("c1", "domain", "kawara.example", "kawara.example", (0, 14))
    with Case.open(CasePlace(Path(folder), state)) as case:  # all of them find a state that is not made yet
        feeds = FeedStore(case.engine, case.clock)
        for number in range(each):
            case.journal.append("tested", writer=me, number=number)
            case.library.add(Report("r1", "a", "a", "en", None, "kawara.example", (), (claim,)))
            case.findings.keep([Finding("f", "r", "sql", words, words, "low", 1, "/", "file", "/a")], me, "2026")
            case.library.allowed.add("domain", "a.example", who=me, why=str(number))
            feeds.add("https://feed.example/")
            feeds.keep(Story(f"https://a.example/{me}/{number}", "https://feed.example/", "t"))
            run = case.begin_run(target="/", kind="root", host="h")
            run.abandon()
""")


def test_writers_do_not_get_into_each_others_way(tmp_path: Path, open_case: OpenCase) -> None:
    state = open_case.state(tmp_path) or ""
    arguments = [[sys.executable, "-c", WRITER, str(tmp_path), state, str(n), str(EACH)] for n in range(WRITERS)]
    environment = os.environ | {"PYTHONPATH": str(Path(hinomi.__file__).parent.parent)}
    writers = [subprocess.Popen(a, stderr=subprocess.PIPE, text=True, env=environment) for a in arguments]
    said = [writer.communicate()[1] for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * WRITERS, said
    with open_case(tmp_path) as case:
        assert case.journal.broken_at() is None
        tested = [e.body for e in case.journal.entries() if e.event == "tested"]
        assert len(set(tested)) == WRITERS * EACH, "every entry, each once"
        assert [r.id for r in case.library.reports()] == ["r1"]
        assert len(case.library.claims("r1")) == 1
        assert len(case.runs("interrupted")) == WRITERS * EACH
        feeds = FeedStore(case.engine, case.clock)
        assert [f.stories for f in feeds.feeds()] == [WRITERS * EACH]
        assert len(feeds.recent()) == WRITERS * EACH

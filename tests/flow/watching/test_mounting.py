"""A large file system that is mounted is looked through beside everything else; a look that fails begins anew."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hinomi.flow.watching.mounting import ComingsAndGoings
from hinomi.model.findings import Coverage
from hinomi.store.case import Case
from hinomi.store.gaps import Gap


@dataclass
class Judging:
    """Takes the place of the judge: three steps, of which one may fail."""

    away: set[bytes] = field(default_factory=set)
    looks: list[bytes] = field(default_factory=list)
    fails_at: int = -1

    def refresh(self, *, packages: bool) -> None:
        assert not packages

    def reconciling(self, top: bytes, coverage: Coverage, now: float) -> Iterator[int]:
        self.looks.append(top)
        for step in range(3):
            if step == self.fails_at:
                self.fails_at = -1
                raise OSError(errno.ENOSPC, "No space left on device")
            yield 10


@dataclass
class Heard:
    """Takes the place of the teller."""

    gaps: list[Gap] = field(default_factory=list)
    notes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def gap(self, gap: Gap) -> None:
        self.gaps.append(gap)

    def note(self, word: str, **facts: Any) -> None:
        self.notes.append((word, facts))


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    with Case.open(tmp_path / "case") as opened:
        yield opened


def finished(comings: ComingsAndGoings) -> int:
    """Go on until nothing is left; return the steps it took."""
    steps = 0
    while comings.under_way:
        comings.step()
        steps += 1
        assert steps < 100
    return steps


def test_what_was_mounted_is_looked_through_in_steps_and_its_gap_closed(case: Case) -> None:
    judge, heard = Judging(), Heard()
    comings = ComingsAndGoings(case.gaps, judge, heard, [b"/srv"], "here")  # type: ignore[arg-type]
    comings.take([], ["/srv/disk", "/elsewhere"])
    assert judge.away == {b"/srv/disk"} and [gap.place for gap in heard.gaps] == ["/srv/disk"]
    comings.take(["/srv/disk", "/srv/other", "/elsewhere"], [])
    assert not judge.away and judge.looks == [], "taking it costs nothing: what waits is judged first"
    comings.step()
    assert comings.under_way and heard.notes == [], "one step, and others have their turn"
    assert finished(comings) > 3
    assert judge.looks == [b"/srv/disk", b"/srv/other"]
    assert [facts["changes"] for _, facts in heard.notes] == [30, 30]
    assert heard.gaps[-1].changes == 30 and case.gaps.listed(only_open=True) == []


def test_a_look_for_which_there_is_no_space_begins_anew(case: Case) -> None:
    judge, heard = Judging(fails_at=1), Heard()
    comings = ComingsAndGoings(case.gaps, judge, heard, [b"/"], "here")  # type: ignore[arg-type]
    comings.take(["/mnt"], [])
    comings.step()
    with pytest.raises(OSError, match="No space"):
        comings.step()
    finished(comings)
    assert judge.looks == [b"/mnt", b"/mnt"] and heard.notes[-1][1]["changes"] == 30


def test_what_is_gone_again_before_the_look_ends_stays_a_gap(case: Case) -> None:
    judge, heard = Judging(), Heard()
    comings = ComingsAndGoings(case.gaps, judge, heard, [b"/"], "here")  # type: ignore[arg-type]
    comings.take(["/mnt"], [])
    comings.step()
    comings.take([], ["/mnt"])
    finished(comings)
    assert [gap.reason for gap in case.gaps.listed(only_open=True)] == ["unmounted"] and heard.notes == []

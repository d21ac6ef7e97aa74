"""Gaps are stated, widened while they last, and closed with what was found."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def test_a_gap_lasts_until_somebody_looked_again(tmp_path: Path, open_case: Any) -> None:
    with open_case(tmp_path) as case:
        first = case.gaps.open("h", "queue-overflow", "/srv", "2026-01-01T00:00:10+00:00", "2026-01-01T00:00:11+00:00")
        wider = case.gaps.open("h", "queue-overflow", "/srv", "2026-01-01T00:00:05+00:00", "2026-01-01T00:00:20+00:00")
        other = case.gaps.open("g", "queue-overflow", "/srv", "2026-01-01T00:00:10+00:00", None)
        assert wider.id == first.id != other.id
        assert (wider.since[-8:], wider.number) == ("05+00:00"[-8:], 2)
        case.gaps.close(wider, 3)
        assert [g.id for g in case.gaps.listed(only_open=True)] == [other.id]
        (closed,) = case.gaps.listed("h")
        assert closed.changes == 3 and closed.reconciled_at and closed.to_json()["open"] is False
        again = case.gaps.open("h", "queue-overflow", "/srv", "2026-01-02T00:00:00+00:00", None)
        assert again.id != first.id, "a closed gap is history"


def test_a_place_of_any_bytes_is_kept(tmp_path: Path, open_case: Any) -> None:
    with open_case(tmp_path) as case:
        case.gaps.open("h", "unmounted", "/srv/\udcff\x1b[2J", "2026-01-01T00:00:00+00:00", None)
        (gap,) = case.gaps.listed()
        assert gap.place.startswith("/srv/") and gap.to_json()["open"]

"""The same is told once a minute; room is bounded."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from hinomi.flow.watching.lately import MAX_FINDINGS, SECONDS, Lately


def finding(number: int, **changes: Any) -> Any:
    words = {"severity": "high", "confidence": 80, "title": "t", "explanation": "e", "related": ("a",)}
    return SimpleNamespace(id=str(number), attributes={"changed_by": number}, **(words | changes))


def test_the_same_is_news_again_after_a_while_and_something_else_at_once() -> None:
    now = 5.0
    lately = Lately(clock=lambda: now)
    assert not lately.repeats(finding(1)) and lately.repeats(finding(1)) and not lately.repeats(finding(2))
    assert not lately.repeats(finding(1, related=("a", "b"))) and lately.repeats(finding(1, related=("a", "b")))
    now += SECONDS
    assert not lately.repeats(finding(2))


def test_room_is_bounded() -> None:
    lately = Lately(clock=lambda: 0.0)
    for number in range(MAX_FINDINGS + 1):
        lately.repeats(finding(number))
    assert not lately.repeats(finding(0)) and lately.repeats(finding(MAX_FINDINGS))

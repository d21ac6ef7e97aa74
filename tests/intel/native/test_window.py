"""The compiled window beside the one in Python: the same answers to every question."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hinomi.intel.folding import fold
from hinomi.intel.indicators.refang import refang
from hinomi.intel.indicators.window import PlainWindow
from hinomi.intel.native import compiled

native = compiled("window")
pytestmark = pytest.mark.skipif(native is None, reason="the compiled core is not built")

pieces = st.sampled_from(
    [
        "a.example",
        "[.]",
        "hxxp://",
        "0123456789abcdef",
        "\n",
        " ",
        "·",
        "名.exe",
        "\u200b",
        "ａ",
        "é.com",
        "-",
        "_",
        "x" * 320,
    ]
)
texts = st.lists(pieces | st.text(max_size=6), max_size=40).map("".join)
numbers = st.integers(0, 700)


def both(text: str, base: int = 0):
    folded = fold(text)
    refanged = refang(folded.text)
    lower = "".join(low if len(low := c.lower()) == 1 else c for c in refanged.text)
    edits = refanged.places, refanged.lengths, refanged.spans
    arguments = (refanged.text, lower, *edits, folded.starts, folded.shifts, base)
    return native.Window(*arguments), PlainWindow(*arguments)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # on a busy machine
@given(texts, numbers, st.integers(1, 90), st.integers(0, 500))
def test_both_answer_alike(text: str, start: int, size: int, base: int) -> None:
    ours, plain = both(text, base)
    start = min(start, len(plain._text))
    end = min(start + size, len(plain._text))
    assert ours.dotted() == plain.dotted() and ours.hex_runs() == plain.hex_runs()
    assert ours.line_start(start) == plain.line_start(start)
    assert ours.before(start) == plain.before(start) and ours.before(start, size) == plain.before(start, size)
    assert ours.after(start) == plain.after(start) and ours.after(start, size) == plain.after(start, size)
    if start < end:
        assert ours.original(start, end) == plain.original(start, end)
        assert ours.defanged(start, end) == plain.defanged(start, end)


@settings(deadline=None)
@given(st.lists(st.tuples(numbers, numbers), max_size=6), numbers, numbers)
def test_both_know_what_is_taken(spans: list[tuple[int, int]], start: int, end: int) -> None:
    ours, plain = both("x" * 400)
    for span in spans:
        ours.take(*span)
        plain.take(*span)
    assert ours.taken(start, end) == plain.taken(start, end)


def test_a_window_refuses_what_makes_no_sense() -> None:
    with pytest.raises(ValueError, match="lower case"):
        native.Window("ab", "abc", [], [], [], [], [], 0)
    with pytest.raises(ValueError, match="edits"):
        native.Window("ab", "ab", [1], [], [], [], [], 0)
    with pytest.raises(TypeError):
        native.Window("ab", "ab", [1], [1], [1], [], [], 0)
    with pytest.raises(TypeError):
        native.Window("ab", "ab", [], [], [], [], [], 0).before()
    with pytest.raises(OverflowError):
        native.Window("ab", "ab", [], [], [], [], [], 0).taken(0, 1 << 80)

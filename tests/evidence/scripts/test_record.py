"""What the recorder takes for the same statement."""

from __future__ import annotations

from hinomi.evidence.scripts.record import Recorder


def test_a_statement_in_another_loop_is_another_after_the_first_loop_is_gone() -> None:
    recorder = Recorder("/opt/x")
    for _ in range(20):  # a new loop is likely to lie where the one before lay
        with recorder.looping(endless=False):
            recorder.emit("starts", 3, "/opt/a", what="/opt/a")
        recorder.restarts_itself(0, endless=False)  # drops the loop of what was found so far
    assert len(recorder.drafts) == 20


def test_a_statement_walked_twice_in_one_loop_counts_once() -> None:
    recorder = Recorder("/opt/x")
    with recorder.looping(endless=True):
        recorder.emit("starts", 3, "/opt/a", what="/opt/a")
        recorder.emit("starts", 3, "/opt/a", what="/opt/a")
    assert len(recorder.drafts) == 1

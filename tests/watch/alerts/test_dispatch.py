"""Each alert once in a while, not too many at once, none forgotten in the count."""

from __future__ import annotations

from dataclasses import replace

from hinomi.watch.alerts.dispatch import AlertOptions, Dispatcher
from hinomi.watch.alerts.message import Alert

ALERT = Alert("k", "high", "text", "host", "2026-01-01T00:00:00+00:00", "rule", "subject")


class Sink:
    name = "memory"

    def __init__(self) -> None:
        self.got: list[Alert] = []
        self.broken = False

    def send(self, alert: Alert) -> None:
        if self.broken:
            raise OSError("nobody there")
        self.got.append(alert)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def made(**options: object) -> tuple[Dispatcher, Sink, Clock]:
    sink, clock = Sink(), Clock()
    return Dispatcher([sink], AlertOptions(**options), monotonic=clock), sink, clock  # type: ignore[arg-type]


def test_the_same_alert_is_sent_once_in_a_while_with_its_count() -> None:
    dispatcher, sink, clock = made(again_after=100)
    for _ in range(5):
        dispatcher.take(ALERT)
    assert len(sink.got) == 1
    clock.now = 101
    dispatcher.take(ALERT)
    assert [a.repeats for a in sink.got] == [0, 4]


def test_too_many_are_summed_up() -> None:
    dispatcher, sink, clock = made(per_minute=3)
    for number in range(10):
        dispatcher.take(replace(ALERT, key=str(number)))
    assert len(sink.got) == 3
    clock.now = 61
    dispatcher.pump()
    assert sink.got[-1].values == {"held_back": 7}


def test_the_less_grave_stay_here() -> None:
    dispatcher, sink, _ = made(least="high")
    dispatcher.take(replace(ALERT, severity="medium"))
    assert sink.got == []


def test_a_sink_that_does_not_answer_is_tried_again() -> None:
    dispatcher, sink, clock = made()
    sink.broken = True
    dispatcher.take(ALERT)
    assert dispatcher.state()[0]["waiting"] == 1 and "nobody" in str(dispatcher.state()[0]["error"])
    sink.broken = False
    dispatcher.pump()
    assert sink.got == [], "not at once"
    clock.now = 10
    dispatcher.pump()
    assert [a.key for a in sink.got] == ["k"]

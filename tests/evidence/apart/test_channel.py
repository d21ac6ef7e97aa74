from __future__ import annotations

import os
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.evidence.apart.channel import PART, Receiver, Sender, channel
from hinomi.evidence.apart.pulse import Pulse

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20) | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.text(min_size=1, max_size=10), JSON)
def test_what_is_sent_arrives(kind: str, body: object) -> None:
    here, there = channel()
    Sender(there, Pulse()).send(kind, body)
    receiver = Receiver(here, lambda: None)
    assert receiver.receive() == (kind, body)
    there.close()
    assert receiver.receive() is None
    receiver.close()


def test_a_message_whose_writer_died_is_dropped() -> None:
    here, there = channel()
    os.write(there.fileno(), struct.pack("<IB", 1, 1) + b'["rows",["half')
    Sender(there, Pulse()).send("lost", "x" * (2 * PART))
    assert Receiver(here, lambda: None).receive() == ("lost", "x" * (2 * PART))
    there.close()
    here.close()


@given(st.binary(min_size=1, max_size=60))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_nonsense_is_an_error(data: bytes) -> None:
    here, there = channel()
    os.write(there.fileno(), struct.pack("<IB", 1, 0) + b"{" + data)
    there.close()
    with pytest.raises((ValueError, TypeError)):
        Receiver(here, lambda: None).receive()
    here.close()


def test_a_pulse_that_is_held_is_not_quiet() -> None:
    pulse = Pulse()
    pulse.hold()
    assert pulse.quiet < 0
    pulse.beat()
    assert pulse.quiet >= 0
    pulse.count(3)
    assert pulse.opened == 3

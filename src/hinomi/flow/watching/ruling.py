"""The program that asks the rules: `python -m hinomi.flow.watching.ruling CHANNEL`, started by `asking`."""

from __future__ import annotations

import socket
import sys
from contextlib import suppress

from hinomi.flow.watching.answering import Given, serve
from hinomi.watch.live.sensor import receive


def main(channel: int) -> None:
    """Answer whoever holds the other end of the socket `channel`."""
    with socket.socket(fileno=channel) as ours, suppress(EOFError, ConnectionError):
        given = receive(ours)
        assert isinstance(given, Given)  # our own parent's
        serve(ours, given)


if __name__ == "__main__":
    main(int(sys.argv[1]))

"""The sensor's program: `python -m hinomi.flow.watching.sensing CHANNEL`, started by `listening`, never by hand."""

from __future__ import annotations

import socket
import sys
from contextlib import suppress

from hinomi.flow.watching.hearing import Wanted, serve
from hinomi.watch.live.sensor import receive


def main(channel: int) -> None:
    """Listen for whoever holds the other end of the socket `channel`."""
    with socket.socket(fileno=channel) as ours, suppress(EOFError, ConnectionError):
        wanted = receive(ours)
        assert isinstance(wanted, Wanted)  # our own parent's
        serve(ours, wanted)


if __name__ == "__main__":
    main(int(sys.argv[1]))

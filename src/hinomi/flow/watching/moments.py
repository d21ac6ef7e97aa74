"""Moments as they stand in the case, and as clocks give them."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def iso(seconds: float) -> str:
    """Return seconds since 1970 UTC as text."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def seconds_of(text: str) -> float:
    """Return the seconds since 1970 UTC of a text; those of now for nonsense."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return time.time()

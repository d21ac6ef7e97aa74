"""What could not be looked at although it may be there (a worker died, no descriptor was left): once more, later."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from hinomi.watch.live.pending import Change

WAITS = (1.0, 5.0, 30.0)  # seconds until each further look; then it stays as it is, and a miss in the coverage
MAX_PATHS = 1_000  # the oldest give way
_UNDER_WAY = float("inf")


class Again:
    """Keeps changes whose look failed until they are due."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Take a clock that nobody sets."""
        self._clock = clock
        self._kept: OrderedDict[bytes, tuple[int, float, Change]] = OrderedDict()

    def __contains__(self, path: bytes) -> bool:
        return path in self._kept

    def failed(self, change: Change) -> None:
        """Keep a change for another look; after the last one it is let go."""
        tries = self._kept.pop(change.path, (0, 0.0, change))[0]
        if tries < len(WAITS):
            self._kept[change.path] = tries + 1, self._clock() + WAITS[tries], change
        if len(self._kept) > MAX_PATHS:
            self._kept.popitem(last=False)

    def settled(self, path: bytes) -> None:
        """Forget a path that was looked at."""
        self._kept.pop(path, None)

    @property
    def wait(self) -> float | None:
        """Return the seconds until another look is due; None where none is."""
        at = min((at for _, at, _ in self._kept.values()), default=_UNDER_WAY)
        return None if at == _UNDER_WAY else max(0.0, at - self._clock())

    def due(self) -> list[Change]:
        """Return what is to be looked at now; each then is `settled`, or has `failed` again."""
        now = self._clock()
        found = [(path, kept) for path, kept in self._kept.items() if kept[1] <= now]
        for path, (tries, _, change) in found:
            self._kept[path] = tries, _UNDER_WAY, change
        return [change for _, (_, _, change) in found]

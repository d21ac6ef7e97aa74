"""What was told lately: a file that is written, and then made executable, is one piece of news."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from hinomi.model.findings import Finding

SECONDS = 60.0  # in which the same is not told again
MAX_FINDINGS = 4_096


class Lately:
    """Remembers by finding what it said when it was told last, bounded."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Take a clock that nobody sets."""
        self._clock = clock
        self._told: OrderedDict[str, tuple[float, object]] = OrderedDict()

    def repeats(self, finding: Finding) -> bool:
        """Whether a finding says what it said within the last minute; one that does not counts as told from here on.

        Who did it this time is no news by itself.
        """
        now, says = self._clock(), _says(finding)
        at, said = self._told.get(finding.id, (0.0, None))
        if said == says and now - at < SECONDS:
            return True
        self._told.pop(finding.id, None)
        self._told[finding.id] = now, says
        if len(self._told) > MAX_FINDINGS:
            self._told.popitem(last=False)
        return False


def _says(finding: Finding) -> object:
    return finding.severity, finding.confidence, finding.title, finding.explanation, tuple(finding.related)

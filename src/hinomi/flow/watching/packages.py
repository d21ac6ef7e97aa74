"""Package managers at work: while they are, what they write is not yet what their databases say."""

from __future__ import annotations

import time
from collections.abc import Iterable

DATABASES = (b"/var/lib/dpkg/", b"/var/lib/rpm/", b"/usr/lib/sysimage/rpm/", b"/lib/apk/db/", b"/usr/lib/opkg/",
             b"/var/lib/opkg/", b"/var/lib/pacman/")  # fmt: skip
MANAGED = (b"/usr/", b"/bin/", b"/sbin/", b"/lib", b"/etc/", b"/opt/", b"/boot/", b"/var/lib/")
QUIET_SECONDS = 3.0  # without a change of a database, it is at rest
MAX_HOLD = 120.0  # what is held back is judged after this time at the latest


class PackageWork:
    """Follows the databases' changes. A name proves nothing: only that the databases themselves are being written."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._last = 0.0
        self.stale = False  # what we know of the packages is older than the databases

    def saw(self, paths: Iterable[bytes]) -> None:
        """Take the paths of a batch."""
        if any(path.startswith(DATABASES) for path in paths):
            self._last = time.monotonic()
            self._since = self._last if self._since is None else self._since
            self.stale = True

    @property
    def busy(self) -> bool:
        """Whether judgement of packaged files should wait."""
        now = time.monotonic()
        return self._since is not None and now - self._last < QUIET_SECONDS and now - self._since < MAX_HOLD

    @property
    def wait(self) -> float:
        """Return the seconds until `busy` may end."""
        return max(0.05, QUIET_SECONDS - (time.monotonic() - self._last))

    def rest(self) -> None:
        """The databases have been read anew."""
        self._since = None
        self.stale = False

    @staticmethod
    def concerns(path: bytes) -> bool:
        """Whether a package may own a path."""
        return path.startswith(MANAGED) and not path.startswith(DATABASES)

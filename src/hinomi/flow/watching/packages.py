"""Package managers at work: while they are, what they write is not yet what their databases say."""

from __future__ import annotations

import fcntl
import os
import struct
import time
from collections.abc import Iterable

DATABASES = (b"/var/lib/dpkg/", b"/var/lib/rpm/", b"/usr/lib/sysimage/rpm/", b"/lib/apk/db/", b"/usr/lib/opkg/",
             b"/var/lib/opkg/", b"/var/lib/pacman/")  # fmt: skip
MANAGED = (b"/usr/", b"/bin/", b"/sbin/", b"/lib", b"/etc/", b"/opt/", b"/boot/", b"/var/lib/")
LOCKS = (b"/var/lib/dpkg/lock", b"/var/lib/rpm/.rpm.lock", b"/usr/lib/sysimage/rpm/.rpm.lock")
QUIET_SECONDS = 3.0  # without a change of a database, and without its lock held, it is at rest
SETTLE_SECONDS = 60.0  # at rest for so long, nothing more comes of the work
MAX_HOLD = 300.0  # what is held back is judged after this time at the latest
_FLOCK = struct.Struct("hhqqi")  # struct flock with 64-bit offsets


class PackageWork:
    """Follows the databases' changes. A name proves nothing: only that the databases themselves are being written."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._last = 0.0
        self.stale = False  # what we know of the packages is older than the databases
        self.open = False  # what came of the last work may not have been seen to its end

    def saw(self, paths: Iterable[bytes]) -> None:
        """Take the paths of a batch."""
        if any(path.startswith(DATABASES) for path in paths):
            self._last = time.monotonic()
            self._since = self._last if self._since is None else self._since
            self.stale = self.open = True

    @property
    def busy(self) -> bool:
        """Whether judgement of packaged files should wait."""
        now = time.monotonic()
        if self._since is None or now - self._since >= MAX_HOLD:
            return False
        return now - self._last < QUIET_SECONDS or is_locked()

    @property
    def wait(self) -> float | None:
        """Return the seconds until something is to be done; None where nothing is."""
        rested = time.monotonic() - self._last
        if self.stale:
            return max(0.05, QUIET_SECONDS - rested) if rested < QUIET_SECONDS else 1.0
        return max(0.05, SETTLE_SECONDS - rested) if self.open else None

    def rest(self) -> None:
        """The databases have been read anew."""
        self._since = None
        self.stale = False

    def judged(self) -> None:
        """What was held back has been judged, however long that took: what comes late is waited for from here."""
        self._last = time.monotonic()

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes of the last work."""
        return self.open and not self.stale and time.monotonic() - self._last >= SETTLE_SECONDS

    @staticmethod
    def concerns(path: bytes) -> bool:
        """Whether a package manager may write at a path."""
        return path.startswith(MANAGED)


def is_locked(locks: Iterable[bytes] = LOCKS) -> bool:
    """Whether a package manager holds the lock of its database (fcntl(2): the kernel knows who does)."""
    return any(_has_holder(path) for path in locks)


def _has_holder(path: bytes) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        asked = fcntl.fcntl(descriptor, fcntl.F_GETLK, _FLOCK.pack(fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0))
        return bool(_FLOCK.unpack(asked)[0] != fcntl.F_UNLCK)
    except OSError:
        return False
    finally:
        os.close(descriptor)

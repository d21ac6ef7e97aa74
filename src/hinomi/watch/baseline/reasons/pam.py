"""What pam-auth-update writes: each line of /etc/pam.d/common-* comes from a packaged profile or the packaged frame."""

from __future__ import annotations

import re

from hinomi.watch.baseline.compare import Difference
from hinomi.watch.baseline.maintainer import is_packaged_file
from hinomi.watch.baseline.world import Reason, World

PROFILES, FRAMES = b"/usr/share/pam-configs/", b"/usr/share/pam/"
MAX_SIZE = 64 << 10
_PLACE = re.compile(rb"/etc/pam\.d/common-(?:account|auth|password|session|session-noninteractive)")
_JUMP = re.compile(rb"=(?:\d+|end)\b")
_FACILITY = re.compile(rb"-?(?:auth|account|password|session)\s+")
_FIELD = re.compile(rb"(\w[\w-]*):(.*)")
_NO_PRIMARY = b"[default=N] pam_permit.so"  # what the tool itself writes where no profile has a primary module
_OF_CONTENT = frozenset({"size", "inode", "links", "blocks", "mtime", "ctime", "btime", "sha256"})


def explain(difference: Difference, world: World) -> Reason | None:
    """Explain a common file by the profiles; a module that no sound package's profile names stays unexplained."""
    if _PLACE.fullmatch(difference.path) is None or difference.new is None or difference.kind != "file":
        return None
    if difference.what == "changed" and not set(difference.attributes) <= _OF_CONTENT:
        return None
    known = world.cached(("pam",), lambda: _known(world))
    assert isinstance(known, frozenset)  # cached under this key by this module only
    text = world.read(difference.path, MAX_SIZE)
    if text is None or not all(_rule(line) in known for line in text.split(b"\n") if _rule(line)):
        return None
    return Reason("pam-profile", "pam-auth-update", "content")


def _known(world: World) -> frozenset[bytes]:
    found = {_NO_PRIMARY}
    for path in [*world.paths_in(PROFILES), *world.paths_in(FRAMES)]:
        if is_packaged_file(path, world):
            for line in (world.read(path, MAX_SIZE) or b"").split(b"\n"):
                field = _FIELD.fullmatch(line)
                found.add(_rule(field[2] if field is not None and not _FACILITY.match(line) else line))
    return frozenset(found)


def _rule(line: bytes) -> bytes:
    """Return control and module without the facility, with jumps made alike; empty for a comment."""
    bare = _FACILITY.sub(b"", line.partition(b"#")[0].strip(), count=1)
    return b" ".join(_JUMP.sub(b"=N", bare).split())

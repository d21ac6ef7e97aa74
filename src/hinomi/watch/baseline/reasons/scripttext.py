"""Settings that a maintainer script wrote: every line stands in the script, or in a packaged file that it names."""

from __future__ import annotations

import re

from hinomi.watch.baseline.compare import Difference
from hinomi.watch.baseline.maintainer import Maintainer, changed_maintainers, unwritten
from hinomi.watch.baseline.world import Reason, World

MAX_SIZE = 256 << 10
# Who may log in and what every program loads is never taken from a line that stands somewhere in a script.
_DECIDES = re.compile(
    rb"/etc/(?:passwd|shadow|group|gshadow|subuid|subgid|sudoers|ld\.so\.preload|pam\.d/)|/root/|/home/|/var/lib/dpkg/"
)
HOSTNAME = b"/etc/hostname"
_RUNS = 0o6111
_OF_CONTENT = frozenset({"size", "inode", "links", "blocks", "mtime", "ctime", "btime", "sha256"})


def explain(difference: Difference, world: World) -> Reason | None:
    """Explain a text of a package that changed by its scripts; what they did not write stays unexplained.

    Of a changed text only new lines are looked for, and only where the old text was kept and none of it is gone.
    """
    new = difference.new
    if _DECIDES.match(difference.path):
        return None
    if new is None or new["kind"] != "file" or new["mode"] & (_RUNS | 0o002) or new["size"] > MAX_SIZE:
        return None
    if difference.what == "changed" and not set(difference.attributes) <= _OF_CONTENT:
        return None
    writers = [one for one in changed_maintainers(world) if one.names(difference.path)]
    text = _added_text(difference, world) if writers else None
    if text is None or text.startswith(b"#!") or b"\0" in text:
        return None
    missing = unwritten(text, writers)
    if missing and missing != [_hostname(world)]:
        return None
    return Reason("script-text", _by(writers, world), "content")


def _added_text(difference: Difference, world: World) -> bytes | None:
    text = world.read(difference.path, MAX_SIZE)
    if difference.what == "added" or text is None:
        return text
    before = (difference.old or {})["text"]
    if before is None:
        return None
    lines = text.split(b"\n")
    old = before.split(b"\n")
    if not all(line in lines for line in old):
        return None
    return b"\n".join(line for line in lines if line not in old)


def _hostname(world: World) -> bytes:
    return (world.read(HOSTNAME, 256) or b"").strip() if not world.differences.get(HOSTNAME) else b""


def _by(writers: list[Maintainer], world: World) -> str:
    package = writers[0].package
    return f"{package} {world.version(package)}".strip()

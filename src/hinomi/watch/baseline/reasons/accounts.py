"""Accounts that maintainer scripts added: system accounts that cannot log in, named by the scripts of a package.

What was there before must still be there, byte for byte: without the new lines and the new members of groups, the file
must have the digest that the baseline has. So nothing else can have been changed in it, secrets included.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

from hinomi.watch.baseline.compare import Difference
from hinomi.watch.baseline.maintainer import changed_maintainers, is_packaged_file
from hinomi.watch.baseline.world import Reason, World

PASSWD, SHADOW, GROUP, GSHADOW = b"/etc/passwd", b"/etc/shadow", b"/etc/group", b"/etc/gshadow"
SUBIDS = (b"/etc/subuid", b"/etc/subgid")
SYSUSERS = b"/usr/lib/sysusers.d/"
MAX_SIZE = 1 << 20
MAX_ADDED = 200
LAST_SYSTEM_ID = 999  # login.defs(5): SYS_UID_MAX
_NO_LOGIN = frozenset({b"/usr/sbin/nologin", b"/sbin/nologin", b"/bin/false", b"/usr/bin/false"})
_POWERFUL = frozenset({b"root", b"sudo", b"wheel", b"admin", b"adm", b"disk", b"shadow", b"docker", b"lxd", b"kmem"})
_OF_CONTENT = frozenset({"size", "inode", "links", "blocks", "mtime", "ctime", "btime", "sha256"})
Line = list[bytes]


def explain(difference: Difference, world: World) -> Reason | None:
    """Explain the four account files, and their copies with a dash."""
    check = _CHECKS.get(difference.path)
    backup = difference.path.endswith(b"-") and difference.path[:-1] in _CHECKS
    if (check is None and not backup) or difference.what != "changed" or difference.kind != "file":
        return None
    if not set(difference.attributes) <= _OF_CONTENT:
        return None
    text = world.read(difference.path, MAX_SIZE)
    if text is None:
        return None
    if backup:
        return _backup(difference.path[:-1], text, world)
    return _added(text.split(b"\n"), difference, world, check or _none)


def _backup(path: bytes, text: bytes, world: World) -> Reason | None:
    """A copy with a dash is an earlier state: each of its lines must stand in the file itself, which must be sound."""
    if not world.is_sound(path):
        return None
    now = {line.rpartition(b":")[0]: _members(line) for line in (world.read(path, MAX_SIZE) or b"").split(b"\n")}
    for line in text.split(b"\n"):
        known = now.get(line.rpartition(b":")[0])
        if line and (known is None or not _members(line) <= known):
            return None
    return Reason("account-of-package", path.decode(), "content")


def _members(line: bytes) -> frozenset[bytes]:
    return frozenset(line.rpartition(b":")[2].split(b","))


@dataclass(frozen=True, slots=True)
class _Names:
    """Accounts and groups that packages that changed say they add."""

    world: World

    def __contains__(self, name: bytes) -> bool:
        return any(one.says(name) for one in changed_maintainers(self.world)) or name in _sysusers(self.world)


def _sysusers(world: World) -> frozenset[bytes]:
    """Return the names that packaged sysusers.d(5) files declare."""
    found = world.cached(("sysusers",), lambda: _declared(world))
    assert isinstance(found, frozenset)  # cached under this key by this module only
    return found


def _declared(world: World) -> frozenset[bytes]:
    names: set[bytes] = set()
    for path in world.paths_in(SYSUSERS):
        if is_packaged_file(path, world):
            rows = [line.split() for line in (world.read(path, MAX_SIZE) or b"").split(b"\n")]
            names.update(row[1] for row in rows if len(row) > 1 and row[0] in (b"u", b"g", b"u!", b"m"))
    return frozenset(names)


def _added(
    lines: list[bytes], difference: Difference, world: World, check: Callable[[Line, World], bool]
) -> Reason | None:
    """Explain the file by new lines whose removal gives that of the baseline; other new names are told, and left."""
    wanted, names = (difference.old or {})["sha256"], _Names(world)
    fields = [line.split(b":") for line in lines]
    new = [n for n, field in enumerate(fields) if _is_new(field[0], difference.path, world)]
    strange = [n for n in new if not (check(fields[n], world) and fields[n][0] in names)]
    kept = [line for n, line in enumerate(lines) if n not in new]
    candidates = _without_members(kept, difference.path, names, world) if len(new) <= MAX_ADDED else []
    if not any(hashlib.sha256(b"\n".join(candidate)).digest() == wanted for candidate in candidates):
        return None
    if strange:
        return Reason("account-of-package", "not " + _named(fields, strange), "sha256", left=("sha256",))
    return Reason("account-of-package", _named(fields, new) or "members of groups", "sha256")


def _named(fields: list[Line], numbers: list[int]) -> str:
    return ", ".join(fields[n][0].decode("utf-8", "replace") for n in numbers[:20])


def _is_new(name: bytes, path: bytes, world: World) -> bool:
    """Whether a name was not there in the baseline, by the text of passwd or group, which hold no secret."""
    if not name:
        return False
    source = {SHADOW: PASSWD, GSHADOW: GROUP}.get(path, path)
    before = world.before(source)
    if before is None or before["text"] is None:
        return False
    return not any(line.startswith(name + b":") for line in before["text"].split(b"\n"))


def _without_members(kept: list[bytes], path: bytes, names: _Names, world: World) -> list[list[bytes]]:
    """Return the lines as they may have been before system accounts were put into groups."""
    if path not in (GROUP, GSHADOW):
        return [kept]
    choices = [_before_joining(line, names, world) for line in kept]
    open_ones = [n for n, choice in enumerate(choices) if len(choice) > 1]
    if len(open_ones) > 8:
        return [kept]
    return [list(one) for one in product(*choices)]


def _before_joining(line: bytes, names: _Names, world: World) -> list[bytes]:
    head, _, tail = line.rpartition(b":")
    members = tail.split(b",") if tail else []
    joined = [m for m in members if m in names and _is_system(m, world)]
    if not joined or line.split(b":")[0] in _POWERFUL:
        return [line]
    rest = b",".join(m for m in members if m not in joined)
    return [line, head + b":" + rest]


def _is_system(name: bytes, world: World) -> bool:
    for line in (world.read(PASSWD, MAX_SIZE) or b"").split(b"\n"):
        if line.startswith(name + b":"):
            return _account(line.split(b":"), world)
    return False


def _account(fields: Line, world: World) -> bool:
    """A system account that cannot log in: no number of root, no password in this file, no shell."""
    if len(fields) != 7 or fields[1] not in (b"x", b"*", b"!"):
        return False
    return _is_system_number(fields[2]) and _is_group_number(fields[3]) and fields[6] in _NO_LOGIN


def _is_system_number(text: bytes) -> bool:
    return text.isdigit() and 0 < int(text) <= LAST_SYSTEM_ID


def _is_group_number(text: bytes) -> bool:
    return _is_system_number(text) or text == b"65534"


def _locked(fields: Line, world: World) -> bool:
    """A line of shadow whose password nobody can know."""
    return len(fields) == 9 and fields[1][:1] in (b"!", b"*") and len(fields[1]) <= 2


def _group(fields: Line, world: World) -> bool:
    """A system group, with only system accounts in it."""
    if len(fields) != 4 or not _is_system_number(fields[2]):
        return False
    return all(_is_system(name, world) for name in fields[3].split(b",") if name)


def _locked_group(fields: Line, world: World) -> bool:
    return (
        len(fields) == 4
        and fields[1][:1] in (b"!", b"*")
        and all(_is_system(name, world) for part in fields[2:] for name in part.split(b",") if name)
    )


def _none(fields: Line, world: World) -> bool:
    return False


_CHECKS: dict[bytes, Callable[[Line, World], bool]] = {
    PASSWD: _account, SHADOW: _locked, GROUP: _group, GSHADOW: _locked_group,
}  # fmt: skip

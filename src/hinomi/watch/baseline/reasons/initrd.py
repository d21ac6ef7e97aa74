"""Initial RAM disks, member by member: each must be a sound file of this system, or what a hook makes of such files.

An initrd is built on the machine, so no manifest has its digest. Its members are copies: of files at the same path, of
the files that initramfs-tools and packages keep for it, of busybox under the names of its commands. What is made anew
(order of scripts, linker cache, lists of modules, small settings) is read and must lead to such members only.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable

from hinomi.model.errors import ParseError
from hinomi.watch.baseline.compare import Difference
from hinomi.watch.baseline.maintainer import is_packaged_file
from hinomi.watch.baseline.reasons.linkercache import read_cache
from hinomi.watch.baseline.world import Inside, Reason, World

MAX_NAMED = 6
MAX_HOOK = 256 << 10
KEPT_FOR_IT = (b"/usr/share/initramfs-tools", b"/etc/initramfs-tools", b"/usr/lib/initramfs-tools", b"/usr/lib/klibc")
HOOKS = (b"/usr/share/initramfs-tools/hooks/", b"/etc/initramfs-tools/hooks/")
MAKERS = (b"/usr/sbin/mkinitramfs", b"/usr/share/initramfs-tools/hook-functions")
_PLACE = re.compile(rb"/boot/(?:initrd\.img-[^/]+|initramfs-[^/]+\.img)")
_PROGRAM_FOLDER = re.compile(rb"/(?:usr/)?s?bin/[^/]+")
_MODULE_LIST = re.compile(rb"/(?:usr/)?lib/modules/[^/]+/modules\.[\w.]+")
_ORDER = re.compile(rb"/scripts/[\w-]+/ORDER")
_ORDER_LINE = re.compile(rb'(/scripts/[\w-]+/[\w.@+-]+) "\$@"')
_PARAMETERS = b"[ -e /conf/param.conf ] && . /conf/param.conf"
_MICROCODE = re.compile(rb"/kernel/x86/microcode/(?:GenuineIntel|AuthenticAMD)\.bin")
_DEVICES = frozenset({b"/dev/console", b"/dev/null"})
_PROGRAMS = (b"\x7fELF", b"#!", b"MZ")
_KINDS_OF_NODES = ("character-device", "block-device", "fifo", "socket")


def explain(difference: Difference, world: World) -> Reason | None:
    """Explain an initrd by all of its members; those that are not accounted for are named, and it stays unexplained."""
    if _PLACE.fullmatch(difference.path) is None or difference.kind != "file":
        return None
    new = difference.new
    if new is None:
        return None
    if new["mode"] & 0o6133 or new["uid"] != 0:
        return None
    members = world.reader.members(difference.path)
    if not members:
        return None
    open_ones = RamDisk(members, world).unaccounted()
    if not open_ones:
        return Reason("initrd", f"{len(members)} members", "sha256")
    named = ", ".join(_shown(path) for path in open_ones[:MAX_NAMED])
    more = f" (+{len(open_ones) - MAX_NAMED})" if len(open_ones) > MAX_NAMED else ""
    return Reason("initrd", f"unaccounted for: {named}{more}", "sha256", left=("sha256",))


class RamDisk:
    """The members of one initrd beside the system that it was built on."""

    def __init__(self, members: list[Inside], world: World) -> None:
        self._world = world
        self._members = {_plain(member.path): member for member in members}
        self._fine: dict[bytes, bool] = {}

    def unaccounted(self) -> list[bytes]:
        """Return the paths of members that no sound file of the system stands behind."""
        return sorted(path for path in self._members if not self._is_fine(path))

    def _is_fine(self, path: bytes) -> bool:
        if path not in self._fine:
            self._fine[path] = False  # a link that leads to itself is not
            self._fine[path] = self._check(self._members[path])
        return self._fine[path]

    def _check(self, member: Inside) -> bool:
        path = _plain(member.path)
        if member.kind == "directory":
            return True
        if member.kind == "symlink":
            return self._is_fine_link(path, member)
        if member.kind in _KINDS_OF_NODES:
            return path in _DEVICES
        return self._is_copy(path, member) or any(check(path, member) for check in self._made())

    # --- copies ---------------------------------------------------------------------------------------------------

    def _is_copy(self, path: bytes, member: Inside) -> bool:
        """Whether the bytes are those of a sound file: at the same path, or kept for initial RAM disks."""
        places = [path, *(folder + path for folder in KEPT_FOR_IT)]
        if any(self._holds(place, member.sha256) for place in places):
            return True
        sources = self._world.by_digest(member.sha256) if member.sha256 is not None else []
        return any(self._is_copied_from(source, path) for source in sources)

    def _holds(self, place: bytes, digest: bytes | None) -> bool:
        real = self._world.resolve(place, self._world.now)
        values = None if real is None else self._world.now(real)
        return values is not None and digest is not None and values["sha256"] == digest and self._world.is_sound(place)

    def _is_copied_from(self, source: bytes, path: bytes) -> bool:
        """Whether hooks copy a packaged file to this other path: busybox's commands, klibc's, files a hook names."""
        name, wanted = source.rpartition(b"/")[2], path.rpartition(b"/")[2]
        if name == b"busybox":
            return _PROGRAM_FOLDER.fullmatch(path) is not None
        if source.startswith(KEPT_FOR_IT):
            return name == wanted
        return (name == wanted or wanted in self._hooks) and (source in self._hooks or name in self._hooks)

    @property
    def _hooks(self) -> bytes:
        """All hooks that are sound, one after the other."""
        found = self._world.cached(("initrd-hooks",), self._read_hooks)
        assert isinstance(found, bytes)  # cached under this key by this class only
        return found

    def _read_hooks(self) -> bytes:
        paths = [path for folder in HOOKS for path in self._world.paths_in(folder)]
        paths = [*MAKERS, *paths]
        sound = [path for path in paths if is_packaged_file(path, self._world)]
        return b"\n".join(self._world.read(path, MAX_HOOK) or b"" for path in sound)

    # --- links ----------------------------------------------------------------------------------------------------

    def _is_fine_link(self, path: bytes, member: Inside) -> bool:
        """A link must lead to a member that is accounted for, to a folder, or nowhere that a file could stand."""
        target = _plain(posixpath.join(path.rpartition(b"/")[0] or b"/", member.link or b""))
        target = self._through(target)
        found = self._members.get(target)
        if found is None:
            return self._is_same_link(path, member) or target.startswith((b"/proc/", b"/run/", b"/dev/"))
        return found.kind == "directory" or self._is_fine(target)

    def _through(self, path: bytes) -> bytes:
        """Follow links of folders, as /bin -> usr/bin."""
        for _ in range(8):
            head = next(
                (h for h in _heads(path) if (m := self._members.get(h)) is not None and m.kind == "symlink"), None
            )
            if head is None:
                return path
            link = self._members[head].link or b""
            path = _plain(posixpath.join(head.rpartition(b"/")[0] or b"/", link) + path[len(head) :])
        return path

    def _is_same_link(self, path: bytes, member: Inside) -> bool:
        folder = self._world.resolve(path.rpartition(b"/")[0] or b"/", self._world.now)
        values = None if folder is None else self._world.now(posixpath.join(folder, path.rpartition(b"/")[2]))
        return values is not None and values["kind"] == "symlink" and values["link"] == member.link

    # --- what is made anew ----------------------------------------------------------------------------------------

    def _made(self) -> tuple[Callable[[bytes, Inside], bool], ...]:
        return (_is_module_list, _is_microcode, self._is_order, self._is_linker_cache, self._is_setting)

    def _is_order(self, path: bytes, member: Inside) -> bool:
        """The order of scripts may start scripts that are accounted for, and nothing else."""
        if _ORDER.fullmatch(path) is None or member.text is None:
            return False
        for line in filter(None, member.text.split(b"\n")):
            found = _ORDER_LINE.fullmatch(line)
            if line != _PARAMETERS and (found is None or not self._leads_to_fine(found[1])):
                return False
        return True

    def _is_linker_cache(self, path: bytes, member: Inside) -> bool:
        if path != b"/etc/ld.so.cache" or member.text is None:
            return False
        try:
            libraries = read_cache(member.text)
        except ParseError:
            return False
        return all(self._leads_to_fine(library) for _, library in libraries)

    def _leads_to_fine(self, path: bytes) -> bool:
        real = self._through(path)
        return real in self._members and self._is_fine(real)

    def _is_setting(self, path: bytes, member: Inside) -> bool:
        """Small text without a right to run, whose lines stand in hooks, in their settings or in the system's file."""
        if member.mode & 0o111 or member.text is None or member.text.startswith(_PROGRAMS) or b"\0" in member.text:
            return False
        if path.endswith((b".so", b".ko")) or path.startswith((b"/scripts/", b"/usr/", b"/lib", b"/bin/", b"/sbin/")):
            return False
        if path == b"/conf/modules":
            return all(re.fullmatch(rb"[\w-]*", line) for line in member.text.split(b"\n"))
        return all(self._is_known_line(path, line.strip()) for line in member.text.split(b"\n"))

    def _is_known_line(self, path: bytes, line: bytes) -> bool:
        if not line or line == b"#" or line.startswith(b"# "):
            return True
        if line in self._lines_beside(path):
            return True
        name, equals, value = line.partition(b"=")
        plain = equals and re.fullmatch(rb"[A-Z_]+", name) and re.fullmatch(rb"[\w./:-]*", value)
        return bool(plain and name + b"=" in self._hooks)

    def _lines_beside(self, path: bytes) -> frozenset[bytes]:
        """Return the lines that the hooks quote and those of files the member may be made from."""
        found = self._world.cached(("initrd-lines", path), lambda: self._read_lines(path))
        assert isinstance(found, frozenset)  # cached under this key by this class only
        return found

    def _read_lines(self, path: bytes) -> frozenset[bytes]:
        name = path.rpartition(b"/")[2]
        sources = [path, b"/etc/initramfs-tools/" + name, path.removesuffix(b".tmp")]
        texts = [self._hooks, *(self._world.read(p, MAX_HOOK) or b"" for p in sources if self._world.is_sound(p))]
        quoted = re.findall(rb"\"([^\"\n]*)\"|'([^'\n]*)'", self._hooks)
        texts.append(re.sub(rb"\\([$`\\\"])", rb"\1", self._hooks))  # as a here-document writes them
        lines = {line.strip() for text in texts for line in text.split(b"\n")}
        return frozenset(lines | {one.replace(b"\\n", b"").strip() for pair in quoted for one in pair})


def _is_module_list(path: bytes, member: Inside) -> bool:
    """depmod's indexes for the modules inside: data, and the modules are accounted for themselves."""
    data = member.text is None or not member.text.startswith(_PROGRAMS)
    return _MODULE_LIST.fullmatch(path) is not None and not member.mode & 0o111 and data


def _is_microcode(path: bytes, member: Inside) -> bool:
    """Microcode that the processor itself checks the signature of; it is data to everything else."""
    return _MICROCODE.fullmatch(path) is not None and not member.mode & 0o111


def _heads(path: bytes) -> list[bytes]:
    parts = path.split(b"/")[1:]
    return [b"/" + b"/".join(parts[:n]) for n in range(1, len(parts) + 1)]


def _plain(path: bytes) -> bytes:
    return posixpath.normpath(b"/" + path.lstrip(b"/"))


def _shown(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")

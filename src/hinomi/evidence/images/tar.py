"""tar as a tree, in all its dialects (v7, ustar, GNU, pax), indexed by headers only. Format: POSIX.1-2017 pax, GNU tar.

A damaged header does not hide what follows: the next header whose checksum is right is looked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from hinomi.evidence.archives.kinds import is_old_tar
from hinomi.evidence.archives.source import SliceSource, Source
from hinomi.evidence.images.tree import BuiltTree, Node
from hinomi.evidence.view import EntryKind
from hinomi.model.text import path_text, printable

BLOCK = 512
MAX_HEADER_DATA = 1 << 20
MAX_RESYNC = 64 << 20  # bytes searched for the next header in all
WINDOW = 1 << 16
_FILES = b"0\x007"
_SPECIAL: dict[bytes, EntryKind] = {
    b"2": "symlink",
    b"3": "character-device",
    b"4": "block-device",
    b"5": "directory",
    b"6": "fifo",
}


@dataclass(slots=True)
class _Extra:
    """What extension headers say of the next member."""

    name: bytes | None = None
    link: bytes | None = None
    pax: dict[bytes, bytes] = field(default_factory=dict)


class TarIndexer:
    """Reads one tar into a tree."""

    def __init__(self, source: Source) -> None:
        self.tree = BuiltTree("tar")
        self._source = source
        self._common: dict[bytes, bytes] = {}
        self._extra = _Extra()
        self._links: list[tuple[bytes, bytes]] = []
        self._resync_left = MAX_RESYNC
        self._window = b""
        self._window_at = 0

    def read(self) -> BuiltTree:
        """Return the tree; what is damaged is in its notes."""
        at = zeros = 0
        while at < self._source.size:
            header = self._header(at)
            if not header.strip(b"\0"):
                zeros += 1
                at += BLOCK
                if zeros >= 2 and not self._more(at):
                    break
                continue
            zeros = 0
            if len(header) < BLOCK or not is_old_tar(header):
                at = self._resync(at)
                continue
            at = self._member(header, at + BLOCK)
        for name, target in self._links:  # links may stand before what they name
            if not self.tree.link(name, target):
                self.tree.notes.miss(_shown(name), "damaged", f"hard link to nothing: {_shown(target)}")
        return self.tree

    def _header(self, at: int) -> bytes:
        inside = at - self._window_at
        if not 0 <= inside <= len(self._window) - BLOCK:
            self._window, self._window_at, inside = self._source.read_at(at, WINDOW), at, 0
        return self._window[inside : inside + BLOCK]

    def _more(self, at: int) -> bool:
        """Whether another archive follows the end mark (`tar -A`, or something hidden): padding is at most 10 KiB."""
        tail = self._source.read_at(at, 20 * BLOCK)
        return any(tail[n] for n in range(0, len(tail), BLOCK))

    def _resync(self, at: int) -> int:
        """Return where the next sound header stands."""
        start = at
        while at < self._source.size and self._resync_left > 0:
            at += BLOCK
            self._resync_left -= BLOCK
            if is_old_tar(self._header(at)):
                self.tree.notes.miss("", "damaged", f"tar header at byte {start}")
                return at
        self.tree.notes.miss("", "damaged", f"tar header at byte {start}, none after it")
        return self._source.size

    def _member(self, header: bytes, data: int) -> int:
        """Take one member whose data begins at `data`; return where the next header is."""
        kind = header[156:157]
        size = _number(header[124:136])
        if b"size" in self._extra.pax and self._extra.pax[b"size"].isdigit():
            size = int(self._extra.pax[b"size"][:20])
        if kind in (b"2", b"3", b"4", b"5", b"6", b"1"):
            size = 0 if kind != b"5" or size > self._source.size else size
        end = data + -(-size // BLOCK) * BLOCK
        if kind in (b"L", b"K", b"x", b"g", b"X"):
            self._extension(kind, self._source.read_at(data, min(size, MAX_HEADER_DATA)))
            return end
        extra, self._extra = self._extra, _Extra(pax=dict(self._common))
        name = extra.pax.get(b"path") or extra.name or _name(header)
        link = extra.pax.get(b"linkpath") or extra.link or header[157:257].split(b"\0")[0]
        if end > self._source.size + BLOCK:
            self.tree.notes.miss(_shown(name), "truncated", "tar ends inside a member")
        if kind == b"1":
            if not self.tree.link(name, link):
                self._links.append((name, link))
        else:
            self._put(kind, name, link, header, data, size, extra.pax)
        return end

    def _put(
        self, kind: bytes, name: bytes, link: bytes, header: bytes, data: int, size: int, pax: dict[bytes, bytes]
    ) -> None:
        what = _SPECIAL.get(kind, "directory" if kind in b"\x00D" and name.endswith(b"/") else "file")
        node = Node(what, _number(header[100:108]) & 0o7777, inode=self.tree.number(), size=size)
        node.uid, node.gid = _owner(pax, b"uid", header[108:116]), _owner(pax, b"gid", header[116:124])
        node.mtime = _time(pax.get(b"mtime")) or float(_number(header[136:148]))
        node.ctime = _time(pax.get(b"ctime"))
        attributes = {
            key[14:].decode("utf-8", "replace"): value for key, value in pax.items() if key.startswith(b"SCHILY.xattr.")
        }
        if attributes:
            node.xattrs = lambda: attributes
        if what == "symlink":
            node.link, node.size = link, len(link)
        if what == "file":
            node.content = partial(SliceSource, self._source, data, size)
            if kind == b"S" or any(key.startswith(b"GNU.sparse.") for key in pax):
                name = pax.get(b"GNU.sparse.name", name)
                self.tree.notes.miss(_shown(name), "unsupported", "sparse member: holes left out")
        self.tree.add(name, node)

    def _extension(self, kind: bytes, data: bytes) -> None:
        if kind == b"L":
            self._extra.name = data.rstrip(b"\0")
        elif kind == b"K":
            self._extra.link = data.rstrip(b"\0")
        elif kind == b"g":
            self._common.update(_pax(data))
        else:
            self._extra.pax.update(_pax(data))


def read_tar_tree(source: Source) -> BuiltTree:
    """Return a tar's tree; damage is in its notes."""
    return TarIndexer(source).read()


def _name(header: bytes) -> bytes:
    name = header[:100].split(b"\0")[0]
    prefix = header[345:500].split(b"\0")[0] if header[257:263] == b"ustar\0" else b""
    return prefix + b"/" + name if prefix else name


def _number(field_: bytes) -> int:
    """Return a header's number: octal, or base 256 where the first bit says so; 0 for nonsense."""
    if field_[0] & 0x80:
        value = int.from_bytes(field_, "big", signed=False) & ((1 << (8 * len(field_) - 1)) - 1)
        return value if field_[0] == 0x80 and value < 1 << 62 else 0
    text = field_.split(b"\0")[0].strip()
    try:
        return int(text or b"0", 8)
    except ValueError:
        return 0


def _owner(pax: dict[bytes, bytes], key: bytes, header: bytes) -> int:
    value = pax.get(key, b"")
    number = int(value) if value.isdigit() and len(value) <= 10 else _number(header)
    return number & 0xFFFFFFFF


def _time(value: bytes | None) -> float | None:
    try:
        number = float(value) if value is not None and len(value) < 40 else None
    except ValueError:
        return None
    return number if number is not None and abs(number) < 1e11 else None


def _pax(data: bytes) -> dict[bytes, bytes]:
    """Return the records "<length> <key>=<value>\\n" up to the first damaged one."""
    found: dict[bytes, bytes] = {}
    at = 0
    while at < len(data):
        space = data.find(b" ", at, at + 12)
        if space < 0 or not data[at:space].isdigit():
            break
        end = at + int(data[at:space])
        key, _, value = data[space + 1 : max(space + 1, end - 1)].partition(b"=")
        found[key] = value
        at = max(end, space + 1)
    return found


def _shown(name: bytes) -> str:
    return printable(path_text(name[:200]))

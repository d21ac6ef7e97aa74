"""Runs under the interpreter that has dissect, never within Hinomi: opens what it is lent, and answers questions on it.

It gets this text and one socket, no file: the image's bytes are asked for over the same socket. A record is a request's
number, what it is, whether more follows, and data. Once dissect is loaded, and before it has seen a byte of an image,
root, network, writing and starting programs are given up. Python 3.9 or later, the standard library and dissect only.
"""

from __future__ import annotations

import codecs
import ctypes
import importlib
import io
import json
import os
import re
import resource
import signal
import stat
import struct
import sys
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

HEAD = struct.Struct("<QBB")
ASK, WANT, BYTES, ANSWER, FAILED = range(5)
PART = 64 << 10
BLOCK = 64 << 10
MAX_BLOCKS = 512
MAX_FOLDERS = 128
MAX_OPEN = 16
MAX_LISTED = 250_000  # entries of one folder
CPU_SECONDS = 60  # of one answer
_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG
_CODECS = ("utf-8", "utf-16-le", "utf-16-be", "utf-16", "latin-1", "ascii", "cp437", "cp1252", "unicode_escape", "hex")
_TARGET = ("filesystem", "volume", "container", "target", "plugin", "helpers.keychain", "containers.raw")
_NEEDED = tuple("dissect.target." + name for name in _TARGET)
_WANTED = tuple(
    "dissect." + name
    for name in "apfs vmfs.lvm vmfs.vmfs fve.bde fve.luks fat cramfs target.filesystems.apfs target.filesystems.vmfs "
    "target.filesystems.exfat target.filesystems.cramfs target.filesystems.tar target.filesystems.extfs "
    "target.filesystems.fat target.volumes.disk".split()
)
_FORTIOS = "dissect.target.plugins.os.unix.linux.fortios._os"
_RECOVERY = re.compile(r"\d{6}(-\d{6}){7}")
Message = tuple[int, int, bytes]  # request, kind, data


class LeaveError(BaseException):
    """Not for others to catch: the answer takes too long, or nobody waits for it any more."""

    def __init__(self, message: Message | None = None) -> None:
        super().__init__()
        self.message = message


class LockedError(Exception):
    """No key that was given opens it."""


class Line:
    """Whole messages over a socket that keeps records together."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self.number = 0

    def send(self, kind: int, data: bytes) -> None:
        """Send one message about the request at hand."""
        for at in range(0, len(data) or 1, PART):
            more = at + PART < len(data)
            os.write(self._fd, HEAD.pack(self.number, kind, more) + data[at : at + PART])

    def receive(self) -> Message:
        """Return the next message; what somebody began and did not finish is dropped."""
        parts: list[bytes] = []
        last: tuple[int, int] | None = None
        while True:
            record = os.read(self._fd, HEAD.size + PART)
            if not record:
                os._exit(0)
            number, kind, more = HEAD.unpack_from(record)
            if (number, kind) != last:
                parts, last = [], (number, kind)
            parts.append(record[HEAD.size :])
            if not more:
                return number, kind, b"".join(parts)

    def want(self, offset: int, length: int) -> bytes:
        """Return bytes of the image of the request at hand."""
        self.send(WANT, struct.pack("<QQ", offset, length))
        number, kind, data = self.receive()
        if number != self.number or kind == ASK:
            raise LeaveError((number, kind, data))
        if kind != BYTES:
            raise OSError(data.decode("utf-8", "replace"))
        return bytes(data)


class Lent(io.RawIOBase):
    """The image, read through the socket in blocks of which the last are kept."""

    name = "image"  # dissect asks for it when it logs

    def __init__(self, line: Line, size: int) -> None:
        self._line = line
        self.size = size
        self._at = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = max(0, offset + (0, self._at, self.size)[whence])
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def readall(self) -> bytes:
        return self.read(-1)

    def read(self, length: int | None = -1) -> bytes:
        left = max(0, self.size - self._at)
        left = left if length is None or length < 0 else min(left, length)
        out = []
        while left:
            block, inside = divmod(self._at, BLOCK)
            piece = self._block(block)[inside : inside + left]
            if not piece:
                raise OSError("the image ends early")
            out.append(piece)
            self._at += len(piece)
            left -= len(piece)
        return b"".join(out)

    def _block(self, number: int) -> bytes:
        found = self._blocks.get(number)
        if found is None:
            start = number * BLOCK
            found = self._blocks[number] = self._line.want(start, min(BLOCK, self.size - start))
            if len(self._blocks) > MAX_BLOCKS:
                self._blocks.popitem(last=False)
        return found


class Given(NamedTuple):
    """What an image gave: the root of a file system, or a volume."""

    name: str
    root: Any = None
    volume: Any = None
    size: int = 0


class Desk:
    """What was opened, by number; folders and files are found by their way from the root."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._given: list[Given] = []
        self._folders: OrderedDict[tuple[int, tuple[bytes, ...]], dict[bytes, Any]] = OrderedDict()
        self._files: OrderedDict[tuple[int, tuple[bytes, ...]], Any] = OrderedDict()

    def answer(self, question: dict[str, Any]) -> bytes:
        """Return JSON, or the bytes that were asked for."""
        if question["do"] == "read":
            return self._read(question)
        return json.dumps(getattr(self, "_" + question["do"])(question)).encode()

    def _hello(self, question: dict[str, Any]) -> dict[str, Any]:
        """Load what will be needed, become nobody, shut every door."""
        _load()
        _drop(question["user"])
        names: dict[str, Any] = {"__name__": "confinement"}
        exec(compile(question["confinement"], "confinement.py", "exec"), names)
        return {"shut": sorted(names["confine"]())}

    def _open(self, question: dict[str, Any]) -> list[dict[str, Any]]:
        lent = Lent(self._line, question["size"])
        opener = _OPENERS.get(question["kind"], _file_systems)
        told = []
        for given in opener(lent, question["keys"]):
            self._given.append(given)
            number = len(self._given) - 1
            root = None if given.root is None else _told(b"", given.root)
            told.append({"name": given.name, "number": number, "size": given.size, "root": root})
        return told

    def _list(self, question: dict[str, Any]) -> dict[str, Any]:
        entries, bad = [], []
        for name, entry in self._folder(question["number"], _way(question)).items():
            try:
                entries.append(_told(name, entry))
            except Exception as error:  # noqa: BLE001 - one entry's damage costs that entry
                bad.append([name.hex(), str(error)[:200]])
        return {"entries": entries, "bad": bad}

    def _folder(self, number: int, way: tuple[bytes, ...]) -> dict[bytes, Any]:
        found = self._folders.get((number, way))
        if found is None:
            entry = self._entry(number, way)
            found = self._folders[number, way] = dict(_children(entry))
            if len(self._folders) > MAX_FOLDERS:
                self._folders.popitem(last=False)
        return found

    def _entry(self, number: int, way: tuple[bytes, ...]) -> Any:
        return self._folder(number, way[:-1])[way[-1]] if way else self._given[number].root

    def _read(self, question: dict[str, Any]) -> bytes:
        file = self._file(question["number"], _way(question))
        file.seek(question["at"])
        parts, left = [], min(question["length"], 4 << 20)
        while left and (data := file.read(left)):
            parts.append(data)
            left -= len(data)
        return b"".join(parts)

    def _file(self, number: int, way: tuple[bytes, ...]) -> Any:
        if self._given[number].volume is not None:
            return self._given[number].volume
        found = self._files.get((number, way))
        if found is None:
            found = self._files[number, way] = self._entry(number, way).open()
            if len(self._files) > MAX_OPEN:
                self._files.popitem(last=False)
        return found


def _load() -> None:
    """Load all that opening may need: afterwards, the interpreter's own files may be out of reach."""
    for name in _CODECS:
        codecs.lookup(name)
    for name in _NEEDED:
        importlib.import_module(name)
    for name in (*_WANTED, _FORTIOS):
        with suppress(ImportError):  # said when it is needed
            importlib.import_module(name)


def _drop(user: list[int] | None) -> None:
    """Become another user for ever; the end of the parent is to end this one still."""
    if user is not None:
        os.setgroups([])
        os.setresgid(user[1], user[1], user[1])
        os.setresuid(user[0], user[0], user[0])
    library = ctypes.CDLL(None)
    if hasattr(library, "prctl"):
        library.prctl(_DEATH_SIGNAL, signal.SIGKILL)


def _way(question: dict[str, Any]) -> tuple[bytes, ...]:
    return tuple(bytes.fromhex(part) for part in question["way"])


def _children(entry: Any) -> Iterator[tuple[bytes, Any]]:
    for count, one in enumerate(entry.scandir()):
        if count >= MAX_LISTED:
            raise OSError("too many entries in a folder")
        name = one.name if isinstance(one.name, bytes) else one.name.encode("utf-8", "surrogateescape")
        if name not in (b".", b".."):
            yield name, _Later(one)


class _Later:
    """An entry that is looked up when it is needed: listing alone must not fail for one that is damaged."""

    def __init__(self, found: Any) -> None:
        self._found = found
        self._entry: Any = None

    def __getattr__(self, name: str) -> Any:
        if self._entry is None:
            self._entry = self._found.get()
        return getattr(self._entry, name)


def _told(name: bytes, entry: Any) -> list[Any]:
    """Return name, mode, uid, gid, size, mtime, ctime, btime, inode, links, link target; names in hexadecimal."""
    info = entry.lstat()
    link = None
    if stat.S_ISLNK(info.st_mode):
        target = entry.readlink()
        link = (target if isinstance(target, bytes) else str(target).encode("utf-8", "surrogateescape")).hex()
    born = getattr(info, "st_birthtime", None)
    numbers = (info.st_mode, info.st_uid, info.st_gid, info.st_size)
    times = (info.st_mtime, info.st_ctime)
    return [name.hex(), *map(_number, numbers), *times, born, _number(info.st_ino), _number(info.st_nlink), link]


def _number(value: Any) -> int:
    return int(value or 0)


def _file_systems(lent: Lent, keys: list[str]) -> Iterator[Given]:
    keychain = importlib.import_module("dissect.target.helpers.keychain")
    del keychain.KEYCHAIN[:]
    for key in keys:
        keychain.register_key(keychain.KeyType.PASSPHRASE, key)
    opened = importlib.import_module("dissect.target.filesystem").open(lent)
    inner = list(opened.iter_subfs()) if hasattr(opened, "iter_subfs") else []
    for one in inner:
        name = getattr(getattr(one, "apfs", None), "name", "") or ""
        yield Given(name, root=one.get("/"))
    if opened.__type__ == "apfs-container":
        closed = len(opened.container.volumes) - len(inner)
        if closed:
            yield Given(f"{closed} volumes that no key opens")
    elif not inner:
        yield Given("", root=opened.get("/"))


def _vmfs(lent: Lent, keys: list[str]) -> Iterator[Given]:
    """A volume manager of VMware's, or a file system alone."""
    lent.seek(1 << 20)
    if lent.read(4) != b"\x0d\xd0\x01\xc0":
        yield from _file_systems(lent, keys)
        return
    lvm = importlib.import_module("dissect.vmfs.lvm").LVM(lent)
    for volume in lvm.volumes:
        opened = importlib.import_module("dissect.target.filesystem").open(volume.open())
        yield Given(str(volume.name or ""), root=opened.get("/"))


def _bitlocker(lent: Lent, keys: list[str]) -> Iterator[Given]:
    volume = importlib.import_module("dissect.fve.bde").BDE(lent)
    if not volume.unlocked and volume.has_clear_key():
        volume.unlock_with_clear_key()
    for key in keys:
        if volume.unlocked:
            break
        recovery = _RECOVERY.fullmatch(key.strip())
        _tried(volume.unlock_with_recovery_password if recovery else volume.unlock_with_passphrase, key)
    if not volume.unlocked:
        raise LockedError
    yield Given("", volume=volume.open(), size=lent.size)


def _luks(lent: Lent, keys: list[str]) -> Iterator[Given]:
    volume = importlib.import_module("dissect.fve.luks").LUKS(lent)
    for key in keys:
        _tried(volume.unlock_with_passphrase, key)
        if volume.unlocked:
            break
    if not volume.unlocked:
        raise LockedError
    stream = volume.open()
    yield Given("", volume=stream, size=stream.size)


def _tried(unlock: Any, key: str) -> None:
    """Try a key; which one fails and why is not told, for it could name the key."""
    with suppress(Exception):  # a key that does not fit fails in many ways
        unlock(key)


def _fortios(lent: Lent, keys: list[str]) -> Iterator[Given]:
    """A FortiOS disk or file system as its boot would put it together, the root decrypted."""
    keychain = importlib.import_module("dissect.target.helpers.keychain")
    del keychain.KEYCHAIN[:]
    for key in keys:
        keychain.register_key(keychain.KeyType.RAW, key)
        keychain.register_key(keychain.KeyType.PASSPHRASE, key)
    module = importlib.import_module("dissect.target.target")
    raw = importlib.import_module("dissect.target.containers.raw").RawContainer(lent)
    target = module.Target()
    target._os_plugin = importlib.import_module(_FORTIOS).FortiOSPlugin  # as loaders of dissect do
    target.disks.add(raw)
    target.apply()
    if not target.fs.exists("/bin"):
        raise LockedError
    yield Given("FortiOS", root=target.fs.get("/"))


_OPENERS = {"vmfs": _vmfs, "bitlocker": _bitlocker, "luks": _luks, "fortios": _fortios}


def _late(*_: Any) -> None:
    raise LeaveError


def serve(fd: int) -> None:
    """Answer questions until nobody is left to ask."""
    line = Line(fd)
    desk = Desk(line)
    signal.signal(signal.SIGPROF, _late)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    waiting: Message | None = None
    while True:
        number, kind, data = waiting or line.receive()
        waiting = None
        if kind == ASK:
            line.number = number
            waiting = _answered(line, desk, data)


def _answered(line: Line, desk: Desk, data: bytes) -> Message | None:
    """Answer one question; return the next where somebody asked it in between."""
    signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
    try:
        kind, said = ANSWER, desk.answer(json.loads(data))
    except LeaveError as leave:
        if leave.message is not None:
            return leave.message
        kind, said = FAILED, b"timeout\0not done in time"
    except LockedError:
        kind, said = FAILED, b"encrypted\0no key that was given opens it"
    except Exception as error:  # noqa: BLE001 - whatever a hostile image makes of a parser
        first = error.__cause__ or error
        kind, said = FAILED, f"failed\0{type(first).__name__}: {first}"[:400].encode("utf-8", "replace")
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    line.send(kind, said)
    return None


if __name__ == "__main__":
    serve(int(sys.argv[1]))

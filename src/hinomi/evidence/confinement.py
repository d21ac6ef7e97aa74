"""What a process that parses hostile content gives up before it begins: network, writing, starting programs.

Two doors of the Linux kernel, each of use without the other: Landlock (files and TCP, by what is opened) and a seccomp
filter (system calls, by number). Descriptors that are open already keep working: pipes to the parent, scratch files.
Numbers are from the kernel's user headers (linux/landlock.h, linux/filter.h, asm/unistd_64.h, asm-generic/unistd.h).
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterator

LANDLOCK, SECCOMP = "landlock", "seccomp"
DOORS = (LANDLOCK, SECCOMP)

_NO_NEW_PRIVILEGES, _GET_SECCOMP, _SET_SECCOMP, _FILTER = 38, 21, 22, 2
_CREATE_RULESET, _RESTRICT_SELF = 444, 446  # the same number on every architecture
_ASK_VERSION = 1

# Landlock: execute, write, remove, make (all kinds); later versions add refer, truncate, device ioctl.
_FILES = 0b1_1111_1111_0011
_FILES_SINCE = ((2, 1 << 13), (3, 1 << 14), (5, 1 << 15))
_TCP = 0b11  # bind, connect; since version 4
_SCOPE = 0b11  # abstract sockets and signals of others; since version 6

_MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
_X32 = 0x40000000  # numbers from here on are another interface to the same kernel
# Refused system calls as (x86_64, aarch64); None where the architecture has none.
_REFUSED: dict[str, tuple[int | None, int | None]] = {
    "socket": (41, 198), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201), "accept": (43, 202),
    "accept4": (288, 242), "socketpair": (53, 199), "sendto": (44, 206), "sendmsg": (46, 211), "sendmmsg": (307, 269),
    "execve": (59, 221), "execveat": (322, 281), "ptrace": (101, 117),
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "pidfd_getfd": (438, 438),
    "creat": (85, None), "openat2": (437, 437), "open_by_handle_at": (304, 265), "truncate": (76, 45),
    "rename": (82, None), "renameat": (264, 38), "renameat2": (316, 276), "unlink": (87, None), "unlinkat": (263, 35),
    "mkdir": (83, None), "mkdirat": (258, 34), "rmdir": (84, None), "mknod": (133, None), "mknodat": (259, 33),
    "link": (86, None), "linkat": (265, 37), "symlink": (88, None), "symlinkat": (266, 36),
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452), "chown": (92, None),
    "lchown": (94, None), "fchown": (93, 55), "fchownat": (260, 54), "utime": (132, None), "utimes": (235, None),
    "futimesat": (261, None), "utimensat": (280, 88), "setxattr": (188, 5), "lsetxattr": (189, 6),
    "fsetxattr": (190, 7), "setxattrat": (463, 463), "removexattr": (197, 14), "lremovexattr": (198, 15),
    "fremovexattr": (199, 16), "removexattrat": (466, 466), "mount": (165, 40), "umount2": (166, 39),
    "move_mount": (429, 429), "fsopen": (430, 430), "open_tree": (428, 428), "mount_setattr": (442, 442),
    "pivot_root": (155, 41), "chroot": (161, 51), "unshare": (272, 97), "setns": (308, 268),
    "io_uring_setup": (425, 425), "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218), "init_module": (175, 105),
    "finit_module": (313, 273), "kexec_load": (246, 104), "swapon": (167, 224), "reboot": (169, 142),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "acct": (163, 89), "quotactl": (179, 60),
}  # fmt: skip
_OPENS: tuple[tuple[tuple[int | None, int | None], int], ...] = (((2, None), 1), ((257, 56), 2))  # open: flags are ...

# Classic BPF: load a word, jump where equal / at least / any bit set, return.
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

_Instruction = tuple[int, int, int, int]


def available() -> frozenset[str]:
    """Return which of `DOORS` this kernel has."""
    library = _library()
    if library is None:
        return frozenset()
    found = set()
    if _landlock_version(library) > 0:
        found.add(LANDLOCK)
    if platform.machine() in _MACHINES and library.prctl(_GET_SECCOMP, 0, 0, 0, 0) >= 0:
        found.add(SECCOMP)
    return frozenset(found)


_given_up = False


def is_confined() -> bool:
    """Whether this process has shut what doors its kernel has: it may be lost, and can do little harm."""
    return _given_up


def confine() -> frozenset[str]:
    """Shut every door the kernel has, for this process and all it starts, for ever; return those that are shut."""
    global _given_up
    _given_up = True
    library = _library()
    if library is None or library.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return frozenset()
    shut = set()
    if _shut_landlock(library):
        shut.add(LANDLOCK)
    if _shut_seccomp(library):
        shut.add(SECCOMP)
    return frozenset(shut)


def _library() -> ctypes.CDLL | None:
    """Return the C library of a Linux system."""
    library = ctypes.CDLL(None, use_errno=True)
    return library if hasattr(library, "prctl") and hasattr(library, "syscall") else None


def _landlock_version(library: ctypes.CDLL) -> int:
    version: int = library.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_ASK_VERSION))
    return version


def _shut_landlock(library: ctypes.CDLL) -> bool:
    """Handle every right to write, run or connect, and allow none of them anywhere."""
    version = _landlock_version(library)
    if version <= 0:
        return False
    files = _FILES
    for since, right in _FILES_SINCE:
        files |= right if version >= since else 0
    attributes = struct.pack("<QQQ", files, _TCP if version >= 4 else 0, _SCOPE if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    rules = library.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(size), ctypes.c_uint32(0))
    if rules < 0:
        return False
    try:
        return bool(library.syscall(_RESTRICT_SELF, rules, ctypes.c_uint32(0)) == 0)
    finally:
        os.close(rules)


def _shut_seccomp(library: ctypes.CDLL) -> bool:
    machine = _MACHINES.get(platform.machine())
    if machine is None:
        return False
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in _program(*machine))
    body = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("@HP", len(code) // 8, ctypes.addressof(body))
    return bool(library.prctl(_SET_SECCOMP, _FILTER, program, 0, 0) == 0)


def _program(architecture: int, column: int) -> Iterator[_Instruction]:
    """Yield the filter: refused calls answer "not permitted", files open for reading only."""
    refuse = (_RETURN, 0, 0, _ERROR | errno.EPERM)
    yield _LOAD, 0, 0, _ARCHITECTURE_AT
    yield _EQUAL, 1, 0, architecture
    yield _RETURN, 0, 0, _KILL
    yield _LOAD, 0, 0, _NUMBER_AT
    yield _AT_LEAST, 0, 1, _X32
    yield refuse
    for numbers in _REFUSED.values():
        number = numbers[column]
        if number is not None:
            yield _EQUAL, 0, 1, number
            yield refuse
    for numbers, argument in _OPENS:
        number = numbers[column]
        if number is not None:
            yield _EQUAL, 0, 4, number
            yield _LOAD, 0, 0, _ARGUMENTS_AT + 8 * argument
            yield _ANY_BIT, 0, 1, _WRITING
            yield refuse
            yield _RETURN, 0, 0, _ALLOW
    yield _RETURN, 0, 0, _ALLOW

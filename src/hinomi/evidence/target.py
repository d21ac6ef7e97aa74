"""A target: the view on its files, who owns which file, and how much may be spent on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

from hinomi.evidence.view import FileSystemView


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds for hostile input. Sizes in bytes, times in seconds."""

    max_file_size: int = 4 << 30  # larger files: attributes only, said in the coverage
    max_parse_size: int = 64 << 20  # scripts, ELF, documents above this are not parsed, said in the coverage
    max_script_size: int = 4 << 20
    max_archive_depth: int = 12
    max_archive_entries: int = 500_000
    max_archive_bytes: int = 4 << 30  # bytes unpacked per outer file
    max_archive_seconds: float = 120.0
    max_walk_depth: int = 4096
    max_file_seconds: float = 300.0  # wall time a worker process may spend on one file before it is ended
    max_worker_memory: int = 1 << 30  # bytes a worker process may add to what it began with
    chosen_max_size: int | None = None  # larger files are left out because the user said so: a skip, not a miss


Owner = tuple[str, bytes | None]  # a package, and the digest (raw) that its manifest has for the path


class Ownership(Protocol):
    """What the target's own package databases say about a path."""

    def manifest(self, path: bytes) -> Owner | None:
        """Return the owning package and the digest that its manifest has for the path."""

    def package_of(self, path: bytes) -> str | None:
        """Return the owning package's name."""

    def digest_kind(self, path: bytes) -> str | None:
        """Return which digest the database holds for the path: md5, sha1, sha256 or None."""

    def state(self, path: bytes, digest: str | None) -> str | None:
        """Return intact, modified or unowned; owned without a known digest is intact; None without any database."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is examined. `name` is what the user gave; `host` is the partition label (host name or folder name)."""

    name: str
    kind: Literal["live", "root", "image"]
    host: str
    view: FileSystemView
    ownership: Ownership
    platform: Literal["linux", "windows", "macos", "unknown"] = "linux"
    limits: Limits = field(default_factory=Limits)

"""What every package database says: the packages installed and the paths they own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol
from urllib.parse import quote

from hinomi.evidence.view import FileSystemView
from hinomi.model.errors import ParseError
from hinomi.model.findings import Coverage
from hinomi.model.text import path_text, printable

MAX_DATABASE = 512 << 20
MAX_LIST = 64 << 20
MAX_OS_RELEASE = 64 << 10


@dataclass(frozen=True, slots=True)
class InstalledPackage:
    """One package as its database describes it."""

    manager: str
    name: str
    version: str
    architecture: str | None
    source: str | None
    status: str | None
    path: bytes  # of the database
    purl: str


class OwnedPath(NamedTuple):
    """A path that a package owns; `digest` is raw: 16 bytes are an MD5, 20 a SHA-1, 32 a SHA-256."""

    path: bytes
    package: str
    digest: bytes | None


class PackageDatabase(Protocol):
    """Reads one kind of package database; every file read is bounded, what cannot be read is a miss."""

    manager: str

    def present(self, view: FileSystemView) -> bool:
        """Return whether the target has this database."""

    def packages(self, view: FileSystemView, coverage: Coverage) -> Iterator[InstalledPackage]:
        """Yield the packages in stable order."""

    def owned(self, view: FileSystemView, coverage: Coverage) -> Iterator[OwnedPath]:
        """Yield every owned path; files, links and folders alike."""


def read_whole(view: FileSystemView, path: bytes, limit: int, coverage: Coverage) -> bytes | None:
    """Return a database file; None with a miss where it cannot be read or is larger than `limit`."""
    try:
        data = view.read(path, limit + 1)
    except OSError as error:
        reason = "permission" if isinstance(error, PermissionError) else "unreadable"
        coverage.miss("packages", printable(path_text(path)), reason, error.strerror or "")
        return None
    if len(data) > limit:
        coverage.miss("packages", printable(path_text(path)), "too-large")
        return None
    return data


def miss_parse(coverage: Coverage, path: bytes, error: ParseError) -> None:
    """Record a database that could not be understood."""
    coverage.miss("packages", printable(path_text(path)), error.code, error.cause)


@dataclass(frozen=True, slots=True)
class Distribution:
    """What os-release says: `id` (debian), `version` (12)."""

    id: str
    version: str


def distribution_of(view: FileSystemView, fallback: str) -> Distribution:
    """Return the target's distribution (format: os-release(5)), `fallback` where nothing says."""
    fields: dict[str, str] = {}
    for path in (b"/etc/os-release", b"/usr/lib/os-release"):
        try:
            text = view.read(path, MAX_OS_RELEASE).decode("utf-8", "replace")
        except OSError:
            continue
        for line in text.splitlines():
            name, equals, value = line.strip().partition("=")
            if equals:
                fields.setdefault(name, value.strip("\"'"))
        break
    return Distribution(fields.get("ID", fallback).lower() or fallback, fields.get("VERSION_ID", ""))


def make_purl(kind: str, name: str, version: str, architecture: str | None, distribution: Distribution) -> str:
    """Return the package URL (specification: github.com/package-url/purl-spec)."""
    purl = f"pkg:{kind}/{quote(distribution.id, safe='')}/{quote(name, safe='.-_~')}@{quote(version, safe='.-_~:')}"
    distro = "-".join(part for part in (distribution.id, distribution.version) if part)
    pairs = [("arch", architecture), ("distro", distro)]
    return purl + "?" + "&".join(f"{key}={quote(value, safe='.-_~')}" for key, value in pairs if value)

"""What a mechanism sees of a target: its texts, folders and homes, and how a command becomes a program's path."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from hinomi.evidence.autostart.command import started
from hinomi.evidence.identity.passwd import parse_passwd
from hinomi.evidence.target import Target
from hinomi.evidence.view import Entry, FileSystemView
from hinomi.model.findings import Coverage
from hinomi.model.tables.host import Persistence
from hinomi.model.text import path_bytes, path_text

MAX_TEXT = 1 << 20
MAX_LINES = 20_000
MAX_LINE = 16_384  # characters; what follows in a longer line is not looked at
MAX_NAMES = 20_000
SEARCH_PATH = (b"/usr/local/sbin", b"/usr/local/bin", b"/usr/sbin", b"/usr/bin", b"/sbin", b"/bin")
_HOME_PARENTS = (b"/home", b"/Users", b"/export/home", b"/var/home")
_OWN_HOMES = (b"/root", b"/var/root")
_HOME_WORD = re.compile(r"(~|\$HOME|\$\{HOME\})(?=/|$)")


@dataclass(frozen=True, slots=True)
class Home:
    """A home folder and whose it is (None where passwd does not name it)."""

    path: bytes
    user: str | None


Find = Callable[["Site"], Iterator[Persistence]]


@dataclass
class Site:
    """A target as the mechanisms read it. Missing files are normal; unreadable ones are misses in the coverage."""

    target: Target
    coverage: Coverage
    area: str = "persistence"  # whose misses these are
    _programs: dict[bytes, str] = field(default_factory=dict)

    @property
    def view(self) -> FileSystemView:
        """The target's files."""
        return self.target.view

    def resolve(self, path: bytes) -> bytes | None:
        """Follow links inside the target; None where nothing can be reached."""
        try:
            return self.view.resolve(path)
        except OSError:
            return None

    def entry(self, path: bytes) -> Entry | None:
        """Return what stands at the end of `path`'s links; None for nothing."""
        resolved = self.resolve(path)
        try:
            return None if resolved is None else self.view.entry(resolved)
        except OSError:
            return None

    def is_file(self, path: bytes) -> bool:
        """Whether `path` leads to a regular file."""
        entry = self.entry(path)
        return entry is not None and entry.kind == "file"

    def is_executable(self, path: bytes) -> bool:
        """Whether `path` leads to a regular file that someone may execute."""
        entry = self.entry(path)
        return entry is not None and entry.kind == "file" and bool(entry.mode & 0o111)

    def names(self, folder: bytes) -> list[bytes]:
        """Return the names in a folder; empty where it is missing, a miss where it cannot be read."""
        try:
            names = self.view.listdir(folder)
        except OSError as error:
            self.lost(folder, error)
            return []
        if len(names) > MAX_NAMES:
            self.coverage.miss(self.area, path_text(folder), "too-large", f"{len(names)} names")
        return names[:MAX_NAMES]

    def files(self, *folders: bytes, suffix: bytes = b"") -> Iterator[bytes]:
        """Yield the regular files (also behind links) of the folders; a folder reached twice counts once."""
        seen: set[bytes] = set()
        for folder in folders:
            resolved = self.resolve(folder)
            if resolved is None or resolved in seen:
                continue
            seen.add(resolved)
            for name in self.names(folder):
                path = folder + b"/" + name
                if name.endswith(suffix) and self.is_file(path):
                    yield path

    def tree(self, folder: bytes, depth: int) -> Iterator[bytes]:
        """Yield the regular files under a folder down to `depth` levels, without following linked folders."""
        for name in self.names(folder):
            path = folder + b"/" + name
            try:
                entry = self.view.entry(path)
            except OSError:
                continue
            if entry is not None and entry.kind == "directory" and depth > 1:
                yield from self.tree(path, depth - 1)
            elif self.is_file(path):
                yield path

    def data(self, path: bytes, limit: int = MAX_TEXT) -> bytes | None:
        """Return a file's content, None where it is missing or no file; more than `limit` bytes is a miss."""
        if not self.is_file(path):
            return None
        try:
            data = self.view.read(path, limit + 1)
        except OSError as error:
            self.lost(path, error)
            return None
        self.coverage.count("configuration-files")
        if len(data) > limit:
            self.coverage.miss(self.area, path_text(path), "too-large", f"only the first {limit} bytes were read")
        return data[:limit]

    def text(self, path: bytes) -> str | None:
        """Return a configuration file's text, bytes that are not UTF-8 kept as surrogates."""
        data = self.data(path)
        return None if data is None else data.decode("utf-8", "surrogateescape")

    def lines(self, path: bytes) -> Iterator[tuple[int, str]]:
        """Yield (1-based number, stripped line) without blank lines and `#` comments."""
        yield from content_lines(self.text(path) or "")

    def joined_lines(self, path: bytes) -> Iterator[tuple[int, str]]:
        r"""Yield lines with `\`-continuations joined; the number is that of the first part."""
        yield from joined(self.text(path) or "")

    def lost(self, path: bytes, error: OSError) -> None:
        """Record a file or folder that could not be read."""
        if not isinstance(error, FileNotFoundError | NotADirectoryError):
            reason = "permission" if isinstance(error, PermissionError) else "unreadable"
            self.coverage.miss(self.area, path_text(path), reason, error.strerror or "")

    @cached_property
    def homes(self) -> tuple[Home, ...]:
        """Every home folder: of passwd, /root, and what stands under /home and /Users; existing ones, once each."""
        found: dict[bytes, Home] = {}
        for path, user in self._home_candidates():
            resolved = self.resolve(path)
            entry = None if resolved is None else self.entry(resolved)
            if resolved is not None and resolved != b"/" and entry is not None and entry.kind == "directory":
                found.setdefault(resolved, Home(path, user))
                self.names(path)  # a home that cannot be listed is a miss here, for its files will just seem missing
        return tuple(sorted(found.values(), key=lambda home: home.path))

    @cached_property
    def known_homes(self) -> tuple[Home, ...]:
        """Every home that is named or exists, also of accounts whose folder is missing; once per path and user."""
        found = [Home(path, user) for path, user in self._home_candidates()]
        return tuple(dict.fromkeys((*found, *self.homes)))

    def home_of(self, user: str | None) -> bytes | None:
        """Return an account's home folder, existing or not."""
        return next((home.path for home in self.known_homes if home.user == user), None) if user else None

    def _home_candidates(self) -> Iterator[tuple[bytes, str | None]]:
        for account in parse_passwd(self.text(b"/etc/passwd") or ""):
            if account.home.startswith("/"):
                yield path_bytes(posixpath.normpath(account.home)), account.name
        for home in _OWN_HOMES:
            yield home, "root"
        for parent in _HOME_PARENTS:
            for name in self.names(parent):
                yield parent + b"/" + name, path_text(name)

    def user_files(self, *names: bytes) -> Iterator[tuple[Home, bytes]]:
        """Yield (home, path) for each of the names that is a file in a home."""
        for home in self.homes:
            for name in names:
                path = home.path + b"/" + name
                if self.is_file(path):
                    yield home, path

    def program(self, word: str, *, home: bytes | None = None, search: tuple[bytes, ...] = SEARCH_PATH) -> str | None:
        """Return the absolute path a command's first word stands for; None where its words are not constant."""
        if home is not None:
            word = _HOME_WORD.sub(lambda _: path_text(home), word, count=1)
        if not word or "$" in word or "`" in word or "\0" in word:
            return None
        raw = path_bytes(word)
        if raw.startswith(b"/"):
            pattern = any(mark in raw for mark in b"*?")
            return None if pattern and not self.is_file(raw) else self._final(raw)
        if b"/" in raw:
            return None
        for folder in search:
            if self.is_file(folder + b"/" + raw):
                return self._final(folder + b"/" + raw)
        return None

    def _final(self, path: bytes) -> str:
        if path not in self._programs:
            self._programs[path] = path_text(self.resolve(path) or self._beside(posixpath.normpath(path)))
        return self._programs[path]

    def _beside(self, path: bytes) -> bytes:
        """Return where a program that is gone would stand: its folder's links followed, its own name kept."""
        folder, _, name = path.rpartition(b"/")
        resolved = self.resolve(folder or b"/")
        return path if resolved is None else resolved.rstrip(b"/") + b"/" + name

    def programs(
        self, command: str, *, home: bytes | None = None, search: tuple[bytes, ...] = SEARCH_PATH
    ) -> list[str | None]:
        """Return the paths of the programs a command line starts; `[None]` where none can be told."""
        found = [self.program(word, home=home, search=search) for word in started(command)]
        return list(dict.fromkeys(path for path in found if path is not None)) or [None]


def content_lines(text: str, comment: str = "#") -> Iterator[tuple[int, str]]:
    """Yield (1-based number, stripped line) without blank and comment lines."""
    for number, line in enumerate(text.split("\n")[:MAX_LINES], 1):
        line = line[:MAX_LINE].strip()
        if line and not line.startswith(comment):
            yield number, line


def joined(text: str) -> Iterator[tuple[int, str]]:
    r"""Yield non-blank, non-comment lines, those that end in `\` joined with the next."""
    parts: list[str] = []
    first = 0
    for number, line in enumerate(text.split("\n")[:MAX_LINES], 1):
        line = line[:MAX_LINE].strip()
        if line.startswith("#") or (not line and not parts):
            continue
        first = first or number
        parts.append(line[:-1].rstrip() if line.endswith("\\") else line)
        if not line.endswith("\\"):
            yield first, " ".join(parts)
            parts, first = [], 0
    if parts:
        yield first, " ".join(parts)

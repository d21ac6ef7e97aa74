"""What the maintainer scripts of packages say they make: names of files and accounts, and lines of text.

Only scripts that are themselves sound (as in the baseline, or explained) are read: an edited one says nothing. Scripts
call programs of their own package (`update-exim4defaults`): where those are scripts too, they count as said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property

from hinomi.watch.baseline.world import World

INFO = b"/var/lib/dpkg/info/"
SCRIPTS = (b"preinst", b"postinst", b"config", b"prerm", b"postrm")
MAX_SCRIPT = 1 << 20
MAX_SOURCE = 256 << 10
MAX_SOURCES = 500
MIN_NAME = 3
COMMANDS = (b"/usr/sbin/", b"/usr/bin/", b"/sbin/", b"/bin/")
_COMMENT = re.compile(rb"#(?!include|!)|// ")
_WORD = re.compile(rb"[\w.+-]{4,}")
_VARIABLE = re.compile(rb"\$\w+|\$\{\w+(?::-(?P<default>[^}]*))?\}|@\w+@")
_ASSIGNED = re.compile(
    rb"(\w{4,})=(?:'[\w .:;@+,-]*'|[\w.:@+-]*|[\d .:;<@-]*)"
)  # a value without a path or a shell's signs
_PLAIN = rb"[\w.:@+-]*"  # what may stand for a variable: one word, no path
_LETTER = re.compile(rb"[A-Za-z]")
MIN_LETTERS = 4
_PATH = re.compile(rb"/(?:usr|etc|lib)/[\w@%+=:,./-]+")
_QUOTED = re.compile(rb"'([^'\n]*)'|\"([^\"\n]*)\"")
_ESCAPED = re.compile(rb"\\([$`\\\"])")


class Maintainer:
    """The scripts of one package, of the version installed now."""

    def __init__(self, package: str, world: World) -> None:
        self.package = package
        self._world = world

    @cached_property
    def text(self) -> bytes:
        """All its scripts and those of its own that they call, one after the other."""
        scripts = self._scripts()
        words = set(_WORD.findall(scripts))
        called = [path for name, path in _commands(self._world).get(self.package, ()) if name in words]
        texts = [self._world.read(path, MAX_SOURCE) or b"" for path in called]
        return b"\n".join([scripts, *(text for text in texts if text.startswith(b"#!"))])

    def _scripts(self) -> bytes:
        stem = self.package.encode()
        found = []
        for path in _info_files(self._world):
            name, _, kind = path[len(INFO) :].rpartition(b".")
            if name.partition(b":")[0] == stem and kind in SCRIPTS and self._world.is_sound(path):
                found.append(self._world.read(path, MAX_SCRIPT) or b"")
        return b"\n".join(found)

    def names(self, path: bytes) -> bool:
        """Whether the scripts name a path: in full, or its folder and its last part."""
        if path in self.text:
            return True
        folder, _, name = path.rpartition(b"/")
        return len(name) >= MIN_NAME and folder.count(b"/") > 1 and folder in self.text and self.says(name)

    def says(self, word: bytes) -> bool:
        """Whether a word stands in the scripts on its own."""
        return re.search(rb"(?:(?<![\w.-])|(?<= -[og]))" + re.escape(word) + rb"(?![\w-])", self.text) is not None

    def assigns(self, line: bytes) -> bool:
        """Whether a line gives a plain value to a setting whose name the scripts know."""
        found = _ASSIGNED.fullmatch(line)
        return found is not None and (self.says(found[1]) or self.patterns.fullmatch(found[1]) is not None)

    @cached_property
    def lines(self) -> frozenset[bytes]:
        """The lines that the scripts can write: their own, what they quote, those of packaged files they name."""
        found = set(_lines(_ESCAPED.sub(rb"\1", self.text)))
        for quoted in _QUOTED.findall(self.text):
            words = _ESCAPED.sub(rb"\1", b"".join(quoted)).replace(b"\\n", b"\n").replace(b"\\t", b"\t")
            found.update(_lines(words))
        for source in self._sources():
            found.update(_lines(self._world.read(source, MAX_SOURCE) or b""))
        return frozenset(found)

    @cached_property
    def patterns(self) -> re.Pattern[bytes]:
        """The lines with variables in them: one plain word may stand for each."""
        found = [b" ".join(line.split()) for line in self.lines if _VARIABLE.search(line)]
        fixed = [line for line in found if len(_LETTER.findall(_VARIABLE.sub(b"", line))) >= MIN_LETTERS]
        return re.compile(b"|".join(map(_expression, fixed)) or b"(?!)")

    def _sources(self) -> Iterable[bytes]:
        named = sorted(set(_PATH.findall(self.text)))[:MAX_SOURCES]
        own = [path for name, path in _settings(self._world).get(self.package, ()) if name in self.text]
        return [path for path in [*named, *own] if is_packaged_file(path, self._world)]


def is_packaged_file(path: bytes, world: World) -> bool:
    """Whether a regular file belongs to a package and is as it was or explained."""
    values = world.now(path)
    return (
        values is not None
        and values["kind"] == "file"
        and world.reader.owner(path) is not None
        and world.is_sound(path)
    )


def changed_maintainers(world: World) -> list[Maintainer]:
    """Return the scripts of the packages that came or have another version."""
    found = world.cached(("maintainers",), lambda: [_of(name, world) for name in world.changed_packages()])
    assert isinstance(found, list)  # cached under this key by this module only
    return found


def maintainer_of(package: str, world: World) -> Maintainer:
    """Return the scripts of one package."""
    return _of(package, world)


def naming(path: bytes, world: World) -> Maintainer | None:
    """Return a package that changed and whose scripts name a path."""
    return next((one for one in changed_maintainers(world) if one.names(path)), None)


def _of(package: str, world: World) -> Maintainer:
    made = world.cached(("maintainer", package), lambda: Maintainer(package, world))
    assert isinstance(made, Maintainer)  # cached under this key by this module only
    return made


def _commands(world: World) -> dict[str, list[tuple[bytes, bytes]]]:
    """Return {package: (name, path) of its sound programs}."""
    found = world.cached(("commands",), lambda: _by_package([p for f in COMMANDS for p in world.paths_in(f)], world))
    assert isinstance(found, dict)  # cached under this key by this module only
    return found


def _settings(world: World) -> dict[str, list[tuple[bytes, bytes]]]:
    """Return {package: (name, path) of the settings it ships}."""
    found = world.cached(("settings",), lambda: _by_package(world.paths_below(b"/etc"), world))
    assert isinstance(found, dict)  # cached under this key by this module only
    return found


def _by_package(paths: list[bytes], world: World) -> dict[str, list[tuple[bytes, bytes]]]:
    found: dict[str, list[tuple[bytes, bytes]]] = {}
    for path in paths:
        owner = world.reader.owner(path)
        if owner is not None and world.package_changed(owner.package) and is_packaged_file(path, world):
            found.setdefault(owner.package, []).append((path.rpartition(b"/")[2], path))
    return found


def _info_files(world: World) -> list[bytes]:
    found = world.cached(("info-files",), lambda: world.paths_in(INFO))
    assert isinstance(found, list)  # cached under this key by this module only
    return found


def _expression(line: bytes) -> bytes:
    """A line of a script as it may be written: each variable one plain word, or its own default."""
    parts, at = [], 0
    for found in _VARIABLE.finditer(line):
        parts += [re.escape(line[at : found.start()]), b"(?:", _PLAIN, b"|", re.escape(found["default"] or b""), b")"]
        at = found.end()
    return b"".join([*parts, re.escape(line[at:])])


def _lines(text: bytes) -> Iterable[bytes]:
    return (b" ".join(line.split()) for line in text.split(b"\n") if line.strip())


def unwritten(text: bytes, writers: Iterable[Maintainer]) -> list[bytes]:
    """Return the lines of a text that none of the scripts can have written; comments say nothing and do nothing."""
    said = list(writers)
    todo = [line for line in _lines(text) if not _COMMENT.match(line) and not any(line in one.lines for one in said)]
    todo = [line for line in todo if not any(one.patterns.fullmatch(line) for one in said)]
    return [line for line in todo if not any(one.assigns(line) for one in said)]

"""systemd's unit files: which folder wins, drop-ins, sections and settings, and what a link switches on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from hinomi.evidence.autostart.site import Site, joined
from hinomi.model.text import path_bytes, path_text

_SHARED = (b"/usr/local/lib/systemd", b"/usr/lib/systemd", b"/lib/systemd")
SYSTEM_FOLDERS = (
    b"/etc/systemd/system.control", b"/run/systemd/system.control", b"/run/systemd/transient", b"/etc/systemd/system",
    b"/run/systemd/system", *(base + b"/system" for base in _SHARED),
)  # fmt: skip
_USER_FOLDERS = (b"/etc/systemd/user", b"/run/systemd/user", *(base + b"/user" for base in _SHARED))
_HOME_FOLDERS = (b"/.config/systemd/user.control", b"/.config/systemd/user", b"/.local/share/systemd/user")
_KINDS = (".service", ".timer", ".socket", ".path", ".mount", ".automount", ".swap")
_LINK_FOLDERS = (b".wants", b".requires", b".upholds")
_SETTING = re.compile(r"([A-Za-z][A-Za-z0-9-]{0,60})\s*=\s*(.*)$", re.DOTALL)
EXEC_KEYS = frozenset(
    {"ExecStart", "ExecStartPre", "ExecStartPost", "ExecStop", "ExecStopPost", "ExecStopPre", "ExecReload"}
    | {"ExecCondition", "ExecReloadPost"}
)
MAX_SETTINGS = 2000


@dataclass(frozen=True, slots=True)
class Setting:
    """One `Key=value` of a unit or of its drop-in."""

    path: bytes
    line: int
    section: str
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit in force. `enabled`: True by a link, False with [Install] but no link, None where nothing says so."""

    name: str
    path: bytes
    enabled: bool | None
    settings: tuple[Setting, ...] = field(default=())

    def first(self, section: str, key: str) -> str | None:
        """Return the last value of a setting that is not empty."""
        values = [s.value for s in self.settings if s.section == section and s.key == key and s.value]
        return values[-1] if values else None


def parse_unit(path: bytes, text: str) -> Iterator[Setting]:
    r"""Yield the settings of a unit file; comments begin with `#` or `;`, `\` joins lines."""
    section = ""
    for count, (number, line) in enumerate(joined(text)):
        if line.startswith(";") or count >= MAX_SETTINGS:
            continue
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
            continue
        match = _SETTING.match(line)
        if match:
            yield Setting(path, number, section, match.group(1), match.group(2).strip())


@dataclass
class UnitFolders:
    """The unit folders of one manager (the system's, or one user's) in order of precedence."""

    site: Site
    folders: tuple[bytes, ...]
    own: tuple[bytes, ...] | None = None  # only units of these folders are reported

    def units(self) -> dict[str, Unit]:
        """Return the units in force by name: overridden and masked ones are left out, drop-ins are merged."""
        folders = self._distinct()
        links = self._links(folders)
        aliases = self._aliases(folders)
        found: dict[str, Unit] = {}
        masked: set[str] = set()
        for folder in folders:
            for raw in self.site.names(folder):
                name, path = path_text(raw), folder + b"/" + raw
                if not name.endswith(_KINDS) or name in found or name in masked:
                    continue
                if self._is_masked(path):
                    masked.add(name)
                elif path not in aliases and self.site.is_file(path) and self._reported(folder):
                    found[name] = self._unit(name, path, folders, links)
        return found

    def _reported(self, folder: bytes) -> bool:
        return self.own is None or folder in self.own

    def _distinct(self) -> list[bytes]:
        seen: dict[bytes, bytes] = {}
        for folder in self.folders:
            resolved = self.site.resolve(folder)
            if resolved is not None:
                seen.setdefault(resolved, folder)
        return list(seen.values())

    def _is_masked(self, path: bytes) -> bool:
        try:
            entry = self.site.view.entry(path)
        except OSError:
            return False
        if entry is None:
            return False
        return entry.link_target == b"/dev/null" or (entry.kind == "file" and entry.size == 0)

    def _links(self, folders: list[bytes]) -> set[str]:
        """Return the names that a .wants, .requires or .upholds folder holds (an instance also its template)."""
        names: set[str] = set()
        for folder in folders:
            for sub in self.site.names(folder):
                if sub.endswith(_LINK_FOLDERS):
                    names.update(path_text(name) for name in self.site.names(folder + b"/" + sub))
        names |= {re.sub(r"@[^@]*\.", "@.", name) for name in names if "@" in name}
        return names

    def _aliases(self, folders: list[bytes]) -> set[bytes]:
        """Return the paths of links that only give another unit of these folders a second name."""
        resolved = {self.site.resolve(folder) for folder in folders}
        found: set[bytes] = set()
        for folder in folders:
            for name in self.site.names(folder):
                path = folder + b"/" + name
                try:
                    entry = self.site.view.entry(path)
                except OSError:
                    continue
                if entry is not None and entry.kind == "symlink":
                    target = self.site.resolve(path)
                    if target is not None and target.rsplit(b"/", 1)[0] in resolved:
                        found.add(path)
        return found

    def _unit(self, name: str, path: bytes, folders: list[bytes], links: set[str]) -> Unit:
        settings = list(parse_unit(path, self.site.text(path) or ""))
        for dropin in self._dropins(name, folders):
            for setting in parse_unit(dropin, self.site.text(dropin) or ""):
                if setting.key in EXEC_KEYS and not setting.value:  # an empty value clears what stood before
                    settings = [s for s in settings if s.key != setting.key]
                settings.append(setting)
        installable = any(s.section == "Install" for s in settings)
        return Unit(name, path, True if name in links else False if installable else None, tuple(settings))

    def _dropins(self, name: str, folders: list[bytes]) -> Iterator[bytes]:
        stem, _, kind = name.rpartition(".")
        names = [name + ".d", kind + ".d"]
        if "@" in stem:
            names.append(stem.split("@")[0] + "@." + kind + ".d")
        seen: set[bytes] = set()
        for folder in folders:
            for sub in names:
                base = folder + b"/" + path_bytes(sub)
                for conf in self.site.names(base):
                    if conf.endswith(b".conf") and conf not in seen and self.site.is_file(base + b"/" + conf):
                        seen.add(conf)
                        yield base + b"/" + conf


def user_folders(site: Site) -> Iterator[tuple[UnitFolders, str | None, bytes | None]]:
    """Yield the folders of users' managers: first those for every user, then each home's own."""
    yield UnitFolders(site, _USER_FOLDERS), None, None
    for home in site.homes:
        own = tuple(home.path + folder for folder in _HOME_FOLDERS)
        yield UnitFolders(site, own, own), home.user, home.path

"""Software that Windows and macOS list as installed; they keep no record of which files belong to it."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from hinomi.evidence.autostart.site import Site
from hinomi.evidence.autostart.windows import find_path, user_homes
from hinomi.evidence.plist import plist_text, read_plist
from hinomi.evidence.registry import Hive
from hinomi.evidence.target import Target
from hinomi.model.errors import ParseError
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row
from hinomi.model.tables.host import Package
from hinomi.model.text import path_text

AREA = "packages"
MAX_ENTRIES = 10_000
_UNINSTALL = "Microsoft\\Windows\\CurrentVersion\\Uninstall"
_SOFTWARE = (b"Windows", b"System32", b"config", b"SOFTWARE")
_APPLICATIONS = (b"/Applications", b"/System/Applications", b"/Applications/Utilities")


class InstalledSoftware:
    """Adds to table `packages`: the Uninstall keys of a Windows volume, the bundles in macOS' application folders."""

    name = "installed-software"
    tables: tuple[type[Row], ...] = (Package,)

    def collect(self, target: Target, coverage: Coverage) -> Iterator[Row]:
        """Yield a row per entry."""
        site = Site(target, coverage, AREA)
        for row in (*_windows(site), *_macos(site)):
            coverage.count("packages")
            yield row


def _windows(site: Site) -> Iterator[Package]:
    machine = find_path(site, *_SOFTWARE)
    if machine is None:
        return
    yield from _hive(site, machine, (_UNINSTALL, "Wow6432Node\\" + _UNINSTALL))
    for home in user_homes(site):
        own = find_path(site, *home.path.strip(b"/").split(b"/"), b"NTUSER.DAT")
        if own is not None:
            yield from _hive(site, own, ("Software\\" + _UNINSTALL,))


def _hive(site: Site, path: bytes, keys: tuple[str, ...]) -> Iterator[Package]:
    try:
        with site.view.open(path) as file:
            hive = Hive(file)
            for name in keys:
                key = hive.key(name)
                for number, entry in enumerate(hive.subkeys(key) if key else ()):
                    if number >= MAX_ENTRIES:
                        site.coverage.miss(AREA, path_text(path), "too-large", f"more than {MAX_ENTRIES} programs")
                        break
                    values = hive.values(entry)
                    title, version = values.get("DisplayName"), values.get("DisplayVersion")
                    if isinstance(title, str) and title:
                        yield _row("windows", title, version if isinstance(version, str) else "", path)
    except ParseError as error:
        site.coverage.miss(AREA, path_text(path), "unparsable", error.cause)
    except OSError as error:
        site.lost(path, error)


def _macos(site: Site) -> Iterator[Package]:
    for folder in _APPLICATIONS:
        if site.resolve(folder) is None:
            continue
        for name in site.names(folder):
            path = folder + b"/" + name + b"/Contents/Info.plist"
            if not name.endswith(b".app") or not site.is_file(path):
                continue
            data = site.data(path)
            if data is None:
                continue
            try:
                about = read_plist(data, path_text(path))
            except ParseError as error:
                site.coverage.miss(AREA, path_text(path), "unparsable", error.cause)
                continue
            title = plist_text(about.get("CFBundleName")) or path_text(name.removesuffix(b".app"))
            version = plist_text(about.get("CFBundleShortVersionString")) or plist_text(about.get("CFBundleVersion"))
            yield _row("macos", title, version or "", path)


def _row(manager: str, name: str, version: str, path: bytes) -> Package:
    known = f"@{quote(version, safe='.-_~')}" if version else ""
    return Package(
        manager=manager, name=name[:300], version=version[:100], architecture=None, source=None,
        purl=f"pkg:generic/{quote(name[:300], safe='.-_~')}{known}", status="installed", path=path_text(path),
    )  # fmt: skip


COLLECTOR = InstalledSoftware()

"""Run keys, services and log-on programs in the registry hives of a mounted Windows volume."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hinomi.evidence.autostart.site import Home, Site
from hinomi.evidence.autostart.windows import find_path, program_of, user_homes
from hinomi.evidence.registry import Hive, Key
from hinomi.model.errors import ParseError
from hinomi.model.tables.host import Persistence
from hinomi.model.text import path_text

_CONFIG = (b"Windows", b"System32", b"config")
_VERSION = "Microsoft\\Windows\\CurrentVersion"
_RUN = ("Run", "RunOnce", "RunOnceEx", "RunServices", "RunServicesOnce", "Policies\\Explorer\\Run")
_WINLOGON = "Microsoft\\Windows NT\\CurrentVersion\\Winlogon"
_WINLOGON_VALUES = ("Shell", "Userinit", "Taskman", "VMApplet", "AppSetup", "GinaDLL")
_WINDOWS = "Microsoft\\Windows NT\\CurrentVersion\\Windows"
_IMAGE_OPTIONS = "Microsoft\\Windows NT\\CurrentVersion\\Image File Execution Options"
_STARTS = {0: "boot", 1: "boot", 2: "boot", 3: "event", 4: "event"}
MAX_SERVICES = 5000

Reader = Callable[[Site, bytes, Hive], Iterator[Persistence]]


def find(site: Site) -> Iterator[Persistence]:
    """Yield a row per command that a hive makes run by itself."""
    for name, reader in ((b"SOFTWARE", _software), (b"SYSTEM", _system)):
        path = find_path(site, *_CONFIG, name)
        if path is not None:
            yield from _read(site, path, reader)
    for home in user_homes(site):
        path = find_path(site, *home.path.strip(b"/").split(b"/"), b"NTUSER.DAT")
        if path is not None:
            yield from _read(site, path, _user_reader(home))


def _read(site: Site, path: bytes, reader: Reader) -> Iterator[Persistence]:
    try:
        with site.view.open(path) as file:
            hive = Hive(file)
            if hive.dirty:
                site.coverage.miss("persistence", path_text(path), "log-not-replayed", "changes may wait in .LOG files")
            yield from reader(site, path, hive)
    except ParseError as error:
        site.coverage.miss("persistence", path_text(path), "unparsable", error.cause)
    except OSError as error:
        site.lost(path, error)


def _software(site: Site, path: bytes, hive: Hive) -> Iterator[Persistence]:
    for base in ("", "Wow6432Node\\"):
        yield from _run_keys(site, path, hive, base + _VERSION, None)
        yield from _values(site, path, hive, base + _WINLOGON, _WINLOGON_VALUES, None)
        yield from _values(site, path, hive, base + _WINDOWS, ("AppInit_DLLs",), None)
        options = hive.key(base + _IMAGE_OPTIONS)
        for key in hive.subkeys(options) if options else ():
            debugger = hive.values(key).get("Debugger")
            if isinstance(debugger, str):
                yield _row(site, path, "run-key", f"{_IMAGE_OPTIONS}\\{key.name}\\Debugger", debugger, None, "event")


def _user_reader(home: Home) -> Reader:
    def read(site: Site, path: bytes, hive: Hive) -> Iterator[Persistence]:
        yield from _run_keys(site, path, hive, "Software\\" + _VERSION, home)
        yield from _values(site, path, hive, "Software\\" + _WINLOGON, _WINLOGON_VALUES, home)
        yield from _values(site, path, hive, "Software\\" + _WINDOWS, ("Load", "Run"), home)
        yield from _values(site, path, hive, "Environment", ("UserInitMprLogonScript",), home)
        yield from _values(site, path, hive, "Control Panel\\Desktop", ("SCRNSAVE.EXE",), home)

    return read


def _run_keys(site: Site, path: bytes, hive: Hive, base: str, home: Home | None) -> Iterator[Persistence]:
    for name in _RUN:
        key = hive.key(f"{base}\\{name}")
        for value, command in sorted(hive.values(key).items()) if key else ():
            if isinstance(command, str) and command:
                yield _row(site, path, "run-key", f"{base}\\{name}\\{value}", command, home, "login")


def _values(
    site: Site, path: bytes, hive: Hive, base: str, names: tuple[str, ...], home: Home | None
) -> Iterator[Persistence]:
    key = hive.key(base)
    present = {name.lower(): value for name, value in hive.values(key).items()} if key else {}
    for name in names:
        command = present.get(name.lower())
        if isinstance(command, str) and command.strip():
            for part in command.split(",") if name in ("Userinit", "Shell") else [command]:
                if part.strip():
                    yield _row(site, path, "run-key", f"{base}\\{name}", part.strip(), home, "login")


def _system(site: Site, path: bytes, hive: Hive) -> Iterator[Persistence]:
    select = hive.key("Select")
    current = hive.values(select).get("Current") if select else None
    services = hive.key(f"ControlSet{current if isinstance(current, int) else 1:03d}\\Services")
    for number, key in enumerate(hive.subkeys(services) if services else ()):
        if number >= MAX_SERVICES:
            site.coverage.miss("persistence", path_text(path), "too-large", f"more than {MAX_SERVICES} services")
            return
        yield from _service(site, path, hive, key)


def _service(site: Site, path: bytes, hive: Hive, key: Key) -> Iterator[Persistence]:
    values = hive.values(key)
    start = values.get("Start")
    number = start if isinstance(start, int) else 3
    commands = [values.get("ImagePath")]
    parameters = next((k for k in hive.subkeys(key) if k.name.lower() == "parameters"), None)
    if parameters is not None:
        commands.append(hive.values(parameters).get("ServiceDll"))
    account = values.get("ObjectName")
    for command in commands:
        if isinstance(command, str) and command:
            yield Persistence(
                mechanism="service", path=path_text(path), name=key.name, command=command[:2000],
                program=program_of(site, command), user=account if isinstance(account, str) else None,
                trigger=_STARTS.get(number, "event"), enabled=number != 4,
            )  # fmt: skip


def _row(
    site: Site, path: bytes, mechanism: str, name: str, command: str, home: Home | None, trigger: str
) -> Persistence:
    return Persistence(
        mechanism=mechanism, path=path_text(path), name=name, command=command[:2000],
        program=program_of(site, command, home), user=home.user if home else None, trigger=trigger, enabled=True,
    )  # fmt: skip

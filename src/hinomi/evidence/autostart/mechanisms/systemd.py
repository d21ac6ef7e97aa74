"""systemd units and timers of the system and of users, with drop-ins, links that enable them, and overrides."""

from __future__ import annotations

from collections.abc import Iterator

from hinomi.evidence.autostart.rows import command_rows, preload_rows
from hinomi.evidence.autostart.site import SEARCH_PATH, Site
from hinomi.evidence.autostart.units import EXEC_KEYS, SYSTEM_FOLDERS, Unit, UnitFolders, user_folders
from hinomi.model.tables.host import Persistence
from hinomi.model.text import path_text

_PREFIXES = "@-:+!|"
_SCHEDULES = ("OnCalendar", "OnBootSec", "OnStartupSec", "OnUnitActiveSec", "OnUnitInactiveSec", "OnActiveSec")


def find(site: Site) -> Iterator[Persistence]:
    """Yield a row per command of every unit in force, and one per timer with the command its service runs."""
    yield from _manager(site, UnitFolders(site, SYSTEM_FOLDERS), user="root", home=None)
    for folders, user, home in user_folders(site):
        yield from _manager(site, folders, user=user, home=home)


def _manager(site: Site, folders: UnitFolders, user: str | None, home: bytes | None) -> Iterator[Persistence]:
    units = folders.units()
    timers = {_service_of(unit): unit for unit in units.values() if unit.name.endswith(".timer")}
    for name in sorted(units):
        unit = units[name]
        if name.endswith(".timer"):
            yield from _timer(site, unit, units.get(_service_of(unit)), user, home)
        else:
            yield from _commands(site, unit, _trigger(unit, timers, user), user, home)


def _trigger(unit: Unit, timers: dict[str, Unit], user: str | None) -> str:
    """How the unit comes to run: a timer's schedule, boot (log-in for users' units), or an event."""
    if unit.name in timers:
        return "schedule"
    if unit.enabled is None or (unit.first("Service", "BusName") is not None and not unit.enabled):
        return "event"  # nothing links to it: a socket, the bus, another unit or a person starts it
    return "boot" if user == "root" else "login"


def _service_of(timer: Unit) -> str:
    return timer.first("Timer", "Unit") or timer.name.removesuffix(".timer") + ".service"


def _commands(site: Site, unit: Unit, trigger: str, user: str | None, home: bytes | None) -> Iterator[Persistence]:
    account = _account(unit, user)
    for setting in unit.settings:
        if setting.key in EXEC_KEYS and setting.value:
            yield from command_rows(
                site, "systemd-unit", setting.path, bare(setting.value, home), home=home, search=SEARCH_PATH,
                line=setting.line, name=unit.name, user=account, trigger=trigger, enabled=unit.enabled,
            )  # fmt: skip
        elif setting.key == "Environment":
            yield from preload_rows(site, setting.path, setting.line, setting.value, user=account)


def _timer(site: Site, unit: Unit, service: Unit | None, user: str | None, home: bytes | None) -> Iterator[Persistence]:
    times = [f"{s.key}={s.value}" for s in unit.settings if s.key in _SCHEDULES and s.value]
    starts = [s.value for s in service.settings if s.key == "ExecStart" and s.value] if service else []
    for value in starts or [_service_of(unit)]:
        yield from command_rows(
            site, "systemd-timer", unit.path, bare(value, home), home=home, name=unit.name,
            user=_account(service, user) if service else user,
            trigger="schedule", schedule="; ".join(times)[:500] or None, enabled=unit.enabled,
        )  # fmt: skip


def _account(unit: Unit, user: str | None) -> str | None:
    """Return whom the unit runs as; a specifier (`%i`) names nobody yet."""
    named = unit.first("Service", "User") or user
    return None if named is None or "%" in named else named


def bare(value: str, home: bytes | None) -> str:
    """Return the command of an Exec line: prefixes and the `@` form's second word dropped, `%h` and `%%` filled in."""
    stripped = value.lstrip(_PREFIXES)
    if "@" in value[: len(value) - len(stripped)]:
        program, _, rest = stripped.partition(" ")
        stripped = f"{program} {rest.partition(' ')[2]}".rstrip()
    if home is not None:
        stripped = stripped.replace("%h", path_text(home))
    return stripped.replace("%%", "%").replace("$$", "$").strip()

"""The kernel's own lists of its modules, each read apart: a module that hides is missing from some, seldom from all."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from hinomi.evidence.process import procfs

MAX_LIST = 64 << 20
MAX_NAMES = 20_000
MAX_HOOKS = 100  # listed per module
_STATES = {
    b"live": "live",
    b"coming": "loading",
    b"going": "unloading",
    b"loading": "loading",
    b"unloading": "unloading",
}
_SYMBOL = re.compile(rb"\[([A-Za-z0-9_.-]{1,64})\][ \t]*$", re.MULTILINE)
_HOOK = re.compile(rb"^(\S{1,200}) \(\d{1,6}\).*?\[([A-Za-z0-9_.-]{1,64})\]", re.MULTILINE)
# what the kernel writes in the same brackets without being a module
_NO_MODULES = re.compile(rb"bpf|__builtin__.*|kprobes?|ftrace|eprobes?")
_TRACING = (b"/sys/kernel/tracing/", b"/sys/kernel/debug/tracing/")


@dataclass(slots=True)
class Listed:
    """What /proc/modules says of one module."""

    size: int | None = None
    users: list[str] = field(default_factory=list)
    state: str | None = None
    taint: str = ""


@dataclass(slots=True)
class ModuleLists:
    """The lists of one moment; None for one that this kernel does not have or that cannot be read."""

    modules: dict[str, Listed] | None = None
    sysfs: dict[str, str] | None = None  # name -> state
    symbols: set[str] | None = None
    tracing: set[str] | None = None
    hooks: dict[str, list[str]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)

    def views(self, name: str) -> list[str]:
        """Return which lists name a module."""
        lists = (("modules", self.modules), ("sysfs", self.sysfs), ("symbols", self.symbols), ("tracing", self.tracing))
        return [view for view, names in lists if names is not None and name in names]

    def hidden_from(self, name: str) -> list[str]:
        """Return which lists should name a module, but do not; not every module has symbols of its own."""
        lists = (("modules", self.modules), ("sysfs", self.sysfs))
        return [view for view, names in lists if names is not None and name not in names]

    def names(self) -> list[str]:
        """Return every name in any list."""
        found: set[str] = set(self.modules or ()) | set(self.sysfs or ())
        found |= (self.symbols or set()) | (self.tracing or set()) | set(self.hooks)
        return sorted(found)[:MAX_NAMES]


def read_lists(root: bytes = b"") -> ModuleLists:
    """Read every list; `root` is put before the kernel's paths (a test's own folder)."""
    lists = ModuleLists()
    lists.modules = _listed(_data(root + b"/proc/modules", lists))
    lists.sysfs = _sysfs(root + b"/sys/module")
    symbols = _data(root + b"/proc/kallsyms", lists)
    lists.symbols = None if symbols is None else _names(symbols)
    for folder in _TRACING:
        functions = _data(root + folder + b"available_filter_functions", lists)
        if functions is not None:
            lists.tracing = _names(functions)
            lists.hooks = _hooks(_data(root + folder + b"enabled_functions", lists) or b"")
            break
    return lists


def loadable(root: bytes = b"") -> bool:
    """Whether this kernel can load modules at all."""
    return os.path.exists(root + b"/proc/modules")


def module_files(release: bytes, root: bytes = b"") -> dict[str, bytes]:
    """Return the files of a kernel's modules by name, from its modules.dep; empty where it has none."""
    folder = root + b"/lib/modules/" + release
    try:
        data = procfs.read(folder + b"/modules.dep", MAX_LIST)
    except OSError:
        return {}
    found = {}
    for line in data.split(b"\n"):
        path = line.partition(b":")[0]
        if path:
            name = re.sub(rb"\.ko(\.\w+)?$", b"", path.rsplit(b"/", 1)[-1])
            place = path if path.startswith(b"/") else folder.removeprefix(root) + b"/" + path
            found[_plain(name)] = place
    return found


def _data(path: bytes, lists: ModuleLists) -> bytes | None:
    try:
        return procfs.read(path, MAX_LIST)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        lists.refused.append(path.decode("ascii", "replace"))
        return None


def _plain(name: bytes) -> str:
    return name.replace(b"-", b"_").decode("ascii", "replace")


def _listed(data: bytes | None) -> dict[str, Listed] | None:
    """Read `name size count users state address (taint)` lines."""
    if data is None:
        return None
    found = {}
    for line in data.split(b"\n"):
        parts = line.split()
        if len(parts) >= 5 and parts[1].isdigit():
            users = [_plain(u) for u in parts[3].split(b",") if u and u not in (b"-", b"[permanent]")]
            taint = parts[6].strip(b"()").decode("ascii", "replace") if len(parts) > 6 else ""
            state = _STATES.get(parts[4].lower())
            found[_plain(parts[0])] = Listed(int(parts[1]), users, state, taint)
    return found


def _sysfs(folder: bytes) -> dict[str, str] | None:
    """Return the loadable modules of sysfs: built-in ones have a folder too, but no state."""
    try:
        names = os.listdir(folder)
    except OSError:
        return None
    found = {}
    for name in names:
        try:
            state = procfs.read(folder + b"/" + name + b"/initstate", 64).strip()
        except OSError:
            continue
        found[_plain(name)] = _STATES.get(state, "live")
    return found


def _names(data: bytes) -> set[str]:
    return {_plain(name) for name in set(_SYMBOL.findall(data)) if not _NO_MODULES.fullmatch(name)}


def _hooks(data: bytes) -> dict[str, list[str]]:
    """Return the functions that each module redirects: `function (1) R I tramp: 0x… (callback+0x0/0x30 [module])`."""
    found: dict[str, list[str]] = defaultdict(list)
    for function, name in _HOOK.findall(data):
        listed = found[_plain(name)]
        if not _NO_MODULES.fullmatch(name) and len(listed) < MAX_HOOKS:
            listed.append(function.decode("ascii", "replace"))
    return {name: hooks for name, hooks in found.items() if hooks}


def stable_hidden(first: ModuleLists, again: ModuleLists) -> Iterator[tuple[str, list[str]]]:
    """Yield the modules that two looks find missing from a list, neither being loaded nor unloaded meanwhile."""
    for name in first.names():
        hidden = set(first.hidden_from(name)) & set(again.hidden_from(name))
        states = {lists.sysfs.get(name) for lists in (first, again) if lists.sysfs}
        if hidden and again.views(name) and not states & {"loading", "unloading"}:
            yield name, sorted(hidden)

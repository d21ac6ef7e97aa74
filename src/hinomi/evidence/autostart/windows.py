"""A mounted Windows volume: names without regard to case, user folders, and commands with `%VARIABLES%`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hinomi.evidence.autostart.site import Home, Site
from hinomi.model.text import path_bytes, path_text

_USER_PARENTS = (b"Users", b"Documents and Settings")
_VARIABLES = {
    "systemroot": "/Windows", "windir": "/Windows", "systemdrive": "", "programfiles": "/Program Files",
    "programfiles(x86)": "/Program Files (x86)", "programdata": "/ProgramData", "allusersprofile": "/ProgramData",
    "public": "/Users/Public", "commonprogramfiles": "/Program Files/Common Files",
}  # fmt: skip
_HOME_VARIABLES = {
    "userprofile": "", "appdata": "/AppData/Roaming", "localappdata": "/AppData/Local", "temp": "/AppData/Local/Temp",
    "tmp": "/AppData/Local/Temp",
}  # fmt: skip
_VARIABLE = re.compile(r"%([A-Za-z()0-9_]{1,40})%")
_PROGRAM = re.compile(
    r"(?i).{1,400}?\.(?:exe|com|bat|cmd|scr|pif|vbs|vbe|js|jse|wsf|ps1|dll|hta|lnk|cpl|msc|sys)(?=[\s,\"]|$)"
)
_HOSTS = frozenset({"rundll32", "regsvr32", "wscript", "cscript", "mshta", "powershell", "pwsh", "cmd", "conhost"})
_SEARCH = ("/Windows/System32", "/Windows", "/Windows/SysWOW64", "/Windows/System32/WindowsPowerShell/v1.0")
_NT_PREFIXES = ("\\??\\", "\\\\?\\", "file:///")


def find_path(site: Site, *parts: bytes) -> bytes | None:
    """Return the path whose parts match without regard to case, None where one is missing."""
    path = b""
    for part in parts:
        exact = path + b"/" + part
        if site.entry(exact) is None:
            names = {_folded(name): name for name in reversed(site.names(path or b"/"))}
            if _folded(part) not in names:
                return None
            exact = path + b"/" + names[_folded(part)]
        path = exact
    return path or b"/"


def _folded(name: bytes) -> str:
    return path_text(name).casefold()


def user_homes(site: Site) -> Iterator[Home]:
    """Yield the profile folders of a Windows volume."""
    for parent in _USER_PARENTS:
        folder = find_path(site, parent)
        for name in site.names(folder) if folder else ():
            entry = site.entry(folder + b"/" + name) if folder else None
            if folder and entry is not None and entry.kind == "directory":
                yield Home(folder + b"/" + name, path_text(name))


def program_of(site: Site, command: str, home: Home | None = None) -> str | None:
    """Return the path inside the volume of the program that a Windows command line starts.

    What a host program (rundll32, wscript, `powershell -File`, `cmd /c`) is given to run counts as the program.
    """
    text = _expanded(command[:2000], home).strip()
    for prefix in _NT_PREFIXES:
        text = text.removeprefix(prefix)
    first, rest = _first(text)
    stem = first.rsplit("/", 1)[-1].rsplit("\\", 1)[-1].lower().removesuffix(".exe")
    if stem in _HOSTS:
        hosted = _hosted(rest)
        if hosted is not None:
            return located(site, hosted) or located(site, first)
    return located(site, first)


def _expanded(text: str, home: Home | None) -> str:
    def fill(match: re.Match[str]) -> str:
        name = match.group(1).lower()
        if name in _VARIABLES:
            return "C:" + _VARIABLES[name]
        if home is not None and name in _HOME_VARIABLES:
            return "C:" + path_text(home.path) + _HOME_VARIABLES[name]
        return match.group(0)

    return _VARIABLE.sub(fill, text)


def _first(text: str) -> tuple[str, str]:
    """Split a command line into its program and the rest; unquoted paths may hold spaces, bare names may not."""
    if text.startswith('"'):
        program, _, rest = text[1:].partition('"')
        return program, rest
    program, _, rest = text.partition(" ")
    match = _PROGRAM.match(text) if any(mark in program for mark in "\\/:") else None
    return (match.group(0), text[match.end() :]) if match else (program, rest)


def _hosted(rest: str) -> str | None:
    words: list[str] = [a or b for a, b in re.findall(r"\"([^\"]{1,500})\"|([^\s\",]{1,500})", rest[:2000])]
    for word in words:
        if not word.startswith("-") and not re.fullmatch(r"/[A-Za-z]{1,3}(:.*)?", word) and _PROGRAM.match(word):
            return word
    return None


def located(site: Site, path: str) -> str | None:
    """Return a Windows path as the volume's own (`C:\\A\\b.exe` -> `/A/b.exe`); bare names are searched."""
    text = path.strip().replace("\\", "/")
    text = re.sub(r"^[A-Za-z]:", "", text)
    if not text or "%" in text:
        return None
    if re.match(r"(?i)/?systemroot/", text):
        text = "/Windows/" + text.lstrip("/").split("/", 1)[1]
    elif text.lower().startswith("system32/"):
        text = "/Windows/" + text
    if "/" not in text:
        return _searched(site, text)
    parts = [path_bytes(part) for part in text.split("/") if part not in ("", ".", "..")]
    found = find_path(site, *parts)
    return path_text(found) if found else "/" + "/".join(path_text(part) for part in parts)


def _searched(site: Site, name: str) -> str | None:
    for folder in _SEARCH:
        for suffix in ("", ".exe"):
            found = find_path(site, *(path_bytes(part) for part in folder[1:].split("/")), path_bytes(name + suffix))
            if found is not None and site.is_file(found):
                return path_text(found)
    return None

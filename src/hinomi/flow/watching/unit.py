"""The systemd unit of the watch: only the case can be written, and only what listening needs is allowed."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

# fanotify and file handles: SYS_ADMIN, DAC_READ_SEARCH; other users' /proc: SYS_PTRACE; process connector: NET_ADMIN;
# the sensor's priority: SYS_NICE; log-in users and audit stay as they are.
CAPABILITIES = ("CAP_SYS_ADMIN", "CAP_DAC_READ_SEARCH", "CAP_SYS_PTRACE", "CAP_NET_ADMIN", "CAP_SYS_NICE")
_UNIT = """\
[Unit]
Description=Hinomi: files and processes, watched live
Documentation=man:fanotify(7)
After=local-fs.target
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart={command}
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=2
KillMode=mixed
TimeoutStopSec=60
Nice=5
OOMScoreAdjust=-500
MemoryHigh=400M
LimitNOFILE=65536

# only the case is written
ProtectSystem=strict
ReadWritePaths={case}
CapabilityBoundingSet={capabilities}
AmbientCapabilities=
NoNewPrivileges=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
DevicePolicy=closed
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=fanotify_init fanotify_mark open_by_handle_at
SystemCallFilter=~@mount @swap @reboot @raw-io @module @cpu-emulation @obsolete
SystemCallErrorNumber=EPERM
RestrictAddressFamilies=AF_UNIX AF_NETLINK{network}
IPAddressDeny={denied}
UMask=0077
# not set, because they would hide what is to be watched: PrivateTmp, ProtectHome, PrivateMounts, PrivateDevices,
# ProtectProc, PrivateUsers; nor MemoryDenyWriteExecute: YARA rules are compiled to machine code

[Install]
WantedBy=multi-user.target
"""


def unit_text(program: Sequence[str], case: Path, arguments: Sequence[str], *, network: bool) -> str:
    """Return the unit. `program` starts Hinomi; without `network` alerts can go to this machine only."""
    command = [*program, "watch", "run", "--quiet", "--case", str(case), *arguments]
    return _UNIT.format(
        command=" ".join(_quoted(word) for word in command), case=_quoted(str(case)),
        capabilities=" ".join(CAPABILITIES), network=" AF_INET AF_INET6" if network else "",
        denied="" if network else "any",
    )  # fmt: skip


def _quoted(word: str) -> str:
    """Quote a word for a unit file: `%` and `$` would be replaced there."""
    return shlex.quote(word).replace("%", "%%").replace("$", "$$")

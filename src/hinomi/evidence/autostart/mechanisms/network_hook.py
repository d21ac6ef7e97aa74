"""Programs run when a network interface, a link or a power state changes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hinomi.evidence.autostart.rows import command_rows, file_row
from hinomi.evidence.autostart.site import Site
from hinomi.model.tables.host import Persistence

_FOLDERS = (
    b"/etc/network/if-pre-up.d", b"/etc/network/if-up.d", b"/etc/network/if-down.d", b"/etc/network/if-post-down.d",
    b"/etc/NetworkManager/dispatcher.d", b"/usr/lib/NetworkManager/dispatcher.d",
    b"/etc/NetworkManager/dispatcher.d/pre-up.d", b"/etc/networkd-dispatcher/routable.d",
    b"/etc/networkd-dispatcher/configured.d", b"/usr/lib/networkd-dispatcher/routable.d",
    b"/etc/dhcp/dhclient-enter-hooks.d", b"/etc/dhcp/dhclient-exit-hooks.d", b"/etc/ppp/ip-up.d", b"/etc/ppp/ip-down.d",
    b"/etc/acpi", b"/etc/pm/sleep.d", b"/etc/apm/event.d", b"/etc/hotplug.d/net", b"/etc/hotplug.d/iface",
    b"/etc/udhcpc.user.d", b"/etc/dhcpcd.exit-hook.d",
)  # fmt: skip
_FILES = (
    b"/etc/ppp/ip-up", b"/etc/ppp/ip-down", b"/etc/dhcpcd.exit-hook", b"/etc/dhcpcd.enter-hook",
    b"/etc/udhcpc.user",
    b"/etc/dhcp/dhclient-exit-hooks", b"/etc/dhcp/dhclient-enter-hooks",
)  # fmt: skip
_UP = re.compile(r"(pre-up|up|post-up|down|pre-down|post-down)\s+(.+)$")


def find(site: Site) -> Iterator[Persistence]:
    """Yield a row per program."""
    for path in (*site.files(*_FOLDERS), *(path for path in _FILES if site.is_file(path))):
        enabled = b"hooks" in path or site.is_executable(path)  # hooks of a DHCP client are read in, not run
        yield file_row(site, "network-hook", path, user="root", trigger="event", enabled=enabled)
    for path in (b"/etc/network/interfaces", *site.files(b"/etc/network/interfaces.d")):
        for number, line in site.joined_lines(path):
            match = _UP.match(line)
            if match:
                yield from command_rows(
                    site, "network-hook", path, match.group(2), line=number, name=match.group(1), user="root",
                    trigger="event", enabled=True,
                )  # fmt: skip

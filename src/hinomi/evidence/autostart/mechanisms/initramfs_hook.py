"""Scripts that go into, or run while building, the initial RAM disk, and hooks of kernel installation."""

from __future__ import annotations

from collections.abc import Iterator

from hinomi.evidence.autostart.rows import file_row
from hinomi.evidence.autostart.site import Site
from hinomi.model.tables.host import Persistence

_BOOT = (b"/etc/initramfs-tools/scripts", b"/usr/share/initramfs-tools/scripts")
_BUILD = (
    b"/etc/initramfs-tools/hooks", b"/usr/share/initramfs-tools/hooks", b"/etc/initcpio/hooks",
    b"/etc/initcpio/install", b"/etc/initcpio/post", b"/etc/kernel", b"/etc/initramfs", b"/etc/dracut.conf.d",
    b"/usr/lib/dracut/modules.d", b"/etc/kernel/install.d", b"/usr/lib/kernel/install.d",
)  # fmt: skip
_DEPTH = 3


def find(site: Site) -> Iterator[Persistence]:
    """Yield a row per script."""
    for folders, trigger in ((_BOOT, "boot"), (_BUILD, "install")):
        seen: set[bytes] = set()
        for folder in folders:
            for path in site.tree(folder, _DEPTH):
                if path not in seen and (site.is_executable(path) or path.endswith(b".sh")):
                    seen.add(path)
                    yield file_row(site, "initramfs-hook", path, user="root", trigger=trigger)

"""opkg, on the layout of OpenWrt."""

from __future__ import annotations

from hinomi.evidence.collectors.packages import COLLECTOR
from hinomi.evidence.sources.memory import memory_target
from hinomi.model.findings import Coverage

STATUS = f"""\
Package: dropbear
Version: 2022.82-6
Status: install user installed
Architecture: mips_24kc
Conffiles:
 /etc/config/dropbear {"ab" * 32}

"""
TREE = {
    "/etc/os-release": 'ID="openwrt"\nVERSION_ID="23.05.2"\n',
    "/usr/lib/opkg/status": STATUS,
    "/usr/lib/opkg/info/dropbear.list": "/usr/sbin/dropbear\n/etc/config/dropbear\n/usr/lib/x\t0100644\n",
}


def test_packages_and_ownership() -> None:
    target = memory_target(TREE)
    rows = list(COLLECTOR.collect(target, Coverage()))
    assert [(row.manager, row.name, row.status, row.purl) for row in rows] == [  # type: ignore[attr-defined]
        ("opkg", "dropbear", "installed", "pkg:opkg/openwrt/dropbear@2022.82-6?arch=mips_24kc&distro=openwrt-23.05.2")
    ]
    ownership = target.ownership
    assert ownership.state(b"/usr/sbin/dropbear", None) == "intact"
    assert ownership.state(b"/etc/config/dropbear", "cd" * 32) == "modified"
    assert ownership.package_of(b"/usr/lib/x") == "dropbear"
    assert ownership.state(b"/usr/sbin/foreign", None) == "unowned"

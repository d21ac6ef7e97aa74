"""What an upgrade of a real Debian leaves unexplained, and whether what was set in its shadow stands out.

    python -m benchmarks upgrade --online [--keep DIR]

A root is made with debootstrap from the mirrors that this machine's apt knows, and some fifty packages are installed.
It is sealed, then everything is upgraded, a hundred and fifty packages come, some go, units are enabled, locales and
initial RAM disks built. Bars: nothing unexplained; and of a dozen things an intruder would set during the same upgrade
every one is a finding, at the severity that it deserves. Needs root, debootstrap and the network; some 2 GB.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks._measure import hinomi, note

BASE = (
    "systemd-sysv udev ca-certificates openssl openssh-server python3-minimal man-db cron logrotate rsyslog "
    "nginx-light initramfs-tools linux-image-cloud-amd64 vim-tiny sudo less"
)
MORE = (
    "redis-server apache2 locales fontconfig fonts-dejavu-core desktop-file-utils shared-mime-info vim python3 "
    "python3-yaml dbus polkitd unattended-upgrades apparmor cryptsetup-initramfs ssl-cert tcpdump php-fpm dnsmasq-base "
    "grub-pc lvm2 mdadm debconf-utils groff info gnupg tzdata git perl bash-completion exim4-daemon-light"
)
AFTER = """
locale-gen; apt-get remove -y nginx-light; apt-get purge -y vim-tiny; logrotate -f /etc/logrotate.conf
systemctl enable redis-server; systemctl disable apache2; update-initramfs -u -k all; apt-get autoremove -y
ldconfig; fc-cache -f; update-mime-database /usr/share/mime
"""
_APART = """
set -e; root=$1; shift; mount --make-rprivate /
mount -t proc proc "$root/proc"; mount -t tmpfs tmp "$root/tmp"; mount -t tmpfs dev "$root/dev"
for node in null zero full random urandom tty
do touch "$root/dev/$node"; mount --bind "/dev/$node" "$root/dev/$node"; done
mkdir "$root/dev/shm" "$root/dev/pts"; ln -s /proc/self/fd "$root/dev/fd"
exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive LC_ALL=C \\
  sh -c "$1"
"""
ORDER = ("info", "low", "medium", "high", "critical")


def main(arguments: Sequence[str] = ()) -> int:
    """Make the root, upgrade it, print what is unexplained, then set the trojans and print what is found."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--keep", type=Path, help="make the root here and leave it")
    parser.add_argument("--online", action="store_true", help="yes, fetch some 400 MB of packages")
    options, _ = parser.parse_known_args(arguments)
    keep = options.keep
    if not options.online:
        print("not run: fetches packages, give --online")
        return 0
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        print("needs root and debootstrap")
        return 0
    place = keep or Path(tempfile.mkdtemp(prefix="hinomi-bench-upgrade-"))
    try:
        return _run(place)
    finally:
        if keep is None:
            shutil.rmtree(place, ignore_errors=True)


def _run(place: Path) -> int:
    place.mkdir(parents=True, exist_ok=True)
    root, case = place / "root", place / "case"
    _bootstrap(root)
    _key(place / "key.pem")
    _baseline("create", root, case, "--key", str(place / "key.pem"))
    _upgrade(root)
    changes, _ = _verified(root, case)
    left = [change for change in changes if not change["explained"]]
    print(f"{len(changes):,} changes, {len(changes) - len(left):,} explained, {len(left)} unexplained")
    for why, count in Counter(change["why"] for change in changes if change["explained"]).most_common():
        print(f"  {count:6,} {why}")
    for change in left:
        print(f"  ? {change['what']} {change['path']} {change['by'] or ''}")
    return int(bool(left)) | _trojans(root, case)


# --- the system ---------------------------------------------------------------------------------------------------


def _bootstrap(root: Path) -> None:
    if (root / "etc/apt/sources.list").exists():  # kept from an earlier run
        return
    suite, mirrors = _mirrors()
    note(f"debootstrap of {suite}")
    _quiet("debootstrap", "--variant=minbase", suite, str(root), mirrors[suite])
    (root / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n")  # no daemon is started
    (root / "usr/sbin/policy-rc.d").chmod(0o755)
    sources = root / "etc/apt/sources.list"
    sources.write_text(f"deb {mirrors[suite]} {suite} main\n")
    _inside(root, f"apt-get update; apt-get install -y --no-install-recommends {BASE}")
    lines = [f"deb {uri} {name} main\n" for name, uri in mirrors.items() if name != suite]
    sources.with_name("sources.list").write_text("".join([sources.read_text(), *lines]))


def _mirrors() -> tuple[str, dict[str, str]]:
    """Return this machine's own suite and {suite: address} of it with its updates."""
    words = ["apt-get", "indextargets", "--format", "$(CODENAME) $(REPO_URI) $(LABEL)", "Created-By: Packages"]
    rows = [
        line.split(" ", 2)
        for line in subprocess.run(words, check=True, capture_output=True, text=True).stdout.splitlines()
    ]
    debian = {row[0]: row[1] for row in rows if len(row) == 3 and row[2].startswith("Debian")}
    if not debian:
        raise SystemExit("this machine's apt knows no Debian mirror (run apt-get update)")
    suite = min(debian, key=len)
    return suite, {name: uri for name, uri in debian.items() if name.startswith(suite)}


def _upgrade(root: Path) -> None:
    note("upgrade")
    _inside(root, "apt-get update; apt-get dist-upgrade -y")
    _inside(root, f"apt-get install -y --no-install-recommends {MORE}")
    _inside(root, AFTER)


def _inside(root: Path, script: str) -> None:
    """Run a shell script in the root, in namespaces of its own: nothing stays mounted, no process stays."""
    _quiet("unshare", "--mount", "--pid", "--fork", "sh", "-c", _APART, "sh", str(root), script)


def _quiet(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(words[:3])}: {done.stdout[-1500:]}{done.stderr[-1500:]}")


# --- baselines ----------------------------------------------------------------------------------------------------


def _key(path: Path) -> None:
    if not path.exists():
        subprocess.run(hinomi("baseline", "key", "--no-passphrase", str(path)), check=True, capture_output=True)


def _baseline(verb: str, root: Path, case: Path, *options: str) -> str:
    words = hinomi("baseline", verb, str(root), "--case", str(case), "--lang", "en", *options)
    done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, "HINOMI_PASSPHRASE": "benchmark"})
    if done.returncode not in (0, 1, 3):
        raise SystemExit(f"baseline {verb}: {done.stderr[-2000:]}")
    return done.stdout


def _verified(root: Path, case: Path) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Return all changes and the findings."""
    lines = map(json.loads, _baseline("verify", root, case, "--format", "jsonl").splitlines())
    findings = [line for line in lines if line["schema"].startswith("hinomi.finding")]
    changes = map(json.loads, _baseline("show", root, case, "--changes", "--format", "jsonl").splitlines())
    return list(changes), findings


# --- what an intruder sets ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trojan:
    """One thing set during the upgrade: what it is about, and the least severity of a finding about it."""

    name: str
    subject: str
    severity: str
    plant: Callable[[Path], None]


def _trojans(root: Path, case: Path) -> int:
    planted = list(_kinds(root))
    for trojan in planted:
        trojan.plant(root)
    _, findings = _verified(root, case)
    missed = 0
    for trojan in planted:
        found = [f for f in findings if f["subject"]["key"] == trojan.subject]  # type: ignore[index]
        best = max((ORDER.index(f["severity"]) for f in found), default=-1)  # type: ignore[arg-type]
        fine = best >= ORDER.index(trojan.severity)
        missed += not fine
        print(
            "  found " if fine else "  MISSED",
            f"{trojan.name}: {ORDER[best] if found else 'nothing'} on {trojan.subject}",
        )
    print(f"{len(planted) - missed} of {len(planted)} trojans stand out")
    return int(missed > 0)


def _kinds(root: Path) -> Iterator[Trojan]:
    initrd = max((root / "boot").glob("initrd.img-*"))
    yield Trojan("a packaged program", "/usr/bin/redis-cli", "high", _append("usr/bin/redis-cli"))
    yield Trojan(
        "a program with its manifest", "/usr/bin/openssl", "high", _with_manifest("usr/bin/openssl", "openssl")
    )
    yield Trojan("… the manifest itself", "package openssl", "high", lambda root: None)
    yield Trojan(
        "a maintainer script",
        "/var/lib/dpkg/info/redis-server.postinst",
        "high",
        _append("var/lib/dpkg/info/redis-server.postinst", b"\ntrue\n"),
    )
    yield Trojan("a unit", "/usr/lib/systemd/system/net-helper.service", "high", _unit)
    yield Trojan(
        "… enabled", "/etc/systemd/system/multi-user.target.wants/net-helper.service", "high", lambda root: None
    )
    yield Trojan("a member of the initrd", "/" + str(initrd.relative_to(root)), "high", _member(initrd))
    yield Trojan("an account", "/etc/passwd", "high", _append("etc/passwd", b"backup2:x:0:0::/root:/bin/bash\n"))
    yield Trojan(
        "… with a password",
        "/etc/shadow",
        "high",
        _append("etc/shadow", b"backup2:$y$j9T$abc$def:19000:0:99999:7:::\n"),
    )
    yield Trojan(
        "a preloaded library", "/etc/ld.so.preload", "critical", _append("etc/ld.so.preload", b"/usr/lib/libz-2.so\n")
    )
    yield Trojan(
        "a setting of a package",
        "/etc/redis/redis.conf",
        "medium",
        _append("etc/redis/redis.conf", b"\nrename-command CONFIG x\n"),
    )
    yield Trojan(
        "a copied setting",
        "/etc/php/8.2/fpm/php.ini",
        "medium",
        _append("etc/php/8.2/fpm/php.ini", b"\nauto_prepend_file=/tmp/x\n"),
    )
    yield Trojan(
        "an alternative",
        "/etc/alternatives/editor",
        "medium",
        _link("etc/alternatives/editor", "/usr/local/bin/editor"),
    )
    yield Trojan("a program turned into a link", "/usr/bin/tcpdump", "high", _link("usr/bin/tcpdump", "true"))
    yield Trojan(
        "a PAM module",
        "/etc/pam.d/common-session",
        "high",
        _append("etc/pam.d/common-session", b"session optional pam_exec.so /usr/bin/true\n"),
    )
    yield Trojan(
        "a schedule", "/etc/cron.d/sync", "high", _append("etc/cron.d/sync", b"* * * * * root /usr/bin/true\n")
    )


def _append(path: str, data: bytes = b"\0") -> Callable[[Path], None]:
    def plant(root: Path) -> None:
        with (root / path).open("ab") as file:
            file.write(data)

    return plant


def _with_manifest(path: str, package: str) -> Callable[[Path], None]:
    def plant(root: Path) -> None:
        import hashlib

        _append(path)(root)
        manifest = root / f"var/lib/dpkg/info/{package}.md5sums"
        digest = hashlib.md5((root / path).read_bytes(), usedforsecurity=False).hexdigest()
        lines = [
            f"{digest}  {path}" if line.endswith("  " + path) else line for line in manifest.read_text().splitlines()
        ]
        manifest.write_text("\n".join([*lines, ""]))

    return plant


def _link(path: str, target: str) -> Callable[[Path], None]:
    def plant(root: Path) -> None:
        (root / path).unlink()
        (root / path).symlink_to(target)

    return plant


def _unit(root: Path) -> None:
    text = "[Service]\nExecStart=/usr/bin/true\n[Install]\nWantedBy=multi-user.target\n"
    (root / "usr/lib/systemd/system/net-helper.service").write_text(text)
    wants = root / "etc/systemd/system/multi-user.target.wants/net-helper.service"
    wants.symlink_to("/usr/lib/systemd/system/net-helper.service")


def _member(initrd: Path) -> Callable[[Path], None]:
    """A further archive at the end: its members are unpacked over those before."""

    def plant(root: Path) -> None:
        out = io.BytesIO()
        for name, data in ((b"scripts/init-top/net", b"#!/bin/sh\ntrue\n"), (b"TRAILER!!!", b"")):
            fields = (1, 0o100755 if data else 0, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
            out.write(b"070701" + b"".join(b"%08x" % field for field in fields) + name + b"\0")
            out.write(bytes(-out.tell() % 4) + data + bytes(-len(data) % 4))
        with initrd.open("ab") as file:
            file.write(bytes(-file.tell() % 4) + out.getvalue())

    return plant


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

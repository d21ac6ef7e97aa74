"""Packages built here, installed, upgraded and removed by the real dpkg and apt, with what real ones bring along."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from itertools import count
from pathlib import Path

from benchmarks._work.job import Job, run, where, write

BUILD, REPOSITORY = Path("/srv/build"), Path("/srv/repository")
CACHE = Path("/var/cache/apt/archives")
MAX_REAL = 400 << 10  # bytes of a package of this machine that is installed again
_APT = ["-o", "Dir::Etc::sourcelist=/srv/repository/list", "-o", "Dir::Etc::sourceparts=-", "-q", "-y"]
_POSTINST = """#!/bin/sh
set -e
if [ "$1" = configure ]; then
    py3compile -p replay-shop 2>/dev/null || true
    update-alternatives --install /usr/bin/replay-pager replay-pager /usr/bin/replay-shop 10
    ldconfig
fi
"""
_PRERM = """#!/bin/sh
set -e
[ "$1" != remove ] || update-alternatives --remove replay-pager /usr/bin/replay-shop
"""


def jobs() -> list[Job]:
    """Return the work with packages."""
    versions = count(1)
    return [
        Job("dpkg: build and upgrade", 240, lambda: _upgrade(next(versions)), ("dpkg-deb", "dpkg", "gcc")),
        Job("apt: install, upgrade, remove", 420, lambda: _apt(next(versions)), ("apt-get", "dpkg-deb")),
        Job("dpkg: a real package again", 600, _real, ("dpkg",)),
    ]


def _upgrade(version: int) -> None:
    """Build the next version of a package with a program, a library, Python, a unit, cron and log files; install it."""
    root = BUILD / "replay-shop"
    shutil.rmtree(root, ignore_errors=True)
    _code(root, version)
    write(
        root / "usr/lib/python3/dist-packages/replay_shop.py", f"VERSION = {version}\n\ndef total(n):\n    return n\n"
    )
    write(root / "etc/replay-shop.conf", f"# version {version}\nlisten = 127.0.0.1\n")
    write(root / "lib/systemd/system/replay-shop.service", _unit(version))
    write(root / "etc/logrotate.d/replay-shop", "/var/log/replay-shop/*.log {\n daily\n compress\n missingok\n}\n")
    write(root / "usr/share/man/man1/replay-shop.1", f".TH SHOP 1\n.SH NAME\nreplay-shop \\- {version}\n")
    write(root / "DEBIAN/conffiles", "/etc/replay-shop.conf\n/etc/logrotate.d/replay-shop\n")
    write(root / "DEBIAN/postinst", _POSTINST, 0o755)
    write(root / "DEBIAN/prerm", _PRERM, 0o755)
    run(["dpkg", "-i", "--force-confnew", _built(root, "replay-shop", f"{version}.0-1")])


def _code(root: Path, version: int) -> None:
    source = BUILD / "shop.c"
    write(source, f"#include <stdio.h>\nint shop_total(int n) {{ return n + {version}; }}\n")
    for folder in ("usr/bin", "usr/lib/x86_64-linux-gnu"):
        (root / folder).mkdir(parents=True)
    library = root / "usr/lib/x86_64-linux-gnu/libreplayshop.so.1"
    run(["gcc", "-O2", "-shared", "-fPIC", "-Wl,-soname,libreplayshop.so.1", "-o", library, source])
    write(
        BUILD / "main.c", '#include <stdio.h>\nint shop_total(int);\nint main(void){printf("%d\\n",shop_total(1));}\n'
    )
    run(["gcc", "-O2", "-o", root / "usr/bin/replay-shop", BUILD / "main.c", library])


def _unit(version: int) -> str:
    service = "[Service]\nExecStart=/usr/bin/replay-shop\n[Install]\nWantedBy=multi-user.target\n"
    return f"[Unit]\nDescription=Shop {version}\n{service}"


def _built(root: Path, name: str, version: str) -> Path:
    architecture = subprocess.run(["dpkg", "--print-architecture"], check=True, capture_output=True, text=True).stdout
    write(root / "DEBIAN/control", f"Package: {name}\nVersion: {version}\nArchitecture: {architecture.strip()}\n"
          "Maintainer: Replay <replay@example.com>\nDescription: replayed\n")  # fmt: skip
    REPOSITORY.mkdir(parents=True, exist_ok=True)
    made = REPOSITORY / f"{name}_{version}_{architecture.strip()}.deb"
    run(["dpkg-deb", "--root-owner-group", "-b", root, made])
    return made


def _apt(version: int) -> None:
    """Three more packages in a repository of files: installed, all upgraded by one command, one removed."""
    names = [f"replay-tool-{n}" for n in range(3)]
    _publish(names, f"{version}.0")
    run(["apt-get", "update", *_APT])
    run(["apt-get", "install", "--no-install-recommends", *_APT, *names])
    _publish(names, f"{version}.1")
    run(["apt-get", "update", *_APT])
    run(["apt-get", "install", "--only-upgrade", *_APT, *names])
    run(["apt-get", "purge", *_APT, names[-1]])


def _publish(names: list[str], version: str) -> None:
    """Build packages and write the repository's list (format: deb822, apt's Packages)."""
    stanzas = []
    for name in names:
        root = BUILD / name
        shutil.rmtree(root, ignore_errors=True)
        write(root / f"usr/bin/{name}", f'#!/bin/sh\n# {version}\necho {name} "$@"\n', 0o755)
        write(root / f"usr/share/doc/{name}/changelog", f"{name} ({version})\n")
        for old in REPOSITORY.glob(f"{name}_*.deb"):
            old.unlink()
        made = _built(root, name, version)
        control = subprocess.run(["dpkg-deb", "-f", made], check=True, capture_output=True, text=True).stdout
        data = made.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        stanzas.append(f"{control}Filename: ./{made.name}\nSize: {len(data)}\nSHA256: {digest}\n")
    write(REPOSITORY / "Packages", "\n".join(stanzas))
    write(REPOSITORY / "list", f"deb [trusted=yes] file:{REPOSITORY} ./\n")


def _real() -> None:
    """Install one of this machine's own packages again, as an upgrade would."""
    small = sorted((p for p in CACHE.glob("*.deb") if p.stat().st_size < MAX_REAL), key=lambda p: p.stat().st_size)
    for path in reversed(small):
        if _is_current(path):
            run(["dpkg", "-i", path])
            return
    raise AssertionError("no package of the version installed is in apt's cache")


def _is_current(path: Path) -> bool:
    name, version = path.name.split("_")[:2]
    words = [str(where("dpkg-query")), "-W", "-f", "${db:Status-Status} ${Version}", name]
    asked = subprocess.run(words, check=False, capture_output=True, text=True)
    return asked.stdout == f"installed {version.replace('%3a', ':')}"

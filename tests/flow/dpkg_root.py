"""A small Debian root: packages built by dpkg-deb with scripts of their own, installed by dpkg without a chroot."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Mapping
from pathlib import Path

File = tuple[bytes, int]
ELF = b"\x7fELF\x02\x01\x01" + bytes(57)
PASSWD = "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
SHADOW = "root:*:19000:0:99999:7:::\ndaemon:*:19000:0:99999:7:::\n"
GROUP, GSHADOW = "root:x:0:\ndaemon:x:1:\nssl:x:2:\n", "root:*::\ndaemon:*::\nssl:*::\n"


def make_root(folder: Path) -> Path:
    for name in ("etc", "usr/bin", "usr/sbin", "var/log", "var/lib/dpkg/info", "var/lib/dpkg/updates", "boot"):
        (folder / name).mkdir(parents=True)
    (folder / "var/lib/dpkg/status").touch()
    for name, text in (("passwd", PASSWD), ("shadow", SHADOW), ("group", GROUP), ("gshadow", GSHADOW)):
        (folder / "etc" / name).write_text(text)
    (folder / "etc/shadow").chmod(0o640)
    return folder


def build(
    work: Path, name: str, version: str, files: Mapping[str, File], *, scripts: Mapping[str, str] | None = None,
    conffiles: str = "", links: Mapping[str, str] | None = None,
) -> Path:  # fmt: skip
    """Return a package file; `scripts` are maintainer scripts, run by the host's shell with DPKG_ROOT set."""
    stage = work / f"{name}_{version}_all"
    sums = []
    for path, (content, mode) in files.items():
        place = stage / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        place.chmod(mode)
        if path not in conffiles:
            sums.append(f"{hashlib.md5(content, usedforsecurity=False).hexdigest()}  {path.lstrip('/')}\n")
    for path, target in (links or {}).items():
        (stage / path.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        (stage / path.lstrip("/")).symlink_to(target)
    control = stage / "DEBIAN"
    control.mkdir(parents=True)
    fields = (
        f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: A <a@example.com>\nDescription: test\n"
    )
    (control / "control").write_text(fields)
    (control / "md5sums").write_text("".join(sums))
    if conffiles:
        (control / "conffiles").write_text(conffiles)
    for script, text in (scripts or {}).items():
        (control / script).write_text("#!/bin/sh\nset -e\n" + text)
        (control / script).chmod(0o755)
    command = ["dpkg-deb", "--root-owner-group", "-b", str(stage), f"{stage}.deb"]
    subprocess.run(command, check=True, capture_output=True)
    return Path(f"{stage}.deb")


def dpkg(root: Path, *words: str | Path) -> None:
    """Run dpkg on the root: `-i FILE...`, `-r NAME...`."""
    command = ["dpkg", f"--root={root}", f"--log={root}/var/log/dpkg.log", "--force-not-root", "--force-bad-path",
               "--force-script-chrootless"]  # fmt: skip
    subprocess.run([*command, *map(str, words)], check=True, capture_output=True)

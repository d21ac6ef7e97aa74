"""dpkg, on packages that the real tools build and install into a root of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from hinomi.evidence.collect import collect
from hinomi.evidence.collectors.packages import COLLECTOR
from hinomi.evidence.ownership import PackageOwnership
from hinomi.evidence.sources.memory import MemoryFile, memory_target
from hinomi.evidence.sources.root import root_target
from hinomi.model.findings import Coverage
from hinomi.model.tables.files import File
from hinomi.model.tables.host import Package

DIGEST = "5d41402abc4b2a76b9719d911017c592"
DPKG = shutil.which("dpkg-deb") and shutil.which("dpkg")


def build(folder: Path, name: str, files: dict[str, str], conffiles: str = "") -> Path:
    tree = folder / name
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN/control").write_text(
        f"Package: {name}\nVersion: 1:2.0~rc1+b1\nArchitecture: all\nMaintainer: T <t@example.org>\n"
        f"Source: {name}-src (1.9)\nDescription: test\n long text\n"
    )
    if conffiles:
        (tree / "DEBIAN/conffiles").write_text(conffiles)
    sums = []
    for path, text in files.items():
        (tree / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        (tree / path[1:]).write_text(text)
        if path not in conffiles:
            sums.append(
                subprocess.run(["md5sum", path[1:]], cwd=tree, capture_output=True, text=True, check=True).stdout
            )
    (tree / "DEBIAN/md5sums").write_text("".join(sums))
    package = folder / f"{name}.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", tree, package], check=True, capture_output=True)
    return package


def install(root: Path, *packages: Path) -> None:
    admin = root / "var/lib/dpkg"
    for sub in ("info", "updates", "triggers"):
        (admin / sub).mkdir(parents=True, exist_ok=True)
    for name in ("status", "available"):
        (admin / name).touch()
    command = ["dpkg", f"--root={root}", "--force-not-root", "--force-script-chrootless", "--log=/dev/null", "-i"]
    done = subprocess.run([*command, *packages], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"dpkg cannot install here: {done.stderr[-200:]}")


@pytest.mark.skipif(not DPKG, reason="needs dpkg")
def test_installed_packages_files_and_their_states(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "usr/bin").mkdir(parents=True)
    (root / "bin").symlink_to("usr/bin")
    files = {"/usr/bin/keeper": "shipped\n", "/usr/bin/altered": "shipped\n", "/etc/keeper.conf": "a=1\n"}
    install(root, build(tmp_path, "keeper", files, "/etc/keeper.conf\n"))
    (root / "usr/bin/altered").write_text("changed\n")
    (root / "usr/bin/foreign").write_text("mine\n")
    rows = []
    collect(root_target(root), rows.append, Coverage(), collectors=[COLLECTOR])

    packages = [row for row in rows if isinstance(row, Package)]
    assert [(p.manager, p.name, p.version, p.source, p.status) for p in packages] == [
        ("dpkg", "keeper", "1:2.0~rc1+b1", "keeper-src", "installed")
    ]
    assert packages[0].purl == "pkg:deb/debian/keeper@1:2.0~rc1%2Bb1?arch=all&distro=debian"
    states = {row.path: (row.package, row.package_state) for row in rows if isinstance(row, File)}
    assert states["/usr/bin/keeper"] == ("keeper", "intact")
    assert states["/usr/bin/altered"] == ("keeper", "modified")
    assert states["/usr/bin/foreign"] == (None, "unowned")
    assert states["/etc/keeper.conf"] == ("keeper", "intact")
    (root / "etc/keeper.conf").write_text("a=2\n")
    rows.clear()
    collect(root_target(root), rows.append, Coverage(), collectors=())
    assert {row.path: row.package_state for row in rows}["/etc/keeper.conf"] == "modified"


STATUS = """\
Package: tool
Status: install ok installed
Architecture: amd64
Version: 1.0
Conffiles:
 /etc/tool.conf 5d41402abc4b2a76b9719d911017c592
 /etc/old.conf 5d41402abc4b2a76b9719d911017c592 obsolete
 /etc/two words 5d41402abc4b2a76b9719d911017c592

Package: left
Status: deinstall ok config-files
Version: 2
"""
TREE = {
    "/etc/os-release": 'ID=debian\nVERSION_ID="12"\n',
    "/var/lib/dpkg/status": STATUS,
    "/var/lib/dpkg/info/tool:amd64.list": "/.\n/bin\n/bin/tool\n/bin/moved\n/etc/tool.conf\n"
    "/etc/old.conf\n/etc/two words\n",
    "/var/lib/dpkg/info/tool:amd64.md5sums": "5d41402abc4b2a76b9719d911017c592  bin/tool\n"
    "5d41402abc4b2a76b9719d911017c592  bin/moved\nnot a line\n",
    "/var/lib/dpkg/diversions": "/bin/moved\n/bin/moved.real\nother\n",
    "/bin": MemoryFile(link=b"usr/bin"),
    "/usr/bin/tool": "hello",
}


@pytest.mark.parametrize(
    ("path", "digest", "expected"),
    [
        (b"/usr/bin/tool", "5d41402abc4b2a76b9719d911017c592", ("tool", "md5", "intact")),
        (b"/bin/tool", "5D41402ABC4B2A76B9719D911017C592", ("tool", "md5", "intact")),
        (b"/bin/tool", "00" * 16, ("tool", "md5", "modified")),
        (b"/usr/bin/moved", "00" * 16, (None, None, "unowned")),
        (b"/usr/bin/moved.real", "00" * 16, ("tool", "md5", "modified")),
        (b"/etc/tool.conf", "5d41402abc4b2a76b9719d911017c592", ("tool", "md5", "intact")),
        (b"/etc/two words", "00" * 16, ("tool", "md5", "modified")),
        (b"/etc/old.conf", "00" * 32, ("tool", None, "intact")),
        (b"/bin", None, ("tool", None, "intact")),
        (b"/nowhere", None, (None, None, "unowned")),
    ],
)
def test_ownership(path: bytes, digest: str | None, expected: tuple[str | None, str | None, str]) -> None:
    ownership = memory_target(TREE).ownership
    assert (ownership.package_of(path), ownership.digest_kind(path), ownership.state(path, digest)) == expected


@pytest.mark.parametrize(
    ("line", "path"),
    [
        (f"{DIGEST}  usr/a", b"/usr/a"),
        (f"{DIGEST} */usr/a", b"/usr/a"),
        (f"{DIGEST.upper()}  //usr/a b ", b"/usr/a b "),
        (f"{DIGEST}usr/a\r", b"/usr/a\r"),
        (f"{'00' * 16}  usr/a\n{DIGEST}  usr/a", b"/usr/a"),
        (f"\n\n{DIGEST}  usr/a\n{DIGEST[:-1]}g  usr/a", b"/usr/a"),
        (f" {DIGEST}  usr/a", None),
        (f"{DIGEST[:-1]}  usr/a", None),
        (f"x{DIGEST}  usr/a", None),
    ],
)
def test_lines_of_md5sums(line: str, path: bytes | None) -> None:
    listed = (path or b"/usr/a").decode()
    tree = {"/var/lib/dpkg/status": "", "/var/lib/dpkg/info/a.list": listed, "/var/lib/dpkg/info/a.md5sums": line}
    expected = ("a", None if path is None else bytes.fromhex(DIGEST))
    assert PackageOwnership(memory_target(tree).view).manifest(listed.encode()) == expected


def test_states_and_sources() -> None:
    rows = list(COLLECTOR.collect(memory_target(TREE), Coverage()))
    assert [(row.name, row.status, row.architecture) for row in rows] == [  # type: ignore[attr-defined]
        ("tool", "installed", "amd64"),
        ("left", "config-files", None),
    ]
    assert rows[0].purl == "pkg:deb/debian/tool@1.0?arch=amd64&distro=debian-12"  # type: ignore[attr-defined]


def test_distroless_images_have_a_folder_of_stanzas() -> None:
    tree = {
        "/var/lib/dpkg/status.d/base": "Package: base-files\nVersion: 12\n",
        "/var/lib/dpkg/status.d/base.md5sums": "",
    }
    rows = list(COLLECTOR.collect(memory_target(tree), Coverage()))
    assert [(row.name, row.path) for row in rows] == [("base-files", "/var/lib/dpkg/status.d/base")]  # type: ignore[attr-defined]


def test_without_a_database_nothing_is_claimed() -> None:
    ownership = memory_target({"/bin/x": "x"}).ownership
    assert ownership.state(b"/bin/x", "00" * 16) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="needs the host's own files")
@pytest.mark.skipif(not os.path.exists("/var/lib/dpkg/status"), reason="needs a Debian host")
def test_this_hosts_own_database_agrees_with_dpkg() -> None:
    answer = subprocess.run(["dpkg", "-S", "/usr/bin/dpkg"], capture_output=True, text=True, check=True).stdout
    ownership = root_target("/").ownership
    assert ownership.package_of(b"/usr/bin/dpkg") == answer.split(":")[0]
    assert ownership.digest_kind(b"/usr/bin/dpkg") == "md5"

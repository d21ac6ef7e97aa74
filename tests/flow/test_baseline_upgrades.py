"""Real upgrades by dpkg: what maintainer scripts make explains itself, and what somebody set beside it does not."""

from __future__ import annotations

import hashlib
import io
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import zstandard

from hinomi.detect.catalogue import load_rules
from hinomi.flow import baselines
from hinomi.model.tables.baseline import Change
from hinomi.store.case import Case
from hinomi.watch.baseline import packagefiles
from hinomi.watch.signing import Signer, new_key

from .dpkg_root import ELF, build, dpkg, make_root

pytestmark = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg is not installed")

ORDER = ("info", "low", "medium", "high", "critical")
UNIT = b"[Service]\nExecStart=/usr/sbin/web\n[Install]\nWantedBy=multi-user.target\nAlias=www.service\n"
POSTINST = r"""
[ -n "$DPKG_ROOT" ] || exit 1   # never on the host itself
R=$DPKG_ROOT
echo 'web:x:101:101::/var/lib/web:/usr/sbin/nologin' >> $R/etc/passwd
echo 'web:!:19000::::::' >> $R/etc/shadow
echo 'web:x:101:' >> $R/etc/group
echo 'web:!::' >> $R/etc/gshadow
sed -i 's/^ssl:x:2:$/ssl:x:2:web/' $R/etc/group   # adduser web ssl
sed -i 's/^ssl:\*::$/ssl:*::web/' $R/etc/gshadow
mkdir -p $R/etc/systemd/system/multi-user.target.wants
ln -sf /usr/lib/systemd/system/web.service $R/etc/systemd/system/multi-user.target.wants/web.service
mkdir -p $R/var/lib/web $R/etc/web/sites-enabled
cp $R/usr/share/web/web.conf $R/etc/web/web.conf   # /usr/share/web/web.conf -> /etc/web/web.conf
ln -sf ../web.conf $R/etc/web/sites-enabled/main
LEVEL=quiet
cat > $R/etc/default_web <<END
# Options of the server: /etc/default_web
WEB_LEVEL="$LEVEL"
WEB_PORT=${PORT:-8080}
END
mkdir -p $R/etc/alternatives $R/var/lib/dpkg/alternatives
printf 'auto\n/usr/bin/browser\n\n/usr/sbin/web\n50\n\n' > $R/var/lib/dpkg/alternatives/browser
ln -sf /usr/sbin/web $R/etc/alternatives/browser
ln -sf /etc/alternatives/browser $R/usr/bin/browser
# dpkg-statoverride --update --add root root 0750 /usr/sbin/web
echo 'root root 750 /usr/sbin/web' > $R/var/lib/dpkg/statoverride
chmod 0750 $R/usr/sbin/web
"""


@dataclass
class Host:
    """A root with a baseline, its case, and a place to build packages in."""

    root: Path
    case: Case
    work: Path
    signer: Signer

    def create(self) -> None:
        baselines.create(self.case, str(self.root), self.signer)

    def verify(self) -> dict[str, Change]:
        self.found = baselines.verify(self.case, str(self.root), load_rules())
        return {row.path: row for row in self.found.changes}

    def unexplained(self) -> list[str]:
        return sorted(path for path, row in self.verify().items() if not row.explained)

    def severities(self) -> dict[str, str]:
        """Return the worst severity told of each subject."""
        found = sorted(self.found.result.findings, key=lambda finding: ORDER.index(finding.severity))
        return {finding.subject_key: finding.severity for finding in found}


@pytest.fixture
def host(tmp_path: Path):
    with Case.open(tmp_path / "case") as case:
        yield Host(make_root(tmp_path / "root"), case, tmp_path / "work", new_key(tmp_path / "key.pem", None))


def web(work: Path, version: str) -> Path:
    number = version.encode()
    files = {
        "/usr/sbin/web": (ELF + number, 0o755),
        "/usr/lib/systemd/system/web.service": (UNIT, 0o644),
        "/usr/share/web/web.conf": (b"listen 80;\nversion " + number + b";\n", 0o644),
        "/etc/init_web": (b"level " + number + b"\n", 0o644),
    }
    links = {"/usr/bin/w": "../sbin/web"}
    return build(work, "web", version, files, scripts={"postinst": POSTINST}, conffiles="/etc/init_web\n", links=links)


@pytest.fixture
def installed(host: Host) -> Host:
    """A package came with everything its scripts make, after the baseline."""
    host.create()
    dpkg(host.root, "-i", web(host.work, "1"))
    return host


def test_what_maintainer_scripts_make_is_explained(installed: Host) -> None:
    rows = installed.verify()
    assert [path for path, row in rows.items() if not row.explained] == []
    why = {path: row.why for path, row in rows.items()}
    assert {why[f"/etc/{name}"] for name in ("passwd", "shadow", "group", "gshadow")} == {"account-of-package"}
    assert why["/etc/web/web.conf"] == "copy-of-packaged"
    assert why["/etc/default_web"] == "script-text"
    assert why["/etc/systemd/system/multi-user.target.wants/web.service"] == "link-to-package"
    assert why["/etc/web/sites-enabled/main"] == "link-to-package"
    assert why["/etc/alternatives/browser"] == why["/usr/bin/browser"] == "link-to-package"
    assert why["/var/lib/web"] == "made-by-package"
    assert why["/var/lib/dpkg/statoverride"] == "package-database"
    assert rows["/var/lib/dpkg/info/web.postinst"].strength == "times"
    assert installed.found.result.findings == ()


def append(path: str, data: bytes) -> Callable[[Path], None]:
    def plant(root: Path) -> None:
        with (root / path).open("ab") as file:
            file.write(data)

    return plant


def link(path: str, target: str) -> Callable[[Path], None]:
    def plant(root: Path) -> None:
        (root / path).unlink(missing_ok=True)
        (root / path).symlink_to(target)

    return plant


def edit(path: str, old: str, new: str) -> Callable[[Path], None]:
    def plant(root: Path) -> None:
        text = (root / path).read_text()
        assert old in text
        (root / path).write_text(text.replace(old, new))

    return plant


PLANTED = [
    ("/usr/sbin/web", "high", append("usr/sbin/web", b"trojan")),
    ("/usr/lib/systemd/system/net.service", "high", append("usr/lib/systemd/system/net.service", UNIT)),
    ("/etc/systemd/system/net.service", "high", link("etc/systemd/system/net.service", "/usr/sbin/web")),
    ("/etc/passwd", "high", append("etc/passwd", b"web2:x:102:101::/:/bin/sh\n")),
    ("/etc/passwd", "high", append("etc/passwd", b"web2:x:0:0::/:/usr/sbin/nologin\n")),
    ("/etc/passwd", "high", append("etc/passwd", b"cups:x:102:101::/:/usr/sbin/nologin\n")),
    ("/etc/shadow", "high", edit("etc/shadow", "daemon:*", "daemon:$y$j9T$x$y")),
    ("/etc/group", "high", edit("etc/group", "root:x:0:", "root:x:0:web")),
    ("/etc/ld.so.preload", "critical", append("etc/ld.so.preload", b"/usr/lib/x.so\n")),
    ("/etc/init_web", "medium", append("etc/init_web", b"run /tmp/x\n")),
    ("/etc/web/web.conf", "medium", append("etc/web/web.conf", b"load /tmp/x;\n")),
    ("/etc/default_web", "medium", append("etc/default_web", b"WEB_PLUGIN=/tmp/x\n")),
    ("/etc/alternatives/browser", "medium", link("etc/alternatives/browser", "/usr/local/bin/browser")),
    ("/usr/sbin/web", "high", link("usr/sbin/web", "../bin/w2")),
    ("/var/lib/dpkg/info/web.postinst", "high", append("var/lib/dpkg/info/web.postinst", b"/tmp/x &\n")),
    ("/var/lib/dpkg/statoverride", "low", append("var/lib/dpkg/statoverride", b"root root 4755 /usr/bin/env\n")),
]


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten what counts as written in one go: a test does not wait for half a minute."""
    monkeypatch.setattr(packagefiles, "IN_ONE_GO", 2 * 10**8)
    monkeypatch.setattr(packagefiles, "BUILT_BEFORE", 2 * 10**8)


@pytest.mark.parametrize(("path", "severity", "plant"), PLANTED, ids=[f"{n}-{p[0]}" for n, p in enumerate(PLANTED)])
def test_what_is_set_beside_it_stands_out(
    installed: Host, path: str, severity: str, plant: Callable[[Path], None], later: None
) -> None:
    time.sleep(0.5)
    plant(installed.root)
    assert path in installed.unexplained()
    told = installed.severities()
    assert told.get(path, told.get(path.rpartition("/")[0] + "/")) == severity


def test_a_manifest_edited_to_fit_in_the_same_upgrade_explains_nothing(installed: Host, later: None) -> None:
    time.sleep(0.5)
    root = installed.root
    append("usr/sbin/web", b"trojan")(root)
    digest = hashlib.md5((root / "usr/sbin/web").read_bytes(), usedforsecurity=False).hexdigest()
    manifest = root / "var/lib/dpkg/info/web.md5sums"
    lines = manifest.read_text().split("\n")
    manifest.write_text("\n".join(f"{digest}  usr/sbin/web" if s.endswith("usr/sbin/web") else s for s in lines))
    assert {"/usr/sbin/web", "/var/lib/dpkg/info/web.md5sums", "package web"} <= set(installed.unexplained())
    assert installed.severities()["package web"] == "high"


def test_the_package_file_in_apts_cache_vouches_for_the_members(host: Host) -> None:
    host.create()
    package = web(host.work, "1")
    dpkg(host.root, "-i", package)
    cache(host.root, package)
    assert host.verify()["/var/lib/dpkg/info/web.postinst"].strength == "sha256"
    (host.root / "var/lib/dpkg/info/web.md5sums").write_text("d41d8cd98f00b204e9800998ecf8427e  usr/sbin/web\n")
    assert "package web" in host.unexplained()


def cache(root: Path, package: Path) -> None:
    """Put a package file where apt keeps it, with the lists that name its digest."""
    archives, lists = root / "var/cache/apt/archives", root / "var/lib/apt/lists"
    archives.mkdir(parents=True)
    lists.mkdir(parents=True)
    shutil.copy(package, archives / package.name)
    text = f"Package: web\nSHA256: {hashlib.sha256(package.read_bytes()).hexdigest()}\n"
    (lists / "d_Packages").write_text(text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    (lists / "d_InRelease").write_text(f"SHA256:\n {digest} {len(text)} main/binary-all/Packages\n")


def test_a_package_that_goes_takes_its_links_along(installed: Host) -> None:
    installed.create()
    dpkg(installed.root, "-r", "web")
    (installed.root / "etc/systemd/system/multi-user.target.wants/web.service").unlink()
    rows = installed.verify()
    assert rows["/usr/sbin/web"].why == rows["/usr/share/web/web.conf"].why == "package"
    assert rows["/etc/systemd/system/multi-user.target.wants/web.service"].why == "link-to-package"


# --- initial RAM disks ------------------------------------------------------------------------------------------------

Member = tuple[bytes, int]
HOOK = (
    b"#!/bin/sh\n. /usr/share/initramfs-tools/hook-functions\n"
    b'copy_exec /usr/lib/web/unlock /bin/unlock\necho "ARCH=all" > conf\n'
)
TOOLS = {
    "/usr/share/initramfs-tools/scripts/init-top/keymap": (b"#!/bin/sh\n", 0o755),
    "/usr/share/initramfs-tools/hooks/web": (HOOK, 0o755),
    "/usr/lib/web/unlock": (ELF + b"unlock", 0o755),
    "/usr/bin/busybox": (ELF + b"busybox", 0o755),
    "/usr/lib/x.so": (ELF + b"lib", 0o644),
}
FINE: dict[str, Member] = {
    "bin": (b"usr/bin", 0o120777),
    "usr/bin": (b"", 0o40755),
    "usr/bin/sh": (ELF + b"busybox", 0o100755),
    "usr/bin/ash": (b"sh", 0o120777),
    "usr/bin/unlock": (ELF + b"unlock", 0o100755),
    "usr/lib/x.so": (ELF + b"lib", 0o100644),
    "scripts/init-top/keymap": (b"#!/bin/sh\n", 0o100755),
    "scripts/init-top/ORDER": (b'/scripts/init-top/keymap "$@"\n', 0o100644),
    "conf/arch.conf": (b"ARCH=all\n", 0o100644),
    "conf/modules": (b"ext4\nraid1\n", 0o100644),
    "usr/lib/modules/6.1/modules.dep": (b"kernel/a.ko:\n", 0o100644),
}
BAD: dict[str, Member] = {
    "usr/bin/implant": (ELF + b"implant", 0o100755),
    "usr/bin/mount": (ELF + b"unlock", 0o100755),  # a packaged program under the name of another
    "usr/lib/x.so": (ELF + b"other", 0o100644),
    "scripts/init-top/ORDER": (b'/scripts/init-top/evil "$@"\n', 0o100644),
    "conf/arch.conf": (b"ARCH=all; /bin/implant\n", 0o100644),
    "usr/lib/modules/6.1/a.ko": (ELF + b"module", 0o100644),
    "etc/ld.so.preload": (b"/usr/lib/x.so\n", 0o100644),
    "usr/bin/link": (b"/tmp/elsewhere", 0o120777),
    "dev/sda": (b"", 0o60600),
}


def cpio(members: dict[str, Member]) -> bytes:
    out = io.BytesIO()
    for number, (name, (data, mode)) in enumerate([*members.items(), ("TRAILER!!!", (b"", 0))]):
        fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
        out.write(b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0")
        out.write(bytes(-out.tell() % 4) + data + bytes(-len(data) % 4))
    return out.getvalue()


def boot(host: Host, image: bytes) -> Change:
    host.create()
    dpkg(host.root, "-i", build(host.work, "tools", "1", TOOLS))
    (host.root / "boot/initrd.img-6.1").write_bytes(image)
    return host.verify()["/boot/initrd.img-6.1"]


def test_an_initrd_of_sound_files_is_explained_member_by_member(host: Host) -> None:
    microcode = cpio({"kernel/x86/microcode/AuthenticAMD.bin": (b"\1", 0o100644)})
    row = boot(host, microcode + zstandard.compress(cpio(FINE)))
    assert (row.explained, row.why) == (True, "initrd")


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("place", ["inside", "after"])
def test_an_implant_in_the_initrd_is_named(host: Host, name: str, place: str) -> None:
    bad = {name: BAD[name]}
    inside, after = zstandard.compress(cpio(FINE | bad)), zstandard.compress(cpio(FINE)) + bytes(512) + cpio(bad)
    row = boot(host, inside if place == "inside" else after)
    assert not row.explained
    assert f"/{name}" in (row.by or "")
    assert host.severities()["/boot/initrd.img-6.1"] == "high"


def test_half_an_initrd_is_not_vouched_for(host: Host) -> None:
    whole = cpio(FINE)
    assert not boot(host, whole[: len(whole) // 2]).explained

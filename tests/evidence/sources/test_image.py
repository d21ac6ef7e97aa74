"""Images as targets of a scan: the same findings as from the folder, nested roots included, nothing silent."""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from hinomi.detect.catalogue import load_rules
from hinomi.examples.replica import build_clean_appliance, build_replica
from hinomi.flow.scanning import scan
from hinomi.model.errors import TargetError
from hinomi.store.case import Case

PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def run(*command, **options):
    tool = shutil.which(command[0], path=PATH)
    if tool is None:
        pytest.skip(f"{command[0]} is not here")
    return subprocess.run([tool, *map(str, command[1:])], check=True, capture_output=True, timeout=1800, **options)


def ext2(folder, out):
    run("mke2fs", "-q", "-F", "-t", "ext2", "-d", folder, out, "2M")


def initrd(folder, out):
    """The appliance's form: gzip of an ext2 image."""
    ext2(folder, out)
    out.write_bytes(run("gzip", "-9nc", out).stdout)


def squashfs(folder, out):
    run("mksquashfs", folder, out, "-quiet", "-no-progress", "-noappend")


def initramfs(folder, out):
    """Two segments: an early plain one, and the compressed one that counts."""
    names = "\n".join(sorted(os.path.relpath(path, folder) for path in folder.rglob("*"))).encode()
    early = run("cpio", "-o", "-H", "newc", "--quiet", cwd=folder, input=b"etc").stdout
    rest = run("cpio", "-o", "-H", "newc", "--quiet", cwd=folder, input=names).stdout
    out.write_bytes(early + b"\0" * 512 + run("gzip", "-c", input=rest).stdout)


def tar(folder, out):
    with tarfile.open(out, "w") as archive:
        archive.add(folder, arcname=".")


def rar(folder, out):
    """Stored members, with their modes."""
    writer = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[2] / "replicas/rar.py")))
    names = sorted(path for path in folder.rglob("*") if path.is_file() or path.is_symlink())
    members = b"".join(rar_member(writer, path, os.path.relpath(path, folder).encode()) for path in names)
    out.write_bytes(writer.MARK_5 + writer.block_5(1, 0, b"\0") + members + writer.block_5(5, 0, b"\0"))


def rar_member(writer, path, name):
    info = path.lstat()
    link = os.readlink(path).encode() if path.is_symlink() else b""
    data = b"" if link else path.read_bytes()
    number = writer.number
    fields = number(6) + number(len(data)) + number(info.st_mode) + int(info.st_mtime).to_bytes(4, "little") + bytes(4)
    record = number(5) + number(1) + number(0) + number(len(link)) + link if link else b""
    return writer.block_5(
        2, 0, fields + number(0) + number(1) + number(len(name)) + name, number(len(record)) + record if link else b"",
        data,
    )  # fmt: skip


def made_by(*command, size=0):
    """A builder by one tool: `IN` stands for the folder, `OUT` for the image, which may have to be there before."""

    def build(folder, out):
        if size:
            with out.open("wb") as file:
                file.truncate(size)
        run(*({"IN": folder, "OUT": out}.get(word, word) for word in command))

    return build


def in_virtual_disk(folder, out):
    ext2(folder, out.with_name("raw"))
    run("qemu-img", "convert", "-f", "raw", "-O", "vmdk", out.with_name("raw"), out)


MADE = {
    "btrfs": made_by("mkfs.btrfs", "-q", "--rootdir", "IN", "OUT", size=256 << 20),
    "erofs": made_by("mkfs.erofs", "--quiet", "-zlz4", "OUT", "IN"),
    "jffs2": made_by("mkfs.jffs2", "-r", "IN", "-o", "OUT"),
    "ubifs": made_by("mkfs.ubifs", "-r", "IN", "-m", "2048", "-e", "126976", "-c", "900", "-o", "OUT"),
    "vmdk": in_virtual_disk,
}


@pytest.fixture(scope="module")
def catalogue():
    return load_rules()


@pytest.fixture(scope="module")
def replica(tmp_path_factory):
    folder = tmp_path_factory.mktemp("replica") / "root"
    build_replica(folder, seed=5)
    return folder


def looked(tmp_path, catalogue, *targets, kind=None):
    with Case.open(tmp_path / "case") as case:
        return scan(case, [str(target) for target in targets], catalogue, kind=kind)


def high(result, way=""):
    return sorted(
        (f.rule_id, f.subject_key.removeprefix(way))
        for f in result.findings
        if f.severity in ("high", "critical") and f.rule_id != "image-repacked"
    )


@pytest.fixture(scope="module")
def from_folder(replica, catalogue, tmp_path_factory):
    (result,) = looked(tmp_path_factory.mktemp("folder"), catalogue, replica)
    assert len(high(result)) > 5
    return high(result)


@pytest.mark.parametrize(
    "build",
    [ext2, initrd, squashfs, initramfs, rar, *MADE.values()],
    ids=["ext2", "initrd", "squashfs", "initramfs", "rar", *MADE],
)
def test_the_same_findings_as_from_the_folder(build, replica, from_folder, catalogue, tmp_path):
    image = tmp_path / "firmware.bin"
    build(replica, image)
    (result,) = looked(tmp_path, catalogue, image)
    assert high(result) == from_folder
    assert result.coverage.misses == []


def test_an_image_in_an_update_shows_the_way_in(replica, from_folder, catalogue, tmp_path):
    update = tmp_path / "update"
    update.mkdir()
    (update / "install.sh").write_text("#!/bin/sh\necho installing\n")
    initrd(replica, update / "INITRD.GZ")
    tar(update, tmp_path / "upgrade.bin")
    outer, inner = looked(tmp_path, catalogue, tmp_path / "upgrade.bin")
    assert high(outer) == []
    assert inner.target.endswith("upgrade.bin » INITRD.GZ")
    assert high(inner, "INITRD.GZ » ") == from_folder
    assert any(f.subject_key.startswith("INITRD.GZ » /") for f in inner.findings)


def test_an_image_two_levels_down_in_a_root(replica, from_folder, catalogue, tmp_path):
    root, update = tmp_path / "root", tmp_path / "update"
    build_clean_appliance(root, seed=9)
    update.mkdir()
    squashfs(replica, update / "rootfs")
    with tarfile.open(root / "etc/next.tgz", "w:gz") as archive:
        archive.add(update, arcname="usr/lib")
        archive.add(root / "etc/passwd", arcname="etc/passwd")
    ext2(root, tmp_path / "disk.img")
    results = looked(tmp_path, catalogue, tmp_path / "disk.img")
    ways = [result.target.partition(" » ")[2] for result in results]
    lost = [miss for result in results for miss in result.coverage.misses]
    assert ways == ["", "etc/next.tgz", "etc/next.tgz » usr/lib/rootfs"], lost
    assert high(results[2], "etc/next.tgz » usr/lib/rootfs » ") == from_folder


def test_what_cannot_be_opened_inside_is_a_miss(replica, catalogue, tmp_path):
    update = tmp_path / "update"
    update.mkdir()
    initrd(replica, update / "INITRD.GZ")
    whole = (update / "INITRD.GZ").read_bytes()
    (update / "INITRD.GZ").write_bytes(whole[: len(whole) // 2])
    tar(update, tmp_path / "upgrade.bin")
    (outer,) = looked(tmp_path, catalogue, tmp_path / "upgrade.bin")
    assert [(m.area, m.subject, m.reason) for m in outer.coverage.misses] == [("images", "INITRD.GZ", "truncated")]
    assert not outer.coverage.complete


def test_ordinary_archives_inside_a_root_are_no_targets(catalogue, tmp_path):
    root = tmp_path / "root"
    build_clean_appliance(root, seed=2)
    with tarfile.open(root / "etc/docs.tgz", "w:gz") as archive:
        archive.add(root / "etc/passwd", arcname="docs/readme")
    tar(root, tmp_path / "root.tar")
    results = looked(tmp_path, catalogue, tmp_path / "root.tar")
    assert len(results) == 1
    assert results[0].coverage.skipped["image:archive-without-root"] == 1


def test_owners_modes_and_times_survive(tmp_path, catalogue):
    info = tarfile.TarInfo("etc/key")
    info.uid, info.gid, info.mode, info.mtime = 70123, 33, 0o2640, 1_234_567_890
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.addfile(info)
    from hinomi.evidence.sources.image import image_target

    entry = image_target(tmp_path / "a.tar").view.entry(b"/etc/key")
    assert (entry.uid, entry.gid, entry.mode, entry.mtime) == (70123, 33, 0o2640, 1_234_567_890)


def test_nothing_is_left_in_the_work_area(replica, catalogue, tmp_path):
    tar(replica, tmp_path / "a.tar")
    run("gzip", tmp_path / "a.tar")
    looked(tmp_path, catalogue, tmp_path / "a.tar.gz")
    assert sorted(os.listdir(tmp_path)) == ["a.tar.gz", "case"]
    left = [path.name for path in (tmp_path / "case").iterdir() if path.is_file()]
    assert all(name.startswith("state.db") for name in left), left


def test_the_kind_that_was_said_is_taken(replica, catalogue, tmp_path):
    tar(replica, tmp_path / "a.tar")
    with pytest.raises(TargetError, match="squashfs"):
        looked(tmp_path, catalogue, tmp_path / "a.tar", kind="squashfs")
    with pytest.raises(TargetError, match="a folder"):
        looked(tmp_path, catalogue, replica, kind="tar")


def test_large_packed_members_are_read_by_confined_workers(catalogue, tmp_path):
    """They are unpacked into files that the workers were given before they gave up writing."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("etc/passwd", "root:x:0:0::/:/bin/sh\n")
        for number in range(16):  # more than a worker has such files
            archive.writestr(f"bin/large{number}", bytes([number]) * (33 << 20))
    (result,) = looked(tmp_path, catalogue, tmp_path / "a.zip")
    assert result.coverage.misses == []
    assert result.coverage.examined["bytes"] > 16 * 33 << 20

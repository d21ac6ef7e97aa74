"""Images built with the machine's own tools, skipped with a word where a tool is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def run(*command, cwd=None, feed=None):
    tool = shutil.which(command[0], path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if tool is None:
        pytest.skip(f"{command[0]} is not here")
    subprocess.run([tool, *map(str, command[1:])], cwd=cwd, input=feed, check=True, capture_output=True, timeout=1800)


def names_under(folder):
    found = [b"."]
    for at, folders, files in os.walk(os.fsencode(folder)):
        folders.sort()
        found += [os.path.relpath(os.path.join(at, n), os.fsencode(folder)) for n in sorted([*folders, *files])]
    return b"\0".join(found) + b"\0"


def ext(kind):
    def build(folder, out):
        run("mke2fs", "-q", "-F", "-t", kind, "-d", folder, out, "6M")

    return build


def squash(compressor):
    def build(folder, out):
        run("mksquashfs", folder, out, "-quiet", "-no-progress", "-noappend", "-comp", compressor)

    return build


def cpio(form):
    def build(folder, out):
        run("cpio", "-o", "-0", "-H", form, "-O", out, "--quiet", cwd=folder, feed=names_under(folder))

    return build


def tar(*options):
    def build(folder, out):
        run("tar", *options, "-cf", out, "-C", folder, ".")

    return build


def packed(build, *tool):
    def both(folder, out):
        inner = out.with_name(out.name + ".inner")
        build(folder, inner)
        with out.open("wb") as file:
            if shutil.which(tool[0]) is None:
                pytest.skip(f"{tool[0]} is not here")
            subprocess.run([*tool, str(inner)], stdout=file, check=True, timeout=1800)
        inner.unlink()

    return both


def iso(*options):
    def build(folder, out):
        run("genisoimage", "-quiet", *options, "-o", out, folder)

    return build


def sparse(out, size):
    with out.open("wb") as file:
        file.truncate(size)


def btrfs(folder, out):
    sparse(out, 256 << 20)
    run("mkfs.btrfs", "-q", "--rootdir", folder, out)


def erofs(*options):
    def build(folder, out):
        run("mkfs.erofs", "--quiet", *options, out, folder)

    return build


def xfs(*options):
    """Names without white space, no hard links, times of now: what a prototype file can say."""

    def build(folder, out):
        lines = ["/none", "0 0", *prototype(os.fsencode(folder))]
        out.with_name(out.name + ".proto").write_bytes(os.fsencode("\n".join(lines) + "\n"))
        sparse(out, 310 << 20)
        run("mkfs.xfs", "-q", *options, "-p", f"{out}.proto", out)

    return build


def prototype(folder):
    info = os.lstat(folder)
    lines = [f"d--{info.st_mode & 0o777:03o} {info.st_uid} {info.st_gid}"]
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        info, shown = os.lstat(path), os.fsdecode(name)
        owned = f"{info.st_mode & 0o777:03o} {info.st_uid} {info.st_gid}"
        if os.path.islink(path):
            lines.append(f"{shown} l--{owned} {os.fsdecode(os.readlink(path))}")
        elif os.path.isdir(path):
            head, *rest = prototype(path)
            lines += [f"{shown} {head}", *rest]
        else:
            lines.append(f"{shown} -{'u' if info.st_mode & 0o4000 else '-'}-{owned} {os.fsdecode(path)}")
    return [*lines, "$"]


def ubifs(compressor):
    def build(folder, out):
        run("mkfs.ubifs", "-r", folder, "-m", "2048", "-e", "126976", "-c", "900", "-x", compressor, "-o", out)

    return build


def ubi(folder, out):
    """A root in a dynamic volume."""
    inner = out.with_name(out.name + ".inner")
    ubifs("zlib")(folder, inner)
    config = out.with_name(out.name + ".ini")
    said = {
        "mode": "ubi",
        "image": inner,
        "vol_id": 0,
        "vol_size": "80MiB",
        "vol_type": "dynamic",
        "vol_name": "rootfs",
    }
    config.write_text("[root]\n" + "".join(f"{key}={value}\n" for key, value in said.items()))
    run("ubinize", "-o", out, "-m", "2048", "-p", "131072", config)


def jffs2(*options):
    def build(folder, out):
        run("mkfs.jffs2", "-r", folder, *options, "-o", out)

    return build


BUILDERS = {
    "ubifs-lzo": ubifs("lzo"),
    "ubifs-zlib": ubifs("zlib"),
    "ubifs-zstd": ubifs("zstd"),
    "ubi": ubi,
    "jffs2": jffs2(),
    "jffs2-big-endian": jffs2("-b", "-n"),
    "jffs2-lzo": jffs2("-X", "lzo", "-x", "zlib", "-x", "rtime"),
    "jffs2-rtime": jffs2("-x", "zlib", "-n"),
    "btrfs": btrfs,
    "erofs": erofs(),
    "erofs-lz4": erofs("-zlz4"),
    "erofs-lz4-big": erofs("-zlz4hc", "-C65536"),
    "erofs-lz4-tails": erofs("-zlz4", "-Eztailpacking"),
    "erofs-lz4-legacy": erofs("-zlz4", "-Elegacy-compress"),
    "erofs-chunks": erofs("--chunksize=4096"),
    "xfs": xfs(),
    "xfs-4": xfs("-m", "crc=0,finobt=0,rmapbt=0,reflink=0", "-n", "ftype=0"),
    "squashfs-lzo": squash("lzo"),
    "squashfs-lzma": squash("lzma"),
    "iso-rock-ridge": iso("-R"),
    "iso-joliet": iso("-J"),
    "ext2": ext("ext2"),
    "ext3": ext("ext3"),
    "ext4": ext("ext4"),
    "ext2.gz": packed(ext("ext2"), "gzip", "-9nc"),
    "ext4.xz": packed(ext("ext4"), "xz", "-0c"),
    "squashfs-gzip": squash("gzip"),
    "squashfs-xz": squash("xz"),
    "squashfs-zstd": squash("zstd"),
    "squashfs-lz4": squash("lz4"),
    "cpio-newc": cpio("newc"),
    "cpio-odc": cpio("odc"),
    "cpio-crc": cpio("crc"),
    "cpio.gz": packed(cpio("newc"), "gzip", "-c"),
    "tar-gnu": tar("--format=gnu"),
    "tar-pax": tar("--format=posix"),
    "tar-ustar": tar("--format=ustar"),
    "tar.gz": packed(tar(), "gzip", "-c"),
    "tar.xz": packed(tar(), "xz", "-0c"),
    "tar.bz2": packed(tar(), "bzip2", "-c"),
    "tar.zst": packed(tar(), "zstd", "-qc"),
}


@pytest.fixture(scope="session")
def tools():
    """Return run(tool, *arguments, cwd, feed), which skips the test where the tool is missing."""
    return run


@pytest.fixture(scope="session")
def builders():
    """Return {kind: build(folder, out)}."""
    return BUILDERS


@pytest.fixture(scope="session")
def tree(tmp_path_factory) -> Path:
    """Return a folder with everything a file system may hold that needs no privileges."""
    root = tmp_path_factory.mktemp("tree")
    (root / "etc").mkdir()
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (root / "usr/bin").mkdir(parents=True)
    (root / "bin").symlink_to("usr/bin")
    (root / "usr/bin/tool").write_bytes(bytes(range(256)) * 1400)  # several blocks and a tail
    (root / "usr/bin/tool").chmod(0o4755)
    os.link(root / "usr/bin/tool", root / "usr/bin/twin")
    (root / "etc/abs").symlink_to("/bin/tool")
    (root / "etc/out").symlink_to("../../../../etc/passwd")
    (root / "etc/loop").symlink_to("loop")
    (root / "etc/gone").symlink_to("/no/such")
    (root / "empty").write_bytes(b"")
    many = root / "many"
    many.mkdir()
    for number in range(300):
        (many / f"file-with-a-longer-name-{number:04}").write_text(str(number) * number)
    (root / "line\nbreak").write_text("x")
    with open(os.fsencode(root) + b"/raw-\xff\xfe", "wb") as file:
        file.write(b"y")
    os.mkfifo(root / "pipe")
    hole = root / "holes"
    with hole.open("wb") as file:
        file.seek(300_000)
        file.write(b"end")
        file.truncate(600_000)
    os.utime(root / "etc/passwd", (1_500_000_000, 1_500_000_000))
    return root

#!/bin/sh
# Puts the programs that build test images on a Debian machine; where it cannot, it names those that are missing and the
# tests that need them are skipped, each with its reason.
set -eu
packages="e2fsprogs squashfs-tools cpio genisoimage xz-utils zstd lz4 xfsprogs btrfs-progs ntfs-3g erofs-utils mtd-utils qemu-utils ewf-tools 7zip util-linux apfsprogs libarchive13 wimtools exfatprogs"
programs="mke2fs mksquashfs cpio genisoimage xz zstd lz4 mkfs.xfs mkfs.btrfs mkntfs mkfs.erofs mkfs.ubifs qemu-img ewfacquire 7zz mkfs.cramfs mkapfs wimlib-imagex mkfs.exfat"
set -- "their tests are skipped"
. "$(dirname "$0")/debian_packages.sh"

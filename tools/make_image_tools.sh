#!/bin/sh
# Puts the programs that build test images on a Debian machine; where it cannot, it names those that are missing and the
# tests that need them are skipped, each with its reason.
set -eu
PATH="$PATH:/usr/sbin:/sbin"
packages="e2fsprogs squashfs-tools cpio genisoimage xz-utils zstd lz4 xfsprogs btrfs-progs ntfs-3g erofs-utils mtd-utils qemu-utils ewf-tools 7zip util-linux apfsprogs libarchive13 wimtools"
programs="mke2fs mksquashfs cpio genisoimage xz zstd lz4 mkfs.xfs mkfs.btrfs mkntfs mkfs.erofs mkfs.ubifs qemu-img ewfacquire 7zz mkfs.cramfs mkapfs wimlib-imagex"
missing=""
for program in $programs; do
    command -v "$program" >/dev/null || missing="$missing $program"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "Missing, their tests are skipped:$missing (apt-get install $packages)" >&2
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # a list of packages
apt-get update -qq && apt-get install -y -qq --no-install-recommends $packages >/dev/null ||
    echo "Could not be installed, their tests are skipped:$missing" >&2

"""Images that were opened, and what their packing tells."""

from __future__ import annotations

from hinomi.model.tables.base import Row, column, table


@table(
    "images",
    "One row per file system or archive that was opened as a target; folders and live hosts have none.",
    subject="path",
)
class ImageRow(Row):
    """How an image was made and packed: facts that a repacking leaves behind even where every file's time was set back."""

    path: str = column("The image's file: its name, or the way in joined with ' » ' for nested ones.")
    kind: str = column("ext, squashfs, cpio, tar, oci, zip, fat, iso, 7z, ar.")
    size: int = column("Bytes of the file that holds it.")
    gzip: bool = column("Whether that file is a gzip stream.", default=False)
    gzip_name: str | None = column("File name in the gzip header.", default=None)
    gzip_mtime: float | None = column("Time in the gzip header; null where it is zero.", default=None)
    gzip_effort: str | None = column("best (-9), fastest (-1) or other, by the gzip header's XFL.", default=None)
    gzip_tool: str | None = column(
        "Tool and level that reproduce the stream (gzip -9, zlib -6, ...); null where none does or none was tried.",
        default=None,
    )
    made_at: float | None = column("When the file system was made (ext, squashfs).", default=None)
    mounted_at: float | None = column("When it was last mounted (ext).", default=None)
    written_at: float | None = column("When its superblock was last written (ext).", default=None)
    mount_count: int | None = column("Mounts since it was made or checked (ext).", default=None)
    last_mounted: str | None = column("Where it was last mounted (ext).", default=None)
    kilobytes_written: int | None = column("Kilobytes written through mounts in its life (ext4).", default=None)
    members: int | None = column("Members (cpio).", default=None)
    device: str | None = column("Device numbers of the first member, as major:minor (cpio).", default=None)
    ordered: bool | None = column("Whether inode numbers rise from member to member (cpio).", default=None)


@table(
    "image_leftovers",
    "One row per remnant of something deleted in an ext image that was opened; disks larger than 256 MiB are not searched.",
    subject="image",
)
class ImageLeftover(Row):
    """What a deletion left behind: builders fill a fresh image, whoever changes one leaves remnants."""

    image: str = column("The image's file, as in `images`.")
    kind: str = column("freed-blocks (content of free blocks), deleted-name, deleted-inode or orphan-inode.")
    offset: int = column("Where it is, in bytes from the start of the file system.")
    size: int | None = column("Bytes of freed blocks in a row; size that a deleted inode had.", default=None)
    inode: int | None = column("The inode deleted or, of a name, the one it stood for.", default=None)
    name: str | None = column("A deleted name.", default=None)
    folder: int | None = column("Inode of the folder that a deleted name stood in.", default=None)
    at: float | None = column("When an inode was deleted, seconds since 1970 UTC.", default=None)
    text: str | None = column("The beginning of freed blocks that hold text, at most 2,000 characters.", default=None)

"""What the walk sees: directory entries, ELF programs, byte patterns found in content."""

from __future__ import annotations

from hinomi.model.tables.base import Row, column, table


@table("files", "One row per directory entry of the target; archives' members are not entries.", subject="path")
class File(Row):
    """A directory entry with its attributes and, for regular files that were read, digest and content type."""

    path: str = column("Absolute path inside the target, always beginning with '/'.")
    path_raw: bytes | None = column("The path's bytes, only where they are not UTF-8.", default=None)
    kind: str = column("file, directory, symlink, fifo, socket, block-device or character-device.")
    size: int = column("Bytes (apparent size).")
    mode: int = column("Permission bits with set-uid, set-gid and sticky (0-0o7777).")
    uid: int = column("Owner's number.")
    gid: int = column("Group's number.")
    owner: str | None = column("Owner's name by the target's own passwd.", default=None)
    group: str | None = column("Group's name by the target's own group file.", default=None)
    inode: int = column("Inode number.")
    links: int = column("Hard-link count.")
    mtime: float = column("Last content change, seconds since 1970 UTC.")
    ctime: float = column("Last inode change, seconds since 1970 UTC.")
    btime: float | None = column("Birth time where the file system keeps it, seconds since 1970 UTC.", default=None)
    link_target: str | None = column("What a symbolic link holds, verbatim.", default=None)
    sha256: str | None = column("SHA-256 of the content in hex; null where the content was not read.", default=None)
    content_type: str | None = column(
        "Type by content (IANA name or application/x-...); null where not read.", default=None
    )
    xattrs: list[str] = column("Names of extended attributes.", default_factory=list)
    capabilities: str | None = column("File capabilities (security.capability) in hex.", default=None)
    acl: str | None = column(
        "POSIX ACL by number, short form (user:1000:rw-,..., default:...); null where there is none.", default=None
    )
    label: str | None = column("SELinux label.", default=None)
    flags: str | None = column(
        "Inode flags by the letters of lsattr(1): i immutable, a append-only, ...; null where unknown.", default=None
    )
    package: str | None = column("Name of the package that owns the path.", default=None)
    package_state: str | None = column(
        "intact, modified or unowned; null where no package database was found.", default=None
    )


@table("elf", "One row per ELF program, library or kernel module.", subject="path")
class Elf(Row):
    """Traits of an ELF file; lists are bounded and say nothing about order."""

    path: str = column("Absolute path inside the target.")
    sha256: str | None = column("SHA-256 of the content.", default=None)
    bits: int = column("32 or 64.")
    machine: str = column("Processor, as in the ELF header (EM_X86_64, EM_ARM, ...).")
    type: str = column("exec, dyn, rel or core.")
    interpreter: str | None = column("Program interpreter; null for static programs.", default=None)
    build_id: str | None = column("GNU build id in hex.", default=None)
    compiler: str | None = column("First compiler note (.comment).", default=None)
    stripped: bool = column("No symbol table.")
    static: bool = column("No dynamic section.")
    needed: list[str] = column("Libraries it asks for.", default_factory=list)
    sections: list[str] = column("Section names.", default_factory=list)
    imports: list[str] = column("Imported function names (dynamic symbols), at most 2,000.", default_factory=list)
    embedded_addresses: list[str] = column(
        "Public IP addresses (with port where given) and host names in its read-only data.",
        default_factory=list,
    )
    embedded_paths: list[str] = column(
        "Absolute paths and shell command lines in its read-only data, at most 500.", default_factory=list
    )
    embedded_urls: list[str] = column("URLs in its read-only data, at most 200.", default_factory=list)
    overlay_size: int = column("Bytes after the last section or segment.", default=0)


@table("content_matches", "One row per byte pattern of a YARA rule found in a file's content.", subject="path")
class ContentMatch(Row):
    """A YARA rule's match; several patterns of one rule give several rows."""

    path: str = column("Absolute path inside the target (with » for members).")
    rule: str = column("Rule id.")
    pattern: str = column(
        "Identifier of the pattern inside the rule ($name); empty for rules without patterns.", default=""
    )
    offset: int = column("Byte offset of the match.", default=0)
    length: int = column("Bytes matched.", default=0)
    excerpt: str = column("The matched bytes, printable, at most 120 characters.", default="")
    sha256: str | None = column("SHA-256 of the file.", default=None)

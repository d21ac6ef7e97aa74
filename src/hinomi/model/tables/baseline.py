"""What differs from the baseline, one row per entry, and what explains it."""

from __future__ import annotations

from hinomi.model.tables.base import Row, column, table


@table(
    "baseline_changes",
    "One row per entry that differs from the signed baseline, or per fault of the baseline.",
    subject="path",
)
class Change(Row):
    """A difference. It is explained where something verified now accounts for all of it, never by its path alone."""

    path: str = column("Absolute path inside the target; of a fault, the baseline's file or the database.")
    path_raw: bytes | None = column("The path's bytes, only where they are not UTF-8.", default=None)
    what: str = column("added, removed, changed, hidden, manifest-altered or baseline-fault.")
    kind: str = column("file, directory, symlink, ... as it is now, else as it was.")
    attributes: list[str] = column("Which attributes differ (of a change).", default_factory=list)
    old: list[str] = column("Their values in the baseline, in the same order.", default_factory=list)
    new: list[str] = column("Their values now, in the same order.", default_factory=list)
    explained: bool = column("Whether something verified accounts for the whole change.")
    why: str | None = column(
        "The reason: package, package-database, link-to-package, linker-cache, byte-code, log-grown, log-rotated, "
        "same-content, folder-times, declared, ...; of a fault, its code.",
        default=None,
    )
    by: str | None = column(
        "What explains it: package and version, source file, rotated log, declaration.", default=None
    )
    strength: str | None = column("How well: sha256, sha1, md5, content, header or declared.", default=None)
    left: list[str] = column("Attributes that the reason does not account for.", default_factory=list)
    mode: int | None = column("Permission bits now (as they were, where it is gone).", default=None)
    mode_before: int | None = column("Permission bits in the baseline.", default=None)
    uid: int | None = column("Owner's number now (as it was, where it is gone).", default=None)
    size: int | None = column("Bytes now.", default=None)
    size_before: int | None = column("Bytes in the baseline.", default=None)
    sha256: str | None = column("SHA-256 now.", default=None)
    sha256_before: str | None = column("SHA-256 in the baseline.", default=None)
    mtime: float | None = column("Last content change now, seconds since 1970 UTC.", default=None)
    content: str | None = column(
        "What a regular file holds by its first bytes: program (ELF, PE, Mach-O), script (#!), text, data.",
        default=None,
    )
    package: str | None = column("Package that owns the path now, else that owned it.", default=None)
    diff: str | None = column("Unified difference of a small text that holds no secret.", default=None)
    baseline: int = column("Sequence number of the baseline compared with.")

"""What a system says of itself, and what is to vouch for it: releases, build stamps, lists of digests, signers."""

from __future__ import annotations

from hinomi.model.tables.base import Row, column, table


@table("builds", "One row per statement of which release this is or when a part of it was built.", subject="path")
class Build(Row):
    """A release file's line, or the stamp that a build left in a kernel: text that anybody may write."""

    path: str = column("The file that says it.")
    line: int | None = column("1-based line; null for stamps in binaries.", default=None)
    kind: str = column("release-file, kernel or boot-image (U-Boot's header).")
    name: str = column("What the line calls it (VERSION_ID, ro.build.date); empty for a bare value.", default="")
    version: str | None = column("The version stated.", default=None)
    built_at: float | None = column("The time of building stated, seconds since 1970 UTC.", default=None)


@table("listed_digests", "One row per file that a list of digests (SHA256SUMS, manifest, ...) names.", subject="path")
class ListedDigest(Row):
    """What a list says of a file; package databases' own lists are not repeated here."""

    path: str = column("The list.")
    line: int = column("1-based line.")
    file: str = column("The file named, made absolute by the list's folder where it is relative.")
    name: str = column("The file's name as written.")
    algorithm: str = column("md5, sha1, sha256, sha384 or sha512, by the digest's length.")
    digest: str = column("The digest in lower-case hex.")


@table("signing_files", "One row per public key, certificate, signature or list of digests.", subject="path")
class SigningFile(Row):
    """A file that takes part in vouching for others; certificate authorities' stores are left out."""

    path: str = column("The file.")
    kind: str = column("public-key, certificate, signature or digest-list.")
    covers: str | None = column(
        "The file that a signature of this name belongs to (manifest.sig: manifest).", default=None
    )
    algorithm: str | None = column("rsa, ec, ed25519, ..., pgp; of a list the digests'.", default=None)
    bits: int | None = column("Size of the key in bits.", default=None)
    fingerprint: str | None = column(
        "SHA-256 of the key (SubjectPublicKeyInfo), else of the file, in hex.", default=None
    )
    valid_from: float | None = column("Since when a certificate is valid, seconds since 1970 UTC.", default=None)
    entries: int | None = column("Files that a list names.", default=None)


@table(
    "integrity_checks", "One row per place where a checker compares digests or verifies a signature.", subject="path"
)
class IntegrityCheck(Row):
    """A comparison in a script whose name says that it checks, and what happens where it fails."""

    path: str = column("The script.")
    line: int = column("1-based line.")
    language: str = column("shell or python.")
    check: str = column("The comparison or command, at most 200 characters.")
    failure: str = column("ignored (nothing happens, or success is reported) or handled.")
    response: str = column("What is done where it fails, at most 200 characters.", default="")

"""Libraries inside archives and macros inside documents."""

from __future__ import annotations

from hinomi.model.tables.base import Row, column, table


@table(
    "libraries",
    "One row per copy of a library, however deep in archives, decided by content.",
    subject="path",
)
class Library(Row):
    """One copy of a library. For Log4j the state comes from class constant pools, never from names or metadata."""

    path: str = column("Where: outer file and members joined with ' » '.")
    container: str = column("The outermost file on disk.")
    ecosystem: str = column("maven, npm, pypi, go or crates.io.")
    name: str = column("group:artifact or package name.")
    version: str | None = column(
        "Version the metadata or file name claims; null where nothing claims one.", default=None
    )
    content_version: str | None = column(
        "Versions the content allows, such as '2.1-2.14.1' or '2.17.0|2.12.3|2.3.1'.", default=None
    )
    state: str = column("vulnerable, below-fix, fixed, mitigated, metadata-only, end-of-life or present.")
    cves: list[str] = column("CVEs this copy is open to.", default_factory=list)
    classes: list[str] = column("Classes that decided, with their entry names.", default_factory=list)
    purl: str | None = column("Package URL, where name and version are known.", default=None)
    shaded: bool = column("Found outside its own package name or among other libraries' classes.", default=False)
    why: str = column("What in the content decided, in English.", default="")
    sha256: str | None = column("SHA-256 of the outermost file.", default=None)


@table("macros", "One row per macro module of an Office document.", subject="path")
class Macro(Row):
    """A VBA module or Excel 4.0 sheet and what its text does."""

    path: str = column("The document (with ' » ' for archive members).")
    module: str = column("Module, stream or sheet name.")
    kind: str = column("vba or xlm.")
    auto_run: list[str] = column(
        "Procedures that run by themselves (Auto_Open, Workbook_Open, ...).", default_factory=list
    )
    writes: list[str] = column("Calls that write files.", default_factory=list)
    executes: list[str] = column("Calls that start programs.", default_factory=list)
    downloads: list[str] = column("Calls that fetch from the network.", default_factory=list)
    startup_folder: bool = column("Names the Startup folder or a Run key, also split or obfuscated.", default=False)
    lines: int = column("Lines of source.", default=0)
    excerpt: str = column("First lines that decided, printable, at most 500 characters.", default="")

"""The way in and out: export, import, pull."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from hinomi.cli.library.group import opened, print_rows, sub
from hinomi.cli.options import common, online
from hinomi.cli.output import tell, write
from hinomi.cli.settings import Settings
from hinomi.cli.words import say
from hinomi.locale.catalogue import text
from hinomi.model.errors import ExitCode

if TYPE_CHECKING:
    from hinomi.model.claims import Report


@sub("export")
@click.argument("reports", nargs=-1, metavar="REPORT...")
@common("stix", "misp", "csv", "navigator")
def export(settings: Settings, reports: tuple[str, ...]) -> int:
    """Write reports for other tools."""
    from hinomi.flow import library

    with opened(settings) as case:
        said = library.export(library.chosen(case, reports), str(settings.format))
    write(said, settings)
    return 0


@sub("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@online
@common("table", "json", "jsonl")
def import_reports(settings: Settings, files: tuple[str, ...], online: bool) -> int:
    """Read files of other tools into the library."""
    from hinomi.flow.library import import_files

    with opened(settings) as case:
        reports = import_files(case, files, online=online)
    return _told(reports, settings)


@sub("pull")
@click.argument("url")
@click.option("--collection", metavar="ID", help=say("option.collection"))
@click.option("--since", metavar="TIME", help=say("option.since"))
@online
@common("table", "json", "jsonl")
def pull(settings: Settings, url: str, collection: str | None, since: str | None, online: bool) -> int:
    """Read from a TAXII 2.1 server."""
    from hinomi.flow import taxii

    with opened(settings) as case:
        pulled = taxii.pull(case, url, collection=collection, since=since, online=online)
    _told(pulled.reports, settings)
    for left in pulled.left_out:
        tell(settings, text(f"taxii.left-out.{left.why}", settings.language, **left._asdict()))
    return ExitCode.INCOMPLETE if pulled.left_out else ExitCode.OK


def _told(reports: Sequence[Report], settings: Settings) -> int:
    columns = ["id", "published", "claims", "source", "title", "notes"]
    print_rows(
        columns, [(r.id, r.published or "", len(r.claims), r.source, r.title, list(r.notes)) for r in reports], settings
    )
    return 0
